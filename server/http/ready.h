/* ready.h - answers made once: one library response for each form and for 304, given out
 * to any number of requests at the same time without a copy, a lock or an allocation. */
#ifndef KEEP_HTTP_READY_H
#define KEEP_HTTP_READY_H

#include "service/call.h"

struct MHD_Response;

extern const struct ready_ops ready_answers;

/* The response for this request, borrowed while the `ready` is.  is_unchanged: 304. */
struct MHD_Response *ready_response(const struct ready *r, bool is_unchanged, const char *accept_encoding, size_t *len);

#endif
