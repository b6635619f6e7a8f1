/* Who may change what is said of an image: uploads that reach for the images of
 * others, signed reports that come again in other clothes, and lists of packages
 * that are no scans. */
#include "tests/flow/upload.h"

/* A CI token for these repositories only. */
static void token_for(struct fixture *t, const char *pattern, char token[KEEPD_TOKEN])
{
    char body[200];

    snprintf(body, sizeof body, "{\"name\":\"ci of %s\",\"role\":\"ci\",\"repositories\":[\"%s\"],\"expires_in\":\"1d\"}", pattern, pattern);
    snprintf(token, KEEPD_TOKEN, "%s", text_at(send_json(t, "POST", "/v1/tokens", body, 201), "token"));
}

static int status_of(struct fixture *t, const char *token, const char *query)
{
    char path[400];
    struct ask ask = { "POST", path, token, NULL, t->body.ptr, t->body.len };

    snprintf(path, sizeof path, "/v1/scans%s", query);
    return client_send(&t->client, &ask).status;
}

static void allow_unsigned(struct fixture *t, const char *pattern)
{
    char body[200];

    snprintf(body, sizeof body, "{\"pattern\":\"%s\",\"reason\":\"moving to signed scans\",\"expires_in\":\"1d\"}", pattern);
    send_json(t, "POST", "/v1/unsigned-allowances", body, 201);
}

static void a_token_cannot_reach_images_of_others_by_naming_its_own_repository(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(1);
    char token[KEEPD_TOKEN];

    s.repository = "shop.example/victim";
    upload(t, &s, 201);
    token_for(t, "own.example/*", token);
    assert_int_equal(status_of(t, token, "?image=own.example/app"), 403);      /* the same bytes: their answer is not for this one */
    s.harmless = true;
    s.scanned_ms += 1000;
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    assert_int_equal(status_of(t, token, "?image=own.example/app"), 403);
    assert_string_equal(decision_of(t, 1), "fail");
}

static void an_allowance_for_one_repository_is_none_for_the_images_of_another(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(2);

    s.repository = "shop.example/strict";
    upload(t, &s, 201);
    allow_unsigned(t, "open.example/*");
    s.harmless = true;
    s.scanned_ms += 1000;
    buf_clear(&t->body);
    report_make(&s, &t->body);
    post_body(t, "?image=open.example/app", NULL, 422);
    assert_string_equal(decision_of(t, 2), "fail");
}

/* White space around the payload is not signed: it must not make an old report new. */
static void a_signed_report_in_another_envelope_is_the_same_scan(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(3);
    char id[64];

    snprintf(id, sizeof id, "%s", text_at(upload(t, &s, 201), "scan.id"));
    buf_putc(&t->body, '\n');
    const struct json *r = post_body(t, "", NULL, 200);
    assert_string_equal(text_at(r, "scan.id"), id);
    assert_false(json_bool(json_get(r, "is_new"), true));
}

static void sbom_make(struct fixture *t, int image, struct buf *out)
{
    static const char predicate[] =
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"metadata\":{\"timestamp\":\"2026-11-01T00:00:00Z\","
        "\"tools\":[{\"vendor\":\"aquasecurity\",\"name\":\"trivy\",\"version\":\"0.60.0\"}]},\"components\":[{\"type\":\"library\","
        "\"name\":\"zlib1g\",\"version\":\"1.2.13\",\"purl\":\"pkg:deb/debian/zlib1g@1.2.13?arch=amd64\"}]}";
    struct buf statement;
    char digest[72];

    image_digest(image, digest);
    buf_init(&statement, 64 << 10);
    buf_printf(&statement, "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"shop.example/app\",\"digest\":"
               "{\"sha256\":\"%s\"}}],\"predicateType\":\"https://cyclonedx.org/bom\",\"predicate\":%s}", digest + 7, predicate);
    envelope_around("application/vnd.in-toto+json", (struct bytes){ (const unsigned char *)statement.ptr, statement.len }, t->keepd.key, out);
    buf_free(&statement);
}

static void a_list_of_packages_takes_nothing_from_the_scan_before_it(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(4);

    s.harmless = true;
    s.scanned_ms = INT64_C(1700000000000);
    s.db_built_ms = TIME_UNKNOWN;
    upload(t, &s, 201);
    assert_true(json_bool(json_get(get_image(t, 4, "", 200), "signed"), false));
    buf_clear(&t->body);
    sbom_make(t, 4, &t->body);
    const struct json *r = post_body(t, "", NULL, 201);
    assert_string_equal(text_at(r, "scan.scanner"), "trivy");
    const struct json *image = get_image(t, 4, "", 200);
    assert_true(json_bool(json_get(image, "signed"), false));
    const struct json *scans = get(t, "/v1/scans?scanner=trivy", 200);
    const struct json *items = json_get(scans, "items");
    char digest[72];
    size_t current = 0;
    image_digest(4, digest);
    for (uint32_t i = 0; i < json_len(items); i++)
        current += strcmp(json_get_str(json_at(items, i), "image", ""), digest) == 0 && json_bool(json_get(json_at(items, i), "is_current"), false);
    assert_int_equal(current, 2);
}

