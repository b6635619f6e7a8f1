/* agent_status.c - what the agent says of itself: to its server, and in a file that
 * `keep-agent status` reads.  The file has a fixed size and is written in place, so that
 * it can be written when the disk is full; a reader that meets a write reads again. */
#include "agent/agent.h"

#include "base/time.h"
#include "wire/jsonw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int agent_status_open(struct agent *a, struct err *err)
{
    char *path = arena_printf(&a->arena, "%s/" STATUS_FILE, a->settings.state_dir);

    if (path == NULL)
        return err_nomem(err);
    a->status_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (a->status_fd < 0 || (fallocate(a->status_fd, 0, 0, STATUS_FILE_SIZE) != 0 && errno != EOPNOTSUPP && errno != ENOSPC))
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    return 0;
}

/* ---- the report ------------------------------------------------------------------------ */

static int take_drops(const struct spool_status *st, struct arena *arena, struct node_status_report *out, struct err *err)
{
    struct status_drop *drops = arena_array(arena, SPOOL_CLASS_N * SPOOL_REASON_N, sizeof *drops);

    if (drops == NULL)
        return err_nomem(err);
    out->drops = drops;
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        for (int r = 0; r < SPOOL_REASON_N; r++) {
            if (st->dropped[c][r] > 0)
                drops[out->n_drops++] = (struct status_drop){ spool_class_word((enum spool_class)c),
                                                              spool_reason_word((enum spool_reason)r), st->dropped[c][r] };
        }
    }
    return 0;
}

static int take_sources(struct agent *a, struct arena *arena, struct node_status_report *out, struct err *err)
{
    struct source_status *rows = arena_array(arena, SOURCES_MAX, sizeof *rows);
    struct status_source *list = arena_array(arena, SOURCES_MAX, sizeof *list);

    if (rows == NULL || list == NULL)
        return err_nomem(err);
    size_t n = sources_status(a->sources, rows, SOURCES_MAX);
    for (size_t i = 0; i < n && i < SOURCES_MAX; i++)
        list[out->n_sources++] = (struct status_source){ rows[i].name, source_state_words[rows[i].state],
                                                         rows[i].problem, rows[i].events };
    out->sources = list;
    return 0;
}

static int64_t bundle_age_s(const struct update_state *b, int64_t now_ms)
{
    return b->version > 0 && now_ms > b->signed_ms ? (now_ms - b->signed_ms) / MS_SECOND : 0;
}

int agent_report(struct agent *a, struct arena *arena, struct node_status_report *out, struct err *err)
{
    struct status_walls *walls = arena_alloc(arena, sizeof *walls);
    struct spool_status st;

    if (walls == NULL)
        return err_nomem(err);
    spool_status(a->spool, &st);
    *out = (struct node_status_report){ .spool_bytes = st.bytes, .spool_events = st.events, .walls = walls, .rss_kib = a->rss_kib,
                                        .cpu_ms = a->cpu_ms, .started_ms = a->started_ms, .agent_version = KEEP_VERSION };
    pthread_mutex_lock(&a->lock);
    out->bundle_version = a->shared.bundle.version;
    out->bundle_age_s = bundle_age_s(&a->shared.bundle, time_now_ms());
    out->bundle_problem = arena_strdup(arena, a->shared.bundle_problem);
    pthread_mutex_unlock(&a->lock);
    if (out->bundle_problem == NULL)
        return err_nomem(err);
    return take_drops(&st, arena, out, err) != 0 || take_sources(a, arena, out, err) != 0 ||
           walls_status(a->walls, arena, walls, err) != 0 ? -1 : 0;
}

/* ---- the file --------------------------------------------------------------------------------- */

static int64_t known(int64_t at_ms)
{
    return at_ms == 0 ? TIME_UNKNOWN : at_ms;
}

static void write_session(struct agent *a, struct jsonw *w)
{
    struct pass_status s;
    int64_t left;

    pass_status(a->pass, &s);
    left = s.ends_ms - time_monotonic_ms();
    jsonw_key(w, "session");
    jsonw_object(w);
    jsonw_kstr(w, "state", s.is_revoked ? "revoked" : s.is_open ? "open" : "none");
    jsonw_kint(w, "renewed_in_s", left > 0 ? left / MS_SECOND : 0);
    jsonw_kint(w, "granted", s.grants);
    jsonw_kint(w, "failures", s.failures);
    jsonw_kint(w, "clock_skew_ms", s.clock_skew_ms);
    jsonw_kstr(w, "problem", s.problem);
    jsonw_object_end(w);
}

