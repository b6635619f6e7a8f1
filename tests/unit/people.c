/* people.c - the pure parts of letting people in: life spans, cookies, what is
 * remembered, pages, lists, checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "core/life.h"
#include "service/check.h"
#include "service/role.h"
#include "service/session_cookie.h"
#include "service/touched.h"
#include "store/text_list.h"

static struct arena arena;
static struct err err;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return crypto_init(&err);
}

static int stop(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static void life_is_half_open(void **state)
{
    (void)state;
    assert_int_equal(life_at(10, 20, TIME_UNKNOWN, 9), LIFE_NOT_YET);
    assert_int_equal(life_at(10, 20, TIME_UNKNOWN, 10), LIFE_LIVE);
    assert_int_equal(life_at(10, 20, TIME_UNKNOWN, 19), LIFE_LIVE);
    assert_int_equal(life_at(10, 20, TIME_UNKNOWN, 20), LIFE_EXPIRED);
    assert_int_equal(life_at(TIME_UNKNOWN, TIME_UNKNOWN, TIME_UNKNOWN, INT64_MAX), LIFE_LIVE);
    assert_int_equal(life_at(10, 20, 15, 12), LIFE_REVOKED);      /* whatever the clock does */
}

static void roles_and_words_belong_together(void **state)
{
    (void)state;
    for (unsigned bit = 1; bit < WHO_ANYONE; bit <<= 1) {
        enum role role = (enum role)bit;
        assert_int_equal(role_of(role_word(role)), role);
        assert_non_null(role_token_kind(role));
        assert_true(role_may_grant(ROLE_ADMIN, role));
        assert_false(role != ROLE_ADMIN && role_may_grant(role, ROLE_VIEWER));
    }
    assert_int_equal(role_of("anyone"), 0);
    assert_int_equal(role_of(""), 0);
    assert_false(role_may_grant(ROLE_ADMIN, (enum role)0));
    assert_false(role_may_grant(WHO_ANYONE, ROLE_VIEWER));
}

static void session_text_reads_back(void **state)
{
    char text[SESSION_TEXT_LEN + 1], header[256];
    struct session_key made, read;

    (void)state;
    session_key_make(text, &made);
    assert_true(session_key_parse(text, &read));
    assert_string_equal(made.id, read.id);
    assert_memory_equal(made.hash, read.hash, 32);
    snprintf(header, sizeof header, "a=b; keep_session=%s", text);
    assert_true(session_cookie_find(header, false, &read));
    assert_false(session_cookie_find(header, true, &read));
    text[40] = 'G';
    assert_false(session_key_parse(text, &read));
    assert_false(session_key_parse("", &read));
    assert_false(session_cookie_find("", false, &read));
    assert_false(session_cookie_find("keep_session", false, &read));
    assert_false(session_cookie_find("keep_session=;;;= ;", false, &read));
}

static void newest_use_is_remembered(void **state)
{
    struct touched *t = touched_new();
    struct touch *out = calloc(TOUCHED_MAX, sizeof *out);

    (void)state;
    touched_add(t, TOUCHED_TOKEN, "a", "x", 5);
    touched_add(t, TOUCHED_TOKEN, "a", "y", 7);
    touched_add(t, TOUCHED_TOKEN, "a", "z", 6);
    touched_add(t, TOUCHED_SESSION, "a", "s", 1);
    assert_int_equal(touched_last(t, TOUCHED_TOKEN, "a"), 7);
    assert_int_equal(touched_last(t, TOUCHED_SESSION, "a"), 1);
    assert_true(touched_last(t, TOUCHED_TOKEN, "b") == INT64_MIN);
    assert_int_equal(touched_take(t, out), 2);
    assert_int_equal(touched_take(t, out), 0);
    assert_true(touched_last(t, TOUCHED_TOKEN, "a") == INT64_MIN);
    free(out);
    touched_free(t);
}

static void what_is_remembered_is_bounded(void **state)
{
    struct touched *t = touched_new();
    struct touch *out = calloc(TOUCHED_MAX, sizeof *out);
    char id[24];

    (void)state;
    for (int i = 0; i < TOUCHED_MAX + 10; i++) {
        snprintf(id, sizeof id, "token-%d", i);
        touched_add(t, TOUCHED_TOKEN, id, "x", i);
    }
    assert_int_equal(touched_dropped(t), 10);
    touched_add(t, TOUCHED_TOKEN, "token-3", "x", 99999);          /* known ones still count */
    assert_int_equal(touched_last(t, TOUCHED_TOKEN, "token-3"), 99999);
    assert_int_equal(touched_take(t, out), TOUCHED_MAX);
    touched_add(t, TOUCHED_TOKEN, "0123456789012345678901234567890123456789", "x", 1);
    assert_int_equal(touched_take(t, out), 0);                      /* no id of ours */
    free(out);
    touched_free(t);
}

