/* Lists, page by page: every item exactly once, in order, in all sorts; and what
 * makes reading cheap and repeating safe: ETag, Idempotency-Key. */
#include "tests/flow/upload.h"

enum { IMAGES = 23, REPOSITORIES = 5 };

/* ---- a fleet -------------------------------------------------------------------------- */

static void report_running(struct fixture *t)
{
    struct buf body;
    char digest[72];

    buf_init(&body, 1 << 20);
    buf_puts(&body, "{\"cluster\":\"prod\",\"workloads\":[");
    for (int i = 0; i < IMAGES; i++) {
        image_digest(100 + i, digest);
        buf_printf(&body, "%s{\"namespace\":\"n%d\",\"workload\":\"w%d\",\"container\":\"c\",\"image\":\"shop.example/r%d@%s\",\"replicas\":%d}",
                   i > 0 ? "," : "", i % 3, i, i % REPOSITORIES, digest, i + 1);
    }
    buf_puts(&body, "]}");
    send_json(t, "POST", "/v1/running", body.ptr, 200);
    buf_free(&body);
}

static int fleet_open(void **state)
{
    char repository[64];

    fixture_open(state);
    struct fixture *t = *state;
    for (int i = 0; i < IMAGES; i++) {
        struct report_spec s = spec_of(100 + i);
        snprintf(repository, sizeof repository, "shop.example/r%d", i % REPOSITORIES);
        s.repository = repository;
        s.scanned_ms = time_now_ms() - MS_DAY + (i / 2) * 1000;      /* times come in pairs: ties must not lose anything */
        s.findings = 3 + i % 4;
        s.packages = i == 0 ? 2 : 30;                                 /* the first has a CVE in several packages */
        upload(t, &s, 201);
    }
    report_running(t);
    return 0;
}

/* ---- every item exactly once ------------------------------------------------------------ */

struct seen { size_t n; char key[2048][160]; };

static void key_of(const struct json *item, const char *const *keys, char *out, size_t max)
{
    size_t len = 0;

    *out = '\0';
    for (size_t i = 0; keys[i] != NULL && len < max; i++) {
        const struct json *v = json_path(item, keys[i]);
        if (v == NULL)
            continue;
        len += (size_t)(v->type == JSON_STRING ? snprintf(out + len, max - len, "%s|", v->string)
                                               : snprintf(out + len, max - len, "%lld|", (long long)json_int(v, 0)));
    }
}

/* Walks with a limit; each page but the last is full unless `short_pages`. */
static void walk(struct fixture *t, const char *path, int limit, const char *const *keys, struct seen *seen)
{
    char url[900], cursor[512] = "";
    int pages = 0;

    seen->n = 0;
    do {
        snprintf(url, sizeof url, "%s%climit=%d%s%s", path, strchr(path, '?') != NULL ? '&' : '?', limit,
                 cursor[0] != '\0' ? "&cursor=" : "", cursor);
        const struct json *doc = get(t, url, 200), *items = json_get(doc, "items");
        assert_true(json_len(items) <= (uint32_t)(limit > 500 ? 500 : limit) || strstr(path, "/v1/findings") == path);
        for (uint32_t i = 0; i < json_len(items) && seen->n < 2048; i++)
            key_of(json_at(items, i), keys, seen->key[seen->n++], sizeof seen->key[0]);
        cursor[0] = '\0';
        for (const char *s = json_get_str(doc, "next", ""); *s != '\0' && strlen(cursor) + 4 < sizeof cursor; s++)
            snprintf(cursor + strlen(cursor), sizeof cursor - strlen(cursor), "%%%02X", (unsigned char)*s);
        assert_true(++pages < 2000);
    } while (cursor[0] != '\0');
}

