/* session.h - rows of sessions, read together with their user. */
#ifndef KEEP_STORE_SESSION_H
#define KEEP_STORE_SESSION_H

#include "db/db.h"
#include "model/session.h"

extern const struct db_queries session_queries;

enum { SESSION_HASH_LEN = 32 };

int session_insert(struct db *db, const struct session *s, const uint8_t hash[SESSION_HASH_LEN], struct err *err);
int session_get(struct db *db, const char *id, struct arena *arena, struct session *out,
                uint8_t hash[SESSION_HASH_LEN], struct err *err);
int session_delete(struct db *db, const char *id, struct err *err);
int session_delete_of(struct db *db, const char *user_id, int64_t *n, struct err *err);

/* Never goes back in time. */
int session_touch(struct db *db, const char *id, int64_t at_ms, struct err *err);

/* Past the absolute limit, or idle since before idle_before_ms. */
int session_delete_expired(struct db *db, int64_t now_ms, int64_t idle_before_ms, int64_t *n, struct err *err);

#endif
