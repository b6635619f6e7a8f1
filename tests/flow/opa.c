/* What OPA agents were seen to send, sent to a real keepd: polls that are held and
 * polls that are not, status and decisions, and bodies that mean harm. */
#include "tests/flow/upload.h"

#include "core/opa/opa.h"
#include "wire/json_util.h"

#include <pthread.h>

#define BUNDLE "/v1/opa/bundles/keep"
#define OPA_HEADERS "User-Agent: Open Policy Agent/1.7.1 (linux, amd64)\r\nAccept-Encoding: gzip\r\n"
#define LONG_POLL "application/vnd.openpolicyagent.bundles"

struct poll {
    int status;
    int64_t ms;
    char etag[100], type[100];
    bool coded;
};

static struct reply ask_for(struct fixture *t, const char *path, const char *if_none_match, int wait_s, struct poll *out)
{
    char headers[600];
    int n = snprintf(headers, sizeof headers, OPA_HEADERS "Prefer: modes=snapshot,delta");

    if (wait_s >= 0)
        n += snprintf(headers + n, sizeof headers - (size_t)n, ";wait=%d", wait_s);
    if (if_none_match != NULL)
        n += snprintf(headers + n, sizeof headers - (size_t)n, "\r\nIf-None-Match: %s", if_none_match);
    snprintf(headers + n, sizeof headers - (size_t)n, "\r\n");
    struct ask ask = { "GET", path, keepd_token(&t->keepd, ROLE_AGENT), headers, NULL, 0 };
    int64_t from = time_monotonic_ms();
    struct reply r = client_send(&t->client, &ask);
    *out = (struct poll){ .status = r.status, .ms = time_monotonic_ms() - from };
    char coding[40];
    reply_header(&r, "ETag", out->etag, sizeof out->etag);
    reply_header(&r, "Content-Type", out->type, sizeof out->type);
    out->coded = reply_header(&r, "Content-Encoding", coding, sizeof coding);
    return r;
}

static struct poll poll_once(struct fixture *t, const char *if_none_match, int wait_s)
{
    struct poll p;

    ask_for(t, BUNDLE, if_none_match, wait_s, &p);
    return p;
}

static void the_first_download_is_a_whole_signed_bundle(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(1);
    struct arena arena;
    const struct tar_file *files;
    struct opa_manifest m;
    struct json data;
    struct poll p;
    struct err err = { 0 };
    size_t n;
    char digest[72], body[200];

    upload(t, &s, 201);
    image_digest(50, digest);
    snprintf(body, sizeof body, "{\"image\":\"shop.example/other:2.0@%s\"}", digest);
    send_json(t, "POST", "/v1/images", body, 201);
    arena_init(&arena, 64 << 20);
    struct ask ask = { "GET", "/v1/opa/key", keepd_token(&t->keepd, ROLE_AGENT), NULL, NULL, 0 };
    struct reply r = client_send(&t->client, &ask);
    assert_int_equal(r.status, 200);
    struct jws_key *key;
    struct pubkey public;
    assert_int_equal(jws_key_new(JWS_ES256, r.body, r.len, &key, &err), 0);
    assert_int_equal(pubkey_from_pem(r.body, r.len, &public, &err), 0);
    char kid[OPA_KEY_ID];
    opa_key_id(&public, kid);
    r = ask_for(t, BUNDLE, NULL, 10, &p);
    assert_int_equal(p.status, 200);
    assert_true(p.etag[0] == '"');
    assert_string_equal(p.type, LONG_POLL);
    assert_false(p.coded);
    assert_int_equal(tar_gz_read(r.body, r.len, NULL, &arena, &files, &n, &err), 0);
    assert_int_equal(n, 4);
    const struct opa_key keys[] = { { kid, key, NULL } };
    const struct opa_trust trust = { .is_given = true, .keyid = kid, .keys = keys, .n_keys = 1 };
    if (opa_verify(files, n, &trust, &arena, &m, &err) != 0)
        fail_msg("%s", err.msg);
    assert_true(m.is_signed && m.issued > 0 && m.not_after_ms > time_now_ms());
    assert_int_equal(opa_fresh(&m, -1, time_now_ms(), &err), 0);
    assert_int_equal(opa_fresh(&m, m.issued + 1, time_now_ms(), &err), -1);
    for (size_t i = 0; i < n; i++)
        if (strcmp(files[i].name, "keep/data.json") == 0)
            assert_int_equal(json_parse(&arena, files[i].content.ptr, files[i].content.len, NULL, &data, &err), 0);
    image_digest(1, digest);
    const struct json *image = json_get(json_get(&data, "images"), digest);
    assert_string_equal(json_get_str(image, "verdict", ""), "fail");
    assert_string_equal(json_get_str(image, "freshness", ""), "fresh");
    assert_string_equal(json_get_str(image, "repository", ""), "shop.example/app");
    assert_true(json_bool(json_get(image, "signed"), false));
    assert_true(json_len(json_get(image, "reasons")) > 0);
    image_digest(50, digest);
    assert_string_equal(json_get_str(json_get(&data, "tags"), "shop.example/other:2.0", ""), digest);
    image = json_get(json_get(&data, "images"), digest);
    assert_string_equal(json_get_str(image, "freshness", ""), "never_scanned");
    assert_true(json_is(json_get(image, "scanned_at"), JSON_NULL));
    pubkey_clear(&public);
    jws_key_free(key);
    arena_clear(&arena);
}

