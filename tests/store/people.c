/* people.c - the stores of people's work keep their contract on both engines. */
#include "tests/store/engine.h"

#include "base/crypto.h"
#include "base/time.h"
#include "store/allowance.h"
#include "store/api_token.h"
#include "store/audit.h"
#include "store/exception.h"
#include "store/idempotency.h"
#include "store/login_link.h"
#include "store/policy_doc.h"
#include "store/recheck.h"
#include "store/session.h"
#include "store/signer.h"
#include "store/user.h"

static const char *pg_url;
static const uint8_t hash[32] = { 1, 2, 3 };

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

static void all_queries_prepare(void **state)
{
    const struct db_queries sets[] = {
        user_queries, login_link_queries, session_queries, api_token_queries, signer_queries, allowance_queries,
        exception_queries, policy_doc_queries, audit_queries, idempotency_queries, recheck_queries,
    };
    struct fixture *t = *state;

    ENGINE_OK(db_prepare_all(t->db, sets, N_ITEMS(sets), &engine_err));
}

static void add_user(struct fixture *t, const char *id, const char *name)
{
    struct user u = { id, name, "admin", 5, "root", TIME_UNKNOWN, TIME_UNKNOWN };

    ENGINE_OK(user_insert(t->db, &u, &engine_err));
}

