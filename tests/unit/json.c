/* json.c - what the strict reader takes, refuses and promises. */
#include "wire/json.h"

#include "base/buf.h"
#include "base/str.h"
#include "wire/json_util.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct err err;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 512 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

/* Parses from memory of the exact size: a read past the end is the sanitizer's. */
static int parse_n(const char *text, size_t n, const struct json_opts *opts, struct json *out)
{
    char *exact = malloc(n > 0 ? n : 1);

    assert_non_null(exact);
    memcpy(exact, text, n);
    int rc = json_parse(&arena, exact, n, opts, out, &err);
    free(exact);
    return rc;
}

static struct json parsed(const char *text)
{
    struct json v = { 0 };
    int rc = parse_n(text, strlen(text), NULL, &v);

    if (rc != 0)
        print_error("%s\n%s\n", text, err.msg);
    assert_int_equal(rc, 0);
    return v;
}

static void refuses(const char *text, const char *message)
{
    struct json v = { .offset = 77 };

    assert_int_equal(parse_n(text, strlen(text), NULL, &v), -1);
    assert_int_equal(v.offset, 77);
    assert_int_equal(err.kind, ERR_INVALID);
    assert_string_equal(err.msg, message);
}

/* ---- values ------------------------------------------------------------------------ */

static void every_type_is_read(void **state)
{
    struct json v = parsed(" {\"n\":null,\"t\":true,\"f\":false,\"i\":-7,\"r\":2.5,\"s\":\"x\",\"a\":[1,[],{}],\"o\":{\"k\":{}}} ");

    (void)state;
    assert_int_equal(v.type, JSON_OBJECT);
    assert_int_equal(v.n, 8);
    assert_int_equal(v.offset, 1);
    assert_true(json_is(json_get(&v, "n"), JSON_NULL));
    assert_true(json_bool(json_get(&v, "t"), false));
    assert_false(json_bool(json_get(&v, "f"), true));
    assert_int_equal(json_int(json_get(&v, "i"), 0), -7);
    assert_true(json_number(json_get(&v, "r"), 0) == 2.5);
    assert_true(json_number(json_get(&v, "i"), 0) == -7);
    assert_string_equal(json_get_str(&v, "s", ""), "x");
    assert_int_equal(json_len(json_get(&v, "a")), 3);
    assert_int_equal(json_at(json_get(&v, "a"), 0)->i, 1);
    assert_int_equal(json_n_members(json_path(&v, "o.k")), 0);
    assert_string_equal(v.members[7].key, "o");
}

static void bare_values_are_documents(void **state)
{
    (void)state;
    assert_int_equal(parsed("1").i, 1);
    assert_int_equal(parsed("\ttrue\r\n").boolean, true);
    assert_string_equal(parsed("\"\"").string, "");
    assert_int_equal(parsed("[]").n, 0);
    assert_int_equal(parsed("{}").n, 0);
}

static void integers_are_exact_to_both_ends(void **state)
{
    (void)state;
    assert_int_equal(parsed("9223372036854775807").i, INT64_MAX);
    assert_int_equal(parsed("-9223372036854775808").i, INT64_MIN);
    assert_int_equal(parsed("999999999999999999").i, INT64_C(999999999999999999));
    assert_int_equal(parsed("-1000000000000000000").i, INT64_C(-1000000000000000000));
    assert_int_equal(parsed("-0").i, 0);
    assert_int_equal(parsed("-0").type, JSON_INT);
    refuses("9223372036854775808", "JSON line 1 column 1: integer beyond 64 bits");
    refuses("-9223372036854775809", "JSON line 1 column 1: integer beyond 64 bits");
}

