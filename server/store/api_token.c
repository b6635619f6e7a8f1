/* api_token.c - see api_token.h. */
#include "store/api_token.h"
#include "store/rows.h"
#include "store/text_list.h"

#include <string.h>

#define COLS "id, name, role, repositories, created_ms, created_by, expires_ms, last_used_ms, last_used_from, revoked_ms"
#define COLS_OUT "ttttitiiti"

enum { Q_INSERT, Q_GET, Q_LIST, Q_REVOKE, Q_TOUCH, Q_N };
static const struct db_query Q[] = {
    [Q_INSERT] = { "api_token.insert", "tttbtiti", "",
        "INSERT INTO tokens (id, name, role, hash, repositories, created_ms, created_by, expires_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" },
    [Q_GET]    = { "api_token.get", "t", COLS_OUT "b", "SELECT " COLS ", hash FROM tokens WHERE id = $1" },
    [Q_LIST]   = { "api_token.list", "iti", COLS_OUT,
        "SELECT " COLS " FROM tokens WHERE (created_ms, id) < ($1, $2)"
        " ORDER BY created_ms DESC, id DESC LIMIT $3" },
    [Q_REVOKE] = { "api_token.revoke", "it", "",
        "UPDATE tokens SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL" },
    [Q_TOUCH]  = { "api_token.touch", "itt", "",
        "UPDATE tokens SET last_used_ms = $1, last_used_from = $2"
        " WHERE id = $3 AND (last_used_ms IS NULL OR last_used_ms < $1)" },
};
const struct db_queries api_token_queries = { Q, Q_N };

struct hashed_token {
    struct api_token token;
    struct bytes hash;
};

static void token_read(const struct db_rows *row, struct arena *arena, struct api_token *t, bool *failed)
{
    *t = (struct api_token){
        .id = row_text(row, 0, arena, failed),
        .name = row_text(row, 1, arena, failed),
        .role = row_text(row, 2, arena, failed),
        .created_ms = db_col_i(row, 4),
        .created_by = row_text(row, 5, arena, failed),
        .expires_ms = db_col_i(row, 6),
        .last_used_ms = db_col_time(row, 7),
        .last_used_from = db_col_text(row, 8, arena, failed),
        .revoked_ms = db_col_time(row, 9),
    };
    /* A list that cannot be read must not become "all repositories". */
    if (!text_list_decode(db_col_t(row, 3), arena, &t->repositories, &t->n_repositories))
        *failed = true;
}

static void list_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    token_read(row, arena, out, failed);
}

static void hashed_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct hashed_token *t = out;

    token_read(row, arena, &t->token, failed);
    t->hash = row_bytes(row, 10, arena, failed);
}

int api_token_insert(struct db *db, const struct api_token *t, const uint8_t hash[API_TOKEN_HASH_LEN],
                     struct arena *arena, struct err *err)
{
    const char *repositories = text_list_encode(arena, t->repositories, t->n_repositories);

    if (repositories == NULL)
        return err_nomem(err);
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_t(t->id), db_t(t->name), db_t(t->role),
                   db_b(hash, API_TOKEN_HASH_LEN), db_t(repositories), db_i(t->created_ms),
                   db_t(t->created_by), db_i(t->expires_ms)), NULL, err);
}

int api_token_get(struct db *db, const char *id, struct arena *arena, struct api_token *out,
                  uint8_t hash[API_TOKEN_HASH_LEN], struct err *err)
{
    struct hashed_token t;

    if (row_get(db, &Q[Q_GET], DB_IN(db_t(id)), arena, hashed_read, &t, "token", err) != 0)
        return -1;
    if (t.hash.len != API_TOKEN_HASH_LEN)
        return err_set(err, ERR_INTERNAL, "token %s: damaged hash", id);
    if (hash != NULL)
        memcpy(hash, t.hash.ptr, API_TOKEN_HASH_LEN);
    *out = t.token;
    return 0;
}

int api_token_list(struct db *db, int64_t before_ms, const char *before_id, int64_t limit, struct arena *arena,
                   struct api_token **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_LIST], DB_IN(db_i(before_ms), db_t(before_id), db_i(limit)), arena, list_read,
                  sizeof **out, (size_t)limit, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

int api_token_revoke(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err)
{
    int64_t n;

    if (db_exec(db, &Q[Q_REVOKE], DB_IN(db_i(at_ms), db_t(id)), &n, err) != 0)
        return -1;
    *changed = n == 1;
    return 0;
}

int api_token_touch(struct db *db, const char *id, int64_t at_ms, const char *from, struct err *err)
{
    return db_exec(db, &Q[Q_TOUCH], DB_IN(db_i(at_ms), db_t(from), db_t(id)), NULL, err);
}
