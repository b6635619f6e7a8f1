/* admission.c - Kubernetes' rules for the answer hold for every review, hostile ones
 * included; what is judged and what is left alone. */
#include "tests/support/admission_pure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define POLICY(name, mode, rest) "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: " name "}\n" \
    "spec:\n  stages: [deploy]\n  mode: " mode "\n  validations:\n" rest
#define NO_HOST_NETWORK POLICY("network", "enforce", "    - name: host\n      expression: '!has(object.spec.hostNetwork) || !object.spec.hostNetwork'\n" \
                               "      message: the host network is shared\n      severity: high\n")
#define NO_LATEST POLICY("tags", "warn", "    - name: fixed\n      expression: '!object.metadata.name.startsWith(\"w\")'\n      message: the name begins with w\n")
#define NEVER POLICY("never", "enforce", "    - name: no\n      expression: '1 > 2'\n      message: nothing is let in\n")

static struct pure p;

static int set_up(void **state)
{
    (void)state;
    pure_init(&p);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pure_clear(&p);
    return 0;
}

/* ---- asking ------------------------------------------------------------------------- */

static const char *review(const char *version, const char *kind, const char *operation, const char *sub, const char *object, const char *old)
{
    static char text[64 << 10];

    snprintf(text, sizeof text,
             "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/%s\",\"request\":{\"uid\":\"u-1\",\"kind\":{\"group\":\"\","
             "\"version\":\"v1\",\"kind\":\"%s\"},\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"pods\"},\"subResource\":\"%s\","
             "\"name\":\"\",\"namespace\":\"shop\",\"operation\":\"%s\",\"userInfo\":{\"username\":\"ann\"},\"object\":%s,\"oldObject\":%s,"
             "\"dryRun\":false}}", version, kind, sub, operation, object, old);
    return text;
}

static const struct json *ask_raw(const char *text, size_t len, bool images)
{
    int rc = pure_review(&p, text, len, images);

    if (rc != 0)
        fprintf(stderr, "%s\n", p.err.msg);
    assert_int_equal(rc, 0);
    const char *wrong = rules_check(&p.doc, &p.said);
    if (wrong != NULL)
        fprintf(stderr, "%s\n%.2000s\n", wrong, p.text.ptr);
    assert_null(wrong);
    return &p.said;
}

static const struct json *ask(const char *text)
{
    return ask_raw(text, strlen(text), false);
}

static bool allowed(const struct json *answer)
{
    return json_bool(json_path(answer, "response.allowed"), false);
}

static const char *message(const struct json *answer)
{
    return json_str(json_path(answer, "response.status.message"), "");
}

static const char *noted(const struct json *answer, const char *key)
{
    return json_get_str(json_path(answer, "response.auditAnnotations"), key, "");
}

#define POD(rest) "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\"},\"spec\":{" rest "}}"
#define APP "\"containers\":[{\"name\":\"app\",\"image\":\"shop/web:1\"}]"
#define HOST "\"hostNetwork\":true," APP

static const struct json *create(const char *pod)
{
    return ask(review("v1", "Pod", "CREATE", "", pod, "null"));
}

/* ---- the answer ------------------------------------------------------------------------ */

static void refusal_carries_every_reason(void **state)
{
    (void)state;
    pure_policy(&p, NO_HOST_NETWORK);
    pure_policy(&p, NEVER);
    pure_policy(&p, NO_LATEST);
    const struct json *a = create(POD(HOST));
    assert_false(allowed(a));
    assert_non_null(strstr(message(a), "network/host: the host network is shared"));
    assert_non_null(strstr(message(a), "never/no: nothing is let in"));
    assert_null(strstr(message(a), "begins with w"));
    assert_string_equal(json_at(json_path(a, "response.warnings"), 0)->string, "tags/fixed: the name begins with w");
    assert_string_equal(noted(a, "verdict"), "denied");
    assert_string_equal(noted(a, "policy-version"), "7");
    assert_string_equal(noted(a, "rules"), "network/host, never/no");
}

