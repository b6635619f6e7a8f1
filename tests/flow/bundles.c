/* Bundles from a real keepd to the agent's own update code: made, held for, applied,
 * refused; roots that move off the server; revocation; restarts. */
#include "agent/update.h"
#include "client/http.h"
#include "tests/flow/upload.h"
#include "tests/support/node.h"
#include "wire/envelope.h"
#include "wire/msg/node_settings.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>

struct site {
    struct fixture *t;
    struct test_node node;
    char dir[64], base[64];
    struct http_client *client;
    struct update *u;
};

static const char *admin(struct fixture *t)
{
    return keepd_token(&t->keepd, ROLE_ADMIN);
}

static void open_client(struct site *s)
{
    struct client_config c = { .base_url = s->base, .token = s->node.token };
    struct err err = { 0 };

    http_client_close(s->client);
    snprintf(s->base, sizeof s->base, "http://127.0.0.1:%d", s->t->keepd.port);
    assert_int_equal(http_client_open(&c, &s->client, &err), 0);
}

static void site_open_labelled(struct site *s, struct fixture *t, const char *cluster, const char *labels)
{
    struct update_config c = { .dir = s->dir, .roots_every_ms = -1 };
    struct err err = { 0 };

    *s = (struct site){ .t = t };
    snprintf(s->dir, sizeof s->dir, "/tmp/keep-bundles-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    test_node_join(&t->client, admin(t), cluster, labels, &s->node);
    open_client(s);
    const struct json *trust = keepd_ask(&t->client, admin(t), "GET", "/v1/trust", NULL, 200);
    const char *root = json_get_str(trust, "envelope", "");
    assert_int_equal(update_pin(s->dir, root, strlen(root), &err), 0);
    c.scope = s->node.scope;
    if (update_open(&c, &s->u, &err) != 0)
        fail_msg("%s", err.msg);
}

static void site_open(struct site *s, struct fixture *t, const char *cluster)
{
    site_open_labelled(s, t, cluster, NULL);
}

static void site_close(struct site *s)
{
    char cmd[2][200];
    DIR *d = opendir(s->dir), *sub;

    update_close(s->u);
    http_client_close(s->client);
    test_node_free(&s->node);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        snprintf(cmd[0], sizeof cmd[0], "%s/%.100s", s->dir, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || unlink(cmd[0]) == 0 || (sub = opendir(cmd[0])) == NULL)
            continue;
        for (struct dirent *f; (f = readdir(sub)) != NULL;) {
            snprintf(cmd[1], sizeof cmd[1], "%.140s/%.50s", cmd[0], f->d_name);
            unlink(cmd[1]);
        }
        closedir(sub);
        rmdir(cmd[0]);
    }
    closedir(d);
    rmdir(s->dir);
}

static struct update_result poll_for(struct site *s, int64_t wait_s)
{
    struct update_transport t = update_over_http(s->client);
    struct update_result out;
    struct err err = { 0 };

    assert_int_equal(update_poll(s->u, &t, wait_s, time_now_ms(), &out, &err), 0);
    return out;
}

static void expect(struct site *s, enum update_outcome outcome)
{
    struct update_result r = poll_for(s, 0);

    if (r.outcome != outcome)
        fail_msg("expected %s, got %s: %s", update_outcome_word(outcome), update_outcome_word(r.outcome), r.words);
}

static int64_t version(struct site *s)
{
    struct update_state st;

    update_state(s->u, time_now_ms(), &st);
    return st.version;
}

static void put_policy(struct fixture *t, const char *name, const char *extra)
{
    char path[120], body[800];

    snprintf(path, sizeof path, "/v1/policies/%s", name);
    snprintf(body, sizeof body, "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: %s, title: A run rule}\nspec:\n  stages: [run]\n  mode: warn\n%s"
             "  validations:\n    - name: none\n      expression: \"true\"\n      message: \"no\"\n", name, extra);
    struct ask ask = { "PUT", path, admin(t), "Content-Type: application/yaml\r\n", body, strlen(body) };
    struct reply r = client_send(&t->client, &ask);
    if (r.status != 201 && r.status != 200)
        fail_msg("policy: %d %.*s", r.status, (int)r.len, r.body);
}

static bool bundle_has(struct site *s, const char *file, const char *word)
{
    struct arena arena;
    struct bytes text;
    struct err err = { 0 };

    arena_init(&arena, 32 << 20);
    if (update_file(s->u, file, &arena, &text, &err) != 0)
        fail_msg("%s: %s", file, err.msg);
    bool found = strstr((const char *)text.ptr, word) != NULL;
    arena_clear(&arena);
    return found;
}

