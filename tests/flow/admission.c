/* admission.c - a real keepd asked as the API server asks it. */
#include "tests/flow/upload.h"
#include "tests/support/admission_rules.h"

static const char *const settings[] = { "KEEP_ADMISSION_BREAK_GLASS=true", NULL };

static int open_admission(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);

    if (t == NULL)
        abort();
    keepd_open(&t->keepd, settings, getenv("KEEP_FLOW_PG") != NULL);
    client_init(&t->client, t->keepd.port);
    buf_init(&t->body, (size_t)256 << 20);
    *state = t;
    return 0;
}

/* ---- asking --------------------------------------------------------------------- */

static struct reply send_review(struct fixture *t, enum role role, const char *path, const char *text, size_t len)
{
    struct ask ask = { "POST", path, keepd_token(&t->keepd, role), "Content-Type: application/json\r\n", text, len };

    return client_send(&t->client, &ask);
}

/* Answered, and by the rules. */
static const struct json *ask_at(struct fixture *t, const char *path, const char *text, size_t len)
{
    struct arena arena;
    struct json asked;
    struct err err = { 0 };
    const struct json_opts opts = { .max_depth = 200, .nul_as_replacement = true, .skip_bom = true, .big_numbers = true };

    struct reply r = send_review(t, ROLE_ADMISSION, path, text, len);
    if (r.status != 200)
        fail_msg("%d: %.300s", r.status, r.body != NULL ? r.body : "");
    const struct json *answer = client_json(&t->client, &r);
    arena_init(&arena, 1 << 30);
    assert_int_equal(json_parse(&arena, text, len, &opts, &asked, &err), 0);
    const char *wrong = rules_check(&asked, answer);
    arena_clear(&arena);
    if (wrong != NULL)
        fail_msg("%s: %.500s", wrong, r.body);
    return answer;
}

static const char *pod_text(struct fixture *t, const char *namespace, const char *image, const char *annotations, bool dry_run)
{
    buf_clear(&t->body);
    buf_printf(&t->body, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"u-1\",\"kind\":{\"group\":\"\","
               "\"version\":\"v1\",\"kind\":\"Pod\"},\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"pods\"},\"name\":\"\",\"namespace\":\"%s\","
               "\"operation\":\"CREATE\",\"userInfo\":{\"username\":\"ann\"},\"object\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"generateName\":"
               "\"web-\",\"namespace\":\"%s\",\"annotations\":%s},\"spec\":{\"containers\":[{\"name\":\"app\",\"image\":\"%s\"}]}},\"oldObject\":null,"
               "\"dryRun\":%s}}", namespace, namespace, annotations, image, dry_run ? "true" : "false");
    return t->body.ptr;
}

static const struct json *ask_pod(struct fixture *t, const char *namespace, const char *image)
{
    const char *text = pod_text(t, namespace, image, "{}", false);

    return ask_at(t, "/v1/admission/validate?timeout=3s&cluster=prod", text, strlen(text));
}

static bool allowed(const struct json *answer)
{
    return json_bool(json_path(answer, "response.allowed"), false);
}

static const char *noted(const struct json *answer, const char *key)
{
    return json_get_str(json_path(answer, "response.auditAnnotations"), key, "");
}

static const char *by_digest(int image)
{
    static char text[160];
    char digest[72];

    image_digest(image, digest);
    snprintf(text, sizeof text, "shop.example/app@%s", digest);
    return text;
}

static struct report_spec good_spec(int image)
{
    struct report_spec s = spec_of(image);

    s.harmless = true;
    return s;
}

static uint32_t recorded(struct fixture *t, const char *query)
{
    char path[200];

    snprintf(path, sizeof path, "/v1/admissions%s", query);
    return json_len(json_get(get(t, path, 200), "items"));
}

/* Scanned, signed, and seen with its tag. */
static void upload_tagged(struct fixture *t, int image)
{
    struct report_spec s = good_spec(image);

    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    post_body(t, "?image=shop.example/app:1.0", NULL, 201);
}

/* What was let in is recorded a moment later. */
static void wait_for(struct fixture *t, const char *query, uint32_t n)
{
    for (int i = 0; i < 100 && recorded(t, query) < n; i++)
        nap_ms(50);
    assert_int_equal(recorded(t, query), n);
}

/* ---- what is answered -------------------------------------------------------------- */

