/* routes_container.c - see routes_container.h. */
#include "http/routes_container.h"

#include "service/containers.h"
#include "wire/msg/container.h"
#include "wire/msg/page.h"

#define READERS (WHO_PEOPLE | ROLE_CI)                       /* CI tokens see their own repositories */

const struct route routes_container[] = {
    { .method = "POST", .path = "/v1/agent/inventory", .who = ROLE_NODE, .class = CLASS_WRITE, .body = BODY_JSON,
      .max_body = INVENTORY_BODY_MAX, .in = &inventory_report_shape, .out = &inventory_answer_shape, .run = inventory_take,
      .summary = "Take what changed among a node's containers; 409 when it differs from another state than what is stored." },
    { .method = "GET", .path = "/v1/containers", .who = READERS, .class = CLASS_READ, .query = &container_query_shape,
      .out = &container_list_shape, .run = container_page,
      .summary = "Running containers: which carry a CVE, run a stale image, break a policy?" },
    { .method = "GET", .path = "/v1/containers/{node}/{id}", .who = READERS, .class = CLASS_READ, .out = &container_answer_shape,
      .run = container_show, .summary = "Show a running container, as its node reported it." },
    { .method = "GET", .path = "/v1/nodes/{id}/containers", .who = READERS, .class = CLASS_READ, .query = &page_query_shape,
      .out = &container_list_shape, .run = node_container_page, .summary = "What runs on a node." },
};
const size_t n_routes_container = N_ITEMS(routes_container);
