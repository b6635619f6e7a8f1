/* routes.c - see routes.h.  A zero in the who column means nobody. */
#include "http/routes.h"
#include "http/match.h"
#include "http/request.h"

#include <stdio.h>

/*~ The tour goes on in service/: each row names the function that does the work. */
const struct route routes[] = {
    { .method = "GET", .path = "/healthz", .who = WHO_ANYONE, .class = CLASS_LIGHT, .out = &health_shape,
      .run = health, .summary = "The process is alive." },
    { .method = "GET", .path = "/readyz", .who = WHO_ANYONE, .class = CLASS_LIGHT, .out = &health_shape,
      .run = ready, .summary = "Requests may be sent here." },
    { .method = "GET", .path = "/metrics", .who = WHO_ANYONE, .class = CLASS_LIGHT,
      .run = metrics, .summary = "Counters in the Prometheus text format." },
    { .method = "GET", .path = "/v1/version", .who = WHO_ANYONE, .class = CLASS_LIGHT, .out = &health_shape,
      .run = health, .summary = "The server's version." },
    { .method = "GET", .path = "/v1/openapi.json", .who = WHO_ANYONE, .class = CLASS_LIGHT,
      .run = openapi, .summary = "This description." },
};
const size_t n_routes = N_ITEMS(routes);

/* ---- the self check ------------------------------------------------------- */

static const char *check_who(const struct route *r)
{
    if (r->who == 0)
        return "nobody may call it";
    return (r->who & ~(unsigned)(ROLE_ALL | WHO_ANYONE | ROLE_NODE)) != 0 ? "unknown role" : NULL;
}

static const char *check_class(const struct route *r)
{
    bool reads = str_eq(r->method, "GET");

    switch (r->class) {
    case CLASS_NONE:
        return "no class";
    case CLASS_LIGHT:
        if (r->body != BODY_NONE || r->prepare != NULL)
            return "a light route takes no body and prepares nothing";
        break;
    case CLASS_READ:
        if (r->prepare != NULL)
            return "only a write prepares";
        break;
    case CLASS_WRITE:
        if (reads)
            return "GET must not write";
        break;
    }
    if ((r->flags & ROUTE_IDEMPOTENT) != 0 && r->class != CLASS_WRITE)
        return "only a write is idempotent by key";
    return NULL;
}

static const char *check_body(const struct route *r)
{
    if ((r->body == BODY_NONE) != (r->max_body == 0))
        return "a body has a bound, no body has none";
    if ((r->body == BODY_JSON) != (r->in != NULL))
        return "a JSON body has a shape, nothing else has";
    if (r->body != BODY_NONE && (str_eq(r->method, "GET") || str_eq(r->method, "DELETE")))
        return "GET and DELETE take no body";
    return NULL;
}

static const char *check_shapes(const struct route *r)
{
    const struct shape *const shapes[] = { r->query, r->in, r->out };

    for (size_t i = 0; i < N_ITEMS(shapes); i++) {
        const char *wrong = shapes[i] == NULL ? NULL : shape_check(shapes[i]);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static const char *check_rest(const struct route *r)
{
    size_t n = 0;

    if (r->run == NULL)
        return "no function";
    if (r->summary == NULL || r->summary[0] == '\0')
        return "no summary";
    while (r->headers != NULL && r->headers[n] != NULL)
        if (++n > REQUEST_MAX_HEADERS)
            return "too many headers";
    return NULL;
}

int route_check(const struct route *table, size_t n, struct err *err)
{
    static const char *(*const checks[])(const struct route *) = {
        check_who, check_class, check_body, check_shapes, check_rest,
    };
    struct matcher *m = NULL;

    for (size_t i = 0; i < n; i++) {
        if (table[i].method == NULL || table[i].path == NULL)
            return err_set(err, ERR_INTERNAL, "route %zu: no method or no path", i);
        for (size_t k = 0; k < N_ITEMS(checks); k++) {
            const char *wrong = checks[k](&table[i]);
            if (wrong != NULL)
                return err_set(err, ERR_INTERNAL, "route %s %s: %s", table[i].method, table[i].path, wrong);
        }
    }
    if (matcher_new(table, n, &m, err) != 0)
        return -1;
    matcher_free(m);
    return 0;
}
