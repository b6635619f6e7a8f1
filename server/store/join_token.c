/* join_token.c - see join_token.h. */
#include "store/join_token.h"
#include "base/time.h"
#include "store/rows.h"

#include <string.h>

#define COLS "id, name, cluster, labels, created_ms, created_by, expires_ms, max_uses, n_used, revoked_ms"
#define COLS_OUT "ttttitiiii"

enum { Q_INSERT, Q_GET, Q_LIST, Q_REVOKE, Q_USE, Q_N };
static const struct db_query Q[] = {
    [Q_INSERT] = { "join_token.insert", "ttbttitii", "",
        "INSERT INTO join_tokens (id, name, hash, cluster, labels, created_ms, created_by, expires_ms, max_uses, n_used)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)" },
    [Q_GET]    = { "join_token.get", "t", COLS_OUT "b", "SELECT " COLS ", hash FROM join_tokens WHERE id = $1" },
    [Q_LIST]   = { "join_token.list", "iti", COLS_OUT,
        "SELECT " COLS " FROM join_tokens WHERE (created_ms, id) < ($1, $2) ORDER BY created_ms DESC, id DESC LIMIT $3" },
    [Q_REVOKE] = { "join_token.revoke", "it", "",
        "UPDATE join_tokens SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL" },
    [Q_USE]    = { "join_token.use", "ti", "",
        "UPDATE join_tokens SET n_used = n_used + 1"
        " WHERE id = $1 AND n_used < max_uses AND revoked_ms IS NULL AND expires_ms > $2" },
};
const struct db_queries join_token_queries = { Q, Q_N };

struct hashed_token {
    struct join_token token;
    struct bytes hash;
};

static void token_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    *(struct join_token *)out = (struct join_token){
        .id = row_text(row, 0, arena, failed), .name = row_text(row, 1, arena, failed),
        .cluster = row_text(row, 2, arena, failed), .labels = row_text(row, 3, arena, failed),
        .created_ms = db_col_i(row, 4), .created_by = row_text(row, 5, arena, failed), .expires_ms = db_col_i(row, 6),
        .max_uses = db_col_i(row, 7), .n_used = db_col_i(row, 8), .revoked_ms = db_col_time(row, 9),
    };
}

static void hashed_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct hashed_token *t = out;

    token_read(row, arena, &t->token, failed);
    t->hash = row_bytes(row, 10, arena, failed);
}

int join_token_insert(struct db *db, const struct join_token *t, const uint8_t hash[JOIN_TOKEN_HASH_LEN], struct err *err)
{
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_t(t->id), db_t(t->name), db_b(hash, JOIN_TOKEN_HASH_LEN), db_t(t->cluster),
                   db_t(t->labels), db_i(t->created_ms), db_t(t->created_by), db_i(t->expires_ms), db_i(t->max_uses)), NULL, err);
}

int join_token_get(struct db *db, const char *id, struct arena *arena, struct join_token *out, uint8_t hash[JOIN_TOKEN_HASH_LEN],
                   struct err *err)
{
    struct hashed_token t;

    if (row_get(db, &Q[Q_GET], DB_IN(db_t(id)), arena, hashed_read, &t, "join token", err) != 0)
        return -1;
    if (t.hash.len != JOIN_TOKEN_HASH_LEN)
        return err_set(err, ERR_INTERNAL, "join token %s: damaged hash", id);
    if (hash != NULL)
        memcpy(hash, t.hash.ptr, JOIN_TOKEN_HASH_LEN);
    *out = t.token;
    return 0;
}

int join_token_list(struct db *db, int64_t before_ms, const char *before_id, int64_t limit, struct arena *arena,
                    struct join_token **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_LIST], DB_IN(db_i(before_ms), db_t(before_id), db_i(limit)), arena, token_read, sizeof **out,
                  (size_t)limit, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

static int change(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in, bool *changed, struct err *err)
{
    int64_t n;

    if (db_exec(db, q, in, n_in, &n, err) != 0)
        return -1;
    *changed = n == 1;
    return 0;
}

int join_token_end(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err)
{
    return change(db, &Q[Q_REVOKE], DB_IN(db_i(at_ms), db_t(id)), changed, err);
}

int join_token_use(struct db *db, const char *id, int64_t now_ms, bool *taken, struct err *err)
{
    return change(db, &Q[Q_USE], DB_IN(db_t(id), db_i(now_ms)), taken, err);
}
