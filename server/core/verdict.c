/* verdict.c - may this image pass, this object be admitted, and every reason why
 * not.  Pure. */
#include "base/time.h"
#include "core/shape_view.h"
#include "core/tally.h"
#include "core/verdict_internal.h"
#include "wire/imageref.h"
#include "wire/msg/event.h"

#include <stdlib.h>
#include <string.h>

/* ---- one rule ------------------------------------------------------------------------ */

static void judge_one(struct judging *j, const struct validation *v, const struct cel_value *item)
{
    struct cel_value result = judge_ask(j, v->expression);

    if (result.kind == CEL_UNKNOWN)
        judge_unknown(j, v, v->expression, &result);
    else if (result.kind != CEL_BOOL)
        judge_error(j, v, v->expression, &result);
    else if (!result.boolean)
        judge_broken(j, v, item);
    else
        judge_result(j, POLICY_PASS);
}

static void judge_each(struct judging *j, const struct validation *v)
{
    struct cel_value list = judge_ask(j, v->each);

    if (list.kind == CEL_UNKNOWN) {
        judge_unknown(j, v, v->each, &list);
        return;
    }
    if (list.kind != CEL_LIST) {
        judge_error(j, v, v->each, &list);
        return;
    }
    judge_result(j, POLICY_PASS);
    for (uint32_t i = 0, n = cel_size(&list); i < n && !j->failed; i++) {
        struct cel_value item = cel_item(j->arena, &list, i);
        j->values[VAR_ITEM] = item;
        for (uint32_t k = VAR_FIXED_N; k < j->rules->n_vars; k++) {
            if ((j->rules->variable_uses[k - VAR_FIXED_N] & USES_ITEM) != 0)
                j->values[k] = (struct cel_value){ 0 };
        }
        judge_one(j, v, &item);
    }
    j->values[VAR_ITEM] = (struct cel_value){ 0 };
}

/* ---- does the policy apply ------------------------------------------------------------ */

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

/* ---- one policy ------------------------------------------------------------------------ */

static void judge_validation(struct judging *j, const struct validation *v)
{
    /* What was kept may depend on `item` or on another image. */
    for (uint32_t k = VAR_FIXED_N; k < j->rules->n_vars; k++) {
        if ((j->rules->variable_uses[k - VAR_FIXED_N] & (USES_ITEM | USES_IMAGE)) != 0)
            j->values[k] = (struct cel_value){ 0 };
    }
    if (v->each != NULL)
        judge_each(j, v);
    else
        judge_one(j, v, NULL);
}

static struct cel_value json_or_null(const struct json *v)
{
    return v != NULL ? cel_json(v) : cel_null();
}

static void bind_keep(struct judging *j)
{
    const struct policy_input *in = j->in;

    j->values[VAR_LIMITS] = facts_limits(&j->views[0]);
    j->values[VAR_PARAMS] = cel_json(j->policy->params);
    j->values[VAR_NOW] = facts_time(in->now_ms);
    j->values[VAR_OBJECT] = cel_json(in->object);
    j->values[VAR_OLD_OBJECT] = cel_json(in->old_object);
    j->values[VAR_REQUEST] = cel_json(in->request);
    j->values[VAR_NAMESPACE_OBJECT] = cel_json(in->namespace_object);
    j->values[VAR_EVENT] = j->event;
    j->values[VAR_NODE] = cel_json(in->node);
    j->values[VAR_CONTAINER] = cel_json(in->container);
    j->values[VAR_IMAGES] = facts_images(&j->all);
    j->values[VAR_POD] = j->pod;
    j->values[VAR_CONTAINERS] = j->containers;
}

/* What Kubernetes sets to null is null; a namespace that was not sent is missing,
 * unless the object has none. */
static void bind_foreign(struct judging *j)
{
    const struct policy_input *in = j->in;

    j->values[VAR_PARAMS] = json_or_null(j->policy->params);
    j->values[VAR_OBJECT] = json_or_null(in->object);
    j->values[VAR_OLD_OBJECT] = json_or_null(in->old_object);
    j->values[VAR_REQUEST] = cel_json(j->request);
    if (in->namespace_object != NULL || in->namespace_labels_known || j->target.namespace[0] == '\0')
        j->values[VAR_NAMESPACE_OBJECT] = json_or_null(in->namespace_object);
}

