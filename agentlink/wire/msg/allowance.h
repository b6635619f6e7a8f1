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

extern const struct shape allowance_shape;         /* struct allowance */
extern const struct shape allowance_list_shape;    /* struct page */
extern const struct shape allowance_new_shape;

#endif
