/* Signed scans in, verdicts out: what is accepted, in every form it may have, and
 * what is refused with one clear problem and no trace in the store. */
#include "tests/flow/upload.h"

/* ---- accepted -------------------------------------------------------------------- */

static void the_verdict_is_in_the_same_answer(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(1);
    const struct json *r = upload(t, &s, 201);

    assert_string_equal(text_at(r, "verdict.decision"), "fail");
    assert_true(json_len(json_path(r, "verdict.reasons")) > 0);
    assert_true(json_bool(json_get(r, "is_new"), false));
    assert_false(json_bool(json_get(r, "superseded"), true));
    assert_string_equal(text_at(r, "scan.signer.name"), "tests");
    assert_string_equal(text_at(r, "image.freshness"), "fresh");
    assert_int_equal(json_int(json_path(r, "scan.packages"), 0), 20);
    assert_int_equal(json_int(json_path(r, "scan.findings"), 0), 12);
    s = spec_of(2);
    s.harmless = true;
    assert_string_equal(text_at(upload(t, &s, 201), "verdict.decision"), "pass");
}

static void the_same_upload_twice_is_one_scan(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(3);
    struct table_counts before, after;
    char id[64];

    snprintf(id, sizeof id, "%s", text_at(upload(t, &s, 201), "scan.id"));
    keepd_count(&t->keepd, &before);
    const struct json *r = post_body(t, "", NULL, 200);
    assert_string_equal(text_at(r, "scan.id"), id);
    assert_false(json_bool(json_get(r, "is_new"), true));
    keepd_count(&t->keepd, &after);
    assert_true(table_counts_equal(&before, &after, NULL));
}

static void the_evidence_comes_back_byte_for_byte(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(4);
    char path[200];

    snprintf(path, sizeof path, "/v1/evidence/%s", text_at(upload(t, &s, 201), "scan.evidence"));
    struct ask ask = { "GET", path, keepd_token(&t->keepd, ROLE_VIEWER), NULL, NULL, 0 };
    struct reply r = client_send(&t->client, &ask);
    assert_int_equal(r.status, 200);
    assert_int_equal(r.len, t->body.len);
    assert_memory_equal(r.body, t->body.ptr, r.len);
}

static void an_older_scan_supersedes_nothing(void **state)
{
    struct fixture *t = *state;
    struct report_spec newer = spec_of(5), older = spec_of(5);
    struct table_counts before, after;
    static const char *const grow[] = { "scans", "evidence", "audit", NULL };

    upload(t, &newer, 201);
    keepd_count(&t->keepd, &before);
    older.scanned_ms -= 2 * MS_DAY;
    older.findings = 3;
    older.variant = 1;
    const struct json *r = upload(t, &older, 201);
    assert_true(json_bool(json_get(r, "superseded"), false));
    assert_false(json_bool(json_path(r, "scan.is_current"), true));
    assert_int_equal(json_int(json_path(get_image(t, 5, "/findings?limit=1", 200), "total"), 0), 12);
    keepd_count(&t->keepd, &after);
    assert_true(table_counts_equal(&before, &after, grow));
    newer.scanned_ms += 1000;
    newer.findings = 2;
    upload(t, &newer, 201);
    assert_int_equal(json_int(json_path(get_image(t, 5, "/findings?limit=1", 200), "total"), 0), 2);
    r = get_image(t, 5, "/changes", 200);
    assert_int_equal(json_len(json_get(r, "items")), 10);
    assert_string_equal(json_get_str(json_at(json_get(r, "items"), 0), "change", ""), "closed");
}

static void a_sigstore_bundle_counts_like_an_envelope(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(6);

    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, true, &t->body);
    const struct json *r = post_body(t, "", NULL, 201);
    assert_string_equal(text_at(r, "scan.signer.name"), "tests");
    char path[200];
    snprintf(path, sizeof path, "/v1/evidence/%s/info", text_at(r, "scan.evidence"));
    assert_string_equal(text_at(get(t, path, 200), "kind"), "bundle");
}

static void detach(struct fixture *t, const struct report_spec *s, const char *subject, const struct privkey *key, struct buf *headers)
{
    struct arena arena;
    struct err err;

    arena_init(&arena, 64 << 20);
    buf_clear(&t->body);
    report_make(s, &t->body);
    buf_puts(headers, "Keep-Signature: ");
    assert_int_equal(detached_sign(&arena, subject, (struct bytes){ (unsigned char *)t->body.ptr, t->body.len }, key, headers, &err), 0);
    buf_printf(headers, "\r\nKeep-Subject: %s\r\n", subject);
    arena_clear(&arena);
}

