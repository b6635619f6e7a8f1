/* A profile as the kernel's maps want it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/wall/compile.h"
#include "base/str.h"
#include "wire/cidr.h"

#include <netinet/in.h>
#include <string.h>

static struct arena a;

static int open_arena(void **state)
{
    (void)state;
    arena_init(&a, 8 << 20);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_clear(&a);
    return 0;
}

static struct wall_rules rules_of(const struct profile *p)
{
    struct wall_rules r = { 0 };
    struct err err = { 0 };
    if (wall_compile(p, 60, &a, &r, &err) != 0)
        fail_msg("%s", err.msg);
    return r;
}

/* What the kernel does: the longest prefix, then its ports. */
static bool lets_pass(const struct wall_rules *r, int way, const char *address, u8 protocol, u16 port)
{
    const struct peer_rule *best = NULL;
    struct cidr at;
    assert_true(cidr_parse(address, &at));
    for (size_t i = 0; i < r->n_peers; i++) {
        const struct peer_rule *p = &r->peers[i];
        struct cidr net = { .bits = p->key.bits - PEER_FIXED };
        memcpy(net.bytes, p->key.address, 16);
        if (p->key.way == (u32)way && cidr_contains(&net, &at) && (!best || p->key.bits > best->key.bits))
            best = p;
    }
    for (size_t i = 0; best && i < r->n_ports; i++) {
        const struct wall_port_key *k = &r->ports[i];
        if (k->peer == best->id && k->way == way && k->protocol == protocol && (k->port == port || k->port == 0))
            return true;
    }
    return false;
}

static void longer_prefix_keeps_what_shorter_ones_allow(void **state)
{
    static const int64_t web[] = { 443 }, sql[] = { 5432 };
    static const struct profile_peer peers[] = {
        { .kind = PEER_CIDR, .cidr = "10.0.0.0/8", .ports = web, .n_ports = 1, .protocol = NET_TCP },
        { .kind = PEER_CIDR, .cidr = "10.1.0.0/16", .ports = sql, .n_ports = 1, .protocol = NET_TCP },
    };
    struct profile p = { .repository = "r", .has_egress = true, .egress = peers, .n_egress = 2 };
    struct wall_rules r = rules_of(&p);
    (void)state;
    assert_true(lets_pass(&r, WAY_EGRESS, "10.1.2.3", IPPROTO_TCP, 443));
    assert_true(lets_pass(&r, WAY_EGRESS, "10.1.2.3", IPPROTO_TCP, 5432));
    assert_true(lets_pass(&r, WAY_EGRESS, "10.2.2.3", IPPROTO_TCP, 443));
    assert_false(lets_pass(&r, WAY_EGRESS, "10.2.2.3", IPPROTO_TCP, 5432));
    assert_false(lets_pass(&r, WAY_EGRESS, "10.1.2.3", IPPROTO_UDP, 443));
    assert_false(lets_pass(&r, WAY_EGRESS, "11.0.0.1", IPPROTO_TCP, 443));
    assert_false(lets_pass(&r, WAY_INGRESS, "10.1.2.3", IPPROTO_TCP, 443));
}

static void all_of_ipv6_is_not_ipv4(void **state)
{
    static const struct profile_peer six[] = { { .kind = PEER_CIDR, .cidr = "::/0" } }, four[] = { { .kind = PEER_CIDR, .cidr = "0.0.0.0/0" } };
    struct profile p = { .repository = "r", .has_egress = true, .egress = six, .n_egress = 1 };
    struct wall_rules r = rules_of(&p);
    (void)state;
    assert_true(lets_pass(&r, WAY_EGRESS, "2001:db8::1", IPPROTO_TCP, 80));
    assert_false(lets_pass(&r, WAY_EGRESS, "192.0.2.1", IPPROTO_TCP, 80));
    p.egress = four;
    r = rules_of(&p);
    assert_true(lets_pass(&r, WAY_EGRESS, "192.0.2.1", IPPROTO_TCP, 80));
    assert_false(lets_pass(&r, WAY_EGRESS, "2001:db8::1", IPPROTO_TCP, 80));
}

