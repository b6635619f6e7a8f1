/* drift_state.c - see drift_state.h.  A new view shares what has not changed with the
 * one before: each enforced version is compiled once. */
#include "service/drift_state.h"

#include "service/observed.h"
#include "store/profile.h"
#include "wire/msg/profile.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILE_ARENA = 8 << 20, KEYS_ARENA = 8 << 20 };

struct entry {
    int64_t id;                          /* of the version */
    const char *repository, *digest;
    struct arena arena;
    struct profile_compiled *compiled;   /* NULL: not understood */
    int holders;                         /* views; under the lock */
};

struct drift_view {
    int64_t generation;
    struct entry **entries; size_t n;    /* by repository and digest */
    size_t n_unreadable;
    int holders;                         /* under the lock; the current one counts itself once */
};

struct drift_state {
    pthread_mutex_t lock;
    struct drift_view *current;
    struct observed *observed;
    atomic_llong n_profiles, n_unreadable;       /* of the current view: metrics wait for nobody */
};

int drift_state_open(struct app *app, struct err *err)
{
    struct drift_state *s = calloc(1, sizeof *s);

    if (s == NULL || (s->observed = observed_new(app->started_ms)) == NULL) {
        free(s);
        return err_nomem(err);
    }
    pthread_mutex_init(&s->lock, NULL);
    app->drift = s;
    return 0;
}

static void entry_drop(struct entry *e)
{
    if (e == NULL || --e->holders > 0)
        return;
    arena_clear(&e->arena);
    free(e);
}

static void view_drop(struct drift_view *v)
{
    if (v == NULL || --v->holders > 0)
        return;
    for (size_t i = 0; i < v->n; i++)
        entry_drop(v->entries[i]);
    free(v->entries);
    free(v);
}

void drift_state_close(struct app *app)
{
    struct drift_state *s = app->drift;

    if (s == NULL)
        return;
    view_drop(s->current);
    observed_free(s->observed);
    pthread_mutex_destroy(&s->lock);
    free(s);
    app->drift = NULL;
}

/* ---- building ----------------------------------------------------------------------------- */

static int compare(const char *repository, const char *digest, const struct entry *e)
{
    int order = strcmp(repository, e->repository);

    return order != 0 ? order : strcmp(digest, e->digest);
}

