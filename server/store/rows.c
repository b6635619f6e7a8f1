/* rows.c - see rows.h. */
#include "store/rows.h"

#include "store/list.h"

#include <string.h>

int row_get(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
            struct arena *arena, row_read_fn *read, void *out, const char *what, struct err *err)
{
    struct db_rows row = { 0 };
    bool failed = false;
    int found = db_row(db, q, in, n_in, &row, err);

    if (found < 0)
        return -1;
    if (found == 0)
        return err_set(err, ERR_NOT_FOUND, "no such %s", what);
    read(&row, arena, out, &failed);
    db_rows_close(&row);
    return failed ? err_nomem(err) : 0;
}

int rows_list(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
              struct arena *arena, row_read_fn *read, size_t size, size_t max,
              void **out, size_t *n, struct err *err)
{
    struct list list = { .arena = arena, .size = size };
    struct db_rows rows = { 0 };
    int rc;

    if (db_rows_open(db, q, in, n_in, &rows, err) != 0)
        return -1;
    while ((rc = db_rows_next(&rows, err)) > 0 && !list.failed) {
        if (list.n == max) {
            db_rows_close(&rows);
            return err_set(err, ERR_TOO_LARGE, "%s: more than %zu rows", q->name, max);
        }
        void *item = list_add(&list);
        if (item != NULL)
            read(&rows, arena, item, &list.failed);
    }
    db_rows_close(&rows);
    return list_done(&list, rc, out, n, err);
}

int rows_all(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
             struct arena *arena, row_read_fn *read, size_t size, void **out, size_t *n, struct err *err)
{
    return rows_list(db, q, in, n_in, arena, read, size, ROWS_MAX, out, n, err);
}

struct bytes row_bytes(const struct db_rows *row, int col, struct arena *arena, bool *failed)
{
    struct bytes from = db_col_b(row, col);
    unsigned char *copy = arena_bytes(arena, from.len + 1);

    if (copy == NULL) {
        *failed = true;
        return (struct bytes){ 0 };
    }
    if (from.len > 0)
        memcpy(copy, from.ptr, from.len);
    copy[from.len] = 0;
    return (struct bytes){ copy, from.len };
}

const char *row_text(const struct db_rows *row, int col, struct arena *arena, bool *failed)
{
    const char *text = db_col_text(row, col, arena, failed);

    return text == NULL ? "" : text;
}