static void same_whatever_the_page(struct fixture *t, const char *path, const char *const *keys, size_t at_least)
{
    static struct seen whole, small;
    static const int limits[] = { 1, 2, 3, 7, 50 };

    walk(t, path, 500, keys, &whole);
    if (whole.n < at_least)
        fail_msg("%s: %zu items, expected at least %zu", path, whole.n, at_least);
    for (size_t i = 0; i < whole.n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(whole.key[i], whole.key[k]) == 0)
                fail_msg("%s: %s is there twice", path, whole.key[i]);
    for (size_t l = 0; l < N_ITEMS(limits); l++) {
        walk(t, path, limits[l], keys, &small);
        if (small.n != whole.n)
            fail_msg("%s: %zu items in pages of %d, %zu at once", path, small.n, limits[l], whole.n);
        for (size_t i = 0; i < whole.n; i++)
            if (strcmp(whole.key[i], small.key[i]) != 0)
                fail_msg("%s: item %zu in pages of %d is %s, at once it is %s", path, i, limits[l], small.key[i], whole.key[i]);
    }
}

static void images_page_in_all_sorts(void **state)
{
    static const char *const keys[] = { "digest", NULL };

    same_whatever_the_page(*state, "/v1/images", keys, IMAGES);
    same_whatever_the_page(*state, "/v1/images?sort=stale", keys, IMAGES);
    same_whatever_the_page(*state, "/v1/images?sort=risk", keys, IMAGES);
    same_whatever_the_page(*state, "/v1/images?sort=name", keys, IMAGES);
    same_whatever_the_page(*state, "/v1/images?sort=recent", keys, IMAGES);
    same_whatever_the_page(*state, "/v1/images?sort=name&repository=shop.example/r1", keys, 4);
    same_whatever_the_page(*state, "/v1/images?sort=risk&cve=CVE-2026-0006&running=true", keys, 4);
}

static void who_has_a_vulnerability_pages(void **state)
{
    static const char *const keys[] = { "image.digest", "finding.package", "finding.version", "finding.scanner", NULL };

    same_whatever_the_page(*state, "/v1/findings?vulnerability=CVE-2026-0001", keys, IMAGES);
    same_whatever_the_page(*state, "/v1/findings?vulnerability=CVE-2026-0003&running=true&fixable=true", keys, IMAGES);
}

/* One image, one vulnerability, five packages: more rows than a page has. */
static void an_image_with_more_rows_than_a_page_is_not_cut(void **state)
{
    static const char *const keys[] = { "image.digest", "finding.package", NULL };
    struct fixture *t = *state;
    struct arena arena;
    struct report_spec s = spec_of(190);
    struct buf report;

    arena_init(&arena, 1 << 24);
    s.packages = 5;
    s.findings = 5;
    for (int i = 0; i < 2; i++) {
        s.image = 190 + i;
        buf_init(&report, 1 << 24);
        report_make(&s, &report);
        for (char *p = report.ptr; (p = strstr(p, "\"CVE-2026-000")) != NULL; p += 13)
            memcpy(p, "\"CVE-2026-9999", 14);
        send_json(t, "POST", "/v1/unsigned-allowances", "{\"pattern\":\"shop.example/*\",\"reason\":\"for this test only\",\"expires_in\":\"1h\"}", i == 0 ? 201 : 409);
        buf_clear(&t->body);
        buf_put(&t->body, report.ptr, report.len);
        post_body(t, "", NULL, 201);
        buf_free(&report);
    }
    same_whatever_the_page(t, "/v1/findings?vulnerability=CVE-2026-9999", keys, 10);
    arena_clear(&arena);
}

static void who_has_a_package_pages(void **state)
{
    static const char *const keys[] = { "package.name", "package.version", "name", "version", "ecosystem", NULL };

    same_whatever_the_page(*state, "/v1/packages?name=libcore0", keys, 1);
}

static void what_an_image_has_pages(void **state)
{
    static const char *const finding[] = { "vulnerability", "package", "scanner", NULL };
    static const char *const package[] = { "name", "version", "path", NULL };
    static const char *const verdict[] = { "at", NULL };
    char digest[72], path[200];

    image_digest(103, digest);
    snprintf(path, sizeof path, "/v1/images/%s/findings", digest);
    same_whatever_the_page(*state, path, finding, 6);
    snprintf(path, sizeof path, "/v1/images/%s/packages", digest);
    same_whatever_the_page(*state, path, package, 30);
    snprintf(path, sizeof path, "/v1/images/%s/verdicts", digest);
    same_whatever_the_page(*state, path, verdict, 1);
}