static void write_bundle(const struct agent_shared *s, int64_t now_ms, struct jsonw *w)
{
    const struct update_state *b = &s->bundle;

    jsonw_key(w, "bundle");
    jsonw_object(w);
    jsonw_kint(w, "version", b->version);
    jsonw_kint(w, "root_version", b->root_version);
    jsonw_ktime(w, "signed_at", b->version > 0 ? b->signed_ms : TIME_UNKNOWN);
    jsonw_ktime(w, "expires_at", b->version > 0 ? b->expires_ms : TIME_UNKNOWN);
    jsonw_ktime(w, "applied_at", b->version > 0 ? b->applied_ms : TIME_UNKNOWN);
    jsonw_kint(w, "age_s", bundle_age_s(b, now_ms));
    jsonw_kbool(w, "stale", b->version > 0 && (b->is_stale || now_ms > b->expires_ms));
    jsonw_ktime(w, "polled_at", known(s->polled_ms));
    jsonw_kstr(w, "last", s->poll_words);
    jsonw_kstr(w, "problem", s->bundle_problem);
    jsonw_object_end(w);
}

static void write_spool(const struct spool_status *st, struct jsonw *w)
{
    jsonw_key(w, "spool");
    jsonw_object(w);
    jsonw_kint(w, "bytes", st->bytes);
    jsonw_kint(w, "events", st->events);
    for (int c = 0; c < SPOOL_CLASS_N; c++)
        jsonw_kint(w, spool_class_word((enum spool_class)c), st->class_events[c]);
    jsonw_kstr(w, "stream", st->stream);
    jsonw_kint(w, "last_seq", st->next_seq - 1);
    jsonw_kint(w, "through", st->through);
    jsonw_kint(w, "kept", st->kept);
    jsonw_kint(w, "syncs", st->syncs);
    jsonw_kbool(w, "full", st->is_full);
    jsonw_kbool(w, "reserve", st->has_reserve);
    jsonw_kstr(w, "problem", st->problem);
    jsonw_object_end(w);
}

static void write_sent(struct agent *a, struct jsonw *w)
{
    struct sender_counts *c = &a->sender.counts;

    jsonw_key(w, "sent");
    jsonw_object(w);
    jsonw_kint(w, "batches", c->batches);
    jsonw_kint(w, "events", c->events);
    jsonw_kint(w, "repeats", c->repeats);
    jsonw_kint(w, "refused", c->refused);
    jsonw_kint(w, "failures", c->failures);
    jsonw_kint(w, "bytes", c->bytes_sent);
    jsonw_kint(w, "bytes_uncompressed", c->bytes_raw);
    jsonw_ktime(w, "last_at", known(c->last_ok_ms));
    jsonw_kstr(w, "problem", a->shared.send_problem);
    jsonw_object_end(w);
}

