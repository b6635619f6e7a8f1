/* The reader of settings: what beats what, and what a table may ask for. */
#include "base/str.h"
#include "wire/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct values { const char *name; bool on; int64_t count, life_ms, bytes; uint32_t n_list; };

#define AT(member) offsetof(struct values, member)

enum { NAME = 0, ON, COUNT, LIFE, BYTES, LIST, N_FROM };

static const struct setting rows[] = {
    { "name", SETTING_TEXT, AT(name), "nobody", 0, 0, false, "A text." },
    { "door.on", SETTING_BOOL, AT(on), "false", 0, 0, false, "A switch." },
    { "door.count", SETTING_INT, AT(count), "3", 1, 9, false, "A number." },
    { "life", SETTING_DURATION, AT(life_ms), "1m", 0, 3600000, false, "A length of time." },
    { "bytes", SETTING_BYTES, AT(bytes), "1KiB", 0, 1 << 20, false, "Bytes." },
};

static int take(void *to, const struct json *v, struct arena *arena, struct err *err)
{
    (void)arena;
    if (v->type != JSON_ARRAY)
        return err_set(err, ERR_INVALID, "list: expected a list");
    ((struct values *)to)->n_list = v->n;
    return 0;
}

static const struct setting_table plain = { .rows = rows, .n = N_ITEMS(rows), .environment = "KEEP_UNIT_" };
static const struct setting_table full = {
    .rows = rows, .n = N_ITEMS(rows), .environment = "KEEP_UNIT_", .list = "list", .take = take,
    .says_range = true, .empty_is_true = true,
};

static struct arena arena;
static struct err err;

static int load(const struct setting_table *t, const char *text, struct values *out, enum setting_from *from)
{
    char path[] = "/tmp/keep-unit-settings-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    arena_clear(&arena);
    err = (struct err){ 0 };
    int rc = settings_read(t, path, NULL, &arena, out, from, &err);
    unlink(path);
    return rc;
}

static void refused(const struct setting_table *t, const char *text, const char *part)
{
    struct values v = { 0 };
    enum setting_from from[N_FROM];

    assert_int_equal(load(t, text, &v, from), -1);
    if (strstr(err.msg, part) == NULL)
        fail_msg("%s: %s", text, err.msg);
}

static void environment_beats_file_beats_default(void **state)
{
    struct values v = { 0 };
    enum setting_from from[N_FROM];

    (void)state;
    setenv("KEEP_UNIT_DOOR_COUNT", "5", 1);
    int rc = load(&full, "name: \"\"\ndoor: {count: 4, on: true}\nlist: [1, 2]\n", &v, from);
    unsetenv("KEEP_UNIT_DOOR_COUNT");
    assert_int_equal(rc, 0);
    assert_null(v.name);
    assert_true(v.on);
    assert_int_equal(v.count, 5);
    assert_int_equal(v.life_ms, 60000);
    assert_int_equal(v.bytes, 1024);
    assert_int_equal(v.n_list, 2);
    assert_int_equal(from[NAME], FROM_FILE);
    assert_int_equal(from[COUNT], FROM_ENVIRONMENT);
    assert_int_equal(from[LIFE], FROM_DEFAULT);
    assert_int_equal(from[LIST], FROM_FILE);
}

static void list_of_the_environment_is_yaml(void **state)
{
    struct values v = { 0 };
    enum setting_from from[N_FROM];

    (void)state;
    setenv("KEEP_UNIT_LIST", "[a, b, c]", 1);
    int rc = load(&full, "list: [1]\n", &v, from);
    unsetenv("KEEP_UNIT_LIST");
    assert_int_equal(rc, 0);
    assert_int_equal(v.n_list, 3);
    assert_int_equal(from[LIST], FROM_ENVIRONMENT);
}

static void errors_name_the_place_and_the_nearest(void **state)
{
    (void)state;
    refused(&plain, "name: a\ndoor: {cuont: 4}\n", " line 2: unknown setting door.cuont; did you mean door.count?");
    refused(&plain, "name: [a]\n", " line 1: expected one value for name");
    refused(&plain, "list: [a]\n", "unknown setting list");
    refused(&full, "list: a\n", ": list: expected a list");
    refused(&plain, "life: 9\n", "life: expected a length of time");
    refused(&plain, "bytes: 1kb\n", "bytes: expected bytes");
    refused(&plain, "- a\n", "expected settings, key: value");
}

static void table_says_whether_bounds_are_told_and_empty_is_true(void **state)
{
    struct values v = { 0 };
    enum setting_from from[N_FROM];

    (void)state;
    refused(&full, "door: {count: 10}\n", "door.count: 10 is out of range (1 to 9)");
    refused(&plain, "door: {count: 10}\n", "door.count: 10 is out of range");
    assert_null(strstr(err.msg, "1 to 9"));
    refused(&plain, "door: {on: \"\"}\n", "door.on: expected true or false");
    assert_int_equal(load(&full, "door: {on: \"\"}\n", &v, from), 0);
    assert_true(v.on);
}

static void printed_text_is_quoted_when_asked_or_empty(void **state)
{
    struct values v = { .name = "a b", .life_ms = 90500, .bytes = 7 };
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    setting_print(&v, &rows[NAME], false, &out);
    setting_print(&v, &rows[NAME], true, &out);
    v.name = NULL;
    setting_print(&v, &rows[NAME], false, &out);
    setting_print(&v, &rows[ON], false, &out);
    setting_print(&v, &rows[LIFE], false, &out);
    setting_print(&v, &rows[BYTES], false, &out);
    assert_string_equal(out.ptr, "a b\"a b\"\"\"false90s7");
    buf_free(&out);
}

static void equal_means_the_row_not_the_struct(void **state)
{
    struct values a = { .name = "x", .count = 1 }, b = { .count = 1 };

    (void)state;
    assert_true(setting_equal(&a, &b, &rows[COUNT]));
    assert_false(setting_equal(&a, &b, &rows[NAME]));
    a.name = NULL;
    assert_true(setting_equal(&a, &b, &rows[NAME]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment_beats_file_beats_default),
        cmocka_unit_test(list_of_the_environment_is_yaml),
        cmocka_unit_test(errors_name_the_place_and_the_nearest),
        cmocka_unit_test(table_says_whether_bounds_are_told_and_empty_is_true),
        cmocka_unit_test(printed_text_is_quoted_when_asked_or_empty),
        cmocka_unit_test(equal_means_the_row_not_the_struct),
    };

    arena_init(&arena, 8 << 20);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_clear(&arena);
    return rc;
}
