/* ValidatingAdmissionPolicy and its bindings, as Kubernetes has them. */
#include "tests/support/policy_calls.h"

#define POLICY(spec) \
    "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: replicas.example}\nspec:\n" \
    "  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]}\n" spec
#define RULE "  validations: [{expression: object.spec.replicas <= 5, message: too many}]\n"
#define BINDING(name, spec) \
    "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: " name "}\n" \
    "spec: {policyName: replicas.example, " spec "}\n"
#define DENY BINDING("deny", "validationActions: [Deny]")
#define DEPLOYMENT(n) "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\nspec: {replicas: " n "}\n"

static void a_policy_with_its_binding_denies(void **state)
{
    struct asking *t = *state;
    const struct policy_info *info = compile(t, POLICY(RULE) DENY);

    assert_int_equal(info->kind, POLICY_VAP);
    assert_int_equal(info->mode, MODE_ENFORCE);
    assert_false(info->is_inert);
    assert_string_equal(ask_object(t, DEPLOYMENT("5")), "pass");
    assert_int_equal(t->verdict.decision, DECISION_PASS);
    assert_string_equal(ask_object(t, DEPLOYMENT("6")), "fail");
    assert_int_equal(t->verdict.decision, DECISION_FAIL);
    assert_string_equal(t->verdict.reasons[0].message, "too many");
    assert_string_equal(t->verdict.reasons[0].rule, "validation-1");
}

static void without_a_binding_a_policy_decides_nothing_and_says_so(void **state)
{
    struct asking *t = *state;
    const struct policy_info *info = compile(t, POLICY(RULE));

    assert_true(info->is_inert);
    assert_non_null(strstr(info->note, "no binding"));
    assert_string_equal(ask_object(t, DEPLOYMENT("6")), "skip");
}

static void the_strictest_binding_that_matches_decides(void **state)
{
    struct asking *t = *state;

    compile(t, POLICY(RULE) BINDING("audit", "validationActions: [Audit]")
            BINDING("warn", "validationActions: [Warn, Audit], matchResources: {namespaceSelector: {matchLabels: {env: test}}}")
            BINDING("deny", "validationActions: [Deny], matchResources: {namespaceSelector: {matchExpressions: [{key: env, operator: In, values: [prod]}]}}"));
    t->in.namespace_object = yaml_of(t, "metadata: {labels: {env: prod}}");
    ask_object(t, DEPLOYMENT("6"));
    assert_int_equal(t->verdict.decision, DECISION_FAIL);
    t->in.namespace_object = yaml_of(t, "metadata: {labels: {env: test}}");
    ask_object(t, DEPLOYMENT("6"));
    assert_int_equal(t->verdict.decision, DECISION_WARN);
    t->in.namespace_object = yaml_of(t, "metadata: {}");
    ask_object(t, DEPLOYMENT("6"));
    assert_int_equal(t->verdict.decision, DECISION_PASS);
    assert_int_equal(t->verdict.n_reasons, 0);
    assert_int_equal(t->verdict.n_audited, 1);
}

static void labels_nobody_sent_do_not_let_anything_through(void **state)
{
    struct asking *t = *state;

    compile(t, POLICY(RULE) BINDING("deny", "validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {env: prod}}}"));
    assert_string_equal(ask_object(t, DEPLOYMENT("6")), "fail");
    assert_int_equal(t->verdict.decision, DECISION_FAIL);
    assert_string_equal(t->verdict.missing[0], "the labels of the namespace");
    /* the name's label is known without */
    compile(t, POLICY(RULE) BINDING("deny", "validationActions: [Deny], matchResources: {namespaceSelector: "
                                            "{matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop]}]}}"));
    assert_string_equal(ask_object(t, DEPLOYMENT("6")), "skip");
}

