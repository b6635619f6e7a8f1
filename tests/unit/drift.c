/* drift.c - what departs from a profile, and what does not. */
#include "base/str.h"
#include "base/time.h"
#include "core/profile/item.h"
#include "core/profile/simulate.h"
#include "wire/profile_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define HEAD "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: shop}\nspec:\n  image: acme/shop\n"
static const char shop[] = HEAD
    "  executables:\n"
    "  - {path: /shop}\n"
    "  - {path: /usr/bin/convert, parents: [/shop]}\n"
    "  - {path: /usr/bin/pinned, sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n"
    "  listens: [{port: 8080, protocol: tcp}]\n"
    "  egress:\n"
    "  - {service: shop/catalogue, ports: [5432]}\n"
    "  - {cidr: 10.1.0.0/16, ports: [443], protocol: tcp}\n"
    "  - {dns: \"*.example.com\"}\n"
    "  ingress: [{service: \"ingress/*\", ports: [8080]}, {cidr: \"fd00::/8\"}]\n"
    "  writes: [/tmp/**, /var/log/app-*.log]\n"
    "  users: [1000]\n"
    "  capabilities: [NET_BIND_SERVICE]\n";

struct fixture {
    struct arena arena;
    struct profile_compiled *profile;
    struct event event;
    struct drift_finding out[DRIFT_MAX];
};

static void compile(struct fixture *f, const char *text)
{
    struct err err = { 0 };
    struct profile p;

    if (profile_doc_parse(text, strlen(text), &f->arena, NULL, &p, &err) != 0 || profile_compile(&p, &f->arena, &f->profile, &err) != 0)
        fail_msg("%s", err.msg);
}

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    arena_init(&f.arena, 4 << 20);
    f.event = (struct event){ .process = { .uid = -1, .pid = -1 }, .net = { .local_port = -1, .remote_port = -1 } };
    compile(&f, shop);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    arena_clear(&((struct fixture *)*state)->arena);
    return 0;
}

static size_t decide(struct fixture *f, int kind)
{
    f->event.kind = kind;
    return drift_decide(f->profile, &f->event, NULL, f->out);
}

static void expect(struct fixture *f, int kind, int rule, const char *subject)
{
    assert_int_equal(decide(f, kind), 1);
    assert_int_equal(f->out[0].rule, rule);
    assert_string_equal(f->out[0].subject, subject);
    assert_true(f->out[0].message[0] != '\0');
    assert_true(f->out[0].expected[0] != '\0');
}

static size_t run(struct fixture *f, const char *exe, const char *parent)
{
    f->event.process.exe = exe;
    f->event.process.parent_exe = parent;
    return decide(f, EVENT_EXEC);
}

static void a_listed_program_is_expected_and_another_is_not(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run(f, "/shop", "/anything"), 0);
    run(f, "/usr/bin/nc", "/shop");
    expect(f, EVENT_EXEC, DRIFT_EXECUTABLE, "/usr/bin/nc");
    assert_string_equal(f->out[0].expected, "/shop, /usr/bin/convert, /usr/bin/pinned");
}

static void a_program_started_by_another_parent_departs(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run(f, "/usr/bin/convert", "/shop"), 0);
    assert_int_equal(run(f, "/usr/bin/convert", NULL), 0);         /* not known: not held against it */
    run(f, "/usr/bin/convert", "/bin/evil");
    expect(f, EVENT_EXEC, DRIFT_EXECUTABLE, "/usr/bin/convert started by /bin/evil");
    assert_string_equal(f->out[0].expected, "/shop");
}

static void another_content_of_a_listed_program_departs(void **state)
{
    struct fixture *f = *state;
    char other[65], same[65];

    memset(other, 'b', 64), other[64] = '\0';
    memset(same, 'a', 64), same[64] = '\0';
    f->event.process.sha256 = same;
    assert_int_equal(run(f, "/usr/bin/pinned", NULL), 0);
    f->event.process.sha256 = other;
    run(f, "/usr/bin/pinned", NULL);
    expect(f, EVENT_EXEC, DRIFT_EXECUTABLE, "/usr/bin/pinned");
    assert_int_equal(f->out[0].severity, 2);
}

