/* base.c - what everything stands on: errors, arenas, buffers, text, time. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Sizes no machine has are to fail, not to end the program under a sanitizer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* ---- err --------------------------------------------------------------------------- */

static void an_error_is_a_kind_and_a_message(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_int_equal(err_set(&err, ERR_CONFLICT, "%s %d", "key", 7), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_string_equal(err.msg, "key 7");
    assert_int_equal(err_prefix(&err, "row %d", 3), -1);
    assert_string_equal(err.msg, "row 3: key 7");
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_int_equal(err_nomem(&err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
}

static void a_long_message_is_cut_between_characters(void **state)
{
    static const char *const chars[] = { "x", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };
    struct err err = { 0 };
    char text[600];

    (void)state;
    for (size_t c = 0; c < N_ITEMS(chars); c++) {
        for (size_t pad = 0; pad < 8; pad++) {
            memset(text, 'a', pad);
            text[pad] = '\0';
            for (int i = 0; i < 120; i++)
                strncat(text, chars[c], 5);
            err_set(&err, ERR_INVALID, "%s", text);
            size_t n = strlen(err.msg);
            assert_true(str_is_utf8(err.msg, n));
            assert_true(strlen(text) < sizeof err.msg ? n == strlen(text) : n > sizeof err.msg - 5);
            err_prefix(&err, "%s", text);
            assert_true(str_is_utf8(err.msg, strlen(err.msg)));
            err_set(&err, ERR_INVALID, "short");
            err_prefix(&err, "%.200s", text);
            assert_true(str_is_utf8(err.msg, strlen(err.msg)) || !str_is_utf8(text, strnlen(text, 200)));
        }
    }
}

static void a_prefix_longer_than_the_message_loses_the_message(void **state)
{
    struct err err = { 0 };
    char prefix[300];

    (void)state;
    memset(prefix, 'p', sizeof prefix);
    prefix[sizeof prefix - 1] = '\0';
    err_set(&err, ERR_INVALID, "lost");
    err_prefix(&err, "%s", prefix);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
    assert_int_equal(strspn(err.msg, "p"), sizeof err.msg - 1);
}

static void every_kind_has_a_row(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_N; i++) {
        const struct err_info *info = err_info((enum err_kind)i);
        assert_non_null(info->slug);
        assert_non_null(info->title);
        assert_in_range(info->http_status, 400, 599);
        assert_in_range(info->exit_code, 1, 9);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(info->slug, err_info((enum err_kind)j)->slug);
    }
    assert_ptr_equal(err_info((enum err_kind)ERR_N), err_info(ERR_INTERNAL));
    assert_ptr_equal(err_info((enum err_kind)-1), err_info(ERR_INTERNAL));
}

/* ---- arena -------------------------------------------------------------------------- */

static void arena_memory_is_aligned_zeroed_and_apart(void **state)
{
    struct arena a;
    unsigned char *last = NULL;

    (void)state;
    arena_init(&a, 8 << 20);
    for (size_t n = 0; n < 3000; n++) {
        arena_bytes(&a, n % 7);                      /* unaligns */
        unsigned char *p = arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, n);
        assert_ptr_not_equal(p, last);
        last = n > 0 ? p : last;
    }
    arena_clear(&a);
}

static void the_limit_holds_and_can_be_used_up(void **state)
{
    struct arena a;
    size_t got = 0;

    (void)state;
    arena_init(&a, 100000);
    assert_null(arena_alloc(&a, 100000));             /* the header does not fit any more */
    while (arena_bytes(&a, 100) != NULL)
        got += 100;
    assert_true(a.used <= a.limit);
    assert_true(got > 95000);
    assert_null(arena_strdup(&a, "a text that is longer than what may be left over in the last of the chunks, "
                                 "which is less than one hundred bytes as the loop above has shown"));
    arena_clear(&a);
    assert_int_equal(a.used, 0);
    assert_non_null(arena_alloc(&a, 1000));
    arena_clear(&a);
}

static void a_limit_of_zero_gives_nothing(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_null(arena_alloc(&a, 1));
    assert_null(arena_bytes(&a, 1));
    assert_null(arena_alloc(&a, 0));
    assert_null(arena_strdup(&a, ""));
    assert_null(arena_printf(&a, "x"));
    arena_clear(&a);
}

static void sizes_that_overflow_are_refused(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, SIZE_MAX);
    assert_null(arena_bytes(&a, SIZE_MAX));
    assert_null(arena_bytes(&a, SIZE_MAX - 16));
    assert_null(arena_alloc(&a, SIZE_MAX - 40));
    assert_null(arena_array(&a, SIZE_MAX / 2, 3));
    assert_null(arena_array(&a, (SIZE_MAX >> 3) + 1, 8));
    assert_null(arena_strndup(&a, "x", SIZE_MAX));
    assert_non_null(arena_array(&a, 0, SIZE_MAX));
    assert_non_null(arena_alloc(&a, 1));
    arena_clear(&a);
}

