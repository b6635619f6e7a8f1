/* Profiles through a real keepd: declared by a signed upload, approved by a person,
 * handed to nodes, departed from, learned, promoted by evidence or by force. */
#include "tests/flow/events.h"

#include "service/profiles.h"
#include "wire/profile_doc.h"

static const char shop[] =
    "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: shop}\nspec:\n  image: shop.example/app\n  mode: protect\n"
    "  executables:\n  - {path: /usr/local/bin/shop}\n  - {path: /usr/local/bin/worker}\n  - {path: /usr/bin/env}\n"
    "  listens: [{port: 8080}]\n  egress: [{service: shop/catalogue, ports: [5432]}]\n  users: [1000]\n";

static struct node_fixture *fixture_of(void **state) { return *state; }

static const char *id_of(void)
{
    static char id[PROFILE_ID_LEN + 1];

    profile_id("shop.example/app", NULL, id);
    return id;
}

static const char *path_of(const char *rest)
{
    static char path[200];

    snprintf(path, sizeof path, "/v1/profiles/%s%s", id_of(), rest);
    return path;
}

static int push(struct node_fixture *t, enum role role, const char *document, const struct privkey *key)
{
    buf_clear(&t->f.body);
    if (key != NULL)
        envelope_around(PROFILE_PAYLOAD_YAML, (struct bytes){ (const unsigned char *)document, strlen(document) }, key, &t->f.body);
    else
        buf_puts(&t->f.body, document);
    struct ask ask = { "POST", "/v1/profiles", as(t, role), NULL, t->f.body.ptr, t->f.body.len };
    return client_send(&t->f.client, &ask).status;
}

static void a_signed_declaration_is_kept_and_enforces_nothing(void **state)
{
    struct node_fixture *t = fixture_of(state);
    const struct json *r;

    assert_int_equal(push(t, ROLE_CI, shop, t->f.keepd.key), 201);
    assert_int_equal(push(t, ROLE_CI, shop, t->f.keepd.key), 200);
    r = get(&t->f, path_of(""), 200);
    assert_string_equal(text_at(r, "mode"), "none");
    assert_true(json_bool(json_get(r, "pending"), false));
    assert_string_equal(text_at(r, "declared.signer"), t->f.keepd.signer_id);
    assert_int_equal(json_int(json_get(r, "declared_version"), 0), 1);
    assert_null(json_get(r, "enforced"));
}

static void who_did_not_sign_or_may_not_speak_of_it_is_refused(void **state)
{
    struct node_fixture *t = fixture_of(state);
    struct privkey *other, *stranger;
    struct err err = { 0 };
    char id[80];

    assert_int_equal(push(t, ROLE_CI, shop, NULL), 403);
    assert_int_equal(push(t, ROLE_AGENT, shop, t->f.keepd.key), 403);
    other = new_signer(&t->f, "other", "[\"elsewhere.example/*\"]", id);
    assert_int_equal(push(t, ROLE_CI, shop, other), 403);
    assert_int_equal(privkey_generate(KEY_ED25519, &stranger, &err), 0);
    assert_int_equal(push(t, ROLE_CI, shop, stranger), 422);
    assert_int_equal(push(t, ROLE_POLICY, "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: x}\nspec: {image: a/b, executabels: []}\n", NULL), 400);
    privkey_free(other);
    privkey_free(stranger);
}

/* Does the bundle of the node's scope hold the text within five seconds? */
static bool bundle_says(struct node_fixture *t, const char *text)
{
    for (int i = 0; i < 50; i++) {
        struct ask ask = { "GET", "/v1/agent/bundle", t->node.token, NULL, NULL, 0 };
        struct reply r = client_send(&t->f.client, &ask);
        if (r.status == 200 && memmem(r.body, r.len, text, strlen(text)) != NULL)
            return true;
        nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
    }
    return false;
}

static void an_approved_profile_goes_to_the_nodes_in_mode_monitor(void **state)
{
    struct node_fixture *t = fixture_of(state);
    const struct json *r;

    r = send_json(&t->f, "POST", path_of("/approve"), "{\"source\":\"declared\",\"version\":7}", 409);
    r = send_json(&t->f, "POST", path_of("/approve"), "{\"source\":\"declared\",\"version\":1,\"reason\":\"as reviewed\"}", 200);
    assert_string_equal(text_at(r, "mode"), "monitor");        /* protect is not begun with */
    r = get(&t->f, path_of(""), 200);
    assert_string_equal(text_at(r, "mode"), "monitor");
    assert_false(json_bool(json_get(r, "pending"), true));
    assert_true(bundle_says(t, "/usr/local/bin/worker"));
}

