/* pg.h - private to the PostgreSQL driver: its connection, and what its two files
 * (pg.c: statements and transactions; pg_setup.c: connecting and upkeep) need of
 * each other.  Only these two see libpq. */
#ifndef KEEP_DB_PG_H
#define KEEP_DB_PG_H

#include "db/driver.h"

#include <libpq-fe.h>

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

/* Translates the failure of res (may be NULL) or of the connection.  Always -1. */
int pg_fail(struct pg_db *d, const PGresult *res, struct err *err);
bool pg_is_ok(const PGresult *res);
int pg_run(struct pg_db *d, const char *sql, struct err *err);
void pg_connection_text(PGconn *c, char *out, size_t size);
int pg_connect_again(struct pg_db *d, struct err *err);
int pg_stmt_prepare(struct pg_db *d, struct pg_stmt *st, struct err *err);

int pg_open(const char *url, enum db_mode mode, struct db **out, struct err *err);
void pg_close(struct db *db);
void pg_budget(struct db *db, int64_t ms);
int pg_checkpoint(struct db *db, bool truncate, struct err *err);
int64_t pg_wal_bytes(const struct db *db);
int64_t pg_size_bytes(struct db *db);
int pg_verify(struct db *db, struct arena *arena, char **report, struct err *err);
int pg_backup(struct db *db, const char *file, struct err *err);
int pg_script(struct db *db, const char *sql, struct err *err);
int pg_explain(struct db *db, const struct db_query *q, struct arena *arena, char **plan, struct err *err);

#endif