static void scans_running_repositories_and_the_audit_log_page(void **state)
{
    static const char *const id[] = { "id", NULL }, *const name[] = { "name", NULL }, *const seq[] = { "seq", NULL };
    static const char *const place[] = { "cluster", "namespace", "workload", "container", NULL };
    char digest[72], path[200];

    same_whatever_the_page(*state, "/v1/scans", id, IMAGES);
    image_digest(104, digest);
    snprintf(path, sizeof path, "/v1/scans?image=%s", digest);
    same_whatever_the_page(*state, path, id, 1);
    same_whatever_the_page(*state, "/v1/running", place, IMAGES);
    same_whatever_the_page(*state, "/v1/running?cluster=prod&namespace=n1", place, 7);
    same_whatever_the_page(*state, "/v1/repositories", name, REPOSITORIES);
    same_whatever_the_page(*state, "/v1/audit", seq, IMAGES);
    same_whatever_the_page(*state, "/v1/audit?action=upload", seq, IMAGES);
}

static void what_people_manage_pages(void **state)
{
    static const char *const id[] = { "id", NULL }, *const name[] = { "name", NULL }, *const pattern[] = { "pattern", NULL };
    struct fixture *t = *state;
    char body[300];

    for (int i = 0; i < 5; i++) {
        snprintf(body, sizeof body, "{\"vulnerability\":\"CVE-2020-000%d\",\"reason\":\"not reachable here\",\"owner\":\"team-a\",\"expires_in\":\"1d\"}", i);
        send_json(t, "POST", "/v1/exceptions", body, 201);
        snprintf(body, sizeof body, "{\"name\":\"person%d\",\"role\":\"viewer\"}", i);
        send_json(t, "POST", "/v1/users", body, 201);
        snprintf(body, sizeof body, "{\"pattern\":\"elsewhere.example/r%d\",\"reason\":\"only for tests\",\"expires_in\":\"1h\"}", i);
        send_json(t, "POST", "/v1/unsigned-allowances", body, 201);
    }
    same_whatever_the_page(t, "/v1/exceptions", id, 5);
    same_whatever_the_page(t, "/v1/users", id, 6);
    same_whatever_the_page(t, "/v1/tokens", id, 7);
    same_whatever_the_page(t, "/v1/signers", id, 1);
    same_whatever_the_page(t, "/v1/unsigned-allowances", pattern, 5);
    same_whatever_the_page(t, "/v1/policies", name, 6);
}

static void a_cursor_that_is_none_of_ours_is_refused(void **state)
{
    static const char *const paths[] = { "/v1/images", "/v1/images?sort=name", "/v1/scans", "/v1/running", "/v1/audit", "/v1/exceptions",
        "/v1/findings?vulnerability=CVE-2026-0001", "/v1/packages?name=libcore0" };
    static const char *const cursors[] = { "x", "-1", "s..", "s.1.", "99999999999999999999", "s.5.5.5", "%00", "s.1.-1" };
    struct fixture *t = *state;
    char url[300];

    for (size_t i = 0; i < N_ITEMS(paths); i++)
        for (size_t k = 0; k < N_ITEMS(cursors); k++) {
            snprintf(url, sizeof url, "%s%ccursor=%s", paths[i], strchr(paths[i], '?') != NULL ? '&' : '?', cursors[k]);
            struct ask ask = { "GET", url, keepd_token(&t->keepd, ROLE_ADMIN), NULL, NULL, 0 };
            struct reply r = client_send(&t->client, &ask);
            if (r.status != 400 && !(r.status == 200 && strncmp(paths[i], "/v1/running", 11) == 0))
                fail_msg("%s: %d", url, r.status);
        }
}

/* ---- cheap to read, safe to repeat --------------------------------------------------------- */

