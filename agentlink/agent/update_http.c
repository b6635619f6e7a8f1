/* update_http.c - updates over HTTP; see update.h. */
#include "agent/update.h"

#include "base/time.h"
#include "client/http.h"

#include <stdio.h>

enum { ANSWER_ARENA = 1 << 20, PROBLEM_MAX = 64 << 10 };

/* The client calls every status but 200 and 304 a failure; here it is an answer. */
static int get(void *client, const struct update_ask *ask, struct update_answer *out, struct err *err)
{
    struct client_request r = { .method = "GET", .target = ask->target, .once = true, .take = ask->take, .take_arg = ask->arg,
                                .timeout_ms = ask->wait_s * MS_SECOND + ask->within_ms, .body_within_ms = ask->within_ms,
                                .answer_max = PROBLEM_MAX };
    struct client_answer a;
    struct arena arena;
    char prefer[32];

    if (ask->etag != NULL)
        r.headers[r.n_headers++] = (struct client_header){ "If-None-Match", ask->etag };
    snprintf(prefer, sizeof prefer, "wait=%lld", (long long)ask->wait_s);
    if (ask->wait_s > 0)
        r.headers[r.n_headers++] = (struct client_header){ "Prefer", prefer };
    arena_init(&arena, ANSWER_ARENA);
    int rc = http_client_send(client, &r, &arena, &a, err);
    if (rc != 0 && a.status != 0 && a.status != 200)
        rc = 0;
    if (rc == 0) {
        *out = (struct update_answer){ .status = a.status };
        snprintf(out->etag, sizeof out->etag, "%s", a.etag != NULL ? a.etag : "");
    }
    arena_clear(&arena);
    return rc;
}

struct update_transport update_over_http(struct http_client *client)
{
    return (struct update_transport){ get, client };
}
