#include "core/cvss.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *vector;
    int version, score;
    enum severity severity;
} scores[] = {
    /* The worked examples of the specifications and well-known entries. */
    { "AV:N/AC:L/Au:N/C:N/I:N/A:C", 20, 78, SEVERITY_HIGH },
    { "AV:N/AC:L/Au:N/C:C/I:C/A:C", 20, 100, SEVERITY_HIGH },
    { "AV:L/AC:H/Au:N/C:C/I:C/A:C", 20, 62, SEVERITY_MEDIUM },
    { "(AV:N/AC:L/Au:N/C:P/I:P/A:P)", 20, 75, SEVERITY_HIGH },
    { "AV:N/AC:M/Au:N/C:N/I:P/A:N/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", 20, 43, SEVERITY_MEDIUM },
    { "AV:L/AC:H/Au:M/C:N/I:N/A:N", 20, 0, SEVERITY_LOW },
    { "AV:L/AC:H/Au:M/C:N/I:N/A:P", 20, 8, SEVERITY_LOW },
    { "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 30, 98, SEVERITY_CRITICAL },
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 31, 98, SEVERITY_CRITICAL },
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 31, 100, SEVERITY_CRITICAL },
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 31, 75, SEVERITY_HIGH },
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 31, 61, SEVERITY_MEDIUM },
    { "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 31, 16, SEVERITY_LOW },
    { "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C/MAV:N/MS:C", 31, 78, SEVERITY_HIGH },
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 31, 0, SEVERITY_NONE },
    { "CVSS:3.1/S:U/A:H/C:H/I:H/UI:N/PR:N/AC:L/AV:N", 31, 98, SEVERITY_CRITICAL },
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 40, 100, SEVERITY_CRITICAL },
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 40, 93, SEVERITY_CRITICAL },
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 40, 0, SEVERITY_NONE },
    { "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 40, 73, SEVERITY_HIGH },
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:H/VA:L/SC:N/SI:H/SA:L", 40, 92, SEVERITY_CRITICAL },
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N/MSI:S", 40, 89, SEVERITY_HIGH },
};

static int score_of(const char *vector)
{
    struct cvss_score c;
    struct err err = { 0 };

    if (cvss_from_vector(vector, &c, &err) != 0)
        fail_msg("%s: %s", vector, err.msg);
    return c.score;
}

static void known_vectors_have_their_published_score(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ITEMS(scores); i++) {
        struct cvss_score c;
        struct err err = { 0 };
        if (cvss_from_vector(scores[i].vector, &c, &err) != 0)
            fail_msg("%s: %s", scores[i].vector, err.msg);
        if (c.version != scores[i].version || c.score != scores[i].score || cvss_severity(&c) != scores[i].severity)
            fail_msg("%s: version %d, score %d, severity %d", scores[i].vector, c.version, c.score, (int)cvss_severity(&c));
    }
}

static void vector_without_prefix_is_recognised_by_its_metrics(void **state)
{
    struct cvss_score c;
    struct err err;

    (void)state;
    assert_int_equal(cvss_from_vector("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", &c, &err), 0);
    assert_int_equal(c.version, 31);
    assert_int_equal(cvss_from_vector("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", &c, &err), 0);
    assert_int_equal(c.version, 40);
    assert_int_equal(cvss_from_vector("Au:N/AV:N/AC:L/C:C/I:C/A:C", &c, &err), 0);
    assert_int_equal(c.version, 20);
}

