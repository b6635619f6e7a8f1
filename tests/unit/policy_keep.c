/* Our own policies: what is refused and where, what a pod is, explanations, the
 * offline runner. */
#include "core/facts_json.h"
#include "core/policy_test.h"
#include "tests/support/policy_calls.h"

#define HEAD "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  stages: [deploy]\n  mode: enforce\n"

static void every_mistake_is_said_at_once_with_line_and_column(void **state)
{
    struct asking *t = *state;

    REFUSED(t, HEAD "  mod: 1\n  variables: [{name: a, expression: itm}]\n  validations:\n    - name: One\n      expression: |\n        object.a &&\n"
                    "        // a comment of the expression\n        imag.tag == ''\n    - {name: b, expression: '''x'' == image.tga'}\n",
            "$.spec.mod: 7:8: unknown key (did you mean \"mode\"?)", "variables[0].expression: 8:37: unknown name 'itm'",
            "validations[0].name: 10:13: expected lower-case", "validations[0].expression: 14:9: unknown name 'imag'; did you mean 'image'?",
            "validations[1].expression: 15:45: image has no field 'tga'; did you mean 'tag'?");
}

static void places_are_found_in_folded_quoted_and_anchored_texts(void **state)
{
    struct asking *t = *state;

    REFUSED(t, HEAD "  validations:\n    - name: a\n      expression: &e >-\n\n        'a b' == 'c' ||\n\n        wrong\n", "13:9: unknown name 'wrong'");
    REFUSED(t, HEAD "  validations:\n    - name: a\n      expression: \"'\\u00e4' == 'x' || wrong\"\n", "9:");
    REFUSED(t, HEAD "  validations:\n    - name: a\n      expression: object.a ||\n        wrong\n", "10:9: unknown name 'wrong'");
    REFUSED(t, "{\"apiVersion\": \"keep/v1\", \"kind\": \"Policy\", \"metadata\": {\"name\": \"p\"},\n \"spec\": {\"stages\": [\"build\"], \"mode\": \"warn\",\n"
               "  \"validations\": [{\"name\": \"a\", \"expression\": \"true && wrong\"}]}}", "3:56: unknown name 'wrong'");
}

