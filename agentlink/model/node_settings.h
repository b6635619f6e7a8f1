/* node_settings.h - what a server sets for the agents of its nodes (settings.json of a
 * bundle), and how bundles and roots are shown. */
#ifndef KEEP_MODEL_NODE_SETTINGS_H
#define KEEP_MODEL_NODE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node_settings {
    int64_t poll_interval_s;             /* pause between polls that were not held */
    int64_t wait_s;                      /* Prefer: wait of a poll; 0: none */
    int64_t batch_events, batch_bytes;   /* of one POST of events */
    int64_t events_per_s;                /* above it, low-priority events are dropped and counted */
    int64_t spool_bytes;                 /* on the node's disk */
    int64_t inventory_interval_s, status_interval_s;
    int64_t lease_s;                     /* walls: how long they stand without an agent */
    bool walls;                          /* enforce in the kernel where profiles say protect */
};

/* A policy of the run stage, as policies.json lists it. */
struct node_policy {
    const char *name;
    int64_t version;
    const char *document;                /* YAML or JSON as it was written */
};

/* A row of GET /v1/bundles. */
struct bundle_run { int64_t version, n_nodes; };    /* version 0: none yet */
struct bundle_info {
    const char *scope;
    int64_t version, root_version, signed_ms, expires_ms, length, n_nodes, n_current;
    const char *content, *cause;         /* content: hash of the files */
    bool is_expired;
    const struct bundle_run *runs; size_t n_runs;
};

/* GET /v1/trust. */
struct trust_key_info {
    const char *fingerprint, *public_key, *role;     /* role: "root", "bundle"; PEM */
    bool is_here;                        /* this server holds the private key */
};
struct trust_info {
    int64_t version, expires_ms, root_threshold, bundle_threshold;
    const char *fingerprint;             /* SHA-256 of the payload: what a node can pin */
    const char *envelope;
    bool can_sign_root, can_sign_bundles;
    const char *next_bundle_key;         /* PEM: made, and not in the root yet; NULL none */
    const char *problem;                 /* "" none */
    const struct trust_key_info *keys; size_t n_keys;
};

#endif
