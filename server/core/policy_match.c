/* policy_match.c - does a request concern a policy: Kubernetes' MatchResources.
 *
 * Group, version and resource are compared as the request has them; matchPolicy
 * Equivalent is the webhook registration's business, which converts before it
 * asks.  Pure. */
#include "core/policy_internal.h"

#include <string.h>

static bool in_list(const char *const *list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(list[i], "*") || str_eq(list[i], text))
            return true;
    }
    return false;
}

/* "pods" and "*" mean no subresource; a star before or after a slash means any, also none. */
static bool is_resource(const char *rule, const struct policy_request *r)
{
    const char *slash = strchr(rule, '/');
    size_t n = slash != NULL ? (size_t)(slash - rule) : strlen(rule);
    bool resource = (n == 1 && rule[0] == '*') || (strlen(r->resource) == n && memcmp(rule, r->resource, n) == 0);

    if (slash == NULL)
        return resource && r->subresource[0] == '\0';
    return resource && (str_eq(slash + 1, "*") || str_eq(slash + 1, r->subresource));
}

static bool scope_fits(const char *scope, const struct policy_request *r)
{
    if (str_eq(scope, "Cluster"))
        return r->namespace[0] == '\0' || str_eq(r->kind, "Namespace");
    return str_eq(scope, "*") || (r->namespace[0] != '\0' && !str_eq(r->kind, "Namespace"));
}

static bool rule_matches(const struct resource_rule *rule, const struct policy_request *r)
{
    bool found = false;

    for (size_t i = 0; i < rule->n_resources && !found; i++)
        found = is_resource(rule->resources[i], r);
    return found && in_list(rule->groups, rule->n_groups, r->group) && in_list(rule->versions, rule->n_versions, r->version) &&
           in_list(rule->operations, rule->n_operations, r->operation) && scope_fits(rule->scope, r) &&
           (rule->n_names == 0 || in_list(rule->names, rule->n_names, r->name));
}

static bool any_matches(const struct resource_rule *rules, size_t n, const struct policy_request *r)
{
    for (size_t i = 0; i < n; i++) {
        if (rule_matches(&rules[i], r))
            return true;
    }
    return false;
}

/* ---- labels ------------------------------------------------------------------------- */

static bool term_holds(const struct selector_term *t, const char *value)
{
    bool among = false;

    for (size_t i = 0; value != NULL && i < t->n_values && !among; i++)
        among = str_eq(t->values[i], value);
    switch ((enum selector_op)t->op) {
    case SELECTOR_IN:             return among;
    case SELECTOR_NOT_IN:         return !among;             /* also when the label is not there */
    case SELECTOR_EXISTS:         return value != NULL;
    case SELECTOR_DOES_NOT_EXIST: return value == NULL;
    case SELECTOR_NONE:           break;
    }
    return false;
}

bool selector_matches(const struct selector *s, const struct json *labels)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!term_holds(&s->terms[i], json_str(json_get(labels, s->terms[i].key), NULL)))
            return false;
    }
    return true;
}

/* Kubernetes gives every namespace a label with its name: that one is known even
 * when the namespace itself was not sent. */
static enum match_answer by_name_only(const struct selector *s, const char *namespace)
{
    enum match_answer answer = MATCH_YES;

    for (size_t i = 0; i < s->n; i++) {
        if (!str_eq(s->terms[i].key, "kubernetes.io/metadata.name"))
            answer = MATCH_UNKNOWN;
        else if (!term_holds(&s->terms[i], namespace))
            return MATCH_NO;
    }
    return answer;
}

/* Labels with the name's label added where it is missing. */
static enum match_answer namespace_matches(const struct selector *s, const struct match_input *in)
{
    const struct policy_request *r = in->request;
    bool is_namespace = str_eq(r->kind, "Namespace") && r->group[0] == '\0';

    if (s->n == 0)
        return MATCH_YES;
    const struct json *object = in->object != NULL && in->object->type == JSON_OBJECT ? in->object : in->old_object;
    if (is_namespace)
        return selector_matches(s, json_path(object, "metadata.labels")) ? MATCH_YES : MATCH_NO;
    if (r->namespace[0] == '\0')
        return MATCH_YES;                                    /* scoped to the cluster: never left out */
    if (!json_is(in->namespace_object, JSON_OBJECT) && !in->namespace_labels_known)
        return by_name_only(s, r->namespace);
    const struct json *labels = json_path(in->namespace_object, "metadata.labels");
    for (size_t i = 0; i < s->n; i++) {
        const char *value = json_str(json_get(labels, s->terms[i].key), NULL);
        if (value == NULL && str_eq(s->terms[i].key, "kubernetes.io/metadata.name"))
            value = r->namespace;
        if (!term_holds(&s->terms[i], value))
            return MATCH_NO;
    }
    return MATCH_YES;
}

/* Either the object before or after. */
static bool object_matches(const struct selector *s, const struct match_input *in)
{
    if (s->n == 0)
        return true;
    return (json_is(in->object, JSON_OBJECT) && selector_matches(s, json_path(in->object, "metadata.labels"))) ||
           (json_is(in->old_object, JSON_OBJECT) && selector_matches(s, json_path(in->old_object, "metadata.labels")));
}

enum match_answer match_decide(const struct match_rules *m, const struct match_input *in)
{
    if (m == NULL)
        return MATCH_YES;
    if (m->n_rules > 0 && !any_matches(m->rules, m->n_rules, in->request))
        return MATCH_NO;
    if (any_matches(m->excluded, m->n_excluded, in->request) || !object_matches(&m->objects, in))
        return MATCH_NO;
    return namespace_matches(&m->namespaces, in);
}
