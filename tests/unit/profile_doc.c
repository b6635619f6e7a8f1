/* profile_doc.c - profiles as developers write them: every mistake with its line. */
#include "base/str.h"
#include "wire/profile_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define HEAD "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: shop}\nspec:\n  image: acme/shop\n"

struct fixture {
    struct arena arena;
    struct complaints all;
    struct err err;
    struct profile p;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    arena_init(&f.arena, 16 << 20);
    f.all.arena = &f.arena;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    arena_clear(&((struct fixture *)*state)->arena);
    return 0;
}

static int parse(struct fixture *f, const char *text)
{
    f->all = (struct complaints){ .arena = &f->arena };
    return profile_doc_parse(text, strlen(text), &f->arena, &f->all, &f->p, &f->err);
}

static void a_whole_document_is_read(void **state)
{
    struct fixture *f = *state;

    if (parse(f, HEAD "  mode: protect\n  onAgentLoss: closed\n  lease: 2m\n  executables: [{path: /shop, parents: [/init]}]\n"
              "  listens: [{port: 80}]\n  egress: [{dns: example.com, ports: [443]}]\n  users: [0]\n  capabilities: [cap_net_raw]\n") != 0)
        fail_msg("%s", f->err.msg);
    assert_string_equal(f->p.repository, "docker.io/acme/shop");
    assert_null(f->p.digest);
    assert_int_equal(f->p.mode, PROFILE_PROTECT);
    assert_int_equal(f->p.on_agent_loss, ON_LOSS_CLOSED);
    assert_int_equal(f->p.lease_s, 120);
    assert_string_equal(f->p.executables[0].parents[0], "/init");
    assert_int_equal(f->p.listens[0].protocol, NET_TCP);
    assert_int_equal(f->p.egress[0].kind, PEER_DNS);
    assert_string_equal(f->p.capabilities[0], "NET_RAW");
    assert_true(f->p.has_users && !f->p.has_writes && !f->p.has_ingress);
}

static void what_is_left_out_keeps_the_safe_defaults(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(parse(f, HEAD), 0);
    assert_int_equal(f->p.mode, PROFILE_DISCOVER);
    assert_int_equal(f->p.on_agent_loss, ON_LOSS_OPEN);
    assert_int_equal(f->p.lease_s, PROFILE_LEASE_DEFAULT_S);
    assert_int_equal(parse(f, HEAD "  egress: []\n"), 0);
    assert_true(f->p.has_egress && f->p.n_egress == 0);
}

