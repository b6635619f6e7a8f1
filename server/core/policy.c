/* policy.c - documents -> compiled policies, see policy.h. */
#include "core/policy.h"

#include "core/policy_internal.h"
#include "wire/imageref.h"
#include "wire/msg/fields.h"
#include "wire/msg/words.h"
#include "wire/severity.h"
#include "wire/yaml.h"

#include <stdio.h>
#include <string.h>

const char *const stage_words[] = { "build", "deploy", "run", NULL };
const char *const policy_mode_words[] = { "audit", "warn", "enforce", NULL };
const char *const policy_unknown_words[] = { "deny", "warn", "allow", NULL };

enum { MAX_VALIDATIONS = 100, MAX_EXPRESSION = 16 * 1024 };

/* ---- the document as written ---------------------------------------------------- */

struct variable_doc { const char *name, *expression; };
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

static const struct field variable_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct variable_doc, name), .min = 1, .max = 64, .doc = "Used as variables.NAME." },
    { .key = "expression", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct variable_doc, expression), .min = 1, .max = MAX_EXPRESSION, .doc = "CEL." },
};
static SHAPE(variable_shape, "policy_variable", struct variable_doc, variable_fields);
static const struct field validation_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct validation_doc, name), .min = 1, .max = 64, .doc = "The rule's name: policy/name in exceptions." },
    { .key = "each", .type = FIELD_TEXT, .off = offsetof(struct validation_doc, each), .min = 1, .max = MAX_EXPRESSION, .doc = "CEL list; the expression is asked of every `item`." },
    { .key = "expression", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct validation_doc, expression), .min = 1, .max = MAX_EXPRESSION, .doc = "CEL; true is good." },
    { .key = "message", .type = FIELD_TEXT, .off = offsetof(struct validation_doc, message), .min = 1, .max = 1024, .doc = "What is wrong." },
    { .key = "messageExpression", .type = FIELD_TEXT, .off = offsetof(struct validation_doc, message_expression), .min = 1, .max = MAX_EXPRESSION, .doc = "CEL text of what is wrong." },
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
    { .key = "variables", .type = FIELD_LIST, .off = offsetof(struct spec_doc, variables), .off_n = offsetof(struct spec_doc, n_variables), .max = POLICY_VARIABLES_MAX, .inner = &variable_shape, .doc = "Named expressions." },
    { .key = "validations", .type = FIELD_LIST, .flags = FIELD_REQUIRED, .off = offsetof(struct spec_doc, validations), .off_n = offsetof(struct spec_doc, n_validations), .min = 1, .max = MAX_VALIDATIONS, .inner = &validation_shape, .doc = "The rules." },
};
static SHAPE(spec_shape, "policy_spec", struct spec_doc, spec_fields);
static const struct field document_fields[] = {
    { .key = "apiVersion", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct policy_document, api_version), .doc = "keep/v1" },
    { .key = "kind", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct policy_document, kind), .doc = "Policy" },
    { .key = "metadata", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct policy_document, metadata), .inner = &metadata_shape, .doc = "Identity." },
    { .key = "spec", .type = FIELD_INLINE, .flags = FIELD_REQUIRED, .off = offsetof(struct policy_document, spec), .inner = &spec_shape, .doc = "The rules." },
};
const SHAPE(policy_document_shape, "policy_document", struct policy_document, document_fields);

/* ---- compiling ---------------------------------------------------------------------- */

struct compiler {
    struct arena *arena;
    struct complaints *complaints;
    struct policy *policy;
    struct cel_env env;
    struct err *err;
    int rc;
};

static void wrong(struct compiler *c, const char *path, const char *message)
{
    if (c->rc == 0)
        err_set(c->err, ERR_INVALID, "%s: %s", path, message);
    c->rc = -1;
    if (c->complaints != NULL)
        complain(c->complaints, 0, path, "%s", message);
}

static const struct cel_program *compile(struct compiler *c, const char *text, const char *path)
{
    const struct cel_program *program = NULL;
    struct err err = { 0 };

    if (text == NULL)
        return NULL;
    if (cel_compile(&c->env, text, strlen(text), c->arena, &program, &err) != 0)
        wrong(c, path, err.msg);
    return program;
}

