/* source.c - see source.h.
 *
 * Two threads come here: the one that calls sources_round, with the files, and the
 * receiver's.  Each has its own workbench (arena, buffer); what both touch, the counts
 * of a source, is behind the lock. */
#include "agent/source.h"

#include "agent/tail.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/event/event.h"
#include "wire/msg/event.h"
#include "wire/msg/fields.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 128 * 1024 * 1024, HAD_MAX = 1 << 17 };

const char *const source_via_words[] = { [SOURCE_VIA_FILE] = "file", [SOURCE_VIA_HTTP] = "http", [SOURCE_VIA_N] = NULL };
const char *const source_state_words[] = { [SOURCE_WAITING] = "waiting", [SOURCE_OK] = "ok", [SOURCE_FAILING] = "failing", [SOURCE_STATE_N] = NULL };
const char *const source_kind_words[] = {
    [SOURCE_AGENT] = "agent", [SOURCE_FALCO] = "falco", [SOURCE_TRACEE] = "tracee", [SOURCE_TETRAGON] = "tetragon",
    [SOURCE_HUBBLE] = "hubble", [SOURCE_KUBEARMOR] = "kubearmor", [SOURCE_K8SAUDIT] = "k8s_audit", [EVENT_SOURCE_N] = "auto", NULL,
};

static const struct field setting_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct source_setting, name), .min = 1, .max = 40,
      .doc = "Of the source: small letters, digits, hyphens." },
    { .key = "kind", .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(struct source_setting, kind), .words = source_kind_words,
      .doc = "Whose events: falco, tracee, tetragon, hubble, kubearmor, k8s_audit, agent, or auto (by their members)." },
    WORD_F("via", struct source_setting, via, source_via_words, "file or http."),
    { .key = "path", .type = FIELD_TEXT, .off = offsetof(struct source_setting, path), .max = 4096, .doc = "Of the file, or of the receiver." },
    BOOL_F("from_end", struct source_setting, from_end, "Begin at the end of a file that is new to us."),
};
SHAPE(source_setting_shape, "source_setting", struct source_setting, setting_fields);

/* What a thread needs to turn a text into events. */
struct bench {
    struct arena arena;
    struct buf json;
    uint8_t partial[SHA256_LEN];         /* a text of which `done` events were put before the keeper refused */
    size_t done;
};

struct source {
    struct source_setting setting;       /* texts are ours */
    struct tail *tail;
    uint64_t too_long;                   /* lines of the tail that are counted as bad already */
    char (*had)[TAIL_ORIGIN]; size_t n_had, had_cap;     /* origins behind the place that the keeper has; sorted once used */
    bool is_sorted;
    size_t again;                        /* lines of a round that could not be made durable: see sources_round */
    struct source_status status;
};

struct sources {
    struct source rows[SOURCES_MAX];
    size_t n;
    char *node;
    struct source_keeper keeper;
    struct receive *receive;
    struct bench files, http;
    pthread_mutex_t lock;                /* status of all rows */
};

/* ---- texts to events -------------------------------------------------------------------- */

static void bench_open(struct bench *b)
{
    arena_init(&b->arena, ARENA_MAX);
    buf_init(&b->json, EVENT_JSON_MAX * 8);
}

static void bench_close(struct bench *b)
{
    arena_clear(&b->arena);
    buf_free(&b->json);
}

struct offer {                           /* one text of a source */
    struct sources *s;
    struct source *source;
    struct bench *bench;
    const char *origin;                  /* NULL: not from a file */
    bool only_critical;
    size_t n_had;                        /* events of it that the keeper has */
};

static int put_event(const struct offer *o, const struct event *event, struct err *err)
{
    struct event e = *event;
    enum event_class class = event_class_of(&e);

    if (o->only_critical && class != EVENT_CLASS_CRITICAL)
        return 0;
    if (e.node == NULL)
        e.node = o->s->node;
    if (o->origin != NULL)
        e.origin = o->origin;
    e.seq = 0;
    buf_clear(&o->bench->json);
    if (event_encode(&e, &o->bench->json, err) != 0)
        return -1;
    return o->s->keeper.put(o->s->keeper.ctx, class, o->bench->json.ptr, o->bench->json.len, err);
}

static void note_kept(const struct offer *o, size_t n)
{
    pthread_mutex_lock(&o->s->lock);
    struct source_status *st = &o->source->status;
    st->events += (int64_t)n;
    st->last_ms = n > 0 ? time_now_ms() : st->last_ms;
    if (n > 0 && st->state == SOURCE_WAITING)
        st->state = SOURCE_OK;
    pthread_mutex_unlock(&o->s->lock);
}

