/* Nodes that lie, replay, flood and stall, at a real keepd: what they do is contained,
 * honest nodes go on, and it is shown where: on the node's page, as an alert, in the
 * metrics.  Forged and copied requests for sessions are in nodes.c, batches that do not
 * add up and 10 MB of events in events.c, a flood of alerts by one node in alerts.c. */
#include "tests/flow/events.h"
#include "tests/flow/run_ctl.h"

#include <pthread.h>

static char out[400000];

static int64_t metric(struct node_fixture *t, const char *name)
{
    struct ask ask = { "GET", "/metrics", NULL, NULL, NULL, 0 };
    struct reply r = client_send(&t->f.client, &ask);
    char *copy = strndup(r.body, r.len), line[160];
    snprintf(line, sizeof line, "\n%s", name);
    const char *at = strstr(copy, line);
    int64_t value = at != NULL ? strtoll(at + strlen(line), NULL, 10) : -1;

    free(copy);
    return value;
}

static const struct json *node_page(struct node_fixture *t, const struct test_node *n)
{
    char path[128];

    snprintf(path, sizeof path, "/v1/nodes/%s", n->node_id);
    return get(&t->f, path, 200);
}

static int64_t node_int(struct node_fixture *t, const struct test_node *n, const char *key)
{
    return json_int(json_get(node_page(t, n), key), -1);
}

/* The alert of this rule about this node; how many of them there are must be one. */
static const struct json *alert_about(struct node_fixture *t, const char *rule, const struct test_node *n)
{
    char path[160];
    const struct json *found = NULL;
    int count = 0;

    snprintf(path, sizeof path, "/v1/alerts?limit=200&rule=%s", rule);
    const struct json *items = json_get(get(&t->f, path, 200), "items");
    for (uint32_t i = 0; i < json_len(items); i++) {
        if (!str_eq(text_at(json_at(items, i), "node"), n->node_id))
            continue;
        found = json_at(items, i);
        count++;
    }
    if (count != 1)
        fail_msg("%d alerts %s about the node", count, rule);
    return found;
}

static int post(struct node_fixture *t, const struct test_node *n, const char *path, const char *body)
{
    struct ask ask = { "POST", path, n->token, "Content-Type: application/json\r\n", body, strlen(body) };

    return client_send(&t->f.client, &ask).status;
}

static void join(struct node_fixture *t, struct test_node *n)
{
    test_node_join(&t->f.client, as(t, ROLE_ADMIN), "prod", NULL, n);
}

/* ---- a token that was stolen ------------------------------------------------------------ */

static const struct { const char *method, *path, *headers, *body; } agent_routes[] = {
    { "GET", "/v1/agent/root/1", NULL, NULL },
    { "GET", "/v1/agent/bundle", NULL, NULL },
    { "GET", "/v1/agent/bundle?applied=1", "Prefer: wait=30\r\nIf-None-Match: \"x\"\r\n", NULL },
    { "POST", "/v1/agent/inventory", "Content-Type: application/json\r\n", "{\"generation\":1,\"base\":0,\"containers\":[],\"gone\":[]}" },
    { "POST", "/v1/agent/events", "Content-Type: application/json\r\n",
      "{\"stream\":\"00000000000000000000000000000001\",\"first_seq\":1,\"last_seq\":1,\"events\":[{\"seq\":1,\"source\":\"falco\",\"kind\":\"exec\",\"severity\":2,\"count\":1}]}" },
    { "POST", "/v1/agent/status", "Content-Type: application/json\r\n", "{}" },
    { "POST", "/v1/falco", "Content-Type: application/json\r\n",
      "{\"output\":\"x\",\"priority\":\"Critical\",\"rule\":\"r\",\"time\":\"2026-11-25T13:00:00Z\",\"output_fields\":{\"proc.name\":\"x\"}}" },
};

struct holder { int port, status; const char *token; };

