/* Events of nodes: every number of a stream is stored or accounted for exactly once,
 * whatever is repeated, overlaps, jumps or is killed; hostile batches store nothing. */
#include "tests/flow/events.h"

#include "base/base64.h"

#include <sys/wait.h>
#include <unistd.h>

static void a_batch_is_stored_once(void **state)
{
    struct node_fixture *t = *state;
    const struct batch_spec s = batch_of(stream_a, 1, 100);

    send_expect_through(t, &s, 100);
    assert_int_equal(rows_of(t, "events"), 100);
    send_expect_through(t, &s, 100);
    send_expect_through(t, &s, 100);
    assert_int_equal(rows_of(t, "events"), 100);
}

static void what_overlaps_adds_only_what_is_new(void **state)
{
    struct node_fixture *t = *state;
    const struct batch_spec s = batch_of(stream_a, 51, 100);

    send_expect_through(t, &s, 150);
    assert_int_equal(rows_of(t, "events"), 150);
}

static int64_t node_number(struct node_fixture *t, const char *key)
{
    char path[128];

    snprintf(path, sizeof path, "/v1/nodes/%s", t->node.node_id);
    return json_int(json_get(keepd_ask(&t->f.client, as(t, ROLE_VIEWER), "GET", path, NULL, 200), key), -1);
}

static void a_jump_is_refused_counted_and_alerted(void **state)
{
    struct node_fixture *t = *state;
    struct batch_spec s = batch_of(stream_a, 200, 10);

    const struct json *problem = send_batch(t, &s, 409);
    assert_int_equal(json_int(json_get(problem, "expected_seq"), -1), 151);
    assert_string_equal(json_get_str(problem, "type", ""), "/problems/conflict");
    assert_int_equal(rows_of(t, "events"), 150);
    const struct json *alert = first_item(get(&t->f, "/v1/alerts?rule=node/sequence_jump", 200));
    assert_non_null(alert);
    assert_string_equal(json_get_str(alert, "node", ""), t->node.node_id);
    s.first = 151;
    s.n = 10;
    send_expect_through(t, &s, 160);
    assert_int_equal(rows_of(t, "events"), 160);
}

static void drops_close_the_account_and_are_shown(void **state)
{
    struct node_fixture *t = *state;
    struct batch_spec s = batch_of(stream_a, 161, 5);

    s.dropped = "[{\"class\":\"low\",\"reason\":\"spool full\",\"count\":20},{\"class\":\"critical\",\"reason\":\"spool full\",\"count\":5}]";
    s.n_dropped = 25;
    send_expect_through(t, &s, 190);
    send_expect_through(t, &s, 190);
    assert_int_equal(rows_of(t, "events"), 165);
    assert_int_equal(rows_of(t, "node_drops"), 2);
    assert_int_equal(node_number(t, "events_dropped"), 25);
    assert_int_equal(node_number(t, "events"), 165);
    assert_int_equal(node_number(t, "batches_refused"), 1);
    assert_non_null(first_item(get(&t->f, "/v1/alerts?rule=node/drops&severity=error", 200)));
}

static void a_new_stream_begins_at_one_and_an_old_one_is_remembered(void **state)
{
    struct node_fixture *t = *state;
    struct batch_spec s = batch_of(stream_b, 5, 10);

    send_batch(t, &s, 409);
    s.first = 1;
    send_expect_through(t, &s, 10);
    const struct json *alert = first_item(get(&t->f, "/v1/alerts?rule=node/new_stream", 200));
    assert_non_null(alert);
    assert_int_equal(rows_of(t, "events"), 175);
    s = batch_of(stream_a, 101, 60);                  /* late, and stored long ago */
    send_expect_through(t, &s, 190);
    assert_int_equal(rows_of(t, "events"), 175);
}

static void an_event_is_joined_to_its_image_by_its_container(void **state)
{
    struct node_fixture *t = *state;
    char path[200];

    snprintf(path, sizeof path, "/v1/events?container=%.12s&limit=5", container_base);
    const struct json *e = first_item(get(&t->f, path, 200));
    assert_non_null(e);
    assert_string_equal(json_get_str(e, "image_by", ""), "container");
    assert_string_equal(json_get_str(e, "repository", ""), "shop.example/app");
    assert_string_equal(json_str(json_path(e, "event.kind"), ""), "exec");
}