static void a_poll_with_nothing_new_is_held_for_its_time(void **state)
{
    struct fixture *t = *state;
    struct poll first = poll_once(t, NULL, 2), again = poll_once(t, first.etag, 2);

    assert_int_equal(first.status, 200);
    assert_int_equal(again.status, 304);
    assert_true(again.ms >= 1900 && again.ms < 4000);
    assert_string_equal(again.type, LONG_POLL);
    assert_string_equal(again.etag, first.etag);
}

static void an_agent_that_asks_at_once_again_is_no_hot_loop(void **state)
{
    struct fixture *t = *state;
    struct poll p = poll_once(t, NULL, 1);
    int64_t until = time_monotonic_ms() + 4000;
    int n = 0;

    while (time_monotonic_ms() < until) {
        p = poll_once(t, p.etag, 1);
        n++;
    }
    assert_true(n <= 5);
}

static void without_wait_the_answer_comes_at_once_and_keeps_long_polling_off(void **state)
{
    struct fixture *t = *state;
    struct poll first = poll_once(t, NULL, -1), again = poll_once(t, first.etag, -1), zero = poll_once(t, first.etag, 0);

    assert_int_equal(first.status, 200);
    assert_string_equal(first.type, "application/gzip");
    assert_false(first.coded);
    assert_int_equal(again.status, 304);
    assert_true(again.ms < 1000);
    assert_string_equal(again.type, "application/gzip");
    assert_int_equal(zero.status, 304);
    assert_string_equal(zero.type, "application/gzip");
}

struct change { struct fixture *t; int image; };

/* On a connection of its own, while the other one is held. */
static void *change_soon(void *arg)
{
    const struct change *c = arg;
    struct report_spec s = spec_of(c->image);
    struct client client;
    struct buf body;

    nap_ms(700);
    buf_init(&body, 16 << 20);
    client_init(&client, c->t->keepd.port);
    envelope_make(&s, c->t->keepd.key, false, &body);
    struct ask ask = { "POST", "/v1/scans", keepd_token(&c->t->keepd, ROLE_CI), NULL, body.ptr, body.len };
    bool ok = client_send(&client, &ask).status == 201;
    client_free(&client);
    buf_free(&body);
    return ok ? arg : NULL;
}

static void a_change_ends_the_wait(void **state)
{
    struct fixture *t = *state;
    struct change change = { t, 7 };
    struct poll first = poll_once(t, NULL, 20);
    pthread_t thread;
    void *ok;

    assert_int_equal(pthread_create(&thread, NULL, change_soon, &change), 0);
    struct poll held = poll_once(t, first.etag, 20);
    pthread_join(thread, &ok);
    assert_non_null(ok);
    assert_int_equal(held.status, 200);
    assert_string_not_equal(held.etag, first.etag);
    assert_true(held.ms >= 650 && held.ms < 700 + 2500);
    printf("changed after 700 ms, answered after %lld ms\n", (long long)held.ms);
}

static void bundles_of_teams_and_of_nobody(void **state)
{
    struct fixture *t = *state;
    struct poll p;

    send_json(t, "POST", "/v1/repositories", "{\"name\":\"shop.example/app\",\"team\":\"shop\"}", 200);
    ask_for(t, "/v1/opa/bundles/shop", NULL, -1, &p);
    assert_int_equal(p.status, 200);
    ask_for(t, "/v1/opa/bundles/keep.tar.gz", NULL, -1, &p);
    assert_int_equal(p.status, 200);
    ask_for(t, "/v1/opa/bundles/nobody", NULL, -1, &p);
    assert_int_equal(p.status, 404);
}

