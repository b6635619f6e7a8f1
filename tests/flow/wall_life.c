/* What stands when the agent is killed, stopped, replaced or switched off; and what
 * could lock a node out.  The agent of these tests is a process of its own. */
#include "tests/flow/wall.h"

#include <sched.h>
#include <time.h>

#define DIGEST_CLOSED "sha256:3333333333333333333333333333333333333333333333333333333333333333"
enum { LEASE_S = 3 };

static const struct profile_executable only[] = { { "/bin/inside", NULL, NULL, 0 } };
static const struct profile_port port[] = { { NET_TCP, 12345 } };

static struct profile of(const char *digest, int on_loss)
{
    return (struct profile){ .name = "shop", .repository = REPOSITORY, .digest = digest, .mode = PROFILE_PROTECT, .lease_s = LEASE_S,
                             .on_agent_loss = on_loss, .has_executables = true, .executables = only, .n_executables = 1,
                             .has_listens = true, .listens = port, .n_listens = 1 };
}

/* An agent: sets what the two containers need, says so on the pipe, polls for ever. */
static void agent_main(int ready)
{
    struct wall_settings s = settings_usual();
    struct err err = { 0 };
    struct profile all[] = { of(IMAGE_DIGEST, ON_LOSS_OPEN), of(DIGEST_CLOSED, ON_LOSS_CLOSED) };
    if (wall_open(&s, &g.w, &err) != 0 || wall_set_profiles(g.w, all, 2, &err) != 0) {
        fprintf(stderr, "agent: %s\n", err.msg);
        _exit(1);
    }
    box_known("open", IMAGE_DIGEST);
    box_known("closed", DIGEST_CLOSED);
    if (wall_handover(g.w, &err) != 0) {
        fprintf(stderr, "agent: %s\n", err.msg);
        _exit(1);
    }
    (void)!write(ready, "r", 1);
    close(ready);
    for (;;)
        if (wall_poll(g.w, 100, NULL, NULL, &err) < 0)
            _exit(2);
}

static pid_t agent_start(void)
{
    int fds[2];
    char byte;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        agent_main(fds[1]);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    return pid;
}

static void agent_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static bool is_walled(const char *id)
{
    char out[256];
    int code = EXEC(id, out, "/bin/evil");
    if (code == 128 + SIGKILL && out[0] == '\0')
        return true;
    assert_int_equal(code, 0);
    assert_string_equal(out, "I ran\n");
    return false;
}

static bool port_is_walled(const char *id)
{
    char out[256];
    INSIDE(id, out, "bind", "0.0.0.0", "8081", "tcp");
    return strcmp(out, "bind: Operation not permitted\n") == 0;
}

static int walled(void)
{
    box_create("open", NULL);
    crun_start(&g.c, "open");
    box_create("closed", NULL);
    crun_start(&g.c, "closed");
    return 1;
}

static void killed_agent_leaves_its_walls_until_the_lease_ends(void **state)
{
    (void)state;
    assert_false(is_walled("open"));
    pid_t agent = agent_start();
    assert_true(is_walled("open") && is_walled("closed"));
    agent_kill(agent);
    assert_true(is_walled("open") && is_walled("closed") && port_is_walled("open"));
    sleep(LEASE_S + 1);
    assert_false(is_walled("open") || port_is_walled("open"));
    assert_true(is_walled("closed") && port_is_walled("closed"));
}

static void next_agent_takes_over_what_the_killed_one_left(void **state)
{
    (void)state;
    pid_t agent = agent_start();
    assert_true(is_walled("open") && is_walled("closed"));
    agent_kill(agent);
}

/* While one agent follows the other, a container tries without a pause. */
static void upgrade_has_no_window(void **state)
{
    int fds[2], status;
    int64_t ran = 0, tried = 0;
    (void)state;
    pid_t old = agent_start();
    assert_int_equal(pipe(fds), 0);
    pid_t attacker = fork();
    if (attacker == 0) {
        char out[256];
        int64_t counts[2] = { 0, 0 };
        close(fds[0]);
        for (int64_t end = time_monotonic_ms() + 4000; time_monotonic_ms() < end;) {
            int n, killed;
            INSIDE("open", out, "storm", "50", "/bin/evil");
            if (sscanf(out, "storm %d killed %d", &n, &killed) != 2)
                _exit(1);
            counts[0] += n;
            counts[1] += n - killed;
        }
        (void)!write(fds[1], counts, sizeof counts);
        _exit(0);
    }
    close(fds[1]);
    usleep(500000);
    for (int i = 0; i < 3; i++) {
        pid_t new = i % 2 == 0 ? agent_start() : (agent_kill(old), agent_start());    /* beside the old one, or after its death */
        if (i % 2 == 0)
            agent_kill(old);
        old = new;
        usleep(300000);
    }
    int64_t counts[2];
    assert_int_equal(read(fds[0], counts, sizeof counts), sizeof counts);
    close(fds[0]);
    waitpid(attacker, &status, 0);
    tried = counts[0];
    ran = counts[1];
    printf("          %lld attempts during three replacements, %lld ran\n", (long long)tried, (long long)ran);
    assert_true(tried > 100);
    assert_int_equal(ran, 0);
    agent_kill(old);
}

