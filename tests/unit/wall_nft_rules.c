/* A profile's ports and peers as text for nftables: by properties, and with a hostile profile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/wall/nft_rules.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static struct arena a;
static struct buf out;

static int open_all(void **state)
{
    (void)state;
    arena_init(&a, 64 << 20);
    buf_init(&out, NFT_TEXT_MAX + 1);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    arena_clear(&a);
    buf_free(&out);
    return 0;
}

static const char *text_of(const struct profile *p, int64_t lease_s)
{
    struct err err = { 0 };
    if (nft_rules_write(p, lease_s, &a, &out, &err) != 0)
        fail_msg("%s", err.msg);
    return out.len ? out.ptr : "";
}

static void fails(const struct profile *p, enum err_kind kind, const char *says)
{
    struct err err = { 0 };
    assert_int_equal(nft_rules_write(p, 0, &a, &out, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_non_null(strstr(err.msg, says));
    assert_int_equal(out.len, 0);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        n++;
    return n;
}

static const int64_t web[] = { 443, 80, 443 };
static const struct profile_port listens[] = { { NET_TCP, 8080 }, { NET_UDP, 53 }, { NET_ANY, 9000 } };
static const struct profile_peer peers[] = {
    { .kind = PEER_CIDR, .cidr = "10.0.0.0/8", .ports = web, .n_ports = 3, .protocol = NET_TCP },
    { .kind = PEER_CIDR, .cidr = "10.1.0.0/16", .ports = web, .n_ports = 3, .protocol = NET_TCP },
    { .kind = PEER_CIDR, .cidr = "192.168.0.0/24", .ports = web, .n_ports = 3, .protocol = NET_TCP },
    { .kind = PEER_CIDR, .cidr = "fd00::/8", .ports = web, .n_ports = 3, .protocol = NET_TCP },
    { .kind = PEER_CIDR, .cidr = "10.2.3.4", .protocol = NET_UDP },
};

static struct profile full(void)
{
    return (struct profile){ .name = "p", .repository = "r", .mode = PROFILE_PROTECT,
                             .has_listens = true, .listens = listens, .n_listens = 3,
                             .has_egress = true, .egress = peers, .n_egress = 5,
                             .has_ingress = true, .ingress = peers, .n_ingress = 1 };
}

static void what_does_not_protect_or_covers_nothing_has_no_table(void **state)
{
    struct profile p = full();
    (void)state;
    for (int mode = 0; mode < PROFILE_MODE_N; mode++) {
        p.mode = mode;
        assert_int_equal(text_of(&p, 0)[0] != '\0', mode == PROFILE_PROTECT);
    }
    p.has_listens = p.has_egress = p.has_ingress = false;
    assert_string_equal(text_of(&p, 0), "");
}

static void table_is_replaced_whole_and_only_ours(void **state)
{
    struct profile p = full();
    const char *t = text_of(&p, 0);
    (void)state;
    assert_true(str_starts(t, "add table inet keep\ndelete table inet keep\ntable inet keep {\n"));
    assert_int_equal(count(t, "table "), 3);
    assert_int_equal(count(t, "{"), count(t, "}"));
    assert_int_equal(count(t, "counter keep_walls { }"), 1);       /* by which it is known as ours */
    assert_int_equal(count(t, "hook input"), 1);
    assert_int_equal(count(t, "hook output"), 1);
    assert_int_equal(count(t, "\"lo\" accept"), 2);
    assert_null(strstr(t, "@lease"));
}

static void ports_are_numbers_in_order_each_once(void **state)
{
    struct profile p = full();
    const char *t = text_of(&p, 0);
    (void)state;
    assert_non_null(strstr(t, "tcp dport != { 8080, 9000 } drop"));
    assert_non_null(strstr(t, "udp dport != { 53, 9000 } drop"));
    assert_non_null(strstr(t, "tcp dport { 80, 443 } accept"));
    p.n_listens = 1;
    t = text_of(&p, 0);
    assert_non_null(strstr(t, "tcp dport != { 8080 } drop"));
    assert_non_null(strstr(t, "meta l4proto udp drop"));
}

