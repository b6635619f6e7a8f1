/* login_link.c - see login_link.h. */
#include "store/login_link.h"
#include "store/rows.h"

#include <string.h>

enum { Q_INSERT, Q_GET, Q_USE, Q_DELETE_OF, Q_DELETE_EXPIRED, Q_N };
static const struct db_query Q[] = {
    [Q_INSERT] = { "login_link.insert", "tbtii", "",
        "INSERT INTO login_links (id, hash, user_id, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5)" },
    [Q_GET]    = { "login_link.get", "t", "ttiiib",
        "SELECT id, user_id, created_ms, expires_ms, used_ms, hash FROM login_links WHERE id = $1" },
    [Q_USE]    = { "login_link.use", "it", "",
        "UPDATE login_links SET used_ms = $1 WHERE id = $2 AND used_ms IS NULL AND expires_ms > $1" },
    [Q_DELETE_OF] = { "login_link.delete_of", "t", "", "DELETE FROM login_links WHERE user_id = $1" },
    [Q_DELETE_EXPIRED] = { "login_link.delete_expired", "i", "",
        "DELETE FROM login_links WHERE expires_ms <= $1" },
};
const struct db_queries login_link_queries = { Q, Q_N };

int login_link_insert(struct db *db, const struct login_link *link, const uint8_t hash[LINK_HASH_LEN], struct err *err)
{
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_t(link->id), db_b(hash, LINK_HASH_LEN), db_t(link->user_id),
                   db_i(link->created_ms), db_i(link->expires_ms)), NULL, err);
}

struct hashed_link {
    struct login_link link;
    struct bytes hash;
};

static void link_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct hashed_link *l = out;

    *l = (struct hashed_link){
        .link.id = row_text(row, 0, arena, failed),
        .link.user_id = row_text(row, 1, arena, failed),
        .link.created_ms = db_col_i(row, 2),
        .link.expires_ms = db_col_i(row, 3),
        .link.used_ms = db_col_time(row, 4),
        .hash = row_bytes(row, 5, arena, failed),
    };
}

int login_link_get(struct db *db, const char *id, struct arena *arena, struct login_link *out,
                   uint8_t hash[LINK_HASH_LEN], struct err *err)
{
    struct hashed_link l;

    if (row_get(db, &Q[Q_GET], DB_IN(db_t(id)), arena, link_read, &l, "login link", err) != 0)
        return -1;
    if (l.hash.len != LINK_HASH_LEN)
        return err_set(err, ERR_INTERNAL, "login link %s: damaged hash", id);
    memcpy(hash, l.hash.ptr, LINK_HASH_LEN);
    *out = l.link;
    return 0;
}

int login_link_use(struct db *db, const char *id, int64_t now_ms, bool *won, struct err *err)
{
    int64_t changed;

    if (db_exec(db, &Q[Q_USE], DB_IN(db_i(now_ms), db_t(id)), &changed, err) != 0)
        return -1;
    *won = changed == 1;
    return 0;
}

int login_link_delete_of(struct db *db, const char *user_id, struct err *err)
{
    return db_exec(db, &Q[Q_DELETE_OF], DB_IN(db_t(user_id)), NULL, err);
}

int login_link_delete_expired(struct db *db, int64_t before_ms, int64_t *n, struct err *err)
{
    return db_exec(db, &Q[Q_DELETE_EXPIRED], DB_IN(db_i(before_ms)), n, err);
}
