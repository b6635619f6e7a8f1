/* serve.c - keepd serve: wire everything up, run until told to stop.
 *
 *~ Order of life: lock, configuration, schema, writer (the only one that writes and
 *~ checkpoints), policies, workers, HTTP, housekeeper; and backwards to stop: answer
 *~ what was accepted, then commit, checkpoint, go. */
#include "cmd/serve.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/time.h"
#include "cmd/housekeeper.h"
#include "cmd/tls_self.h"
#include "db/ballast.h"
#include "db/lock.h"
#include "db/migrate.h"
#include "http/metrics.h"
#include "http/ready.h"
#include "http/server.h"
#include "http/static.h"
#include "service/admissions.h"
#include "service/events.h"
#include "service/auth.h"
#include "service/bundles.h"
#include "service/drift_state.h"
#include "service/idempotent.h"
#include "service/nodes.h"
#include "service/opa.h"
#include "service/policies.h"
#include "service/setup.h"
#include "service/shipped.h"
#include "service/touched.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { QUERY_SETS_MAX = 64, DRAIN_MS = 10000, RENEW_S = 600 };

struct running_server {
    const struct command_line *cl;
    struct arena arena;
    struct config config, loaded;         /* loaded: as read, before we filled in anything */
    struct log log;
    struct app app;
    int lock;
    struct db_queries sets[QUERY_SETS_MAX]; size_t n_sets;
    struct work_pool *work;
    struct metrics *metrics;
    struct http_server *http;
    struct housekeeper *housekeeper;
    struct tls_self tls_self;             /* dir NULL: the certificate is somebody else's */
};

/* ---- what the HTTP side asks ----------------------------------------------------- */

static int ready_hook(struct app *app, struct err *err)
{
    struct writer_stats stats;

    writer_stats(app->writer, &stats);
    if (stats.broken)
        return err_set(err, ERR_UNAVAILABLE, "storage failed; restart keepd after looking at the disk");
    return 0;
}

static void metrics_hook(struct app *app, struct buf *out)
{
    struct writer_stats s;

    writer_stats(app->writer, &s);
    const struct { const char *name, *type, *help; int64_t value; } rows[] = {
        { "keepd_writes_total", "counter", "Write jobs done.", s.jobs },
        { "keepd_writes_failed_total", "counter", "Write jobs rolled back.", s.failed },
        { "keepd_commits_total", "counter", "Transactions committed: many jobs share one.", s.batches },
        { "keepd_writes_refused_total", "counter", "Write jobs refused because the queue was full.", s.refused },
        { "keepd_checkpoints_total", "counter", "Checkpoints of the write-ahead log.", s.checkpoints },
        { "keepd_write_queue", "gauge", "Write jobs waiting.", s.queue },
        { "keepd_wal_bytes", "gauge", "Size of the write-ahead log.", s.wal_bytes },
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", rows[i].name, rows[i].help, rows[i].name, rows[i].type,
                   rows[i].name, (long long)rows[i].value);
    buf_printf(out, "# HELP keepd_start_time_seconds When this process started.\n# TYPE keepd_start_time_seconds gauge\n"
                    "keepd_start_time_seconds %lld\n", (long long)(app->started_ms / 1000));
    admissions_metrics(app, out);
    ingest_metrics(app, out);
    drift_state_metrics(app, out);
    nodes_metrics(app, out);
    bundles_metrics(app, out);
}

static struct http_hooks hooks = { .identify = identify, .still = nodes_still, .ready = ready_hook, .metrics = metrics_hook };

/* ---- up ---------------------------------------------------------------------------- */

static int ship(struct db *db, void *arg, struct err *err)
{
    struct running_server *s = arg;
    size_t changed;

    return setup_policies(db, &s->arena, shipped_policies, n_shipped_policies, time_now_ms(), &changed, err);
}

/* Policies are compiled before anybody is answered. */
static int compile_policies(struct db *db, void *arg, struct err *err)
{
    struct running_server *s = arg;
    const struct policy_set *set;

    if (policies_hold(&s->app, db, &set, err) != 0)
        return -1;
    policies_release(&s->app, set);
    return 0;
}

static int open_storage(struct running_server *s, struct err *err)
{
    int applied;

    s->app.db_url = config_database(&s->config, &s->arena);
    if (s->app.db_url == NULL)
        return err_nomem(err);
    if (migrate_run(s->app.db_url, migrations, time_now_ms(), &applied, err) != 0)
        return err_prefix(err, "schema");
    if (applied > 0)
        LOG(&s->log, LOG_INFO, "schema brought up to date", LOG_INT("migrations", applied));
    s->n_sets = queries_gather(s->sets, QUERY_SETS_MAX);
    if (!str_starts(s->app.db_url, "postgres")) {
        struct err full = { 0 };
        if (ballast_keep(s->config.data_dir, BALLAST_BYTES, &full) != 0)
            LOG(&s->log, LOG_WARN, "no ballast", LOG_TEXT("error", full.msg));
    }
    return writer_open(s->app.db_url, s->sets, s->n_sets, (size_t)s->config.writer_queue, (size_t)s->config.writer_batch,
                       &s->app.writer, err);
}

