/* nodes.c - see nodes.h: places, and what is written of them. */
#include "service/nodes_internal.h"
#include "base/crypto.h"
#include "base/time.h"
#include "core/node_state.h"
#include "store/node.h"

#include <stdlib.h>
#include <string.h>

enum { LOAD_AT_ONCE = 1000, TOUCH_AT_ONCE = 500, REFRESH_MS = 1000, REVOKED_AT_ONCE = 10000, TEXTS_MAX = 1 << 30 };
/* A time is written when it is this much newer than what the store has; other
 * processes' clocks may be this much behind ours. */
#define WRITE_EVERY_MS (30 * MS_SECOND)
#define REVOKED_LOOK_BACK_MS (10 * MS_MINUTE)

/* ---- places ------------------------------------------------------------------------- */

struct place *nodes_place(struct nodes *nodes, int64_t node)
{
    if (node <= 0 || node >= (int64_t)PLACES_IN_CHUNK * CHUNKS_MAX)
        return NULL;
    struct chunk *c = atomic_load_explicit(&nodes->chunks[node / PLACES_IN_CHUNK], memory_order_acquire);
    return c == NULL ? NULL : &c->places[node % PLACES_IN_CHUNK];
}

const struct node_facts *nodes_facts(struct nodes *nodes, int64_t node)
{
    struct place *p = nodes_place(nodes, node);

    return p == NULL ? NULL : atomic_load_explicit(&p->facts, memory_order_acquire);
}

bool nodes_admit(struct nodes *nodes, int64_t node)
{
    struct place *p = nodes_place(nodes, node);

    return p != NULL && atomic_load_explicit(&p->facts, memory_order_acquire) != NULL &&
           !atomic_load_explicit(&p->revoked, memory_order_acquire);
}

static struct chunk *chunk_new(void)
{
    struct chunk *c = calloc(1, sizeof *c);

    for (size_t i = 0; c != NULL && i < PLACES_IN_CHUNK; i++) {
        atomic_init(&c->places[i].seen_ms, TIME_UNKNOWN);
        atomic_init(&c->places[i].written_ms, TIME_UNKNOWN);
        atomic_init(&c->places[i].version, -1);
        atomic_init(&c->places[i].written_version, -1);
    }
    return c;
}

/* Under the lock. */
static struct place *make_place(struct nodes *nodes, int64_t node)
{
    if (node <= 0 || node >= (int64_t)PLACES_IN_CHUNK * CHUNKS_MAX)
        return NULL;
    struct chunk *c = atomic_load(&nodes->chunks[node / PLACES_IN_CHUNK]);
    if (c == NULL && (c = chunk_new()) != NULL)
        atomic_store_explicit(&nodes->chunks[node / PLACES_IN_CHUNK], c, memory_order_release);
    return c == NULL ? NULL : &c->places[node % PLACES_IN_CHUNK];
}

static const struct node_facts *facts_new(struct nodes *nodes, const struct node *n)
{
    struct node_facts *f = arena_alloc(&nodes->texts, sizeof *f);

    if (f == NULL)
        return NULL;
    *f = (struct node_facts){
        .id = n->id, .node_id = arena_strdup(&nodes->texts, n->node_id), .name = arena_strdup(&nodes->texts, n->name),
        .cluster = arena_strdup(&nodes->texts, n->cluster), .scope = arena_strdup(&nodes->texts, n->scope), .scope_hash = mac_token_scope(n->scope),
    };
    return f->node_id != NULL && f->name != NULL && f->cluster != NULL && f->scope != NULL ? f : NULL;
}

/* Under the lock. */
static int put(struct nodes *nodes, const struct node *n, struct err *err)
{
    struct place *p = make_place(nodes, n->id);

    if (p == NULL)
        return err_nomem(err);
    if (atomic_load(&p->facts) == NULL) {
        const struct node_facts *f = facts_new(nodes, n);
        if (f == NULL)
            return err_nomem(err);
        atomic_store(&p->revoked, n->revoked_ms != TIME_UNKNOWN);
        atomic_store(&p->seen_ms, n->last_seen_ms);
        atomic_store(&p->written_ms, n->last_seen_ms);
        atomic_store(&p->version, n->bundle_version);
        atomic_store(&p->written_version, n->bundle_version);
        atomic_store_explicit(&p->facts, f, memory_order_release);
    } else if (n->revoked_ms != TIME_UNKNOWN) {
        atomic_store_explicit(&p->revoked, true, memory_order_release);
    }
    if (n->id > atomic_load(&nodes->highest))
        atomic_store(&nodes->highest, n->id);
    return 0;
}

int nodes_put(struct nodes *nodes, const struct node *node, struct err *err)
{
    pthread_mutex_lock(&nodes->lock);
    int rc = put(nodes, node, err);
    pthread_mutex_unlock(&nodes->lock);
    return rc;
}

void nodes_revoke(struct nodes *nodes, int64_t node)
{
    struct place *p = nodes_place(nodes, node);

    if (p == NULL)
        return;
    atomic_store(&p->doubtful, true);
    atomic_store_explicit(&p->revoked, true, memory_order_release);
}