static void a_detached_signature_counts(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(7);
    struct buf headers;
    char digest[72];

    image_digest(7, digest);
    buf_init(&headers, 4096);
    detach(t, &s, digest, t->keepd.key, &headers);
    const struct json *r = post_body(t, "", headers.ptr, 201);
    assert_string_equal(text_at(r, "scan.signer.name"), "tests");
    assert_string_equal(text_at(r, "scan.image"), digest);
    image_digest(8, digest);                        /* about another image: the signature does not hold */
    char *at = strstr(headers.ptr, "sha256:");
    memcpy(at, digest, 71);
    post_body(t, "", headers.ptr, 422);
    buf_free(&headers);
}

/* The same bytes first came without a signature: the signature must still count. */
static void a_signature_that_comes_later_counts(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(9);
    struct buf headers;
    char digest[72], unsigned_scan[64];

    s.repository = "open.example/late";
    image_digest(9, digest);
    send_json(t, "POST", "/v1/unsigned-allowances", "{\"pattern\":\"open.example/late\",\"reason\":\"moving to signed scans\",\"expires_in\":\"1d\"}", 201);
    buf_init(&headers, 4096);
    detach(t, &s, digest, t->keepd.key, &headers);
    snprintf(unsigned_scan, sizeof unsigned_scan, "%s", text_at(post_body(t, "", NULL, 201), "scan.id"));
    assert_false(json_bool(json_path(get_image(t, 9, "", 200), "signed"), true));
    const struct json *r = post_body(t, "", headers.ptr, 201);
    assert_string_equal(text_at(r, "scan.signer.name"), "tests");
    assert_string_not_equal(text_at(r, "scan.id"), unsigned_scan);
    assert_true(json_bool(json_path(r, "image.signed"), false));
    buf_free(&headers);
}

static void bodies_may_come_as_gzip_and_zstd(void **state)
{
    struct fixture *t = *state;
    struct buf plain, coded;
    struct err err;

    for (int i = 0; i < 2; i++) {
        struct report_spec s = spec_of(10 + i);
        buf_init(&plain, 1 << 24);
        buf_init(&coded, 1 << 24);
        envelope_make(&s, t->keepd.key, false, &plain);
        assert_int_equal(i == 0 ? gzip_deflate(plain.ptr, plain.len, 6, &coded, &err) : zstd_deflate(plain.ptr, plain.len, 3, &coded, &err), 0);
        buf_clear(&t->body);
        buf_put(&t->body, coded.ptr, coded.len);
        const struct json *r = post_body(t, "", i == 0 ? "Content-Encoding: gzip\r\n" : "Content-Encoding: zstd\r\n", 201);
        char path[200];
        snprintf(path, sizeof path, "/v1/evidence/%s", text_at(r, "scan.evidence"));
        struct ask ask = { "GET", path, keepd_token(&t->keepd, ROLE_CI), NULL, NULL, 0 };
        struct reply got = client_send(&t->client, &ask);
        assert_int_equal(got.len, plain.len);              /* the evidence is what was signed */
        assert_memory_equal(got.body, plain.ptr, plain.len);
        buf_free(&plain);
        buf_free(&coded);
    }
}

/* ---- refused ------------------------------------------------------------------------- */

/* One problem, and not a row more anywhere. */
static void refused(struct fixture *t, const char *what, const char *headers, int status, const char *says)
{
    struct table_counts before, after;

    keepd_count(&t->keepd, &before);
    struct reply r = post_scan(t, ROLE_CI, "", headers);
    char type[80] = "";
    if (r.status != status || !reply_header(&r, "Content-Type", type, sizeof type) || strcmp(type, "application/problem+json") != 0)
        fail_msg("%s: expected %d, got %d %s: %.*s", what, status, r.status, type, (int)(r.len < 600 ? r.len : 600), r.body ? r.body : "");
    const struct json *doc = client_json(&t->client, &r);
    assert_non_null(doc);
    assert_int_equal(json_int(json_get(doc, "status"), 0), status);
    assert_string_not_equal(json_get_str(doc, "request_id", ""), "");
    if (strstr(json_get_str(doc, "detail", ""), says) == NULL)
        fail_msg("%s: %s", what, json_get_str(doc, "detail", "no detail"));
    keepd_count(&t->keepd, &after);
    if (!table_counts_equal(&before, &after, NULL))
        fail_msg("%s: left something behind", what);
}

