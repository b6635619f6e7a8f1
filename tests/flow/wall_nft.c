/* Ports and peers where no program can be attached to a cgroup: tables of nftables in
 * the containers' own networks.  What they cannot do is tried, too.
 *
 * A, B and C have a network of their own each; H has the one of this program. */
#include "tests/flow/wall.h"
#include "tests/flow/wall_nets.h"

#include "agent/wall/nft.h"
#include "agent/wall/nft_rules.h"

static const int64_t only_443[] = { 443 };
static const struct profile_port port_a[] = { { NET_TCP, 12345 } }, port_b[] = { { NET_TCP, 8080 } };
static const struct profile_peer egress_b[] = { { .kind = PEER_CIDR, .cidr = "10.99.0.0/16", .ports = only_443, .n_ports = 1, .protocol = NET_TCP } };
static const struct profile_peer ingress_a[] = { { .kind = PEER_CIDR, .cidr = "10.77.0.3/32" }, { .kind = PEER_CIDR, .cidr = "10.77.0.2/32" },
                                                 { .kind = PEER_CIDR, .cidr = "fd77::/64" } };
static struct nft_helper probe;          /* to look, and to take out what a test left */

static struct profile of_a(void)
{
    return (struct profile){ .name = "a", .repository = REPOSITORY, .digest = IMAGE_DIGEST, .mode = PROFILE_PROTECT,
                             .has_listens = true, .listens = port_a, .n_listens = 1 };
}

static struct profile of_b(void)
{
    return (struct profile){ .name = "b", .repository = REPOSITORY, .digest = DIGEST_B, .mode = PROFILE_PROTECT,
                             .has_listens = true, .listens = port_b, .n_listens = 1,
                             .has_egress = true, .egress = egress_b, .n_egress = 1 };
}

static void both_set(void)
{
    struct profile all[] = { of_a(), of_b() };
    profiles_set(all, 2);
}

static struct wall_settings settings_nft(void)
{
    struct wall_settings s = settings_usual();
    s.refuse = WALL_REFUSE_CGROUP;
    return s;
}

static bool nft_up(void)
{
    struct wall_settings s = settings_nft();
    struct wall_status st;
    if (!walls_up(&s))
        return false;
    wall_status(g.w, &st);
    snprintf(g.why, sizeof g.why, "%s", st.nftables_why);
    return st.nftables;
}

static int walled(void)
{
    struct err err = { 0 };
    if (nft_helper_open(&probe, &err) != 0)
        return snprintf(g.why, sizeof g.why, "%s", err.msg), 0;
    if (!nets_up()) {
        snprintf(g.why, sizeof g.why, "no network namespaces with a bridge");
        nets_down();
        return 0;
    }
    if (!nft_up())
        return nets_down(), 0;
    both_set();
    box_net("a", IMAGE_DIGEST);
    box_net("b", DIGEST_B);
    box_net("c", NULL);
    return 1;
}

/* Is there a table of ours in this network?  There is none afterwards. */
static bool table_taken(const char *path)
{
    struct err err = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    int r = nft_helper_run(&probe, fd, nft_rules_none, strlen(nft_rules_none), &err);
    close(fd);
    if (r != 0 && err.kind != ERR_NOT_FOUND)
        fail_msg("%s", err.msg);
    return r == 0;
}

static bool table_taken_of(const char *id)
{
    char ns[64], path[128];
    netns_name(id, ns);
    snprintf(path, sizeof path, "/run/netns/%s", ns);
    return table_taken(path);
}

static void b_is_walled(void)
{
    dial_is("b", "10.77.0.1", "12345", strerror(ECONNREFUSED));
}

static void b_is_free(void)
{
    dial_is("b", "10.77.0.1", "12345", "ok");
}

static void status_says_by_what_and_with_which_limits(void **state)
{
    struct wall_status s;
    (void)state;
    wall_status(g.w, &s);
    assert_false(s.network);
    assert_true(s.nftables && s.sensors);
    assert_string_equal(wall_network_word(&s), "nftables");
    assert_string_equal(s.network_why, "not wanted by the settings");
    assert_int_equal(s.n_nftables, 2);
    assert_int_equal(s.n_nftables_not, 0);
    assert_non_null(wall_network_limits(&s)[0]);
    s.nftables = false;
    assert_string_equal(wall_network_word(&s), "none");
    assert_non_null(wall_network_limits(&s)[0]);
    s.network = true;
    assert_string_equal(wall_network_word(&s), "cgroup-bpf");
    assert_null(wall_network_limits(&s)[0]);
}

