/* Real containers, as the inventory finds them: image, privileges, processes.  Skipped
 * with one line where this machine runs none. */
#include "agent/inventory/inventory.h"
#include "base/time.h"
#include "tests/support/crun.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_image_is_called_is_found), cmocka_unit_test(privileges_are_what_the_kernel_granted),
        cmocka_unit_test(a_container_is_found_by_its_process_and_its_cgroup), cmocka_unit_test(what_has_ended_is_gone),
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