static void reals_are_rounded_as_strtod_rounds(void **state)
{
    static const char *const texts[] = {
        "0.1", "-0.1", "0.0", "-0.0", "1.0", "123456789012345.6", "12345678901234.5", "0.000000000000001", "0.1234567890123456",
        "9007199254740993.0", "999999999999999.9", "1e0", "1E+2", "1e-2", "1.5e300", "5e-324", "1e-400", "2.2250738585072011e-308",
        "179769313486231570000.0", "0.30000000000000004", "8.98846567431158e307",
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        struct json v = parsed(texts[i]);
        double want = strtod(texts[i], NULL);
        assert_int_equal(v.type, JSON_REAL);
        assert_memory_equal(&v.real, &want, sizeof want);
        assert_int_equal(v.n, strlen(texts[i]));
    }
    refuses("1e999", "JSON line 1 column 1: number out of range");
    refuses("-1e999", "JSON line 1 column 1: number out of range");
}

static void all_escapes_are_decoded(void **state)
{
    struct json v = parsed("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20AC\\ud83d\\uDE00 plain \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\x7f\"");

    (void)state;
    assert_string_equal(v.string, "\"\\/\b\f\n\r\tA\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 plain \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\x7f");
    assert_int_equal(v.n, strlen(v.string));
}

static void strings_of_every_length_and_alignment_are_whole(void **state)
{
    char text[80], want[80];

    (void)state;
    for (size_t n = 0; n < 40; n++) {
        for (size_t at = 0; at <= n; at++) {
            memset(want, 'x', n);
            want[n] = '\0';
            size_t len = 0;
            text[len++] = '"';
            for (size_t i = 0; i < n; i++) {
                if (i == at) {
                    want[i] = '\n';
                    text[len++] = '\\';
                    text[len++] = 'n';
                } else {
                    text[len++] = 'x';
                }
            }
            text[len++] = '"';
            struct json v;
            assert_int_equal(parse_n(text, len, NULL, &v), 0);
            assert_string_equal(v.string, want);
        }
    }
}

/* ---- what is refused ----------------------------------------------------------------- */

static void broken_documents_say_where(void **state)
{
    (void)state;
    refuses("", "JSON line 1 column 1: unexpected end");
    refuses("  ", "JSON line 1 column 3: unexpected end");
    refuses("[1,\n 2", "JSON line 2 column 3: expected ',' or ']'");
    refuses("[1,]", "JSON line 1 column 4: unexpected character");
    refuses("{\"a\":1,}", "JSON line 1 column 8: expected a key in double quotes");
    refuses("{\"a\" 1}", "JSON line 1 column 6: expected ':' after a key");
    refuses("{\"a\":}", "JSON line 1 column 6: unexpected character");
    refuses("{a:1}", "JSON line 1 column 2: expected a key in double quotes");
    refuses("{\"a\":1 \"b\":2}", "JSON line 1 column 8: expected ',' or '}'");
    refuses("[1}", "JSON line 1 column 3: expected ',' or ']'");
    refuses("1 2", "JSON line 1 column 3: text after the value");
    refuses("[] x", "JSON line 1 column 4: text after the value");
    refuses("]", "JSON line 1 column 1: unexpected character");
    refuses("tru", "JSON line 1 column 1: unexpected character");
    refuses("truex", "JSON line 1 column 5: text after the value");
    refuses("NaN", "JSON line 1 column 1: unexpected character");
    refuses("\"abc", "JSON line 1 column 5: string without an end");
    refuses("\"abc\\", "JSON line 1 column 6: unknown escape");
    refuses("\"a\nb\"", "JSON line 1 column 3: control character in a string");
    refuses("\"\\x\"", "JSON line 1 column 3: unknown escape");
    refuses("\"\\u12G4\"", "JSON line 1 column 4: expected four hex digits after \\u");
    refuses("\"\\u12", "JSON line 1 column 4: expected four hex digits after \\u");
    refuses("\xEF\xBB\xBF{}", "JSON line 1 column 1: unexpected character");
}

