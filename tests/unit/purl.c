#include "wire/purl.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static struct purl parsed(const char *text)
{
    struct purl p;
    struct err err = { 0 };

    if (purl_parse(&arena, text, &p, &err) != 0)
        fail_msg("%s: %s", text, err.msg);
    return p;
}

static void canonical_text_is_the_one_expected(void **state)
{
    static const struct {
        const char *text, *canonical;
    } rows[] = {
        { "pkg:npm/lodash@4.17.21", "pkg:npm/lodash@4.17.21" },
        { "PKG:NPM/lodash", "pkg:npm/lodash" },
        { "pkg://npm/lodash", "pkg:npm/lodash" },
        { "pkg:npm/%40types/node@20.1.0", "pkg:npm/%40types/node@20.1.0" },
        { "pkg:npm/@types/node@20.1.0", "pkg:npm/%40types/node@20.1.0" },
        { "pkg:npm/@types/node", "pkg:npm/%40types/node" },
        { "pkg:pypi/Flask_Login@1.0RC1", "pkg:pypi/flask-login@1.0rc1" },
        { "pkg:github/Torvalds/Linux@v6.1", "pkg:github/torvalds/linux@v6.1" },
        { "pkg:bitbucket/Acme/Tool", "pkg:bitbucket/acme/tool" },
        { "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar" },
        { "pkg:maven/Org.Acme/Core", "pkg:maven/Org.Acme/Core" },
        { "pkg:golang/github.com/Acme/Tool@v1.2.3#cmd/./x/../y/", "pkg:golang/github.com/Acme/Tool@v1.2.3#cmd/x/y" },
        { "pkg:golang/stdlib@1.22.3", "pkg:golang/stdlib@1.22.3" },
        { "pkg:deb/Debian/Curl@7.88.1-10%2Bdeb12u5?distro=debian-12&arch=amd64", "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=amd64&distro=debian-12" },
        { "pkg:deb/debian/libc6@2.36-9+deb12u4?ARCH=amd64", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64" },
        { "pkg:rpm/RedHat/openSSL@3.0.7-16.el9?epoch=1", "pkg:rpm/redhat/openSSL@3.0.7-16.el9?epoch=1" },
        { "pkg:apk/Alpine/musl@1.2.4-r2", "pkg:apk/alpine/musl@1.2.4-r2" },
        { "pkg:oci/Nginx@sha256%3AABCDEF?tag=1.25&repository_url=docker.io/library/nginx", "pkg:oci/nginx@sha256:abcdef?repository_url=docker.io%2Flibrary%2Fnginx&tag=1.25" },
        { "pkg:huggingface/acme/Model-X@ABCDEF01", "pkg:huggingface/acme/Model-X@abcdef01" },
        { "pkg:mlflow/Fraud@3?repository_url=https://x.azuredatabricks.net/api", "pkg:mlflow/fraud@3?repository_url=https:%2F%2Fx.azuredatabricks.net%2Fapi" },
        { "pkg:mlflow/Fraud@3?repository_url=https://x.azureml.ms/api", "pkg:mlflow/Fraud@3?repository_url=https:%2F%2Fx.azureml.ms%2Fapi" },
        { "pkg:composer/Laravel/Framework@10.0", "pkg:composer/laravel/framework@10.0" },
        { "pkg:pub/Some-Pkg@1.0", "pkg:pub/some_pkg@1.0" },
        { "pkg:cpan/acme/Date-Calc@6.4", "pkg:cpan/ACME/Date-Calc@6.4" },
        { "pkg:git/codeberg.org/a/b@abc", "pkg:git/codeberg.org/a/b@abc" },
        { "pkg:generic//a//b///c/@1", "pkg:generic/a/b/c@1" },
        { "pkg:generic/x?empty=&b=2&a=1&&", "pkg:generic/x?a=1&b=2" },
        { "pkg:generic/x?checksum=sha1:aa,sha256:bb", "pkg:generic/x?checksum=sha1:aa%2Csha256:bb" },
        { "pkg:generic/x@", "pkg:generic/x" },
        { "pkg:generic/%C3%A9t%c3%a9@1%202", "pkg:generic/%C3%A9t%C3%A9@1%202" },
        { "pkg:generic/\xC3\xA9", "pkg:generic/%C3%A9" },
        { "pkg:generic/a%2Fb@1/2", "pkg:generic/a%2Fb@1%2F2" },
        { "pkg:generic/a@b@c", "pkg:generic/a%40b@c" },
        { "pkg:nuget/Newtonsoft.Json@13.0.1", "pkg:nuget/Newtonsoft.Json@13.0.1" },
        { "pkg:unheard.of-type/A/B@C", "pkg:unheard.of-type/A/B@C" },
        { "pkg:generic/x?k=a=b%26c", "pkg:generic/x?k=a%3Db%26c" },
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        const char *once = NULL, *twice = NULL;
        if (purl_canonical(&arena, rows[i].text, &once, &err) != 0)
            fail_msg("%s: %s", rows[i].text, err.msg);
        assert_string_equal(once, rows[i].canonical);
        assert_int_equal(purl_canonical(&arena, once, &twice, &err), 0);
        assert_string_equal(once, twice);
    }
}

static void parts_are_decoded(void **state)
{
    (void)state;
    struct purl p = parsed("pkg:Maven/org.acme%2Bx/core@1.0%2Fa?z=%C3%A9&a=b%20c#src/%23main");
    assert_string_equal(p.type, "maven");
    assert_string_equal(p.namespace, "org.acme+x");
    assert_string_equal(p.name, "core");
    assert_string_equal(p.version, "1.0/a");
    assert_string_equal(p.subpath, "src/#main");
    assert_int_equal(p.n_qualifiers, 2);
    assert_string_equal(purl_qualifier(&p, "a"), "b c");
    assert_string_equal(purl_qualifier(&p, "z"), "\xC3\xA9");
    assert_null(purl_qualifier(&p, "b"));
    p = parsed("pkg:npm/x");
    assert_null(p.namespace);
    assert_null(p.version);
    assert_null(p.subpath);
    assert_int_equal(p.n_qualifiers, 0);
    p = parsed("pkg:git/codeberg.org/a/b");
    assert_string_equal(p.namespace, "codeberg.org");
    assert_string_equal(p.name, "a/b");
}

static void hostile_or_malformed_text_is_refused(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "", "pkg:" }, { "npm/lodash", "pkg:" }, { "pkg:", "TYPE/NAME" }, { "pkg:npm", "TYPE/NAME" }, { "pkg:npm/", "name is required" },
        { "pkg:npm/@1", "name is required" }, { "pkg:3npm/x", "type" }, { "pkg:n_m/x", "type" }, { "pkg:n%70m/x", "type" }, { "pkg:/x/", "name is required" },
        { "pkg:npm/x%", "two hex digits" }, { "pkg:npm/x%4", "two hex digits" }, { "pkg:npm/x%4g", "two hex digits" }, { "pkg:npm/x%g4", "two hex digits" },
        { "pkg:npm/x%00y", "UTF-8 without NUL" }, { "pkg:npm/x@%00", "UTF-8 without NUL" }, { "pkg:npm/x?a=%00", "UTF-8 without NUL" }, { "pkg:npm/x#%00", "UTF-8 without NUL" },
        { "pkg:npm/%FF", "UTF-8" }, { "pkg:npm/%C0%80", "UTF-8" }, { "pkg:npm/%ED%A0%80", "UTF-8" }, { "pkg:npm/x\n", "control character" }, { "pkg:npm/x\x7F", "control character" },
        { "pkg:npm/a%2Fb/x", "escaped '/'" }, { "pkg:npm/x#a%2Fb", "escaped '/'" }, { "pkg:npm/x?novalue", "KEY=VALUE" }, { "pkg:npm/x?1a=b", "qualifier key" },
        { "pkg:npm/x?a%20b=c", "qualifier key" }, { "pkg:npm/x?=c", "qualifier key" }, { "pkg:npm/x?a=1&a=2", "twice" }, { "pkg:npm/x?a=1&A=2", "twice" },
        { "pkg:swift/x@1", "swift needs a namespace" }, { "pkg:swift/github.com/x@1", "host and an owner" }, { "pkg:vcpkg/a/b", "vcpkg has no namespace" }, { "pkg:julia/Dates", "uuid" },
        { "pkg:cpan/A::B", "distribution" }, { "pkg:chrome-extension/dogs", "32 letters" }, { "pkg:vscode-extension/java@1", "needs a namespace" },
    };
    struct purl p = { .type = "untouched" };
    struct err err;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (purl_parse(&arena, rows[i].text, &p, &err) == 0)
            fail_msg("%s is accepted", rows[i].text);
        if (strstr(err.msg, rows[i].want) == NULL)
            fail_msg("%s: %s", rows[i].text, err.msg);
        assert_string_equal(p.type, "untouched");
    }
}