static void version_is_the_one_asked_in(void **state)
{
    (void)state;
    pure_policy(&p, NEVER);
    const struct json *a = ask(review("v1beta1", "Pod", "CREATE", "", POD(APP), "null"));
    assert_string_equal(json_get_str(a, "apiVersion", ""), "admission.k8s.io/v1beta1");
    assert_false(allowed(a));
}

static void without_policies_everything_passes(void **state)
{
    (void)state;
    const struct json *a = create(POD(HOST));
    assert_true(allowed(a));
    assert_null(json_path(a, "response.status"));
    assert_null(json_path(a, "response.warnings"));
}

static void warnings_are_cut_on_characters_and_have_no_control_characters(void **state)
{
    (void)state;
    pure_policy(&p, POLICY("long", "warn",
        "    - name: a\n      expression: 'false'\n      message: \"line one\\nline two\\x7f\\u0085 \xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\"\n"
        "    - name: b\n      expression: 'false'\n      messageExpression: '\"\\u20ac\" + object.metadata.annotations.long'\n"));
    static char pod[4096], euros[1200];
    for (size_t i = 0; i + 3 < sizeof euros; i += 3)
        memcpy(euros + i, "\xE2\x82\xAC", 4);
    snprintf(pod, sizeof pod, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\",\"annotations\":{\"long\":\"%s\"}},\"spec\":{" APP "}}", euros);
    const struct json *a = create(pod);
    const struct json *w = json_path(a, "response.warnings");
    assert_true(allowed(a));
    assert_int_equal(json_len(w), 2);
    assert_non_null(strstr(json_at(w, 0)->string, "line one line two"));
    assert_int_equal(rules_chars(json_at(w, 1)->string), 120);
    assert_true(str_ends(json_at(w, 1)->string, "\xE2\x82\xAC..."));
}

