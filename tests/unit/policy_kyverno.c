/* Kyverno's ValidatingPolicy: generation for controllers, settings, refusals. */
#include "tests/support/policy_calls.h"

#define HEAD "apiVersion: policies.kyverno.io/v1alpha1\nkind: ValidatingPolicy\nmetadata: {name: p, annotations: {policies.kyverno.io/severity: high, policies.kyverno.io/title: T}}\nspec:\n"
#define PODS "  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n"
#define RULE "  validations: [{expression: \"object.spec.?hostPID.orValue(false) == false\", message: object.spec.hostPID is set}]\n"
#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {l: pod}}\nspec: {hostPID: true}\n"
#define OWNER(version, kind) "apiVersion: " version "\nkind: " kind "\nmetadata: {name: a, namespace: shop, labels: {l: owner}}\nspec: {template: {metadata: {labels: {l: pod}}, spec: {hostPID: true}}}\n"
#define CRON "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a, namespace: shop}\nspec: {jobTemplate: {spec: {template: {metadata: {labels: {l: pod}}, spec: {hostPID: true}}}}}\n"

static void a_policy_for_pods_speaks_of_their_controllers_too(void **state)
{
    struct asking *t = *state;
    const struct policy_info *info = compile(t, HEAD PODS RULE);

    assert_int_equal(info->mode, MODE_ENFORCE);                 /* Deny when nothing is said */
    assert_string_equal(info->title, "T");
    assert_string_equal(ask_object(t, POD), "fail");
    assert_string_equal(t->verdict.reasons[0].message, "object.spec.hostPID is set");
    assert_int_equal(t->verdict.reasons[0].severity, SEVERITY_HIGH);
    static const char *const owners[] = { OWNER("apps/v1", "Deployment"), OWNER("apps/v1", "DaemonSet"), OWNER("apps/v1", "StatefulSet"),
                                          OWNER("apps/v1", "ReplicaSet"), OWNER("batch/v1", "Job") };
    for (size_t i = 0; i < N_ITEMS(owners); i++) {
        assert_string_equal(ask_object(t, owners[i]), "fail");
        assert_string_equal(t->verdict.reasons[0].message, "object.spec.template.spec.hostPID is set");
    }
    assert_string_equal(ask_object(t, CRON), "fail");
    assert_string_equal(ask_object(t, OWNER("v1", "ReplicationController")), "skip");
}

static void only_named_controllers_are_generated(void **state)
{
    struct asking *t = *state;

    compile(t, HEAD "  autogen: {podControllers: {controllers: [deployments, cronjobs]}}\n" PODS RULE);
    assert_string_equal(ask_object(t, OWNER("apps/v1", "Deployment")), "fail");
    assert_string_equal(ask_object(t, OWNER("apps/v1", "DaemonSet")), "skip");
    assert_string_equal(ask_object(t, CRON), "fail");
    compile(t, HEAD "  autogen: {podControllers: {controllers: []}}\n" PODS RULE);
    assert_string_equal(ask_object(t, POD), "fail");
    assert_string_equal(ask_object(t, OWNER("apps/v1", "Deployment")), "skip");
    assert_non_null(strstr(compile(t, HEAD "  autogen: {podControllers: {controllers: [Deployment]}}\n" PODS RULE)->note, "it is ignored"));
    assert_string_equal(ask_object(t, OWNER("apps/v1", "Deployment")), "skip");
}

static void what_is_not_for_pods_alone_is_not_generated(void **state)
{
    struct asking *t = *state;
    static const char *const matches[] = {
        "{resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods, services]}]}",
        "{resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}], objectSelector: {matchLabels: {l: pod}}}",
        ("{resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}], "
         "excludeResourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods], resourceNames: [b]}]}"),
        "{resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods], resourceNames: [a]}]}",
        "{resourceRules: [{apiGroups: ['*'], apiVersions: [v1], operations: ['*'], resources: [pods]}]}",
    };

    for (size_t i = 0; i < N_ITEMS(matches); i++) {
        compile(t, arena_printf(&t->arena, HEAD "  matchConstraints: %s\n" RULE, matches[i]));
        assert_string_equal(ask_object(t, POD), "fail");
        assert_string_equal(ask_object(t, OWNER("apps/v1", "Deployment")), "skip");
    }
}

static void metadata_is_the_templates_but_the_namespace_is_not(void **state)
{
    struct asking *t = *state;

    compile(t, HEAD PODS "  validations: [{expression: \"object.metadata.labels.l == 'pod' && object.metadata.namespace == 'shop'\"}]\n");
    assert_string_equal(ask_object(t, POD), "pass");
    assert_string_equal(ask_object(t, OWNER("apps/v1", "Deployment")), "pass");
}