static int open_app(struct running_server *s, struct err *err)
{
    s->app.settings = s->config.settings;
    s->app.data_dir = s->config.data_dir;
    s->app.public_url = s->config.public_url;
    s->app.started_ms = time_now_ms();
    s->app.touched = touched_new();
    if (s->app.touched == NULL)
        return err_nomem(err);
    if (ingest_open(&s->app, err) != 0)
        return -1;
    if (policies_open(&s->app, err) != 0 || drift_state_open(&s->app, err) != 0 || opa_bundles_open(&s->app, err) != 0 || open_storage(s, err) != 0)
        return -1;
    if (writer_call(s->app.writer, ship, s, err) != 0 || writer_call(s->app.writer, compile_policies, s, err) != 0)
        return -1;
    return admissions_open(&s->app, err) != 0 || nodes_open(&s->app, err) != 0 ? -1 : bundles_open(&s->app, &ready_answers, err);
}

/* Before listening: what will be served must be there. */
static int open_tls(struct running_server *s, struct err *err)
{
    struct tls_self *t = &s->tls_self;
    bool changed;

    s->app.tls_cert = s->config.tls_cert;
    if (s->config.tls_self == NULL)
        return 0;
    if (tls_self_names(s->config.tls_self, &s->arena, &t->names, &t->n, err) != 0)
        return -1;
    const char *dir = arena_printf(&s->arena, "%s/tls", s->config.data_dir);
    s->app.tls_cert = s->config.tls_cert = s->config.tls_key = arena_printf(&s->arena, "%s/tls/server.pem", s->config.data_dir);
    if (dir == NULL || s->config.tls_cert == NULL)
        return err_nomem(err);
    t->dir = dir;
    s->app.tls_ca = arena_printf(&s->arena, "%s/bundle.pem", dir);
    return tls_self_ensure(t, time_now_ms(), &changed, err);
}

static int open_http(struct running_server *s, struct err *err)
{
    const struct config *c = &s->config;
    struct work_config work = { .db_url = s->app.db_url, .sets = s->sets, .n_sets = s->n_sets, .threads = (unsigned)c->workers,
                                .queue_max = (size_t)c->work_queue, .bytes_max = (size_t)c->work_bytes };
    struct http_config http = {
        .listen = c->listen, .listen_reserve = c->listen_reserve, .listen_nodes = c->listen_nodes, .tls_cert = c->tls_cert, .tls_key = c->tls_key,
        .insecure_plaintext = c->insecure_plaintext, .client_ca = c->client_ca, .client_required = c->client_required, .loops = (unsigned)c->loops, .max_connections = (unsigned)c->max_connections,
        .max_per_address = (unsigned)c->max_per_address, .connection_memory = (size_t)c->connection_memory,
        .rate = (unsigned)c->rate, .burst = (unsigned)c->burst,
    };
    struct http_back back = { .app = &s->app, .hooks = &hooks, .files = web_files, .n_files = n_web_files,
                              .writer = s->app.writer, .log = &s->log };

    hooks.keep = idempotent_answers;
    back.routes = routes_gather(&back.n_routes);
    if (metrics_new(&s->metrics, err) != 0 || work_open(&work, &s->work, err) != 0)
        return -1;
    back.metrics = s->metrics;
    back.work = s->work;
    struct http_back *kept = arena_alloc(&s->arena, sizeof *kept);
    if (kept == NULL)
        return err_nomem(err);
    *kept = back;
    return http_open(&http, kept, &s->http, err);
}

static void stop(struct running_server *s)
{
    if (s->http != NULL)
        http_drain(s->http, DRAIN_MS);
    housekeeper_close(s->housekeeper);
    http_close(s->http);
    work_close(s->work);
    admissions_close(&s->app);
    bundles_close(&s->app);
    nodes_close(&s->app);
    writer_close(s->app.writer);
    metrics_free(s->metrics);
    opa_bundles_close(&s->app);
    drift_state_close(&s->app);
    policies_close(&s->app);
    ingest_close(&s->app);
    touched_free(s->app.touched);
    if (s->lock >= 0)
        lock_release(s->lock);
    arena_clear(&s->arena);
}