static void what_did_not_change_is_not_sent_again(void **state)
{
    static const char *const paths[] = { "/v1/images", "/v1/scans", "/v1/openapi.json", "/v1/policies", "/v1/repositories", "/v1/running",
                                         "/v1/exceptions", "/v1/posture/trend" };
    struct fixture *t = *state;
    char etag[100], header[160];

    for (size_t i = 0; i < N_ITEMS(paths); i++) {
        struct ask ask = { "GET", paths[i], keepd_token(&t->keepd, ROLE_ADMIN), NULL, NULL, 0 };
        struct reply r = client_send(&t->client, &ask);
        assert_int_equal(r.status, 200);
        assert_true(reply_header(&r, "ETag", etag, sizeof etag));
        snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
        ask.headers = header;
        r = client_send(&t->client, &ask);
        if (r.status != 304)
            fail_msg("%s: %d with its own ETag", paths[i], r.status);
        assert_int_equal(r.len, 0);
        ask.headers = "If-None-Match: \"another\"\r\n";
        assert_int_equal(client_send(&t->client, &ask).status, 200);
    }
}

static struct reply with_key(struct fixture *t, const char *path, const char *body, size_t len, const char *key)
{
    char headers[200];
    struct ask ask = { "POST", path, keepd_token(&t->keepd, ROLE_ADMIN), headers, body, len };

    snprintf(headers, sizeof headers, "Content-Type: application/json\r\nIdempotency-Key: %s\r\n", key);
    return client_send(&t->client, &ask);
}

static void a_repeated_key_gets_the_same_answer(void **state)
{
    static const char body[] = "{\"vulnerability\":\"CVE-2019-1234\",\"reason\":\"not reachable here\",\"owner\":\"team-a\",\"expires_in\":\"1d\"}";
    static const char other[] = "{\"vulnerability\":\"CVE-2019-4321\",\"reason\":\"not reachable here\",\"owner\":\"team-a\",\"expires_in\":\"1d\"}";
    struct fixture *t = *state;
    struct table_counts before, after;
    char first[4000], text[16];

    struct reply r = with_key(t, "/v1/exceptions", body, sizeof body - 1, "k-1");
    assert_int_equal(r.status, 201);
    snprintf(first, sizeof first, "%.*s", (int)r.len, r.body);
    keepd_count(&t->keepd, &before);
    r = with_key(t, "/v1/exceptions", body, sizeof body - 1, "k-1");
    assert_int_equal(r.status, 201);
    assert_true(reply_header(&r, "Idempotency-Replayed", text, sizeof text));
    assert_int_equal(r.len, strlen(first));
    assert_memory_equal(r.body, first, r.len);
    assert_int_equal(with_key(t, "/v1/exceptions", other, sizeof other - 1, "k-1").status, 409);
    keepd_count(&t->keepd, &after);
    assert_true(table_counts_equal(&before, &after, NULL));
    struct report_spec s = spec_of(195);
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    assert_int_equal(with_key(t, "/v1/scans", t->body.ptr, t->body.len, "k-2").status, 201);
    r = with_key(t, "/v1/scans", t->body.ptr, t->body.len, "k-2");
    assert_int_equal(r.status, 201);                 /* as the first time, not "known already" */
    assert_true(json_bool(json_get(client_json(&t->client, &r), "is_new"), false));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_page_in_all_sorts),
        cmocka_unit_test(who_has_a_vulnerability_pages),
        cmocka_unit_test(an_image_with_more_rows_than_a_page_is_not_cut),
        cmocka_unit_test(who_has_a_package_pages),
        cmocka_unit_test(what_an_image_has_pages),
        cmocka_unit_test(scans_running_repositories_and_the_audit_log_page),
        cmocka_unit_test(what_people_manage_pages),
        cmocka_unit_test(a_cursor_that_is_none_of_ours_is_refused),
        cmocka_unit_test(what_did_not_change_is_not_sent_again),
        cmocka_unit_test(a_repeated_key_gets_the_same_answer),
    };

    return cmocka_run_group_tests_name("pages", tests, fleet_open, fixture_close);
}
