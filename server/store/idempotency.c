/* idempotency.c - see idempotency.h. */
#include "store/idempotency.h"
#include "store/rows.h"

#include <string.h>

enum { Q_GET, Q_PUT, Q_DELETE_OLDER, Q_N };
static const struct db_query Q[] = {
    [Q_GET] = { "idempotency.get", "tt", "bib",
        "SELECT request, status, answer FROM idempotency WHERE caller = $1 AND idem_key = $2" },
    [Q_PUT] = { "idempotency.put", "ttbibi", "",
        "INSERT INTO idempotency (caller, idem_key, request, status, answer, created_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6)" },
    [Q_DELETE_OLDER] = { "idempotency.delete_older", "i", "", "DELETE FROM idempotency WHERE created_ms < $1" },
};
const struct db_queries idempotency_queries = { Q, Q_N };

int idempotency_get(struct db *db, const char *caller, const char *key,
                    const uint8_t request[IDEMPOTENCY_HASH_LEN], struct arena *arena,
                    struct idempotent_answer *out, bool *found, struct err *err)
{
    struct db_rows row = { 0 };
    struct idempotent_answer kept;
    bool failed = false;
    int rc = db_row(db, &Q[Q_GET], DB_IN(db_t(caller), db_t(key)), &row, err);

    if (rc < 0)
        return -1;
    *found = false;
    if (rc == 0)
        return 0;
    struct bytes before = db_col_b(&row, 0);
    bool same = before.len == IDEMPOTENCY_HASH_LEN && memcmp(before.ptr, request, before.len) == 0;
    kept = (struct idempotent_answer){ db_col_i(&row, 1), row_bytes(&row, 2, arena, &failed) };
    db_rows_close(&row);
    if (!same)
        return err_set(err, ERR_CONFLICT, "this Idempotency-Key was used for another request");
    if (failed)
        return err_nomem(err);
    *out = kept;
    *found = true;
    return 0;
}

int idempotency_put(struct db *db, const char *caller, const char *key,
                    const uint8_t request[IDEMPOTENCY_HASH_LEN], const struct idempotent_answer *answer,
                    int64_t now_ms, struct err *err)
{
    const void *bytes = answer->answer.ptr == NULL ? "" : (const void *)answer->answer.ptr;

    return db_exec(db, &Q[Q_PUT], DB_IN(db_t(caller), db_t(key), db_b(request, IDEMPOTENCY_HASH_LEN),
                   db_i(answer->status), db_b(bytes, answer->answer.len), db_i(now_ms)), NULL, err);
}

int idempotency_delete_older(struct db *db, int64_t before_ms, int64_t *n, struct err *err)
{
    return db_exec(db, &Q[Q_DELETE_OLDER], DB_IN(db_i(before_ms)), n, err);
}