static void *hold(void *arg)
{
    struct holder *h = arg;
    struct client c;

    client_init(&c, h->port);
    c.timeout_ms = 20000;
    struct reply r = client_send(&c, &(struct ask){ "GET", "/v1/agent/bundle", h->token, NULL, NULL, 0 });
    char etag[160] = "", headers[300];
    (void)reply_header(&r, "ETag", etag, sizeof etag);
    snprintf(headers, sizeof headers, "If-None-Match: %s\r\nPrefer: wait=4\r\n", etag);
    h->status = client_send(&c, &(struct ask){ "GET", "/v1/agent/bundle", h->token, headers, NULL, 0 }).status;
    client_free(&c);
    return NULL;
}

static void stolen_token_opens_nothing_once_its_node_is_revoked(void **state)
{
    struct node_fixture *t = *state;
    struct table_counts before, after;
    struct test_node n;
    pthread_t thread;
    char path[128];

    join(t, &n);
    for (size_t i = 0; i < N_ITEMS(agent_routes); i++) {
        struct ask ask = { agent_routes[i].method, agent_routes[i].path, n.token, agent_routes[i].headers, agent_routes[i].body,
                           agent_routes[i].body != NULL ? strlen(agent_routes[i].body) : 0 };
        assert_int_equal(client_send(&t->f.client, &ask).status, 200);
    }
    struct holder h = { .port = t->f.keepd.port, .token = n.token };
    pthread_create(&thread, NULL, hold, &h);
    nap_ms(500);
    snprintf(path, sizeof path, "/v1/nodes/%s", n.node_id);
    send_json(&t->f, "DELETE", path, NULL, 204);
    int64_t refused = metric(t, "keepd_node_refused_total{why=\"revoked\"} ");
    keepd_count(&t->f.keepd, &before);
    for (size_t i = 0; i < N_ITEMS(agent_routes); i++) {
        struct ask ask = { agent_routes[i].method, agent_routes[i].path, n.token, agent_routes[i].headers, agent_routes[i].body,
                           agent_routes[i].body != NULL ? strlen(agent_routes[i].body) : 0 };
        int status = client_send(&t->f.client, &ask).status;
        if (status != 401)
            fail_msg("%s %s: %d", agent_routes[i].method, agent_routes[i].path, status);
    }
    pthread_join(thread, NULL);
    assert_int_equal(h.status, 401);                      /* the poll that was held when it was revoked */
    keepd_count(&t->f.keepd, &after);
    assert_true(table_counts_equal(&before, &after, NULL));
    assert_true(metric(t, "keepd_node_refused_total{why=\"revoked\"} ") >= refused + (int64_t)N_ITEMS(agent_routes));
    assert_string_equal(text_at(node_page(t, &n), "state"), "revoked");
    test_node_free(&n);
}

/* ---- speaking of others --------------------------------------------------------------------- */