static void note_bad(const struct offer *o, const struct err *err)
{
    pthread_mutex_lock(&o->s->lock);
    o->source->status.bad++;
    snprintf(o->source->status.problem, sizeof o->source->status.problem, "a text that is no event: %.120s", err->msg);
    pthread_mutex_unlock(&o->s->lock);
}

static void note_state(struct sources *s, struct source *source, enum source_state state, const char *problem)
{
    pthread_mutex_lock(&s->lock);
    source->status.state = (int)state;
    if (problem != NULL)
        snprintf(source->status.problem, sizeof source->status.problem, "%.159s", problem);
    pthread_mutex_unlock(&s->lock);
}

/* 0 taken, 1 no event, -1 the keeper refused: a list of events goes on where it stopped when
 * it comes again. */
static int take_text(const struct offer *o, const char *text, size_t len, struct err *err)
{
    struct bench *b = o->bench;
    const struct event *events;
    size_t n, i = 0;

    arena_reset(&b->arena);
    if (event_decode_all((enum event_source)o->source->setting.kind, text, len, &b->arena, &events, &n, err) != 0) {
        note_bad(o, err);
        return 1;
    }
    if (n > 0 && o->n_had >= n)          /* of a list, all: a part of it is put again */
        return 0;
    if (b->done > 0) {
        uint8_t hash[SHA256_LEN];
        sha256(text, len, hash);
        i = memcmp(hash, b->partial, SHA256_LEN) == 0 && b->done <= n ? b->done : 0;
        b->done = 0;
    }
    size_t first = i;
    while (i < n && put_event(o, &events[i], err) == 0)
        i++;
    note_kept(o, i - first);
    if (i == n)
        return 0;
    if (i > 0) {
        sha256(text, len, b->partial);
        b->done = i;
    }
    return -1;
}

/* ---- files ------------------------------------------------------------------------------------ */

struct line_taker {
    struct sources *s;
    struct source *source;
    size_t given;
};

static int compare_origin(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* How many events of that line does the keeper have? */
static size_t count_had(struct source *source, const char *origin)
{
    if (source->n_had == 0)
        return 0;
    if (!source->is_sorted)
        qsort(source->had, source->n_had, sizeof *source->had, compare_origin);
    source->is_sorted = true;
    const char (*found)[TAIL_ORIGIN] = bsearch(origin, source->had, source->n_had, sizeof *source->had, compare_origin);
    if (found == NULL)
        return 0;
    size_t first = (size_t)(found - (const char (*)[TAIL_ORIGIN])source->had), last = first;
    while (first > 0 && strcmp(source->had[first - 1], origin) == 0)
        first--;
    while (last + 1 < source->n_had && strcmp(source->had[last + 1], origin) == 0)
        last++;
    return last - first + 1;
}

static int take_line(void *ctx, const char *line, size_t len, const char *origin, struct err *err)
{
    struct line_taker *l = ctx;
    char where[TAIL_ORIGIN + 48];
    struct offer o = { l->s, l->source, &l->s->files, where, l->source->again > l->given, count_had(l->source, origin) };

    snprintf(where, sizeof where, "%s:%s", l->source->setting.name, origin);
    int rc = take_text(&o, line, len, err);
    l->given += rc >= 0;
    return rc < 0 ? -1 : 0;
}

static void note_tail(struct sources *s, struct source *source)
{
    struct tail_counts counts;

    tail_counts(source->tail, &counts);
    pthread_mutex_lock(&s->lock);
    if (counts.too_long > source->too_long) {
        source->status.bad += (int64_t)(counts.too_long - source->too_long);
        snprintf(source->status.problem, sizeof source->status.problem, "%llu lines too long", (unsigned long long)counts.too_long);
        source->too_long = counts.too_long;
    }
    source->status.state = tail_is_open(source->tail) ? SOURCE_OK : SOURCE_WAITING;
    pthread_mutex_unlock(&s->lock);
}

/* One file: lines, sync, place.  When the sync fails, what is critical among the lines is not
 * kept and the rest is, or is counted as lost: the lines come again, for the critical ones. */
static int read_file(struct sources *s, struct source *source, size_t max_lines, size_t *n, struct err *err)
{
    struct line_taker l = { s, source, 0 };
    struct err why = { 0 };
    size_t given;

    tail_drain(source->tail);
    int rc = tail_round(source->tail, take_line, &l, max_lines, &given, &why);
    note_tail(s, source);
    if (given > 0 && s->keeper.sync(s->keeper.ctx, err) != 0) {
        tail_rewind(source->tail);
        source->again = l.given > source->again ? l.given : source->again;
        note_state(s, source, SOURCE_FAILING, err->msg);
        return -1;
    }
    *n += given;
    if (given < max_lines && rc == 0)
        source->n_had = 0;               /* read to the end: nothing of before the restart comes any more */
    source->again -= l.given < source->again ? l.given : source->again;
    if (given > 0 && tail_keep(source->tail, err) != 0) {
        note_state(s, source, SOURCE_FAILING, err->msg);
        return 0;                        /* kept all the same; the place is written with the next round */
    }
    if (rc != 0) {
        *err = why;
        note_state(s, source, SOURCE_FAILING, why.msg);
    }
    return rc;
}

int sources_round(struct sources *s, size_t max_lines, size_t *n, struct err *err)
{
    int rc = 0;

    *n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->rows[i].tail != NULL && read_file(s, &s->rows[i], max_lines, n, err) != 0)
            rc = -1;
    }
    return rc;
}

