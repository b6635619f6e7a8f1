/* db.h - one connection, one statement, one transaction, on two engines.
 *
 * SQL is written once: `$1, $2, ...` in ascending order of first appearance,
 * within the common subset of SQLite 3.40 and PostgreSQL 15 (README,
 * "Storage").  A query is a constant row of a table in a store file; its
 * letters say what goes in and what comes out, and both drivers check them
 * when the query is prepared.
 *
 * A connection belongs to one thread.  Only the connection opened with
 * DB_WRITER may write, and only it ever checkpoints (SQLite's WAL-reset bug:
 * a checkpoint elsewhere, racing a commit, corrupts the file).
 *
 * After a call has failed inside a transaction, only rolling back (all of it, or
 * to the savepoint) is possible; everything else repeats the first error.  This
 * is how PostgreSQL behaves, and here SQLite, too.
 *
 * Errors: unique key -> ERR_CONFLICT; other constraint -> ERR_INVALID; busy,
 * serialisation, deadlock, connection lost, I/O -> ERR_UNAVAILABLE; disk full
 * -> ERR_STORAGE_FULL; a value or row over the engine's limit -> ERR_TOO_LARGE;
 * time budget spent -> ERR_TIMEOUT; text that is not UTF-8 -> ERR_INVALID;
 * anything else is our own mistake -> ERR_INTERNAL.  Messages begin with the
 * query's name and never contain values. */
#ifndef KEEP_DB_DB_H
#define KEEP_DB_DB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

enum db_mode {
    DB_READER = 0,      /* read-only; a write is refused by the engine, too */
    DB_WRITER,          /* the one writer and only checkpointer */
    DB_MIGRATOR,        /* as writer, and may run DDL; used before serving starts */
};

/* A query: letters are i int64, t text, b bytes, each nullable. */
struct db_query {
    const char *name;   /* "scan.insert": unique, shown in errors and metrics */
    const char *in;     /* one letter per parameter */
    const char *out;    /* one letter per result column, "" for none */
    const char *sql;
};

/* All queries of one store file, for preparing and checking at start. */
struct db_queries {
    const struct db_query *query;
    size_t n;
};

/* A parameter.  Made with the functions below, so that the compiler checks types. */
struct db_value {
    char letter;        /* i, t, b */
    bool null;
    int64_t i;
    const void *ptr;    /* text (NUL-terminated) or bytes; borrowed during the call */
    size_t len;
};

static inline struct db_value db_i(int64_t v)          { return (struct db_value){ 'i', false, v, NULL, 0 }; }
static inline struct db_value db_i_null(void)          { return (struct db_value){ 'i', true, 0, NULL, 0 }; }
/* INT64_MIN (TIME_UNKNOWN) is stored as NULL. */
static inline struct db_value db_time(int64_t v)       { return (struct db_value){ 'i', v == INT64_MIN, v, NULL, 0 }; }
/* NULL pointer: SQL NULL. */
static inline struct db_value db_t(const char *s)      { return (struct db_value){ 't', s == NULL, 0, s, 0 }; }
static inline struct db_value db_b(const void *p, size_t n) { return (struct db_value){ 'b', p == NULL, 0, p, n }; }

/* DB_IN(db_i(1), db_t("x")): the parameter list of a call. */
#define DB_IN(...) ((const struct db_value[]){ __VA_ARGS__ }), \
                   (sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value))
#define DB_NONE NULL, 0

/* url: a file path (SQLite) or postgresql://...  On success *out is owned by the
 * caller (db_close, NULL-safe).  Only DB_MIGRATOR creates a missing file (mode
 * 0600). */
int db_open(const char *url, enum db_mode mode, struct db **out, struct err *err);
void db_close(struct db *db);
bool db_is_postgres(const struct db *db);

/* True after a failed fsync or a damaged file: what was written before may be
 * lost, so nothing may be acknowledged any more; the process must start anew. */
bool db_is_broken(const struct db *db);

