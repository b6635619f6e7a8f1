/* What nodes report of their containers: which image, what it breaks, and that the
 * answers follow images, policies and time. */
#include "tests/flow/upload.h"

#include "model/container.h"
#include "tests/support/node.h"

#include <inttypes.h>

struct fleet {
    struct fixture *t;
    struct test_node node;
};

static struct fleet fleet;

/* ---- reports ------------------------------------------------------------------------------- */

struct spec { const char *id, *name, *image, *digest, *workload, *labels, *sandbox; bool is_privileged; };

static void put_container(struct buf *b, const struct spec *s, bool first)
{
    buf_printf(b, "%s{\"id\":\"%s\",\"name\":\"%s\",\"image\":\"%s\",\"namespace\":\"shop\",\"pod\":\"%s-0\",\"workload\":\"%s\","
                  "\"engine\":\"containerd\",\"runtime\":\"%s\",\"sandbox\":\"%s\",\"user_id\":0,\"privileged\":%s,\"labels\":[%s]",
               first ? "" : ",", s->id, s->name, s->image, s->workload, s->workload, s->sandbox != NULL ? "runsc" : "runc",
               s->sandbox != NULL ? s->sandbox : "", s->is_privileged ? "true" : "false", s->labels != NULL ? s->labels : "");
    if (s->digest != NULL)
        buf_printf(b, ",\"digest\":\"%s\"", s->digest);
    buf_putc(b, '}');
}

static const struct json *report(int64_t base, int64_t generation, const struct spec *specs, size_t n, const char *gone, int status)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_printf(&b, "{\"base\":%" PRId64 ",\"generation\":%" PRId64 ",\"gone\":[%s],\"containers\":[", base, generation, gone);
    for (size_t i = 0; i < n; i++)
        put_container(&b, &specs[i], i == 0);
    buf_puts(&b, "]}");
    const struct json *answer = keepd_ask(&fleet.t->client, fleet.node.token, "POST", "/v1/agent/inventory", b.ptr, status);
    buf_free(&b);
    return answer;
}

/* ---- answers ------------------------------------------------------------------------------- */

/* The names of those a question finds, in the order of their ids: "web db". */
static const char *names(const char *query)
{
    static char out[512];
    char path[512];

    snprintf(path, sizeof path, "/v1/containers?%s", query);
    const struct json *items = json_get(get(fleet.t, path, 200), "items");
    out[0] = '\0';
    for (uint32_t i = 0; i < json_len(items); i++)
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", i > 0 ? " " : "", json_get_str(json_at(items, i), "name", "?"));
    return out;
}

static void expect(const char *query, const char *wanted)
{
    const char *got = names(query);

    if (strcmp(got, wanted) != 0)
        fail_msg("containers?%s: expected \"%s\", got \"%s\"", query, wanted, got);
}

/* The housekeeper judges twice a second. */
static void expect_soon(const char *query, const char *wanted)
{
    for (int i = 0; i < 100 && strcmp(names(query), wanted) != 0; i++)
        nap_ms(50);
    expect(query, wanted);
}

static const struct json *show(const char *id)
{
    char path[200];

    snprintf(path, sizeof path, "/v1/containers/%s/%s", fleet.node.node_id, id);
    return get(fleet.t, path, 200);
}

static int64_t running_of(const char *digest)
{
    char path[200];

    snprintf(path, sizeof path, "/v1/images/%s", digest);
    const struct json *places = json_get(get(fleet.t, path, 200), "places");
    int64_t sum = 0;
    for (uint32_t i = 0; i < json_len(places); i++)
        sum += json_int(json_get(json_at(places, i), "replicas"), 0);
    return sum;
}

/* ---- the fleet ------------------------------------------------------------------------------ */

static char fresh[72], stale[72];
#define UNKNOWN "sha256:9999999999999999999999999999999999999999999999999999999999999999"