static void a_scanned_image_is_let_in_by_digest_and_by_tag(void **state)
{
    struct fixture *t = *state;
    char digest[72];

    image_digest(1, digest);
    upload_tagged(t, 1);
    const struct json *a = ask_pod(t, "shop", by_digest(1));
    if (!allowed(a))
        fail_msg("%s", json_str(json_path(a, "response.status.message"), ""));
    assert_string_equal(noted(a, "digest-0"), digest);
    assert_string_equal(noted(a, "resolved-by-tag"), "");
    a = ask_pod(t, "shop", "shop.example/app:1.0");
    if (!allowed(a))
        fail_msg("%s", json_str(json_path(a, "response.status.message"), ""));
    assert_string_equal(noted(a, "digest-0"), digest);
    assert_non_null(strstr(noted(a, "resolved-by-tag"), "shop.example/app:1.0=sha256:"));
    wait_for(t, "?cluster=prod&namespace=shop", 2);
    const struct json *item = json_at(json_get(get(t, "/v1/admissions?limit=1", 200), "items"), 0);
    assert_string_equal(json_get_str(item, "kind", ""), "Pod");
    assert_string_equal(json_get_str(item, "name", ""), "web-");
    assert_string_equal(json_get_str(item, "user", ""), "ann");
    assert_string_equal(json_get_str(json_at(json_get(item, "images"), 0), "digest", ""), digest);
}

static void an_unknown_digest_is_not_helped_by_a_known_tag(void **state)
{
    struct fixture *t = *state;
    char image[200], digest[72];

    upload_tagged(t, 1);
    assert_true(allowed(ask_pod(t, "shop", "shop.example/app:1.0")));
    image_digest(2, digest);
    snprintf(image, sizeof image, "shop.example/app:1.0@%s", digest);
    assert_false(allowed(ask_pod(t, "shop", image)));
}

/* The same bytes under the name of a repository its signer may not speak of. */
static void a_signature_counts_only_where_its_signer_may_speak(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = good_spec(9);
    char id[80], digest[72], other[200];
    struct privkey *key = new_signer(t, "team-app", "[\"shop.example/app\"]", id);

    image_digest(9, digest);
    upload_by(t, &s, key, 201);
    assert_true(allowed(ask_pod(t, "shop", by_digest(9))));
    snprintf(other, sizeof other, "bank.example/ledger@%s", digest);
    assert_false(allowed(ask_pod(t, "shop", other)));
    s.scanned_ms += 1000;
    upload(t, &s, 201);                                   /* by one who may speak of all */
    assert_true(allowed(ask_pod(t, "shop", other)));
    privkey_free(key);
}

static void a_refusal_is_durable_before_it_is_answered(void **state)
{
    struct fixture *t = *state;

    assert_false(allowed(ask_pod(t, "shop", "nobody/knows:1")));
    keepd_stop(&t->keepd, SIGKILL, 5000);
    client_close(&t->client);
    keepd_start(&t->keepd);
    t->client.port = t->keepd.port;
    assert_int_equal(recorded(t, "?outcome=denied"), 1);
}

static void vulnerabilities_are_reasons_until_they_are_excepted_in_the_namespace(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(3);

    upload(t, &s, 201);
    const struct json *a = ask_pod(t, "shop", by_digest(3));
    assert_false(allowed(a));
    assert_non_null(strstr(json_str(json_path(a, "response.status.message"), ""), "serious-fixable/fixable: "));
    assert_non_null(strstr(noted(a, "rules"), "serious-fixable/fixable"));
    send_json(t, "POST", "/v1/exceptions", "{\"rule\":\"serious-fixable/fixable\",\"namespace\":\"shop\",\"reason\":\"patched at the edge\",\"owner\":\"sec\","
              "\"expires_in\":\"7d\"}", 201);
    send_json(t, "POST", "/v1/exceptions", "{\"rule\":\"known-exploited/exploited\",\"namespace\":\"shop\",\"reason\":\"patched at the edge\",\"owner\":\"sec\","
              "\"expires_in\":\"7d\"}", 201);
    a = ask_pod(t, "shop", by_digest(3));
    if (!allowed(a))
        fail_msg("%s", json_str(json_path(a, "response.status.message"), ""));
    assert_false(allowed(ask_pod(t, "other", by_digest(3))));
}