static void numbers_keep_to_the_grammar(void **state)
{
    (void)state;
    refuses("01", "JSON line 1 column 2: text after the value");
    refuses("-", "JSON line 1 column 1: unexpected character");
    refuses("-a", "JSON line 1 column 1: unexpected character");
    refuses("+1", "JSON line 1 column 1: unexpected character");
    refuses(".5", "JSON line 1 column 1: unexpected character");
    refuses("1.", "JSON line 1 column 3: expected a digit after the point");
    refuses("1.e1", "JSON line 1 column 3: expected a digit after the point");
    refuses("1e", "JSON line 1 column 3: expected a digit in the exponent");
    refuses("1e+", "JSON line 1 column 4: expected a digit in the exponent");
    refuses("0x10", "JSON line 1 column 2: text after the value");
    refuses("1e1.5", "JSON line 1 column 4: text after the value");
    refuses("Infinity", "JSON line 1 column 1: unexpected character");
}

static void text_that_is_no_utf8_is_refused(void **state)
{
    static const char *const bad[] = {
        "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE2\x82", "\xE2(\xA1",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFE", "\xFF",
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        char text[16];
        snprintf(text, sizeof text, "\"%s\"", bad[i]);
        refuses(text, "JSON line 1 column 2: invalid UTF-8");
        snprintf(text, sizeof text, "\"%s", bad[i]);
        refuses(text, "JSON line 1 column 2: invalid UTF-8");
    }
}

static void lone_surrogates_are_refused(void **state)
{
    static const char *const bad[] = { "\\ud800", "\\udc00", "\\ud800x", "\\ud800\\n", "\\ud800\\ud800", "\\ud800\\u0041",
                                       "\\udc00\\ud800", "\\ud800\\u12" };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        char text[32];
        snprintf(text, sizeof text, "\"%s\"", bad[i]);
        refuses(text, "JSON line 1 column 4: lone surrogate");
    }
}

static void a_nul_is_refused_wherever_it_stands(void **state)
{
    static const char text[] = "{\"a\": [1, \"b\"]}";
    struct json v;

    (void)state;
    refuses("\"\\u0000\"", "JSON line 1 column 4: \\u0000 is not accepted");
    for (size_t i = 0; i <= strlen(text); i++) {
        char with[32];
        memcpy(with, text, i);
        with[i] = '\0';
        memcpy(with + i + 1, text + i, strlen(text) - i);
        assert_int_equal(parse_n(with, strlen(text) + 1, NULL, &v), -1);
    }
}

static void positions_count_the_lines_of_the_text_not_of_its_strings(void **state)
{
    (void)state;
    refuses("{\"a\":\"\\n\\n\\n\\n\",\n\"b\":x}", "JSON line 2 column 5: unexpected character");
}

static void duplicate_keys_are_refused_in_small_and_large_objects(void **state)
{
    struct buf b;
    struct json v;

    (void)state;
    refuses("{\"a\":1,\"b\":2,\"a\":3}", "JSON line 1 column 18: duplicate key");
    refuses("{\"a\":1,\"\\u0061\":3}", "JSON line 1 column 17: duplicate key");
    parsed("{\"a\":{\"a\":1},\"b\":{\"a\":1}}");
    for (int n = 10; n < 50; n++) {
        for (int twice = 0; twice < n; twice++) {
            buf_init(&b, 4096);
            buf_putc(&b, '{');
            for (int i = 0; i < n; i++)
                buf_printf(&b, "\"k%d\":%d,", i, i);
            buf_printf(&b, "\"k%d\":0}", twice);
            assert_int_equal(parse_n(b.ptr, b.len, NULL, &v), -1);
            assert_non_null(strstr(err.msg, "duplicate key"));
            buf_free(&b);
        }
    }
}

/* ---- options ---------------------------------------------------------------------------- */

