/* routes_people.h - the routes of everything people manage. */
#ifndef KEEP_HTTP_ROUTES_PEOPLE_H
#define KEEP_HTTP_ROUTES_PEOPLE_H

#include "service/call.h"

extern const struct route routes_people[];
extern const size_t n_routes_people;

#endif
