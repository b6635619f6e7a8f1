/* Which requests a policy is about: resources, scopes, names, selectors. */
#include "core/policy_internal.h"
#include "tests/support/policy_calls.h"

static const char *const all[] = { "*" };
static const char *const none_group[] = { "" }, *const v1[] = { "v1" };

static enum match_answer matches(const char *const *resources, size_t n, const char *scope, const struct policy_request *r)
{
    const struct resource_rule rule = { none_group, 1, v1, 1, all, 1, resources, n, NULL, 0, scope };
    const struct match_rules m = { .rules = &rule, .n_rules = 1 };

    return match_decide(&m, &(struct match_input){ .request = r });
}

static const struct policy_request pod = { "", "v1", "pods", "", "Pod", "CREATE", "a", "shop" },
    exec = { "", "v1", "pods", "exec", "PodExecOptions", "CONNECT", "a", "shop" },
    node = { "", "v1", "nodes", "", "Node", "UPDATE", "n", "" };

static void resources_and_subresources_are_told_apart(void **state)
{
    static const struct { const char *resource; bool pod, exec, node; } rows[] = {
        { "pods", true, false, false }, { "pods/exec", false, true, false }, { "pods/*", true, true, false }, { "*", true, false, true },
        { "*/exec", false, true, false }, { "*/*", true, true, true }, { "pod", false, false, false }, { "podss", false, false, false },
        { "", false, false, false }, { "/", false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_int_equal(matches(&rows[i].resource, 1, "*", &pod) == MATCH_YES, rows[i].pod);
        assert_int_equal(matches(&rows[i].resource, 1, "*", &exec) == MATCH_YES, rows[i].exec);
        assert_int_equal(matches(&rows[i].resource, 1, "*", &node) == MATCH_YES, rows[i].node);
    }
}

static void scope_is_the_namespaces(void **state)
{
    (void)state;
    assert_int_equal(matches(all, 1, "Namespaced", &pod), MATCH_YES);
    assert_int_equal(matches(all, 1, "Namespaced", &node), MATCH_NO);
    assert_int_equal(matches(all, 1, "Cluster", &pod), MATCH_NO);
    assert_int_equal(matches(all, 1, "Cluster", &node), MATCH_YES);
}

static void exclusions_win(void **state)
{
    static const char *const names[] = { "a" };
    const struct resource_rule any = { all, 1, all, 1, all, 1, all, 1, NULL, 0, "*" }, named = { all, 1, all, 1, all, 1, all, 1, names, 1, "*" };
    const struct match_rules m = { .rules = &any, .n_rules = 1, .excluded = &named, .n_excluded = 1 };

    (void)state;
    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &pod }), MATCH_NO);
    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &node }), MATCH_YES);
}

static void terms_hold_as_kubernetes_says(void **state)
{
    struct asking *t = *state;
    static const char *const ab[] = { "a", "b" };
    const struct json *labels = yaml_of(t, "{x: a, empty: ''}");
    static const struct { const char *key; int op; bool holds; } rows[] = {
        { "x", SELECTOR_IN, true }, { "y", SELECTOR_IN, false }, { "x", SELECTOR_NOT_IN, false }, { "y", SELECTOR_NOT_IN, true },
        { "empty", SELECTOR_IN, false }, { "empty", SELECTOR_EXISTS, true }, { "y", SELECTOR_EXISTS, false },
        { "y", SELECTOR_DOES_NOT_EXIST, true }, { "empty", SELECTOR_DOES_NOT_EXIST, false },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        const struct selector_term term = { rows[i].key, rows[i].op, ab, 2 };
        assert_int_equal(selector_matches(&(struct selector){ &term, 1 }, labels), rows[i].holds);
    }
    assert_true(selector_matches(&(struct selector){ 0 }, NULL));
}

static void either_object_may_have_the_labels(void **state)
{
    struct asking *t = *state;
    static const char *const a[] = { "a" };
    const struct selector_term term = { "x", SELECTOR_IN, a, 1 };
    const struct match_rules m = { .objects = { &term, 1 } };
    const struct json *with = yaml_of(t, "metadata: {labels: {x: a}}"), *without = yaml_of(t, "metadata: {}");

    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &pod, .object = without, .old_object = with }), MATCH_YES);
    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &pod, .object = without, .old_object = without }), MATCH_NO);
    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &pod }), MATCH_NO);
}

static void a_namespace_is_its_own_and_cluster_things_have_none(void **state)
{
    struct asking *t = *state;
    static const char *const a[] = { "a" };
    const struct selector_term term = { "x", SELECTOR_IN, a, 1 };
    const struct match_rules m = { .namespaces = { &term, 1 } };
    const struct policy_request ns = { "", "v1", "namespaces", "", "Namespace", "CREATE", "n", "n" };

    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &ns, .object = yaml_of(t, "metadata: {labels: {x: a}}") }), MATCH_YES);
    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &ns, .object = yaml_of(t, "metadata: {labels: {x: b}}") }), MATCH_NO);
    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &node }), MATCH_YES);
    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &pod }), MATCH_UNKNOWN);
    assert_int_equal(match_decide(&m, &(struct match_input){ .request = &pod, .namespace_labels_known = true }), MATCH_NO);
}

static void a_request_is_made_up_for_a_file(void **state)
{
    struct asking *t = *state;
    static const struct { const char *object, *group, *resource, *namespace; } rows[] = {
        { "{apiVersion: v1, kind: Pod, metadata: {name: a}}", "", "pods", "default" },
        { "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, namespace: n}}", "networking.k8s.io", "networkpolicies", "n" },
        { "{apiVersion: networking.k8s.io/v1, kind: Ingress}", "networking.k8s.io", "ingresses", "default" },
        { "{apiVersion: v1, kind: Endpoints}", "", "endpoints", "default" },
        { "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole}", "rbac.authorization.k8s.io", "clusterroles", "" },
        { "{apiVersion: v1, kind: Namespace, metadata: {name: x}}", "", "namespaces", "" },
        { "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway}", "gateway.networking.k8s.io", "gateways", "default" },
        { "{}", "", "", "default" }, { "[1]", "", "", "default" }, { "{kind: 3, apiVersion: [], metadata: 1}", "", "", "default" },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct policy_request r;
        struct err err;
        assert_int_equal(policy_request_of(yaml_of(t, rows[i].object), "CREATE", &t->arena, &r, &err), 0);
        assert_string_equal(r.group, rows[i].group);
        assert_string_equal(r.resource, rows[i].resource);
        assert_string_equal(r.namespace, rows[i].namespace);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, asking_open, asking_close)
    const struct CMUnitTest tests[] = {
        TEST(resources_and_subresources_are_told_apart), TEST(scope_is_the_namespaces), TEST(exclusions_win), TEST(terms_hold_as_kubernetes_says),
        TEST(either_object_may_have_the_labels), TEST(a_namespace_is_its_own_and_cluster_things_have_none), TEST(a_request_is_made_up_for_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
