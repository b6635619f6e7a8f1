/* server.h - the HTTP side of keepd.
 *
 * One table of routes, served on one or two listeners.  Loops (libmicrohttpd,
 * epoll, one thread per core) read heads and bodies, answer light routes and
 * static files; everything else runs on workers while the connection is
 * suspended.  Every limit has a default that holds when the field is 0. */
#ifndef KEEP_HTTP_SERVER_H
#define KEEP_HTTP_SERVER_H

#include "base/buf.h"
#include "base/log.h"
#include "db/writer.h"
#include "http/metrics.h"
#include "http/static.h"
#include "service/call.h"
#include "service/exec.h"
#include "service/work.h"

struct http_server;

/* identify answers from memory only when reader is NULL; IDENTIFY_ASK_DB then
 * means "ask me again on a worker". */
enum { IDENTIFY_OK = 0, IDENTIFY_ASK_DB = 1 };

/* What the server asks of the application.  Called from loops and workers. */
struct http_hooks {
    /* Who is asking: fills *out (memory of the arena).  -1 with ERR_UNAUTHENTICATED
     * when the credentials are no good. */
    int (*identify)(struct app *app, struct db *reader, const struct credentials *credentials,
                    struct arena *arena, int64_t now_ms, struct caller *out, struct err *err);
    /* Is a node's caller, that identify named some time ago, still good?  NULL: never. */
    bool (*still)(struct app *app, const struct caller *caller, int64_t now_ms);
    /* May requests be sent here?  NULL: always.  Must not block. */
    int (*ready)(struct app *app, struct err *err);
    /* Appends more series in the Prometheus text format.  NULL: none.  Must not block. */
    void (*metrics)(struct app *app, struct buf *out);
    struct keep_answers keep;             /* Idempotency-Key; NULL members: keys are ignored */
};

/* Texts are copied.  0 or NULL means the default named here. */
struct http_config {
    const char *listen;                   /* "127.0.0.1:8470" */
    const char *listen_reserve;           /* a second listener with limits of its own; NULL: none */
    const char *listen_nodes;             /* one for agents: 4 KiB a connection, so that thousands may wait; NULL: none */
    const char *tls_cert, *tls_key;       /* PEM files; NULL: plain HTTP */
    const char *client_ca;                /* PEM file: CAs of client certificates; NULL: none are asked for */
    bool client_required;                 /* routes under /v1/agent/ only with one */
    bool insecure_plaintext;              /* plain HTTP on an address others can reach */
    unsigned loops;                       /* one per core, at most 4 */
    unsigned max_connections;             /* 12,000; the reserve has a tenth of it */
    unsigned max_per_address;             /* 2,000 */
    unsigned backlog;                     /* 1,024 */
    size_t connection_memory;             /* 8 KiB: request head + answer head */
    int64_t head_ms;                      /* 5 s from accept to a whole head */
    int64_t idle_ms;                      /* 120 s between requests */
    int64_t body_grace_ms, body_rate;     /* 10 s, then at least 4,096 bytes a second */
    unsigned rate, burst;                 /* requests a second per caller; 0: no limit */
};

struct http_back {
    struct app *app;                      /* handed to hooks and handlers, never looked into */
    const struct http_hooks *hooks;
    const struct route *routes;
    size_t n_routes;
    const struct web_file *files;
    size_t n_files;
    struct work_pool *work;
    struct writer *writer;                /* NULL only when no route writes */
    const struct log *log;
    struct metrics *metrics;              /* the server adds its own series; NULL: not counted */
};

/* Checks everything (routes, addresses, certificate), then listens.  `back` and
 * what it names must outlive the server. */
int http_open(const struct http_config *cfg, const struct http_back *back, struct http_server **out, struct err *err);

int http_port(const struct http_server *s, bool reserve);    /* listening port, -1 when there is none */

int http_nodes_port(const struct http_server *s);

/* Reads certificate and key again; connections go on.  ERR_INVALID without TLS. */
int http_reload_tls(struct http_server *s, struct err *err);
int64_t http_tls_not_after_ms(const struct http_server *s);  /* TIME_UNKNOWN without TLS */

/* Stops accepting, answers what was accepted for at most within_ms, tells idle
 * connections good-bye.  True when everything was answered. */
bool http_drain(struct http_server *s, int64_t within_ms);

/* Drains (shortly) when that was not done, then closes every connection.  Waits for
 * handlers that run.  The pool and the writer must still be open.  NULL-safe. */
void http_close(struct http_server *s);

#endif