static void stopped_agent_hangs_nobody(void **state)
{
    char out[256];
    (void)state;
    pid_t agent = agent_start();
    kill(agent, SIGSTOP);
    int64_t from = time_monotonic_ms();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(INSIDE("open", out, "say", "x"), 0);
        assert_string_equal(out, "x: ok\n");
    }
    assert_true(is_walled("open"));
    assert_true(time_monotonic_ms() - from < 10000);
    kill(agent, SIGCONT);
    agent_kill(agent);
}

static void switch_works_with_an_agent_and_without_one(void **state)
{
    struct err err = { 0 };
    (void)state;
    pid_t agent = agent_start();
    assert_true(is_walled("open") && is_walled("closed"));
    assert_int_equal(wall_off(g.pins, g.off, &err), 0);
    assert_false(is_walled("open") || is_walled("closed"));
    usleep(300000);                      /* the agent has beaten since: it reads the file */
    assert_false(is_walled("open") || is_walled("closed"));
    assert_int_equal(wall_on(g.off, &err), 0);
    usleep(300000);
    assert_true(is_walled("open") && is_walled("closed"));
    agent_kill(agent);
    agent = agent_start();               /* pinned again */
    agent_kill(agent);
    assert_true(is_walled("closed"));
    assert_int_equal(wall_off(g.pins, g.off, &err), 0);
    assert_false(is_walled("open") || is_walled("closed"));
    assert_int_equal(wall_on(g.off, &err), 0);
    assert_false(is_walled("closed"));   /* nobody is there to build it */
}

/* ---- lock-outs: what would make a node useless is refused, and what stood stays ---- */

static void empty_profile_in_protect_mode_is_refused_and_the_old_one_stays(void **state)
{
    struct wall_settings s = settings_usual();
    struct profile good = of(IMAGE_DIGEST, ON_LOSS_OPEN), bad = good;
    struct err err = { 0 };
    char out[256];
    (void)state;
    if (!walls_up(&s))
        fail_msg("%s", g.why);
    profiles_set(&good, 1);
    box_known("open", IMAGE_DIGEST);
    bad.executables = NULL;
    bad.n_executables = 0;
    assert_int_equal(wall_set_profiles(g.w, &bad, 1, &err), -1);
    assert_int_equal(err.kind, ERR_INVALID);
    assert_non_null(strstr(err.msg, "nothing could run"));
    assert_int_equal(INSIDE("open", out, "say", "x"), 0);
    assert_true(is_walled("open"));
    bad.mode = PROFILE_MONITOR;          /* only told: that is no lock-out */
    assert_int_equal(wall_set_profiles(g.w, &bad, 1, &err), 0);
    assert_int_equal(INSIDE("open", out, "say", "x"), 0);
}

static void profile_that_cannot_be_enforced_as_written_is_refused_whole(void **state)
{
    static const struct profile_executable relative[] = { { "bin/inside", NULL, NULL, 0 } };
    static const struct profile_peer nonsense[] = { { .kind = PEER_CIDR, .cidr = "10.0.0.0/33" } };
    char path[400];
    struct profile_executable far[] = { { path, NULL, NULL, 0 } };
    struct profile good = of(IMAGE_DIGEST, ON_LOSS_OPEN), bad[3] = { good, good, good };
    struct err err = { 0 };
    (void)state;
    profiles_set(&good, 1);
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    bad[0].executables = relative;
    bad[1].has_egress = true;
    bad[1].egress = nonsense;
    bad[1].n_egress = 1;
    bad[2].executables = far;
    for (size_t i = 0; i < 3; i++) {
        struct profile both[] = { good, bad[i] };
        assert_int_equal(wall_set_profiles(g.w, both, 2, &err), -1);
        assert_true(is_walled("open"));
    }
}

static void profile_of_another_digest_touches_nobody(void **state)
{
    struct profile other = of(DIGEST_CLOSED, ON_LOSS_OPEN);
    (void)state;
    profiles_set(&other, 1);
    assert_false(is_walled("open"));
    other.digest = NULL;                 /* of the repository: then it is meant, too */
    profiles_set(&other, 1);
    assert_true(is_walled("open"));
    assert_int_equal(wall_set_profiles(g.w, NULL, 0, &(struct err){ 0 }), 0);
    assert_false(is_walled("open"));
}