static void node_that_speaks_of_another_is_recorded_as_itself(void **state)
{
    struct node_fixture *t = *state;
    struct batch_spec s = batch_of(stream_a, 1, 5);
    struct test_node liar;
    char body[1000], path[200];

    join(t, &liar);
    int64_t honest = node_int(t, &t->node, "events");          /* none came by another way yet */
    batch_make(&s, &t->json);                             /* says the other node's name, container and image */
    assert_int_equal(batch_post(&t->f.client, liar.token, &t->json, true).status, 200);
    snprintf(path, sizeof path, "/v1/events?node=%s", liar.node_id);
    const struct json *e = first_item(get(&t->f, path, 200));
    assert_non_null(e);
    assert_string_equal(text_at(e, "node"), liar.node_id);
    assert_string_not_equal(text_at(e, "image_by"), "container");         /* it runs no such container */
    assert_int_equal(node_int(t, &liar, "events"), 5);
    assert_int_equal(node_int(t, &t->node, "events"), honest);
    snprintf(path, sizeof path, "/v1/events?node=%s", t->node.node_id);
    assert_int_equal(json_len(json_get(get(&t->f, path, 200), "items")), honest);

    /* a container of the same id: both are there, each where it was said */
    snprintf(body, sizeof body, "{\"generation\":1,\"base\":0,\"containers\":[{\"id\":\"%s0000\",\"name\":\"mine\",\"image\":\"evil.example/x:1\",\"engine\":\"crun\"}]}",
             container_base);
    assert_int_equal(post(t, &liar, "/v1/agent/inventory", body), 200);
    snprintf(path, sizeof path, "/v1/containers/%s/%s0000", t->node.node_id, container_base);
    assert_string_equal(text_at(get(&t->f, path, 200), "reference"), "shop.example/app:1.0");
    snprintf(path, sizeof path, "/v1/containers/%s/%s0000", liar.node_id, container_base);
    assert_string_equal(text_at(get(&t->f, path, 200), "reference"), "evil.example/x:1");
    snprintf(body, sizeof body, "{\"generation\":2,\"base\":1,\"gone\":[\"%s0000\"]}", container_base);
    assert_int_equal(post(t, &liar, "/v1/agent/inventory", body), 200);
    snprintf(path, sizeof path, "/v1/containers/%s/%s0000", t->node.node_id, container_base);
    assert_string_equal(text_at(get(&t->f, path, 200), "name"), "shop");

    /* and Falco's host name is nobody's identity either */
    snprintf(body, sizeof body, "{\"uuid\":\"lie-1\",\"hostname\":\"%s\",\"output\":\"x\",\"priority\":\"Informational\",\"rule\":\"r\",\"time\":\"2026-11-25T13:00:00Z\","
             "\"output_fields\":{\"container.id\":\"%.12s\",\"proc.name\":\"x\"}}", t->node.machine.name, container_base);
    assert_int_equal(post(t, &liar, "/v1/falco", body), 200);
    assert_int_equal(node_int(t, &t->node, "events"), honest);
    snprintf(path, sizeof path, "/v1/events?node=%s", liar.node_id);
    assert_int_equal(json_len(json_get(get(&t->f, path, 200), "items")), 6);

    /* what it sent first keeps no event of another out that has the same id */
    struct ask again = { "POST", "/v1/falco", t->node.token, "Content-Type: application/json\r\n", body, strlen(body) };
    struct reply r = client_send(&t->f.client, &again);
    assert_int_equal(r.status, 200);
    assert_true(json_bool(json_get(client_json(&t->f.client, &r), "stored"), false));
    snprintf(path, sizeof path, "/v1/events?node=%s", t->node.node_id);
    assert_int_equal(json_len(json_get(get(&t->f, path, 200), "items")), honest + 1);

    /* nobody is asked who he is */
    snprintf(body, sizeof body, "{\"node_id\":\"%s\",\"generation\":1,\"base\":0,\"containers\":[]}", t->node.node_id);
    assert_int_equal(post(t, &liar, "/v1/agent/inventory", body), 400);
    snprintf(body, sizeof body, "{\"node_id\":\"%s\"}", t->node.node_id);
    assert_int_equal(post(t, &liar, "/v1/agent/status", body), 400);
    test_node_free(&liar);
}

/* Another node's batch, recorded on the way and sent again by somebody else. */
static void batch_of_another_node_is_an_account_of_ones_own(void **state)
{
    struct node_fixture *t = *state;
    struct batch_spec s = batch_of(stream_b, 1, 20);
    struct test_node thief;

    join(t, &thief);
    send_expect_through(t, &s, 20);
    int64_t honest = node_int(t, &t->node, "events"), through = node_int(t, &t->node, "through_seq");
    assert_int_equal(batch_post(&t->f.client, thief.token, &t->json, true).status, 200);
    assert_int_equal(node_int(t, &thief, "events"), 20);
    assert_int_equal(node_int(t, &t->node, "events"), honest);
    assert_int_equal(node_int(t, &t->node, "through_seq"), through);
    s.first = 21;                                          /* and the honest one goes on */
    send_expect_through(t, &s, 40);
    int64_t repeated = metric(t, "keepd_event_batches_repeated_total "), rows = rows_of(t, "events");
    send_expect_through(t, &s, 40);
    assert_int_equal(metric(t, "keepd_event_batches_repeated_total "), repeated + 1);
    assert_int_equal(rows_of(t, "events"), rows);
    test_node_free(&thief);
}

