/* What runs in a container that has a profile, and what does not. */
#include "tests/flow/wall.h"

static const char *const entry_only[] = { "/bin/inside" };
static const struct profile_executable programs[] = {
    { "/bin/inside", NULL, NULL, 0 },
    { "/bin/busybox", NULL, entry_only, 1 },
    { "/bin/pinned", "0000000000000000000000000000000000000000000000000000000000000000", NULL, 0 },
};

static struct profile protect(void)
{
    return (struct profile){ .name = "shop", .repository = REPOSITORY, .mode = PROFILE_PROTECT, .has_executables = true,
                             .executables = programs, .n_executables = N_ITEMS(programs) };
}

static int walled(void)
{
    struct wall_settings s = settings_usual();
    static const char *const strong[] = { "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_DAC_OVERRIDE", NULL };
    struct crun_spec privileged = { .capabilities = strong };
    if (!walls_up(&s))
        return 0;
    struct profile p = protect();
    profiles_set(&p, 1);
    box_create("a", NULL);
    box_known("a", IMAGE_DIGEST);
    crun_start(&g.c, "a");
    box_create("free", NULL);            /* known, of another image: no profile */
    struct err err = { 0 };
    struct container c = { .id = "free", .image = "docker.io/acme/other:1", .pid = crun_pid(&g.c, "free") };
    assert_int_equal(wall_container_add(g.w, crun_cgroup_id(&g.c, "free"), &c, &err), 0);
    crun_start(&g.c, "free");
    box_create("root", &privileged);
    box_known("root", IMAGE_DIGEST);
    crun_start(&g.c, "root");
    return 1;
}

static void expected_program_runs(void **state)
{
    char out[512];
    (void)state;
    assert_int_equal(INSIDE("a", out, "say", "hello"), 0);
    assert_string_equal(out, "hello: ok\n");
    assert_true(crun_is_alive(&g.c, "a"));
}

static void unexpected_program_is_killed_before_it_prints(void **state)
{
    struct kept e;
    char out[512];
    (void)state;
    assert_int_equal(EXEC("a", out, "/bin/evil"), 128 + SIGKILL);
    assert_string_equal(out, "");
    assert_true(event_seen(EVENT_EXEC, VERDICT_KILLED, "/bin/evil", 0, &e));
    assert_string_equal(e.container, "a");
    assert_string_equal(e.rule, "wall.program");
    assert_true(e.severity <= 4);
    INSIDE("a", out, "run", "/bin/evil");
    assert_string_equal(out, "signal 9\n");
}

static void container_without_profile_is_not_hindered_but_observed(void **state)
{
    char out[512];
    (void)state;
    assert_int_equal(EXEC("free", out, "/bin/evil"), 0);
    assert_string_equal(out, "I ran\n");
    assert_true(event_seen(EVENT_EXEC, VERDICT_OBSERVED, "/bin/evil", 0, NULL));
}

static void process_outside_of_containers_is_not_touched(void **state)
{
    struct wall_status before, after;
    (void)state;
    wall_status(g.w, &before);
    for (int i = 0; i < 20; i++)
        assert_int_equal(WEXITSTATUS(system("exit 3")), 3);
    wall_status(g.w, &after);
    assert_int_equal(after.denied, before.denied);
}

struct evasion {
    const char *name;
    const char *const words[8];
    const char *printed;                 /* NULL: killed and silent */
};