/* Any that is false: not asked.  One that cannot be told counts only when none is. */
static bool conditions_hold(struct judging *j)
{
    struct validation v = { .severity = SEVERITY_MEDIUM };
    const struct condition *doubtful = NULL;
    struct cel_value answer = { 0 };

    for (size_t i = 0; i < j->rules->n_conditions; i++) {
        struct cel_value result = judge_ask(j, j->rules->conditions[i].program);
        if (result.kind == CEL_BOOL && !result.boolean)
            return false;
        if (result.kind != CEL_BOOL && doubtful == NULL) {
            doubtful = &j->rules->conditions[i];
            answer = result;
        }
    }
    if (doubtful == NULL)
        return true;
    v.name = doubtful->name;
    if (answer.kind == CEL_UNKNOWN)
        judge_unknown(j, &v, doubtful->program, &answer);
    else
        judge_error(j, &v, doubtful->program, &answer);
    return false;
}

static void annotate(struct judging *j)
{
    if (j->rules->n_annotations > 0 && j->annotations == NULL &&
        (j->annotations = arena_array(j->arena, ANNOTATIONS_KEPT, sizeof *j->annotations)) == NULL)
        j->failed = true;
    for (size_t i = 0; i < j->rules->n_annotations && !j->failed; i++) {
        const struct annotation *a = &j->rules->annotations[i];
        struct cel_value value = judge_ask(j, a->program);
        if (value.kind != CEL_STRING || j->n_annotations == ANNOTATIONS_KEPT)
            continue;
        const char *text = arena_strndup(j->arena, value.s, value.n);
        j->failed |= text == NULL;
        if (text != NULL && *text != '\0')
            j->annotations[j->n_annotations++] = (struct verdict_annotation){ j->policy->info.name, a->key, text };
    }
}

/* Is this asked of what there is? */
static bool is_asked_of(const struct judging *j, const struct validation *v)
{
    const struct policy_input *in = j->in;

    if ((v->uses & USES_POD) != 0 && !j->bears_pod)
        return false;
    if ((v->uses & USES_CONTAINER) != 0 && in->container == NULL)
        return false;
    return in->stage != STAGE_RUN || ((v->uses & USES_EVENT) != 0) == (j->event.kind != CEL_ABSENT);
}

/* What speaks of `image` is asked of every image of the workload, the rest once. */
static void judge_rules(struct judging *j)
{
    size_t n_images = j->in->stage == STAGE_BUILD ? 1 : j->in->n_images;

    for (size_t i = 0; i < j->rules->n_validations && !j->failed; i++) {
        const struct validation *v = &j->rules->validations[i];
        if (!is_asked_of(j, v))
            continue;
        if ((v->uses & USES_IMAGE) == 0)
            judge_validation(j, v);
        for (j->at = 0; (v->uses & USES_IMAGE) != 0 && j->at < n_images && !j->failed; j->at++) {
            if (!matches_image(j->policy, j->views[j->at].facts))
                continue;
            j->values[VAR_IMAGE] = facts_image(&j->views[j->at]);
            judge_validation(j, v);
        }
        j->values[VAR_IMAGE] = (struct cel_value){ 0 };
        j->at = 0;
    }
}

static bool is_asked(enum match_answer answer, bool *doubtful)
{
    *doubtful |= answer == MATCH_UNKNOWN;
    return answer != MATCH_NO;
}

/* The mode of the strictest binding that matches; false: none does. */
static bool bound_mode(struct judging *j, const struct match_input *in, bool *doubtful)
{
    const struct policy *p = j->policy;
    bool found = p->info.kind != POLICY_VAP;

    j->mode = found ? p->info.mode : MODE_AUDIT;
    for (size_t i = 0; i < p->n_bindings; i++) {
        if (!is_asked(match_decide(p->bindings[i].match, in), doubtful))
            continue;
        found = true;
        j->mode = p->bindings[i].mode > j->mode ? p->bindings[i].mode : j->mode;
    }
    return found;
}

static void judge_set(struct judging *j, const struct rule_set *set)
{
    const struct match_input in = { &j->target, j->in->object, j->in->old_object, j->in->namespace_object, j->in->namespace_labels_known };
    bool doubtful = false;

    if (!is_asked(match_decide(set->match, &in), &doubtful) || !bound_mode(j, &in, &doubtful))
        return;
    j->rules = set;
    j->values = arena_array(j->arena, set->n_vars, sizeof *j->values);
    if (j->values == NULL) {
        j->failed = true;
        return;
    }
    if (doubtful)
        judge_missing(j, "the labels of the namespace");
    if (j->policy->info.kind == POLICY_KEEP)
        bind_keep(j);
    else
        bind_foreign(j);
    if (!conditions_hold(j))
        return;
    if (j->policy->info.kind != POLICY_KEEP)
        judge_result(j, POLICY_PASS);
    judge_rules(j);
    annotate(j);
}

static enum policy_result judge_policy(struct judging *j, const struct policy *p)
{
    j->policy = p;
    j->result = POLICY_SKIP;
    for (size_t i = 0; i < p->n_sets && applies(p, j->in) && !j->failed; i++)
        judge_set(j, &p->sets[i]);
    return j->result;
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
    if (order == 0)
        order = strcmp(x->message, y->message);
    return order != 0 || x->where == NULL || y->where == NULL ? order : strcmp(x->where, y->where);
}

