/* What counts once, however often and by however many it is said. */
#include "base/str.h"
#include "core/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static struct image_finding finding(int64_t package, int64_t scanner, const char *name, const char *version, int severity)
{
    return (struct image_finding){ .vulnerability_id = 1, .package_id = package, .scanner_id = scanner, .vulnerability = "CVE-2026-1",
        .package = name, .version = version, .severity = severity, .since_ms = 1000, .cvss = -1, .epss = -1 };
}

/* Two scanners call the ecosystem differently: two packages, of the same name and version. */
static void what_two_scanners_say_counts_once_and_the_worst_of_it(void **state)
{
    struct image_finding f[] = {
        finding(1, 1, "zlib", "1.2", SEVERITY_MEDIUM), finding(2, 1, "curl", "8.0", SEVERITY_LOW),
        finding(3, 2, "zlib", "1.2", SEVERITY_HIGH), finding(4, 2, "curl", "8.1", SEVERITY_LOW), finding(4, 3, "curl", "8.1", SEVERITY_LOW),
    };
    struct image_facts facts = { .findings = f, .n_findings = N_ITEMS(f) };

    (void)state;
    facts_tally(&facts, NULL, 0, NULL, 5000);
    assert_int_equal(facts.image.counts.high, 1);
    assert_int_equal(facts.image.counts.medium, 0);
    assert_int_equal(facts.image.counts.low, 2);
}

static void what_a_scanner_suppressed_hides_nothing_of_another(void **state)
{
    struct image_finding f[] = { finding(1, 1, "zlib", "1.2", SEVERITY_HIGH), finding(1, 2, "zlib", "1.2", SEVERITY_LOW) };
    struct image_facts facts = { .findings = f, .n_findings = N_ITEMS(f) };

    (void)state;
    f[0].suppressed = "ignored";
    facts_tally(&facts, NULL, 0, NULL, 5000);
    assert_int_equal(facts.image.counts.high, 0);
    assert_int_equal(facts.image.counts.low, 1);
}

/* The writer judges every upload: a report must not stop it for minutes. */
static void one_vulnerability_in_very_many_packages_is_counted_in_no_time(void **state)
{
    enum { N = 200000 };
    struct image_finding *f = calloc(N, sizeof *f);
    char (*names)[16] = calloc(N, sizeof *names);
    struct image_facts facts = { .findings = f, .n_findings = N };

    (void)state;
    assert_non_null(f);
    assert_non_null(names);
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "p%d", i / 2);
        f[i] = finding(i + 1, 1, names[i], "1", SEVERITY_LOW);
    }
    clock_t start = clock();
    facts_tally(&facts, NULL, 0, NULL, 5000);
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    assert_int_equal(facts.image.counts.low, N / 2);
    free(names);
    free(f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_two_scanners_say_counts_once_and_the_worst_of_it),
        cmocka_unit_test(what_a_scanner_suppressed_hides_nothing_of_another),
        cmocka_unit_test(one_vulnerability_in_very_many_packages_is_counted_in_no_time),
    };

    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
