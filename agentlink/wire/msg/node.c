/* node.c - see node.h. */
#include "wire/msg/node.h"
#include "wire/msg/fields.h"

static const char *const state_words[] = {
    [NODE_REVOKED] = "revoked", [NODE_INVITED] = "invited", [NODE_SILENT] = "silent", [NODE_ENROLLED] = "enrolled",
    [NODE_STATE_N] = NULL,
};
const char *const node_state_filter[] = {
    "", [NODE_REVOKED + 1] = "revoked", [NODE_INVITED + 1] = "invited", [NODE_SILENT + 1] = "silent",
    [NODE_ENROLLED + 1] = "enrolled", [NODE_STATE_N + 1] = NULL,
};

/* A text with bounds. */
#define TEXT_B(k, T, member, how, least, most, text) \
    { .key = k, .type = FIELD_TEXT, .flags = how, .off = offsetof(T, member), .min = least, .max = most, .doc = text }
#define INT_B(k, T, member, how, most, text) \
    { .key = k, .type = FIELD_INT, .flags = how, .off = offsetof(T, member), .min = 0, .max = most, .doc = text }
#define RAW_F(k, T, member, text) { .key = k, .type = FIELD_RAW, .flags = FIELD_OUT_ONLY, .off = offsetof(T, member), .doc = text }
#define LIST_B(k, T, member, n, most, shape, text) \
    { .key = k, .type = FIELD_LIST, .off = offsetof(T, member), .off_n = offsetof(T, n), .max = most, .inner = &shape, .doc = text }

enum { COUNT_MAX_BITS = 52 };
#define COUNT_MAX (INT64_C(1) << COUNT_MAX_BITS)

/* ---- enrolment --------------------------------------------------------------- */

static const struct field enroll_fields[] = {
    TEXT_B("join_token", struct node_enroll, join_token, FIELD_REQUIRED, 1, 128, "The invitation."),
    TEXT_B("public_key", struct node_enroll, public_key, FIELD_REQUIRED, 1, 1024, "The node's Ed25519 key, PEM; the private half never leaves it."),
    TEXT_B("name", struct node_enroll, name, FIELD_REQUIRED, 1, 253, "How the machine calls itself."),
    TEXT_B("kernel", struct node_enroll, kernel, FIELD_REQUIRED, 1, 128, "Kernel release."),
    TEXT_B("arch", struct node_enroll, arch, FIELD_REQUIRED, 1, 32, "Machine type."),
    TEXT_B("agent_version", struct node_enroll, agent_version, FIELD_REQUIRED, 1, 64, "Version of the agent."),
};
SHAPE(node_enroll_shape, "node_enroll", struct node_enroll, enroll_fields);

static const struct field root_fields[] = {
    INT_F("version", struct node_root, version, "Its version."),
    { .key = "envelope", .type = FIELD_TEXT, .off = offsetof(struct node_root, envelope), .max = 256 * 1024, .doc = "The signed root, as it is." },
};
static SHAPE(root_shape, "node_root", struct node_root, root_fields);

static const struct field enrolled_fields[] = {
    TEXT_R("node_id", struct node_enrolled, node_id, "What the node is called here."),
    TEXT_R("cluster", struct node_enrolled, cluster, "Its cluster."),
    RAW_F("labels", struct node_enrolled, labels, "Its labels."),
    TEXT_R("scope", struct node_enrolled, scope, "Whom its bundle is for."),
    TIME_F("server_time", struct node_enrolled, server_time_ms, "The server's clock."),
    OBJECT_F("root", struct node_enrolled, root, root_shape, "The root of trust; absent when there is none yet."),
};
SHAPE(node_enrolled_shape, "node_enrolled", struct node_enrolled, enrolled_fields);

/* ---- session ------------------------------------------------------------------ */

static const struct field ask_fields[] = {
    TEXT_B("node_id", struct node_session_ask, node_id, FIELD_REQUIRED, 1, 64, "Who asks."),
    { .key = "at", .type = FIELD_TIME, .flags = FIELD_REQUIRED, .off = offsetof(struct node_session_ask, at_ms), .doc = "The node's clock." },
    TEXT_B("nonce", struct node_session_ask, nonce, FIELD_REQUIRED, 16, NODE_NONCE_MAX, "New in every request."),
    TEXT_B("instance", struct node_session_ask, instance, 0, 8, 64, "Stays while the machine is up: a copied identity shows by it."),
    TEXT_B("challenge", struct node_session_ask, challenge, 0, 1, 128, "From the answer before, when it held one."),
    TEXT_B("agent_version", struct node_session_ask, agent_version, FIELD_REQUIRED, 1, 64, "Version of the agent."),
    TEXT_B("kernel", struct node_session_ask, kernel, FIELD_REQUIRED, 1, 128, "Kernel release."),
    TEXT_B("arch", struct node_session_ask, arch, FIELD_REQUIRED, 1, 32, "Machine type."),
};
SHAPE(node_session_ask_shape, "node_session_ask", struct node_session_ask, ask_fields);

