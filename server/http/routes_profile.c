/* routes_profile.c - see routes_profile.h. */
#include "http/routes_profile.h"

#include "service/profiles.h"
#include "wire/msg/page.h"
#include "wire/msg/profile.h"

#define KiB(n) ((size_t)(n) << 10)
#define READERS (WHO_PEOPLE | ROLE_CI)                       /* CI tokens see their own repositories */
#define DECIDERS (ROLE_POLICY | ROLE_ADMIN)

const struct route routes_profile[] = {
    { .method = "GET", .path = "/v1/profiles", .who = READERS, .class = CLASS_READ, .query = &profile_query_shape,
      .out = &profile_summary_list_shape, .run = profile_page, .summary = "List profiles by repository." },
    { .method = "POST", .path = "/v1/profiles", .who = ROLE_CI | DECIDERS, .class = CLASS_WRITE, .body = BODY_RAW, .max_body = KiB(512),
      .out = &profile_version_shape, .prepare = profile_declare_prepare, .run = profile_declare, .flags = ROUTE_IDEMPOTENT,
      .summary = "Declare what an image is expected to do: a signed document, or the document itself from who decides." },
    { .method = "POST", .path = "/v1/profiles/learn", .who = DECIDERS, .class = CLASS_WRITE, .body = BODY_JSON, .max_body = KiB(16),
      .in = &profile_learn_in_shape, .out = &learned_answer_shape, .run = profile_learn,
      .summary = "Make a profile of what was seen without doubt; what is doubted is shown." },
    { .method = "POST", .path = "/v1/profiles/simulation", .who = READERS, .class = CLASS_READ, .body = BODY_RAW, .max_body = KiB(512),
      .query = &profile_simulate_query_shape, .out = &simulation_answer_shape, .run = profile_simulate_document,
      .summary = "What would this document have reported, over recorded events?" },
    { .method = "GET", .path = "/v1/profiles/{id}", .who = READERS, .class = CLASS_READ, .out = &profile_detail_shape,
      .run = profile_show, .summary = "Show a profile: declared, learned, enforced, and whether it may go on." },
    { .method = "GET", .path = "/v1/profiles/{id}/diff", .who = READERS, .class = CLASS_READ, .out = &profile_diff_shape,
      .run = profile_diff, .summary = "Declared, observed and enforced, side by side." },
    { .method = "GET", .path = "/v1/profiles/{id}/observations", .who = READERS, .class = CLASS_READ, .out = &observations_answer_shape,
      .run = profile_observed, .summary = "What its images were seen doing, with doubts." },
    { .method = "GET", .path = "/v1/profiles/{id}/history", .who = READERS, .class = CLASS_READ, .query = &page_query_shape,
      .out = &profile_version_list_shape, .run = profile_history, .summary = "Every version, newest first." },
    { .method = "GET", .path = "/v1/profiles/{id}/simulation", .who = READERS, .class = CLASS_READ, .query = &profile_simulate_query_shape,
      .out = &simulation_answer_shape, .run = profile_simulate, .summary = "What would it have reported, over recorded events?" },
    { .method = "GET", .path = "/v1/profiles/{id}/generated", .who = READERS, .class = CLASS_READ, .query = &profile_generate_query_shape,
      .run = profile_generate, .summary = "The same as a NetworkPolicy, Falco rules, a seccomp profile ..." },
    { .method = "POST", .path = "/v1/profiles/{id}/approve", .who = DECIDERS, .class = CLASS_WRITE, .body = BODY_JSON, .max_body = KiB(256),
      .in = &profile_approve_in_shape, .out = &profile_version_shape, .run = profile_approve,
      .summary = "Make what is declared or learned count." },
    { .method = "POST", .path = "/v1/profiles/{id}/mode", .who = DECIDERS, .class = CLASS_WRITE, .body = BODY_JSON, .max_body = KiB(16),
      .in = &profile_mode_in_shape, .out = &profile_version_shape, .run = profile_set_mode,
      .summary = "Set the mode; up only where the evidence is there, or by force with a reason." },
    { .method = "GET", .path = "/v1/images/{digest}/observations", .who = READERS, .class = CLASS_READ, .out = &observations_answer_shape,
      .run = image_observed, .summary = "What an image was seen doing." },
};
const size_t n_routes_profile = N_ITEMS(routes_profile);
