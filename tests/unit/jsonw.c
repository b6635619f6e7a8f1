/* jsonw.c - what the JSON writer promises. */
#include "wire/jsonw.h"

#include "base/time.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct buf buf;
    struct jsonw w;
};

static int setup(void **state)
{
    static struct fixture f;

    buf_init(&f.buf, 1 << 20);
    jsonw_init(&f.w, &f.buf);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    buf_free(&f->buf);
    return 0;
}

static void expect(struct fixture *f, const char *text)
{
    assert_false(f->buf.failed);
    assert_string_equal(f->buf.ptr, text);
    buf_clear(&f->buf);
    jsonw_init(&f->w, &f->buf);
}

static void commas_stand_between_values_and_nowhere_else(void **state)
{
    struct fixture *f = *state;

    jsonw_object(&f->w);
    jsonw_kint(&f->w, "a", 1);
    jsonw_key(&f->w, "b");
    jsonw_array(&f->w);
    jsonw_array(&f->w);
    jsonw_array_end(&f->w);
    jsonw_object(&f->w);
    jsonw_object_end(&f->w);
    jsonw_null(&f->w);
    jsonw_raw(&f->w, "[1,2]", 5);
    jsonw_array_end(&f->w);
    jsonw_kbool(&f->w, "c", false);
    jsonw_kstr(&f->w, "d", NULL);
    jsonw_object_end(&f->w);
    expect(f, "{\"a\":1,\"b\":[[],{},null,[1,2]],\"c\":false,\"d\":null}");
}

static void strings_are_escaped(void **state)
{
    struct fixture *f = *state;

    jsonw_str(&f->w, "\"\\/\b\f\n\r\t\x01\x1f\x7f plain and long enough for eight");
    expect(f, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f plain and long enough for eight\"");
    jsonw_strn(&f->w, "a\0b", 3);
    expect(f, "\"a\\u0000b\"");
    jsonw_str(&f->w, "");
    expect(f, "\"\"");
    jsonw_object(&f->w);
    jsonw_kint(&f->w, "a\"b", 1);
    jsonw_object_end(&f->w);
    expect(f, "{\"a\\\"b\":1}");
}

static void every_byte_at_every_position_is_written_right(void **state)
{
    struct fixture *f = *state;

    for (size_t at = 0; at < 20; at++) {
        for (int c = 1; c < 128; c++) {
            char in[21], out[40] = "\"", *to = out + 1;
            memset(in, 'x', 20);
            in[20] = '\0';
            in[at] = (char)c;
            for (size_t i = 0; i < 20; i++) {
                static const char from[] = "\"\\\b\f\n\r\t", into[] = "\"\\bfnrt";
                const char *special = strchr(from, in[i]);
                if (special != NULL) {
                    *to++ = '\\';
                    *to++ = into[special - from];
                } else if (in[i] < 0x20) {
                    to += snprintf(to, 7, "\\u%04x", (unsigned)in[i]);
                } else {
                    *to++ = in[i];
                }
            }
            memcpy(to, "\"", 2);
            jsonw_str(&f->w, in);
            expect(f, out);
        }
    }
}