static void lists_are_paged_to_their_end(void **state)
{
    struct node_fixture *t = *state;
    char path[300] = "/v1/events?limit=50";
    int64_t last = INT64_MAX, n = 0;

    for (int page = 0; page < 10; page++) {
        const struct json *list = get(&t->f, path, 200), *items = json_get(list, "items");
        for (uint32_t i = 0; i < json_len(items); i++, n++) {
            char at[TIME_TEXT];
            int64_t at_ms;
            snprintf(at, sizeof at, "%s", json_str(json_path(json_at(items, i), "event.at"), ""));
            assert_true(time_parse(at, &at_ms) && at_ms <= last);
            last = at_ms;
        }
        const char *next = json_get_str(list, "next", NULL);
        if (next == NULL)
            break;
        snprintf(path, sizeof path, "/v1/events?limit=50&cursor=%s", next);
    }
    assert_int_equal(n, 175);
}

static void filters_find_what_they_say(void **state)
{
    struct node_fixture *t = *state;
    char path[300];

    assert_null(first_item(get(&t->f, "/v1/events?kind=listen", 200)));
    assert_null(first_item(get(&t->f, "/v1/events?severity=error", 200)));
    assert_null(first_item(get(&t->f, "/v1/events?until=2020-01-01T00:00:00Z", 200)));
    assert_null(first_item(get(&t->f, "/v1/events?since=2099-01-01T00:00:00Z", 200)));
    assert_null(first_item(get(&t->f, "/v1/events?node=nobody", 200)));
    snprintf(path, sizeof path, "/v1/events?node=%s&kind=exec", t->node.node_id);
    assert_non_null(first_item(get(&t->f, path, 200)));
    char digest[72];
    image_digest(1, digest);
    snprintf(path, sizeof path, "/v1/events?image=%s", digest);
    assert_non_null(first_item(get(&t->f, path, 200)));
}

/* ---- hostile ------------------------------------------------------------------------- */

static void refused(struct node_fixture *t, const char *body, int status, const char *says)
{
    struct ask ask = { "POST", "/v1/agent/events", t->node.token, "Content-Type: application/json\r\n", body, strlen(body) };
    struct table_counts before, after;

    keepd_count(&t->f.keepd, &before);
    struct reply r = client_send(&t->f.client, &ask);
    const struct json *problem = client_json(&t->f.client, &r);
    if (r.status != status || strstr(json_get_str(problem, "detail", ""), says) == NULL)
        fail_msg("%.80s: expected %d %s, got %d %.*s", body, status, says, r.status, (int)(r.len < 400 ? r.len : 400), r.body != NULL ? r.body : "");
    keepd_count(&t->f.keepd, &after);
    assert_true(table_counts_equal(&before, &after, NULL));
}

#define HEAD "{\"stream\":\"0123456789abcdef0123456789abcdef\",\"first_seq\":191,\"last_seq\":192,\"events\":["
#define EVENT(seq) "{\"seq\":" seq ",\"at\":\"2026-11-25T13:00:00Z\",\"source\":\"falco\",\"kind\":\"exec\",\"severity\":6,\"count\":1}"

