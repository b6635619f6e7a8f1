/* nodes.c - nodes and join tokens keep their contract on both engines. */
#include "tests/store/engine.h"

#include "base/crypto.h"
#include "base/time.h"
#include "store/join_token.h"
#include "store/node.h"

static const char *pg_url;
static const uint8_t hash[JOIN_TOKEN_HASH_LEN] = { 4, 5, 6 };

struct fixture {
    struct engine engine;
    struct db *db;
    struct arena arena;
    struct err err;
};

static int set_up(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);

    if (t == NULL)
        abort();
    t->db = engine_writing(&t->engine, pg_url, &t->arena);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *t = *state;

    engine_written(&t->engine, t->db, &t->arena);
    free(t);
    return 0;
}

static struct node node_like(struct fixture *t, int i, const char *cluster)
{
    return (struct node){
        .node_id = arena_printf(&t->arena, "n%04d", i), .name = arena_printf(&t->arena, "name-%d", i / 2), .cluster = cluster,
        .labels = "{}", .scope = cluster, .fingerprint = arena_printf(&t->arena, "%064d", i), .public_key = "PEM", .join_token = "jt",
        .created_ms = 10 + i, .agent_version = "1", .kernel = "6.1", .arch = "x", .certificate = "",
    };
}

static struct node insert(struct fixture *t, int i, const char *cluster)
{
    struct node n = node_like(t, i, cluster);

    ENGINE_OK(node_insert(t->db, &n, &engine_err));
    return n;
}

static void all_queries_prepare(void **state)
{
    const struct db_queries sets[] = { node_queries, join_token_queries };
    struct fixture *t = *state;

    ENGINE_OK(db_prepare_all(t->db, sets, N_ITEMS(sets), &engine_err));
}