static void peers_with_the_same_ports_share_sets_without_overlap(void **state)
{
    struct profile p = full();
    const char *t = text_of(&p, 0);
    (void)state;
    assert_non_null(strstr(t, "set to0_4 { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.0.0/24 } }"));
    assert_non_null(strstr(t, "set to0_6 { type ipv6_addr; flags interval; elements = { fd00:0:0:0:0:0:0:0/8 } }"));
    assert_non_null(strstr(t, "set to1_4 { type ipv4_addr; flags interval; elements = { 10.2.3.4/32 } }"));
    assert_non_null(strstr(t, "ip daddr @to0_4 tcp dport { 80, 443 } accept"));
    assert_non_null(strstr(t, "ip6 daddr @to0_6 tcp dport { 80, 443 } accept"));
    assert_non_null(strstr(t, "ip daddr @to1_4 meta l4proto udp accept"));
    assert_non_null(strstr(t, "ip saddr @in0_4 tcp dport { 80, 443 } accept"));
    assert_null(strstr(t, "10.1.0.0"));
}

static void whole_family_needs_no_set_and_does_not_cover_the_other(void **state)
{
    static const struct profile_peer all[] = { { .kind = PEER_CIDR, .cidr = "0.0.0.0/0" } }, six[] = { { .kind = PEER_CIDR, .cidr = "::/0" } };
    struct profile p = { .mode = PROFILE_PROTECT, .has_egress = true, .egress = all, .n_egress = 1 };
    const char *t = text_of(&p, 0);
    (void)state;
    assert_non_null(strstr(t, "meta nfproto ipv4 meta l4proto { tcp, udp } accept"));
    assert_null(strstr(t, "nfproto ipv6"));
    assert_null(strstr(t, "set "));
    assert_null(strstr(t, "hook input"));
    p.egress = six;
    t = text_of(&p, 0);
    assert_null(strstr(t, "nfproto ipv4"));
    assert_non_null(strstr(t, "meta nfproto ipv6 meta l4proto { tcp, udp } accept"));
}

static void names_mean_any_address_on_their_ports_and_dns(void **state)
{
    static const struct profile_peer named[] = { { .kind = PEER_DNS, .dns = "api.example.com", .ports = web, .n_ports = 1, .protocol = NET_TCP },
                                                 { .kind = PEER_SERVICE, .service = "shop/db", .ports = web + 1, .n_ports = 1, .protocol = NET_TCP } };
    struct profile p = { .mode = PROFILE_PROTECT, .has_egress = true, .egress = named, .n_egress = 2 };
    const char *t = text_of(&p, 0);
    (void)state;
    assert_non_null(strstr(t, "\t\ttcp dport { 443 } accept\n"));
    assert_non_null(strstr(t, "\t\ttcp dport { 80 } accept\n"));
    assert_non_null(strstr(t, "\t\tmeta l4proto { tcp, udp } th dport { 53 } accept\n"));
    assert_null(strstr(t, "set "));
}

static void part_that_is_there_and_empty_allows_nothing(void **state)
{
    struct profile p = { .mode = PROFILE_PROTECT, .has_listens = true, .has_egress = true, .has_ingress = true };
    const char *t = text_of(&p, 0);
    (void)state;
    assert_non_null(strstr(t, "meta l4proto tcp drop\n\t\tmeta l4proto udp drop\n\t\tdrop\n"));
    assert_non_null(strstr(t, "reject with icmpx admin-prohibited\n\t}\n}\n"));
    assert_null(strstr(t, "dport"));
}

static void lease_lets_everything_pass_when_it_is_over(void **state)
{
    struct profile p = full();
    const char *t = text_of(&p, 60);
    (void)state;
    assert_non_null(strstr(t, "set lease { type nf_proto; flags timeout; elements = { ipv4 timeout 60s, ipv6 timeout 60s } }"));
    assert_int_equal(count(t, "meta nfproto != @lease accept\n"), 2);
}