static void a_failed_allocation_leaves_the_arena_usable(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 64 * 1024);
    char *p = arena_strdup(&a, "kept");
    assert_null(arena_alloc(&a, 1 << 20));
    assert_string_equal(p, "kept");
    assert_non_null(arena_alloc(&a, 1000));
    arena_clear(&a);
}

static void reset_keeps_an_ordinary_chunk_and_drops_a_giant(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 16 << 20);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    for (int i = 0; i < 100; i++)
        arena_alloc(&a, 1000);
    arena_reset(&a);
    assert_true(a.used > 0);
    size_t used = a.used;
    unsigned char *p = arena_alloc(&a, 1000);
    assert_int_equal(a.used, used);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    arena_alloc(&a, 4 << 20);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    arena_clear(&a);
}

static void text_is_copied_with_its_end(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    assert_null(arena_strdup(&a, NULL));
    assert_string_equal(arena_strdup(&a, ""), "");
    assert_string_equal(arena_strdup(&a, "abc"), "abc");
    assert_string_equal(arena_strndup(&a, "abc", 2), "ab");
    assert_string_equal(arena_strndup(&a, NULL, 0), "");
    assert_string_equal(arena_printf(&a, "%s-%d", "x", 5), "x-5");
    assert_string_equal(arena_printf(&a, "%s", ""), "");
    arena_clear(&a);
}

/* ---- buf ------------------------------------------------------------------------------ */

static void a_buffer_grows_and_ends_in_a_nul(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 10000; i++) {
        buf_putc(&b, (char)('a' + i % 26));
        assert_int_equal(b.ptr[b.len], '\0');
    }
    buf_puts(&b, "");
    buf_put(&b, NULL, 0);
    assert_int_equal(b.len, 10000);
    assert_int_equal(b.ptr[27], 'b');
    buf_printf(&b, "%0500d", 1);
    assert_int_equal(b.len, 10500);
    assert_false(b.failed);
    buf_free(&b);
    buf_free(&b);
    assert_null(b.ptr);
}

static void a_buffer_fails_once_and_stays_failed(void **state)
{
    struct buf b;
    size_t len = 99;

    (void)state;
    buf_init(&b, 10);
    buf_puts(&b, "12345");
    buf_puts(&b, "678901");
    assert_true(b.failed);
    assert_string_equal(b.ptr, "12345");
    buf_putc(&b, 'x');
    buf_printf(&b, "x");
    assert_int_equal(b.len, 5);
    assert_null(buf_room(&b, 0));
    assert_null(buf_steal(&b, &len));
    assert_int_equal(len, 99);
    buf_clear(&b);
    assert_false(b.failed);
    assert_string_equal(b.ptr, "");
    buf_puts(&b, "1234567890");
    assert_false(b.failed);
    buf_putc(&b, 'x');
    assert_true(b.failed);
    buf_free(&b);
}

static void a_bound_of_the_whole_address_space_does_not_overflow(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, SIZE_MAX);
    buf_puts(&b, "x");
    assert_null(buf_room(&b, SIZE_MAX));
    assert_true(b.failed);
    buf_clear(&b);
    assert_null(buf_room(&b, SIZE_MAX - 1));
    buf_clear(&b);
    assert_null(buf_room(&b, SIZE_MAX / 2 + 1));
    buf_free(&b);
}

static void a_zeroed_buffer_may_be_freed_and_takes_nothing(void **state)
{
    struct buf b = { 0 };

    (void)state;
    buf_put(&b, "", 0);
    assert_false(b.failed);
    buf_putc(&b, 'x');
    assert_true(b.failed);
    buf_free(&b);
}

