/* tables.c - everything that comes in tables, gathered: queries and routes. */
#include "cmd/serve.h"

#include "http/routes.h"
#include "http/routes_bundle.h"
#include "http/routes_check.h"
#include "http/routes_admission.h"
#include "http/routes_event.h"
#include "http/routes_container.h"
#include "http/routes_fleet.h"
#include "http/routes_node.h"
#include "http/routes_opa.h"
#include "http/routes_people.h"
#include "http/routes_profile.h"
#include "store/admission.h"
#include "store/alert.h"
#include "store/allowance.h"
#include "store/api_token.h"
#include "store/audit.h"
#include "store/event.h"
#include "store/bundle.h"
#include "store/container.h"
#include "store/exception.h"
#include "store/finding.h"
#include "store/idempotency.h"
#include "store/image.h"
#include "store/join_token.h"
#include "store/login_link.h"
#include "store/node.h"
#include "store/observation.h"
#include "store/opa.h"
#include "store/package.h"
#include "store/policy_doc.h"
#include "store/posture.h"
#include "store/profile.h"
#include "store/recheck.h"
#include "store/running.h"
#include "store/scan.h"
#include "store/session.h"
#include "store/signer.h"
#include "store/suppression.h"
#include "store/user.h"

#include <string.h>

const struct db_queries *const all_queries[] = {
    &container_queries,
    &container_list_queries,
    &admission_queries,
    &allowance_queries,
    &api_token_queries,
    &audit_queries,
    &exception_queries,
    &finding_queries,
    &idempotency_queries,
    &image_queries,
    &join_token_queries,
    &login_link_queries,
    &node_queries,
    &opa_queries,
    &package_queries,
    &policy_doc_queries,
    &posture_queries,
    &recheck_queries,
    &observation_queries,
    &profile_queries,
    &running_queries,
    &scan_queries,
    &session_queries,
    &signer_queries,
    &user_queries,
    &event_queries,
    &event_account_queries,
    &alert_queries,
    &suppression_queries,
    NULL,
    &bundle_queries,
    &container_queries, &container_list_queries,
    &admission_queries, &allowance_queries, &api_token_queries, &audit_queries, &exception_queries, &finding_queries, &idempotency_queries,
    &image_queries, &join_token_queries, &login_link_queries, &node_queries, &observation_queries, &opa_queries, &package_queries, &policy_doc_queries, &posture_queries, &profile_queries, &recheck_queries,
    &running_queries, &scan_queries, &session_queries, &signer_queries, &user_queries, NULL,
};

size_t queries_gather(struct db_queries *out, size_t max)
{
    size_t n = 0;

    for (; all_queries[n] != NULL && n < max; n++)
        out[n] = *all_queries[n];
    return n;
}

const struct route *routes_gather(size_t *n)
{
    enum { ROUTES_MAX = 200 };
    static struct route all[ROUTES_MAX];
    const struct { const struct route *rows; size_t n; } parts[] = {
        { routes_container, n_routes_container },
        { routes_bundle, n_routes_bundle },
        { routes, n_routes },
        { routes_fleet, n_routes_fleet },
        { routes_people, n_routes_people },
        { routes_check, n_routes_check },
        { routes_profile, n_routes_profile },
        { routes_admission, n_routes_admission },
        { routes_opa, n_routes_opa },
        { routes_event, n_routes_event },
        { routes_node, n_routes_node },
    };

    *n = 0;
    for (size_t i = 0; i < N_ITEMS(parts); i++) {
        if (*n + parts[i].n > ROUTES_MAX)
            break;
        memcpy(all + *n, parts[i].rows, parts[i].n * sizeof *all);
        *n += parts[i].n;
    }
    return all;
}
