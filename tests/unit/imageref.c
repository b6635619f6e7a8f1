#include "wire/imageref.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA "sha256:" HEX

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

static struct imageref parsed(const char *text)
{
    struct imageref ref;
    struct err err = { 0 };

    if (imageref_parse(&arena, text, &ref, &err) != 0)
        fail_msg("%s: %s", text, err.msg);
    return ref;
}

static void references_become_canonical(void **state)
{
    static const struct {
        const char *text, *canonical, *familiar;
    } rows[] = {
        { "nginx", "docker.io/library/nginx:latest", "nginx:latest" },
        { "nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25" },
        { "library/nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25" },
        { "docker.io/nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25" },
        { "docker.io/library/nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25" },
        { "index.docker.io/library/nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25" },
        { "Index.Docker.IO/nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25" },
        { "acme/app:v1", "docker.io/acme/app:v1", "acme/app:v1" },
        { "acme/team/app", "docker.io/acme/team/app:latest", "acme/team/app:latest" },
        { "ghcr.io/acme/app:v1", "ghcr.io/acme/app:v1", "ghcr.io/acme/app:v1" },
        { "GHCR.io/acme/app:V1", "ghcr.io/acme/app:V1", "ghcr.io/acme/app:V1" },
        { "ghcr.io/app", "ghcr.io/app:latest", "ghcr.io/app:latest" },
        { "localhost/app", "localhost/app:latest", "localhost/app:latest" },
        { "localhost", "docker.io/library/localhost:latest", "localhost:latest" },
        { "docker.io/localhost/app", "docker.io/localhost/app:latest", "docker.io/localhost/app:latest" },
        { "localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1" },
        { "registry:5000/a/b/c", "registry:5000/a/b/c:latest", "registry:5000/a/b/c:latest" },
        { "10.0.0.1:5000/a", "10.0.0.1:5000/a:latest", "10.0.0.1:5000/a:latest" },
        { "[FE80::1]:5000/a:t", "[fe80::1]:5000/a:t", "[fe80::1]:5000/a:t" },
        { "nginx@" SHA, "docker.io/library/nginx@" SHA, "nginx@" SHA },
        { "nginx:1.25@" SHA, "docker.io/library/nginx:1.25@" SHA, "nginx:1.25@" SHA },
        { "quay.io/a/b@sha512:" HEX HEX, "quay.io/a/b@sha512:" HEX HEX, "quay.io/a/b@sha512:" HEX HEX },
        { "docker-pullable://nginx@" SHA, "docker.io/library/nginx@" SHA, "nginx@" SHA },
        { "docker://nginx:1", "docker.io/library/nginx:1", "nginx:1" },
        { "docker://" SHA, SHA, SHA },
        { "containerd://" SHA, SHA, SHA },
        { SHA, SHA, SHA },
        { HEX, SHA, SHA },
        { "a_b/c__d/e-f/g---h.i", "docker.io/a_b/c__d/e-f/g---h.i:latest", "a_b/c__d/e-f/g---h.i:latest" },
        { "a:_.-", "docker.io/library/a:_.-", "a:_.-" },
        { "docker.io/" HEX "x", "docker.io/library/" HEX "x:latest", HEX "x:latest" },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct imageref ref = parsed(rows[i].text);
        assert_string_equal(imageref_canonical(&arena, &ref), rows[i].canonical);
        assert_string_equal(imageref_familiar(&arena, &ref), rows[i].familiar);
        struct imageref again = parsed(rows[i].canonical), short_again = parsed(rows[i].familiar);
        assert_string_equal(imageref_canonical(&arena, &again), rows[i].canonical);
        assert_string_equal(imageref_canonical(&arena, &short_again), rows[i].canonical);
    }
}

static void parts_are_told_apart(void **state)
{
    (void)state;
    struct imageref ref = parsed("localhost:5000/a/b:c@" SHA);
    assert_string_equal(ref.registry, "localhost:5000");
    assert_string_equal(ref.repository, "a/b");
    assert_string_equal(ref.tag, "c");
    assert_string_equal(ref.digest, SHA);
    assert_false(ref.tag_implied);
    assert_false(ref.is_id);
    assert_true(parsed("a").tag_implied);
    assert_false(parsed("a:latest").tag_implied);
    ref = parsed("a@" SHA);
    assert_null(ref.tag);
    assert_false(ref.tag_implied);
    ref = parsed(HEX);
    assert_true(ref.is_id);
    assert_null(ref.repository);
    assert_null(imageref_name(&arena, &ref));
}