static const struct spec SPECS[] = {
    { "a0a0a0a0a0a0", "secretive", "shop.example/app:1.0", fresh, "vault", "\"keep/sensitive=true\"", NULL, false },
    { "b0b0b0b0b0b0", "old", "shop.example/old:1.0", stale, "archive", NULL, NULL, false },
    { "c0c0c0c0c0c0", "stranger", "elsewhere.example/tool:2", UNKNOWN, "tools", NULL, NULL, true },
    { "d0d0d0d0d0d0", "walled", "shop.example/app:1.0", fresh, "vault", "\"keep/sensitive=true\"", "gvisor", false },
    { "e0e0e0e0e0e0", "nameless", "", NULL, "mystery", NULL, NULL, false },
    { "eeeeeeeeeeee", "tagged", "shop.example/tagged:3", NULL, "tags", NULL, NULL, false },
};

static int open_fleet(void **state)
{
    struct report_spec s;

    fixture_open(state);
    fleet.t = *state;
    s = spec_of(1);
    s.harmless = true;
    image_digest(1, fresh);
    upload(fleet.t, &s, 201);
    s = spec_of(2);
    s.repository = "shop.example/old";
    s.scanned_ms = time_now_ms() - 30 * MS_DAY;
    s.db_built_ms = s.scanned_ms - MS_HOUR;
    s.harmless = true;
    image_digest(2, stale);
    upload(fleet.t, &s, 201);
    send_json(fleet.t, "POST", "/v1/images", "{\"image\":\"shop.example/tagged:3@sha256:"
              "7777777777777777777777777777777777777777777777777777777777777777\"}", 201);
    test_node_join(&fleet.t->client, keepd_token(&fleet.t->keepd, ROLE_ADMIN), "prod", NULL, &fleet.node);
    report(0, 1, SPECS, N_ITEMS(SPECS), "", 200);
    expect_soon("policy=sandbox-required", "secretive");
    return 0;
}

static int close_fleet(void **state)
{
    test_node_free(&fleet.node);
    return fixture_close(state);
}

/* ---- questions ------------------------------------------------------------------------------- */

static void which_run_a_stale_image_is_one_question(void **state)
{
    (void)state;
    expect("stale=true", "old stranger nameless tagged");
    expect("policy=scan-age", "old stranger nameless tagged");
    expect("stale=true&sandbox=gvisor", "");
    assert_string_equal(text_at(show("b0b0b0b0b0b0"), "image.freshness"), "stale_scan");
    assert_string_equal(text_at(show("b0b0b0b0b0b0"), "verdict"), "fail");
}

static void which_carry_a_vulnerability_is_one_question(void **state)
{
    (void)state;
    expect("cve=CVE-2026-0001", "secretive old walled");
    expect("cve=CVE-2026-0001&stale=true", "old");
    expect("cve=CVE-1999-0001", "");
    expect("package=libcore0", "secretive old walled");
    expect("package=libcore0&sandbox=none", "secretive old");
}

static void which_break_a_policy_is_one_question(void **state)
{
    (void)state;
    expect("policy=sandbox-required", "secretive");
    expect("policy=sandbox-required/sandbox", "secretive");
    expect("policy=sandbox-required/other", "");
    expect("policy=privileged-running", "stranger");
    const struct json *c = show("a0a0a0a0a0a0");
    assert_string_equal(text_at(c, "verdict"), "fail");
    assert_string_equal(json_get_str(json_at(json_get(c, "reasons"), 0), "policy", ""), "sandbox-required");
    assert_string_equal(text_at(show("d0d0d0d0d0d0"), "verdict"), "pass");
    expect("verdict=pass", "walled");
}

static void filters_narrow_each_other(void **state)
{
    char query[200];

    (void)state;
    expect("privileged=true", "stranger");
    expect("sandbox=gvisor", "walled");
    expect("sandbox=any", "walled");
    expect("cluster=prod&namespace=shop&q=vault", "secretive walled");
    expect("cluster=test", "");
    snprintf(query, sizeof query, "node=%s&q=b0b0", fleet.node.node_id);
    expect(query, "old");
    snprintf(query, sizeof query, "image=%s", fresh);
    expect(query, "secretive walled");
    expect("image=shop.example/tagged:3", "tagged");
    assert_string_equal(text_at(show("eeeeeeeeeeee"), "image_by"), "tag");
    snprintf(query, sizeof query, "/v1/nodes/%s/containers", fleet.node.node_id);
    assert_int_equal(json_len(json_get(get(fleet.t, query, 200), "items")), (int)N_ITEMS(SPECS));
}

