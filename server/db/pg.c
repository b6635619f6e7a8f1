/* pg.c - the PostgreSQL driver: statements and transactions.
 *
 * Everything travels in binary: text is its bytes, int64 eight of them in network
 * order.  A result is fetched whole (libpq cannot have two open otherwise), so
 * queries that may return much have a LIMIT.
 *
 * A connection that is lost makes the running call fail; the next begin connects
 * anew, and statements are prepared again when they are next used (`generation`
 * tells them).  After a failed attempt begin fails at once for RETRY_MS. */
#include "db/pg.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OID_BYTEA = 17, OID_NAME = 19, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25,
       OID_BPCHAR = 1042, OID_VARCHAR = 1043 };

/* "keep": one writer among all processes that share the database. */
#define WRITE_LOCK "1801807216"

/* ---- errors --------------------------------------------------------------------- */

/* By SQLSTATE prefix; the first that fits. */
static enum err_kind kind_of(const char *state)
{
    static const struct { const char *prefix; enum err_kind kind; } table[] = {
        { "23505", ERR_CONFLICT },      /* unique_violation */
        { "23",    ERR_INVALID },       /* other constraints */
        { "22021", ERR_INVALID },       /* not UTF-8, or a NUL */
        { "40",    ERR_UNAVAILABLE },   /* serialisation, deadlock */
        { "55P03", ERR_UNAVAILABLE },   /* lock not to be had in time */
        { "57014", ERR_TIMEOUT },       /* statement_timeout */
        { "53100", ERR_STORAGE_FULL },
        { "53",    ERR_UNAVAILABLE },   /* too many connections, out of memory */
        { "54",    ERR_TOO_LARGE },     /* program limits: an index row, a value */
        { "57",    ERR_UNAVAILABLE },   /* shutting down, starting up */
        { "58",    ERR_UNAVAILABLE },   /* I/O */
        { "08",    ERR_UNAVAILABLE },
        { "25P03", ERR_UNAVAILABLE },   /* idle too long in a transaction */
        { "28",    ERR_UNAVAILABLE },   /* refused to let us in */
        { "3D",    ERR_UNAVAILABLE },   /* no such database */
        { "XX",    ERR_UNAVAILABLE },   /* damaged data, server bug */
    };

    for (size_t i = 0; i < N_ITEMS(table); i++)
        if (str_starts(state, table[i].prefix))
            return table[i].kind;
    return ERR_INTERNAL;
}

void pg_connection_text(PGconn *c, char *out, size_t size)
{
    const char *text = c != NULL ? PQerrorMessage(c) : "out of memory";

    snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
}

/* Always -1.  Only the primary message: details contain values. */
int pg_fail(struct pg_db *d, const PGresult *res, struct err *err)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    char lost[160];

    if (state != NULL && PQstatus(d->c) == CONNECTION_OK)
        return err_set(err, kind_of(state), "%s (PostgreSQL %s)", text != NULL ? text : "?", state);
    pg_connection_text(d->c, lost, sizeof lost);
    return err_set(err, ERR_UNAVAILABLE, "PostgreSQL: %s", text != NULL ? text : lost);
}

