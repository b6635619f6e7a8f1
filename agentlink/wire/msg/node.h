/* node.h - messages between nodes, their agents and the people who watch them. */
#ifndef KEEP_WIRE_MSG_NODE_H
#define KEEP_WIRE_MSG_NODE_H

#include "model/node.h"
#include "wire/msg/page.h"

/* ---- enrolment --------------------------------------------------------------- */

struct node_enroll {
    const char *join_token, *public_key, *name, *kernel, *arch, *agent_version;
};

struct node_root { int64_t version; const char *envelope; };

struct node_enrolled {
    const char *node_id, *cluster, *labels, *scope;
    int64_t server_time_ms;
    struct node_root *root;              /* NULL: there is no root of trust (yet) */
};

/* ---- session ------------------------------------------------------------------ */

#define NODE_SESSION_TYPE "application/vnd.keep.session+json"
enum { NODE_SESSION_MAX = 8 * 1024, NODE_NONCE_MAX = 64 };

/* What is signed. */
struct node_session_ask {
    const char *node_id;
    int64_t at_ms;                       /* the node's clock */
    const char *nonce;                   /* 16..64 characters, new each time */
    const char *instance;                /* of the machine's boot; NULL: not said */
    const char *challenge;               /* from the answer before, when it asked for one */
    const char *agent_version, *kernel, *arch;
};

/* Either a token, or a challenge: then the same is asked again with the challenge in it. */
struct node_session_answer {
    const char *token;
    int64_t expires_ms;
    const char *challenge;
    int64_t server_time_ms, poll_interval_s, clock_skew_ms;
    const char *ca;                      /* what to trust the server by from now on, PEM; NULL: nothing new */
};

/* ---- status -------------------------------------------------------------------- */

struct status_drop { const char *class, *reason; int64_t count; };
struct status_source { const char *name, *state, *problem; int64_t events; };
struct status_rung { const char *rung, *why; };
struct status_walls {
    const char *rung;
    const struct status_rung *reasons; size_t n_reasons;
    int64_t profiles, lease_s, drops;
};

struct node_status_report {
    int64_t bundle_version, bundle_age_s;
    const char *bundle_problem;
    int64_t spool_bytes, spool_events;
    const struct status_drop *drops; size_t n_drops;
    const struct status_source *sources; size_t n_sources;
    const struct status_walls *walls;
    int64_t rss_kib, cpu_ms, started_ms;
    const char *agent_version;
};

struct node_status_answer { int64_t poll_interval_s, server_time_ms; };

/* ---- people --------------------------------------------------------------------- */

struct node_query {
    struct page_query page;
    const char *cluster, *q;
    int state;                           /* index of node_state_filter, 0 any */
    bool problem;
    const char *bundle_version;          /* a number, 0: none; NULL: any */
};

struct node_drops_row { const char *class, *reason; int64_t count, last_ms; };

struct node_detail {
    struct node node;
    const struct node_drops_row *drops; size_t n_drops;
};

struct join_token_new {
    const char *name, *cluster, *expires_in;
    const struct json *labels;           /* an object of texts */
    int64_t max_uses;
};

struct join_token_made {
    struct join_token token;
    const char *server, *trust, *ca_pin, *command;
};

extern const char *const node_state_filter[];      /* "", then node_state_words of the model's order */

extern const struct shape node_enroll_shape, node_enrolled_shape, node_session_ask_shape, node_session_answer_shape;
extern const struct shape node_status_report_shape, node_status_answer_shape;
extern const struct shape node_shape;              /* struct node, as in lists */
extern const struct shape node_detail_shape, node_list_shape, node_query_shape;
extern const struct shape join_token_shape, join_token_list_shape, join_token_new_shape, join_token_made_shape;

#endif
