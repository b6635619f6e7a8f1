/* routes_node.c - see routes_node.h. */
#include "http/routes_node.h"
#include "service/nodes.h"
#include "wire/msg/node.h"

#define KB(n) ((size_t)(n) * 1024)

const struct route routes_node[] = {
    /* ---- what agents call ---- */
    { "POST", "/v1/agent/enroll", WHO_ANYONE, CLASS_WRITE, BODY_JSON, KB(8), NULL, &node_enroll_shape, &node_enrolled_shape,
      node_enroll_prepare, node_enroll, "Become a node, with a join token.", NULL, 0 },
    { "POST", "/v1/agent/session", WHO_ANYONE, CLASS_WRITE, BODY_RAW, NODE_SESSION_MAX, NULL, NULL, &node_session_answer_shape,
      node_session_prepare, node_session, "Get a session token for a signed request.", NULL, 0 },
    { "POST", "/v1/agent/status", ROLE_NODE, CLASS_WRITE, BODY_JSON, KB(64), NULL, &node_status_report_shape,
      &node_status_answer_shape, NULL, node_status, "Say how the node is.", NULL, 0 },

    /* ---- what people call ---- */
    { "GET", "/v1/nodes", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &node_query_shape, NULL, &node_list_shape,
      NULL, node_page, "List nodes, by name.", NULL, 0 },
    { "GET", "/v1/nodes/{id}", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, NULL, NULL, &node_detail_shape,
      NULL, node_show, "Show a node: its state, what it runs, what it lost, what it last reported.", NULL, 0 },
    { "DELETE", "/v1/nodes/{id}", ROLE_ADMIN, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, node_revoke, "Revoke a node at once and for ever.", NULL, 0 },
    { "GET", "/v1/join-tokens", ROLE_ADMIN, CLASS_READ, BODY_NONE, 0, &page_query_shape, NULL, &join_token_list_shape,
      NULL, join_token_page, "List invitations for nodes.", NULL, 0 },
    { "POST", "/v1/join-tokens", ROLE_ADMIN, CLASS_WRITE, BODY_JSON, KB(16), NULL, &join_token_new_shape, &join_token_made_shape,
      NULL, join_token_create, "Invite nodes; the answer alone shows the token, and what to type on them.", join_token_headers, 0 },
    { "DELETE", "/v1/join-tokens/{id}", ROLE_ADMIN, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, join_token_revoke, "Take an invitation back; nodes that came by it stay.", NULL, 0 },
};
const size_t n_routes_node = N_ITEMS(routes_node);