static void storm_in_one_container_leaves_the_other_unharmed(void **state)
{
    struct profile good = of(IMAGE_DIGEST, ON_LOSS_OPEN);
    struct wall_status before, after;
    char out[256];
    (void)state;
    profiles_set(&good, 1);
    box_known("closed", NULL);
    wall_status(g.w, &before);
    pid_t storm = fork();
    if (storm == 0)
        _exit(INSIDE("open", out, "storm", "3000", "/bin/evil") != 0);
    int64_t worst = 0;
    for (int i = 0; i < 10; i++) {
        int64_t from = time_monotonic_ms();
        assert_int_equal(INSIDE("closed", out, "say", "x"), 0);
        int64_t took = time_monotonic_ms() - from;
        worst = took > worst ? took : worst;
    }
    waitpid(storm, NULL, 0);
    usleep(300000);
    wall_status(g.w, &after);
    printf("          %llu denied, %llu events, %llu dropped; the neighbour's slowest exec took %lld ms\n",
           (unsigned long long)(after.denied - before.denied), (unsigned long long)(after.emitted - before.emitted),
           (unsigned long long)(after.dropped - before.dropped), (long long)worst);
    assert_true(after.denied - before.denied >= 3000);
    assert_int_equal(after.seen, after.emitted + after.folded + after.dropped);
    assert_true(worst < 5000);
}

/* The ring is small and nobody reads it: what is lost is counted, and told later. */
static void what_the_ring_cannot_hold_is_counted_and_told(void **state)
{
    struct wall_settings s = settings_usual();
    struct wall_status st;
    struct err err = { 0 };
    char out[256];
    (void)state;
    walls_down(false);
    s.ring_bytes = 4096;
    assert_int_equal(wall_open(&s, &g.w, &err), 0);
    box_known("open", NULL);
    INSIDE("open", out, "dials", "127.0.0.1", "30000", "500");
    wall_status(g.w, &st);
    assert_true(st.dropped > 400);
    assert_int_equal(st.seen, st.emitted + st.folded + st.dropped);
    events_forget();
    usleep(1100000);
    assert_true(wall_poll(g.w, 100, keep_event, NULL, &err) > 0);
    struct kept e;
    assert_true(event_seen(EVENT_DROP, VERDICT_DROPPED, NULL, 0, &e));
    assert_int_equal(e.count, st.dropped);
    wall_close(g.w, false);
    g.w = NULL;
}

/* What is left of an agent that gave up what it does not need still does its work. */
static void confined_agent_works_and_can_do_nothing_else(void **state)
{
    int status;
    (void)state;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct wall_settings s = settings_usual();
        struct profile p = of(IMAGE_DIGEST, ON_LOSS_OPEN);
        struct container c = { .id = "open", .image = REPOSITORY ":1", .digest = IMAGE_DIGEST, .pid = crun_pid(&g.c, "open") };
        uint64_t id = crun_cgroup_id(&g.c, "open");
        struct err err = { 0 };
        if (wall_open(&s, &g.w, &err) != 0 || wall_confine(g.w, &err) != 0)
            _exit(1);
        if (wall_set_profiles(g.w, &p, 1, &err) != 0 || wall_container_add(g.w, id, &c, &err) != 0 || wall_handover(g.w, &err) != 0)
            _exit(2);
        if (wall_poll(g.w, 10, NULL, NULL, &err) < 0 || wall_off(g.pins, NULL, &err) != 0)
            _exit(3);
        if (mount("x", "/tmp", "tmpfs", 0, NULL) == 0 || errno != EPERM || setns(0, 0) == 0 || errno != EPERM || chroot("/tmp") == 0)
            _exit(4);
        execl("/bin/true", "true", (char *)NULL);
        _exit(errno == EPERM ? 0 : 5);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(killed_agent_leaves_its_walls_until_the_lease_ends),
    cmocka_unit_test(next_agent_takes_over_what_the_killed_one_left),
    cmocka_unit_test(upgrade_has_no_window),
    cmocka_unit_test(stopped_agent_hangs_nobody),
    cmocka_unit_test(switch_works_with_an_agent_and_without_one),
    cmocka_unit_test(empty_profile_in_protect_mode_is_refused_and_the_old_one_stays),
    cmocka_unit_test(profile_that_cannot_be_enforced_as_written_is_refused_whole),
    cmocka_unit_test(profile_of_another_digest_touches_nobody),
    cmocka_unit_test(storm_in_one_container_leaves_the_other_unharmed),
    cmocka_unit_test(confined_agent_works_and_can_do_nothing_else),
    cmocka_unit_test(what_the_ring_cannot_hold_is_counted_and_told),
};

/* Whether walls can be had at all is known before the first agent. */
static int can(void)
{
    struct wall_settings s = settings_usual();
    if (!walls_up(&s))
        return 0;
    struct wall_status st;
    wall_status(g.w, &st);
    walls_down(false);
    if (st.rung < WALL_SIGKILL || !st.pinned)
        return snprintf(g.why, sizeof g.why, "%s", st.pinned ? "programs cannot be stopped" : st.pinned_why), 0;
    return walled();
}

WALL_MAIN(tests, can())
