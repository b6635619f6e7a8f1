/* routes_opa.c - see routes_opa.h.
 *
 * OPA's own paths below the service URL .../v1/opa: bundles/NAME, status, logs, each
 * of the latter perhaps with a partition.  Bodies are bounded after decompression. */
#include "http/routes_opa.h"

#include "service/opa.h"
#include "wire/msg/opa.h"
#include "wire/msg/page.h"

#define MiB(n) ((size_t)(n) << 20)
#define AGENTS (ROLE_AGENT | ROLE_ADMISSION)

const struct route routes_opa[] = {
    { .method = "GET", .path = "/v1/opa/bundles/{name}", .who = AGENTS | ROLE_ADMIN, .class = CLASS_READ, .run = opa_bundle_show,
      .headers = opa_bundle_headers, .summary = "A signed OPA bundle of all images (keep) or of a team's; Prefer: wait=N holds it until it changes." },
    { .method = "GET", .path = "/v1/opa/key", .who = ROLE_ALL, .class = CLASS_READ, .run = opa_key_show,
      .summary = "The public key that bundles are signed for (ES256, PEM)." },
    { .method = "POST", .path = "/v1/opa/status", .who = AGENTS, .class = CLASS_WRITE, .body = BODY_RAW, .max_body = MiB(4),
      .prepare = opa_status_prepare, .run = opa_status_take, .summary = "Take an OPA agent's status." },
    { .method = "POST", .path = "/v1/opa/status/{partition}", .who = AGENTS, .class = CLASS_WRITE, .body = BODY_RAW, .max_body = MiB(4),
      .prepare = opa_status_prepare, .run = opa_status_take, .summary = "Take an OPA agent's status, under a partition's name." },
    { .method = "GET", .path = "/v1/opa/status", .who = WHO_PEOPLE, .class = CLASS_READ, .query = &page_query_shape,
      .out = &opa_status_list_shape, .run = opa_status_page, .summary = "OPA agents and how they are, the most recently seen first." },
    { .method = "POST", .path = "/v1/opa/logs", .who = AGENTS, .class = CLASS_WRITE, .body = BODY_RAW, .max_body = MiB(16),
      .prepare = opa_logs_prepare, .run = opa_logs_take, .summary = "Take an OPA agent's decisions; repeating them changes nothing." },
    { .method = "POST", .path = "/v1/opa/logs/{partition}", .who = AGENTS, .class = CLASS_WRITE, .body = BODY_RAW, .max_body = MiB(16),
      .prepare = opa_logs_prepare, .run = opa_logs_take, .summary = "Take an OPA agent's decisions, under a partition's name." },
    { .method = "GET", .path = "/v1/opa/decisions", .who = WHO_PEOPLE, .class = CLASS_READ, .query = &opa_decision_query_shape,
      .out = &opa_decision_list_shape, .run = opa_decision_page, .summary = "What OPA agents decided, newest first." },
};
const size_t n_routes_opa = N_ITEMS(routes_opa);
