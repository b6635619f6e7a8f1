/* alert.c - see alert.h. */
#include "wire/msg/alert.h"

#include "wire/msg/event.h"
#include "wire/msg/fields.h"

#define SEVERITIES "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug", NULL
const char *const event_severity_words[] = { SEVERITIES };
static const char *const severity_filter[] = { "", SEVERITIES };
const char *const event_image_by_words[] = {
    [IMAGE_BY_NOTHING] = "", [IMAGE_BY_CONTAINER] = "container", [IMAGE_BY_DIGEST] = "digest", [IMAGE_BY_REFERENCE] = "reference",
    [IMAGE_BY_POD] = "pod", [EVENT_IMAGE_BY_N] = NULL,
};
const char *const alert_state_words[] = {
    [ALERT_OPEN] = "open", [ALERT_ACKNOWLEDGED] = "acknowledged", [ALERT_RESOLVED] = "resolved", [ALERT_STATE_N] = NULL,
};
static const char *const state_filter[] = {
    "", [ALERT_OPEN + 1] = "open", [ALERT_ACKNOWLEDGED + 1] = "acknowledged", [ALERT_RESOLVED + 1] = "resolved", [ALERT_STATE_N + 1] = NULL,
};
const char *const alert_rule_kind_words[] = {
    [ALERT_DRIFT] = "drift", [ALERT_POLICY] = "policy", [ALERT_FOREIGN] = "foreign", [ALERT_NODE] = "node", [ALERT_RULE_KIND_N] = NULL,
};

#define NEED(k, T, member, text) { .key = k, .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(T, member), .doc = text }

/* ---- a batch of events -------------------------------------------------------------- */

static const struct field drop_fields[] = {
    { .key = "class", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct event_drop, class), .min = 1, .max = 64,
      .doc = "What was lost: critical, normal, low." },
    { .key = "reason", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct event_drop, reason), .min = 1, .max = 128,
      .doc = "Why." },
    { .key = "count", .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(struct event_drop, count), .min = 1, .max = STREAM_SEQ_MAX,
      .doc = "How many numbers of the stream." },
};
static SHAPE(drop_shape, "event_drop", struct event_drop, drop_fields);

static const struct field batch_fields[] = {
    { .key = "stream", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct event_batch, stream), .min = STREAM_LEN,
      .max = STREAM_LEN, .doc = "32 hex digits, made with the spool; a new one begins at 1." },
    { .key = "first_seq", .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(struct event_batch, first_seq), .min = 1,
      .max = STREAM_SEQ_MAX, .doc = "First number this accounts for." },
    { .key = "last_seq", .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(struct event_batch, last_seq), .min = 1,
      .max = STREAM_SEQ_MAX, .doc = "Last number." },
    { .key = "events", .type = FIELD_LIST, .flags = FIELD_REQUIRED, .off = offsetof(struct event_batch, events),
      .off_n = offsetof(struct event_batch, n_events), .max = BATCH_EVENTS_MAX, .inner = &event_shape, .doc = "Each with its seq, rising." },
    { .key = "dropped", .type = FIELD_LIST, .off = offsetof(struct event_batch, dropped), .off_n = offsetof(struct event_batch, n_dropped),
      .max = BATCH_DROPS_MAX, .inner = &drop_shape, .doc = "What was lost of the numbers between." },
};
SHAPE(event_batch_shape, "event_batch", struct event_batch, batch_fields);

static const struct field accepted_fields[] = {
    NEED("accepted_through", struct event_accepted, accepted_through, "All up to here is stored or accounted for."),
    NEED("slow_ms", struct event_accepted, slow_ms, "Wait so long before the next batch."),
};
SHAPE(event_accepted_shape, "event_accepted", struct event_accepted, accepted_fields);

static const struct field falco_fields[] = {
    { .key = "stored", .type = FIELD_BOOL, .flags = FIELD_REQUIRED, .off = offsetof(struct falco_taken, stored),
      .doc = "False: it was stored already, or carries no event." },
};
SHAPE(falco_taken_shape, "falco_taken", struct falco_taken, falco_fields);

/* ---- events as they are shown ----------------------------------------------------------- */

static const struct field entry_fields[] = {
    NEED("id", struct event_entry, id, "Of the server, in the order of recording."),
    { .key = "node", .type = FIELD_TEXT, .off = offsetof(struct event_entry, node), .doc = "Node id; absent: sent by no node." },
    TEXT_F("node_name", struct event_entry, node_name, "As the node calls itself."),
    NEED("seq", struct event_entry, seq, "Number in the node's stream."),
    TEXT_F("repository", struct event_entry, repository, "Of the image."),
    TEXT_F("digest", struct event_entry, digest, "Of the image."),
    WORD_F("image_by", struct event_entry, image_by, event_image_by_words, "What told the image: its container, its digest, its reference or its pod."),
    { .key = "alert", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct event_entry, alert), .doc = "The gravest alert it belongs to." },
    { .key = "event", .type = FIELD_RAW, .flags = FIELD_OUT_ONLY, .off = offsetof(struct event_entry, event), .doc = "The event." },
};
SHAPE(event_entry_shape, "event_entry", struct event_entry, entry_fields);

