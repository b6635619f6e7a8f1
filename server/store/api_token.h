/* api_token.h - rows of API tokens.  The hash is the only trace of the secret. */
#ifndef KEEP_STORE_API_TOKEN_H
#define KEEP_STORE_API_TOKEN_H

#include "db/db.h"
#include "model/api_token.h"

extern const struct db_queries api_token_queries;

enum { API_TOKEN_HASH_LEN = 32 };

int api_token_insert(struct db *db, const struct api_token *t, const uint8_t hash[API_TOKEN_HASH_LEN],
                     struct arena *arena, struct err *err);

/* hash may be NULL. */
int api_token_get(struct db *db, const char *id, struct arena *arena, struct api_token *out,
                  uint8_t hash[API_TOKEN_HASH_LEN], struct err *err);

/* Newest first, before (before_ms, before_id). */
int api_token_list(struct db *db, int64_t before_ms, const char *before_id, int64_t limit, struct arena *arena,
                   struct api_token **out, size_t *n, struct err *err);

/* *changed: it was not revoked before. */
int api_token_revoke(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err);

/* Never goes back in time. */
int api_token_touch(struct db *db, const char *id, int64_t at_ms, const char *from, struct err *err);

#endif