static void conditions_skip_and_actions_are_modes(void **state)
{
    struct asking *t = *state;

    compile(t, HEAD "  validationActions: [Audit]\n  matchConditions: [{name: shop, expression: \"request.namespace == 'shop'\"}]\n" PODS RULE);
    assert_string_equal(ask_object(t, POD), "fail");
    assert_int_equal(t->verdict.decision, DECISION_PASS);
    assert_int_equal(t->verdict.n_audited, 1);
    assert_string_equal(ask_object(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: other}\nspec: {hostPID: true}\n"), "skip");
    assert_int_equal(compile(t, HEAD "  validationActions: [Warn]\n" PODS RULE)->mode, MODE_WARN);
    assert_int_equal(compile(t, HEAD "  evaluation: {admission: {enabled: false}}\n" PODS RULE)->mode, MODE_AUDIT);
    assert_int_equal(compile(t, HEAD "  evaluation: {admission: {}, background: {enabled: true}}\n" PODS RULE)->mode, MODE_ENFORCE);
}

static void a_namespaced_policy_stays_in_its_namespace(void **state)
{
    struct asking *t = *state;
    static const char policy[] = "apiVersion: policies.kyverno.io/v1\nkind: NamespacedValidatingPolicy\nmetadata: {name: p, namespace: %s}\nspec:\n" PODS RULE;

    t->in.namespace = "shop";
    compile(t, arena_printf(&t->arena, policy, "shop"));
    assert_string_equal(ask_object(t, POD), "fail");
    compile(t, arena_printf(&t->arena, policy, "other"));
    assert_string_equal(ask_object(t, POD), "skip");
}

static void what_needs_cluster_network_or_registry_is_refused_by_name(void **state)
{
    struct asking *t = *state;
    static const struct { const char *expression, *says; } rows[] = {
        { "resource.Get('v1', 'configmaps', 'a', 'b').data.x == 'y'", "uses resource.Get: needs the cluster" },
        { "size(resource.List('v1', 'pods', '').items) > 1", "uses resource.List: needs the cluster" },
        { "http.Get('http://x').ok", "uses http.Get: needs the network" },
        { "globalContext.Get('x', '') == 1", "uses globalContext.Get: needs the cluster" },
        { "image.GetMetadata('x').config.Volumes == null", "uses image.GetMetadata: needs the registry" },
        { "image('a/b:c').registry() == 'a'", "uses image: is not supported" },
        { "images.containers.all(i, i == '')", "uses images.containers: is not supported" },
        { "time.now() > timestamp('2020-01-01T00:00:00Z')", "uses time.now: is not supported" },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        REFUSED(t, arena_printf(&t->arena, HEAD PODS "  validations: [{expression: \"%s\"}]\n", rows[i].expression), rows[i].says);
        REFUSED(t, arena_printf(&t->arena, HEAD PODS "  variables: [{name: v, expression: \"%s\"}]\n  validations: [{expression: variables.v}]\n",
                                rows[i].expression), "spec.variables[0].expression", rows[i].says);
    }
    /* fields, texts and comments of that name are none of it */
    compile(t, HEAD PODS "  validations: [{expression: \"object.spec.?rules.orValue([]).all(r, r.http.Get == 'resource.Get(') || 'it\\\\'s http.Get(' == ''\"}]\n");
    REFUSED(t, HEAD "  evaluation: {mode: JSON}\n" PODS RULE, "evaluation.mode: 5:22: only Kubernetes");
}

static void accounts_are_told_apart(void **state)
{
    struct asking *t = *state;

    compile(t, HEAD PODS "  validations: [{expression: \"parseServiceAccount(request.userInfo.username).Namespace == 'shop'\"}]\n");
    t->in.object = yaml_of(t, POD);
    static const char request[] = "{resource: {group: '', version: v1, resource: pods}, kind: {group: '', version: v1, kind: Pod}, operation: CREATE, "
                                  "namespace: shop, userInfo: {username: '%s'}}";
    t->in.request = yaml_of(t, arena_printf(&t->arena, request, "system:serviceaccount:shop:build"));
    assert_string_equal(ask(t), "pass");
    t->in.request = yaml_of(t, arena_printf(&t->arena, request, "shop"));
    assert_string_equal(ask(t), "fail");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, asking_open, asking_close)
    const struct CMUnitTest tests[] = {
        TEST(a_policy_for_pods_speaks_of_their_controllers_too), TEST(only_named_controllers_are_generated),
        TEST(what_is_not_for_pods_alone_is_not_generated), TEST(metadata_is_the_templates_but_the_namespace_is_not),
        TEST(conditions_skip_and_actions_are_modes), TEST(a_namespaced_policy_stays_in_its_namespace),
        TEST(what_needs_cluster_network_or_registry_is_refused_by_name), TEST(accounts_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
