/* profile_learn.c - what is learned, what is only shown, and when a profile may go on. */
#include "base/str.h"
#include "base/time.h"
#include "core/profile/promote.h"
#include "wire/profile_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const int64_t T0 = 1800000000000 / 3600000 * 3600000;
static const struct learn_rules rules = { 3, 24 * MS_HOUR, 24 * MS_HOUR };

struct fixture {
    struct arena arena;
    struct err err;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    arena_init(&f.arena, 8 << 20);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    arena_clear(&((struct fixture *)*state)->arena);
    return 0;
}

/* Seen in `containers`, from hour a to hour b after T0. */
static struct observation seen(int part, const char *item, const char *parent, int64_t containers, int64_t a, int64_t b)
{
    static const unsigned char hashes[4 * 8] = { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8 };

    return (struct observation){ .part = part, .item = item, .parent = parent, .n = 10, .n_containers = containers, .n_nodes = 2,
        .n_hours = b - a + 1, .first_ms = T0 + a * MS_HOUR, .last_ms = T0 + b * MS_HOUR + MS_MINUTE, .doubt = "",
        .containers = { hashes, 4 * (size_t)containers }, .nodes = { hashes, 8 } };
}

static struct learned_item *judge(struct fixture *f, const struct observation *list, size_t n, const char *const *accept, size_t n_accept)
{
    struct learned_item *items = NULL;

    assert_int_equal(learn_judge(list, n, &rules, NULL, accept, n_accept, &f->arena, &items, &f->err), 0);
    return items;
}

static struct profile learn(struct fixture *f, const struct learned_item *items, size_t n)
{
    struct profile p = { .name = "shop", .repository = "docker.io/acme/shop" };

    if (learn_profile(items, n, &f->arena, &p, &f->err) != 0 || profile_check(&p, &f->err) != 0)
        fail_msg("%s", f->err.msg);
    return p;
}

static bool allows(const struct profile *p, const char *path)
{
    for (size_t i = 0; i < p->n_executables; i++) {
        if (str_eq(p->executables[i].path, path))
            return true;
    }
    return false;
}

static void a_compromised_first_hour_is_not_learned_unseen(void **state)
{
    struct fixture *f = *state;
    const struct observation list[] = {
        seen(PART_EXECUTABLE, "/shop", "", 3, 0, 40),
        seen(PART_EXECUTABLE, "/usr/bin/miner", "/shop", 3, 0, 0),        /* everywhere, but in the first hour only */
        seen(PART_EXECUTABLE, "/tmp/implant", "/shop", 1, 0, 40),         /* to stay, but in one container */
        seen(PART_EXECUTABLE, "/bin/bash", "/shop", 3, 0, 40),            /* a shell that stays everywhere */
        seen(PART_EGRESS, "cidr 45.9.148.3 tcp/4444", "", 3, 0, 40),
        seen(PART_EGRESS, "service shop/catalogue tcp/5432", "", 3, 0, 40),
    };
    struct learned_item *items = judge(f, list, N_ITEMS(list), NULL, 0);
    struct profile p = learn(f, items, N_ITEMS(list));

    assert_int_equal(items[0].doubts, 0);
    assert_int_equal(items[1].doubts, DOUBT_FIRST_HOUR);
    assert_int_equal(items[2].doubts, DOUBT_ONE);
    assert_int_equal(items[3].doubts, DOUBT_SHELL);
    assert_int_equal(items[4].doubts, DOUBT_WORLD);
    assert_int_equal(items[5].doubts, 0);
    assert_true(allows(&p, "/shop"));
    assert_int_equal(p.n_executables, 1);
    assert_int_equal(p.n_egress, 1);
    assert_string_equal(p.egress[0].service, "shop/catalogue");
    assert_true(p.has_executables && p.has_egress && !p.has_listens);
}

static void what_raised_an_alert_or_was_written_later_is_not_learned(void **state)
{
    struct fixture *f = *state;
    struct observation list[] = { seen(PART_EXECUTABLE, "/a", "", 3, 0, 9), seen(PART_EXECUTABLE, "/b", "", 3, 0, 9), seen(PART_EXECUTABLE, "/c", "", 3, 0, 9) };
    static const char *const paths[] = { "/a", "/b" };
    const struct image_files files = { paths, 2, true };
    struct learned_item *items;

    list[0].doubt = OBSERVED_RAISED;
    list[1].doubt = OBSERVED_RAISED " " OBSERVED_NOT_IN_IMAGE;
    assert_int_equal(learn_judge(list, 3, &rules, &files, NULL, 0, &f->arena, &items, &f->err), 0);
    assert_int_equal(items[0].doubts, DOUBT_ALERT);
    assert_int_equal(items[1].doubts, DOUBT_ALERT | DOUBT_NOT_IN_IMAGE);
    assert_int_equal(items[2].doubts, DOUBT_NOT_IN_IMAGE);
    assert_int_equal(learn(f, items, 3).n_executables, 0);
}