static void names_allow_their_ports_anywhere_and_dns(void **state)
{
    static const int64_t web[] = { 443 };
    static const struct profile_peer peers[] = { { .kind = PEER_DNS, .dns = "api.example.com", .ports = web, .n_ports = 1, .protocol = NET_TCP },
                                                 { .kind = PEER_CIDR, .cidr = "10.0.0.1/32" } };
    struct profile p = { .repository = "r", .has_egress = true, .egress = peers, .n_egress = 2 };
    struct wall_rules r = rules_of(&p);
    (void)state;
    assert_true(r.has_names);
    assert_true(lets_pass(&r, WAY_EGRESS, "192.0.2.1", IPPROTO_TCP, 443));
    assert_true(lets_pass(&r, WAY_EGRESS, "2001:db8::1", IPPROTO_TCP, 443));
    assert_true(lets_pass(&r, WAY_EGRESS, "192.0.2.1", IPPROTO_UDP, 53));
    assert_false(lets_pass(&r, WAY_EGRESS, "192.0.2.1", IPPROTO_TCP, 80));
    assert_true(lets_pass(&r, WAY_EGRESS, "10.0.0.1", IPPROTO_TCP, 80));
}

static void part_that_is_there_and_empty_allows_nothing(void **state)
{
    struct profile p = { .repository = "r", .has_egress = true, .has_listens = true };
    struct wall_rules r = rules_of(&p);
    (void)state;
    assert_int_equal(r.set.flags, SET_EGRESS | SET_LISTEN);
    assert_false(lets_pass(&r, WAY_EGRESS, "192.0.2.1", IPPROTO_TCP, 443));
    assert_int_equal(r.n_ports, 0);
}

static void part_that_is_left_out_is_not_judged(void **state)
{
    struct profile p = { .repository = "r", .mode = PROFILE_PROTECT, .lease_s = 5, .on_agent_loss = ON_LOSS_CLOSED };
    struct wall_rules r = rules_of(&p);
    (void)state;
    assert_int_equal(r.set.flags, SET_CLOSED);
    assert_int_equal(r.set.lease_ns, UINT64_C(5000000000));
}

static void keys_have_nothing_behind_the_path(void **state)
{
    static const char *const parents[] = { "/bin/sh" };
    static const struct profile_executable programs[] = { { "/bin/a", NULL, parents, 1 } };
    struct profile p = { .repository = "r", .has_executables = true, .executables = programs, .n_executables = 1 };
    struct wall_rules r = rules_of(&p);
    static const char zero[RULE_PATH];
    (void)state;
    assert_int_equal(r.n_execs, 1);
    assert_int_equal(r.n_edges, 1);
    assert_int_equal(r.set.flags, SET_EXEC | SET_EDGES);
    assert_memory_equal(r.execs[0].key.path + 6, zero, RULE_PATH - 6);
    assert_memory_equal(r.edges[0].path + 7, zero, EDGE_PATH - 7);
    assert_int_equal(r.execs[0].rule.flags, RULE_EDGES);
    assert_int_equal(r.edges[0].rule, r.execs[0].rule.id);
}

static void what_cannot_be_enforced_as_written_is_refused(void **state)
{
    static const struct profile_executable relative[] = { { "bin/a", NULL, NULL, 0 } }, dots[] = { { "/bin/../a", NULL, NULL, 0 } };
    static const struct profile_peer wrong[] = { { .kind = PEER_CIDR, .cidr = "10.0.0.0/33" } };
    static const struct profile_port zero[] = { { NET_TCP, 0 } };
    const struct profile all[] = {
        { .name = "a", .repository = "r", .has_executables = true, .executables = relative, .n_executables = 1 },
        { .name = "b", .repository = "r", .has_executables = true, .executables = dots, .n_executables = 1 },
        { .name = "c", .repository = "r", .has_egress = true, .egress = wrong, .n_egress = 1 },
        { .name = "d", .repository = "r", .has_listens = true, .listens = zero, .n_listens = 1 },
        { .name = "e", .repository = "r", .has_executables = true, .mode = PROFILE_PROTECT },
        { .name = "f", .repository = "r", .mode = 7 },
    };
    (void)state;
    for (size_t i = 0; i < N_ITEMS(all); i++) {
        struct wall_rules r = { 0 };
        struct err err = { 0 };
        assert_int_equal(wall_compile(&all[i], 60, &a, &r, &err), -1);
        assert_int_equal(err.kind, ERR_INVALID);
        assert_non_null(strstr(err.msg, all[i].name));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(longer_prefix_keeps_what_shorter_ones_allow, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(all_of_ipv6_is_not_ipv4, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(names_allow_their_ports_anywhere_and_dns, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(part_that_is_there_and_empty_allows_nothing, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(part_that_is_left_out_is_not_judged, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(keys_have_nothing_behind_the_path, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(what_cannot_be_enforced_as_written_is_refused, open_arena, close_arena),
    };

    return cmocka_run_group_tests_name("wall_compile", tests, NULL, NULL);
}
