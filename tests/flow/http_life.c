/* Starting, limits, static files, stopping. */
#include "tests/flow/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

#include <cmocka.h>

static const struct work_config small_pool = { .threads = 2, .queue_max = 16 };

static struct answer ask(const struct fixture *f, const char *request)
{
    return fx_once(f->port, request);
}

static void expect_status(const struct fixture *f, const char *request, int status)
{
    struct answer a = ask(f, request);

    if (a.status != status)
        fail_msg("expected %d, got %d for:\n%s", status, a.status, request);
    answer_free(&a);
}

#define LIGHT "GET /v1/light HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---- starting -------------------------------------------------------------------- */

static int try_open(const struct http_config *cfg, const struct route *table, size_t n, struct err *err)
{
    struct work_pool *work = NULL;
    struct http_server *s = NULL;

    assert_int_equal(work_open(&(struct work_config){ .threads = 1 }, &work, err), 0);
    struct http_back back = { .hooks = &fx_hooks, .routes = table, .n_routes = n, .work = work };
    int rc = http_open(cfg, &back, &s, err);
    http_close(s);
    work_close(work);
    return rc;
}

static void plain_http_for_others_is_refused_unless_allowed(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_int_equal(try_open(&(struct http_config){ .listen = "0.0.0.0:0" }, fx_routes, 1, &err), -1);
    assert_non_null(strstr(err.msg, "without TLS"));
    assert_int_equal(try_open(&(struct http_config){ .listen = "127.0.0.1:0", .listen_reserve = "[::]:0" }, fx_routes, 1, &err), -1);
    assert_non_null(strstr(err.msg, "without TLS"));
    assert_int_equal(try_open(&(struct http_config){ .listen = "0.0.0.0:0", .insecure_plaintext = true }, fx_routes, 1, &err), 0);
    assert_int_equal(try_open(&(struct http_config){ .listen = "127.8.9.1:0" }, fx_routes, 1, &err), 0);
}

static void malformed_addresses_are_refused(void **state)
{
    static const char *const bad[] = { "", "8470", "localhost:8470", "127.0.0.1", "127.0.0.1:70000", "::1:80", "127.0.0.1:8x" };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++)
        assert_int_equal(try_open(&(struct http_config){ .listen = bad[i], .insecure_plaintext = true }, fx_routes, 1, &err), -1);
}

static void rows_that_do_not_hold_together_stop_the_start(void **state)
{
    static const struct shape bad_shape = { "bad", 1, note_fields, N_ITEMS(note_fields), false };
    static const struct route rows[] = {
        { FX("GET", "/x", 0, CLASS_LIGHT), .run = health },
        { FX("GET", "/x", 1u << 20, CLASS_LIGHT), .run = health },
        { FX("GET", "/x", WHO_ANYONE, CLASS_NONE), .run = health },
        { FX("GET", "/x", WHO_ANYONE, CLASS_WRITE), .run = health },
        { FX("POST", "/x", WHO_ANYONE, CLASS_LIGHT), .body = BODY_RAW, .max_body = 5, .run = health },
        { FX("POST", "/x", WHO_ANYONE, CLASS_READ), .body = BODY_RAW, .run = health },
        { FX("POST", "/x", WHO_ANYONE, CLASS_READ), .max_body = 5, .run = health },
        { FX("POST", "/x", WHO_ANYONE, CLASS_READ), .body = BODY_JSON, .max_body = 5, .run = health },
        { FX("GET", "/x", WHO_ANYONE, CLASS_READ), .out = &bad_shape, .run = health },
        { FX("GET", "/x", WHO_ANYONE, CLASS_READ) },
        { FX("GET", "/x", WHO_ANYONE, CLASS_READ), .prepare = health, .run = health },
        { FX("POST", "/x", WHO_ANYONE, CLASS_WRITE), .run = health },       /* and no writer */
    };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        if (try_open(&(struct http_config){ .listen = "127.0.0.1:0" }, &rows[i], 1, &err) != -1)
            fail_msg("row %zu was accepted", i);
    assert_int_equal(route_check(routes, n_routes, &err), 0);
}