/* Every transaction begun from now on must end within `ms` (0: no limit): a
 * statement still running then fails with ERR_TIMEOUT.  For readers. */
void db_budget(struct db *db, int64_t ms);

/* Prepares every query and checks names, parameter order, letters and columns. */
int db_prepare_all(struct db *db, const struct db_queries *sets, size_t n, struct err *err);

/* Runs a query without rows.  *changed (may be NULL): rows changed. */
int db_exec(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
            int64_t *changed, struct err *err);

/* Rows of a query: open, step, read columns, close.  One statement may be open
 * several times at once.  Column pointers live until the next step. */
struct db_rows {
    struct db *db;
    void *state;                       /* the driver's */
    const struct db_query *q;
    unsigned serial;                   /* rows of an ended transaction are closed by it */
};
/* *rows is zeroed on failure, so that it may be closed without thinking.  The
 * parameters are copied. */
int db_rows_open(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
                 struct db_rows *rows, struct err *err);
int db_rows_next(struct db_rows *rows, struct err *err);   /* 1 row, 0 end, -1 error */
void db_rows_close(struct db_rows *rows);                  /* safe on a zeroed struct, and twice */

bool db_col_is_null(const struct db_rows *rows, int col);
int64_t db_col_i(const struct db_rows *rows, int col);         /* 0 when NULL */
int64_t db_col_time(const struct db_rows *rows, int col);      /* INT64_MIN when NULL */
const char *db_col_t(const struct db_rows *rows, int col);     /* NULL when NULL */
struct bytes db_col_b(const struct db_rows *rows, int col);    /* {NULL,0} when NULL */
/* A copy in the arena; *failed is set when it is full (checked once at the end). */
char *db_col_text(const struct db_rows *rows, int col, struct arena *arena, bool *failed);

/* One row at most: 1 found (*rows stands on it, caller closes), 0 none (closed), -1 error (closed). */
int db_row(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
           struct db_rows *rows, struct err *err);

/* One int64 of one row; `otherwise` when there is no row or it is NULL. */
int db_int(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
           int64_t otherwise, int64_t *out, struct err *err);

/* Transactions are opened by the writer thread and the dispatcher only. */
int db_begin_read(struct db *db, struct err *err);
int db_begin_write(struct db *db, struct err *err);
int db_savepoint(struct db *db, struct err *err);          /* one level */
int db_savepoint_release(struct db *db, struct err *err);
int db_savepoint_rollback(struct db *db, struct err *err);
/* On failure the transaction is over as well, and rolled back; except that
 * "unknown outcome" (connection lost during COMMIT) may have been either. */
int db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);

/* SQLite: PASSIVE checkpoint, or TRUNCATE (ERR_UNAVAILABLE when readers hold the
 * log); DB_WRITER only, outside a transaction.  PostgreSQL: nothing. */
int db_checkpoint(struct db *db, bool truncate, struct err *err);
int64_t db_wal_bytes(const struct db *db);          /* in use in the log; 0 on PostgreSQL */
int64_t db_size_bytes(struct db *db);               /* -1 when it cannot be told */

/* A number that stays the same on this connection while nothing in the database
 * changes; inside a transaction, after its first row was asked for, it stands for
 * what that transaction sees.  False: the engine cannot tell. */
bool db_data_version(struct db *db, uint64_t *version);

/* Structural check (integrity_check, foreign_key_check); problems as text lines in *report. */
int db_verify(struct db *db, struct arena *arena, char **report, struct err *err);

/* A consistent copy into a new file, synced (SQLite: VACUUM INTO; PostgreSQL:
 * refused with the pg_dump command to type).  ERR_CONFLICT when it exists. */
int db_backup(struct db *db, const char *file, struct err *err);

/* One statement of DDL or a whole migration script; DB_MIGRATOR only. */
int db_script(struct db *db, const char *sql, struct err *err);

/* The query plan as text, one step a line (EXPLAIN QUERY PLAN / EXPLAIN). */
int db_explain(struct db *db, const struct db_query *q, struct arena *arena, char **plan, struct err *err);

#endif