/* ---- two with one identity -------------------------------------------------------------------- */

static void clone_is_shown_and_takes_nothing_from_the_original(void **state)
{
    struct node_fixture *t = *state;
    struct test_node n, copy;
    struct batch_spec s = batch_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, 10), other = batch_of("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 1, 10);

    join(t, &n);
    copy = n;
    snprintf(copy.machine.instance, sizeof copy.machine.instance, "%s", "cccccccccccccccccccccccccccccccc");
    for (int i = 0; i < 3; i++) {
        nap_ms(3);
        test_node_session(&t->f.client, &n);
        batch_make(&s, &t->json);
        assert_int_equal(batch_post(&t->f.client, n.token, &t->json, true).status, 200);
        nap_ms(3);
        test_node_session(&t->f.client, &copy);
        batch_make(&other, &t->json);
        assert_int_equal(batch_post(&t->f.client, copy.token, &t->json, true).status, 200);
        s.first += 10;
        other.first += 10;
    }
    assert_int_equal(node_int(t, &n, "events"), 60);
    assert_int_equal(node_int(t, &n, "batches_refused"), 0);
    assert_non_null(strstr(text_at(node_page(t, &n), "problem"), "cloned"));
    assert_non_null(alert_about(t, "node/new_stream", &n));
    const struct json *items = json_get(get(&t->f, "/v1/nodes?problem=true", 200), "items");
    assert_int_equal(json_len(items), 1);
    assert_string_equal(text_at(json_at(items, 0), "id"), n.node_id);
    test_node_free(&n);
}

/* ---- numbers at their end ------------------------------------------------------------------------ */

static int account(struct node_fixture *t, const struct test_node *n, const char *stream, int64_t first, int64_t last)
{
    char body[400];

    snprintf(body, sizeof body, "{\"stream\":\"%s\",\"first_seq\":%" PRId64 ",\"last_seq\":%" PRId64 ",\"events\":[],"
             "\"dropped\":[{\"class\":\"low\",\"reason\":\"spool_full\",\"count\":%" PRId64 "}]}", stream, first, last, last - first + 1);
    return post(t, n, "/v1/agent/events", body);
}

static void numbers_do_not_run_over(void **state)
{
    struct node_fixture *t = *state;
    static const int64_t most = INT64_C(1) << 53;
    struct test_node n;
    char stream[40];

    join(t, &n);
    assert_int_equal(account(t, &n, "00000000000000000000000000000000", 1, INT64_MAX), 400);
    assert_int_equal(account(t, &n, "00000000000000000000000000000000", 1, most), 200);
    assert_int_equal(account(t, &n, "00000000000000000000000000000000", most + 1, most + 1), 400);      /* its end; nothing stands still */
    for (int i = 1; i <= 1100; i++) {                     /* 1,024 of them are more than an integer holds */
        snprintf(stream, sizeof stream, "%032x", i);
        assert_int_equal(account(t, &n, stream, 1, most), 200);
    }
    assert_true(node_int(t, &n, "events_dropped") > INT64_C(1) << 61);
    const struct json *drops = json_get(node_page(t, &n), "drops");
    assert_int_equal(json_len(drops), 1);
    assert_true(json_int(json_get(json_at(drops, 0), "count"), -1) > INT64_C(1) << 61);
    test_node_free(&n);
}

/* ---- floods ------------------------------------------------------------------------------------------ */

