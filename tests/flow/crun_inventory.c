/* Real containers, as the inventory finds them: image, privileges, processes; and what a
 * real keepd makes of them.  Skipped with one line where this machine runs none. */
#include "agent/inventory/inventory.h"
#include "tests/flow/upload.h"
#include "tests/support/crun.h"
#include "tests/support/node.h"
#include "wire/json_util.h"
#include "wire/msg/container.h"


#define DIGEST "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static struct crun crun;
static struct inventory_roots roots;
static struct arena arena;
static const char *const SLEEP[] = { "/bin/sleep", "600", NULL };

static struct inventory scan(void)
{
    struct inventory found;
    struct err err = { 0 };

    arena_reset(&arena);
    if (inventory_scan(&roots, &arena, &found, &err) != 0)
        fail_msg("%s", err.msg);
    return found;
}

static const struct container *find(const struct inventory *found, const char *id)
{
    const struct container *c = inventory_by_id(found, id);

    if (c == NULL)
        fail_msg("%s is not in the inventory of %zu", id, found->n);
    return c;
}

static bool has(const char *const *list, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

static int open_all(void **state)
{
    static const char *const web[] = { "io.kubernetes.cri.image-name=shop.example/web:1@" DIGEST, "io.kubernetes.cri.sandbox-name=web-7d4b9c6f5d-x2x4z",
                                       "io.kubernetes.cri.sandbox-namespace=shop", "io.kubernetes.cri.container-name=web", "keep/sensitive=true", NULL };
    static const char *const binds[] = { "/tmp:/host/tmp:ro", NULL };
    static const char *const few[] = { "CAP_NET_BIND_SERVICE", NULL };

    (void)state;
    crun_run(&crun, &(struct crun_spec){ .id = "web", .argv = SLEEP, .annotations = web, .binds = binds, .capabilities = few, .uid = 1000 });
    crun_run(&crun, &(struct crun_spec){ .id = "root", .argv = SLEEP, .is_privileged = true, .host_network = true, .host_pid = true });
    return 0;
}

static void what_an_image_is_called_is_found(void **state)
{
    struct inventory found = scan();
    const struct container *c = find(&found, "web");

    (void)state;
    assert_string_equal(c->image, "shop.example/web:1@" DIGEST);
    assert_string_equal(c->digest, DIGEST);
    assert_string_equal(c->engine, "crun");
    assert_string_equal(c->runtime, "crun");
    assert_string_equal(c->namespace, "shop");
    assert_string_equal(c->workload, "web");
    assert_string_equal(c->name, "web");
    assert_true(has(c->labels, c->n_labels, "keep/sensitive=true"));
    assert_int_equal(c->n_command, 2);
    assert_string_equal(c->command[0], "/bin/sleep");
    c = find(&found, "root");
    assert_null(c->digest);                                /* nobody said */
    assert_true(has(c->unknown, c->n_unknown, "image"));
}

static void privileges_are_what_the_kernel_granted(void **state)
{
    struct inventory found = scan();
    const struct container *c = find(&found, "web");

    (void)state;
    assert_false(c->is_privileged);
    assert_int_equal(c->user_id, 1000);
    assert_int_equal(c->n_capabilities, 1);
    assert_string_equal(c->capabilities[0], "NET_BIND_SERVICE");
    assert_true(c->no_new_privileges);
    assert_false(c->host_network || c->host_pid || c->host_ipc);
    assert_int_equal(c->n_mounts, 1);
    assert_string_equal(c->mounts[0].source, "/tmp");
    assert_true(c->mounts[0].is_read_only);
    assert_string_equal(c->seccomp, "unconfined");
    c = find(&found, "root");
    assert_true(c->is_privileged);
    assert_true(has(c->capabilities, c->n_capabilities, "SYS_ADMIN"));
    assert_true(c->host_network && c->host_pid);
    assert_false(c->host_ipc);
}

static void a_container_is_found_by_its_process_and_its_cgroup(void **state)
{
    struct inventory found = scan();
    const struct container *c = find(&found, "web");
    char cgroup[128];

    (void)state;
    assert_int_equal(c->pid, crun_pid(&crun, "web"));
    assert_ptr_equal(inventory_by_pid(&found, &roots, c->pid), c);
    crun_cgroup(&crun, "web", cgroup, sizeof cgroup);
    assert_string_equal(c->cgroup, cgroup);
    assert_int_equal(inventory_cgroup_id(&roots, c), crun_cgroup_id(&crun, "web"));
    assert_null(inventory_by_pid(&found, &roots, 1));
    int64_t age = time_now_ms() - c->started_ms;
    assert_in_range(age + 1000, 0, 120000);
}

static void what_has_ended_is_gone(void **state)
{
    struct inventory_track track = { 0 };
    struct inventory_delta delta;
    struct err err = { 0 };
    struct inventory found = scan();

    (void)state;
    assert_int_equal(inventory_diff(&track, &found, &arena, &delta, &err), 0);
    assert_int_equal(delta.n_containers, 2);
    assert_int_equal(inventory_acknowledge(&track, &delta, &err), 0);
    found = scan();
    assert_int_equal(inventory_diff(&track, &found, &arena, &delta, &err), 0);
    assert_true(delta.is_empty);
    crun_kill(&crun, "root", SIGKILL);
    while (crun_is_alive(&crun, "root"))
        nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
    found = scan();
    assert_null(inventory_by_id(&found, "root"));          /* its state is still there, its process is not */
    assert_int_equal(inventory_diff(&track, &found, &arena, &delta, &err), 0);
    assert_int_equal(delta.n_gone, 1);
    assert_string_equal(delta.gone[0], "root");
    inventory_track_clear(&track);
}

/* ---- and the server ------------------------------------------------------------------ */

static void send_inventory(struct fixture *t, const struct test_node *node, struct inventory_track *track)
{
    struct inventory found = scan();
    struct inventory_delta delta;
    struct err err = { 0 };
    struct buf b;

    assert_int_equal(inventory_diff(track, &found, &arena, &delta, &err), 0);
    const struct inventory_report report = { delta.generation, delta.base, delta.containers, delta.n_containers, delta.gone, delta.n_gone };
    buf_init(&b, INVENTORY_BODY_MAX);
    shape_encode(&inventory_report_shape, &report, &b);
    keepd_ask(&t->client, node->token, "POST", "/v1/agent/inventory", b.ptr, 200);
    buf_free(&b);
    assert_int_equal(inventory_acknowledge(track, &delta, &err), 0);
}

/* Waits for the housekeeper to have judged. */
static const struct json *find_one(struct fixture *t, const char *query)
{
    char path[200];

    snprintf(path, sizeof path, "/v1/containers?%s", query);
    for (int i = 0; i < 100; i++) {
        const struct json *items = json_get(get(t, path, 200), "items");
        if (json_len(items) == 1)
            return json_at(items, 0);
        nap_ms(50);
    }
    struct buf b;
    buf_init(&b, 1 << 20);
    json_print(get(t, "/v1/containers", 200), &b);
    fail_msg("%s: not one container of %s", path, b.ptr);
    return NULL;
}

static void what_runs_stale_or_without_its_sandbox_is_listed_as_running(void **state)
{
    static char image[120], digest[72];
    const char *const old[] = { image, "io.kubernetes.cri.container-name=old", NULL };
    static const char *const sensitive[] = { "keep/sensitive=true", NULL };
    struct inventory_track track = { 0 };
    struct report_spec s = spec_of(3);
    struct test_node node;
    void *opened;

    (void)state;
    fixture_open(&opened);
    struct fixture *t = opened;
    s.scanned_ms = time_now_ms() - 30 * MS_DAY;
    s.db_built_ms = s.scanned_ms;
    upload(t, &s, 201);
    image_digest(3, digest);
    snprintf(image, sizeof image, "keep/image=shop.example/app@%s", digest);
    crun_run(&crun, &(struct crun_spec){ .id = "old", .argv = SLEEP, .annotations = old });
    crun_run(&crun, &(struct crun_spec){ .id = "vault", .argv = SLEEP, .annotations = sensitive });
    test_node_join(&t->client, keepd_token(&t->keepd, ROLE_ADMIN), "crun", NULL, &node);
    send_inventory(t, &node, &track);
    const struct json *c = find_one(t, "policy=scan-age&q=old");
    assert_string_equal(text_at(c, "name"), "old");
    assert_string_equal(text_at(c, "image.digest"), digest);
    assert_string_equal(text_at(c, "image.freshness"), "stale_scan");
    assert_string_equal(text_at(find_one(t, "policy=sandbox-required&q=vault"), "id"), "vault");
    assert_string_equal(text_at(find_one(t, "cve=CVE-2026-0001"), "id"), "old");
    crun_delete(&crun, "old");
    send_inventory(t, &node, &track);
    assert_int_equal(json_len(json_get(get(t, "/v1/containers?cve=CVE-2026-0001", 200), "items")), 0);
    assert_int_equal(json_int(json_get(get_image(t, 3, "", 200), "running"), -1), 0);
    inventory_track_clear(&track);
    test_node_free(&node);
    fixture_close(&opened);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_image_is_called_is_found), cmocka_unit_test(privileges_are_what_the_kernel_granted),
        cmocka_unit_test(a_container_is_found_by_its_process_and_its_cgroup), cmocka_unit_test(what_has_ended_is_gone),
        cmocka_unit_test(what_runs_stale_or_without_its_sandbox_is_listed_as_running),
    };
    char why[300];

    if (crun_open(&crun, why, sizeof why) != 0) {
        printf("real containers: skipped, %s\n", why);
        return 0;
    }
    roots.root = crun.dir;
    arena_init(&arena, INVENTORY_ARENA);
    int rc = cmocka_run_group_tests(tests, open_all, NULL);
    crun_close(&crun);
    arena_clear(&arena);
    return rc;
}