static void a_shell_is_told_apart_where_the_profile_has_none(void **state)
{
    struct fixture *f = *state;

    run(f, "/bin/bash", "/shop");
    expect(f, EVENT_EXEC, DRIFT_SHELL, "/bin/bash");
    compile(f, HEAD "  executables: [{path: /bin/sh}]\n");
    assert_int_equal(run(f, "/bin/sh", NULL), 0);
    run(f, "/bin/bash", NULL);
    expect(f, EVENT_EXEC, DRIFT_EXECUTABLE, "/bin/bash");
}

static void a_program_that_was_written_later_departs_even_when_listed(void **state)
{
    static const char *const tags[] = { "container", TAG_NOT_IN_IMAGE };
    struct fixture *f = *state;

    f->event.tags = tags;
    f->event.n_tags = 2;
    run(f, "/shop", NULL);
    expect(f, EVENT_EXEC, DRIFT_NOT_IN_IMAGE, "/shop");
}

static void a_program_outside_a_whole_list_of_files_is_not_in_the_image(void **state)
{
    static const char *const paths[] = { "/shop", "/usr/bin/convert" };
    struct image_files files = { paths, 2, true };
    struct fixture *f = *state;

    f->event.kind = EVENT_EXEC;
    f->event.process.exe = "/usr/bin/pinned";
    assert_int_equal(drift_decide(f->profile, &f->event, &files, f->out), 1);
    assert_int_equal(f->out[0].rule, DRIFT_NOT_IN_IMAGE);
    files.is_complete = false;
    assert_int_equal(drift_decide(f->profile, &f->event, &files, f->out), 0);
    f->event.process.exe = "/shop";
    files.is_complete = true;
    assert_int_equal(drift_decide(f->profile, &f->event, &files, f->out), 0);
}

static void health_checks_of_the_engine_are_let_pass(void **state)
{
    static const char *const tags[] = { TAG_PROBE };
    struct fixture *f = *state;

    f->event.tags = tags;
    f->event.n_tags = 1;
    assert_int_equal(run(f, "/bin/sh", NULL), 0);
}

static void ports_are_judged_by_number_and_protocol(void **state)
{
    struct fixture *f = *state;

    f->event.net = (struct event_net){ .protocol = "tcp", .local_port = 8080 };
    assert_int_equal(decide(f, EVENT_LISTEN), 0);
    f->event.net.protocol = NULL;
    assert_int_equal(decide(f, EVENT_LISTEN), 0);
    f->event.net.protocol = "UDP";
    expect(f, EVENT_LISTEN, DRIFT_PORT, "udp/8080");
    f->event.net = (struct event_net){ .protocol = "tcp", .local_port = 4444 };
    expect(f, EVENT_LISTEN, DRIFT_PORT, "tcp/4444");
    assert_string_equal(f->out[0].expected, "tcp/8080");
}

static void connect_to(struct fixture *f, const char *service, const char *dns, const char *address, int64_t port)
{
    f->event.net = (struct event_net){ .protocol = "tcp", .direction = "out", .remote = address, .remote_port = port,
                                       .remote_name = dns, .remote_service = service, .local_port = 40000 };
}

static void peers_are_known_by_service_name_network_or_dns_name(void **state)
{
    struct fixture *f = *state;

    connect_to(f, "shop/catalogue", NULL, "10.9.9.9", 5432);
    assert_int_equal(decide(f, EVENT_CONNECT), 0);
    connect_to(f, NULL, NULL, "10.1.200.3", 443);
    assert_int_equal(decide(f, EVENT_CONNECT), 0);
    connect_to(f, NULL, NULL, "::ffff:10.1.200.3", 443);
    assert_int_equal(decide(f, EVENT_CONNECT), 0);
    connect_to(f, NULL, "API.example.com.", "93.184.216.34", 8443);
    assert_int_equal(decide(f, EVENT_CONNECT), 0);
    connect_to(f, NULL, NULL, "127.0.0.1", 9999);
    assert_int_equal(decide(f, EVENT_CONNECT), 0);
}

