/* policy_keep.c - our own documents (keep/v1 Policy) -> compiled policies. */
#include "core/policy_internal.h"
#include "wire/imageref.h"
#include "wire/msg/fields.h"
#include "wire/msg/words.h"
#include "wire/severity.h"

/* ---- the document as written ---------------------------------------------------- */

struct validation_doc {
    const char *name, *each, *expression, *message, *message_expression, *remediation;
    int severity;
};
struct match_doc {
    const char *const *repositories; size_t n_repositories;
    const char *const *teams; size_t n_teams;
    const char *const *clusters; size_t n_clusters;
    const char *const *namespaces; size_t n_namespaces;
    const struct json *labels;
};
struct metadata_doc { const char *name, *title, *description; };
struct spec_doc {
    const char *const *stages; size_t n_stages;
    int mode, unknown;
    const struct match_doc *match;
    const struct json *params;
    const struct variable_doc *variables; size_t n_variables;
    const struct validation_doc *validations; size_t n_validations;
};
struct policy_document {
    const char *api_version, *kind;
    struct metadata_doc metadata;
    struct spec_doc spec;
};

static const struct field validation_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct validation_doc, name), .min = 1, .max = 64, .doc = "The rule's name: policy/name in exceptions." },
    { .key = "each", .type = FIELD_TEXT, .off = offsetof(struct validation_doc, each), .min = 1, .max = POLICY_EXPRESSION_MAX, .doc = "CEL list; the expression is asked of every `item`." },
    { .key = "expression", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct validation_doc, expression), .min = 1, .max = POLICY_EXPRESSION_MAX, .doc = "CEL; true is good." },
    { .key = "message", .type = FIELD_TEXT, .off = offsetof(struct validation_doc, message), .min = 1, .max = 1024, .doc = "What is wrong." },
    { .key = "messageExpression", .type = FIELD_TEXT, .off = offsetof(struct validation_doc, message_expression), .min = 1, .max = POLICY_EXPRESSION_MAX, .doc = "CEL text of what is wrong." },
    { .key = "remediation", .type = FIELD_TEXT, .off = offsetof(struct validation_doc, remediation), .min = 1, .max = 1024, .doc = "How to fix it." },
    { .key = "severity", .type = FIELD_WORD, .off = offsetof(struct validation_doc, severity), .words = severity_words, .doc = "How serious." },
};
static SHAPE(validation_shape, "policy_validation", struct validation_doc, validation_fields);
static const struct field match_fields[] = {
    TEXTS_F("repositories", struct match_doc, repositories, n_repositories, "Patterns; none: all."),
    TEXTS_F("teams", struct match_doc, teams, n_teams, "Names; none: all."),
    TEXTS_F("clusters", struct match_doc, clusters, n_clusters, "Names; none: all."),
    TEXTS_F("namespaces", struct match_doc, namespaces, n_namespaces, "Names or patterns with *; none: all."),
    { .key = "labels", .type = FIELD_ANY, .off = offsetof(struct match_doc, labels), .doc = "Labels the workload must have." },
};
static SHAPE(match_shape, "policy_match", struct match_doc, match_fields);
static const struct field metadata_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct metadata_doc, name), .min = 1, .max = 64, .doc = "Identity." },
    { .key = "title", .type = FIELD_TEXT, .off = offsetof(struct metadata_doc, title), .max = 200, .doc = "For people." },
    { .key = "description", .type = FIELD_TEXT, .off = offsetof(struct metadata_doc, description), .max = 4096, .doc = "Why the policy exists." },
};
static SHAPE(metadata_shape, "policy_metadata", struct metadata_doc, metadata_fields);
static const struct field spec_fields[] = {
    { .key = "stages", .type = FIELD_TEXTS, .flags = FIELD_REQUIRED, .off = offsetof(struct spec_doc, stages), .off_n = offsetof(struct spec_doc, n_stages), .min = 1, .max = 3, .doc = "build, deploy, run" },
    { .key = "mode", .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(struct spec_doc, mode), .words = policy_mode_words, .doc = "What a broken rule does." },
    { .key = "unknown", .type = FIELD_WORD, .off = offsetof(struct spec_doc, unknown), .words = policy_unknown_words, .doc = "What a missing fact does (deny)." },
    OBJECT_F("match", struct spec_doc, match, match_shape, "Which images."),
    { .key = "params", .type = FIELD_ANY, .off = offsetof(struct spec_doc, params), .doc = "Values for expressions." },
    { .key = "variables", .type = FIELD_LIST, .off = offsetof(struct spec_doc, variables), .off_n = offsetof(struct spec_doc, n_variables), .max = POLICY_VARIABLES_MAX, .inner = &policy_variable_shape, .doc = "Named expressions." },
    { .key = "validations", .type = FIELD_LIST, .flags = FIELD_REQUIRED, .off = offsetof(struct spec_doc, validations), .off_n = offsetof(struct spec_doc, n_validations), .min = 1, .max = POLICY_VALIDATIONS_MAX, .inner = &validation_shape, .doc = "The rules." },
};
static SHAPE(spec_shape, "policy_spec", struct spec_doc, spec_fields);
static const struct field document_fields[] = {
    { .key = "apiVersion", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct policy_document, api_version), .doc = "keep/v1" },
    { .key = "kind", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct policy_document, kind), .doc = "Policy" },
    { .key = "metadata", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct policy_document, metadata), .inner = &metadata_shape, .doc = "Identity." },
    { .key = "spec", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct policy_document, spec), .inner = &spec_shape, .doc = "The rules." },
};
SHAPE(policy_document_shape, "policy_document", struct policy_document, document_fields);

