/* The rows of events and alerts, on both engines: streams, lists by keyset, retention in
 * portions, alerts that are found, raised and opened again. */
#include "tests/store/engine.h"

#include "base/time.h"
#include "cmd/serve.h"
#include "db/migrate.h"
#include "service/alerts.h"
#include "store/alert.h"
#include "store/event.h"
#include "store/suppression.h"

struct state {
    struct engine e;
    struct db *db;
    struct arena arena;
    struct err err;
};
static struct state s;

#define OK(call) do { if ((call) != 0) fail_msg("%s: %s", #call, s.err.msg); } while (0)

static void open_on(const char *pg)
{
    struct db_queries sets[64];
    int applied;

    engine_fresh(&s.e, pg);
    OK(migrate_run(s.e.url, migrations, 1, &applied, &s.err));
    s.db = engine_open(s.e.url, DB_WRITER);
    OK(db_prepare_all(s.db, sets, queries_gather(sets, N_ITEMS(sets)), &s.err));
    arena_init(&s.arena, 64 << 20);
    OK(db_begin_write(s.db, &s.err));
}

static void close_all(void)
{
    OK(db_commit(s.db, &s.err));
    db_close(s.db);
    arena_clear(&s.arena);
    engine_clear(&s.e);
}

static void add(int64_t id, int64_t at_ms, int kind, int severity, int64_t alert, const char *container)
{
    char doc[200];

    snprintf(doc, sizeof doc, "{\"kind\":\"exec\",\"container\":{\"id\":\"%s\"}}", container);
    const struct event_row row = { .id = id, .node = 0, .seq = id, .at_ms = at_ms, .kind = kind, .severity = severity, .alert_id = alert,
                                   .document = { (unsigned char *)doc, strlen(doc) } };
    OK(event_insert(s.db, &row, 1, &s.err));
}

static void streams(void)
{
    int64_t through;
    bool is_new;

    OK(event_stream_get(s.db, 7, "a", &through, &is_new, &s.err));
    assert_true(is_new && through == 0);
    OK(event_stream_put(s.db, 7, "a", 10, 100, &s.err));
    OK(event_stream_put(s.db, 7, "b", 3, 200, &s.err));
    OK(event_stream_put(s.db, 7, "c", 0, 300, &s.err));
    OK(event_stream_put(s.db, 8, "a", 5, 50, &s.err));
    OK(event_stream_get(s.db, 7, "a", &through, &is_new, &s.err));
    assert_true(!is_new && through == 10);
    OK(event_stream_prune(s.db, 7, 2, &s.err));
    OK(event_stream_get(s.db, 7, "a", &through, &is_new, &s.err));
    assert_true(is_new);
    OK(event_stream_get(s.db, 8, "a", &through, &is_new, &s.err));
    assert_true(!is_new && through == 5);
}

static size_t list(struct event_filter f, int64_t *next_ms, int64_t *next_id)
{
    struct event_shown *items;
    size_t n;

    OK(event_list(s.db, &f, &s.arena, &items, &n, next_ms, next_id, &s.err));
    for (size_t i = 1; i < n; i++)
        assert_true(items[i].row.at_ms < items[i - 1].row.at_ms ||
                    (items[i].row.at_ms == items[i - 1].row.at_ms && items[i].row.id < items[i - 1].row.id));
    return n;
}

static const struct event_filter all = { .kind = -1, .severity = -1, .since_ms = TIME_UNKNOWN, .before_ms = INT64_MAX,
                                         .before_id = INT64_MAX, .limit = 100, .examine = 100000 };

static void lists(void)
{
    struct event_filter f = all;
    int64_t next_ms, next_id, n = 0;

    for (int64_t i = 1; i <= 1500; i++)
        add(i, 1000 + i / 3, (int)(i % 4), (int)(i % 8), i % 100 == 0 ? 5 : 0, i % 10 == 0 ? "abcdef0123456789" : "fedcba9876543210");
    for (int pages = 0; pages < 20; pages++) {
        n += (int64_t)list(f, &next_ms, &next_id);
        if (next_id == 0)
            break;
        f.before_ms = next_ms;
        f.before_id = next_id;
    }
    assert_int_equal(n, 1500);
    f = all;
    f.limit = 5000;
    f.severity = 1;
    assert_int_equal(list(f, &next_ms, &next_id), 375);           /* 0 and 1 of 8 */
    f.kind = 1;
    assert_int_equal(list(f, &next_ms, &next_id), 188);
    f = all;
    f.limit = 5000;
    f.container = "abcdef012345";
    assert_int_equal(list(f, &next_ms, &next_id), 150);
    f = all;
    f.limit = 5000;
    f.since_ms = 1400;
    f.before_ms = 1450;
    f.before_id = 0;
    assert_int_equal(list(f, &next_ms, &next_id), 150);
    f = all;
    f.alert_id = 5;
    assert_int_equal(list(f, &next_ms, &next_id), 15);
    f = all;
    f.container = "nothing like it";
    f.examine = 600;                                               /* it looks only so far, and says where to go on */
    assert_int_equal(list(f, &next_ms, &next_id), 0);
    assert_true(next_id > 0);
}

