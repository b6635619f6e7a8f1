/* opa.h - reports of OPA agents, and what bundles for them are made of. */
#ifndef KEEP_STORE_OPA_H
#define KEEP_STORE_OPA_H

#include "db/db.h"
#include "model/opa.h"

extern const struct db_queries opa_queries;

/* Replaces what this agent said before, unless that is newer. */
int opa_status_put(struct db *db, const struct opa_status *s, struct err *err);

/* Most recently seen first, behind (seen_ms, instance). */
int opa_status_list(struct db *db, int64_t before_ms, const char *before, int64_t limit, struct arena *arena,
                    struct opa_status **out, size_t *n, struct err *err);

/* A new row, or nothing when its decision_id is there.  *is_new (may be NULL). */
int opa_decision_insert(struct db *db, const struct opa_decision *d, int64_t *is_new, struct err *err);

/* Newest first, id < before. */
int opa_decision_list(struct db *db, const struct opa_decision_query *q, int64_t before, int64_t limit, struct arena *arena,
                      struct opa_decision **out, size_t *n, struct err *err);

/* Drops what was received before before_ms and all but the newest `keep` decisions,
 * and agents that were silent since before_ms; at most limit of each. */
int opa_retain(struct db *db, int64_t before_ms, int64_t keep, int64_t limit, int64_t *dropped, struct err *err);

/* When a verdict last changed; 0: none ever did. */
int opa_verdicts_changed(struct db *db, int64_t *at_ms, struct err *err);

/* Of all images, by image id: their tags as "repository:tag", and the reasons (JSON)
 * of the last verdict of those that do not pass. */
struct opa_text { int64_t image_id; const char *text; };
int opa_all_tags(struct db *db, struct arena *arena, struct opa_text **out, size_t *n, struct err *err);
int opa_all_reasons(struct db *db, struct arena *arena, struct opa_text **out, size_t *n, struct err *err);

#endif