static void duplicates_when_allowed_are_won_by_the_last(void **state)
{
    struct json_opts opts = { .duplicate_keys = true };
    struct json v;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    for (int n = 1; n < 40; n += 38) {
        buf_clear(&b);
        buf_puts(&b, "{\"x\":1,\"x\":2");
        for (int i = 0; i < n; i++)
            buf_printf(&b, ",\"k%d\":0", i);
        buf_puts(&b, ",\"x\":3}");
        assert_int_equal(parse_n(b.ptr, b.len, &opts, &v), 0);
        assert_int_equal(json_int(json_get(&v, "x"), 0), 3);
    }
    buf_free(&b);
}

static void foreign_documents_get_their_leniencies(void **state)
{
    struct json v;

    (void)state;
    assert_int_equal(parse_n("\"a\\u0000b\"", 10, &(struct json_opts){ .nul_as_replacement = true }, &v), 0);
    assert_string_equal(v.string, "a\xEF\xBF\xBD" "b");
    assert_int_equal(parse_n("\xEF\xBB\xBF 1", 5, &(struct json_opts){ .skip_bom = true }, &v), 0);
    assert_int_equal(v.offset, 4);
    assert_int_equal(parse_n("18446744073709551615", 20, &(struct json_opts){ .big_numbers = true }, &v), 0);
    assert_int_equal(v.type, JSON_REAL);
    assert_true(v.real == 18446744073709551616.0);
    assert_int_equal(v.n, 20);
}