static int alerts_of(struct node_fixture *t, const char *rule)
{
    const struct json *items = json_get(get(&t->f, "/v1/alerts", 200), "items");
    int n = 0;

    for (uint32_t i = 0; i < json_len(items); i++)
        n += str_eq(text_at(json_at(items, i), "rule"), rule);
    return n;
}

static void unexpected_programs_raise_one_alert_and_expected_ones_none(void **state)
{
    struct node_fixture *t = fixture_of(state);
    struct batch_spec s = { .stream = stream_a, .first = 1, .n = 60, .at_ms = time_now_ms() - 5000, .container = container_base,
                            .image = "shop.example/app:1.0", .strange_every = 20 };

    batch_make(&s, &t->json);
    assert_int_equal(batch_post(&t->f.client, t->node.token, &t->json, false).status, 200);
    assert_int_equal(alerts_of(t, "drift/unexpected-executable"), 1);
    const struct json *items = json_get(get(&t->f, "/v1/alerts", 200), "items");
    assert_int_equal(json_len(items), 1);
}

static void the_columns_tell_what_was_seen_and_what_is_doubted(void **state)
{
    struct node_fixture *t = fixture_of(state);

    /* Counts are written every ten seconds, or when somebody learns. */
    const struct json *r = send_json(&t->f, "POST", "/v1/profiles/learn", "{\"image\":\"shop.example/app\"}", 201);
    const struct json *doubted = json_get(r, "doubted");
    assert_true(json_len(doubted) >= 4);                       /* one container, the first hour: nothing is certain yet */
    r = get(&t->f, path_of("/diff"), 200);
    const struct json *rows = json_get(r, "rows");
    bool found = false;
    for (uint32_t i = 0; i < json_len(rows); i++) {
        const struct json *row = json_at(rows, i);
        if (!str_eq(text_at(row, "item"), "/tmp/stranger"))
            continue;
        found = true;
        assert_string_equal(text_at(row, "enforced"), "no");
        assert_string_equal(text_at(row, "observed"), "yes");
        assert_string_equal(json_str(json_at(json_get(row, "doubts"), 0), ""), "alert");
        assert_int_equal(json_int(json_get(row, "count"), 0), 3);
    }
    assert_true(found);
}

static void what_is_learned_may_be_approved_with_doubts_named(void **state)
{
    struct node_fixture *t = fixture_of(state);

    send_json(&t->f, "POST", path_of("/approve"), "{\"source\":\"both\",\"accept\":[\"executable /nowhere\"]}", 422);
    const struct json *r = send_json(&t->f, "POST", path_of("/approve"), "{\"source\":\"both\",\"accept\":[\"executable /tmp/stranger\"],\"reason\":\"for the test\"}", 200);
    const struct json *list = json_path(r, "profile.executables");
    assert_int_equal(json_len(list), 4);
    send_json(&t->f, "POST", path_of("/approve"), "{\"source\":\"declared\"}", 200);
}

static void put_net_event(struct buf *b, int seq, const char *kind, const char *net)
{
    char at[TIME_TEXT];

    time_format(time_now_ms(), at);
    buf_printf(b, "%s{\"seq\":%d,\"at\":\"%s\",\"source\":\"hubble\",\"kind\":\"%s\",\"verdict\":\"observed\",\"severity\":6,"
               "\"container\":{\"id\":\"%s0000\"},\"place\":{\"namespace\":\"shop\",\"workload\":\"shop\"},\"net\":%s,\"count\":1}",
               seq > 61 ? "," : "", seq, at, kind, container_base, net);
}

static void an_unexpected_port_and_peer_raise_one_alert_each(void **state)
{
    struct node_fixture *t = fixture_of(state);
    struct buf *b = &t->json;

    buf_clear(b);
    buf_printf(b, "{\"stream\":\"%s\",\"first_seq\":61,\"last_seq\":64,\"events\":[", stream_a);
    put_net_event(b, 61, "listen", "{\"protocol\":\"tcp\",\"local_port\":8080}");
    put_net_event(b, 62, "listen", "{\"protocol\":\"tcp\",\"local_port\":4444}");
    put_net_event(b, 63, "connect", "{\"protocol\":\"tcp\",\"direction\":\"out\",\"remote\":\"10.0.0.7\",\"remote_port\":5432,\"remote_service\":\"shop/catalogue\"}");
    put_net_event(b, 64, "connect", "{\"protocol\":\"tcp\",\"direction\":\"out\",\"remote\":\"10.0.0.8\",\"remote_port\":443,\"remote_service\":\"shop/payments\"}");
    buf_puts(b, "]}");
    assert_int_equal(batch_post(&t->f.client, t->node.token, b, false).status, 200);
    assert_int_equal(alerts_of(t, "drift/unexpected-port"), 1);
    assert_int_equal(alerts_of(t, "drift/unexpected-peer"), 1);
    assert_int_equal(json_len(json_get(get(&t->f, "/v1/alerts", 200), "items")), 3);
}