static const struct field answer_fields[] = {
    TEXT_F("token", struct node_session_answer, token, "Bearer token of the session; absent with a challenge."),
    TIME_F("expires_at", struct node_session_answer, expires_ms, "When the token ends."),
    TEXT_F("challenge", struct node_session_answer, challenge, "Ask again, with this in the request: the node's clock does not show that the request is new."),
    TIME_F("server_time", struct node_session_answer, server_time_ms, "The server's clock."),
    INT_F("poll_interval_s", struct node_session_answer, poll_interval_s, "How often to poll."),
    INT_F("clock_skew_ms", struct node_session_answer, clock_skew_ms, "The node's clock minus the server's."),
    { .key = "ca", .type = FIELD_TEXT, .off = offsetof(struct node_session_answer, ca), .max = 64 * 1024, .doc = "Certificates to trust this server by, PEM." },
};
/* Open: an agent may be older than its server. */
const struct shape node_session_answer_shape = {
    .name = "node_session", .size = sizeof(struct node_session_answer), .fields = answer_fields, .n_fields = N_OF(answer_fields), .open = true,
};

/* ---- status -------------------------------------------------------------------- */

static const struct field status_drop_fields[] = {
    TEXT_B("class", struct status_drop, class, FIELD_REQUIRED, 1, 32, "What kind of event."),
    TEXT_B("reason", struct status_drop, reason, FIELD_REQUIRED, 1, 64, "Why it was dropped."),
    INT_B("count", struct status_drop, count, FIELD_REQUIRED, COUNT_MAX, "How many since the agent started."),
};
static SHAPE(status_drop_shape, "node_status_drop", struct status_drop, status_drop_fields);

static const struct field source_fields[] = {
    TEXT_B("name", struct status_source, name, FIELD_REQUIRED, 1, 128, "The source."),
    TEXT_B("state", struct status_source, state, FIELD_REQUIRED, 1, 32, "How it is."),
    INT_B("events", struct status_source, events, 0, COUNT_MAX, "Events taken from it."),
    TEXT_B("problem", struct status_source, problem, 0, 0, 256, "What is wrong."),
};
static SHAPE(status_source_shape, "node_status_source", struct status_source, source_fields);

static const struct field rung_fields[] = {
    TEXT_B("rung", struct status_rung, rung, FIELD_REQUIRED, 1, 32, "A way to enforce."),
    TEXT_B("why", struct status_rung, why, FIELD_REQUIRED, 0, 256, "Why it is or is not used."),
};
static SHAPE(status_rung_shape, "node_status_rung", struct status_rung, rung_fields);

static const struct field walls_fields[] = {
    TEXT_B("rung", struct status_walls, rung, FIELD_REQUIRED, 1, 32, "The way it enforces."),
    LIST_B("reasons", struct status_walls, reasons, n_reasons, 32, status_rung_shape, "Every way and why."),
    INT_B("profiles", struct status_walls, profiles, 0, COUNT_MAX, "Profiles in force."),
    INT_B("lease_s", struct status_walls, lease_s, 0, COUNT_MAX, "How long they hold without the agent."),
    INT_B("drops", struct status_walls, drops, 0, COUNT_MAX, "Events of its own that were lost."),
};
static SHAPE(status_walls_shape, "node_status_walls", struct status_walls, walls_fields);

