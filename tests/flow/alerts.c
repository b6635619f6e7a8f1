/* Alerts of a real server: one per departure with its story, counted and not doubled,
 * raised by denied attempts, silenced for a time, resolved and back again. */
#include "tests/flow/events.h"

#include "store/profile.h"

#include <sys/wait.h>
#include <unistd.h>

static const char profile[] =
    "{\"name\":\"shop\",\"repository\":\"shop.example/app\",\"mode\":\"monitor\",\"covers_executables\":true,\"executables\":["
    "{\"path\":\"/usr/local/bin/shop\"},{\"path\":\"/usr/bin/env\"},{\"path\":\"/usr/local/bin/worker\"}],"
    "\"covers_listens\":true,\"listens\":[{\"protocol\":\"tcp\",\"port\":8080}],\"covers_egress\":true,\"egress\":[{\"kind\":\"service\",\"service\":\"shop/catalogue\"}]}";

static void enforce(struct keepd *k)
{
    struct profile_row row = { .profile_id = "tests", .repository = "shop.example/app", .digest = "", .source = PROFILE_ENFORCED,
                               .mode = PROFILE_MONITOR, .document = profile, .created_ms = 1, .created_by = "tests", .reason = "" };
    struct err err = { 0 };
    struct db *db;

    if (db_open(k->db, DB_WRITER, &db, &err) != 0 || db_begin_write(db, &err) != 0 || profile_insert(db, &row, &err) != 0 ||
        db_commit(db, &err) != 0)
        fail_msg("%s", err.msg);
    db_close(db);
}

static int open_with_profile(void **state)
{
    node_fixture_open(state);
    struct node_fixture *t = *state;
    keepd_stop(&t->f.keepd, SIGTERM, 20000);
    enforce(&t->f.keepd);
    keepd_start(&t->f.keepd);
    node_fixture_reconnect(t);
    return 0;
}

static int64_t seq = 1;

static void send_text(struct node_fixture *t, const char *event)
{
    char body[4096];

    snprintf(body, sizeof body, "{\"stream\":\"%s\",\"first_seq\":%" PRId64 ",\"last_seq\":%" PRId64 ",\"events\":[{\"seq\":%" PRId64
             ",\"source\":\"falco\",\"count\":1,\"container\":{\"id\":\"c0ffee00c0ff\"},%s}]}", stream_a, seq, seq, seq, event);
    keepd_ask(&t->f.client, t->node.token, "POST", "/v1/agent/events", body, 200);
    seq++;
}

static const struct json *alert_by(struct node_fixture *t, const char *query)
{
    char path[300];

    snprintf(path, sizeof path, "/v1/alerts?%s", query);
    return first_item(get(&t->f, path, 200));
}

static int64_t alert_id(struct node_fixture *t, const char *query)
{
    return json_int(json_get(alert_by(t, query), "id"), 0);
}

static const struct json *alert_show(struct node_fixture *t, int64_t id)
{
    char path[64];

    snprintf(path, sizeof path, "/v1/alerts/%" PRId64, id);
    return get(&t->f, path, 200);
}

static void what_is_expected_raises_nothing(void **state)
{
    struct node_fixture *t = *state;
    const struct batch_spec s = batch_of(stream_a, 1, 30);

    send_expect_through(t, &s, 30);
    seq = 31;
    send_text(t, "\"at\":\"2026-11-25T13:00:00Z\",\"kind\":\"listen\",\"severity\":6,\"net\":{\"protocol\":\"tcp\",\"local_port\":8080}");
    send_text(t, "\"at\":\"2026-11-25T13:00:00Z\",\"kind\":\"connect\",\"severity\":6,\"net\":{\"protocol\":\"tcp\",\"direction\":\"out\",\"remote_service\":\"shop/catalogue\",\"remote_port\":443}");
    assert_int_equal(rows_of(t, "alerts"), 0);
}