static void tricks_of_the_table_end_as_they_should(void **state)
{
    static const struct evasion all[] = {
        { "memfd", { "memfd", "/bin/evil" }, NULL },
        { "new name", { "exec", "/bin/new" }, NULL },
        { "tmpfs", { "exec", "/dev/shm-evil" }, NULL },
        { "hard link", { "exec", "/bin/hard" }, NULL },
        { "symlink", { "exec", "/bin/soft" }, NULL },
        { "deleted", { "deleted", "/bin/gone" }, NULL },
        { "ld.so", { "exec", "/bin/ld.so", "/bin/evil" }, NULL },
        { "chroot", { "chroot", "/jail", "/bin/inside", "say", "x" }, NULL },
        { "rebind", { "rebind", "/bin/evil", "/bin/inside", "say", "x" }, NULL },
        { "script with an allowed interpreter runs", { "exec", "/bin/script" }, "script\n" },
    };
    char out[512], root[256], path[512];
    (void)state;
    crun_rootfs(&g.c, "root", root, sizeof root);
    place("root", "/bin/new");
    place("root", "/bin/gone");
    place("root", "/bin/ld.so");
    snprintf(path, sizeof path, "%s/jail", root);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/jail/bin", root);
    mkdir(path, 0755);
    place("root", "/jail/bin/inside");
    char hard[512];
    snprintf(path, sizeof path, "%s/bin/evil", root);
    snprintf(hard, sizeof hard, "%s/bin/hard", root);
    assert_int_equal(link(path, hard), 0);
    snprintf(hard, sizeof hard, "%s/bin/soft", root);
    assert_int_equal(symlink("evil", hard), 0);
    snprintf(path, sizeof path, "%s/bin/script", root);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    assert_int_equal(write(fd, "#!/bin/sh\necho script\n", 22), 22);
    close(fd);
    INSIDE("root", out, "copy", "/bin/evil", "/dev/shm-evil");
    for (size_t i = 0; i < N_ITEMS(all); i++) {
        const char *argv[10] = { "/bin/inside" };
        for (size_t n = 0; all[i].words[n]; n++)
            argv[n + 1] = all[i].words[n];
        int code = crun_exec(&g.c, "root", argv, out, sizeof out);
        if (all[i].printed ? !str_eq(out, all[i].printed) : code != 128 + SIGKILL || out[0])
            fail_msg("%s: code %d, printed \"%s\"", all[i].name, code, out);
    }
}

static void shell_from_the_entrypoint_is_told_from_a_shell_of_others(void **state)
{
    struct kept e;
    char out[512];
    (void)state;
    assert_int_equal(INSIDE("a", out, "run", "/bin/sh", "-c", "echo from the entrypoint"), 0);
    assert_string_equal(out, "from the entrypoint\nstatus 0\n");
    /* crun itself starts it: nobody the profile names */
    assert_int_equal(EXEC("a", out, "/bin/sh", "-c", "echo from outside"), 128 + SIGKILL);
    assert_string_equal(out, "");
    assert_true(event_seen(EVENT_EXEC, VERDICT_KILLED, "/bin/busybox", 0, &e));
    assert_string_equal(e.rule, "wall.parent");
    /* a shell that starts a shell is not the entrypoint, also when nobody is left to ask */
    INSIDE("a", out, "run", "/bin/sh", "-c", "/bin/sh -c 'echo inner'; echo outer $?");
    assert_non_null(strstr(out, "outer 137\n"));
    assert_null(strstr(out, "inner"));
}

static void file_with_other_content_than_the_sha256_is_killed(void **state)
{
    struct kept e;
    char out[512];
    (void)state;
    place("a", "/bin/pinned");
    assert_int_equal(EXEC("a", out, "/bin/pinned"), 128 + SIGKILL);
    assert_true(event_seen(EVENT_EXEC, VERDICT_KILLED, "/bin/pinned", 0, &e));
    assert_string_equal(e.rule, "wall.content");
    assert_non_null(strstr(e.tags, "changed_since_start"));
}

static void repeated_attempts_are_worse(void **state)
{
    struct kept e;
    char out[512];
    (void)state;
    events_forget();
    INSIDE("a", out, "storm", "150", "/bin/evil");
    assert_string_equal(out, "storm 150 killed 150\n");
    usleep(1100000);
    INSIDE("a", out, "run", "/bin/evil");
    usleep(200000);
    assert_true(event_seen(EVENT_EXEC, VERDICT_KILLED, "/bin/evil", 0, &e));
    assert_int_equal(e.severity, 2);
    int64_t n = 0;                       /* folded into few events, and not one missing */
    for (size_t i = 0; i < g.n_kept; i++)
        n += g.kept[i].kind == EVENT_EXEC && g.kept[i].verdict == VERDICT_KILLED ? g.kept[i].count : 0;
    assert_true(n >= 150 && g.n_kept < 100);
}

static void monitor_reports_what_it_would_deny(void **state)
{
    struct profile p = protect();
    char out[512];
    (void)state;
    p.mode = PROFILE_MONITOR;
    profiles_set(&p, 1);
    events_forget();
    assert_int_equal(EXEC("a", out, "/bin/evil"), 0);
    assert_string_equal(out, "I ran\n");
    assert_true(event_seen(EVENT_EXEC, VERDICT_ALERT, "/bin/evil", 0, NULL));
    p.mode = PROFILE_DISCOVER;
    profiles_set(&p, 1);
    events_forget();
    assert_int_equal(EXEC("a", out, "/bin/evil"), 0);
    usleep(200000);
    pthread_mutex_lock(&g.lock);
    for (size_t i = 0; i < g.n_kept; i++)
        assert_int_equal(g.kept[i].verdict, VERDICT_OBSERVED);
    pthread_mutex_unlock(&g.lock);
    p.mode = PROFILE_PROTECT;
    profiles_set(&p, 1);
    assert_int_equal(EXEC("a", out, "/bin/evil"), 128 + SIGKILL);
}