static void mistakes_are_refused_with_line_and_column(void **state)
{
    static const struct { const char *text, *message; } cases[] = {
        { HEAD "  egress:\n", "6:10: $.spec.egress: nothing is here: write [] to allow nothing, or leave the key out to judge nothing" },
        { HEAD "  executabels: []\n", "6:16: $.spec.executabels: unknown key (did you mean \"executables\"?)" },
        { HEAD "  executables: [{path: shop}]\n", "6:24: $.spec.executables[0].path: a path begins with a slash, as the container sees it" },
        { HEAD "  executables: [{path: /a/../b}]\n", "6:24: $.spec.executables[0].path: a path has no empty, \".\" or \"..\" component" },
        { HEAD "  executables: [{path: /a/*}]\n", "6:24: $.spec.executables[0].path: programs are named one by one, without stars" },
        { HEAD "  executables: [{path: /a}, {path: /a}]\n", "6:29: $.spec.executables[1]: the same is listed before" },
        { HEAD "  executables: [{path: /a, sha256: ABC}]\n", "6:36: $.spec.executables[0].sha256: expected 64 lower-case hex digits" },
        { HEAD "  listens: [{port: 0}]\n", "6:20: $.spec.listens[0].port: is 0; 1 to 65535 allowed" },
        { HEAD "  listens: [{port: 1}, {port: 1, protocol: tcp}]\n", "6:24: $.spec.listens[1]: the same is listed before" },
        { HEAD "  egress: [{cidr: 10.0.0.1/8}]\n", "6:19: $.spec.egress[0].cidr: expected an address, or a network like 10.0.0.0/8 whose host bits are zero" },
        { HEAD "  egress: [{}]\n", "6:12: $.spec.egress[0]: exactly one of service, cidr and dns names a peer" },
        { HEAD "  egress: [{dns: a.b, cidr: 10.0.0.1}]\n", "6:12: $.spec.egress[0]: exactly one of service, cidr and dns names a peer" },
        { HEAD "  egress: [{dns: a.*.b}]\n", "6:18: $.spec.egress[0].dns: not a DNS name; a star stands only for its whole first label" },
        { HEAD "  ingress: [{service: web}]\n", "6:23: $.spec.ingress[0].service: expected namespace/workload; either may be a star" },
        { HEAD "  writes: [/a/**/b]\n", "6:12: $.spec.writes[0]: two stars stand only for all below a folder, as the last component" },
        { HEAD "  users: [-1]\n", "6:11: $.spec.users[0]: is -1; 0 to 4294967294 allowed" },
        { HEAD "  capabilities: [ALL]\n", "6:18: $.spec.capabilities[0]: not a capability of Linux (written like NET_BIND_SERVICE)" },
        { HEAD "  lease: 1s\n", "6:10: $.spec.lease: expected 5s to 24h, like 60s" },
        { "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: Shop}\nspec: {image: a/b}\n", "3:18: $.metadata.name: 1 to 63 of a-z, 0-9, - and ., a letter or digit at both ends" },
        { "apiVersion: keep/v1\nkind: Policy\n", "2:7: $.kind: expected kind Profile of apiVersion keep/v1" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        assert_int_equal(parse(f, cases[i].text), -1);
        assert_string_equal(f->err.msg, cases[i].message);
        assert_int_equal(f->err.kind, ERR_INVALID);
    }
}

static void all_mistakes_are_told_at_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(parse(f, HEAD "  writes: [a, /b/]\n  users: [1]\n  capabilities: [X]\n"), -1);
    assert_int_equal(f->all.n, 3);
}

static void a_document_is_bounded(void **state)
{
    struct fixture *f = *state;
    char *big = malloc(PROFILE_DOC_MAX + 2);

    assert_non_null(big);
    memset(big, '#', PROFILE_DOC_MAX + 1);
    big[PROFILE_DOC_MAX + 1] = '\0';
    assert_int_equal(parse(f, big), -1);
    assert_int_equal(f->err.kind, ERR_TOO_LARGE);
    free(big);
}

static void networks_contain_addresses_of_both_families(void **state)
{
    static const struct { const char *net, *address; bool in; } cases[] = {
        { "10.0.0.0/8", "10.255.0.1", true }, { "10.0.0.0/8", "11.0.0.1", false }, { "10.1.2.3", "10.1.2.3", true }, { "0.0.0.0/0", "8.8.8.8", true },
        { "10.0.0.0/9", "10.128.0.0", false }, { "fd00::/8", "fd12::1", true }, { "fd00::/8", "fe80::1", false }, { "0.0.0.0/0", "fd00::1", false },
        { "10.0.0.0/8", "::ffff:10.0.0.1", true }, { "::/0", "10.0.0.1", true },
    };
    struct cidr net, address;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        assert_true(cidr_parse(cases[i].net, &net) && cidr_parse(cases[i].address, &address));
        assert_int_equal(cidr_contains(&net, &address), cases[i].in);
    }
    assert_false(cidr_parse("10.0.0.0/33", &net) || cidr_parse("10.0.0", &net) || cidr_parse("", &net) || cidr_parse("10.0.0.1/24", &net) || cidr_parse("::/129", &net));
    assert_true(cidr_parse("8.8.8.8", &net) && cidr_is_public(&net));
    assert_true(cidr_parse("0.0.0.0/0", &net) && cidr_is_public(&net));
    assert_true(cidr_parse("192.168.1.0/24", &net) && !cidr_is_public(&net));
    assert_true(cidr_parse("fd00::1", &net) && !cidr_is_public(&net));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_document_is_read),
        TEST(what_is_left_out_keeps_the_safe_defaults),
        TEST(mistakes_are_refused_with_line_and_column),
        TEST(all_mistakes_are_told_at_once),
        TEST(a_document_is_bounded),
        TEST(networks_contain_addresses_of_both_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
