#include "core/version/version.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/version_rows.h"

/* "A < B" or "A = B". */
static void check_row(enum version_scheme scheme, const char *row)
{
    char a[128], b[128];
    const char *op = strstr(row, " < ");
    int want = op != NULL ? -1 : 0;

    if (op == NULL)
        op = strstr(row, " = ");
    assert_non_null(op);
    size_t n = (size_t)(op - row);
    memcpy(a, row, n);
    a[n] = '\0';
    strncpy(b, op + 3, sizeof b - 1);
    b[sizeof b - 1] = '\0';
    int there = version_compare(scheme, a, b), back = version_compare(scheme, b, a);
    if (there != want || back != -want)
        fail_msg("%s: %s: got %d and back %d", version_scheme_name(scheme), row, there, back);
    assert_int_equal(version_compare(scheme, a, a), 0);
    assert_int_equal(version_compare(scheme, b, b), 0);
}

#define ROWS_HOLD(scheme, rows)                                            \
    static void rows##_hold(void **state)                                  \
    {                                                                      \
        (void)state;                                                       \
        assert_true(N_ITEMS(rows) >= 30);                                  \
        for (size_t i = 0; i < N_ITEMS(rows); i++)                         \
            check_row(scheme, rows[i]);                                    \
    }

ROWS_HOLD(VERSION_DEB, deb_rows)
ROWS_HOLD(VERSION_RPM, rpm_rows)
ROWS_HOLD(VERSION_APK, apk_rows)
ROWS_HOLD(VERSION_SEMVER, semver_rows)
ROWS_HOLD(VERSION_PEP440, pep440_rows)
ROWS_HOLD(VERSION_MAVEN, maven_rows)
ROWS_HOLD(VERSION_GO, go_rows)
ROWS_HOLD(VERSION_GEM, gem_rows)
ROWS_HOLD(VERSION_NUGET, nuget_rows)
ROWS_HOLD(VERSION_COMPOSER, composer_rows)
ROWS_HOLD(VERSION_GENERIC, generic_rows)

static void what_the_tool_refuses_is_not_valid(void **state)
{
    static const struct {
        enum version_scheme scheme;
        const char *valid[6], *invalid[6];
    } rows[] = {
        { VERSION_DEB,      { "1.0", "1:1.0-1", "1.0~rc1+dfsg-1", "1:2:3-1" }, { "a1", "1.0-", "1.0 1", "1.0_1", "x:1", "99999999999:1" } },
        { VERSION_RPM,      { "1.0-1.el9", "1:1.0~rc1^git-2" }, { "1.0-", "-1", "1 0", "1.0/2" } },
        { VERSION_APK,      { "1.2.3-r0", "1.0_rc1", "1.0a_p1~ab-r3" }, { "a", "1.0_foo", "1.0-1", "1.0-r", "1.0A", "1.0b.1" } },
        { VERSION_SEMVER,   { "1.2.3", "v1.2.3-a.1+b", "1.0.0--" }, { "1.2", "1.2.3.4", "01.2.3", "1.2.3-01", "1.2.3-", "1.2.3+" } },
        { VERSION_PEP440,   { "1.0", "1!1.0rc1.post2.dev3+l.1", " v1.0 " }, { "1.0x", "1.0+", "1.0+a..b", "a", "1.0.*", "1.0++a" } },
        { VERSION_MAVEN,    { "1.0", "1.0-SNAPSHOT", "RELEASE" }, { "", " ", "1 0", "---" } },
        { VERSION_GO,       { "v1.2.3", "1.2.3-rc.1", "v2.0.0+incompatible", "go1.22rc1" }, { "vv1", "1.2.3.4", "v1.02.3", "v1.2-a", "v1.2.3rc1", "go" } },
        { VERSION_GEM,      { "1.0", "1.0.rc1", "1.0-1", "1.0-java" }, { "a.1", "1..2", "1_0", "1.0 1", "-1", "1.0-_" } },
        { VERSION_NUGET,    { "1.0", "1.2.3.4-beta+x", "01.0" }, { "1.2.3.4.5", "v1.0", "1.0-", "a", "1.0-b..c", "1." } },
        { VERSION_COMPOSER, { "1.0", "v1.0.0-RC1", "dev-main", "1.x-dev", "20230101" }, { "foo", "1.0-foo", "1.2.3.4.5", "1.x", "1.0 x", "!" } },
        { VERSION_GENERIC,  { "1", "anything/at:all" }, { "", " 1", "1\n", "...", "1 2", "\x7F" } },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        for (size_t k = 0; k < 6; k++) {
            if (rows[i].valid[k] != NULL && !version_is_valid(rows[i].scheme, rows[i].valid[k]))
                fail_msg("%s: \"%s\" is valid", version_scheme_name(rows[i].scheme), rows[i].valid[k]);
            if (rows[i].invalid[k] != NULL && version_is_valid(rows[i].scheme, rows[i].invalid[k]))
                fail_msg("%s: \"%s\" is not valid", version_scheme_name(rows[i].scheme), rows[i].invalid[k]);
        }
    }
}