static void pages_follow_each_other(void **state)
{
    char path[400] = "/v1/containers?limit=2";
    size_t seen = 0;

    (void)state;
    for (int pages = 0; pages < 5; pages++) {
        const struct json *page = get(fleet.t, path, 200);
        seen += json_len(json_get(page, "items"));
        const char *next = json_get_str(page, "next", NULL);
        if (next == NULL)
            break;
        snprintf(path, sizeof path, "/v1/containers?limit=2&cursor=%s", next);
    }
    assert_int_equal(seen, N_ITEMS(SPECS));
    get(fleet.t, "/v1/containers?cursor=nonsense", 400);
}

/* ---- images ------------------------------------------------------------------------------------ */

static void an_unknown_image_becomes_one_that_was_never_scanned(void **state)
{
    const struct json *c = show("c0c0c0c0c0c0");

    (void)state;
    assert_string_equal(text_at(c, "image.freshness"), "never_scanned");
    assert_string_equal(text_at(c, "image.reference"), "elsewhere.example/tool:2");
    assert_string_equal(text_at(c, "image_by"), "digest");
    assert_null(json_get(show("e0e0e0e0e0e0"), "image"));
    assert_string_equal(text_at(show("e0e0e0e0e0e0"), "verdict"), "unknown");
}

static void what_runs_follows_from_what_nodes_report(void **state)
{
    (void)state;
    assert_int_equal(running_of(fresh), 2);
    assert_int_equal(running_of(stale), 1);
    assert_int_equal(running_of(UNKNOWN), 1);
    send_json(fleet.t, "POST", "/v1/running", "{\"cluster\":\"prod\",\"workloads\":[]}", 409);
    send_json(fleet.t, "POST", "/v1/running", "{\"cluster\":\"elsewhere\",\"workloads\":[]}", 200);
}

static void a_fresh_scan_is_followed_at_once(void **state)
{
    struct report_spec s = spec_of(2);

    (void)state;
    s.repository = "shop.example/old";
    s.harmless = true;
    upload(fleet.t, &s, 201);
    expect_soon("policy=scan-age", "stranger nameless tagged");
    expect("verdict=pass", "old walled");
}

static void a_changed_policy_is_followed_at_once(void **state)
{
    (void)state;
    send_json(fleet.t, "POST", "/v1/policies/scan-age/disable", NULL, 200);
    expect_soon("policy=scan-age", "");
    expect_soon("verdict=pass", "old walled nameless tagged");
    send_json(fleet.t, "POST", "/v1/policies/scan-age/enable", NULL, 200);
    expect_soon("policy=scan-age", "stranger nameless tagged");
}

/* ---- differences --------------------------------------------------------------------------------- */

static void only_what_follows_on_is_taken(void **state)
{
    static const struct spec other = { "f0f0f0f0f0f0", "web", "shop.example/app:1.0", fresh, "web", NULL, NULL, false };

    (void)state;
    report(7, 8, &other, 1, "", 409);
    expect("q=web", "");
    assert_int_equal(json_int(json_get(report(1, 2, &other, 1, "\"e0e0e0e0e0e0\"", 200), "generation"), 0), 2);
    expect("q=web", "web");
    expect("q=nameless", "");
    assert_int_equal(running_of(fresh), 3);
}

static void two_images_share_a_place_while_it_is_rolled_out(void **state)
{
    static const struct spec newer = { "f1f1f1f1f1f1", "web", "shop.example/old:1.0", stale, "web", NULL, NULL, false };

    (void)state;
    report(2, 3, &newer, 1, "", 200);
    const struct json *items = json_get(get(fleet.t, "/v1/running?cluster=prod", 200), "items");
    size_t n = 0;
    for (uint32_t i = 0; i < json_len(items); i++)
        n += strcmp(json_get_str(json_at(items, i), "workload", ""), "web") == 0;
    assert_int_equal(n, 2);
    assert_int_equal(running_of(stale), 2);
    report(3, 4, NULL, 0, "\"f0f0f0f0f0f0\"", 200);
    assert_int_equal(running_of(fresh), 2);
    assert_int_equal(running_of(stale), 2);
}

static void a_whole_report_replaces_all(void **state)
{
    (void)state;
    report(0, 5, SPECS, N_ITEMS(SPECS), "", 200);
    expect("q=web", "");
    assert_int_equal(running_of(fresh), 2);
    expect_soon("policy=sandbox-required", "secretive");
}

