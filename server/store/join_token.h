/* join_token.h - invitations: what a machine shows to become a node. */
#ifndef KEEP_STORE_JOIN_TOKEN_H
#define KEEP_STORE_JOIN_TOKEN_H

#include "db/db.h"
#include "model/node.h"

extern const struct db_queries join_token_queries;

enum { JOIN_TOKEN_HASH_LEN = 32 };

int join_token_insert(struct db *db, const struct join_token *t, const uint8_t hash[JOIN_TOKEN_HASH_LEN], struct err *err);

/* ERR_NOT_FOUND.  hash may be NULL. */
int join_token_get(struct db *db, const char *id, struct arena *arena, struct join_token *out, uint8_t hash[JOIN_TOKEN_HASH_LEN],
                   struct err *err);

/* Newest first. */
int join_token_list(struct db *db, int64_t before_ms, const char *before_id, int64_t limit, struct arena *arena,
                    struct join_token **out, size_t *n, struct err *err);

int join_token_end(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err);

/* Takes one of its uses, unless none is left, it has expired or was revoked. */
int join_token_use(struct db *db, const char *id, int64_t now_ms, bool *taken, struct err *err);

#endif
