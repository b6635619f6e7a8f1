/* From a profile on the server to a program that is killed on the node, with a real server,
 * a real agent and a real container; and what the server is shown of it. */
#include "tests/flow/upload.h"
#include "tests/support/agent.h"
#include "tests/support/crun.h"
#include "wire/json_util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SHOP "6406406406406406406406406406406406406406406406406406406406406406"

static struct fixture *f;
static struct crun crun;
static struct test_agent agent;
static char why[300], bpffs[100], profile_id[100], digest[72];
static bool has_walls;

static const char profile[] =
    "{\"apiVersion\":\"keep/v1\",\"kind\":\"Profile\",\"metadata\":{\"name\":\"shop\"},\"spec\":{\"image\":\"shop.example/app\",\"mode\":\"monitor\","
    "\"executables\":[{\"path\":\"/bin/busybox\"}]}}";

static bool rung_is_known(void)
{
    struct arena arena;
    arena_init(&arena, 8 << 20);
    const char *rung = json_str(json_path(agent_status_read(&agent, &arena), "walls.rung"), "");
    bool is = str_eq(rung, "sigkill") || str_eq(rung, "lsm");
    if (!is)
        snprintf(why, sizeof why, "the agent's walls are %s", rung);
    arena_clear(&arena);
    return is;
}

static bool soon(bool (*is_so)(void), int within_ms)
{
    for (int64_t end = time_monotonic_ms() + within_ms; time_monotonic_ms() < end; nap_ms(50))
        if (is_so())
            return true;
    return false;
}

static void run_container(void)
{
    static const char *const argv[] = { "/bin/sleep", "600", NULL };
    static char image[160];
    char root[200], line[600];

    snprintf(image, sizeof image, "io.kubernetes.cri.image-name=shop.example/app:1.0@%s", digest);
    const char *const notes[] = { image, "io.kubernetes.cri.sandbox-name=shop-0", "io.kubernetes.cri.sandbox-namespace=shop",
                                  "io.kubernetes.cri.container-name=shop", NULL };
    crun_run(&crun, &(struct crun_spec){ .id = SHOP, .argv = argv, .annotations = notes });
    crun_rootfs(&crun, SHOP, root, sizeof root);
    snprintf(line, sizeof line, "cp %s/bin/busybox %s/bin/evil", root, root);
    assert_int_equal(system(line), 0);
}

static int open_all(void **state)
{
    static char settings[900];
    struct report_spec s;

    if (crun_open(&crun, why, sizeof why) != 0)
        return 0;
    snprintf(bpffs, sizeof bpffs, "%s/bpf", crun.dir);
    if (mkdir(bpffs, 0700) != 0 || mount("bpf", bpffs, "bpf", 0, NULL) != 0) {
        snprintf(why, sizeof why, "no bpffs: %s", strerror(errno));
        return 0;
    }
    fixture_open(state);
    f = *state;
    s = spec_of(1);
    s.harmless = true;
    image_digest(1, digest);
    upload(f, &s, 201);
    snprintf(profile_id, sizeof profile_id, "%s", text_at(send_json(f, "POST", "/v1/profiles", profile, 201), "profile_id"));
    char path[200];
    snprintf(path, sizeof path, "/v1/profiles/%s/approve", profile_id);
    send_json(f, "POST", path, "{\"source\":\"declared\"}", 200);
    run_container();
    snprintf(settings, sizeof settings, "receive: {port: 0}\nsend: {linger: 0s}\ninventory: {interval: 1s, root: \"%s\"}\n"
             "status: {interval: 1s}\npoll: {wait: 2s, interval: 1s}\nlog: {level: debug}\n"
             "walls: {cgroup: \"/sys/fs/cgroup%s\", pins: \"%s/keep\", off_file: \"%s/off\"}\n",
             crun.dir, crun.parent, bpffs, crun.dir);
    agent_open(&agent, &f->keepd, NULL, settings);
    agent_start(&agent);
    has_walls = soon(rung_is_known, 5000);
    return 0;
}

static int close_all(void **state)
{
    if (f != NULL) {
        agent_close(&agent);
        (void)umount2(bpffs, MNT_DETACH);
        crun_close(&crun);
        return fixture_close(state);
    }
    if (crun.dir[0] != '\0' && crun.parent[0] != '\0')
        crun_close(&crun);
    return 0;
}

static void only_with_walls(void)
{
    if (has_walls)
        return;
    printf("          left out: %s\n", why);
    skip();
}

/* busybox by a name it does not know ends with 127, if it may begin. */
static bool evil_runs(void)
{
    int code = crun_exec(&crun, SHOP, (const char *const[]){ "/bin/evil", NULL }, NULL, 0);
    assert_true(code == 127 || code == 128 + SIGKILL);
    return code == 127;
}