static void malformed_references_are_refused_exactly(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "", "empty" }, { " nginx", "byte 1" }, { "nginx ", "byte 6" }, { "ngi\tnx", "byte 4" }, { "ngin\xC3\xA9", "byte 5" },
        { "Nginx", "\"Nginx\" must be lower case" }, { "acme/App", "\"acme/App\" must be lower case" }, { "ACME/app", "\"ACME/app\" must be lower case" },
        { "nginx:", "empty tag" }, { "nginx:-a", "tag \"-a\"" }, { "nginx:.a", "tag \".a\"" }, { "nginx:a/b", "port" }, { "nginx:a+b", "tag \"a+b\"" },
        { "/nginx", "no repository name" }, { "nginx/", "no repository name" }, { "a//b", "no repository name" }, { "x/../b", "no repository name" },
        { "a..b", "no repository name" }, { "a.", "no repository name" }, { ".a", "no repository name" }, { "a___b", "no repository name" }, { "a_", "no repository name" }, { "-a", "no repository name" },
        { "ghcr.io/", "no repository" }, { "ghcr.io:x/a", "port" }, { "ghcr.io:0/a", "port" }, { "ghcr.io:65536/a", "port" }, { "ghcr.io:/a", "port" }, { "-x.io/a", "host" }, { "x-.io/a", "host" },
        { "x..io/a", "host" }, { ".io/a", "host" }, { "io./a", "host" }, { "a_b.io/c", "host" }, { "[::1/a", "no registry" }, { "[x]:1/a", "host" }, { "[::1]x/a", "port" },
        { "nginx@", "no sha256 or sha512 digest" }, { "nginx@sha256:abc", "digest" }, { "nginx@sha256:" HEX "0", "digest" }, { "nginx@md5:" HEX, "digest" },
        { "nginx@SHA256:" HEX, "digest" }, { "nginx@" SHA "@" SHA, "digest" }, { "@" SHA, "no repository" }, { "nginx@sha512:" HEX, "digest" }, { "sha256:abc/x", "port" },
        { "https://ghcr.io/a", "port" }, { "a:b:c", "tag \"b:c\"" }, { "docker://", "no repository" },
    };
    struct imageref ref = { .tag = "untouched" };
    struct err err;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (imageref_parse(&arena, rows[i].text, &ref, &err) == 0)
            fail_msg("%s is accepted", rows[i].text);
        if (strstr(err.msg, rows[i].want) == NULL)
            fail_msg("%s: %s", rows[i].text, err.msg);
        assert_string_equal(ref.tag, "untouched");
    }
}

