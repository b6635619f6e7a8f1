/* bundles.c - bundles in memory, and the light path to them; see bundles.h. */
#include "service/bundles_internal.h"

#include "base/time.h"
#include "service/nodes.h"
#include "service/prefer.h"
#include "wire/msg/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { WAIT_MAX_S = 300, FIRST_MS = 5000 };

/* ---- the gate --------------------------------------------------------------------- */

static unsigned gate_enter(struct gate *g)
{
    unsigned turn = atomic_load(&g->turn) & 1;

    striped_add(&g->in[turn], striped_mine(), 1);
    return turn;
}

static void gate_leave(struct gate *g, unsigned turn)
{
    striped_add(&g->in[turn], striped_mine(), -1);
}

/* Everybody who was within when this began has left. */
static void gate_pass(struct gate *g)
{
    for (int i = 0; i < 2; i++) {
        unsigned turn = atomic_fetch_add(&g->turn, 1) & 1;
        while (striped_sum(&g->in[turn]) != 0)
            nanosleep(&(struct timespec){ .tv_nsec = 200 * 1000 }, NULL);
    }
}

/* ---- slots ------------------------------------------------------------------------- */

static uint64_t hash_of(const char *scope)
{
    uint64_t h = 0xcbf29ce484222325ULL;

    for (; *scope != '\0'; scope++)
        h = (h ^ (unsigned char)*scope) * 0x100000001b3ULL;
    return h ^ h >> 32;
}

struct slot *bundle_slot(struct bundles *b, const char *scope)
{
    struct slot *s = atomic_load_explicit(&b->buckets[hash_of(scope) % BUNDLE_BUCKETS], memory_order_acquire);

    while (s != NULL && strcmp(s->scope, scope) != 0)
        s = s->next;
    return s;
}

struct slot *bundle_slot_add(struct bundles *b, const char *scope)
{
    size_t len = strlen(scope);
    uint8_t hash[SHA256_LEN];
    struct slot *s = bundle_slot(b, scope);

    if (s != NULL)
        return s;
    if (atomic_load(&b->n_slots) >= BUNDLE_SCOPES_MAX || (s = calloc(1, sizeof *s + len + 1)) == NULL)
        return NULL;
    memcpy(s->scope, scope, len + 1);
    sha256(scope, len, hash);
    hex_encode(hash, 8, s->tag);
    _Atomic(struct slot *) *bucket = &b->buckets[hash_of(scope) % BUNDLE_BUCKETS];
    s->next = atomic_load(bucket);
    atomic_store_explicit(bucket, s, memory_order_release);
    atomic_fetch_add(&b->n_slots, 1);
    return s;
}

static void drop_made(struct bundles *b, struct made *made)
{
    if (made == NULL)
        return;
    b->ready->drop(made->ready);
    free(made);
}

void bundle_publish(struct bundles *b, struct slot *s, struct made *made)
{
    snprintf(made->etag, sizeof made->etag, "\"%s-%lld\"", s->tag, (long long)made->version);
    struct made *was = atomic_exchange(&s->made, made);
    atomic_fetch_add(&s->generation, 1);
    atomic_fetch_add(&b->generation, 1);
    gate_pass(&b->gate);
    drop_made(b, was);
}

const struct made_root *bundle_root(struct bundles *b, int64_t version)
{
    return version < 1 || version > TRUST_ROOTS_MAX ? NULL : atomic_load(&b->roots[version]);
}

const struct made_root *bundle_root_newest(struct bundles *b)
{
    return bundle_root(b, atomic_load(&b->newest_root));
}

void bundles_problem(struct bundles *b, const char *problem)
{
    pthread_mutex_lock(&b->lock);
    snprintf(b->problem, sizeof b->problem, "%s", problem);
    pthread_mutex_unlock(&b->lock);
}

/* ---- life ---------------------------------------------------------------------------- */

