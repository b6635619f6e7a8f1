/* containers.c - the store of running containers keeps its contract on both engines. */
#include "tests/store/engine.h"

#include "base/time.h"
#include "service/containers.h"
#include "store/container.h"
#include "store/image.h"
#include "store/node.h"
#include "store/running.h"

static const char *pg_url;
static const int64_t T0 = INT64_C(1796000000000);
static const struct freshness_limits LIMITS = { 7 * MS_DAY, 3 * MS_DAY };

struct fixture {
    struct engine engine;
    struct db *db;
    struct arena arena;
    struct err err;
    struct node node;
    int64_t image[2];
};

#define OK(call) do { if ((call) != 0) fail_msg("%s: %s", #call, t->err.msg); } while (0)

static int set_up(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);
    int64_t repository;

    if (t == NULL)
        abort();
    t->db = engine_writing(&t->engine, pg_url, &t->arena);
    t->node = (struct node){ .node_id = "n1", .name = "vm", .cluster = "prod", .scope = "prod", .labels = "{}", .fingerprint = "f", .public_key = "p",
                             .join_token = "j", .agent_version = "", .kernel = "", .arch = "", .problem = "", .stream = "", .certificate = "", .created_ms = T0,
                             .enrolled_ms = T0, .last_seen_ms = T0, .revoked_ms = TIME_UNKNOWN, .clock_skew_ms = TIME_UNKNOWN };
    ENGINE_OK(node_insert(t->db, &t->node, &engine_err));
    ENGINE_OK(node_touch(t->db, t->node.id, T0, NULL, -1, &engine_err));
    ENGINE_OK(repository_upsert(t->db, "shop.example/app", NULL, T0, &repository, &engine_err));
    for (int i = 0; i < 2; i++) {
        char digest[72];
        snprintf(digest, sizeof digest, "sha256:%064d", i + 1);
        ENGINE_OK(image_insert(t->db, digest, repository, T0, &t->image[i], &engine_err));
    }
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

static void put(struct fixture *t, const char *id, int64_t image)
{
    const struct container c = { .id = id, .name = "web", .image = "", .engine = "crun", .pod = "", .service = "", .runtime = "", .sandbox = "",
                                 .user_id = -1, .started_ms = TIME_UNKNOWN };
    const struct container_row row = { t->node.id, image, CONTAINER_BY_DIGEST, &c, { "prod", "shop", "web", "web" }, T0, "{\"id\":\"x\"}" };

    OK(container_put(t->db, &row, &t->err));
}

static int64_t running_of(struct fixture *t, int64_t id)
{
    struct image image;

    assert_int_equal(image_get(t->db, id, &LIMITS, T0, &t->arena, &image, &t->err), 1);
    return image.running;
}

static void a_place_counts_its_images_apart(void **state)
{
    static const struct container_place place = { "prod", "shop", "web", "web" };
    struct fixture *t = *state;
    struct running *rows;
    size_t n;

    put(t, "a", t->image[0]);
    put(t, "b", t->image[0]);
    put(t, "c", t->image[1]);
    put(t, "d", 0);
    OK(container_recount(t->db, &place, &t->err));
    OK(container_recount(t->db, &place, &t->err));                   /* repeating changes nothing */
    assert_int_equal(running_of(t, t->image[0]), 2);
    assert_int_equal(running_of(t, t->image[1]), 1);
    OK(running_of_image(t->db, t->image[0], &t->arena, &rows, &n, &t->err));
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].replicas, 2);
    put(t, "a", t->image[1]);                              /* the same container, another image: rolled out in place */
    OK(container_delete(t->db, t->node.id, "b", &t->err));
    OK(container_recount(t->db, &place, &t->err));
    assert_int_equal(running_of(t, t->image[0]), 0);
    assert_int_equal(running_of(t, t->image[1]), 2);
}