/* Until the bundle in force is newer than `than`. */
static void wait_newer_for(struct site *s, int64_t than, int seconds)
{
    for (int i = 0; i < seconds * 10 && version(s) <= than; i++) {
        poll_for(s, 0);
        nanosleep(&(struct timespec){ .tv_nsec = 100 * 1000 * 1000 }, NULL);
    }
    assert_true(version(s) > than);
}

static void wait_newer(struct site *s, int64_t than)
{
    wait_newer_for(s, than, 20);
}

/* ---- claims -------------------------------------------------------------------------- */

static void a_node_gets_its_bundle_and_then_nothing_new(void **state)
{
    struct site s;

    site_open(&s, *state, "prod");
    expect(&s, UPDATE_APPLIED);
    assert_int_equal(version(&s), 1);
    expect(&s, UPDATE_UNCHANGED);
    assert_true(bundle_has(&s, "settings.json", "\"wait_s\":240"));
    assert_true(bundle_has(&s, "profiles.json", "{\"profiles\":["));
    site_close(&s);
}

struct held { struct site *s; struct update_result out; int64_t took_ms; };
static void *hold(void *arg)
{
    struct held *h = arg;
    int64_t from = time_monotonic_ms();

    h->out = poll_for(h->s, 20);
    h->took_ms = time_monotonic_ms() - from;
    return NULL;
}

static void a_held_poll_is_answered_by_a_change(void **state)
{
    struct fixture *t = *state;
    struct site s;

    site_open(&s, t, "held");
    expect(&s, UPDATE_APPLIED);
    struct held h = { .s = &s };
    pthread_t thread;
    pthread_create(&thread, NULL, hold, &h);
    nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
    put_policy(t, "held-rule", "");
    pthread_join(thread, NULL);
    assert_int_equal(h.out.outcome, UPDATE_APPLIED);
    assert_true(h.took_ms >= 900 && h.took_ms < 5000);
    assert_true(bundle_has(&s, "policies.json", "held-rule"));
    site_close(&s);
}

static void a_hold_ends_by_itself(void **state)
{
    struct site s;

    site_open(&s, *state, "ends");
    expect(&s, UPDATE_APPLIED);
    int64_t from = time_monotonic_ms();
    struct update_result r = poll_for(&s, 1);
    assert_int_equal(r.outcome, UPDATE_UNCHANGED);
    assert_in_range(time_monotonic_ms() - from, 900, 4000);
    site_close(&s);
}

static void a_policy_of_another_cluster_is_not_sent(void **state)
{
    struct fixture *t = *state;
    struct site s;

    site_open(&s, t, "north");
    expect(&s, UPDATE_APPLIED);
    int64_t was = version(&s);
    put_policy(t, "south-only", "  match: {clusters: [south]}\n");
    put_policy(t, "north-only", "  match: {clusters: [north]}\n");
    wait_newer(&s, was);
    for (int i = 0; i < 30 && !bundle_has(&s, "policies.json", "north-only"); i++)
        wait_newer(&s, version(&s));
    assert_false(bundle_has(&s, "policies.json", "south-only"));
    site_close(&s);
}

static void what_does_not_change_a_bundle_makes_no_version(void **state)
{
    struct fixture *t = *state;
    struct site s;

    site_open(&s, t, "quiet");
    expect(&s, UPDATE_APPLIED);
    int64_t was = version(&s);
    put_policy(t, "far-away", "  match: {clusters: [elsewhere]}\n");
    nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
    expect(&s, UPDATE_UNCHANGED);
    assert_int_equal(version(&s), was);
    site_close(&s);
}

static void versions_go_on_after_a_restart(void **state)
{
    struct fixture *t = *state;
    struct site s;

    site_open(&s, t, "again");
    expect(&s, UPDATE_APPLIED);
    int64_t was = version(&s);
    keepd_stop(&t->keepd, SIGKILL, 10000);
    keepd_start(&t->keepd);
    client_close(&t->client);
    t->client.port = t->keepd.port;
    open_client(&s);
    expect(&s, UPDATE_UNCHANGED);
    put_policy(t, "after-restart", "");
    wait_newer(&s, was);
    assert_int_equal(version(&s), was + 1);
    site_close(&s);
}

enum { LARGE_POLICIES = 30, LARGE_POLICY = 250000, LARGE_SCOPES = 10 };

static void put_large_policies(struct fixture *t)
{
    char *text = malloc(LARGE_POLICY), name[40];

    assert_non_null(text);
    for (int i = 0; i < LARGE_POLICIES; i++) {
        snprintf(name, sizeof name, "large-%02d", i);
        int n = snprintf(text, LARGE_POLICY, "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: %s, title: Large}\nspec:\n  stages: [run]\n  mode: warn\n"
                         "  validations:\n    - name: none\n      expression: \"true\"\n      message: \"no\"\n#", name);
        memset(text + n, 'x', (size_t)(LARGE_POLICY - n - 1));
        text[LARGE_POLICY - 1] = '\0';
        char path[80];
        snprintf(path, sizeof path, "/v1/policies/%s", name);
        struct ask ask = { "PUT", path, admin(t), "Content-Type: application/yaml\r\n", text, strlen(text) };
        assert_int_equal(client_send(&t->client, &ask).status, 201);
    }
    free(text);
}