static void nothing_a_profile_says_is_copied(void **state)
{
    static const char evil[] = "x } } delete table inet other; include \"/etc/passwd\"\n#";
    static const struct profile_peer named[] = { { .kind = PEER_DNS, .dns = evil }, { .kind = PEER_SERVICE, .service = evil } };
    static const struct profile_peer net[] = { { .kind = PEER_CIDR, .cidr = "10.0.0.0/8 } }\nflush ruleset" } };
    static const struct profile_peer long_net[] = { { .kind = PEER_CIDR, .cidr = "1111111111111111111111111111111111111111111111111111111111111111111111/8" } };
    struct profile p = { .name = evil, .repository = evil, .digest = evil, .mode = PROFILE_PROTECT,
                         .has_egress = true, .egress = named, .n_egress = 2, .has_ingress = true, .ingress = named, .n_ingress = 2 };
    const char *t = text_of(&p, 0);
    (void)state;
    assert_null(strstr(t, "other"));
    assert_null(strstr(t, "include"));
    assert_null(strchr(t, '#'));
    p.egress = net;
    p.n_egress = 1;
    fails(&p, ERR_INVALID, "is not an address");
    p.egress = long_net;
    fails(&p, ERR_INVALID, "is not an address");
}

static void numbers_out_of_range_are_refused(void **state)
{
    static const int64_t bad[] = { 0, -1, 65536, INT64_MAX };
    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        struct profile_port port = { NET_TCP, bad[i] };
        struct profile_peer peer = { .kind = PEER_CIDR, .cidr = "10.0.0.0/8", .ports = &bad[i], .n_ports = 1 };
        struct profile l = { .mode = PROFILE_PROTECT, .has_listens = true, .listens = &port, .n_listens = 1 };
        struct profile e = { .mode = PROFILE_PROTECT, .has_egress = true, .egress = &peer, .n_egress = 1 };
        fails(&l, ERR_INVALID, "port");
        fails(&e, ERR_INVALID, "port");
        peer.n_ports = 0;
        peer.protocol = 77;
        fails(&e, ERR_INVALID, "protocol");
    }
}

/* Many networks on one list of ports are one rule; too many of anything are refused. */
static void text_is_bounded(void **state)
{
    static struct profile_peer many[NFT_PEERS_MAX + 1];
    static char nets[NFT_PEERS_MAX + 1][24];
    static int64_t all_ports[65535], one[NFT_PEERS_MAX + 1];
    struct profile p = { .mode = PROFILE_PROTECT, .has_egress = true, .egress = many, .n_egress = 500 };
    (void)state;
    for (size_t i = 0; i <= NFT_PEERS_MAX; i++) {
        snprintf(nets[i], sizeof nets[i], "10.%zu.%zu.0/24", i / 256, i % 256);
        many[i] = (struct profile_peer){ .kind = PEER_CIDR, .cidr = nets[i], .ports = web, .n_ports = 3, .protocol = NET_TCP };
    }
    const char *t = text_of(&p, 0);
    assert_int_equal(count(t, "daddr"), 1);
    assert_true(out.len < 20000);
    p.n_egress = NFT_PEERS_MAX;
    (void)text_of(&p, 0);
    p.n_egress = NFT_PEERS_MAX + 1;
    fails(&p, ERR_TOO_LARGE, "peers");
    for (size_t i = 0; i < 65535; i++)
        all_ports[i] = (int64_t)i + 1;
    for (size_t i = 0; i < 16; i++) {    /* sixteen lists that all differ */
        many[i].ports = all_ports + i;
        many[i].n_ports = 65000;
    }
    p.n_egress = 16;
    fails(&p, ERR_TOO_LARGE, "longer than");
    for (size_t i = 0; i < 1000; i++) {
        one[i] = (int64_t)i + 1;
        many[i].ports = &one[i];
        many[i].n_ports = 1;
    }
    p.n_egress = 1000;
    assert_int_equal(count(text_of(&p, 0), "daddr"), 1000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_protect_or_covers_nothing_has_no_table),
        cmocka_unit_test(table_is_replaced_whole_and_only_ours),
        cmocka_unit_test(ports_are_numbers_in_order_each_once),
        cmocka_unit_test(peers_with_the_same_ports_share_sets_without_overlap),
        cmocka_unit_test(whole_family_needs_no_set_and_does_not_cover_the_other),
        cmocka_unit_test(names_mean_any_address_on_their_ports_and_dns),
        cmocka_unit_test(part_that_is_there_and_empty_allows_nothing),
        cmocka_unit_test(lease_lets_everything_pass_when_it_is_over),
        cmocka_unit_test(nothing_a_profile_says_is_copied),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(text_is_bounded),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
