/* tx.c - see db.h.  The state of a connection's transaction, the same on both
 * engines: none, open, failed (only rolling back is possible).
 *
 * An engine may end a transaction by itself (SQLite does on a full disk or an
 * I/O error).  No statement may run after that, or it would commit by itself:
 * hence db_refuse_if_failed before each. */
#include "db/driver.h"

/* ---- the state of the transaction --------------------------------------------- */

/* A driver's call failed: says where, and dooms the transaction. */
int db_call_failed(struct db *db, const char *where, struct err *err)
{
    err_prefix(err, "%s", where);
    if (db->tx != DB_TX_NONE && !db->failed) {
        db->failed = true;
        db->why = *err;
    }
    return -1;
}

int db_refuse_if_failed(const struct db *db, struct err *err)
{
    if (!db->failed)
        return 0;
    return err_set(err, db->why.kind, "transaction already failed: %s", db->why.msg);
}

/* ---- transactions ----------------------------------------------------------------- */

static int begin(struct db *db, enum db_tx tx, struct err *err)
{
    if (db->tx != DB_TX_NONE)
        return err_set(err, ERR_INTERNAL, "begin inside a transaction");
    if (tx == DB_TX_WRITE && db->mode == DB_READER)
        return err_set(err, ERR_INTERNAL, "begin write on a reader");
    if (db->broken)
        return err_set(err, ERR_UNAVAILABLE, "storage is damaged or failed to sync: start anew");
    if (db->driver->begin(db, tx == DB_TX_WRITE, err) != 0)
        return err_prefix(err, "begin");
    db->tx = tx;
    db->failed = db->has_point = false;
    return 0;
}

int db_begin_read(struct db *db, struct err *err)
{
    return begin(db, DB_TX_READ, err);
}

int db_begin_write(struct db *db, struct err *err)
{
    return begin(db, DB_TX_WRITE, err);
}

static int point(struct db *db, enum db_point what, bool must_have, const char *word, struct err *err)
{
    /* Outside a transaction SQLite's SAVEPOINT would open one. */
    if (db->tx != DB_TX_WRITE || db->has_point != must_have)
        return err_set(err, ERR_INTERNAL, "%s: out of order", word);
    if (what != DB_POINT_BACK && db_refuse_if_failed(db, err) != 0)
        return -1;
    if (!db->driver->in_tx(db)) {
        if (!db->failed)
            err_set(&db->why, ERR_UNAVAILABLE, "the transaction was lost");
        db->failed = true;
        return db_refuse_if_failed(db, err);
    }
    if (db->driver->point(db, what, err) != 0)
        return db_call_failed(db, word, err);
    db->has_point = what == DB_POINT_SET;
    return 0;
}

int db_savepoint(struct db *db, struct err *err)
{
    return point(db, DB_POINT_SET, false, "savepoint", err);
}

int db_savepoint_release(struct db *db, struct err *err)
{
    return point(db, DB_POINT_RELEASE, true, "release", err);
}

int db_savepoint_rollback(struct db *db, struct err *err)
{
    db_reset_all(db);
    if (point(db, DB_POINT_BACK, true, "rollback to savepoint", err) != 0)
        return -1;
    db->failed = false;
    return 0;
}

int db_commit(struct db *db, struct err *err)
{
    if (db->tx == DB_TX_NONE)
        return err_set(err, ERR_INTERNAL, "commit outside a transaction");
    if (db_refuse_if_failed(db, err) != 0) {
        db_rollback(db);
        return -1;
    }
    db_reset_all(db);
    int rc = db->driver->commit(db, err);
    db->tx = DB_TX_NONE;
    db->failed = db->has_point = false;
    return rc == 0 ? 0 : err_prefix(err, "commit");
}

void db_rollback(struct db *db)
{
    if (db->tx == DB_TX_NONE)
        return;
    db_reset_all(db);
    db->driver->rollback(db);
    db->tx = DB_TX_NONE;
    db->failed = db->has_point = false;
}

/* ---- upkeep ---------------------------------------------------------------------------- */

int db_checkpoint(struct db *db, bool truncate, struct err *err)
{
    if (db->mode != DB_WRITER || db->tx != DB_TX_NONE)
        return err_set(err, ERR_INTERNAL, "checkpoint: only the writer, and between transactions");
    return db->driver->checkpoint(db, truncate, err);
}

int64_t db_wal_bytes(const struct db *db)
{
    return db->driver->wal_bytes(db);
}

int64_t db_size_bytes(struct db *db)
{
    return db->driver->size_bytes(db);
}

bool db_data_version(struct db *db, uint64_t *version)
{
    return db->tx != DB_TX_NONE && db->driver->data_version != NULL && db->driver->data_version(db, version);
}

int db_verify(struct db *db, struct arena *arena, char **report, struct err *err)
{
    return db->driver->verify(db, arena, report, err);
}

int db_backup(struct db *db, const char *file, struct err *err)
{
    if (db->tx != DB_TX_NONE)
        return err_set(err, ERR_INTERNAL, "backup inside a transaction");
    return db->driver->backup(db, file, err);
}

int db_script(struct db *db, const char *sql, struct err *err)
{
    if (db->mode != DB_MIGRATOR)
        return err_set(err, ERR_INTERNAL, "script: not on this connection");
    if (db_refuse_if_failed(db, err) != 0)
        return -1;
    return db->driver->script(db, sql, err) == 0 ? 0 : db_call_failed(db, "script", err);
}

int db_explain(struct db *db, const struct db_query *q, struct arena *arena, char **plan, struct err *err)
{
    if (query_check(q, err) != 0)
        return -1;
    return db->driver->explain(db, q, arena, plan, err);
}
