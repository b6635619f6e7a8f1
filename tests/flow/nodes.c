/* How nodes come, prove themselves and go, at a real keepd; and those who are none. */
#include "tests/flow/upload.h"
#include "tests/support/node.h"

#include <pthread.h>

static const char *admin(struct fixture *t)
{
    return keepd_token(&t->keepd, ROLE_ADMIN);
}

static const struct json *node_of(struct fixture *t, const struct test_node *n)
{
    char path[128];

    snprintf(path, sizeof path, "/v1/nodes/%s", n->node_id);
    return keepd_ask(&t->client, admin(t), "GET", path, NULL, 200);
}

static void assert_state(struct fixture *t, const struct test_node *n, const char *state)
{
    assert_string_equal(json_get_str(node_of(t, n), "state", "?"), state);
}

static int status_report(struct fixture *t, const char *token, const char *body)
{
    struct ask ask = { "POST", "/v1/agent/status", token, "Content-Type: application/json\r\n", body, strlen(body) };

    return client_send(&t->client, &ask).status;
}

/* A light route: answered by the loop from memory. */
static int light_status(struct fixture *t, const char *token)
{
    struct ask ask = { "GET", "/v1/agent/root/1", token, NULL, NULL, 0 };

    return client_send(&t->client, &ask).status;
}

static void revoke_node(struct fixture *t, const struct test_node *n)
{
    char path[128];

    snprintf(path, sizeof path, "/v1/nodes/%s", n->node_id);
    keepd_ask(&t->client, admin(t), "DELETE", path, NULL, 204);
}

static int64_t metric(struct fixture *t, const char *name)
{
    struct ask ask = { "GET", "/metrics", NULL, NULL, NULL, 0 };
    struct reply r = client_send(&t->client, &ask);
    char *copy = strndup(r.body, r.len), *at = strstr(copy, name);
    int64_t value = at != NULL ? strtoll(at + strlen(name), NULL, 10) : -1;

    free(copy);
    return value;
}

/* ---- coming -------------------------------------------------------------------------- */

static void a_node_comes_by_an_invitation_and_is_enrolled_once_it_proved_its_key(void **state)
{
    struct fixture *t = *state;
    struct test_node n;

    test_node_init(&n);
    test_node_invite(&t->client, admin(t), "{\"cluster\":\"prod\",\"labels\":{\"zone\":\"b\",\"arch\":\"arm\"}}", n.join);
    assert_int_equal(test_node_enroll(&t->client, &n), 201);
    assert_string_equal(n.scope, "prod/arch=arm,zone=b");
    assert_state(t, &n, "invited");
    test_node_session(&t->client, &n);
    assert_state(t, &n, "enrolled");
    const struct json *node = node_of(t, &n);
    assert_string_equal(json_get_str(json_get(node, "labels"), "zone", ""), "b");
    assert_string_equal(json_get_str(node, "problem", "?"), "");
    assert_string_equal(json_get_str(node, "fingerprint", "?"), privkey_public(n.key)->fingerprint);
    assert_int_equal(status_report(t, n.token, "{}"), 200);
    test_node_free(&n);
}

static void an_invitation_that_is_over_says_why(void **state)
{
    struct fixture *t = *state;
    struct test_node n;
    char path[64], id[16];

    test_node_init(&n);
    test_node_invite(&t->client, admin(t), "{\"cluster\":\"c\",\"expires_in\":\"1s\"}", n.join);
    nanosleep(&(struct timespec){ 1, 100000000 }, NULL);
    assert_int_equal(test_node_enroll(&t->client, &n), 401);
    test_node_invite(&t->client, admin(t), "{\"cluster\":\"c\"}", n.join);
    snprintf(id, sizeof id, "%.12s", n.join + strlen("keep_join_"));
    snprintf(path, sizeof path, "/v1/join-tokens/%s", id);
    keepd_ask(&t->client, admin(t), "DELETE", path, NULL, 204);
    assert_int_equal(test_node_enroll(&t->client, &n), 401);
    test_node_invite(&t->client, admin(t), "{\"cluster\":\"c\",\"max_uses\":1}", n.join);
    assert_int_equal(test_node_enroll(&t->client, &n), 201);
    struct test_node other;
    test_node_init(&other);
    memcpy(other.join, n.join, sizeof other.join);
    assert_int_equal(test_node_enroll(&t->client, &other), 401);
    const struct json *list = keepd_ask(&t->client, admin(t), "GET", "/v1/join-tokens?limit=3", NULL, 200);
    static const char *const states[] = { "used_up", "revoked", "expired" };
    for (uint32_t i = 0; i < 3; i++)
        assert_string_equal(json_get_str(json_at(json_get(list, "items"), i), "state", "?"), states[i]);
    other.join[30] = other.join[30] == 'a' ? 'b' : 'a';
    assert_int_equal(test_node_enroll(&t->client, &other), 401);
    test_node_free(&n);
    test_node_free(&other);
}