static bool is_name(const char *s, bool identifier)
{
    if (!((*s >= 'a' && *s <= 'z') || (identifier && *s >= 'A' && *s <= 'Z')))
        return false;
    for (; *s != '\0'; s++) {
        bool ok = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
                  (identifier ? (*s >= 'A' && *s <= 'Z') || *s == '_' : *s == '-' || *s == '.');
        if (!ok)
            return false;
    }
    return true;
}

static void check_head(struct compiler *c, const struct policy_document *d)
{
    if (!str_eq(d->api_version, "keep/v1"))
        wrong(c, "$.apiVersion", "expected keep/v1");
    if (!str_eq(d->kind, "Policy"))
        wrong(c, "$.kind", "expected Policy");
    if (!is_name(d->metadata.name, false))
        wrong(c, "$.metadata.name", "expected lower-case letters, digits, '-' and '.', a letter first");
    for (size_t i = 0; i < d->spec.n_stages; i++) {
        unsigned stage = 0;
        for (unsigned k = 0; stage_words[k] != NULL; k++)
            stage |= str_eq(stage_words[k], d->spec.stages[i]) ? 1u << k : 0;
        if (stage == 0)
            wrong(c, arena_printf(c->arena, "$.spec.stages[%zu]", i), "expected build, deploy or run");
        c->policy->info.stages |= stage;
    }
}

static void compile_match(struct compiler *c, const struct match_doc *m)
{
    struct policy *p = c->policy;
    struct err err = { 0 };

    if (m == NULL)
        return;
    const char **patterns = arena_array(c->arena, m->n_repositories, sizeof *patterns);
    for (size_t i = 0; patterns != NULL && i < m->n_repositories; i++) {
        if (imageref_pattern_parse(c->arena, m->repositories[i], &patterns[i], &err) != 0)
            wrong(c, arena_printf(c->arena, "$.spec.match.repositories[%zu]", i), err.msg);
    }
    p->repositories = patterns;
    p->n_repositories = patterns != NULL ? m->n_repositories : 0;
    p->teams = m->teams;
    p->n_teams = m->n_teams;
    p->clusters = m->clusters;
    p->n_clusters = m->n_clusters;
    p->namespaces = m->namespaces;
    p->n_namespaces = m->n_namespaces;
    p->labels = m->labels;
    for (uint32_t i = 0; i < json_n_members(m->labels); i++) {
        if (m->labels->members[i].value.type != JSON_STRING)
            wrong(c, "$.spec.match.labels", "expected texts as values");
    }
    if (m->labels != NULL && m->labels->type != JSON_OBJECT)
        wrong(c, "$.spec.match.labels", "expected keys and values");
}

/* Variables see those before them, as variables.NAME: each is one more name of the environment. */
static void compile_variables(struct compiler *c, const struct spec_doc *s)
{
    struct policy *p = c->policy;
    struct cel_var *vars = arena_array(c->arena, VAR_FIXED_N + s->n_variables, sizeof *vars);
    const struct cel_program **programs = arena_array(c->arena, s->n_variables, sizeof *programs);

    if (vars == NULL || programs == NULL) {
        c->rc = err_nomem(c->err);
        return;
    }
    memcpy(vars, facts_vars, sizeof facts_vars);
    c->env = (struct cel_env){ .vars = vars, .n_vars = VAR_FIXED_N };
    for (size_t i = 0; i < s->n_variables; i++) {
        const char *path = arena_printf(c->arena, "$.spec.variables[%zu].name", i);
        if (!is_name(s->variables[i].name, true))
            wrong(c, path, "expected a letter, then letters, digits and '_'");
        programs[i] = compile(c, s->variables[i].expression, arena_printf(c->arena, "$.spec.variables[%zu].expression", i));
        vars[VAR_FIXED_N + i].name = arena_printf(c->arena, "variables.%s", s->variables[i].name);
        c->env.n_vars = (uint32_t)(VAR_FIXED_N + i + 1);
    }
    p->variables = programs;
    p->n_variables = s->n_variables;
    p->n_vars = c->env.n_vars;
}

