/* pg_setup.c - the PostgreSQL driver: its connection, and upkeep. */
#include "db/pg.h"

#include "base/buf.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 500, REPORT_MAX = 64 * 1024 };

/* ---- connections -------------------------------------------------------------------- */

static void hush(void *arg, const char *message)
{
    (void)arg, (void)message;
}

static int set_budget(struct pg_db *d, struct err *err)
{
    char sql[64];

    snprintf(sql, sizeof sql, "SET statement_timeout = %lld", (long long)d->budget_ms);
    return pg_run(d, sql, err);
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
    return pg_run(d, sql, err) == 0 ? set_budget(d, err) : -1;
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
        pg_connection_text(d->c, text, sizeof text);
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

int pg_connect_again(struct pg_db *d, struct err *err)
{
    if (time_monotonic_ms() < d->retry_at_ms)
        return err_set(err, ERR_UNAVAILABLE, "PostgreSQL: not reachable a moment ago");
    return connect_now(d, err);
}

void pg_close(struct db *db)
{
    struct pg_db *d = (struct pg_db *)db;

    PQfinish(d->c);
    free(d->url);
    free(d);
}

int pg_open(const char *url, enum db_mode mode, struct db **out, struct err *err)
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

void pg_budget(struct db *db, int64_t ms)
{
    struct pg_db *d = (struct pg_db *)db;
    struct err ignored;

    /* When this fails the connection is lost, and the next one is told. */
    d->budget_ms = ms;
    set_budget(d, &ignored);
}

/* ---- upkeep ------------------------------------------------------------------------------------ */

int pg_checkpoint(struct db *db, bool truncate, struct err *err)
{
    (void)db, (void)truncate, (void)err;
    return 0;                                /* the server's own business */
}

int64_t pg_wal_bytes(const struct db *db)
{
    (void)db;
    return 0;
}

int64_t pg_size_bytes(struct db *db)
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
    if (!pg_is_ok(res))
        pg_fail(d, res, err);
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
int pg_verify(struct db *db, struct arena *arena, char **report, struct err *err)
{
    return lines_of((struct pg_db *)db,
                    "SELECT 'index ' || indexrelid::regclass || ' is not valid' FROM pg_index WHERE NOT indisvalid"
                    " UNION ALL SELECT 'constraint ' || conname || ' is not validated' FROM pg_constraint"
                    " WHERE NOT convalidated", arena, report, err);
}

int pg_backup(struct db *db, const char *file, struct err *err)
{
    (void)db;
    return err_set(err, ERR_UNPROCESSABLE, "PostgreSQL is backed up with its own tool: "
                   "pg_dump --format=custom --file=%s <database url>", file);
}

int pg_script(struct db *db, const char *sql, struct err *err)
{
    return pg_run((struct pg_db *)db, sql, err);
}

int pg_explain(struct db *db, const struct db_query *q, struct arena *arena, char **plan, struct err *err)
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
    int rc = pg_run(d, "SET plan_cache_mode = force_generic_plan", err);
    if (rc == 0 && (rc = pg_stmt_prepare(d, &st, err)) == 0)
        rc = sql.failed ? err_nomem(err) : lines_of(d, sql.ptr, arena, plan, err);
    pg_run(d, "DEALLOCATE explain", &ignored);
    pg_run(d, "RESET plan_cache_mode", &ignored);
    buf_free(&sql);
    return rc;
}