static void a_person_may_accept_a_doubt_by_name(void **state)
{
    static const char *const accept[] = { "executable /bin/sh < /shop", "egress cidr 8.8.8.8 udp/53" };
    struct fixture *f = *state;
    const struct observation list[] = {
        seen(PART_EXECUTABLE, "/bin/sh", "/shop", 3, 0, 9), seen(PART_EXECUTABLE, "/bin/sh", "/other", 3, 0, 9),
        seen(PART_EGRESS, "cidr 8.8.8.8 udp/53", "", 3, 0, 9),
    };
    struct learned_item *items = judge(f, list, 3, accept, 2);
    struct profile p = learn(f, items, 3);

    assert_true(items[0].is_accepted && !items[1].is_accepted && items[2].is_accepted);
    assert_int_equal(p.n_executables, 1);
    assert_int_equal(p.executables[0].n_parents, 1);
    assert_string_equal(p.executables[0].parents[0], "/shop");
    assert_int_equal(p.egress[0].ports[0], 53);
    assert_int_equal(p.egress[0].protocol, NET_UDP);
    assert_null(learn_unknown(items, 3, accept, 2));
    assert_string_equal(learn_unknown(items, 3, (const char *const[]){ "user 7" }, 1), "user 7");
}

static void confidence_grows_with_containers_nodes_and_hours(void **state)
{
    struct fixture *f = *state;
    const struct observation list[] = { seen(PART_EXECUTABLE, "/a", "", 1, 0, 0), seen(PART_EXECUTABLE, "/b", "", 2, 0, 11), seen(PART_EXECUTABLE, "/c", "", 3, 0, 30) };
    struct learned_item *items = judge(f, list, 3, NULL, 0);

    assert_true(items[0].confidence < items[1].confidence && items[1].confidence < items[2].confidence);
    assert_int_equal(items[2].confidence, 100);
}

static void the_same_thing_of_two_images_counts_different_containers_once(void **state)
{
    struct fixture *f = *state;
    struct observation list[] = { seen(PART_USER, "1000", "", 3, 2, 5), seen(PART_LISTEN, "tcp/80", "", 1, 0, 0), seen(PART_USER, "1000", "", 4, 0, 3) };
    struct observation *merged;
    size_t n;

    assert_int_equal(observations_merge(list, 3, &f->arena, &merged, &n, &f->err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(merged[1].item, "1000");
    assert_int_equal(merged[1].n, 20);
    assert_int_equal(merged[1].n_containers, 4);
    assert_int_equal(merged[1].first_ms, T0);
    assert_int_equal(merged[1].last_ms, T0 + 5 * MS_HOUR + MS_MINUTE);
}

static struct profile parse(struct fixture *f, const char *spec)
{
    const char *text = arena_printf(&f->arena, "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: shop}\nspec:\n  image: acme/shop\n%s", spec);
    struct profile p;

    if (profile_doc_parse(text, strlen(text), &f->arena, NULL, &p, &f->err) != 0)
        fail_msg("%s", f->err.msg);
    return p;
}

static const struct diff_row *row_of(const struct diff_row *rows, size_t n, const char *item)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(rows[i].item, item))
            return &rows[i];
    }
    fail_msg("no row %s", item);
    return NULL;
}