static bool evil_is_killed(void)
{
    return !evil_runs();
}

static bool has_bundle(void)
{
    return agent_status_int(&agent, "bundle.version") > 0 && agent_status_int(&agent, "walls.profiles") == 1;
}

static void set_mode(const char *mode)
{
    char path[200], body[200];
    snprintf(path, sizeof path, "/v1/profiles/%s/mode", profile_id);
    snprintf(body, sizeof body, "{\"mode\":\"%s\",\"force\":true,\"reason\":\"a test of the walls\"}", mode);
    send_json(f, "POST", path, body, 200);
}

static void monitor_mode_hinders_nobody(void **state)
{
    (void)state;
    only_with_walls();
    assert_true(soon(has_bundle, 20000));
    assert_true(evil_runs());
}

static void mode_changed_on_the_server_is_in_force_on_the_node_within_seconds(void **state)
{
    (void)state;
    only_with_walls();
    int64_t from = time_monotonic_ms();
    set_mode("protect");
    assert_true(soon(evil_is_killed, 10000));
    int64_t took = time_monotonic_ms() - from;
    printf("          in force %lld ms after it was approved\n", (long long)took);
    assert_true(took < 7000);            /* the bundle is built within one second, polled within one, applied at once */
}

static bool denial_is_stored(void)
{
    struct buf b;
    buf_init(&b, 4 << 20);
    json_print(get(f, "/v1/events?kind=exec&container=" SHOP, 200), &b);
    bool is = strstr(b.ptr, "killed") != NULL && strstr(b.ptr, "/bin/evil") != NULL && strstr(b.ptr, digest) != NULL;
    buf_free(&b);
    return is;
}

/* The program came into the container after it was made: that is the graver of the two rules. */
static bool drift_is_alerted(void)
{
    return json_len(json_get(get(f, "/v1/alerts?rule=drift/binary-not-in-image", 200), "items")) == 1;
}

static void denial_is_an_event_on_the_server_and_an_alert(void **state)
{
    (void)state;
    only_with_walls();
    assert_true(soon(denial_is_stored, 15000));
    assert_true(soon(drift_is_alerted, 5000));
}

static bool rung_is_shown(void)
{
    char path[120];
    snprintf(path, sizeof path, "/v1/nodes/%s", agent.node_id);
    struct buf b;
    buf_init(&b, 1 << 20);
    json_print(get(f, path, 200), &b);
    bool is = strstr(b.ptr, "sigkill") != NULL || strstr(b.ptr, "\"lsm\"") != NULL;
    buf_free(&b);
    return is;
}

static void node_page_shows_what_is_in_force(void **state)
{
    (void)state;
    only_with_walls();
    assert_true(soon(rung_is_shown, 10000));
    assert_int_equal(agent_status_int(&agent, "walls.drops"), 0);
}

static void switch_of_the_node_needs_no_server(void **state)
{
    static const char *const off[] = { "walls", "off", NULL }, *const on[] = { "walls", "on", NULL };
    char out[1000];
    (void)state;
    only_with_walls();
    assert_int_equal(agent_command(&agent, off, out, sizeof out), 0);
    assert_true(soon(evil_runs, 2000));
    assert_int_equal(agent_command(&agent, on, out, sizeof out), 0);
    assert_true(soon(evil_is_killed, 2000));
}

/* The pins went with the switch; a restart pins again, and a kill then changes nothing. */
static void restarted_and_killed_agents_leave_the_wall_standing(void **state)
{
    (void)state;
    only_with_walls();
    assert_int_equal(agent_stop(&agent, SIGTERM, 15000), 0);
    agent_start(&agent);
    assert_true(soon(evil_is_killed, 5000));
    agent_stop(&agent, SIGKILL, 5000);
    for (int i = 0; i < 5; i++)
        assert_true(evil_is_killed());
    agent_start(&agent);
    for (int i = 0; i < 10; i++)
        assert_true(evil_is_killed());
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(monitor_mode_hinders_nobody),
        cmocka_unit_test(mode_changed_on_the_server_is_in_force_on_the_node_within_seconds),
        cmocka_unit_test(denial_is_an_event_on_the_server_and_an_alert),
        cmocka_unit_test(node_page_shows_what_is_in_force),
        cmocka_unit_test(switch_of_the_node_needs_no_server),
        cmocka_unit_test(restarted_and_killed_agents_leave_the_wall_standing),
    };

    return cmocka_run_group_tests_name("agent_walls", tests, open_all, close_all);
}
