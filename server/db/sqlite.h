/* sqlite.h - private to the SQLite driver: its connection, and what its two
 * files (sqlite.c: statements and transactions; sqlite_setup.c: opening and
 * upkeep) need of each other.  Only these two see sqlite3.h. */
#ifndef KEEP_DB_SQLITE_H
#define KEEP_DB_SQLITE_H

#include "db/driver.h"

#include <sqlite3.h>

enum control {
    CONTROL_BEGIN_READ = 0, CONTROL_BEGIN_WRITE, CONTROL_COMMIT, CONTROL_ROLLBACK,
    CONTROL_SAVEPOINT, CONTROL_RELEASE, CONTROL_ROLLBACK_TO, CONTROL_N
};

struct sqlite_db {
    struct db base;
    sqlite3 *h;
    char *path;                         /* directory resolved */
    sqlite3_stmt *control[CONTROL_N];
    bool is_control;                    /* our own BEGIN, COMMIT, PRAGMA: the authorizer lets them pass */
    bool is_strict;                     /* the authorizer is on */
    int64_t wal_frames;                 /* of the last commit or checkpoint; -1 not known yet */
    int page_size;
    int64_t budget_ms, deadline_ms;
};

/* Translates; notes a broken database.  Always -1. */
int sqlite_fail(struct sqlite_db *d, int rc, struct err *err);

int sqlite_open(const char *url, enum db_mode mode, struct db **out, struct err *err);
void sqlite_close(struct db *db);
void sqlite_budget(struct db *db, int64_t ms);
int sqlite_checkpoint(struct db *db, bool truncate, struct err *err);
int64_t sqlite_wal_bytes(const struct db *db);
int64_t sqlite_size_bytes(struct db *db);
bool sqlite_data_version(struct db *db, uint64_t *version);
int sqlite_verify(struct db *db, struct arena *arena, char **report, struct err *err);
int sqlite_backup(struct db *db, const char *file, struct err *err);
int sqlite_script(struct db *db, const char *sql, struct err *err);
int sqlite_explain(struct db *db, const struct db_query *q, struct arena *arena, char **plan, struct err *err);

#endif