static int start(struct bundles *b, struct err *err)
{
    if (bundle_reader_open(b, err) != 0 || bundle_round(b, err) != 0)
        return -1;
    if (pthread_create(&b->thread, NULL, bundle_thread, b) != 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot start a thread");
    b->has_thread = true;
    return 0;
}

int bundles_open(struct app *app, const struct ready_ops *ready, struct err *err)
{
    struct bundles *b = aligned_alloc(64, (sizeof *b + 63) / 64 * 64);
    pthread_condattr_t monotonic;

    if (b == NULL)
        return err_nomem(err);
    memset(b, 0, sizeof *b);
    b->app = app;
    b->ready = ready;
    b->is_dirty = true;
    snprintf(b->cause, sizeof b->cause, "start");
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&b->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    app->bundles = b;
    return start(b, err);
}

static void free_all(struct bundles *b)
{
    for (size_t i = 0; i < BUNDLE_BUCKETS; i++)
        for (struct slot *s = atomic_load(&b->buckets[i]), *next; s != NULL; s = next) {
            next = s->next;
            drop_made(b, atomic_load(&s->made));
            free(s);
        }
    for (size_t i = 0; i <= TRUST_ROOTS_MAX; i++) {
        union { const struct made_root *in; struct made_root *out; } p = { .in = atomic_load(&b->roots[i]) };
        made_root_free(p.out);
    }
}

void bundles_close(struct app *app)
{
    struct bundles *b = app->bundles;

    if (b == NULL)
        return;
    pthread_mutex_lock(&b->lock);
    b->closing = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
    if (b->has_thread)
        pthread_join(b->thread, NULL);
    db_close(b->reader);
    free_all(b);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
    free(b);
    app->bundles = NULL;
}

void bundles_changed(struct app *app, const char *cause)
{
    struct bundles *b = app->bundles;

    if (b == NULL)
        return;
    pthread_mutex_lock(&b->lock);
    if (!b->is_dirty)
        snprintf(b->cause, sizeof b->cause, "%s", cause);
    b->is_dirty = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
}

int bundles_root(struct app *app, struct arena *arena, struct root_pin *out, struct err *err)
{
    const struct made_root *r = app->bundles == NULL ? NULL : bundle_root_newest(app->bundles);

    if (r == NULL)
        return err_set(err, ERR_UNAVAILABLE, "there is no root of trust yet");
    const char *copy = arena_strndup(arena, (const char *)r->envelope.ptr, r->envelope.len);
    if (copy == NULL)
        return err_nomem(err);
    *out = (struct root_pin){ .version = r->version, .envelope = copy, .len = r->envelope.len };
    memcpy(out->fingerprint, r->fingerprint, sizeof out->fingerprint);
    return 0;
}

void bundles_metrics(struct app *app, struct buf *out)
{
    struct bundles *b = app->bundles;

    if (b == NULL)
        return;
    const struct { const char *name, *type, *help; long long value; } rows[] = {
        { "keepd_bundles_made_total", "counter", "Bundles signed by this process.", atomic_load(&b->n_made) },
        { "keepd_bundles_failed_total", "counter", "Rounds in which a bundle could not be made.", atomic_load(&b->n_failed) },
        { "keepd_bundle_scopes", "gauge", "Scopes with a bundle in memory.", atomic_load(&b->n_slots) },
        { "keepd_trust_root_version", "gauge", "Version of the root of trust.", atomic_load(&b->newest_root) },
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", rows[i].name, rows[i].help, rows[i].name, rows[i].type, rows[i].name,
                   rows[i].value);
}

/* ---- the light path -------------------------------------------------------------------- */

enum { HEADER_IF_NONE_MATCH, HEADER_PREFER };
const char *const agent_bundle_headers[] = { "If-None-Match", "Prefer", NULL };

struct bundle_query { int64_t applied; };
static const struct field query_fields[] = {
    { .key = "applied", .type = FIELD_INT, .off = offsetof(struct bundle_query, applied), .min = 0, .max = INT64_MAX,
      .doc = "The version that is in force on the node." },
};
SHAPE(agent_bundle_query_shape, "agent_bundle_query", struct bundle_query, query_fields);

/* "applied=N" and nothing else; -1: not said. */
static int64_t applied_of(const char *query)
{
    int64_t n;

    return strncmp(query, "applied=", 8) == 0 && str_to_i64(query + 8, 0, INT64_MAX, &n) ? n : -1;
}

/* Our tags are quoted hex and a number; the compressed form has "-gz" before the quote. */
static bool names(const char *if_none_match, const char *etag)
{
    size_t len = strlen(etag) - 1;

    for (const char *s = if_none_match; s != NULL && (s = strstr(s, "\"")) != NULL; s++)
        if (strncmp(s, etag, len) == 0 && (s[len] == '"' || strncmp(s + len, "-gz\"", 4) == 0))
            return true;
    return false;
}

struct passage { struct gate *gate; unsigned turn; };

static void leave(void *arg)
{
    struct passage *p = arg;

    gate_leave(p->gate, p->turn);
}

/* Nothing new: hold, or say so. */
static void unchanged(struct call *c, const struct slot *s, long long seen, int64_t wait_s)
{
    c->status = 304;
    if (wait_s == 0 || c->is_last_ask)
        return;
    c->hold_ms = wait_s * MS_SECOND;
    c->hold_on = &s->generation;
    c->hold_seen = seen;
}

/* The first node of a scope: its bundle is made now, and waited for. */
static int none_yet(struct call *c, long long seen, struct err *err)
{
    struct bundles *b = c->app->bundles;

    if (b != NULL && !c->is_last_ask) {
        bundles_changed(c->app, "first node of a scope");
        c->hold_ms = FIRST_MS;
        c->hold_on = &b->generation;
        c->hold_seen = seen;
        return 0;
    }
    c->retry_after_s = 1;
    return err_set(err, ERR_UNAVAILABLE, "the bundle of this scope is being made");
}

int agent_bundle(struct call *c, const void *in, void *out, struct err *err)
{
    static _Thread_local struct passage passage;       /* with `ready`, release comes before the next request */
    struct bundles *b = c->app->bundles;
    long long any = b == NULL ? 0 : atomic_load(&b->generation);
    struct slot *s = b == NULL ? NULL : bundle_slot(b, c->caller->scope);
    int64_t wait_s = prefer_wait_s(c->headers[HEADER_PREFER], WAIT_MAX_S);
    int64_t applied = applied_of(c->query_text);

    (void)in, (void)out;
    if (applied >= 0 && c->app->nodes != NULL)
        nodes_seen(c->app->nodes, c->caller->node, c->now_ms, NULL, applied);
    if (s == NULL)
        return none_yet(c, any, err);
    long long seen = atomic_load(&s->generation);      /* before looking: a change meanwhile is noticed */
    passage = (struct passage){ &b->gate, gate_enter(&b->gate) };
    const struct made *made = atomic_load(&s->made);
    if (made == NULL) {
        gate_leave(&b->gate, passage.turn);
        return none_yet(c, any, err);
    }
    c->release = leave;
    c->release_arg = &passage;
    c->ready = made->ready;
    if (names(c->headers[HEADER_IF_NONE_MATCH], made->etag))
        unchanged(c, s, seen, wait_s);
    return 0;
}

int agent_root(struct call *c, const void *in, void *out, struct err *err)
{
    int64_t version;

    (void)in, (void)out;
    const struct made_root *r = c->app->bundles == NULL || !str_to_i64(c->path[0], 1, INT64_MAX, &version)
                                    ? NULL : bundle_root(c->app->bundles, version);
    if (r == NULL)
        return err_set(err, ERR_NOT_FOUND, "there is no root of this version");
    c->answer = r->envelope;
    c->answer_type = TRUST_ROOT_TYPE;
    return 0;
}
