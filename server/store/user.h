/* user.h - rows of users. */
#ifndef KEEP_STORE_USER_H
#define KEEP_STORE_USER_H

#include "db/db.h"
#include "model/user.h"

extern const struct db_queries user_queries;

/* ERR_CONFLICT when the name is taken. */
int user_insert(struct db *db, const struct user *u, struct err *err);
int user_get(struct db *db, const char *id, struct arena *arena, struct user *out, struct err *err);
int user_get_by_name(struct db *db, const char *name, struct arena *arena, struct user *out, struct err *err);

/* By name, after `after` ("" from the start). */
int user_list(struct db *db, const char *after, int64_t limit, struct arena *arena,
              struct user **out, size_t *n, struct err *err);

/* Writes name, role and disabled_ms. */
int user_update(struct db *db, const struct user *u, struct err *err);
int user_logged_in(struct db *db, const char *id, int64_t at_ms, struct err *err);

/* How many others with this role may log in. */
int user_count_others(struct db *db, const char *role, const char *except_id, int64_t *n, struct err *err);

#endif
