/* yaml.c - what the YAML door lets in, keeps out, and writes. */
#include "wire/yaml.h"

#include "base/str.h"
#include "wire/json_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct err err;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static struct json parsed(const char *yaml, const struct json_opts *opts)
{
    struct json v = { 0 };

    int rc = yaml_parse(&arena, yaml, strlen(yaml), opts, &v, &err);
    if (rc != 0)
        print_error("%s\n%s\n", yaml, err.msg);
    assert_int_equal(rc, 0);
    return v;
}

static void means(const char *yaml, const char *json)
{
    struct json v = parsed(yaml, NULL);
    struct buf b;

    buf_init(&b, 1 << 20);
    json_print(&v, &b);
    assert_string_equal(b.ptr, json);
    buf_free(&b);
}

static void refuses(const char *yaml, enum err_kind kind, const char *message)
{
    struct json v = { .offset = 77 };

    assert_int_equal(yaml_parse(&arena, yaml, strlen(yaml), NULL, &v, &err), -1);
    assert_int_equal(v.offset, 77);
    assert_string_equal(err.msg, message);
    assert_int_equal(err.kind, kind);
}

static void prints(const char *json, const char *yaml)
{
    struct json v, again;
    struct buf b;

    assert_int_equal(json_parse(&arena, json, strlen(json), NULL, &v, &err), 0);
    buf_init(&b, 1 << 20);
    yaml_print(&v, &b);
    assert_false(b.failed);
    assert_string_equal(b.ptr, yaml);
    again = parsed(b.ptr, NULL);
    assert_true(json_same(&v, &again));
    buf_free(&b);
}

/* ---- reading ----------------------------------------------------------------------- */

static void plain_scalars_follow_the_core_schema(void **state)
{
    (void)state;
    means("[null, Null, NULL, ~, ]", "[null,null,null,null]");
    means("[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]");
    means("[0, -0, 12, -12, +12, 007, 0o17, 0x1F, 0xff]", "[0,0,12,-12,12,7,15,31,255]");
    means("[1.5, -1.5, .5, 1., 1e3, 1E-2, +.5e1, 0.0]", "[1.5,-1.5,0.5,1.0,1000.0,0.01,5.0,0.0]");
    means("- 9223372036854775807\n- -9223372036854775808", "[9223372036854775807,-9223372036854775808]");
}

static void words_of_yaml_1_1_stay_strings(void **state)
{
    (void)state;
    means("[yes, no, on, off, y, n, Yes, NO, tRUE, nULL]",
          "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"Yes\",\"NO\",\"tRUE\",\"nULL\"]");
    means("[1_000, 0b11, 1:30, 2026-01-01, 0o8, 0x, -0x1, 1e, '.', +, '-', e5]",
          "[\"1_000\",\"0b11\",\"1:30\",\"2026-01-01\",\"0o8\",\"0x\",\"-0x1\",\"1e\",\".\",\"+\",\"-\",\"e5\"]");
}

static void quoted_and_tagged_scalars_are_what_they_say(void **state)
{
    (void)state;
    means("['1', \"true\", '~', '', \"a\\tb\\u00e4\\x41\"]", "[\"1\",\"true\",\"~\",\"\",\"a\\tb\xC3\xA4" "A\"]");
    means("[!!str 1, !!int '7', !!float 1.5, !!bool 'true', !!null '', !!str ]", "[\"1\",7,1.5,true,null,\"\"]");
    means("!!map {a: !!seq [1]}", "{\"a\":[1]}");
    refuses("a: !!int x", ERR_INVALID, "YAML line 1 column 4: value is not what its tag says");
    refuses("a: !!int \"1\\0\"", ERR_INVALID, "YAML line 1 column 4: text with a NUL");
    refuses("a: !!binary aGk=", ERR_INVALID,
            "YAML line 1 column 4: tag that is not one of !!str !!int !!float !!bool !!null");
    refuses("a: !mine {}", ERR_INVALID, "YAML line 1 column 4: tag that is not !!map or !!seq");
    refuses("a: !!set {}", ERR_INVALID, "YAML line 1 column 4: tag that is not !!map or !!seq");
    refuses("a: !!python/object:os.system x", ERR_INVALID,
            "YAML line 1 column 4: tag that is not one of !!str !!int !!float !!bool !!null");
}