static void faulty_vector_is_refused_and_says_why(void **state)
{
    static const struct {
        const char *vector, *want;
    } rows[] = {
        { "", "expected METRIC:VALUE" }, { "CVSS:3.1", "version" }, { "CVSS:3.1/", "expected METRIC:VALUE" }, { "CVSS:3.2/AV:N", "version \"CVSS:3.2\"" },
        { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "A is missing" }, { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/", "expected METRIC:VALUE" },
        { "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV is there twice" }, { "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV has no value \"X\"" },
        { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/ZZ:1", "no metric \"ZZ\"" }, { "CVSS:3.1/av:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "no metric \"av\"" },
        { "CVSS:3.1/AV:N:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV has no value \"N:L\"" }, { "CVSS:3.1/AV:/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV has no value \"\"" },
        { "CVSS:3.1/AV:N /AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "no value" }, { "(AV:N/AC:L/Au:N/C:P/I:P/A:P", "no metric \"(AV\"" },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:S/SA:N", "SI has no value \"S\"" }, { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:R/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "UI has no value" },
        { "AV:N/AC:L/Au:N/C:P/I:P/A:P/E:X", "E has no value \"X\"" }, { "CVSS:3.1/AV:N/AC:L/Au:N/C:P/I:P/A:P", "no metric \"Au\"" },
    };
    struct cvss_score c = { 1, 2 };
    struct err err;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (cvss_from_vector(rows[i].vector, &c, &err) == 0)
            fail_msg("%s is accepted", rows[i].vector);
        assert_int_equal(err.kind, ERR_INVALID);
        if (strstr(err.msg, rows[i].want) == NULL)
            fail_msg("%s: %s", rows[i].vector, err.msg);
        assert_int_equal(c.score, 2);
    }
}

static void overlong_vector_is_refused(void **state)
{
    char text[600];
    struct cvss_score c;
    struct err err;

    (void)state;
    memset(text, 'A', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(cvss_from_vector(text, &c, &err), -1);
}

/* What a worse metric may never do is make the score better. */
static void worse_impact_never_scores_lower(void **state)
{
    static const char *const rising[][3] = {
        { "CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:C/C:N/I:L/A:L", "CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:C/C:L/I:L/A:L", "CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:C/C:H/I:L/A:L" },
        { "CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:P/VC:N/VI:L/VA:L/SC:L/SI:L/SA:L/E:U", "CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:P/VC:L/VI:L/VA:L/SC:L/SI:L/SA:L/E:U",
          "CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:P/VC:H/VI:L/VA:L/SC:L/SI:L/SA:L/E:A" },
        { "AV:A/AC:M/Au:S/C:N/I:P/A:P", "AV:A/AC:M/Au:S/C:P/I:P/A:P", "AV:A/AC:M/Au:S/C:C/I:P/A:P" },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rising); i++) {
        assert_true(score_of(rising[i][0]) <= score_of(rising[i][1]));
        assert_true(score_of(rising[i][1]) <= score_of(rising[i][2]));
    }
}

static void supplemental_metrics_and_explicit_defaults_change_nothing(void **state)
{
    (void)state;
    int plain = score_of("CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:P/VC:H/VI:L/VA:L/SC:L/SI:L/SA:L");
    assert_int_equal(plain, score_of("CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:P/VC:H/VI:L/VA:L/SC:L/SI:L/SA:L/S:P/AU:Y/R:I/V:C/RE:H/U:Red"));
    assert_int_equal(plain, score_of("CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:P/VC:H/VI:L/VA:L/SC:L/SI:L/SA:L/E:A/CR:H/IR:H/AR:H/MAV:X/MSI:X"));
    assert_int_equal(plain, score_of("CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:P/VC:H/VI:L/VA:L/SC:H/SI:L/SA:L/MAV:A/MSC:L"));
}

static void score_out_of_range_has_no_severity(void **state)
{
    (void)state;
    assert_int_equal(cvss_severity(&(struct cvss_score){ 31, -1 }), SEVERITY_UNKNOWN);
    assert_int_equal(cvss_severity(&(struct cvss_score){ 31, 101 }), SEVERITY_UNKNOWN);
    assert_int_equal(cvss_severity(&(struct cvss_score){ 40, 1 }), SEVERITY_LOW);
    assert_int_equal(cvss_severity(&(struct cvss_score){ 40, 39 }), SEVERITY_LOW);
    assert_int_equal(cvss_severity(&(struct cvss_score){ 40, 40 }), SEVERITY_MEDIUM);
    assert_int_equal(cvss_severity(&(struct cvss_score){ 40, 89 }), SEVERITY_HIGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors_have_their_published_score),
        cmocka_unit_test(vector_without_prefix_is_recognised_by_its_metrics),
        cmocka_unit_test(faulty_vector_is_refused_and_says_why),
        cmocka_unit_test(overlong_vector_is_refused),
        cmocka_unit_test(worse_impact_never_scores_lower),
        cmocka_unit_test(supplemental_metrics_and_explicit_defaults_change_nothing),
        cmocka_unit_test(score_out_of_range_has_no_severity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
