/* routes_admission.h - the routes Kubernetes asks, and those about what it was told. */
#ifndef KEEP_HTTP_ROUTES_ADMISSION_H
#define KEEP_HTTP_ROUTES_ADMISSION_H

#include "service/call.h"

extern const struct route routes_admission[];
extern const size_t n_routes_admission;

#endif