/* Together they are more than a round of the server may hold at a time. */
static void large_bundles_of_many_scopes_are_all_served(void **state)
{
    struct fixture *t = *state;
    struct site s[LARGE_SCOPES];
    char name[40];

    put_large_policies(t);
    for (int i = 0; i < LARGE_SCOPES; i++) {
        snprintf(name, sizeof name, "{\"shard\":\"%d\"}", i);
        site_open_labelled(&s[i], t, "large", name);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < LARGE_SCOPES; i++) {
            int64_t was = version(&s[i]);
            wait_newer_for(&s[i], was, 120);
            assert_true(bundle_has(&s[i], "policies.json", "large-29"));
        }
        if (round == 0)
            put_policy(t, "one-more", "");
    }
    for (int i = 0; i < LARGE_POLICIES; i++) {
        snprintf(name, sizeof name, "/v1/policies/large-%02d", i);
        keepd_ask(&t->client, admin(t), "DELETE", name, NULL, 204);
    }
    for (int i = 0; i < LARGE_SCOPES; i++) {                 /* the tests after this one are not to wait for it */
        for (int k = 0; k < 120 && bundle_has(&s[i], "policies.json", "large-"); k++)
            wait_newer_for(&s[i], version(&s[i]), 120);
        site_close(&s[i]);
    }
}

static void a_revoked_node_is_denied_and_keeps_its_bundle(void **state)
{
    struct fixture *t = *state;
    struct site s;
    char path[128];

    site_open(&s, t, "gone");
    expect(&s, UPDATE_APPLIED);
    snprintf(path, sizeof path, "/v1/nodes/%s", s.node.node_id);
    keepd_ask(&t->client, admin(t), "DELETE", path, NULL, 204);
    struct update_result r = poll_for(&s, 0);
    assert_int_equal(r.outcome, UPDATE_DENIED);
    assert_int_equal(r.status, 401);
    assert_int_equal(version(&s), 1);
    site_close(&s);
}

static void people_see_who_runs_what(void **state)
{
    struct fixture *t = *state;
    struct site s;

    site_open(&s, t, "seen");
    expect(&s, UPDATE_APPLIED);
    expect(&s, UPDATE_UNCHANGED);
    bool seen = false;
    for (int i = 0; i < 50 && !seen; i++) {
        const struct json *list = json_get(keepd_ask(&t->client, admin(t), "GET", "/v1/bundles?limit=500", NULL, 200), "items");
        for (uint32_t k = 0; k < json_len(list); k++) {
            const struct json *b = json_at(list, k);
            if (strcmp(json_get_str(b, "scope", ""), s.node.scope) == 0)
                seen = json_int(json_get(b, "nodes"), 0) == 1 && json_int(json_get(b, "current"), 0) == 1 &&
                       json_int(json_get(b, "version"), 0) == version(&s);
        }
        nanosleep(&(struct timespec){ .tv_nsec = 200 * 1000 * 1000 }, NULL);
    }
    assert_true(seen);
    site_close(&s);
}

static void a_new_bundle_key_comes_with_a_new_root(void **state)
{
    struct fixture *t = *state;
    struct site s;

    site_open(&s, t, "rotates");
    expect(&s, UPDATE_APPLIED);
    int64_t was = version(&s), root = json_int(json_get(keepd_ask(&t->client, admin(t), "GET", "/v1/trust", NULL, 200), "version"), 0);
    const struct json *made = keepd_ask(&t->client, admin(t), "POST", "/v1/trust/bundle-key", NULL, 201);
    assert_int_equal(json_int(json_get(made, "version"), 0), root + 1);
    wait_newer(&s, was);
    struct update_state st;
    update_state(s.u, time_now_ms(), &st);
    assert_int_equal(st.root_version, root + 1);
    site_close(&s);
}

/* ---- roots made elsewhere --------------------------------------------------------------- */

static const char *public_key_of(const struct json *trust, const char *role)
{
    const struct json *keys = json_get(trust, "keys");

    for (uint32_t i = 0; i < json_len(keys); i++)
        if (strcmp(json_get_str(json_at(keys, i), "role", ""), role) == 0)
            return json_get_str(json_at(keys, i), "public_key", "");
    return "";
}

