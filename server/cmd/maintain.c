/* maintain.c - keepd migrate, backup, restore, verify: the database at rest. */
#include "cmd/serve.h"

#include "base/crypto.h"
#include "base/time.h"
#include "db/lock.h"
#include "db/migrate.h"
#include "store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct resting {
    struct arena arena;
    struct config config;
    const char *url;
    int lock;
};

static int rest(const struct command_line *cl, struct resting *r, struct err *err)
{
    r->lock = -1;
    arena_init(&r->arena, 256 << 20);
    if (command_config(cl, &r->arena, &r->config) != 0)
        return err_set(err, ERR_INVALID, "see above");
    r->url = config_database(&r->config, &r->arena);
    if (r->url == NULL)
        return err_nomem(err);
    if (crypto_init(err) != 0)
        return -1;
    return (r->lock = lock_take(r->config.data_dir, err)) < 0 ? -1 : 0;
}

static int done(struct resting *r, const struct command_line *cl, int rc, const struct err *err)
{
    if (r->lock >= 0)
        lock_release(r->lock);
    arena_clear(&r->arena);
    return rc == 0 ? 0 : command_fail(cl, err);
}

int cmd_migrate(struct command_line *cl)
{
    struct resting r = { .lock = -1 };
    struct err err = { 0 };
    int applied = 0;

    int rc = rest(cl, &r, &err);
    if (rc == 0)
        rc = migrate_run(r.url, migrations, time_now_ms(), &applied, &err);
    if (rc == 0)
        printf("%s: %d migration%s applied\n", str_starts(r.url, "postgres") ? "PostgreSQL" : r.url, applied, applied == 1 ? "" : "s");
    return done(&r, cl, rc, &err);
}

int cmd_backup(struct command_line *cl)
{
    struct resting r = { .lock = -1 };
    struct err err = { 0 };
    struct db *db = NULL;

    int rc = rest(cl, &r, &err);
    if (rc == 0 && access(cl->args[0], F_OK) == 0)
        rc = err_set(&err, ERR_CONFLICT, "%s exists; a backup never overwrites", cl->args[0]);
    if (rc == 0)
        rc = db_open(r.url, DB_READER, &db, &err);
    if (rc == 0)
        rc = db_backup(db, cl->args[0], &err);
    db_close(db);
    if (rc == 0)
        printf("%s\n", cl->args[0]);
    return done(&r, cl, rc, &err);
}

/* ---- restore ------------------------------------------------------------------ */

static int copy(const char *from, const char *to, struct err *err)
{
    char chunk[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
    ssize_t n = -1;

    if (in >= 0)
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (out >= 0 && (n = read(in, chunk, sizeof chunk)) > 0) {
        for (ssize_t at = 0, w; at < n; at += w) {
            w = write(out, chunk + at, (size_t)(n - at));
            if (w < 0) {
                n = -1;
                break;
            }
        }
        if (n < 0)
            break;
    }
    bool ok = out >= 0 && n == 0 && fsync(out) == 0;
    int why = errno;
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) != 0)
        ok = false;
    return ok ? 0 : err_set(err, ERR_UNAVAILABLE, "%s -> %s: %s", from, to, strerror(why));
}

static int check_copy(struct resting *r, const char *file, struct err *err)
{
    struct db *db = NULL;
    char *report = NULL;

    int rc = db_open(file, DB_READER, &db, err);
    if (rc == 0)
        rc = db_verify(db, &r->arena, &report, err);
    db_close(db);
    if (rc == 0 && report != NULL && *report != '\0')
        rc = err_set(err, ERR_INVALID, "the backup is damaged: %.180s", report);
    return rc;
}

/* The backup is copied beside the database and checked there; only then does it
 * take its place, and the old one is kept. */