static const struct field event_list_fields[] = { PAGE_FIELDS(event_entry_shape) };
SHAPE(event_list_shape, "event_list", struct page, event_list_fields);

static const struct field event_query_fields[] = {
    PAGE_OF(struct event_query),
    TEXT_F("node", struct event_query, node, "Node id or name."),
    TEXT_F("image", struct event_query, image, "Digest of an image."),
    TEXT_F("container", struct event_query, container, "Container id, or its beginning."),
    WORD_F("kind", struct event_query, kind, event_kind_filter, "Only of this kind."),
    WORD_F("severity", struct event_query, severity, severity_filter, "This grave or graver."),
    INT_F("alert", struct event_query, alert, "Only those of this alert."),
    TIME_F("since", struct event_query, since_ms, "Not before."),
    TIME_F("until", struct event_query, until_ms, "Before."),
};
SHAPE(event_query_shape, "event_query", struct event_query, event_query_fields);

/* ---- alerts ----------------------------------------------------------------------------------- */

#define ALERT_FIELDS \
    NEED("id", struct alert_entry, id, "Identity."), \
    WORD_F("state", struct alert_entry, state, alert_state_words, "open, acknowledged, resolved."), \
    WORD_F("severity", struct alert_entry, severity, event_severity_words, "As events have it, raised by denied attempts."), \
    WORD_F("kind", struct alert_entry, rule_kind, alert_rule_kind_words, "Whose rule: a profile's, a policy's, somebody else's, or about a node."), \
    TEXT_R("rule", struct alert_entry, rule, "drift/executable, a policy's policy/validation, or another program's rule."), \
    { .key = "subject", .type = FIELD_TEXT, .off = offsetof(struct alert_entry, subject), .doc = "Path, port or peer." }, \
    TEXT_R("title", struct alert_entry, title, "One line."), \
    TEXT_F("repository", struct alert_entry, repository, "Of the image, or the image as it was called."), \
    TEXT_F("digest", struct alert_entry, digest, "Of the image."), \
    TEXT_F("cluster", struct alert_entry, cluster, "Where."), \
    TEXT_F("namespace", struct alert_entry, namespace, "Where."), \
    TEXT_F("workload", struct alert_entry, workload, "What the pod is of."), \
    TEXT_F("node", struct alert_entry, node, "Of the newest event: node id."), \
    TEXT_F("node_name", struct alert_entry, node_name, "Its name."), \
    NEED("count", struct alert_entry, n, "Events."), \
    NEED("denied", struct alert_entry, n_denied, "Of them, those that something prevented."), \
    NEED("episode", struct alert_entry, episode, "How often it has come: it comes back after it was resolved."), \
    TIME_F("first_at", struct alert_entry, first_ms, "First event."), \
    TIME_F("last_at", struct alert_entry, last_ms, "Newest event."), \
    TIME_F("changed_at", struct alert_entry, changed_ms, "When its state changed."), \
    TEXT_F("changed_by", struct alert_entry, changed_by, "By whom; absent: by an event."), \
    { .key = "note", .type = FIELD_TEXT, .off = offsetof(struct alert_entry, note), .max = 2000, .doc = "What was said with it." }

static const struct field alert_fields[] = { ALERT_FIELDS };
SHAPE(alert_shape, "alert", struct alert_entry, alert_fields);

static const struct field alert_detail_fields[] = {
    ALERT_FIELDS,
    { .key = "story", .type = FIELD_RAW, .flags = FIELD_OUT_ONLY, .off = offsetof(struct alert_entry, story),
      .doc = "Processes, container, image and its state, profile or policy, node, bundle, as of the first event of the episode." },
    { .key = "events", .type = FIELD_LIST, .off = offsetof(struct alert_entry, events), .off_n = offsetof(struct alert_entry, n_events),
      .max = 100, .inner = &event_entry_shape, .doc = "The newest." },
};
SHAPE(alert_detail_shape, "alert_detail", struct alert_entry, alert_detail_fields);

static const struct field alert_list_fields[] = { PAGE_FIELDS(alert_shape) };
SHAPE(alert_list_shape, "alert_list", struct page, alert_list_fields);

static const struct field alert_query_fields[] = {
    PAGE_OF(struct alert_query),
    WORD_F("state", struct alert_query, state, state_filter, "Only these."),
    WORD_F("severity", struct alert_query, severity, severity_filter, "This grave or graver."),
    TEXT_F("rule", struct alert_query, rule, "Pattern of rules, like drift/*."),
    TEXT_F("cluster", struct alert_query, cluster, "Only of this cluster (pattern)."),
    TEXT_F("namespace", struct alert_query, namespace, "Only of this namespace (pattern)."),
    TEXT_F("image", struct alert_query, image, "Repository (pattern) or digest."),
    TEXT_F("q", struct alert_query, q, "Text in rule, subject, title, repository or workload."),
};
SHAPE(alert_query_shape, "alert_query", struct alert_query, alert_query_fields);

