/* verdict_reason.c - asking a rule, and writing down why the answer is not true. */
#include "core/verdict_internal.h"
#include "base/time.h"
#include "core/tally.h"

#include <string.h>

void judge_missing(struct judging *j, const char *name)
{
    for (size_t i = 0; i < j->n_missing; i++) {
        if (str_eq(j->missing[i], name))
            return;
    }
    if (j->n_missing < MISSING_MAX)
        j->missing[j->n_missing++] = name;
}

void judge_result(struct judging *j, enum policy_result result)
{
    static const int weight[POLICY_RESULT_N] = { [POLICY_SKIP] = 0, [POLICY_PASS] = 1, [POLICY_UNKNOWN_FACT] = 2, [POLICY_ERROR] = 3,
                                                 [POLICY_FAIL] = 4 };

    if (weight[result] > weight[j->result])
        j->result = result;
}

/* Each effect has its own bound: thousands of warnings must not crowd out a refusal. */
static struct reason *add_reason(struct judging *j, int effect)
{
    struct reason_list *l = j->mode == MODE_AUDIT ? &j->audited : &j->reasons;

    if (j->failed || l->n_of[effect] == REASONS_MAX)
        return NULL;
    l->n_of[effect]++;
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 16 : l->cap * 2;
        struct reason *more = arena_array(j->arena, cap, sizeof *more);
        if (more == NULL) {
            j->failed = true;
            return NULL;
        }
        if (l->n > 0)
            memcpy(more, l->items, l->n * sizeof *more);
        l->items = more;
        l->cap = cap;
    }
    return memset(&l->items[l->n++], 0, sizeof(struct reason));
}

/* ---- asking ------------------------------------------------------------------------- */

/* Variables of the policy are evaluated when first asked for, then kept. */
static struct cel_value lookup(struct cel_run *run, void *data, uint32_t var)
{
    struct judging *j = data;

    if (var < VAR_FIXED_N || var - VAR_FIXED_N >= j->rules->n_variables)
        return cel_missing(cel_arena(run), var == VAR_NAMESPACE_OBJECT ? "the namespace" : "a value that this stage does not have");
    struct cel_activation act = { .values = j->values, .lookup = lookup, .data = j };
    struct cel_value v = cel_eval_within(run, j->rules->variables[var - VAR_FIXED_N], &act);
    j->values[var] = v;
    return v;
}

struct cel_value judge_ask(struct judging *j, const struct cel_program *program)
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

static const char *text_of(struct judging *j, struct buf *b)
{
    const char *text = b->failed || b->ptr == NULL ? "?" : arena_strndup(j->arena, b->ptr, b->len);

    buf_free(b);
    return text != NULL ? text : "?";
}

const char *judge_render(struct judging *j, const struct cel_program *program, const struct cel_value *v)
{
    struct buf b;

    buf_init(&b, 4096);
    cel_reason(program, v, &b);
    return text_of(j, &b);
}

static const char *message_of(struct judging *j, const struct validation *v)
{
    if (v->message_expression != NULL) {
        struct cel_value text = judge_ask(j, v->message_expression);
        const char *copy = text.kind == CEL_STRING ? arena_strndup(j->arena, text.s, text.n) : NULL;
        if (copy != NULL && *copy != '\0' && str_is_utf8(copy, text.n))
            return copy;
    }
    if (v->message != NULL)
        return v->message;
    const char *text = arena_printf(j->arena, "not true: %s", cel_program_text(v->expression));
    return text != NULL ? text : "?";
}

/* ---- where ------------------------------------------------------------------------------ */

enum { PATH_DEPTH = 64, PATH_VISITS = 300000 };

/* The way from the root to a value, as one step per level. */
struct trail {
    struct { const struct json *in; uint32_t i; } steps[PATH_DEPTH];
    unsigned n;
};

/* The object may be large and the reasons many: all searches of a decision together are bounded. */
static bool find_value(struct judging *j, const struct json *root, const struct json *needle, struct trail *t)
{
    uint32_t n = root->type == JSON_ARRAY || root->type == JSON_OBJECT ? root->n : 0;

    if (root == needle)
        return true;
    if (t->n == PATH_DEPTH)
        return false;
    for (uint32_t i = 0; i < n && j->path_visits < PATH_VISITS; i++) {
        const struct json *child = root->type == JSON_ARRAY ? &root->items[i] : &root->members[i].value;
        j->path_visits++;
        t->steps[t->n].in = root;
        t->steps[t->n++].i = i;
        if (find_value(j, child, needle, t))
            return true;
        t->n--;
    }
    return false;
}

static void print_trail(const struct trail *t, struct buf *b)
{
    buf_puts(b, "$");
    for (unsigned k = 0; k < t->n; k++) {
        const struct json *in = t->steps[k].in;
        if (in->type == JSON_ARRAY)
            buf_printf(b, "[%u]", t->steps[k].i);
        else
            buf_printf(b, ".%.200s", in->members[t->steps[k].i].key);
    }
}

/* "$.spec.containers[0] (app)" for an item that is part of the object. */
static const char *path_of(struct judging *j, const struct cel_value *item)
{
    bool is_json = (item->kind == CEL_MAP || item->kind == CEL_LIST) && item->form == CEL_JSON;
    struct trail trail = { .n = 0 };
    struct buf b;

    if (!is_json || j->in->object == NULL || !find_value(j, j->in->object, item->json, &trail))
        return NULL;
    buf_init(&b, 16384);
    print_trail(&trail, &b);
    const char *name = json_get_str(item->json, "name", NULL);
    if (name != NULL)
        buf_printf(&b, " (%.200s)", name);
    return text_of(j, &b);
}