static void stolen_memory_belongs_to_the_caller(void **state)
{
    struct buf b;
    size_t len;

    (void)state;
    buf_init(&b, 100);
    buf_puts(&b, "abc");
    char *p = buf_steal(&b, &len);
    assert_string_equal(p, "abc");
    assert_int_equal(len, 3);
    free(p);
    p = buf_steal(&b, &len);
    assert_string_equal(p, "");
    assert_int_equal(len, 0);
    free(p);
    buf_puts(&b, "again");
    assert_string_equal(b.ptr, "again");
    buf_free(&b);
}

static void room_is_written_by_hand(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    memcpy(buf_room(&b, 500), "hand", 4);
    buf_grown(&b, 4);
    buf_puts(&b, "made");
    assert_string_equal(b.ptr, "handmade");
    buf_free(&b);
}

/* ---- str ------------------------------------------------------------------------------ */

static void strings_are_compared(void **state)
{
    (void)state;
    assert_true(str_eq(NULL, NULL));
    assert_false(str_eq(NULL, ""));
    assert_false(str_eq("", NULL));
    assert_true(str_eq("a", "a"));
    assert_true(str_eq_nocase("AbC", "aBc"));
    assert_false(str_eq_nocase("abc", "abcd"));
    assert_false(str_eq_nocase("abcd", "abc"));
    assert_false(str_eq_nocase("\xC3\x84", "\xC3\xA4"));
    assert_false(str_eq_nocase("@", "`"));
    assert_false(str_eq_nocase("[", "{"));
    assert_true(str_starts("abc", "ab") && str_starts("abc", "") && !str_starts("ab", "abc"));
    assert_true(str_ends("abc", "bc") && str_ends("abc", "") && !str_ends("bc", "abc"));
    char text[] = "A-Z \xC3\x84[`";
    str_lower(text);
    assert_string_equal(text, "a-z \xC3\x84[`");
}

static void patterns_match_as_shells_do(void **state)
{
    static const struct { const char *pattern, *text; bool matches; } cases[] = {
        { "", "", true }, { "", "a", false }, { "*", "", true }, { "*", "abc", true }, { "**", "", true }, { "?", "", false },
        { "?", "a", true }, { "?", "ab", false }, { "a*c", "abbbc", true }, { "a*c", "ac", true }, { "a*c", "acb", false },
        { "*.example.com/*", "reg.example.com/app", true }, { "*.example.com/*", "example.com/app", false },
        { "*a*b*c", "xaxbxc", true }, { "*a*b*c", "xbxaxc", false }, { "a?c*", "abcd", true }, { "*?", "", false },
        { "*?", "a", true }, { "[a]", "a", false }, { "[a]", "[a]", true }, { "\\*", "*", false }, { "\\*", "\\x", true },
        { "*ab", "aab", true }, { "*aab", "aaab", true }, { "a", "A", false },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++)
        assert_int_equal(str_match(cases[i].pattern, cases[i].text), cases[i].matches);
}

static void a_hostile_pattern_is_not_exponential(void **state)
{
    char pattern[201], text[20001];

    (void)state;
    for (int i = 0; i < 200; i++)
        pattern[i] = "a*"[i % 2];
    pattern[199] = 'b';
    pattern[200] = '\0';
    memset(text, 'a', 20000);
    text[20000] = '\0';
    assert_false(str_match(pattern, text));
}

/* Every sequence of up to four bytes, against the definition. */
static void utf8_is_exactly_what_the_standard_says(void **state)
{
    size_t valid = 0;

    (void)state;
    for (uint32_t c = 1; c <= 0x110000; c++) {
        char s[5];
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = n; i-- > 0;)
            s[i] = (char)(i == 0 ? (c >> 6 * (n - 1)) | (n == 1 ? 0 : 0xF00u >> n) : 0x80 | (c >> 6 * (n - 1 - i) & 63));
        bool want = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
        assert_int_equal(str_is_utf8(s, n), want);
        assert_int_equal(str_utf8_len(s, n), want ? n : 0);
        valid += want;
        for (size_t cut = 1; cut < n; cut++)
            assert_false(str_is_utf8(s, cut));
    }
    assert_int_equal(valid, 0x10FFFF - 0x800);
    for (unsigned a = 0x80; a < 0x100; a++) {
        for (unsigned b = 0; b < 0x100; b++) {
            char s[2] = { (char)a, (char)b };
            bool want = a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF;
            assert_int_equal(str_is_utf8(s, 2), want);
        }
    }
}