static void three_columns_stand_side_by_side(void **state)
{
    struct fixture *f = *state;
    struct profile declared = parse(f, "  executables: [{path: /shop}, {path: /bin/never}]\n  egress: [{cidr: 10.0.0.0/8, ports: [443]}]\n");
    struct profile enforced = parse(f, "  executables: [{path: /shop}, {path: /bin/old}]\n");
    const struct observation list[] = {
        seen(PART_EXECUTABLE, "/shop", "/init", 3, 0, 9), seen(PART_EXECUTABLE, "/bin/x", "", 3, 0, 9),
        seen(PART_EGRESS, "cidr 10.1.2.3 tcp/443", "", 3, 0, 9), seen(PART_EGRESS, "cidr 10.1.2.3 tcp/22", "", 3, 0, 9),
    };
    struct diff_row *rows;
    size_t n;

    assert_int_equal(diff_make(&declared, &enforced, judge(f, list, 4, NULL, 0), 4, &f->arena, &rows, &n, &f->err), 0);
    assert_int_equal(n, 6);
    const struct diff_row *r = row_of(rows, n, "/shop");
    assert_true(r->declared == DIFF_YES && r->enforced == DIFF_YES && r->observed == DIFF_YES && r->note == NULL);
    r = row_of(rows, n, "/bin/x");
    assert_true(r->declared == DIFF_NO && r->enforced == DIFF_NO);
    assert_string_equal(r->note, "seen, not allowed");
    r = row_of(rows, n, "cidr 10.1.2.3 tcp/443");
    assert_true(r->declared == DIFF_YES && r->enforced == DIFF_NOT_COVERED);
    assert_int_equal(row_of(rows, n, "cidr 10.1.2.3 tcp/22")->declared, DIFF_NO);
    r = row_of(rows, n, "/bin/never");
    assert_true(r->declared == DIFF_YES && r->enforced == DIFF_NO && r->observed == DIFF_NO && r->seen == NULL);
    assert_string_equal(row_of(rows, n, "/bin/old")->note, "allowed, never seen");
}

static struct promotion promote(struct fixture *f, int from, int to, const struct profile *p, const struct observation *list, size_t n, int64_t hour)
{
    struct promotion out;
    struct diff_row *rows;
    size_t n_rows;

    assert_int_equal(diff_make(NULL, p, judge(f, list, n, NULL, 0), n, &f->arena, &rows, &n_rows, &f->err), 0);
    assert_int_equal(promote_decide(from, to, p, rows, n_rows, &rules, T0 + hour * MS_HOUR, &f->arena, &out, &f->err), 0);
    return out;
}

static void unmet(const struct promotion *p, const char *rule)
{
    for (size_t i = 0; i < p->n_checks; i++) {
        assert_non_null(p->checks[i].text);
        if (p->checks[i].is_met == str_eq(p->checks[i].rule, rule))
            fail_msg("%s: %s", p->checks[i].rule, p->checks[i].text);
    }
    assert_false(p->is_ready);
}

static void promotion_asks_for_containers_hours_and_quiet(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, "  executables: [{path: /shop}]\n");
    struct observation list[] = { seen(PART_EXECUTABLE, "/shop", "", 3, 0, 40) };
    struct promotion out = promote(f, PROFILE_DISCOVER, PROFILE_MONITOR, &p, list, 1, 50);

    assert_true(out.is_ready);
    assert_int_equal(out.n_checks, 5);
    list[0].n_containers = 2;
    out = promote(f, PROFILE_DISCOVER, PROFILE_MONITOR, &p, list, 1, 50);
    unmet(&out, "containers");
    list[0] = seen(PART_EXECUTABLE, "/shop", "", 3, 0, 2);
    out = promote(f, PROFILE_DISCOVER, PROFILE_MONITOR, &p, list, 1, 12);
    assert_false(out.is_ready);
    struct observation two[] = { seen(PART_EXECUTABLE, "/shop", "", 3, 0, 40), seen(PART_EXECUTABLE, "/shop", "/new", 3, 40, 41) };
    out = promote(f, PROFILE_DISCOVER, PROFILE_MONITOR, &p, two, 2, 50);
    unmet(&out, "quiet");
}

static void promotion_waits_for_doubts_and_departures(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, "  executables: [{path: /shop}]\n"), none = parse(f, "");
    struct observation list[] = { seen(PART_EXECUTABLE, "/shop", "", 3, 0, 90), seen(PART_EXECUTABLE, "/bin/sh", "", 3, 0, 50) };
    struct promotion out = promote(f, PROFILE_MONITOR, PROFILE_PROTECT, &p, list, 2, 100);

    unmet(&out, "doubts");
    list[1] = seen(PART_EXECUTABLE, "/bin/x", "", 3, 0, 90);
    out = promote(f, PROFILE_MONITOR, PROFILE_PROTECT, &p, list, 2, 100);
    unmet(&out, "departures");
    out = promote(f, PROFILE_MONITOR, PROFILE_PROTECT, &p, list, 2, 120);
    assert_true(out.is_ready);
    out = promote(f, PROFILE_DISCOVER, PROFILE_MONITOR, &none, list, 2, 120);
    unmet(&out, "covered");
}

static void back_is_always_allowed_and_no_step_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, "  executables: []\n");

    assert_true(promote(f, PROFILE_PROTECT, PROFILE_DISCOVER, &p, NULL, 0, 0).is_ready);
    assert_false(promote(f, PROFILE_DISCOVER, PROFILE_PROTECT, &p, NULL, 0, 0).is_ready);
}

