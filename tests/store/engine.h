/* engine.h - the engines a store test runs on: SQLite in a fresh directory, and
 * PostgreSQL when KEEP_TEST_PG names one (its schema `public` is emptied!). */
#ifndef KEEP_TESTS_ENGINE_H
#define KEEP_TESTS_ENGINE_H

#include "base/arena.h"
#include "db/db.h"
#include "db/migrate.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct engine {
    bool is_pg;
    char dir[64];            /* SQLite: of the file */
    char url[512];
};

/* In set-up: a failure is shown and ends the program. */
static struct err engine_err;
#define ENGINE_OK(call) do { if ((call) != 0) { \
        fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, engine_err.msg); abort(); } } while (0)

static inline const char *engine_pg_url(void)
{
    const char *url = getenv("KEEP_TEST_PG");

    if (url == NULL || url[0] == '\0') {
        printf("PostgreSQL: skipped, KEEP_TEST_PG not set\n");
        return NULL;
    }
    return url;
}

static inline struct db *engine_open(const char *url, enum db_mode mode)
{
    struct db *db = NULL;

    ENGINE_OK(db_open(url, mode, &db, &engine_err));
    return db;
}

static inline int engine_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void engine_clear(struct engine *e)
{
    if (e->dir[0] != '\0')
        nftw(e->dir, engine_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    e->dir[0] = '\0';
}

/* An empty database; pg_url NULL: SQLite. */
static inline void engine_fresh(struct engine *e, const char *pg_url)
{
    engine_clear(e);
    e->is_pg = pg_url != NULL;
    snprintf(e->dir, sizeof e->dir, "/tmp/keep-test-XXXXXX");
    if (mkdtemp(e->dir) == NULL)
        abort();
    snprintf(e->url, sizeof e->url, "%s%s", pg_url != NULL ? pg_url : e->dir, pg_url != NULL ? "" : "/keep.db");
    if (pg_url != NULL) {
        struct db *db = engine_open(pg_url, DB_MIGRATOR);
        ENGINE_OK(db_script(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", &engine_err));
        db_close(db);
    }
}

/* The same tables on both: things (id, name unique, raw, n >= 0), parts (of a
 * thing), audit. */
static inline void engine_tables(const struct engine *e)
{
    static const char sqlite[] =
        "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, raw BLOB, n INTEGER CHECK (n >= 0)) STRICT;"
        "CREATE TABLE parts (thing INTEGER NOT NULL REFERENCES things (id), part TEXT NOT NULL) STRICT;"
        "CREATE TABLE audit (seq INTEGER PRIMARY KEY, what TEXT NOT NULL) STRICT;";
    static const char pg[] =
        "CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT COLLATE \"C\" UNIQUE, raw BYTEA, n BIGINT CHECK (n >= 0));"
        "CREATE TABLE parts (thing BIGINT NOT NULL REFERENCES things (id), part TEXT NOT NULL);"
        "CREATE TABLE audit (seq BIGINT PRIMARY KEY, what TEXT NOT NULL);";
    struct db *db = engine_open(e->url, DB_MIGRATOR);

    ENGINE_OK(db_script(db, e->is_pg ? pg : sqlite, &engine_err));
    db_close(db);
}

/* A fresh, migrated engine with a write transaction begun, for tests of one store. */
static inline struct db *engine_writing(struct engine *e, const char *pg_url, struct arena *arena)
{
    int applied;

    engine_fresh(e, pg_url);
    ENGINE_OK(migrate_run(e->url, migrations, 1, &applied, &engine_err));
    struct db *db = engine_open(e->url, DB_WRITER);
    arena_init(arena, 64 << 20);
    ENGINE_OK(db_begin_write(db, &engine_err));
    return db;
}

static inline void engine_written(struct engine *e, struct db *db, struct arena *arena)
{
    db_rollback(db);
    db_close(db);
    arena_clear(arena);
    engine_clear(e);
}

#endif
