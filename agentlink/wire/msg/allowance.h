/* allowance.h - messages about unsigned allowances. */
#ifndef KEEP_WIRE_MSG_ALLOWANCE_H
#define KEEP_WIRE_MSG_ALLOWANCE_H

#include "model/allowance.h"
#include "wire/msg/page.h"

struct allowance_new {
    const char *pattern, *reason;
    const char *expires_in;          /* one of these two */
    int64_t expires_ms;
};

/* A pattern has slashes, and no path segment may hold an encoded one:
 * /v1/unsigned-allowances/-?pattern=... names it then. */
struct allowance_which {
    const char *pattern;             /* NULL: the path names it */
};

extern const struct shape allowance_which_shape;
extern const struct shape allowance_shape;         /* struct allowance */
extern const struct shape allowance_list_shape;    /* struct page */
extern const struct shape allowance_new_shape;

#endif
