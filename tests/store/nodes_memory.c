/* nodes_memory.c - what is known of nodes without the database: admitted, refused, and
 * set right when memory and database disagree; on both engines. */
#include "tests/store/engine.h"

#include "base/crypto.h"
#include "base/time.h"
#include "db/migrate.h"
#include "db/writer.h"
#include "service/nodes.h"
#include "service/nodes_internal.h"
#include "store/join_token.h"
#include "store/node.h"

#include <sys/stat.h>

static const char *pg_url;

struct fixture {
    struct engine engine;
    struct app app;
    char data[64];
    struct err err;
};

static int set_up(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);
    struct db_queries mine[] = { node_queries, join_token_queries };
    int applied;

    if (t == NULL)
        abort();
    engine_fresh(&t->engine, pg_url);
    ENGINE_OK(migrate_run(t->engine.url, migrations, 1, &applied, &engine_err));
    ENGINE_OK(writer_open(t->engine.url, mine, N_ITEMS(mine), 16, 16, &t->app.writer, &engine_err));
    snprintf(t->data, sizeof t->data, "%s", t->engine.dir);
    t->app.data_dir = t->data;
    t->app.settings.node_silent_ms = 10 * MS_MINUTE;
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *t = *state;

    nodes_close(&t->app);
    writer_close(t->app.writer);
    engine_clear(&t->engine);
    free(t);
    return 0;
}

struct change { int64_t id; int64_t revoked_ms, last_seen_ms; const char *from; int64_t version; };

static int add(struct db *db, void *arg, struct err *err)
{
    struct change *c = arg;
    char id[16], fingerprint[80];
    struct node n = { .node_id = id, .name = id, .cluster = "c", .labels = "{}", .scope = "c", .fingerprint = fingerprint,
                      .public_key = "PEM", .join_token = "j", .created_ms = 1, .agent_version = "1", .kernel = "k", .arch = "a", .certificate = "" };

    snprintf(id, sizeof id, "n%lld", (long long)c->id);
    snprintf(fingerprint, sizeof fingerprint, "%064lld", (long long)c->id);
    if (node_insert(db, &n, err) != 0)
        return -1;
    c->id = n.id;
    return 0;
}

static int end(struct db *db, void *arg, struct err *err)
{
    struct change *c = arg;
    bool changed;

    return node_end(db, c->id, c->revoked_ms, "ann", &changed, err);
}

static int look(struct db *db, void *arg, struct err *err)
{
    static char from[64];
    struct change *c = arg;
    struct arena arena;
    struct node n;

    arena_init(&arena, 1 << 20);
    int rc = node_get_stored(db, c->id, &arena, &n, err);
    if (rc == 0) {
        c->last_seen_ms = n.last_seen_ms;
        c->version = n.bundle_version;
        snprintf(from, sizeof from, "%s", n.last_from != NULL ? n.last_from : "");
        c->from = from;
    }
    arena_clear(&arena);
    return rc;
}

static void run(struct fixture *t, int (*job)(struct db *, void *, struct err *), struct change *c)
{
    ENGINE_OK(writer_call(t->app.writer, job, c, &engine_err));
}

static void refresh(struct fixture *t, int64_t now_ms)
{
    t->app.nodes->refreshed_ms = 0;
    ENGINE_OK(nodes_refresh(&t->app, now_ms, &engine_err));
}

static void only_known_nodes_that_are_not_revoked_are_admitted(void **state)
{
    struct fixture *t = *state;
    struct change a = { .id = 1 }, b = { .id = 2, .revoked_ms = 5 };

    run(t, add, &a);
    run(t, add, &b);
    run(t, end, &b);
    ENGINE_OK(nodes_open(&t->app, &engine_err));
    assert_true(nodes_admit(t->app.nodes, a.id));
    assert_false(nodes_admit(t->app.nodes, b.id));
    static const int64_t strangers[] = { 0, -1, 3, 1024, INT64_MAX, INT64_MIN, (int64_t)1024 * 4096 };
    for (size_t i = 0; i < N_ITEMS(strangers); i++) {
        assert_false(nodes_admit(t->app.nodes, strangers[i]));
        assert_null(nodes_facts(t->app.nodes, strangers[i]));
        nodes_seen(t->app.nodes, strangers[i], 5, "x", 1);
        nodes_revoke(t->app.nodes, strangers[i]);
    }
    assert_string_equal(nodes_facts(t->app.nodes, a.id)->node_id, "n1");
}