static void a_lost_answer_costs_no_use_and_makes_no_second_node(void **state)
{
    struct fixture *t = *state;
    struct test_node n;
    char first[64];

    test_node_init(&n);
    test_node_invite(&t->client, admin(t), "{\"cluster\":\"c\"}", n.join);
    assert_int_equal(test_node_enroll(&t->client, &n), 201);
    memcpy(first, n.node_id, sizeof first);
    assert_int_equal(test_node_enroll(&t->client, &n), 201);
    assert_string_equal(first, n.node_id);
    test_node_session(&t->client, &n);
    assert_int_equal(test_node_enroll(&t->client, &n), 409);
    test_node_free(&n);
}

enum { RACERS = 8 };
struct racer { int port; struct test_node node; int status; };

static void *race(void *arg)
{
    struct racer *r = arg;
    struct client c;

    client_init(&c, r->port);
    r->status = test_node_enroll(&c, &r->node);
    client_free(&c);
    return NULL;
}

static void uses_are_counted_exactly_under_concurrency(void **state)
{
    struct fixture *t = *state;
    static struct racer racers[RACERS];
    pthread_t threads[RACERS];
    char join[128];
    int made = 0;

    test_node_invite(&t->client, admin(t), "{\"cluster\":\"race\",\"max_uses\":3}", join);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){ .port = t->keepd.port };
        test_node_init(&racers[i].node);
        memcpy(racers[i].node.join, join, sizeof join);
    }
    for (int i = 0; i < RACERS; i++)
        pthread_create(&threads[i], NULL, race, &racers[i]);
    for (int i = 0; i < RACERS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(racers[i].status == 201 || racers[i].status == 401);
        made += racers[i].status == 201;
        test_node_free(&racers[i].node);
    }
    assert_int_equal(made, 3);
}

static void the_answer_has_a_command_ready_to_type(void **state)
{
    struct fixture *t = *state;
    const struct json *made = keepd_ask(&t->client, admin(t), "POST", "/v1/join-tokens", "{\"cluster\":\"c\"}", 201);
    char want[400];

    snprintf(want, sizeof want, "keep-agent enroll --server http://127.0.0.1:%d --token %s", t->keepd.port, json_get_str(made, "token", "?"));
    assert_true(str_starts(json_get_str(made, "command", ""), want));
    const char *trust = json_get_str(made, "trust", NULL);
    assert_non_null(trust);
    assert_non_null(strstr(json_get_str(made, "command", ""), trust));
    keepd_ask(&t->client, admin(t), "POST", "/v1/join-tokens", "{\"cluster\":\"c d\"}", 400);
    keepd_ask(&t->client, admin(t), "POST", "/v1/join-tokens", "{\"cluster\":\"c\",\"labels\":{\"a\":\"b,c\"}}", 400);
    keepd_ask(&t->client, admin(t), "POST", "/v1/join-tokens", "{\"cluster\":\"c\",\"labels\":[]}", 400);
    keepd_ask(&t->client, admin(t), "POST", "/v1/join-tokens", "{\"cluster\":\"c\",\"expires_in\":\"400d\"}", 400);
}

/* ---- sessions ---------------------------------------------------------------------------- */