static void lengths_are_bounded(void **state)
{
    char text[IMAGEREF_MAX + 2];
    struct imageref ref;
    struct err err;

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(imageref_parse(&arena, text, &ref, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    text[1] = ':';
    text[2 + IMAGEREF_TAG_MAX] = '\0';
    assert_int_equal(imageref_parse(&arena, text, &ref, &err), 0);
    text[2 + IMAGEREF_TAG_MAX] = 'a';
    text[3 + IMAGEREF_TAG_MAX] = '\0';
    assert_int_equal(imageref_parse(&arena, text, &ref, &err), -1);
    memset(text, 'a', sizeof text);
    text[1] = '/';
    text[IMAGEREF_REPOSITORY_MAX] = '\0';
    assert_int_equal(imageref_parse(&arena, text, &ref, &err), 0);
    text[IMAGEREF_REPOSITORY_MAX] = 'a';
    text[IMAGEREF_REPOSITORY_MAX + 1] = '\0';
    assert_int_equal(imageref_parse(&arena, text, &ref, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
}

static bool equal(const char *a, const char *b)
{
    struct imageref x = parsed(a), y = parsed(b);

    assert_int_equal(imageref_equal(&x, &y), imageref_equal(&y, &x));
    return imageref_equal(&x, &y);
}

static void equality_is_by_digest_then_by_place(void **state)
{
    (void)state;
    assert_true(equal("nginx", "docker.io/library/nginx:latest"));
    assert_false(equal("nginx:1", "nginx:2"));
    assert_false(equal("nginx:1", "ghcr.io/library/nginx:1"));
    assert_true(equal("a:1@" SHA, "ghcr.io/b@" SHA));
    assert_true(equal("a@" SHA, HEX));
    assert_true(equal("a:1@" SHA, "a:1"));
    assert_false(equal("a@" SHA, "a:latest"));
    assert_false(equal(HEX, "a:1"));
}

static bool matches(const char *pattern, const char *text)
{
    struct imageref ref = parsed(text);
    const char *full, *again;
    struct err err = { 0 };

    if (imageref_pattern_parse(&arena, pattern, &full, &err) != 0)
        fail_msg("%s: %s", pattern, err.msg);
    assert_int_equal(imageref_pattern_parse(&arena, full, &again, &err), 0);
    assert_string_equal(full, again);
    return imageref_pattern_match(full, &ref);
}

static void one_star_stays_inside_its_segment(void **state)
{
    (void)state;
    assert_true(matches("docker.io/acme/*", "acme/app:1"));
    assert_false(matches("docker.io/acme/*", "acme/team/app"));
    assert_false(matches("docker.io/acme/*", "ghcr.io/acme/app"));
    assert_false(matches("docker.io/acme/*", "acmex/app"));
    assert_true(matches("registry:5000/*/x", "registry:5000/a/x@" SHA));
    assert_false(matches("registry:5000/*/x", "registry:5000/a/b/x"));
    assert_true(matches("ghcr.io/acme/app-*", "ghcr.io/acme/app-web"));
    assert_true(matches("ghcr.io/acme/*-*-prod", "ghcr.io/acme/a-b-c-prod"));
    assert_false(matches("ghcr.io/acme/*-prod", "ghcr.io/acme/a-prod-x"));
    assert_true(matches("*/acme/app", "ghcr.io/acme/app"));
    assert_false(matches("*.example.com/app", "evil.com/example.com/app"));
    assert_true(matches("*.example.com/app", "eu.r.example.com/app"));
    assert_false(matches("*.example.com/app", "example.com.evil.org/app"));
}

static void two_stars_cross_segments(void **state)
{
    (void)state;
    assert_true(matches("docker.io/acme/**", "acme/app"));
    assert_true(matches("docker.io/acme/**", "acme/a/b/c"));
    assert_false(matches("docker.io/acme/**", "acmex/a"));
    assert_true(matches("**", "nginx"));
    assert_true(matches("**", "registry:5000/a/b/c"));
    assert_true(matches("**/app", "ghcr.io/x/y/app"));
    assert_false(matches("**/app", "ghcr.io/x/y/myapp"));
    assert_true(matches("ghcr.io/**/app", "ghcr.io/x/y/app"));
    assert_false(matches("ghcr.io/**/app", "ghcr.io/app"));
    assert_true(matches("ghcr.io/**/*-web", "ghcr.io/a/b/shop-web"));
}

static void pattern_without_registry_means_docker_hub(void **state)
{
    (void)state;
    assert_true(matches("nginx", "nginx:1.25"));
    assert_true(matches("nginx", "index.docker.io/library/nginx"));
    assert_false(matches("nginx", "ghcr.io/library/nginx"));
    assert_true(matches("*", "nginx"));
    assert_false(matches("*", "acme/nginx"));
    assert_true(matches("acme/*", "docker.io/acme/app"));
    assert_false(matches("acme/*", "acme.io/app"));
    assert_true(matches("acme*/x", "acmecorp/x"));
    assert_false(matches("acme*/x", "acme.evil.org/x"));
    assert_true(matches("Index.Docker.io/acme/x", "acme/x"));
    assert_false(matches("**", HEX));
}

static void malformed_patterns_are_refused(void **state)
{
    static const struct {
        const char *pattern, *want;
    } rows[] = {
        { "", "1 to 512" }, { "a b", "character" }, { "a?b", "character" }, { "/a", "empty segment" }, { "a/", "empty segment" }, { "a//b", "empty segment" },
        { "***", "empty segment" }, { "acme/App", "lower case" }, { "nginx:1.25", "tag" }, { "ghcr.io/a:*", "tag" }, { "nginx@sha256", "character" },
    };
    const char *full = "untouched";
    struct err err;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (imageref_pattern_parse(&arena, rows[i].pattern, &full, &err) == 0)
            fail_msg("%s is accepted", rows[i].pattern);
        if (strstr(err.msg, rows[i].want) == NULL)
            fail_msg("%s: %s", rows[i].pattern, err.msg);
    }
    assert_string_equal(full, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_become_canonical),
        cmocka_unit_test(parts_are_told_apart),
        cmocka_unit_test(malformed_references_are_refused_exactly),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(equality_is_by_digest_then_by_place),
        cmocka_unit_test(one_star_stays_inside_its_segment),
        cmocka_unit_test(two_stars_cross_segments),
        cmocka_unit_test(pattern_without_registry_means_docker_hub),
        cmocka_unit_test(malformed_patterns_are_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