static void the_key_and_the_tag_survive_a_restart(void **state)
{
    struct fixture *t = *state;
    struct poll before = poll_once(t, NULL, -1), after;

    client_close(&t->client);
    assert_int_equal(keepd_stop(&t->keepd, SIGTERM, 15000), 0);
    keepd_start(&t->keepd);
    t->client.port = t->keepd.port;
    after = poll_once(t, before.etag, -1);
    assert_int_equal(after.status, 304);
}

/* ---- what agents report --------------------------------------------------------------- */

static int post_as_agent(struct fixture *t, const char *path, const char *headers, const void *body, size_t len)
{
    struct ask ask = { "POST", path, keepd_token(&t->keepd, ROLE_AGENT), headers, body, len };

    return client_send(&t->client, &ask).status;
}

#define JSON_HEADERS OPA_HEADERS "Content-Type: application/json\r\n"
#define GZIP_HEADERS OPA_HEADERS "Content-Encoding: gzip\r\nContent-Type: application/json\r\n"

static void a_status_is_kept_without_its_metrics(void **state)
{
    struct fixture *t = *state;
    struct buf b;

    /* As OPA 1.7.1 sends it: 47 KB, most of it metrics. */
    buf_init(&b, 1 << 20);
    buf_puts(&b, "{\"labels\":{\"env\":\"test\",\"id\":\"409cb8b5-ce50-49ce-a2a5-3050849712bf\",\"version\":\"1.7.1\"},"
                 "\"bundles\":{\"keep\":{\"name\":\"keep\",\"active_revision\":\"r-1\",\"last_request\":\"2026-11-23T22:18:55.60Z\","
                 "\"last_successful_activation\":\"2026-11-23T22:18:55.61Z\",\"size\":1200,\"type\":\"snapshot\","
                 "\"metrics\":{\"timer_bundle_request_ns\":10152}}},"
                 "\"plugins\":{\"bundle\":{\"state\":\"OK\"},\"status\":{\"state\":\"OK\"}},\"metrics\":{\"prometheus\":{");
    for (int i = 0; i < 400; i++)
        buf_printf(&b, "%s\"go_gc_%d\":{\"name\":\"go_gc_%d\",\"help\":\"A metric of the process, explained at length.\",\"type\":2}", i > 0 ? "," : "", i, i);
    buf_puts(&b, "}}}");
    assert_int_equal(post_as_agent(t, "/v1/opa/status", JSON_HEADERS, b.ptr, b.len), 204);
    assert_int_equal(post_as_agent(t, "/v1/opa/status/prod", JSON_HEADERS, b.ptr, b.len), 204);
    const struct json *items = json_get(get(t, "/v1/opa/status", 200), "items");
    assert_int_equal(json_len(items), 1);
    const struct json *row = json_at(items, 0);
    assert_string_equal(json_get_str(row, "id", ""), "409cb8b5-ce50-49ce-a2a5-3050849712bf");
    assert_string_equal(json_get_str(row, "partition", ""), "prod");
    assert_string_equal(json_get_str(row, "revision", ""), "r-1");
    assert_string_equal(json_get_str(row, "problem", ""), "");
    assert_non_null(json_get(json_get(row, "status"), "plugins"));
    assert_null(json_get(json_get(json_get(row, "status"), "metrics"), "prometheus"));
    static const char broken[] = "{\"labels\":{\"id\":\"a2\",\"version\":\"0.61.0\"},\"bundles\":{\"keep\":{\"name\":\"keep\",\"code\":\"bundle_error\","
                                 "\"message\":\"Bundle download failed: server replied with Forbidden\",\"http_code\":403}}}";
    assert_int_equal(post_as_agent(t, "/v1/opa/status", JSON_HEADERS, broken, sizeof broken - 1), 204);
    row = json_at(json_get(get(t, "/v1/opa/status?limit=1", 200), "items"), 0);
    assert_string_equal(json_get_str(row, "id", ""), "a2");
    assert_string_equal(json_get_str(row, "problem", ""), "bundle_error: Bundle download failed: server replied with Forbidden");
    buf_free(&b);
}