static void a_request_is_good_only_for_the_node_that_signed_it(void **state)
{
    struct fixture *t = *state;
    struct test_node a, b;
    struct buf envelope;

    test_node_join(&t->client, admin(t), "c", NULL, &a);
    test_node_join(&t->client, admin(t), "c", NULL, &b);
    test_node_envelope(&a, b.node_id, NULL, &envelope);          /* a's key, b's name */
    assert_int_equal(test_node_post(&t->client, &envelope), 401);
    buf_free(&envelope);
    test_node_envelope(&a, a.node_id, NULL, &envelope);          /* a's request, b's key id */
    char *id = strstr(envelope.ptr, privkey_public(a.key)->fingerprint);
    assert_non_null(id);
    memcpy(id, privkey_public(b.key)->fingerprint, 64);
    assert_int_equal(test_node_post(&t->client, &envelope), 401);
    buf_free(&envelope);
    struct test_node stranger;
    test_node_init(&stranger);
    test_node_envelope(&stranger, a.node_id, NULL, &envelope);   /* a key nobody knows */
    assert_int_equal(test_node_post(&t->client, &envelope), 401);
    buf_free(&envelope);
    test_node_free(&a);
    test_node_free(&b);
    test_node_free(&stranger);
}

static void a_copied_request_gets_no_session_also_after_a_restart(void **state)
{
    struct fixture *t = *state;
    struct test_node n;
    struct buf first, second;

    test_node_join(&t->client, admin(t), "c", NULL, &n);
    nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
    test_node_envelope(&n, n.node_id, NULL, &first);
    assert_int_equal(test_node_post(&t->client, &first), 201);
    assert_int_equal(test_node_post(&t->client, &first), 401);
    nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
    test_node_envelope(&n, n.node_id, NULL, &second);
    assert_int_equal(test_node_post(&t->client, &second), 201);
    assert_int_equal(test_node_post(&t->client, &first), 200);   /* older than the last: a challenge, no token */
    assert_int_equal(keepd_stop(&t->keepd, SIGTERM, 30000), 0);
    keepd_start(&t->keepd);
    client_close(&t->client);
    t->client.port = t->keepd.port;
    assert_int_equal(test_node_post(&t->client, &second), 401);
    assert_int_equal(status_report(t, n.token, "{}"), 200);      /* the key of tokens is kept */
    buf_free(&first);
    buf_free(&second);
    test_node_free(&n);
}

static void answer_of(struct fixture *t, const struct buf *envelope, const char *key, char *out, size_t max)
{
    struct ask ask = { "POST", "/v1/agent/session", NULL, NULL, envelope->ptr, envelope->len };
    struct reply r = client_send(&t->client, &ask);

    snprintf(out, max, "%s", json_get_str(client_json(&t->client, &r), key, ""));
}

static void a_wrong_clock_is_shown_and_locks_nobody_out(void **state)
{
    struct fixture *t = *state;
    static const int64_t off[] = { MS_DAY, -MS_DAY };
    struct test_node n;
    struct buf envelope;
    char challenge[128];

    for (size_t i = 0; i < N_ITEMS(off); i++) {
        test_node_init(&n);
        test_node_invite(&t->client, admin(t), "{\"cluster\":\"c\"}", n.join);
        n.clock_ms = off[i];
        assert_int_equal(test_node_enroll(&t->client, &n), 201);
        test_node_envelope(&n, n.node_id, NULL, &envelope);
        answer_of(t, &envelope, "challenge", challenge, sizeof challenge);
        assert_true(challenge[0] != '\0');
        buf_free(&envelope);
        test_node_session(&t->client, &n);
        const struct json *node = node_of(t, &n);
        int64_t skew = json_int(json_get(node, "clock_skew_ms"), 0);
        assert_true(skew > off[i] - 5000 && skew < off[i] + 5000);
        assert_non_null(strstr(json_get_str(node, "problem", ""), off[i] > 0 ? "ahead" : "behind"));
        assert_string_equal(json_get_str(node, "state", ""), "enrolled");
        test_node_envelope(&n, n.node_id, challenge, &envelope);          /* answers a challenge before the last */
        assert_int_equal(test_node_post(&t->client, &envelope), 401);
        buf_free(&envelope);
        test_node_envelope(&n, n.node_id, "AAAABBBB", &envelope);
        assert_int_equal(test_node_post(&t->client, &envelope), 401);
        buf_free(&envelope);
        n.clock_ms = 0;                                                   /* set right: no challenge needed */
        test_node_envelope(&n, n.node_id, NULL, &envelope);
        assert_int_equal(test_node_post(&t->client, &envelope), 201);
        assert_string_equal(json_get_str(node_of(t, &n), "problem", "?"), "");
        buf_free(&envelope);
        test_node_free(&n);
    }
}