static void write_drops(const struct node_status_report *r, struct jsonw *w)
{
    jsonw_key(w, "dropped");
    jsonw_array(w);
    for (size_t i = 0; i < r->n_drops; i++) {
        jsonw_object(w);
        jsonw_kstr(w, "class", r->drops[i].class);
        jsonw_kstr(w, "reason", r->drops[i].reason);
        jsonw_kint(w, "count", r->drops[i].count);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_source(const struct source_status *s, struct jsonw *w)
{
    jsonw_object(w);
    jsonw_kstr(w, "name", s->name);
    jsonw_kstr(w, "kind", source_kind_words[s->kind]);
    jsonw_kstr(w, "via", source_via_words[s->via]);
    jsonw_kstr(w, "state", source_state_words[s->state]);
    jsonw_kint(w, "events", s->events);
    jsonw_kint(w, "bad", s->bad);
    jsonw_ktime(w, "last_at", s->last_ms > 0 ? s->last_ms : TIME_UNKNOWN);
    jsonw_kstr(w, "problem", s->problem);
    jsonw_object_end(w);
}

static void write_sources(struct agent *a, struct jsonw *w)
{
    static const size_t most = SOURCES_MAX;
    struct source_status rows[SOURCES_MAX];
    size_t n = sources_status(a->sources, rows, most);

    jsonw_kint(w, "receiver_port", sources_port(a->sources));
    jsonw_key(w, "sources");
    jsonw_array(w);
    for (size_t i = 0; i < n && i < most; i++)
        write_source(&rows[i], w);
    jsonw_array_end(w);
}

static void write_walls(const struct status_walls *s, struct jsonw *w)
{
    jsonw_key(w, "walls");
    jsonw_object(w);
    jsonw_kstr(w, "rung", s->rung);
    jsonw_key(w, "reasons");
    jsonw_array(w);
    for (size_t i = 0; i < s->n_reasons; i++) {
        jsonw_object(w);
        jsonw_kstr(w, "rung", s->reasons[i].rung);
        jsonw_kstr(w, "why", s->reasons[i].why);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_kint(w, "profiles", s->profiles);
    jsonw_kint(w, "lease_s", s->lease_s);
    jsonw_kint(w, "drops", s->drops);
    jsonw_object_end(w);
}

static void write_inventory(const struct agent_shared *s, struct jsonw *w)
{
    jsonw_key(w, "inventory");
    jsonw_object(w);
    jsonw_kint(w, "containers", s->containers);
    jsonw_kint(w, "left_out", s->containers_left_out);
    jsonw_kint(w, "generation", s->generation);
    jsonw_ktime(w, "at", known(s->inventory_ms));
    jsonw_kstr(w, "problem", s->inventory_problem);
    jsonw_object_end(w);
}

static void write_process(const struct agent *a, struct jsonw *w)
{
    jsonw_key(w, "process");
    jsonw_object(w);
    jsonw_kint(w, "pid", getpid());
    jsonw_kint(w, "rss_kib", a->rss_kib);
    jsonw_kint(w, "rss_peak_kib", a->rss_peak_kib);
    jsonw_kint(w, "memory_limit_kib", a->settings.memory / 1024);
    jsonw_kint(w, "cpu_ms", a->cpu_ms);
    jsonw_kint(w, "cpu_percent", a->cpu_percent);
    jsonw_kint(w, "cpu_limit_percent", a->fresh.cpu_percent);
    jsonw_kint(w, "slowed_ms", a->slow_ms);
    jsonw_object_end(w);
}

static void write_all(struct agent *a, const struct node_status_report *report, struct buf *out)
{
    int64_t now = time_now_ms();
    struct spool_status st;
    struct jsonw w;

    spool_status(a->spool, &st);
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_kstr(&w, "version", KEEP_VERSION);
    jsonw_kbool(&w, "running", !a->has_ended);
    jsonw_ktime(&w, "written_at", now);
    jsonw_ktime(&w, "started_at", a->started_ms);
    jsonw_kstr(&w, "node_id", a->facts.node_id);
    jsonw_kstr(&w, "name", a->machine.name);
    jsonw_kstr(&w, "kernel", a->machine.kernel);
    jsonw_kstr(&w, "cluster", a->facts.cluster);
    jsonw_kstr(&w, "scope", a->facts.scope);
    jsonw_kstr(&w, "server", a->facts.server);
    write_session(a, &w);
    pthread_mutex_lock(&a->lock);
    write_bundle(&a->shared, now, &w);
    write_inventory(&a->shared, &w);
    write_sent(a, &w);
    jsonw_kstr(&w, "report_problem", a->shared.report_problem);
    pthread_mutex_unlock(&a->lock);
    write_spool(&st, &w);
    write_drops(report, &w);
    write_sources(a, &w);
    write_walls(report->walls, &w);
    write_process(a, &w);
    jsonw_object_end(&w);
}

void agent_status_write(struct agent *a)
{
    struct node_status_report report;
    struct err err = { 0 };
    struct arena arena;
    struct buf text;

    arena_init(&arena, 4 << 20);
    buf_init(&text, STATUS_FILE_SIZE - 1);
    if (agent_report(a, &arena, &report, &err) == 0)
        write_all(a, &report, &text);
    char *page = arena_bytes(&arena, STATUS_FILE_SIZE);
    if (page != NULL && text.len > 0 && !text.failed) {
        memset(page, ' ', STATUS_FILE_SIZE);
        memcpy(page, text.ptr, text.len);
        page[STATUS_FILE_SIZE - 1] = '\n';
        if (pwrite(a->status_fd, page, STATUS_FILE_SIZE, 0) < 0)
            LOG(&a->log, LOG_DEBUG, "the status file cannot be written", LOG_TEXT("error", strerror(errno)));
    }
    buf_free(&text);
    arena_clear(&arena);
}
