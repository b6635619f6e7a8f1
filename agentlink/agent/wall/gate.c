/* gate.c - a container's profile is in force before its program runs; see internal.h.
 *
 * The exec of the runtime's own binary waits (FAN_OPEN_EXEC_PERM on that inode alone)
 * until we have looked for new cgroups.  Engines call the runtime twice, create and
 * start: at the second the cgroup is there.  Whoever starts a container in one call
 * (`crun run` by hand) is found by inotify a few milliseconds after the folder is made.
 *
 * Invariant: every exec held is answered in the same turn; deadman.c sees to the case
 * that we cannot. */
#include "agent/wall/internal.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDERS_MAX = 8192, FOLDERS_DEPTH = 8, TRIES_MAX = 40, EVENTS_BYTES = 8192 };

struct folder {                          /* a cgroup that was seen */
    uint64_t id;
    int tries;                           /* not (yet) a container */
    bool is_box, is_there;
};

struct gate {
    int fan, inotify, epoll;
    struct folder *folders; size_t n, cap;
    bool is_dirty, has_open;             /* something new; something not resolved yet */
};

static int watch(struct gate *g, int fd)
{
    struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
    return epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &e);
}

static size_t runtimes_mark(const struct wall *w, int fan)
{
    size_t n = 0;
    for (size_t i = 0; i < w->set.n_runtimes; i++)
        n += fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, w->set.runtimes[i]) == 0;
    return n;
}

void gate_mark(struct wall *w)
{
    if (w->gate && w->gate->fan >= 0)
        (void)runtimes_mark(w, w->gate->fan);
}

int gate_open(struct wall *w, struct err *err)
{
    struct gate *g = calloc(1, sizeof *g);
    if (!g)
        return err_nomem(err);
    g->fan = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC | O_LARGEFILE);
    g->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    g->epoll = epoll_create1(EPOLL_CLOEXEC);
    g->is_dirty = true;
    w->gate = g;
    if (g->inotify < 0 || g->epoll < 0 || watch(g, g->inotify) != 0)
        return err_set(err, ERR_UNAVAILABLE, "inotify: %s", strerror(errno));
    if (g->fan < 0)
        return err_set(err, ERR_UNAVAILABLE, "fanotify: %s", strerror(errno));
    if (watch(g, g->fan) != 0)
        return err_set(err, ERR_UNAVAILABLE, "epoll: %s", strerror(errno));
    if (runtimes_mark(w, g->fan) == 0)
        snprintf(w->status.gate_why, sizeof w->status.gate_why, "no container runtime was found whose start could be held");
    return 0;
}

/* Without holding: what starts is found a little later. */
void gate_loosen(struct wall *w)
{
    if (w->gate && w->gate->fan >= 0) {
        close(w->gate->fan);
        w->gate->fan = -1;
    }
}

void gate_close(struct wall *w)
{
    struct gate *g = w->gate;
    if (!g)
        return;
    for (size_t i = 0; i < 3; i++) {
        int fd = i == 0 ? g->fan : i == 1 ? g->inotify : g->epoll;
        if (fd >= 0)
            close(fd);
    }
    free(g->folders);
    free(g);
    w->gate = NULL;
}

int gate_fd(const struct wall *w)
{
    return w->gate ? w->gate->epoll : -1;
}

int gate_fan(const struct wall *w)
{
    return w->gate ? w->gate->fan : -1;
}

/* ---- the tree ------------------------------------------------------------- */

static struct folder *folder_find(struct gate *g, uint64_t id)
{
    for (size_t i = 0; i < g->n; i++) {
        if (g->folders[i].id == id)
            return &g->folders[i];
    }
    if (g->n >= FOLDERS_MAX)
        return NULL;
    if (g->n == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 64;
        struct folder *more = realloc(g->folders, cap * sizeof *more);
        if (!more)
            return NULL;
        g->folders = more;
        g->cap = cap;
    }
    g->folders[g->n] = (struct folder){ .id = id };
    return &g->folders[g->n++];
}