static void port_is_open_to_a_and_closed_to_b_on_one_host(void **state)
{
    (void)state;
    dial_is("c", "10.77.0.1", "12345", "ok");
    dial_is("c", "10.77.0.2", "12345", strerror(ETIMEDOUT));
    dial_is("c", "fd77::1", "12345", "ok");
    dial_is("c", "fd77::2", "12345", strerror(ETIMEDOUT));
    dial_is("a", "10.77.0.2", "12345", strerror(ETIMEDOUT));
}

static void b_may_not_dial_a_and_a_may_dial(void **state)
{
    (void)state;
    b_is_walled();
    dial_is("b", "fd77::1", "12345", strerror(ECONNREFUSED));
    dial_is("b", "::ffff:10.77.0.1", "12345", strerror(ECONNREFUSED));
    dial_is("a", "10.77.0.3", "12345", "ok");
}

static void loopback_stays_open(void **state)
{
    (void)state;
    dial_is("b", "127.0.0.1", "12345", "ok");
    dial_is("b", "::1", "12345", "ok");
}

static void datagrams_are_judged_like_connections(void **state)
{
    char out[256];
    (void)state;
    INSIDE("b", out, "datagram", "10.77.0.1", "53");
    assert_string_equal(out, "datagram: Operation not permitted\n");
    INSIDE("a", out, "datagram", "10.77.0.3", "53");
    assert_string_equal(out, "datagram: ok\n");
}

static void ports_that_are_not_listed_can_be_bound_and_not_reached(void **state)
{
    char out[256];
    (void)state;
    INSIDE("b", out, "bind", "0.0.0.0", "8081", "tcp");
    assert_string_equal(out, "bind: ok\n");
}

static void sources_can_be_listed_too(void **state)
{
    struct profile all[] = { of_a(), of_b() };
    (void)state;
    all[0].has_ingress = true;
    all[0].ingress = ingress_a;
    all[0].n_ingress = 1;                /* only C may */
    all[1].has_egress = false;
    profiles_set(all, 2);
    dial_is("c", "10.77.0.1", "12345", "ok");
    dial_is("b", "10.77.0.1", "12345", strerror(ETIMEDOUT));
    dial_is("b", "fd77::1", "12345", strerror(ETIMEDOUT));
    all[0].n_ingress = 3;
    profiles_set(all, 2);
    b_is_free();
    dial_is("b", "fd77::1", "12345", "ok");
    both_set();
    b_is_walled();
}

static void profile_that_does_not_protect_leaves_no_table(void **state)
{
    struct profile all[] = { of_a(), of_b() };
    struct wall_status s;
    (void)state;
    all[1].mode = PROFILE_MONITOR;
    profiles_set(all, 2);
    dial_is("c", "10.77.0.2", "12345", "ok");
    b_is_free();
    wall_status(g.w, &s);
    assert_int_equal(s.n_nftables, 1);
    assert_false(table_taken_of("b"));
    both_set();
    b_is_walled();
}

static _Atomic int is_over;
static _Atomic int n_replaced;
static void *replace_over_and_over(void *arg)
{
    struct err err = { 0 };
    (void)arg;
    for (int i = 0; i < 40 && !is_over; i++) {
        struct profile all[] = { of_a(), of_b() };
        all[1].lease_s = 61 + i % 2;     /* another text, as good as the old one */
        if (wall_set_profiles(g.w, all, 2, &err) != 0)
            break;
        n_replaced++;
    }
    is_over = 1;
    return NULL;
}

static void replacement_leaves_no_moment_without_rules(void **state)
{
    pthread_t thread;
    char out[256];
    int failed = 0, passed = 0, rounds = 0;
    (void)state;
    is_over = n_replaced = 0;
    pthread_create(&thread, NULL, replace_over_and_over, NULL);
    while (!is_over && rounds++ < 50) {
        int f, p;
        INSIDE("b", out, "redial", "10.77.0.3", "12345", "1000");
        assert_int_equal(sscanf(out, "dials %d %d", &f, &p), 2);
        failed += f;
        passed += p;
    }
    is_over = 1;
    pthread_join(thread, NULL);
    printf("          %d dials during %d replacements, %d passed\n", failed + passed, n_replaced, passed);
    assert_int_equal(passed, 0);
    assert_true(n_replaced > 3);
    both_set();
}

