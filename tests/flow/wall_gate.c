/* A container's profile is in force before its first program runs. */
#include "tests/flow/wall.h"

#include <time.h>

static const struct profile_executable only[] = { { "/bin/inside", NULL, NULL, 0 } };

/* Every folder right below ours is a container of our image; its name is its id. */
static bool resolve(void *arg, const char *path, uint64_t id, struct container *out)
{
    const char *name = strrchr(path, '/') + 1;
    (void)arg, (void)id;
    if (strlen(path) <= strlen(g.cgroup) || strchr(path + strlen(g.cgroup) + 1, '/'))
        return false;
    *out = (struct container){ .id = name, .image = REPOSITORY ":1", .digest = IMAGE_DIGEST, .runtime = "crun" };
    return true;
}

/* A runtime of our own: nobody else's is held. */
static char runtime[160];
static bool runtime_copy(void)
{
    char line[700];
    snprintf(runtime, sizeof runtime, "%s/bin/crun", g.c.dir);
    snprintf(line, sizeof line, "mkdir %s/bin && cp \"$(command -v crun)\" %s", g.c.dir, runtime);
    if (system(line) != 0)
        return false;
    snprintf(line, sizeof line, "%s/bin:%.400s", g.c.dir, getenv("PATH"));
    return setenv("PATH", line, 1) == 0;
}

static struct wall_settings settings_gate(void)
{
    static const char *const runtimes[] = { runtime, NULL };
    struct wall_settings s = settings_usual();
    s.resolve = resolve;
    s.runtimes = runtimes;
    s.n_runtimes = 1;
    return s;
}

static void profile_usual(void)
{
    struct profile p = { .name = "shop", .repository = REPOSITORY, .mode = PROFILE_PROTECT, .has_executables = true,
                         .executables = only, .n_executables = 1 };
    profiles_set(&p, 1);
}

static void first_program_is_judged(void **state)
{
    static const char *const evil[] = { "/bin/busybox", "echo", "first", NULL };
    char out[256], id[32];
    struct crun_spec spec = { .argv = evil };
    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "born%d", i);
        box_create(id, &spec);
        crun_start(&g.c, id);
        usleep(100000);
        crun_output(&g.c, id, out, sizeof out);
        assert_string_equal(out, "");
        assert_false(crun_is_alive(&g.c, id));
        crun_delete(&g.c, id);
    }
    assert_true(event_seen(EVENT_EXEC, VERDICT_KILLED, "/bin/busybox", 0, NULL));
}

static void expected_first_program_runs(void **state)
{
    char out[256];
    (void)state;
    box_create("good", NULL);
    crun_start(&g.c, "good");
    assert_int_equal(INSIDE("good", out, "say", "x"), 0);
    assert_true(crun_is_alive(&g.c, "good"));
}

static void container_that_is_gone_is_forgotten(void **state)
{
    struct wall_status s;
    (void)state;
    crun_delete(&g.c, "good");
    for (int i = 0; i < 50; i++) {
        usleep(50000);
        wall_status(g.w, &s);
        if (s.n_containers == 0)
            break;
    }
    assert_int_equal(s.n_containers, 0);
}

/* The agent is stopped while a runtime's exec would wait for it: somebody ends it. */
static void stopped_agent_holds_no_start_for_long(void **state)
{
    int fds[2], status;
    char byte, out[256];
    (void)state;
    walls_down(false);
    assert_int_equal(pipe(fds), 0);
    pid_t agent = fork();
    if (agent == 0) {
        struct wall_settings s = settings_gate();
        struct err err = { 0 };
        if (wall_open(&s, &g.w, &err) != 0)
            _exit(1);
        profile_usual();
        (void)!write(fds[1], "r", 1);
        for (;;)
            if (wall_poll(g.w, 100, NULL, NULL, &err) < 0)
                _exit(2);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    box_create("late", NULL);
    crun_start(&g.c, "late");
    kill(agent, SIGSTOP);
    int64_t from = time_monotonic_ms();
    assert_int_equal(INSIDE("late", out, "say", "x"), 0);
    assert_string_equal(out, "x: ok\n");
    int64_t took = time_monotonic_ms() - from;
    printf("          a start waited %lld ms for a stopped agent\n", (long long)took);
    assert_true(took < 6000);
    assert_int_equal(waitpid(agent, &status, 0), agent);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(EXEC("late", out, "/bin/evil"), 128 + SIGKILL);    /* and what stood stands */
    struct err err = { 0 };
    assert_int_equal(wall_off(g.pins, NULL, &err), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(first_program_is_judged),
    cmocka_unit_test(expected_first_program_runs),
    cmocka_unit_test(container_that_is_gone_is_forgotten),
    cmocka_unit_test(stopped_agent_holds_no_start_for_long),
};

static int walled(void)
{
    struct wall_settings s = settings_gate();
    struct wall_status st;
    if (!runtime_copy())
        return snprintf(g.why, sizeof g.why, "no crun to copy"), 0;
    if (!walls_up(&s))
        return 0;
    wall_status(g.w, &st);
    if (!st.gate)
        return snprintf(g.why, sizeof g.why, "%s", st.gate_why), 0;
    profile_usual();
    return 1;
}

WALL_MAIN(tests, walled())
