/* policy_foreign.c - what ValidatingAdmissionPolicy and ValidatingPolicy have in
 * common: the names their expressions know, what is refused because only a live
 * cluster or a registry could answer it, conditions, validations, annotations. */
#include "core/policy_internal.h"
#include "model/scan.h"
#include "wire/msg/fields.h"
#include "wire/severity.h"

#include <string.h>

enum { CONDITIONS_MAX = 64, ANNOTATIONS_MAX = 20 };

/* ---- the shapes --------------------------------------------------------------------- */

/* Kubernetes adds to metadata what it likes: open. */
static const struct field metadata_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct metadata_foreign, name), .min = 1, .max = 253, .doc = "Identity." },
    { .key = "namespace", .type = FIELD_TEXT, .off = offsetof(struct metadata_foreign, namespace), .max = 63, .doc = "Of a namespaced policy." },
    { .key = "labels", .type = FIELD_ANY, .off = offsetof(struct metadata_foreign, labels), .doc = "Not read." },
    { .key = "annotations", .type = FIELD_ANY, .off = offsetof(struct metadata_foreign, annotations), .doc = "Title, description and severity of Kyverno's." },
};
const struct shape policy_metadata_foreign_shape = { .name = "object_metadata", .size = sizeof(struct metadata_foreign),
    .fields = metadata_fields, .n_fields = N_OF(metadata_fields), .open = true };
static const struct field condition_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct condition_doc, name), .min = 1, .max = 253, .doc = "For messages." },
    { .key = "expression", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct condition_doc, expression), .min = 1, .max = POLICY_EXPRESSION_MAX, .doc = "CEL; false: the policy is not asked." },
};
SHAPE(policy_condition_shape, "match_condition", struct condition_doc, condition_fields);
static const struct field validation_fields[] = {
    { .key = "expression", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct validation_foreign, expression), .min = 1, .max = POLICY_EXPRESSION_MAX, .doc = "CEL; true is good." },
    { .key = "message", .type = FIELD_TEXT, .off = offsetof(struct validation_foreign, message), .min = 1, .max = 8192, .doc = "What is wrong." },
    { .key = "messageExpression", .type = FIELD_TEXT, .off = offsetof(struct validation_foreign, message_expression), .min = 1, .max = POLICY_EXPRESSION_MAX, .doc = "CEL text of what is wrong." },
    { .key = "reason", .type = FIELD_TEXT, .off = offsetof(struct validation_foreign, reason), .doc = "Unauthorized, Forbidden, Invalid, RequestEntityTooLarge" },
};
SHAPE(policy_validation_foreign_shape, "admission_validation", struct validation_foreign, validation_fields);
static const struct field annotation_fields[] = {
    { .key = "key", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct annotation_doc, key), .min = 1, .max = 63, .doc = "Qualified name." },
    { .key = "valueExpression", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct annotation_doc, value_expression), .min = 1, .max = POLICY_EXPRESSION_MAX, .doc = "CEL text, or null for none." },
};
SHAPE(policy_annotation_shape, "audit_annotation", struct annotation_doc, annotation_fields);

/* ---- the names ------------------------------------------------------------------------- */

/* "@..." can neither be written nor is it suggested: these places belong to our own kind. */
#define NOT_FOREIGN \
    [VAR_IMAGE] = { "@image", NULL }, [VAR_LIMITS] = { "@limits", NULL }, [VAR_NOW] = { "@now", NULL }, [VAR_ITEM] = { "@item", NULL }, \
    [VAR_IMAGES] = { "@images", NULL }, [VAR_POD] = { "@pod", NULL }, [VAR_CONTAINERS] = { "@containers", NULL }, \
    [VAR_EVENT] = { "@event", NULL }, [VAR_NODE] = { "@node", NULL }, [VAR_CONTAINER] = { "@container", NULL }