/* A transaction that revoked may fail at its commit: memory was first, and is set right. */
static void a_revocation_that_did_not_happen_is_taken_back(void **state)
{
    struct fixture *t = *state;
    struct change a = { .id = 1, .revoked_ms = 500 };

    run(t, add, &a);
    ENGINE_OK(nodes_open(&t->app, &engine_err));
    nodes_revoke(t->app.nodes, a.id);
    assert_false(nodes_admit(t->app.nodes, a.id));
    refresh(t, 1000);
    assert_true(nodes_admit(t->app.nodes, a.id));
    nodes_revoke(t->app.nodes, a.id);
    run(t, end, &a);
    refresh(t, 1000);
    assert_false(nodes_admit(t->app.nodes, a.id));
    refresh(t, 2000);
    assert_false(nodes_admit(t->app.nodes, a.id));
}

/* As another process does it, on a database that is shared. */
static void what_others_did_is_taken_over(void **state)
{
    struct fixture *t = *state;
    struct change a = { .id = 1, .revoked_ms = 100000 }, b = { .id = 2 };

    run(t, add, &a);
    ENGINE_OK(nodes_open(&t->app, &engine_err));
    run(t, end, &a);
    run(t, add, &b);
    if (!t->engine.is_pg)
        t->app.nodes->is_shared = true;
    refresh(t, 100500);
    assert_false(nodes_admit(t->app.nodes, a.id));
    assert_true(nodes_admit(t->app.nodes, b.id));
}

static void what_was_seen_is_written_in_time_and_at_the_end(void **state)
{
    struct fixture *t = *state;
    struct change a = { .id = 1 };

    run(t, add, &a);
    ENGINE_OK(nodes_open(&t->app, &engine_err));
    nodes_seen(t->app.nodes, a.id, 100000, "10.0.0.1", 4);
    refresh(t, 100000);
    run(t, look, &a);
    assert_int_equal(a.last_seen_ms, 100000);
    assert_int_equal(a.version, 4);
    assert_string_equal(a.from, "10.0.0.1");
    nodes_seen(t->app.nodes, a.id, 101000, "10.0.0.1", 4);
    refresh(t, 101000);
    run(t, look, &a);
    assert_int_equal(a.last_seen_ms, 100000);              /* not for a second */
    struct node shown = { .id = a.id, .enrolled_ms = 1, .revoked_ms = TIME_UNKNOWN, .last_seen_ms = 100000 };
    nodes_overlay(&t->app, &shown, 101000);
    assert_int_equal(shown.last_seen_ms, 101000);          /* but shown as it is */
    nodes_seen(t->app.nodes, a.id, 101000, "10.0.0.2", -1);
    refresh(t, 101000);
    run(t, look, &a);
    assert_string_equal(a.from, "10.0.0.2");
    nodes_seen(t->app.nodes, a.id, 102000, NULL, 5);
    refresh(t, 102000);
    run(t, look, &a);
    assert_int_equal(a.version, 5);
    nodes_seen(t->app.nodes, a.id, 103000, NULL, -1);
    nodes_close(&t->app);
    run(t, look, &a);
    assert_int_equal(a.last_seen_ms, 103000);
}

static void the_key_of_tokens_is_kept_and_is_ours_alone(void **state)
{
    struct fixture *t = *state;
    uint8_t key[MAC_TOKEN_KEY_LEN];
    char path[128];
    struct stat st;

    snprintf(path, sizeof path, "%s/agent-session.key", t->data);
    ENGINE_OK(nodes_open(&t->app, &engine_err));
    memcpy(key, t->app.nodes->key, sizeof key);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    nodes_close(&t->app);
    ENGINE_OK(nodes_open(&t->app, &engine_err));
    assert_memory_equal(key, t->app.nodes->key, sizeof key);
    nodes_close(&t->app);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(nodes_open(&t->app, &t->err), -1);
    assert_null(t->app.nodes);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 10), 0);
    assert_int_equal(nodes_open(&t->app, &t->err), -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(only_known_nodes_that_are_not_revoked_are_admitted), T(a_revocation_that_did_not_happen_is_taken_back),
        T(what_others_did_is_taken_over), T(what_was_seen_is_written_in_time_and_at_the_end),
        T(the_key_of_tokens_is_kept_and_is_ours_alone),
    };

    ENGINE_OK(crypto_init(&engine_err));
    int failed = cmocka_run_group_tests_name("SQLite", tests, NULL, NULL);
    pg_url = engine_pg_url();
    if (pg_url != NULL)
        failed += cmocka_run_group_tests_name("PostgreSQL", tests, NULL, NULL);
    return failed;
}
