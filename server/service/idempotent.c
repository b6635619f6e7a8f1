/* idempotent.c - see idempotent.h.
 *
 * A kept answer is one row: its Location, a line feed, its body. */
#include "service/idempotent.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "store/idempotency.h"

#include <string.h>

static int check_key(const char *key, struct err *err)
{
    size_t len = strlen(key);

    if (len == 0 || len > IDEMPOTENCY_KEY_MAX || !str_is_utf8(key, len))
        return err_set(err, ERR_INVALID, "Idempotency-Key: 1 to %d characters are expected", IDEMPOTENCY_KEY_MAX);
    return 0;
}

static int get(struct db *db, const char *caller, const char *key, const char *request_hash,
               struct arena *arena, struct kept_answer *out, struct err *err)
{
    uint8_t hash[IDEMPOTENCY_HASH_LEN];
    struct idempotent_answer kept;
    bool found;

    if (check_key(key, err) != 0)
        return -1;
    sha256(request_hash, strlen(request_hash), hash);
    if (idempotency_get(db, caller, key, hash, arena, &kept, &found, err) != 0)
        return -1;
    if (!found)
        return 0;
    const char *text = (const char *)kept.answer.ptr;
    const char *line = memchr(text, '\n', kept.answer.len);
    if (line == NULL)
        return err_set(err, ERR_INTERNAL, "a kept answer is damaged");
    size_t len = (size_t)(line - text);
    out->status = (int)kept.status;
    out->location = len == 0 ? NULL : arena_strndup(arena, text, len);
    out->body = (struct bytes){ kept.answer.ptr + len + 1, kept.answer.len - len - 1 };
    return len > 0 && out->location == NULL ? err_nomem(err) : 1;
}

static int put(struct db *db, const char *caller, const char *key, const char *request_hash,
               const struct kept_answer *answer, int64_t now_ms, struct err *err)
{
    uint8_t hash[IDEMPOTENCY_HASH_LEN];
    struct buf b;

    if (check_key(key, err) != 0)
        return -1;
    sha256(request_hash, strlen(request_hash), hash);
    buf_init(&b, EXEC_ANSWER_MAX);
    if (answer->location != NULL)
        buf_puts(&b, answer->location);
    buf_putc(&b, '\n');
    if (answer->body.len > 0)
        buf_put(&b, answer->body.ptr, answer->body.len);
    struct idempotent_answer kept = { answer->status, { (const unsigned char *)b.ptr, b.len } };
    int rc = b.failed ? err_nomem(err) : idempotency_put(db, caller, key, hash, &kept, now_ms, err);
    buf_free(&b);
    return rc;
}

const struct keep_answers idempotent_answers = { get, put };
