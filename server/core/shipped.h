/* shipped.h - the policies that come with Keep, from schema/policies/: generated. */
#ifndef KEEP_CORE_SHIPPED_H
#define KEEP_CORE_SHIPPED_H

#include <stdbool.h>
#include <stddef.h>

struct shipped_policy {
    const char *name, *document;
    bool enabled;                    /* when it is new */
};

extern const struct shipped_policy shipped_policies[];
extern const size_t n_shipped_policies;

#endif