static void user_comes_back_as_it_was(void **state)
{
    struct fixture *t = *state;
    struct user u, *list;
    int64_t others;
    size_t n;

    add_user(t, "1", "B\xc3\xa9");
    add_user(t, "2", "a");
    ENGINE_OK(user_get(t->db, "1", &t->arena, &u, &engine_err));
    assert_string_equal(u.name, "B\xc3\xa9");
    assert_int_equal(u.created_ms, 5);
    assert_true(u.disabled_ms == TIME_UNKNOWN && u.last_login_ms == TIME_UNKNOWN);
    u.disabled_ms = 9;
    ENGINE_OK(user_update(t->db, &u, &engine_err));
    ENGINE_OK(user_logged_in(t->db, "1", 8, &engine_err));
    ENGINE_OK(user_get_by_name(t->db, "B\xc3\xa9", &t->arena, &u, &engine_err));
    assert_int_equal(u.disabled_ms, 9);
    assert_int_equal(u.last_login_ms, 8);
    ENGINE_OK(user_count_others(t->db, "admin", "2", &others, &engine_err));
    assert_int_equal(others, 0);
    ENGINE_OK(user_list(t->db, "", 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].name, "B\xc3\xa9");       /* byte order on both engines */
    ENGINE_OK(user_list(t->db, "B\xc3\xa9", 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 1);
    assert_int_equal(user_get(t->db, "3", &t->arena, &u, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_NOT_FOUND);
}

static void taken_name_is_a_conflict(void **state)
{
    struct fixture *t = *state;
    struct user u = { "2", "a", "viewer", 5, "root", TIME_UNKNOWN, TIME_UNKNOWN };

    add_user(t, "1", "a");
    assert_int_equal(user_insert(t->db, &u, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_CONFLICT);
}

static void link_is_won_once(void **state)
{
    struct fixture *t = *state;
    struct login_link link = { "l", "1", 5, 100, TIME_UNKNOWN }, back;
    uint8_t stored[32];
    bool won;
    int64_t n;

    add_user(t, "1", "a");
    ENGINE_OK(login_link_insert(t->db, &link, hash, &engine_err));
    ENGINE_OK(login_link_use(t->db, "l", 100, &won, &engine_err));
    assert_false(won);
    ENGINE_OK(login_link_use(t->db, "l", 99, &won, &engine_err));
    assert_true(won);
    ENGINE_OK(login_link_use(t->db, "l", 99, &won, &engine_err));
    assert_false(won);
    ENGINE_OK(login_link_get(t->db, "l", &t->arena, &back, stored, &engine_err));
    assert_memory_equal(stored, hash, 32);
    assert_int_equal(back.used_ms, 99);
    ENGINE_OK(login_link_delete_expired(t->db, 99, &n, &engine_err));
    assert_int_equal(n, 0);
    ENGINE_OK(login_link_delete_expired(t->db, 100, &n, &engine_err));
    assert_int_equal(n, 1);
}

static void session_comes_with_its_user(void **state)
{
    struct fixture *t = *state;
    struct session s = { .id = "s", .csrf = "c", .user_id = "1", .created_ms = 1, .expires_ms = 50, .last_used_ms = 2, .from = "x" };
    uint8_t stored[32];
    int64_t n;

    add_user(t, "1", "a");
    ENGINE_OK(session_insert(t->db, &s, hash, &engine_err));
    ENGINE_OK(session_touch(t->db, "s", 7, &engine_err));
    ENGINE_OK(session_touch(t->db, "s", 6, &engine_err));
    ENGINE_OK(session_get(t->db, "s", &t->arena, &s, stored, &engine_err));
    assert_string_equal(s.user_role, "admin");
    assert_string_equal(s.csrf, "c");
    assert_int_equal(s.last_used_ms, 7);
    assert_memory_equal(stored, hash, 32);
    ENGINE_OK(session_delete_expired(t->db, 49, 6, &n, &engine_err));
    assert_int_equal(n, 0);
    ENGINE_OK(session_delete_expired(t->db, 49, 7, &n, &engine_err));
    assert_int_equal(n, 1);
}

static void token_keeps_its_patterns(void **state)
{
    static const char *const patterns[] = { "ghcr.io/a/*", "odd \"\\\x01,]" };
    struct fixture *t = *state;
    struct api_token k = { .id = "k1", .name = "n", .role = "ci", .repositories = patterns, .n_repositories = 2,
                           .created_ms = 5, .created_by = "r", .expires_ms = 50 };
    struct api_token *list, back;
    bool changed;
    size_t n;

    ENGINE_OK(api_token_insert(t->db, &k, hash, &t->arena, &engine_err));
    k.id = "k2";
    k.n_repositories = 0;
    ENGINE_OK(api_token_insert(t->db, &k, hash, &t->arena, &engine_err));
    ENGINE_OK(api_token_get(t->db, "k1", &t->arena, &back, NULL, &engine_err));
    assert_int_equal(back.n_repositories, 2);
    assert_string_equal(back.repositories[1], patterns[1]);
    assert_null(back.last_used_from);
    ENGINE_OK(api_token_list(t->db, INT64_MAX, "", 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].id, "k2");
    ENGINE_OK(api_token_list(t->db, 5, "k2", 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 1);
    ENGINE_OK(api_token_touch(t->db, "k1", 9, "10.0.0.1", &engine_err));
    ENGINE_OK(api_token_touch(t->db, "k1", 8, "10.0.0.2", &engine_err));
    ENGINE_OK(api_token_revoke(t->db, "k1", 10, &changed, &engine_err));
    assert_true(changed);
    ENGINE_OK(api_token_revoke(t->db, "k1", 11, &changed, &engine_err));
    assert_false(changed);
    ENGINE_OK(api_token_get(t->db, "k1", &t->arena, &back, NULL, &engine_err));
    assert_int_equal(back.revoked_ms, 10);
    assert_int_equal(back.last_used_ms, 9);
    assert_string_equal(back.last_used_from, "10.0.0.1");
}

static void usable_signers_are_not_revoked(void **state)
{
    struct fixture *t = *state;
    struct signer s = { .id = "a", .name = "n", .algorithm = "ed25519", .public_key = "k", .not_before_ms = 1,
                        .not_after_ms = TIME_UNKNOWN, .created_ms = 1, .created_by = "r" }, *list;
    bool changed;
    size_t n;

    ENGINE_OK(signer_insert(t->db, &s, &t->arena, &engine_err));
    s.id = "b", s.name = "m";
    ENGINE_OK(signer_insert(t->db, &s, &t->arena, &engine_err));
    ENGINE_OK(signer_revoke(t->db, "a", 5, &changed, &engine_err));
    ENGINE_OK(signer_list_usable(t->db, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 1);
    assert_string_equal(list[0].id, "b");
    assert_true(list[0].not_after_ms == TIME_UNKNOWN);
    ENGINE_OK(signer_list(t->db, "", 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 2);
}

static void allowances_end(void **state)
{
    struct fixture *t = *state;
    struct allowance a = { "ghcr.io/**", "because", 1, "r", 10, NULL }, *list;
    size_t n;

    ENGINE_OK(allowance_insert(t->db, &a, &engine_err));
    ENGINE_OK(allowance_list_active(t->db, 9, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 1);
    ENGINE_OK(allowance_list_active(t->db, 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 0);
    ENGINE_OK(allowance_list(t->db, "", 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 1);
    ENGINE_OK(allowance_delete(t->db, "ghcr.io/**", &engine_err));
    assert_int_equal(allowance_get(t->db, "ghcr.io/**", &t->arena, &a, &t->err), -1);
}

static size_t count_exceptions(struct fixture *t, struct exception_filter f, int64_t now_ms)
{
    struct exception *list;
    size_t n;

    ENGINE_OK(exception_list(t->db, &f, now_ms, INT64_MAX, "", 100, &t->arena, &list, &n, &engine_err));
    return n;
}

static void exceptions_are_found_by_what_they_are(void **state)
{
    struct fixture *t = *state;
    struct exception e = { .id = "1", .vulnerability = "CVE-1", .reason = "r", .owner = "o", .source = "manual",
                           .created_ms = 1, .created_by = "x", .expires_ms = 100 };
    struct exception_filter none = { .expires_before_ms = TIME_UNKNOWN }, f = none;
    struct exception *list;
    bool changed;
    size_t n;

    ENGINE_OK(exception_insert(t->db, &e, &engine_err));
    e.id = "2", e.rule = "a/b", e.vulnerability = NULL, e.expires_ms = 50;
    ENGINE_OK(exception_insert(t->db, &e, &engine_err));
    e.id = "3", e.rule = NULL, e.vulnerability = "CVE-1", e.source = "openvex", e.digest = "d", e.expires_ms = 100;
    ENGINE_OK(exception_insert(t->db, &e, &engine_err));
    ENGINE_OK(exception_list_same_vex(t->db, &e, 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 1);
    e.digest = NULL;
    ENGINE_OK(exception_list_same_vex(t->db, &e, 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 0);
    assert_int_equal(count_exceptions(t, none, 10), 3);
    f.state = "active";
    assert_int_equal(count_exceptions(t, f, 49), 3);
    assert_int_equal(count_exceptions(t, f, 50), 2);
    f.state = "expired";
    assert_int_equal(count_exceptions(t, f, 50), 1);
    ENGINE_OK(exception_revoke(t->db, "1", 20, &changed, &engine_err));
    f.state = "revoked";
    assert_int_equal(count_exceptions(t, f, 500), 1);
    f = none, f.vulnerability = "CVE-1";
    assert_int_equal(count_exceptions(t, f, 10), 2);
    f = none, f.expires_before_ms = 50;
    assert_int_equal(count_exceptions(t, f, 10), 1);
    ENGINE_OK(exception_list_active(t->db, 10, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].id, "2");
    assert_null(list[0].vulnerability);
    ENGINE_OK(exception_list(t->db, &none, 10, 1, "3", 1, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 1);
    assert_string_equal(list[0].id, "2");
}

static void policy_version_is_never_used_twice(void **state)
{
    struct fixture *t = *state;
    struct policy_doc p = { .name = "p", .document = "one", .enabled = true, .updated_ms = 1, .updated_by = "x" }, back;
    struct policy_version *versions;
    int64_t generation;
    size_t n;

    ENGINE_OK(policy_doc_generation(t->db, &generation, &engine_err));
    assert_int_equal(generation, 0);
    ENGINE_OK(policy_doc_put(t->db, &p, &engine_err));
    p.document = "two";
    ENGINE_OK(policy_doc_put(t->db, &p, &engine_err));
    assert_int_equal(p.version, 2);
    ENGINE_OK(policy_doc_set_enabled(t->db, "p", false, 9, "y", &engine_err));
    ENGINE_OK(policy_doc_get(t->db, "p", &t->arena, &back, &engine_err));
    assert_string_equal(back.document, "two");
    assert_false(back.enabled);
    ENGINE_OK(policy_doc_delete(t->db, "p", &engine_err));
    ENGINE_OK(policy_doc_put(t->db, &p, &engine_err));
    assert_int_equal(p.version, 3);
    ENGINE_OK(policy_doc_versions(t->db, "p", INT64_MAX, 10, &t->arena, &versions, &n, &engine_err));
    assert_int_equal(n, 3);
    assert_int_equal(versions[0].version, 3);
    ENGINE_OK(policy_doc_generation(t->db, &generation, &engine_err));
    assert_int_equal(generation, 5);
}

static int count_up(void *arg, int64_t seq, struct bytes record, struct bytes leaf, struct err *err)
{
    int64_t *expected = arg;
    uint8_t again[AUDIT_LEAF_LEN];

    (void)err;
    audit_leaf(record.ptr, record.len, again);
    assert_int_equal(seq, ++*expected);
    assert_int_equal(leaf.len, AUDIT_LEAF_LEN);
    assert_memory_equal(again, leaf.ptr, AUDIT_LEAF_LEN);
    return 0;
}

static void audit_counts_without_gaps(void **state)
{
    static const char expected[] =
        "{\"seq\":1,\"at\":\"1970-01-01T00:00:00.005Z\",\"actor\":\"u\",\"actor_name\":\"A \\\"B\\\"\\u000a\",\"role\":\"admin\","
        "\"from\":\"\",\"action\":\"create\",\"object_kind\":\"token\",\"object_id\":\"t\",\"before\":null,"
        "\"after\":{\"a\":1},\"request_id\":\"r\"}";
    struct fixture *t = *state;
    struct audit_entry e = { .at_ms = 5, .actor = "u", .actor_name = "A \"B\"\n", .role = "admin", .action = "create",
                             .object_kind = "token", .object_id = "t", .after = "{\"a\":1}", .request_id = "r" };
    struct audit_row row;
    int64_t seen = 0, last;

    for (int i = 0; i < 5; i++)
        ENGINE_OK(audit_append(t->db, &e, &engine_err));
    ENGINE_OK(audit_last(t->db, &last, &engine_err));
    assert_int_equal(last, 5);
    ENGINE_OK(audit_walk(t->db, 1, count_up, &seen, &engine_err));
    assert_int_equal(seen, 5);
    ENGINE_OK(audit_record(t->db, 1, &t->arena, &row, &engine_err));
    assert_int_equal(row.record.len, sizeof expected - 1);
    assert_memory_equal(row.record.ptr, expected, row.record.len);
}

static size_t count_audit(struct fixture *t, struct audit_filter f, int64_t before)
{
    struct audit_row *rows;
    size_t n;

    ENGINE_OK(audit_list(t->db, &f, before, 100, &t->arena, &rows, &n, &engine_err));
    return n;
}

static void audit_is_found_by_every_filter(void **state)
{
    struct fixture *t = *state;

    for (int i = 0; i < 8; i++) {
        struct audit_entry e = { .at_ms = i, .actor = i & 1 ? "a" : "b", .action = i & 2 ? "create" : "revoke",
                                 .object_kind = "token", .object_id = i & 4 ? "x" : "y" };
        ENGINE_OK(audit_append(t->db, &e, &engine_err));
    }
    assert_int_equal(count_audit(t, (struct audit_filter){ 0 }, INT64_MAX), 8);
    assert_int_equal(count_audit(t, (struct audit_filter){ 0 }, 3), 2);
    assert_int_equal(count_audit(t, (struct audit_filter){ .actor = "a" }, INT64_MAX), 4);
    assert_int_equal(count_audit(t, (struct audit_filter){ .actor = "a", .object_kind = "user" }, INT64_MAX), 0);
    assert_int_equal(count_audit(t, (struct audit_filter){ .action = "create" }, INT64_MAX), 4);
    assert_int_equal(count_audit(t, (struct audit_filter){ .object_kind = "token", .action = "create" }, INT64_MAX), 4);
    assert_int_equal(count_audit(t, (struct audit_filter){ .object_kind = "token", .object_id = "x" }, INT64_MAX), 4);
    assert_int_equal(count_audit(t, (struct audit_filter){ "a", "create", "token", "x" }, INT64_MAX), 1);
}

static void kept_answer_belongs_to_one_request(void **state)
{
    static const uint8_t other[32] = { 9 };
    struct fixture *t = *state;
    struct idempotent_answer a = { 201, { (const unsigned char *)"{}", 2 } }, back;
    bool found;
    int64_t n;

    ENGINE_OK(idempotency_get(t->db, "u", "k", hash, &t->arena, &back, &found, &engine_err));
    assert_false(found);
    ENGINE_OK(idempotency_put(t->db, "u", "k", hash, &a, 5, &engine_err));
    ENGINE_OK(idempotency_get(t->db, "u", "k", hash, &t->arena, &back, &found, &engine_err));
    assert_true(found);
    assert_int_equal(back.status, 201);
    assert_memory_equal(back.answer.ptr, "{}", 2);
    ENGINE_OK(idempotency_get(t->db, "v", "k", hash, &t->arena, &back, &found, &engine_err));
    assert_false(found);
    assert_int_equal(idempotency_get(t->db, "u", "k", other, &t->arena, &back, &found, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_CONFLICT);
    a.answer = (struct bytes){ NULL, 0 };
    ENGINE_OK(idempotency_put(t->db, "u", "empty", hash, &a, 6, &engine_err));
    ENGINE_OK(idempotency_get(t->db, "u", "empty", hash, &t->arena, &back, &found, &engine_err));
    assert_true(found);
    assert_int_equal(back.answer.len, 0);
    ENGINE_OK(idempotency_delete_older(t->db, 6, &n, &engine_err));
    assert_int_equal(n, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(all_queries_prepare), T(user_comes_back_as_it_was), T(taken_name_is_a_conflict), T(link_is_won_once),
        T(session_comes_with_its_user), T(token_keeps_its_patterns), T(usable_signers_are_not_revoked),
        T(allowances_end), T(exceptions_are_found_by_what_they_are), T(policy_version_is_never_used_twice),
        T(audit_counts_without_gaps), T(audit_is_found_by_every_filter), T(kept_answer_belongs_to_one_request),
    };

    ENGINE_OK(crypto_init(&engine_err));
    int failed = cmocka_run_group_tests_name("SQLite", tests, NULL, NULL);
    pg_url = engine_pg_url();
    if (pg_url != NULL)
        failed += cmocka_run_group_tests_name("PostgreSQL", tests, NULL, NULL);
    return failed;
}