static void what_is_kept_in_memory_is_never_old(void **state)
{
    struct fixture *t = *state;
    struct report_spec bad = spec_of(1);

    upload_tagged(t, 1);
    for (int i = 0; i < 20; i++)
        assert_true(allowed(ask_pod(t, "shop", by_digest(1))));
    struct reply r = client_send(&t->client, &(struct ask){ "GET", "/metrics", NULL, NULL, NULL, 0 });
    const char *kept = strstr(r.body, "keepd_admission_images_total{from=\"memory\"} ");
    assert_non_null(kept);
    assert_true(getenv("KEEP_FLOW_PG") != NULL || strtol(strchr(kept, '}') + 2, NULL, 10) > 0);
    for (int i = 0; i < 4; i++) {
        bad.harmless = i % 2 != 0;
        bad.variant = i + 1;
        bad.scanned_ms = time_now_ms();
        upload(t, &bad, 201);
        for (int k = 0; k < 5; k++)
            assert_int_equal(allowed(ask_pod(t, "shop", by_digest(1))), bad.harmless);
    }
}

static void policies_about_the_object_need_no_image(void **state)
{
    struct fixture *t = *state;
    static const char policy[] = "{\"apiVersion\":\"keep/v1\",\"kind\":\"Policy\",\"metadata\":{\"name\":\"names\"},\"spec\":{\"stages\":[\"deploy\"],\"mode\":"
        "\"enforce\",\"validations\":[{\"name\":\"prefix\",\"expression\":\"object.metadata.generateName == 'x-'\",\"message\":\"the name must begin with x\"}]}}";
    struct report_spec s = good_spec(1);

    upload(t, &s, 201);
    assert_true(allowed(ask_pod(t, "shop", by_digest(1))));
    send_json(t, "PUT", "/v1/policies/names", policy, 201);
    const struct json *a = ask_pod(t, "shop", by_digest(1));
    assert_false(allowed(a));
    assert_string_equal(json_str(json_path(a, "response.status.message"), ""), "names/prefix: the name must begin with x");
}

static void dry_runs_store_nothing(void **state)
{
    struct fixture *t = *state;
    struct table_counts before, after;
    static const char *const but[] = { "tokens", NULL };
    static const char glass[] = "{\"keep.example/break-glass\":\"fire\"}";

    keepd_count(&t->keepd, &before);
    const char *text = pod_text(t, "shop", "nobody/knows:1", "{}", true);
    assert_false(allowed(ask_at(t, "/v1/admission/validate", text, strlen(text))));
    text = pod_text(t, "shop", "nobody/knows:1", glass, true);
    assert_true(allowed(ask_at(t, "/v1/admission/validate", text, strlen(text))));
    nap_ms(700);
    keepd_count(&t->keepd, &after);
    assert_true(table_counts_equal(&before, &after, but));
}

static void broken_glass_is_audited_counted_and_warned_about(void **state)
{
    struct fixture *t = *state;
    const char *text = pod_text(t, "shop", "nobody/knows:1", "{\"keep.example/break-glass\":\"fire in prod\"}", false);

    const struct json *a = ask_at(t, "/v1/admission/validate/prod", text, strlen(text));
    assert_true(allowed(a));
    assert_string_equal(noted(a, "break-glass"), "fire in prod");
    assert_non_null(strstr(json_at(json_path(a, "response.warnings"), 0)->string, "fire in prod"));
    assert_int_equal(recorded(t, "?outcome=break_glass&cluster=prod"), 1);
    const struct json *item = json_at(json_get(get(t, "/v1/audit?action=break_glass", 200), "items"), 0);
    assert_string_equal(json_get_str(item, "object_id", ""), "shop/Pod/web-");
    assert_string_equal(text_at(item, "after.reason"), "fire in prod");
    assert_string_equal(text_at(item, "after.user"), "ann");
    struct reply r = client_send(&t->client, &(struct ask){ "GET", "/metrics", NULL, NULL, NULL, 0 });
    assert_non_null(strstr(r.body, "keepd_admission_reviews_total{outcome=\"break_glass\"} 1"));
}

static void audit_refuses_nothing_and_says_what_it_would(void **state)
{
    struct fixture *t = *state;
    const char *text = pod_text(t, "shop", "nobody/knows:1", "{}", false);

    const struct json *a = ask_at(t, "/v1/admission/audit/prod", text, strlen(text));
    assert_true(allowed(a));
    assert_string_equal(noted(a, "verdict"), "warned");
    assert_true(str_starts(json_at(json_path(a, "response.warnings"), 0)->string, "would be refused: "));
}

