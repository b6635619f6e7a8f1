/* Kubernetes manifests as configuration: what is found, where, and what defaults do. */
#include "tests/unit/config_fixture.h"

static void every_document_and_list_is_judged(void **state)
{
    (void)state;
    check(CONFIG_AUTO, "# two pods, a service, an empty document\n"
                       "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostPID: true\n"
                       "---\n---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
                       "---\napiVersion: v1\nkind: List\nitems:\n"
                       "- apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: d, namespace: n}\n  spec:\n    template:\n      spec:\n        hostIPC: true\n");
    assert_int_equal(now.answer.objects, 2);
    assert_int_equal(now.answer.passed_over, 1);
    assert_int_equal(count("hostNamespaces", DECISION_FAIL), 2);
    assert_string_equal(now.config.objects[1].name, "Deployment n/d");
    assert_at("hostNamespaces", DECISION_FAIL, 6, "$.spec.hostPID");
    assert_string_equal(now.answer.reasons[1].path, "$.items[0].spec.template.spec.hostIPC");
    assert_int_equal(now.answer.reasons[1].line, 22);
    assert_int_equal(now.answer.reasons[1].column, 18);
}

static void items_of_a_pod_list_are_pods(void **state)
{
    (void)state;
    check(CONFIG_AUTO, "{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"items\":[{\"metadata\":{\"name\":\"p\"},\"spec\":{\"hostNetwork\":true}}]}");
    assert_int_equal(now.answer.objects, 1);
    assert_non_null(reason("hostNamespaces"));
}

static void plain_yes_is_true_and_quoted_yes_is_no_boolean(void **state)
{
    (void)state;
    check(CONFIG_KUBERNETES, "{apiVersion: v1, kind: Pod, metadata: {name: on}, spec: {containers: [{name: yes, securityContext: {privileged: yes}}]}}");
    assert_non_null(reason("privileged"));
    assert_null(reason("malformed"));
    check(CONFIG_KUBERNETES, "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, securityContext: {privileged: 'yes'}}]}}");
    assert_null(reason("privileged"));
    assert_int_equal(reason("malformed")->effect, DECISION_FAIL);
    check(CONFIG_KUBERNETES, "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, securityContext: {privileged: off}}]}}");
    assert_null(reason("privileged"));
}

static void policies_see_the_defaults_of_the_api(void **state)
{
    (void)state;
    check(CONFIG_KUBERNETES, "{apiVersion: v1, kind: Pod, spec: {hostNetwork: true, dnsPolicy: null, volumes: [{name: v}], "
                             "containers: [{name: a, image: 'x:1', securityContext: {privileged: null}, ports: [{containerPort: 80}]}, {name: b, image: x}]}}");
    const struct json *spec = json_get(now.config.objects[0].object, "spec"), *containers = json_get(spec, "containers");
    assert_string_equal(json_get_str(spec, "restartPolicy", ""), "Always");
    assert_string_equal(json_get_str(spec, "dnsPolicy", ""), "ClusterFirst");
    assert_null(json_get(json_get(json_at(containers, 0), "securityContext"), "privileged"));
    assert_non_null(json_get(json_at(json_get(spec, "volumes"), 0), "emptyDir"));
    assert_int_equal(json_int(json_get(json_at(json_get(json_at(containers, 0), "ports"), 0), "hostPort"), 0), 80);
    assert_string_equal(json_get_str(json_at(containers, 0), "imagePullPolicy", ""), "IfNotPresent");
    assert_string_equal(json_get_str(json_at(containers, 1), "imagePullPolicy", ""), "Always");
    assert_int_equal(now.config.objects[0].n_images, 2);
    assert_string_equal(now.config.objects[0].images[1].reference, "x");
}

static void what_is_no_manifest_is_refused_with_a_word(void **state)
{
    (void)state;
    assert_refused(CONFIG_KUBERNETES, "hello: world\n", "apiVersion or kind is missing");
    assert_refused(CONFIG_AUTO, "spec: {{ .Values.x }}\nkind: [\n", "template");
    assert_refused(CONFIG_AUTO, "hello: world\n", "neither Kubernetes");
    assert_refused(CONFIG_AUTO, "", "neither Kubernetes");
    assert_refused(CONFIG_AUTO, "a: b\na: c\n", "f: ");
}

/* ---- policies ------------------------------------------------------------------------- */

static const char policy_text[] =
    "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: own}\nspec:\n  stages: [deploy]\n  mode: enforce\n  unknown: deny\n  validations:\n"
    "    - {name: labelled, expression: \"has(object.metadata.labels)\", message: no labels, severity: high, remediation: label it}\n"
    "    - {name: scanned, expression: \"image.scan_age <= limits.scan_age\", message: old}\n";

static void policies_are_asked_and_missing_facts_are_unknown(void **state)
{
    static const char pod[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: app\n    image: shop/app:1\n";
    struct config_file file = { "pod.yaml", pod, sizeof pod - 1 };
    struct policy *policy = NULL;

    (void)state;
    assert_int_equal(policy_compile(policy_text, sizeof policy_text - 1, &now.arena, NULL, &policy, &now.err), 0);
    const struct policy *items[] = { policy };
    struct policy_set set = { .items = items, .n = 1, .version = 7 };
    struct config_judge how = { .policies = &set, .no_pod_security = true };
    assert_int_equal(read_files(CONFIG_AUTO, &file, 1, NULL, NULL), 0);
    assert_int_equal(config_judge(&now.config, &how, &now.arena, &now.answer, &now.err), 0);
    assert_int_equal(now.answer.policy_version, 7);
    assert_int_equal(now.answer.n_reasons, 2);
    assert_at("labelled", DECISION_FAIL, 1, "$");
    assert_string_equal(reason("labelled")->policy, "own");
    assert_string_equal(reason("labelled")->remediation, "label it");
    assert_at("scanned", DECISION_UNKNOWN, 7, "$");
    assert_int_equal(reason("scanned")->column, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_document_and_list_is_judged), TEST(items_of_a_pod_list_are_pods), TEST(plain_yes_is_true_and_quoted_yes_is_no_boolean),
        TEST(policies_see_the_defaults_of_the_api), TEST(what_is_no_manifest_is_refused_with_a_word),
        TEST(policies_are_asked_and_missing_facts_are_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
