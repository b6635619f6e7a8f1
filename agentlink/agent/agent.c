/* agent.c - see agent.h: start, the threads that need few lines, stop. */
#include "agent/agent.h"
#include "agent/state_file.h"

#include "base/crypto.h"
#include "base/time.h"
#include "wire/json.h"
#include "wire/msg/node_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DRAIN_MS = 5000, SOURCE_LINES = 500, SOURCE_WAIT_MS = 500, REVOKED_PAUSE_MS = 60000, USER_AGENT_MAX = 64 };

bool agent_is_stopping(void *arg)
{
    return ((struct agent *)arg)->is_stopping;
}

bool agent_is_over(void *arg)
{
    return ((struct agent *)arg)->is_over;
}

void agent_pause(struct agent *a, int64_t ms)
{
    int64_t end = time_monotonic_ms() + ms;
    struct timespec until = { .tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000 };
    unsigned round = a->round;
    int rc = 0;

    pthread_mutex_lock(&a->lock);
    while (rc == 0 && !a->is_stopping && a->round == round && time_monotonic_ms() < end)
        rc = pthread_cond_timedwait(&a->wake, &a->lock, &until);
    pthread_mutex_unlock(&a->lock);
}

struct client_config agent_client(const struct agent *a, bool (*give_up)(void *data))
{
    return (struct client_config){
        .base_url = a->facts.server, .ca_file = a->facts.ca_file, .agent = "keep-agent/" KEEP_VERSION,
        .cert_file = a->facts.cert_file, .key_file = a->facts.key_file,
        .connect_timeout_ms = 10 * MS_SECOND, .timeout_ms = MS_MINUTE, .give_up = give_up, .data = (void *)(uintptr_t)a,
    };
}

static int ask_session(void *arg, struct pass_grant *out, struct err *err)
{
    struct agent *a = arg;
    struct session s;

    if (identity_session(a->identity, true, &s, err) != 0)
        return -1;
    if (s.token == NULL || strlen(s.token) >= sizeof out->token)
        return err_set(err, ERR_UNAVAILABLE, "the server's session has no token");
    memcpy(out->token, s.token, strlen(s.token) + 1);
    out->life_ms = s.until_monotonic_ms - time_monotonic_ms();
    out->poll_interval_ms = s.poll_interval_s * MS_SECOND;
    out->clock_skew_ms = s.clock_skew_ms;
    return 0;
}

bool agent_is_revoked(struct agent *a)
{
    struct pass_status s;

    pass_status(a->pass, &s);
    if (!s.is_revoked)
        return false;
    pthread_mutex_lock(&a->lock);
    bool is_first = !a->shared.has_told_revoked;
    a->shared.has_told_revoked = true;
    pthread_mutex_unlock(&a->lock);
    if (is_first)
        LOG(&a->log, LOG_ERROR, "this node is revoked: nothing is sent any more; the last good bundle stays in force",
            LOG_TEXT("error", s.problem));
    return true;
}

/* ---- sender ----------------------------------------------------------------------------- */

static void told_sending(struct agent *a, int rc, const struct err *err)
{
    pthread_mutex_lock(&a->lock);
    bool had = a->shared.send_problem[0] != '\0', is_new = rc < 0 && !had;
    snprintf(a->shared.send_problem, sizeof a->shared.send_problem, "%.190s", rc < 0 ? err->msg : "");
    pthread_mutex_unlock(&a->lock);
    if (is_new)
        LOG(&a->log, LOG_WARN, "events are not sent; they wait in the spool", LOG_TEXT("error", err->msg));
    else if (rc >= 0 && had)
        LOG(&a->log, LOG_INFO, "events are sent again");
}

/* Until it is over: when the agent stops, what waits is sent for a few seconds more. */
static void *send_main(void *arg)
{
    struct agent *a = arg;
    struct err err;
    int64_t pause;

    while (!a->is_over) {
        if (agent_is_revoked(a)) {
            if (a->is_stopping)
                break;
            agent_pause(a, REVOKED_PAUSE_MS);
            continue;
        }
        if (spool_wait(a->spool, 1, 1000) <= 0) {
            if (a->is_stopping)
                break;
            continue;
        }
        if (!a->is_stopping && a->pace.linger_ms > 0)
            spool_wait(a->spool, a->pace.batch_events, a->pace.linger_ms);
        err = (struct err){ 0 };
        a->sender.max_events = (size_t)a->pace.batch_events;
        a->sender.max_bytes = (size_t)a->pace.batch_bytes;
        int rc = sender_round(&a->sender, &pause, &err);
        told_sending(a, rc, &err);
        if (rc < 0 && a->is_stopping)
            break;
        if (pause > 0)
            agent_pause(a, pause);
    }
    a->is_over = true;
    return NULL;
}

