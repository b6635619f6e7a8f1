/* policy_kyverno.c - Kyverno's ValidatingPolicy (policies.kyverno.io).
 *
 * A policy that matches pods and nothing else also speaks of what makes pods: its
 * expressions are rewritten as Kyverno rewrites them, so that `object.spec` means
 * the template's.  That is a replacement in the text, messages included: what an
 * author sees in a cluster is what is judged here.  Each form becomes a rule set
 * of its own.  A namespace is never the template's: `.namespace` stays. */
#include "base/buf.h"
#include "core/policy_internal.h"
#include "core/policy_match_doc.h"
#include "wire/severity.h"

#include <string.h>

struct controllers_doc { const struct json *controllers; };
struct switch_doc { const struct json *enabled; };
struct autogen_doc { const struct controllers_doc *pods; const struct switch_doc *vap; };
struct evaluation_doc { const char *mode; const struct switch_doc *admission, *background; };
struct kyverno_spec {
    const struct match_resources_doc *match;
    const struct condition_doc *conditions; size_t n_conditions;
    const struct variable_doc *variables; size_t n_variables;
    const struct validation_foreign *validations; size_t n_validations;
    const struct annotation_doc *annotations; size_t n_annotations;
    const char *failure_policy;
    const char *const *actions; size_t n_actions;
    const struct autogen_doc *autogen;
    const struct evaluation_doc *evaluation;
    const struct json *webhook;
};
struct kyverno_doc {
    const char *api_version, *kind;
    struct metadata_foreign metadata;
    struct kyverno_spec spec;
    const struct json *status;
};

#define LIST_OF(k, T, member, count, most, shape, text) \
    { .key = k, .type = FIELD_LIST, .off = offsetof(T, member), .off_n = offsetof(T, count), .max = most, .inner = &shape, .doc = text }

static const struct field controllers_fields[] = {
    { .key = "controllers", .type = FIELD_ANY, .off = offsetof(struct controllers_doc, controllers), .doc = "deployments, ... ; none: no generation." },
};
static SHAPE(controllers_shape, "kyverno_pod_controllers", struct controllers_doc, controllers_fields);
static const struct field switch_fields[] = {
    { .key = "enabled", .type = FIELD_ANY, .off = offsetof(struct switch_doc, enabled), .doc = "true unless said otherwise." },
};
static SHAPE(switch_shape, "kyverno_switch", struct switch_doc, switch_fields);
static const struct field autogen_fields[] = {
    OBJECT_F("podControllers", struct autogen_doc, pods, controllers_shape, "Which controllers."),
    OBJECT_F("validatingAdmissionPolicy", struct autogen_doc, vap, switch_shape, "Not read."),
};
static SHAPE(autogen_shape, "kyverno_autogen", struct autogen_doc, autogen_fields);
static const struct field evaluation_fields[] = {
    TEXT_F("mode", struct evaluation_doc, mode, "Kubernetes"),
    OBJECT_F("admission", struct evaluation_doc, admission, switch_shape, "Off: the policy only audits."),
    OBJECT_F("background", struct evaluation_doc, background, switch_shape, "Not read."),
};
static SHAPE(evaluation_shape, "kyverno_evaluation", struct evaluation_doc, evaluation_fields);
static const struct field spec_fields[] = {
    { .key = "matchConstraints", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .off = offsetof(struct kyverno_spec, match), .inner = &match_resources_shape, .doc = "Which requests." },
    LIST_OF("matchConditions", struct kyverno_spec, conditions, n_conditions, 64, policy_condition_shape, "CEL, all must be true."),
    LIST_OF("variables", struct kyverno_spec, variables, n_variables, POLICY_VARIABLES_MAX, policy_variable_shape, "Named expressions."),
    { .key = "validations", .type = FIELD_LIST, .flags = FIELD_REQUIRED, .off = offsetof(struct kyverno_spec, validations), .off_n = offsetof(struct kyverno_spec, n_validations), .min = 1, .max = POLICY_VALIDATIONS_MAX, .inner = &policy_validation_foreign_shape, .doc = "The rules." },
    LIST_OF("auditAnnotations", struct kyverno_spec, annotations, n_annotations, 20, policy_annotation_shape, "Written beside the decision."),
    TEXT_F("failurePolicy", struct kyverno_spec, failure_policy, "Fail, Ignore"),
    { .key = "validationActions", .type = FIELD_TEXTS, .off = offsetof(struct kyverno_spec, actions), .off_n = offsetof(struct kyverno_spec, n_actions), .max = 3, .doc = "Deny (when none is named), Warn, Audit" },
    OBJECT_F("autogen", struct kyverno_spec, autogen, autogen_shape, "Generation for pod controllers."),
    OBJECT_F("evaluation", struct kyverno_spec, evaluation, evaluation_shape, "When."),
    { .key = "webhookConfiguration", .type = FIELD_ANY, .off = offsetof(struct kyverno_spec, webhook), .doc = "Not read: the webhook is ours." },
};
static SHAPE(spec_shape, "kyverno_spec", struct kyverno_spec, spec_fields);
static const struct field doc_fields[] = {
    TEXT_R("apiVersion", struct kyverno_doc, api_version, "policies.kyverno.io/v1alpha1"),
    TEXT_R("kind", struct kyverno_doc, kind, "ValidatingPolicy"),
    { .key = "metadata", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct kyverno_doc, metadata), .inner = &policy_metadata_foreign_shape, .doc = "Identity." },
    { .key = "spec", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct kyverno_doc, spec), .inner = &spec_shape, .doc = "The rules." },
    { .key = "status", .type = FIELD_ANY, .off = offsetof(struct kyverno_doc, status), .doc = "Not read." },
};
static SHAPE(doc_shape, "kyverno_validating_policy", struct kyverno_doc, doc_fields);