static void an_unexpected_program_port_and_peer_raise_one_alert_each(void **state)
{
    struct node_fixture *t = *state;

    for (int i = 0; i < 3; i++) {
        send_text(t, "\"at\":\"2026-11-25T13:00:01Z\",\"kind\":\"exec\",\"severity\":6,\"process\":{\"exe\":\"/tmp/stranger\",\"args\":\"--pool x\",\"pid\":7,"
                     "\"parent_exe\":\"/usr/local/bin/shop\"},\"chain\":[{\"exe\":\"/bin/sh\",\"pid\":6},{\"exe\":\"/usr/local/bin/shop\",\"pid\":1}]");
        send_text(t, "\"at\":\"2026-11-25T13:00:02Z\",\"kind\":\"listen\",\"severity\":6,\"net\":{\"protocol\":\"tcp\",\"local_port\":4444}");
        send_text(t, "\"at\":\"2026-11-25T13:00:03Z\",\"kind\":\"connect\",\"severity\":6,\"net\":{\"protocol\":\"tcp\",\"direction\":\"out\",\"remote_service\":\"shop/payments\",\"remote_port\":443}");
    }
    assert_int_equal(rows_of(t, "alerts"), 3);
    static const char *const rules[] = { "drift/unexpected-executable", "drift/unexpected-port", "drift/unexpected-peer" };
    for (size_t i = 0; i < N_ITEMS(rules); i++) {
        char query[100];
        snprintf(query, sizeof query, "rule=%s&state=open&image=shop.example/app&namespace=shop", rules[i]);
        const struct json *a = alert_by(t, query);
        assert_non_null(a);
        assert_int_equal(json_int(json_get(a, "count"), 0), 3);
        assert_string_equal(json_get_str(a, "workload", ""), "shop");
        assert_string_equal(json_get_str(a, "cluster", ""), "prod");
    }
}

static void an_alert_tells_its_story(void **state)
{
    struct node_fixture *t = *state;
    const struct json *a = alert_show(t, alert_id(t, "rule=drift/unexpected-executable"));

    assert_string_equal(json_get_str(a, "subject", ""), "/tmp/stranger");
    assert_string_equal(json_str(json_path(a, "story.chain"), ""), "/tmp/stranger <- /bin/sh <- /usr/local/bin/shop");
    assert_string_equal(json_str(json_path(a, "story.image.repository"), ""), "shop.example/app");
    assert_string_equal(json_str(json_path(a, "story.image.known_by"), ""), "container");
    assert_string_equal(json_str(json_path(a, "story.image.freshness"), ""), "fresh");
    assert_non_null(json_path(a, "story.image.scanned_at"));
    assert_non_null(json_path(a, "story.image.verdict"));
    assert_non_null(json_path(a, "story.image.findings.critical"));
    assert_string_equal(json_str(json_path(a, "story.profile.name"), ""), "shop");
    assert_non_null(strstr(json_str(json_path(a, "story.profile.expected"), ""), "/usr/local/bin/worker"));
    assert_string_equal(json_str(json_path(a, "story.container.pod"), ""), "shop-0");
    assert_string_equal(json_str(json_path(a, "story.node.id"), ""), t->node.node_id);
    assert_int_equal(json_len(json_get(a, "events")), 3);
    assert_string_equal(json_str(json_path(json_at(json_get(a, "events"), 0), "event.process.exe"), ""), "/tmp/stranger");
}

static void a_repeated_batch_counts_nothing_again(void **state)
{
    struct node_fixture *t = *state;
    struct batch_spec s = batch_of(stream_a, seq, 10);

    s.strange_every = 2;
    s.verdict = "denied";
    int64_t before = json_int(json_get(alert_by(t, "rule=drift/unexpected-executable"), "count"), 0);
    for (int i = 0; i < 4; i++)
        send_expect_through(t, &s, seq + 9);
    const struct json *a = alert_by(t, "rule=drift/unexpected-executable");
    assert_int_equal(json_int(json_get(a, "count"), 0), before + 5);
    assert_int_equal(json_int(json_get(a, "denied"), 0), 5);
    seq += 10;
}

static int severity_of(struct node_fixture *t, const char *query)
{
    static const char *const words[] = { "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug" };
    const char *word = json_get_str(alert_by(t, query), "severity", "");

    for (size_t i = 0; i < N_ITEMS(words); i++)
        if (str_eq(words[i], word))
            return (int)i;
    return -1;
}

static void denied_attempts_raise_the_severity(void **state)
{
    struct node_fixture *t = *state;
    const char *text = "\"at\":\"2026-11-25T13:00:05Z\",\"kind\":\"listen\",\"severity\":6,\"verdict\":\"denied\",\"net\":{\"protocol\":\"tcp\",\"local_port\":5555}";

    send_text(t, text);
    int first = severity_of(t, "q=tcp/5555");
    assert_true(first > 1);
    for (int i = 0; i < 5; i++)
        send_text(t, text);
    assert_int_equal(severity_of(t, "q=tcp/5555"), first - 1);
}

