/* routes_profile.h - the routes of profiles. */
#ifndef KEEP_HTTP_ROUTES_PROFILE_H
#define KEEP_HTTP_ROUTES_PROFILE_H

#include "service/call.h"

extern const struct route routes_profile[];
extern const size_t n_routes_profile;

#endif
