/* One port, two containers: open to A, closed to B, both ways; and who may be dialled.
 *
 * A, B and C have a network of their own each and meet at a bridge in a fourth; the
 * machine's own network is not touched. */
#include "tests/flow/wall.h"
#include "tests/flow/wall_nets.h"

static const struct profile_port port_a[] = { { NET_TCP, 12345 } }, port_b[] = { { NET_TCP, 8080 } };
static const int64_t only_443[] = { 443 };
static const struct profile_peer egress_b[] = { { .kind = PEER_CIDR, .cidr = "10.99.0.0/16", .ports = only_443, .n_ports = 1, .protocol = NET_TCP } };
static const int64_t only_12345[] = { 12345 };
static const struct profile_peer ingress_a[] = { { .kind = PEER_CIDR, .cidr = "10.77.0.3/32", .ports = only_12345, .n_ports = 1, .protocol = NET_TCP },
                                                 { .kind = PEER_CIDR, .cidr = "10.77.0.2/32" }, { .kind = PEER_CIDR, .cidr = "fd77::/64" } };

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

static int walled(void)
{
    struct wall_settings s = settings_usual();
    if (!nets_up()) {
        snprintf(g.why, sizeof g.why, "no network namespaces with a bridge");
        nets_down();
        return 0;
    }
    if (!walls_up(&s))
        return nets_down(), 0;
    both_set();
    box_net("a", IMAGE_DIGEST);
    box_net("b", DIGEST_B);
    box_net("c", NULL);
    return 1;
}

static void port_is_open_to_a_and_closed_to_b_on_one_host(void **state)
{
    struct kept e;
    (void)state;
    dial_is("c", "10.77.0.1", "12345", "ok");
    dial_is("c", "10.77.0.2", "12345", strerror(ETIMEDOUT));       /* dropped, not refused */
    assert_true(event_seen(EVENT_ACCEPT, VERDICT_DENIED, NULL, 12345, &e));
    assert_string_equal(e.container, "b");
    assert_string_equal(e.remote, "10.77.0.3");
    assert_string_equal(e.rule, "wall.port");
}

static void same_over_ipv6(void **state)
{
    (void)state;
    dial_is("c", "fd77::1", "12345", "ok");
    dial_is("c", "fd77::2", "12345", strerror(ETIMEDOUT));
}

