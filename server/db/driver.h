/* driver.h - what an engine must be able to do; private to server/db.
 *
 * db.c keeps what is common (the statement cache, the state of the transaction,
 * the check of parameters) and calls these.  A driver's connection begins with
 * a `struct db`.  Drivers translate every failure into an error kind; they never
 * retry and never log.  All functions are called on the connection's thread. */
#ifndef KEEP_DB_DRIVER_H
#define KEEP_DB_DRIVER_H

#include "db/db.h"

enum { DB_PARAMS_MAX = 100, DB_COLUMNS_MAX = 100, DB_BUSY_MS = 3000, DB_MIGRATE_BUSY_MS = 60000 };

enum db_tx { DB_TX_NONE = 0, DB_TX_READ, DB_TX_WRITE };
enum db_point { DB_POINT_SET = 0, DB_POINT_RELEASE, DB_POINT_BACK };

struct db_driver {
    const char *name;
    int (*open)(const char *url, enum db_mode mode, struct db **out, struct err *err);
    void (*close)(struct db *db);

    /* A statement is the driver's own pointer; columns and letters are checked here. */
    int (*prepare)(struct db *db, const struct db_query *q, void **stmt, struct err *err);
    void (*finish)(struct db *db, void *stmt);
    /* Binds and begins; `copy`: the parameters may be gone at the next step. */
    int (*start)(struct db *db, void *stmt, const struct db_value *in, size_t n, bool copy, struct err *err);
    int (*next)(struct db *db, void *stmt, struct err *err);           /* 1, 0, -1 */
    void (*column)(struct db *db, void *stmt, int col, struct db_value *out);
    int64_t (*changed)(struct db *db, void *stmt);
    void (*reset)(struct db *db, void *stmt);

    int (*begin)(struct db *db, bool write, struct err *err);
    int (*point)(struct db *db, enum db_point what, struct err *err);
    int (*commit)(struct db *db, struct err *err);    /* on failure the transaction is over, too */
    void (*rollback)(struct db *db);
    bool (*in_tx)(struct db *db);                     /* false: the engine gave up by itself */

    void (*budget)(struct db *db, int64_t ms);
    int (*checkpoint)(struct db *db, bool truncate, struct err *err);
    int64_t (*wal_bytes)(const struct db *db);
    int64_t (*size_bytes)(struct db *db);
    bool (*data_version)(struct db *db, uint64_t *version);            /* NULL: cannot tell */
    int (*verify)(struct db *db, struct arena *arena, char **report, struct err *err);
    int (*backup)(struct db *db, const char *file, struct err *err);
    int (*script)(struct db *db, const char *sql, struct err *err);
    int (*explain)(struct db *db, const struct db_query *q, struct arena *arena, char **plan, struct err *err);
};

struct db_stmt;

struct db {
    const struct db_driver *driver;
    enum db_mode mode;
    enum db_tx tx;
    bool is_postgres;
    bool broken;                   /* see db_is_broken; set by drivers, never cleared */
    bool has_point;
    bool failed;                   /* a call inside this transaction failed ... */
    struct err why;                /* ... with this */
    struct db_stmt **slots;        /* hash table by query pointer, chains of instances */
    size_t n_slots, n_queries;
};

extern const struct db_driver db_sqlite, db_postgres, db_fault;

/* A driver's call failed: says where, and dooms the transaction.  Always -1. */
int db_call_failed(struct db *db, const char *where, struct err *err);
int db_refuse_if_failed(const struct db *db, struct err *err);
void db_reset_all(struct db *db);              /* closes all open rows */

/* Text rules that hold for both engines; see query.c. */
int query_check(const struct db_query *q, struct err *err);
int query_check_values(const struct db_query *q, const struct db_value *in, size_t n, struct err *err);

#endif