static void ecosystem_words_lead_to_their_scheme(void **state)
{
    static const struct {
        const char *word;
        enum version_scheme scheme;
    } rows[] = {
        { "Debian:12", VERSION_DEB }, { "Ubuntu:22.04:LTS", VERSION_DEB }, { "pkg:deb/debian/curl@1", VERSION_DEB }, { "deb", VERSION_DEB },
        { "Red Hat:enterprise_linux:9::baseos", VERSION_RPM }, { "AlmaLinux:9", VERSION_RPM }, { "openSUSE:Leap 15.5", VERSION_RPM }, { "redhat", VERSION_RPM },
        { "Rocky Linux:9", VERSION_RPM }, { "Azure Linux:3", VERSION_RPM }, { "Alpine:v3.20", VERSION_APK }, { "Wolfi", VERSION_APK }, { "alpine", VERSION_APK },
        { "npm", VERSION_SEMVER }, { "node-pkg", VERSION_SEMVER }, { "crates.io", VERSION_SEMVER }, { "rustbinary", VERSION_SEMVER }, { "Hex", VERSION_SEMVER },
        { "PyPI", VERSION_PEP440 }, { "python-pkg", VERSION_PEP440 }, { "Maven", VERSION_MAVEN }, { "jar", VERSION_MAVEN }, { "java-archive", VERSION_MAVEN },
        { "Go", VERSION_GO }, { "gobinary", VERSION_GO }, { "pkg:golang", VERSION_GO }, { "RubyGems", VERSION_GEM }, { "gemspec", VERSION_GEM },
        { "NuGet", VERSION_NUGET }, { "dotnet-core", VERSION_NUGET }, { "Packagist", VERSION_COMPOSER }, { "php-composer", VERSION_COMPOSER },
        { "PKG://Npm/x", VERSION_SEMVER }, { "", VERSION_GENERIC }, { "unheard-of", VERSION_GENERIC }, { "debianx", VERSION_GENERIC }, { NULL, VERSION_GENERIC },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (version_scheme_of(rows[i].word) != rows[i].scheme)
            fail_msg("\"%s\" gives %s", rows[i].word, version_scheme_name(version_scheme_of(rows[i].word)));
    }
}

/* Binary search over an unsorted table would lose words silently. */
static void every_word_of_a_scanner_is_found(void **state)
{
    static const char *const words[] = {
        "alma", "almalinux", "alpaquita", "alpine", "amazon", "apk", "azurelinux", "bundler", "cargo", "cbl-mariner", "centos", "chainguard", "composer",
        "composer-vendor", "conan", "conda-pkg", "deb", "debian", "dotnet-core", "fedora", "gem", "gemspec", "go-module", "gobinary", "gomod", "gradle-lockfile",
        "jar", "jenkins-plugin", "mageia", "maven", "minimos", "npm", "nuget", "openeuler", "opensuse.leap", "oracle", "packages-props", "packagist", "photon", "pip",
        "pipenv", "pnpm", "poetry", "pom", "pub", "pypi", "redhat", "rocky", "rpm", "rubygems", "rust-crate", "sbt-lockfile", "sles", "slem", "suse", "swift",
        "ubuntu", "uv", "wolfi", "yarn",
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(words); i++) {
        if (version_scheme_of(words[i]) == VERSION_GENERIC)
            fail_msg("%s is not found", words[i]);
    }
}

static bool inside(enum version_scheme scheme, const char *version, const char *range)
{
    struct err err = { 0 };
    bool in = false;

    if (version_in_range(scheme, version, range, &in, &err) != 0)
        fail_msg("%s: %s", range, err.msg);
    return in;
}

static void range_answers_who_has_the_old_log4j(void **state)
{
    (void)state;
    assert_true(inside(VERSION_MAVEN, "2.14.1", "< 2.17.1"));
    assert_true(inside(VERSION_MAVEN, "2.17.1-rc1", "<2.17.1"));
    assert_false(inside(VERSION_MAVEN, "2.17.1", "< 2.17.1"));
    assert_true(inside(VERSION_MAVEN, "2.17.1", "<= 2.17.1"));
    assert_true(inside(VERSION_SEMVER, "1.5.0", ">=1.0, <2.0"));
    assert_true(inside(VERSION_SEMVER, "1.5.0", ">=1.0 <2.0"));
    assert_false(inside(VERSION_SEMVER, "2.0.0", ">=1.0, <2.0"));
    assert_true(inside(VERSION_SEMVER, "1.2.0", "= 1.2"));
    assert_true(inside(VERSION_SEMVER, "1.2.0", "1.2"));
    assert_false(inside(VERSION_SEMVER, "1.2.0", "!=1.2"));
    assert_true(inside(VERSION_SEMVER, "3.0.0", "<1.0 || >=2.0, <4.0"));
    assert_false(inside(VERSION_SEMVER, "1.5.0", "<1.0||>=2.0,<4.0"));
    assert_true(inside(VERSION_DEB, "1:1.0-1", "> 9.9"));
    assert_true(inside(VERSION_GENERIC, "anything", "*"));
    assert_true(inside(VERSION_GO, "1.22.3", "== v1.22.3"));
}