static void many_warnings_stay_under_the_limit_and_say_so(void **state)
{
    (void)state;
    static char yaml[32 << 10];
    int n = snprintf(yaml, sizeof yaml, "%s", POLICY("many", "warn", ""));
    for (int i = 0; i < 90; i++)
        n += snprintf(yaml + n, sizeof yaml - (size_t)n, "    - name: r%d\n      expression: 'false'\n      message: '%d xxxxxxxxxxxxxxxxxxxx "
                      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx xxxxxxxxxxxxxxxxxxxx xxxxxxxxxxxxxxxxxxxxxxxxxxxx'\n", i, i);
    pure_policy(&p, yaml);
    const struct json *w = json_path(create(POD(APP)), "response.warnings");
    assert_in_range(json_len(w), 20, 60);
    assert_non_null(strstr(json_at(w, w->n - 1)->string, "more warnings are not shown"));
}

static void a_refusal_with_thousands_of_reasons_is_bounded(void **state)
{
    (void)state;
    static char yaml[64 << 10];
    for (int k = 0; k < 10; k++) {
        char head[256];
        snprintf(head, sizeof head, POLICY("many-%d", "enforce", ""), k);
        int n = snprintf(yaml, sizeof yaml, "%s", head);
        for (int i = 0; i < 100; i++)
            n += snprintf(yaml + n, sizeof yaml - (size_t)n, "    - name: r%d\n      expression: 'false'\n      message: 'wrong %d %d with a text of "
                          "some length that fills the message'\n", i, k, i);
        pure_policy(&p, yaml);
    }
    const struct json *a = create(POD(APP));
    assert_false(allowed(a));
    assert_non_null(strstr(message(a), " more"));
}

static void the_same_of_the_same_image_is_said_once(void **state)
{
    (void)state;
    pure_shipped(&p);
    const struct json *a = create(POD("\"containers\":[{\"name\":\"a\",\"image\":\"x:1\"},{\"name\":\"b\",\"image\":\"x:1\"},{\"name\":\"c\",\"image\":\"y:1\"}]"));
    assert_false(allowed(a));
    const char *first = strstr(message(a), "the image is missing");
    assert_non_null(first);
    assert_non_null(strstr(message(a), "container a, b (x:1)"));
    const char *second = strstr(first + 1, "the image is missing");
    assert_non_null(second);
    assert_null(strstr(second + 1, "the image is missing"));
    assert_string_equal(noted(a, "unknown-images"), "x:1, y:1");
}

static void what_is_only_audited_is_noted_and_refuses_nothing(void **state)
{
    (void)state;
    pure_policy(&p, POLICY("quiet", "audit", "    - {name: no, expression: 'false', message: m}\n"));
    pure_policy(&p, POLICY("quieter", "audit", "    - {name: no, expression: 'false', message: m}\n"));
    const struct json *a = create(POD(APP));
    assert_true(allowed(a));
    assert_string_equal(noted(a, "verdict"), "allowed");
    assert_string_equal(noted(a, "rules"), "");
    assert_string_equal(noted(a, "audited"), "quiet/no, quieter/no");
    assert_int_equal(json_len(json_path(a, "response.warnings")), 0);
}

#define VAP(name, key, value) "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: " name "}\nspec:\n" \
    "  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n" \
    "  auditAnnotations: [{key: " key ", valueExpression: " value "}]\n---\n" \
    "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: b}\nspec: {policyName: " name ", validationActions: [Audit]}\n"
#define LONG_NAME "a-name-of-a-policy-that-is-as-long-as-names-of-people-in-novels"

static void annotations_of_policies_have_keys_the_api_server_takes(void **state)
{
    (void)state;
    pure_policy(&p, VAP("who", "owner", "\"'team ' + object.metadata.name\""));
    pure_policy(&p, VAP(LONG_NAME, "owner", "\"'long'\""));
    const struct json *a = create(POD(APP));
    assert_true(allowed(a));
    assert_string_equal(noted(a, "who.owner"), "team web");
    assert_string_equal(noted(a, "annotation-1"), LONG_NAME "/owner: long");
}

static void known_images_are_noted_with_their_digests(void **state)
{
    (void)state;
    static const char digest[] = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct image_facts facts = { .image = { .digest = digest, .repository = "docker.io/shop/web", .has_scan = true, .is_signed = true,
                                            .scanned_ms = p.now_ms, .db_built_ms = p.now_ms, .team = "" } };
    p.facts = &facts;
    pure_policy(&p, POLICY("signed", "enforce", "    - name: signed\n      expression: image.signed\n      message: not signed\n"));
    const struct json *a = create(POD(APP));
    assert_true(allowed(a));
    assert_string_equal(noted(a, "digest-0"), digest);
    assert_non_null(strstr(noted(a, "resolved-by-tag"), "shop/web:1=sha256:aaaa"));
    p.facts = NULL;
}

/* ---- what is judged ----------------------------------------------------------------------- */

static void only_what_starts_or_changes_containers_is_judged(void **state)
{
    static const struct { const char *kind, *operation, *sub, *object, *old; bool judged; } rows[] = {
        { "Pod", "CREATE", "", POD(APP), "null", true },
        { "Pod", "DELETE", "", "null", POD(APP), false },
        { "PodExecOptions", "CONNECT", "exec", "{\"kind\":\"PodExecOptions\",\"apiVersion\":\"v1\"}", "null", false },
        { "Pod", "CREATE", "binding", POD(APP), "null", false },
        { "Pod", "CREATE", "eviction", POD(APP), "null", false },
        { "Pod", "UPDATE", "status", POD(APP), POD(HOST), false },
        { "Pod", "UPDATE", "", POD(HOST), POD(APP), false },
        { "Pod", "UPDATE", "", POD("\"containers\":[{\"name\":\"app\",\"image\":\"shop/web:2\"}]"), POD(APP), true },
        { "Pod", "UPDATE", "", POD("\"containers\":[{\"name\":\"app\",\"image\":\"shop/web:1\"},{\"name\":\"b\"}]"), POD(APP), true },
        { "Pod", "UPDATE", "ephemeralcontainers", POD(APP ",\"ephemeralContainers\":[{\"name\":\"debug\",\"image\":\"busybox\"}]"), POD(APP), true },
        { "Pod", "UPDATE", "resize", POD("\"containers\":[{\"name\":\"app\",\"image\":\"shop/web:1\",\"resources\":{}}]"), POD(APP), true },
        { "Pod", "UPDATE", "", POD(APP), "null", true },
        { "Pod", "UPDATE", "a-new-one", POD(HOST), "{}", true },
        { "ConfigMap", "CREATE", "", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}", "null", false },
        { "Pod", "CREATE", "", "null", "null", false },
        { "Pod", "CREATE", "", "[1]", "null", false },
        { "Pod", "", "", POD(APP), "null", false },
    };
    (void)state;
    pure_policy(&p, NEVER);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        bool let_in = allowed(ask(review("v1", rows[i].kind, rows[i].operation, rows[i].sub, rows[i].object, rows[i].old)));
        if (let_in == rows[i].judged)
            fprintf(stderr, "row %zu\n", i);
        assert_int_equal(let_in, !rows[i].judged);
    }
}

