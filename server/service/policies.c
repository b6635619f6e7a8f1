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

static int split(struct snapshot *s, struct err *err)
{
    const struct policy_set none = { .version = s->set.version, .limits = s->set.limits };
    const struct policy **lists = arena_array(&s->arena, 3 * s->set.n, sizeof *lists);

    if (lists == NULL)
        return err_nomem(err);
    s->split = (struct policies_split){ none, none, none };
    for (size_t i = 0; i < s->set.n; i++) {
        const struct policy *p = s->set.items[i];
        unsigned asks = policy_asks(p);
        if ((policy_info(p)->stages & STAGE_DEPLOY) == 0)
            continue;
        if ((asks & POLICY_ASKS_IMAGES) == 0)
            put(&s->split.spec, lists, p);
        else
            put(&s->split.images, lists + s->set.n, p);
        if (asks == POLICY_ASKS_IMAGES)
            put(&s->split.images_only, lists + 2 * s->set.n, p);
    }
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
    if (compile_all(db, s, err) != 0 || split(s, err) != 0) {
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

int verdict_keep(struct verdict *v, struct arena *arena, struct err *err)
{
    struct reason *reasons = arena_array(arena, v->n_reasons, sizeof *reasons);
    const char **missing = arena_array(arena, v->n_missing, sizeof *missing);
    bool failed = reasons == NULL || missing == NULL;

    for (size_t i = 0; !failed && i < v->n_reasons; i++) {
        reasons[i] = v->reasons[i];
        const char **texts[] = { &reasons[i].policy, &reasons[i].rule, &reasons[i].message, &reasons[i].remediation };
        for (size_t k = 0; k < N_ITEMS(texts); k++) {
            if (*texts[k] != NULL && (*texts[k] = arena_strdup(arena, *texts[k])) == NULL)
                failed = true;
        }
    }
    for (size_t i = 0; !failed && i < v->n_missing; i++)
        failed = (missing[i] = arena_strdup(arena, v->missing[i])) == NULL;
    if (failed)
        return err_nomem(err);
    v->reasons = reasons;
    v->missing = missing;
    return 0;
}
