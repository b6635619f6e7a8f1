/* guard.h - what a request head must look like before anything else looks at it.
 *
 * libmicrohttpd 0.9.75 is lenient where leniency lets one request hide inside
 * another (Transfer-Encoding next to Content-Length, two lengths, bare LF, NUL,
 * obs-fold, whitespace before the colon).  The guard runs in the first call of
 * the access handler, before the body; whatever it refuses is answered with
 * `Connection: close`.
 *
 * Two pure functions: guard_check judges the values (RFC 9110, RFC 9112),
 * guard_layout judges where they lie in the library's read buffer: every
 * separator accounts for its bytes, so anything that the library stepped over
 * silently shows as a gap.  tests/unit/guard.c and tests/flow/http.c pin the
 * layout to the packaged library; a library that moves its buffers fails closed. */
#ifndef KEEP_HTTP_GUARD_H
#define KEEP_HTTP_GUARD_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUARD_MAX_HEADERS = 64, GUARD_MAX_URI = 4096, GUARD_MAX_HOST = 255 };

struct guard_header {
    const char *name, *value;        /* NUL-terminated in the buffer, too */
    size_t name_len, value_len;
};

/* The head as the library handed it over. */
struct guard_head {
    const char *method, *version;
    const char *uri;                 /* raw, with the query, before any decoding */
    size_t uri_len;
    const struct guard_header *headers;   /* in order of arrival */
    size_t n_headers;
    bool too_many;                   /* there were more than GUARD_MAX_HEADERS */
    size_t head_len;                 /* bytes from the method to the end of the empty line */
    size_t max_head;                 /* what fits beside an answer's head */
};

enum http_method { METHOD_NONE = 0, METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE,
                   METHOD_N };
enum http_coding { CODING_IDENTITY = 0, CODING_GZIP, CODING_ZSTD };

/* What the rest of the server may rely on. */
struct guard_facts {
    enum http_method method;
    uint64_t length;                 /* Content-Length, 0 when absent */
    enum http_coding coding;         /* of the body */
    const char *authorization, *cookie, *content_type, *csrf, *origin, *fetch_site,
               *if_none_match, *accept_encoding, *idempotency_key, *host;   /* NULL when absent */
};

/* 0, or the HTTP status of the refusal (400, 413, 414, 415, 417, 431, 501, 505) with err set.
 * *out is written only on success. */
unsigned guard_check(const struct guard_head *head, struct guard_facts *out, struct err *err);

/* Every byte between the method and the end of the head is accounted for.  One
 * thing cannot be seen: a NUL sent where a CR belongs. */
bool guard_layout(const struct guard_head *head);

/* The method's word; NULL for METHOD_NONE. */
const char *method_word(enum http_method method);
enum http_method method_of(const char *word);

/* Value of a header by name, any case; NULL when absent. */
const char *guard_find(const struct guard_head *head, const char *name);

#endif