/* ---- sources -> spool --------------------------------------------------------------------- */

static struct spool_group *my_group(struct agent *a)
{
    struct keeper_slot *mine = NULL;

    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; mine == NULL && i < AGENT_KEEPERS; i++) {
        struct keeper_slot *k = &a->keepers[i];
        if (k->is_used && !pthread_equal(k->who, pthread_self()))
            continue;
        if (!k->is_used) {
            *k = (struct keeper_slot){ .who = pthread_self(), .is_used = true };
            spool_begin(a->spool, &k->group);
        }
        mine = k;
    }
    pthread_mutex_unlock(&a->lock);
    return mine != NULL ? &mine->group : NULL;
}

/* Every event takes one; when there is none left, those of class low go, and are counted. */
static bool is_too_much(struct agent *a, enum event_class class)
{
    int64_t now = time_monotonic_ms(), most = a->pace.events_per_s;
    struct agent_rate *r = &a->rate;

    if (most <= 0)
        return false;
    pthread_mutex_lock(&a->lock);
    int64_t fresh = (now - r->at_ms) * most / 1000;
    if (fresh > 0) {
        r->left = r->left + fresh < most ? r->left + fresh : most;
        r->at_ms = now;
    }
    bool is_dropped = r->left <= 0 && class == EVENT_CLASS_LOW;
    r->n_dropped += is_dropped;
    r->left -= r->left > 0;
    pthread_mutex_unlock(&a->lock);
    return is_dropped;
}

static int count_dropped(struct agent *a, struct err *err)
{
    pthread_mutex_lock(&a->lock);
    int64_t n = a->rate.n_dropped;
    a->rate.n_dropped = 0;
    pthread_mutex_unlock(&a->lock);
    return spool_dropped(a->spool, SPOOL_LOW, SPOOL_OVERLOAD, n, err);
}

static int keeper_put(void *arg, enum event_class class, const char *json, size_t len, struct err *err)
{
    static const enum spool_class classes[EVENT_CLASS_N] = {
        [EVENT_CLASS_NORMAL] = SPOOL_NORMAL, [EVENT_CLASS_CRITICAL] = SPOOL_CRITICAL, [EVENT_CLASS_LOW] = SPOOL_LOW,
    };
    struct agent *a = arg;
    struct spool_group *g = my_group(a);

    if (g == NULL)
        return err_set(err, ERR_INTERNAL, "more than %d threads bring events", AGENT_KEEPERS);
    if (is_too_much(a, class))
        return 0;
    return spool_put(a->spool, g, classes[class], json, len, err);
}

static int keeper_sync(void *arg, struct err *err)
{
    struct agent *a = arg;
    struct spool_group *g = my_group(a);

    if (g == NULL)
        return 0;
    int rc = spool_commit(a->spool, g, err);
    spool_begin(a->spool, g);
    if (rc == 0)
        rc = count_dropped(a, err);
    if (a->slow_ms > 0)                              /* over limit.cpu_percent: whoever brings events waits */
        usleep((useconds_t)a->slow_ms * 1000);
    return rc;
}

static void *source_main(void *arg)
{
    struct agent *a = arg;
    struct err err;
    bool was_failing = false;

    while (!a->is_stopping) {
        size_t n = 0;
        err = (struct err){ 0 };
        int rc = sources_round(a->sources, SOURCE_LINES, &n, &err);
        if (rc != 0 && !was_failing)
            LOG(&a->log, LOG_WARN, "a source waits: the spool does not take its events", LOG_TEXT("error", err.msg));
        was_failing = rc != 0;
        if (rc != 0)
            agent_pause(a, 1000);
        else if (n == 0)
            sources_wait(a->sources, SOURCE_WAIT_MS);
    }
    return NULL;
}

