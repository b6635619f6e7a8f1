/* verdict.c - may this image pass, and every reason why not.  Pure. */
#include "base/time.h"
#include "core/policy_internal.h"
#include "core/tally.h"
#include "wire/imageref.h"

#include <stdlib.h>
#include <string.h>

enum { MISSING_MAX = 16, REASONS_MAX = 2000 };

struct judging {
    const struct policy_set *set;
    const struct policy_input *in;
    const struct policy *policy;               /* the one being asked */
    struct facts_view *views;                  /* of the images judged: one at build, all at deploy */
    struct facts_images all;
    size_t at;                                 /* the image in turn */
    struct cel_value *values;                  /* of policy->n_vars variables */
    struct arena *arena;
    struct reason *reasons; size_t n_reasons, cap_reasons;
    size_t n_of[DECISION_N];                   /* reasons by effect */
    const char *missing[MISSING_MAX]; size_t n_missing;
    int64_t excepted;
    bool failed;                               /* the arena is full */
};

static void add_missing(struct judging *j, const char *name)
{
    for (size_t i = 0; i < j->n_missing; i++) {
        if (str_eq(j->missing[i], name))
            return;
    }
    if (j->n_missing < MISSING_MAX)
        j->missing[j->n_missing++] = name;
}

/* Each effect has its own bound: thousands of warnings must not crowd out a refusal. */
static struct reason *add_reason(struct judging *j, int effect)
{
    if (j->failed || j->n_of[effect] == REASONS_MAX)
        return NULL;
    j->n_of[effect]++;
    if (j->n_reasons == j->cap_reasons) {
        size_t cap = j->cap_reasons == 0 ? 16 : j->cap_reasons * 2;
        struct reason *more = arena_array(j->arena, cap, sizeof *more);
        if (more == NULL) {
            j->failed = true;
            return NULL;
        }
        if (j->n_reasons > 0)
            memcpy(more, j->reasons, j->n_reasons * sizeof *more);
        j->reasons = more;
        j->cap_reasons = cap;
    }
    return memset(&j->reasons[j->n_reasons++], 0, sizeof(struct reason));
}

/* ---- asking ------------------------------------------------------------------------- */

/* Variables of the policy are evaluated when first asked for, then kept. */
static struct cel_value lookup(struct cel_run *run, void *data, uint32_t var)
{
    struct judging *j = data;

    if (var < VAR_FIXED_N || var - VAR_FIXED_N >= j->policy->n_variables)
        return cel_missing(cel_arena(run), "a value that this stage does not have");
    struct cel_activation act = { .values = j->values, .lookup = lookup, .data = j };
    struct cel_value v = cel_eval_within(run, j->policy->variables[var - VAR_FIXED_N], &act);
    j->values[var] = v;
    return v;
}

static struct cel_value ask(struct judging *j, const struct cel_program *program)
{
    struct cel_activation act = { .values = j->values, .lookup = lookup, .data = j };
    struct cel_value v;
    struct err err = { 0 };

    if (cel_eval(program, &act, j->arena, CEL_BUDGET, &v, &err) == 0)
        return v;
    if (err.kind == ERR_UNAVAILABLE)
        j->failed = true;
    const char *text = arena_strdup(j->arena, err.msg);
    return (struct cel_value){ .kind = CEL_ERROR, .s = text != NULL ? text : "out of memory" };
}

static const char *render(struct judging *j, const struct cel_program *program, const struct cel_value *v)
{
    struct buf b;

    buf_init(&b, 4096);
    cel_reason(program, v, &b);
    const char *text = b.failed || b.ptr == NULL ? "?" : arena_strndup(j->arena, b.ptr, b.len);
    buf_free(&b);
    return text != NULL ? text : "?";
}

static const char *message_of(struct judging *j, const struct validation *v)
{
    if (v->message_expression != NULL) {
        struct cel_value text = ask(j, v->message_expression);
        const char *copy = text.kind == CEL_STRING ? arena_strndup(j->arena, text.s, text.n) : NULL;
        if (copy != NULL && *copy != '\0' && str_is_utf8(copy, text.n))
            return copy;
    }
    if (v->message != NULL)
        return v->message;
    const char *text = arena_printf(j->arena, "not true: %s", cel_program_text(v->expression));
    return text != NULL ? text : "?";
}