bool pg_is_ok(const PGresult *res)
{
    ExecStatusType s = PQresultStatus(res);

    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

int pg_run(struct pg_db *d, const char *sql, struct err *err)
{
    PGresult *res = PQexec(d->c, sql);
    int rc = pg_is_ok(res) ? 0 : pg_fail(d, res, err);

    PQclear(res);
    return rc;
}

/* ---- statements ----------------------------------------------------------------------- */

static bool type_fits(char letter, Oid type)
{
    switch (letter) {
    case 'i': return type == OID_INT8 || type == OID_INT4 || type == OID_INT2;
    case 't': return type == OID_TEXT || type == OID_VARCHAR || type == OID_BPCHAR || type == OID_NAME;
    default:  return type == OID_BYTEA;
    }
}

static int check_columns(const struct db_query *q, const PGresult *about, struct err *err)
{
    int n = PQnfields(about);

    if ((size_t)n != strlen(q->out))
        return err_set(err, ERR_INTERNAL, "returns %d columns, its letters say %zu", n, strlen(q->out));
    for (int i = 0; i < n; i++)
        if (!type_fits(q->out[i], PQftype(about, i)))
            return err_set(err, ERR_INTERNAL, "column %d has type %u, its letter says '%c'",
                           i + 1, (unsigned)PQftype(about, i), q->out[i]);
    return 0;
}

int pg_stmt_prepare(struct pg_db *d, struct pg_stmt *st, struct err *err)
{
    Oid types[DB_PARAMS_MAX];
    int n = (int)strlen(st->q->in);

    for (int i = 0; i < n; i++)
        types[i] = st->q->in[i] == 'i' ? OID_INT8 : st->q->in[i] == 't' ? OID_TEXT : OID_BYTEA;
    PGresult *res = PQprepare(d->c, st->name, st->q->sql, n, types);
    int rc = pg_is_ok(res) ? 0 : pg_fail(d, res, err);
    PQclear(res);
    if (rc != 0)
        return -1;
    res = PQdescribePrepared(d->c, st->name);
    rc = pg_is_ok(res) ? check_columns(st->q, res, err) : pg_fail(d, res, err);
    PQclear(res);
    if (rc == 0)
        st->generation = d->generation;
    return rc;
}

static int prepare(struct db *db, const struct db_query *q, void **stmt, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;
    struct pg_stmt *st = calloc(1, sizeof *st);

    if (st == NULL)
        return err_nomem(err);
    st->q = q;
    snprintf(st->name, sizeof st->name, "q%u", d->next_name++);
    if (pg_stmt_prepare(d, st, err) != 0) {
        free(st);
        return -1;
    }
    *stmt = st;
    return 0;
}

static void reset(struct db *db, void *stmt)
{
    struct pg_stmt *st = stmt;

    (void)db;
    PQclear(st->res);
    st->res = NULL;
}

/* The server forgets its statements with the connection. */
static void finish(struct db *db, void *stmt)
{
    reset(db, stmt);
    free(stmt);
}

struct params {
    const char *ptr[DB_PARAMS_MAX];
    int len[DB_PARAMS_MAX], format[DB_PARAMS_MAX];
    int64_t big_endian[DB_PARAMS_MAX];
};

static int params_fill(struct params *p, const struct db_value *in, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = in[i].letter == 'i' ? 8 : in[i].letter == 't' && !in[i].null ? strlen(in[i].ptr) : in[i].len;
        if (len > INT32_MAX)
            return err_set(err, ERR_TOO_LARGE, "parameter %zu has %zu bytes", i + 1, len);
        p->format[i] = 1;
        p->len[i] = (int)len;
        p->big_endian[i] = (int64_t)htobe64((uint64_t)in[i].i);
        p->ptr[i] = in[i].null ? NULL : in[i].letter == 'i' ? (const char *)&p->big_endian[i] : in[i].ptr;
    }
    return 0;
}

/* Whether the connection is fit for use outside a transaction, where every call stands alone. */
static int ready(struct pg_db *d, struct err *err)
{
    if (PQstatus(d->c) == CONNECTION_OK)
        return 0;
    if (d->is_in_tx)
        return err_set(err, ERR_UNAVAILABLE, "PostgreSQL: the connection was lost");
    return pg_connect_again(d, err);
}

static int start(struct db *db, void *stmt, const struct db_value *in, size_t n, bool copy, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;
    struct pg_stmt *st = stmt;
    struct params p;

    (void)copy;
    if (ready(d, err) != 0 || params_fill(&p, in, n, err) != 0 ||
        (st->generation != d->generation && pg_stmt_prepare(d, st, err) != 0))
        return -1;
    st->row = -1;
    st->res = PQexecPrepared(d->c, st->name, (int)n, p.ptr, p.len, p.format, 1);
    return pg_is_ok(st->res) ? 0 : pg_fail(d, st->res, err);
}

static int next(struct db *db, void *stmt, struct err *err)
{
    struct pg_stmt *st = stmt;

    (void)db, (void)err;
    if (st->row + 1 >= PQntuples(st->res))
        return 0;
    st->row++;
    return 1;
}

static int64_t decode_int(const char *p, int len)
{
    uint64_t u = 0;

    for (int i = 0; i < len; i++)
        u = u << 8 | (unsigned char)p[i];
    return len == 2 ? (int16_t)u : len == 4 ? (int32_t)u : (int64_t)u;
}

