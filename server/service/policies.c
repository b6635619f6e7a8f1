/* policies.c - see policies.h. */
#include "service/policies.h"

#include "core/policy_asks.h"
#include "store/policy_doc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { POLICY_ARENA = 64 << 20 };

struct snapshot {
    struct policy_set set;          /* first: a held set is its snapshot */
    struct policies_split split;
    struct arena arena;
    int holders;                    /* under the lock; the current one counts itself once */
};

struct policies {
    pthread_mutex_t lock;
    struct snapshot *current;       /* NULL before the first hold */
};

struct freshness_limits app_limits(const struct app *app)
{
    return (struct freshness_limits){ app->settings.scan_max_age_ms, app->settings.database_max_age_ms };
}

int policies_open(struct app *app, struct err *err)
{
    struct policies *p = calloc(1, sizeof *p);

    if (p == NULL)
        return err_nomem(err);
    pthread_mutex_init(&p->lock, NULL);
    app->policies = p;
    return 0;
}

static void drop(struct snapshot *s)
{
    if (s != NULL && --s->holders == 0) {
        arena_clear(&s->arena);
        free(s);
    }
}

void policies_close(struct app *app)
{
    if (app->policies == NULL)
        return;
    drop(app->policies->current);
    pthread_mutex_destroy(&app->policies->lock);
    free(app->policies);
    app->policies = NULL;
}

/* A stored document was compiled when it was accepted; one that no longer compiles
 * (an older server's) must not disappear silently. */
static int compile_all(struct db *db, struct snapshot *s, struct err *err)
{
    struct policy_doc *docs;
    size_t n;

    if (policy_doc_list_enabled(db, &s->arena, &docs, &n, err) != 0)
        return -1;
    const struct policy **items = arena_array(&s->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct policy *policy;
        if (policy_compile(docs[i].document, strlen(docs[i].document), &s->arena, NULL, &policy, err) != 0)
            return err_prefix(err, "policy %s (version %lld)", docs[i].name, (long long)docs[i].version);
        items[i] = policy;
    }
    s->set.items = items;
    s->set.n = n;
    return 0;
}

static void put(struct policy_set *set, const struct policy **items, const struct policy *p)
{
    items[set->n++] = p;
    set->items = items;
}

int policies_divide(const struct policy_set *set, struct arena *arena, struct policies_split *out, struct err *err)
{
    const struct policy_set none = { .version = set->version, .limits = set->limits };
    const struct policy **lists = arena_array(arena, 3 * set->n, sizeof *lists);
    struct policies_split split = { none, none, none };

    if (lists == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < set->n; i++) {
        const struct policy *p = set->items[i];
        unsigned asks = policy_asks(p);
        if ((policy_info(p)->stages & STAGE_DEPLOY) == 0)
            continue;
        if ((asks & POLICY_ASKS_IMAGES) == 0)
            put(&split.spec, lists, p);
        else
            put(&split.images, lists + set->n, p);
        if (asks == POLICY_ASKS_IMAGES)
            put(&split.images_only, lists + 2 * set->n, p);
    }
    *out = split;
    return 0;
}

const struct policies_split *policies_split(const struct policy_set *held)
{
    return &((const struct snapshot *)(const void *)held)->split;
}

static int build(struct app *app, struct db *db, int64_t version, struct snapshot **out, struct err *err)
{
    struct snapshot *s = calloc(1, sizeof *s);

    if (s == NULL)
        return err_nomem(err);
    arena_init(&s->arena, POLICY_ARENA);
    s->set.version = version;
    s->set.limits = app_limits(app);
    s->holders = 1;
    if (compile_all(db, s, err) != 0 || policies_divide(&s->set, &s->arena, &s->split, err) != 0) {
        drop(s);
        return -1;
    }
    *out = s;
    return 0;
}

int policies_hold(struct app *app, struct db *db, const struct policy_set **out, struct err *err)
{
    struct policies *p = app->policies;
    struct snapshot *fresh = NULL;
    int64_t version;

    if (policy_doc_generation(db, &version, err) != 0)
        return -1;
    pthread_mutex_lock(&p->lock);
    int rc = 0;
    if (p->current == NULL || p->current->set.version != version)
        rc = build(app, db, version, &fresh, err);
    if (fresh != NULL) {
        drop(p->current);
        p->current = fresh;
    }
    if (rc == 0) {
        p->current->holders++;
        *out = &p->current->set;
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}

void policies_release(struct app *app, const struct policy_set *set)
{
    pthread_mutex_lock(&app->policies->lock);
    drop((struct snapshot *)(uintptr_t)set);
    pthread_mutex_unlock(&app->policies->lock);
}

static const struct reason *reasons_keep(const struct reason *from, size_t n, struct arena *arena, bool *failed)
{
    struct reason *to = arena_array(arena, n, sizeof *to);

    *failed |= to == NULL;
    for (size_t i = 0; !*failed && i < n; i++) {
        to[i] = from[i];
        const char **texts[] = { &to[i].policy, &to[i].rule, &to[i].message, &to[i].remediation };
        for (size_t k = 0; k < N_ITEMS(texts); k++) {
            if (*texts[k] != NULL && (*texts[k] = arena_strdup(arena, *texts[k])) == NULL)
                *failed = true;
        }
    }
    return to;
}

static const struct verdict_annotation *annotations_keep(const struct verdict *v, struct arena *arena, bool *failed)
{
    struct verdict_annotation *to = arena_array(arena, v->n_annotations, sizeof *to);

    *failed |= to == NULL;
    for (size_t i = 0; !*failed && i < v->n_annotations; i++) {
        to[i] = (struct verdict_annotation){ arena_strdup(arena, v->annotations[i].policy), arena_strdup(arena, v->annotations[i].key),
                                             arena_strdup(arena, v->annotations[i].value) };
        *failed |= to[i].policy == NULL || to[i].key == NULL || to[i].value == NULL;
    }
    return to;
}

int verdict_keep(struct verdict *v, struct arena *arena, struct err *err)
{
    const char **missing = arena_array(arena, v->n_missing, sizeof *missing);
    bool failed = missing == NULL;
    const struct reason *reasons = reasons_keep(v->reasons, v->n_reasons, arena, &failed);
    const struct reason *audited = reasons_keep(v->audited, v->n_audited, arena, &failed);
    const struct verdict_annotation *annotations = annotations_keep(v, arena, &failed);

    for (size_t i = 0; !failed && i < v->n_missing; i++)
        failed = (missing[i] = arena_strdup(arena, v->missing[i])) == NULL;
    if (failed)
        return err_nomem(err);
    v->reasons = reasons;
    v->audited = audited;
    v->annotations = annotations;
    v->missing = missing;
    return 0;
}
