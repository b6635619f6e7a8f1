/* sqlite.c - the SQLite driver: statements and transactions.
 *
 * SQLite is asked to be as strict as PostgreSQL: a column that is not of the
 * type its letter promises is an error, not a conversion. */
#include "db/sqlite.h"

#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sqlite_stmt {
    sqlite3_stmt *s;
    const struct db_query *q;
    int n_out;
};

/* ---- errors ------------------------------------------------------------------ */

static enum err_kind kind_of(int extended, int os_error)
{
    /* Exact extended codes first, then primary codes. */
    static const struct { int code; enum err_kind kind; } table[] = {
        { SQLITE_CONSTRAINT_UNIQUE,     ERR_CONFLICT },
        { SQLITE_CONSTRAINT_PRIMARYKEY, ERR_CONFLICT },
        { SQLITE_CONSTRAINT_ROWID,      ERR_CONFLICT },
        { SQLITE_CONSTRAINT,            ERR_INVALID },
        { SQLITE_BUSY,                  ERR_UNAVAILABLE },
        { SQLITE_LOCKED,                ERR_UNAVAILABLE },
        { SQLITE_PROTOCOL,              ERR_UNAVAILABLE },
        { SQLITE_IOERR,                 ERR_UNAVAILABLE },
        { SQLITE_CANTOPEN,              ERR_UNAVAILABLE },
        { SQLITE_NOMEM,                 ERR_UNAVAILABLE },
        { SQLITE_CORRUPT,               ERR_UNAVAILABLE },
        { SQLITE_NOTADB,                ERR_UNAVAILABLE },
        { SQLITE_FULL,                  ERR_STORAGE_FULL },
        { SQLITE_TOOBIG,                ERR_TOO_LARGE },
        { SQLITE_INTERRUPT,             ERR_TIMEOUT },
    };

    if ((extended == SQLITE_IOERR_SHMSIZE || extended == SQLITE_IOERR_WRITE) &&
        (os_error == ENOSPC || os_error == EDQUOT))
        return ERR_STORAGE_FULL;
    for (size_t i = 0; i < N_ITEMS(table); i++)
        if (extended == table[i].code || (extended & 0xff) == table[i].code)
            return table[i].kind;
    return ERR_INTERNAL;
}

