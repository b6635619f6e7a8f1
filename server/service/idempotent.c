/* idempotent.c - see idempotent.h. */
#include "service/idempotent.h"
#include "store/idempotency.h"

#include <string.h>

_Static_assert((int)REQUEST_HASH_LEN == (int)IDEMPOTENCY_HASH_LEN, "one kind of hash");

static int check_key(const char *key, struct err *err)
{
    size_t len = strlen(key);

    if (len == 0 || len > IDEMPOTENCY_KEY_MAX || !str_is_utf8(key, len))
        return err_set(err, ERR_INVALID, "Idempotency-Key: 1 to %d characters are expected", IDEMPOTENCY_KEY_MAX);
    return 0;
}

static int get(struct db *db, const char *caller, const char *key, const uint8_t request[REQUEST_HASH_LEN],
               struct arena *arena, struct kept_answer *out, struct err *err)
{
    struct idempotent_answer kept;
    bool found;

    if (check_key(key, err) != 0 || idempotency_get(db, caller, key, request, arena, &kept, &found, err) != 0)
        return -1;
    if (found)
        *out = (struct kept_answer){ (int)kept.status, kept.answer };
    return found;
}

static int put(struct db *db, const char *caller, const char *key, const uint8_t request[REQUEST_HASH_LEN],
               const struct kept_answer *answer, int64_t now_ms, struct err *err)
{
    struct idempotent_answer kept = { answer->status, answer->body };

    if (check_key(key, err) != 0)
        return -1;
    return idempotency_put(db, caller, key, request, &kept, now_ms, err);
}

const struct keep_answers idempotent_answers = { get, put };