static void image_reviews_are_answered(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = good_spec(1);
    char text[600];

    upload(t, &s, 201);
    snprintf(text, sizeof text, "{\"apiVersion\":\"imagepolicy.k8s.io/v1alpha1\",\"kind\":\"ImageReview\",\"spec\":{\"containers\":[{\"image\":\"%s\"}],"
             "\"namespace\":\"shop\"}}", by_digest(1));
    assert_true(json_bool(json_path(ask_at(t, "/v1/admission/image-review", text, strlen(text)), "status.allowed"), false));
    snprintf(text, sizeof text, "{\"apiVersion\":\"imagepolicy.k8s.io/v1alpha1\",\"kind\":\"ImageReview\",\"spec\":{\"containers\":[{\"image\":\"no:1\"}]}}");
    assert_false(json_bool(json_path(ask_at(t, "/v1/admission/image-review/prod", text, strlen(text)), "status.allowed"), true));
}

/* ---- hostile ---------------------------------------------------------------------------- */

static void what_is_no_review_is_a_clear_400(void **state)
{
    static const char *const texts[] = {
        "", "{", "null", "[]", "\"x\"", "{}", "{\"kind\":\"AdmissionReview\"}", "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v2\",\"request\":{}}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":7}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"\xff\xfe\"}}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":[]}}",
        "{\"kind\":\"AdmissionReview\",\"kind\":\"x\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{}}",
    };
    struct fixture *t = *state;
    struct buf deep;

    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        struct reply r = send_review(t, ROLE_ADMISSION, "/v1/admission/validate", texts[i], strlen(texts[i]));
        assert_int_equal(r.status, 400);
        assert_true(strlen(text_at(client_json(&t->client, &r), "detail")) > 5);
    }
    buf_init(&deep, 1 << 20);
    for (int i = 0; i < 100000; i++)
        buf_putc(&deep, '[');
    struct reply r = send_review(t, ROLE_ADMISSION, "/v1/admission/validate", deep.ptr, deep.len);
    assert_true(r.status >= 400 && r.status < 500);
    buf_free(&deep);
}

static void large_reviews_are_answered_in_time(void **state)
{
    struct fixture *t = *state;
    struct buf b;

    buf_init(&b, 32 << 20);
    buf_puts(&b, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"u\",\"operation\":\"CREATE\",\"object\":"
                 "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"big\",\"annotations\":{\"x\":\"");
    for (size_t i = 0; i < 3u << 20; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\"}},\"spec\":{\"containers\":[");
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "%s{\"name\":\"c%d\",\"image\":\"shop/web-%d:1\"}", i > 0 ? "," : "", i, i);
    buf_puts(&b, "]}}}}");
    int64_t from = time_monotonic_ms();
    assert_false(allowed(ask_at(t, "/v1/admission/validate", b.ptr, b.len)));
    print_message("3 MiB, 10,000 images nobody knows: %lld ms\n", (long long)(time_monotonic_ms() - from));
    buf_free(&b);
}

static void lists_are_paged_and_filtered(void **state)
{
    struct fixture *t = *state;
    char path[200];

    for (int i = 0; i < 5; i++)
        ask_pod(t, i % 2 == 0 ? "a" : "b", "nobody/knows:1");
    assert_int_equal(recorded(t, ""), 5);
    assert_int_equal(recorded(t, "?namespace=a"), 3);
    assert_int_equal(recorded(t, "?namespace=b&outcome=denied&kind=Pod&name=web-"), 2);
    assert_int_equal(recorded(t, "?outcome=allowed"), 0);
    const struct json *page = get(t, "/v1/admissions?limit=3", 200);
    assert_int_equal(json_len(json_get(page, "items")), 3);
    snprintf(path, sizeof path, "/v1/admissions?limit=3&cursor=%s", text_at(page, "next"));
    page = get(t, path, 200);
    assert_int_equal(json_len(json_get(page, "items")), 2);
    assert_null(json_get(page, "next"));
    get(t, "/v1/admissions?outcome=perhaps", 400);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_admission, fixture_close)
    const struct CMUnitTest tests[] = {
        T(a_scanned_image_is_let_in_by_digest_and_by_tag), T(an_unknown_digest_is_not_helped_by_a_known_tag),
        T(a_signature_counts_only_where_its_signer_may_speak),
        T(a_refusal_is_durable_before_it_is_answered), T(vulnerabilities_are_reasons_until_they_are_excepted_in_the_namespace),
        T(what_is_kept_in_memory_is_never_old), T(policies_about_the_object_need_no_image), T(dry_runs_store_nothing), T(broken_glass_is_audited_counted_and_warned_about),
        T(audit_refuses_nothing_and_says_what_it_would), T(image_reviews_are_answered), T(what_is_no_review_is_a_clear_400),
        T(large_reviews_are_answered_in_time), T(lists_are_paged_and_filtered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