static void other_resources_operations_and_versions_are_not_asked(void **state)
{
    struct asking *t = *state;

    compile(t, POLICY(RULE) DENY);
    assert_string_equal(ask_object(t, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec: {replicas: 9}\n"), "skip");
    assert_string_equal(ask_object(t, "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 9}\n"), "skip");
    t->in.object = yaml_of(t, DEPLOYMENT("9"));
    t->in.request = yaml_of(t, "{resource: {group: apps, version: v1, resource: deployments}, kind: {group: apps, version: v1, kind: Deployment}, operation: DELETE}");
    assert_string_equal(ask(t), "skip");
    t->in.request = yaml_of(t, "{resource: {group: apps, version: v1, resource: deployments}, kind: {group: apps, version: v1, kind: Deployment}, "
                               "operation: UPDATE, subResource: scale}");
    assert_string_equal(ask(t), "skip");
    t->in.request = yaml_of(t, "{resource: {group: apps, version: v1, resource: deployments}, kind: {group: apps, version: v1, kind: Deployment}, operation: UPDATE}");
    assert_string_equal(ask(t), "fail");
}

static void conditions_leave_out_and_their_errors_follow_the_failure_policy(void **state)
{
    struct asking *t = *state;

    compile(t, POLICY("  matchConditions: [{name: big, expression: object.spec.replicas > 100}]\n" RULE) DENY);
    assert_string_equal(ask_object(t, DEPLOYMENT("6")), "skip");
    assert_string_equal(ask_object(t, DEPLOYMENT("600")), "fail");
    compile(t, POLICY("  matchConditions: [{name: broken, expression: object.spec.nothing > 100}]\n" RULE) DENY);
    assert_string_equal(ask_object(t, DEPLOYMENT("6")), "error");
    assert_int_equal(t->verdict.decision, DECISION_UNKNOWN);
    assert_string_equal(t->verdict.reasons[0].rule, "broken");
    compile(t, POLICY("  failurePolicy: Ignore\n  matchConditions: [{name: broken, expression: object.spec.nothing > 100}]\n" RULE) DENY);
    ask_object(t, DEPLOYMENT("6"));
    assert_int_equal(t->verdict.decision, DECISION_PASS);
    /* one that is false outweighs one that is broken */
    compile(t, POLICY("  matchConditions: [{name: broken, expression: object.spec.nothing > 1}, {name: no, expression: object.spec.replicas > 9}]\n" RULE) DENY);
    assert_string_equal(ask_object(t, DEPLOYMENT("6")), "skip");
}

static void variables_are_lazy_and_see_those_before_them(void **state)
{
    struct asking *t = *state;

    compile(t, POLICY("  variables:\n    - {name: most, expression: '5'}\n    - {name: broken, expression: object.nothing.at.all}\n"
                      "    - {name: fits, expression: object.spec.replicas <= variables.most}\n"
                      "  validations: [{expression: variables.fits || variables.broken == 1, messageExpression: \"'most: ' + string(variables.most)\"}]\n") DENY);
    assert_string_equal(ask_object(t, DEPLOYMENT("5")), "pass");
    assert_string_equal(ask_object(t, DEPLOYMENT("6")), "error");
    REFUSED(t, POLICY("  variables:\n    - {name: a, expression: variables.b}\n    - {name: b, expression: '1'}\n" RULE) DENY, "variables");
}

static void audit_annotations_are_kept_beside_the_decision(void **state)
{
    struct asking *t = *state;

    compile(t, POLICY("  auditAnnotations: [{key: count, valueExpression: string(object.spec.replicas)}, "
                      "{key: none, valueExpression: \"object.spec.replicas > 1 ? null : 'x'\"}]\n") DENY);
    assert_string_equal(ask_object(t, DEPLOYMENT("6")), "pass");
    assert_int_equal(t->verdict.n_annotations, 1);
    assert_string_equal(t->verdict.annotations[0].key, "count");
    assert_string_equal(t->verdict.annotations[0].value, "6");
}

static void null_is_what_kubernetes_makes_null(void **state)
{
    struct asking *t = *state;

    compile(t, POLICY("  validations: [{expression: oldObject == null && params == null && request.operation == 'CREATE' && request.namespace == 'shop' "
                      "&& request.resource.resource == 'deployments'}]\n") DENY);
    assert_string_equal(ask_object(t, DEPLOYMENT("1")), "pass");
}

static void what_needs_the_cluster_is_refused_by_name(void **state)
{
    struct asking *t = *state;

    REFUSED(t, POLICY(RULE) BINDING("p", "validationActions: [Deny], paramRef: {name: x}"), "uses paramRef: needs the cluster");
    REFUSED(t, POLICY("  validations: [{expression: \"authorizer.path('/x').check('get').allowed()\"}]\n") DENY, "uses authorizer: needs the cluster");
    compile(t, POLICY("  validations: [{expression: \"object.authorizer == 'authorizer.x' || ['a'].exists(a, a.startsWith('authorizer'))\"}]\n") DENY);
}

static void every_mistake_is_said_at_once_with_its_place(void **state)
{
    struct asking *t = *state;

    REFUSED(t, POLICY("  failurePolicy: Igore\n  validations:\n    - expression: >-\n        object.spec.replicas > 1 &&\n        requests.name == 'x'\n"
                      "    - {expression: object.spec.replicas + 1, reason: Because}\n") DENY,
            "failurePolicy: 6:18: expected one of Fail Ignore",
            "validations[0].expression: 10:9: unknown name 'requests'; did you mean 'request'?",
            "validations[1].reason: 11:54: expected one of Unauthorized");
    REFUSED(t, POLICY(RULE) BINDING("x", "validationActions: [Deny, Warn]"), "Deny and Warn together");
    REFUSED(t, POLICY(RULE) BINDING("x", "validationActions: [Denie]"), "expected one of Deny Warn Audit");
    REFUSED(t, POLICY("  validation: []\n" RULE) DENY, "unknown key (did you mean \"validations\"?)");
    REFUSED(t, "---\n" POLICY(RULE) "---\n" POLICY(RULE), "a second policy");
    REFUSED(t, "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: x}\n"
               "spec: {policyName: y, validationActions: [Deny]}\n", "a binding without its policy");
    REFUSED(t, POLICY(RULE) "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: x}\n"
               "spec: {policyName: other, validationActions: [Deny]}\n", "names other, but the policy here is replicas.example");
    REFUSED(t, "apiVersion: v1\nkind: ConfigMap\n", "expected Policy (keep/v1)");
    REFUSED(t, "apiVersion: keep/v2\nkind: Policy\n", "expected keep/v1 for kind Policy");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, asking_open, asking_close)
    const struct CMUnitTest tests[] = {
        TEST(a_policy_with_its_binding_denies), TEST(without_a_binding_a_policy_decides_nothing_and_says_so),
        TEST(the_strictest_binding_that_matches_decides), TEST(labels_nobody_sent_do_not_let_anything_through),
        TEST(other_resources_operations_and_versions_are_not_asked), TEST(conditions_leave_out_and_their_errors_follow_the_failure_policy),
        TEST(variables_are_lazy_and_see_those_before_them), TEST(audit_annotations_are_kept_beside_the_decision),
        TEST(null_is_what_kubernetes_makes_null), TEST(what_needs_the_cluster_is_refused_by_name),
        TEST(every_mistake_is_said_at_once_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
