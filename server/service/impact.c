/* impact.c - see impact.h: the candidate, and the known images. */
#include "service/impact.h"

#include "base/time.h"
#include "service/judge_image.h"
#include "service/policies.h"
#include "store/exception.h"
#include "store/recheck.h"
#include "wire/msg/policy_doc.h"

#include <string.h>

enum { SCRATCH_MAX = 256 << 20, IMAGES_MAX = 1000000 };

/* ---- images --------------------------------------------------------------------------- */

static int decide(struct impact_run *run, const struct policy_set *set, struct image_facts *facts, struct verdict *v, struct err *err)
{
    const struct policy_input in = { .stage = STAGE_BUILD, .facts = facts, .exceptions = run->exceptions,
                                     .n_exceptions = run->n_exceptions, .now_ms = run->call->now_ms };

    return verdict_decide(set, &in, &run->scratch, v, err);
}

/* The other policies are only asked when this one changes its mind. */
static int try_facts(struct impact_run *run, struct image_facts *facts, struct err *err)
{
    struct verdict before, after, others = { .decision = DECISION_PASS };

    if (decide(run, &run->before, facts, &before, err) != 0 || decide(run, &run->after, facts, &after, err) != 0)
        return -1;
    if (before.decision != after.decision && decide(run, &run->others, facts, &others, err) != 0)
        return -1;
    const struct image *m = &facts->image;
    const struct impact_item item = {
        .name = m->reference != NULL && *m->reference != '\0' ? m->reference : m->digest, .digest = m->digest,
        .team = m->team, .repository = m->repository, .at_ms = TIME_UNKNOWN,
        .before = impact_worse(others.decision, before.decision), .after = impact_worse(others.decision, after.decision),
        .reasons = after.reasons, .n_reasons = after.n_reasons,
        .same_reasons = impact_same_reasons(before.reasons, before.n_reasons, after.reasons, after.n_reasons),
    };
    impact_add(run, &run->out->images, &item);
    return 0;
}

static int try_image(struct impact_run *run, int64_t id, struct err *err)
{
    struct call *c = run->call;
    struct image_facts facts;

    arena_reset(&run->scratch);
    if (facts_load(c->db, id, &run->after.limits, c->now_ms, run->with_aliases, &run->scratch, &facts, err) != 0)
        return err->kind == ERR_NOT_FOUND ? 0 : -1;          /* gone meanwhile */
    return try_facts(run, &facts, err);
}

static bool is_asked_at(const struct policy_set *set, enum stage stage)
{
    for (size_t i = 0; i < set->n; i++) {
        if ((policy_info(set->items[i])->stages & (unsigned)stage) != 0)
            return true;
    }
    return false;
}

static int try_images(struct impact_run *run, struct err *err)
{
    static const struct recheck_scope all = { 0 };
    struct recheck_image *images;
    size_t n;

    if (!is_asked_at(&run->before, STAGE_BUILD) && !is_asked_at(&run->after, STAGE_BUILD))
        return 0;
    if (recheck_list(run->call->db, &all, IMAGES_MAX, run->call->arena, &images, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n && !impact_time_is_up(run); i++) {
        if (try_image(run, images[i].id, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the candidate ----------------------------------------------------------------------- */

static int candidate(struct call *c, const struct policy **out, struct err *err)
{
    struct policy *p;

    if (c->body.len == 0)
        return err_set(err, ERR_INVALID, "a policy document is expected");
    if (policy_compile(c->body.ptr, c->body.len, c->arena, &c->complaints, &p, err) != 0)
        return -1;
    if (!str_eq(policy_info(p)->name, c->path[0]))
        return err_set(err, ERR_INVALID, "$.metadata.name: is %.64s, but the policy is %.64s", policy_info(p)->name, c->path[0]);
    *out = p;
    return 0;
}

static int divide(struct impact_run *run, const struct policy_set *held, const struct policy *changed, struct err *err)
{
    struct arena *arena = run->call->arena;
    const struct policy **others = arena_array(arena, held->n, sizeof *others), **one = arena_array(arena, 2, sizeof *one);
    const struct policy_set none = { .version = held->version, .limits = held->limits };

    if (others == NULL || one == NULL)
        return err_nomem(err);
    run->others = run->before = run->after = none;
    run->others.items = others;
    run->before.items = &one[0];
    run->after.items = &one[1];
    one[1] = changed;
    run->after.n = 1;
    for (size_t i = 0; i < held->n; i++) {
        if (str_eq(policy_info(held->items[i])->name, policy_info(changed)->name)) {
            one[0] = held->items[i];
            run->before.n = 1;
        } else {
            others[run->others.n++] = held->items[i];
        }
    }
    run->out->is_new = run->before.n == 0;
    return 0;
}

static int load_exceptions(struct impact_run *run, struct err *err)
{
    struct exception *list;
    struct call *c = run->call;

    if (exception_list_active(c->db, c->now_ms, c->arena, &list, &run->n_exceptions, err) != 0)
        return -1;
    run->exceptions = list;
    for (size_t i = 0; i < run->n_exceptions; i++)
        run->with_aliases |= list[i].vulnerability != NULL && !str_starts(list[i].vulnerability, "CVE-");
    return 0;
}

static int try_all(struct impact_run *run, const struct policy_set *held, const struct policy *changed, struct err *err)
{
    if (divide(run, held, changed, err) != 0 || load_exceptions(run, err) != 0 || try_images(run, err) != 0)
        return -1;
    if ((is_asked_at(&run->before, STAGE_DEPLOY) || is_asked_at(&run->after, STAGE_DEPLOY)) && impact_reviews(run, err) != 0)
        return -1;
    impact_finish(run);
    return run->failed ? err_nomem(err) : 0;
}

int policy_impact(struct call *c, const void *in, void *out, struct err *err)
{
    struct impact result = { .policy = c->path[0], .is_complete = true };
    int64_t from = time_monotonic_ms();
    struct impact_run run = { .call = c, .out = &result, .deadline_ms = from + IMPACT_TIME_MS,
                              .groups = arena_array(c->arena, IMPACT_GROUPS, sizeof *run.groups),
                              .examples = arena_array(c->arena, IMPACT_EXAMPLES, sizeof *run.examples) };
    const struct policy *changed = NULL;
    const struct policy_set *held;

    (void)in;
    if (run.groups == NULL || run.examples == NULL)
        return err_nomem(err);
    if (candidate(c, &changed, err) != 0 || policies_hold(c->app, c->db, &held, err) != 0)
        return -1;
    arena_init(&run.scratch, SCRATCH_MAX);
    int rc = try_all(&run, held, changed, err);
    arena_clear(&run.scratch);
    policies_release(c->app, held);
    if (rc != 0)
        return -1;
    result.elapsed_ms = time_monotonic_ms() - from;
    *(struct impact *)out = result;
    return 0;
}