static void rules_about_pods_see_the_template_and_skip_what_bears_none(void **state)
{
    struct asking *t = *state;

    compile(t, HEAD "  validations: [{name: a, each: containers, expression: \"item.image != 'bad'\", message: m}]\n");
    assert_string_equal(ask_object(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"), "skip");
    assert_string_equal(ask_object(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: "
                                      "{initContainers: [{name: i, image: ok}], containers: [{name: c, image: bad}]}}}\n"), "fail");
    assert_string_equal(t->verdict.reasons[0].where, "$.spec.template.spec.containers[0] (c)");
    assert_string_equal(ask_object(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: 3}\n"), "unknown");
    assert_int_equal(t->verdict.decision, DECISION_UNKNOWN);
}

static void variables_of_items_are_not_kept_from_one_item_to_the_next(void **state)
{
    struct asking *t = *state;

    compile(t, HEAD "  variables: [{name: bad, expression: \"item.image == 'bad'\"}, {name: good, expression: '!variables.bad'}]\n"
                    "  validations: [{name: a, each: containers, expression: variables.good, message: m}]\n");
    assert_string_equal(ask_object(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: ok}, {name: b, image: bad}, {name: c, image: ok}]}\n"), "fail");
    assert_int_equal(t->verdict.n_reasons, 1);
    assert_string_equal(t->verdict.reasons[0].where, "$.spec.containers[1] (b)");
}

static void an_audit_policy_records_and_decides_nothing(void **state)
{
    struct asking *t = *state;

    compile(t, "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  stages: [deploy]\n  mode: audit\n"
               "  validations: [{name: a, expression: object.spec.x == 1}, {name: b, expression: object.none}]\n");
    ask_object(t, "apiVersion: v1\nkind: Pod\nspec: {x: 2}\n");
    assert_int_equal(t->verdict.decision, DECISION_PASS);
    assert_int_equal(t->verdict.n_reasons, 0);
    assert_int_equal(t->verdict.n_audited, 2);
}

static void an_explanation_shows_values_and_the_variables_they_rest_on(void **state)
{
    struct asking *t = *state;
    struct policy_explanation why;
    struct err err;

    compile(t, HEAD "  variables: [{name: limit, expression: object.spec.limit}]\n  validations: [{name: a, expression: object.spec.x < variables.limit}]\n");
    const struct policy *items[] = { t->policy };
    const struct policy_set set = { .items = items, .n = 1 };
    t->in.object = yaml_of(t, "apiVersion: v1\nkind: Pod\nspec: {x: 20, limit: 7}\n");
    assert_int_equal(policy_explain(&set, &t->in, &t->arena, &why, &err), 0);
    assert_int_equal(why.n, 1);
    assert_int_equal(why.results[0], POLICY_FAIL);
    assert_non_null(strstr(why.items[0].text, "object.spec.x < variables.limit  =>  false"));
    assert_non_null(strstr(why.items[0].text, "object.spec.x  =>  20"));
    assert_non_null(strstr(why.items[0].text, "variables.limit:\nobject.spec.limit  =>  7"));
}

static void hostile_objects_cost_little(void **state)
{
    struct asking *t = *state;
    struct buf b;

    compile(t, HEAD "  validations: [{name: a, each: containers, expression: item.image == 'x', message: m}]\n");
    buf_init(&b, 4 << 20);
    buf_puts(&b, "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [");
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "%s{\"image\": \"y\", \"env\": [{\"name\": \"A\"}]}", i > 0 ? "," : "");
    buf_puts(&b, "]}}");
    assert_string_equal(ask_object(t, b.ptr), "fail");
    assert_int_equal(t->verdict.n_reasons, 2000);
    buf_free(&b);
}

/* ---- the runner --------------------------------------------------------------------------- */

static int read_one(void *data, const char *name, struct arena *arena, struct bytes *out, struct err *err)
{
    (void)arena;
    if (strcmp(name, "p.yaml") != 0)
        return err_set(err, ERR_NOT_FOUND, "%s: no such file", name);
    *out = (struct bytes){ data, strlen(data) };
    return 0;
}

static void the_runner_compares_and_explains(void **state)
{
    static char policy[] = HEAD "  validations: [{name: small, expression: object.spec.x < 3, message: too big}]\n";
    static const char cases[] =
        "name: small passes\npolicies: [p.yaml]\nobject: {apiVersion: v1, kind: Pod, spec: {x: 1}}\nexpect: {decision: pass, reasons: []}\n"
        "---\nname: big fails\npolicies: [p.yaml]\nobject: {apiVersion: v1, kind: Pod, spec: {x: 5}}\n"
        "expect: {decision: fail, reasons: [{rule: p/small, message: too big, effect: fail}]}\n"
        "---\nname: wrong expectation\npolicies: [p.yaml]\nobject: {apiVersion: v1, kind: Pod, spec: {x: 5}}\nexpect: {decision: pass, reasons: [p/other]}\n"
        "---\nname: no such file\npolicies: [q.yaml]\nexpect: {decision: pass}\n"
        "---\nname: unknown key\npolicys: [p.yaml]\nexpect: {decision: pass}\n"
        "---\nname: an image\npolicy: {apiVersion: keep/v1, kind: Policy, metadata: {name: i}, spec: {stages: [build], mode: warn, "
        "validations: [{name: tag, expression: \"image.tag == 'x'\"}]}}\nimage: {tag: y}\nexpect: {decision: warn, reasons: [i/tag]}\n";
    struct asking *t = *state;
    struct policy_test_files files = { read_one, policy };
    struct policy_case *found;
    struct err err;
    size_t n;

    assert_int_equal(policy_test_run(cases, sizeof cases - 1, &files, NULL, 0, &t->arena, &found, &n, &err), 0);
    assert_int_equal(n, 6);
    static const bool passed[] = { true, true, false, false, false, true };
    for (size_t i = 0; i < n; i++)
        assert_int_equal(found[i].passed, passed[i]);
    assert_int_equal(found[2].n_differences, 3);              /* decision, one not found, one not expected */
    assert_non_null(strstr(found[2].explanation, "object.spec.x  =>  5"));
    assert_int_equal(found[2].line, 11);
    assert_non_null(strstr(found[3].differences[0], "q.yaml: no such file"));
    assert_non_null(strstr(found[4].differences[0], "policys: unknown key"));
}

static void facts_read_strictly_and_fill_what_is_not_said(void **state)
{
    struct asking *t = *state;
    struct image_facts f;
    struct err err;

    assert_int_equal(facts_from_json(yaml_of(t, "findings: [{vulnerability: CVE-1, severity: high, cvss: 9.8, epss: 0.5, fixed_version: '2'}]"), &t->arena, &f, &err), 0);
    assert_true(f.image.has_scan);
    assert_int_equal(f.findings[0].cvss, 98);
    assert_int_equal(f.findings[0].epss, 500000);
    assert_int_equal(f.image.counts.high, 1);
    assert_int_equal(facts_from_json(yaml_of(t, "{}"), &t->arena, &f, &err), 0);
    assert_false(f.image.has_scan);
    assert_int_equal(facts_from_json(yaml_of(t, "{findngs: []}"), &t->arena, &f, &err), -1);
    assert_non_null(strstr(err.msg, "did you mean \"findings\"?"));
}

static void lint_names_what_is_doubtful(void **state)
{
    static const char text[] = HEAD "  variables: [{name: unused, expression: '1'}]\n  validations: [{name: a, expression: object.x == 1}]\n";
    struct asking *t = *state;
    struct policy_lint lint;
    struct err err;

    assert_int_equal(policy_lint(text, sizeof text - 1, &t->arena, &lint, &err), 0);
    assert_non_null(lint.info);
    assert_int_equal(lint.n_notes, 4);                        /* no description, unused, no message, no remediation */
    assert_int_equal(policy_lint("a: [", 4, &t->arena, &lint, &err), 0);
    assert_null(lint.info);
    assert_int_equal(lint.complaints.n, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, asking_open, asking_close)
    const struct CMUnitTest tests[] = {
        TEST(every_mistake_is_said_at_once_with_line_and_column), TEST(places_are_found_in_folded_quoted_and_anchored_texts),
        TEST(rules_about_pods_see_the_template_and_skip_what_bears_none), TEST(variables_of_items_are_not_kept_from_one_item_to_the_next),
        TEST(an_audit_policy_records_and_decides_nothing), TEST(an_explanation_shows_values_and_the_variables_they_rest_on),
        TEST(hostile_objects_cost_little), TEST(the_runner_compares_and_explains), TEST(facts_read_strictly_and_fill_what_is_not_said),
        TEST(lint_names_what_is_doubtful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
