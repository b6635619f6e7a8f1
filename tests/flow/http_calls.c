/* Requests on their way through roles, workers and the writer, and what is answered. */
#include "tests/flow/http_small.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct answer post_note(const char *headers, const char *text)
{
    return post("/v1/notes", headers, text, strlen(text));
}

static int64_t notes(void)
{
    struct answer a = ask("GET /v1/notes HTTP/1.1\r\nHost: a\r\n\r\n");
    struct arena arena;
    struct json doc;
    struct err err;

    arena_init(&arena, 1 << 20);
    assert_int_equal(json_parse(&arena, a.body, a.body_len, NULL, &doc, &err), 0);
    int64_t n = json_int(json_get(&doc, "n"), 0);
    arena_clear(&arena);
    answer_free(&a);
    return n;
}

/* ---- who may ------------------------------------------------------------------------------ */

static void without_credentials_401_with_the_wrong_role_403(void **state)
{
    (void)state;
    for (int ask_db = 0; ask_db < 2; ask_db++) {
        atomic_store(&fx.app.ask_db, ask_db != 0);
        struct answer a = post_note(JSON_TYPE, "{\"text\":\"x\"}");
        assert_int_equal(a.status, 401);
        assert_non_null(answer_header(&a, "WWW-Authenticate"));
        answer_free(&a);
        a = post_note(JSON_TYPE "Authorization: Bearer nobody\r\n", "{\"text\":\"x\"}");
        assert_int_equal(a.status, 401);
        answer_free(&a);
        a = post_note(JSON_TYPE "Authorization: Bearer agent-token\r\n", "{\"text\":\"x\"}");
        assert_int_equal(a.status, 403);
        answer_free(&a);
        expect_status("GET /v1/bundle HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ci-token\r\n\r\n", 403);
        expect_status("GET /v1/bundle HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer agent-token\r\n\r\n", 200);
    }
    atomic_store(&fx.app.ask_db, false);
}

static void a_large_body_of_somebody_unknown_is_not_read(void **state)
{
    (void)state;
    for (int ask_db = 0; ask_db < 2; ask_db++) {
        atomic_store(&fx.app.ask_db, ask_db != 0);
        int fd = fx_connect(fx.port);
        fx_puts(fd, "POST /v1/raw HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer nobody\r\nContent-Length: 9000000\r\n\r\n");
        struct answer a = fx_answer(fd, false, 5000, NULL);
        assert_int_equal(a.status, 401);
        assert_true(fx_closes(fd, 3000));
        answer_free(&a);
        close(fd);
    }
    atomic_store(&fx.app.ask_db, false);
}

static void large_bodies_work_when_a_worker_must_identify(void **state)
{
    enum { LEN = 1 << 20 };
    char *body = calloc(1, LEN);

    (void)state;
    atomic_store(&fx.app.ask_db, true);
    struct answer a = post("/v1/raw", CI, body, LEN);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "1048576"));
    answer_free(&a);
    atomic_store(&fx.app.ask_db, false);
    free(body);
}

static void a_sessions_write_needs_its_csrf_token_and_our_origin(void **state)
{
    static const struct {
        int status;
        const char *headers;
    } cases[] = {
        { 403, "" },
        { 403, "X-Keep-CSRF: wrong\r\n" },
        { 403, "X-Keep-CSRF: c5r\r\n" },
        { 201, "X-Keep-CSRF: c5rf\r\n" },
        { 201, "X-Keep-CSRF: c5rf\r\nOrigin: http://a\r\nSec-Fetch-Site: same-origin\r\n" },
        { 403, "X-Keep-CSRF: c5rf\r\nOrigin: http://evil\r\n" },
        { 403, "X-Keep-CSRF: c5rf\r\nOrigin: null\r\n" },
        { 403, "X-Keep-CSRF: c5rf\r\nSec-Fetch-Site: cross-site\r\n" },
        { 403, "X-Keep-CSRF: c5rf\r\nSec-Fetch-Site: same-site\r\n" },
    };
    char headers[512];

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        snprintf(headers, sizeof headers, JSON_TYPE "Cookie: session=1\r\n%s", cases[i].headers);
        struct answer a = post_note(headers, "{\"text\":\"x\"}");
        if (a.status != cases[i].status)
            fail_msg("expected %d, got %d with %s", cases[i].status, a.status, cases[i].headers);
        answer_free(&a);
    }
}

/* ---- transactions ---------------------------------------------------------------------------- */

static void a_write_is_answered_after_its_commit(void **state)
{
    (void)state;
    int64_t before = notes();
    struct answer a = post_note(JSON_TYPE CI, "{\"text\":\"one\",\"n\":1}");
    assert_int_equal(a.status, 201);
    assert_string_equal(answer_header(&a, "Location"), "/notes/1");
    assert_string_equal(a.body, "{\"text\":\"one\",\"n\":1}");
    answer_free(&a);
    assert_int_equal(notes(), before + 1);
}

