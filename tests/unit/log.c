/* A log line is one line, valid JSON, and cannot be forged by what is logged. */
#include "base/arena.h"
#include "base/log.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Parses the line with our strict reader. */
static const struct json *parsed(struct arena *arena, const char *line, size_t len)
{
    struct json *doc = arena_alloc(arena, sizeof *doc);
    struct err err;

    assert_non_null(memchr(line, '\n', len));
    assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
    if (json_parse(arena, line, len - 1, NULL, doc, &err) != 0)
        fail_msg("%s: %.*s", err.msg, (int)len, line);
    return doc;
}

static void line_is_json_with_time_level_event(void **state)
{
    char line[LOG_LINE_MAX];
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    const struct log_field fields[] = { LOG_TEXT("who", "a \"b\""), LOG_INT("n", -5), LOG_TEXT("none", NULL) };
    size_t len = log_format(line, 0, LOG_WARN, "hello", fields, 3);
    const struct json *doc = parsed(&arena, line, len);
    assert_string_equal(json_get_str(doc, "time", ""), "1970-01-01T00:00:00Z");
    assert_string_equal(json_get_str(doc, "level", ""), "warn");
    assert_string_equal(json_get_str(doc, "event", ""), "hello");
    assert_string_equal(json_get_str(doc, "who", ""), "a \"b\"");
    assert_int_equal(json_int(json_get(doc, "n"), 0), -5);
    arena_clear(&arena);
}

static void control_characters_and_bad_utf8_cannot_forge_a_line(void **state)
{
    static const char evil[] = "a\r\nb\x1b[31m\x7f\xc2\x9b" "c\xff\xfe\xe2\x80\xa8" "d\xc3";
    char line[LOG_LINE_MAX];
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    const struct log_field fields[] = { LOG_TEXT("x", evil) };
    size_t len = log_format(line, 0, LOG_INFO, evil, fields, 1);
    for (size_t i = 0; i + 1 < len; i++)
        assert_true((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
    assert_null(memmem(line, len, "\xe2\x80\xa8", 3));
    assert_null(memmem(line, len, "\xc2\x9b", 2));
    parsed(&arena, line, len);
    arena_clear(&arena);
}

static void long_values_are_cut_and_the_line_stays_whole(void **state)
{
    static char big[5000];
    char line[LOG_LINE_MAX];
    struct arena arena;
    struct log_field fields[6];

    (void)state;
    arena_init(&arena, 1 << 20);
    memset(big, 1, sizeof big - 1);               /* each byte becomes six */
    for (unsigned i = 0; i < 6; i++)
        fields[i] = LOG_TEXT("big", i < 5 ? big : "small");
    fields[5].key = "small";
    size_t len = log_format(line, 0, LOG_INFO, "x", fields, 6);
    assert_true(len <= LOG_LINE_MAX);
    assert_string_equal(json_get_str(parsed(&arena, line, len), "small", ""), "small");
    arena_clear(&arena);
}

static void below_the_level_nothing_is_written(void **state)
{
    int fds[2];
    char got[LOG_LINE_MAX];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    struct log log = { fds[1], LOG_WARN };
    LOG(&log, LOG_INFO, "quiet", LOG_INT("n", 1));
    LOG(&log, LOG_ERROR, "loud", LOG_INT("n", 2));
    LOG(NULL, LOG_ERROR, "nowhere", LOG_INT("n", 3));
    close(fds[1]);
    ssize_t n = read(fds[0], got, sizeof got - 1);
    assert_true(n > 0);
    got[n] = '\0';
    assert_null(strstr(got, "quiet"));
    assert_non_null(strstr(got, "loud"));
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_is_json_with_time_level_event),
        cmocka_unit_test(control_characters_and_bad_utf8_cannot_forge_a_line),
        cmocka_unit_test(long_values_are_cut_and_the_line_stays_whole),
        cmocka_unit_test(below_the_level_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