static void what_is_no_utf8_becomes_the_replacement_character(void **state)
{
    struct fixture *f = *state;

    jsonw_str(&f->w, "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80");
    expect(f, "\"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
    jsonw_str(&f->w, "a\xFFz");
    expect(f, "\"a\xEF\xBF\xBDz\"");
    jsonw_str(&f->w, "\xED\xA0\x80");                  /* a surrogate */
    expect(f, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    jsonw_str(&f->w, "cut \xE2\x82");
    expect(f, "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\"");
    jsonw_strn(&f->w, "\xE2\x82\xAC", 2);              /* the third byte is not ours */
    expect(f, "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void integers_are_written_to_both_ends(void **state)
{
    struct fixture *f = *state;

    jsonw_array(&f->w);
    jsonw_int(&f->w, INT64_MIN);
    jsonw_int(&f->w, -1);
    jsonw_int(&f->w, 0);
    jsonw_int(&f->w, 10);
    jsonw_int(&f->w, INT64_MAX);
    jsonw_array_end(&f->w);
    expect(f, "[-9223372036854775808,-1,0,10,9223372036854775807]");
}

static void reals_are_short_and_stay_reals(void **state)
{
    struct fixture *f = *state;

    jsonw_array(&f->w);
    jsonw_num(&f->w, 0.1);
    jsonw_num(&f->w, 1);
    jsonw_num(&f->w, -0.0);
    jsonw_num(&f->w, 1e300);
    jsonw_num(&f->w, 0.1 + 0.2);
    jsonw_num(&f->w, 5e-324);
    jsonw_num(&f->w, NAN);
    jsonw_num(&f->w, -INFINITY);
    jsonw_array_end(&f->w);
    expect(f, "[0.1,1.0,-0.0,1e+300,0.30000000000000004,4.94065645841247e-324,null,null]");
}

static void unknown_time_is_null(void **state)
{
    struct fixture *f = *state;

    jsonw_object(&f->w);
    jsonw_ktime(&f->w, "a", 0);
    jsonw_ktime(&f->w, "b", TIME_UNKNOWN);
    jsonw_object_end(&f->w);
    expect(f, "{\"a\":\"1970-01-01T00:00:00Z\",\"b\":null}");
}

static void nesting_past_32_fails_the_buffer(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 32; i++)
        jsonw_array(&f->w);
    assert_false(f->buf.failed);
    jsonw_array(&f->w);
    assert_true(f->buf.failed);
    jsonw_array_end(&f->w);
}

static void an_end_without_a_beginning_fails_the_buffer(void **state)
{
    struct fixture *f = *state;

    jsonw_array_end(&f->w);
    assert_true(f->buf.failed);
}

static void the_bound_of_the_buffer_holds(void **state)
{
    struct buf small;
    struct jsonw w;

    (void)state;
    buf_init(&small, 10);
    jsonw_init(&w, &small);
    jsonw_str(&w, "12345678");
    assert_false(small.failed);
    jsonw_int(&w, 1);
    assert_true(small.failed);
    assert_int_equal(small.len, 10);
    buf_free(&small);
}

static void a_parsed_value_is_written_as_it_was(void **state)
{
    static const char text[] =
        "{\"a\":[1,-2,2.5,true,false,null,\"\\n\xC3\xA4\"],\"b\":{},\"c\":[],\"d\":{\"e\":{\"f\":[[[]]]}}}";
    struct fixture *f = *state;
    struct arena arena;
    struct json v;
    struct err err = { 0 };

    arena_init(&arena, 1 << 20);
    assert_int_equal(json_parse(&arena, text, strlen(text), NULL, &v, &err), 0);
    jsonw_value(&f->w, &v);
    expect(f, text);
    jsonw_value(&f->w, NULL);
    expect(f, "null");
    arena_clear(&arena);
}

static void a_value_deeper_than_the_writer_nests_is_written_whole(void **state)
{
    struct fixture *f = *state;
    char text[1001];
    struct arena arena;
    struct json v;
    struct err err = { 0 };

    memset(text, '[', 500);
    memset(text + 500, ']', 500);
    text[1000] = '\0';
    arena_init(&arena, 1 << 20);
    assert_int_equal(json_parse(&arena, text, 1000, &(struct json_opts){ .max_depth = 600 }, &v, &err), 0);
    jsonw_value(&f->w, &v);
    expect(f, text);
    arena_clear(&arena);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(commas_stand_between_values_and_nowhere_else),
        TEST(strings_are_escaped),
        TEST(every_byte_at_every_position_is_written_right),
        TEST(what_is_no_utf8_becomes_the_replacement_character),
        TEST(integers_are_written_to_both_ends),
        TEST(reals_are_short_and_stay_reals),
        TEST(unknown_time_is_null),
        TEST(nesting_past_32_fails_the_buffer),
        TEST(an_end_without_a_beginning_fails_the_buffer),
        TEST(the_bound_of_the_buffer_holds),
        TEST(a_parsed_value_is_written_as_it_was),
        TEST(a_value_deeper_than_the_writer_nests_is_written_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
