/* profiles.c - profiles, their versions and what was observed, on both engines. */
#include "tests/store/engine.h"

#include "base/crypto.h"
#include "base/time.h"
#include "cmd/serve.h"
#include "service/drift_state.h"
#include "service/observed.h"
#include "store/image.h"
#include "store/observation.h"
#include "store/profile.h"
#include "wire/profile_doc.h"

static const char *pg_url;
static const int64_t T0 = INT64_C(1800000000000);

struct fixture {
    struct engine engine;
    struct db *db;
    struct arena arena;
    struct err err;
    int64_t image;
};

static int set_up(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);
    struct db_queries sets[64];
    int64_t repository;

    if (t == NULL)
        abort();
    t->db = engine_writing(&t->engine, pg_url, &t->arena);
    ENGINE_OK(db_prepare_all(t->db, sets, queries_gather(sets, N_ITEMS(sets)), &engine_err));
    ENGINE_OK(repository_upsert(t->db, "docker.io/acme/shop", "", T0, &repository, &engine_err));
    ENGINE_OK(image_insert(t->db, "sha256:1111111111111111111111111111111111111111111111111111111111111111", repository, T0, &t->image, &engine_err));
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

static struct profile_row row_of(struct fixture *t, const char *repository, const char *digest, int source)
{
    char id[PROFILE_ID_LEN + 1];

    profile_id(repository, digest, id);
    return (struct profile_row){ .profile_id = arena_strdup(&t->arena, id), .repository = repository, .digest = digest, .source = source,
        .mode = PROFILE_MONITOR, .document = arena_printf(&t->arena, "{\"name\":\"a\",\"repository\":\"%s\",\"mode\":\"monitor\",\"covers_users\":true,\"users\":[7]}", repository),
        .created_ms = T0, .created_by = "tess", .reason = "" };
}

static void insert(struct fixture *t, struct profile_row *row)
{
    ENGINE_OK(profile_insert(t->db, row, &engine_err));
}

static void a_new_version_becomes_current_and_the_old_one_stays(void **state)
{
    struct fixture *t = *state;
    struct profile_row row = row_of(t, "docker.io/acme/shop", "", PROFILE_DECLARED), other = row_of(t, "docker.io/acme/shop", "", PROFILE_LEARNED);
    struct profile_row now[PROFILE_SOURCE_N], *all;
    size_t n;

    insert(t, &row);
    insert(t, &other);
    insert(t, &row);
    assert_int_equal(row.version, 2);
    ENGINE_OK(profile_current(t->db, row.profile_id, &t->arena, now, &n, &engine_err));
    assert_int_equal(n, 2);
    assert_int_equal(now[PROFILE_DECLARED].version, 2);
    assert_int_equal(now[PROFILE_ENFORCED].id, 0);
    ENGINE_OK(profile_versions(t->db, row.profile_id, INT64_MAX, 10, &t->arena, &all, &n, &engine_err));
    assert_int_equal(n, 3);
    assert_int_equal(all[0].id, row.id);
}

static void only_what_is_enforced_moves_the_generation(void **state)
{
    struct fixture *t = *state;
    struct profile_row declared = row_of(t, "docker.io/acme/shop", "", PROFILE_DECLARED), enforced = row_of(t, "docker.io/acme/shop", "", PROFILE_ENFORCED);
    int64_t before, after;

    ENGINE_OK(profile_generation(t->db, &before, &engine_err));
    insert(t, &declared);
    ENGINE_OK(profile_generation(t->db, &after, &engine_err));
    assert_int_equal(after, before);
    insert(t, &enforced);
    ENGINE_OK(profile_generation(t->db, &after, &engine_err));
    assert_true(after > before);
}

