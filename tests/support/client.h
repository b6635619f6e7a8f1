/* client.h - a small HTTP/1.1 client over a raw socket, for tests: one connection,
 * kept alive, no redirects, nothing clever.  It sends what it is told, also what
 * is wrong. */
#ifndef KEEP_TESTS_CLIENT_H
#define KEEP_TESTS_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stddef.h>

struct client {
    int fd, port;
    int timeout_ms;
    struct buf in;             /* what arrived */
    struct arena arena;        /* of the parsed answer */
    struct json doc;
};

struct reply {
    int status;                /* 0: no answer (connection lost, time-out) */
    const char *head;          /* NUL-terminated, borrowed until the next call */
    const char *body;
    size_t len;
};

struct ask {
    const char *method, *path, *token;
    const char *headers;       /* whole lines with \r\n, or NULL */
    const void *body;
    size_t len;
};

void client_init(struct client *c, int port);
void client_close(struct client *c);         /* may be used again: connects anew */
void client_free(struct client *c);

/* Sends and waits.  A connection that the server closed while idle is opened again, once. */
struct reply client_send(struct client *c, const struct ask *ask);

/* Bytes as they are, on a new connection; then whatever comes back. */
struct reply client_raw(struct client *c, const void *bytes, size_t len);

/* The body as JSON; NULL when it is none.  Lives until the next call. */
const struct json *client_json(struct client *c, const struct reply *r);

/* Copies a header's value; false when there is none. */
bool reply_header(const struct reply *r, const char *name, char *out, size_t max);

#endif
