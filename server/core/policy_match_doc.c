/* policy_match_doc.c - MatchResources as written in a document. */
#include "core/policy_match_doc.h"

#include <string.h>

static const struct field requirement_fields[] = {
    { .key = "key", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct requirement_doc, key), .min = 1, .max = 317, .doc = "Label." },
    { .key = "operator", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct requirement_doc, operator), .doc = "In, NotIn, Exists, DoesNotExist" },
    TEXTS_F("values", struct requirement_doc, values, n_values, "For In and NotIn."),
};
static SHAPE(requirement_shape, "label_requirement", struct requirement_doc, requirement_fields);
static const struct field selector_fields[] = {
    { .key = "matchLabels", .type = FIELD_ANY, .off = offsetof(struct selector_doc, labels), .doc = "Labels and their values." },
    { .key = "matchExpressions", .type = FIELD_LIST, .off = offsetof(struct selector_doc, terms), .off_n = offsetof(struct selector_doc, n_terms), .max = 100, .inner = &requirement_shape, .doc = "Requirements." },
};
static SHAPE(selector_shape, "label_selector", struct selector_doc, selector_fields);
static const struct field rule_fields[] = {
    { .key = "apiGroups", .type = FIELD_ANY, .flags = FIELD_REQUIRED, .off = offsetof(struct rule_doc, groups), .doc = "\"\" is the core group." },
    { .key = "apiVersions", .type = FIELD_TEXTS, .flags = FIELD_REQUIRED, .off = offsetof(struct rule_doc, versions), .off_n = offsetof(struct rule_doc, n_versions), .min = 1, .max = 100, .doc = "v1, ..." },
    { .key = "operations", .type = FIELD_TEXTS, .flags = FIELD_REQUIRED, .off = offsetof(struct rule_doc, operations), .off_n = offsetof(struct rule_doc, n_operations), .min = 1, .max = 5, .doc = "CREATE, UPDATE, DELETE, CONNECT, *" },
    { .key = "resources", .type = FIELD_TEXTS, .flags = FIELD_REQUIRED, .off = offsetof(struct rule_doc, resources), .off_n = offsetof(struct rule_doc, n_resources), .min = 1, .max = 500, .doc = "pods, pods/*, */scale, ..." },
    TEXTS_F("resourceNames", struct rule_doc, names, n_names, "Objects by name; none: all."),
    TEXT_F("scope", struct rule_doc, scope, "Cluster, Namespaced, *"),
};
static SHAPE(rule_shape, "resource_rule", struct rule_doc, rule_fields);
static const struct field match_fields[] = {
    { .key = "resourceRules", .type = FIELD_LIST, .off = offsetof(struct match_resources_doc, rules), .off_n = offsetof(struct match_resources_doc, n_rules), .max = 200, .inner = &rule_shape, .doc = "What is matched." },
    { .key = "excludeResourceRules", .type = FIELD_LIST, .off = offsetof(struct match_resources_doc, excluded), .off_n = offsetof(struct match_resources_doc, n_excluded), .max = 200, .inner = &rule_shape, .doc = "What is not." },
    OBJECT_F("namespaceSelector", struct match_resources_doc, namespaces, selector_shape, "By labels of the namespace."),
    OBJECT_F("objectSelector", struct match_resources_doc, objects, selector_shape, "By labels of the object."),
    TEXT_F("matchPolicy", struct match_resources_doc, policy, "Exact, Equivalent"),
};
SHAPE(match_resources_shape, "match_resources", struct match_resources_doc, match_fields);

static void one_of(struct compiler *c, const char *path, const char *text, const char *words)
{
    size_t n = strlen(text);
    const char *found = strstr(words, text);

    if (n == 0 || found == NULL || found[n] != ' ' || (found != words && found[-1] != ' '))
        policy_wrong(c, path, arena_printf(c->arena, "expected one of %s", words));
}

/* ---- selectors --------------------------------------------------------------------------- */

static int operator_of(const char *text)
{
    static const char *const words[] = { "", "In", "NotIn", "Exists", "DoesNotExist" };

    for (int i = SELECTOR_IN; i <= SELECTOR_DOES_NOT_EXIST; i++) {
        if (str_eq(words[i], text))
            return i;
    }
    return SELECTOR_NONE;
}

static void read_requirement(struct compiler *c, const struct requirement_doc *d, const char *path, struct selector_term *t)
{
    *t = (struct selector_term){ .key = d->key, .op = operator_of(d->operator), .values = d->values, .n_values = d->n_values };
    bool wants_values = t->op == SELECTOR_IN || t->op == SELECTOR_NOT_IN;
    if (t->op == SELECTOR_NONE)
        policy_wrong(c, arena_printf(c->arena, "%s.operator", path), "expected one of In NotIn Exists DoesNotExist");
    else if (wants_values != (d->n_values > 0))
        policy_wrong(c, path, wants_values ? "In and NotIn need values" : "Exists and DoesNotExist take no values");
}