static void subjects_come_by_repository_and_digest(void **state)
{
    static const char digest[] = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
    struct fixture *t = *state;
    struct profile_row rows[] = { row_of(t, "docker.io/b", "", PROFILE_ENFORCED), row_of(t, "docker.io/a", digest, PROFILE_ENFORCED), row_of(t, "docker.io/a", "", PROFILE_DECLARED),
                                  row_of(t, "docker.io/a", "", PROFILE_ENFORCED) };
    struct profile_subject *list;
    struct profile_key *keys;
    struct profile_row *enforced;
    size_t n;

    for (size_t i = 0; i < N_ITEMS(rows); i++)
        insert(t, &rows[i]);
    ENGINE_OK(profile_subjects(t->db, "", "", 2, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 2);
    assert_string_equal(list[1].digest, digest);
    ENGINE_OK(profile_subjects(t->db, list[1].repository, list[1].digest, 2, &t->arena, &list, &n, &engine_err));
    assert_int_equal(n, 1);
    assert_string_equal(list[0].repository, "docker.io/b");
    ENGINE_OK(profile_keys_enforced(t->db, &t->arena, &keys, &n, &engine_err));
    assert_int_equal(n, 3);
    ENGINE_OK(profile_list_enforced(t->db, &t->arena, &enforced, &n, &engine_err));
    assert_string_equal(enforced[0].digest, "");
    ENGINE_OK(profile_retire(t->db, rows[0].profile_id, PROFILE_ENFORCED, &engine_err));
    ENGINE_OK(profile_keys_enforced(t->db, &t->arena, &keys, &n, &engine_err));
    assert_int_equal(n, 2);
}

static struct event exec_of(const char *exe, const char *container, int64_t at_ms)
{
    return (struct event){ .kind = EVENT_EXEC, .at_ms = at_ms, .count = 1, .process = { .exe = exe, .uid = -1 }, .container = { .id = container } };
}

static void see(struct fixture *t, struct observed *o, const char *exe, const char *container, int64_t at_ms, bool raised)
{
    struct event e = exec_of(exe, container, at_ms);

    ENGINE_OK(observed_add(o, t->db, t->image, 5, &e, raised, &engine_err));
}

static struct observation only_row(struct fixture *t)
{
    struct observation *rows;
    size_t n;

    ENGINE_OK(observation_list(t->db, t->image, &t->arena, &rows, &n, &engine_err));
    assert_int_equal(n, 1);
    return rows[0];
}

static void counts_come_with_the_flush_and_the_row_at_once(void **state)
{
    struct fixture *t = *state;
    struct observed *o = observed_new(T0 + MS_DAY);
    bool more;

    see(t, o, "/shop", "c1", T0, false);
    assert_int_equal(only_row(t).n, 0);
    see(t, o, "/shop", "c1", T0 + MS_MINUTE, false);
    see(t, o, "/shop", "c2", T0 + 2 * MS_HOUR, true);
    ENGINE_OK(observed_flush(o, t->db, T0 + MS_DAY, 100, &more, &engine_err));
    assert_false(more);
    struct observation row = only_row(t);
    assert_int_equal(row.n, 3);
    assert_int_equal(row.n_containers, 2);
    assert_int_equal(row.n_nodes, 1);
    assert_int_equal(row.n_hours, 2);
    assert_int_equal(row.first_ms, T0);
    assert_int_equal(row.last_ms, T0 + 2 * MS_HOUR);
    assert_string_equal(row.doubt, OBSERVED_RAISED);
    observed_free(o);
    o = observed_new(T0 + MS_DAY);                   /* as after a restart: what is stored is added to */
    see(t, o, "/shop", "c2", T0 + 2 * MS_HOUR, false);
    see(t, o, "/shop", "c3", T0 + 3 * MS_HOUR, false);
    ENGINE_OK(observed_flush(o, t->db, T0 + MS_DAY, 100, &more, &engine_err));
    row = only_row(t);
    assert_int_equal(row.n, 5);
    assert_int_equal(row.n_containers, 3);
    assert_int_equal(row.n_hours, 3);
    assert_string_equal(row.doubt, OBSERVED_RAISED);
    observed_free(o);
}

static void a_batch_that_is_rolled_back_is_written_by_the_flush(void **state)
{
    struct fixture *t = *state;
    struct observed *o = observed_new(T0 + MS_DAY);
    struct observation *rows;
    bool more;
    size_t n;

    ENGINE_OK(db_savepoint(t->db, &engine_err));
    see(t, o, "/shop", "c1", T0, false);
    ENGINE_OK(db_savepoint_rollback(t->db, &engine_err));
    ENGINE_OK(observation_list(t->db, t->image, &t->arena, &rows, &n, &engine_err));
    assert_int_equal(n, 0);
    ENGINE_OK(observed_flush(o, t->db, T0 + MS_DAY, 100, &more, &engine_err));
    assert_int_equal(only_row(t).n, 1);
    observed_free(o);
}

static void an_image_shows_a_bounded_number_of_things(void **state)
{
    struct fixture *t = *state;
    struct observed *o = observed_new(T0 + MS_DAY);
    struct observation *rows;
    char path[32];
    bool more;
    size_t n;

    for (int i = 0; i < OBSERVATIONS_PER_IMAGE_MAX + 50; i++) {
        snprintf(path, sizeof path, "/bin/p%d", i);
        see(t, o, path, "c", T0, false);
    }
    ENGINE_OK(observed_flush(o, t->db, T0 + MS_DAY, 3, &more, &engine_err));
    assert_true(more);
    ENGINE_OK(observation_list(t->db, t->image, &t->arena, &rows, &n, &engine_err));
    assert_int_equal(n, OBSERVATIONS_PER_IMAGE_MAX);
    assert_int_equal(atomic_load(&observed_counts(o)->ignored), 50);
    observed_free(o);
}

static void a_clock_that_is_wrong_is_not_believed(void **state)
{
    struct fixture *t = *state;
    struct observed *o = observed_new(T0);
    bool more;

    see(t, o, "/shop", "c1", T0 + 400 * MS_DAY, false);
    see(t, o, "/shop", "c1", T0 - 400 * MS_DAY, false);
    ENGINE_OK(observed_flush(o, t->db, T0, 100, &more, &engine_err));
    assert_int_equal(only_row(t).first_ms, T0);
    assert_int_equal(only_row(t).last_ms, T0);
    observed_free(o);
}

static void a_view_is_as_its_transaction_sees_it(void **state)
{
    struct fixture *t = *state;
    struct app app = { .started_ms = T0 };
    const struct drift_view *before, *after;
    struct drift_finding found[DRIFT_MAX];
    struct profile_row row = row_of(t, "docker.io/acme/shop", "", PROFILE_ENFORCED);
    struct event e = exec_of("/x", "c", T0);

    e.process.uid = 0;
    ENGINE_OK(drift_state_open(&app, &engine_err));
    ENGINE_OK(drift_state_hold(&app, t->db, &before, &engine_err));
    insert(t, &row);
    ENGINE_OK(drift_state_hold(&app, t->db, &after, &engine_err));
    assert_int_equal(drift_state_judge(before, "docker.io/acme/shop", NULL, &e, found, NULL), 0);
    assert_int_equal(drift_state_judge(after, "docker.io/acme/shop", "sha256:3333333333333333333333333333333333333333333333333333333333333333", &e, found, NULL), 1);
    assert_int_equal(found[0].rule, DRIFT_USER);
    assert_int_equal(drift_state_judge(after, "docker.io/acme/other", NULL, &e, found, NULL), 0);
    assert_int_equal(drift_state_judge(after, NULL, NULL, &e, found, NULL), 0);
    drift_state_release(&app, before);
    drift_state_release(&app, after);
    drift_state_close(&app);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_new_version_becomes_current_and_the_old_one_stays), T(only_what_is_enforced_moves_the_generation),
        T(subjects_come_by_repository_and_digest), T(counts_come_with_the_flush_and_the_row_at_once),
        T(a_batch_that_is_rolled_back_is_written_by_the_flush), T(an_image_shows_a_bounded_number_of_things),
        T(a_clock_that_is_wrong_is_not_believed), T(a_view_is_as_its_transaction_sees_it),
    };

    ENGINE_OK(crypto_init(&engine_err));
    int failed = cmocka_run_group_tests_name("SQLite", tests, NULL, NULL);
    pg_url = engine_pg_url();
    if (pg_url != NULL)
        failed += cmocka_run_group_tests_name("PostgreSQL", tests, NULL, NULL);
    return failed;
}
