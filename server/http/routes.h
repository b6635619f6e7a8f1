/* routes.h - the table of everything keepd answers. */
#ifndef KEEP_HTTP_ROUTES_H
#define KEEP_HTTP_ROUTES_H

#include "base/err.h"
#include "service/call.h"

extern const struct route routes[];
extern const size_t n_routes;

/* Start-up self check: everything a row promises is there and holds together
 * (who may is said, bodies have bounds, light routes take none, shapes are
 * sound, no two rows for one method and path).  The error names the row. */
int route_check(const struct route *table, size_t n, struct err *err);

/* server/http's own handlers (health.c). */
int health(struct call *c, const void *in, void *out, struct err *err);
int ready(struct call *c, const void *in, void *out, struct err *err);
int metrics(struct call *c, const void *in, void *out, struct err *err);
int openapi(struct call *c, const void *in, void *out, struct err *err);
extern const struct shape health_shape;

#endif
