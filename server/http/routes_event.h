/* routes_event.h - the routes of events, alerts and suppressions. */
#ifndef KEEP_HTTP_ROUTES_EVENT_H
#define KEEP_HTTP_ROUTES_EVENT_H

#include "service/call.h"

extern const struct route routes_event[];
extern const size_t n_routes_event;

#endif