/* ---- limits ------------------------------------------------------------------------ */

static void connections_from_one_address_are_bounded(void **state)
{
    struct fixture f;
    int fds[8], closed = 0;

    (void)state;
    fx_start(&f, &(struct http_config){ .max_per_address = 4 }, &small_pool, NULL, 0);
    for (int i = 0; i < 8; i++)
        fds[i] = fx_connect(f.port);
    for (int i = 0; i < 8; i++)
        closed += fx_closes(fds[i], i < 4 ? 50 : 1000);
    assert_int_equal(closed, 4);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    fx_stop(&f);
}

static void the_reserve_listener_answers_when_the_other_is_full(void **state)
{
    struct fixture f;
    int fds[6];

    (void)state;
    fx_start(&f, &(struct http_config){ .max_connections = 6, .loops = 1, .listen_reserve = "127.0.0.1:0" },
             &small_pool, NULL, 0);
    for (int i = 0; i < 6; i++)
        fds[i] = fx_connect(f.port);
    nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    struct answer a = fx_once(f.port, LIGHT);
    assert_int_equal(a.status, 0);
    a = fx_once(http_port(f.server, true), LIGHT);
    assert_int_equal(a.status, 200);
    answer_free(&a);
    for (int i = 0; i < 6; i++)
        close(fds[i]);
    fx_stop(&f);
}