/* ---- autogeneration ------------------------------------------------------------------- */

/* One row per form of object a policy for pods is rewritten for. */
static const struct form {
    const char *spec, *metadata;               /* what object.spec and object.metadata become */
    struct { const char *group, *resource; } of[6];
} forms[] = {
    { "object.spec.template.spec", "object.spec.template.metadata",
      { { "apps", "daemonsets" }, { "apps", "deployments" }, { "apps", "replicasets" }, { "apps", "statefulsets" }, { "batch", "jobs" } } },
    { "object.spec.jobTemplate.spec.template.spec", "object.spec.jobTemplate.spec.template.metadata", { { "batch", "cronjobs" } } },
};

static bool is_only(const char *const *list, size_t n, const char *text)
{
    return n == 1 && str_eq(list[0], text);
}

static bool can_generate(const struct match_resources_doc *m)
{
    const struct selector_doc *objects = m->objects;

    if ((objects != NULL && (json_n_members(objects->labels) > 0 || objects->n_terms > 0)) || m->n_excluded > 0 || m->n_rules != 1)
        return false;
    const struct rule_doc *r = &m->rules[0];
    return r->n_names == 0 && json_len(r->groups) == 1 && str_eq(json_str(json_at(r->groups, 0), NULL), "") &&
           is_only(r->versions, r->n_versions, "v1") && is_only(r->resources, r->n_resources, "pods");
}