/* The report of a secret in an image. */
static void secret_report(struct fixture *t, int image, const char *scanned_at)
{
    char digest[72];

    image_digest(image, digest);
    buf_clear(&t->body);
    buf_printf(&t->body, "{\"SchemaVersion\":2,\"CreatedAt\":\"%s\",\"ArtifactName\":\"open.example/leaky\",\"ArtifactType\":\"container_image\","
               "\"Metadata\":{\"RepoDigests\":[\"open.example/leaky@%s\"]},\"Results\":[{\"Target\":\"/app/.env\",\"Class\":\"secret\",\"Secrets\":"
               "[{\"RuleID\":\"aws-access-key-id\",\"Category\":\"AWS\",\"Severity\":\"CRITICAL\",\"Title\":\"AWS Access Key ID\",\"StartLine\":1,"
               "\"EndLine\":1,\"Match\":\"KEY=****\"}]}]}", scanned_at, digest);
    post_body(t, "", NULL, 201);
}

static void an_issue_is_as_old_as_when_it_was_first_seen(void **state)
{
    struct fixture *t = *state;

    secret_report(t, 5, "2026-11-01T00:00:00Z");
    secret_report(t, 5, "2026-11-05T00:00:00Z");
    const struct json *items = json_get(get_image(t, 5, "/issues", 200), "items");
    assert_int_equal(json_len(items), 1);
    assert_int_equal(strncmp(json_get_str(json_at(items, 0), "since", ""), "2026-11-01", 10), 0);
}

/* Each secret fails the image, for a reason with a long path in it. */
static void very_many_long_reasons_are_an_answer_and_no_failure(void **state)
{
    enum { SECRETS = 1900, PATH = 3000 };
    struct fixture *t = *state;
    char digest[72], path[PATH + 1];

    memset(path, 'p', PATH);
    path[PATH] = '\0';
    image_digest(6, digest);
    buf_clear(&t->body);
    buf_printf(&t->body, "{\"SchemaVersion\":2,\"CreatedAt\":\"2026-11-01T00:00:00Z\",\"ArtifactName\":\"open.example/many\",\"ArtifactType\":"
               "\"container_image\",\"Metadata\":{\"RepoDigests\":[\"open.example/many@%s\"]},\"Results\":[{\"Target\":\"/%s\",\"Class\":\"secret\","
               "\"Secrets\":[", digest, path);
    for (int i = 0; i < SECRETS; i++)
        buf_printf(&t->body, "%s{\"RuleID\":\"r%d\",\"Category\":\"c\",\"Severity\":\"CRITICAL\",\"Title\":\"t\",\"StartLine\":%d,\"EndLine\":%d,"
                   "\"Match\":\"*\"}", i > 0 ? "," : "", i, i + 1, i + 1);
    buf_puts(&t->body, "]}]}");
    assert_string_equal(text_at(post_body(t, "", NULL, 201), "verdict.decision"), "fail");
    assert_string_equal(decision_of(t, 6), "fail");
    assert_true(json_len(json_get(get_image(t, 6, "/verdicts", 200), "items")) > 0);
}

/* Titles, scores and "known exploited" are the whole fleet's. */
static void an_unsigned_report_of_one_team_does_not_rewrite_vulnerabilities_of_all(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(7);
    char token[KEEPD_TOKEN];

    upload(t, &s, 201);
    token_for(t, "mine.example/*", token);
    allow_unsigned(t, "mine.example/*");
    s.image = 8;
    s.repository = "mine.example/app";
    buf_clear(&t->body);
    report_make(&s, &t->body);
    for (char *at = t->body.ptr; (at = strstr(at, "a made-up flaw")) != NULL; at++)
        *at = 'b';
    assert_int_equal(status_of(t, token, ""), 201);
    const struct json *items = json_get(get(t, "/v1/vulnerabilities?q=CVE-2026-0001", 200), "items");
    assert_string_equal(json_get_str(json_at(items, 0), "title", ""), "a made-up flaw");
}

static void a_scan_that_comes_late_does_not_take_the_tag_back(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(9);
    char digest[72];

    s.repository = "shop.example/tags";
    for (s.image = 9; s.image <= 10; s.image++, s.scanned_ms -= 10 * MS_DAY) {
        buf_clear(&t->body);
        envelope_make(&s, t->keepd.key, false, &t->body);
        post_body(t, "?image=shop.example/tags:1.0", NULL, 201);
    }
    send_json(t, "POST", "/v1/running", "{\"cluster\":\"c1\",\"workloads\":[{\"namespace\":\"n\",\"workload\":\"w\",\"container\":\"c\","
              "\"image\":\"shop.example/tags:1.0\"}]}", 200);
    image_digest(9, digest);
    assert_string_equal(json_str(json_path(json_at(json_get(get(t, "/v1/running", 200), "items"), 0), "image.digest"), ""), digest);
}