static void a_revoked_node_is_refused_at_once_on_every_route(void **state)
{
    struct fixture *t = *state;
    struct test_node n;
    int64_t before = metric(t, "keepd_node_refused_total{why=\"revoked\"} ");

    test_node_join(&t->client, admin(t), "c", NULL, &n);
    assert_int_equal(light_status(t, n.token), 200);
    assert_int_equal(status_report(t, n.token, "{}"), 200);
    revoke_node(t, &n);
    assert_int_equal(light_status(t, n.token), 401);
    assert_int_equal(status_report(t, n.token, "{}"), 401);
    assert_int_equal(test_node_ask(&t->client, &n), 403);
    assert_int_equal(test_node_enroll(&t->client, &n), 409);
    assert_state(t, &n, "revoked");
    revoke_node(t, &n);                                                        /* again: nothing happens */
    assert_true(metric(t, "keepd_node_refused_total{why=\"revoked\"} ") >= before + 3);
    assert_int_equal(keepd_stop(&t->keepd, SIGTERM, 30000), 0);
    keepd_start(&t->keepd);
    client_close(&t->client);
    t->client.port = t->keepd.port;
    assert_int_equal(light_status(t, n.token), 401);
    const struct json *audit = keepd_ask(&t->client, admin(t), "GET", "/v1/audit?kind=node&limit=1", NULL, 200);
    const struct json *entry = json_at(json_get(audit, "items"), 0);
    assert_string_equal(json_get_str(entry, "action", ""), "revoke");
    assert_string_equal(json_get_str(entry, "object_id", ""), n.node_id);
    test_node_free(&n);
}

static void a_changed_token_is_no_token(void **state)
{
    struct fixture *t = *state;
    struct test_node n;
    size_t len;

    test_node_join(&t->client, admin(t), "c", NULL, &n);
    len = strlen(n.token);
    for (size_t i = 6; i < len; i += 7) {
        char kept = n.token[i];
        n.token[i] = kept == 'A' ? 'B' : 'A';
        assert_int_equal(light_status(t, n.token), 401);
        n.token[i] = kept;
    }
    assert_int_equal(light_status(t, n.token), 200);
    n.token[len - 1] = '\0';
    assert_int_equal(light_status(t, n.token), 401);
    test_node_free(&n);
}

static void two_machines_with_one_identity_are_seen(void **state)
{
    struct fixture *t = *state;
    struct test_node n, copy;

    test_node_join(&t->client, admin(t), "c", NULL, &n);
    copy = n;
    snprintf(copy.machine.instance, sizeof copy.machine.instance, "%s", "0123456789abcdef0123456789abcdef");
    nanosleep(&(struct timespec){ 0, 3000000 }, NULL);
    test_node_session(&t->client, &copy);
    assert_string_equal(json_get_str(node_of(t, &n), "problem", "?"), "");      /* as after a reboot */
    nanosleep(&(struct timespec){ 0, 3000000 }, NULL);
    test_node_session(&t->client, &n);
    assert_non_null(strstr(json_get_str(node_of(t, &n), "problem", ""), "cloned"));
    const struct json *list = keepd_ask(&t->client, admin(t), "GET", "/v1/nodes?problem=true", NULL, 200);
    assert_true(json_len(json_get(list, "items")) >= 1);
    const struct json *audit = keepd_ask(&t->client, admin(t), "GET", "/v1/audit?kind=node&limit=1", NULL, 200);
    assert_string_equal(json_get_str(json_at(json_get(audit, "items"), 0), "action", ""), "cloned");
    test_node_free(&n);
}

/* ---- garbage ------------------------------------------------------------------------------- */