/* ---- reasons ------------------------------------------------------------------------- */

static bool is_excepted(struct judging *j, const struct validation *v)
{
    const struct policy_input *in = j->in;

    const struct image_facts *facts = v->uses_image ? j->views[j->at].facts : NULL;
    if (exception_for_rule(in->exceptions, in->n_exceptions, facts != NULL ? facts : in->facts, j->policy->info.name, v->name,
                           in->namespace, in->now_ms) == NULL)
        return false;
    j->excepted++;
    return true;
}

static struct reason *reason_for(struct judging *j, const struct validation *v, int effect, const char *message)
{
    struct reason *r = add_reason(j, effect);

    if (r == NULL)
        return NULL;
    *r = (struct reason){ .policy = j->policy->info.name, .rule = v->name, .severity = v->severity, .effect = effect,
                          .message = message, .since_ms = TIME_UNKNOWN, .remediation = v->remediation };
    if (j->in->stage == STAGE_DEPLOY && v->uses_image && j->in->n_images > 0) {
        const struct policy_image *image = &j->in->images[j->at];
        r->where = arena_printf(j->arena, "container %s (%s)", image->container, image->reference);
    }
    return r;
}

static void about_item(struct judging *j, struct reason *r, const struct cel_value *item)
{
    const struct image_finding *f = facts_item_finding(item);
    const struct image_issue *u = facts_item_issue(item);

    if (f != NULL) {
        struct reason_finding *about = arena_alloc(j->arena, sizeof *about);
        if (about != NULL)
            *about = (struct reason_finding){ f->vulnerability, f->package, f->version, f->fixed_version };
        r->finding = about;
        r->severity = r->severity != SEVERITY_UNKNOWN ? r->severity : f->severity;
        r->since_ms = f->since_ms;
    } else if (u != NULL) {
        if (u->file != NULL)
            r->where = u->start_line > 0 ? arena_printf(j->arena, "%s:%lld", u->file, (long long)u->start_line) : u->file;
        r->severity = r->severity != SEVERITY_UNKNOWN ? r->severity : u->severity;
        r->since_ms = u->since_ms;
    }
}

static int broken_effect(int mode)
{
    return mode == MODE_ENFORCE ? DECISION_FAIL : DECISION_WARN;
}

static void on_unknown(struct judging *j, const struct validation *v, const struct cel_value *value)
{
    int unknown = j->policy->info.unknown;

    for (uint32_t i = 0; i < value->missing->n; i++)
        add_missing(j, value->missing->names[i]);
    if (unknown == UNKNOWN_ALLOW || j->policy->info.mode == MODE_AUDIT || is_excepted(j, v))
        return;
    bool denies = unknown == UNKNOWN_DENY && j->policy->info.mode == MODE_ENFORCE;
    const char *what = value->missing->n > 0 ? value->missing->names[0] : "a fact";
    reason_for(j, v, denies ? DECISION_UNKNOWN : DECISION_WARN, arena_printf(j->arena, "cannot be judged: %s is missing", what));
}

static void on_error(struct judging *j, const struct validation *v, const struct cel_program *program, const struct cel_value *value)
{
    if (j->policy->info.mode == MODE_AUDIT || is_excepted(j, v))
        return;
    int effect = j->policy->info.mode == MODE_ENFORCE ? DECISION_UNKNOWN : DECISION_WARN;
    reason_for(j, v, effect, arena_printf(j->arena, "the rule cannot be evaluated: %s", render(j, program, value)));
}

static void judge_one(struct judging *j, const struct validation *v, const struct cel_value *item)
{
    struct cel_value result = ask(j, v->expression);

    if (result.kind == CEL_UNKNOWN) {
        on_unknown(j, v, &result);
    } else if (result.kind != CEL_BOOL) {
        on_error(j, v, v->expression, &result);
    } else if (!result.boolean && j->policy->info.mode != MODE_AUDIT && !is_excepted(j, v)) {
        struct reason *r = reason_for(j, v, broken_effect(j->policy->info.mode), message_of(j, v));
        if (r != NULL && item != NULL)
            about_item(j, r, item);
    }
}