static int do_restore(struct resting *r, const char *backup, struct err *err)
{
    char stamp[TIME_TEXT];

    if (str_starts(r->url, "postgres"))
        return err_set(err, ERR_INVALID, "a PostgreSQL database is restored with pg_restore");
    const char *fresh = arena_printf(&r->arena, "%s.restoring", r->url);
    time_format(time_now_ms() / 1000 * 1000, stamp);
    const char *old = arena_printf(&r->arena, "%s.before-%s", r->url, stamp);
    if (fresh == NULL || old == NULL)
        return err_nomem(err);
    unlink(fresh);
    if (copy(backup, fresh, err) != 0)
        return -1;
    if (check_copy(r, fresh, err) != 0) {
        unlink(fresh);
        return -1;
    }
    const char *side[] = { "-wal", "-shm" };
    for (size_t i = 0; i < N_ITEMS(side); i++) {
        const char *a = arena_printf(&r->arena, "%s%s", r->url, side[i]), *b = arena_printf(&r->arena, "%s%s", old, side[i]);
        if (a == NULL || b == NULL)
            return err_nomem(err);
        if (rename(a, b) != 0 && errno != ENOENT)
            return err_set(err, ERR_UNAVAILABLE, "%s: %s", a, strerror(errno));
    }
    if (rename(r->url, old) != 0 && errno != ENOENT)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", r->url, strerror(errno));
    if (rename(fresh, r->url) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", fresh, strerror(errno));
    printf("restored; what was there before is %s\n", old);
    return 0;
}

int cmd_restore(struct command_line *cl)
{
    struct resting r = { .lock = -1 };
    struct err err = { 0 };

    int rc = rest(cl, &r, &err);
    if (rc == 0)
        rc = do_restore(&r, cl->args[0], &err);
    return done(&r, cl, rc, &err);
}

/* ---- verify ----------------------------------------------------------------------- */

struct leaves { int64_t n, bad, last; };

/* Every leaf is the hash of its record, and no number is missing. */
static int check_leaf(void *arg, int64_t seq, struct bytes record, struct bytes leaf, struct err *err)
{
    struct leaves *l = arg;
    uint8_t expected[AUDIT_LEAF_LEN];

    (void)err;
    audit_leaf(record.ptr, record.len, expected);
    bool matches = leaf.len == AUDIT_LEAF_LEN && memcmp(leaf.ptr, expected, AUDIT_LEAF_LEN) == 0;
    l->n++;
    if ((!matches || seq != l->last + 1) && l->bad++ < 10)
        printf("audit record %lld: %s\n", (long long)seq, matches ? "the one before it is missing" : "was changed");
    l->last = seq;
    return 0;
}

static int do_verify(struct resting *r, struct err *err)
{
    struct db_queries sets[32];
    struct db *db = NULL;
    char *report = NULL;
    struct leaves leaves = { 0 };

    int rc = db_open(r->url, DB_READER, &db, err);
    if (rc == 0)
        rc = db_prepare_all(db, sets, queries_gather(sets, N_ITEMS(sets)), err);
    if (rc == 0)
        rc = migrate_check(db, migrations, err);
    if (rc == 0)
        rc = db_verify(db, &r->arena, &report, err);
    if (rc == 0)
        rc = audit_walk(db, 0, check_leaf, &leaves, err);
    db_close(db);
    if (rc != 0)
        return -1;
    bool clean = (report == NULL || *report == '\0') && leaves.bad == 0;
    if (!clean && report != NULL)
        fputs(report, stdout);
    printf("structure %s, %lld audit records, %lld wrong\n", report == NULL || *report == '\0' ? "ok" : "DAMAGED", (long long)leaves.n,
           (long long)leaves.bad);
    return clean ? 0 : err_set(err, ERR_INVALID, "the database is damaged; restore a backup with: keepd restore FILE");
}

int cmd_verify(struct command_line *cl)
{
    struct resting r = { .lock = -1 };
    struct err err = { 0 };

    int rc = rest(cl, &r, &err);
    if (rc == 0)
        rc = do_verify(&r, &err);
    return done(&r, cl, rc, &err);
}