static void garbage_does_not_keep_the_server_busy(void **state)
{
    struct fixture *t = *state;
    struct test_node n, other;
    struct buf envelope;
    int refused = 0, limited = 0;

    test_node_join(&t->client, admin(t), "c", NULL, &n);
    test_node_join(&t->client, admin(t), "c", NULL, &other);
    test_node_envelope(&n, n.node_id, NULL, &envelope);
    char *sig = strstr(envelope.ptr, "\"sig\":");
    assert_non_null(sig);
    sig[20] = sig[20] == 'A' ? 'B' : 'A';
    for (int i = 0; i < 60; i++) {
        int status = test_node_post(&t->client, &envelope);
        refused += status == 401;
        limited += status == 429;
    }
    assert_int_equal(refused + limited, 60);
    assert_true(limited >= 30);
    assert_int_equal(test_node_ask(&t->client, &other), 201);            /* others are not hurt */
    assert_int_equal(status_report(t, n.token, "{}"), 200);              /* nor is the session there is */
    buf_free(&envelope);
    limited = 0;
    for (int i = 0; i < 60; i++) {
        snprintf(n.join, sizeof n.join, "keep_join_garbage%d", i);
        limited += test_node_enroll(&t->client, &n) == 429;
    }
    assert_true(limited >= 30);
    assert_true(metric(t, "keepd_node_refused_total{why=\"too_many\"} ") >= 60);
    test_node_free(&n);
    test_node_free(&other);
}

static void what_is_no_request_is_told_so(void **state)
{
    struct fixture *t = *state;
    static const struct { const char *body; int status; } cases[] = {
        { "", 400 }, { "{}", 400 }, { "[]", 400 }, { "{\"payloadType\":\"x\",\"payload\":\"\",\"signatures\":[]}", 400 },
        { "{\"payloadType\":\"application/vnd.keep.bundle+json\",\"payload\":\"e30=\",\"signatures\":[{\"keyid\":\"a\",\"sig\":\"AAAA\"}]}", 400 },
        { "{\"payloadType\":\"application/vnd.keep.session+json\",\"payload\":\"e30=\",\"signatures\":[{\"keyid\":\"a\",\"sig\":\"AAAA\"},"
          "{\"keyid\":\"b\",\"sig\":\"AAAA\"}]}", 400 },
        { "{\"payloadType\":\"application/vnd.keep.session+json\",\"payload\":\"e30=\",\"signatures\":[{\"keyid\":\"\",\"sig\":\"AAAA\"}]}", 401 },
    };

    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        struct ask ask = { "POST", "/v1/agent/session", NULL, NULL, cases[i].body, strlen(cases[i].body) };
        struct reply r = client_send(&t->client, &ask);
        if (r.status != cases[i].status)
            fail_msg("%s: %d: %.*s", cases[i].body, r.status, (int)r.len, r.body);
    }
    char *large = calloc(1, 20000);
    struct ask ask = { "POST", "/v1/agent/session", NULL, NULL, large, 20000 };
    assert_int_equal(client_send(&t->client, &ask).status, 413);
    client_close(&t->client);
    free(large);
}

/* ---- what people see -------------------------------------------------------------------------- */

static uint32_t count(struct fixture *t, const char *query)
{
    char path[200];

    snprintf(path, sizeof path, "/v1/nodes%s", query);
    return json_len(json_get(keepd_ask(&t->client, admin(t), "GET", path, NULL, 200), "items"));
}