static void refused_text(struct fixture *t, const char *what, const char *text, int status, const char *says)
{
    buf_clear(&t->body);
    buf_puts(&t->body, text);
    refused(t, what, NULL, status, says);
}

static void malformed_and_truncated_uploads_are_refused(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(20);

    refused_text(t, "0 bytes", "", 400, "empty");
    refused_text(t, "not JSON", "hello", 400, "");
    refused_text(t, "half a value", "{\"payloadType\":\"x\",\"payload\":", 400, "");
    refused_text(t, "duplicate keys", "{\"SchemaVersion\":2,\"SchemaVersion\":2}", 400, "");
    refused_text(t, "no report", "{\"a\":1}", 422, "");
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    for (size_t cut = 1; cut < t->body.len; cut = cut * 3 + 1) {
        buf_clear(&t->body);
        envelope_make(&s, t->keepd.key, false, &t->body);
        t->body.len = cut;
        refused(t, "truncated", NULL, 400, "");
    }
}

static void over_deep_and_over_long_uploads_are_refused(void **state)
{
    struct fixture *t = *state;

    buf_clear(&t->body);
    for (int i = 0; i < 100000; i++)
        buf_puts(&t->body, "{\"a\":");
    refused(t, "over-deep", NULL, 413, "deep");
    buf_clear(&t->body);
    buf_puts(&t->body, "{\"SchemaVersion\":2,\"ArtifactName\":\"");
    for (int i = 0; i < 2000000; i++)
        buf_putc(&t->body, 'x');
    buf_puts(&t->body, "\",\"ArtifactType\":\"container_image\",\"Results\":[]}");
    struct table_counts before, after;
    keepd_count(&t->keepd, &before);
    struct reply r = post_scan(t, ROLE_CI, "", NULL);
    assert_true(r.status == 400 || r.status == 413 || r.status == 422);
    keepd_count(&t->keepd, &after);
    assert_true(table_counts_equal(&before, &after, NULL));
}

static void wrong_and_missing_signatures_are_refused(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(21);
    struct privkey *stranger;
    struct err err;

    assert_int_equal(privkey_generate(KEY_P256, &stranger, &err), 0);
    buf_clear(&t->body);
    envelope_make(&s, stranger, false, &t->body);
    refused(t, "signed by a stranger", NULL, 422, "signature");
    buf_clear(&t->body);
    report_make(&s, &t->body);
    refused(t, "unsigned", NULL, 422, "not signed");
    /* One byte of the signed payload changed: "U" begins its base64 as often as not. */
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    char *payload = strstr(t->body.ptr, "\"payload\":\"");
    assert_non_null(payload);
    payload += 1000;
    *payload = *payload == 'A' ? 'B' : 'A';
    refused(t, "changed after signing", NULL, 422, "signature");
    /* A signature of the right key over something that is no scan. */
    buf_clear(&t->body);
    static const char other[] = "{\"hello\":1}";
    envelope_around("application/vnd.in-toto+json", (struct bytes){ (const unsigned char *)other, sizeof other - 1 }, t->keepd.key, &t->body);
    refused(t, "not a statement", NULL, 400, "statement");
    buf_clear(&t->body);
    envelope_around("text/plain", (struct bytes){ (const unsigned char *)other, sizeof other - 1 }, t->keepd.key, &t->body);
    refused(t, "another payload type", NULL, 422, "");
    privkey_free(stranger);
}

static void future_dated_scans_are_refused(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(22);

    s.scanned_ms = time_now_ms() + 10 * MS_MINUTE;
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    refused(t, "scanned in the future", NULL, 422, "");
    s = spec_of(22);
    s.db_built_ms = time_now_ms() + MS_DAY;
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    refused(t, "a database of tomorrow", NULL, 422, "");
}

/* A signer good for one repository speaks of another; a replay of a statement as
 * evidence for another image. */
