/* login_link.h - rows of one-time login links. */
#ifndef KEEP_STORE_LOGIN_LINK_H
#define KEEP_STORE_LOGIN_LINK_H

#include "db/db.h"
#include "model/session.h"

extern const struct db_queries login_link_queries;

enum { LINK_HASH_LEN = 32 };

int login_link_insert(struct db *db, const struct login_link *link, const uint8_t hash[LINK_HASH_LEN], struct err *err);

/* With its hash, for a comparison in constant time. */
int login_link_get(struct db *db, const char *id, struct arena *arena, struct login_link *out,
                   uint8_t hash[LINK_HASH_LEN], struct err *err);

/* *won: this call, and no other, has used the link.  Write transaction. */
int login_link_use(struct db *db, const char *id, int64_t now_ms, bool *won, struct err *err);

int login_link_delete_of(struct db *db, const char *user_id, struct err *err);
int login_link_delete_expired(struct db *db, int64_t before_ms, int64_t *n, struct err *err);

#endif