#define DEPLOYMENT(replicas, rest) "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":" replicas \
    ",\"template\":{\"metadata\":{\"annotations\":{\"keep.example/break-glass\":\"fire\"}},\"spec\":{" rest "}}}}"

static void controllers_are_warned_about_their_pods_refused(void **state)
{
    (void)state;
    pure_policy(&p, NEVER);
    const struct json *a = ask(review("v1", "Deployment", "CREATE", "", DEPLOYMENT("1", APP), "null"));
    assert_true(allowed(a));
    assert_string_equal(noted(a, "verdict"), "warned");
    assert_string_equal(json_at(json_path(a, "response.warnings"), 0)->string, "its pods would be refused: never/no: nothing is let in");
    p.refuse_controllers = true;
    assert_false(allowed(ask(review("v1", "Deployment", "CREATE", "", DEPLOYMENT("1", APP), "null"))));
}

static void scaling_a_controller_is_not_judged_its_template_is(void **state)
{
    (void)state;
    pure_policy(&p, NEVER);
    p.refuse_controllers = true;
    assert_true(allowed(ask(review("v1", "Deployment", "UPDATE", "", DEPLOYMENT("5", APP), DEPLOYMENT("1", APP)))));
    assert_false(allowed(ask(review("v1", "Deployment", "UPDATE", "", DEPLOYMENT("1", HOST), DEPLOYMENT("1", APP)))));
}

static void excluded_namespaces_are_left_alone(void **state)
{
    static const char *const list[] = { "kube-*", "shop" };
    (void)state;
    pure_policy(&p, NEVER);
    p.scope = (struct admission_scope){ list, 1 };
    assert_false(allowed(create(POD(APP))));
    p.scope.n_excluded = 2;
    const struct json *a = create(POD(APP));
    assert_true(allowed(a));
    assert_string_equal(noted(a, "untouched"), "excluded namespace");
}

/* ---- break-glass ------------------------------------------------------------------------------ */

#define GLASS(reason) "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\",\"annotations\":{\"keep.example/break-glass\":" reason \
    "}},\"spec\":{" APP "}}"

static void glass_breaks_only_where_it_may_and_with_a_reason(void **state)
{
    (void)state;
    pure_policy(&p, NEVER);
    assert_false(allowed(create(GLASS("\"fire in prod\""))));
    p.may_break_glass = true;
    assert_false(allowed(create(GLASS("\"  \""))));
    assert_false(allowed(create(GLASS("true"))));
    const struct json *a = create(GLASS("\"fire in\\nprod\""));
    assert_true(allowed(a));
    assert_string_equal(noted(a, "verdict"), "break_glass");
    assert_string_equal(noted(a, "break-glass"), "fire in prod");
    assert_string_equal(json_at(json_path(a, "response.warnings"), 0)->string, "Keep: allowed by break-glass, recorded: fire in prod");
}