static void a_product_search_that_talks_to_payments_departs(void **state)
{
    struct fixture *f = *state;

    connect_to(f, "shop/payments", NULL, "10.9.9.10", 443);
    expect(f, EVENT_CONNECT, DRIFT_PEER, "shop/payments port 443");
    assert_string_equal(f->out[0].expected, "shop/catalogue port 5432, 10.1.0.0/16 port 443, *.example.com");
    connect_to(f, "shop/catalogue", NULL, NULL, 22);
    expect(f, EVENT_CONNECT, DRIFT_PEER, "shop/catalogue port 22");
    connect_to(f, NULL, "example.com", NULL, 443);
    expect(f, EVENT_CONNECT, DRIFT_PEER, "example.com port 443");
    connect_to(f, NULL, "a.b.example.com", NULL, 443);
    expect(f, EVENT_CONNECT, DRIFT_PEER, "a.b.example.com port 443");
    connect_to(f, NULL, NULL, "10.2.0.1", 443);
    expect(f, EVENT_CONNECT, DRIFT_PEER, "10.2.0.1 port 443");
}

static void who_connects_to_it_is_judged_with_its_own_port(void **state)
{
    struct fixture *f = *state;

    f->event.net = (struct event_net){ .protocol = "tcp", .direction = "in", .remote_service = "ingress/nginx", .local_port = 8080, .remote_port = 50000 };
    assert_int_equal(decide(f, EVENT_ACCEPT), 0);
    assert_int_equal(decide(f, EVENT_CONNECT), 0);                 /* a flow seen from outside */
    f->event.net.remote_service = "shop/other";
    expect(f, EVENT_ACCEPT, DRIFT_INGRESS, "shop/other");
    f->event.net.remote_service = NULL;
    f->event.net.remote = "fd12::1";
    assert_int_equal(decide(f, EVENT_ACCEPT), 0);
}

static void writes_users_and_capabilities_are_judged(void **state)
{
    struct fixture *f = *state;

    f->event.file.path = "/tmp/a/b";
    assert_int_equal(decide(f, EVENT_FILE_WRITE), 0);
    f->event.file.path = "/var/log/app-1.log";
    assert_int_equal(decide(f, EVENT_FILE_WRITE), 0);
    f->event.file.path = "/dev/null";
    assert_int_equal(decide(f, EVENT_FILE_WRITE), 0);
    f->event.file.path = "/etc/passwd";
    expect(f, EVENT_FILE_WRITE, DRIFT_WRITE, "/etc/passwd");
    f->event.file.path = "/var/log/app-1/x.log";
    expect(f, EVENT_FILE_WRITE, DRIFT_WRITE, "/var/log/app-1/x.log");
    f->event.process.uid = 1000;
    assert_int_equal(run(f, "/shop", NULL), 0);
    f->event.process.uid = 0;
    run(f, "/shop", NULL);
    expect(f, EVENT_EXEC, DRIFT_USER, "0");
    f->event.capability = "CAP_NET_BIND_SERVICE";
    assert_int_equal(decide(f, EVENT_CAPABILITY), 0);
    f->event.capability = "SYS_ADMIN";
    expect(f, EVENT_CAPABILITY, DRIFT_CAPABILITY, "SYS_ADMIN");
}

static void a_part_left_out_is_not_judged_and_an_empty_one_allows_nothing(void **state)
{
    struct fixture *f = *state;

    compile(f, HEAD "  egress: []\n");
    assert_int_equal(run(f, "/bin/bash", NULL), 0);
    f->event.net = (struct event_net){ .local_port = 1 };
    assert_int_equal(decide(f, EVENT_LISTEN), 0);
    connect_to(f, NULL, "example.com", NULL, 443);
    expect(f, EVENT_CONNECT, DRIFT_PEER, "example.com port 443");
    assert_string_equal(f->out[0].expected, "nobody at all");
}