static void numbers_json_cannot_hold_are_refused(void **state)
{
    struct json v = parsed("a: 99999999999999999999", &(struct json_opts){ .big_numbers = true });

    (void)state;
    assert_true(json_number(json_get(&v, "a"), 0) > 9e19);
    refuses("a: 99999999999999999999", ERR_INVALID, "YAML line 1 column 4: integer beyond 64 bits");
    refuses("a: 0xfffffffffffffffff", ERR_INVALID, "YAML line 1 column 4: integer beyond 64 bits");
    refuses("a: 1e999", ERR_INVALID, "YAML line 1 column 4: number out of range");
    refuses("- .inf", ERR_INVALID, "YAML line 1 column 3: JSON has no .inf and no .nan");
    refuses("- -.INF", ERR_INVALID, "YAML line 1 column 3: JSON has no .inf and no .nan");
    refuses("- .NaN", ERR_INVALID, "YAML line 1 column 3: JSON has no .inf and no .nan");
    means("- '.nan'", "[\".nan\"]");
}

static void block_and_flow_styles_mean_the_same(void **state)
{
    (void)state;
    means("a:\n  - b: 1\n    c: |\n      x\n      y\n  - >-\n    folded\n    text\nd: {e: [f, g], h: }\n",
          "{\"a\":[{\"b\":1,\"c\":\"x\\ny\\n\"},\"folded text\"],\"d\":{\"e\":[\"f\",\"g\"],\"h\":null}}");
    means("# only a comment\n", "null");
    means("", "null");
    means("---\n...\n", "null");
    means("{a: b, 'c': [1, 2,],}", "{\"a\":\"b\",\"c\":[1,2]}");
    means("\xEF\xBB\xBF" "a: 1", "{\"a\":1}");
}

static void json_is_read_by_the_strict_reader(void **state)
{
    (void)state;
    means(" {\"a\": [1, 2.5, \"\\u00e4\"]}", "{\"a\":[1,2.5,\"\xC3\xA4\"]}");
    refuses("{\"a\": 1, \"a\": 2}", ERR_INVALID, "JSON line 1 column 15: duplicate key");
    refuses("{\"a\": \"\\u0000\"}", ERR_INVALID, "JSON line 1 column 10: \\u0000 is not accepted");
    refuses("[1, 2", ERR_INVALID, "JSON line 1 column 6: expected ',' or ']'");
}

static void keys_are_strings_and_stand_once(void **state)
{
    (void)state;
    means("1: a\ntrue: b\nyes: c\n~: d\n'': e\n? f\n: g\n",
          "{\"1\":\"a\",\"true\":\"b\",\"yes\":\"c\",\"~\":\"d\",\"\":\"e\",\"f\":\"g\"}");
    refuses("a: 1\nb: 2\na: 3\n", ERR_INVALID, "YAML line 3 column 4: value of a duplicate key");
    refuses("? [a]\n: 1\n", ERR_INVALID, "YAML line 1 column 3: a key must be a string");
    refuses("? {a: b}\n: 1\n", ERR_INVALID, "YAML line 1 column 3: a key must be a string");
    refuses("a: &x 1\n*x : 2\n", ERR_INVALID, "YAML line 2 column 1: a key must be written out, not an alias");
    refuses("&x a: 1\n", ERR_INVALID, "YAML line 1 column 1: an anchor on a key");
    refuses("?\n: 1\n", ERR_INVALID, "YAML line 1 column 2: a key is missing");
    refuses("a: {\"b\\0\": 1}\n", ERR_INVALID, "YAML line 1 column 5: text with a NUL or not UTF-8");
    refuses("!x a: 1\n", ERR_INVALID, "YAML line 1 column 1: tag that is not one of !!str !!int !!float !!bool !!null");
}

static void aliases_share_values(void **state)
{
    (void)state;
    means("a: &x [1, {b: 2}]\nc: *x\nd: &x 5\ne: *x\n", "{\"a\":[1,{\"b\":2}],\"c\":[1,{\"b\":2}],\"d\":5,\"e\":5}");
    refuses("a: *x\n", ERR_INVALID, "YAML line 1 column 4: alias of an unknown anchor");
    refuses("a: &x [*x]\n", ERR_INVALID, "YAML line 1 column 8: alias of an unknown anchor");
    refuses("--- &x a\n--- *x\n", ERR_INVALID, "YAML line 2 column 5: alias of an unknown anchor");
}