static void glass_is_not_broken_where_nothing_is_refused(void **state)
{
    (void)state;
    p.may_break_glass = true;
    const struct json *a = create(GLASS("\"fire\""));
    assert_string_equal(noted(a, "verdict"), "allowed");
    assert_string_equal(noted(a, "break-glass"), "");
}

/* ---- image reviews ------------------------------------------------------------------------------ */

static void image_reviews_are_answered(void **state)
{
    static const char text[] = "{\"apiVersion\":\"imagepolicy.k8s.io/v1alpha1\",\"kind\":\"ImageReview\",\"spec\":{\"containers\":[{\"image\":\"a:v1\"},"
        "{\"image\":\"b@sha256:1\"}],\"annotations\":{\"keep.image-policy.k8s.io/break-glass\":\"night\"},\"namespace\":\"ns\"}}";
    (void)state;
    pure_policy(&p, POLICY("signed", "enforce", "    - name: signed\n      expression: image.signed\n      message: not signed\n"));
    const struct json *a = ask_raw(text, sizeof text - 1, true);
    assert_false(json_bool(json_path(a, "status.allowed"), true));
    assert_non_null(strstr(json_str(json_path(a, "status.reason"), ""), "signed/signed"));
    p.may_break_glass = true;
    assert_true(json_bool(json_path(ask_raw(text, sizeof text - 1, true), "status.allowed"), false));
}

/* ---- hostile ---------------------------------------------------------------------------------- */

static void what_is_no_review_is_refused_in_words(void **state)
{
    static const struct { const char *text, *says; } rows[] = {
        { "", "" }, { "{", "" }, { "[]", "$" }, { "null", "$" }, { "1", "$" }, { "{}", "kind" },
        { "{\"kind\":\"AdmissionReview\"}", "apiVersion" },
        { "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"}", "request" },
        { "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":null}", "request" },
        { "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v2\",\"request\":{}}", "admission.k8s.io/v2" },
        { "{\"kind\":\"ImageReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{}}", "$.kind" },
        { "{\"kind\":7,\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{}}", "$.kind" },
        { "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":[]}", "$.request" },
        { "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":7}}", "$.request.uid" },
        { "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"dryRun\":\"yes\"}}", "$.request.dryRun" },
        { "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"\xff\"}}", "" },
        { "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{}} x", "" },
    };
    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_int_equal(pure_review(&p, rows[i].text, strlen(rows[i].text), false), 1);
        if (strstr(p.err.msg, rows[i].says) == NULL)
            fprintf(stderr, "row %zu: %s\n", i, p.err.msg);
        assert_non_null(strstr(p.err.msg, rows[i].says));
    }
}

static void a_review_without_uid_is_answered_without(void **state)
{
    (void)state;
    pure_policy(&p, NEVER);
    const struct json *a = ask("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"operation\":\"CREATE\",\"object\":" POD(APP) "}}");
    assert_false(allowed(a));
    ask("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":null}}");
    ask("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{}}");
}

