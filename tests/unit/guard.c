/* The request guard and its neighbours, as pure functions. */
#include "base/str.h"
#include "http/etag.h"
#include "http/guard.h"
#include "http/limit.h"
#include "http/match.h"
#include "http/metrics.h"
#include "http/static.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A head as the library would leave it in its buffer. */
struct laid {
    char bytes[8192];
    size_t len;
    struct guard_header headers[GUARD_MAX_HEADERS + 1];
    struct guard_head head;
};

static char *put(struct laid *l, const char *text, size_t gap)
{
    char *at = l->bytes + l->len;
    size_t n = strlen(text);

    memcpy(at, text, n);
    memset(at + n, 0, gap);
    l->len += n + gap;
    return at;
}

/* headers: name, value, name, value, ..., NULL */
static const struct guard_head *lay(struct laid *l, const char *method, const char *uri, const char *version,
                                    const char *const *headers)
{
    memset(l, 0, sizeof *l);
    l->head.method = put(l, method, 1);
    l->head.uri = put(l, uri, 1);
    l->head.uri_len = strlen(uri);
    l->head.version = put(l, version, 2);
    for (size_t i = 0; headers[2 * i] != NULL; i++) {
        struct guard_header *h = &l->headers[l->head.n_headers++];
        h->name = put(l, headers[2 * i], 2);
        h->value = put(l, headers[2 * i + 1], 2);
        h->name_len = strlen(h->name);
        h->value_len = strlen(h->value);
    }
    l->len += 2;
    l->head.headers = l->headers;
    l->head.head_len = l->len;
    l->head.max_head = sizeof l->bytes;
    return &l->head;
}

static const char *const plain[] = { "Host", "example.org:8470", NULL };

static unsigned status_of(const char *method, const char *uri, const char *version, const char *const *headers)
{
    static struct laid l;
    struct guard_facts facts;
    struct err err;

    return guard_check(lay(&l, method, uri, version, headers), &facts, &err);
}

static void an_ordinary_request_passes_and_its_facts_are_read(void **state)
{
    static const char *const headers[] = {
        "host", "a", "CONTENT-LENGTH", "0012", "Content-Type", "application/json", "content-encoding", "GZIP",
        "Authorization", "Bearer x", "Cookie", "s=1", "X-Keep-CSRF", "t", "If-None-Match", "\"e\"",
        "Accept-Encoding", "gzip", "Idempotency-Key", "k", "Origin", "https://a", "Sec-Fetch-Site", "same-origin",
        "X-Forwarded-For", "1.2.3.4", "X-Forwarded-For", "5.6.7.8", NULL };
    struct laid l;
    struct guard_facts f;
    struct err err;

    (void)state;
    lay(&l, "POST", "/v1/scans?x=%20%c3%a9/y", "HTTP/1.1", headers);
    assert_int_equal(guard_check(&l.head, &f, &err), 0);
    assert_true(guard_layout(&l.head));
    assert_int_equal(f.method, METHOD_POST);
    assert_int_equal(f.length, 12);
    assert_int_equal(f.coding, CODING_GZIP);
    assert_string_equal(f.authorization, "Bearer x");
    assert_string_equal(f.csrf, "t");
    assert_string_equal(guard_find(&l.head, "x-forwarded-for"), "1.2.3.4");
    assert_null(guard_find(&l.head, "nothing"));
}

static void only_offered_methods_pass(void **state)
{
    static const char *const not_offered[] = { "OPTIONS", "TRACE", "CONNECT", "get", "Get", "", "GETX", "BREW" };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(not_offered); i++)
        assert_int_equal(status_of(not_offered[i], "/", "HTTP/1.1", plain), 501);
    for (int m = METHOD_GET; m < METHOD_N; m++)
        assert_int_equal(status_of(method_word((enum http_method)m), "/", "HTTP/1.1", plain), 0);
}