static const struct cel_shape text = { .kinds = CEL_K(CEL_STRING) }, yes_no = { .kinds = CEL_K(CEL_BOOL) },
    texts = { .kinds = CEL_K(CEL_LIST), .items = &text }, extra = { .kinds = CEL_K(CEL_MAP), .items = &texts };
static const struct cel_field gvk_fields[] = { { "group", &text }, { "version", &text }, { "kind", &text } };
static const struct cel_shape gvk_shape = { .kinds = CEL_K(CEL_MAP), .fields = gvk_fields, .n_fields = N_ITEMS(gvk_fields) };
static const struct cel_field gvr_fields[] = { { "group", &text }, { "version", &text }, { "resource", &text } };
static const struct cel_shape gvr_shape = { .kinds = CEL_K(CEL_MAP), .fields = gvr_fields, .n_fields = N_ITEMS(gvr_fields) };
static const struct cel_field user_fields[] = { { "username", &text }, { "uid", &text }, { "groups", &texts }, { "extra", &extra } };
static const struct cel_shape user_shape = { .kinds = CEL_K(CEL_MAP), .fields = user_fields, .n_fields = N_ITEMS(user_fields) };
static const struct cel_field request_fields[] = {
    { "kind", &gvk_shape }, { "resource", &gvr_shape }, { "subResource", &text }, { "requestKind", &gvk_shape },
    { "requestResource", &gvr_shape }, { "requestSubResource", &text }, { "name", &text }, { "namespace", &text },
    { "operation", &text }, { "userInfo", &user_shape }, { "dryRun", &yes_no }, { "options", NULL }, { "uid", &text },
};
static const struct cel_shape request_shape = { .kinds = CEL_K(CEL_MAP), .fields = request_fields, .n_fields = N_ITEMS(request_fields) };

const struct cel_var policy_vap_vars[VAR_FIXED_N] = {
    NOT_FOREIGN, [VAR_OBJECT] = { "object", NULL }, [VAR_OLD_OBJECT] = { "oldObject", NULL },
    [VAR_REQUEST] = { "request", &request_shape }, [VAR_NAMESPACE_OBJECT] = { "namespaceObject", NULL }, [VAR_PARAMS] = { "params", NULL },
};
/* `exceptions` is what a PolicyException would allow: exceptions are kept elsewhere here, so both lists are empty. */
const struct cel_var policy_kyverno_vars[VAR_FIXED_N] = {
    NOT_FOREIGN, [VAR_OBJECT] = { "object", NULL }, [VAR_OLD_OBJECT] = { "oldObject", NULL },
    [VAR_REQUEST] = { "request", &request_shape }, [VAR_NAMESPACE_OBJECT] = { "namespaceObject", NULL }, [VAR_PARAMS] = { "exceptions", NULL },
};

/* ---- what is refused by name ---------------------------------------------------------- */