void sources_wait(struct sources *s, int timeout_ms)
{
    struct pollfd fds[SOURCES_MAX];
    nfds_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->rows[i].tail != NULL && tail_fd(s->rows[i].tail) >= 0)
            fds[n++] = (struct pollfd){ .fd = tail_fd(s->rows[i].tail), .events = POLLIN };
    }
    (void)poll(fds, n, timeout_ms);
}

static void add_had(struct source *source, const char *origin)
{
    if (source->n_had == HAD_MAX || strlen(origin) >= TAIL_ORIGIN || !tail_may_repeat(source->tail, origin))
        return;
    if (source->n_had == source->had_cap) {
        size_t cap = source->had_cap == 0 ? 64 : 2 * source->had_cap;
        void *more = realloc(source->had, cap * sizeof *source->had);
        if (more == NULL)
            return;                      /* twice rather than not */
        source->had = more;
        source->had_cap = cap;
    }
    snprintf(source->had[source->n_had++], TAIL_ORIGIN, "%s", origin);
    source->is_sorted = false;
}

void sources_resume(struct sources *s, const char *origin)
{
    const char *colon = origin != NULL ? strchr(origin, ':') : NULL;

    for (size_t i = 0; colon != NULL && i < s->n; i++) {
        const char *name = s->rows[i].setting.name;
        if (s->rows[i].tail != NULL && strlen(name) == (size_t)(colon - origin) && memcmp(name, origin, strlen(name)) == 0)
            add_had(&s->rows[i], colon + 1);
    }
}

/* ---- the receiver --------------------------------------------------------------------------------- */

static bool is_at(const struct source *source, enum event_source of)
{
    static const char *const usual[EVENT_SOURCE_N + 1] = { [SOURCE_FALCO] = "/", [SOURCE_K8SAUDIT] = "/k8s-audit" };
    const char *path = source->setting.path != NULL ? source->setting.path : usual[source->setting.kind];
    const char *wanted = of == EVENT_SOURCE_N ? "/events" : usual[of];

    return source->setting.via == SOURCE_VIA_HTTP && str_eq(path != NULL ? path : "/events", wanted);
}

/* Which row a text of the receiver belongs to: that of its path; on /events that of its kind,
 * else one that takes any. */
static struct source *source_of(struct sources *s, enum event_source of, enum event_source detected)
{
    struct source *any = NULL;

    for (size_t i = 0; i < s->n; i++) {
        if (!is_at(&s->rows[i], of))
            continue;
        if (of != EVENT_SOURCE_N || s->rows[i].setting.kind == (int)detected)
            return &s->rows[i];
        if (s->rows[i].setting.kind == EVENT_SOURCE_N)
            any = &s->rows[i];
    }
    return any;
}

static enum event_source detect(struct bench *b, const char *text, size_t len)
{
    struct json doc;
    struct err err = { 0 };

    arena_reset(&b->arena);
    return event_parse(text, len, &b->arena, &doc, &err) == 0 ? event_source_detect(&doc) : EVENT_SOURCE_N;
}

static int take_http(void *ctx, enum event_source of, const char *text, size_t len, struct err *err)
{
    struct sources *s = ctx;
    enum event_source detected = of == EVENT_SOURCE_N ? detect(&s->http, text, len) : of;
    struct offer o = { s, source_of(s, of, detected), &s->http, NULL, false, 0 };

    if (o.source == NULL) {
        (void)err_set(err, ERR_INVALID, "no source for that is configured");
        return 1;
    }
    int rc = take_text(&o, text, len, err);
    if (rc < 0)
        note_state(s, o.source, SOURCE_FAILING, err->msg);
    return rc;
}