static void node_comes_back_as_it_was(void **state)
{
    struct fixture *t = *state;
    struct node a = insert(t, 1, "prod"), b = insert(t, 2, "prod"), back;

    assert_int_equal(a.id, 1);
    assert_int_equal(b.id, 2);
    ENGINE_OK(node_get(t->db, "n0001", &t->arena, &back, &engine_err));
    assert_int_equal(back.id, 1);
    assert_string_equal(back.name, a.name);
    assert_string_equal(back.fingerprint, a.fingerprint);
    assert_true(back.enrolled_ms == TIME_UNKNOWN && back.revoked_ms == TIME_UNKNOWN && back.last_seen_ms == TIME_UNKNOWN);
    assert_true(back.clock_skew_ms == TIME_UNKNOWN && back.cloned_ms == TIME_UNKNOWN && back.session_ms == TIME_UNKNOWN);
    assert_null(back.status);
    assert_string_equal(back.problem, "");
    assert_int_equal(back.bundle_version, 0);
    ENGINE_OK(node_get_by_key(t->db, b.fingerprint, &t->arena, &back, &engine_err));
    assert_string_equal(back.node_id, "n0002");
    ENGINE_OK(node_get_stored(t->db, 2, &t->arena, &back, &engine_err));
    assert_string_equal(back.node_id, "n0002");
    assert_int_equal(node_get(t->db, "n0003", &t->arena, &back, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_NOT_FOUND);
    struct node same = node_like(t, 1, "prod");
    same.node_id = "other";
    assert_int_equal(node_insert(t->db, &same, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_CONFLICT);
}

static void a_session_and_a_report_are_kept(void **state)
{
    struct fixture *t = *state;
    struct node n = insert(t, 1, "prod"), back;

    ENGINE_OK(node_get_stored(t->db, n.id, &t->arena, &n, &engine_err));
    n.enrolled_ms = n.last_seen_ms = 100;
    n.last_from = "10.0.0.1";
    n.agent_version = "2";
    n.clock_skew_ms = -5;
    n.session_ms = 95;
    n.session_nonce = "nonce";
    n.challenge_ms = 99;
    n.instances = "[\"a\",\"b\"]";
    n.cloned_ms = 98;
    n.certificate = "ff";
    n.problem = "clock";
    ENGINE_OK(node_update_session(t->db, &n, &engine_err));
    ENGINE_OK(node_get_stored(t->db, n.id, &t->arena, &back, &engine_err));
    assert_int_equal(back.enrolled_ms, 100);
    assert_int_equal(back.clock_skew_ms, -5);
    assert_int_equal(back.session_ms, 95);
    assert_int_equal(back.challenge_ms, 99);
    assert_int_equal(back.cloned_ms, 98);
    assert_string_equal(back.session_nonce, "nonce");
    assert_string_equal(back.instances, "[\"a\",\"b\"]");
    assert_string_equal(back.certificate, "ff");
    assert_string_equal(back.problem, "clock");
    back.status = "{\"x\":1}";
    back.status_ms = 200;
    back.bundle_version = 4;
    back.bundle_applied_ms = 200;
    back.problem = "";
    back.last_seen_ms = 200;
    ENGINE_OK(node_update_status(t->db, &back, &engine_err));
    ENGINE_OK(node_get_stored(t->db, n.id, &t->arena, &back, &engine_err));
    assert_string_equal(back.status, "{\"x\":1}");
    assert_int_equal(back.bundle_version, 4);
    assert_int_equal(back.last_seen_ms, 200);
    assert_string_equal(back.problem, "");
}

static void a_touch_never_goes_back_and_says_since_when_a_bundle_is_in_force(void **state)
{
    struct fixture *t = *state;
    struct node n = insert(t, 1, "prod"), back;

    ENGINE_OK(node_touch(t->db, n.id, 1000, "a", 7, &engine_err));
    ENGINE_OK(node_touch(t->db, n.id, 900, "b", 8, &engine_err));
    ENGINE_OK(node_touch(t->db, n.id, 2000, NULL, 7, &engine_err));
    ENGINE_OK(node_touch(t->db, n.id, 3000, NULL, -1, &engine_err));
    ENGINE_OK(node_get_stored(t->db, n.id, &t->arena, &back, &engine_err));
    assert_int_equal(back.last_seen_ms, 3000);
    assert_string_equal(back.last_from, "a");
    assert_int_equal(back.bundle_version, 7);
    assert_int_equal(back.bundle_applied_ms, 1000);
}

static void revoking_happens_once(void **state)
{
    struct fixture *t = *state;
    struct node n = insert(t, 1, "prod"), back;
    int64_t *ids;
    size_t count;
    bool changed;

    insert(t, 2, "prod");
    ENGINE_OK(node_end(t->db, n.id, 500, "ann", &changed, &engine_err));
    assert_true(changed);
    ENGINE_OK(node_end(t->db, n.id, 600, "bob", &changed, &engine_err));
    assert_false(changed);
    ENGINE_OK(node_get_stored(t->db, n.id, &t->arena, &back, &engine_err));
    assert_int_equal(back.revoked_ms, 500);
    assert_string_equal(back.revoked_by, "ann");
    ENGINE_OK(node_list_revoked(t->db, 500, 10, &t->arena, &ids, &count, &engine_err));
    assert_int_equal(count, 1);
    assert_int_equal(ids[0], n.id);
    ENGINE_OK(node_list_revoked(t->db, 501, 10, &t->arena, &ids, &count, &engine_err));
    assert_int_equal(count, 0);
}

static void nodes_are_found_by_what_they_are(void **state)
{
    struct fixture *t = *state;
    struct node_filter any = { .state = -1, .bundle_version = -1, .silent_before_ms = 1000 }, f;
    struct node n[6], *list;
    size_t count;
    bool changed;

    for (int i = 0; i < 6; i++) {
        n[i] = insert(t, i, i < 3 ? "a" : "b");
        ENGINE_OK(node_get_stored(t->db, n[i].id, &t->arena, &n[i], &engine_err));
    }
    for (int i = 1; i < 6; i++) {
        n[i].enrolled_ms = 500;
        n[i].last_seen_ms = i < 3 ? 999 : 1000;
        n[i].problem = i == 4 ? "clock" : "";
        ENGINE_OK(node_update_session(t->db, &n[i], &engine_err));
    }
    ENGINE_OK(node_touch(t->db, n[5].id, 1500, NULL, 3, &engine_err));
    ENGINE_OK(node_end(t->db, n[3].id, 2000, "x", &changed, &engine_err));
    static const size_t by_state[NODE_STATE_N] = { [NODE_REVOKED] = 1, [NODE_INVITED] = 1, [NODE_SILENT] = 2, [NODE_ENROLLED] = 2 };
    for (int s = 0; s < NODE_STATE_N; s++) {
        f = any;
        f.state = s;
        ENGINE_OK(node_list(t->db, &f, "", INT64_MAX, 100, &t->arena, &list, &count, &engine_err));
        assert_int_equal(count, by_state[s]);
    }
    const struct { const char *cluster, *q; bool problem; int64_t version; size_t n; } cases[] = {
        { "a", NULL, false, -1, 3 }, { NULL, "name-1", false, -1, 2 }, { NULL, "n0004", false, -1, 1 }, { NULL, "_ame", false, -1, 0 },
        { NULL, NULL, true, -1, 1 }, { NULL, NULL, false, 3, 1 }, { NULL, NULL, false, 0, 5 }, { "b", "name-2", true, -1, 1 },
    };
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        f = any;
        f.cluster = cases[i].cluster;
        f.q = cases[i].q;
        f.has_problem = cases[i].problem;
        f.bundle_version = cases[i].version;
        ENGINE_OK(node_list(t->db, &f, "", INT64_MAX, 100, &t->arena, &list, &count, &engine_err));
        if (count != cases[i].n)
            fail_msg("case %zu: %zu", i, count);
    }
    const char *name = "";
    int64_t id = INT64_MAX;
    for (int i = 0; i < 6; i++) {
        ENGINE_OK(node_list(t->db, &any, name, id, 1, &t->arena, &list, &count, &engine_err));
        assert_int_equal(count, 1);
        assert_string_equal(list[0].node_id, n[i].node_id);
        name = list[0].name;
        id = list[0].id;
    }
    ENGINE_OK(node_list_new(t->db, 4, 100, &t->arena, &list, &count, &engine_err));
    assert_int_equal(count, 2);
    assert_int_equal(list[0].id, 5);
}

static void a_join_token_is_worth_its_uses(void **state)
{
    struct fixture *t = *state;
    struct join_token jt = { .id = "j1", .name = "n", .cluster = "c", .labels = "{\"a\":\"b\"}", .created_ms = 1, .created_by = "ann",
                             .expires_ms = 1000, .max_uses = 2 }, back, *list;
    uint8_t got[JOIN_TOKEN_HASH_LEN];
    bool taken, changed;
    size_t n;

    ENGINE_OK(join_token_insert(t->db, &jt, hash, &engine_err));
    ENGINE_OK(join_token_get(t->db, "j1", &t->arena, &back, got, &engine_err));
    assert_memory_equal(got, hash, sizeof hash);
    assert_string_equal(back.labels, jt.labels);
    assert_int_equal(back.n_used, 0);
    ENGINE_OK(join_token_use(t->db, "j1", 1000, &taken, &engine_err));
    assert_false(taken);                                  /* it ends at its millisecond */
    for (int i = 0; i < 3; i++) {
        ENGINE_OK(join_token_use(t->db, "j1", 999, &taken, &engine_err));
        assert_int_equal(taken, i < 2);
    }
    jt.id = "j2";
    jt.created_ms = 2;
    ENGINE_OK(join_token_insert(t->db, &jt, hash, &engine_err));
    ENGINE_OK(join_token_end(t->db, "j2", 5, &changed, &engine_err));
    assert_true(changed);
    ENGINE_OK(join_token_use(t->db, "j2", 6, &taken, &engine_err));
    assert_false(taken);
    ENGINE_OK(join_token_list(t->db, INT64_MAX, "", 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].id, "j2");
    assert_int_equal(list[1].n_used, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(all_queries_prepare), T(node_comes_back_as_it_was), T(a_session_and_a_report_are_kept),
        T(a_touch_never_goes_back_and_says_since_when_a_bundle_is_in_force), T(revoking_happens_once),
        T(nodes_are_found_by_what_they_are), T(a_join_token_is_worth_its_uses),
    };

    ENGINE_OK(crypto_init(&engine_err));
    int failed = cmocka_run_group_tests_name("SQLite", tests, NULL, NULL);
    pg_url = engine_pg_url();
    if (pg_url != NULL)
        failed += cmocka_run_group_tests_name("PostgreSQL", tests, NULL, NULL);
    return failed;
}