/* Streams, jumps, classes and reasons are words of the node's own. */
static void alerts_about_a_node_are_few_whatever_it_invents(void **state)
{
    struct node_fixture *t = *state;
    struct test_node n;
    char body[400];

    join(t, &n);
    int64_t alerts = rows_of(t, "alerts"), drops = rows_of(t, "node_drops");
    for (int i = 0; i < 150; i++) {
        snprintf(body, sizeof body, "{\"stream\":\"%032x\",\"first_seq\":1,\"last_seq\":1,\"events\":[],"
                 "\"dropped\":[{\"class\":\"invented %d\",\"reason\":\"because %d\",\"count\":1}]}", 0xabcd00 + i, i, i);
        assert_int_equal(post(t, &n, "/v1/agent/events", body), 200);
        snprintf(body, sizeof body, "{\"stream\":\"%032x\",\"first_seq\":7,\"last_seq\":7,\"events\":[],"
                 "\"dropped\":[{\"class\":\"low\",\"reason\":\"r\",\"count\":1}]}", 0xef0000 + i);
        assert_int_equal(post(t, &n, "/v1/agent/events", body), 409);
    }
    assert_in_range(rows_of(t, "alerts") - alerts, 3, 8);
    assert_in_range(rows_of(t, "node_drops") - drops, 1, 66);
    assert_int_equal(node_int(t, &n, "batches_refused"), 150);
    assert_int_equal(json_int(json_get(alert_about(t, "node/new_stream", &n), "count"), 0), 149);
    assert_int_equal(json_int(json_get(alert_about(t, "node/sequence_jump", &n), "count"), 0), 150);
    test_node_free(&n);
}

static void put_flood(struct buf *b, int64_t first, int n, const char *what, int severity)
{
    buf_clear(b);
    buf_printf(b, "{\"stream\":\"dddddddddddddddddddddddddddddddd\",\"first_seq\":%" PRId64 ",\"last_seq\":%" PRId64 ",\"events\":[", first, first + n - 1);
    for (int i = 0; i < n; i++)
        buf_printf(b, "%s{\"seq\":%" PRId64 ",\"at\":\"2026-11-25T13:00:00Z\",\"source\":\"falco\",\"kind\":\"exec\",\"severity\":%d,\"count\":1,\"rule\":\"r\","
                   "\"container\":{\"id\":\"%s0000\",\"image\":\"shop.example/app:1.0\"},\"process\":{\"exe\":\"/%s/%" PRId64 "\"}}",
                   i > 0 ? "," : "", first + i, severity, container_base, what, first + i);
    buf_puts(b, "]}");
}

/* What one image was seen doing is bounded, however many things a node invents; they are doubted. */
static void flood_of_observations_is_bounded_and_shown(void **state)
{
    struct node_fixture *t = *state;
    struct test_node n;

    join(t, &n);
    int64_t ignored = metric(t, "keepd_observed_ignored_total ");
    for (int64_t first = 1; first < 12000; first += 1000) {
        put_flood(&t->json, first, 1000, "invented", 6);
        assert_int_equal(batch_post(&t->f.client, n.token, &t->json, true).status, 200);
    }
    assert_in_range(rows_of(t, "observations"), 100, 4200);
    assert_true(metric(t, "keepd_observed_ignored_total ") >= ignored + 7000);
    const struct batch_spec s = batch_of("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", 1, 50);
    send_expect_through(t, &s, 50);                        /* an honest node goes on */
    test_node_free(&n);
}