/* What was acknowledged, or will be read, can no longer be trusted. */
static bool is_breaking(int extended)
{
    int primary = extended & 0xff;

    return extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC ||
           primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

int sqlite_fail(struct sqlite_db *d, int rc, struct err *err)
{
    int extended = d->h != NULL ? sqlite3_extended_errcode(d->h) : rc;

    /* A misuse leaves the previous error on the connection. */
    if ((extended & 0xff) != (rc & 0xff))
        extended = rc;
    if (is_breaking(extended))
        d->base.broken = true;
    enum err_kind kind = kind_of(extended, d->h != NULL ? sqlite3_system_errno(d->h) : 0);
    const char *text = kind == ERR_TIMEOUT ? "time budget spent" :
                       extended == rc && d->h == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(d->h);
    return err_set(err, kind, "%s (SQLite %d)", text, extended);
}

/* ---- statements -------------------------------------------------------------- */

static int check_parameters(const struct sqlite_stmt *st, struct err *err)
{
    int n = sqlite3_bind_parameter_count(st->s);

    if ((size_t)n != strlen(st->q->in))
        return err_set(err, ERR_INTERNAL, "takes %d parameters, its letters say %zu", n, strlen(st->q->in));
    for (int i = 1; i <= n; i++) {
        char want[16];
        snprintf(want, sizeof want, "$%d", i);
        const char *name = sqlite3_bind_parameter_name(st->s, i);
        if (!str_eq(name, want))
            return err_set(err, ERR_INTERNAL, "parameter %d is called %s, must be %s", i, name ? name : "?", want);
    }
    return 0;
}

/* Only plain columns have a declared type; the rest is checked row by row. */
static int check_columns(const struct sqlite_stmt *st, struct err *err)
{
    static const struct { char letter; const char *type; } table[] = {
        { 'i', "INTEGER" }, { 't', "TEXT" }, { 'b', "BLOB" },
    };

    if ((size_t)st->n_out != strlen(st->q->out))
        return err_set(err, ERR_INTERNAL, "returns %d columns, its letters say %zu", st->n_out, strlen(st->q->out));
    for (int i = 0; i < st->n_out; i++) {
        const char *type = sqlite3_column_decltype(st->s, i);
        for (size_t k = 0; type != NULL && k < N_ITEMS(table); k++)
            if (st->q->out[i] == table[k].letter && !str_eq_nocase(type, table[k].type))
                return err_set(err, ERR_INTERNAL, "column %d is %s, its letter says %s", i + 1, type, table[k].type);
    }
    return 0;
}

static void finish(struct db *db, void *stmt)
{
    struct sqlite_stmt *st = stmt;

    (void)db;
    sqlite3_finalize(st->s);
    free(st);
}

static int prepare(struct db *db, const struct db_query *q, void **stmt, struct err *err)
{
    struct sqlite_db *d = (struct sqlite_db *)db;
    struct sqlite_stmt *st = calloc(1, sizeof *st);
    const char *rest = "";

    if (st == NULL)
        return err_nomem(err);
    st->q = q;
    int rc = sqlite3_prepare_v3(d->h, q->sql, -1, SQLITE_PREPARE_PERSISTENT, &st->s, &rest);
    if (rc != SQLITE_OK)
        sqlite_fail(d, rc, err);
    else if (st->s == NULL || *rest != '\0')
        rc = err_set(err, ERR_INTERNAL, "not exactly one statement");
    else if ((st->n_out = sqlite3_column_count(st->s)), check_parameters(st, err) != 0 || check_columns(st, err) != 0)
        rc = -1;
    if (rc != SQLITE_OK) {
        finish(db, st);
        return -1;
    }
    *stmt = st;
    return 0;
}

static int bind(sqlite3_stmt *s, int i, const struct db_value *v, bool copy)
{
    sqlite3_destructor_type life = copy ? SQLITE_TRANSIENT : SQLITE_STATIC;

    if (v->null)
        return sqlite3_bind_null(s, i);
    switch (v->letter) {
    case 'i': return sqlite3_bind_int64(s, i, v->i);
    case 't': return sqlite3_bind_text64(s, i, v->ptr, strlen(v->ptr), life, SQLITE_UTF8);
    default:  return sqlite3_bind_blob64(s, i, v->ptr, v->len, life);
    }
}

static int start(struct db *db, void *stmt, const struct db_value *in, size_t n, bool copy, struct err *err)
{
    struct sqlite_stmt *st = stmt;

    for (size_t i = 0; i < n; i++) {
        int rc = bind(st->s, (int)i + 1, &in[i], copy);
        if (rc != SQLITE_OK)
            return sqlite_fail((struct sqlite_db *)db, rc, err);
    }
    return 0;
}

static int check_row(const struct sqlite_stmt *st, struct err *err)
{
    for (int i = 0; i < st->n_out; i++) {
        char letter = st->q->out[i];
        int type = sqlite3_column_type(st->s, i);
        if (type != SQLITE_NULL &&
            type != (letter == 'i' ? SQLITE_INTEGER : letter == 't' ? SQLITE_TEXT : SQLITE_BLOB))
            return err_set(err, ERR_INTERNAL, "column %d is not of its letter's type '%c'", i + 1, letter);
        if (type == SQLITE_TEXT &&
            memchr(sqlite3_column_text(st->s, i), '\0', (size_t)sqlite3_column_bytes(st->s, i)) != NULL)
            return err_set(err, ERR_INTERNAL, "column %d contains a NUL", i + 1);
    }
    return 0;
}

static int next(struct db *db, void *stmt, struct err *err)
{
    struct sqlite_stmt *st = stmt;
    int rc = sqlite3_step(st->s);

    if (rc == SQLITE_DONE)
        return 0;
    if (rc != SQLITE_ROW)
        return sqlite_fail((struct sqlite_db *)db, rc, err);
    return check_row(st, err) == 0 ? 1 : -1;
}

static void column(struct db *db, void *stmt, int col, struct db_value *out)
{
    struct sqlite_stmt *st = stmt;

    (void)db;
    out->null = sqlite3_column_type(st->s, col) == SQLITE_NULL;
    if (out->null)
        return;
    if (st->q->out[col] == 'i') {
        out->i = sqlite3_column_int64(st->s, col);
        return;
    }
    out->ptr = st->q->out[col] == 't' ? (const void *)sqlite3_column_text(st->s, col) : sqlite3_column_blob(st->s, col);
    out->len = (size_t)sqlite3_column_bytes(st->s, col);
    if (out->ptr == NULL)
        out->ptr = "";                              /* an empty blob is not NULL */
}

static int64_t changed(struct db *db, void *stmt)
{
    const struct sqlite_stmt *st = stmt;

    /* sqlite3_changes still holds the number of the statement before a read. */
    return sqlite3_stmt_readonly(st->s) ? 0 : sqlite3_changes64(((struct sqlite_db *)db)->h);
}

static void reset(struct db *db, void *stmt)
{
    struct sqlite_stmt *st = stmt;

    (void)db;
    sqlite3_reset(st->s);
    sqlite3_clear_bindings(st->s);                  /* borrowed pointers must not stay */
}

/* ---- transactions -------------------------------------------------------------- */

static int control(struct sqlite_db *d, enum control which, struct err *err)
{
    d->is_control = true;
    int rc = sqlite3_step(d->control[which]);
    if (rc != SQLITE_DONE)
        sqlite_fail(d, rc, err);
    sqlite3_reset(d->control[which]);
    d->is_control = false;
    return rc == SQLITE_DONE ? 0 : -1;
}

static void rollback(struct db *db)
{
    struct sqlite_db *d = (struct sqlite_db *)db;
    struct err ignored;

    if (!sqlite3_get_autocommit(d->h))
        control(d, CONTROL_ROLLBACK, &ignored);
}

/* A read's snapshot is taken at its first statement. */
static int begin(struct db *db, bool write, struct err *err)
{
    struct sqlite_db *d = (struct sqlite_db *)db;

    if (d->budget_ms > 0)
        d->deadline_ms = time_monotonic_ms() + d->budget_ms;
    return control(d, write ? CONTROL_BEGIN_WRITE : CONTROL_BEGIN_READ, err);
}

static int point(struct db *db, enum db_point what, struct err *err)
{
    static const enum control table[] = {
        [DB_POINT_SET] = CONTROL_SAVEPOINT, [DB_POINT_RELEASE] = CONTROL_RELEASE, [DB_POINT_BACK] = CONTROL_ROLLBACK_TO,
    };
    struct sqlite_db *d = (struct sqlite_db *)db;

    if (control(d, table[what], err) != 0)
        return -1;
    /* Rolling back to a savepoint leaves it open. */
    return what == DB_POINT_BACK ? control(d, CONTROL_RELEASE, err) : 0;
}

static int commit(struct db *db, struct err *err)
{
    if (control((struct sqlite_db *)db, CONTROL_COMMIT, err) == 0)
        return 0;
    rollback(db);
    return -1;
}

static bool in_tx(struct db *db)
{
    return !sqlite3_get_autocommit(((struct sqlite_db *)db)->h);
}

const struct db_driver db_sqlite = {
    .name = "sqlite", .open = sqlite_open, .close = sqlite_close,
    .prepare = prepare, .finish = finish, .start = start, .next = next, .column = column,
    .changed = changed, .reset = reset,
    .begin = begin, .point = point, .commit = commit, .rollback = rollback, .in_tx = in_tx,
    .budget = sqlite_budget, .checkpoint = sqlite_checkpoint, .wal_bytes = sqlite_wal_bytes,
    .size_bytes = sqlite_size_bytes, .data_version = sqlite_data_version, .verify = sqlite_verify, .backup = sqlite_backup,
    .script = sqlite_script, .explain = sqlite_explain,
};