static void other_versions_are_505(void **state)
{
    static const char *const versions[] = { "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "" };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(versions); i++)
        assert_int_equal(status_of("GET", "/", versions[i], plain), 505);
    assert_int_equal(status_of("GET", "/", "HTTP/1.0", (const char *const[]){ NULL }), 0);
}

static void targets_are_judged_raw(void **state)
{
    static const struct {
        unsigned status;
        const char *uri;
    } cases[] = {
        { 0, "/" }, { 0, "/a?b=c&d=%2F%5c" }, { 0, "/sha256:ab@x;y,z" }, { 0, "/a%20b" }, { 0, "/a?q=%C3%A9" },
        { 0, "/a..b" }, { 0, "/..." }, { 0, "/.well-known" }, { 0, "/a?../.." },
        { 400, "" }, { 400, "a" }, { 400, "*" }, { 400, "http://a/" }, { 400, "/a#b" }, { 400, "/a b" },
        { 400, "/a\tb" }, { 400, "/a\x7f" }, { 400, "/\xc3\xa9" }, { 400, "/a%" }, { 400, "/a%2" }, { 400, "/a%g0" },
        { 400, "/a%00" }, { 400, "/a%0d%0a" }, { 400, "/a%7f" }, { 400, "/a%2f" }, { 400, "/a%2Fb" },
        { 400, "/a%5c" }, { 400, "/a%C3%A9" }, { 400, "/a?b=%00" }, { 400, "/a?b=%0a" }, { 400, "/a?b=%zz" },
        { 400, "/../a" }, { 400, "/a/.." }, { 400, "/a/./b" }, { 400, "/%2e%2e/a" }, { 400, "/.%2E/a" },
        { 400, "/a\\b" }, { 400, "/a\"b" }, { 400, "/a<b" },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++)
        if (status_of("GET", cases[i].uri, "HTTP/1.1", plain) != cases[i].status)
            fail_msg("%s: expected %u", cases[i].uri, cases[i].status);
    static char longest[GUARD_MAX_URI + 2];
    memset(longest, 'a', sizeof longest - 1);
    longest[0] = '/';
    assert_int_equal(status_of("GET", longest, "HTTP/1.1", plain), 414);
    longest[GUARD_MAX_URI] = '\0';
    assert_int_equal(status_of("GET", longest, "HTTP/1.1", plain), 0);
}

static void header_lines_are_tokens_and_text(void **state)
{
    static const struct {
        unsigned status;
        const char *name, *value;
    } cases[] = {
        { 0, "X", "" }, { 0, "X", "a\tb" }, { 0, "X", "caf\xc3\xa9" }, { 0, "!#$%&'*+-.^_`|~0aZ", "x" },
        { 400, "", "x" }, { 400, "X ", "x" }, { 400, " X", "x" }, { 400, "X\t", "x" }, { 400, "X(", "x" },
        { 400, "X\x80", "x" }, { 400, "X", "a\rb" }, { 400, "X", "a\x01" }, { 400, "X", "\x7f" },
        { 501, "Transfer-Encoding", "chunked" }, { 501, "transfer-encoding", "identity" },
        { 501, "TRANSFER-ENCODING", "" },
        { 400, "Host", "b" }, { 417, "Expect", "x" }, { 0, "Expect", "100-Continue" },
        { 415, "Content-Encoding", "br" }, { 415, "Content-Encoding", "gzip, gzip" }, { 0, "Content-Encoding", "zstd" },
        { 400, "Content-Length", "" }, { 400, "Content-Length", "+1" }, { 400, "Content-Length", "-1" },
        { 400, "Content-Length", "1 " }, { 400, "Content-Length", "1,1" }, { 400, "Content-Length", "0x1" },
        { 413, "Content-Length", "18446744073709551616" }, { 413, "Content-Length", "9223372036854775808" },
        { 0, "Content-Length", "0000000000000000000000000000012" },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        const char *const headers[] = { "Host", "a", cases[i].name, cases[i].value, NULL };
        if (status_of("POST", "/", "HTTP/1.1", headers) != cases[i].status)
            fail_msg("%s: %s: expected %u", cases[i].name, cases[i].value, cases[i].status);
    }
}

static void what_decides_something_comes_once(void **state)
{
    static const char *const names[] = { "Content-Length", "Authorization", "Content-Type", "Cookie", "Expect",
                                         "Content-Encoding", "If-None-Match", "Idempotency-Key", "X-Keep-CSRF",
                                         "Origin", "Sec-Fetch-Site" };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        const char *const headers[] = { "Host", "a", names[i], "1", "X", "y", names[i], "1", NULL };
        assert_int_equal(status_of("POST", "/", "HTTP/1.1", headers), 400);
    }
}