static void learning_folds_what_it_has_seen(void **state)
{
    struct wall_status before, after;
    char out[512];
    (void)state;
    INSIDE("free", out, "storm", "10", "/bin/inside", "nothing");
    usleep(200000);
    wall_status(g.w, &before);
    INSIDE("free", out, "storm", "3000", "/bin/inside", "nothing");
    usleep(300000);
    wall_status(g.w, &after);
    assert_true(after.seen - before.seen >= 6000);         /* exec and exit each */
    assert_true(after.emitted - before.emitted < 10);
    assert_int_equal(after.seen, after.emitted + after.folded + after.dropped);
}

/* What learns who starts whom must be told each pair. */
static void each_launcher_of_a_program_is_told(void **state)
{
    char out[512];
    int from_shell = 0, from_inside = 0;
    (void)state;
    INSIDE("free", out, "run", "/bin/evil");
    EXEC("free", out, "/bin/sh", "-c", "/bin/evil; true");
    usleep(200000);
    pthread_mutex_lock(&g.lock);
    for (size_t i = 0; i < g.n_kept; i++) {
        const struct kept *k = &g.kept[i];
        if (k->kind != EVENT_EXEC || !str_eq(k->container, "free") || !str_eq(k->exe, "/bin/evil"))
            continue;
        from_shell += str_eq(k->parent, "/bin/busybox");
        from_inside += str_eq(k->parent, "/bin/inside");
    }
    pthread_mutex_unlock(&g.lock);
    assert_int_equal(from_shell, 1);
    assert_int_equal(from_inside, 1);
}

static void program_of_another_profile_version_switches_at_once(void **state)
{
    static const struct profile_executable more[] = { { "/bin/inside", NULL, NULL, 0 }, { "/bin/evil", NULL, NULL, 0 } };
    struct profile p = protect();
    char out[512];
    (void)state;
    p.executables = more;
    p.n_executables = 2;
    profiles_set(&p, 1);
    assert_int_equal(EXEC("a", out, "/bin/evil"), 0);
    p = protect();
    profiles_set(&p, 1);
    assert_int_equal(EXEC("a", out, "/bin/evil"), 128 + SIGKILL);
}

static void status_says_what_stands_and_why_not_more(void **state)
{
    struct wall_status s;
    (void)state;
    wall_status(g.w, &s);
    assert_true(s.sensors && s.network && s.pinned && !s.is_off);
    assert_int_equal(s.n_profiles, 1);
    assert_int_equal(s.n_enforced, 1);
    assert_int_equal(s.n_containers, 3);
    assert_int_equal(s.n_walled, 2);
    assert_int_equal(s.lease_s, 60);
    assert_true(s.beat_ms < 1000);
    assert_true(s.rung == WALL_SIGKILL || s.rung == WALL_LSM);
    for (size_t i = 0; i < s.n_reasons; i++)
        printf("          %s: %s\n", wall_rung_word(s.reasons[i].rung), s.reasons[i].why);
    assert_int_equal(s.n_reasons, s.rung == WALL_SIGKILL ? 1 : 0);
    assert_non_null(wall_limits(s.rung)[0]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(expected_program_runs),
    cmocka_unit_test(unexpected_program_is_killed_before_it_prints),
    cmocka_unit_test(container_without_profile_is_not_hindered_but_observed),
    cmocka_unit_test(process_outside_of_containers_is_not_touched),
    cmocka_unit_test(tricks_of_the_table_end_as_they_should),
    cmocka_unit_test(shell_from_the_entrypoint_is_told_from_a_shell_of_others),
    cmocka_unit_test(file_with_other_content_than_the_sha256_is_killed),
    cmocka_unit_test(repeated_attempts_are_worse),
    cmocka_unit_test(monitor_reports_what_it_would_deny),
    cmocka_unit_test(learning_folds_what_it_has_seen),
    cmocka_unit_test(each_launcher_of_a_program_is_told),
    cmocka_unit_test(program_of_another_profile_version_switches_at_once),
    cmocka_unit_test(status_says_what_stands_and_why_not_more),
};

WALL_MAIN(tests, walled())
