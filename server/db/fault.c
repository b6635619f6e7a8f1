/* fault.c - see fault.h.  Every call is counted, then made or failed. */
#include "db/fault.h"

#include "db/driver.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct fault_db {
    struct db base;
    struct db *real;
    int64_t calls, n;
    bool persistent, is_broken, is_unknown;
    enum err_kind kind;
};

static atomic_bool enabled;
static atomic_llong fired;

void db_fault_enable(void)
{
    atomic_store(&enabled, true);
}

int64_t db_fault_fired(void)
{
    return atomic_load(&fired);
}

/* The real connection's driver. */
static const struct db_driver *inner(struct db *db, struct db **real)
{
    *real = ((struct fault_db *)db)->real;
    return (*real)->driver;
}

static int strike(struct db *db, struct err *err)
{
    struct fault_db *f = (struct fault_db *)db;

    f->calls++;
    if (f->n == 0 || (f->persistent ? f->calls < f->n : f->calls != f->n))
        return 0;
    atomic_fetch_add(&fired, 1);
    if (f->is_broken)
        db->broken = true;
    return err_set(err, f->kind, "injected failure of call %lld", (long long)f->calls);
}

/* Passes on what the real call found out. */
static int after(struct db *db, int rc)
{
    struct db *real = ((struct fault_db *)db)->real;

    db->broken = db->broken || real->broken;
    return rc;
}

/* ---- "N[+]:KIND:url" ---------------------------------------------------------------- */

static int parse_kind(struct fault_db *f, const char *word, size_t len, struct err *err)
{
    f->kind = ERR_UNAVAILABLE;
    f->is_broken = len == 6 && strncmp(word, "broken", 6) == 0;
    f->is_unknown = len == 7 && strncmp(word, "unknown", 7) == 0;
    if (f->is_broken || f->is_unknown)
        return 0;
    for (int k = 0; k < ERR_N; k++) {
        const char *slug = err_info((enum err_kind)k)->slug;
        if (strlen(slug) == len && strncmp(slug, word, len) == 0) {
            f->kind = (enum err_kind)k;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "fault: no such kind: %.*s", (int)len, word);
}

/* The real URL, or NULL. */
static const char *parse(struct fault_db *f, const char *url, struct err *err)
{
    char *end;
    const char *at = url + strlen("fault:");

    f->n = strtoll(at, &end, 10);
    if (end != at && *end == '+') {
        f->persistent = true;
        end++;
    }
    const char *colon = *end == ':' ? strchr(end + 1, ':') : NULL;
    if (end == at || f->n < 0 || colon == NULL) {
        err_set(err, ERR_INVALID, "fault: expected fault:N:KIND:url");
        return NULL;
    }
    return parse_kind(f, end + 1, (size_t)(colon - end - 1), err) == 0 ? colon + 1 : NULL;
}

static int fault_open(const char *url, enum db_mode mode, struct db **out, struct err *err)
{
    if (!atomic_load(&enabled))
        return err_set(err, ERR_INVALID, "database \"%s\": must be a file name or postgresql://...", url);
    struct fault_db *f = calloc(1, sizeof *f);
    if (f == NULL)
        return err_nomem(err);
    const char *real = parse(f, url, err);
    if (real == NULL || db_open(real, mode, &f->real, err) != 0) {
        free(f);
        return -1;
    }
    f->base.is_postgres = f->real->is_postgres;
    *out = &f->base;
    return 0;
}

static void fault_close(struct db *db)
{
    db_close(((struct fault_db *)db)->real);
    free(db);
}

/* ---- calls that can be failed ------------------------------------------------------------ */

static int prepare(struct db *db, const struct db_query *q, void **stmt, struct err *err)
{
    struct db *real;

    return strike(db, err) != 0 ? -1 : after(db, inner(db, &real)->prepare(real, q, stmt, err));
}

static int start(struct db *db, void *stmt, const struct db_value *in, size_t n, bool copy, struct err *err)
{
    struct db *real;

    return strike(db, err) != 0 ? -1 : after(db, inner(db, &real)->start(real, stmt, in, n, copy, err));
}

static int next(struct db *db, void *stmt, struct err *err)
{
    struct db *real;

    return strike(db, err) != 0 ? -1 : after(db, inner(db, &real)->next(real, stmt, err));
}

static int begin(struct db *db, bool write, struct err *err)
{
    struct db *real;

    return strike(db, err) != 0 ? -1 : after(db, inner(db, &real)->begin(real, write, err));
}

static int point(struct db *db, enum db_point what, struct err *err)
{
    struct db *real;

    return strike(db, err) != 0 ? -1 : after(db, inner(db, &real)->point(real, what, err));
}

static int commit(struct db *db, struct err *err)
{
    struct db *real;
    const struct db_driver *driver = inner(db, &real);

    if (strike(db, err) == 0)
        return after(db, driver->commit(real, err));
    struct err ignored;
    if (!((struct fault_db *)db)->is_unknown)
        driver->rollback(real);
    else if (driver->commit(real, &ignored) == 0)
        err_prefix(err, "unknown outcome");
    return -1;
}

/* ---- calls that are passed on ---------------------------------------------------------------- */

static void finish(struct db *db, void *stmt)
{
    struct db *real;

    inner(db, &real)->finish(real, stmt);
}

static void column(struct db *db, void *stmt, int col, struct db_value *out)
{
    struct db *real;

    inner(db, &real)->column(real, stmt, col, out);
}

static int64_t changed(struct db *db, void *stmt)
{
    struct db *real;

    return inner(db, &real)->changed(real, stmt);
}

static void reset(struct db *db, void *stmt)
{
    struct db *real;

    inner(db, &real)->reset(real, stmt);
}

static void rollback(struct db *db)
{
    struct db *real;

    inner(db, &real)->rollback(real);
}

static bool in_tx(struct db *db)
{
    struct db *real;

    return inner(db, &real)->in_tx(real);
}

static void budget(struct db *db, int64_t ms)
{
    db_budget(((struct fault_db *)db)->real, ms);
}

static int checkpoint(struct db *db, bool truncate, struct err *err)
{
    return after(db, db_checkpoint(((struct fault_db *)db)->real, truncate, err));
}

static int64_t wal_bytes(const struct db *db)
{
    return db_wal_bytes(((const struct fault_db *)db)->real);
}

static int64_t size_bytes(struct db *db)
{
    return db_size_bytes(((struct fault_db *)db)->real);
}

static int verify(struct db *db, struct arena *arena, char **report, struct err *err)
{
    return db_verify(((struct fault_db *)db)->real, arena, report, err);
}

static int backup(struct db *db, const char *file, struct err *err)
{
    return db_backup(((struct fault_db *)db)->real, file, err);
}

static int script(struct db *db, const char *sql, struct err *err)
{
    struct db *real;

    return strike(db, err) != 0 ? -1 : after(db, inner(db, &real)->script(real, sql, err));
}

static int explain(struct db *db, const struct db_query *q, struct arena *arena, char **plan, struct err *err)
{
    return db_explain(((struct fault_db *)db)->real, q, arena, plan, err);
}

const struct db_driver db_fault = {
    .name = "fault", .open = fault_open, .close = fault_close,
    .prepare = prepare, .finish = finish, .start = start, .next = next, .column = column,
    .changed = changed, .reset = reset,
    .begin = begin, .point = point, .commit = commit, .rollback = rollback, .in_tx = in_tx,
    .budget = budget, .checkpoint = checkpoint, .wal_bytes = wal_bytes, .size_bytes = size_bytes,
    .verify = verify, .backup = backup, .script = script, .explain = explain,
};
