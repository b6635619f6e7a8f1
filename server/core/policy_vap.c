/* policy_vap.c - ValidatingAdmissionPolicy and its bindings
 * (admissionregistration.k8s.io) as they are.
 *
 * A policy acts through its bindings: each narrows what is matched and says what
 * a broken rule does; the strictest binding that matches decides.  Parameters
 * are objects of the cluster, so a binding that names one is refused; `params` is
 * null, as it is without. */
#include "core/policy_internal.h"
#include "core/policy_match_doc.h"
#include "model/severity.h"

#include <string.h>

struct vap_spec {
    const struct json *param_kind;
    const struct match_resources_doc *match;
    const struct condition_doc *conditions; size_t n_conditions;
    const struct variable_doc *variables; size_t n_variables;
    const struct validation_foreign *validations; size_t n_validations;
    const struct annotation_doc *annotations; size_t n_annotations;
    const char *failure_policy;
};
struct vap_doc {
    const char *api_version, *kind;
    struct metadata_foreign metadata;
    struct vap_spec spec;
    const struct json *status;
};
struct binding_spec {
    const char *policy_name;
    const struct json *param_ref;
    const struct match_resources_doc *match;
    const char *const *actions; size_t n_actions;
};
struct binding_doc {
    const char *api_version, *kind;
    struct metadata_foreign metadata;
    struct binding_spec spec;
};

#define LIST_OF(k, T, member, count, most, shape, text) \
    { .key = k, .type = FIELD_LIST, .off = offsetof(T, member), .off_n = offsetof(T, count), .max = most, .inner = &shape, .doc = text }

static const struct field spec_fields[] = {
    { .key = "paramKind", .type = FIELD_ANY, .off = offsetof(struct vap_spec, param_kind), .doc = "Kind of the parameters." },
    { .key = "matchConstraints", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .off = offsetof(struct vap_spec, match), .inner = &match_resources_shape, .doc = "Which requests." },
    LIST_OF("matchConditions", struct vap_spec, conditions, n_conditions, 64, policy_condition_shape, "CEL, all must be true."),
    LIST_OF("variables", struct vap_spec, variables, n_variables, POLICY_VARIABLES_MAX, policy_variable_shape, "Named expressions."),
    LIST_OF("validations", struct vap_spec, validations, n_validations, POLICY_VALIDATIONS_MAX, policy_validation_foreign_shape, "The rules."),
    LIST_OF("auditAnnotations", struct vap_spec, annotations, n_annotations, 20, policy_annotation_shape, "Written beside the decision."),
    TEXT_F("failurePolicy", struct vap_spec, failure_policy, "Fail, Ignore"),
};
static SHAPE(spec_shape, "vap_spec", struct vap_spec, spec_fields);
static const struct field doc_fields[] = {
    TEXT_R("apiVersion", struct vap_doc, api_version, "admissionregistration.k8s.io/v1"),
    TEXT_R("kind", struct vap_doc, kind, "ValidatingAdmissionPolicy"),
    { .key = "metadata", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct vap_doc, metadata), .inner = &policy_metadata_foreign_shape, .doc = "Identity." },
    { .key = "spec", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct vap_doc, spec), .inner = &spec_shape, .doc = "The rules." },
    { .key = "status", .type = FIELD_ANY, .off = offsetof(struct vap_doc, status), .doc = "Not read." },
};
static SHAPE(doc_shape, "validating_admission_policy", struct vap_doc, doc_fields);
static const struct field binding_spec_fields[] = {
    TEXT_R("policyName", struct binding_spec, policy_name, "Of the policy."),
    { .key = "paramRef", .type = FIELD_ANY, .off = offsetof(struct binding_spec, param_ref), .doc = "Refused: an object of the cluster." },
    OBJECT_F("matchResources", struct binding_spec, match, match_resources_shape, "Narrows what the policy matches."),
    { .key = "validationActions", .type = FIELD_TEXTS, .flags = FIELD_REQUIRED, .off = offsetof(struct binding_spec, actions), .off_n = offsetof(struct binding_spec, n_actions), .min = 1, .max = 3, .doc = "Deny, Warn, Audit" },
};
static SHAPE(binding_spec_shape, "vap_binding_spec", struct binding_spec, binding_spec_fields);
static const struct field binding_fields[] = {
    TEXT_R("apiVersion", struct binding_doc, api_version, "admissionregistration.k8s.io/v1"),
    TEXT_R("kind", struct binding_doc, kind, "ValidatingAdmissionPolicyBinding"),
    { .key = "metadata", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct binding_doc, metadata), .inner = &policy_metadata_foreign_shape, .doc = "Identity." },
    { .key = "spec", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct binding_doc, spec), .inner = &binding_spec_shape, .doc = "Where and how." },
};
static SHAPE(binding_shape, "validating_admission_policy_binding", struct binding_doc, binding_fields);

