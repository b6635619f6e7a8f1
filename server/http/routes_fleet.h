/* routes_fleet.h - the routes of scans, images and the fleet. */
#ifndef KEEP_HTTP_ROUTES_FLEET_H
#define KEEP_HTTP_ROUTES_FLEET_H

#include "service/call.h"

extern const struct route routes_fleet[];
extern const size_t n_routes_fleet;

#endif
