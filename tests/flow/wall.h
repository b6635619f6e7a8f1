/* wall.h (tests) - walls around real crun containers: a folder of cgroups of our own,
 * a bpffs of our own, a thread that polls and keeps what it was told.
 *
 * Nothing is attached anywhere else; the machine's own processes are not below. */
#ifndef KEEP_TESTS_FLOW_WALL_H
#define KEEP_TESTS_FLOW_WALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/wall/wall.h"
#include "base/str.h"
#include "base/time.h"
#include "tests/support/crun.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define IMAGE_DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define REPOSITORY "docker.io/acme/shop"

enum { KEPT_MAX = 4096 };

struct kept {                            /* of an event */
    int kind, verdict, severity;
    int64_t count, local_port, remote_port;
    char rule[32], exe[256], parent[256], args[192], container[72], remote[64], tags[96];
};

static struct ground {
    struct crun c;
    char cgroup[160], bpffs[160], pins[192], off[160], why[256];
    bool is_there;
    struct wall *w;
    pthread_t poller;
    _Atomic int stop;
    _Atomic long n_events;
    pthread_mutex_t lock;
    struct kept kept[KEPT_MAX];
    size_t n_kept;
} g = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void text_keep(char *out, size_t max, const char *text)
{
    snprintf(out, max, "%s", text ? text : "");
}

__attribute__((unused)) static void keep_event(void *arg, const struct event *e)
{
    (void)arg;
    pthread_mutex_lock(&g.lock);
    g.n_events++;
    if (g.n_kept < KEPT_MAX) {
        struct kept *k = &g.kept[g.n_kept++];
        *k = (struct kept){ .kind = e->kind, .verdict = e->verdict, .severity = (int)e->severity, .count = e->count,
                            .local_port = e->net.local_port, .remote_port = e->net.remote_port };
        text_keep(k->rule, sizeof k->rule, e->rule);
        text_keep(k->exe, sizeof k->exe, e->process.exe);
        text_keep(k->parent, sizeof k->parent, e->process.parent_exe);
        text_keep(k->args, sizeof k->args, e->process.args);
        text_keep(k->container, sizeof k->container, e->container.id);
        text_keep(k->remote, sizeof k->remote, e->net.remote);
        for (size_t i = 0; i < e->n_tags; i++) {
            size_t n = strlen(k->tags);
            snprintf(k->tags + n, sizeof k->tags - n, "%s ", e->tags[i]);
        }
    }
    pthread_mutex_unlock(&g.lock);
}

/* The last event of this kind about this program or port (NULL, 0: any); false: none within 2 s. */
__attribute__((unused)) static bool event_seen(int kind, int verdict, const char *exe, int64_t port, struct kept *out)
{
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&g.lock);
        for (size_t k = g.n_kept; k-- > 0;) {
            const struct kept *e = &g.kept[k];
            if (e->kind == kind && e->verdict == verdict && (!exe || str_eq(e->exe, exe)) &&
                (port == 0 || e->local_port == port || e->remote_port == port)) {
                if (out)
                    *out = *e;
                pthread_mutex_unlock(&g.lock);
                return true;
            }
        }
        pthread_mutex_unlock(&g.lock);
        usleep(20000);
    }
    return false;
}

__attribute__((unused)) static void events_forget(void)
{
    pthread_mutex_lock(&g.lock);
    g.n_kept = 0;
    pthread_mutex_unlock(&g.lock);
}

__attribute__((unused)) static void *poll_over_and_over(void *arg)
{
    struct err err = { 0 };
    (void)arg;
    while (!g.stop)
        if (wall_poll(g.w, 50, keep_event, NULL, &err) < 0)
            break;
    return NULL;
}

/* A place for walls; false with g.why when this machine has none. */
__attribute__((unused)) static bool ground_open(void)
{
    if (wall_built()) {
        snprintf(g.why, sizeof g.why, "%s", wall_built());
        return false;
    }
    if (geteuid() != 0 || crun_open(&g.c, g.why, sizeof g.why) != 0) {
        if (geteuid() != 0)
            snprintf(g.why, sizeof g.why, "not root");
        return false;
    }
    snprintf(g.cgroup, sizeof g.cgroup, "/sys/fs/cgroup%s", g.c.parent);
    (void)mkdir(g.cgroup, 0755);
    snprintf(g.bpffs, sizeof g.bpffs, "%s/bpf", g.c.dir);
    snprintf(g.pins, sizeof g.pins, "%s/keep", g.bpffs);
    snprintf(g.off, sizeof g.off, "%s/walls.off", g.c.dir);
    if (mkdir(g.bpffs, 0700) != 0 || mount("bpf", g.bpffs, "bpf", 0, NULL) != 0) {
        snprintf(g.why, sizeof g.why, "no bpffs: %s", strerror(errno));
        crun_close(&g.c);
        return false;
    }
    return g.is_there = true;
}