/* ---- compiling ---------------------------------------------------------------------- */

static void check_head(struct compiler *c, const struct policy_document *d)
{
    if (!policy_is_name(d->metadata.name, false))
        policy_wrong(c, "$.metadata.name", "expected lower-case letters, digits, '-' and '.', a letter first");
    for (size_t i = 0; i < d->spec.n_stages; i++) {
        unsigned stage = 0;
        for (unsigned k = 0; stage_words[k] != NULL; k++)
            stage |= str_eq(stage_words[k], d->spec.stages[i]) ? 1u << k : 0;
        if (stage == 0)
            policy_wrong(c, arena_printf(c->arena, "$.spec.stages[%zu]", i), "expected build, deploy or run");
        c->policy->info.stages |= stage;
    }
}

static void check_labels(struct compiler *c, const struct json *labels)
{
    if (labels != NULL && labels->type != JSON_OBJECT)
        policy_wrong(c, "$.spec.match.labels", "expected keys and values");
    for (uint32_t i = 0; i < json_n_members(labels); i++) {
        if (labels->members[i].value.type != JSON_STRING)
            policy_wrong(c, "$.spec.match.labels", "expected texts as values");
    }
}

static void compile_match(struct compiler *c, const struct match_doc *m)
{
    struct policy *p = c->policy;
    struct err err = { 0 };

    if (m == NULL)
        return;
    const char **patterns = arena_array(c->arena, m->n_repositories, sizeof *patterns);
    if (patterns == NULL) {
        c->failed = true;
        return;
    }
    for (size_t i = 0; i < m->n_repositories; i++) {
        if (imageref_pattern_parse(c->arena, m->repositories[i], &patterns[i], &err) != 0)
            policy_wrong(c, arena_printf(c->arena, "$.spec.match.repositories[%zu]", i), err.msg);
    }
    p->repositories = patterns;
    p->n_repositories = m->n_repositories;
    p->teams = m->teams;
    p->n_teams = m->n_teams;
    p->clusters = m->clusters;
    p->n_clusters = m->n_clusters;
    p->namespaces = m->namespaces;
    p->n_namespaces = m->n_namespaces;
    p->labels = m->labels;
    check_labels(c, m->labels);
}

static void compile_validation(struct compiler *c, const struct rule_set *set, const struct validation_doc *d, size_t i,
                               struct validation *v)
{
    const char *base = arena_printf(c->arena, "$.spec.validations[%zu]", i);
    const struct { const char *key, *text; uint32_t kinds; const struct cel_program **to; } parts[] = {
        { "each", d->each, CEL_K(CEL_LIST), &v->each },
        { "expression", d->expression, CEL_K(CEL_BOOL), &v->expression },
        { "messageExpression", d->message_expression, CEL_K(CEL_STRING), &v->message_expression },
    };

    if (!policy_is_name(d->name, false))
        policy_wrong(c, arena_printf(c->arena, "%s.name", base), "expected lower-case letters, digits, '-' and '.', a letter first");
    for (size_t k = 0; k < N_ITEMS(parts); k++)
        *parts[k].to = policy_expression(c, parts[k].text, arena_printf(c->arena, "%s.%s", base, parts[k].key), parts[k].kinds);
    v->uses = policy_uses(set, v->expression) | policy_uses(set, v->message_expression);
    if (d->each == NULL && (v->uses & USES_ITEM) != 0)
        policy_wrong(c, arena_printf(c->arena, "%s.expression", base), "`item` needs `each`");
    v->uses |= policy_uses(set, v->each);
    v->name = d->name;
    v->message = d->message;
    v->remediation = d->remediation;
    v->severity = d->severity;
}

static void compile_validations(struct compiler *c, struct rule_set *set, const struct spec_doc *s)
{
    struct validation *v = arena_array(c->arena, s->n_validations, sizeof *v);

    if (v == NULL) {
        c->failed = true;
        return;
    }
    for (size_t i = 0; i < s->n_validations; i++) {
        compile_validation(c, set, &s->validations[i], i, &v[i]);
        for (size_t j = 0; j < i; j++) {
            if (str_eq(s->validations[j].name, s->validations[i].name))
                policy_wrong(c, arena_printf(c->arena, "$.spec.validations[%zu].name", i), "the same name twice");
        }
    }
    set->validations = v;
    set->n_validations = s->n_validations;
}

int policy_compile_keep(struct compiler *c)
{
    struct policy_document *d = arena_alloc(c->arena, sizeof *d);
    struct rule_set *set = arena_alloc(c->arena, sizeof *set);
    struct policy *p = c->policy;
    bool decoded;

    if (d == NULL || set == NULL || policy_decode(c, &policy_document_shape, d, &decoded) != 0)
        return -1;
    if (!decoded)
        return 0;
    p->info = (struct policy_info){ .name = d->metadata.name, .title = d->metadata.title != NULL ? d->metadata.title : d->metadata.name,
        .description = d->metadata.description, .stage_list = d->spec.stages, .n_stage_list = d->spec.n_stages,
        .mode = d->spec.mode, .unknown = d->spec.unknown, .n_rules = d->spec.n_validations };
    p->params = d->spec.params;
    p->sets = set;
    p->n_sets = 1;
    c->functions = policy_functions;
    c->n_functions = n_policy_functions;
    check_head(c, d);
    compile_match(c, d->spec.match);
    if (policy_variables(c, facts_vars, d->spec.variables, d->spec.n_variables, set, "$.spec.variables") != 0)
        return -1;
    compile_validations(c, set, &d->spec);
    return 0;
}