static void an_upload_for_another_image_than_the_signed_one_is_refused(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(11);
    char digest[72], query[200];

    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    image_digest(12, digest);
    snprintf(query, sizeof query, "?image=shop.example/app@%s", digest);
    post_body(t, query, NULL, 422);
    image_digest(11, digest);
    snprintf(query, sizeof query, "?image=shop.example/app@%s", digest);
    post_body(t, query, NULL, 201);
}

static void an_unsigned_list_of_packages_does_not_replace_a_signed_one(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(13);
    char digest[72], at[TIME_TEXT], query[200];

    s.repository = "open.example/listed";
    upload(t, &s, 201);
    image_digest(13, digest);
    time_format(time_now_ms(), at);
    buf_clear(&t->body);
    buf_printf(&t->body, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"metadata\":{\"timestamp\":\"%s\","
               "\"tools\":[{\"vendor\":\"anchore\",\"name\":\"syft\",\"version\":\"1.0\"}]},\"components\":[{\"type\":\"library\",\"name\":\"zlib1g\","
               "\"version\":\"1.2.13\",\"purl\":\"pkg:deb/debian/zlib1g@1.2.13?arch=amd64\"}]}", at);
    snprintf(query, sizeof query, "?image=open.example/listed@%s", digest);
    post_body(t, query, NULL, 201);
    assert_int_equal(json_len(json_get(get_image(t, 13, "/packages", 200), "items")), 20);
}

/* A signature is part of the request: the answer to the unsigned one is not the answer. */
static void a_repeated_key_with_another_signature_is_another_request(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(14);
    char digest[72], headers[300];
    struct arena arena;
    struct buf with;
    struct err err;

    s.repository = "open.example/keyed";
    image_digest(14, digest);
    buf_clear(&t->body);
    report_make(&s, &t->body);
    snprintf(headers, sizeof headers, "Idempotency-Key: one\r\nKeep-Subject: %s\r\n", digest);
    post_body(t, "", headers, 201);
    post_body(t, "", headers, 201);                  /* the same answer */
    arena_init(&arena, 64 << 20);
    buf_init(&with, 8192);
    buf_printf(&with, "%sKeep-Signature: ", headers);
    assert_int_equal(detached_sign(&arena, digest, (struct bytes){ (unsigned char *)t->body.ptr, t->body.len }, t->keepd.key, &with, &err), 0);
    buf_puts(&with, "\r\n");
    assert_true(post_scan(t, ROLE_CI, "", with.ptr).status >= 400);
    arena_clear(&arena);
    buf_free(&with);
}

static int asked(struct fixture *t, const char *token, const char *method, const char *path, const char *body)
{
    struct ask ask = { method, path, token, body != NULL ? "Content-Type: application/json\r\n" : NULL, body, body != NULL ? strlen(body) : 0 };

    return client_send(&t->client, &ask).status;
}

/* Whatever its role: it could make itself a token without limits otherwise. */
static void a_token_limited_to_repositories_has_no_say_over_the_whole(void **state)
{
    struct fixture *t = *state;
    char token[KEEPD_TOKEN];

    snprintf(token, sizeof token, "%s", text_at(send_json(t, "POST", "/v1/tokens",
             "{\"name\":\"limited admin\",\"role\":\"admin\",\"repositories\":[\"own.example/*\"],\"expires_in\":\"1d\"}", 201), "token"));
    assert_int_equal(asked(t, token, "GET", "/v1/images", NULL), 200);
    assert_int_equal(asked(t, token, "GET", "/v1/vulnerabilities", NULL), 403);
    assert_int_equal(asked(t, token, "GET", "/v1/posture", NULL), 403);
    assert_int_equal(asked(t, token, "POST", "/v1/tokens", "{\"name\":\"more\",\"role\":\"admin\",\"expires_in\":\"1d\"}"), 403);
    assert_int_equal(asked(t, token, "POST", "/v1/repositories", "{\"name\":\"shop.example/app\",\"team\":\"mine\"}"), 403);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_cannot_reach_images_of_others_by_naming_its_own_repository),
        cmocka_unit_test(an_allowance_for_one_repository_is_none_for_the_images_of_another),
        cmocka_unit_test(a_signed_report_in_another_envelope_is_the_same_scan),
        cmocka_unit_test(a_list_of_packages_takes_nothing_from_the_scan_before_it),
        cmocka_unit_test(an_issue_is_as_old_as_when_it_was_first_seen),
        cmocka_unit_test(very_many_long_reasons_are_an_answer_and_no_failure),
        cmocka_unit_test(an_unsigned_report_of_one_team_does_not_rewrite_vulnerabilities_of_all),
        cmocka_unit_test(a_scan_that_comes_late_does_not_take_the_tag_back),
        cmocka_unit_test(a_token_limited_to_repositories_has_no_say_over_the_whole),
        cmocka_unit_test(an_upload_for_another_image_than_the_signed_one_is_refused),
        cmocka_unit_test(an_unsigned_list_of_packages_does_not_replace_a_signed_one),
        cmocka_unit_test(a_repeated_key_with_another_signature_is_another_request),
    };

    return cmocka_run_group_tests_name("trust", tests, fixture_open, fixture_close);
}