/* ---- seen ----------------------------------------------------------------------------- */

void nodes_seen(struct nodes *nodes, int64_t node, int64_t now_ms, const char *from, int64_t applied_version)
{
    struct place *p = nodes_place(nodes, node);

    if (p == NULL)
        return;
    atomic_store_explicit(&p->seen_ms, now_ms, memory_order_relaxed);
    if (applied_version >= 0)
        atomic_store_explicit(&p->version, applied_version, memory_order_relaxed);
    if (from == NULL || from[0] == '\0')
        return;
    uint64_t hash = nodes_hash(nodes, from);
    if (hash == atomic_load_explicit(&p->from_hash, memory_order_relaxed))
        return;
    pthread_mutex_lock(&nodes->lock);
    size_t n = strnlen(from, FROM_MAX - 1);
    memcpy(p->from, from, n);
    p->from[n] = '\0';
    atomic_store_explicit(&p->from_hash, hash, memory_order_relaxed);
    atomic_store_explicit(&p->written_ms, TIME_UNKNOWN, memory_order_relaxed);      /* worth writing soon */
    pthread_mutex_unlock(&nodes->lock);
}

void nodes_overlay(struct app *app, struct node *node, int64_t now_ms)
{
    struct place *p = app->nodes == NULL ? NULL : nodes_place(app->nodes, node->id);

    if (p != NULL && atomic_load_explicit(&p->facts, memory_order_acquire) != NULL) {
        int64_t seen = atomic_load_explicit(&p->seen_ms, memory_order_relaxed);
        int64_t version = atomic_load_explicit(&p->version, memory_order_relaxed);
        if (seen > node->last_seen_ms)
            node->last_seen_ms = seen;
        if (version >= 0 && seen >= node->last_seen_ms)
            node->bundle_version = version;
    }
    node->state = (int)node_state_at(node, app->settings.node_silent_ms, now_ms);
}

struct touches {
    struct nodes *nodes;
    int64_t ids[TOUCH_AT_ONCE];
    size_t n;
};

static bool is_due(struct place *p, int64_t every_ms)
{
    int64_t seen = atomic_load_explicit(&p->seen_ms, memory_order_relaxed);
    int64_t written = atomic_load_explicit(&p->written_ms, memory_order_relaxed);

    if (seen == TIME_UNKNOWN || seen == written)
        return false;
    return written == TIME_UNKNOWN || seen - written >= every_ms || seen < written ||
           atomic_load_explicit(&p->version, memory_order_relaxed) != atomic_load_explicit(&p->written_version, memory_order_relaxed);
}

static int write_one(struct db *db, struct nodes *nodes, int64_t id, struct err *err)
{
    struct place *p = nodes_place(nodes, id);
    char from[FROM_MAX];

    if (p == NULL)
        return 0;
    int64_t seen = atomic_load(&p->seen_ms), version = atomic_load(&p->version);
    pthread_mutex_lock(&nodes->lock);
    memcpy(from, p->from, sizeof from);
    pthread_mutex_unlock(&nodes->lock);
    if (node_touch(db, id, seen, from[0] != '\0' ? from : NULL, version, err) != 0)
        return -1;
    atomic_store(&p->written_ms, seen);
    atomic_store(&p->written_version, version);
    return 0;
}

static int write_touches(struct db *db, void *arg, struct err *err)
{
    struct touches *t = arg;

    for (size_t i = 0; i < t->n; i++)
        if (write_one(db, t->nodes, t->ids[i], err) != 0)
            return -1;
    return 0;
}

/* Goes on where the round before stopped, so that a fleet is written in portions. */
static int flush(struct app *app, int64_t every_ms, struct err *err)
{
    struct touches t = { .nodes = app->nodes };
    int64_t highest = atomic_load(&app->nodes->highest);

    for (int64_t id = 1; id <= highest; id++) {
        struct place *p = nodes_place(app->nodes, id);
        if (p != NULL && is_due(p, every_ms))
            t.ids[t.n++] = id;
        if (t.n < TOUCH_AT_ONCE && id < highest)
            continue;
        if (t.n > 0 && writer_call(app->writer, write_touches, &t, err) != 0)
            return -1;
        t.n = 0;
    }
    return 0;
}

/* ---- the database ----------------------------------------------------------------------- */

static int load_new(struct db *db, struct nodes *nodes, int64_t after, struct err *err)
{
    struct arena arena;
    struct node *rows;
    size_t n = LOAD_AT_ONCE;
    int rc = 0;

    arena_init(&arena, 64 << 20);
    while (rc == 0 && n == LOAD_AT_ONCE) {
        arena_reset(&arena);
        rc = node_list_new(db, after, LOAD_AT_ONCE, &arena, &rows, &n, err);
        for (size_t i = 0; rc == 0 && i < n; i++) {
            rc = nodes_put(nodes, &rows[i], err);
            after = rows[i].id;
        }
    }
    arena_clear(&arena);
    return rc;
}

static int load_all(struct db *db, void *arg, struct err *err)
{
    struct nodes *nodes = arg;

    nodes->is_shared = db_is_postgres(db);
    return load_new(db, nodes, 0, err);
}