static void flood_of_one_node_keeps_no_other_from_raising(void **state)
{
    struct node_fixture *t = *state;
    struct test_node n, honest;

    join(t, &n);
    join(t, &honest);
    for (int64_t first = 1; first < 8000; first += 1000) {
        put_flood(&t->json, first, 1000, "flood", 2);
        assert_int_equal(batch_post(&t->f.client, n.token, &t->json, true).status, 200);
    }
    assert_in_range(rows_of(t, "alerts"), 900, 1100);
    assert_non_null(alert_about(t, "node/alert_flood", &n));
    put_flood(&t->json, 1, 1, "honest", 2);
    assert_int_equal(batch_post(&t->f.client, honest.token, &t->json, true).status, 200);
    const struct json *a = first_item(get(&t->f, "/v1/alerts?q=%2Fhonest%2F", 200));
    assert_non_null(a);
    assert_string_equal(text_at(a, "node"), honest.node_id);
    test_node_free(&n);
    test_node_free(&honest);
}

/* ---- size, and text that is more than text ------------------------------------------------------------- */

static void ten_megabytes_are_refused_on_every_route_of_nodes(void **state)
{
    struct node_fixture *t = *state;
    struct buf b;

    buf_init(&b, 12 << 20);
    buf_puts(&b, "{\"output\":\"");
    while (b.len < 10 << 20)
        buf_puts(&b, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    buf_puts(&b, "\"}");
    for (size_t i = 0; i < N_ITEMS(agent_routes); i++) {
        if (agent_routes[i].body == NULL)
            continue;
        struct ask ask = { "POST", agent_routes[i].path, t->node.token, "Content-Type: application/json\r\n", b.ptr, b.len };
        int status = client_send(&t->f.client, &ask).status;
        if (status != 413 && status != 0)                  /* it may hang up on what it does not read */
            fail_msg("%s: %d", agent_routes[i].path, status);
        node_fixture_reconnect(t);
    }
    assert_int_equal(post(t, &t->node, "/v1/agent/status", "{}"), 200);
    assert_true(keepd_rss_kib(&t->f.keepd, true) < 400 * 1024);
    buf_free(&b);
}

/* Nothing that a terminal would act on; UTF-8 of C1 controls and of text direction neither. */
static void assert_plain(const char *what)
{
    for (const unsigned char *p = (const unsigned char *)out; *p != '\0'; p++) {
        bool c0 = (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f;
        bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;
        bool bidi = p[0] == 0xe2 && p[1] == 0x80 && ((p[2] >= 0xaa && p[2] <= 0xae) || p[2] == 0x8e || p[2] == 0x8f);
        if (c0 || c1 || bidi)
            fail_msg("%s prints %02x %02x %02x:\n%.300s", what, p[0], p[1], p[2], p - (const unsigned char *)out > 100 ? (const char *)p - 100 : out);
    }
}

#define EVIL "\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m\\u202e<script>alert(1)</script>\\r\\n"

static void text_of_nodes_reaches_no_terminal_as_it_is(void **state)
{
    struct node_fixture *t = *state;
    static const char event[] =
        "{\"stream\":\"ffffffffffffffffffffffffffffffff\",\"first_seq\":1,\"last_seq\":1,\"events\":[{\"seq\":1,\"at\":\"2026-11-25T13:00:00Z\",\"source\":\"falco\","
        "\"kind\":\"exec\",\"severity\":1,\"count\":1,\"rule\":\"hostile " EVIL "\",\"message\":\"" EVIL "\",\"node\":\"" EVIL "\","
        "\"container\":{\"id\":\"0123456789ab\",\"name\":\"" EVIL "\",\"image\":\"" EVIL "\"},\"place\":{\"namespace\":\"" EVIL "\",\"pod\":\"" EVIL "\"},"
        "\"process\":{\"exe\":\"/tmp/" EVIL "\",\"args\":\"" EVIL "\",\"user\":\"" EVIL "\",\"parent_exe\":\"" EVIL "\"},\"chain\":[{\"exe\":\"" EVIL "\",\"pid\":1}]}]}";
    static const char status[] = "{\"bundle_problem\":\"" EVIL "\",\"sources\":[{\"name\":\"" EVIL "\",\"state\":\"" EVIL "\",\"events\":1,\"problem\":\"" EVIL "\"}],"
                                 "\"drops\":[{\"class\":\"" EVIL "\",\"reason\":\"" EVIL "\",\"count\":3}]}";
    static const char containers[] = "{\"generation\":1,\"base\":0,\"containers\":[{\"id\":\"hostile\",\"name\":\"" EVIL "\",\"image\":\"" EVIL "\",\"engine\":\"" EVIL "\","
                                     "\"namespace\":\"" EVIL "\",\"pod\":\"" EVIL "\",\"workload\":\"" EVIL "\",\"command\":[\"" EVIL "\"]}]}";
    struct test_node n;
    char id[32];

    test_node_init(&n);
    snprintf(n.machine.name, sizeof n.machine.name, "%s", "host\033[2J\302\2331m");
    snprintf(n.machine.kernel, sizeof n.machine.kernel, "%s", "6.1\033]0;x\007");
    test_node_invite(&t->f.client, as(t, ROLE_ADMIN), "{\"cluster\":\"prod\"}", n.join);
    int enrolled = test_node_enroll(&t->f.client, &n);
    if (enrolled != 201) {                                 /* refused altogether: then with a name that is one */
        assert_int_equal(enrolled, 400);
        machine_read("0.1", &n.machine);
        assert_int_equal(test_node_enroll(&t->f.client, &n), 201);
    }
    test_node_session(&t->f.client, &n);
    assert_int_equal(post(t, &n, "/v1/agent/events", event), 200);
    (void)post(t, &n, "/v1/agent/status", status);
    (void)post(t, &n, "/v1/agent/inventory", containers);
    const struct json *a = first_item(get(&t->f, "/v1/alerts?q=hostile", 200));
    assert_non_null(a);
    assert_non_null(strstr(text_at(a, "rule"), "<script>alert(1)</script>"));     /* kept as data */
    snprintf(id, sizeof id, "%" PRId64, json_int(json_get(a, "id"), 0));
    const char *const commands[][6] = {
        { "alert", "list" }, { "alert", "show", id }, { "alert", "groups" }, { "event", "list", "--limit", "5" }, { "node", "list" },
        { "node", "show", n.node_id }, { "container", "list" }, { "alert", "list", "--output", "json" }, { "event", "list", "--output", "json" },
        { "node", "show", n.node_id, "--output", "json" },
    };
    for (size_t i = 0; i < N_ITEMS(commands); i++) {
        const char *args[8] = { NULL };
        for (size_t k = 0; k < N_ITEMS(commands[i]) && commands[i][k] != NULL; k++)
            args[k] = commands[i][k];
        int rc = run_ctl(&t->f.keepd, ROLE_VIEWER, args, out, sizeof out);
        if (rc != 0)
            fail_msg("keepctl %s %s: %d\n%s", args[0], args[1], rc, out);
        assert_null(strchr(out, '\033'));
        if (out[0] != '{' && out[0] != '[')                /* JSON is for programs */
            assert_plain(args[0]);
    }
    test_node_free(&n);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_that_speaks_of_another_is_recorded_as_itself),
        cmocka_unit_test(batch_of_another_node_is_an_account_of_ones_own),
        cmocka_unit_test(clone_is_shown_and_takes_nothing_from_the_original),
        cmocka_unit_test(stolen_token_opens_nothing_once_its_node_is_revoked),
        cmocka_unit_test(ten_megabytes_are_refused_on_every_route_of_nodes),
        cmocka_unit_test(text_of_nodes_reaches_no_terminal_as_it_is),
        cmocka_unit_test(alerts_about_a_node_are_few_whatever_it_invents),
        cmocka_unit_test(numbers_do_not_run_over),
        cmocka_unit_test(flood_of_observations_is_bounded_and_shown),
        cmocka_unit_test(flood_of_one_node_keeps_no_other_from_raising),
    };

    return cmocka_run_group_tests_name("hostile agents", tests, node_fixture_open, node_fixture_close);
}
