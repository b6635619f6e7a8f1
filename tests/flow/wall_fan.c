/* The rung below BPF, where the kernel takes no programs of ours: what it stops, and,
 * as honestly, what it does not. */
#include "tests/flow/wall.h"

static const char *const entry_only[] = { "/bin/inside" };
static const struct profile_executable programs[] = { { "/bin/inside", NULL, NULL, 0 }, { "/bin/busybox", NULL, entry_only, 1 } };

static struct profile protect(void)
{
    return (struct profile){ .name = "shop", .repository = REPOSITORY, .mode = PROFILE_PROTECT, .has_executables = true,
                             .executables = programs, .n_executables = N_ITEMS(programs) };
}

static int walled(void)
{
    struct wall_settings s = settings_usual();
    struct wall_status st;
    s.refuse = 1u << WALL_NONE;          /* no BPF at all */
    if (!walls_up(&s))
        return 0;
    wall_status(g.w, &st);
    if (st.rung != WALL_FANOTIFY)
        return snprintf(g.why, sizeof g.why, "the rung is %s", wall_rung_word(st.rung)), 0;
    struct profile p = protect();
    profiles_set(&p, 1);
    box_create("a", NULL);
    crun_start(&g.c, "a");
    box_known("a", IMAGE_DIGEST);
    box_create("free", NULL);
    crun_start(&g.c, "free");
    return 1;
}

static void expected_program_runs_and_another_is_refused(void **state)
{
    struct kept e;
    char out[512];
    (void)state;
    assert_int_equal(INSIDE("a", out, "say", "x"), 0);
    assert_string_equal(out, "x: ok\n");
    INSIDE("a", out, "run", "/bin/evil");
    assert_string_equal(out, "exec: Operation not permitted\nstatus 126\n");
    assert_true(event_seen(EVENT_EXEC, VERDICT_DENIED, "/bin/evil", 0, &e));
    assert_string_equal(e.container, "a");
    assert_int_equal(EXEC("free", out, "/bin/evil"), 0);
}

static void parents_are_judged(void **state)
{
    char out[512];
    (void)state;
    INSIDE("a", out, "run", "/bin/sh", "-c", "echo x");
    assert_string_equal(out, "x\nstatus 0\n");
    assert_int_not_equal(EXEC("a", out, "/bin/sh", "-c", "echo outside"), 0);
    assert_null(strstr(out, "outside\n"));
}

static void what_it_cannot_stop_is_what_it_says(void **state)
{
    char out[512];
    (void)state;
    INSIDE("a", out, "memfd", "/bin/evil");
    assert_string_equal(out, "I ran\n");                   /* memory is on no mount */
    bool said = false;
    for (const char *const *l = wall_limits(WALL_FANOTIFY); *l; l++)
        said |= strstr(*l, "memfd_create") != NULL;
    assert_true(said);
    INSIDE("a", out, "copy", "/bin/evil", "/bin/new");
    INSIDE("a", out, "run", "/bin/new");
    assert_string_equal(out, "exec: Operation not permitted\nstatus 126\n");
    INSIDE("a", out, "copy", "/bin/evil", "/dev/evil");
    INSIDE("a", out, "run", "/dev/evil");                  /* a tmpfs of the container's */
    assert_string_equal(out, "exec: Operation not permitted\nstatus 126\n");
}

static void profile_replaced_counts_at_once(void **state)
{
    static const struct profile_executable more[] = { { "/bin/inside", NULL, NULL, 0 }, { "/bin/evil", NULL, NULL, 0 } };
    struct profile p = protect();
    char out[512];
    (void)state;
    p.executables = more;
    profiles_set(&p, 1);
    assert_int_equal(EXEC("a", out, "/bin/evil"), 0);
    p = protect();
    profiles_set(&p, 1);
    assert_int_not_equal(EXEC("a", out, "/bin/evil"), 0);
    p.mode = PROFILE_MONITOR;
    profiles_set(&p, 1);
    events_forget();
    assert_int_equal(EXEC("a", out, "/bin/evil"), 0);
    assert_true(event_seen(EVENT_EXEC, VERDICT_ALERT, "/bin/evil", 0, NULL));
}

static void status_says_that_it_is_blind_and_why(void **state)
{
    struct wall_status s;
    (void)state;
    wall_status(g.w, &s);
    assert_false(s.sensors || s.network || s.pinned);
    assert_int_equal(s.n_reasons, 2);
    assert_non_null(strstr(s.sensors_why, "blind"));
}

/* The agent of these tests is stopped: somebody ends it, and everything runs on. */
static void stopped_agent_holds_nobody_for_long(void **state)
{
    int fds[2];
    char byte, out[256];
    (void)state;
    walls_down(false);
    assert_int_equal(pipe(fds), 0);
    fflush(stdout);
    pid_t agent = fork();
    if (agent == 0) {
        struct wall_settings s = settings_usual();
        struct profile p = protect();
        struct err err = { 0 };
        s.refuse = 1u << WALL_NONE;
        if (wall_open(&s, &g.w, &err) != 0)
            _exit(1);
        profiles_set(&p, 1);
        box_known("a", IMAGE_DIGEST);
        (void)!write(fds[1], "r", 1);
        for (;;)
            if (wall_poll(g.w, 100, NULL, NULL, &err) < 0)
                _exit(2);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_not_equal(EXEC("a", out, "/bin/evil"), 0);
    kill(agent, SIGSTOP);
    int64_t from = time_monotonic_ms();
    assert_int_equal(EXEC("a", out, "/bin/evil"), 0);      /* fail-open: that is this rung */
    printf("          an exec waited %lld ms for a stopped agent\n", (long long)(time_monotonic_ms() - from));
    assert_true(time_monotonic_ms() - from < 6000);
    waitpid(agent, NULL, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(expected_program_runs_and_another_is_refused),
    cmocka_unit_test(parents_are_judged),
    cmocka_unit_test(what_it_cannot_stop_is_what_it_says),
    cmocka_unit_test(profile_replaced_counts_at_once),
    cmocka_unit_test(status_says_that_it_is_blind_and_why),
    cmocka_unit_test(stopped_agent_holds_nobody_for_long),
};

WALL_MAIN(tests, walled())
