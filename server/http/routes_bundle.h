/* routes_bundle.h - what is served under /v1/agent/bundle, /v1/agent/root, /v1/bundles and /v1/trust. */
#ifndef KEEP_HTTP_ROUTES_BUNDLE_H
#define KEEP_HTTP_ROUTES_BUNDLE_H

#include "service/call.h"

extern const struct route routes_bundle[];
extern const size_t n_routes_bundle;

#endif