static void judge_each(struct judging *j, const struct validation *v)
{
    struct cel_value list = ask(j, v->each);

    if (list.kind == CEL_UNKNOWN) {
        on_unknown(j, v, &list);
        return;
    }
    if (list.kind != CEL_LIST) {
        on_error(j, v, v->each, &list);
        return;
    }
    for (uint32_t i = 0, n = cel_size(&list); i < n && !j->failed; i++) {
        struct cel_value item = cel_item(j->arena, &list, i);
        j->values[VAR_ITEM] = item;
        judge_one(j, v, &item);
    }
    j->values[VAR_ITEM] = (struct cel_value){ 0 };
}

static bool is_in(const char *const *list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (text != NULL && str_match(list[i], text))
            return true;
    }
    return n == 0;
}

static bool has_labels(const struct json *wanted, const struct json *labels)
{
    for (uint32_t i = 0; i < json_n_members(wanted); i++) {
        if (!str_eq(json_get_str(labels, wanted->members[i].key, NULL), json_str(&wanted->members[i].value, "")))
            return false;
    }
    return true;
}

static bool matches_image(const struct policy *p, const struct image_facts *facts)
{
    bool found = p->n_repositories == 0;

    if (facts == NULL)
        return true;
    for (size_t i = 0; i < p->n_repositories && !found; i++)
        found = imageref_name_match(p->repositories[i], facts->image.repository);
    if (!found)
        return false;
    found = p->n_teams == 0;
    for (size_t i = 0; i < p->n_teams && !found; i++)
        found = str_eq(p->teams[i], facts->image.team);
    return found;
}

static bool applies(const struct policy *p, const struct policy_input *in)
{
    if ((p->info.stages & (unsigned)in->stage) == 0)
        return false;
    if (in->stage == STAGE_BUILD)
        return matches_image(p, in->facts);
    return is_in(p->clusters, p->n_clusters, in->cluster) && is_in(p->namespaces, p->n_namespaces, in->namespace) &&
           has_labels(p->labels, in->labels);
}

static void judge_validation(struct judging *j, const struct validation *v)
{
    /* What was kept may depend on `item` or on another image. */
    for (uint32_t k = VAR_FIXED_N; k < j->policy->n_vars; k++)
        j->values[k] = (struct cel_value){ 0 };
    if (v->each != NULL)
        judge_each(j, v);
    else
        judge_one(j, v, NULL);
}

/* What speaks of `image` is asked of every image of the workload, the rest once. */
static void judge_policy(struct judging *j, const struct policy *p)
{
    size_t n_images = j->in->stage == STAGE_BUILD ? 1 : j->in->n_images;

    j->policy = p;
    j->values = arena_array(j->arena, p->n_vars, sizeof *j->values);
    if (j->values == NULL) {
        j->failed = true;
        return;
    }
    j->values[VAR_LIMITS] = facts_limits(&j->views[0]);
    j->values[VAR_PARAMS] = cel_json(p->params);
    j->values[VAR_NOW] = facts_time(j->in->now_ms);
    j->values[VAR_OBJECT] = cel_json(j->in->object);
    j->values[VAR_OLD_OBJECT] = cel_json(j->in->old_object);
    j->values[VAR_REQUEST] = cel_json(j->in->request);
    j->values[VAR_NAMESPACE_OBJECT] = cel_json(j->in->namespace_object);
    j->values[VAR_EVENT] = cel_json(j->in->event);
    j->values[VAR_NODE] = cel_json(j->in->node);
    j->values[VAR_IMAGES] = facts_images(&j->all);
    for (size_t i = 0; i < p->n_validations && !j->failed; i++) {
        const struct validation *v = &p->validations[i];
        if (!v->uses_image)
            judge_validation(j, v);
        for (j->at = 0; v->uses_image && j->at < n_images && !j->failed; j->at++) {
            if (!matches_image(p, j->views[j->at].facts))
                continue;
            j->values[VAR_IMAGE] = facts_image(&j->views[j->at]);
            judge_validation(j, v);
        }
        j->values[VAR_IMAGE] = (struct cel_value){ 0 };
        j->at = 0;
    }
}