struct look {
    struct nodes *nodes;
    int64_t now_ms;
};

static int load_revoked(struct db *db, struct look *look, struct err *err)
{
    struct arena arena;
    int64_t *ids;
    size_t n;

    arena_init(&arena, 1 << 20);
    int rc = node_list_revoked(db, look->now_ms - REVOKED_LOOK_BACK_MS, REVOKED_AT_ONCE, &arena, &ids, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct place *p = nodes_place(look->nodes, ids[i]);
        if (p != NULL)
            atomic_store_explicit(&p->revoked, true, memory_order_release);
    }
    arena_clear(&arena);
    return rc;
}

/* Was it really revoked?  The transaction that said so may have failed after all. */
static int settle(struct db *db, struct place *p, int64_t id, struct err *err)
{
    struct arena arena;
    struct node node;

    arena_init(&arena, 1 << 20);
    int rc = node_get_stored(db, id, &arena, &node, err);
    if (rc == 0) {
        atomic_store_explicit(&p->revoked, node.revoked_ms != TIME_UNKNOWN, memory_order_release);
        atomic_store(&p->doubtful, false);
    }
    arena_clear(&arena);
    return rc;
}

static int settle_doubts(struct db *db, void *arg, struct err *err)
{
    struct look *look = arg;
    int64_t highest = atomic_load(&look->nodes->highest);

    if (look->nodes->is_shared && (load_new(db, look->nodes, highest, err) != 0 || load_revoked(db, look, err) != 0))
        return -1;
    for (int64_t id = 1; id <= highest; id++) {
        struct place *p = nodes_place(look->nodes, id);
        if (p != NULL && atomic_load_explicit(&p->doubtful, memory_order_relaxed) && settle(db, p, id, err) != 0)
            return -1;
    }
    return 0;
}

/* For /metrics, and whether there are doubts at all. */
static bool count(struct nodes *nodes, int64_t silent_ms, int64_t now_ms)
{
    int64_t n[NODE_STATE_N] = { 0 }, highest = atomic_load(&nodes->highest);
    bool doubts = false;

    for (int64_t id = 1; id <= highest; id++) {
        struct place *p = nodes_place(nodes, id);
        if (p == NULL || atomic_load_explicit(&p->facts, memory_order_acquire) == NULL)
            continue;
        int64_t seen = atomic_load_explicit(&p->seen_ms, memory_order_relaxed);
        doubts = doubts || atomic_load_explicit(&p->doubtful, memory_order_relaxed);
        n[atomic_load_explicit(&p->revoked, memory_order_relaxed) ? NODE_REVOKED : seen == TIME_UNKNOWN ? NODE_INVITED :
          now_ms - seen > silent_ms ? NODE_SILENT : NODE_ENROLLED]++;
    }
    for (int i = 0; i < NODE_STATE_N; i++)
        atomic_store_explicit(&nodes->by_state[i], n[i], memory_order_relaxed);
    return doubts;
}

int nodes_refresh(struct app *app, int64_t now_ms, struct err *err)
{
    struct look look = { app->nodes, now_ms };
    int64_t mono = time_monotonic_ms();

    if (app->nodes == NULL || mono - app->nodes->refreshed_ms < REFRESH_MS)
        return 0;
    app->nodes->refreshed_ms = mono;
    bool doubts = count(app->nodes, app->settings.node_silent_ms, now_ms);
    if ((doubts || app->nodes->is_shared) && writer_call(app->writer, settle_doubts, &look, err) != 0)
        return -1;
    return flush(app, WRITE_EVERY_MS, err);
}

int nodes_reload(struct app *app, struct err *err)
{
    return writer_call(app->writer, load_all, app->nodes, err);
}

/* ---- life ---------------------------------------------------------------------------------- */

int nodes_open(struct app *app, struct err *err)
{
    struct nodes *nodes = calloc(1, sizeof *nodes);

    if (nodes == NULL)
        return err_nomem(err);
    pthread_mutex_init(&nodes->lock, NULL);
    pthread_mutex_init(&nodes->tries_lock, NULL);
    arena_init(&nodes->texts, TEXTS_MAX);
    random_bytes(&nodes->seed, sizeof nodes->seed);
    app->nodes = nodes;
    if (nodes_key_open(app->data_dir, nodes->key, err) != 0 || nodes_reload(app, err) != 0) {
        nodes_close(app);
        return -1;
    }
    return 0;
}

void nodes_close(struct app *app)
{
    struct nodes *nodes = app->nodes;
    struct err ignored = { 0 };

    if (nodes == NULL)
        return;
    (void)flush(app, 1, &ignored);
    crypto_wipe(nodes->key, sizeof nodes->key);
    for (size_t i = 0; i < CHUNKS_MAX; i++)
        free(atomic_load(&nodes->chunks[i]));
    arena_clear(&nodes->texts);
    pthread_mutex_destroy(&nodes->lock);
    pthread_mutex_destroy(&nodes->tries_lock);
    free(nodes);
    app->nodes = NULL;
}