static void hosts_are_hosts(void **state)
{
    static const char *const bad[] = { "", "a b", "a/b", "a@b", "a,b", "a%20", "a?b", "a\\b" };
    static const char *const good[] = { "a", "A.b-c_d:80", "[::1]:8470", "127.0.0.1" };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++)
        assert_int_equal(status_of("GET", "/", "HTTP/1.1", (const char *const[]){ "Host", bad[i], NULL }), 400);
    for (size_t i = 0; i < N_ITEMS(good); i++)
        assert_int_equal(status_of("GET", "/", "HTTP/1.1", (const char *const[]){ "Host", good[i], NULL }), 0);
    assert_int_equal(status_of("GET", "/", "HTTP/1.1", (const char *const[]){ NULL }), 400);
}

static void heads_have_bounds(void **state)
{
    const char *headers[2 * GUARD_MAX_HEADERS + 3] = { "Host", "a" };
    struct guard_facts f;
    struct laid l;
    struct err err;

    (void)state;
    for (size_t i = 1; i < GUARD_MAX_HEADERS; i++) {
        headers[2 * i] = "X";
        headers[2 * i + 1] = "y";
    }
    lay(&l, "GET", "/", "HTTP/1.1", headers);
    assert_int_equal(guard_check(&l.head, &f, &err), 0);
    l.head.too_many = true;
    assert_int_equal(guard_check(&l.head, &f, &err), 431);
    l.head.too_many = false;
    l.head.max_head = l.head.head_len - 1;
    assert_int_equal(guard_check(&l.head, &f, &err), 431);
}

/* Whatever the library stepped over shows as a gap of another size. */
static void every_gap_in_the_layout_is_seen(void **state)
{
    static const char *const headers[] = { "Host", "a", "X", "y", "Z", "", NULL };
    struct laid l;

    (void)state;
    lay(&l, "GET", "/x?y=z", "HTTP/1.1", headers);
    assert_true(guard_layout(&l.head));
    l.head.uri++, l.head.uri_len--;                       /* a second space after the method */
    assert_false(guard_layout(&l.head));
    l.head.uri--;                                         /* NUL inside the target */
    assert_false(guard_layout(&l.head));
    l.head.uri_len++;
    for (int i = 0; i < 3; i++) {
        l.headers[i].value_len++;                         /* bare LF after the value */
        assert_false(guard_layout(&l.head));
        l.headers[i].value_len -= 2;                      /* NUL inside the value */
        assert_false(guard_layout(&l.head));
        l.headers[i].value_len++;
        l.headers[i].name++;                              /* something skipped before the name */
        assert_false(guard_layout(&l.head));
        l.headers[i].name--;
        const char *value = l.headers[i].value;
        l.headers[i].value = l.bytes;                     /* copied elsewhere: a folded line */
        assert_false(guard_layout(&l.head));
        l.headers[i].value = value;
        assert_true(guard_layout(&l.head));
    }
    l.head.n_headers--;                                   /* a line the library dropped */
    assert_false(guard_layout(&l.head));
    l.head.n_headers++;
    l.head.head_len++;
    assert_false(guard_layout(&l.head));
    l.head.head_len--;
    l.head.uri = NULL;
    assert_false(guard_layout(&l.head));
}

/* ---- matching ----------------------------------------------------------------------- */

static int run_nothing(struct call *c, const void *in, void *out, struct err *err)
{
    (void)c;
    (void)in;
    (void)out;
    (void)err;
    return 0;
}

#define ROW(m, p) { .method = m, .path = p, .who = WHO_ANYONE, .class = CLASS_LIGHT, .run = run_nothing, .summary = "x" }

static void words_beat_placeholders_and_both_are_tried(void **state)
{
    static const struct route table[] = {
        ROW("GET", "/v1/scans"), ROW("GET", "/v1/scans/{id}"), ROW("GET", "/v1/scans/latest"),
        ROW("GET", "/v1/scans/{id}/findings/{finding}"), ROW("DELETE", "/v1/scans/{id}"), ROW("GET", "/"),
    };
    static const struct {
        const char *path;
        int row;
    } cases[] = {
        { "/v1/scans", 0 }, { "/v1/scans/7", 1 }, { "/v1/scans/latest", 2 }, { "/v1/scans/latest/findings/x", 3 },
        { "/", 5 }, { "/v1/scans/", -1 }, { "/v1//scans", -1 }, { "/v1", -1 }, { "/v1/scans/7/findings", -1 },
        { "/v1/scansx", -1 }, { "/v1/scan", -1 }, { "//", -1 }, { "", -1 }, { "v1/scans", -1 },
    };
    struct matcher *m = NULL;
    struct match got;
    struct err err;

    (void)state;
    assert_int_equal(matcher_new(table, N_ITEMS(table), &m, &err), 0);
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        matcher_find(m, METHOD_GET, cases[i].path, strlen(cases[i].path), &got);
        if ((got.route == NULL ? -1 : (int)got.index) != cases[i].row)
            fail_msg("%s: expected row %d", cases[i].path, cases[i].row);
    }
    matcher_find(m, METHOD_PUT, "/v1/scans/7", 11, &got);
    assert_null(got.route);
    assert_int_equal(got.allowed, 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_DELETE);
    matcher_free(m);
}