static const char *image_where(struct judging *j, const struct validation *v)
{
    if (j->in->stage != STAGE_DEPLOY || (v->uses & USES_IMAGE) == 0 || j->in->n_images == 0)
        return NULL;
    const struct policy_image *image = &j->in->images[j->at];
    return arena_printf(j->arena, "container %s (%s)", image->container, image->reference);
}

/* ---- reasons ------------------------------------------------------------------------- */

static bool is_excepted(struct judging *j, const struct validation *v)
{
    const struct policy_input *in = j->in;
    const struct image_facts *facts = (v->uses & USES_IMAGE) != 0 ? j->views[j->at].facts : NULL;

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
                          .message = message, .since_ms = TIME_UNKNOWN, .remediation = v->remediation, .where = image_where(j, v) };
    return r;
}

static void about_item(struct judging *j, struct reason *r, const struct cel_value *item)
{
    const struct image_finding *f = facts_item_finding(item);
    const struct image_issue *u = facts_item_issue(item);
    const char *path = policy_violation_path(item);

    if (path == NULL)
        path = path_of(j, item);
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
    } else if (path != NULL) {
        r->where = path;
    }
}

static int broken_effect(int mode)
{
    return mode == MODE_ENFORCE ? DECISION_FAIL : DECISION_WARN;
}

/* ---- explaining -------------------------------------------------------------------------- */

static void print_tree(struct judging *j, const struct cel_program *program, struct buf *b)
{
    struct cel_activation act = { .values = j->values, .lookup = lookup, .data = j };
    struct cel_explanation tree;
    struct err err = { 0 };

    if (cel_explain(program, &act, j->arena, CEL_BUDGET, &tree, &err) == 0)
        cel_explanation_print(program, &tree, b);
    else if (err.kind == ERR_UNAVAILABLE)
        j->failed = true;
    else
        buf_printf(b, "%s\n", err.msg);
}

/* The variables an answer rests on follow it, the last first: each explains those above it. */
static void explain(struct judging *j, const struct validation *v, const struct cel_program *program, const char *about,
                    enum policy_result result)
{
    bool wanted[POLICY_VARIABLES_MAX] = { false };
    const struct rule_set *set = j->rules;
    struct buf b;

    if (j->explained == NULL || j->failed)
        return;
    if (j->n_explained == POLICY_EXPLAINED_MAX) {
        j->explained_truncated = true;
        return;
    }
    buf_init(&b, 256 << 10);
    print_tree(j, program, &b);
    for (uint32_t i = 0; i < set->n_variables; i++)
        wanted[i] = cel_program_uses(program, VAR_FIXED_N + i);
    for (uint32_t i = (uint32_t)set->n_variables; i-- > 0;) {
        if (!wanted[i])
            continue;
        buf_printf(&b, "%s:\n", set->variable_names[i]);
        print_tree(j, set->variables[i], &b);
        for (uint32_t k = 0; k < i; k++)
            wanted[k] |= cel_program_uses(set->variables[i], VAR_FIXED_N + k);
    }
    j->explained[j->n_explained++] = (struct policy_explained){ .policy = j->policy->info.name, .rule = v->name, .about = about,
                                                                .result = result, .text = text_of(j, &b) };
}

static const char *about_what(struct judging *j, const struct validation *v, const struct cel_value *item)
{
    const char *about = image_where(j, v);

    if (item == NULL)
        return about;
    const struct image_finding *f = facts_item_finding(item);
    const char *path = policy_violation_path(item);
    if (f != NULL)
        return arena_printf(j->arena, "%s in %s", f->vulnerability, f->package);
    return path != NULL ? path : (path = path_of(j, item)) != NULL ? path : about;
}

/* ---- the three answers that are not true ----------------------------------------------------- */

static bool is_foreign(const struct policy *p)
{
    return p->info.kind != POLICY_KEEP;
}

void judge_broken(struct judging *j, const struct validation *v, const struct cel_value *item)
{
    judge_result(j, POLICY_FAIL);
    explain(j, v, v->expression, j->explained != NULL ? about_what(j, v, item) : NULL, POLICY_FAIL);
    if (is_excepted(j, v))
        return;
    struct reason *r = reason_for(j, v, broken_effect(j->mode), message_of(j, v));
    if (r != NULL && item != NULL)
        about_item(j, r, item);
}

void judge_unknown(struct judging *j, const struct validation *v, const struct cel_program *program, const struct cel_value *value)
{
    int unknown = j->policy->info.unknown;

    judge_result(j, POLICY_UNKNOWN_FACT);
    explain(j, v, program, image_where(j, v), POLICY_UNKNOWN_FACT);
    for (uint32_t i = 0; i < value->missing->n; i++)
        judge_missing(j, value->missing->names[i]);
    if (unknown == UNKNOWN_ALLOW || j->policy->fail_open || is_excepted(j, v))
        return;
    bool denies = unknown == UNKNOWN_DENY && j->mode == MODE_ENFORCE;
    const char *what = value->missing->n > 0 ? value->missing->names[0] : "a fact";
    reason_for(j, v, denies ? DECISION_UNKNOWN : DECISION_WARN, arena_printf(j->arena, "cannot be judged: %s is missing", what));
}

void judge_error(struct judging *j, const struct validation *v, const struct cel_program *program, const struct cel_value *value)
{
    judge_result(j, POLICY_ERROR);
    explain(j, v, program, image_where(j, v), POLICY_ERROR);
    if ((is_foreign(j->policy) && j->policy->fail_open) || is_excepted(j, v))
        return;
    int effect = j->mode == MODE_ENFORCE ? DECISION_UNKNOWN : DECISION_WARN;
    reason_for(j, v, effect, arena_printf(j->arena, "the rule cannot be evaluated: %s", judge_render(j, program, value)));
}
