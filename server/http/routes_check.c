/* routes_check.c - see routes_check.h. */
#include "http/routes_check.h"

#include "service/check_config.h"
#include "wire/msg/check.h"

const struct route routes_check[] = {
    { .method = "POST", .path = "/v1/check", .who = WHO_PEOPLE | ROLE_CI, .class = CLASS_READ, .body = BODY_RAW, .max_body = (size_t)4 << 20,
      .query = &check_query_shape, .out = &check_answer_shape, .run = check_config,
      .summary = "Judge a manifest, Compose file, container or command line before it runs; nothing is stored." },
};
const size_t n_routes_check = N_ITEMS(routes_check);