/* Files are followed from behind the last event that the spool has. */
static void resume_one(void *arg, const char *json, size_t len)
{
    struct agent *a = arg;
    struct arena arena;
    struct json doc;
    struct err ignored = { 0 };

    if (memmem(json, len, "\"origin\"", 8) == NULL)
        return;
    arena_init(&arena, 1 << 20);
    if (json_parse(&arena, json, len, NULL, &doc, &ignored) == 0 && json_get_str(&doc, "origin", NULL) != NULL)
        sources_resume(a->sources, json_get_str(&doc, "origin", NULL));
    arena_clear(&arena);
}

/* ---- start --------------------------------------------------------------------------------- */

static int open_sources(struct agent *a, struct err *err)
{
    const struct settings *s = &a->settings;
    struct sources_opts opts = {
        .settings = s->sources, .n = s->n_sources, .dir = s->state_dir, .node = a->machine.name,
        .receive = { .address = s->receive_address, .port = (uint16_t)s->receive_port, .body_max = (size_t)s->receive_body,
                     .connections = (unsigned)s->receive_connections },
        .keeper = { a, keeper_put, keeper_sync },
    };

    if (sources_open(&opts, &a->sources, err) != 0)
        return err_prefix(err, "sources");
    return spool_each(a->spool, resume_one, a, err);
}

/* Who was enrolled anew is another node to the server: what waits goes there under a stream
 * of its own. */
static int spool_is_mine(struct agent *a, const char *path, struct err *err)
{
    static const char name[] = "node";
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct bytes was = { 0 };
    struct err none = { 0 };
    size_t len = strlen(a->facts.node_id);

    if (dir < 0)
        return state_fail(path, err);
    bool is_there = state_read(dir, name, 256, &a->arena, &was, &none) == 0;
    int rc = 0;
    if (is_there && (was.len != len || memcmp(was.ptr, a->facts.node_id, len) != 0))
        rc = spool_new_stream(a->spool, err);
    if (rc == 0 && (!is_there || was.len != len || memcmp(was.ptr, a->facts.node_id, len) != 0))
        rc = state_write(dir, name, a->facts.node_id, len, err);
    close(dir);
    return rc;
}

static int open_spool(struct agent *a, struct err *err)
{
    struct spool_limits limits = settings_spool(&a->settings);
    char *path = arena_printf(&a->arena, "%s/spool", a->settings.state_dir);

    if (path == NULL)
        return err_nomem(err);
    if (spool_open(path, &limits, &a->spool, err) != 0)
        return -1;
    return spool_is_mine(a, path, err);
}

/* A server without a root of trust has no bundles: the agent works without. */
static int open_update(struct agent *a, struct err *err)
{
    struct update_config config = { .dir = a->settings.state_dir, .scope = a->facts.scope };

    if (update_open(&config, &a->update, err) == 0) {
        update_state(a->update, time_now_ms(), &a->shared.bundle);
        snprintf(a->shared.bundle_problem, sizeof a->shared.bundle_problem, "%.190s", a->shared.bundle.problem);     /* damage is known without a server */
        a->shared.bundle.problem = NULL;
        return 0;
    }
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    snprintf(a->shared.bundle_problem, sizeof a->shared.bundle_problem, "no root of trust: %.150s", err->msg);
    return 0;
}

void agent_apply(struct agent *a)
{
    struct settings fresh;
    struct arena arena;
    struct bytes settings = { 0 }, profiles = { 0 };
    struct err err = { 0 };

    pthread_mutex_lock(&a->lock);
    fresh = a->fresh;
    pthread_mutex_unlock(&a->lock);
    agent_take_settings(a, &fresh);
    arena_init(&arena, 64 << 20);
    if (a->update != NULL && update_file(a->update, "settings.json", &arena, &settings, &err) == 0)
        agent_take_bundle(a, settings);
    if (a->update != NULL && update_file(a->update, "profiles.json", &arena, &profiles, &err) == 0 &&
        walls_bundle(a->walls, profiles, settings, &err) != 0)
        LOG(&a->log, LOG_ERROR, "the walls do not take the profiles of the bundle", LOG_TEXT("error", err.msg));
    arena_clear(&arena);
}

