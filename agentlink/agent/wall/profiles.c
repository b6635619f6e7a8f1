/* profiles.c - all profiles are replaced at once; see wall.h.
 *
 * Those whose rules are the same keep their set; the others get a new one beside the
 * old, then every container moves in one step each, then the old sets go.  Between
 * the last two lies a pause longer than any program that still runs on old rules. */
#include "agent/wall/internal.h"
#include "base/crypto.h"
#include "base/str.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void rules_hash(const struct wall_rules *r, uint8_t out[32])
{
    struct sha256 s;
    sha256_init(&s);
    sha256_add(&s, &r->set, sizeof r->set);
    for (size_t i = 0; i < r->n_execs; i++) {
        sha256_add(&s, &r->execs[i].key, sizeof r->execs[i].key);
        sha256_add(&s, &r->execs[i].rule, sizeof r->execs[i].rule);
        if (r->execs[i].sha256)
            sha256_add(&s, r->execs[i].sha256, strlen(r->execs[i].sha256));
    }
    sha256_add(&s, r->edges, r->n_edges * sizeof *r->edges);
    sha256_add(&s, r->ports, r->n_ports * sizeof *r->ports);
    for (size_t i = 0; i < r->n_peers; i++) {
        sha256_add(&s, &r->peers[i].key, sizeof r->peers[i].key);
        sha256_add(&s, &r->peers[i].id, sizeof r->peers[i].id);
    }
    sha256_done(&s, out);
}

static void generation_free(struct generation *g)
{
    if (g)
        arena_clear(&g->a);
    free(g);
}

static int profile_take(const struct wall *w, const struct profile *p, struct arena *a, struct loaded *out, struct err *err)
{
    if (!p->repository || !p->repository[0])
        return err_set(err, ERR_INVALID, "profile %.80s names no repository", p->name ? p->name : "");
    if (wall_compile(p, w->set.lease_s, a, &out->rules, err) != 0 || nft_compile(w, p, a, out, err) != 0)
        return -1;
    out->name = arena_strdup(a, p->name ? p->name : "");
    out->repository = arena_strdup(a, p->repository);
    out->digest = arena_strdup(a, p->digest);
    if (!out->name || !out->repository || (p->digest && !out->digest))
        return err_nomem(err);
    rules_hash(&out->rules, out->hash);
    return 0;
}

static int generation_make(const struct wall *w, const struct profile *profiles, size_t n, struct generation **out, struct err *err)
{
    struct generation *g = calloc(1, sizeof *g);
    int r = 0;
    if (!g)
        return err_nomem(err);
    arena_init(&g->a, RULES_BYTES);
    g->items = arena_array(&g->a, n + 1, sizeof *g->items);
    if (!g->items)
        r = err_nomem(err);
    for (size_t i = 0; r == 0 && i < n; i++, g->n++)
        r = profile_take(w, &profiles[i], &g->a, &g->items[i], err);
    if (r != 0) {
        generation_free(g);
        return -1;
    }
    *out = g;
    return 0;
}

static const struct loaded *same_rules(const struct generation *g, const struct loaded *l)
{
    for (size_t i = 0; g && i < g->n; i++) {
        if (g->items[i].set != 0 && memcmp(g->items[i].hash, l->hash, sizeof l->hash) == 0)
            return &g->items[i];
    }
    return NULL;
}

static bool has_set(const struct generation *g, size_t n, u32 set)
{
    for (size_t i = 0; g && i < n; i++) {
        if (g->items[i].set == set)
            return true;
    }
    return false;
}

/* Takes out what of `of` (its first n) `other` does not use; each set once. */
static void sets_unload(struct wall *w, const struct generation *of, size_t n, const struct generation *other)
{
    for (size_t i = 0; of && i < n; i++) {
        const struct loaded *l = &of->items[i];
        if (l->set != 0 && !has_set(of, i, l->set) && !has_set(other, other ? other->n : 0, l->set))
            rules_unload(w, &l->rules, l->set);
    }
}

static int sets_load(struct wall *w, struct generation *g, struct err *err)
{
    for (size_t i = 0; i < g->n; i++) {
        struct loaded *l = &g->items[i];
        const struct loaded *same = same_rules(w->now, l);
        if (!same)
            same = same_rules(g, l);
        l->set = same ? same->set : ++w->next_set;
        if (same || rules_load(w, &l->rules, l->set, err) == 0)
            continue;
        l->set = 0;
        sets_unload(w, g, i, w->now);
        return err_prefix(err, "profile %.80s", l->name);
    }
    return 0;
}

static void generation_count(struct wall *w, const struct generation *g)
{
    w->status.n_profiles = g->n;
    w->status.n_enforced = 0;
    w->status.lease_s = 0;
    for (size_t i = 0; i < g->n; i++) {
        int64_t lease = (int64_t)(g->items[i].rules.set.lease_ns / 1000000000u);
        w->status.n_enforced += g->items[i].rules.set.mode == PROFILE_PROTECT;
        if (w->status.lease_s == 0 || lease < w->status.lease_s)
            w->status.lease_s = lease;
    }
}

static int profiles_replace(struct wall *w, struct generation *g, struct err *err)
{
    const struct timespec pause = { 0, 50 * 1000 * 1000 };
    struct generation *old = w->now;
    if (sets_load(w, g, err) != 0)
        return -1;
    w->now = g;
    fan_forget(w);
    for (size_t i = 0; i < w->n_boxes; i++)
        (void)box_apply(w, &w->boxes[i], err);
    nft_all(w);
    if (old)
        nanosleep(&pause, NULL);
    sets_unload(w, old, old ? old->n : 0, g);
    generation_count(w, g);
    generation_free(old);
    return 0;
}

int wall_set_profiles(struct wall *w, const struct profile *profiles, size_t n, struct err *err)
{
    struct generation *g = NULL;
    if (n > WALL_PROFILES_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d profiles", WALL_PROFILES_MAX);
    pthread_mutex_lock(&w->lock);
    int r = generation_make(w, profiles, n, &g, err);
    if (r == 0 && (r = profiles_replace(w, g, err)) != 0)
        generation_free(g);
    pthread_mutex_unlock(&w->lock);
    return r;
}

void profiles_free(struct wall *w)
{
    generation_free(w->now);
    w->now = NULL;
}
#endif
