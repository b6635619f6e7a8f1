/* routes_check.h - the route of configuration checks. */
#ifndef KEEP_HTTP_ROUTES_CHECK_H
#define KEEP_HTTP_ROUTES_CHECK_H

#include "service/call.h"

extern const struct route routes_check[];
extern const size_t n_routes_check;

#endif
