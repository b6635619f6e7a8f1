#include "wire/severity.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void words_of_all_scanners_are_known(void **state)
{
    static const struct {
        const char *word;
        enum severity severity;
    } rows[] = {
        { "CRITICAL", SEVERITY_CRITICAL }, { "Critical", SEVERITY_CRITICAL }, { "Defcon1", SEVERITY_CRITICAL }, { "HIGH", SEVERITY_HIGH },
        { "Important", SEVERITY_HIGH }, { "moderate", SEVERITY_MEDIUM }, { "Medium", SEVERITY_MEDIUM }, { "Low", SEVERITY_LOW }, { "Negligible", SEVERITY_NEGLIGIBLE },
        { "info", SEVERITY_NEGLIGIBLE }, { "Informational", SEVERITY_NEGLIGIBLE }, { "unimportant", SEVERITY_NEGLIGIBLE }, { "none", SEVERITY_NONE },
        { "UNKNOWN", SEVERITY_UNKNOWN }, { "not yet assigned", SEVERITY_UNKNOWN }, { " high\n", SEVERITY_HIGH }, { "high**", SEVERITY_HIGH }, { "error", SEVERITY_HIGH },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        enum severity s = SEVERITY_N;
        assert_true(severity_parse(rows[i].word, &s));
        assert_int_equal(s, rows[i].severity);
        assert_int_equal(severity_from_word(rows[i].word), rows[i].severity);
    }
}

static void foreign_words_are_unknown_and_told_apart(void **state)
{
    static const char *const rows[] = { "", " ", "critica", "criticals", "high low", "9.8", "a word that is longer than any severity could be" };
    enum severity s = SEVERITY_HIGH;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_false(severity_parse(rows[i], &s));
        assert_int_equal(severity_from_word(rows[i]), SEVERITY_UNKNOWN);
    }
    assert_false(severity_parse(NULL, &s));
    assert_int_equal(severity_from_word(NULL), SEVERITY_UNKNOWN);
    assert_int_equal(s, SEVERITY_HIGH);
}

static void our_words_read_back(void **state)
{
    (void)state;
    for (int s = 0; s < SEVERITY_N; s++)
        assert_int_equal(severity_from_word(severity_to_word((enum severity)s)), s);
    assert_string_equal(severity_to_word((enum severity)99), "unknown");
    assert_string_equal(severity_to_word((enum severity)-1), "unknown");
}

static void unknown_is_the_zero_value_and_order_rises(void **state)
{
    (void)state;
    assert_int_equal(SEVERITY_UNKNOWN, 0);
    assert_true(SEVERITY_NONE < SEVERITY_NEGLIGIBLE && SEVERITY_NEGLIGIBLE < SEVERITY_LOW && SEVERITY_LOW < SEVERITY_MEDIUM &&
                SEVERITY_MEDIUM < SEVERITY_HIGH && SEVERITY_HIGH < SEVERITY_CRITICAL);
}

static void scores_map_at_their_borders(void **state)
{
    (void)state;
    assert_int_equal(severity_from_score(100), SEVERITY_CRITICAL);
    assert_int_equal(severity_from_score(90), SEVERITY_CRITICAL);
    assert_int_equal(severity_from_score(89), SEVERITY_HIGH);
    assert_int_equal(severity_from_score(70), SEVERITY_HIGH);
    assert_int_equal(severity_from_score(69), SEVERITY_MEDIUM);
    assert_int_equal(severity_from_score(39), SEVERITY_LOW);
    assert_int_equal(severity_from_score(1), SEVERITY_LOW);
    assert_int_equal(severity_from_score(0), SEVERITY_NONE);
    assert_int_equal(severity_from_score(-1), SEVERITY_UNKNOWN);
    assert_int_equal(severity_from_score(101), SEVERITY_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_all_scanners_are_known),
        cmocka_unit_test(foreign_words_are_unknown_and_told_apart),
        cmocka_unit_test(our_words_read_back),
        cmocka_unit_test(unknown_is_the_zero_value_and_order_rises),
        cmocka_unit_test(scores_map_at_their_borders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