static const struct field report_fields[] = {
    INT_B("bundle_version", struct node_status_report, bundle_version, 0, COUNT_MAX, "Bundle in force, 0: none."),
    INT_B("bundle_age_s", struct node_status_report, bundle_age_s, 0, COUNT_MAX, "Since it was signed."),
    TEXT_B("bundle_problem", struct node_status_report, bundle_problem, 0, 0, 256, "Why there is no newer one."),
    INT_B("spool_bytes", struct node_status_report, spool_bytes, 0, COUNT_MAX, "Waiting on disk."),
    INT_B("spool_events", struct node_status_report, spool_events, 0, COUNT_MAX, "Waiting on disk."),
    LIST_B("drops", struct node_status_report, drops, n_drops, 64, status_drop_shape, "Events dropped since the agent started."),
    LIST_B("sources", struct node_status_report, sources, n_sources, 64, status_source_shape, "Where events come from."),
    OBJECT_F("walls", struct node_status_report, walls, status_walls_shape, "How it enforces."),
    INT_B("rss_kib", struct node_status_report, rss_kib, 0, COUNT_MAX, "Memory of the agent."),
    INT_B("cpu_ms", struct node_status_report, cpu_ms, 0, COUNT_MAX, "Processor time of the agent."),
    TIME_F("started_at", struct node_status_report, started_ms, "When the agent started."),
    TEXT_B("agent_version", struct node_status_report, agent_version, 0, 1, 64, "Version of the agent."),
};
SHAPE(node_status_report_shape, "node_status_report", struct node_status_report, report_fields);

static const struct field status_answer_fields[] = {
    INT_F("poll_interval_s", struct node_status_answer, poll_interval_s, "How often to poll."),
    TIME_F("server_time", struct node_status_answer, server_time_ms, "The server's clock."),
};
SHAPE(node_status_answer_shape, "node_status_answer", struct node_status_answer, status_answer_fields);

/* ---- people --------------------------------------------------------------------- */

#define NODE_FIELDS(T, at) \
    TEXT_R("id", T, at node_id, "What the node is called here."), TEXT_F("name", T, at name, "How the machine calls itself."), \
    WORD_F("state", T, at state, state_words, "invited, enrolled, silent or revoked."), \
    TEXT_F("cluster", T, at cluster, "Its cluster."), RAW_F("labels", T, at labels, "Its labels."), \
    TEXT_F("scope", T, at scope, "Whom its bundle is for."), \
    TIME_F("created_at", T, at created_ms, "When its key came."), TIME_F("enrolled_at", T, at enrolled_ms, "When it proved to hold it."), \
    TIME_F("last_seen_at", T, at last_seen_ms, "When it was last heard of."), TEXT_F("last_from", T, at last_from, "And from which address."), \
    TIME_F("revoked_at", T, at revoked_ms, "When it was revoked."), TEXT_F("revoked_by", T, at revoked_by, "And by whom."), \
    TEXT_F("agent_version", T, at agent_version, "Version of its agent."), TEXT_F("kernel", T, at kernel, "Kernel release."), \
    TEXT_F("arch", T, at arch, "Machine type."), \
    INT_F("bundle_version", T, at bundle_version, "Bundle in force there, 0: none."), \
    TIME_F("bundle_applied_at", T, at bundle_applied_ms, "Since when."), \
    TEXT_F("problem", T, at problem, "Why it is not well; empty: it is."), \
    INT_F("containers", T, at n_containers, "Containers that run there."), \
    INT_F("events", T, at n_events, "Events taken."), INT_F("events_dropped", T, at n_dropped, "Events it could not keep."), \
    INT_F("batches_refused", T, at n_refused, "Batches of events that did not fit.")

static const struct field node_fields[] = { NODE_FIELDS(struct node, ) };
SHAPE(node_shape, "node", struct node, node_fields);

static const struct field drops_fields[] = {
    TEXT_F("class", struct node_drops_row, class, "What kind of event."), TEXT_F("reason", struct node_drops_row, reason, "Why it is missing."),
    INT_F("count", struct node_drops_row, count, "How many."), TIME_F("last_at", struct node_drops_row, last_ms, "The last time."),
};
static SHAPE(drops_shape, "node_drops", struct node_drops_row, drops_fields);