static void nap(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* Bursts far above the limit: no loop may end up standing. */
static void bursts_above_the_limit_stop_no_loop(void **state)
{
    struct fixture f;
    int fds[200];

    (void)state;
    fx_start(&f, &(struct http_config){ .max_connections = 20, .loops = 2 }, &small_pool, NULL, 0);
    for (int round = 0; round < 30; round++) {
        for (size_t i = 0; i < N_ITEMS(fds); i++)
            fds[i] = fx_connect(f.port);
        for (size_t i = 0; i < N_ITEMS(fds); i++)
            close(fds[i]);
    }
    nap(300);
    for (int i = 0; i < 8; i++)
        expect_status(&f, LIGHT, 200);
    fx_stop(&f);
}

#define KNOWN "GET /v1/bundle HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer agent-token\r\n\r\n"

static void assert_answers(int fd, const char *request)
{
    assert_true(fx_puts(fd, request));
    struct answer a = fx_answer(fd, false, 5000, NULL);
    assert_int_equal(a.status, 200);
    answer_free(&a);
}

/* Who says nothing, begins slowly, or asked something once without credentials goes first. */
static void near_the_limit_strangers_make_room_for_newcomers(void **state)
{
    struct fixture f;
    int known, silent, slow, asked, more[100];

    (void)state;
    fx_start(&f, &(struct http_config){ .max_connections = 64, .loops = 2 }, &small_pool, NULL, 0);
    known = fx_connect(f.port);
    assert_answers(known, KNOWN);
    silent = fx_connect(f.port);
    slow = fx_connect(f.port);
    assert_true(fx_puts(slow, "GET /v1/light HTTP/1.1\r\nHost: a\r\nX-"));
    asked = fx_connect(f.port);
    assert_answers(asked, LIGHT);
    for (size_t i = 0; i < N_ITEMS(more); i++, nap(5))
        more[i] = fx_connect(f.port);
    assert_answers(known, KNOWN);
    expect_status(&f, LIGHT, 200);
    assert_true(fx_closes(silent, 1000) && fx_closes(slow, 1000) && fx_closes(asked, 1000));
    assert_false(fx_closes(more[N_ITEMS(more) - 1], 50));
    for (size_t i = 0; i < N_ITEMS(more); i++)
        close(more[i]);
    close(known), close(silent), close(slow), close(asked);
    fx_stop(&f);
}

static void a_caller_over_its_rate_gets_429(void **state)
{
    struct fixture f;
    int limited = 0;

    (void)state;
    fx_start(&f, &(struct http_config){ .rate = 5, .burst = 5 }, &small_pool, NULL, 0);
    for (int i = 0; i < 12; i++) {
        struct answer a = ask(&f, LIGHT);
        assert_true(a.status == 200 || a.status == 429);
        if (a.status == 429) {
            limited++;
            assert_non_null(answer_header(&a, "Retry-After"));
        }
        answer_free(&a);
    }
    assert_in_range(limited, 5, 8);
    expect_status(&f, "GET /v1/bundle HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer agent-token\r\n\r\n", 200);
    fx_stop(&f);
}

static void uploads_beyond_the_memory_for_bodies_get_503(void **state)
{
    struct fixture f;
    int fds[3];

    (void)state;
    fx_start(&f, &(struct http_config){ 0 }, &(struct work_config){ .threads = 1, .bytes_max = 20 << 20 }, NULL, 0);
    static const char head[] = "POST /v1/raw HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ci-token\r\n"
                               "Content-Length: 9000000\r\n\r\n";
    for (int i = 0; i < 3; i++) {
        fds[i] = fx_connect(f.port);
        fx_puts(fds[i], head);
    }
    struct answer a = { 0 };
    for (int i = 0; i < 3 && a.status == 0; i++)
        a = fx_answer(fds[i], false, 300, NULL);
    assert_int_equal(a.status, 503);
    answer_free(&a);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    struct work_stats stats;
    work_stats(f.work, &stats);
    assert_int_equal(stats.bytes, 0);                        /* given back when the clients went */
    fx_stop(&f);
}

/* ---- static files --------------------------------------------------------------------- */

static void files_come_in_the_best_accepted_form_with_their_tag(void **state)
{
#define B(s) { (const unsigned char *)(s), sizeof(s) - 1 }
    static const struct web_file files[] = {
        { "/app.js", "text/javascript; charset=utf-8", "\"js\"", { B("let plain"), B("GZ"), B("B") }, false },
        { "/index.html", "text/html; charset=utf-8", "\"html\"", { B("<p>hi"), { NULL, 0 }, { NULL, 0 } }, false },
        { "/vendor/x.abcdef01.css", "text/css", "\"css\"", { B("p{}"), { NULL, 0 }, { NULL, 0 } }, true },
    };
    struct fixture f;

    (void)state;
    fx_start(&f, &(struct http_config){ 0 }, &small_pool, files, N_ITEMS(files));
    struct answer a = ask(&f, "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\n\r\n");
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "<p>hi");
    assert_non_null(strstr(answer_header(&a, "Content-Security-Policy"), "require-trusted-types-for 'script'"));
    assert_string_equal(answer_header(&a, "Cross-Origin-Opener-Policy"), "same-origin");
    assert_string_equal(answer_header(&a, "Cache-Control"), "no-cache");
    answer_free(&a);
    a = ask(&f, "GET /app.js HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\n\r\n");
    assert_string_equal(a.body, "B");
    assert_string_equal(answer_header(&a, "Content-Encoding"), "br");
    assert_string_equal(answer_header(&a, "ETag"), "\"js-br\"");
    assert_string_equal(answer_header(&a, "Vary"), "Accept-Encoding");
    answer_free(&a);
    a = ask(&f, "GET /app.js?v=1 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
    assert_string_equal(a.body, "GZ");
    answer_free(&a);
    a = ask(&f, "GET /app.js HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"js-gz\"\r\n\r\n");
    assert_int_equal(a.status, 304);
    answer_free(&a);
    a = ask(&f, "GET /vendor/x.abcdef01.css HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(answer_header(&a, "Cache-Control"), "immutable"));
    assert_string_equal(answer_header(&a, "X-Content-Type-Options"), "nosniff");
    answer_free(&a);
    expect_status(&f, "GET /app.jsx HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    expect_status(&f, "GET /app HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    expect_status(&f, "GET /../app.js HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_status(&f, "POST /app.js HTTP/1.1\r\nHost: a\r\n\r\n", 405);
    a = ask(&f, "HEAD /app.js HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(answer_header(&a, "Content-Length"), "9");
    answer_free(&a);
    fx_stop(&f);
}

/* ---- stopping --------------------------------------------------------------------------- */

struct drain {
    struct fixture *f;
    bool clean;
    int64_t took_ms;
};

static void *drain_main(void *arg)
{
    struct drain *d = arg;
    int64_t from = time_monotonic_ms();

    d->clean = http_drain(d->f->server, 5000);
    d->took_ms = time_monotonic_ms() - from;
    return NULL;
}

static void draining_answers_what_was_accepted_and_nothing_else(void **state)
{
    struct fixture f;
    struct drain d = { .f = &f };
    pthread_t t;

    (void)state;
    fx_start(&f, &(struct http_config){ 0 }, &small_pool, NULL, 0);
    atomic_store(&f.app.hold, true);
    int busy = fx_connect(f.port), idle = fx_connect(f.port);
    fx_puts(idle, LIGHT);
    struct answer a = fx_answer(idle, false, 3000, NULL);
    assert_int_equal(a.status, 200);
    answer_free(&a);
    fx_puts(busy, "GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n");
    while (atomic_load(&f.app.slow_running) < 1)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    pthread_create(&t, NULL, drain_main, &d);
    assert_true(fx_closes(idle, 2000));                      /* idle ones are told good-bye */
    int late = fx_connect(f.port);
    assert_int_equal(late, -1);                              /* nobody new */
    atomic_store(&f.app.hold, false);
    a = fx_answer(busy, false, 3000, NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "Connection"), "close");
    answer_free(&a);
    pthread_join(t, NULL);
    assert_true(d.clean);
    assert_true(d.took_ms < 3000);
    close(busy);
    close(idle);
    fx_stop(&f);
}

static void clients_that_leave_while_a_worker_is_busy_do_not_hold_up_the_end(void **state)
{
    struct fixture f;

    (void)state;
    fx_start(&f, &(struct http_config){ 0 }, &small_pool, NULL, 0);
    atomic_store(&f.app.hold, true);
    for (int i = 0; i < 6; i++) {
        int fd = fx_connect(f.port);
        fx_puts(fd, "GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n");
        while (i == 0 && atomic_load(&f.app.slow_running) < 1)
            nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
        close(fd);                                           /* a reset, not a good-bye */
    }
    atomic_store(&f.app.hold, false);
    int64_t from = time_monotonic_ms();
    fx_stop(&f);
    assert_true(time_monotonic_ms() - from < 3000);
}

static void draining_is_bounded(void **state)
{
    struct fixture f;

    (void)state;
    fx_start(&f, &(struct http_config){ 0 }, &small_pool, NULL, 0);
    int fd = fx_connect(f.port);
    fx_puts(fd, "POST /v1/raw HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ci-token\r\nContent-Length: 100\r\n\r\nabc");
    nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    int64_t from = time_monotonic_ms();
    assert_false(http_drain(f.server, 300));
    assert_in_range(time_monotonic_ms() - from, 250, 1500);
    fx_stop(&f);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_http_for_others_is_refused_unless_allowed),
        cmocka_unit_test(malformed_addresses_are_refused),
        cmocka_unit_test(rows_that_do_not_hold_together_stop_the_start),
        cmocka_unit_test(connections_from_one_address_are_bounded),
        cmocka_unit_test(the_reserve_listener_answers_when_the_other_is_full),
        cmocka_unit_test(bursts_above_the_limit_stop_no_loop),
        cmocka_unit_test(near_the_limit_strangers_make_room_for_newcomers),
        cmocka_unit_test(a_caller_over_its_rate_gets_429),
        cmocka_unit_test(uploads_beyond_the_memory_for_bodies_get_503),
        cmocka_unit_test(files_come_in_the_best_accepted_form_with_their_tag),
        cmocka_unit_test(draining_answers_what_was_accepted_and_nothing_else),
        cmocka_unit_test(clients_that_leave_while_a_worker_is_busy_do_not_hold_up_the_end),
        cmocka_unit_test(draining_is_bounded),
    };
    cmocka_set_test_filter(getenv("ONLY"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
