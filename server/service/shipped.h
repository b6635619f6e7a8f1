/* shipped.h - the policies that come with Keep, from schema/policies/. */
#ifndef KEEP_SERVICE_SHIPPED_H
#define KEEP_SERVICE_SHIPPED_H

#include "service/setup.h"

#include <stdbool.h>
#include <stddef.h>

extern const struct shipped_policy shipped_policies[];
extern const size_t n_shipped_policies;

#endif