static void a_wrong_account_stores_nothing(void **state)
{
    struct node_fixture *t = *state;

    refused(t, HEAD EVENT("191") "]}", 400, "first_seq to last_seq");
    refused(t, HEAD EVENT("191") "," EVENT("191") "]}", 400, "$.events[1].seq");
    refused(t, HEAD EVENT("192") "," EVENT("191") "]}", 400, "$.events[1].seq");
    refused(t, HEAD EVENT("0") "," EVENT("191") "]}", 400, "$.events[0].seq");
    refused(t, HEAD EVENT("191") "," EVENT("9") "]}", 400, "$.events[1].seq");
    refused(t, HEAD EVENT("191") "],\"dropped\":[{\"class\":\"low\",\"reason\":\"x\",\"count\":9007199254740992}]}", 400, "first_seq to last_seq");
    refused(t, HEAD EVENT("191") "],\"dropped\":[{\"class\":\"low\",\"reason\":\"x\",\"count\":9223372036854775807}]}", 400, "$.dropped[0].count");
    refused(t, "{\"stream\":\"0123456789abcdef0123456789abcdef\",\"first_seq\":192,\"last_seq\":191,\"events\":[]}", 400, "last_seq");
    refused(t, "{\"stream\":\"0123456789ABCDEF0123456789abcdef\",\"first_seq\":1,\"last_seq\":1,\"events\":[" EVENT("1") "]}", 400, "$.stream");
    refused(t, HEAD EVENT("191") "," EVENT("192") "],\"more\":1}", 400, "more");
    refused(t, HEAD "\"\\u0000\"]}", 400, "");
    refused(t, "", 400, "");
}