static const struct { const char *name; bool is_call; const char *needs; } refused[] = {
    { "resource.Get", true, "needs the cluster" }, { "resource.List", true, "needs the cluster" },
    { "resource.Post", true, "needs the cluster" }, { "globalContext.Get", true, "needs the cluster" },
    { "http.Get", true, "needs the network" }, { "http.Post", true, "needs the network" },
    { "http.Client", true, "needs the network" }, { "image.GetMetadata", true, "needs the registry" },
    { "imageData", true, "needs the registry" }, { "verifyImageSignatures", true, "needs the registry" },
    { "verifyAttestationSignatures", true, "needs the registry" }, { "getImageData", true, "needs the registry" },
    { "image", true, "is not supported" }, { "isImage", true, "is not supported" },
    { "images.containers", false, "is not supported" }, { "images.initContainers", false, "is not supported" },
    { "images.ephemeralContainers", false, "is not supported" }, { "images.allImages", false, "is not supported" },
    { "authorizer", false, "needs the cluster" }, { "time.now", true, "is not supported" },
    { "random", true, "is not supported: the same question must get the same answer" },
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

/* Past a string literal that begins at s. */
static const char *skip_string(const char *s, bool raw)
{
    char quote = *s;
    bool three = s[1] == quote && s[2] == quote;

    for (s += three ? 3 : 1; *s != '\0'; s++) {
        if (*s == '\\' && !raw && s[1] != '\0')
            s++;
        else if (*s == quote && (!three || (s[1] == quote && s[2] == quote)))
            return s + (three ? 3 : 1);
    }
    return s;
}

/* "a.b.c" at s, white space around the dots not allowed for. */
static size_t chain_len(const char *s)
{
    size_t n = 0;

    while (is_letter(s[n]) || (s[n] == '.' && n > 0 && is_letter(s[n + 1])))
        n++;
    return n;
}

static const char *refusal(const char *s, size_t n, const char **name)
{
    const char *after = s + n;

    while (*after == ' ' || *after == '\n' || *after == '\t')
        after++;
    for (size_t i = 0; i < N_ITEMS(refused); i++) {
        size_t len = strlen(refused[i].name);
        if (len > n || memcmp(refused[i].name, s, len) != 0)
            continue;
        bool whole = len == n;
        if (refused[i].is_call ? whole && *after == '(' : whole || s[len] == '.') {
            *name = refused[i].name;
            return refused[i].needs;
        }
    }
    return NULL;
}

bool policy_needs_cluster(struct compiler *c, enum policy_kind kind, const char *expression, const char *path)
{
    const char *s = expression, *name;
    bool after_dot = false;

    (void)kind;
    while (s != NULL && *s != '\0') {
        size_t n = chain_len(s);
        if (n > 0 && (s[n] == '"' || s[n] == '\'') && n <= 2) {          /* r"...", b'...' */
            s = skip_string(s + n, memchr(s, 'r', n) != NULL || memchr(s, 'R', n) != NULL);
        } else if (n > 0) {
            const char *needs = after_dot ? NULL : refusal(s, n, &name);
            if (needs != NULL) {
                policy_wrong(c, path, arena_printf(c->arena, "uses %s: %s", name, needs));
                return true;
            }
            s += n;
        } else if (*s == '"' || *s == '\'') {
            s = skip_string(s, false);
        } else if (s[0] == '/' && s[1] == '/') {
            s += strcspn(s, "\n");
        } else {
            after_dot = *s == '.' || *s == '?' || (after_dot && (*s == ' ' || *s == '\n' || *s == '\t'));
            s++;
            continue;
        }
        after_dot = false;
    }
    return false;
}

/* ---- compiling -------------------------------------------------------------------------- */

static const struct cel_program *expression(struct compiler *c, const struct foreign_rules *r, const char *what, const char *path,
                                            uint32_t kinds)
{
    if (what == NULL || policy_needs_cluster(c, r->kind, what, path))
        return NULL;
    return policy_expression(c, what, path, kinds);
}

static void compile_conditions(struct compiler *c, const struct foreign_rules *r, struct rule_set *set)
{
    struct condition *list = arena_array(c->arena, r->n_conditions, sizeof *list);

    if (list == NULL) {
        c->failed = true;
        return;
    }
    if (r->n_conditions > CONDITIONS_MAX)
        policy_wrong(c, "$.spec.matchConditions", "at most 64");
    for (size_t i = 0; i < r->n_conditions; i++) {
        const char *path = arena_printf(c->arena, "$.spec.matchConditions[%zu].expression", i);
        list[i] = (struct condition){ r->conditions[i].name, expression(c, r, r->conditions[i].expression, path, CEL_K(CEL_BOOL)) };
    }
    set->conditions = list;
    set->n_conditions = r->n_conditions;
}

static void compile_validation(struct compiler *c, const struct foreign_rules *r, size_t i, struct validation *v)
{
    static const char reasons[] = " Unauthorized Forbidden Invalid RequestEntityTooLarge ";
    const struct validation_foreign *d = &r->validations[i];
    const char *base = arena_printf(c->arena, "$.spec.validations[%zu]", i);

    *v = (struct validation){ .name = arena_printf(c->arena, "validation-%zu", i + 1), .message = d->message, .severity = r->severity };
    if (v->name == NULL)
        c->failed = true;
    v->expression = expression(c, r, d->expression, arena_printf(c->arena, "%s.expression", base), CEL_K(CEL_BOOL));
    v->message_expression = expression(c, r, d->message_expression, arena_printf(c->arena, "%s.messageExpression", base), CEL_K(CEL_STRING));
    const char *reason = d->reason != NULL ? arena_printf(c->arena, " %s ", d->reason) : reasons;
    if (reason != NULL && strstr(reasons, reason) == NULL)
        policy_wrong(c, arena_printf(c->arena, "%s.reason", base), "expected one of Unauthorized Forbidden Invalid RequestEntityTooLarge");
}

static void compile_validations(struct compiler *c, const struct foreign_rules *r, struct rule_set *set)
{
    struct validation *list = arena_array(c->arena, r->n_validations, sizeof *list);

    if (list == NULL) {
        c->failed = true;
        return;
    }
    for (size_t i = 0; i < r->n_validations; i++)
        compile_validation(c, r, i, &list[i]);
    set->validations = list;
    set->n_validations = r->n_validations;
}

static void compile_annotations(struct compiler *c, const struct foreign_rules *r, struct rule_set *set)
{
    struct annotation *list = arena_array(c->arena, r->n_annotations, sizeof *list);

    if (list == NULL) {
        c->failed = true;
        return;
    }
    if (r->n_annotations > ANNOTATIONS_MAX)
        policy_wrong(c, "$.spec.auditAnnotations", "at most 20");
    for (size_t i = 0; i < r->n_annotations; i++) {
        const char *path = arena_printf(c->arena, "$.spec.auditAnnotations[%zu].valueExpression", i);
        list[i] = (struct annotation){ r->annotations[i].key,
            expression(c, r, r->annotations[i].value_expression, path, CEL_K(CEL_STRING) | CEL_K(CEL_NULL)) };
    }
    set->annotations = list;
    set->n_annotations = r->n_annotations;
}

/* Conditions are asked before any variable is known.  Variables that need the
 * cluster are refused one by one, the others still compiled. */
int policy_foreign_rules(struct compiler *c, const struct foreign_rules *r, struct rule_set *set)
{
    struct variable_doc *known = arena_array(c->arena, r->n_variables, sizeof *known);

    if (known == NULL || policy_variables(c, r->vars, NULL, 0, set, "") != 0)
        return -1;
    compile_conditions(c, r, set);
    for (size_t i = 0; i < r->n_variables; i++) {
        known[i] = r->variables[i];
        if (policy_needs_cluster(c, r->kind, known[i].expression, arena_printf(c->arena, "$.spec.variables[%zu].expression", i)))
            known[i].expression = "dyn({})";                 /* anything: its users are no further mistake */
    }
    if (policy_variables(c, r->vars, known, r->n_variables, set, "$.spec.variables") != 0)
        return -1;
    compile_validations(c, r, set);
    compile_annotations(c, r, set);
    return 0;
}

int policy_actions(struct compiler *c, const char *const *actions, size_t n, const char *path)
{
    static const struct { const char *word; int mode; } known[] = { { "Audit", MODE_AUDIT }, { "Warn", MODE_WARN }, { "Deny", MODE_ENFORCE } };
    int mode = MODE_AUDIT;
    unsigned seen = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < N_ITEMS(known) && !str_eq(known[k].word, actions[i]))
            k++;
        if (k == N_ITEMS(known)) {
            policy_wrong(c, arena_printf(c->arena, "%s[%zu]", path, i), "expected one of Deny Warn Audit");
            continue;
        }
        seen |= 1u << k;
        mode = known[k].mode > mode ? known[k].mode : mode;
    }
    if ((seen & 6u) == 6u && c->policy->info.kind == POLICY_VAP)
        policy_wrong(c, path, "Deny and Warn together say the same twice");
    return mode;
}