/* Asks whose it is: at once, and for some time after, since a runtime makes the
 * cgroup before it writes what the container is. */
static void folder_look(struct wall *w, struct folder *f, const char *path)
{
    struct container c = { 0 };
    struct err ignored;
    f->is_there = true;
    if (f->is_box || f->tries >= TRIES_MAX)
        return;
    f->tries++;
    if (box_find(w, f->id))
        f->is_box = true;
    else if (w->set.resolve(w->set.resolve_arg, path, f->id, &c))
        f->is_box = box_add(w, f->id, &c, &ignored) == 0;
    if (!f->is_box)
        w->gate->has_open = true;
}

static void tree_walk(struct wall *w, char path[4096], size_t len, int depth)
{
    struct stat st;
    struct folder *f;
    if (stat(path, &st) != 0)
        return;
    bool is_new = w->gate->n == 0 || !(f = folder_find(w->gate, st.st_ino)) || (f->tries == 0 && !f->is_box);
    if (is_new)
        (void)inotify_add_watch(w->gate->inotify, path, IN_CREATE | IN_DELETE | IN_ONLYDIR);
    f = folder_find(w->gate, st.st_ino);
    if (!f)
        return;
    folder_look(w, f, path);
    DIR *dir = depth < FOLDERS_DEPTH ? opendir(path) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (e->d_type != DT_DIR || e->d_name[0] == '.' || len + n + 2 > 4096)
            continue;
        path[len] = '/';
        memcpy(path + len + 1, e->d_name, n + 1);
        tree_walk(w, path, len + 1 + n, depth + 1);
        path[len] = '\0';
    }
    if (dir)
        closedir(dir);
}

static void gone_forget(struct wall *w)
{
    struct gate *g = w->gate;
    size_t kept = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (g->folders[i].is_there)
            g->folders[kept++] = g->folders[i];
        else if (g->folders[i].is_box)
            box_remove(w, g->folders[i].id);
    }
    g->n = kept;
}

void gate_scan(struct wall *w)
{
    char path[4096];
    size_t len = strlen(w->set.cgroup);
    if (!w->gate || !w->set.resolve || len >= sizeof path)
        return;
    for (size_t i = 0; i < w->gate->n; i++)
        w->gate->folders[i].is_there = false;
    w->gate->has_open = w->gate->is_dirty = false;
    memcpy(path, w->set.cgroup, len + 1);
    tree_walk(w, path, len, 0);
    gone_forget(w);
}

/* ---- those who wait ------------------------------------------------------- */

static void inotify_drain(struct gate *g)
{
    char bytes[EVENTS_BYTES];
    while (read(g->inotify, bytes, sizeof bytes) > 0)
        g->is_dirty = true;
}

static void held_answer(struct wall *w, const struct fanotify_event_metadata *m)
{
    if (m->fd < 0)
        return;
    struct fanotify_response answer = { .fd = m->fd, .response = fan_answer(w, m) ? FAN_ALLOW : FAN_DENY };
    if (m->mask & FAN_OPEN_EXEC_PERM)
        (void)!write(w->gate->fan, &answer, sizeof answer);
    close(m->fd);
}

static void fan_turn(struct wall *w)
{
    char bytes[EVENTS_BYTES] __attribute__((aligned(8)));
    ssize_t n = w->gate->fan >= 0 ? read(w->gate->fan, bytes, sizeof bytes) : -1;
    if (n <= 0)
        return;
    deadman_hold(w, true);
    gate_scan(w);
    struct fanotify_event_metadata *m = (struct fanotify_event_metadata *)(void *)bytes;
    for (; FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n))
        held_answer(w, m);
    deadman_hold(w, false);
}

void gate_turn(struct wall *w)
{
    if (!w->gate)
        return;
    inotify_drain(w->gate);
    fan_turn(w);
    if (w->gate->is_dirty || w->gate->has_open)
        gate_scan(w);
}
#endif