static void read_label(struct compiler *c, const struct json_member *m, const char *path, struct selector_term *t)
{
    const char **value = arena_array(c->arena, 1, sizeof *value);

    if (value == NULL) {
        c->failed = true;
        return;
    }
    if (m->value.type != JSON_STRING)
        policy_wrong(c, path, "expected texts as values");
    value[0] = json_str(&m->value, "");
    *t = (struct selector_term){ .key = m->key, .op = SELECTOR_IN, .values = value, .n_values = 1 };
}

static struct selector read_selector(struct compiler *c, const struct selector_doc *d, const char *path)
{
    if (d == NULL)
        return (struct selector){ 0 };
    uint32_t n_labels = json_n_members(d->labels);
    size_t n = n_labels + d->n_terms;
    struct selector_term *terms = arena_array(c->arena, n, sizeof *terms);
    if (terms == NULL) {
        c->failed = true;
        return (struct selector){ 0 };
    }
    const char *at = arena_printf(c->arena, "%s.matchLabels", path);
    if (d->labels != NULL && d->labels->type != JSON_OBJECT)
        policy_wrong(c, at, "expected keys and values");
    for (uint32_t i = 0; i < n_labels; i++)
        read_label(c, &d->labels->members[i], at, &terms[i]);
    for (size_t i = 0; i < d->n_terms; i++)
        read_requirement(c, &d->terms[i], arena_printf(c->arena, "%s.matchExpressions[%zu]", path, i), &terms[n_labels + i]);
    return (struct selector){ terms, n };
}

/* ---- rules --------------------------------------------------------------------------------- */

/* The core group is the empty text, which lists of texts refuse. */
static void read_groups(struct compiler *c, const struct json *groups, const char *path, struct resource_rule *r)
{
    const char **list = arena_array(c->arena, json_len(groups), sizeof *list);

    if (list == NULL) {
        c->failed = true;
        return;
    }
    if (json_len(groups) == 0 || json_len(groups) > 100)
        policy_wrong(c, path, "expected a list of 1 to 100 groups");
    for (uint32_t i = 0; i < json_len(groups); i++) {
        if (json_at(groups, i)->type != JSON_STRING)
            policy_wrong(c, path, "expected texts");
        list[i] = json_str(json_at(groups, i), "");
    }
    r->groups = list;
    r->n_groups = json_len(groups);
}

static void read_rule(struct compiler *c, const struct rule_doc *d, const char *path, struct resource_rule *r)
{
    *r = (struct resource_rule){ .versions = d->versions, .n_versions = d->n_versions, .operations = d->operations,
                                 .n_operations = d->n_operations, .resources = d->resources, .n_resources = d->n_resources,
                                 .names = d->names, .n_names = d->n_names, .scope = d->scope != NULL ? d->scope : "*" };
    read_groups(c, d->groups, arena_printf(c->arena, "%s.apiGroups", path), r);
    for (size_t i = 0; i < d->n_operations; i++)
        one_of(c, arena_printf(c->arena, "%s.operations[%zu]", path, i), d->operations[i], "CREATE UPDATE DELETE CONNECT * ");
    one_of(c, arena_printf(c->arena, "%s.scope", path), r->scope, "Cluster Namespaced * ");
}

static const struct resource_rule *read_rules(struct compiler *c, const struct rule_doc *docs, size_t n, const char *path)
{
    struct resource_rule *rules = arena_array(c->arena, n, sizeof *rules);

    if (rules == NULL) {
        c->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        read_rule(c, &docs[i], arena_printf(c->arena, "%s[%zu]", path, i), &rules[i]);
    return rules;
}

struct match_rules *match_compile(struct compiler *c, const struct match_resources_doc *d, const char *path)
{
    struct match_rules *m = arena_alloc(c->arena, sizeof *m);

    if (m == NULL) {
        c->failed = true;
        return NULL;
    }
    if (d->policy != NULL)
        one_of(c, arena_printf(c->arena, "%s.matchPolicy", path), d->policy, "Exact Equivalent ");
    m->rules = read_rules(c, d->rules, d->n_rules, arena_printf(c->arena, "%s.resourceRules", path));
    m->n_rules = m->rules != NULL ? d->n_rules : 0;
    m->excluded = read_rules(c, d->excluded, d->n_excluded, arena_printf(c->arena, "%s.excludeResourceRules", path));
    m->n_excluded = m->excluded != NULL ? d->n_excluded : 0;
    m->namespaces = read_selector(c, d->namespaces, arena_printf(c->arena, "%s.namespaceSelector", path));
    m->objects = read_selector(c, d->objects, arena_printf(c->arena, "%s.objectSelector", path));
    return m;
}
