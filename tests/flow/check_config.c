/* POST /v1/check over HTTP: reasons with lines,
 * what is known of the images, and nothing that bad input could break. */
#include "tests/flow/upload.h"


static struct reply post(struct fixture *t, enum role role, const char *query, const char *text, size_t len)
{
    char path[200];
    struct ask ask = { "POST", path, keepd_token(&t->keepd, role), "Content-Type: application/yaml\r\n", text, len };

    snprintf(path, sizeof path, "/v1/check%s", query);
    return client_send(&t->client, &ask);
}

static const struct json *checked(struct fixture *t, const char *query, const char *text)
{
    struct reply r = post(t, ROLE_CI, query, text, strlen(text));

    if (r.status != 200)
        fail_msg("%d: %.*s", r.status, (int)(r.len < 500 ? r.len : 500), r.body);
    return client_json(&t->client, &r);
}

static const struct json *reason_of(const struct json *answer, const char *policy)
{
    const struct json *reasons = json_get(answer, "reasons");

    for (uint32_t i = 0; i < json_len(reasons); i++) {
        if (strcmp(json_get_str(json_at(reasons, i), "policy", ""), policy) == 0)
            return json_at(reasons, i);
    }
    return NULL;
}

static void manifest_is_judged_by_policies_and_known_images(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(1);
    char digest[72], text[500];

    s.findings = 5;                                 /* high and critical ones with a fix */
    upload(t, &s, 201);
    image_digest(1, digest);
    snprintf(text, sizeof text, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  hostNetwork: true\n  containers:\n  - name: app\n"
             "    image: shop.example/app@%s\n", digest);
    const struct json *answer = checked(t, "?name=pod.yaml", text);
    assert_string_equal(text_at(answer, "decision"), "fail");
    const struct json *image = reason_of(answer, "serious-fixable"), *pod = reason_of(answer, "pod-security-baseline");
    assert_non_null(image);
    assert_int_equal(json_int(json_get(image, "line"), 0), 8);
    assert_string_equal(json_get_str(image, "file", ""), "pod.yaml");
    assert_non_null(pod);
    assert_int_equal(json_int(json_get(pod, "line"), 0), 5);
    assert_null(reason_of(answer, "pod-security"));
}

static void unknown_image_is_not_passed(void **state)
{
    const struct json *answer = checked(*state, "?kind=compose", "services: {a: {image: 'shop.example/never:1'}}\n");

    assert_string_equal(text_at(answer, "decision"), "unknown");
    assert_non_null(reason_of(answer, "configuration"));
}

static void bad_input_is_the_callers_fault(void **state)
{
    static const struct { const char *query, *text; int status; } rows[] = {
        { "", "", 400 }, { "", "\xff\xfe", 400 }, { "", "hello: [", 400 }, { "", "just: text\n", 400 }, { "?kind=compose", "web: {image: x}\n", 400 },
        { "?kind=run", "docker run --nonsense x", 400 }, { "?kind=other", "a: b\n", 400 }, { "?kubernetes=9", "{apiVersion: v1, kind: Pod}", 400 },
        { "", "{apiVersion: v1, kind: Pod, spec: 7}", 200 }, { "", "{apiVersion: v1, kind: List, items: 7}", 200 },
        { "", "{services: {a: {image: 1, volumes: 7, ports: {a: b}, privileged: [1]}}}", 200 }, { "?kind=oci", "{}", 200 }, { "?kind=inspect", "[]", 200 },
    };
    struct fixture *t = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply r = post(t, ROLE_CI, rows[i].query, rows[i].text, strlen(rows[i].text));
        if (r.status != rows[i].status)
            fail_msg("%s %s: %d %.*s", rows[i].query, rows[i].text, r.status, (int)(r.len < 300 ? r.len : 300), r.body);
    }
}

static void many_containers(struct buf *b, int n)
{
    buf_puts(b, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[");
    for (int i = 0; i < n; i++)
        buf_printf(b, "%s{\"name\":\"c%d\",\"image\":\"x\",\"securityContext\":{\"privileged\":true}}", i > 0 ? "," : "", i);
    buf_puts(b, "]}}");
}

static void size_is_answered_not_suffered(void **state)
{
    struct fixture *t = *state;
    struct buf b;

    buf_init(&b, 8 << 20);
    many_containers(&b, 500);
    assert_int_equal(post(t, ROLE_CI, "", b.ptr, b.len).status, 200);
    buf_clear(&b);
    many_containers(&b, 10000);
    int status = post(t, ROLE_CI, "", b.ptr, b.len).status;
    assert_true(status == 200 || status == 413);
    buf_clear(&b);
    buf_putc(&b, '[');
    while (b.len < ((size_t)4 << 20) - 10)
        buf_puts(&b, "{},");
    buf_puts(&b, "{}]");
    assert_int_equal(post(t, ROLE_CI, "", b.ptr, b.len).status, 413);
    buf_free(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest_is_judged_by_policies_and_known_images), cmocka_unit_test(unknown_image_is_not_passed),
        cmocka_unit_test(bad_input_is_the_callers_fault), cmocka_unit_test(size_is_answered_not_suffered),
    };

    return cmocka_run_group_tests_name("configuration checks", tests, fixture_open, fixture_close);
}