static void retention(void)
{
    int64_t dropped, last, next_ms, next_id, rounds = 0;
    struct event_filter f = all;

    OK(event_mark(s.db, 1, 0, &s.err));
    OK(event_mark(s.db, 301, 30000, &s.err));                      /* within the minute: no mark */
    OK(event_mark(s.db, 501, 61000, &s.err));
    OK(event_mark(s.db, 1001, 130000, &s.err));
    OK(event_retain(s.db, 60000, 100000, 100, &dropped, &s.err));
    assert_int_equal(dropped, 0);                                  /* those of the first minute may be younger */
    do {
        OK(event_retain(s.db, 61000, 100000, 100, &dropped, &s.err));
        assert_true(dropped <= 100);
    } while (dropped > 0 && ++rounds < 50);
    assert_int_equal(rounds, 5);                                   /* 1..500 */
    OK(event_retain(s.db, 0, 200, 100000, &dropped, &s.err));
    assert_int_equal(dropped, 800);
    f.limit = 5000;
    assert_int_equal(list(f, &next_ms, &next_id), 200);
    OK(event_last(s.db, &last, &s.err));
    assert_int_equal(last, 1500);
    OK(event_retain(s.db, INT64_MAX, 1, 100000, &dropped, &s.err));
    OK(event_last(s.db, &last, &s.err));
    assert_int_equal(last, 1500);                                  /* the newest stays: numbers are never given twice */
}

/* More than one statement takes, on PostgreSQL. */
static void many_at_once(void)
{
    struct event_row rows[21];
    struct event_shown got;

    for (int i = 0; i < 21; i++)
        rows[i] = (struct event_row){ .id = 3000 + i, .seq = i, .at_ms = 7, .image_id = 0, .alert_id = i % 2, .document = { (const unsigned char *)"{}", 2 } };
    OK(event_insert(s.db, rows, 21, &s.err));
    for (int i = 0; i < 21; i++) {
        OK(event_get(s.db, 3000 + i, &s.arena, &got, &s.err));
        assert_true(got.row.seq == i && got.row.alert_id == i % 2);
    }
}

static void keys(void)
{
    static const unsigned char key[EVENT_KEY_LEN] = "0123456789abcde";
    const struct event_row row = { .id = 2000, .at_ms = 1, .source_key = key, .document = { (const unsigned char *)"{}", 2 } };
    bool has;

    OK(event_has_key(s.db, key, &has, &s.err));
    assert_false(has);
    OK(event_insert(s.db, &row, 1, &s.err));
    OK(event_has_key(s.db, key, &has, &s.err));
    assert_true(has);
}

