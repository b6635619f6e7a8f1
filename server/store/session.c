/* session.c - see session.h. */
#include "store/session.h"
#include "store/rows.h"

#include <string.h>

enum { Q_INSERT, Q_GET, Q_DELETE, Q_DELETE_OF, Q_TOUCH, Q_DELETE_EXPIRED, Q_N };
static const struct db_query Q[] = {
    [Q_INSERT] = { "session.insert", "tbttiiit", "",
        "INSERT INTO sessions (id, hash, csrf, user_id, created_ms, expires_ms, last_used_ms, from_addr)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" },
    [Q_GET]    = { "session.get", "t", "tttiiitttib",
        "SELECT s.id, s.csrf, s.user_id, s.created_ms, s.expires_ms, s.last_used_ms, s.from_addr,"
        " u.name, u.role, u.disabled_ms, s.hash"
        " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1" },
    [Q_DELETE] = { "session.delete", "t", "", "DELETE FROM sessions WHERE id = $1" },
    [Q_DELETE_OF] = { "session.delete_of", "t", "", "DELETE FROM sessions WHERE user_id = $1" },
    [Q_TOUCH]  = { "session.touch", "it", "",
        "UPDATE sessions SET last_used_ms = $1 WHERE id = $2 AND last_used_ms < $1" },
    [Q_DELETE_EXPIRED] = { "session.delete_expired", "ii", "",
        "DELETE FROM sessions WHERE expires_ms <= $1 OR last_used_ms <= $2" },
};
const struct db_queries session_queries = { Q, Q_N };

int session_insert(struct db *db, const struct session *s, const uint8_t hash[SESSION_HASH_LEN], struct err *err)
{
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_t(s->id), db_b(hash, SESSION_HASH_LEN), db_t(s->csrf),
                   db_t(s->user_id), db_i(s->created_ms), db_i(s->expires_ms), db_i(s->last_used_ms),
                   db_t(s->from)), NULL, err);
}

struct hashed_session {
    struct session session;
    struct bytes hash;
};

static void session_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct hashed_session *s = out;

    *s = (struct hashed_session){
        .session.id = row_text(row, 0, arena, failed),
        .session.csrf = row_text(row, 1, arena, failed),
        .session.user_id = row_text(row, 2, arena, failed),
        .session.created_ms = db_col_i(row, 3),
        .session.expires_ms = db_col_i(row, 4),
        .session.last_used_ms = db_col_i(row, 5),
        .session.from = row_text(row, 6, arena, failed),
        .session.user_name = row_text(row, 7, arena, failed),
        .session.user_role = row_text(row, 8, arena, failed),
        .session.user_disabled_ms = db_col_time(row, 9),
        .hash = row_bytes(row, 10, arena, failed),
    };
}

int session_get(struct db *db, const char *id, struct arena *arena, struct session *out,
                uint8_t hash[SESSION_HASH_LEN], struct err *err)
{
    struct hashed_session s;

    if (row_get(db, &Q[Q_GET], DB_IN(db_t(id)), arena, session_read, &s, "session", err) != 0)
        return -1;
    if (s.hash.len != SESSION_HASH_LEN)
        return err_set(err, ERR_INTERNAL, "session %s: damaged hash", id);
    memcpy(hash, s.hash.ptr, SESSION_HASH_LEN);
    *out = s.session;
    return 0;
}

int session_delete(struct db *db, const char *id, struct err *err)
{
    return db_exec(db, &Q[Q_DELETE], DB_IN(db_t(id)), NULL, err);
}

int session_delete_of(struct db *db, const char *user_id, int64_t *n, struct err *err)
{
    return db_exec(db, &Q[Q_DELETE_OF], DB_IN(db_t(user_id)), n, err);
}

int session_touch(struct db *db, const char *id, int64_t at_ms, struct err *err)
{
    return db_exec(db, &Q[Q_TOUCH], DB_IN(db_i(at_ms), db_t(id)), NULL, err);
}

int session_delete_expired(struct db *db, int64_t now_ms, int64_t idle_before_ms, int64_t *n, struct err *err)
{
    return db_exec(db, &Q[Q_DELETE_EXPIRED], DB_IN(db_i(now_ms), db_i(idle_before_ms)), n, err);
}