static void utf8_has_no_nul_and_no_overlong_form(void **state)
{
    (void)state;
    assert_true(str_is_utf8("", 0));
    assert_true(str_is_utf8(NULL, 0));
    assert_false(str_is_utf8("a\0b", 3));
    assert_false(str_is_utf8("\xC0\x80", 2));
    assert_false(str_is_utf8("\xE0\x80\x80", 3));
    assert_false(str_is_utf8("\xF0\x80\x80\x80", 4));
    assert_int_equal(str_utf8_len("", 0), 0);
    assert_int_equal(str_utf8_len("\0", 1), 1);
}

static void decimals_are_strict(void **state)
{
    static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "01", "00", "1x", "0x1", "9223372036854775808",
                                       "18446744073709551616", "99999999999999999999" };
    int64_t v = 42;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        assert_false(str_to_i64(bad[i], INT64_MIN, INT64_MAX, &v));
        assert_int_equal(v, 42);
    }
    assert_true(str_to_i64("0", 0, 0, &v) && v == 0);
    assert_true(str_to_i64("9223372036854775807", 0, INT64_MAX, &v) && v == INT64_MAX);
    assert_false(str_to_i64("5", 6, 10, &v));
    assert_false(str_to_i64("11", 6, 10, &v));
}

static void hex_is_lower_case_and_exact(void **state)
{
    unsigned char bytes[256], back[256];
    char text[513];

    (void)state;
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (unsigned char)i;
    hex_encode(bytes, 256, text);
    assert_int_equal(strlen(text), 512);
    assert_true(hex_decode(text, back, 256));
    assert_memory_equal(bytes, back, 256);
    assert_true(hex_decode("", back, 0));
    assert_false(hex_decode("0", back, 1));
    assert_false(hex_decode("", back, 1));
    assert_false(hex_decode("000", back, 1));
    assert_false(hex_decode("0G", back, 1));
    assert_false(hex_decode("0A", back, 1));
    assert_false(hex_decode("0 ", back, 1));
    hex_encode(NULL, 0, text);
    assert_string_equal(text, "");
}

static void digests_are_recognised(void **state)
{
    char text[] = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    (void)state;
    assert_int_equal(strlen(text), DIGEST_LEN);
    assert_true(digest_is_valid(text));
    assert_false(digest_is_valid(NULL));
    assert_false(digest_is_valid(""));
    assert_false(digest_is_valid("sha256:"));
    assert_false(digest_is_valid(text + 7));
    text[10] = 'A';
    assert_false(digest_is_valid(text));
    text[10] = '2';
    text[DIGEST_LEN - 1] = '\0';
    assert_false(digest_is_valid(text));
}

static void distances_are_counted_up_to_their_bound(void **state)
{
    char long_text[80];

    (void)state;
    assert_int_equal(str_distance("", "", 3), 0);
    assert_int_equal(str_distance("kitten", "sitting", 5), 3);
    assert_int_equal(str_distance("sitting", "kitten", 5), 3);
    assert_int_equal(str_distance("abc", "", 5), 3);
    assert_int_equal(str_distance("", "abc", 2), 3);
    assert_int_equal(str_distance("abc", "xyz", 2), 3);
    assert_int_equal(str_distance("abc", "abc", 0), 0);
    memset(long_text, 'x', 79);
    long_text[79] = '\0';
    assert_int_equal(str_distance(long_text, "x", 3), 4);
    long_text[64] = '\0';
    assert_int_equal(str_distance(long_text, long_text, 3), 0);
}

/* ---- time ------------------------------------------------------------------------------ */

static int64_t time_of(const char *text)
{
    int64_t ms = -42;

    assert_true(time_parse(text, &ms));
    return ms;
}

