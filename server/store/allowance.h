/* allowance.h - rows of unsigned allowances. */
#ifndef KEEP_STORE_ALLOWANCE_H
#define KEEP_STORE_ALLOWANCE_H

#include "db/db.h"
#include "model/allowance.h"

extern const struct db_queries allowance_queries;

enum { ALLOWANCES_MAX = 10000 };

int allowance_insert(struct db *db, const struct allowance *a, struct err *err);
int allowance_get(struct db *db, const char *pattern, struct arena *arena, struct allowance *out, struct err *err);

/* By pattern, after `after` ("" from the start). */
int allowance_list(struct db *db, const char *after, int64_t limit, struct arena *arena,
                   struct allowance **out, size_t *n, struct err *err);

/* Those that hold at now_ms. */
int allowance_list_active(struct db *db, int64_t now_ms, struct arena *arena,
                          struct allowance **out, size_t *n, struct err *err);

int allowance_delete(struct db *db, const char *pattern, struct err *err);

#endif