static const char decisions[] =
    "[{\"labels\":{\"env\":\"test\",\"id\":\"409cb8b5-ce50-49ce-a2a5-3050849712bf\",\"version\":\"1.7.1\"},"
    "\"decision_id\":\"d2974b82-da2f-4324-9739-1be1d64fe708\",\"bundles\":{\"keep\":{\"revision\":\"r-0001\"}},\"path\":\"/keep/lib/deny\","
    "\"input\":{\"request\":{\"object\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"a\"}]}}}},\"result\":{\"allow\":false},"
    "\"requested_by\":\"127.0.0.1:40000\",\"timestamp\":\"2026-11-23T22:18:56.103335629Z\",\"req_id\":12345678901234567890,"
    "\"metrics\":{\"timer_server_handler_ns\":1}},"
    "{\"labels\":{\"id\":\"409cb8b5-ce50-49ce-a2a5-3050849712bf\"},\"decision_id\":\"5cb28c6c-8ba7-4a9a-9f1f-dcaedfd9f851\","
    "\"path\":\"keep/lib/deny\",\"timestamp\":\"2026-11-23T22:18:58.607893095Z\"}]";

static void a_decision_is_kept_once(void **state)
{
    struct fixture *t = *state;
    struct table_counts before, after;
    struct buf packed;
    struct err err = { 0 };

    buf_init(&packed, 1 << 20);
    assert_int_equal(gzip_deflate(decisions, sizeof decisions - 1, 6, &packed, &err), 0);
    assert_int_equal(post_as_agent(t, "/v1/opa/logs", GZIP_HEADERS, packed.ptr, packed.len), 204);
    keepd_count(&t->keepd, &before);
    assert_int_equal(post_as_agent(t, "/v1/opa/logs", GZIP_HEADERS, packed.ptr, packed.len), 204);
    assert_int_equal(post_as_agent(t, "/v1/opa/logs/prod", JSON_HEADERS, decisions, sizeof decisions - 1), 204);
    keepd_count(&t->keepd, &after);
    assert_true(table_counts_equal(&before, &after, NULL));
    const struct json *items = json_get(get(t, "/v1/opa/decisions?path=keep/lib/deny", 200), "items");
    assert_int_equal(json_len(items), 2);
    const struct json *second = json_at(items, 0), *first = json_at(items, 1);
    assert_string_equal(json_get_str(first, "decision_id", ""), "d2974b82-da2f-4324-9739-1be1d64fe708");
    assert_string_equal(json_get_str(first, "revision", ""), "r-0001");
    assert_string_equal(json_get_str(first, "at", ""), "2026-11-23T22:18:56.103Z");
    assert_false(json_bool(json_path(first, "result.allow"), true));
    assert_null(json_get(second, "result"));
    items = json_get(get(t, "/v1/opa/decisions?limit=1", 200), "items");
    assert_int_equal(json_len(items), 1);
    buf_free(&packed);
}

static void hostile_bodies_are_refused_and_leave_nothing(void **state)
{
    static const struct { const char *path, *body; int status; } rows[] = {
        { "/v1/opa/logs", "", 400 },
        { "/v1/opa/logs", "{}", 400 },
        { "/v1/opa/logs", "[", 400 },
        { "/v1/opa/logs", "[1]", 400 },
        { "/v1/opa/logs", "[{}]", 400 },
        { "/v1/opa/logs", "[{\"decision_id\":\"\"}]", 400 },
        { "/v1/opa/logs", "[{\"decision_id\":\"new-one\"},{\"decision_id\":7}]", 400 },
        { "/v1/opa/logs", "[{\"decision_id\":\"a\\u0000b\"}]", 400 },
        { "/v1/opa/logs", "[{\"decision_id\":\"a\\nb\"}]", 400 },
        { "/v1/opa/logs", "[{\"decision_id\":\"\xff\"}]", 400 },
        { "/v1/opa/logs/%0a", "[]", 400 },
        { "/v1/opa/status", "[]", 400 },
        { "/v1/opa/status", "{\"labels\":{}}", 400 },
        { "/v1/opa/status", "{\"labels\":{\"id\":1}}", 400 },
        { "/v1/opa/status", "{\"labels\":7}", 400 },
    };
    struct fixture *t = *state;
    struct table_counts before, after;
    struct err err = { 0 };
    size_t n = (size_t)64 << 20;
    char *bomb = malloc(n);
    struct buf b;

    assert_non_null(bomb);
    keepd_count(&t->keepd, &before);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        int status = post_as_agent(t, rows[i].path, JSON_HEADERS, rows[i].body, strlen(rows[i].body));
        if (status != rows[i].status)
            fail_msg("%s %s: %d", rows[i].path, rows[i].body, status);
    }
    memset(bomb, ' ', n);
    buf_init(&b, 2 * n);
    assert_int_equal(gzip_deflate(bomb, n, 9, &b, &err), 0);
    assert_int_equal(post_as_agent(t, "/v1/opa/logs", GZIP_HEADERS, b.ptr, b.len), 413);
    assert_int_equal(post_as_agent(t, "/v1/opa/status", GZIP_HEADERS, b.ptr, b.len), 413);
    assert_int_equal(post_as_agent(t, "/v1/opa/logs", GZIP_HEADERS, b.ptr, b.len / 2), 413);
    assert_int_equal(post_as_agent(t, "/v1/opa/logs", GZIP_HEADERS, decisions, sizeof decisions - 1), 400);
    buf_clear(&b);
    for (int i = 0; i < 5000; i++)
        buf_putc(&b, '[');
    assert_true(post_as_agent(t, "/v1/opa/logs", JSON_HEADERS, b.ptr, b.len) >= 400);
    buf_clear(&b);
    buf_puts(&b, "[0");
    for (int i = 0; i < 6000; i++)
        buf_puts(&b, ",{\"decision_id\":\"x\"}");
    buf_puts(&b, "]");
    assert_int_equal(post_as_agent(t, "/v1/opa/logs", JSON_HEADERS, b.ptr, b.len), 413);
    buf_clear(&b);
    buf_puts(&b, "{\"labels\":{\"id\":\"x\"},\"more\":\"");
    for (int i = 0; i < 70000; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\"}");
    assert_int_equal(post_as_agent(t, "/v1/opa/status", JSON_HEADERS, b.ptr, b.len), 413);
    keepd_count(&t->keepd, &after);
    assert_true(table_counts_equal(&before, &after, NULL));
    buf_free(&b);
    free(bomb);
}