static int start(struct running_server *s, struct err *err)
{
    enum log_level level = log_level_of(s->config.log_level != NULL ? s->config.log_level : "info");

    if (level == LOG_LEVEL_N)
        return err_set(err, ERR_INVALID, "log.level: expected debug, info, warn or error, found %s", s->config.log_level);
    s->log = (struct log){ .fd = 2, .min = (int)level };
    if (crypto_init(err) != 0)
        return -1;
    if ((s->lock = lock_take(s->config.data_dir, err)) < 0)
        return -1;
    if (open_app(s, err) != 0 || open_tls(s, err) != 0 || open_http(s, err) != 0 || housekeeper_open(&s->app, &s->log, &s->housekeeper, err) != 0)
        return -1;
    return 0;
}

/* ---- signals ----------------------------------------------------------------------------- */

static void reload_certificate(struct running_server *s)
{
    struct err err = { 0 };

    if (s->config.tls_cert == NULL)
        return;
    if (http_reload_tls(s->http, &err) != 0)
        LOG(&s->log, LOG_ERROR, "reload failed; the old certificate stays", LOG_TEXT("error", err.msg));
    else
        LOG(&s->log, LOG_INFO, "certificate reloaded", LOG_TEXT("file", s->config.tls_cert));
}

/* Takes what can change while others read it, and names what cannot. */
static void take_settings(struct running_server *s, const struct config *fresh)
{
    enum log_level level = log_level_of(fresh->log_level != NULL ? fresh->log_level : "info");

    for (size_t i = 0; i < n_settings_table; i++) {
        const struct setting *row = &settings_table[i];
        if (!row->reloadable && !setting_equal(&s->loaded, fresh, row))
            LOG(&s->log, LOG_WARN, "setting changed; it needs a restart", LOG_TEXT("setting", row->key));
    }
    s->log.min = (int)level;
    LOG(&s->log, LOG_INFO, "configuration reloaded", LOG_TEXT("log.level", log_level_word(level)));
}

/* What is wrong changes nothing. */
static void reload_config(struct running_server *s)
{
    struct arena arena;
    struct config fresh;
    struct err err = { 0 };

    arena_init(&arena, 4 << 20);
    int rc = config_load(command_get(s->cl, "config"), s->cl, &arena, &fresh, NULL, &err);
    if (rc == 0 && fresh.log_level != NULL && log_level_of(fresh.log_level) == LOG_LEVEL_N)
        rc = err_set(&err, ERR_INVALID, "log.level: expected debug, info, warn or error, found %s", fresh.log_level);
    if (rc != 0)
        LOG(&s->log, LOG_ERROR, "reload failed; the old configuration stays", LOG_TEXT("error", err.msg));
    else
        take_settings(s, &fresh);
    arena_clear(&arena);
}

/* Our own certificate, when it is due. */
static void renew(struct running_server *s)
{
    struct err err = { 0 };
    bool changed = false;

    if (s->tls_self.dir == NULL)
        return;
    if (tls_self_ensure(&s->tls_self, time_now_ms(), &changed, &err) != 0)
        LOG(&s->log, LOG_ERROR, "the certificate cannot be renewed; the old one stays", LOG_TEXT("error", err.msg));
    else if (changed)
        reload_certificate(s);
}

static void run_until_told(struct running_server *s, const sigset_t *set)
{
    for (;;) {
        int got = sigtimedwait(set, NULL, &(struct timespec){ .tv_sec = RENEW_S });
        if (got < 0) {
            renew(s);
            continue;
        }
        if (got == SIGHUP) {
            reload_config(s);
            renew(s);
            reload_certificate(s);
            continue;
        }
        LOG(&s->log, LOG_INFO, "stopping", LOG_TEXT("signal", got == SIGTERM ? "TERM" : "INT"));
        return;
    }
}

/* A connection is a file: as many as we are allowed. */
static void allow_files(void)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
        return;
    lim.rlim_cur = lim.rlim_max;
    setrlimit(RLIMIT_NOFILE, &lim);
}

/* What one request of some MB gave back serves the next: page faults were a tenth of
 * what taking in events cost. */
static void keep_pages(void)
{
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

int cmd_serve(struct command_line *cl)
{
    struct running_server s = { .lock = -1, .cl = cl };
    struct err err = { 0 };
    sigset_t set;

    arena_init(&s.arena, 64 << 20);
    if (command_config(cl, &s.arena, &s.config) != 0)
        return 1;
    s.loaded = s.config;
    /* Before any thread starts, so that all inherit the mask. */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    allow_files();
    keep_pages();
    if (start(&s, &err) != 0) {
        stop(&s);
        return command_fail(cl, &err);
    }
    LOG(&s.log, LOG_INFO, "serving", LOG_TEXT("listen", s.config.listen), LOG_INT("port", http_port(s.http, false)),
        LOG_TEXT("version", KEEP_VERSION), LOG_INT("started_ms", time_now_ms() - s.app.started_ms));
    run_until_told(&s, &set);
    bool failed = ready_hook(&s.app, &err) != 0;     /* we told ourselves: a supervisor is to start us again */
    stop(&s);
    return failed ? 1 : 0;
}