static const struct field group_fields[] = {
    TEXT_R("rule", struct alert_group_entry, rule, "The rule."),
    TEXT_F("repository", struct alert_group_entry, repository, "Of the image."),
    WORD_F("kind", struct alert_group_entry, rule_kind, alert_rule_kind_words, "Whose rule."),
    WORD_F("severity", struct alert_group_entry, severity, event_severity_words, "Of the gravest."),
    NEED("alerts", struct alert_group_entry, n_alerts, "Alerts that are not resolved."),
    NEED("open", struct alert_group_entry, n_open, "Of them, those nobody looks at yet."),
    NEED("events", struct alert_group_entry, n, "Their events."),
    TIME_F("first_at", struct alert_group_entry, first_ms, "First event."),
    TIME_F("last_at", struct alert_group_entry, last_ms, "Newest event."),
    NEED("example", struct alert_group_entry, example, "Id of the newest alert."),
};
static SHAPE(group_shape, "alert_group", struct alert_group_entry, group_fields);

static const struct field group_list_fields[] = {
    { .key = "items", .type = FIELD_LIST, .flags = FIELD_REQUIRED, .off = offsetof(struct alert_group_list, items),
      .off_n = offsetof(struct alert_group_list, n_items), .max = 500, .inner = &group_shape, .doc = "The gravest first." },
};
SHAPE(alert_group_list_shape, "alert_group_list", struct alert_group_list, group_list_fields);

static const struct field alert_change_fields[] = {
    { .key = "state", .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(struct alert_change, state), .words = state_filter,
      .doc = "What it becomes." },
    { .key = "note", .type = FIELD_TEXT, .off = offsetof(struct alert_change, note), .max = 2000, .doc = "Why, or what was done." },
};
SHAPE(alert_change_shape, "alert_change", struct alert_change, alert_change_fields);

/* ---- suppressions --------------------------------------------------------------------------------- */

const char *const suppression_state_words[] = { "", "active", "expired", "revoked", NULL };

#define SCOPE_FIELDS(T) \
    { .key = "rule", .type = FIELD_TEXT, .off = offsetof(T, rule), .min = 1, .max = 200, .doc = "Pattern of rules, like drift/*." }, \
    { .key = "repository", .type = FIELD_TEXT, .off = offsetof(T, repository), .min = 1, .max = 512, .doc = "Pattern of repositories." }, \
    { .key = "cluster", .type = FIELD_TEXT, .off = offsetof(T, cluster), .min = 1, .max = 253, .doc = "Pattern of clusters." }, \
    { .key = "namespace", .type = FIELD_TEXT, .off = offsetof(T, namespace), .min = 1, .max = 253, .doc = "Pattern of namespaces." }, \
    { .key = "workload", .type = FIELD_TEXT, .off = offsetof(T, workload), .min = 1, .max = 253, .doc = "Pattern of workloads." }, \
    { .key = "subject", .type = FIELD_TEXT, .off = offsetof(T, subject), .min = 1, .max = 512, .doc = "Pattern of the path, port or peer." }

static const struct field suppression_fields[] = {
    TEXT_R("id", struct suppression, id, "Identity."),
    SCOPE_FIELDS(struct suppression),
    { .key = "reason", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct suppression, reason), .max = 2000, .doc = "Why." },
    TIME_F("created_at", struct suppression, created_ms, "When it was made."),
    TEXT_F("created_by", struct suppression, created_by, "Who made it."),
    TIME_F("expires_at", struct suppression, expires_ms, "When it ends."),
    TIME_F("revoked_at", struct suppression, revoked_ms, "When it was taken back."),
    TEXT_F("state", struct suppression, state, "active, expired or revoked."),
    NEED("hits", struct suppression, n_hits, "Events it kept from raising an alert."),
};
SHAPE(suppression_shape, "suppression", struct suppression, suppression_fields);

static const struct field suppression_list_fields[] = { PAGE_FIELDS(suppression_shape) };
SHAPE(suppression_list_shape, "suppression_list", struct page, suppression_list_fields);

static const struct field suppression_new_fields[] = {
    SCOPE_FIELDS(struct suppression_new),
    { .key = "reason", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct suppression_new, reason), .min = 10, .max = 2000,
      .doc = "Why, in at least 10 characters." },
    TIME_F("expires_at", struct suppression_new, expires_ms, "When it ends; this or expires_in."),
    { .key = "expires_in", .type = FIELD_TEXT, .off = offsetof(struct suppression_new, expires_in), .min = 2, .max = 16,
      .doc = "Like 30d; this or expires_at." },
};
SHAPE(suppression_new_shape, "suppression_new", struct suppression_new, suppression_new_fields);

static const struct field suppression_query_fields[] = {
    PAGE_OF(struct suppression_query),
    WORD_F("state", struct suppression_query, state, suppression_state_words, "Only these."),
};
SHAPE(suppression_query_shape, "suppression_query", struct suppression_query, suppression_query_fields);
