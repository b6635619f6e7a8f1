/* node_settings.c - see node_settings.h. */
#include "wire/msg/node_settings.h"

#include "wire/msg/fields.h"
#include "wire/msg/page.h"

#define OPEN_SHAPE(variable, label, T, table) \
    const struct shape variable = { .name = label, .size = sizeof(T), .fields = table, .n_fields = N_OF(table), .open = true }
#define BOUNDED(k, T, member, least, most, text) \
    { .key = k, .type = FIELD_INT, .off = offsetof(T, member), .min = least, .max = most, .doc = text }

const struct node_settings node_settings_default = {
    .poll_interval_s = 30, .wait_s = 240, .batch_events = 1000, .batch_bytes = 2 << 20, .events_per_s = 2000,
    .spool_bytes = 256 << 20, .inventory_interval_s = 10, .status_interval_s = 30, .lease_s = 60,
};

static const struct field settings_fields[] = {
    BOUNDED("poll_interval_s", struct node_settings, poll_interval_s, 1, 86400, "Seconds between polls that were not held."),
    BOUNDED("wait_s", struct node_settings, wait_s, 0, 300, "Seconds a poll may be held; 0: not at all."),
    BOUNDED("batch_events", struct node_settings, batch_events, 1, 1000, "Events of one batch at most."),
    BOUNDED("batch_bytes", struct node_settings, batch_bytes, 4096, 2 << 20, "Bytes of one batch at most, decoded."),
    BOUNDED("events_per_s", struct node_settings, events_per_s, 1, 1000000, "Above it, events of low priority are dropped and counted."),
    BOUNDED("spool_bytes", struct node_settings, spool_bytes, 1 << 20, INT64_C(1) << 40, "Of the node's disk for events that wait."),
    BOUNDED("inventory_interval_s", struct node_settings, inventory_interval_s, 1, 86400, "Seconds between looks at what runs."),
    BOUNDED("status_interval_s", struct node_settings, status_interval_s, 1, 86400, "Seconds between reports of the agent's own state."),
    BOUNDED("lease_s", struct node_settings, lease_s, 5, 86400, "Seconds a wall stands without its agent."),
    BOOL_F("walls", struct node_settings, walls, "Enforce in the kernel what profiles in mode protect say."),
};
OPEN_SHAPE(node_settings_shape, "node_settings", struct node_settings, settings_fields);

static const struct field policy_fields[] = {
    TEXT_R("name", struct node_policy, name, "Its name."),
    INT_F("version", struct node_policy, version, "Its version."),
    { .key = "document", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct node_policy, document), .max = 4 << 20,
      .doc = "As it was written, YAML or JSON." },
};
static OPEN_SHAPE(policy_shape, "node_policy", struct node_policy, policy_fields);
static const struct field policies_fields[] = {
    LIST_F("policies", struct node_policies, policies, n_policies, policy_shape, "Policies of the run stage, by name."),
};
OPEN_SHAPE(node_policies_shape, "node_policies", struct node_policies, policies_fields);

/* ---- how they are shown ----------------------------------------------------------- */

static const struct field run_fields[] = {
    INT_F("version", struct bundle_run, version, "A version; 0: none yet."),
    INT_F("nodes", struct bundle_run, n_nodes, "How many nodes run it."),
};
static SHAPE(run_shape, "bundle_run", struct bundle_run, run_fields);
static const struct field info_fields[] = {
    { .key = "scope", .type = FIELD_TEXT, .off = offsetof(struct bundle_info, scope), .max = 1024, .doc = "Whom it is for: cluster, and labels of its nodes." },
    INT_F("version", struct bundle_info, version, "Of the newest bundle."),
    INT_F("root_version", struct bundle_info, root_version, "The root it was signed under."),
    TIME_F("signed_at", struct bundle_info, signed_ms, "When it was signed."),
    TIME_F("expires", struct bundle_info, expires_ms, "When nodes call it stale; it is signed again long before."),
    BOOL_F("expired", struct bundle_info, is_expired, "It is over."),
    TEXT_F("content", struct bundle_info, content, "SHA-256 of what it says, without version and times."),
    TEXT_F("cause", struct bundle_info, cause, "Why it was made."),
    INT_F("bytes", struct bundle_info, length, "Its length."),
    INT_F("nodes", struct bundle_info, n_nodes, "Nodes of this scope, without revoked ones."),
    INT_F("current", struct bundle_info, n_current, "Of them, those that run the newest."),
    LIST_F("runs", struct bundle_info, runs, n_runs, run_shape, "Which versions they run, newest first."),
};
static SHAPE(info_shape, "bundle", struct bundle_info, info_fields);
static const struct field list_fields[] = { PAGE_FIELDS(info_shape) };
SHAPE(bundle_list_shape, "bundle_list", struct page, list_fields);

static const struct field key_fields[] = {
    TEXT_F("role", struct trust_key_info, role, "root: signs roots; bundle: signs bundles."),
    TEXT_F("fingerprint", struct trust_key_info, fingerprint, "SHA-256 of the public key."),
    TEXT_F("public_key", struct trust_key_info, public_key, "PEM."),
    BOOL_F("here", struct trust_key_info, is_here, "This server holds the private key."),
};
static SHAPE(key_shape, "trust_key", struct trust_key_info, key_fields);
static const struct field trust_fields[] = {
    INT_F("version", struct trust_info, version, "Of the root."),
    TIME_F("expires", struct trust_info, expires_ms, "When nodes no longer take anything under it."),
    TEXT_F("fingerprint", struct trust_info, fingerprint, "SHA-256 of what was signed: a node may be told to expect it."),
    INT_F("root_threshold", struct trust_info, root_threshold, "How many root keys must sign the next root."),
    INT_F("bundle_threshold", struct trust_info, bundle_threshold, "How many bundle keys must sign a bundle."),
    BOOL_F("can_sign_root", struct trust_info, can_sign_root, "This server alone can make the next root."),
    BOOL_F("can_sign_bundles", struct trust_info, can_sign_bundles, "This server can sign bundles."),
    TEXT_F("problem", struct trust_info, problem, "What keeps bundles from being made; empty when nothing does."),
    LIST_F("keys", struct trust_info, keys, n_keys, key_shape, "The root's keys."),
    TEXT_F("next_bundle_key", struct trust_info, next_bundle_key, "PEM of a bundle key that was made and waits to be named by a root."),
    { .key = "envelope", .type = FIELD_TEXT, .off = offsetof(struct trust_info, envelope), .max = 64 * 1024, .doc = "The root, as signed." },
};
SHAPE(trust_info_shape, "trust", struct trust_info, trust_fields);
