/* hold.h - answers that wait for news (`Prefer: wait=N`, RFC 7240).
 *
 * A READ handler that has nothing new says so with call->hold_ms.  Its connection
 * stays suspended, no thread waits; when something was committed (at most once a
 * second), when its time is over or the server drains, the handler is asked again.
 * Bounded by the connections there can be; woken in portions the work queue takes.
 *
 * LIGHT handlers wait for a number instead of a commit, and are asked again on their
 * loop: ten thousand wait in little more than the library's own memory. */
#ifndef KEEP_HTTP_HOLD_H
#define KEEP_HTTP_HOLD_H

#include "base/err.h"

#include <stdatomic.h>

struct holds;
struct http_server;
struct request;

int holds_open(struct http_server *s, struct holds **out, struct err *err);

/* Takes the suspended request over until it is asked again. */
void holds_put(struct holds *h, struct request *r);

/* The same for a light request: asked again when *on is no longer h->seen, in portions
 * spread over some tenths of a second, or when its time is over.  `on` outlives it. */
struct held;
void holds_put_light(struct holds *h, const atomic_llong *on, struct held *held);

/* Ends the thread; nothing may be held any more.  NULL-safe. */
void holds_close(struct holds *h);

#endif