static void nesting_is_bounded(void **state)
{
    static const uint32_t depths[] = { 1, 2, 63, 64, 65, 500, 1024 };
    char text[4096];
    struct json v;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(depths); i++) {
        uint32_t d = depths[i];
        memset(text, '[', d + 1);
        memset(text + d + 1, ']', d + 1);
        assert_int_equal(parse_n(text + 1, 2 * (size_t)d, &(struct json_opts){ .max_depth = d }, &v), 0);
        assert_int_equal(parse_n(text, 2 * (size_t)d + 2, &(struct json_opts){ .max_depth = d }, &v), -1);
        assert_int_equal(err.kind, ERR_TOO_LARGE);
    }
    memset(text, '[', sizeof text);
    assert_int_equal(parse_n(text, sizeof text, NULL, &v), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(parse_n(text, sizeof text, &(struct json_opts){ .max_depth = UINT32_MAX }, &v), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
}

static void values_are_counted(void **state)
{
    struct json v;

    (void)state;
    assert_int_equal(parse_n("[1,{\"a\":2}]", 11, &(struct json_opts){ .max_values = 4 }, &v), 0);
    assert_int_equal(parse_n("[1,{\"a\":2}]", 11, &(struct json_opts){ .max_values = 3 }, &v), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
}

/* ---- memory --------------------------------------------------------------------------------- */

static void the_arenas_limit_bounds_everything(void **state)
{
    struct arena small;
    struct json v;
    size_t n = 2 << 20;
    char *text = malloc(n);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        text[i] = "[,"[i > 0];
    for (size_t i = 1; i < n; i += 2)
        text[i] = '1';
    arena_init(&small, 4 << 20);
    assert_int_equal(json_parse(&small, text, n, NULL, &v, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_true(small.used <= small.limit);
    arena_clear(&small);
    free(text);
}

static void parsing_survives_an_arena_that_ends_anywhere(void **state)
{
    struct buf b;
    struct json v;
    bool succeeded = false;

    (void)state;
    buf_init(&b, 4096);
    buf_puts(&b, "{\"list\":[1,[2,[3]]],\"text\":\"abc\"");
    for (int i = 0; i < 20; i++)
        buf_printf(&b, ",\"k%d\":{}", i);
    buf_putc(&b, '}');
    for (size_t limit = 0; limit < 8192 && !succeeded; limit += 8) {
        struct arena small;
        arena_init(&small, limit);
        succeeded = json_parse(&small, b.ptr, b.len, NULL, &v, &err) == 0;
        if (!succeeded)
            assert_int_equal(err.kind, ERR_UNAVAILABLE);
        arena_clear(&small);
    }
    assert_true(succeeded);
    buf_free(&b);
}

/* ---- objects ---------------------------------------------------------------------------------- */

static void members_are_found_in_objects_of_every_size(void **state)
{
    static const int sizes[] = { 0, 1, 2, 11, 12, 13, 14, 31, 32, 33, 100, 1000, 100000 };
    char key[16];

    (void)state;
    for (size_t s = 0; s < N_ITEMS(sizes); s++) {
        struct buf b;
        struct json v;
        buf_init(&b, 16 << 20);
        buf_putc(&b, '{');
        for (int i = 0; i < sizes[s]; i++)
            buf_printf(&b, "%s\"CVE-%d\":%d", i > 0 ? "," : "", i, i);
        buf_putc(&b, '}');
        assert_int_equal(parse_n(b.ptr, b.len, NULL, &v), 0);
        for (int i = 0; i < sizes[s]; i++) {
            snprintf(key, sizeof key, "CVE-%d", i);
            assert_int_equal(json_int(json_get(&v, key), -1), i);
            assert_string_equal(v.members[i].key, key);
        }
        assert_null(json_get(&v, "CVE"));
        assert_null(json_get(&v, "CVE-x"));
        assert_null(json_get(&v, ""));
        buf_free(&b);
    }
}

/* FNV-1a folded: two keys of one hash prepended to anything do not stay alike,
 * so a flood is made by searching for keys that share their low bits. */
static void a_flood_of_colliding_keys_ends_early(void **state)
{
    enum { WANTED = 700, MASK = 2047 };
    struct buf b;
    struct json v;
    int found = 0;

    (void)state;
    buf_init(&b, 1 << 20);
    buf_putc(&b, '{');
    for (uint32_t i = 0; found < WANTED; i++) {
        char key[16];
        uint32_t h = 2166136261u, len = (uint32_t)snprintf(key, sizeof key, "%x", i);
        for (uint32_t j = 0; j < len; j++)
            h = (h ^ (unsigned char)key[j]) * 16777619u;
        if (((h ^ h >> 15) & MASK) == 0)
            buf_printf(&b, "%s\"%s\":0", found++ > 0 ? "," : "", key);
    }
    buf_putc(&b, '}');
    assert_int_equal(parse_n(b.ptr, b.len, NULL, &v), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_free(&b);
}

static void helpers_take_null_and_wrong_types(void **state)
{
    struct json v = parsed("{\"a\":{\"b\":{\"c\":5}},\"s\":\"x\",\"l\":[1]}");

    (void)state;
    assert_null(json_get(NULL, "a"));
    assert_null(json_get(json_get(&v, "s"), "a"));
    assert_null(json_path(NULL, "a"));
    assert_int_equal(json_int(json_path(&v, "a.b.c"), 0), 5);
    assert_null(json_path(&v, "a.x.c"));
    assert_null(json_path(&v, ""));
    assert_null(json_path(&v, "a."));
    assert_null(json_path(&v, "a.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"));
    assert_int_equal(json_int(NULL, 9), 9);
    assert_int_equal(json_int(json_get(&v, "s"), 9), 9);
    assert_true(json_bool(json_get(&v, "s"), true));
    assert_string_equal(json_str(json_get(&v, "a"), "no"), "no");
    assert_string_equal(json_get_str(&v, "none", "no"), "no");
    assert_int_equal(json_len(json_get(&v, "s")), 0);
    assert_int_equal(json_len(NULL), 0);
    assert_int_equal(json_n_members(json_get(&v, "l")), 0);
}

static void positions_are_counted_from_one(void **state)
{
    static const char text[] = "ab\n\ncd";
    static const struct { uint32_t offset; unsigned line, column; } cases[] = {
        { 0, 1, 1 }, { 2, 1, 3 }, { 3, 2, 1 }, { 4, 3, 1 }, { 5, 3, 2 }, { 6, 3, 3 }, { 100, 3, 3 },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        unsigned line, column;
        json_position(text, strlen(text), cases[i].offset, &line, &column);
        assert_int_equal(line, cases[i].line);
        assert_int_equal(column, cases[i].column);
    }
}

static void offsets_point_at_the_values(void **state)
{
    static const char text[] = "{ \"\\n\" : [ 12 , \"x\" , {} ] }";
    struct json v = parsed(text);
    const struct json *list = json_get(&v, "\n");

    (void)state;
    assert_int_equal(text[list->offset], '[');
    assert_int_equal(strncmp(text + json_at(list, 0)->offset, "12 ", 3), 0);
    assert_int_equal(json_at(list, 0)->n, 2);
    assert_int_equal(text[json_at(list, 1)->offset], '"');
    assert_int_equal(text[json_at(list, 2)->offset], '{');
}

/* ---- comparing and printing ------------------------------------------------------------------- */

static void same_means_the_same_types_and_values_in_any_order(void **state)
{
    static const struct { const char *a, *b; bool same; } cases[] = {
        { "{\"a\":1,\"b\":[2,\"x\",null,true]}", "{\"b\":[2,\"x\",null,true],\"a\":1}", true },
        { "1", "1.0", false }, { "1", "2", false }, { "1.5", "1.5", true }, { "0.0", "-0.0", false },
        { "[1,2]", "[2,1]", false }, { "[1]", "[1,1]", false }, { "\"a\"", "\"b\"", false }, { "\"a\"", "\"aa\"", false },
        { "{\"a\":1}", "{\"a\":2}", false }, { "{\"a\":1}", "{\"b\":1}", false }, { "{\"a\":1}", "{\"a\":1,\"b\":1}", false },
        { "null", "false", false }, { "true", "false", false }, { "{}", "[]", false }, { "{\"a\":null}", "{}", false },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        struct json a = parsed(cases[i].a), b = parsed(cases[i].b);
        assert_int_equal(json_same(&a, &b), cases[i].same);
        assert_int_equal(json_same(&b, &a), cases[i].same);
    }
}

static void printing_is_compact_and_reads_back(void **state)
{
    struct json v = parsed("{ \"a\" : [ 1 , 2.50 , \"\\u00e4\\n\" ] }");
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    json_print(&v, &b);
    assert_string_equal(b.ptr, "{\"a\":[1,2.5,\"\xC3\xA4\\n\"]}");
    buf_free(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_type_is_read),
        TEST(bare_values_are_documents),
        TEST(integers_are_exact_to_both_ends),
        TEST(reals_are_rounded_as_strtod_rounds),
        TEST(all_escapes_are_decoded),
        TEST(strings_of_every_length_and_alignment_are_whole),
        TEST(broken_documents_say_where),
        TEST(numbers_keep_to_the_grammar),
        TEST(text_that_is_no_utf8_is_refused),
        TEST(lone_surrogates_are_refused),
        TEST(a_nul_is_refused_wherever_it_stands),
        TEST(positions_count_the_lines_of_the_text_not_of_its_strings),
        TEST(duplicate_keys_are_refused_in_small_and_large_objects),
        TEST(duplicates_when_allowed_are_won_by_the_last),
        TEST(foreign_documents_get_their_leniencies),
        TEST(nesting_is_bounded),
        TEST(values_are_counted),
        TEST(the_arenas_limit_bounds_everything),
        TEST(parsing_survives_an_arena_that_ends_anywhere),
        TEST(members_are_found_in_objects_of_every_size),
        TEST(a_flood_of_colliding_keys_ends_early),
        TEST(helpers_take_null_and_wrong_types),
        TEST(positions_are_counted_from_one),
        TEST(offsets_point_at_the_values),
        TEST(same_means_the_same_types_and_values_in_any_order),
        TEST(printing_is_compact_and_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