static void wrong_repositories_and_replays_are_refused(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(23);
    struct privkey *bound;
    struct buf pem, body;
    struct err err;
    char digest[72], header[120];

    assert_int_equal(privkey_generate(KEY_ED25519, &bound, &err), 0);
    buf_init(&pem, 4096);
    buf_init(&body, 8192);
    pubkey_to_pem(privkey_public(bound), &pem);
    buf_puts(&body, "{\"name\":\"bound\",\"repositories\":[\"team.example/*\"],\"public_key\":\"");
    for (const char *p = pem.ptr; *p != '\0'; p++)
        buf_puts(&body, *p == '\n' ? "\\n" : (char[]){ *p, '\0' });
    buf_puts(&body, "\"}");
    send_json(t, "POST", "/v1/signers", body.ptr, 201);
    buf_clear(&t->body);
    envelope_make(&s, bound, false, &t->body);
    refused(t, "wrong repository", NULL, 403, "repository");
    image_digest(99, digest);
    snprintf(header, sizeof header, "Keep-Subject: %s\r\n", digest);
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    refused(t, "replayed for another image", header, 422, "subject");
    s.repository = "team.example/web";
    upload_by(t, &s, bound, 201);
    privkey_free(bound);
    buf_free(&pem);
    buf_free(&body);
}

/* ---- bounds --------------------------------------------------------------------------- */

static void a_hundred_megabytes_are_refused_and_cost_nothing(void **state)
{
    struct fixture *t = *state;
    int64_t before = keepd_rss_kib(&t->keepd, true);

    buf_clear(&t->body);
    memset(buf_room(&t->body, (size_t)100 << 20), ' ', (size_t)100 << 20);
    buf_grown(&t->body, (size_t)100 << 20);
    refused(t, "100 MB", NULL, 413, "");
    assert_true(keepd_rss_kib(&t->keepd, true) - before < 32 * 1024);
    get(t, "/v1/images?limit=1", 200);
}

static void a_bomb_is_refused_before_it_goes_off(void **state)
{
    struct fixture *t = *state;
    struct err err;
    size_t n = (size_t)200 << 20;
    int64_t before = keepd_rss_kib(&t->keepd, true);
    char *zeros = calloc(1, n);

    assert_non_null(zeros);
    buf_clear(&t->body);
    assert_int_equal(gzip_deflate(zeros, n, 9, &t->body, &err), 0);
    refused(t, "gzip bomb", "Content-Encoding: gzip\r\n", 413, "");
    buf_clear(&t->body);
    assert_int_equal(zstd_deflate(zeros, n, 3, &t->body, &err), 0);
    refused(t, "zstd bomb", "Content-Encoding: zstd\r\n", 413, "");
    free(zeros);
    assert_true(keepd_rss_kib(&t->keepd, true) - before < 128 * 1024);
}

static void broken_codings_are_refused(void **state)
{
    struct fixture *t = *state;

    buf_clear(&t->body);
    buf_puts(&t->body, "this is no gzip");
    refused(t, "no gzip", "Content-Encoding: gzip\r\n", 400, "");
    refused(t, "unknown coding", "Content-Encoding: br\r\n", 415, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verdict_is_in_the_same_answer),
        cmocka_unit_test(the_same_upload_twice_is_one_scan),
        cmocka_unit_test(the_evidence_comes_back_byte_for_byte),
        cmocka_unit_test(an_older_scan_supersedes_nothing),
        cmocka_unit_test(a_sigstore_bundle_counts_like_an_envelope),
        cmocka_unit_test(a_detached_signature_counts),
        cmocka_unit_test(a_signature_that_comes_later_counts),
        cmocka_unit_test(bodies_may_come_as_gzip_and_zstd),
        cmocka_unit_test(malformed_and_truncated_uploads_are_refused),
        cmocka_unit_test(over_deep_and_over_long_uploads_are_refused),
        cmocka_unit_test(wrong_and_missing_signatures_are_refused),
        cmocka_unit_test(future_dated_scans_are_refused),
        cmocka_unit_test(wrong_repositories_and_replays_are_refused),
        cmocka_unit_test(a_hundred_megabytes_are_refused_and_cost_nothing),
        cmocka_unit_test(a_bomb_is_refused_before_it_goes_off),
        cmocka_unit_test(broken_codings_are_refused),
    };

    return cmocka_run_group_tests_name("uploads", tests, fixture_open, fixture_close);
}