static void column(struct db *db, void *stmt, int col, struct db_value *out)
{
    const struct pg_stmt *st = stmt;

    (void)db;
    out->null = PQgetisnull(st->res, st->row, col) != 0;
    if (out->null)
        return;
    const char *p = PQgetvalue(st->res, st->row, col);
    int len = PQgetlength(st->res, st->row, col);
    if (st->q->out[col] == 'i') {
        out->i = decode_int(p, len);
        return;
    }
    out->ptr = p;
    out->len = (size_t)len;
}

static int64_t changed(struct db *db, void *stmt)
{
    struct pg_stmt *st = stmt;
    int64_t n = 0;

    (void)db;
    return PQresultStatus(st->res) == PGRES_COMMAND_OK && str_to_i64(PQcmdTuples(st->res), 0, INT64_MAX, &n) ? n : 0;
}

/* ---- transactions -------------------------------------------------------------------------- */

static void rollback(struct db *db)
{
    struct pg_db *d = (struct pg_db *)db;
    struct err ignored;

    d->is_in_tx = false;
    if (PQstatus(d->c) == CONNECTION_OK && PQtransactionStatus(d->c) != PQTRANS_IDLE)
        pg_run(d, "ROLLBACK", &ignored);
}

static int begin_now(struct db *db, const char *sql, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;

    rollback(db);
    if (pg_run(d, sql, err) != 0) {
        rollback(db);
        return -1;
    }
    d->is_in_tx = true;
    d->is_released = false;
    return 0;
}

/* A server that went away while we were idle shows only here: nothing has been
 * done yet, so once more on a new connection is safe. */
static int begin(struct db *db, bool write, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;
    const char *sql = write ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
                              "SELECT pg_advisory_xact_lock(" WRITE_LOCK ")"
                            : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    if (PQstatus(d->c) == CONNECTION_OK) {
        int rc = begin_now(db, sql, err);
        if (rc == 0 || PQstatus(d->c) == CONNECTION_OK)
            return rc;
    }
    return pg_connect_again(d, err) == 0 ? begin_now(db, sql, err) : -1;
}

/* A round trip saved per job: a savepoint that is done with is released together
 * with the next one, or by COMMIT. */
static int point(struct db *db, enum db_point what, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;
    int rc = 0;

    if (what == DB_POINT_SET)
        rc = pg_run(d, d->is_released ? "RELEASE SAVEPOINT job; SAVEPOINT job" : "SAVEPOINT job", err);
    else if (what == DB_POINT_BACK)
        rc = pg_run(d, "ROLLBACK TO SAVEPOINT job", err);
    if (rc == 0)
        d->is_released = what != DB_POINT_SET;
    return rc;
}

static int commit(struct db *db, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;
    PGresult *res = PQexec(d->c, "COMMIT");
    /* A failed transaction answers COMMIT with "ROLLBACK", and success. */
    int rc = !pg_is_ok(res) ? pg_fail(d, res, err) :
             !str_eq(PQcmdStatus(res), "COMMIT") ? err_set(err, ERR_INTERNAL, "was rolled back: a statement had failed") : 0;

    PQclear(res);
    d->is_in_tx = false;
    if (PQstatus(d->c) != CONNECTION_OK)
        return err_prefix(err, "unknown outcome");
    rollback(db);
    return rc;
}

static bool in_tx(struct db *db)
{
    PGTransactionStatusType s = PQtransactionStatus(((struct pg_db *)db)->c);

    return s == PQTRANS_INTRANS || s == PQTRANS_INERROR;
}

const struct db_driver db_postgres = {
    .name = "postgresql", .open = pg_open, .close = pg_close,
    .prepare = prepare, .finish = finish, .start = start, .next = next, .column = column,
    .changed = changed, .reset = reset,
    .begin = begin, .point = point, .commit = commit, .rollback = rollback, .in_tx = in_tx,
    .budget = pg_budget, .checkpoint = pg_checkpoint, .wal_bytes = pg_wal_bytes, .size_bytes = pg_size_bytes,
    .verify = pg_verify, .backup = pg_backup, .script = pg_script, .explain = pg_explain,
};
