/* pg.c - the PostgreSQL driver; the only file that sees libpq.
 *
 * Everything travels in binary: text is its bytes, int64 eight of them in network
 * order.  A result is fetched whole (libpq cannot have two open otherwise), so
 * queries that may return much have a LIMIT.
 *
 * A connection that is lost makes the running call fail; the next begin connects
 * anew, and statements are prepared again when they are next used (`generation`
 * tells them).  After a failed attempt begin fails at once for RETRY_MS. */
#include "db/driver.h"

#include "base/buf.h"
#include "base/time.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 500, REPORT_MAX = 64 * 1024 };
enum { OID_BYTEA = 17, OID_NAME = 19, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25,
       OID_BPCHAR = 1042, OID_VARCHAR = 1043 };

/* "keep": one writer among all processes that share the database. */
#define WRITE_LOCK "1801807216"

struct pg_db {
    struct db base;
    PGconn *c;
    char *url;
    unsigned generation;           /* of the connection */
    unsigned next_name;
    int64_t retry_at_ms, budget_ms;
    bool is_in_tx;                 /* between begin and commit or rollback, lost or not */
    bool is_released;              /* the savepoint is to be released with the next one */
};

struct pg_stmt {
    const struct db_query *q;
    char name[24];
    unsigned generation;           /* of the connection it is prepared on; 0 none */
    PGresult *res;
    int row;
};

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

static void connection_text(PGconn *c, char *out, size_t size)
{
    const char *text = c != NULL ? PQerrorMessage(c) : "out of memory";

    snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
}

/* Always -1.  Only the primary message: details contain values. */
static int fail(struct pg_db *d, const PGresult *res, struct err *err)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    char lost[160];

    if (state != NULL && PQstatus(d->c) == CONNECTION_OK)
        return err_set(err, kind_of(state), "%s (PostgreSQL %s)", text != NULL ? text : "?", state);
    connection_text(d->c, lost, sizeof lost);
    return err_set(err, ERR_UNAVAILABLE, "PostgreSQL: %s", text != NULL ? text : lost);
}