/* ---- compiling -------------------------------------------------------------------- */

static bool is_binding(const struct json *doc)
{
    return str_eq(json_get_str(doc, "kind", ""), "ValidatingAdmissionPolicyBinding");
}

/* -1: arena full.  *d stays NULL when the document was refused. */
static int decode(struct compiler *c, const struct shape *shape, const struct json *doc, void **d)
{
    void *into = arena_alloc(c->arena, shape->size);
    bool decoded;

    c->doc = doc;
    *d = NULL;
    if (into == NULL || policy_decode(c, shape, into, &decoded) != 0)
        return -1;
    *d = decoded ? into : NULL;
    return 0;
}

static int compile_policy(struct compiler *c, const struct vap_doc *d)
{
    static const char *const deploy[] = { "deploy" };
    struct rule_set *set = arena_alloc(c->arena, sizeof *set);
    struct policy *p = c->policy;
    const struct vap_spec *s = &d->spec;

    if (set == NULL)
        return -1;
    p->info = (struct policy_info){ .kind = POLICY_VAP, .name = d->metadata.name, .title = d->metadata.name, .stages = STAGE_DEPLOY,
        .stage_list = deploy, .n_stage_list = 1, .unknown = UNKNOWN_DENY, .n_rules = s->n_validations };
    p->sets = set;
    p->n_sets = 1;
    p->fail_open = str_eq(s->failure_policy, "Ignore");
    if (s->failure_policy != NULL && !p->fail_open && !str_eq(s->failure_policy, "Fail"))
        policy_wrong(c, "$.spec.failurePolicy", "expected one of Fail Ignore");
    if (s->match->n_rules == 0)
        policy_wrong(c, "$.spec.matchConstraints.resourceRules", "at least one rule is needed");
    if (s->n_validations == 0 && s->n_annotations == 0)
        policy_wrong(c, "$.spec.validations", "validations or auditAnnotations are needed");
    set->match = match_compile(c, s->match, "$.spec.matchConstraints");
    const struct foreign_rules rules = { POLICY_VAP, policy_vap_vars, s->conditions, s->n_conditions, s->variables, s->n_variables,
        s->validations, s->n_validations, s->annotations, s->n_annotations, SEVERITY_MEDIUM };
    return policy_foreign_rules(c, &rules, set);
}

static void compile_binding(struct compiler *c, const struct binding_doc *d, struct binding *b)
{
    if (c->policy->info.name != NULL && !str_eq(d->spec.policy_name, c->policy->info.name))
        policy_wrong(c, "$.spec.policyName", arena_printf(c->arena, "names %s, but the policy here is %s", d->spec.policy_name,
                                                          c->policy->info.name));
    if (d->spec.param_ref != NULL)
        policy_wrong(c, "$.spec.paramRef", "uses paramRef: needs the cluster");
    b->name = d->metadata.name;
    b->mode = policy_actions(c, d->spec.actions, d->spec.n_actions, "$.spec.validationActions");
    if (d->spec.match != NULL)
        b->match = match_compile(c, d->spec.match, "$.spec.matchResources");
}

static void describe(struct policy *p)
{
    p->info.is_inert = p->n_bindings == 0;
    if (p->info.is_inert)
        p->info.note = "no binding: the policy decides nothing until a ValidatingAdmissionPolicyBinding stands beside it";
    for (size_t i = 0; i < p->n_bindings; i++)
        p->info.mode = p->bindings[i].mode > p->info.mode ? p->bindings[i].mode : p->info.mode;
}

int policy_compile_vap(struct compiler *c, const struct json *docs, size_t n)
{
    struct binding *bindings = arena_array(c->arena, n, sizeof *bindings);
    void *d;

    if (bindings == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (!is_binding(&docs[i]) && (decode(c, &doc_shape, &docs[i], &d) != 0 || (d != NULL && compile_policy(c, d) != 0)))
            return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_binding(&docs[i]))
            continue;
        if (decode(c, &binding_shape, &docs[i], &d) != 0)
            return -1;
        if (d != NULL)
            compile_binding(c, d, &bindings[c->policy->n_bindings++]);
    }
    c->policy->bindings = bindings;
    describe(c->policy);
    return 0;
}