static void states_follow_one_another_and_are_audited(void **state)
{
    struct node_fixture *t = *state;
    char path[80];

    snprintf(path, sizeof path, "/v1/alerts/%" PRId64 "/state", alert_id(t, "rule=drift/unexpected-peer"));
    keepd_ask(&t->f.client, as(t, ROLE_VIEWER), "POST", path, "{\"state\":\"acknowledged\"}", 403);
    const struct json *a = keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", path, "{\"state\":\"acknowledged\",\"note\":\"looking\"}", 200);
    assert_string_equal(json_get_str(a, "state", ""), "acknowledged");
    keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", path, "{\"state\":\"acknowledged\"}", 409);
    keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", path, "{\"state\":\"resolved\",\"note\":\"was a test\"}", 200);
    keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", path, "{\"state\":\"acknowledged\"}", 409);
    keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", path, "{\"state\":\"gone\"}", 400);
    keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", path, "{\"state\":\"open\",\"note\":\"\\u001b\"}", 400);
    keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", "/v1/alerts/99999/state", "{\"state\":\"open\"}", 404);
    const struct json *log = keepd_ask(&t->f.client, as(t, ROLE_ADMIN), "GET", "/v1/audit?kind=alert", NULL, 200);
    assert_int_equal(json_len(json_get(log, "items")), 2);
}

static void alerts_are_summed_up_by_rule_and_image(void **state)
{
    struct node_fixture *t = *state;
    const struct json *groups = json_get(get(&t->f, "/v1/alert-groups", 200), "items");
    int64_t ports = 0;

    for (uint32_t i = 0; i < json_len(groups); i++) {
        const struct json *g = json_at(groups, i);
        assert_string_not_equal(json_get_str(g, "rule", ""), "drift/unexpected-peer");         /* resolved */
        if (str_eq(json_get_str(g, "rule", ""), "drift/unexpected-port")) {
            assert_string_equal(json_get_str(g, "repository", ""), "shop.example/app");
            assert_int_equal(json_int(json_get(g, "alerts"), 0), 2);
            ports = json_int(json_get(g, "events"), 0);
        }
    }
    assert_int_equal(ports, 3 + 6);
}

static void a_resolved_alert_that_comes_back_is_open_again(void **state)
{
    struct node_fixture *t = *state;

    send_text(t, "\"at\":\"2026-11-25T13:00:09Z\",\"kind\":\"connect\",\"severity\":6,\"net\":{\"protocol\":\"tcp\",\"direction\":\"out\",\"remote_service\":\"shop/payments\",\"remote_port\":443}");
    const struct json *a = alert_by(t, "rule=drift/unexpected-peer");
    assert_string_equal(json_get_str(a, "state", ""), "open");
    assert_int_equal(json_int(json_get(a, "episode"), 0), 2);
    assert_non_null(strstr(json_get_str(a, "note", ""), "was a test"));
    assert_int_equal(json_int(json_get(a, "count"), 0), 4);
}

static void what_is_suppressed_is_stored_and_counted_until_it_expires(void **state)
{
    struct node_fixture *t = *state;
    const char *event = "\"at\":\"2026-11-25T13:00:10Z\",\"kind\":\"listen\",\"severity\":6,\"net\":{\"protocol\":\"tcp\",\"local_port\":9999}";
    char body[300], id[80], path[120];

    keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", "/v1/suppressions", "{\"rule\":\"*\",\"reason\":\"everything is noise\",\"expires_in\":\"1h\"}", 400);
    keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", "/v1/suppressions", "{\"rule\":\"drift/*\",\"reason\":\"no end is given\"}", 400);
    snprintf(body, sizeof body, "{\"rule\":\"drift/unexpected-port\",\"subject\":\"tcp/9999\",\"namespace\":\"sho*\",\"reason\":\"the debugger of today\",\"expires_in\":\"10s\"}");
    snprintf(id, sizeof id, "%s", json_get_str(keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "POST", "/v1/suppressions", body, 201), "id", ""));
    int64_t rows = rows_of(t, "events"), alerts = rows_of(t, "alerts");
    send_text(t, event);
    send_text(t, event);
    assert_int_equal(rows_of(t, "events"), rows + 2);
    assert_int_equal(rows_of(t, "alerts"), alerts);
    const struct json *s = first_item(get(&t->f, "/v1/suppressions?state=active", 200));
    assert_int_equal(json_int(json_get(s, "hits"), 0), 2);
    for (int i = 0; i < 30 && first_item(get(&t->f, "/v1/suppressions?state=active", 200)) != NULL; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
    assert_null(first_item(get(&t->f, "/v1/suppressions?state=active", 200)));
    send_text(t, event);
    assert_int_equal(rows_of(t, "alerts"), alerts + 1);
    snprintf(path, sizeof path, "/v1/suppressions/%s", id);
    keepd_ask(&t->f.client, as(t, ROLE_ANALYST), "DELETE", path, NULL, 204);
    assert_string_equal(json_get_str(first_item(get(&t->f, "/v1/suppressions", 200)), "state", ""), "revoked");
}

