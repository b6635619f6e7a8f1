/* k8s.c - what is printed for a cluster is whole, and what is wrong with it is seen. */
#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "base/x509.h"
#include "ctl/k8s_manifest.h"
#include "wire/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define T0 INT64_C(1796000000000)

static struct arena arena;
static struct err err;
static struct buf out, ca;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    buf_init(&out, 1 << 20);
    buf_init(&ca, 1 << 20);
    struct buf pair = { .max = 1 << 20 };
    assert_int_equal(x509_make_ca("CA", T0, T0 + 100 * MS_DAY, &pair, &err), 0);
    assert_int_equal(x509_certificate(pair.ptr, &ca, &err), 0);
    buf_free(&pair);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    buf_free(&out);
    buf_free(&ca);
    return 0;
}

static struct k8s_manifest usual(void)
{
    return (struct k8s_manifest){ .enforce = true, .url = "https://keep.example.org:8470", .ca = ca.ptr, .cluster = "prod", .namespace = "keep" };
}

/* The documents of a manifest; the last is the configuration. */
static const struct json *write_docs(const struct k8s_manifest *m, size_t *n)
{
    const struct json *docs;

    buf_clear(&out);
    if (k8s_manifest_write(m, &out, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(yaml_parse_all(&arena, out.ptr, out.len, NULL, 20, &docs, n, &err), 0);
    return docs;
}

static const struct json *configuration(const struct k8s_manifest *m)
{
    size_t n;
    const struct json *docs = write_docs(m, &n);

    assert_string_equal(json_get_str(&docs[n - 1], "kind", ""), "ValidatingWebhookConfiguration");
    return &docs[n - 1];
}

static unsigned problems(const struct json *doc, const char *trusted, int64_t now)
{
    buf_clear(&out);
    return k8s_status_write(doc, trusted, now, &out);
}

static void what_is_printed_is_what_status_wants(void **state)
{
    struct k8s_manifest m = usual();

    (void)state;
    for (int i = 0; i < 4; i++) {
        m.enforce = (i & 1) != 0;
        m.service = (i & 2) != 0;
        m.url = m.service ? "https://192.0.2.7:8470" : "https://keep.example.org";
        const struct json *c = configuration(&m);
        if (problems(c, ca.ptr, T0 + MS_DAY) != 0)
            fail_msg("%s", out.ptr);
    }
}

static void only_pods_in_enforce_may_stand_in_the_way(void **state)
{
    struct k8s_manifest m = usual();

    (void)state;
    const struct json *hooks = json_get(configuration(&m), "webhooks");
    assert_int_equal(json_len(hooks), 2);
    assert_string_equal(json_get_str(json_at(hooks, 0), "failurePolicy", ""), "Fail");
    assert_string_equal(json_get_str(json_at(hooks, 1), "failurePolicy", ""), "Ignore");
    assert_string_equal(json_str(json_path(json_at(hooks, 0), "clientConfig.url"), ""), "https://keep.example.org:8470/v1/admission/validate/prod");
    assert_int_equal(json_int(json_get(json_at(hooks, 0), "timeoutSeconds"), 0), 3);
    m.enforce = false;
    hooks = json_get(configuration(&m), "webhooks");
    assert_string_equal(json_get_str(json_at(hooks, 0), "failurePolicy", ""), "Ignore");
    assert_string_equal(json_str(json_path(json_at(hooks, 0), "clientConfig.url"), ""), "https://keep.example.org:8470/v1/admission/audit/prod");
}

static void a_service_brings_its_endpoints(void **state)
{
    struct k8s_manifest m = usual();
    size_t n;

    (void)state;
    m.service = true;
    m.url = "https://[2001:db8::7]:8470";
    const struct json *docs = write_docs(&m, &n);
    assert_int_equal(n, 4);
    assert_string_equal(json_get_str(&docs[1], "kind", ""), "Service");
    assert_string_equal(json_get_str(&docs[2], "kind", ""), "EndpointSlice");
    assert_string_equal(json_get_str(&docs[2], "addressType", ""), "IPv6");
    assert_int_equal(json_int(json_get(json_at(json_get(&docs[2], "ports"), 0), "port"), 0), 8470);
    assert_string_equal(json_at(json_get(json_at(json_get(&docs[2], "endpoints"), 0), "addresses"), 0)->string, "2001:db8::7");
}

static void bad_input_is_refused_and_never_printed(void **state)
{
    static const char *const urls[] = { NULL, "", "http://keep.example.org", "https://", "https://a b", "https://a:0", "https://a:99999", "https://a/x",
        "https://a?x=1", "https://u@a", "https://a\nb", "https://[::1", "https://::1", "https://[a]", "https://a:" };
    static const char *const names[] = { "", "A", "a b", "a/b", "-a", "a.", "a\n- b", "a?b" };
    struct k8s_manifest m = usual();

    (void)state;
    for (size_t i = 0; i < N_ITEMS(urls); i++) {
        m.url = urls[i];
        assert_int_equal(k8s_manifest_write(&m, &out, &err), -1);
    }
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        m = usual();
        m.cluster = names[i];
        assert_int_equal(k8s_manifest_write(&m, &out, &err), -1);
        m = usual();
        m.namespace = names[i];
        assert_int_equal(k8s_manifest_write(&m, &out, &err), -1);
    }
    m = usual();
    m.service = true;                   /* but the URL holds a name */
    assert_int_equal(k8s_manifest_write(&m, &out, &err), -1);
    m = usual();
    m.ca = "nothing";
    assert_int_equal(k8s_manifest_write(&m, &out, &err), -1);
    assert_int_equal(out.len, 0);
}

static void a_private_key_is_not_published(void **state)
{
    struct k8s_manifest m = usual();
    struct buf pair = { .max = 1 << 20 };

    (void)state;
    assert_int_equal(x509_make_ca("CA", T0, T0 + MS_DAY, &pair, &err), 0);
    m.ca = pair.ptr;
    assert_int_equal(k8s_manifest_write(&m, &out, &err), -1);
    assert_non_null(strstr(err.msg, "private key"));
    buf_free(&pair);
}

static const struct json *parse(const char *text)
{
    struct json *doc = arena_alloc(&arena, sizeof *doc);

    assert_int_equal(json_parse(&arena, text, strlen(text), NULL, doc, &err), 0);
    return doc;
}

static void what_is_wrong_is_named(void **state)
{
#define HOOK(rest) "{\"kind\":\"ValidatingWebhookConfiguration\",\"metadata\":{\"name\":\"keep-admission\",\"annotations\":{\"keep.example/mode\":\"audit\"}},\"webhooks\":[{\"name\":\"w\"," rest "}]}"
#define RULES "\"rules\":[{\"resources\":[\"pods\",\"pods/ephemeralcontainers\"],\"operations\":[\"CREATE\",\"UPDATE\"]}]"
    static const struct { const char *text, *says; } rows[] = {
        { "{}", "is not there" },
        { "{\"items\":[{\"metadata\":{\"name\":\"other\"}}]}", "is not there" },
        { "[]", "is not there" },
        { HOOK("\"rules\":[]"), "no webhook asks about pods" },
        { HOOK("\"rules\":[{\"resources\":[\"pods\"],\"operations\":[\"CREATE\"]}]"), "an image can be changed afterwards" },
        { HOOK("\"rules\":[{\"resources\":[\"pods\"],\"operations\":[\"*\"]}]"), "kubectl debug" },
        { HOOK(RULES), "every namespace is judged" },
        { HOOK(RULES), "failurePolicy: Fail in mode audit" },
        { HOOK(RULES ",\"sideEffects\":\"Some\""), "sideEffects: Some" },
        { HOOK(RULES), "timeoutSeconds: 10" },
        { HOOK(RULES), "admissionReviewVersions: v1 is missing" },
        { HOOK(RULES ",\"clientConfig\":{\"url\":\"http://x\"}"), "not https" },
        { HOOK(RULES ",\"clientConfig\":{\"service\":{}}"), "caBundle: missing" },
        { HOOK(RULES ",\"clientConfig\":{\"caBundle\":\"!\"}"), "no base64" },
        { HOOK(RULES ",\"clientConfig\":{\"caBundle\":\"aGVsbG8=\"}"), "no certificate in it" },
        { "{\"items\":[{\"metadata\":{\"name\":\"keep-admission\"},\"webhooks\":{\"a\":1}}]}", "nothing is refused" },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_true(problems(parse(rows[i].text), NULL, T0) > 0);
        if (strstr(out.ptr, rows[i].says) == NULL)
            fail_msg("row %zu: %s", i, out.ptr);
    }
}

static void certificates_that_end_or_are_not_yet_known_are_named(void **state)
{
    struct k8s_manifest m = usual();
    struct buf other = { .max = 1 << 20 };

    (void)state;
    const struct json *c = configuration(&m);
    assert_int_equal(problems(c, ca.ptr, T0 + 95 * MS_DAY), 2);
    assert_non_null(strstr(out.ptr, "ends in 5 days"));
    assert_int_equal(problems(c, ca.ptr, T0 + 101 * MS_DAY), 2);
    assert_non_null(strstr(out.ptr, "has ended"));
    assert_int_equal(x509_make_ca("Next", T0, T0 + MS_DAY, &other, &err), 0);
    assert_int_equal(problems(c, other.ptr, T0 + MS_DAY), 2);
    assert_non_null(strstr(out.ptr, "1 of the certificates to trust now are missing"));
    buf_free(&other);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_printed_is_what_status_wants), T(only_pods_in_enforce_may_stand_in_the_way), T(a_service_brings_its_endpoints),
        T(bad_input_is_refused_and_never_printed), T(a_private_key_is_not_published), T(what_is_wrong_is_named),
        T(certificates_that_end_or_are_not_yet_known_are_named),
    };
    return crypto_init(&err) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