static void a_billion_laughs_are_refused(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 16);
    buf_puts(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 12; i++) {
        buf_printf(&b, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buf_printf(&b, "%s*a%d", j > 0 ? "," : "", i - 1);
        buf_puts(&b, "]\n");
    }
    struct json v;
    assert_int_equal(yaml_parse(&arena, b.ptr, b.len, NULL, &v, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_true(arena.used < 1 << 20);
    buf_free(&b);
}

static void aliases_cannot_deepen_past_the_bound(void **state)
{
    struct buf b;
    struct json v;

    (void)state;
    buf_init(&b, 1 << 16);
    buf_puts(&b, "a0: &a0 [[[[[[[[[[1]]]]]]]]]]\n");
    for (int i = 1; i < 10; i++)
        buf_printf(&b, "a%d: &a%d [[[[[[[[[[*a%d]]]]]]]]]]\n", i, i, i - 1);
    assert_int_equal(yaml_parse(&arena, b.ptr, b.len, NULL, &v, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_non_null(strstr(err.msg, "nested too deeply"));
    buf_free(&b);
}

static void a_long_text_used_often_is_refused(void **state)
{
    struct buf b;
    struct json v;

    (void)state;
    buf_init(&b, 1 << 22);
    buf_puts(&b, "- &a ");
    for (int i = 0; i < 1 << 18; i++)
        buf_putc(&b, 'x');
    for (int i = 0; i < 10000; i++)
        buf_puts(&b, "\n- *a");
    assert_int_equal(yaml_parse(&arena, b.ptr, b.len, NULL, &v, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_free(&b);
}

static void anchors_are_bounded(void **state)
{
    struct buf b;
    struct json v;

    (void)state;
    buf_init(&b, 1 << 16);
    for (int i = 0; i < 1001; i++)
        buf_printf(&b, "- &a%d x\n", i);
    assert_int_equal(yaml_parse(&arena, b.ptr, b.len, NULL, &v, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_free(&b);
}

static void merge_keys_fill_in_what_is_missing(void **state)
{
    (void)state;
    means("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\none:\n  <<: *b\n  y: 9\ntwo:\n  z: 0\n  <<: [*m, *b]\n",
          "{\"base\":{\"x\":1,\"y\":2},\"more\":{\"y\":3,\"z\":4},\"one\":{\"y\":9,\"x\":1},\"two\":{\"z\":0,\"y\":3,\"x\":1}}");
    means("a: {<<: {b: 1}}", "{\"a\":{\"b\":1}}");
    means("a: {<<: []}", "{\"a\":{}}");
    means("a: {'<<': 1}", "{\"a\":{\"<<\":1}}");
    refuses("a: {<<: 1}", ERR_INVALID, "YAML line 1 column 9: << merges a mapping or a list of mappings");
    refuses("a: {<<: ~}", ERR_INVALID, "YAML line 1 column 9: << merges a mapping or a list of mappings");
    refuses("a: {<<: [1]}", ERR_INVALID, "YAML line 1 column 4: << merges a mapping or a list of mappings");
    refuses("a: {<<: {}, <<: {}}", ERR_INVALID, "YAML line 1 column 13: duplicate key <<");
}

static void bounds_hold(void **state)
{
    struct json v;
    static const char deep[] = "a: [[[1]]]", wide[] = "- 1\n- 2\n- 3\n";

    (void)state;
    assert_int_equal(yaml_parse(&arena, deep, strlen(deep), &(struct json_opts){ .max_depth = 4 }, &v, &err), 0);
    assert_int_equal(yaml_parse(&arena, deep, strlen(deep), &(struct json_opts){ .max_depth = 3 }, &v, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(yaml_parse(&arena, wide, strlen(wide), &(struct json_opts){ .max_values = 4 }, &v, &err), 0);
    assert_int_equal(yaml_parse(&arena, wide, strlen(wide), &(struct json_opts){ .max_values = 3 }, &v, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
}

static void deep_nesting_of_every_kind_ends_early(void **state)
{
    static const char *const units[] = { "[", "{a: ", "- ", "? ", "{? ", "[{", "!!seq [" };
    struct json v;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(units); i++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        for (int j = 0; j < 50000; j++)
            buf_puts(&b, units[i]);
        assert_int_equal(yaml_parse(&arena, b.ptr, b.len, NULL, &v, &err), -1);
        buf_free(&b);
    }
}

static void what_is_no_text_is_refused(void **state)
{
    struct json v;

    (void)state;
    refuses("a: \xFF\n", ERR_INVALID, "YAML line 1 column 4: invalid leading UTF-8 octet");
    refuses("a: \x01\n", ERR_INVALID, "YAML line 1 column 4: control characters are not allowed");
    assert_int_equal(yaml_parse(&arena, "a: b\0c", 6, NULL, &v, &err), -1);
    assert_int_equal(yaml_parse(&arena, "\xFF\xFE" "a\0:\0 \0b\0", 10, NULL, &v, &err), -1);
    refuses("a: \"\\0\"\n", ERR_INVALID, "YAML line 1 column 4: text with a NUL or not UTF-8");
    refuses("a: b: c\n", ERR_INVALID, "YAML line 1 column 5: mapping values are not allowed in this context");
    refuses("a: [\n", ERR_INVALID, "YAML line 2 column 1: did not find expected node content");
}

static void offsets_are_bytes_of_the_text(void **state)
{
    static const char yaml[] = "\xC3\xA4: \xE2\x82\xAC\r\nb: &n  42\nc:\n  - {\xF0\x9F\x98\x80: true}\n";
    struct json v = parsed(yaml, NULL);
    unsigned line, column;
    const struct json *b = json_get(&v, "b");

    (void)state;
    assert_int_equal(json_get(&v, "\xC3\xA4")->offset, 4);
    assert_int_equal(strncmp(yaml + b->offset, "42\n", 3), 0);
    assert_int_equal(b->n, 2);
    const struct json *deep = json_get(&json_get(&v, "c")->items[0], "\xF0\x9F\x98\x80");
    assert_int_equal(strncmp(yaml + deep->offset, "true}", 5), 0);
    json_position(yaml, strlen(yaml), deep->offset, &line, &column);
    assert_int_equal(line, 4);
    assert_int_equal(column, 12);
}

static void streams_of_documents_are_read_to_their_bound(void **state)
{
    static const char yaml[] = "a: 1\n---\n- b\n---\n# nothing\n---\nc\n...\n";
    const struct json *docs;
    size_t n;

    (void)state;
    assert_int_equal(yaml_parse_all(&arena, yaml, strlen(yaml), NULL, 4, &docs, &n, &err), 0);
    assert_int_equal(n, 4);
    assert_int_equal(json_int(json_get(&docs[0], "a"), 0), 1);
    assert_int_equal(json_len(&docs[1]), 1);
    assert_int_equal(docs[2].type, JSON_NULL);
    assert_string_equal(json_str(&docs[3], ""), "c");
    assert_int_equal(yaml_parse_all(&arena, yaml, strlen(yaml), NULL, 3, &docs, &n, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(yaml_parse_all(&arena, "", 0, NULL, 3, &docs, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(yaml_parse_all(&arena, "{}", 2, NULL, 3, &docs, &n, &err), 0);
    assert_int_equal(n, 1);
    struct json v;
    assert_int_equal(yaml_parse(&arena, yaml, strlen(yaml), NULL, &v, &err), -1);
    assert_non_null(strstr(err.msg, "more than one document"));
}

static void reading_survives_an_arena_that_ends_anywhere(void **state)
{
    static const char yaml[] = "a: &x [1, two, {b: c}]\nd: *x\n<<: {e: f}\n";
    struct json v;
    bool succeeded = false;

    (void)state;
    for (size_t limit = 0; limit < 4096 && !succeeded; limit += 8) {
        struct arena small;
        arena_init(&small, limit);
        succeeded = yaml_parse(&small, yaml, strlen(yaml), NULL, &v, &err) == 0;
        if (!succeeded)
            assert_int_equal(err.kind, ERR_UNAVAILABLE);
        arena_clear(&small);
    }
    assert_true(succeeded);
}

/* ---- writing --------------------------------------------------------------------------- */

static void values_are_printed_in_block_style(void **state)
{
    (void)state;
    prints("{\"a\":1,\"b\":[1,-2,2.5,true,null,\"x\"],\"c\":{\"d\":{\"e\":\"f\"}},\"g\":[],\"h\":{}}",
           "a: 1\nb:\n  - 1\n  - -2\n  - 2.5\n  - true\n  - null\n  - x\nc:\n  d:\n    e: f\ng: []\nh: {}\n");
    prints("[[1,[2]],{\"a\":1,\"b\":{\"c\":2}},[]]", "- - 1\n  - - 2\n- a: 1\n  b:\n    c: 2\n- []\n");
    prints("\"text\"", "text\n");
    prints("{}", "{}\n");
    prints("null", "null\n");
}

static void strings_that_look_like_something_else_are_quoted(void **state)
{
    static const char *const quoted[] = {
        "", "null", "Null", "~", "true", "FALSE", "yes", "No", "on", "off", "y", "N", "1", "-1", "1.5", "0x1F", "0o7", "1e3",
        ".inf", ".nan", "2026-01-01", "12:30", "1_000", "- a", "-", "--- a", "...", "? a", ": a", "a: b", "a:", "a #b", "#a",
        "&a", "*a", "!a", "%a", "@a", "`a", "'a", "[a", "{a", "a]", "a,b", "|", ">", "=", "<<", " a", "a ", "a=b",
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(quoted); i++) {
        char json[64], yaml[64];
        snprintf(json, sizeof json, "[\"%s\"]", quoted[i]);
        snprintf(yaml, sizeof yaml, "- \"%s\"\n", quoted[i]);
        prints(json, yaml);
        snprintf(json, sizeof json, "{\"%s\":1}", quoted[i]);
        snprintf(yaml, sizeof yaml, "\"%s\": 1\n", quoted[i]);
        prints(json, yaml);
    }
    prints("[\"nginx:1.25\",\"a b\",\"/etc/passwd\",\"v1.2-rc+x\",\"_x\"]",
           "- nginx:1.25\n- a b\n- /etc/passwd\n- v1.2-rc+x\n- _x\n");
}

static void characters_yaml_cannot_carry_are_escaped(void **state)
{
    (void)state;
    prints("[\"\\u0001\\u007f\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF\xEF\xBF\xBF\\\"\\\\\\t\\r\xC3\xA4\xF0\x9F\x98\x80\"]",
           "- \"\\u0001\\u007f\\u0085\\u2028\\ufeff\\uffff\\\"\\\\\\t\\u000d\xC3\xA4\xF0\x9F\x98\x80\"\n");
}

static void texts_of_several_lines_become_blocks_where_that_is_exact(void **state)
{
    (void)state;
    prints("{\"a\":\"x\\ny\\n\",\"b\":[\"x\\n\\n  y: #z\"]}", "a: |\n  x\n  y\nb:\n  - |-\n    x\n\n      y: #z\n");
    prints("\"x\\ny\"", "|-\n  x\n  y\n");
    prints("[\" x\\ny\",\"\\nx\",\"x\\n\\n\",\"x\\n  \\ny\",\"x\\r\\ny\",\"\\n\"]",
           "- \" x\\ny\"\n- \"\\nx\"\n- \"x\\n\\n\"\n- \"x\\n  \\ny\"\n- \"x\\u000d\\ny\"\n- \"\\n\"\n");
}

static void long_keys_survive(void **state)
{
    struct buf json, yaml;
    struct json v, again;

    (void)state;
    buf_init(&json, 1 << 16);
    buf_init(&yaml, 1 << 16);
    buf_puts(&json, "{\"");
    for (int i = 0; i < 3000; i++)
        buf_putc(&json, 'k');
    buf_puts(&json, "\":{\"a\":[1]},\"b\":2}");
    assert_int_equal(json_parse(&arena, json.ptr, json.len, NULL, &v, &err), 0);
    yaml_print(&v, &yaml);
    again = parsed(yaml.ptr, NULL);
    assert_true(json_same(&v, &again));
    buf_free(&json);
    buf_free(&yaml);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(plain_scalars_follow_the_core_schema),
        TEST(words_of_yaml_1_1_stay_strings),
        TEST(quoted_and_tagged_scalars_are_what_they_say),
        TEST(numbers_json_cannot_hold_are_refused),
        TEST(block_and_flow_styles_mean_the_same),
        TEST(json_is_read_by_the_strict_reader),
        TEST(keys_are_strings_and_stand_once),
        TEST(aliases_share_values),
        TEST(a_billion_laughs_are_refused),
        TEST(aliases_cannot_deepen_past_the_bound),
        TEST(a_long_text_used_often_is_refused),
        TEST(anchors_are_bounded),
        TEST(merge_keys_fill_in_what_is_missing),
        TEST(bounds_hold),
        TEST(deep_nesting_of_every_kind_ends_early),
        TEST(what_is_no_text_is_refused),
        TEST(offsets_are_bytes_of_the_text),
        TEST(streams_of_documents_are_read_to_their_bound),
        TEST(reading_survives_an_arena_that_ends_anywhere),
        TEST(values_are_printed_in_block_style),
        TEST(strings_that_look_like_something_else_are_quoted),
        TEST(characters_yaml_cannot_carry_are_escaped),
        TEST(texts_of_several_lines_become_blocks_where_that_is_exact),
        TEST(long_keys_survive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
