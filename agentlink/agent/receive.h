/* receive.h - takes events over HTTP on the loopback address.
 *
 *   POST /            one Falco object, as falcosidekick takes it: 400 without rule,
 *                     priority, time or output_fields
 *   POST /k8s-audit   an audit Event or EventList, as the API server's webhook sends it
 *   POST /events      lines of Tetragon, Tracee, Hubble, KubeArmor, Falco or our own JSON
 *   GET  /ping        "pong"; /healthz {"status":"ok"}
 *
 * 200 is answered when the taker has said that everything is durable, 503 with
 * Retry-After when it could not, 400 when nothing of the body is an event.  Bodies
 * are bounded before and after unpacking (gzip by Content-Encoding or by its first
 * bytes); so are connections and the time one may take.  A packed Transfer-Encoding is
 * 501: Falco's compress_uploads sends none, it only asks for one (TE: gzip).
 *
 * Whoever may open a connection to the address may report events: it is 127.0.0.1
 * unless the settings say otherwise. */
#ifndef KEEP_AGENT_RECEIVE_H
#define KEEP_AGENT_RECEIVE_H

#include "base/err.h"
#include "model/event.h"

#include <stddef.h>
#include <stdint.h>

enum { RECEIVE_BODY_MAX = 8 * 1024 * 1024, RECEIVE_PORT = 2801 };

struct receive;

struct receive_opts {
    const char *address;                 /* NULL: "127.0.0.1" */
    uint16_t port;                       /* 0: any free one (receive_port) */
    size_t body_max;                     /* 0: RECEIVE_BODY_MAX */
    unsigned connections;                /* 0: 64 */
    unsigned timeout_s;                  /* of a silent connection, and of a request; 0: 10 */
};

/* Called by the receiver's own thread.  `take` for each text (a body or a line of it):
 * 0 taken, 1 not an event (err says why), -1 not now.  `settle` follows, once for all
 * requests of a moment: 0 when everything taken is durable. */
struct receive_taker {
    void *ctx;
    int (*take)(void *ctx, enum event_source source, const char *text, size_t len, struct err *err);
    int (*settle)(void *ctx, struct err *err);
};

struct receive_counts {
    uint64_t requests, texts, refused, unavailable, bytes;
};

int receive_open(const struct receive_opts *opts, const struct receive_taker *taker, struct receive **out, struct err *err);
void receive_close(struct receive *r);   /* waits for the running request; NULL-safe */
uint16_t receive_port(const struct receive *r);
void receive_counts(struct receive *r, struct receive_counts *out);

#endif