static bool is_ok(const PGresult *res)
{
    ExecStatusType s = PQresultStatus(res);

    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

static int run(struct pg_db *d, const char *sql, struct err *err)
{
    PGresult *res = PQexec(d->c, sql);
    int rc = is_ok(res) ? 0 : fail(d, res, err);

    PQclear(res);
    return rc;
}

/* ---- connections -------------------------------------------------------------------- */

static void hush(void *arg, const char *message)
{
    (void)arg, (void)message;
}

static int set_budget(struct pg_db *d, struct err *err)
{
    char sql[64];

    snprintf(sql, sizeof sql, "SET statement_timeout = %lld", (long long)d->budget_ms);
    return run(d, sql, err);
}

static int set_session(struct pg_db *d, struct err *err)
{
    char sql[512];

    snprintf(sql, sizeof sql,
             "SET client_min_messages = warning; SET standard_conforming_strings = on; SET jit = off;"
             "SET synchronous_commit = on; SET idle_in_transaction_session_timeout = '120s'; SET lock_timeout = %d;"
             "SET default_transaction_read_only = %s",
             d->base.mode == DB_MIGRATOR ? DB_MIGRATE_BUSY_MS : DB_BUSY_MS,
             d->base.mode == DB_READER ? "on" : "off");
    return run(d, sql, err) == 0 ? set_budget(d, err) : -1;
}

/* What stands before the URL is a default, what stands behind it is final. */
static int connect_now(struct pg_db *d, struct err *err)
{
    static const char *const keys[] = {
        "connect_timeout", "keepalives_idle", "tcp_user_timeout", "fallback_application_name",
        "dbname", "client_encoding", NULL,
    };
    const char *const values[] = { "5", "30", "20000", "keepd", d->url, "UTF8", NULL };
    char text[160];

    PQfinish(d->c);
    d->c = PQconnectdbParams(keys, values, 1);
    if (PQstatus(d->c) != CONNECTION_OK) {
        d->retry_at_ms = time_monotonic_ms() + RETRY_MS;
        connection_text(d->c, text, sizeof text);
        return err_set(err, ERR_UNAVAILABLE, "PostgreSQL: %s", text);
    }
    PQsetErrorVerbosity(d->c, PQERRORS_TERSE);
    PQsetNoticeProcessor(d->c, hush, NULL);
    d->generation++;
    if (set_session(d, err) == 0)
        return 0;
    PQfinish(d->c);                /* half set up is not fit for use */
    d->c = NULL;
    return -1;
}

static int connect_again(struct pg_db *d, struct err *err)
{
    if (time_monotonic_ms() < d->retry_at_ms)
        return err_set(err, ERR_UNAVAILABLE, "PostgreSQL: not reachable a moment ago");
    return connect_now(d, err);
}

static void pg_close(struct db *db)
{
    struct pg_db *d = (struct pg_db *)db;

    PQfinish(d->c);
    free(d->url);
    free(d);
}

static int pg_open(const char *url, enum db_mode mode, struct db **out, struct err *err)
{
    struct pg_db *d = calloc(1, sizeof *d);

    if (d == NULL || (d->url = strdup(url)) == NULL) {
        free(d);
        return err_nomem(err);
    }
    d->base.is_postgres = true;
    d->base.mode = mode;
    if (connect_now(d, err) != 0) {
        pg_close(&d->base);
        return -1;
    }
    *out = &d->base;
    return 0;
}

static void budget(struct db *db, int64_t ms)
{
    struct pg_db *d = (struct pg_db *)db;
    struct err ignored;

    /* When this fails the connection is lost, and the next one is told. */
    d->budget_ms = ms;
    set_budget(d, &ignored);
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

static int stmt_prepare(struct pg_db *d, struct pg_stmt *st, struct err *err)
{
    Oid types[DB_PARAMS_MAX];
    int n = (int)strlen(st->q->in);

    for (int i = 0; i < n; i++)
        types[i] = st->q->in[i] == 'i' ? OID_INT8 : st->q->in[i] == 't' ? OID_TEXT : OID_BYTEA;
    PGresult *res = PQprepare(d->c, st->name, st->q->sql, n, types);
    int rc = is_ok(res) ? 0 : fail(d, res, err);
    PQclear(res);
    if (rc != 0)
        return -1;
    res = PQdescribePrepared(d->c, st->name);
    rc = is_ok(res) ? check_columns(st->q, res, err) : fail(d, res, err);
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
    if (stmt_prepare(d, st, err) != 0) {
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
    return connect_again(d, err);
}

static int start(struct db *db, void *stmt, const struct db_value *in, size_t n, bool copy, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;
    struct pg_stmt *st = stmt;
    struct params p;

    (void)copy;
    if (ready(d, err) != 0 || params_fill(&p, in, n, err) != 0 ||
        (st->generation != d->generation && stmt_prepare(d, st, err) != 0))
        return -1;
    st->row = -1;
    st->res = PQexecPrepared(d->c, st->name, (int)n, p.ptr, p.len, p.format, 1);
    return is_ok(st->res) ? 0 : fail(d, st->res, err);
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
        run(d, "ROLLBACK", &ignored);
}

static int begin_now(struct db *db, const char *sql, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;

    rollback(db);
    if (run(d, sql, err) != 0) {
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
    return connect_again(d, err) == 0 ? begin_now(db, sql, err) : -1;
}

/* A round trip saved per job: a savepoint that is done with is released together
 * with the next one, or by COMMIT. */
static int point(struct db *db, enum db_point what, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;
    int rc = 0;

    if (what == DB_POINT_SET)
        rc = run(d, d->is_released ? "RELEASE SAVEPOINT job; SAVEPOINT job" : "SAVEPOINT job", err);
    else if (what == DB_POINT_BACK)
        rc = run(d, "ROLLBACK TO SAVEPOINT job", err);
    if (rc == 0)
        d->is_released = what != DB_POINT_SET;
    return rc;
}

static int commit(struct db *db, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;
    PGresult *res = PQexec(d->c, "COMMIT");
    /* A failed transaction answers COMMIT with "ROLLBACK", and success. */
    int rc = !is_ok(res) ? fail(d, res, err) :
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

/* ---- upkeep ------------------------------------------------------------------------------------ */

static int checkpoint(struct db *db, bool truncate, struct err *err)
{
    (void)db, (void)truncate, (void)err;
    return 0;                                /* the server's own business */
}

static int64_t wal_bytes(const struct db *db)
{
    (void)db;
    return 0;
}

static int64_t size_bytes(struct db *db)
{
    PGresult *res = PQexec(((struct pg_db *)db)->c, "SELECT pg_database_size(current_database())");
    int64_t n = -1;

    if (PQntuples(res) != 1 || !str_to_i64(PQgetvalue(res, 0, 0), 0, INT64_MAX, &n))
        n = -1;
    PQclear(res);
    return n;
}

/* The first column of every row, a line each. */
static int lines_of(struct pg_db *d, const char *sql, struct arena *arena, char **out, struct err *err)
{
    PGresult *res = PQexec(d->c, sql);
    struct buf text;
    char *copy = NULL;

    buf_init(&text, REPORT_MAX);
    for (int i = 0; i < PQntuples(res); i++)
        buf_printf(&text, "%s\n", PQgetvalue(res, i, 0));
    if (!is_ok(res))
        fail(d, res, err);
    else if (text.failed || (copy = arena_strndup(arena, text.len > 0 ? text.ptr : "", text.len)) == NULL)
        err_nomem(err);
    PQclear(res);
    buf_free(&text);
    if (copy == NULL)
        return -1;
    *out = copy;
    return 0;
}

/* PostgreSQL guards its own pages; what it can lack is an index or a constraint
 * that somebody left half-made. */
static int verify(struct db *db, struct arena *arena, char **report, struct err *err)
{
    return lines_of((struct pg_db *)db,
                    "SELECT 'index ' || indexrelid::regclass || ' is not valid' FROM pg_index WHERE NOT indisvalid"
                    " UNION ALL SELECT 'constraint ' || conname || ' is not validated' FROM pg_constraint"
                    " WHERE NOT convalidated", arena, report, err);
}

static int backup(struct db *db, const char *file, struct err *err)
{
    (void)db;
    return err_set(err, ERR_UNPROCESSABLE, "PostgreSQL is backed up with its own tool: "
                   "pg_dump --format=custom --file=%s <database url>", file);
}

static int script(struct db *db, const char *sql, struct err *err)
{
    return run((struct pg_db *)db, sql, err);
}

static int explain(struct db *db, const struct db_query *q, struct arena *arena, char **plan, struct err *err)
{
    struct pg_db *d = (struct pg_db *)db;
    struct pg_stmt st = { .q = q, .name = "explain" };
    size_t n = strlen(q->in);
    struct err ignored;
    struct buf sql;

    buf_init(&sql, 1024);
    buf_puts(&sql, "EXPLAIN (COSTS OFF) EXECUTE explain");
    for (size_t i = 0; i < n; i++)
        buf_puts(&sql, i == 0 ? "(NULL" : ", NULL");
    buf_puts(&sql, n > 0 ? ")" : "");
    /* Without this the planner would use that all parameters are NULL. */
    int rc = run(d, "SET plan_cache_mode = force_generic_plan", err);
    if (rc == 0 && (rc = stmt_prepare(d, &st, err)) == 0)
        rc = sql.failed ? err_nomem(err) : lines_of(d, sql.ptr, arena, plan, err);
    run(d, "DEALLOCATE explain", &ignored);
    run(d, "RESET plan_cache_mode", &ignored);
    buf_free(&sql);
    return rc;
}

const struct db_driver db_postgres = {
    .name = "postgresql", .open = pg_open, .close = pg_close,
    .prepare = prepare, .finish = finish, .start = start, .next = next, .column = column,
    .changed = changed, .reset = reset,
    .begin = begin, .point = point, .commit = commit, .rollback = rollback, .in_tx = in_tx,
    .budget = budget, .checkpoint = checkpoint, .wal_bytes = wal_bytes, .size_bytes = size_bytes,
    .verify = verify, .backup = backup, .script = script, .explain = explain,
};
