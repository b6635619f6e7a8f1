/* db.c - see db.h.  What both engines have in common: which driver, which
 * statement.  Transactions are in tx.c.
 *
 * Statements are found by the address of their query and stay prepared for the
 * life of the connection.  A query that is open already gets another instance. */
#include "db/db.h"

#include "db/driver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 64, INSTANCES_MAX = 16 };

struct db_stmt {
    const struct db_query *q;
    struct db_stmt *next;          /* another one in the same slot */
    void *state;
    unsigned serial;
    bool open;
};

/* ---- connections ------------------------------------------------------------ */

static const struct db_driver *driver_of(const char *url)
{
    static const struct { const char *prefix; const struct db_driver *driver; } table[] = {
        { "postgresql://", &db_postgres },
        { "postgres://",   &db_postgres },
        { "fault:",        &db_fault },
    };

    for (size_t i = 0; i < N_ITEMS(table); i++)
        if (str_starts(url, table[i].prefix))
            return table[i].driver;
    return &db_sqlite;
}

int db_open(const char *url, enum db_mode mode, struct db **out, struct err *err)
{
    const struct db_driver *driver = driver_of(url);
    struct db_stmt **slots = calloc(SLOTS_FIRST, sizeof *slots);
    struct db *db;

    if (slots == NULL)
        return err_nomem(err);
    if (driver->open(url, mode, &db, err) != 0) {
        free(slots);
        return -1;
    }
    db->driver = driver;
    db->mode = mode;
    db->slots = slots;
    db->n_slots = SLOTS_FIRST;
    *out = db;
    return 0;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    db_rollback(db);
    struct db_stmt **slots = db->slots;
    for (size_t i = 0; i < db->n_slots; i++)
        for (struct db_stmt *st = slots[i], *next; st != NULL; st = next) {
            next = st->next;
            db->driver->finish(db, st->state);
            free(st);
        }
    db->driver->close(db);
    free(slots);
}

bool db_is_postgres(const struct db *db)
{
    return db->is_postgres;
}

bool db_is_broken(const struct db *db)
{
    return db->broken;
}

void db_budget(struct db *db, int64_t ms)
{
    db->driver->budget(db, ms);
}

/* ---- statements ------------------------------------------------------------------ */

static size_t slot_of(const struct db *db, const struct db_query *q)
{
    uint64_t h = (uint64_t)(uintptr_t)q * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(h >> 32) & (db->n_slots - 1);
}

static void stmt_link(struct db *db, struct db_stmt *st)
{
    struct db_stmt **slot = &db->slots[slot_of(db, st->q)];

    st->next = *slot;
    *slot = st;
}

/* Without memory for a bigger table the old one only gets slower. */
static void table_grow(struct db *db)
{
    struct db_stmt **old = db->slots, **slots = calloc(db->n_slots * 2, sizeof *slots);
    size_t n = db->n_slots;

    if (slots == NULL)
        return;
    db->slots = slots;
    db->n_slots = n * 2;
    for (size_t i = 0; i < n; i++)
        for (struct db_stmt *st = old[i], *next; st != NULL; st = next) {
            next = st->next;
            stmt_link(db, st);
        }
    free(old);
}

static int stmt_prepare(struct db *db, const struct db_query *q, struct db_stmt **out, struct err *err)
{
    struct db_stmt *st;

    if (query_check(q, err) != 0)
        return -1;
    if ((st = calloc(1, sizeof *st)) == NULL)
        return err_nomem(err);
    if (db->driver->prepare(db, q, &st->state, err) != 0) {
        free(st);
        return db_call_failed(db, q->name, err);
    }
    st->q = q;
    if (++db->n_queries > db->n_slots)
        table_grow(db);
    stmt_link(db, st);
    *out = st;
    return 0;
}

/* One that is not open. */
static int stmt_get(struct db *db, const struct db_query *q, struct db_stmt **out, struct err *err)
{
    int n = 0;

    for (struct db_stmt *st = db->slots[slot_of(db, q)]; st != NULL; st = st->next) {
        if (st->q != q)
            continue;
        if (!st->open) {
            *out = st;
            return 0;
        }
        n++;
    }
    if (n >= INSTANCES_MAX)
        return err_set(err, ERR_INTERNAL, "%s: open %d times at once", q->name, n);
    return stmt_prepare(db, q, out, err);
}

static void stmt_reset(struct db *db, struct db_stmt *st)
{
    db->driver->reset(db, st->state);
    st->open = false;
    st->serial++;
}

void db_reset_all(struct db *db)
{
    for (size_t i = 0; i < db->n_slots; i++)
        for (struct db_stmt *st = db->slots[i]; st != NULL; st = st->next)
            if (st->open)
                stmt_reset(db, st);
}

static int stmt_start(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
                      bool copy, struct db_stmt **out, struct err *err)
{
    struct db_stmt *st;

    if (db_refuse_if_failed(db, err) != 0 || query_check_values(q, in, n_in, err) != 0 ||
        stmt_get(db, q, &st, err) != 0)
        return -1;
    st->open = true;
    if (db->driver->start(db, st->state, in, n_in, copy, err) != 0) {
        stmt_reset(db, st);
        return db_call_failed(db, q->name, err);
    }
    *out = st;
    return 0;
}

