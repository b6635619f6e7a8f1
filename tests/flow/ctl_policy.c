/* ctl_policy.c - keepctl policy: cases tried without a server, and what a change does. */
#include "tests/flow/ctl_fixture.h"

#define POLICY_HEAD "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: no-latest, title: No latest, description: d}\nspec:\n  stages: [build]\n  mode: "
#define POLICY_TAIL "\n  validations:\n    - {name: team, expression: \"image.repository != 'r.example/team/good'\", message: not this one, severity: low, remediation: move}\n"
#define CASE_HEAD "policies: [../latest.yaml]\nimage: {repository: r.example/team/good, has_scan: true, scanned_at: 2026-01-01T00:00:00Z}\nexpect: {decision: "

static void cases_are_run_and_explained_without_a_server(void **state)
{
    struct fixture *t = *state;
    char path[256];

    path_of(t, "try", path, sizeof path);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(t, "latest.yaml", POLICY_HEAD "enforce" POLICY_TAIL, 0644);
    write_file(t, "try/some.yaml", "this is no case", 0644);
    write_file(t, "try/cases.yaml", "name: right\n" CASE_HEAD "fail, reasons: [no-latest/team]}\n", 0644);
    expect(t, 0, RUN(t, WHO_ANYONE, "policy", "test", "try"));
    says(t, "ok try/cases.yaml:1: right");
    says(t, "1 case, 1 passed, 0 failed");
    write_file(t, "try/more-cases.yaml", "name: wrong <1>\n" CASE_HEAD "pass}\n", 0644);
    expect(t, 2, RUN(t, WHO_ANYONE, "policy", "test", "try", "-o", "table", "-o", "json=out.json", "-o", "junit=out.xml"));
    says(t, "not ok try/more-cases.yaml:1: wrong <1>");
    says(t, "expected pass, got fail");
    says(t, "\"r.example/team/good\"");
    char *json = read_file(t, "out.json"), *xml = read_file(t, "out.xml");
    assert_non_null(strstr(json, "\"total\":2,\"passed\":1,\"failed\":1"));
    assert_non_null(strstr(xml, "tests=\"2\" failures=\"1\""));
    assert_non_null(strstr(xml, "name=\"wrong &lt;1&gt;\">\n      <failure"));
    free(json);
    free(xml);
    expect(t, 1, RUN(t, WHO_ANYONE, "policy", "test", "nowhere"));
    write_file(t, "facts.yaml", "image: {repository: r.example/team/good}\n", 0644);
    expect(t, 0, RUN(t, WHO_ANYONE, "policy", "explain", "latest.yaml", "--case", "facts.yaml"));
    says(t, "these facts: fail");
    says(t, "image.repository != 'r.example/team/good'  =>  false");
    says(t, "=>  \"r.example/team/good\"");
    expect(t, 0, RUN(t, WHO_ANYONE, "policy", "explain", "serious-fixable", "--case", "facts.yaml"));
    says(t, "not known: a scan of the image");
    expect(t, 1, RUN(t, WHO_ANYONE, "policy", "explain", "latest.yaml"));
}

static void a_policy_is_tried_compared_and_stored(void **state)
{
    struct fixture *t = *state;

    upload(t, "good.json");
    write_file(t, "latest.yaml", POLICY_HEAD "enforce" POLICY_TAIL, 0644);
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "impact", "latest.yaml"));
    says(t, "policy no-latest (new)");
    says(t, "1 newly failing");
    says(t, "r.example/team/good: 1 newly failing");
    says(t, "team: not this one");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "impact", "latest.yaml", "-o", "json"));
    says(t, "\"is_new\": true");
    expect(t, 8, RUN(t, ROLE_ADMIN, "policy", "diff", "latest.yaml"));
    says(t, "--- server: no such policy");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "apply", "latest.yaml"));
    says(t, "created policy no-latest");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "diff", "latest.yaml"));
    write_file(t, "latest.yaml", POLICY_HEAD "warn" POLICY_TAIL, 0644);
    expect(t, 8, RUN(t, ROLE_ADMIN, "policy", "diff", "latest.yaml", "--impact"));
    says(t, "\n-  mode: enforce\n+  mode: warn\n");
    says(t, "1 newly passing");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "apply", "latest.yaml"));
    says(t, "changed policy no-latest");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "apply", "latest.yaml"));
    says(t, "unchanged policy no-latest");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "explain", "no-latest", "--image", DIGEST_B));
    says(t, "image.repository  =>  \"r.example/team/good\"");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "delete", "no-latest"));
    expect(t, 1, RUN(t, ROLE_ADMIN, "policy", "explain", "no-latest", "--image", DIGEST_B));
    upload(t, "bad.json");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "explain", "serious-fixable", "--image", DIGEST_A));
    says(t, "serious-fixable/fixable");
    says(t, "item.severity  =>  \"critical\"");
}

static void a_foreign_policy_and_its_binding_are_one(void **state)
{
    struct fixture *t = *state;

    write_file(t, "vap.yaml", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: few-replicas}\nspec:\n"
                              "  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}\n"
                              "  validations: [{expression: object.spec.replicas <= 5, message: too many}]\n---\n"
                              "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: few}\n"
                              "spec: {policyName: few-replicas, validationActions: [Deny]}\n", 0644);
    expect(t, 0, RUN(t, WHO_ANYONE, "policy", "lint", "vap.yaml"));
    says(t, "1 policy, 0 errors");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "apply", "vap.yaml"));
    says(t, "created policy few-replicas");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "diff", "vap.yaml"));
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "delete", "few-replicas"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_are_run_and_explained_without_a_server),
        cmocka_unit_test(a_policy_is_tried_compared_and_stored),
        cmocka_unit_test(a_foreign_policy_and_its_binding_are_one),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