/* H would be under B's profile, which opens nothing: this program's network stays free. */
static void network_of_the_host_is_not_touched_and_that_is_said(void **state)
{
    struct crun_spec spec = { .host_network = true };
    struct wall_status s;
    (void)state;
    box_create("h", &spec);
    crun_start(&g.c, "h");
    box_known("h", DIGEST_B);
    wall_status(g.w, &s);
    assert_int_equal(s.n_nftables, 2);
    assert_int_equal(s.n_nftables_not, 1);
    assert_non_null(strstr(s.nftables_not, "h: it shares the host's network"));
    assert_false(table_taken("/proc/self/ns/net"));
    wall_container_remove(g.w, crun_cgroup_id(&g.c, "h"));
    crun_delete(&g.c, "h");
}

/* Another container in B's network: rules would be both's. */
static void network_that_two_share_is_not_touched_until_one_is_left(void **state)
{
    char ns[64], path[128];
    struct crun_spec spec = { .netns = path };
    struct wall_status s;
    (void)state;
    netns_name("b", ns);
    snprintf(path, sizeof path, "/run/netns/%s", ns);
    box_create("b2", &spec);
    crun_start(&g.c, "b2");
    box_known("b2", "sha256:3333333333333333333333333333333333333333333333333333333333333333");
    wall_status(g.w, &s);
    assert_int_equal(s.n_nftables, 1);
    assert_int_equal(s.n_nftables_not, 1);
    assert_non_null(strstr(s.nftables_not, "b: it shares another container's network"));
    b_is_free();
    wall_container_remove(g.w, crun_cgroup_id(&g.c, "b2"));
    crun_delete(&g.c, "b2");
    b_is_walled();
}

/* A pid that another process has now: nothing is loaded into whatever network that is in. */
static void pid_that_was_used_again_is_not_entered(void **state)
{
    struct err err = { 0 };
    struct wall_status s;
    struct container c = { .id = "c", .image = REPOSITORY ":1", .digest = DIGEST_B, .pid = crun_pid(&g.c, "c"), .start_ticks = 1 };
    (void)state;
    assert_int_equal(wall_container_add(g.w, crun_cgroup_id(&g.c, "c"), &c, &err), 0);
    wall_status(g.w, &s);
    assert_int_equal(s.n_nftables_not, 1);
    assert_string_equal(s.nftables_not, "c: its network cannot be opened");
    assert_false(table_taken_of("c"));
    wall_container_remove(g.w, crun_cgroup_id(&g.c, "c"));
}

/* Whatever a profile can say, the kernel takes. */
static void every_shape_of_rule_is_taken(void **state)
{
    static char nets[500][32];
    static struct profile_peer peers[506];
    static const struct profile_port ports[] = { { NET_ANY, 1 }, { NET_UDP, 65535 }, { NET_TCP, 12345 } };
    struct profile all[] = { of_a(), of_b(), { .name = "c", .repository = REPOSITORY, .mode = PROFILE_PROTECT } };
    struct wall_status s;
    (void)state;
    for (size_t i = 0; i < 500; i++) {
        snprintf(nets[i], sizeof nets[i], i % 2 ? "fd00:%zx::/32" : "10.%zu.0.0/17", i % 250);
        peers[i] = (struct profile_peer){ .kind = PEER_CIDR, .cidr = nets[i], .ports = only_443, .n_ports = i % 5 != 0, .protocol = (int)(i % 3) };
    }
    peers[500] = (struct profile_peer){ .kind = PEER_CIDR, .cidr = "0.0.0.0/0", .protocol = NET_UDP };
    peers[501] = (struct profile_peer){ .kind = PEER_CIDR, .cidr = "::/0", .ports = only_443, .n_ports = 1 };
    peers[502] = (struct profile_peer){ .kind = PEER_CIDR, .cidr = "::1.2.3.4", .protocol = NET_TCP };
    peers[503] = (struct profile_peer){ .kind = PEER_CIDR, .cidr = "::ffff:10.77.0.0/120", .protocol = NET_TCP };
    peers[504] = (struct profile_peer){ .kind = PEER_DNS, .dns = "*.example.com", .ports = only_443, .n_ports = 1 };
    peers[505] = (struct profile_peer){ .kind = PEER_SERVICE, .service = "shop/db", .protocol = NET_UDP };
    all[2].has_listens = all[2].has_egress = all[2].has_ingress = true;
    all[2].listens = ports;
    all[2].n_listens = N_ITEMS(ports);
    all[2].egress = all[2].ingress = peers;
    all[2].n_egress = all[2].n_ingress = N_ITEMS(peers);
    int64_t from = time_monotonic_ms();
    profiles_set(all, 3);
    int64_t set = time_monotonic_ms();
    box_known("c", "sha256:4444444444444444444444444444444444444444444444444444444444444444");
    printf("          profiles set in %lld ms, 1,012 peers loaded in %lld ms\n", (long long)(set - from), (long long)(time_monotonic_ms() - set));
    wall_status(g.w, &s);
    assert_string_equal(s.nftables_not, "");
    assert_int_equal(s.n_nftables, 3);
    dial_is("a", "10.77.0.3", "12345", "ok");
    wall_container_remove(g.w, crun_cgroup_id(&g.c, "c"));
    assert_false(table_taken_of("c"));
    both_set();
}