static void a_policy_of_the_stage_run_is_asked_of_events(void **state)
{
    struct node_fixture *t = *state;
    static const char policy[] =
        "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: no-shadow, title: Nobody reads the shadow file}\nspec:\n  stages: [run]\n  mode: enforce\n"
        "  validations:\n    - name: read\n      expression: '!has(event.file) || event.file.path != \"/etc/shadow\"'\n      message: the shadow file was opened\n      severity: critical\n"
        "      remediation: look who did it\n";
    struct ask ask = { "PUT", "/v1/policies/no-shadow", as(t, ROLE_POLICY), "Content-Type: application/yaml\r\n", policy, sizeof policy - 1 };

    struct reply r = client_send(&t->f.client, &ask);
    if (r.status != 200 && r.status != 201)
        fail_msg("%d %.*s", r.status, (int)r.len, r.body);
    int64_t alerts = rows_of(t, "alerts");
    send_text(t, "\"at\":\"2026-11-25T13:00:11Z\",\"kind\":\"file_open\",\"severity\":6,\"file\":{\"path\":\"/etc/hosts\"}");
    assert_int_equal(rows_of(t, "alerts"), alerts);
    send_text(t, "\"at\":\"2026-11-25T13:00:12Z\",\"kind\":\"file_open\",\"severity\":6,\"file\":{\"path\":\"/etc/shadow\"},\"process\":{\"exe\":\"/bin/cat\"}");
    assert_int_equal(rows_of(t, "alerts"), alerts + 1);
    const struct json *a = alert_show(t, alert_id(t, "rule=no-shadow/read"));
    assert_string_equal(json_get_str(a, "kind", ""), "policy");
    assert_string_equal(json_get_str(a, "severity", ""), "critical");
    assert_string_equal(json_get_str(a, "title", ""), "the shadow file was opened");
    assert_string_equal(json_str(json_path(a, "story.policy.remediation"), ""), "look who did it");
}

static void send_flood(struct node_fixture *t, int round)
{
    buf_clear(&t->json);
    buf_printf(&t->json, "{\"stream\":\"%s\",\"first_seq\":%" PRId64 ",\"last_seq\":%" PRId64 ",\"events\":[", stream_a, seq, seq + 999);
    for (int i = 0; i < 1000; i++)
        buf_printf(&t->json, "%s{\"seq\":%" PRId64 ",\"at\":\"2026-11-25T13:00:00Z\",\"source\":\"falco\",\"kind\":\"exec\",\"severity\":2,\"count\":1,\"rule\":\"r%d\","
                   "\"process\":{\"exe\":\"/x%d\"}}", i > 0 ? "," : "", seq + i, round * 1000 + i, i);
    buf_puts(&t->json, "]}");
    assert_int_equal(batch_post(&t->f.client, t->node.token, &t->json, true).status, 200);
    seq += 1000;
}

/* A node that invents a different departure each time buries nobody else's: a batch raises
 * so many, and an hour. */
static void a_flood_of_different_alerts_is_bounded(void **state)
{
    struct node_fixture *t = *state;
    int64_t alerts = rows_of(t, "alerts"), rows = rows_of(t, "events");

    send_flood(t, 0);
    assert_in_range(rows_of(t, "alerts") - alerts, 200, 256);
    const struct json *a = alert_by(t, "rule=node/alert_flood");
    assert_int_equal(json_int(json_get(a, "count"), 0), 745);
    for (int i = 1; i < 7; i++)
        send_flood(t, i);
    assert_in_range(rows_of(t, "alerts"), 990, 1010);
    assert_int_equal(rows_of(t, "events"), rows + 7000);
    send_text(t, "\"at\":\"2026-11-25T13:00:02Z\",\"kind\":\"listen\",\"severity\":6,\"net\":{\"protocol\":\"tcp\",\"local_port\":4444}");
    assert_int_equal(json_int(json_get(alert_by(t, "q=tcp/4444"), "count"), 0), 4);      /* what is there goes on counting */
}

