/* Programs that are not of the container's image are told as such: written by the
 * container, lying in its overlay's upper layer, or in memory only. */
#include "model/event.h"
#include "tests/flow/wall.h"

static const struct profile_executable only[] = { { "/bin/inside", NULL, NULL, 0 } };
static const struct profile watch = { .name = "shop", .repository = REPOSITORY, .mode = PROFILE_MONITOR,
                                      .has_executables = true, .executables = only, .n_executables = 1 };
static char merged[200];
static bool has_overlay;

static void copy_in(const char *from, const char *to)
{
    const char *const argv[] = { "cp", from, to, NULL };
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], (char *const *)(const void *)argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Three folders and what they are together. */
static void overlay_make(void)
{
    static const char *const parts[] = { "", "/lower", "/upper dir", "/work", "/merged" };
    char at[5][200], options[700], path[300], inside[512];

    tricks_path(inside, sizeof inside);
    for (size_t i = 0; i < N_ITEMS(parts); i++) {
        snprintf(at[i], sizeof at[i], "%s/overlay%s", g.c.dir, parts[i]);
        assert_int_equal(mkdir(at[i], 0755), 0);
    }
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", at[1], at[2], at[3]);
    snprintf(merged, sizeof merged, "%s", at[4]);
    snprintf(path, sizeof path, "%s/image", at[1]);
    copy_in(inside, path);
    has_overlay = mount("overlay", merged, "overlay", 0, options) == 0;
    snprintf(path, sizeof path, "%s/dropped", merged);
    copy_in(inside, path);
}

static int walled(void)
{
    static const char *const idle[] = { "/bin/inside", "sleep", "600", NULL };
    struct wall_settings s = settings_usual();
    char inside[600], opt[300];

    if (!walls_up(&s))
        return 0;
    overlay_make();
    tricks_path(inside, sizeof inside - 32);
    strncat(inside, ":/bin/inside:ro", 20);
    snprintf(opt, sizeof opt, "%s:/opt", merged);
    const char *const binds[] = { inside, opt, NULL };
    crun_run(&g.c, &(struct crun_spec){ .id = "box", .argv = idle, .binds = binds });
    usleep(20000);                       /* what is there is older than what the walls know of */
    profiles_set(&watch, 1);
    box_known("box", IMAGE_DIGEST);
    return 1;
}

static struct kept told_of(const char *exe)
{
    struct kept e;
    if (!event_seen(EVENT_EXEC, VERDICT_ALERT, exe, 0, &e))
        fail_msg("nothing was told of %s", exe);
    return e;
}

static void program_of_the_image_is_only_not_listed(void **state)
{
    char out[256];
    (void)state;
    assert_int_equal(EXEC("box", out, "/bin/busybox", "true"), 0);
    struct kept e = told_of("/bin/busybox");
    assert_non_null(strstr(e.tags, "not_listed"));
    assert_null(strstr(e.tags, TAG_NOT_IN_IMAGE));
    assert_null(strstr(e.tags, TAG_FILELESS));
}

static void program_copied_within_the_container_is_not_of_the_image(void **state)
{
    char out[256];
    (void)state;
    INSIDE("box", out, "copy", "/bin/inside", "/tmp/copied");
    assert_int_equal(EXEC("box", out, "/tmp/copied", "say", "x"), 0);
    assert_non_null(strstr(told_of("/tmp/copied").tags, TAG_NOT_IN_IMAGE));
}

static void upper_layer_of_an_overlay_is_not_the_image(void **state)
{
    char out[256];
    (void)state;
    if (!has_overlay) {
        printf("          left out: no overlay can be mounted here\n");
        skip();
    }
    assert_int_equal(EXEC("box", out, "/opt/dropped", "say", "x"), 0);
    assert_non_null(strstr(told_of("/opt/dropped").tags, TAG_NOT_IN_IMAGE));
    assert_null(strstr(told_of("/opt/dropped").tags, "changed_since_start"));
    assert_int_equal(EXEC("box", out, "/opt/image", "say", "x"), 0);
    assert_null(strstr(told_of("/opt/image").tags, TAG_NOT_IN_IMAGE));
}

static void program_in_memory_is_fileless(void **state)
{
    bool is_told = false;
    char out[256];
    (void)state;
    events_forget();
    INSIDE("box", out, "memfd", "/bin/inside");
    for (int i = 0; i < 100 && !is_told; i++, usleep(20000)) {
        pthread_mutex_lock(&g.lock);
        for (size_t k = 0; k < g.n_kept; k++)
            is_told |= g.kept[k].kind == EVENT_EXEC && strstr(g.kept[k].tags, TAG_FILELESS) != NULL;
        pthread_mutex_unlock(&g.lock);
    }
    assert_true(is_told);
}

/* A program the profile names is the image's owner's word. */
static void listed_program_is_told_without_doubt(void **state)
{
    struct kept e;
    char out[256];
    (void)state;
    events_forget();
    place("box", "/bin/other");
    static const struct profile_executable both[] = { { "/bin/inside", NULL, NULL, 0 }, { "/bin/other", NULL, NULL, 0 } };
    struct profile p = watch;
    p.executables = both;
    p.n_executables = 2;
    profiles_set(&p, 1);
    assert_int_equal(EXEC("box", out, "/bin/other", "say", "x"), 0);
    assert_true(event_seen(EVENT_EXEC, VERDICT_OBSERVED, "/bin/other", 0, &e));
    assert_null(strstr(e.tags, TAG_NOT_IN_IMAGE));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(program_of_the_image_is_only_not_listed),
    cmocka_unit_test(program_copied_within_the_container_is_not_of_the_image),
    cmocka_unit_test(upper_layer_of_an_overlay_is_not_the_image),
    cmocka_unit_test(program_in_memory_is_fileless),
    cmocka_unit_test(listed_program_is_told_without_doubt),
};

/* The overlay is mounted in the test's own namespace: it goes with it. */
WALL_MAIN(tests, walled())
