/* routes_opa.h - the routes of OPA agents, and those about what they reported. */
#ifndef KEEP_HTTP_ROUTES_OPA_H
#define KEEP_HTTP_ROUTES_OPA_H

#include "service/call.h"

extern const struct route routes_opa[];
extern const size_t n_routes_opa;

#endif
