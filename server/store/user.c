/* user.c - see user.h. */
#include "store/user.h"
#include "store/rows.h"

#define COLS "id, name, role, created_ms, created_by, disabled_ms, last_login_ms"
#define COLS_OUT "tttitii"

enum { Q_INSERT, Q_GET, Q_BY_NAME, Q_LIST, Q_UPDATE, Q_LOGGED_IN, Q_OTHERS, Q_N };
static const struct db_query Q[] = {
    [Q_INSERT]    = { "user.insert", "tttit", "",
        "INSERT INTO users (id, name, role, created_ms, created_by) VALUES ($1, $2, $3, $4, $5)" },
    [Q_GET]       = { "user.get", "t", COLS_OUT, "SELECT " COLS " FROM users WHERE id = $1" },
    [Q_BY_NAME]   = { "user.by_name", "t", COLS_OUT, "SELECT " COLS " FROM users WHERE name = $1" },
    [Q_LIST]      = { "user.list", "ti", COLS_OUT,
        "SELECT " COLS " FROM users WHERE name > $1 ORDER BY name LIMIT $2" },
    [Q_UPDATE]    = { "user.update", "ttit", "",
        "UPDATE users SET name = $1, role = $2, disabled_ms = $3 WHERE id = $4" },
    [Q_LOGGED_IN] = { "user.logged_in", "it", "", "UPDATE users SET last_login_ms = $1 WHERE id = $2" },
    [Q_OTHERS]    = { "user.count_others", "tt", "i",
        "SELECT COUNT(*) FROM users WHERE role = $1 AND id <> $2 AND disabled_ms IS NULL" },
};
const struct db_queries user_queries = { Q, Q_N };

static void user_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct user *u = out;

    *u = (struct user){
        .id = row_text(row, 0, arena, failed),
        .name = row_text(row, 1, arena, failed),
        .role = row_text(row, 2, arena, failed),
        .created_ms = db_col_i(row, 3),
        .created_by = row_text(row, 4, arena, failed),
        .disabled_ms = db_col_time(row, 5),
        .last_login_ms = db_col_time(row, 6),
    };
}

int user_insert(struct db *db, const struct user *u, struct err *err)
{
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_t(u->id), db_t(u->name), db_t(u->role), db_i(u->created_ms),
                   db_t(u->created_by)), NULL, err);
}

int user_get(struct db *db, const char *id, struct arena *arena, struct user *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_t(id)), arena, user_read, out, "user", err);
}

int user_get_by_name(struct db *db, const char *name, struct arena *arena, struct user *out, struct err *err)
{
    return row_get(db, &Q[Q_BY_NAME], DB_IN(db_t(name)), arena, user_read, out, "user", err);
}

int user_list(struct db *db, const char *after, int64_t limit, struct arena *arena,
              struct user **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_LIST], DB_IN(db_t(after), db_i(limit)), arena, user_read, sizeof **out,
                  (size_t)limit, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

int user_update(struct db *db, const struct user *u, struct err *err)
{
    return db_exec(db, &Q[Q_UPDATE], DB_IN(db_t(u->name), db_t(u->role), db_time(u->disabled_ms), db_t(u->id)),
                   NULL, err);
}

int user_logged_in(struct db *db, const char *id, int64_t at_ms, struct err *err)
{
    return db_exec(db, &Q[Q_LOGGED_IN], DB_IN(db_i(at_ms), db_t(id)), NULL, err);
}

int user_count_others(struct db *db, const char *role, const char *except_id, int64_t *n, struct err *err)
{
    return db_int(db, &Q[Q_OTHERS], DB_IN(db_t(role), db_t(except_id)), 0, n, err);
}