static void b_may_not_dial_a_and_a_may_dial(void **state)
{
    struct kept e;
    (void)state;
    dial_is("b", "10.77.0.1", "12345", strerror(EPERM));
    assert_true(event_seen(EVENT_CONNECT, VERDICT_DENIED, NULL, 12345, &e));
    assert_string_equal(e.container, "b");
    assert_string_equal(e.remote, "10.77.0.1");
    assert_string_equal(e.exe, "/bin/inside");
    dial_is("b", "fd77::1", "12345", strerror(EPERM));
    dial_is("b", "::ffff:10.77.0.1", "12345", strerror(EPERM));    /* the same in another dress */
    dial_is("b", "10.99.1.2", "80", strerror(EPERM));
    dial_is("b", "10.99.1.2", "443", strerror(ENETUNREACH));       /* allowed; there is no way to it */
    dial_is("a", "10.77.0.3", "12345", "ok");
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

static void ports_that_are_not_listed_cannot_be_bound(void **state)
{
    struct kept e;
    char out[256];
    (void)state;
    INSIDE("b", out, "bind", "0.0.0.0", "8081", "tcp");
    assert_string_equal(out, "bind: Operation not permitted\n");
    assert_true(event_seen(EVENT_LISTEN, VERDICT_DENIED, "/bin/inside", 8081, &e));
    INSIDE("b", out, "bind", "::", "8080", "udp");
    assert_string_equal(out, "bind: Operation not permitted\n");
    INSIDE("b", out, "bind", "0.0.0.0", "8080", "tcp");
    assert_string_equal(out, "bind: ok\n");
    INSIDE("b", out, "bind", "0.0.0.0", "0", "udp");
    assert_string_equal(out, "bind: ok\n");
}

static void no_other_protocol_is_a_way_around(void **state)
{
    static const char *const raw[] = { "CAP_NET_RAW", "CAP_KILL", NULL };
    char out[256];
    (void)state;
    INSIDE("b", out, "socket", "1", "262");                /* MPTCP; a kernel without it says so before us */
    assert_true(str_eq(out, "socket: Operation not permitted\n") || str_eq(out, "socket: Protocol not supported\n"));
    INSIDE("b", out, "socket", "1", "6");
    assert_string_equal(out, "socket: ok\n");
    INSIDE("b", out, "socket", "2", "0");
    assert_string_equal(out, "socket: ok\n");
    box_create("r", &(struct crun_spec){ .capabilities = raw });
    crun_start(&g.c, "r");
    INSIDE("r", out, "socket", "3", "255");
    assert_string_equal(out, "socket: ok\n");
    box_known("r", DIGEST_B);
    INSIDE("r", out, "socket", "3", "255");
    assert_string_equal(out, "socket: Operation not permitted\n");
    struct kept e;
    assert_true(event_seen(EVENT_CONNECT, VERDICT_DENIED, "/bin/inside", 0, &e));
}

static void loopback_stays_open(void **state)
{
    (void)state;
    dial_is("b", "127.0.0.1", "12345", "ok");
    dial_is("b", "::1", "12345", "ok");
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
    dial_is("b", "10.77.0.1", "12345", "ok");
    dial_is("b", "fd77::1", "12345", "ok");
    both_set();
}

static void connections_and_listeners_are_observed(void **state)
{
    (void)state;
    assert_true(event_seen(EVENT_CONNECT, VERDICT_OBSERVED, "/bin/inside", 12345, NULL));
    assert_true(event_seen(EVENT_ACCEPT, VERDICT_OBSERVED, NULL, 12345, NULL));
}

static void monitor_lets_pass_and_tells(void **state)
{
    struct profile all[] = { of_a(), of_b() };
    (void)state;
    all[1].mode = PROFILE_MONITOR;
    profiles_set(all, 2);
    events_forget();
    dial_is("c", "10.77.0.2", "12345", "ok");
    dial_is("b", "10.77.0.1", "12345", "ok");
    assert_true(event_seen(EVENT_CONNECT, VERDICT_ALERT, NULL, 12345, NULL));
    assert_true(event_seen(EVENT_ACCEPT, VERDICT_ALERT, NULL, 12345, NULL));
    both_set();
    dial_is("b", "10.77.0.1", "12345", strerror(EPERM));
}

/* A thousand replacements while B dials: there is no moment in which it may. */
static _Atomic int is_over;
static void *replace_over_and_over(void *arg)
{
    struct err err = { 0 };
    (void)arg;
    for (int i = 0; i < 40 && !is_over; i++) {
        struct profile all[] = { of_a(), of_b() };
        all[1].lease_s = 61 + i % 2;     /* other rules, as good as the old ones */
        if (wall_set_profiles(g.w, all, 2, &err) != 0)
            break;
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
    is_over = 0;
    pthread_create(&thread, NULL, replace_over_and_over, NULL);
    while (!is_over && rounds++ < 50) {
        INSIDE("b", out, "redial", "10.77.0.1", "12345", "300");
        int f, p;
        assert_int_equal(sscanf(out, "dials %d %d", &f, &p), 2);
        failed += f;
        passed += p;
    }
    is_over = 1;
    pthread_join(thread, NULL);
    printf("          %d dials during replacements, %d passed\n", failed + passed, passed);
    assert_int_equal(passed, 0);
    both_set();
}

static void storm_of_connections_loses_nothing_uncounted(void **state)
{
    struct wall_status before, after;
    long told = g.n_events;
    char out[256];
    (void)state;
    wall_status(g.w, &before);
    INSIDE("a", out, "dials", "127.0.0.1", "20000", "20000");
    usleep(500000);
    wall_status(g.w, &after);
    printf("          %llu seen, %llu emitted, %llu folded, %llu dropped\n", (unsigned long long)(after.seen - before.seen),
           (unsigned long long)(after.emitted - before.emitted), (unsigned long long)(after.folded - before.folded),
           (unsigned long long)(after.dropped - before.dropped));
    assert_true(after.seen - before.seen >= 20000);
    assert_int_equal(after.seen, after.emitted + after.folded + after.dropped);
    assert_true((uint64_t)(g.n_events - told) >= after.emitted - before.emitted);
    dial_is("c", "10.77.0.1", "12345", "ok");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(port_is_open_to_a_and_closed_to_b_on_one_host),
    cmocka_unit_test(same_over_ipv6),
    cmocka_unit_test(b_may_not_dial_a_and_a_may_dial),
    cmocka_unit_test(datagrams_are_judged_like_connections),
    cmocka_unit_test(ports_that_are_not_listed_cannot_be_bound),
    cmocka_unit_test(no_other_protocol_is_a_way_around),
    cmocka_unit_test(loopback_stays_open),
    cmocka_unit_test(sources_can_be_listed_too),
    cmocka_unit_test(connections_and_listeners_are_observed),
    cmocka_unit_test(monitor_lets_pass_and_tells),
    cmocka_unit_test(replacement_leaves_no_moment_without_rules),
    cmocka_unit_test(storm_of_connections_loses_nothing_uncounted),
};


int main(void)
{
    if (!ground_open() || !walled()) {
        printf("skipped: walls cannot be tried here: %s\n", g.why);
        ground_close();
        return 0;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ground_close();
    nets_down();
    return failed;
}