/* A root with three offline keys, of which two must sign, and the server's bundle key. */
static struct bytes offline_root(struct fixture *t, struct arena *arena, struct privkey *const keys[3], size_t n_sign, int64_t version_of)
{
    const struct json *trust = keepd_ask(&t->client, admin(t), "GET", "/v1/trust", NULL, 200);
    const char *pem = public_key_of(trust, "bundle");
    struct trust_root r = { .version = version_of, .expires_ms = (time_now_ms() / 1000 + 86400) * 1000, .n_keys = 4 };
    const struct privkey *by[] = { keys[0], keys[1], keys[2] };
    struct err err = { 0 };
    struct buf payload, out;

    r.keys = arena_array(arena, 4, sizeof *r.keys);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pubkey_from_ed25519(pubkey_ed25519(privkey_public(keys[i])), &r.keys[i], &err), 0);
    assert_int_equal(pubkey_from_pem(pem, strlen(pem), &r.keys[3], &err), 0);
    r.root = (struct trust_role){ .threshold = 2, .n = 3, .keys = { &r.keys[0], &r.keys[1], &r.keys[2] } };
    r.bundle = (struct trust_role){ .threshold = 1, .n = 1, .keys = { &r.keys[3] } };
    buf_init(&payload, TRUST_ROOT_MAX);
    buf_init(&out, TRUST_ROOT_MAX);
    assert_int_equal(trust_root_write(&r, &payload, &err), 0);
    assert_int_equal(envelope_sign(arena, TRUST_ROOT_TYPE, (struct bytes){ (unsigned char *)payload.ptr, payload.len }, by, n_sign, &out, &err), 0);
    char *text = arena_strndup(arena, out.ptr, out.len);
    size_t len = out.len;
    buf_free(&payload);
    buf_free(&out);
    return (struct bytes){ (unsigned char *)text, len };
}

static int add_root(struct fixture *t, struct bytes root)
{
    struct ask ask = { "POST", "/v1/trust/roots", admin(t), "Content-Type: application/json\r\n", root.ptr, root.len };

    return client_send(&t->client, &ask).status;
}

static void trust_moves_off_the_server(void **state)
{
    struct fixture *t = *state;
    struct privkey *keys[3];
    struct arena arena;
    struct err err = { 0 };
    struct site s;

    site_open(&s, t, "offline");
    expect(&s, UPDATE_APPLIED);
    arena_init(&arena, 8 << 20);
    for (int i = 0; i < 3; i++)
        assert_int_equal(privkey_generate(KEY_ED25519, &keys[i], &err), 0);
    int64_t root = json_int(json_get(keepd_ask(&t->client, admin(t), "GET", "/v1/trust", NULL, 200), "version"), 0);
    assert_int_equal(add_root(t, offline_root(t, &arena, keys, 1, root + 1)), 422);       /* one of two */
    assert_int_equal(add_root(t, offline_root(t, &arena, keys, 2, root + 2)), 422);       /* not the next */
    assert_int_equal(add_root(t, offline_root(t, &arena, keys, 2, root + 1)), 201);       /* the server adds its own */
    wait_newer(&s, version(&s));
    for (int i = 0; i < 30; i++) {
        const struct json *trust = keepd_ask(&t->client, admin(t), "GET", "/v1/trust", NULL, 200);
        if (json_int(json_get(trust, "version"), 0) == root + 1)
            break;
        nanosleep(&(struct timespec){ .tv_nsec = 100 * 1000 * 1000 }, NULL);
    }
    const struct json *trust = keepd_ask(&t->client, admin(t), "GET", "/v1/trust", NULL, 200);
    assert_false(json_bool(json_get(trust, "can_sign_root"), true));
    assert_true(json_bool(json_get(trust, "can_sign_bundles"), false));
    /* From here on the server cannot move it. */
    keepd_ask(&t->client, admin(t), "POST", "/v1/trust/bundle-key", NULL, 202);
    assert_int_equal(add_root(t, offline_root(t, &arena, keys, 1, root + 2)), 422);
    assert_int_equal(add_root(t, offline_root(t, &arena, keys, 3, root + 2)), 201);
    for (int i = 0; i < 3; i++)
        privkey_free(keys[i]);
    arena_clear(&arena);
    site_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_gets_its_bundle_and_then_nothing_new), cmocka_unit_test(a_held_poll_is_answered_by_a_change),
        cmocka_unit_test(a_hold_ends_by_itself), cmocka_unit_test(a_policy_of_another_cluster_is_not_sent),
        cmocka_unit_test(what_does_not_change_a_bundle_makes_no_version), cmocka_unit_test(versions_go_on_after_a_restart),
        cmocka_unit_test(large_bundles_of_many_scopes_are_all_served),
        cmocka_unit_test(a_revoked_node_is_denied_and_keeps_its_bundle), cmocka_unit_test(people_see_who_runs_what),
        cmocka_unit_test(a_new_bundle_key_comes_with_a_new_root), cmocka_unit_test(trust_moves_off_the_server),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