static void any_type_may_stand_anywhere_in_an_object(void **state)
{
    static const char *const values[] = { "null", "true", "7", "1e300", "\"x\"", "[]", "{}", "[[1],{\"image\":[]}]", "{\"name\":{}}",
        "[null,{\"name\":7,\"image\":{}},{\"image\":\"a\\u0000b\"},{\"image\":\"::::\"}]", "123456789012345678901234567890" };
    static const char *const places[] = { "metadata", "spec", "kind", "apiVersion", "extra" };
    static const char *const fields[] = { "containers", "initContainers", "ephemeralContainers", "volumes", "securityContext", "hostNetwork" };
    static char pod[1024];

    (void)state;
    pure_shipped(&p);
    pure_policy(&p, NO_HOST_NETWORK);
    for (size_t v = 0; v < N_ITEMS(values); v++) {
        for (size_t i = 0; i < N_ITEMS(places); i++) {
            bool is_kind = str_eq(places[i], "kind"), is_version = str_eq(places[i], "apiVersion");
            snprintf(pod, sizeof pod, "{\"%s\":%s%s%s}", places[i], values[v], is_kind ? "" : ",\"kind\":\"Pod\"", is_version ? "" : ",\"apiVersion\":\"v1\"");
            create(pod);
            ask(review("v1", "Pod", "UPDATE", "", pod, POD(APP)));
            ask(review("v1", "Pod", "UPDATE", "", POD(APP), pod));
        }
        for (size_t i = 0; i < N_ITEMS(fields); i++) {
            snprintf(pod, sizeof pod, "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":{\"%s\":%s}}", fields[i], values[v]);
            create(pod);
        }
    }
}

static void large_reviews_are_answered(void **state)
{
    struct buf b;

    (void)state;
    pure_shipped(&p);
    buf_init(&b, 16 << 20);
    buf_puts(&b, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"u\",\"operation\":\"CREATE\",\"object\":"
                 "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"big\",\"annotations\":{\"x\":\"");
    for (size_t i = 0; i < 3u << 20; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\"}},\"spec\":{\"containers\":[");
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "%s{\"name\":\"c%d\",\"image\":\"shop/web-%d:1\"}", i > 0 ? "," : "", i, i);
    buf_puts(&b, "]}}}}");
    const struct json *a = ask_raw(b.ptr, b.len, false);
    assert_false(allowed(a));
    buf_free(&b);
}

static void ten_thousand_containers_of_one_image_are_one_image(void **state)
{
    struct buf b;
    struct admission_image *images;
    size_t n;

    (void)state;
    pure_policy(&p, NEVER);
    buf_init(&b, 16 << 20);
    buf_puts(&b, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"initContainers\":[{\"name\":\"i\",\"image\":\"z\"}],\"containers\":[");
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "%s{\"name\":\"c%d\",\"image\":\"a\"}", i > 0 ? "," : "", i);
    buf_puts(&b, "]}}");
    struct buf whole;
    buf_init(&whole, 16 << 20);
    buf_printf(&whole, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"operation\":\"CREATE\",\"object\":%s}}", b.ptr);
    ask_raw(whole.ptr, whole.len, false);
    assert_int_equal(admission_images(&p.review, &p.arena, &images, &n, &p.err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(images[0].reference, "z");
    assert_string_equal(images[1].container, "c0, c1, c2 and 9997 more");
    buf_free(&b);
    buf_free(&whole);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(refusal_carries_every_reason), T(version_is_the_one_asked_in), T(without_policies_everything_passes),
        T(warnings_are_cut_on_characters_and_have_no_control_characters), T(many_warnings_stay_under_the_limit_and_say_so),
        T(a_refusal_with_thousands_of_reasons_is_bounded), T(the_same_of_the_same_image_is_said_once),
        T(known_images_are_noted_with_their_digests), T(what_is_only_audited_is_noted_and_refuses_nothing),
        T(annotations_of_policies_have_keys_the_api_server_takes), T(only_what_starts_or_changes_containers_is_judged),
        T(controllers_are_warned_about_their_pods_refused), T(scaling_a_controller_is_not_judged_its_template_is),
        T(excluded_namespaces_are_left_alone), T(glass_breaks_only_where_it_may_and_with_a_reason),
        T(glass_is_not_broken_where_nothing_is_refused), T(image_reviews_are_answered), T(what_is_no_review_is_refused_in_words),
        T(a_review_without_uid_is_answered_without), T(any_type_may_stand_anywhere_in_an_object), T(large_reviews_are_answered),
        T(ten_thousand_containers_of_one_image_are_one_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