__attribute__((unused)) static struct wall_settings settings_usual(void)
{
    return (struct wall_settings){ .cgroup = g.cgroup, .pins = g.pins, .off_file = g.off, .lease_s = 60 };
}

__attribute__((unused)) static bool walls_up(const struct wall_settings *s)
{
    struct err err = { 0 };
    if (wall_open(s, &g.w, &err) != 0) {
        snprintf(g.why, sizeof g.why, "%s", err.msg);
        return false;
    }
    g.stop = 0;
    assert_int_equal(pthread_create(&g.poller, NULL, poll_over_and_over, NULL), 0);
    return true;
}

__attribute__((unused)) static void walls_down(bool keep)
{
    if (!g.w)
        return;
    g.stop = 1;
    pthread_join(g.poller, NULL);
    wall_close(g.w, keep);
    g.w = NULL;
}

__attribute__((unused)) static void ground_close(void)
{
    if (!g.is_there)
        return;
    walls_down(false);
    (void)umount2(g.bpffs, MNT_DETACH);  /* or its folder cannot be removed */
    crun_close(&g.c);
    (void)rmdir(g.cgroup);
}

/* The program that knows the tricks, as it lies beside the tests. */
__attribute__((unused)) static void tricks_path(char *out, size_t max)
{
    ssize_t n = readlink("/proc/self/exe", out, max - 16);
    assert_true(n > 0);
    out[n] = '\0';
    for (int i = 0; i < 2; i++)
        *strrchr(out, '/') = '\0';
    strncat(out, "/inside", 10);
}

/* Copies the program that knows the tricks into the container's file system. */
__attribute__((unused)) static void place(const char *id, const char *path)
{
    char from[512], to[512], block[65536];
    ssize_t n;
    tricks_path(from, sizeof from);
    crun_rootfs(&g.c, id, to, sizeof to - 200);
    strncat(to, path, 200);
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(in >= 0 && out >= 0);
    while ((n = read(in, block, sizeof block)) > 0)
        assert_int_equal(write(out, block, (size_t)n), n);
    close(in);
    close(out);
}

/* A container with the tricks at /bin/inside (and, not in any profile, /bin/evil), not yet started. */
__attribute__((unused)) static void box_create(const char *id, const struct crun_spec *more)
{
    static const char *const idle[] = { "/bin/inside", "sleep", "600", NULL };
    struct crun_spec spec = more ? *more : (struct crun_spec){ 0 };
    spec.id = id;
    if (!spec.argv)
        spec.argv = idle;
    char inside[600];                    /* bound: it must be there before the container is */
    tricks_path(inside, sizeof inside - 32);
    strncat(inside, ":/bin/inside:ro", 20);
    const char *const binds[] = { inside, NULL };
    spec.binds = binds;
    crun_create(&g.c, &spec);
    place(id, "/bin/evil");
}

__attribute__((unused)) static void box_known(const char *id, const char *digest)
{
    struct err err = { 0 };
    struct container c = { .id = id, .image = REPOSITORY ":1", .digest = digest, .pid = crun_pid(&g.c, id), .runtime = "crun" };
    if (wall_container_add(g.w, crun_cgroup_id(&g.c, id), &c, &err) != 0)
        fail_msg("%s", err.msg);
}

__attribute__((unused)) static void profiles_set(const struct profile *p, size_t n)
{
    struct err err = { 0 };
    if (wall_set_profiles(g.w, p, n, &err) != 0)
        fail_msg("%s", err.msg);
}

/* crun exec ID /bin/inside WORDS...; what it printed goes to out. */
#define INSIDE(id, out, ...) crun_exec(&g.c, (id), (const char *const[]){ "/bin/inside", __VA_ARGS__, NULL }, (out), sizeof(out))
#define EXEC(id, out, ...) crun_exec(&g.c, (id), (const char *const[]){ __VA_ARGS__, NULL }, (out), sizeof(out))

/* main of these programs: where there is no ground they say so and pass. */
#define WALL_MAIN(tests, up)                                                          \
    int main(void)                                                                    \
    {                                                                                 \
        if (!ground_open() || !(up)) {                                                \
            printf("skipped: walls cannot be tried here: %s\n", g.why);               \
            ground_close();                                                           \
            return 0;                                                                 \
        }                                                                             \
        int failed = cmocka_run_group_tests(tests, NULL, NULL);                       \
        ground_close();                                                               \
        return failed;                                                                \
    }

#endif
