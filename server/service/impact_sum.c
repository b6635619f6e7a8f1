/* impact_sum.c - counting what would change, by whom it concerns, with examples. */
#include "service/impact.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

int impact_worse(int a, int b)
{
    static const int weight[DECISION_N] = { [DECISION_FAIL] = 0, [DECISION_UNKNOWN] = 1, [DECISION_WARN] = 2, [DECISION_PASS] = 3 };

    return weight[a] <= weight[b] ? a : b;
}

bool impact_same_reasons(const struct reason *a, size_t n_a, const struct reason *b, size_t n_b)
{
    for (size_t i = 0; n_a == n_b && i < n_a; i++) {
        if (a[i].effect != b[i].effect || a[i].severity != b[i].severity || !str_eq(a[i].rule, b[i].rule) ||
            !str_eq(a[i].message, b[i].message) || !str_eq(a[i].where, b[i].where))
            return false;
    }
    return n_a == n_b;
}

bool impact_time_is_up(struct impact_run *run)
{
    if (run->out->is_complete && time_monotonic_ms() > run->deadline_ms)
        run->out->is_complete = false;
    return !run->out->is_complete;
}

static const char *keep(struct impact_run *run, const char *text)
{
    const char *copy = text != NULL ? arena_strdup(run->call->arena, text) : NULL;

    run->failed |= text != NULL && copy == NULL;
    return copy;
}

static bool is_group(const struct impact_group *g, const struct impact_item *item)
{
    return str_eq(g->team, item->team) && str_eq(g->repository, item->repository) && str_eq(g->cluster, item->cluster) &&
           str_eq(g->namespace, item->namespace);
}

static struct impact_group *group_of(struct impact_run *run, const struct impact_item *item)
{
    struct impact *out = run->out;

    for (size_t i = 0; i < out->n_groups; i++) {
        if (is_group(&run->groups[i], item))
            return &run->groups[i];
    }
    if (out->n_groups == IMPACT_GROUPS) {
        out->groups_left_out++;
        return NULL;
    }
    struct impact_group *g = &run->groups[out->n_groups++];
    *g = (struct impact_group){ keep(run, item->team), keep(run, item->repository), keep(run, item->cluster), keep(run, item->namespace), 0, 0 };
    return g;
}

static void add_example(struct impact_run *run, const struct impact_item *item)
{
    struct impact *out = run->out;
    size_t n = item->n_reasons < IMPACT_REASONS ? item->n_reasons : IMPACT_REASONS;
    struct reason *reasons = arena_array(run->call->arena, n, sizeof *reasons);

    if (out->n_examples == IMPACT_EXAMPLES)
        return;
    if (reasons == NULL) {
        run->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        reasons[i] = item->reasons[i];
        reasons[i].policy = keep(run, reasons[i].policy);
        reasons[i].rule = keep(run, reasons[i].rule);
        reasons[i].message = keep(run, reasons[i].message);
        reasons[i].where = keep(run, reasons[i].where);
        reasons[i].remediation = keep(run, reasons[i].remediation);
        reasons[i].finding = NULL;                           /* its text says it */
    }
    run->examples[out->n_examples++] = (struct impact_example){ .name = keep(run, item->name), .digest = keep(run, item->digest),
        .team = keep(run, item->team), .at_ms = item->at_ms, .before = item->before, .after = item->after, .reasons = reasons, .n_reasons = n };
}

static bool is_refused(int decision)
{
    return decision == DECISION_FAIL || decision == DECISION_UNKNOWN;
}

void impact_add(struct impact_run *run, struct impact_counts *counts, const struct impact_item *item)
{
    bool was = is_refused(item->before), is = is_refused(item->after);

    counts->examined++;
    if (item->before == item->after) {
        counts->unchanged += item->same_reasons;
        counts->reasons_changed += !item->same_reasons;
        return;
    }
    if (was != is) {
        struct impact_group *g = group_of(run, item);
        counts->newly_failing += is;
        counts->newly_passing += was;
        if (g != NULL) {
            g->newly_failing += is;
            g->newly_passing += was;
        }
    } else {
        counts->reasons_changed += was;                      /* fail or unknown: refused both times */
        counts->newly_warned += !was && item->after == DECISION_WARN;
        counts->no_longer_warned += !was && item->before == DECISION_WARN;
    }
    add_example(run, item);
}

static int by_failures(const void *a, const void *b)
{
    const struct impact_group *x = a, *y = b;
    int64_t more = y->newly_failing - x->newly_failing, less = y->newly_passing - x->newly_passing;

    return more != 0 ? (more > 0 ? 1 : -1) : less != 0 ? (less > 0 ? 1 : -1) : 0;
}

void impact_finish(struct impact_run *run)
{
    if (run->out->n_groups > 1)
        qsort(run->groups, run->out->n_groups, sizeof *run->groups, by_failures);
    run->out->groups = run->groups;
    run->out->examples = run->examples;
}
