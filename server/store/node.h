/* node.h - nodes: rows of `nodes`, and what they lost. */
#ifndef KEEP_STORE_NODE_H
#define KEEP_STORE_NODE_H

#include "db/db.h"
#include "model/node.h"

extern const struct db_queries node_queries;

struct node_filter {
    const char *cluster;                 /* NULL: any */
    int state;                           /* enum node_state; -1: any */
    const char *q;                       /* beginning of the name or of the node's id; NULL: any */
    bool has_problem;
    int64_t bundle_version;              /* -1: any; 0: none */
    int64_t silent_before_ms;            /* last seen before this is silent */
};

/* Chooses node->id.  ERR_CONFLICT: the key is known. */
int node_insert(struct db *db, struct node *node, struct err *err);

/* ERR_NOT_FOUND. */
int node_get(struct db *db, const char *node_id, struct arena *arena, struct node *out, struct err *err);
int node_get_stored(struct db *db, int64_t id, struct arena *arena, struct node *out, struct err *err);
int node_get_by_key(struct db *db, const char *fingerprint, struct arena *arena, struct node *out, struct err *err);

/* By name; after the node (name, id): "" and INT64_MAX for the first page. */
int node_list(struct db *db, const struct node_filter *f, const char *after_name, int64_t after_id, int64_t limit,
              struct arena *arena, struct node **out, size_t *n, struct err *err);

/* Those with a number above `after`, in that order: id, node_id, name, cluster, scope,
 * revoked_ms, last_seen_ms and bundle_version only. */
int node_list_new(struct db *db, int64_t after, int64_t limit, struct arena *arena, struct node **out, size_t *n, struct err *err);

/* Numbers of those revoked at or after a time. */
int node_list_revoked(struct db *db, int64_t since_ms, int64_t limit, struct arena *arena, int64_t **out, size_t *n, struct err *err);

int node_end(struct db *db, int64_t id, int64_t at_ms, const char *by, bool *changed, struct err *err);

/* Writes what a session brings: enrolled_ms, last_seen_ms, last_from, agent_version, kernel,
 * arch, clock_skew_ms, session_ms, session_nonce, challenge_ms, instances, cloned_ms,
 * certificate, problem. */
int node_update_session(struct db *db, const struct node *node, struct err *err);

/* Writes what a report brings: status, status_ms, bundle_version, bundle_applied_ms, problem,
 * last_seen_ms, last_from. */
int node_update_status(struct db *db, const struct node *node, struct err *err);

/* It was seen, perhaps from elsewhere (from NULL: not known), perhaps with another bundle
 * (version < 0: it did not say).  Older than what is there: nothing is written. */
int node_touch(struct db *db, int64_t id, int64_t seen_ms, const char *from, int64_t version, struct err *err);

/* Why events of it are missing. */
struct node_drop { const char *class, *reason; int64_t n, last_ms; };
int node_drop_list(struct db *db, int64_t node, struct arena *arena, struct node_drop **out, size_t *n, struct err *err);

#endif