static void a_verdict_stands_until_it_is_due(void **state)
{
    struct fixture *t = *state;
    struct container_due *due;
    struct container_shown *rows;
    struct container_filter filter = { .policy = "p", .limit = 10 };
    size_t n;

    put(t, "a", t->image[0]);
    put(t, "b", 0);
    OK(container_list_due(t->db, T0, 10, &t->arena, &due, &n, &t->err));
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++)
        OK(container_set_verdict(t->db, &due[i], DECISION_FAIL, "[]", T0, T0 + 1000, &t->err));
    OK(container_add_break(t->db, t->node.id, "a", "p", "r", &t->err));
    OK(container_add_break(t->db, t->node.id, "a", "p", "r", &t->err));
    OK(container_add_break(t->db, t->node.id, "a", "p", "s", &t->err));
    OK(container_list_due(t->db, T0 + 999, 10, &t->arena, &due, &n, &t->err));
    assert_int_equal(n, 0);
    OK(container_mark_image(t->db, t->image[0], &t->err));
    OK(container_list_due(t->db, T0 + 999, 10, &t->arena, &due, &n, &t->err));
    assert_int_equal(n, 1);
    assert_string_equal(due[0].container_id, "a");
    OK(container_mark_all(t->db, &t->err));
    OK(container_list_due(t->db, T0 + 999, 10, &t->arena, &due, &n, &t->err));
    assert_int_equal(n, 2);
    OK(container_list(t->db, &filter, &LIMITS, T0, &t->arena, &rows, &n, &t->err));
    assert_int_equal(n, 1);                                /* once, whatever it breaks of it */
    filter.rule = "q";
    OK(container_list(t->db, &filter, &LIMITS, T0, &t->arena, &rows, &n, &t->err));
    assert_int_equal(n, 0);
    OK(container_delete(t->db, t->node.id, "a", &t->err));
    filter.rule = NULL;
    OK(container_list(t->db, &filter, &LIMITS, T0, &t->arena, &rows, &n, &t->err));
    assert_int_equal(n, 0);
}

static void a_container_is_known_by_the_beginning_of_its_id(void **state)
{
    struct fixture *t = *state;
    struct container_identity found;

    put(t, "abcdef0123456789", t->image[1]);
    assert_int_equal(container_identify(t->db, t->node.id, "abcdef012345", &t->arena, &found, &t->err), 1);
    assert_int_equal(found.image_id, t->image[1]);
    assert_string_equal(found.workload, "web");
    assert_int_equal(container_identify(t->db, t->node.id, "abcdef0123456789", &t->arena, &found, &t->err), 1);
    assert_int_equal(container_identify(t->db, t->node.id, "abcdee", &t->arena, &found, &t->err), 0);
    assert_int_equal(container_identify(t->db, t->node.id, "b", &t->arena, &found, &t->err), 0);
    assert_int_equal(container_identify(t->db, t->node.id, "", &t->arena, &found, &t->err), 0);
    assert_int_equal(container_identify(t->db, t->node.id + 1, "abcdef012345", &t->arena, &found, &t->err), 0);
}

static void what_a_lost_node_ran_is_forgotten_in_time(void **state)
{
    static const struct container_place place = { "prod", "shop", "web", "web" };
    struct fixture *t = *state;
    int64_t generation, late = T0 + CONTAINERS_LOST_DAYS * MS_DAY;
    const char *cluster;
    size_t n, all = 0;

    put(t, "a", t->image[0]);
    put(t, "b", t->image[0]);
    put(t, "c", t->image[0]);
    OK(container_recount(t->db, &place, &t->err));
    OK(container_set_generation(t->db, t->node.id, 5, &t->err));
    OK(containers_forget_lost(NULL, t->db, late, 2, &n, &t->err));
    assert_int_equal(n, 0);                                /* exactly so long is not longer */
    do {
        OK(containers_forget_lost(NULL, t->db, late + 1, 2, &n, &t->err));
        all += n;
    } while (n > 0);
    assert_int_equal(all, 3);
    assert_int_equal(running_of(t, t->image[0]), 0);
    OK(container_generation(t->db, t->node.id, &t->arena, &generation, &cluster, &t->err));
    assert_int_equal(generation, 0);                       /* should it come back: all again */
    assert_string_equal(cluster, "prod");
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(a_place_counts_its_images_apart), T(a_verdict_stands_until_it_is_due), T(a_container_is_known_by_the_beginning_of_its_id),
        T(what_a_lost_node_ran_is_forgotten_in_time),
    };

    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pg_url = engine_pg_url();
    if (pg_url != NULL)
        failed += cmocka_run_group_tests_name("PostgreSQL", tests, NULL, NULL);
    return failed;
}