static void sort_reasons(struct reason_list *l)
{
    if (l->n > 0)
        qsort(l->items, l->n, sizeof *l->items, by_weight);
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

/* The pod of the object, and its containers as one list. */
static int open_pod(struct judging *j, struct err *err)
{
    struct container_walk walk = { 0 };
    size_t n = 0;

    j->bears_pod = workload_read(j->in->object, &j->workload);
    if (!j->bears_pod || j->workload.spec == NULL) {
        j->pod = j->containers = cel_missing(j->arena, "the pod's specification");
        return 0;
    }
    while (container_next(j->workload.spec, &walk))
        n++;
    struct cel_value *list = arena_array(j->arena, n, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    walk = (struct container_walk){ 0 };
    for (size_t i = 0; i < n && container_next(j->workload.spec, &walk); i++)
        list[i] = cel_json(walk.container);
    j->pod = cel_json(j->workload.pod);
    j->containers = cel_list(list, n);
    return 0;
}

static int open_request(struct judging *j, struct err *err)
{
    const struct policy_input *in = j->in;

    if (in->stage != STAGE_DEPLOY)
        return 0;
    const struct json *object = json_is(in->object, JSON_OBJECT) ? in->object : in->old_object;
    if (in->target != NULL)
        j->target = *in->target;
    else if (in->request != NULL)
        policy_request_read(in->request, &j->target);
    else if (policy_request_of(object, "CREATE", j->arena, &j->target, err) != 0)
        return -1;
    if (in->target == NULL && in->request == NULL && in->namespace != NULL && j->target.namespace[0] != '\0')
        j->target.namespace = in->namespace;
    j->request = in->request != NULL ? in->request : policy_request_json(&j->target, j->arena);
    return j->request == NULL ? err_nomem(err) : open_pod(j, err);
}

static int open_judging(struct judging *j, struct err *err)
{
    j->event = j->in->happened != NULL ? shape_view(&event_shape, j->in->happened, j->arena) : cel_json(j->in->event);
    if (j->event.kind == CEL_ERROR)
        return err_nomem(err);
    return open_views(j, err) != 0 ? -1 : open_request(j, err);
}

int policy_explain(const struct policy_set *set, const struct policy_input *in, struct arena *arena,
                   struct policy_explanation *out, struct err *err)
{
    struct judging j = { .set = set, .in = in, .arena = arena };
    enum policy_result *results = arena_array(arena, set->n, sizeof *results);

    j.explained = arena_array(arena, POLICY_EXPLAINED_MAX, sizeof *j.explained);
    if (j.explained == NULL || results == NULL)
        return err_nomem(err);
    if (open_judging(&j, err) != 0)
        return -1;
    for (size_t i = 0; i < set->n && !j.failed; i++)
        results[i] = judge_policy(&j, set->items[i]);
    if (j.failed)
        return err_nomem(err);
    *out = (struct policy_explanation){ .items = j.explained, .n = j.n_explained, .is_truncated = j.explained_truncated,
                                        .results = results };
    return 0;
}

int verdict_decide(const struct policy_set *set, const struct policy_input *in, struct arena *arena,
                   struct verdict *out, struct err *err)
{
    struct judging j = { .set = set, .in = in, .arena = arena };

    if (open_judging(&j, err) != 0)
        return -1;
    for (size_t i = 0; i < set->n && !j.failed; i++)
        judge_policy(&j, set->items[i]);
    const char **missing = arena_array(arena, j.n_missing, sizeof *missing);
    if (j.failed || missing == NULL)
        return err_nomem(err);
    if (j.n_missing > 0)
        memcpy(missing, j.missing, j.n_missing * sizeof *missing);
    sort_reasons(&j.reasons);
    sort_reasons(&j.audited);
    const struct image *image = in->facts != NULL ? &in->facts->image : NULL;
    *out = (struct verdict){
        .image = image != NULL ? image->digest : NULL, .decision = overall(j.reasons.items, j.reasons.n), .decided_ms = in->now_ms,
        .freshness = image != NULL ? (int)freshness_decide(image, &set->limits, in->now_ms) : FRESHNESS_UNKNOWN,
        .policy_version = set->version, .reasons = j.reasons.items, .n_reasons = j.reasons.n, .missing = missing,
        .audited = j.audited.items, .n_audited = j.audited.n, .annotations = j.annotations, .n_annotations = j.n_annotations,
        .n_missing = j.n_missing, .is_unsigned = image != NULL && image->has_scan && !image->is_signed,
        .excepted = j.excepted, .valid_until_ms = valid_until(&j),
    };
    return 0;
}
