/* The HTTP server as hostile and honest clients see it: framing, limits, bodies. */
#include "tests/flow/http_small.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- connections ------------------------------------------------------------------- */

static void a_connection_serves_many_requests(void **state)
{
    int fd = fx_connect(fx.port);
    struct buf rest;

    (void)state;
    buf_init(&rest, 1 << 20);
    for (int i = 0; i < 50; i++) {
        fx_puts(fd, i % 2 == 0 ? "GET /v1/light HTTP/1.1\r\nHost: a\r\n\r\n"
                               : "GET /v1/read/x?n=5 HTTP/1.1\r\nHost: a\r\n\r\n");
        struct answer a = fx_answer(fd, false, 5000, &rest);
        assert_int_equal(a.status, 200);
        answer_free(&a);
    }
    buf_free(&rest);
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    enum { N = 40 };
    int fd = fx_connect(fx.port);
    struct buf all, rest;
    char want[64];

    (void)state;
    buf_init(&all, 1 << 20);
    buf_init(&rest, 1 << 20);
    for (int i = 0; i < N; i++)
        buf_printf(&all, "GET /v1/read/%s?n=%d HTTP/1.1\r\nHost: a\r\n\r\n", i % 3 == 0 ? "a" : "b", i);
    fx_send(fd, all.ptr, all.len);
    for (int i = 0; i < N; i++) {
        struct answer a = fx_answer(fd, false, 5000, &rest);
        assert_int_equal(a.status, 200);
        snprintf(want, sizeof want, "\"n\":%d", i);
        if (i > 0)
            assert_non_null(strstr(a.body, want));
        answer_free(&a);
    }
    buf_free(&all);
    buf_free(&rest);
    close(fd);
}