static void alerts(void)
{
    static const int64_t ids[] = { 11, 12, 13 };
    struct alert_signal a = { .rule_kind = ALERT_DRIFT, .rule = "drift/x", .subject = "/bin/x", .title = "x runs", .severity = 4,
        .repository = "r.example/a", .cluster = "c", .namespace = "n", .workload = "w", .n = 3, .first_ms = 100, .last_ms = 300,
        .events = ids, .n_events = 3, .story = "{\"a\":1}" };
    struct alert_row row, *items;
    int64_t id, again, next_ms, next_id, counts[8], dropped;
    size_t n;

    OK(alert_raise(s.db, &a, 1000, &s.arena, &id, &s.err));
    OK(alert_raise(s.db, &a, 1001, &s.arena, &again, &s.err));
    assert_int_equal(id, again);
    OK(alert_get(s.db, id, &s.arena, &row, &s.err));
    assert_int_equal(row.n, 6);
    assert_string_equal(row.newest, "13,12,11,13,12,11");
    assert_int_equal(row.severity, 4);
    a.n_denied = 5;
    a.story = "{\"a\":2}";
    OK(alert_raise(s.db, &a, 1002, &s.arena, NULL, &s.err));
    OK(alert_get(s.db, id, &s.arena, &row, &s.err));
    assert_int_equal(row.severity, 3);
    assert_string_equal(row.story, "{\"a\":1}");
    assert_int_equal(alert_set_state(s.db, id, ALERT_OPEN, "me", "", 2000, &s.err), -1);
    assert_int_equal(s.err.kind, ERR_CONFLICT);
    OK(alert_set_state(s.db, id, ALERT_RESOLVED, "me", "done", 2000, &s.err));
    a.n_denied = 0;
    OK(alert_raise(s.db, &a, 3000, &s.arena, NULL, &s.err));
    OK(alert_get(s.db, id, &s.arena, &row, &s.err));
    assert_int_equal(row.state, ALERT_OPEN);
    assert_int_equal(row.episode, 2);
    assert_int_equal(row.severity, 4);
    assert_string_equal(row.story, "{\"a\":2}");
    assert_string_equal(row.note, "came back after me had resolved it: done");
    a.subject = "/bin/y";
    a.last_ms = 400;
    OK(alert_raise(s.db, &a, 3001, &s.arena, &again, &s.err));
    assert_int_not_equal(id, again);
    struct alert_filter f = { .state = -1, .severity = -1, .before_ms = INT64_MAX, .before_id = INT64_MAX, .limit = 1, .examine = 1000 };
    OK(alert_list(s.db, &f, &s.arena, &items, &n, &next_ms, &next_id, &s.err));
    assert_true(n == 1 && items[0].id == again && next_id == again && next_ms == 400);
    f.text = "BIN/X";
    f.limit = 10;
    OK(alert_list(s.db, &f, &s.arena, &items, &n, &next_ms, &next_id, &s.err));
    assert_true(n == 1 && items[0].id == id);
    struct alert_group *groups;
    OK(alert_groups(s.db, 10, &s.arena, &groups, &n, &s.err));
    assert_true(n == 1 && groups[0].n_alerts == 2 && groups[0].n_open == 2 && groups[0].severity == 4);
    OK(alert_count_open(s.db, counts, &s.err));
    assert_int_equal(counts[4], 2);
    OK(alert_set_state(s.db, again, ALERT_RESOLVED, "me", "", 4000, &s.err));
    OK(alert_retain(s.db, 401, 10, &dropped, &s.err));
    assert_int_equal(dropped, 1);                                  /* the open one stays */
}

static void suppressions(void)
{
    struct suppression x = { .id = "sup_1", .rule = "drift/*", .reason = "because of tests", .created_ms = 10, .created_by = "me",
                             .expires_ms = 100 }, got, *items;
    bool changed;
    int64_t count;
    size_t n;

    OK(suppression_insert(s.db, &x, &s.err));
    x.id = "sup_2";
    x.expires_ms = 50;
    OK(suppression_insert(s.db, &x, &s.err));
    OK(suppression_list_active(s.db, 50, &s.arena, &items, &n, &s.err));
    assert_true(n == 1 && str_eq(items[0].id, "sup_1"));
    OK(suppression_hit(s.db, "sup_1", 7, &s.err));
    OK(suppression_get(s.db, "sup_1", &s.arena, &got, &s.err));
    assert_int_equal(got.n_hits, 7);
    OK(suppression_revoke(s.db, "sup_1", 60, &changed, &s.err));
    assert_true(changed);
    OK(suppression_revoke(s.db, "sup_1", 61, &changed, &s.err));
    assert_false(changed);
    OK(suppression_count_active(s.db, 40, &count, &s.err));
    assert_int_equal(count, 1);
    OK(suppression_list(s.db, "expired", 70, INT64_MAX, "", 10, &s.arena, &items, &n, &s.err));
    assert_true(n == 1 && str_eq(items[0].id, "sup_2"));
}

static void everything(const char *pg)
{
    open_on(pg);
    streams();
    lists();
    retention();
    keys();
    many_at_once();
    alerts();
    suppressions();
    close_all();
}

static void events_and_alerts_on_sqlite(void **state)
{
    (void)state;
    everything(NULL);
}

static void events_and_alerts_on_postgresql(void **state)
{
    const char *url = engine_pg_url();

    (void)state;
    if (url == NULL)
        skip();
    everything(url);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_and_alerts_on_sqlite),
        cmocka_unit_test(events_and_alerts_on_postgresql),
    };

    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