static int open_all(struct agent *a, struct err *err)
{
    const struct identity_facts *facts;

    machine_read(KEEP_VERSION, &a->machine);
    if (identity_open(a->settings.state_dir, &a->machine, &a->identity, err) != 0)
        return err->kind == ERR_NOT_FOUND ? err_prefix(err, "not enrolled (keep-agent enroll)") : -1;
    facts = identity_facts(a->identity);
    a->facts = *facts;
    if (a->settings.server != NULL)
        a->facts.server = a->settings.server;
    if (a->settings.ca_file != NULL)
        a->facts.ca_file = a->settings.ca_file;
    if (pass_open(ask_session, a, &a->pass, err) != 0 || open_spool(a, err) != 0 || open_update(a, err) != 0 ||
        walls_open(&a->settings, a->spool, &a->log, &a->walls, err) != 0 || agent_status_open(a, err) != 0)
        return -1;
    a->fresh = a->settings;
    agent_apply(a);
    return open_sources(a, err);
}

static void close_all(struct agent *a)
{
    sources_close(a->sources);
    walls_close(a->walls);
    update_close(a->update);
    spool_close(a->spool);
    pass_close(a->pass);
    identity_close(a->identity);
    if (a->status_fd >= 0)
        close(a->status_fd);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
    arena_clear(&a->arena);
}

/* ---- settings ---------------------------------------------------------------------------------- */

void agent_take_settings(struct agent *a, const struct settings *s)
{
    a->pace.poll_interval_ms = s->poll_interval_ms;
    a->pace.poll_wait_ms = s->poll_wait_ms;
    a->pace.inventory_interval_ms = s->inventory_interval_ms;
    a->pace.status_interval_ms = s->status_interval_ms;
    a->pace.linger_ms = s->send_linger_ms;
    a->pace.batch_events = s->send_events;
    a->pace.batch_bytes = s->send_bytes;
    a->log.min = (int)log_level_of(s->log_level != NULL ? s->log_level : "info");
}

static void take_seconds(int64_t s, int64_t least, int64_t most, _Atomic int64_t *to)
{
    if (s >= least && s <= most)
        *to = s * MS_SECOND;
}

static void take_number(int64_t n, int64_t most, _Atomic int64_t *to)
{
    if (n > 0)
        *to = n < most ? n : most;
}

/* The disk is this machine's: its own bound of the spool is never exceeded. */
static void take_said(struct agent *a, const struct node_settings *s)
{
    take_seconds(s->poll_interval_s, 1, 86400, &a->pace.poll_interval_ms);
    take_seconds(s->wait_s, 0, UPDATE_WAIT_MAX_S, &a->pace.poll_wait_ms);
    take_seconds(s->inventory_interval_s, 1, 86400, &a->pace.inventory_interval_ms);
    take_seconds(s->status_interval_s, 1, 86400, &a->pace.status_interval_ms);
    take_number(s->batch_events, SPOOL_BATCH_MAX, &a->pace.batch_events);
    take_number(s->batch_bytes, SENDER_BYTES_MAX, &a->pace.batch_bytes);
    take_number(s->events_per_s, INT32_MAX, &a->pace.events_per_s);
    spool_limit(a->spool, s->spool_bytes > 0 && s->spool_bytes < a->settings.spool_bytes ? s->spool_bytes : a->settings.spool_bytes);
}

void agent_take_bundle(struct agent *a, struct bytes settings)
{
    struct node_settings said = node_settings_default;
    struct arena arena;
    struct json doc;
    struct err err = { 0 };

    arena_init(&arena, 4 << 20);
    if (json_parse(&arena, settings.ptr, settings.len, NULL, &doc, &err) == 0 &&
        shape_decode(&node_settings_shape, &doc, &arena, &said, NULL, &err) == 0)
        take_said(a, &said);
    else
        LOG(&a->log, LOG_WARN, "settings of the bundle cannot be read", LOG_TEXT("error", err.msg));
    arena_clear(&arena);
}

/* What is wrong changes nothing; what cannot change is named.  The texts of the old settings
 * stay: other threads may read them. */
static void reload(struct agent *a)
{
    struct settings fresh;
    struct err err = { 0 };

    if (agent_settings_load(a->config_file, a->cl, &a->arena, &fresh, NULL, &err) != 0) {
        LOG(&a->log, LOG_ERROR, "reload failed; the old settings stay", LOG_TEXT("error", err.msg));
        return;
    }
    for (size_t i = 0; i < n_agent_settings; i++) {
        const struct setting *row = &agent_settings[i];
        if (!row->reloadable && !setting_equal(&a->settings, &fresh, row))
            LOG(&a->log, LOG_WARN, "setting changed; it needs a restart", LOG_TEXT("setting", row->key));
    }
    pass_forget(a->pass);
    pthread_mutex_lock(&a->lock);
    a->fresh = fresh;                                /* the poller takes it */
    a->shared.has_told_revoked = false;
    a->round++;
    pthread_cond_broadcast(&a->wake);
    pthread_mutex_unlock(&a->lock);
    LOG(&a->log, LOG_INFO, "settings reloaded");
}