static void lists_of_text_read_back(void **state)
{
    static const char *const items[] = { "", "a", "\"\\", "\x01\x1f\x7f", "\xc3\xa9,[]" };
    const char *const *back;
    size_t n;

    (void)state;
    for (size_t count = 0; count <= N_ITEMS(items); count++) {
        const char *text = text_list_encode(&arena, items, count);
        assert_true(text_list_decode(text, &arena, &back, &n));
        assert_int_equal(n, count);
        for (size_t i = 0; i < n; i++)
            assert_string_equal(back[i], items[i]);
    }
}

static void damaged_lists_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "[", "]", "[]]", "[\"a\"", "[\"a]", "[\"a\",]", "[,\"a\"]", "[\"a\" ,\"b\"]", "[\"a\"\"b\"]", "[\"\\n\"]",
        "[\"\\u00\"]", "[\"\\u0000\"]", "[\"\\", "[\"\\u001", "{}", "null", "[1]", "[\"a\",\"b", "[[]]",
    };
    const char *const *back;
    size_t n;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++)
        assert_false(text_list_decode(bad[i], &arena, &back, &n));
    assert_false(text_list_decode(NULL, &arena, &back, &n));
}

static void seventh_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    (void)items;
    *at_ms = (int64_t)i;
    *id = "docker.io/a/*~\xc3\xa9";
}

static void cursor_leads_back_to_its_place(void **state)
{
    struct page_query q = { .limit = 3 };
    struct page page;
    const char *id;
    int64_t at;

    (void)state;
    assert_int_equal(page_fill(&q, &arena, "xxxx", 3, seventh_key, &page, &err), 0);
    assert_null(page.next);
    assert_int_equal(page_fill(&q, &arena, "xxxx", 4, seventh_key, &page, &err), 0);
    assert_int_equal(page.n_items, 3);
    assert_non_null(page.next);
    q.cursor = page.next;
    assert_int_equal(page_start(&q, &arena, &at, &id, &err), 0);
    assert_int_equal(at, 2);
    assert_string_equal(id, "docker.io/a/*~\xc3\xa9");
    for (const char *const *bad = (const char *const[]){ "!", "AAAA", "Lw", "LTEv", "MDAv", "/w", NULL }; *bad != NULL; bad++) {
        q.cursor = *bad;
        assert_int_equal(page_start(&q, &arena, &at, &id, &err), -1);
        assert_int_equal(err.kind, ERR_INVALID);
    }
}

static void reasons_are_counted_in_characters(void **state)
{
    (void)state;
    assert_int_equal(check_reason("$", "abcdefghij", &err), 0);
    assert_int_equal(check_reason("$", "abc def\nghi jk", &err), 0);
    assert_int_equal(check_reason("$", "a b c d e f g h i", &err), -1);
    assert_int_equal(check_reason("$", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", &err), -1);
    assert_int_equal(check_reason("$", "abcdefghijkl\x1b[31m", &err), -1);
}

static void expiry_is_one_of_two_and_bounded(void **state)
{
    int64_t at = 0;

    (void)state;
    assert_int_equal(check_expiry("1d", TIME_UNKNOWN, NULL, MS_DAY, 5, &at, &err), 0);
    assert_int_equal(at, 5 + MS_DAY);
    assert_int_equal(check_expiry(NULL, 6, NULL, MS_DAY, 5, &at, &err), 0);
    assert_int_equal(at, 6);
    assert_int_equal(check_expiry(NULL, TIME_UNKNOWN, "1h", MS_DAY, 5, &at, &err), 0);
    assert_int_equal(check_expiry(NULL, TIME_UNKNOWN, NULL, MS_DAY, 5, &at, &err), -1);
    assert_int_equal(check_expiry("1d", 6, NULL, MS_DAY, 5, &at, &err), -1);
    assert_int_equal(check_expiry("2d", TIME_UNKNOWN, NULL, MS_DAY, 5, &at, &err), -1);
    assert_int_equal(check_expiry(NULL, 5, NULL, MS_DAY, 5, &at, &err), -1);
    assert_int_equal(check_expiry(NULL, INT64_MIN + 1, NULL, MS_DAY, 5, &at, &err), -1);
    assert_int_equal(check_expiry(NULL, INT64_MAX, NULL, MS_DAY, 5, &at, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life_is_half_open), cmocka_unit_test(roles_and_words_belong_together),
        cmocka_unit_test(session_text_reads_back), cmocka_unit_test(newest_use_is_remembered),
        cmocka_unit_test(what_is_remembered_is_bounded), cmocka_unit_test(lists_of_text_read_back),
        cmocka_unit_test(damaged_lists_are_refused), cmocka_unit_test(cursor_leads_back_to_its_place),
        cmocka_unit_test(reasons_are_counted_in_characters), cmocka_unit_test(expiry_is_one_of_two_and_bounded),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
