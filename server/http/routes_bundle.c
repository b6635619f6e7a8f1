/* routes_bundle.c - see routes_bundle.h. */
#include "http/routes_bundle.h"

#include "service/bundles.h"
#include "wire/msg/node_settings.h"
#include "wire/msg/page.h"
#include "wire/trust.h"

const struct route routes_bundle[] = {
    { .method = "GET", .path = "/v1/agent/bundle", .who = ROLE_NODE, .class = CLASS_LIGHT, .query = &agent_bundle_query_shape,
      .run = agent_bundle, .headers = agent_bundle_headers, .flags = ROUTE_RAW_QUERY | ROUTE_AGAIN,
      .summary = "The node's bundle: an envelope, a line feed, its files; Prefer: wait=N holds it until it changes." },
    { .method = "GET", .path = "/v1/agent/root/{version}", .who = ROLE_NODE, .class = CLASS_LIGHT, .run = agent_root,
      .summary = "A root of trust, as signed." },
    { .method = "GET", .path = "/v1/bundles", .who = WHO_PEOPLE, .class = CLASS_READ, .query = &page_query_shape,
      .out = &bundle_list_shape, .run = bundle_page, .summary = "The newest bundle of every scope, and which versions its nodes run." },
    { .method = "GET", .path = "/v1/trust", .who = WHO_PEOPLE, .class = CLASS_READ, .out = &trust_info_shape, .run = trust_show,
      .summary = "The root of trust: its keys, thresholds and end, and what this server can sign." },
    { .method = "POST", .path = "/v1/trust/roots", .who = ROLE_ADMIN, .class = CLASS_WRITE, .body = BODY_RAW, .max_body = TRUST_ROOT_MAX,
      .out = &trust_info_shape, .prepare = trust_root_prepare, .run = trust_root_add,
      .summary = "Take the next root of trust, signed as the one before and itself demand." },
    { .method = "POST", .path = "/v1/trust/bundle-key", .who = ROLE_ADMIN, .class = CLASS_WRITE, .out = &trust_info_shape,
      .prepare = trust_key_prepare, .run = trust_key_rotate,
      .summary = "Make a new key for bundles: in force at once where this server signs roots, else to be named by the next root." },
};
const size_t n_routes_bundle = N_ITEMS(routes_bundle);