static void ten_megabytes_are_refused_before_they_are_read(void **state)
{
    struct node_fixture *t = *state;
    struct buf b;

    buf_init(&b, 12 << 20);
    buf_puts(&b, HEAD "{\"seq\":191,\"source\":\"falco\",\"kind\":\"exec\",\"severity\":6,\"count\":1,\"message\":\"");
    while (b.len < 10 << 20)
        buf_puts(&b, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    buf_puts(&b, "\"}]}");
    struct ask ask = { "POST", "/v1/agent/events", t->node.token, "Content-Type: application/json\r\n", b.ptr, b.len };
    int status = client_send(&t->f.client, &ask).status;
    assert_true(status == 413 || status == 0);        /* it may hang up on what it does not read */
    node_fixture_reconnect(t);

    /* packed small, too */
    struct buf packed;
    struct err err;
    buf_init(&packed, 16 << 20);
    assert_int_equal(gzip_deflate(b.ptr, b.len, 9, &packed, &err), 0);
    ask = (struct ask){ "POST", "/v1/agent/events", t->node.token, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", packed.ptr, packed.len };
    assert_int_equal(client_send(&t->f.client, &ask).status, 413);
    assert_int_equal(rows_of(t, "events"), 175);
    buf_free(&b);
    buf_free(&packed);
}

static void markup_and_control_characters_stay_text(void **state)
{
    struct node_fixture *t = *state;
    static const char body[] =
        "{\"stream\":\"0123456789abcdef0123456789abcdef\",\"first_seq\":191,\"last_seq\":191,\"events\":[{\"seq\":191,\"at\":\"2026-11-25T13:00:00Z\","
        "\"source\":\"falco\",\"kind\":\"exec\",\"severity\":4,\"count\":1,\"rule\":\"<script>alert(1)</script>\",\"message\":\"\\u001b[2J\\u0007 <b>\\\"'</b> \\u202e\","
        "\"process\":{\"exe\":\"/tmp/<img src=x onerror=alert(1)>\"}}]}";
    struct ask ask = { "POST", "/v1/agent/events", t->node.token, "Content-Type: application/json\r\n", body, sizeof body - 1 };

    assert_int_equal(client_send(&t->f.client, &ask).status, 200);
    const struct json *alert = first_item(get(&t->f, "/v1/alerts?q=%3Cscript%3E", 200));
    assert_string_equal(json_get_str(alert, "rule", ""), "falco/<script>alert(1)</script>");
    assert_string_equal(json_get_str(alert, "subject", ""), "/tmp/<img src=x onerror=alert(1)>");
    struct ask list = { "GET", "/v1/alerts", as(t, ROLE_VIEWER), NULL, NULL, 0 };
    struct reply r = client_send(&t->f.client, &list);
    for (size_t i = 0; i < r.len; i++)
        assert_true((unsigned char)r.body[i] >= 0x20);
    char type[64];
    assert_true(reply_header(&r, "Content-Type", type, sizeof type) && str_starts(type, "application/json"));
}

/* A clock that is wrong must not keep its events on top for ever, nor hide them. */
static void an_event_of_the_future_is_listed_when_it_came(void **state)
{
    struct node_fixture *t = *state;
    static const char body[] = "{\"stream\":\"0123456789abcdef0123456789abcdef\",\"first_seq\":192,\"last_seq\":193,\"events\":["
        "{\"seq\":192,\"at\":\"2099-01-01T00:00:00Z\",\"source\":\"falco\",\"kind\":\"dns\",\"severity\":6,\"count\":1},"
        "{\"seq\":193,\"source\":\"falco\",\"kind\":\"dns\",\"severity\":6,\"count\":1}]}";
    struct ask ask = { "POST", "/v1/agent/events", t->node.token, "Content-Type: application/json\r\n", body, sizeof body - 1 };

    assert_int_equal(client_send(&t->f.client, &ask).status, 200);
    assert_null(first_item(get(&t->f, "/v1/events?since=2090-01-01T00:00:00Z", 200)));
    const struct json *list = get(&t->f, "/v1/events?kind=dns", 200);
    assert_int_equal(json_len(json_get(list, "items")), 2);
}

static void a_forged_or_revoked_node_stores_nothing(void **state)
{
    struct node_fixture *t = *state;
    const struct batch_spec s = batch_of(stream_a, 194, 5);
    char path[128], token[256];
    int64_t rows = rows_of(t, "events");

    batch_make(&s, &t->json);
    snprintf(token, sizeof token, "%s", t->node.token);
    token[strlen(token) / 2] ^= 1;
    assert_int_equal(batch_post(&t->f.client, token, &t->json, true).status, 401);
    assert_int_equal(batch_post(&t->f.client, as(t, ROLE_AGENT), &t->json, true).status, 403);
    snprintf(path, sizeof path, "/v1/nodes/%s", t->node.node_id);
    keepd_ask(&t->f.client, as(t, ROLE_ADMIN), "DELETE", path, NULL, 204);
    int status = batch_post(&t->f.client, t->node.token, &t->json, true).status;
    assert_true(status == 401 || status == 403);
    assert_int_equal(rows_of(t, "events"), rows);
}

/* ---- kills and overload ----------------------------------------------------------------- */

/* What was answered is stored, after kill -9 at any moment; what is sent again changes nothing. */
static void acknowledged_is_stored_after_kill(void **state)
{
    struct node_fixture t = { 0 };
    int64_t acknowledged = 0;

    (void)state;
    node_fixture_start(&t, NULL);
    for (int round = 0; round < 6; round++) {
        pid_t killer = fork();
        if (killer == 0) {
            nanosleep(&(struct timespec){ .tv_nsec = 60000000 + round * 37000000 }, NULL);
            kill(t.f.keepd.pid, SIGKILL);
            _exit(0);
        }
        for (;;) {
            const struct batch_spec s = batch_of(stream_a, acknowledged + 1, 40);
            batch_make(&s, &t.json);
            struct reply r = batch_post(&t.f.client, t.node.token, &t.json, true);
            if (r.status == 0)
                break;
            assert_int_equal(r.status, 200);
            acknowledged = json_int(json_get(client_json(&t.f.client, &r), "accepted_through"), -1);
        }
        waitpid(killer, NULL, 0);
        keepd_stop(&t.f.keepd, SIGKILL, 5000);
        keepd_start(&t.f.keepd);
        node_fixture_reconnect(&t);
        int64_t rows = rows_of(&t, "events");
        assert_true(rows == acknowledged || rows == acknowledged + 40);       /* the answer may have been lost */
        const struct batch_spec again = batch_of(stream_a, acknowledged + 1, 40);
        send_expect_through(&t, &again, acknowledged + 40);
        acknowledged += 40;
        assert_int_equal(rows_of(&t, "events"), acknowledged);
    }
    printf("    %" PRId64 " events acknowledged and stored over 6 kills\n", acknowledged);
    void *self = &t;
    client_free(&t.f.client);
    buf_free(&t.f.body);
    buf_free(&t.json);
    test_node_free(&t.node);
    keepd_close(&t.f.keepd);
    (void)self;
}

/* Old events go in portions while new ones come; the numbers of the stream stay exact. */
static void retention_keeps_the_newest_while_events_come(void **state)
{
    static const char *const settings[] = { "KEEP_RETAIN_EVENTS=1000", NULL };
    struct node_fixture t = { 0 };
    int64_t rows = 0;

    (void)state;
    node_fixture_start(&t, settings);
    for (int64_t first = 1; first < 20000; first += 500) {
        const struct batch_spec s = batch_of(stream_a, first, 500);
        send_expect_through(&t, &s, first + 499);
    }
    for (int i = 0; i < 100 && (rows = rows_of(&t, "events")) != 1000; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    assert_int_equal(rows, 1000);
    const struct batch_spec again = batch_of(stream_a, 1, 500);
    send_expect_through(&t, &again, 20000);               /* forgotten, but not forgotten that it was stored */
    const struct json *newest = first_item(get(&t.f, "/v1/events?limit=1", 200));
    assert_int_equal(json_int(json_get(newest, "seq"), 0), 20000);
    client_free(&t.f.client);
    buf_free(&t.f.body);
    buf_free(&t.json);
    test_node_free(&t.node);
    keepd_close(&t.f.keepd);
}

enum { PRESSERS = 24, PRESSED_BATCHES = 12, PRESSED_EVENTS = 200 };

struct presser {
    int port, busy, without_retry_after;
    struct test_node node;
};

static int press(struct presser *p)
{
    struct client c;
    struct buf json;

    client_init(&c, p->port);
    buf_init(&json, 8 << 20);
    for (int i = 0; i < PRESSED_BATCHES;) {
        const struct batch_spec s = batch_of(stream_a, (int64_t)i * PRESSED_EVENTS + 1, PRESSED_EVENTS);
        char header[64];
        batch_make(&s, &json);
        struct reply r = batch_post(&c, p->node.token, &json, true);
        if (r.status == 200) {
            i++;
        } else if (r.status == 503) {
            p->busy++;
            p->without_retry_after += !reply_header(&r, "Retry-After", header, sizeof header);
            nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
        } else {
            return 1;
        }
    }
    client_free(&c);
    buf_free(&json);
    return p->without_retry_after > 0 ? 2 : p->busy > 0 ? 10 : 0;
}

/* More senders than the queues take: some are told to wait, and nobody loses anything. */
static void overload_says_wait_and_loses_nothing(void **state)
{
    static const char *const settings[] = { "KEEP_QUEUE_WORK=4", "KEEP_THREADS_WORKERS=2", "KEEP_QUEUE_WRITE=2", NULL };
    static struct presser pressers[PRESSERS];
    struct node_fixture t = { 0 };
    pid_t pids[PRESSERS];
    int busy = 0;

    (void)state;
    node_fixture_start(&t, settings);
    for (int i = 0; i < PRESSERS; i++) {
        test_node_join(&t.f.client, as(&t, ROLE_ADMIN), "prod", NULL, &pressers[i].node);
        pressers[i].port = t.f.keepd.port;
    }
    for (int i = 0; i < PRESSERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(press(&pressers[i]));
    }
    for (int i = 0; i < PRESSERS; i++) {
        int status;
        waitpid(pids[i], &status, 0);
        assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 10));
        busy += WEXITSTATUS(status) == 10;
        test_node_free(&pressers[i].node);
    }
    assert_true(busy > 0);
    assert_int_equal(rows_of(&t, "events"), PRESSERS * PRESSED_BATCHES * PRESSED_EVENTS);
    client_free(&t.f.client);
    buf_free(&t.f.body);
    buf_free(&t.json);
    test_node_free(&t.node);
    keepd_close(&t.f.keepd);
}

/* ---- Falco ----------------------------------------------------------------------------------- */

static const char falco[] =
    "{\"uuid\":\"%s\",\"output\":\"13:00:00.1: Notice A shell was spawned\",\"priority\":\"Warning\",\"rule\":\"Terminal shell in container\","
    "\"time\":\"2026-11-25T13:00:00.%09dZ\",\"output_fields\":{\"container.id\":\"c0ffee00c0ff\",\"container.image.repository\":\"shop.example/app\","
    "\"container.image.tag\":\"1.0\",\"proc.exepath\":\"/bin/bash\",\"proc.name\":\"bash\",\"evt.type\":\"execve\"},\"source\":\"syscall\",\"tags\":[\"shell\"],"
    "\"hostname\":\"elsewhere\"}";

static void falco_is_taken_straight_and_once(void **state)
{
    struct node_fixture *t = *state;
    char body[1024];
    int64_t rows = rows_of(t, "events");

    for (int i = 0; i < 3; i++) {
        snprintf(body, sizeof body, falco, "", i / 2);
        bool stored = json_bool(json_get(keepd_ask(&t->f.client, as(t, ROLE_AGENT), "POST", "/v1/falco", body, 200), "stored"), false);
        assert_int_equal(stored, i != 1);
    }
    assert_int_equal(rows_of(t, "events"), rows + 2);
    const struct json *alert = first_item(get(&t->f, "/v1/alerts?rule=falco/Terminal*", 200));
    assert_int_equal(json_int(json_get(alert, "count"), 0), 2);
    assert_string_equal(json_get_str(alert, "kind", ""), "foreign");
    assert_string_equal(json_get_str(alert, "repository", ""), "shop.example/app");
    const struct json *e = first_item(get(&t->f, "/v1/events?severity=warning&limit=1", 200));
    assert_string_equal(json_get_str(e, "image_by", ""), "reference");
    keepd_ask(&t->f.client, as(t, ROLE_AGENT), "POST", "/v1/falco", "{\"not\":\"falco\"}", 400);
    keepd_ask(&t->f.client, as(t, ROLE_AGENT), "POST", "/v1/falco", "no json", 400);
    assert_int_equal(rows_of(t, "events"), rows + 2);
}

/* As Falco's libcurl does with https://keep:TOKEN@host/v1/falco. */
static void falco_says_who_it_is_in_its_address(void **state)
{
    struct node_fixture *t = *state;
    static const struct { enum role role; int status; } rows[] = { { ROLE_AGENT, 200 }, { ROLE_ADMIN, 401 }, { ROLE_CI, 401 } };
    char body[1024], plain[300], coded[500], header[600];

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        snprintf(body, sizeof body, falco, "", 700 + (int)i);
        snprintf(plain, sizeof plain, "keep:%s", as(t, rows[i].role));
        base64_encode(plain, strlen(plain), BASE64_STD, coded);
        snprintf(header, sizeof header, "Content-Type: application/json\r\nAuthorization: Basic %s\r\n", coded);
        struct ask ask = { "POST", "/v1/falco", NULL, header, body, strlen(body) };
        assert_int_equal(client_send(&t->f.client, &ask).status, rows[i].status);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_stored_once),
        cmocka_unit_test(what_overlaps_adds_only_what_is_new),
        cmocka_unit_test(a_jump_is_refused_counted_and_alerted),
        cmocka_unit_test(drops_close_the_account_and_are_shown),
        cmocka_unit_test(a_new_stream_begins_at_one_and_an_old_one_is_remembered),
        cmocka_unit_test(an_event_is_joined_to_its_image_by_its_container),
        cmocka_unit_test(lists_are_paged_to_their_end),
        cmocka_unit_test(filters_find_what_they_say),
        cmocka_unit_test(a_wrong_account_stores_nothing),
        cmocka_unit_test(ten_megabytes_are_refused_before_they_are_read),
        cmocka_unit_test(markup_and_control_characters_stay_text),
        cmocka_unit_test(falco_is_taken_straight_and_once),
        cmocka_unit_test(falco_says_who_it_is_in_its_address),
        cmocka_unit_test(an_event_of_the_future_is_listed_when_it_came),
        cmocka_unit_test(a_forged_or_revoked_node_stores_nothing),
    };
    static const struct CMUnitTest alone[] = {
        cmocka_unit_test(acknowledged_is_stored_after_kill),
        cmocka_unit_test(retention_keeps_the_newest_while_events_come),
        cmocka_unit_test(overload_says_wait_and_loses_nothing),
    };

    int failed = cmocka_run_group_tests_name("events", tests, node_fixture_open, node_fixture_close);
    return failed + cmocka_run_group_tests_name("events under attack", alone, NULL, NULL);
}
