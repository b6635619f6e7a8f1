/* suppression.h - rules that silence alerts for a time. */
#ifndef KEEP_STORE_SUPPRESSION_H
#define KEEP_STORE_SUPPRESSION_H

#include "db/db.h"
#include "model/alert.h"

extern const struct db_queries suppression_queries;

enum { SUPPRESSIONS_ACTIVE_MAX = 1000 };

int suppression_insert(struct db *db, const struct suppression *s, struct err *err);
int suppression_get(struct db *db, const char *id, struct arena *arena, struct suppression *out, struct err *err);
/* Newest first; state "active", "expired", "revoked" or NULL. */
int suppression_list(struct db *db, const char *state, int64_t now_ms, int64_t before_ms, const char *before_id, int64_t limit,
                     struct arena *arena, struct suppression **out, size_t *n, struct err *err);
int suppression_list_active(struct db *db, int64_t now_ms, struct arena *arena, struct suppression **out, size_t *n, struct err *err);
int suppression_count_active(struct db *db, int64_t now_ms, int64_t *n, struct err *err);
int suppression_revoke(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err);
int suppression_hit(struct db *db, const char *id, int64_t n, struct err *err);

#endif
