/* init.c - keepd init, login-link, token: the first admin and ways back in. */
#include "cmd/serve.h"

#include "base/crypto.h"
#include "base/time.h"
#include "db/lock.h"
#include "db/migrate.h"
#include "service/setup.h"
#include "service/shipped.h"
#include "wire/jsonw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct offline {
    struct arena arena;
    struct config config;
    struct db *db;
    int lock;
};

/* The database for one command, while no server runs (the lock says so).  On
 * PostgreSQL a server may run: it is made for that. */
static int offline_open(const struct command_line *cl, struct offline *o, struct err *err)
{
    struct db_queries sets[32];
    int applied;

    o->lock = -1;
    arena_init(&o->arena, 64 << 20);
    if (command_config(cl, &o->arena, &o->config) != 0)
        return err_set(err, ERR_INVALID, "see above");
    if (mkdir(o->config.data_dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", o->config.data_dir, strerror(errno));
    const char *url = config_database(&o->config, &o->arena);
    if (url == NULL)
        return err_nomem(err);
    if (crypto_init(err) != 0 || (o->lock = lock_take(o->config.data_dir, err)) < 0)
        return -1;
    if (migrate_run(url, migrations, time_now_ms(), &applied, err) != 0 || db_open(url, DB_WRITER, &o->db, err) != 0)
        return -1;
    return db_prepare_all(o->db, sets, queries_gather(sets, N_ITEMS(sets)), err);
}

static void offline_close(struct offline *o)
{
    db_close(o->db);
    if (o->lock >= 0)
        lock_release(o->lock);
    arena_clear(&o->arena);
}

static const char *base_url(const struct config *c, struct arena *arena)
{
    if (c->public_url != NULL)
        return c->public_url;
    return arena_printf(arena, "%s://%s", c->tls_cert != NULL ? "https" : "http", c->listen);
}

static void print_json(const char *link, const char *token, const char *url)
{
    struct buf b;
    struct jsonw w;

    buf_init(&b, 1 << 16);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "url", url);
    if (link != NULL)
        jsonw_kstr(&w, "login_link", link);
    if (token != NULL)
        jsonw_kstr(&w, "admin_token", token);
    jsonw_object_end(&w);
    if (!b.failed)
        puts(b.ptr);
    buf_free(&b);
}

static int do_init(struct offline *o, const struct command_line *cl, struct err *err)
{
    const char *name = command_get(cl, "admin"), *link, *token = NULL;
    bool json = command_get(cl, "json") != NULL;
    int64_t now_ms = time_now_ms();
    size_t changed;

    if (db_begin_write(o->db, err) != 0)
        return -1;
    if (setup_policies(o->db, &o->arena, shipped_policies, n_shipped_policies, now_ms, &changed, err) != 0 ||
        setup_first_admin(o->db, &o->arena, name != NULL ? name : "admin", now_ms, &link, err) != 0 ||
        (json && setup_token(o->db, &o->arena, "admin", "init", 30 * MS_DAY, now_ms, &token, err) != 0)) {
        db_rollback(o->db);
        return -1;
    }
    if (db_commit(o->db, err) != 0)
        return -1;
    const char *url = base_url(&o->config, &o->arena);
    const char *full = arena_printf(&o->arena, "%s%s", url, link);
    if (json)
        print_json(full, token, url);
    else
        printf("Ready in %s. Log in with this link (it works once, within 24 hours):\n\n  %s\n\nStart the server: keepd serve --data %s\n",
               o->config.data_dir, full, o->config.data_dir);
    return 0;
}

static int do_login_link(struct offline *o, const struct command_line *cl, struct err *err)
{
    const char *link;

    if (db_begin_write(o->db, err) != 0)
        return -1;
    if (setup_login_link(o->db, &o->arena, cl->args[0], time_now_ms(), &link, err) != 0) {
        db_rollback(o->db);
        return -1;
    }
    if (db_commit(o->db, err) != 0)
        return -1;
    printf("%s%s\n", base_url(&o->config, &o->arena), link);
    return 0;
}

static int do_token(struct offline *o, const struct command_line *cl, struct err *err)
{
    const char *role = command_get(cl, "role"), *name = command_get(cl, "name"), *life = command_get(cl, "expires-in"), *token;
    int64_t life_ms = 90 * MS_DAY;

    if (role == NULL || role_of(role) == 0)
        return err_set(err, ERR_INVALID, "--role: expected viewer, analyst, policy, admin, ci, admission or agent");
    if (life != NULL && !time_parse_duration(life, &life_ms))
        return err_set(err, ERR_INVALID, "--expires-in: expected a length of time like 30d");
    if (db_begin_write(o->db, err) != 0)
        return -1;
    if (setup_token(o->db, &o->arena, role, name != NULL ? name : role, life_ms, time_now_ms(), &token, err) != 0) {
        db_rollback(o->db);
        return -1;
    }
    if (db_commit(o->db, err) != 0)
        return -1;
    puts(token);
    return 0;
}

static int offline_command(struct command_line *cl, int (*run)(struct offline *, const struct command_line *, struct err *))
{
    struct offline o = { .lock = -1 };
    struct err err = { 0 };

    int rc = offline_open(cl, &o, &err);
    if (rc == 0)
        rc = run(&o, cl, &err);
    offline_close(&o);
    return rc == 0 ? 0 : command_fail(cl, &err);
}

int cmd_init(struct command_line *cl)       { return offline_command(cl, do_init); }
int cmd_login_link(struct command_line *cl) { return offline_command(cl, do_login_link); }
int cmd_token(struct command_line *cl)      { return offline_command(cl, do_token); }