/* A list that is there, even an empty one, replaces the default: all. */
static bool is_wanted(const struct kyverno_spec *s, const char *resource)
{
    const struct json *list = s->autogen != NULL && s->autogen->pods != NULL ? s->autogen->pods->controllers : NULL;

    for (uint32_t i = 0; i < json_len(list); i++) {
        if (str_eq(json_str(json_at(list, i), NULL), resource))
            return true;
    }
    return list == NULL;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_namespace(const char *rest)
{
    static const char kept[] = ".namespace";

    return strncmp(rest, kept, sizeof kept - 1) == 0 && !is_word(rest[sizeof kept - 1]);
}

/* Every occurrence, but not where the namespace follows. */
static const char *replace(struct compiler *c, const char *text, const char *from, const char *to)
{
    struct buf b;
    const char *found;

    if (text == NULL || (found = strstr(text, from)) == NULL)
        return text;
    buf_init(&b, 8 * POLICY_EXPRESSION_MAX);
    for (; found != NULL; found = strstr(text, from)) {
        buf_put(&b, text, (size_t)(found - text));
        text = found + strlen(from);
        buf_puts(&b, is_namespace(text) ? from : to);
    }
    buf_puts(&b, text);
    const char *copy = b.failed ? NULL : arena_strndup(c->arena, b.ptr, b.len);
    buf_free(&b);
    c->failed |= copy == NULL;
    return copy != NULL ? copy : "";
}

static const char *rewrite(struct compiler *c, const char *text, const struct form *f)
{
    /* to + 1: "oldObject" differs from "object" in the letter O. */
    const char *old_spec = arena_printf(c->arena, "oldO%s", f->spec + 1), *old_metadata = arena_printf(c->arena, "oldO%s", f->metadata + 1);

    if (old_spec == NULL || old_metadata == NULL) {
        c->failed = true;
        return text;
    }
    text = replace(c, text, "object.spec", f->spec);
    text = replace(c, text, "oldObject.spec", old_spec);
    text = replace(c, text, "object.metadata", f->metadata);
    return replace(c, text, "oldObject.metadata", old_metadata);
}

/* Every text of the spec, in arrays of its own. */
static int rewrite_rules(struct compiler *c, const struct form *f, struct foreign_rules *r)
{
    struct condition_doc *conditions = arena_array(c->arena, r->n_conditions, sizeof *conditions);
    struct variable_doc *variables = arena_array(c->arena, r->n_variables, sizeof *variables);
    struct validation_foreign *validations = arena_array(c->arena, r->n_validations, sizeof *validations);
    struct annotation_doc *annotations = arena_array(c->arena, r->n_annotations, sizeof *annotations);

    if (conditions == NULL || variables == NULL || validations == NULL || annotations == NULL)
        return -1;
    for (size_t i = 0; i < r->n_conditions; i++)
        conditions[i] = (struct condition_doc){ r->conditions[i].name, rewrite(c, r->conditions[i].expression, f) };
    for (size_t i = 0; i < r->n_variables; i++)
        variables[i] = (struct variable_doc){ r->variables[i].name, rewrite(c, r->variables[i].expression, f) };
    for (size_t i = 0; i < r->n_validations; i++) {
        const struct validation_foreign *v = &r->validations[i];
        validations[i] = (struct validation_foreign){ rewrite(c, v->expression, f), rewrite(c, v->message, f),
                                                      rewrite(c, v->message_expression, f), v->reason };
    }
    for (size_t i = 0; i < r->n_annotations; i++)
        annotations[i] = (struct annotation_doc){ r->annotations[i].key, rewrite(c, r->annotations[i].value_expression, f) };
    r->conditions = conditions;
    r->variables = variables;
    r->validations = validations;
    r->annotations = annotations;
    return 0;
}

/* The policy's operations and namespaces, the controllers' groups and resources.
 * NULL with c->failed unset: no controller of this form is wanted. */
static const struct match_rules *form_match(struct compiler *c, const struct kyverno_spec *s, const struct match_rules *pods,
                                            const struct form *f)
{
    static const char *const v1[] = { "v1" };
    struct match_rules *m = arena_alloc(c->arena, sizeof *m);
    struct resource_rule *rules = arena_array(c->arena, N_ITEMS(f->of), sizeof *rules);
    const char **names = arena_array(c->arena, 2 * N_ITEMS(f->of), sizeof *names);
    size_t n = 0;

    if (m == NULL || rules == NULL || names == NULL) {
        c->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < N_ITEMS(f->of) && f->of[i].resource != NULL; i++) {
        if (!is_wanted(s, f->of[i].resource))
            continue;
        names[2 * n] = f->of[i].group;
        names[2 * n + 1] = f->of[i].resource;
        rules[n] = pods->rules[0];
        rules[n].groups = &names[2 * n];
        rules[n].resources = &names[2 * n + 1];
        rules[n].versions = v1;
        rules[n].n_groups = rules[n].n_resources = rules[n].n_versions = 1;
        rules[n++].scope = "*";
    }
    *m = (struct match_rules){ .rules = rules, .n_rules = n, .namespaces = pods->namespaces };
    return n > 0 ? m : NULL;
}

static int generate(struct compiler *c, const struct kyverno_spec *s, const struct foreign_rules *written, struct rule_set *sets)
{
    size_t n = 1;

    for (size_t i = 0; i < N_ITEMS(forms) && can_generate(s->match); i++) {
        struct foreign_rules rules = *written;
        sets[n].match = form_match(c, s, sets[0].match, &forms[i]);
        if (sets[n].match == NULL)
            continue;
        if (rewrite_rules(c, &forms[i], &rules) != 0 || policy_foreign_rules(c, &rules, &sets[n]) != 0)
            return -1;
        n++;
    }
    c->policy->n_sets = n;
    return 0;
}

/* ---- compiling ---------------------------------------------------------------------------- */

static const char *annotation_of(const struct kyverno_doc *d, const char *key)
{
    return json_get_str(d->metadata.annotations, key, NULL);
}

static void describe(struct compiler *c, const struct kyverno_doc *d)
{
    static const char *const deploy[] = { "deploy" };
    struct policy *p = c->policy;
    const char *title = annotation_of(d, "policies.kyverno.io/title");

    p->info = (struct policy_info){ .kind = POLICY_KYVERNO, .name = d->metadata.name, .title = title != NULL ? title : d->metadata.name,
        .description = annotation_of(d, "policies.kyverno.io/description"), .stages = STAGE_DEPLOY, .stage_list = deploy,
        .n_stage_list = 1, .unknown = UNKNOWN_DENY, .n_rules = d->spec.n_validations, .mode = MODE_ENFORCE };
    if (d->spec.n_actions > 0)
        p->info.mode = policy_actions(c, d->spec.actions, d->spec.n_actions, "$.spec.validationActions");
}

static void read_evaluation(struct compiler *c, const struct evaluation_doc *e)
{
    if (e == NULL)
        return;
    if (e->mode != NULL && !str_eq(e->mode, "Kubernetes"))
        policy_wrong(c, "$.spec.evaluation.mode", "only Kubernetes is supported");
    const struct switch_doc *switches[] = { e->admission, e->background };
    for (size_t i = 0; i < N_ITEMS(switches); i++) {
        if (switches[i] != NULL && switches[i]->enabled != NULL && switches[i]->enabled->type != JSON_BOOL)
            policy_wrong(c, i == 0 ? "$.spec.evaluation.admission.enabled" : "$.spec.evaluation.background.enabled", "expected true or false");
    }
    if (e->admission != NULL && !json_bool(e->admission->enabled, true)) {
        c->policy->info.mode = MODE_AUDIT;
        c->policy->info.note = "not for admission (evaluation.admission.enabled is false): findings are only recorded";
    }
}

static void check_controllers(struct compiler *c, const struct kyverno_spec *s)
{
    const struct json *list = s->autogen != NULL && s->autogen->pods != NULL ? s->autogen->pods->controllers : NULL;

    if (list != NULL && list->type != JSON_ARRAY)
        policy_wrong(c, "$.spec.autogen.podControllers.controllers", "expected a list");
    for (uint32_t i = 0; i < json_len(list); i++) {
        bool known = false;
        for (size_t f = 0; f < N_ITEMS(forms); f++) {
            for (size_t k = 0; k < N_ITEMS(forms[f].of) && forms[f].of[k].resource != NULL; k++)
                known |= str_eq(forms[f].of[k].resource, json_str(json_at(list, i), ""));
        }
        if (!known)                                          /* Kyverno steps over them silently */
            c->policy->info.note = "autogen names a controller that is not one of daemonsets, deployments, replicasets, "
                                   "statefulsets, jobs, cronjobs: it is ignored";
    }
}

static const struct json *no_exceptions(void)
{
    static const struct json_member members[] = {
        { .key = "allowedImages", .key_len = 13, .value = { .type = JSON_ARRAY } },
        { .key = "allowedValues", .key_len = 13, .value = { .type = JSON_ARRAY } },
    };
    static const struct json none = { .type = JSON_OBJECT, .n = 2, .members = members };

    return &none;
}

/* A namespaced policy is asked in its namespace only. */
static void within_namespace(struct compiler *c, const struct kyverno_doc *d)
{
    const char **list = arena_array(c->arena, 1, sizeof *list);
    bool namespaced = str_eq(d->kind, "NamespacedValidatingPolicy");

    if (list == NULL) {
        c->failed = true;
        return;
    }
    if (!namespaced)
        return;
    if (d->metadata.namespace == NULL)
        policy_wrong(c, "$.metadata.namespace", "required");
    list[0] = d->metadata.namespace;
    c->policy->namespaces = list;
    c->policy->n_namespaces = 1;
}

int policy_compile_kyverno(struct compiler *c)
{
    struct kyverno_doc *d = arena_alloc(c->arena, sizeof *d);
    struct rule_set *sets = arena_array(c->arena, 1 + N_ITEMS(forms), sizeof *sets);
    struct policy *p = c->policy;
    bool decoded;

    if (d == NULL || sets == NULL || policy_decode(c, &doc_shape, d, &decoded) != 0)
        return -1;
    if (!decoded)
        return 0;
    const struct kyverno_spec *s = &d->spec;
    c->functions = policy_kyverno_functions;
    c->n_functions = n_policy_kyverno_functions;
    describe(c, d);
    p->sets = sets;
    p->n_sets = 1;
    p->params = no_exceptions();
    p->fail_open = str_eq(s->failure_policy, "Ignore");
    if (s->failure_policy != NULL && !p->fail_open && !str_eq(s->failure_policy, "Fail"))
        policy_wrong(c, "$.spec.failurePolicy", "expected one of Fail Ignore");
    read_evaluation(c, s->evaluation);
    check_controllers(c, s);
    within_namespace(c, d);
    enum severity severity = severity_from_word(annotation_of(d, "policies.kyverno.io/severity"));
    const struct foreign_rules rules = { POLICY_KYVERNO, policy_kyverno_vars, s->conditions, s->n_conditions, s->variables,
        s->n_variables, s->validations, s->n_validations, s->annotations, s->n_annotations,
        severity != SEVERITY_UNKNOWN ? (int)severity : SEVERITY_MEDIUM };
    sets[0].match = match_compile(c, s->match, "$.spec.matchConstraints");
    if (policy_foreign_rules(c, &rules, &sets[0]) != 0)
        return -1;
    return c->found.n == 0 && !c->failed ? generate(c, s, &rules, sets) : 0;
}