static void range_with_a_fault_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *range, *want;
    } rows[] = {
        { "", "column 1: expected a condition" }, { "  ", "column 3: expected a condition" }, { "<", "column 2: expected a version" },
        { "< 1.0,", "column 7: expected a condition" }, { "< 1.0 ||", "column 9" }, { "|| < 1", "column 1" }, { "< 1 | > 2", "column 5: expected \"||\"" },
        { "~> 1.0", "unknown operator" }, { "^1.0", "unknown operator" }, { "[1.0", "unknown operator" }, { "<<1", "column 2" }, { ">=<1", "column 3" },
    };
    struct err err;
    bool in = true;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_int_equal(version_in_range(VERSION_SEMVER, "1.0", rows[i].range, &in, &err), -1);
        assert_int_equal(err.kind, ERR_INVALID);
        if (strstr(err.msg, rows[i].want) == NULL)
            fail_msg("\"%s\": %s", rows[i].range, err.msg);
        assert_true(in);
    }
    assert_int_equal(version_in_range(VERSION_SEMVER, "", "<1", &in, &err), -1);
}

static void too_many_conditions_are_refused(void **state)
{
    char range[65 * 3 + 1];
    struct err err;
    bool in;

    (void)state;
    for (size_t i = 0; i < 65; i++)
        memcpy(range + 3 * i, ">0,", 3);
    range[65 * 3 - 1] = '\0';
    assert_int_equal(version_in_range(VERSION_SEMVER, "1", range, &in, &err), -1);
    range[64 * 3 - 1] = '\0';
    assert_int_equal(version_in_range(VERSION_SEMVER, "1", range, &in, &err), 0);
}

/* Long runs of every token that could nest, repeat or overflow. */
static void longest_texts_compare_and_longer_ones_sort_first(void **state)
{
    static const char *const units[] = { "9", "0", "-", ".", "a", "1-", "a1", "-a", "~", "^", "_p", "1.", "0-", "+", ":", "alpha", "dev" };
    static char a[VERSION_MAX + 2], b[VERSION_MAX + 2];

    (void)state;
    for (size_t u = 0; u < N_ITEMS(units); u++) {
        size_t n = strlen(units[u]);
        for (size_t i = 0; i <= VERSION_MAX; i++)
            a[i] = b[i] = units[u][i % n];
        a[VERSION_MAX] = b[VERSION_MAX + 1] = '\0';
        for (enum version_scheme s = 0; s < VERSION_N; s++) {
            assert_int_equal(version_compare(s, a, a), 0);
            assert_int_equal(version_compare(s, a, "1.0"), -version_compare(s, "1.0", a));
            (void)version_is_valid(s, a);
            assert_int_equal(version_compare(s, b, "0"), -1);
            assert_int_equal(version_compare(s, "0", b), 1);
            assert_int_equal(version_compare(s, b, b), 0);
            assert_false(version_is_valid(s, b));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deb_rows_hold),
        cmocka_unit_test(rpm_rows_hold),
        cmocka_unit_test(apk_rows_hold),
        cmocka_unit_test(semver_rows_hold),
        cmocka_unit_test(pep440_rows_hold),
        cmocka_unit_test(maven_rows_hold),
        cmocka_unit_test(go_rows_hold),
        cmocka_unit_test(gem_rows_hold),
        cmocka_unit_test(nuget_rows_hold),
        cmocka_unit_test(composer_rows_hold),
        cmocka_unit_test(generic_rows_hold),
        cmocka_unit_test(what_the_tool_refuses_is_not_valid),
        cmocka_unit_test(ecosystem_words_lead_to_their_scheme),
        cmocka_unit_test(every_word_of_a_scanner_is_found),
        cmocka_unit_test(range_answers_who_has_the_old_log4j),
        cmocka_unit_test(range_with_a_fault_is_refused_with_its_place),
        cmocka_unit_test(too_many_conditions_are_refused),
        cmocka_unit_test(longest_texts_compare_and_longer_ones_sort_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