static void nodes_are_found_by_what_they_are(void **state)
{
    struct fixture *t = *state;
    struct test_node n[3];
    char query[100];

    for (int i = 0; i < 3; i++) {
        test_node_init(&n[i]);
        snprintf(n[i].machine.name, sizeof n[i].machine.name, "find-%d", i);
        test_node_invite(&t->client, admin(t), "{\"cluster\":\"found\"}", n[i].join);
        assert_int_equal(test_node_enroll(&t->client, &n[i]), 201);
        if (i > 0)
            test_node_session(&t->client, &n[i]);
    }
    assert_int_equal(status_report(t, n[1].token, "{\"bundle_version\":7,\"bundle_problem\":\"rollback\"}"), 200);
    revoke_node(t, &n[2]);
    assert_int_equal(count(t, "?cluster=found"), 3);
    assert_int_equal(count(t, "?cluster=found&state=invited"), 1);
    assert_int_equal(count(t, "?cluster=found&state=enrolled"), 1);
    assert_int_equal(count(t, "?cluster=found&state=revoked"), 1);
    assert_int_equal(count(t, "?cluster=found&state=silent"), 0);
    assert_int_equal(count(t, "?cluster=found&problem=true"), 1);
    assert_int_equal(count(t, "?cluster=found&bundle_version=7"), 1);
    assert_int_equal(count(t, "?cluster=found&bundle_version=0"), 2);
    assert_int_equal(count(t, "?q=find-"), 3);
    assert_int_equal(count(t, "?q=find-2"), 1);
    snprintf(query, sizeof query, "?q=%.10s", n[0].node_id);
    assert_int_equal(count(t, query), 1);
    keepd_ask(&t->client, admin(t), "GET", "/v1/nodes?bundle_version=x", NULL, 400);
    char cursor[200] = "";
    for (int i = 0; i < 3; i++) {
        char path[400], name[32];
        snprintf(path, sizeof path, "/v1/nodes?cluster=found&limit=1%s%s", cursor[0] != '\0' ? "&cursor=" : "", cursor);
        const struct json *page = keepd_ask(&t->client, admin(t), "GET", path, NULL, 200);
        snprintf(name, sizeof name, "find-%d", i);
        assert_string_equal(json_get_str(json_at(json_get(page, "items"), 0), "name", ""), name);
        snprintf(cursor, sizeof cursor, "%s", json_get_str(page, "next", ""));
    }
    assert_string_equal(cursor, "");
    for (int i = 0; i < 3; i++)
        test_node_free(&n[i]);
}

static void a_report_is_shown_as_it_came(void **state)
{
    struct fixture *t = *state;
    static const char report[] =
        "{\"bundle_version\":3,\"bundle_age_s\":9,\"spool_bytes\":4096,\"spool_events\":12,\"drops\":[{\"class\":\"flow\",\"reason\":\"spool_full\",\"count\":5}],"
        "\"sources\":[{\"name\":\"falco\",\"state\":\"ok\",\"events\":100}],\"walls\":{\"rung\":\"lsm\",\"reasons\":[{\"rung\":\"lsm\",\"why\":\"bpf is there\"}],"
        "\"profiles\":2,\"lease_s\":60,\"drops\":0},\"rss_kib\":4000,\"cpu_ms\":70}";
    struct test_node n;

    test_node_join(&t->client, admin(t), "c", NULL, &n);
    assert_int_equal(status_report(t, n.token, report), 200);
    const struct json *node = node_of(t, &n), *status = json_get(node, "status");
    assert_int_equal(json_int(json_get(node, "bundle_version"), 0), 3);
    assert_int_equal(json_int(json_get(status, "spool_events"), 0), 12);
    assert_string_equal(json_get_str(json_path(status, "walls"), "rung", ""), "lsm");
    assert_non_null(strstr(json_get_str(node, "problem", ""), "5 dropped"));
    assert_int_equal(status_report(t, n.token, report), 200);             /* the same sum: none since */
    assert_string_equal(json_get_str(node_of(t, &n), "problem", "?"), "");
    assert_int_equal(status_report(t, n.token, "{\"unknown\":1}"), 400);
    test_node_free(&n);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_comes_by_an_invitation_and_is_enrolled_once_it_proved_its_key),
        cmocka_unit_test(an_invitation_that_is_over_says_why),
        cmocka_unit_test(a_lost_answer_costs_no_use_and_makes_no_second_node),
        cmocka_unit_test(uses_are_counted_exactly_under_concurrency),
        cmocka_unit_test(the_answer_has_a_command_ready_to_type),
        cmocka_unit_test(a_request_is_good_only_for_the_node_that_signed_it),
        cmocka_unit_test(a_copied_request_gets_no_session_also_after_a_restart),
        cmocka_unit_test(a_wrong_clock_is_shown_and_locks_nobody_out),
        cmocka_unit_test(a_revoked_node_is_refused_at_once_on_every_route),
        cmocka_unit_test(a_changed_token_is_no_token),
        cmocka_unit_test(two_machines_with_one_identity_are_seen),
        cmocka_unit_test(nodes_are_found_by_what_they_are),
        cmocka_unit_test(a_report_is_shown_as_it_came),
        cmocka_unit_test(what_is_no_request_is_told_so),
        cmocka_unit_test(garbage_does_not_keep_the_server_busy),
    };

    return cmocka_run_group_tests_name("nodes", tests, fixture_open, fixture_close);
}