static void the_worst_finding_comes_first(void **state)
{
    static const char *const tags[] = { TAG_FILELESS };
    struct fixture *f = *state;

    f->event.tags = tags;
    f->event.n_tags = 1;
    f->event.process.uid = 0;
    assert_int_equal(run(f, "/memfd:x", NULL), 3);
    assert_int_equal(f->out[0].rule, DRIFT_NOT_IN_IMAGE);
    assert_true(f->out[0].severity <= f->out[1].severity && f->out[1].severity <= f->out[2].severity);
}

static void long_and_wild_text_is_cut_at_a_character(void **state)
{
    struct fixture *f = *state;
    char path[4096];

    path[0] = '/';
    for (size_t i = 1; i + 2 < sizeof path; i += 2)
        memcpy(path + i, "\xC3\xA9", 2);
    path[sizeof path - 1] = '\0';
    assert_int_equal(run(f, path, NULL), 1);
    assert_true(str_is_utf8(f->out[0].subject, strlen(f->out[0].subject)));
    assert_true(str_is_utf8(f->out[0].message, strlen(f->out[0].message)));
}

static void patterns_of_paths_end_at_slashes(void **state)
{
    (void)state;
    assert_true(path_match("/a/**", "/a/b/c"));
    assert_false(path_match("/a/**", "/a"));
    assert_false(path_match("/a/**", "/ab/c"));
    assert_true(path_match("/a/*.log", "/a/x.log"));
    assert_false(path_match("/a/*", "/a/b/c"));
    assert_true(path_match("/a/*/c", "/a/b/c"));
    assert_true(path_match("/*a*b*", "/xaxbx"));
    assert_false(path_match("/*a*b", "/xbxa"));
}

static void an_event_that_says_it_is_countless_does_not_overflow_the_sums(void **state)
{
    struct fixture *f = *state;
    struct simulation s;
    struct err err = { 0 };

    assert_int_equal(simulation_init(&s, f->profile, &f->arena, &err), 0);
    f->event.kind = EVENT_EXEC;
    f->event.process.exe = "/tmp/stranger";
    f->event.count = INT64_MAX;
    for (int i = 0; i < 3; i++)
        assert_int_equal(simulation_add(&s, &f->event, &err), 0);
    assert_int_equal(s.examined, 3 * EVENT_WEIGHT_MAX);
    assert_int_equal(s.departing, s.examined);
    assert_int_equal(s.departures[0].n, s.examined);
    f->event.count = -1;
    assert_int_equal(event_weight(&f->event), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_listed_program_is_expected_and_another_is_not),
        TEST(a_program_started_by_another_parent_departs),
        TEST(another_content_of_a_listed_program_departs),
        TEST(a_shell_is_told_apart_where_the_profile_has_none),
        TEST(a_program_that_was_written_later_departs_even_when_listed),
        TEST(a_program_outside_a_whole_list_of_files_is_not_in_the_image),
        TEST(health_checks_of_the_engine_are_let_pass),
        TEST(ports_are_judged_by_number_and_protocol),
        TEST(peers_are_known_by_service_name_network_or_dns_name),
        TEST(a_product_search_that_talks_to_payments_departs),
        TEST(who_connects_to_it_is_judged_with_its_own_port),
        TEST(writes_users_and_capabilities_are_judged),
        TEST(a_part_left_out_is_not_judged_and_an_empty_one_allows_nothing),
        TEST(the_worst_finding_comes_first),
        TEST(long_and_wild_text_is_cut_at_a_character),
        TEST(patterns_of_paths_end_at_slashes),
        TEST(an_event_that_says_it_is_countless_does_not_overflow_the_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