static bool is_prepared(const struct db *db, const struct db_query *q)
{
    for (const struct db_stmt *st = db->slots[slot_of(db, q)]; st != NULL; st = st->next)
        if (st->q == q)
            return true;
    return false;
}

int db_prepare_all(struct db *db, const struct db_queries *sets, size_t n, struct err *err)
{
    struct db_stmt *st;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sets[i].n; k++)
            if (!is_prepared(db, &sets[i].query[k]) && stmt_prepare(db, &sets[i].query[k], &st, err) != 0)
                return -1;
    return 0;
}

/* ---- running ------------------------------------------------------------------- */

int db_exec(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
            int64_t *changed, struct err *err)
{
    struct db_stmt *st;

    if (q->out[0] != '\0')
        return err_set(err, ERR_INTERNAL, "%s: returns rows", q->name);
    if (stmt_start(db, q, in, n_in, false, &st, err) != 0)
        return -1;
    int rc = db->driver->next(db, st->state, err);
    int64_t n = rc == 0 ? db->driver->changed(db, st->state) : 0;
    stmt_reset(db, st);
    if (rc != 0)
        return rc > 0 ? err_set(err, ERR_INTERNAL, "%s: returned a row", q->name)
                      : db_call_failed(db, q->name, err);
    if (changed != NULL)
        *changed = n;
    return 0;
}

int db_rows_open(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
                 struct db_rows *rows, struct err *err)
{
    struct db_stmt *st;

    *rows = (struct db_rows){ 0 };
    if (stmt_start(db, q, in, n_in, true, &st, err) != 0)
        return -1;
    *rows = (struct db_rows){ db, st, q, st->serial };
    return 0;
}

/* NULL when the transaction that had it has ended. */
static struct db_stmt *stmt_of(const struct db_rows *rows)
{
    struct db_stmt *st = rows->state;

    return st != NULL && st->open && st->serial == rows->serial ? st : NULL;
}

int db_rows_next(struct db_rows *rows, struct err *err)
{
    struct db_stmt *st = stmt_of(rows);

    if (st == NULL)
        return err_set(err, ERR_INTERNAL, "%s: rows used after their transaction", rows->q ? rows->q->name : "rows");
    if (db_refuse_if_failed(rows->db, err) != 0)
        return -1;
    int rc = rows->db->driver->next(rows->db, st->state, err);
    return rc < 0 ? db_call_failed(rows->db, rows->q->name, err) : rc;
}

void db_rows_close(struct db_rows *rows)
{
    struct db_stmt *st = stmt_of(rows);

    if (st != NULL)
        stmt_reset(rows->db, st);
    *rows = (struct db_rows){ 0 };
}

int db_row(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
           struct db_rows *rows, struct err *err)
{
    if (db_rows_open(db, q, in, n_in, rows, err) != 0)
        return -1;
    int rc = db_rows_next(rows, err);
    if (rc != 1)
        db_rows_close(rows);
    return rc;
}

int db_int(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
           int64_t otherwise, int64_t *out, struct err *err)
{
    struct db_rows rows;
    int rc = db_row(db, q, in, n_in, &rows, err);

    if (rc < 0)
        return -1;
    *out = rc == 0 || db_col_is_null(&rows, 0) ? otherwise : db_col_i(&rows, 0);
    db_rows_close(&rows);
    return 0;
}

/* ---- columns: the wrong letter is our mistake --------------------------------------- */

static struct db_value column(const struct db_rows *rows, int col, char letter)
{
    struct db_stmt *st = stmt_of(rows);
    struct db_value v = { 0 };

    assert(st != NULL && col >= 0 && (size_t)col < strlen(rows->q->out));
    assert(letter == 0 || rows->q->out[col] == letter);
    v.letter = rows->q->out[col];
    rows->db->driver->column(rows->db, st->state, col, &v);
    return v;
}

bool db_col_is_null(const struct db_rows *rows, int col)
{
    return column(rows, col, 0).null;
}

int64_t db_col_i(const struct db_rows *rows, int col)
{
    struct db_value v = column(rows, col, 'i');

    return v.null ? 0 : v.i;
}

int64_t db_col_time(const struct db_rows *rows, int col)
{
    struct db_value v = column(rows, col, 'i');

    return v.null ? INT64_MIN : v.i;
}

const char *db_col_t(const struct db_rows *rows, int col)
{
    struct db_value v = column(rows, col, 't');

    return v.null ? NULL : v.ptr;
}

struct bytes db_col_b(const struct db_rows *rows, int col)
{
    struct db_value v = column(rows, col, 'b');

    return v.null ? (struct bytes){ NULL, 0 } : (struct bytes){ v.ptr, v.len };
}

char *db_col_text(const struct db_rows *rows, int col, struct arena *arena, bool *failed)
{
    struct db_value v = column(rows, col, 't');

    if (v.null)
        return NULL;
    char *copy = arena_strndup(arena, v.ptr, v.len);
    if (copy == NULL)
        *failed = true;
    return copy;
}
