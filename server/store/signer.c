/* signer.c - see signer.h. */
#include "store/signer.h"
#include "store/rows.h"
#include "store/text_list.h"

#define COLS "id, name, algorithm, public_key, repositories, statements, not_before_ms, not_after_ms," \
             " created_ms, created_by, revoked_ms"
#define COLS_OUT "ttttttiiiti"

enum { Q_INSERT, Q_GET, Q_LIST, Q_USABLE, Q_REVOKE, Q_N };
static const struct db_query Q[] = {
    [Q_INSERT] = { "signer.insert", "ttttttiiit", "",
        "INSERT INTO signers (id, name, algorithm, public_key, repositories, statements, not_before_ms,"
        " not_after_ms, created_ms, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" },
    [Q_GET]    = { "signer.get", "t", COLS_OUT, "SELECT " COLS " FROM signers WHERE id = $1" },
    [Q_LIST]   = { "signer.list", "ti", COLS_OUT,
        "SELECT " COLS " FROM signers WHERE name > $1 ORDER BY name LIMIT $2" },
    [Q_USABLE] = { "signer.list_usable", "", COLS_OUT,
        "SELECT " COLS " FROM signers WHERE revoked_ms IS NULL ORDER BY name" },
    [Q_REVOKE] = { "signer.revoke", "it", "",
        "UPDATE signers SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL" },
};
const struct db_queries signer_queries = { Q, Q_N };

static void signer_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct signer *s = out;

    *s = (struct signer){
        .id = row_text(row, 0, arena, failed),
        .name = row_text(row, 1, arena, failed),
        .algorithm = row_text(row, 2, arena, failed),
        .public_key = row_text(row, 3, arena, failed),
        .not_before_ms = db_col_i(row, 6),
        .not_after_ms = db_col_time(row, 7),
        .created_ms = db_col_i(row, 8),
        .created_by = row_text(row, 9, arena, failed),
        .revoked_ms = db_col_time(row, 10),
    };
    /* A list that cannot be read must not become "everything". */
    if (!text_list_decode(db_col_t(row, 4), arena, &s->repositories, &s->n_repositories) ||
        !text_list_decode(db_col_t(row, 5), arena, &s->statements, &s->n_statements))
        *failed = true;
}

int signer_insert(struct db *db, const struct signer *s, struct arena *arena, struct err *err)
{
    const char *repositories = text_list_encode(arena, s->repositories, s->n_repositories);
    const char *statements = text_list_encode(arena, s->statements, s->n_statements);

    if (repositories == NULL || statements == NULL)
        return err_nomem(err);
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_t(s->id), db_t(s->name), db_t(s->algorithm),
                   db_t(s->public_key), db_t(repositories), db_t(statements), db_i(s->not_before_ms),
                   db_time(s->not_after_ms), db_i(s->created_ms), db_t(s->created_by)), NULL, err);
}

int signer_get(struct db *db, const char *id, struct arena *arena, struct signer *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_t(id)), arena, signer_read, out, "signer", err);
}

int signer_list(struct db *db, const char *after, int64_t limit, struct arena *arena,
                struct signer **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_LIST], DB_IN(db_t(after), db_i(limit)), arena, signer_read, sizeof **out,
                  (size_t)limit, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

int signer_list_usable(struct db *db, struct arena *arena, struct signer **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_USABLE], DB_NONE, arena, signer_read, sizeof **out, SIGNERS_MAX, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

int signer_revoke(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err)
{
    int64_t n;

    if (db_exec(db, &Q[Q_REVOKE], DB_IN(db_i(at_ms), db_t(id)), &n, err) != 0)
        return -1;
    *changed = n == 1;
    return 0;
}