static void head_answers_like_get_without_a_body(void **state)
{
    (void)state;
    struct answer get = ask("GET /v1/light HTTP/1.1\r\nHost: a\r\n\r\n");
    struct answer head = ask("HEAD /v1/light HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(head.status, 200);
    assert_int_equal(head.body_len, 0);
    assert_string_equal(answer_header(&head, "Content-Length"), answer_header(&get, "Content-Length"));
    assert_string_equal(answer_header(&head, "ETag"), answer_header(&get, "ETag"));
    answer_free(&get);
    answer_free(&head);
}

static void a_slow_head_is_cut_off(void **state)
{
    int fd = fx_connect(fx.port);
    int64_t from = time_monotonic_ms();
    bool closed = false;

    (void)state;
    fx_puts(fd, "GET /v1/light HTTP/1.1\r\nHost: a\r\nX: ");
    for (int i = 0; i < 60 && !closed; i++) {             /* a byte every 100 ms: never idle */
        fx_puts(fd, "a");
        closed = fx_closes(fd, 100);
    }
    int64_t took = time_monotonic_ms() - from;
    assert_true(closed);
    assert_in_range(took, 1000, 3500);
    close(fd);
}

static void a_silent_connection_is_cut_off(void **state)
{
    int fd = fx_connect(fx.port);

    (void)state;
    assert_true(fx_closes(fd, 3500));
    close(fd);
}

static void a_slow_body_is_cut_off(void **state)
{
    int fd = fx_connect(fx.port);
    bool closed = false;

    (void)state;
    fx_puts(fd, "POST /v1/raw HTTP/1.1\r\nHost: a\r\n" CI "Content-Length: 1000000\r\n\r\n");
    for (int i = 0; i < 80 && !closed; i++) {
        fx_puts(fd, "0123456789");
        closed = fx_closes(fd, 50);
    }
    assert_true(closed);
    close(fd);
}

/* ---- what is refused ------------------------------------------------------------------ */

static void every_guard_refusal_closes_the_connection(void **state)
{
    static const struct {
        int status;
        const char *request;
    } cases[] = {
        { 501, "OPTIONS /v1/light HTTP/1.1\r\nHost: a\r\n\r\n" },
        { 501, "BREW /v1/light HTTP/1.1\r\nHost: a\r\n\r\n" },
        { 501, "POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
        { 501, "GET /v1/light HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" },
        { 400, "POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a/b\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost : a\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\r\nX:\r\n folded\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\nHost: a\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\nX: b\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\r\n\n" },
        { 400, "GET  /v1/light HTTP/1.1\r\nHost: a\r\n\r\n" },
        { 400, "GET http://a/v1/light HTTP/1.1\r\nHost: a\r\n\r\n" },
        { 400, "GET /v1/light#x HTTP/1.1\r\nHost: a\r\n\r\n" },
        { 400, "GET /v1/light%00 HTTP/1.1\r\nHost: a\r\n\r\n" },
        { 400, "GET /v1/light%2f HTTP/1.1\r\nHost: a\r\n\r\n" },
        { 400, "GET /v1/light%zz HTTP/1.1\r\nHost: a\r\n\r\n" },
        { 400, "GET /v1/%2e%2E/light HTTP/1.1\r\nHost: a\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\r\nX: a\x01" "b\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\r\nX(Y): a\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n" },
        { 400, "GET /v1/light HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nAuthorization: y\r\n\r\n" },
        { 417, "GET /v1/light HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n" },
        { 413, "GET /v1/light HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" },
        { 413, "POST /v1/echo HTTP/1.1\r\nHost: a\r\n" JSON_TYPE "Content-Length: 262145\r\n\r\n" },
        { 413, "POST /v1/echo HTTP/1.1\r\nHost: a\r\n" JSON_TYPE "Expect: 100-continue\r\nContent-Length: 999999999999\r\n\r\n" },
        { 415, "POST /v1/echo HTTP/1.1\r\nHost: a\r\n" JSON_TYPE "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}" },
        { 415, "GET /v1/light HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n\r\n" },
        { 505, "GET /v1/light HTTP/1.2\r\nHost: a\r\n\r\n" },
    };

    (void)state;
    int before = atomic_load(&fx.app.ran);
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        int fd = fx_connect(fx.port);
        fx_puts(fd, cases[i].request);
        struct answer a = fx_answer(fd, false, 5000, NULL);
        if (a.status != cases[i].status)
            fail_msg("expected %d, got %d for:\n%s", cases[i].status, a.status, cases[i].request);
        if (!fx_closes(fd, 3000))
            fail_msg("stays open after:\n%s", cases[i].request);
        assert_string_equal(answer_header(&a, "Connection"), "close");
        answer_free(&a);
        close(fd);
    }
    assert_int_equal(atomic_load(&fx.app.ran), before);
}

#define RAW(text) { (const unsigned char *)(text), sizeof(text) - 1 }

static void nul_bytes_are_refused_wherever_they_are(void **state)
{
    static const struct bytes cases[] = {
        RAW("GE\0T /v1/light HTTP/1.1\r\nHost: a\r\n\r\n"),
        RAW("GET /v1/li\0ght HTTP/1.1\r\nHost: a\r\n\r\n"),
        RAW("GET /v1/light HTTP/1.1\r\nHost: a\0b\r\nX: y\r\n\r\n"),
        RAW("GET /v1/light HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n"),
        RAW("GET /v1/light HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n"),
        RAW("GET /v1/light HTTP/1.1\r\nHost: a\r\nX: y\r\n\0\r\n\r\n"),
    };

    (void)state;
    int before = atomic_load(&fx.app.ran);
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        int fd = fx_connect(fx.port);
        fx_send(fd, cases[i].ptr, cases[i].len);
        struct answer a = fx_answer(fd, false, 3000, NULL);
        if (a.status != 400 && a.status != 501 && a.status != 0)
            fail_msg("case %zu: got %d", i, a.status);
        assert_true(fx_closes(fd, 3000));
        answer_free(&a);
        close(fd);
    }
    assert_int_equal(atomic_load(&fx.app.ran), before);
}