static void a_write_that_fails_leaves_nothing(void **state)
{
    (void)state;
    int64_t before = notes();
    struct answer a = post_note(JSON_TYPE CI, "{\"text\":\"one\",\"n\":-1}");
    assert_int_equal(a.status, 422);
    answer_free(&a);
    assert_int_equal(notes(), before);
}

static void busy_is_tried_again_a_few_times(void **state)
{
    (void)state;
    int64_t before = notes();
    atomic_store(&fx.app.busy, 2);
    struct answer a = post_note(JSON_TYPE CI, "{\"text\":\"two\"}");
    assert_int_equal(a.status, 201);
    answer_free(&a);
    assert_int_equal(notes(), before + 1);
    atomic_store(&fx.app.busy, 2);
    expect_status("GET /v1/read/x HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    atomic_store(&fx.app.busy, 100);
    a = post_note(JSON_TYPE CI, "{\"text\":\"two\"}");
    assert_int_equal(a.status, 503);
    assert_non_null(answer_header(&a, "Retry-After"));
    answer_free(&a);
    assert_int_equal(atomic_load(&fx.app.busy), 96);
    atomic_store(&fx.app.busy, 0);
}

static void the_same_key_acts_once(void **state)
{
    (void)state;
    int64_t before = notes();
    struct answer a = post_note(JSON_TYPE CI "Idempotency-Key: k1\r\n", "{\"text\":\"once\"}");
    struct answer b = post_note(JSON_TYPE CI "Idempotency-Key: k1\r\n", "{\"text\":\"once\"}");
    assert_int_equal(a.status, 201);
    assert_int_equal(b.status, 201);
    assert_string_equal(a.body, b.body);
    assert_null(answer_header(&a, "Idempotency-Replayed"));
    assert_string_equal(answer_header(&b, "Idempotency-Replayed"), "true");
    assert_int_equal(notes(), before + 1);
    answer_free(&a);
    answer_free(&b);
    a = post_note(JSON_TYPE CI "Idempotency-Key: k1\r\n", "{\"text\":\"other\"}");
    assert_int_equal(a.status, 409);
    answer_free(&a);
    a = post_note(JSON_TYPE "Authorization: Bearer admin-token\r\nIdempotency-Key: k1\r\n", "{\"text\":\"once\"}");
    assert_int_equal(a.status, 201);                /* another caller's key is another key */
    answer_free(&a);
    assert_int_equal(notes(), before + 2);
}

static void what_breaks_inside_shows_only_the_request_id(void **state)
{
    (void)state;
    struct answer a = ask("GET /v1/broken HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(a.status, 500);
    assert_null(strstr(a.text, "secret"));
    assert_non_null(strstr(a.body, answer_header(&a, "X-Request-Id")));
    answer_free(&a);
}

static void an_empty_success_is_204(void **state)
{
    (void)state;
    struct answer a = ask("DELETE /v1/notes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin-token\r\n\r\n");
    assert_int_equal(a.status, 204);
    assert_int_equal(a.body_len, 0);
    answer_free(&a);
}

static void a_full_queue_is_answered_503_at_once(void **state)
{
    enum { N = 30 };
    int fds[N], served = 0, refused = 0;

    (void)state;
    atomic_store(&fx.app.hold, true);
    for (int i = 0; i < N; i++) {
        fds[i] = fx_connect(fx.port);
        fx_puts(fds[i], "GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n");
        while (i == 2 && atomic_load(&fx.app.slow_running) < 3)       /* all workers are held */
            nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    expect_status("GET /v1/light HTTP/1.1\r\nHost: a\r\n\r\n", 200);     /* light routes do not wait */
    int64_t from = time_monotonic_ms();
    struct answer a = ask("GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(a.status, 503);
    assert_non_null(answer_header(&a, "Retry-After"));
    assert_true(time_monotonic_ms() - from < 500);
    answer_free(&a);
    atomic_store(&fx.app.hold, false);
    for (int i = 0; i < N; i++) {
        a = fx_answer(fds[i], false, 5000, NULL);
        served += a.status == 200;
        refused += a.status == 503;
        answer_free(&a);
        close(fds[i]);
    }
    assert_int_equal(served + refused, N);
    assert_in_range(served, 3 + 8, 3 + 8);
}

/* ---- answers ------------------------------------------------------------------------------------ */

static void an_unchanged_answer_is_304(void **state)
{
    char request[256];

    (void)state;
    static const char *const paths[] = { "/v1/open-bundle", "/v1/read/x", "/v1/light", "/v1/openapi.json" };
    for (size_t i = 0; i < N_ITEMS(paths); i++) {
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        struct answer a = ask(request);
        assert_int_equal(a.status, 200);
        const char *etag = answer_header(&a, "ETag");
        assert_non_null(etag);
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"no\", W/%s\r\n\r\n", paths[i], etag);
        struct answer b = ask(request);
        assert_int_equal(b.status, 304);
        assert_int_equal(b.body_len, 0);
        assert_string_equal(answer_header(&b, "ETag"), etag);
        answer_free(&a);
        answer_free(&b);
    }
}

static void long_answers_are_gzipped_when_asked_for(void **state)
{
    struct buf plain;
    struct err err;

    (void)state;
    struct answer a = ask("GET /v1/big HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_null(answer_header(&a, "Content-Encoding"));
    assert_true(a.body_len > 100000);
    struct answer b = ask("GET /v1/big HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br, gzip\r\n\r\n");
    assert_string_equal(answer_header(&b, "Content-Encoding"), "gzip");
    assert_string_not_equal(answer_header(&b, "ETag"), answer_header(&a, "ETag"));
    buf_init(&plain, 1 << 20);
    assert_int_equal(gzip_inflate(b.body, b.body_len, (struct inflate_bounds){ 1 << 20, 2000 }, &plain, &err), 0);
    assert_int_equal(plain.len, a.body_len);
    assert_memory_equal(plain.ptr, a.body, plain.len);
    buf_free(&plain);
    answer_free(&a);
    answer_free(&b);
    b = ask("GET /v1/big HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0\r\n\r\n");
    assert_null(answer_header(&b, "Content-Encoding"));
    answer_free(&b);
    b = ask("GET /v1/openapi.json HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
    assert_string_equal(answer_header(&b, "Content-Encoding"), "gzip");
    answer_free(&b);
}

static void security_headers_are_on_everything(void **state)
{
    static const char *const requests[] = {
        "GET /v1/light HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /v1/broken HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS /v1/light HTTP/1.1\r\nHost: a\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(requests); i++) {
        struct answer a = ask(requests[i]);
        assert_string_equal(answer_header(&a, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(answer_header(&a, "Referrer-Policy"), "no-referrer");
        assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
        assert_string_equal(answer_header(&a, "Cross-Origin-Resource-Policy"), "same-origin");
        assert_non_null(strstr(answer_header(&a, "Content-Security-Policy"), "default-src 'none'"));
        answer_free(&a);
    }
}

static void handlers_headers_are_handed_over_and_file_names_cannot_break_out(void **state)
{
    (void)state;
    struct answer a = ask("GET /v1/read/x/headers HTTP/1.1\r\nHost: a\r\nprefer: wait=5\r\n\r\n");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "wait=5"));
    assert_string_equal(answer_header(&a, "Content-Disposition"), "attachment; filename=\"a__b___X__y.txt\"");
    assert_null(answer_header(&a, "X"));
    answer_free(&a);
}

static void metrics_and_health_answer(void **state)
{
    (void)state;
    expect_status("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    expect_status("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    struct answer a = ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "keepd_http_requests_total{route=\"/healthz\",status=\"2xx\"}"));
    assert_non_null(strstr(a.body, "keepd_http_request_seconds_bucket{class=\"light\",le=\"+Inf\"}"));
    answer_free(&a);
}

static void the_openapi_document_is_json_and_names_every_route(void **state)
{
    struct arena arena;
    struct json doc;
    struct err err;

    (void)state;
    struct answer a = ask("GET /v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n");
    arena_init(&arena, 16 << 20);
    assert_int_equal(json_parse(&arena, a.body, a.body_len, NULL, &doc, &err), 0);
    assert_string_equal(json_get_str(&doc, "openapi", ""), "3.1.0");
    for (size_t i = 0; i < N_ITEMS(fx_routes); i++)
        assert_non_null(json_get(json_get(&doc, "paths"), fx_routes[i].path));
    assert_non_null(json_get(json_get(json_get(&doc, "components"), "schemas"), "note"));
    arena_clear(&arena);
    answer_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_credentials_401_with_the_wrong_role_403),
        cmocka_unit_test(a_large_body_of_somebody_unknown_is_not_read),
        cmocka_unit_test(large_bodies_work_when_a_worker_must_identify),
        cmocka_unit_test(a_sessions_write_needs_its_csrf_token_and_our_origin),
        cmocka_unit_test(a_write_is_answered_after_its_commit),
        cmocka_unit_test(a_write_that_fails_leaves_nothing),
        cmocka_unit_test(busy_is_tried_again_a_few_times),
        cmocka_unit_test(the_same_key_acts_once),
        cmocka_unit_test(what_breaks_inside_shows_only_the_request_id),
        cmocka_unit_test(an_empty_success_is_204),
        cmocka_unit_test(a_full_queue_is_answered_503_at_once),
        cmocka_unit_test(an_unchanged_answer_is_304),
        cmocka_unit_test(long_answers_are_gzipped_when_asked_for),
        cmocka_unit_test(security_headers_are_on_everything),
        cmocka_unit_test(handlers_headers_are_handed_over_and_file_names_cannot_break_out),
        cmocka_unit_test(metrics_and_health_answer),
        cmocka_unit_test(the_openapi_document_is_json_and_names_every_route),
    };
    cmocka_set_test_filter(getenv("ONLY"));
    return cmocka_run_group_tests(tests, up, down);
}
