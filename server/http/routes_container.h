/* routes_container.h - what runs on nodes. */
#ifndef KEEP_HTTP_ROUTES_CONTAINER_H
#define KEEP_HTTP_ROUTES_CONTAINER_H

#include "service/call.h"

#include <stddef.h>

extern const struct route routes_container[];
extern const size_t n_routes_container;

#endif