/* ---- running -------------------------------------------------------------------------------------- */

static void run_until_told(struct agent *a, const sigset_t *set)
{
    for (;;) {
        int got = sigtimedwait(set, NULL, &(struct timespec){ .tv_sec = 1 });
        if (got < 0) {
            agent_watch(a);
            agent_status_write(a);
            agent_notify("WATCHDOG=1");
            continue;
        }
        if (got == SIGHUP) {
            reload(a);
            continue;
        }
        LOG(&a->log, LOG_INFO, "stopping", LOG_TEXT("signal", got == SIGTERM ? "TERM" : "INT"));
        return;
    }
}

static void stop_threads(struct agent *a, pthread_t *threads, size_t n)
{
    int64_t until = time_monotonic_ms() + DRAIN_MS;

    pthread_mutex_lock(&a->lock);
    a->is_stopping = true;
    pthread_cond_broadcast(&a->wake);
    pthread_mutex_unlock(&a->lock);
    spool_wake(a->spool);
    while (!a->is_over && time_monotonic_ms() < until)
        usleep(20000);
    a->is_over = true;
    spool_wake(a->spool);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static int run(struct agent *a, const sigset_t *set, struct err *err)
{
    void *(*const mains[])(void *) = { agent_poll_main, agent_report_main, send_main, source_main };
    pthread_t threads[N_ITEMS(mains)];
    struct client_config config = agent_client(a, agent_is_over);
    struct link link;
    pthread_attr_t attr;
    size_t n = 0;

    if (link_open(&link, &config, a->pass, err) != 0)
        return -1;
    sender_init(&a->sender, a->spool, &link, &a->settings);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, AGENT_STACK);
    while (n < N_ITEMS(mains) && pthread_create(&threads[n], &attr, mains[n], a) == 0)
        n++;
    pthread_attr_destroy(&attr);
    agent_watch(a);
    LOG(&a->log, LOG_INFO, "running", LOG_TEXT("node", a->facts.node_id), LOG_TEXT("server", a->facts.server),
        LOG_INT("port", sources_port(a->sources)), LOG_TEXT("version", KEEP_VERSION));
    agent_status_write(a);
    agent_notify("READY=1");
    if (n == N_ITEMS(mains))
        run_until_told(a, set);
    agent_notify("STOPPING=1");
    stop_threads(a, threads, n);
    a->has_ended = true;
    agent_status_write(a);
    link_close(&link);
    sender_clear(&a->sender);
    return n == N_ITEMS(mains) ? 0 : err_set(err, ERR_UNAVAILABLE, "threads: %s", strerror(errno));
}

static void agent_init(struct agent *a)
{
    pthread_condattr_t attr;

    memset(a, 0, sizeof *a);
    a->status_fd = -1;
    a->log = (struct log){ .fd = 2, .min = LOG_INFO };
    a->started_ms = time_now_ms();
    a->started_mono_ms = time_monotonic_ms();
    arena_init(&a->arena, 64 << 20);
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&a->wake, &attr);
    pthread_condattr_destroy(&attr);
}

int agent_run(const char *config_file, const struct command_line *cl)
{
    struct agent *a = malloc(sizeof *a);
    struct err err = { 0 };
    sigset_t set;

    if (a == NULL)
        return 1;
    agent_init(a);
    a->config_file = config_file;
    a->cl = cl;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    umask(0077);
    int rc = crypto_init(&err);
    if (rc == 0)
        rc = agent_settings_load(config_file, cl, &a->arena, &a->settings, NULL, &err);
    if (rc == 0) {
        agent_limit(&a->settings);
        rc = open_all(a, &err);
    }
    if (rc == 0)
        rc = run(a, &set, &err);
    if (rc != 0)
        LOG(&a->log, LOG_ERROR, "keep-agent ends", LOG_TEXT("error", err.msg));
    close_all(a);
    free(a);
    return rc == 0 ? 0 : 1;
}
