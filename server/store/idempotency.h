/* idempotency.h - answers kept under the caller's Idempotency-Key.
 *
 * Written in the transaction of the request it answers, so that the answer is
 * there exactly when the change is. */
#ifndef KEEP_STORE_IDEMPOTENCY_H
#define KEEP_STORE_IDEMPOTENCY_H

#include "db/db.h"

extern const struct db_queries idempotency_queries;

enum { IDEMPOTENCY_HASH_LEN = 32, IDEMPOTENCY_KEY_MAX = 255 };

struct idempotent_answer {
    int64_t status;
    struct bytes answer;
};

/* *found: there is an answer.  The key was used for another request (its hash
 * differs): ERR_CONFLICT. */
int idempotency_get(struct db *db, const char *caller, const char *key,
                    const uint8_t request[IDEMPOTENCY_HASH_LEN], struct arena *arena,
                    struct idempotent_answer *out, bool *found, struct err *err);

/* ERR_CONFLICT when the key was taken meanwhile. */
int idempotency_put(struct db *db, const char *caller, const char *key,
                    const uint8_t request[IDEMPOTENCY_HASH_LEN], const struct idempotent_answer *answer,
                    int64_t now_ms, struct err *err);

int idempotency_delete_older(struct db *db, int64_t before_ms, int64_t *n, struct err *err);

#endif
