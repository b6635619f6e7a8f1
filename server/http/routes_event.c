/* routes_event.c - see routes_event.h. */
#include "http/routes_event.h"

#include "service/events.h"
#include "wire/msg/alert.h"

#define KB(n) ((size_t)(n) * 1024)
#define HANDLE (ROLE_ANALYST | ROLE_POLICY | ROLE_ADMIN)     /* may say what becomes of an alert */

enum { FALCO_MAX = 1 << 20 };

const struct route routes_event[] = {
    { "POST", "/v1/agent/events", ROLE_NODE, CLASS_WRITE, BODY_JSON, BATCH_BYTES_MAX, NULL, &event_batch_shape, &event_accepted_shape,
      events_prepare, events_accept, "Take a batch of a node's stream of events; the answer is given once it is stored.", NULL, 0 },
    { "POST", "/v1/falco", ROLE_AGENT | ROLE_NODE, CLASS_WRITE, BODY_RAW, FALCO_MAX, NULL, NULL, &falco_taken_shape,
      falco_prepare, falco_accept, "Take one event as Falco's http_output sends it.", NULL, 0 },
    { "GET", "/v1/events", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &event_query_shape, NULL, &event_list_shape,
      NULL, event_page, "List runtime events, newest first.", NULL, 0 },
    { "GET", "/v1/alerts", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &alert_query_shape, NULL, &alert_list_shape,
      NULL, alert_page, "List alerts, newest event first.", NULL, 0 },
    { "GET", "/v1/alert-groups", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, NULL, NULL, &alert_group_list_shape,
      NULL, alert_group_page, "Sum up alerts that are not resolved, by rule and repository, the gravest first.", NULL, 0 },
    { "GET", "/v1/alerts/{id}", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, NULL, NULL, &alert_detail_shape,
      NULL, alert_show, "Show an alert with its story and newest events.", NULL, 0 },
    { "POST", "/v1/alerts/{id}/state", HANDLE, CLASS_WRITE, BODY_JSON, KB(16), NULL, &alert_change_shape, &alert_shape,
      NULL, alert_change, "Acknowledge, resolve or reopen an alert.", NULL, ROUTE_IDEMPOTENT },
    { "GET", "/v1/suppressions", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &suppression_query_shape, NULL, &suppression_list_shape,
      NULL, suppression_page, "List suppressions, newest first.", NULL, 0 },
    { "POST", "/v1/suppressions", HANDLE, CLASS_WRITE, BODY_JSON, KB(16), NULL, &suppression_new_shape, &suppression_shape,
      NULL, suppression_create, "Keep alerts back for a reason and a while; their events are stored all the same.", NULL, ROUTE_IDEMPOTENT },
    { "DELETE", "/v1/suppressions/{id}", HANDLE, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, suppression_end, "End a suppression.", NULL, 0 },
};
const size_t n_routes_event = N_ITEMS(routes_event);