static void a_mode_needs_evidence_or_force_with_a_reason(void **state)
{
    struct node_fixture *t = fixture_of(state);
    const struct json *r = send_json(&t->f, "POST", path_of("/mode"), "{\"mode\":\"protect\"}", 422);

    assert_true(json_len(json_get(r, "errors")) >= 2);
    send_json(&t->f, "POST", path_of("/mode"), "{\"mode\":\"protect\",\"force\":true}", 400);
    r = send_json(&t->f, "POST", path_of("/mode"), "{\"mode\":\"protect\",\"force\":true,\"reason\":\"an attack is going on\"}", 200);
    assert_string_equal(text_at(r, "profile.mode"), "protect");
    assert_true(bundle_says(t, "\"mode\":\"protect\""));
    send_json(&t->f, "POST", path_of("/mode"), "{\"mode\":\"discover\"}", 200);
    r = get(&t->f, path_of("/history"), 200);
    assert_int_equal(json_len(json_get(r, "items")), 7);        /* declared, learned, 3 approvals, 2 modes */
}

static void recorded_events_tell_what_a_profile_would_have_denied(void **state)
{
    struct node_fixture *t = fixture_of(state);
    const struct json *r = get(&t->f, path_of("/simulation"), 200);

    assert_int_equal(json_int(json_get(r, "examined"), 0), 64);
    assert_int_equal(json_int(json_get(r, "departing"), 0), 5);
    assert_int_equal(json_len(json_get(r, "departures")), 3);
    assert_int_equal(push(t, ROLE_VIEWER, shop, NULL), 403);
    struct ask ask = { "POST", "/v1/profiles/simulation", as(t, ROLE_VIEWER), NULL,
                       "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: x}\nspec: {image: shop.example/app, users: [1]}\n", 0 };
    ask.len = strlen(ask.body);
    struct reply reply = client_send(&t->f.client, &ask);
    assert_int_equal(reply.status, 200);
    assert_int_equal(json_int(json_get(client_json(&t->f.client, &reply), "departing"), 0), 60);
}

static int64_t counted(struct node_fixture *t)
{
    const struct json *items = json_get(get(&t->f, "/v1/alerts", 200), "items");
    int64_t sum = 0;

    for (uint32_t i = 0; i < json_len(items); i++)
        sum += json_int(json_get(json_at(items, i), "count"), 1000);
    return sum;
}

static void discovering_raises_nothing(void **state)
{
    struct node_fixture *t = fixture_of(state);
    struct batch_spec s = { .stream = stream_a, .first = 65, .n = 10, .at_ms = time_now_ms(), .container = container_base,
                            .image = "shop.example/app:1.0", .strange_every = 5 };
    int64_t before = counted(t);

    batch_make(&s, &t->json);
    assert_int_equal(batch_post(&t->f.client, t->node.token, &t->json, false).status, 200);
    assert_int_equal(counted(t), before);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_declaration_is_kept_and_enforces_nothing),
        cmocka_unit_test(who_did_not_sign_or_may_not_speak_of_it_is_refused),
        cmocka_unit_test(an_approved_profile_goes_to_the_nodes_in_mode_monitor),
        cmocka_unit_test(unexpected_programs_raise_one_alert_and_expected_ones_none),
        cmocka_unit_test(the_columns_tell_what_was_seen_and_what_is_doubted),
        cmocka_unit_test(what_is_learned_may_be_approved_with_doubts_named),
        cmocka_unit_test(an_unexpected_port_and_peer_raise_one_alert_each),
        cmocka_unit_test(a_mode_needs_evidence_or_force_with_a_reason),
        cmocka_unit_test(recorded_events_tell_what_a_profile_would_have_denied),
        cmocka_unit_test(discovering_raises_nothing),
    };

    return cmocka_run_group_tests_name("profiles", tests, node_fixture_open, node_fixture_close);
}
