/* What makes two alerts the same, and how denied attempts weigh. */
#include "service/alerts.h"
#include "base/crypto.h"
#include "model/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct alert_signal base = { .rule_kind = ALERT_DRIFT, .rule = "drift/x", .subject = "/bin/x", .repository = "r.example/a",
                                          .cluster = "c", .namespace = "n", .workload = "w" };

static bool same(const struct alert_signal *a, const struct alert_signal *b)
{
    char x[ALERT_KEY_TEXT], y[ALERT_KEY_TEXT];

    alert_key(a, x);
    alert_key(b, y);
    return strcmp(x, y) == 0;
}

static void every_part_of_the_key_tells_alerts_apart(void **state)
{
    const char **parts[6];
    struct alert_signal other = base;

    (void)state;
    parts[0] = &other.rule;
    parts[1] = &other.subject;
    parts[2] = &other.repository;
    parts[3] = &other.cluster;
    parts[4] = &other.namespace;
    parts[5] = &other.workload;
    assert_true(same(&base, &other));
    for (size_t i = 0; i < 6; i++) {
        const char *was = *parts[i];
        *parts[i] = "another";
        assert_false(same(&base, &other));
        *parts[i] = was;
    }
    other.rule_kind = ALERT_FOREIGN;
    assert_false(same(&base, &other));
}

static void what_is_about_the_same_thing_is_the_same_alert(void **state)
{
    struct alert_signal other = base;

    (void)state;
    other.severity = 1;
    other.node = 9;
    other.digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    other.image = "called otherwise";
    other.n = 100;
    assert_true(same(&base, &other));
}

static void parts_do_not_run_into_one_another(void **state)
{
    struct alert_signal a = base, b = base;

    (void)state;
    a.rule = "ab";
    a.subject = "c";
    b.rule = "a";
    b.subject = "bc";
    assert_false(same(&a, &b));
}

static void without_a_repository_the_image_as_it_was_called_counts(void **state)
{
    struct alert_signal a = base, b = base;

    (void)state;
    a.repository = b.repository = NULL;
    a.image = "x:1";
    b.image = "x:2";
    assert_false(same(&a, &b));
}

static void denied_attempts_raise_by_steps_and_not_past_alert(void **state)
{
    static const struct { int base; int64_t denied; int expected; } rows[] = {
        { 4, 0, 4 }, { 4, 4, 4 }, { 4, 5, 3 }, { 4, 49, 3 }, { 4, 50, 2 }, { 4, INT64_MAX, 2 }, { 2, 50, 1 }, { 1, 50, 1 }, { 0, 50, 0 },
        { 7, 50, 5 }, { 2, 5, 1 }, { 1, 5, 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(alert_raised_severity(rows[i].base, rows[i].denied), rows[i].expected);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_of_the_key_tells_alerts_apart),
        cmocka_unit_test(what_is_about_the_same_thing_is_the_same_alert),
        cmocka_unit_test(parts_do_not_run_into_one_another),
        cmocka_unit_test(without_a_repository_the_image_as_it_was_called_counts),
        cmocka_unit_test(denied_attempts_raise_by_steps_and_not_past_alert),
    };
    struct err err;

    if (crypto_init(&err) != 0)
        return 1;
    return cmocka_run_group_tests_name("alerts", tests, NULL, NULL);
}
