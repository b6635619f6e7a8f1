/* inventory.h - which containers run on this machine, read from the files their
 * engines and runtimes keep.
 *
 * One row per engine in engines.c, one file each.  Engines overlap (a container of
 * Docker is one of containerd and of runc, too): views of one id are merged, and
 * what an engine higher in the table says stands.  Everything read is bounded, and
 * nothing is followed out of the root it lies in.  A file that is not as expected
 * costs what it would have told, never the scan.
 *
 * A container is in the list when its first process is there: the pid is checked
 * with its start time where the runtime noted it, so that a reused pid is not
 * taken for it.
 *
 * is_privileged is a judgement: SYS_ADMIN, SYS_MODULE and SYS_RAWIO in effect, and
 * no masked paths in the configuration (or none readable and no seccomp filter). */
#ifndef KEEP_AGENT_INVENTORY_H
#define KEEP_AGENT_INVENTORY_H

#include "base/arena.h"
#include "base/err.h"
#include "model/container.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INVENTORY_ENGINES_MAX = 16, INVENTORY_ARENA = 64 * 1024 * 1024 };

/* Zeroed: this machine. */
struct inventory_roots {
    const char *root;                    /* in front of every path of an engine; NULL: "" */
    const char *proc;                    /* NULL: "/proc" */
    const char *cgroup;                  /* NULL: "/sys/fs/cgroup" */
    int64_t budget_ms;                   /* a scan that takes longer stops with what it has; 0: 5,000 */
};

/* What an engine's row found: shown by `status` and `doctor`. */
struct inventory_engine {
    const char *name;
    bool is_there;                       /* its folder or socket exists */
    size_t n;                            /* containers it told of, running or not */
    char problem[160];                   /* "" none */
};

struct inventory {
    struct container *containers;        /* by id, ascending */
    size_t n;
    size_t n_left_out;                   /* over CONTAINERS_MAX, or after the time was up */
    struct inventory_engine engines[INVENTORY_ENGINES_MAX];
    size_t n_engines;
};

/* Everything is the arena's (INVENTORY_ARENA is a sensible limit).  Fails only for
 * want of memory: ERR_UNAVAILABLE. */
int inventory_scan(const struct inventory_roots *roots, struct arena *arena, struct inventory *out, struct err *err);

/* By full id, or by a prefix of at least 12 characters that only one has; NULL. */
const struct container *inventory_by_id(const struct inventory *inventory, const char *id);

/* By the id in a line of /proc/PID/cgroup or a path below the cgroup root, else by
 * the container's own cgroup (or one below it). */
const struct container *inventory_by_cgroup(const struct inventory *inventory, const char *cgroup);

/* By a process in it: reads /proc/PID/cgroup. */
const struct container *inventory_by_pid(const struct inventory *inventory, const struct inventory_roots *roots,
                                         int64_t pid);

/* The inode of its cgroup (v2), as bpf_get_current_cgroup_id() says; 0 not known. */
uint64_t inventory_cgroup_id(const struct inventory_roots *roots, const struct container *container);

/* The id in a cgroup path: "docker-<64 hex>.scope", "cri-containerd-...", "crio-...",
 * "libpod-...", a bare 64 hex ...  False: none.  out holds CONTAINER_ID_MAX + 1. */
bool cgroup_container_id(const char *cgroup, char *out);

/* ---- what is to be sent ----------------------------------------------------------- */

/* What the server has of us: per container its id and a hash of what was sent. */
struct inventory_track {
    struct inventory_known *known;       /* owned; by id */
    size_t n_known;
    int64_t generation;                  /* 0: nothing, send everything */
};

/* One message's worth of differences; the rest waits for the next. */
enum { INVENTORY_BATCH = 256 };
struct inventory_delta {
    int64_t base, generation;
    const struct container *containers; size_t n_containers;     /* new or changed */
    const char *const *gone; size_t n_gone;
    bool is_empty;                       /* nothing to send */
    bool has_more;                       /* the next one has something, too */
    struct inventory_known *next; size_t n_next;
};

/* Pure but for the arena. */
int inventory_diff(const struct inventory_track *track, const struct inventory *now, struct arena *arena,
                   struct inventory_delta *out, struct err *err);

/* The server has it: what the track knows is what the delta made of it. */
int inventory_acknowledge(struct inventory_track *track, const struct inventory_delta *delta, struct err *err);

/* The server knows another state (409), or we were enrolled anew: all again. */
void inventory_forget(struct inventory_track *track);
void inventory_track_clear(struct inventory_track *track);       /* frees */

#endif