/* ---- what is not right ------------------------------------------------------------------------------ */

static void hostile_texts_stay_texts(void **state)
{
    static const struct spec hostile = { "9a9a9a9a9a9a", "<script>\\u001b[2J\\n", "../../etc/passwd", NULL, "a\\nb", "\"x\",\"=\",\"k=v\"", NULL, false };

    (void)state;
    report(5, 6, &hostile, 1, "", 200);
    const struct json *c = show("9a9a9a9a9a9a");
    assert_null(json_get(c, "image"));
    assert_string_equal(text_at(c, "workload"), "a?b");
    expect_soon("q=a?b&verdict=unknown", "<script>?[2J?");
    get(fleet.t, "/v1/running?cluster=prod&limit=1", 200);
    keepd_ask(&fleet.t->client, fleet.node.token, "POST", "/v1/agent/inventory",
              "{\"base\":6,\"generation\":7,\"containers\":[{\"id\":\"\"}]}", 400);
    keepd_ask(&fleet.t->client, fleet.node.token, "POST", "/v1/agent/inventory",
              "{\"base\":6,\"generation\":7,\"containers\":[{\"id\":\"a\",\"surprise\":1}]}", 400);
    report(6, 7, NULL, 0, "\"9a9a9a9a9a9a\"", 200);
}

static void a_node_does_not_fill_the_disk(void **state)
{
    struct buf b;
    int64_t generation = 7;
    int status = 0, sent = 0;

    (void)state;
    buf_init(&b, 1 << 20);
    for (; status == 0 || status == 200; sent++) {
        buf_clear(&b);
        buf_printf(&b, "{\"base\":%" PRId64 ",\"generation\":%" PRId64 ",\"containers\":[", generation, generation + 1);
        for (int i = 0; i < 512; i++)
            buf_printf(&b, "%s{\"id\":\"f%d-%d\"}", i > 0 ? "," : "", sent, i);
        buf_puts(&b, "]}");
        struct ask ask = { "POST", "/v1/agent/inventory", fleet.node.token, "Content-Type: application/json\r\n", b.ptr, b.len };
        status = client_send(&fleet.t->client, &ask).status;
        generation += status == 200;
    }
    assert_int_equal(status, 413);
    assert_int_equal(sent, CONTAINERS_MAX / 512);          /* with the six that were there, one message less */
    buf_free(&b);
    report(0, 20, SPECS, N_ITEMS(SPECS), "", 200);
    expect("q=f1-", "");
}

static void a_revoked_node_is_refused_and_what_it_ran_is_shown_as_such(void **state)
{
    char path[100];

    (void)state;
    assert_string_equal(text_at(show("a0a0a0a0a0a0"), "node_state"), "enrolled");
    snprintf(path, sizeof path, "/v1/nodes/%s", fleet.node.node_id);
    keepd_ask(&fleet.t->client, keepd_token(&fleet.t->keepd, ROLE_ADMIN), "DELETE", path, NULL, 204);
    report(20, 21, NULL, 0, "", 401);
    assert_string_equal(text_at(show("a0a0a0a0a0a0"), "node_state"), "revoked");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_run_a_stale_image_is_one_question), cmocka_unit_test(which_carry_a_vulnerability_is_one_question),
        cmocka_unit_test(which_break_a_policy_is_one_question), cmocka_unit_test(filters_narrow_each_other),
        cmocka_unit_test(pages_follow_each_other), cmocka_unit_test(an_unknown_image_becomes_one_that_was_never_scanned),
        cmocka_unit_test(what_runs_follows_from_what_nodes_report), cmocka_unit_test(a_fresh_scan_is_followed_at_once),
        cmocka_unit_test(a_changed_policy_is_followed_at_once), cmocka_unit_test(only_what_follows_on_is_taken),
        cmocka_unit_test(two_images_share_a_place_while_it_is_rolled_out), cmocka_unit_test(a_whole_report_replaces_all),
        cmocka_unit_test(hostile_texts_stay_texts), cmocka_unit_test(a_node_does_not_fill_the_disk),
        cmocka_unit_test(a_revoked_node_is_refused_and_what_it_ran_is_shown_as_such),
    };

    return cmocka_run_group_tests(tests, open_fleet, close_fleet);
}