/* The bodies an OPA of another version sent, where the samples are at hand. */
static void the_recorded_bodies_are_taken(void **state)
{
    const char *folder = getenv("KEEP_CONFORMANCE");
    struct fixture *t = *state;
    static const char *const versions[] = { "0.61.0", "1.7.1" };

    for (size_t i = 0; i < N_ITEMS(versions); i++) {
        char path[600];
        struct arena arena;
        struct json doc;
        struct err err = { 0 };
        struct buf text, b, packed;
        snprintf(path, sizeof path, "%s/opa/wire_samples_opa_%s.json", folder != NULL ? folder : "", versions[i]);
        FILE *f = folder != NULL ? fopen(path, "r") : NULL;
        if (f == NULL)
            skip();
        arena_init(&arena, 64 << 20);
        buf_init(&text, 8 << 20);
        buf_init(&b, 8 << 20);
        buf_init(&packed, 8 << 20);
        char *to = buf_room(&text, 4 << 20);
        buf_grown(&text, fread(to, 1, 4 << 20, f));
        fclose(f);
        if (json_parse(&arena, text.ptr, text.len, &(struct json_opts){ .big_numbers = true }, &doc, &err) != 0)
            fail_msg("%s", err.msg);
        for (int logs = 0; logs < 2; logs++) {
            const struct json *posts = json_get(&doc, logs ? "log_posts" : "status_posts");
            assert_true(json_len(posts) > 0);
            for (uint32_t k = 0; k < json_len(posts); k++) {
                const struct json *body = json_get(json_at(posts, k), "body");
                buf_clear(&b);
                buf_clear(&packed);
                json_print(body, &b);
                assert_int_equal(gzip_deflate(b.ptr, b.len, 6, &packed, &err), 0);
                int status = logs ? post_as_agent(t, "/v1/opa/logs", GZIP_HEADERS, packed.ptr, packed.len)
                                  : post_as_agent(t, "/v1/opa/status", JSON_HEADERS, b.ptr, b.len);
                assert_int_equal(status, 204);
            }
        }
        buf_free(&text);
        buf_free(&b);
        buf_free(&packed);
        arena_clear(&arena);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_download_is_a_whole_signed_bundle),
        cmocka_unit_test(a_poll_with_nothing_new_is_held_for_its_time),
        cmocka_unit_test(an_agent_that_asks_at_once_again_is_no_hot_loop),
        cmocka_unit_test(without_wait_the_answer_comes_at_once_and_keeps_long_polling_off),
        cmocka_unit_test(a_change_ends_the_wait),
        cmocka_unit_test(bundles_of_teams_and_of_nobody),
        cmocka_unit_test(the_key_and_the_tag_survive_a_restart),
        cmocka_unit_test(a_status_is_kept_without_its_metrics),
        cmocka_unit_test(a_decision_is_kept_once),
        cmocka_unit_test(hostile_bodies_are_refused_and_leave_nothing),
        cmocka_unit_test(the_recorded_bodies_are_taken),
    };

    return cmocka_run_group_tests_name("OPA", tests, fixture_open, fixture_close);
}