static void table_goes_with_its_container(void **state)
{
    uint64_t id = crun_cgroup_id(&g.c, "c");
    (void)state;
    box_known("c", DIGEST_B);
    dial_is("a", "10.77.0.3", "12345", strerror(ETIMEDOUT));
    wall_container_remove(g.w, id);
    assert_false(table_taken_of("c"));
    dial_is("a", "10.77.0.3", "12345", "ok");
}

static void switch_takes_the_tables_out_and_puts_them_back(void **state)
{
    struct err err = { 0 };
    struct wall_status s;
    (void)state;
    assert_int_equal(wall_off(NULL, g.off, &err), 0);
    b_is_free();
    usleep(300000);                      /* the agent has seen it, too */
    wall_status(g.w, &s);
    assert_int_equal(s.n_nftables + s.n_nftables_not, 0);
    assert_int_equal(wall_on(g.off, &err), 0);
    usleep(300000);
    b_is_walled();
}

/* The agent ends: an open profile's rules lapse, a closed one's stay; until walls off. */
static void rules_outlive_the_agent_as_their_profiles_say(void **state)
{
    struct profile all[] = { of_a(), of_b() };
    struct err err = { 0 };
    (void)state;
    all[1].lease_s = 4;
    all[0].on_agent_loss = ON_LOSS_CLOSED;
    all[0].has_egress = true;            /* A dials nobody */
    profiles_set(all, 2);
    usleep(5500000);                     /* longer than the lease: it was renewed */
    b_is_walled();
    walls_down(true);
    b_is_walled();
    dial_is("a", "10.77.0.3", "12345", strerror(ECONNREFUSED));
    usleep(4500000);
    b_is_free();
    dial_is("a", "10.77.0.3", "12345", strerror(ECONNREFUSED));
    assert_int_equal(wall_off(NULL, g.off, &err), 0);      /* no agent is there */
    dial_is("a", "10.77.0.3", "12345", "ok");
    assert_int_equal(wall_on(g.off, &err), 0);
    assert_false(table_taken_of("a") || table_taken_of("b"));
}

static void next_agent_takes_over_what_stayed(void **state)
{
    struct profile open = { .name = "a", .repository = REPOSITORY, .digest = IMAGE_DIGEST, .mode = PROFILE_PROTECT };
    (void)state;
    assert_true(nft_up());
    both_set();
    box_known("a", IMAGE_DIGEST);
    box_known("b", DIGEST_B);
    b_is_walled();
    walls_down(true);
    assert_true(nft_up());
    box_known("b", DIGEST_B);            /* found before the profiles are there */
    b_is_walled();
    profiles_set(&open, 1);              /* and these do not wall B any more */
    b_is_free();
    assert_false(table_taken_of("b"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(status_says_by_what_and_with_which_limits),
    cmocka_unit_test(port_is_open_to_a_and_closed_to_b_on_one_host),
    cmocka_unit_test(b_may_not_dial_a_and_a_may_dial),
    cmocka_unit_test(loopback_stays_open),
    cmocka_unit_test(datagrams_are_judged_like_connections),
    cmocka_unit_test(ports_that_are_not_listed_can_be_bound_and_not_reached),
    cmocka_unit_test(sources_can_be_listed_too),
    cmocka_unit_test(profile_that_does_not_protect_leaves_no_table),
    cmocka_unit_test(replacement_leaves_no_moment_without_rules),
    cmocka_unit_test(network_of_the_host_is_not_touched_and_that_is_said),
    cmocka_unit_test(network_that_two_share_is_not_touched_until_one_is_left),
    cmocka_unit_test(pid_that_was_used_again_is_not_entered),
    cmocka_unit_test(every_shape_of_rule_is_taken),
    cmocka_unit_test(table_goes_with_its_container),
    cmocka_unit_test(switch_takes_the_tables_out_and_puts_them_back),
    cmocka_unit_test(rules_outlive_the_agent_as_their_profiles_say),
    cmocka_unit_test(next_agent_takes_over_what_stayed),
};

int main(void)
{
    if (!ground_open() || !walled()) {
        printf("skipped: tables of nftables cannot be tried here: %s\n", g.why);
        nft_helper_close(&probe);
        ground_close();
        return 0;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nft_helper_close(&probe);
    ground_close();
    nets_down();
    return failed;
}