static void unknown_paths_and_methods_get_404_and_405(void **state)
{
    (void)state;
    expect_status("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    expect_status("GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    expect_status("GET /v1/light/ HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    expect_status("GET /v1//light HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    expect_status("GET /%76%31/light HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    struct answer a = ask("PUT /v1/notes HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(a.status, 405);
    assert_string_equal(answer_header(&a, "Allow"), "GET, HEAD, POST, DELETE");
    answer_free(&a);
}

static void a_small_body_of_a_failed_request_is_dropped_and_the_connection_goes_on(void **state)
{
    int fd = fx_connect(fx.port);
    struct buf rest;

    (void)state;
    buf_init(&rest, 1 << 20);
    fx_puts(fd, "POST /v1/nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 38\r\n\r\nGET /SMUGGLED HTTP/1.1\r\nHost: a\r\n\r\n...");
    struct answer a = fx_answer(fd, false, 5000, &rest);
    assert_int_equal(a.status, 404);
    answer_free(&a);
    fx_puts(fd, "GET /v1/light HTTP/1.1\r\nHost: a\r\n\r\n");
    a = fx_answer(fd, false, 5000, &rest);
    assert_int_equal(a.status, 200);
    assert_int_equal(atomic_load(&fx.app.smuggled), 0);
    answer_free(&a);
    buf_free(&rest);
    close(fd);
}

static void http_1_0_without_host_is_served(void **state)
{
    (void)state;
    expect_status("GET /v1/light HTTP/1.0\r\n\r\n", 200);
}

static void expect_continue_gets_its_100(void **state)
{
    int fd = fx_connect(fx.port);
    struct buf rest;

    (void)state;
    buf_init(&rest, 1 << 20);
    fx_puts(fd, "POST /v1/echo HTTP/1.1\r\nHost: a\r\n" JSON_TYPE "Expect: 100-continue\r\nContent-Length: 12\r\n\r\n");
    struct answer a = fx_answer(fd, true, 5000, &rest);
    assert_int_equal(a.status, 100);
    answer_free(&a);
    fx_puts(fd, "{\"text\":\"x\"}");
    a = fx_answer(fd, false, 5000, &rest);
    assert_int_equal(a.status, 200);
    answer_free(&a);
    buf_free(&rest);
    close(fd);
}

static void many_header_lines_are_refused_and_not_fatal(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    buf_puts(&b, "GET /v1/light HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 70; i++)
        buf_printf(&b, "X%d: 1\r\n", i);
    buf_puts(&b, "\r\n");
    expect_status(b.ptr, 431);
    buf_clear(&b);
    buf_puts(&b, "GET /v1/light HTTP/1.1\r\nHost: a\r\nX: ");
    for (int i = 0; i < 3000; i++)
        buf_putc(&b, 'a');
    buf_puts(&b, "\r\n\r\n");
    expect_status(b.ptr, 200);                     /* 3 KB of head is ordinary */
    buf_clear(&b);
    buf_puts(&b, "GET /v1/light HTTP/1.1\r\nHost: a\r\nX: ");
    for (int i = 0; i < 20000; i++)
        buf_putc(&b, 'a');
    buf_puts(&b, "\r\n\r\n");
    struct answer a = ask(b.ptr);
    assert_true(a.status == 431 || a.status == 0);
    answer_free(&a);
    buf_free(&b);
    expect_status("GET /v1/light HTTP/1.1\r\nHost: a\r\n\r\n", 200);
}

/* ---- bodies --------------------------------------------------------------------------- */

static void json_bodies_are_decoded_by_their_shape(void **state)
{
    (void)state;
    struct answer a = post("/v1/echo", JSON_TYPE, "{\"text\":\"hi\",\"n\":7}", 19);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "{\"text\":\"hi\",\"n\":7}");
    answer_free(&a);
}

static void all_errors_of_a_document_come_back_with_their_paths(void **state)
{
    struct arena arena;
    struct json doc;
    struct err err;

    (void)state;
    struct answer a = post("/v1/echo", JSON_TYPE, "{\"text\":5,\"n\":\"x\",\"zz\":1}", 25);
    assert_int_equal(a.status, 400);
    assert_string_equal(answer_header(&a, "Content-Type"), "application/problem+json");
    arena_init(&arena, 1 << 20);
    assert_int_equal(json_parse(&arena, a.body, a.body_len, NULL, &doc, &err), 0);
    assert_string_equal(json_get_str(&doc, "type", ""), "/problems/invalid");
    assert_int_equal(json_int(json_get(&doc, "status"), 0), 400);
    assert_string_equal(json_get_str(&doc, "request_id", "?"), answer_header(&a, "X-Request-Id"));
    assert_int_equal(strlen(json_get_str(&doc, "request_id", "?")), 16);
    const struct json *errors = json_get(&doc, "errors");
    assert_int_equal(json_len(errors), 3);
    assert_string_equal(json_get_str(json_at(errors, 0), "path", ""), "$.text");
    arena_clear(&arena);
    answer_free(&a);
}

static void other_content_types_are_refused_for_json(void **state)
{
    (void)state;
    struct answer a = post("/v1/echo", "Content-Type: text/plain\r\n", "{\"text\":\"hi\"}", 13);
    assert_int_equal(a.status, 415);
    answer_free(&a);
    a = post("/v1/echo", "", "{\"text\":\"hi\"}", 13);
    assert_int_equal(a.status, 415);
    answer_free(&a);
    a = post("/v1/echo", "Content-Type: application/vnd.x+json; charset=utf-8\r\n", "{\"text\":\"hi\"}", 13);
    assert_int_equal(a.status, 200);
    answer_free(&a);
}

static void ten_megabytes_arrive_whole(void **state)
{
    enum { LEN = 10 << 20 };
    unsigned char *body = malloc(LEN);
    uint32_t h = 2166136261u;
    char want[32];

    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i < LEN; i++) {
        body[i] = (unsigned char)(i * 7 + (i >> 9));
        h = (h ^ body[i]) * 16777619u;
    }
    struct answer a = post("/v1/raw", CI, body, LEN);
    assert_int_equal(a.status, 200);
    snprintf(want, sizeof want, "\"%08x\"", h);
    assert_non_null(strstr(a.body, want));
    answer_free(&a);
    free(body);
}

static void gzip_and_zstd_bodies_are_decoded(void **state)
{
    static const char text[] = "{\"text\":\"compressed\",\"n\":3}";
    struct buf coded;
    struct err err;

    (void)state;
    buf_init(&coded, 1 << 20);
    assert_int_equal(gzip_deflate(text, sizeof text - 1, 6, &coded, &err), 0);
    struct answer a = post("/v1/echo", JSON_TYPE "Content-Encoding: gzip\r\n", coded.ptr, coded.len);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, text);
    answer_free(&a);
    buf_clear(&coded);
    assert_int_equal(zstd_deflate(text, sizeof text - 1, 3, &coded, &err), 0);
    a = post("/v1/echo", JSON_TYPE "Content-Encoding: zstd\r\n", coded.ptr, coded.len);
    assert_int_equal(a.status, 200);
    answer_free(&a);
    a = post("/v1/echo", JSON_TYPE "Content-Encoding: gzip\r\n", coded.ptr, coded.len);
    assert_int_equal(a.status, 400);
    answer_free(&a);
    buf_free(&coded);
}

