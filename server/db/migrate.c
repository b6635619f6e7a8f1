/* migrate.c - see migrate.h. */
#include "db/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { M_EXISTS_SQLITE, M_EXISTS_PG, M_LIST, M_ADD };
static const struct db_query Q[] = {
    [M_EXISTS_SQLITE] = { "migrate.exists", "", "i", "SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_migrations'" },
    [M_EXISTS_PG] = { "migrate.exists", "", "i", "SELECT COUNT(*) FROM pg_tables"
                      " WHERE schemaname = current_schema() AND tablename = 'schema_migrations'" },
    [M_LIST] = { "migrate.list", "", "itt", "SELECT number, name, hash FROM schema_migrations ORDER BY number" },
    [M_ADD] = { "migrate.add", "itti", "",
                "INSERT INTO schema_migrations (number, name, hash, applied_at) VALUES ($1, $2, $3, $4)" },
};

static const char table_sqlite[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " hash TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT";
static const char table_pg[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY, name TEXT COLLATE \"C\" NOT NULL,"
    " hash TEXT COLLATE \"C\" NOT NULL, applied_at BIGINT NOT NULL)";

static const char *text_of(const struct db *db, const struct migration *m)
{
    return db_is_postgres(db) ? m->postgres : m->sqlite;
}

/* FNV-1a, 64 bit.  It tells an edited file from an untouched one; against somebody
 * who can write the database a stronger hash in the same database would not help. */
enum { HASH_TEXT = 17 };
static void hash_text(const char *text, char out[HASH_TEXT])
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    snprintf(out, HASH_TEXT, "%016llx", (unsigned long long)h);
}

/* What the database says at `rows` against the binary's file of the same number. */
static int check_one(struct db *db, const struct db_rows *rows, const struct migration *m, struct err *err)
{
    char hash[HASH_TEXT];

    if (m->number == 0)
        return err_set(err, ERR_PRECONDITION, "the database has migration %lld (%s), this keepd knows none of that number: "
                       "the database is newer, use the newer keepd or restore the copy made before the upgrade",
                       (long long)db_col_i(rows, 0), db_col_t(rows, 1));
    hash_text(text_of(db, m), hash);
    if (db_col_i(rows, 0) != m->number || !str_eq(db_col_t(rows, 1), m->name))
        return err_set(err, ERR_PRECONDITION, "the database has migration %lld (%s) where this keepd has %s",
                       (long long)db_col_i(rows, 0), db_col_t(rows, 1), m->name);
    if (!str_eq(db_col_t(rows, 2), hash))
        return err_set(err, ERR_PRECONDITION, "migration %s was changed after it was applied (hash %s, now %s): "
                       "migrations are append-only, add a new file", m->name, db_col_t(rows, 2), hash);
    return 0;
}

/* How many of the binary's migrations are applied; the table must be there. */
static int count_applied(struct db *db, const struct migration *all, int *n, struct err *err)
{
    struct db_rows rows;
    int rc, i = 0;

    if (db_rows_open(db, &Q[M_LIST], DB_NONE, &rows, err) != 0)
        return -1;
    while ((rc = db_rows_next(&rows, err)) == 1)
        if ((rc = check_one(db, &rows, &all[i], err)) != 0)
            break;
        else
            i++;
    db_rows_close(&rows);
    if (rc == 0)
        *n = i;
    return rc;
}

static int applied_now(struct db *db, const struct migration *all, int *n, struct err *err)
{
    int64_t exists;

    if (db_int(db, &Q[db_is_postgres(db) ? M_EXISTS_PG : M_EXISTS_SQLITE], DB_NONE, 0, &exists, err) != 0)
        return -1;
    if (exists == 0) {
        *n = 0;
        return 0;
    }
    return count_applied(db, all, n, err);
}

/* Inside the write transaction: whoever waited for the lock finds it done. */
static int apply_in_tx(struct db *db, const struct migration *all, const struct migration *m, int64_t now_ms,
                       bool *did, struct err *err)
{
    char hash[HASH_TEXT];
    int n;

    if (db_script(db, db_is_postgres(db) ? table_pg : table_sqlite, err) != 0 || count_applied(db, all, &n, err) != 0)
        return -1;
    if (n != m - all) {
        *did = false;
        return 0;
    }
    hash_text(text_of(db, m), hash);
    if (db_script(db, text_of(db, m), err) != 0)
        return err_prefix(err, "migration %s", m->name);
    *did = true;
    return db_exec(db, &Q[M_ADD], DB_IN(db_i(m->number), db_t(m->name), db_t(hash), db_i(now_ms)), NULL, err);
}

static int apply(struct db *db, const struct migration *all, const struct migration *m, int64_t now_ms,
                 bool *did, struct err *err)
{
    if (db_begin_write(db, err) != 0)
        return -1;
    if (apply_in_tx(db, all, m, now_ms, did, err) != 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

/* One that exists already is from the last try, and older is better. */
static int copy_before(struct db *db, const char *url, const struct migration *m, struct err *err)
{
    char *file;

    if (asprintf(&file, "%s.before-%s", url, m->name) < 0)
        return err_nomem(err);
    int rc = db_backup(db, file, err);
    free(file);
    return rc == 0 || err->kind == ERR_CONFLICT ? 0 : -1;
}

static int run(struct db *db, const char *url, const struct migration *all, int64_t now_ms, int *applied, struct err *err)
{
    int n, ran = 0;

    if (applied_now(db, all, &n, err) != 0)
        return -1;
    if (n > 0 && all[n].number != 0 && !db_is_postgres(db) && copy_before(db, url, &all[n], err) != 0)
        return err_prefix(err, "before migrating");
    for (const struct migration *m = &all[n]; m->number != 0; m++) {
        bool did;
        if (apply(db, all, m, now_ms, &did, err) != 0)
            return -1;
        ran += did;
    }
    *applied = ran;
    return 0;
}

int migrate_run(const char *url, const struct migration *all, int64_t now_ms, int *applied, struct err *err)
{
    struct db *db;

    if (db_open(url, DB_MIGRATOR, &db, err) != 0)
        return -1;
    int rc = run(db, url, all, now_ms, applied, err);
    db_close(db);
    return rc;
}

int migrate_check(struct db *db, const struct migration *all, struct err *err)
{
    int n;

    if (applied_now(db, all, &n, err) != 0)
        return -1;
    if (all[n].number == 0)
        return 0;
    return err_set(err, ERR_UNAVAILABLE, "the database lacks migration %s: stop keepd and run: keepd migrate", all[n].name);
}