static void times_are_read_as_rfc_3339_writes_them(void **state)
{
    (void)state;
    assert_int_equal(time_of("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(time_of("1969-12-31T23:59:59.999Z"), -1);
    assert_int_equal(time_of("2000-02-29T12:00:00Z"), INT64_C(951825600000));
    assert_int_equal(time_of("1985-04-12T23:20:50.52Z"), INT64_C(482196050520));
    assert_int_equal(time_of("1996-12-19T16:39:57-08:00"), time_of("1996-12-20T00:39:57Z"));
    assert_int_equal(time_of("1937-01-01T12:00:27.87+00:20"), time_of("1937-01-01T11:40:27.870Z"));
    assert_int_equal(time_of("1990-12-31t23:59:60z"), time_of("1990-12-31T23:59:59.999Z"));
    assert_int_equal(time_of("1990-12-31 15:59:60.5-08:00"), time_of("1990-12-31T23:59:59.999Z"));
    assert_int_equal(time_of("2024-01-01T00:00:00.1234567890123456789012345678901234567890Z"), time_of("2024-01-01T00:00:00.123Z"));
    assert_int_equal(time_of("2024-01-01T00:00:00-00:00"), time_of("2024-01-01T00:00:00Z"));
    assert_int_equal(time_of("2024-01-01T23:59:59+23:59"), time_of("2024-01-01T00:00:59Z"));
    assert_int_equal(time_of("0000-01-01T00:00:00Z"), INT64_C(-62167219200000));
    assert_int_equal(time_of("9999-12-31T23:59:59.999Z"), INT64_C(253402300799999));
}

static void what_is_no_rfc_3339_time_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "2024", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T00:00Z", "2024-01-01T00:00:00 Z", "2024-01-01T00:00:00Zx",
        "2024-1-01T00:00:00Z", "24-01-01T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z",
        "2024-01-32T00:00:00Z", "2024-04-31T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+00:60", "2024-01-01T00:00:00+0000", "2024-01-01T00:00:00+00", "2024-01-01T00:00:00+1:00",
        "2024/01/01T00:00:00Z", "2024-01-01_00:00:00Z", " 2024-01-01T00:00:00Z", "-024-01-01T00:00:00Z", "+2024-01-01T00:00:00Z",
        "12024-01-01T00:00:00Z", "2024-01-01T00:00:00+-1:00", "2024-01-01T-1:00:00Z", "2024-W01-1T00:00:00Z",
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    };
    int64_t ms = 42;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        if (time_parse(bad[i], &ms))
            print_error("accepted: %s\n", bad[i]);
        assert_false(time_parse(bad[i], &ms));
        assert_int_equal(ms, 42);
    }
}

static void gos_zero_time_is_no_time(void **state)
{
    (void)state;
    assert_int_equal(time_of("0001-01-01T00:00:00Z"), TIME_UNKNOWN);
    assert_int_equal(time_of("0001-01-01T02:00:00+02:00"), TIME_UNKNOWN);
    assert_int_not_equal(time_of("0001-01-01T00:00:00+02:00"), TIME_UNKNOWN);
    assert_int_not_equal(time_of("0001-01-01T00:00:00.001Z"), TIME_UNKNOWN);
}

static void scanners_may_leave_out_zone_and_clock(void **state)
{
    int64_t ms = 42;

    (void)state;
    assert_true(time_parse_loose("2024-01-02", &ms) && ms == time_of("2024-01-02T00:00:00Z"));
    assert_true(time_parse_loose("2024-01-02T03:04:05", &ms) && ms == time_of("2024-01-02T03:04:05Z"));
    assert_true(time_parse_loose("2024-01-02 03:04:05.678", &ms) && ms == time_of("2024-01-02T03:04:05.678Z"));
    assert_true(time_parse_loose("2024-01-02T03:04:05+01:00", &ms) && ms == time_of("2024-01-02T02:04:05Z"));
    assert_true(time_parse_loose("0001-01-01", &ms) && ms == TIME_UNKNOWN);
    assert_false(time_parse_loose("2024-01-02T", &ms));
    assert_false(time_parse_loose("2024-01-02T03:04", &ms));
    assert_false(time_parse_loose("2024-01", &ms));
    assert_false(time_parse_loose("", &ms));
}

