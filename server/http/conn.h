/* conn.h - every open connection, and when it must have got further.
 *
 * libmicrohttpd only knows inactivity: one byte a second keeps a connection for
 * ever.  Here each connection has a deadline that says when the next stage must
 * be reached: a whole request head within head_ms of accept (or of the start of
 * the request line), an idle connection's next head within idle_ms, an answer
 * taken within its time; and while a body comes in, a minimum rate.  A reaper
 * thread looks every quarter of a second and shuts the socket down; closing it
 * stays the library's business. */
#ifndef KEEP_HTTP_CONN_H
#define KEEP_HTTP_CONN_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_creds;
struct conns;

enum { CONN_FROM_TEXT = 48 };
enum conn_peer { PEER_UNKNOWN = 0, PEER_NONE, PEER_REFUSED, PEER_TRUSTED };   /* of its client certificate: peer.h */

/* The connections of one listener, and by age those of them on which nobody has shown
 * credentials yet: when there is no room left, the oldest of these goes first.  So slots
 * cannot be held by who says nothing, slowly or once in a while. */
struct conn_line {
    struct conn *oldest, *newest;            /* strangers; under the table's lock */
    atomic_long open;
};

struct conn {
    struct conn *prev, *next;                /* of the table, under its lock */
    struct conn *older, *newer;              /* of the line while it waits, under the same lock */
    struct conns *table;
    struct conn_line *line;
    bool waits;                              /* it stands in the line; under the same lock */
    atomic_bool is_trusted;                  /* credentials were good, once */
    int fd;
    unsigned memory;                         /* the library's for it: bounds a request head */
    atomic_bool busy;                        /* a request line was read and its answer is not out */
    atomic_llong deadline_ms;                /* monotonic; INT64_MAX: none */
    atomic_llong body_from_ms, body_got;     /* body_from 0: no body is coming in */
    struct tls_creds *creds;
    struct again *again;                     /* again.c; freed with the connection */
    int64_t bucket_ms, bucket_milli;         /* again.c: the loop's alone */
    char from[CONN_FROM_TEXT];               /* client address as text, without port */
    enum conn_peer peer;                     /* of its loop */
    char certificate[65];                    /* fingerprint of the client key when PEER_TRUSTED, else "" */
};

struct conns_config {
    int64_t head_ms, idle_ms, body_grace_ms, body_rate;   /* body_rate: bytes a second after the grace */
};

int conns_open(const struct conns_config *cfg, struct conns **out, struct err *err);
void conns_close(struct conns *t);           /* after the last conn_remove; NULL-safe */

struct conn *conn_add(struct conns *t, struct conn_line *line, int fd, const char *from);     /* NULL: no memory */
void conn_remove(struct conn *c);            /* before the socket is closed; NULL-safe */

void conn_head_begins(struct conn *c);       /* request line read */
void conn_body_begins(struct conn *c);
static inline void conn_body_more(struct conn *c, size_t n)
{
    atomic_fetch_add_explicit(&c->body_got, (long long)n, memory_order_relaxed);
}
void conn_works(struct conn *c);             /* ours to move: no deadline */
void conn_answers(struct conn *c, size_t len);   /* an answer of len bytes goes out */
void conn_idles(struct conn *c);

void conn_trust(struct conn *c);             /* credentials were good */

/* Shuts the oldest stranger of the line that no request is worked on for; false: none. */
bool conns_shed(struct conns *t, struct conn_line *line);

/* Half-closes every connection that is not busy, so that it ends by itself. */
void conns_shut_idle(struct conns *t);

int64_t conns_n(struct conns *t);
int64_t conns_reaped(struct conns *t);
int64_t conns_n_shed(struct conns *t);

#endif
