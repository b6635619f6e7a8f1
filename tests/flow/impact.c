/* What a changed policy would change: images and recorded admissions are asked
 * again, and nothing is changed by asking. */
#include "tests/flow/upload.h"

static const char stricter[] =
    "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: few-packages, title: Images are small}\n"
    "spec:\n  stages: [build]\n  mode: %s\n  validations:\n"
    "    - {name: few, expression: image.packages < %d, message: too many packages, severity: low}\n";

static const struct json *impact(struct fixture *t, enum role role, const char *name, const char *document, int status)
{
    char path[200];
    struct ask ask = { "POST", path, keepd_token(&t->keepd, role), "Content-Type: text/yaml\r\n", document, strlen(document) };

    snprintf(path, sizeof path, "/v1/policies/%s/impact", name);
    struct reply r = client_send(&t->client, &ask);
    if (r.status != status)
        fail_msg("impact: expected %d, got %d: %.*s", status, r.status, (int)r.len, r.body);
    return client_json(&t->client, &r);
}

static int64_t number_at(const struct json *doc, const char *path)
{
    return json_int(json_path(doc, path), -1);
}

static void images_that_would_fail_are_counted_and_named(void **state)
{
    struct fixture *t = *state;
    char document[600];

    for (int i = 1; i <= 6; i++) {
        struct report_spec s = spec_of(i);
        s.repository = i <= 4 ? "shop.example/many" : "shop.example/few";
        s.packages = i <= 4 ? 20 : 3;
        s.findings = 1;
        upload(t, &s, 201);
    }
    snprintf(document, sizeof document, stricter, "enforce", 10);
    const struct json *r = impact(t, ROLE_POLICY, "few-packages", document, 200);
    assert_true(json_bool(json_get(r, "is_new"), false));
    assert_true(json_bool(json_get(r, "is_complete"), false));
    assert_int_equal(number_at(r, "images.examined"), 6);
    assert_int_equal(number_at(r, "images.newly_failing"), 4);
    assert_int_equal(number_at(r, "images.newly_passing"), 0);
    assert_int_equal(number_at(r, "images.unchanged"), 2);
    assert_int_equal(json_len(json_get(r, "examples")), 4);
    assert_string_equal(text_at(json_at(json_get(r, "groups"), 0), "repository"), "shop.example/many");
    assert_int_equal(number_at(json_at(json_get(r, "groups"), 0), "newly_failing"), 4);
    const struct json *reasons = json_get(json_at(json_get(r, "examples"), 0), "reasons");
    assert_string_equal(text_at(json_at(reasons, 0), "message"), "too many packages");
    assert_string_equal(decision_of(t, 1), "pass");                     /* only asked */
    snprintf(document, sizeof document, stricter, "warn", 10);
    assert_int_equal(number_at(impact(t, ROLE_ANALYST, "few-packages", document, 200), "images.newly_warned"), 4);
    snprintf(document, sizeof document, stricter, "audit", 10);
    assert_int_equal(number_at(impact(t, ROLE_ADMIN, "few-packages", document, 200), "images.unchanged"), 6);
}

static void a_document_that_is_no_policy_is_refused_with_its_places(void **state)
{
    struct fixture *t = *state;
    const struct json *r = impact(t, ROLE_POLICY, "few-packages",
        "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: few-packages}\nspec:\n  stages: [build]\n  mode: enforce\n  validations:\n"
        "    - {name: a, expression: image.pakages < 1}\n    - {name: b, expression: 1 +}\n", 400);

    assert_int_equal(json_len(json_get(r, "errors")), 2);
    const char *first = text_at(json_at(json_get(r, "errors"), 0), "detail");
    assert_non_null(strstr(first, "8:35: "));
    assert_non_null(strstr(first, "did you mean 'packages'"));
    impact(t, ROLE_POLICY, "another-name",
           "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: few-packages}\nspec: {stages: [build], mode: audit, validations: "
           "[{name: a, expression: 'true'}]}\n", 400);
    impact(t, ROLE_VIEWER, "few-packages", "x", 403);
}

static void review(struct fixture *t, int i, const char *kind, const char *image, bool wanted)
{
    static const char pod[] = "{\"containers\":[{\"name\":\"a\",\"image\":\"%s\"}]}";
    char body[1500], spec[300];

    snprintf(spec, sizeof spec, pod, image);
    bool is_pod = strcmp(kind, "Pod") == 0;
    snprintf(body, sizeof body,
             "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u-%d\","
             "\"kind\":{\"group\":\"%s\",\"version\":\"v1\",\"kind\":\"%s\"},\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"x\"},"
             "\"name\":\"app-%d\",\"namespace\":\"shop\",\"operation\":\"CREATE\",\"userInfo\":{\"username\":\"u\"},"
             "\"object\":{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"app-%d\",\"namespace\":\"shop\"},"
             "\"spec\":%s%s%s}}}",
             i, is_pod ? "" : "apps", kind, i, is_pod ? "v1" : "apps/v1", kind, i, is_pod ? "" : "{\"template\":{\"spec\":", spec,
             is_pod ? "" : "}}");
    const struct json *r = keepd_ask(&t->client, keepd_token(&t->keepd, ROLE_ADMISSION), "POST", "/v1/admission/validate", body, 200);
    assert_int_equal(json_bool(json_path(r, "response.allowed"), !wanted), wanted);
}

static void recorded_admissions_are_asked_again(void **state)
{
    static const char tags[] =
        "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: mutable-tags, title: T}\nspec:\n  stages: [deploy]\n  mode: enforce\n"
        "  validations:\n    - {name: latest, each: containers, expression: \"!item.image.endsWith(':latest')\", message: latest}\n";
    struct fixture *t = *state;
    static const char *const off[] = { "scan-age", "database-age", "trusted-scan", "serious-fixable", "known-exploited", "secrets-malware" };
    char path[200];

    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        snprintf(path, sizeof path, "/v1/policies/%s/disable", off[i]);
        send_json(t, "POST", path, NULL, 200);
    }
    for (int i = 0; i < 4; i++)
        review(t, i, "Pod", i % 2 == 0 ? "shop.example/app:latest" : "shop.example/app:1", true);
    review(t, 4, "Deployment", "shop.example/app:latest", true);
    const struct json *r = NULL;
    for (int i = 0; i < 100; i++) {                                       /* what was let in is recorded a little later */
        r = impact(t, ROLE_POLICY, "mutable-tags", tags, 200);
        if (number_at(r, "admissions.examined") == 5)
            break;
        nap_ms(100);
    }
    assert_int_equal(number_at(r, "admissions.examined"), 5);
    assert_int_equal(number_at(r, "admissions.newly_failing"), 2);        /* the Deployment is only warned about */
    assert_int_equal(number_at(r, "admissions.unchanged") + number_at(r, "admissions.reasons_changed"), 3);
    assert_int_equal(number_at(r, "images.examined"), 0);
    assert_string_equal(text_at(json_at(json_get(r, "groups"), 0), "namespace"), "shop");
    assert_non_null(strstr(text_at(json_at(json_get(r, "examples"), 0), "name"), "Pod shop/app-"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_that_would_fail_are_counted_and_named),
        cmocka_unit_test(a_document_that_is_no_policy_is_refused_with_its_places),
        cmocka_unit_test(recorded_admissions_are_asked_again),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
