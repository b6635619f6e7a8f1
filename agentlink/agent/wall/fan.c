/* fan.c - the rung below BPF: a program's file is opened for exec only when we say so
 * (FAN_OPEN_EXEC_PERM); see internal.h.
 *
 * Marked are the mounts of the container's own namespace, never the host's.  What was
 * allowed on an overlay is not asked about again until it is written to: the kernel
 * drops the ignore mark then.  The runtime's gate (gate.c) is of the same group, so
 * that one dead man's switch serves both.
 *
 * Honest about what it is: see limits_fanotify in words.c. */
#include "agent/wall/internal.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef FAN_MARK_IGNORE
#define FAN_MARK_IGNORE 0x00000400
#endif

enum { MOUNTS_MAX = 128, SEVERITY = 4 };

bool mounts_of(int64_t pid, u32 *out)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%lld/ns/mnt", (long long)pid);
    if (pid <= 0 || stat(path, &st) != 0)
        return false;
    *out = (u32)st.st_ino;
    return true;
}

/* Where programs could lie: not the kernel's own file systems. */
static bool is_of_kernel(const char *type)
{
    static const char *const types[] = { "proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "securityfs", "bpf", "tracefs" };
    for (size_t i = 0; i < N_ITEMS(types); i++) {
        if (str_eq(type, types[i]))
            return true;
    }
    return false;
}

/* Lines of mountinfo(5): id parent dev root MOUNTPOINT options ... - TYPE source options */
static void mounts_mark(int fan, int64_t pid)
{
    char path[64], line[4096], point[1024], type[64], at[1200];
    snprintf(path, sizeof path, "/proc/%lld/mountinfo", (long long)pid);
    FILE *f = fopen(path, "re");
    for (int n = 0; f && n < MOUNTS_MAX && fgets(line, sizeof line, f); n++) {
        const char *tail = strstr(line, " - ");
        if (!tail || sscanf(line, "%*s %*s %*s %*s %1023s", point) != 1 || sscanf(tail, " - %63s", type) != 1 || is_of_kernel(type))
            continue;
        snprintf(at, sizeof at, "/proc/%lld/root%s", (long long)pid, point);
        (void)fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN_EXEC_PERM, AT_FDCWD, at);
    }
    if (f)
        fclose(f);
}

void fan_box(struct wall *w, struct box *b)
{
    u32 ours, hosts;
    bool is_wanted = w->status.rung == WALL_FANOTIFY && b->profile && (b->profile->rules.set.flags & SET_EXEC);
    if (!is_wanted || b->mounts || !mounts_of(b->c.pid, &b->mounts))
        return;
    if ((mounts_of(getpid(), &ours) && ours == b->mounts) || (mounts_of(1, &hosts) && hosts == b->mounts)) {
        b->mounts = 0;
        return;
    }
    mounts_mark(gate_fan(w), b->c.pid);
}

/* Rules have changed: nothing that was allowed before counts. */
void fan_forget(struct wall *w)
{
    if (w->status.rung == WALL_FANOTIFY) {
        (void)fanotify_mark(gate_fan(w), FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
        gate_mark(w);                    /* the flush took the runtimes' marks, too */
    }
}

static const struct exec_rule *rule_of(const struct wall_rules *r, const char *path)
{
    for (size_t i = 0; i < r->n_execs; i++) {
        if (strcmp(r->execs[i].key.path, path) == 0)
            return &r->execs[i];
    }
    return NULL;
}

static bool edge_is(const struct wall_rules *r, u32 rule, const char *launcher)
{
    for (size_t i = 0; i < r->n_edges; i++) {
        if (r->edges[i].rule == rule && strcmp(r->edges[i].path, launcher) == 0)
            return true;
    }
    return false;
}

/* The dynamic loader is opened after the program; a script's interpreter comes next. */
static bool is_companion(int fd, const char *path)
{
    const char *name = strrchr(path, '/');
    char start[2] = "";
    if (name && (str_starts(name, "/ld-linux") || str_starts(name, "/ld-musl") || str_starts(name, "/ld.so")))
        return true;
    return pread(fd, start, 2, 0) == 2 && start[0] == '#' && start[1] == '!';
}

static bool link_read(const char *of, char out[ROOM_PATH])
{
    ssize_t n = readlink(of, out, ROOM_PATH - 1);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 && n < RULE_PATH - 1;
}

struct asked_exec {
    char path[ROOM_PATH], launcher[ROOM_PATH];
    u32 why;
    bool may_cache;
};

static void judge(const struct box *b, const struct fanotify_event_metadata *m, struct asked_exec *q)
{
    const struct wall_rules *r = &b->profile->rules;
    char of[64];
    struct statfs fs;
    snprintf(of, sizeof of, "/proc/self/fd/%d", m->fd);
    bool is_whole = link_read(of, q->path);
    snprintf(of, sizeof of, "/proc/%d/exe", m->pid);
    (void)link_read(of, q->launcher);
    if (!is_whole || is_companion(m->fd, q->path)) {
        q->why = is_whole ? WHY_NONE : WHY_LONG;
        return;
    }
    const struct exec_rule *rule = rule_of(r, q->path);
    q->why = !rule ? WHY_PROGRAM : (rule->rule.flags & RULE_EDGES) && !edge_is(r, rule->rule.id, q->launcher) ? WHY_PARENT :
             rule->sha256 && !content_is(m->fd, rule->sha256) ? WHY_CONTENT : WHY_NONE;
    q->may_cache = q->why == WHY_NONE && !(rule->rule.flags & RULE_EDGES) && fstatfs(m->fd, &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

static void tell(struct wall *w, const struct box *b, const struct fanotify_event_metadata *m, const struct asked_exec *q, bool denied)
{
    struct raw_exec r = { .h = { .at_ns = (u64)time_monotonic_ms() * 1000000u, .cgroup = b->cgroup, .count = 1, .kind = RAW_EXEC,
                                 .verdict = denied ? RAW_DENIED : RAW_ALERT, .why = q->why, .pid = (u32)m->pid, .uid = UINT32_MAX } };
    memcpy(r.path, q->path, sizeof r.path);
    memcpy(r.launcher, q->launcher, sizeof r.launcher);
    w->fan_denied += denied;
    raw_tell(w, &r, sizeof r);
}

bool fan_answer(struct wall *w, const struct fanotify_event_metadata *m)
{
    const struct box *b = NULL;
    struct asked_exec q = { 0 };
    u32 mnt;
    bool known = w->status.rung == WALL_FANOTIFY && mounts_of(m->pid, &mnt);
    for (size_t i = 0; known && i < w->n_boxes && !b; i++)
        b = w->boxes[i].mounts == mnt && w->boxes[i].profile ? &w->boxes[i] : NULL;
    if (!b || !(b->profile->rules.set.flags & SET_EXEC) || wall_is_off(w))
        return true;
    judge(b, m, &q);
    bool denied = q.why != WHY_NONE && b->profile->rules.set.mode == PROFILE_PROTECT;
    if (q.may_cache)
        (void)fanotify_mark(gate_fan(w), FAN_MARK_ADD | FAN_MARK_IGNORE | FAN_MARK_EVICTABLE, FAN_OPEN_EXEC_PERM, m->fd, NULL);
    if (q.why != WHY_NONE && b->profile->rules.set.mode != PROFILE_DISCOVER)
        tell(w, b, m, &q, denied);
    return !denied;
}
#endif