/* ---- the verdict -------------------------------------------------------------------------- */

/* Worst first: what decides, then how serious, then by name, so that the same
 * facts always give the same text. */
static int by_weight(const void *a, const void *b)
{
    const struct reason *x = a, *y = b;
    static const int weight[DECISION_N] = { [DECISION_FAIL] = 0, [DECISION_UNKNOWN] = 1, [DECISION_WARN] = 2, [DECISION_PASS] = 3 };

    if (weight[x->effect] != weight[y->effect])
        return weight[x->effect] - weight[y->effect];
    if (x->severity != y->severity)
        return y->severity - x->severity;
    int order = strcmp(x->policy, y->policy);
    if (order == 0)
        order = strcmp(x->rule, y->rule);
    if (order == 0 && x->finding != NULL && y->finding != NULL)
        order = strcmp(x->finding->vulnerability, y->finding->vulnerability);
    return order != 0 ? order : strcmp(x->message, y->message);
}

static int overall(const struct reason *reasons, size_t n)
{
    return n == 0 ? DECISION_PASS : reasons[0].effect;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t valid_until(const struct judging *j)
{
    const struct policy_input *in = j->in;
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < j->all.n; i++) {
        const struct image_facts *facts = j->views[i].facts;
        if (facts == NULL)
            continue;
        next = earlier(next, freshness_next_change(&facts->image, &j->set->limits, in->now_ms));
        next = earlier(next, exceptions_next_end(in->exceptions, in->n_exceptions, facts, in->now_ms));
    }
    return next == INT64_MAX ? TIME_UNKNOWN : next;
}

static int open_views(struct judging *j, struct err *err)
{
    const struct policy_input *in = j->in;
    bool build = in->stage == STAGE_BUILD;
    size_t n = build ? 1 : in->n_images;

    j->views = arena_array(j->arena, n + 1, sizeof *j->views);
    if (j->views == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n + 1; i++) {
        struct image_facts *facts = build ? in->facts : i < n ? in->images[i].facts : NULL;
        if (facts != NULL)
            facts_tally(facts, in->exceptions, in->n_exceptions, in->namespace, in->now_ms);
        if (facts_view_init(&j->views[i], facts, &j->set->limits, in->now_ms, j->arena, err) != 0)
            return -1;
        j->excepted += facts != NULL && i < n ? facts->image.counts.excepted : 0;
    }
    j->all = (struct facts_images){ .views = j->views, .n = n };
    return 0;
}

int verdict_decide(const struct policy_set *set, const struct policy_input *in, struct arena *arena,
                   struct verdict *out, struct err *err)
{
    struct judging j = { .set = set, .in = in, .arena = arena };

    if (open_views(&j, err) != 0)
        return -1;
    for (size_t i = 0; i < set->n && !j.failed; i++) {
        if (applies(set->items[i], in))
            judge_policy(&j, set->items[i]);
    }
    const char **missing = arena_array(arena, j.n_missing, sizeof *missing);
    if (j.failed || missing == NULL)
        return err_nomem(err);
    if (j.n_missing > 0)
        memcpy(missing, j.missing, j.n_missing * sizeof *missing);
    if (j.n_reasons > 0)
        qsort(j.reasons, j.n_reasons, sizeof *j.reasons, by_weight);
    const struct image *image = in->facts != NULL ? &in->facts->image : NULL;
    *out = (struct verdict){
        .image = image != NULL ? image->digest : NULL, .decision = overall(j.reasons, j.n_reasons), .decided_ms = in->now_ms,
        .freshness = image != NULL ? (int)freshness_decide(image, &set->limits, in->now_ms) : FRESHNESS_UNKNOWN,
        .policy_version = set->version, .reasons = j.reasons, .n_reasons = j.n_reasons, .missing = missing,
        .n_missing = j.n_missing, .is_unsigned = image != NULL && image->has_scan && !image->is_signed,
        .excepted = j.excepted, .valid_until_ms = valid_until(&j),
    };
    return 0;
}