/* Directly, or through a variable of the policy. */
static bool uses_image(const struct policy *p, const struct cel_program *program)
{
    if (program == NULL)
        return false;
    for (size_t i = 0; i < p->n_variables; i++) {
        if (cel_program_uses(program, (uint32_t)(VAR_FIXED_N + i)) && p->variables[i] != NULL && cel_program_uses(p->variables[i], VAR_IMAGE))
            return true;
    }
    return cel_program_uses(program, VAR_IMAGE);
}

static void compile_validation(struct compiler *c, const struct validation_doc *d, size_t i, struct validation *v)
{
    char path[64];
    size_t n = (size_t)snprintf(path, sizeof path, "$.spec.validations[%zu].", i);

    if (!is_name(d->name, false)) {
        strncpy(path + n, "name", sizeof path - n - 1);
        wrong(c, arena_strdup(c->arena, path), "expected lower-case letters, digits, '-' and '.', a letter first");
    }
    const struct { const char *key, *text; const struct cel_program **to; } parts[] = {
        { "each", d->each, &v->each },
        { "expression", d->expression, &v->expression },
        { "messageExpression", d->message_expression, &v->message_expression },
    };
    for (size_t k = 0; k < N_ITEMS(parts); k++)
        *parts[k].to = compile(c, parts[k].text, arena_printf(c->arena, "$.spec.validations[%zu].%s", i, parts[k].key));
    if (v->expression != NULL && (cel_program_kinds(v->expression) & CEL_K(CEL_BOOL)) == 0)
        wrong(c, arena_printf(c->arena, "$.spec.validations[%zu].expression", i), "must give true or false");
    if (v->expression != NULL && d->each == NULL && cel_program_uses(v->expression, VAR_ITEM))
        wrong(c, arena_printf(c->arena, "$.spec.validations[%zu].expression", i), "`item` needs `each`");
    v->uses_image = uses_image(c->policy, v->expression) || uses_image(c->policy, v->each);
    v->name = d->name;
    v->message = d->message;
    v->remediation = d->remediation;
    v->severity = d->severity;
}

static void compile_validations(struct compiler *c, const struct spec_doc *s)
{
    struct validation *v = arena_array(c->arena, s->n_validations, sizeof *v);

    if (v == NULL) {
        c->rc = err_nomem(c->err);
        return;
    }
    for (size_t i = 0; i < s->n_validations; i++) {
        compile_validation(c, &s->validations[i], i, &v[i]);
        for (size_t j = 0; j < i; j++) {
            if (str_eq(s->validations[j].name, s->validations[i].name))
                wrong(c, arena_printf(c->arena, "$.spec.validations[%zu].name", i), "the same name twice");
        }
    }
    c->policy->validations = v;
    c->policy->n_validations = s->n_validations;
}

int policy_compile(const void *text, size_t len, struct arena *arena, struct complaints *complaints,
                   struct policy **out, struct err *err)
{
    struct json doc;
    struct policy_document *d = arena_alloc(arena, sizeof *d);
    struct policy *p = arena_alloc(arena, sizeof *p);

    if (d == NULL || p == NULL)
        return err_nomem(err);
    if (yaml_parse(arena, text, len, NULL, &doc, err) != 0)
        return -1;
    if (shape_decode(&policy_document_shape, &doc, arena, d, complaints, err) != 0)
        return -1;
    struct compiler c = { .arena = arena, .complaints = complaints, .policy = p, .err = err };
    p->info = (struct policy_info){ .name = d->metadata.name, .title = d->metadata.title != NULL ? d->metadata.title : d->metadata.name,
        .description = d->metadata.description, .stage_list = d->spec.stages, .n_stage_list = d->spec.n_stages,
        .mode = d->spec.mode, .unknown = d->spec.unknown, .n_rules = d->spec.n_validations };
    p->params = d->spec.params;
    check_head(&c, d);
    compile_match(&c, d->spec.match);
    compile_variables(&c, &d->spec);
    if (p->variables != NULL || d->spec.n_variables == 0)
        compile_validations(&c, &d->spec);
    if (c.rc == 0)
        *out = p;
    return c.rc;
}

const struct policy_info *policy_info(const struct policy *p)
{
    return &p->info;
}