static void merging_allows_what_either_allows_and_keeps_hashes(void **state)
{
    struct fixture *f = *state;
    struct profile a = parse(f, "  executables: [{path: /shop, sha256: " "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}, {path: /x, parents: [/shop]}]\n"
                                "  egress: [{service: a/b, ports: [1, 2]}, {dns: c.d}]\n");
    struct profile b = parse(f, "  executables: [{path: /x, parents: [/y]}, {path: /shop}]\n  egress: [{service: a/b, ports: [3]}]\n  users: [5]\n"), m;

    assert_int_equal(profile_merge(&a, &b, &f->arena, &m, &f->err), 0);
    assert_int_equal(profile_check(&m, &f->err), 0);
    assert_int_equal(m.n_executables, 2);
    assert_non_null(m.executables[0].sha256);
    assert_int_equal(m.executables[1].n_parents, 2);
    assert_int_equal(m.n_egress, 2);
    assert_int_equal(m.egress[0].n_ports, 3);
    assert_true(m.has_users && !m.has_writes);
}

static struct event event_of(int kind)
{
    return (struct event){ .kind = kind, .process = { .uid = -1 }, .net = { .local_port = -1, .remote_port = -1 }, .count = 1 };
}

static void events_become_items_by_their_best_name(void **state)
{
    struct profile_item out[ITEMS_PER_EVENT];
    struct event e = event_of(EVENT_EXEC);

    (void)state;
    e.process.exe = "/shop", e.process.parent_exe = "/init", e.process.uid = 1000;
    assert_int_equal(items_of_event(&e, out), 2);
    assert_string_equal(out[0].parent, "/init");
    assert_string_equal(out[1].text, "1000");
    e = event_of(EVENT_CONNECT);
    e.net.remote = "10.0.0.1", e.net.remote_port = 443, e.net.protocol = "TCP";
    assert_int_equal(items_of_event(&e, out), 1);
    assert_string_equal(out[0].text, "cidr 10.0.0.1 tcp/443");
    e.net.remote_name = "a.b";
    assert_int_equal(items_of_event(&e, out), 1);
    assert_string_equal(out[0].text, "dns a.b tcp/443");
    e.net.remote_service = "n/s";
    assert_int_equal(items_of_event(&e, out), 1);
    assert_string_equal(out[0].text, "service n/s tcp/443");
    e = event_of(EVENT_CONNECT);
    e.net.remote = "127.0.0.1", e.net.remote_port = 1;
    assert_int_equal(items_of_event(&e, out), 0);
    e = event_of(EVENT_ACCEPT);
    e.net.remote = "10.0.0.9", e.net.local_port = 80;
    assert_int_equal(items_of_event(&e, out), 2);
    assert_string_equal(out[1].text, "cidr 10.0.0.9 tcp/80");
}

static void files_with_names_made_by_chance_are_their_folder(void **state)
{
    static const struct { const char *path, *item; } cases[] = {
        { "/var/log/app.log", "/var/log/app.log" }, { "/tmp/x", "/tmp/**" }, { "/tmp/a/b/c", "/tmp/a/b/**" }, { "/var/cache/nginx/0000123", "/var/cache/nginx/**" },
        { "/data/3f2a9c4e-aa11-4b2c-8888-012345678901/x", "/data/**" }, { "/a/b/c/d/e/f", "/a/b/c/d/**" }, { "/core.1234", "/core.1234" },
        { "/dev/null", NULL }, { "relative", NULL },
    };
    struct profile_item out[ITEMS_PER_EVENT];
    struct event e = event_of(EVENT_FILE_WRITE);

    (void)state;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        e.file.path = cases[i].path;
        assert_int_equal(items_of_event(&e, out), cases[i].item != NULL);
        if (cases[i].item != NULL)
            assert_string_equal(out[0].text, cases[i].item);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_compromised_first_hour_is_not_learned_unseen),
        TEST(what_raised_an_alert_or_was_written_later_is_not_learned),
        TEST(a_person_may_accept_a_doubt_by_name),
        TEST(confidence_grows_with_containers_nodes_and_hours),
        TEST(the_same_thing_of_two_images_counts_different_containers_once),
        TEST(three_columns_stand_side_by_side),
        TEST(promotion_asks_for_containers_hours_and_quiet),
        TEST(promotion_waits_for_doubts_and_departures),
        TEST(back_is_always_allowed_and_no_step_is_left_out),
        TEST(merging_allows_what_either_allows_and_keeps_hashes),
        TEST(events_become_items_by_their_best_name),
        TEST(files_with_names_made_by_chance_are_their_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