static void every_day_is_written_and_read_back(void **state)
{
    char text[TIME_TEXT];

    (void)state;
    int64_t first = time_of("0000-01-01T00:00:00Z"), last = time_of("9999-12-31T23:59:59.999Z");
    for (int64_t at = first; at <= last; at += MS_DAY + 3723004) {
        time_format(at, text);
        int64_t back = time_of(text);
        assert_true(back == at || (back == TIME_UNKNOWN && at == time_of("0001-01-01T00:00:00.001Z") - 1));
    }
    time_format(last, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    time_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    time_format(INT64_C(1000), text);
    assert_string_equal(text, "1970-01-01T00:00:01Z");
}

static void times_beyond_the_calendar_are_written_as_nothing(void **state)
{
    static const int64_t beyond[] = { TIME_UNKNOWN, INT64_MIN + 1, INT64_MAX, INT64_C(253402300800000), INT64_C(-62167219200001) };
    char text[TIME_TEXT];

    (void)state;
    for (size_t i = 0; i < N_ITEMS(beyond); i++) {
        text[0] = 'x';
        time_format(beyond[i], text);
        assert_string_equal(text, "");
    }
}

static void durations_are_a_number_and_a_unit(void **state)
{
    static const char *const bad[] = { "", "s", "5", "5 s", "-5s", "+5s", "5S", "5ms", "1h30m", "1.5h", "1000001s", "99999999999999999999s" };
    int64_t ms = 42;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        assert_false(time_parse_duration(bad[i], &ms));
        assert_int_equal(ms, 42);
    }
    assert_true(time_parse_duration("90s", &ms) && ms == 90000);
    assert_true(time_parse_duration("15m", &ms) && ms == 900000);
    assert_true(time_parse_duration("36h", &ms) && ms == 36 * MS_HOUR);
    assert_true(time_parse_duration("7d", &ms) && ms == 7 * MS_DAY);
    assert_true(time_parse_duration("2w", &ms) && ms == 14 * MS_DAY);
    assert_true(time_parse_duration("0s", &ms) && ms == 0);
    assert_true(time_parse_duration("1000000w", &ms) && ms == 7000000 * MS_DAY);
}

static void clocks_run(void **state)
{
    int64_t mono = time_monotonic_ms();

    (void)state;
    assert_true(time_now_ms() > INT64_C(1700000000000));
    assert_true(time_monotonic_ms() >= mono);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_a_kind_and_a_message),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(a_prefix_longer_than_the_message_loses_the_message),
        cmocka_unit_test(every_kind_has_a_row),
        cmocka_unit_test(arena_memory_is_aligned_zeroed_and_apart),
        cmocka_unit_test(the_limit_holds_and_can_be_used_up),
        cmocka_unit_test(a_limit_of_zero_gives_nothing),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_failed_allocation_leaves_the_arena_usable),
        cmocka_unit_test(reset_keeps_an_ordinary_chunk_and_drops_a_giant),
        cmocka_unit_test(text_is_copied_with_its_end),
        cmocka_unit_test(a_buffer_grows_and_ends_in_a_nul),
        cmocka_unit_test(a_buffer_fails_once_and_stays_failed),
        cmocka_unit_test(a_bound_of_the_whole_address_space_does_not_overflow),
        cmocka_unit_test(a_zeroed_buffer_may_be_freed_and_takes_nothing),
        cmocka_unit_test(stolen_memory_belongs_to_the_caller),
        cmocka_unit_test(room_is_written_by_hand),
        cmocka_unit_test(strings_are_compared),
        cmocka_unit_test(patterns_match_as_shells_do),
        cmocka_unit_test(a_hostile_pattern_is_not_exponential),
        cmocka_unit_test(utf8_is_exactly_what_the_standard_says),
        cmocka_unit_test(utf8_has_no_nul_and_no_overlong_form),
        cmocka_unit_test(decimals_are_strict),
        cmocka_unit_test(hex_is_lower_case_and_exact),
        cmocka_unit_test(digests_are_recognised),
        cmocka_unit_test(distances_are_counted_up_to_their_bound),
        cmocka_unit_test(times_are_read_as_rfc_3339_writes_them),
        cmocka_unit_test(what_is_no_rfc_3339_time_is_refused),
        cmocka_unit_test(gos_zero_time_is_no_time),
        cmocka_unit_test(scanners_may_leave_out_zone_and_clock),
        cmocka_unit_test(every_day_is_written_and_read_back),
        cmocka_unit_test(times_beyond_the_calendar_are_written_as_nothing),
        cmocka_unit_test(durations_are_a_number_and_a_unit),
        cmocka_unit_test(clocks_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
