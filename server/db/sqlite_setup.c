/* sqlite_setup.c - the SQLite driver: opening a connection, and its upkeep.
 *
 * Every connection is set up alike and once.  WAL with synchronous=FULL: what a
 * commit acknowledged survives a power cut.  Nobody checkpoints but the writer,
 * not even at close: SQLite before 3.51.3 corrupts the file when a checkpoint on
 * one connection races a commit on another.  After set-up an authorizer refuses
 * what no query has any business doing. */
#include "db/sqlite.h"

#include "base/buf.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1 << 20, CHECKPOINT_WAIT_MS = 200, BUDGET_OPS = 1000, REPORT_MAX = 64 * 1024 };

/* ---- the lock behind the lock ------------------------------------------------- */

static bool is_append_only(const char *table)
{
    return str_eq_nocase(table, "audit");
}

static bool is_schema(const char *table)
{
    return str_starts(table, "sqlite_");
}

/* What is not named here is denied: DDL, ATTACH, PRAGMA, ANALYZE, virtual tables. */
static int authorize(void *arg, int action, const char *a, const char *b, const char *database, const char *inside)
{
    const struct sqlite_db *d = arg;

    (void)b, (void)database, (void)inside;
    if (!d->is_strict || d->is_control)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT: case SQLITE_READ: case SQLITE_FUNCTION: case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_INSERT:
        return is_schema(a) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_UPDATE: case SQLITE_DELETE:
        return is_schema(a) || is_append_only(a) ? SQLITE_DENY : SQLITE_OK;
    default:
        return SQLITE_DENY;
    }
}

static int over_budget(void *arg)
{
    const struct sqlite_db *d = arg;

    return d->deadline_ms > 0 && time_monotonic_ms() > d->deadline_ms;
}

void sqlite_budget(struct db *db, int64_t ms)
{
    struct sqlite_db *d = (struct sqlite_db *)db;

    d->budget_ms = ms;
    d->deadline_ms = 0;
    sqlite3_progress_handler(d->h, ms > 0 ? BUDGET_OPS : 0, ms > 0 ? over_budget : NULL, d);
}

/* ---- opening ------------------------------------------------------------------- */

static int run(struct sqlite_db *d, const char *sql, struct err *err)
{
    d->is_control = true;
    int rc = sqlite3_exec(d->h, sql, NULL, NULL, NULL);
    d->is_control = false;
    return rc == SQLITE_OK ? 0 : sqlite_fail(d, rc, err);
}