static int settle_http(void *ctx, struct err *err)
{
    struct sources *s = ctx;
    int rc = s->keeper.sync(s->keeper.ctx, err);

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n; i++) {
        struct source_status *st = &s->rows[i].status;
        if (st->via != SOURCE_VIA_HTTP || (rc == 0 && st->state != SOURCE_FAILING))
            continue;
        st->state = rc != 0 ? SOURCE_FAILING : SOURCE_OK;
        snprintf(st->problem, sizeof st->problem, "%.159s", rc != 0 ? err->msg : "");
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* ---- life --------------------------------------------------------------------------------------------- */

static int check_setting(const struct source_setting *set, const struct sources *s, struct err *err)
{
    size_t len = set->name != NULL ? strspn(set->name, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

    if (len == 0 || len > 40 || set->name[len] != '\0')
        return err_set(err, ERR_INVALID, "the name of a source: small letters, digits and hyphens, at most 40");
    for (size_t i = 0; i < s->n; i++) {
        if (str_eq(s->rows[i].setting.name, set->name))
            return err_set(err, ERR_INVALID, "two sources are called %s", set->name);
    }
    if (set->kind < 0 || set->kind > EVENT_SOURCE_N || set->via < 0 || set->via >= SOURCE_VIA_N)
        return err_set(err, ERR_INVALID, "source %s: kind or via is not one of theirs", set->name);
    if (set->via == SOURCE_VIA_FILE && (set->path == NULL || *set->path == '\0'))
        return err_set(err, ERR_INVALID, "source %s: a file needs a path", set->name);
    return 0;
}

static int open_tail(struct source *row, const char *dir, struct err *err)
{
    char place[4096];

    if (snprintf(place, sizeof place, "%s/%s.place", dir, row->setting.name) >= (int)sizeof place)
        return err_set(err, ERR_INVALID, "source %s: the folder's path is too long", row->setting.name);
    struct tail_opts opts = { .path = row->setting.path, .place = place, .from_end = row->setting.from_end };
    return tail_open(&opts, &row->tail, err);
}

static int add_source(struct sources *s, const struct source_setting *set, const char *dir, struct err *err)
{
    struct source *row = &s->rows[s->n];

    if (s->n == SOURCES_MAX)
        return err_set(err, ERR_INVALID, "more than %d sources", SOURCES_MAX);
    if (check_setting(set, s, err) != 0)
        return -1;
    row->setting = *set;
    row->setting.name = strdup(set->name);
    row->setting.path = set->path != NULL ? strdup(set->path) : NULL;
    s->n++;
    if (row->setting.name == NULL || (set->path != NULL && row->setting.path == NULL))
        return err_nomem(err);
    row->status = (struct source_status){ .name = row->setting.name, .kind = set->kind, .via = set->via, .last_ms = TIME_UNKNOWN };
    return set->via == SOURCE_VIA_FILE ? open_tail(row, dir, err) : 0;
}

static bool has_http(const struct sources *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->rows[i].setting.via == SOURCE_VIA_HTTP)
            return true;
    }
    return false;
}

int sources_open(const struct sources_opts *opts, struct sources **out, struct err *err)
{
    struct sources *s = calloc(1, sizeof *s);
    struct receive_taker taker = { s, take_http, settle_http };

    if (s == NULL)
        return err_nomem(err);
    bench_open(&s->files);
    bench_open(&s->http);
    pthread_mutex_init(&s->lock, NULL);
    s->keeper = opts->keeper;
    s->node = opts->node != NULL ? strdup(opts->node) : NULL;
    int rc = opts->node != NULL && s->node == NULL ? err_nomem(err) : 0;
    for (size_t i = 0; i < opts->n && rc == 0; i++)
        rc = add_source(s, &opts->settings[i], opts->dir, err);
    if (rc == 0 && has_http(s))
        rc = receive_open(&opts->receive, &taker, &s->receive, err);
    if (rc != 0) {
        sources_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

void sources_close(struct sources *s)
{
    if (s == NULL)
        return;
    receive_close(s->receive);
    for (size_t i = 0; i < s->n; i++) {
        tail_close(s->rows[i].tail);
        free(s->rows[i].had);
        free((char *)(uintptr_t)s->rows[i].setting.name);
        free((char *)(uintptr_t)s->rows[i].setting.path);
    }
    bench_close(&s->files);
    bench_close(&s->http);
    free(s->node);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

size_t sources_status(struct sources *s, struct source_status *out, size_t max)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n && i < max; i++)
        out[i] = s->rows[i].status;
    pthread_mutex_unlock(&s->lock);
    return s->n;
}

uint16_t sources_port(const struct sources *s)
{
    return s->receive != NULL ? receive_port(s->receive) : 0;
}