static struct entry *view_find(const struct drift_view *v, const char *repository, const char *digest)
{
    size_t low = 0, high = v != NULL ? v->n : 0;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare(repository, digest, v->entries[mid]);
        if (order == 0)
            return v->entries[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* What was stored was checked; should this version not understand it, the other
 * profiles and the events go on, and it is counted. */
static int entry_compile(struct entry *e, const struct profile_row *row, struct arena *scratch, struct err *err)
{
    struct profile profile;
    struct json doc;

    shape_init(&profile_shape, &profile);
    if (json_parse(scratch, row->document, strlen(row->document), NULL, &doc, err) == 0 &&
        shape_decode(&profile_shape, &doc, scratch, &profile, NULL, err) == 0 &&
        profile_compile(&profile, &e->arena, &e->compiled, err) == 0)
        return 0;
    return err->kind == ERR_UNAVAILABLE ? -1 : 0;
}

static int entry_load(struct db *db, const struct profile_key *key, struct entry **out, struct err *err)
{
    struct entry *e = calloc(1, sizeof *e);
    struct profile_row row;
    struct arena scratch;

    if (e == NULL)
        return err_nomem(err);
    arena_init(&e->arena, PROFILE_ARENA);
    arena_init(&scratch, PROFILE_ARENA);
    e->id = key->id;
    e->holders = 1;
    e->repository = arena_strdup(&e->arena, key->repository);
    e->digest = arena_strdup(&e->arena, key->digest);
    int rc = e->repository == NULL || e->digest == NULL ? err_nomem(err) : profile_get(db, key->id, &scratch, &row, err);
    if (rc == 0)
        rc = entry_compile(e, &row, &scratch, err);
    arena_clear(&scratch);
    if (rc != 0) {
        entry_drop(e);
        return -1;
    }
    *out = e;
    return 0;
}

static int view_fill(struct db *db, struct drift_view *v, const struct drift_view *before, const struct profile_key *keys, size_t n, struct err *err)
{
    v->entries = calloc(n + 1, sizeof *v->entries);
    if (v->entries == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct entry *e = view_find(before, keys[i].repository, keys[i].digest);
        if (e != NULL && e->id == keys[i].id)
            e->holders++;
        else if (entry_load(db, &keys[i], &e, err) != 0)
            return -1;
        v->n_unreadable += e->compiled == NULL;
        v->entries[v->n++] = e;
    }
    return 0;
}

static int view_build(struct db *db, int64_t generation, const struct drift_view *before, struct drift_view **out, struct err *err)
{
    struct drift_view *v = calloc(1, sizeof *v);
    struct profile_key *keys;
    struct arena arena;
    size_t n;

    if (v == NULL)
        return err_nomem(err);
    v->generation = generation;
    v->holders = 1;
    arena_init(&arena, KEYS_ARENA);
    int rc = profile_keys_enforced(db, &arena, &keys, &n, err);
    if (rc == 0)
        rc = view_fill(db, v, before, keys, n, err);
    arena_clear(&arena);
    if (rc != 0) {
        view_drop(v);
        return -1;
    }
    *out = v;
    return 0;
}

int drift_state_hold(struct app *app, struct db *db, const struct drift_view **out, struct err *err)
{
    struct drift_state *s = app->drift;
    struct drift_view *fresh = NULL;
    int64_t generation;
    int rc = 0;

    if (profile_generation(db, &generation, err) != 0)
        return -1;
    pthread_mutex_lock(&s->lock);
    if (s->current == NULL || s->current->generation != generation)
        rc = view_build(db, generation, s->current, &fresh, err);
    if (fresh != NULL) {
        view_drop(s->current);
        s->current = fresh;
        atomic_store(&s->n_unreadable, (long long)fresh->n_unreadable);
        atomic_store(&s->n_profiles, (long long)(fresh->n - fresh->n_unreadable));
    }
    if (rc == 0) {
        s->current->holders++;
        *out = s->current;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

void drift_state_release(struct app *app, const struct drift_view *view)
{
    if (view == NULL)
        return;
    pthread_mutex_lock(&app->drift->lock);
    view_drop((struct drift_view *)(uintptr_t)view);
    pthread_mutex_unlock(&app->drift->lock);
}

/* ---- asking ---------------------------------------------------------------------------------- */

const struct profile_compiled *drift_state_profile(const struct drift_view *view, const char *repository, const char *digest)
{
    const struct entry *e = NULL;

    if (repository == NULL || view->n == 0)
        return NULL;
    if (digest != NULL)
        e = view_find(view, repository, digest);
    if (e == NULL)
        e = view_find(view, repository, "");
    return e != NULL ? e->compiled : NULL;
}

size_t drift_state_judge(const struct drift_view *view, const char *repository, const char *digest, const struct event *event,
                         struct drift_finding out[DRIFT_MAX], const struct profile_compiled **profile)
{
    const struct profile_compiled *c = drift_state_profile(view, repository, digest);

    if (profile != NULL)
        *profile = c;
    if (c == NULL || profile_of(c)->mode == PROFILE_DISCOVER)
        return 0;
    return drift_decide(c, event, NULL, out);
}

int drift_state_observe(struct app *app, struct db *db, int64_t image_id, int64_t node, const struct event *event, bool raised,
                        struct err *err)
{
    return app->drift == NULL ? 0 : observed_add(app->drift->observed, db, image_id, node, event, raised, err);
}

int drift_state_flush(struct app *app, struct db *db, int64_t now_ms, size_t max, bool *more, struct err *err)
{
    *more = false;
    return app->drift == NULL ? 0 : observed_flush(app->drift->observed, db, now_ms, max, more, err);
}

void drift_state_metrics(struct app *app, struct buf *out)
{
    struct drift_state *s = app->drift;

    if (s == NULL)
        return;
    const struct observed_counts *c = observed_counts(s->observed);
    const struct { const char *name, *type, *help; long long value; } rows[] = {
        { "keepd_profiles", "gauge", "Profiles in force.", atomic_load(&s->n_profiles) },
        { "keepd_profiles_unreadable", "gauge", "Enforced profiles that this version does not understand.", atomic_load(&s->n_unreadable) },
        { "keepd_observed_items", "gauge", "Things images were seen doing, in memory.", (long long)atomic_load(&c->items) },
        { "keepd_observed_waiting", "gauge", "Of these, counts that are not written yet.", (long long)atomic_load(&c->waiting) },
        { "keepd_observed_ignored_total", "counter", "Observations of images that have shown too many things.", atomic_load(&c->ignored) },
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", rows[i].name, rows[i].help, rows[i].name, rows[i].type, rows[i].name, rows[i].value);
}