static int keepctl(struct node_fixture *t, const char *const *args, char *out, size_t max)
{
    char path[512], url[64];
    const char *argv[16] = { "keepctl" };
    int ends[2], status;
    size_t len = 0;

    for (size_t i = 0; args[i] != NULL; i++)
        argv[i + 1] = args[i];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        snprintf(url, sizeof url, "http://127.0.0.1:%d", t->f.keepd.port);
        setenv("KEEP_SERVER", url, 1);
        setenv("KEEP_TOKEN", as(t, ROLE_ANALYST), 1);
        setenv("KEEP_CONFIG", "/nowhere/config.yaml", 1);
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        keepd_path("keepctl", path, sizeof path);
        execv(path, (char *const *)(const void *)argv);
        _exit(127);
    }
    close(ends[1]);
    for (ssize_t n = 1; n > 0 && len < max - 1; len += n > 0 ? (size_t)n : 0)
        n = read(ends[0], out + len, max - 1 - len);
    out[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#define CTL(t, out, ...) keepctl(t, (const char *const[]){ __VA_ARGS__, NULL }, out, sizeof out)

static void keepctl_shows_and_changes_them(void **state)
{
    struct node_fixture *t = *state;
    static char out[200000];
    char id[32];

    assert_int_equal(CTL(t, out, "alert", "list", "--rule", "drift/*"), 0);
    assert_non_null(strstr(out, "drift/unexpected-executable"));
    assert_int_equal(CTL(t, out, "alert", "groups"), 0);
    assert_non_null(strstr(out, "drift/unexpected-port"));
    snprintf(id, sizeof id, "%" PRId64, alert_id(t, "rule=drift/unexpected-executable"));
    assert_int_equal(CTL(t, out, "alert", "show", id), 0);
    assert_non_null(strstr(out, "/tmp/stranger <- /bin/sh <- /usr/local/bin/shop"));
    assert_int_equal(CTL(t, out, "alert", "ack", id, "--note", "on it"), 0);
    assert_int_equal(CTL(t, out, "alert", "resolve", id), 0);
    assert_true(CTL(t, out, "alert", "ack", id) != 0);
    assert_int_equal(CTL(t, out, "alert", "reopen", id), 0);
    assert_int_equal(CTL(t, out, "event", "list", "--kind", "listen", "--limit", "5"), 0);
    assert_non_null(strstr(out, "listen"));
    assert_int_equal(CTL(t, out, "suppress", "add", "--rule", "falco/*", "--reason", "only for this test", "--expires-in", "1h"), 0);
    assert_int_equal(CTL(t, out, "suppress", "list", "--state", "active"), 0);
    assert_non_null(strstr(out, "falco/*"));
    const struct json *s = first_item(get(&t->f, "/v1/suppressions?state=active", 200));
    char sup[80];
    snprintf(sup, sizeof sup, "%s", json_get_str(s, "id", ""));
    assert_int_equal(CTL(t, out, "suppress", "revoke", sup), 0);
}

static void the_numbers_are_in_the_metrics(void **state)
{
    struct node_fixture *t = *state;
    struct ask ask = { "GET", "/metrics", NULL, NULL, NULL, 0 };
    struct reply r = client_send(&t->f.client, &ask);
    static const char *const names[] = { "keepd_events_total ", "keepd_events_alerting_total ", "keepd_events_suppressed_total 2", "keepd_event_batches_repeated_total 3" };

    for (size_t i = 0; i < N_ITEMS(names); i++)
        if (memmem(r.body, r.len, names[i], strlen(names[i])) == NULL)
            fail_msg("%s is not there", names[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_expected_raises_nothing),
        cmocka_unit_test(an_unexpected_program_port_and_peer_raise_one_alert_each),
        cmocka_unit_test(an_alert_tells_its_story),
        cmocka_unit_test(a_repeated_batch_counts_nothing_again),
        cmocka_unit_test(denied_attempts_raise_the_severity),
        cmocka_unit_test(states_follow_one_another_and_are_audited),
        cmocka_unit_test(alerts_are_summed_up_by_rule_and_image),
        cmocka_unit_test(a_resolved_alert_that_comes_back_is_open_again),
        cmocka_unit_test(what_is_suppressed_is_stored_and_counted_until_it_expires),
        cmocka_unit_test(a_policy_of_the_stage_run_is_asked_of_events),
        cmocka_unit_test(a_flood_of_different_alerts_is_bounded),
        cmocka_unit_test(keepctl_shows_and_changes_them),
        cmocka_unit_test(the_numbers_are_in_the_metrics),
    };

    return cmocka_run_group_tests_name("alerts", tests, open_with_profile, node_fixture_close);
}