static void bounds_hold(void **state)
{
    static char text[PURL_MAX + 2];
    struct purl p;
    struct err err;

    (void)state;
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "pkg:npm/", 8);
    assert_int_equal(purl_parse(&arena, text, &p, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    text[PURL_MAX] = '\0';
    assert_int_equal(purl_parse(&arena, text, &p, &err), 0);

    struct buf_like { char s[PURL_MAX]; size_t n; } q = { "pkg:npm/x?", 10 };
    for (int i = 0; i < PURL_QUALIFIERS_MAX + 1; i++) {
        char one[5] = { 'k', (char)('a' + i / 26), (char)('a' + i % 26), '=', '1' };
        memcpy(q.s + q.n, one, 5);
        q.s[q.n + 5] = '&';
        q.n += 6;
    }
    q.s[q.n] = '\0';
    assert_int_equal(purl_parse(&arena, q.s, &p, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    q.s[q.n - 6] = '\0';
    assert_int_equal(purl_parse(&arena, q.s, &p, &err), 0);
    assert_int_equal(p.n_qualifiers, PURL_QUALIFIERS_MAX);
}

static void build_normalises_raw_parts(void **state)
{
    struct purl_qualifier qualifiers[] = { { "Zed", "1" }, { "arch", "amd64" }, { "gone", "" }, { "null", NULL } };
    struct purl p = { .type = "PyPI", .namespace = "", .name = "/A_b/", .version = "1.0+x", .subpath = "/a//../b/", .qualifiers = qualifiers, .n_qualifiers = 4 };
    const char *text;
    struct err err;

    (void)state;
    assert_int_equal(purl_build(&arena, &p, &text, &err), 0);
    assert_string_equal(text, "pkg:pypi/a-b@1.0%2Bx?arch=amd64&zed=1#a/b");
    assert_string_equal(p.name, "/A_b/");
    p.name = "\xFF";
    assert_int_equal(purl_build(&arena, &p, &text, &err), -1);
    p.name = NULL;
    assert_int_equal(purl_build(&arena, &p, &text, &err), -1);
    p = (struct purl){ .name = "x" };
    assert_int_equal(purl_build(&arena, &p, &text, &err), -1);
}

static void vex_statement_speaks_of_what_it_names(void **state)
{
    static const struct {
        const char *wanted, *product;
        bool match;
    } rows[] = {
        { "pkg:npm/lodash", "pkg:npm/lodash@4.17.20", true },
        { "pkg:npm/lodash@4.17.20", "pkg:npm/lodash@4.17.20", true },
        { "pkg:npm/lodash@4.17.20", "pkg:npm/lodash@4.17.21", false },
        { "pkg:npm/lodash@4.17.20", "pkg:npm/lodash", false },
        { "pkg:npm/lodash", "pkg:npm/%40x/lodash", false },
        { "pkg:npm/%40x/lodash", "pkg:npm/lodash", false },
        { "pkg:npm/lodash", "pkg:pypi/lodash", false },
        { "pkg:pypi/A_b", "pkg:pypi/a-b@1", true },
        { "pkg:deb/debian/curl", "pkg:deb/debian/curl@1?arch=amd64&distro=debian-12", true },
        { "pkg:deb/debian/curl?distro=debian-12", "pkg:deb/debian/curl@1?arch=amd64&distro=debian-12", true },
        { "pkg:deb/debian/curl?distro=debian-11", "pkg:deb/debian/curl@1?arch=amd64&distro=debian-12", false },
        { "pkg:deb/debian/curl?distro=debian-12", "pkg:deb/debian/curl@1", false },
        { "pkg:oci/nginx?repository_url=docker.io/library/nginx", "pkg:oci/nginx@sha256:aa?repository_url=docker.io%2Flibrary%2Fnginx&tag=1", true },
        { "pkg:golang/a.b/c#x", "pkg:golang/a.b/c", false },
        { "pkg:golang/a.b/c", "pkg:golang/a.b/c#x", true },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct purl wanted = parsed(rows[i].wanted), product = parsed(rows[i].product);
        if (purl_match(&wanted, &product) != rows[i].match)
            fail_msg("%s on %s", rows[i].wanted, rows[i].product);
    }
}

static void full_arena_is_an_error_at_every_step(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 9000; limit += 61) {
        struct arena small;
        struct purl p;
        const char *text;
        struct err err = { 0 };
        arena_init(&small, limit);
        if (purl_parse(&small, "pkg:git/a/b/c@1?k=v&l=w#s/t", &p, &err) == 0 && purl_build(&small, &p, &text, &err) == 0)
            assert_string_equal(text, "pkg:git/a/b/c@1?k=v&l=w#s/t");
        else
            assert_int_equal(err.kind, ERR_UNAVAILABLE);
        arena_clear(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_text_is_the_one_expected),
        cmocka_unit_test(parts_are_decoded),
        cmocka_unit_test(hostile_or_malformed_text_is_refused),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(build_normalises_raw_parts),
        cmocka_unit_test(vex_statement_speaks_of_what_it_names),
        cmocka_unit_test(full_arena_is_an_error_at_every_step),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