static void placeholders_values_are_decoded_once(void **state)
{
    static const struct route table[] = { ROW("GET", "/a/{x}/{y}") };
    static const char path[] = "/a/b%20c%252e/sha256:1";
    const char *const *values = NULL;
    struct matcher *m = NULL;
    struct match got;
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, 1 << 16);
    assert_int_equal(matcher_new(table, 1, &m, &err), 0);
    matcher_find(m, METHOD_HEAD, path, sizeof path - 1, &got);
    assert_int_equal(match_values(&got, &arena, &values, &err), 0);
    assert_string_equal(values[0], "b c%2e");
    assert_string_equal(values[1], "sha256:1");
    assert_null(values[2]);
    matcher_free(m);
    arena_clear(&arena);
}

static void malformed_and_double_rows_are_refused(void **state)
{
    static const struct route tables[][2] = {
        { ROW("GET", "/a"), ROW("GET", "/a") },
        { ROW("GET", "/a/{x}"), ROW("GET", "/a/{y}") },
        { ROW("GET", "/a"), ROW("HEAD", "/b") },
        { ROW("GET", "/a"), ROW("FETCH", "/b") },
        { ROW("GET", "a"), ROW("GET", "/b") },
        { ROW("GET", "/a/"), ROW("GET", "/b") },
        { ROW("GET", "/a//b"), ROW("GET", "/b") },
        { ROW("GET", "/a b"), ROW("GET", "/b") },
        { ROW("GET", "/{a}/{b}/{c}/{d}/{e}"), ROW("GET", "/b") },
    };
    struct matcher *m = NULL;
    struct err err;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(tables); i++)
        assert_int_equal(matcher_new(tables[i], 2, &m, &err), -1);
}

/* ---- tags, codings, buckets, series ---------------------------------------------------- */

static void if_none_match_knows_every_form_of_a_tag(void **state)
{
    static const struct {
        bool yes;
        const char *value;
    } cases[] = {
        { true, "\"a\"" }, { true, "W/\"a\"" }, { true, "\"x\", \"a\"" }, { true, "*" }, { true, "\"a-gz\"" },
        { true, " \"b\",W/\"a-br\"" }, { false, "\"ab\"" }, { false, "a" }, { false, "" }, { false, "\"a" },
        { false, "*, \"b\"" }, { false, "\"A\"" }, { false, "\"b\" junk \"a\"" },
    };
    char tag[ETAG_TEXT], other[ETAG_TEXT];

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++)
        if (etag_matches(cases[i].value, "\"a\"") != cases[i].yes)
            fail_msg("%s", cases[i].value);
    etag_of("x", 1, tag);
    etag_of("y", 1, other);
    assert_string_not_equal(tag, other);
    assert_int_equal(strlen(tag), 34);
    etag_with("\"a\"", "-gz", tag);
    assert_string_equal(tag, "\"a-gz\"");
    etag_of("", 0, tag);
    assert_string_equal(tag, "\"6c62272e07bb014262b821756295c58d\"");     /* FNV-1a 128 offset basis */
}

static void accept_encoding_is_read_with_its_qualities(void **state)
{
    (void)state;
    assert_true(coding_accepted("gzip", "gzip"));
    assert_true(coding_accepted("deflate, GZIP;q=0.5", "gzip"));
    assert_true(coding_accepted("*", "br"));
    assert_false(coding_accepted("gzip;q=0", "gzip"));
    assert_false(coding_accepted("gzip; q=0.000, *", "gzip"));
    assert_false(coding_accepted("*;q=0", "gzip"));
    assert_false(coding_accepted("gzipped", "gzip"));
    assert_false(coding_accepted("", "gzip"));
    assert_false(coding_accepted(NULL, "gzip"));
}