static void bombs_are_refused(void **state)
{
    enum { LEN = 15 << 20 };
    char *zeros = calloc(1, LEN);
    struct buf coded;
    struct err err;

    (void)state;
    buf_init(&coded, 32 << 20);
    assert_int_equal(gzip_deflate(zeros, LEN, 9, &coded, &err), 0);
    struct answer a = post("/v1/raw", CI "Content-Encoding: gzip\r\n", coded.ptr, coded.len);
    assert_int_equal(a.status, 413);
    answer_free(&a);
    buf_clear(&coded);
    assert_int_equal(zstd_deflate(zeros, LEN, 9, &coded, &err), 0);
    a = post("/v1/raw", CI "Content-Encoding: zstd\r\n", coded.ptr, coded.len);
    assert_int_equal(a.status, 413);
    answer_free(&a);
    buf_free(&coded);
    free(zeros);
}

static void queries_and_path_values_are_decoded_strictly(void **state)
{
    (void)state;
    struct answer a = ask("GET /v1/read/a%20b?n=12&q=%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "{\"text\":\"a b\",\"n\":12}");
    answer_free(&a);
    expect_status("GET /v1/read/a?n=12&n=13 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_status("GET /v1/read/a?m=12 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_status("GET /v1/read/a?n=1000001 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_status("GET /v1/read/a?q=%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_serves_many_requests),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(head_answers_like_get_without_a_body),
        cmocka_unit_test(a_slow_head_is_cut_off),
        cmocka_unit_test(a_silent_connection_is_cut_off),
        cmocka_unit_test(a_slow_body_is_cut_off),
        cmocka_unit_test(every_guard_refusal_closes_the_connection),
        cmocka_unit_test(nul_bytes_are_refused_wherever_they_are),
        cmocka_unit_test(unknown_paths_and_methods_get_404_and_405),
        cmocka_unit_test(a_small_body_of_a_failed_request_is_dropped_and_the_connection_goes_on),
        cmocka_unit_test(http_1_0_without_host_is_served),
        cmocka_unit_test(expect_continue_gets_its_100),
        cmocka_unit_test(many_header_lines_are_refused_and_not_fatal),
        cmocka_unit_test(json_bodies_are_decoded_by_their_shape),
        cmocka_unit_test(all_errors_of_a_document_come_back_with_their_paths),
        cmocka_unit_test(other_content_types_are_refused_for_json),
        cmocka_unit_test(ten_megabytes_arrive_whole),
        cmocka_unit_test(gzip_and_zstd_bodies_are_decoded),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(queries_and_path_values_are_decoded_strictly),
    };
    cmocka_set_test_filter(getenv("ONLY"));
    return cmocka_run_group_tests(tests, up, down);
}