static int64_t ask_int(struct sqlite_db *d, const char *sql, int64_t otherwise)
{
    sqlite3_stmt *s = NULL;
    int64_t n = otherwise;

    d->is_control = true;
    if (sqlite3_prepare_v2(d->h, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    d->is_control = false;
    return n;
}

static int set_switches(struct sqlite_db *d, struct err *err)
{
    static const struct { int op, value; } table[] = {
        { SQLITE_DBCONFIG_DEFENSIVE, 1 },
        { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
        { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
        { SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
        { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
        { SQLITE_DBCONFIG_ENABLE_TRIGGER, 1 },
        { SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
        { SQLITE_DBCONFIG_DQS_DML, 0 },
        { SQLITE_DBCONFIG_DQS_DDL, 0 },
    };

    for (size_t i = 0; i < N_ITEMS(table); i++) {
        int now = -1, rc = sqlite3_db_config(d->h, table[i].op, table[i].value, &now);
        if (rc != SQLITE_OK || now != table[i].value)
            return err_set(err, ERR_INTERNAL, "SQLite: switch %d did not turn to %d", table[i].op, table[i].value);
    }
    int rc = sqlite3_db_config(d->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, d->base.mode != DB_WRITER, NULL);
    return rc == SQLITE_OK ? 0 : sqlite_fail(d, rc, err);
}

static void set_limits(struct sqlite_db *d)
{
    /* LENGTH bounds a row, too: a 64 MiB document and its other columns. */
    static const struct { int limit, value; } table[] = {
        { SQLITE_LIMIT_LENGTH, 80 * MIB },   { SQLITE_LIMIT_SQL_LENGTH, 100000 },
        { SQLITE_LIMIT_COLUMN, 200 },        { SQLITE_LIMIT_EXPR_DEPTH, 50 },
        { SQLITE_LIMIT_COMPOUND_SELECT, 10 },{ SQLITE_LIMIT_VDBE_OP, 250000 },
        { SQLITE_LIMIT_FUNCTION_ARG, 8 },    { SQLITE_LIMIT_ATTACHED, 0 },
        { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100 }, { SQLITE_LIMIT_VARIABLE_NUMBER, DB_PARAMS_MAX },
        { SQLITE_LIMIT_TRIGGER_DEPTH, 5 },   { SQLITE_LIMIT_WORKER_THREADS, 0 },
    };

    for (size_t i = 0; i < N_ITEMS(table); i++)
        sqlite3_limit(d->h, table[i].limit, table[i].value);
}

/* Two that make a new file at once: SQLite does not wait here, busy_timeout or not. */
static int enter_wal(struct sqlite_db *d, struct err *err)
{
    int64_t until = time_monotonic_ms() + DB_BUSY_MS;

    while (run(d, "PRAGMA journal_mode=WAL", err) != 0) {
        if ((sqlite3_errcode(d->h) & 0xff) != SQLITE_BUSY || time_monotonic_ms() > until)
            return -1;
        usleep(5000);
    }
    return 0;
}

/* secure_delete: Debian's default would send every deleted page through the log,
 * and a delete on a nearly full disk is what must work. */
static int set_pragmas(struct sqlite_db *d, struct err *err)
{
    static const char *const all[] = {
        "PRAGMA cell_size_check=ON", "PRAGMA mmap_size=0", "PRAGMA foreign_keys=ON", "PRAGMA recursive_triggers=ON",
        "PRAGMA temp_store=MEMORY", "PRAGMA secure_delete=FAST", "PRAGMA cache_size=-16000", "PRAGMA wal_autocheckpoint=0",
    };
    static const char *const writing[] = { "PRAGMA synchronous=FULL", "PRAGMA journal_size_limit=67108864" };

    for (size_t i = 0; i < N_ITEMS(all); i++)
        if (run(d, all[i], err) != 0)
            return -1;
    if (d->base.mode != DB_READER && enter_wal(d, err) != 0)
        return -1;
    for (size_t i = 0; i < N_ITEMS(writing) && d->base.mode != DB_READER; i++)
        if (run(d, writing[i], err) != 0)
            return -1;
    if (ask_int(d, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", 0) != 1)
        return err_set(err, ERR_UNAVAILABLE, "%s: not in WAL mode: not a database of keepd", d->path);
    if (d->base.mode == DB_READER)
        return run(d, "PRAGMA query_only=ON", err);
    if (ask_int(d, "PRAGMA synchronous", -1) != 2)
        return err_set(err, ERR_INTERNAL, "SQLite: synchronous is not FULL");
    return 0;
}

static int prepare_controls(struct sqlite_db *d, struct err *err)
{
    static const char *const text[CONTROL_N] = {
        [CONTROL_BEGIN_READ] = "BEGIN", [CONTROL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
        [CONTROL_COMMIT] = "COMMIT", [CONTROL_ROLLBACK] = "ROLLBACK",
        [CONTROL_SAVEPOINT] = "SAVEPOINT job", [CONTROL_RELEASE] = "RELEASE job",
        [CONTROL_ROLLBACK_TO] = "ROLLBACK TO job",
    };

    for (int i = 0; i < CONTROL_N; i++) {
        int rc = sqlite3_prepare_v3(d->h, text[i], -1, SQLITE_PREPARE_PERSISTENT, &d->control[i], NULL);
        if (rc != SQLITE_OK)
            return sqlite_fail(d, rc, err);
    }
    return 0;
}

static int on_commit(void *arg, sqlite3 *h, const char *database, int frames)
{
    (void)h, (void)database;
    ((struct sqlite_db *)arg)->wal_frames = frames;
    return SQLITE_OK;
}

static int set_up(struct sqlite_db *d, struct err *err)
{
    sqlite3_extended_result_codes(d->h, 1);
    sqlite3_busy_timeout(d->h, d->base.mode == DB_MIGRATOR ? DB_MIGRATE_BUSY_MS : DB_BUSY_MS);
    set_limits(d);
    if (set_switches(d, err) != 0 || set_pragmas(d, err) != 0)
        return -1;
    d->page_size = (int)ask_int(d, "PRAGMA page_size", 4096);
    d->wal_frames = -1;
    sqlite3_wal_hook(d->h, on_commit, d);        /* this replaces the automatic checkpoint */
    int rc = sqlite3_set_authorizer(d->h, authorize, d);
    if (rc != SQLITE_OK || prepare_controls(d, err) != 0)
        return rc != SQLITE_OK ? sqlite_fail(d, rc, err) : -1;
    d->is_strict = d->base.mode != DB_MIGRATOR;
    return 0;
}

/* Symbolic links are fine in the directory, never for the file itself. */
static char *resolve(const char *url, struct err *err)
{
    char *dir, *path = NULL;
    const char *slash = strrchr(url, '/');

    if (url[0] == '\0' || str_starts(url, "file:") || url[0] == ':' || (slash != NULL && slash[1] == '\0')) {
        err_set(err, ERR_INVALID, "database \"%s\": must be a file name or postgresql://...", url);
        return NULL;
    }
    char *given = slash == NULL ? strdup(".") : strndup(url, slash == url ? 1 : (size_t)(slash - url));
    if (given == NULL || (dir = realpath(given, NULL)) == NULL) {
        err_set(err, ERR_UNAVAILABLE, "database %s: directory: %s", url, strerror(errno));
        free(given);
        return NULL;
    }
    if (asprintf(&path, "%s/%s", str_eq(dir, "/") ? "" : dir, slash != NULL ? slash + 1 : url) < 0) {
        path = NULL;
        err_nomem(err);
    }
    free(given);
    free(dir);
    return path;
}

/* SQLite would create it readable by all.  O_EXCL: nobody has it open, so that
 * closing this descriptor takes away nobody's lock. */
static int create_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno == EEXIST ? 0 : err_set(err, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_UNAVAILABLE,
                                             "database %s: %s", path, strerror(errno));
    close(fd);
    return 0;
}

/* Memory statistics cost a global lock in every allocation.  Refused, and no
 * matter, when the program has used SQLite before. */
static void configure_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int sqlite_open(const char *url, enum db_mode mode, struct db **out, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int flags = (mode == DB_READER ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
    struct sqlite_db *d = calloc(1, sizeof *d);

    if (d == NULL)
        return err_nomem(err);
    pthread_once(&once, configure_library);
    d->base.mode = mode;
    if ((d->path = resolve(url, err)) == NULL || (mode == DB_MIGRATOR && create_file(d->path, err) != 0))
        goto fail;
    int rc = sqlite3_open_v2(d->path, &d->h, flags, NULL);
    if (rc != SQLITE_OK) {
        sqlite_fail(d, rc, err);
        err_prefix(err, "database %s", d->path);
        goto fail;
    }
    if (set_up(d, err) != 0) {
        err_prefix(err, "database %s", d->path);
        goto fail;
    }
    *out = &d->base;
    return 0;
fail:
    sqlite_close(&d->base);
    return -1;
}

void sqlite_close(struct db *db)
{
    struct sqlite_db *d = (struct sqlite_db *)db;

    for (int i = 0; i < CONTROL_N; i++)
        sqlite3_finalize(d->control[i]);
    sqlite3_close_v2(d->h);
    free(d->path);
    free(d);
}

/* ---- upkeep --------------------------------------------------------------------- */

int sqlite_checkpoint(struct db *db, bool truncate, struct err *err)
{
    struct sqlite_db *d = (struct sqlite_db *)db;
    int frames = -1, done = -1;

    /* Requests wait behind this: readers get a moment to leave, no more. */
    sqlite3_busy_timeout(d->h, CHECKPOINT_WAIT_MS);
    int rc = sqlite3_wal_checkpoint_v2(d->h, "main", truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
                                       &frames, &done);
    if (rc != SQLITE_OK)
        sqlite_fail(d, rc, err);
    sqlite3_busy_timeout(d->h, DB_BUSY_MS);
    if (frames >= 0)
        d->wal_frames = frames;
    return rc == SQLITE_OK ? 0 : err_prefix(err, "checkpoint");
}

static int64_t file_bytes(const char *path, const char *suffix)
{
    char *name;
    struct stat st;

    if (asprintf(&name, "%s%s", path, suffix) < 0)
        return -1;
    int rc = stat(name, &st);
    free(name);
    return rc == 0 ? (int64_t)st.st_size : -1;
}

int64_t sqlite_wal_bytes(const struct db *db)
{
    const struct sqlite_db *d = (const struct sqlite_db *)db;

    if (d->wal_frames >= 0)
        return d->wal_frames * (d->page_size + 24);
    int64_t n = file_bytes(d->path, "-wal");
    return n > 0 ? n : 0;
}

int64_t sqlite_size_bytes(struct db *db)
{
    return file_bytes(((struct sqlite_db *)db)->path, "");
}

/* The pager's own counter: it moves when a read transaction finds the file or its log
 * changed by anybody, and then the page cache is thrown away, too. */
bool sqlite_data_version(struct db *db, uint64_t *version)
{
    unsigned int n = 0;

    if (sqlite3_file_control(((struct sqlite_db *)db)->h, "main", SQLITE_FCNTL_DATA_VERSION, &n) != SQLITE_OK)
        return false;
    *version = n;
    return true;
}

static int report_rows(struct sqlite_db *d, const char *sql, const char *word, struct buf *report, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(d->h, sql, -1, &s, NULL);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        if ((rc = sqlite3_step(s)) != SQLITE_ROW)
            break;
        const char *text = (const char *)sqlite3_column_text(s, 0);
        if (!str_eq(text, "ok"))
            buf_printf(report, "%s: %s\n", word, text != NULL ? text : "?");
    }
    if (rc != SQLITE_DONE)
        sqlite_fail(d, rc, err);
    sqlite3_finalize(s);
    return rc == SQLITE_DONE ? 0 : -1;
}

int sqlite_verify(struct db *db, struct arena *arena, char **report, struct err *err)
{
    struct sqlite_db *d = (struct sqlite_db *)db;
    struct buf text;

    buf_init(&text, REPORT_MAX);
    d->is_control = true;
    int rc = report_rows(d, "PRAGMA integrity_check(100)", "integrity", &text, err);
    if (rc == 0)
        rc = report_rows(d, "SELECT \"table\" || ' row ' || COALESCE(rowid, 0) || ' refers to a missing row of ' || parent"
                            " FROM pragma_foreign_key_check LIMIT 100", "foreign key", &text, err);
    d->is_control = false;
    if (rc == 0) {
        char *copy = arena_strndup(arena, text.len > 0 ? text.ptr : "", text.len);
        rc = copy != NULL ? 0 : err_nomem(err);
        if (copy != NULL)
            *report = copy;
    }
    buf_free(&text);
    return rc;
}

static int vacuum_into(struct sqlite_db *d, const char *file, struct err *err)
{
    sqlite3_stmt *s = NULL;

    /* VACUUM attaches its target; a reader's own file is opened read-only anyway. */
    d->is_control = true;
    sqlite3_limit(d->h, SQLITE_LIMIT_ATTACHED, 1);
    sqlite3_exec(d->h, "PRAGMA query_only=OFF", NULL, NULL, NULL);
    int rc = sqlite3_prepare_v2(d->h, "VACUUM INTO $1", -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(s, 1, file, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc != SQLITE_DONE)
        sqlite_fail(d, rc, err);
    sqlite3_finalize(s);
    if (d->base.mode == DB_READER)
        sqlite3_exec(d->h, "PRAGMA query_only=ON", NULL, NULL, NULL);
    sqlite3_limit(d->h, SQLITE_LIMIT_ATTACHED, 0);
    d->is_control = false;
    return rc == SQLITE_DONE ? 0 : -1;
}

static int sync_path(const char *path, int flags, struct err *err)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0) {
        err_set(err, ERR_UNAVAILABLE, "sync %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    close(fd);
    return 0;
}

/* Written aside and given its name when it is whole; link() never overwrites. */
int sqlite_backup(struct db *db, const char *file, struct err *err)
{
    char *part = NULL, *dir = strdup(file), *slash = dir != NULL ? strrchr(dir, '/') : NULL;
    int rc = -1;

    if (dir == NULL || asprintf(&part, "%s.%d.part", file, (int)getpid()) < 0) {
        free(dir);
        return err_nomem(err);
    }
    if (slash != NULL)
        slash[slash == dir] = '\0';
    if (str_starts(file, "file:")) {
        err_set(err, ERR_INVALID, "backup: not a file name: %s", file);
    } else if (vacuum_into((struct sqlite_db *)db, part, err) != 0 || sync_path(part, O_RDWR, err) != 0) {
        err_prefix(err, "backup to %s", file);
    } else if (link(part, file) != 0) {
        err_set(err, errno == EEXIST ? ERR_CONFLICT : ERR_UNAVAILABLE, "backup to %s: %s", file, strerror(errno));
    } else {
        rc = sync_path(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY, err);
    }
    unlink(part);
    free(part);
    free(dir);
    return rc;
}

int sqlite_script(struct db *db, const char *sql, struct err *err)
{
    return run((struct sqlite_db *)db, sql, err);
}

int sqlite_explain(struct db *db, const struct db_query *q, struct arena *arena, char **plan, struct err *err)
{
    struct sqlite_db *d = (struct sqlite_db *)db;
    sqlite3_stmt *s = NULL;
    char *sql = arena_printf(arena, "EXPLAIN QUERY PLAN %s", q->sql), *copy = NULL;
    struct buf text;

    if (sql == NULL)
        return err_nomem(err);
    buf_init(&text, REPORT_MAX);
    int rc = sqlite3_prepare_v2(d->h, sql, -1, &s, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW)
        if ((rc = sqlite3_step(s)) == SQLITE_ROW)
            buf_printf(&text, "%s\n", (const char *)sqlite3_column_text(s, 3));
    if (rc != SQLITE_DONE)
        sqlite_fail(d, rc, err);
    else if (text.failed || (copy = arena_strndup(arena, text.len > 0 ? text.ptr : "", text.len)) == NULL)
        err_nomem(err);
    sqlite3_finalize(s);
    buf_free(&text);
    if (copy == NULL)
        return -1;
    *plan = copy;
    return 0;
}