static const struct field detail_fields[] = {
    NODE_FIELDS(struct node_detail, node.),
    TEXT_F("fingerprint", struct node_detail, node.fingerprint, "SHA-256 of its public key."),
    TEXT_F("public_key", struct node_detail, node.public_key, "Its public key, PEM."),
    TEXT_F("join_token", struct node_detail, node.join_token, "The join token it came by."),
    TEXT_F("certificate", struct node_detail, node.certificate, "SHA-256 of the TLS client key its session is bound to; empty: none."),
    INT_F("clock_skew_ms", struct node_detail, node.clock_skew_ms, "Its clock minus ours."),
    TIME_F("cloned_at", struct node_detail, node.cloned_ms, "When two machines were seen to use this identity."),
    TEXT_F("stream", struct node_detail, node.stream, "The stream of events it sends."),
    INT_F("through_seq", struct node_detail, node.through_seq, "All events up to here are stored or accounted for."),
    INT_F("inventory_generation", struct node_detail, node.inventory_generation, "Of its list of containers."),
    { .key = "drops", .type = FIELD_LIST, .flags = FIELD_REQUIRED, .off = offsetof(struct node_detail, drops), .off_n = offsetof(struct node_detail, n_drops),
      .max = 1000, .inner = &drops_shape, .doc = "Why events are missing." },
    TIME_F("status_at", struct node_detail, node.status_ms, "When it last reported."),
    RAW_F("status", struct node_detail, node.status, "Its last report."),
};
SHAPE(node_detail_shape, "node_detail", struct node_detail, detail_fields);

static const struct field list_fields[] = { PAGE_FIELDS(node_shape) };
SHAPE(node_list_shape, "node_list", struct page, list_fields);

static const struct field query_fields[] = {
    PAGE_QUERY_FIELDS(offsetof(struct node_query, page)),
    TEXT_F("cluster", struct node_query, cluster, "Only of this cluster."),
    WORD_F("state", struct node_query, state, node_state_filter, "Only in this state."),
    TEXT_F("q", struct node_query, q, "Only those whose name or id begins like this."),
    BOOL_F("problem", struct node_query, problem, "Only those that are not well."),
    TEXT_B("bundle_version", struct node_query, bundle_version, 0, 1, 19, "Only those that run this bundle; 0: none."),
};
SHAPE(node_query_shape, "node_query", struct node_query, query_fields);

/* ---- join tokens ------------------------------------------------------------------ */

#define JOIN_FIELDS(T, at) \
    TEXT_R("id", T, at id, "Public part of the token."), TEXT_F("name", T, at name, "What it is for."), \
    TEXT_F("cluster", T, at cluster, "Whose nodes it makes."), RAW_F("labels", T, at labels, "Labels of its nodes."), \
    TEXT_F("state", T, at state, "active, used_up, expired or revoked."), \
    INT_F("max_uses", T, at max_uses, "How many nodes it makes."), INT_F("uses", T, at n_used, "How many it made."), \
    TIME_F("created_at", T, at created_ms, "When it was made."), TEXT_F("created_by", T, at created_by, "Who made it."), \
    TIME_F("expires_at", T, at expires_ms, "When it ends."), TIME_F("revoked_at", T, at revoked_ms, "When it was revoked.")

static const struct field join_fields[] = { JOIN_FIELDS(struct join_token, ) };
SHAPE(join_token_shape, "join_token", struct join_token, join_fields);

static const struct field join_list_fields[] = { PAGE_FIELDS(join_token_shape) };
SHAPE(join_token_list_shape, "join_token_list", struct page, join_list_fields);

static const struct field made_fields[] = {
    JOIN_FIELDS(struct join_token_made, token.),
    TEXT_R("token", struct join_token_made, token.text, "The token itself: shown only here."),
    TEXT_F("server", struct join_token_made, server, "Address for the agent."),
    TEXT_F("trust", struct join_token_made, trust, "Fingerprint of the root of trust; absent: there is none yet."),
    TEXT_F("ca_pin", struct join_token_made, ca_pin, "Fingerprint of the key that vouches for this server; absent without TLS."),
    TEXT_F("command", struct join_token_made, command, "What to type on the node."),
};
SHAPE(join_token_made_shape, "join_token_made", struct join_token_made, made_fields);

static const struct field join_new_fields[] = {
    TEXT_B("name", struct join_token_new, name, 0, 1, 100, "What it is for; absent: the cluster's name."),
    TEXT_B("cluster", struct join_token_new, cluster, FIELD_REQUIRED, 1, 63, "Whose nodes it makes."),
    { .key = "labels", .type = FIELD_ANY, .off = offsetof(struct join_token_new, labels), .doc = "Labels of its nodes: an object of texts." },
    { .key = "max_uses", .type = FIELD_INT, .off = offsetof(struct join_token_new, max_uses), .min = 1, .max = 100000, .doc = "How many nodes it makes (1)." },
    TEXT_B("expires_in", struct join_token_new, expires_in, 0, 2, 16, "Like 1h, 7d; 24h when absent."),
};
SHAPE(join_token_new_shape, "join_token_new", struct join_token_new, join_new_fields);