static void a_bucket_empties_and_fills_with_time(void **state)
{
    struct limiter *l = NULL;
    struct err err;
    int64_t wait = 0;

    (void)state;
    assert_int_equal(limiter_new(10, 5, &l, &err), 0);
    for (int i = 0; i < 5; i++)
        assert_true(limiter_take(l, "a", 1000, &wait));
    assert_false(limiter_take(l, "a", 1000, &wait));
    assert_int_equal(wait, 1);
    assert_true(limiter_take(l, "b", 1000, &wait));           /* others have their own */
    assert_false(limiter_take(l, "a", 1099, &wait));
    assert_true(limiter_take(l, "a", 1101, &wait));
    assert_false(limiter_take(l, "a", 900, &wait));          /* time going back gives nothing */
    for (int i = 0; i < 5; i++)
        assert_true(limiter_take(l, "a", INT64_C(1) << 40, &wait));
    assert_false(limiter_take(l, "a", INT64_C(1) << 40, &wait));
    limiter_free(l);
}

static void many_callers_do_not_grow_the_table(void **state)
{
    struct limiter *l = NULL;
    struct err err;
    char who[32];
    int64_t wait;

    (void)state;
    assert_int_equal(limiter_new(1, 1, &l, &err), 0);
    for (int i = 0; i < 100000; i++) {
        snprintf(who, sizeof who, "caller-%d", i);
        assert_true(limiter_take(l, who, i, &wait));
    }
    limiter_free(l);
}

static void metrics_are_written_in_the_text_format(void **state)
{
    static const char *const colours[] = { "red", "a\"b\\c\nd" };
    static const char *const sizes[] = { "s", "l" };
    struct metrics *m = NULL;
    struct metric *counter = NULL, *seconds = NULL;
    struct err err;
    struct buf b;

    (void)state;
    assert_int_equal(metrics_new(&m, &err), 0);
    struct metric_desc c = { "c_total", "Help.", METRIC_COUNTER, "colour", colours, 2, "size", sizes, 2 };
    struct metric_desc s = { "s_seconds", "Help.", METRIC_HISTOGRAM, NULL, NULL, 0, NULL, NULL, 0 };
    assert_int_equal(metrics_add(m, &c, &counter, &err), 0);
    assert_int_equal(metrics_add(m, &s, &seconds, &err), 0);
    metric_count(counter, 0, 1, 3);
    metric_count(counter, 1, 0, 1);
    metric_count(counter, 2, 0, 9);                           /* outside: ignored */
    metric_observe(seconds, 0, 300);
    metric_observe(seconds, 0, 60000000);
    metric_count(NULL, 0, 0, 1);
    buf_init(&b, 1 << 16);
    metrics_write(m, &b);
    assert_non_null(strstr(b.ptr, "c_total{colour=\"red\",size=\"l\"} 3\n"));
    assert_non_null(strstr(b.ptr, "c_total{colour=\"a\\\"b\\\\c\\nd\",size=\"s\"} 1\n"));
    assert_non_null(strstr(b.ptr, "s_seconds_bucket{le=\"0.000250\"} 0\n"));
    assert_non_null(strstr(b.ptr, "s_seconds_bucket{le=\"0.000500\"} 1\n"));
    assert_non_null(strstr(b.ptr, "s_seconds_bucket{le=\"+Inf\"} 2\n"));
    assert_non_null(strstr(b.ptr, "s_seconds_sum 60.000300\n"));
    assert_non_null(strstr(b.ptr, "s_seconds_count 2\n"));
    assert_int_equal(metric_get(counter, 0, 1), 3);
    buf_free(&b);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_request_passes_and_its_facts_are_read),
        cmocka_unit_test(only_offered_methods_pass),
        cmocka_unit_test(other_versions_are_505),
        cmocka_unit_test(targets_are_judged_raw),
        cmocka_unit_test(header_lines_are_tokens_and_text),
        cmocka_unit_test(what_decides_something_comes_once),
        cmocka_unit_test(hosts_are_hosts),
        cmocka_unit_test(heads_have_bounds),
        cmocka_unit_test(every_gap_in_the_layout_is_seen),
        cmocka_unit_test(words_beat_placeholders_and_both_are_tried),
        cmocka_unit_test(placeholders_values_are_decoded_once),
        cmocka_unit_test(malformed_and_double_rows_are_refused),
        cmocka_unit_test(if_none_match_knows_every_form_of_a_tag),
        cmocka_unit_test(accept_encoding_is_read_with_its_qualities),
        cmocka_unit_test(a_bucket_empties_and_fills_with_time),
        cmocka_unit_test(many_callers_do_not_grow_the_table),
        cmocka_unit_test(metrics_are_written_in_the_text_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
