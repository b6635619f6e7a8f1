/* wall.h - what a node's kernel does for the profiles: it sees, and it denies.
 *
 * One object of BPF programs watches exec, exit, listen, connect and accept, decides
 * them by the cgroup of whoever does it, and reports through one ring.  A process
 * whose cgroup is not below that of a container added here is never looked at twice;
 * a container without a profile is observed and never hindered.
 *
 * Everything is decided within the kernel: an agent that hangs, is stopped or is
 * killed hangs nobody.  The programs are pinned in a bpffs and outlive the agent; a
 * lease in the kernel (wall_poll renews it) says for how long, per profile.
 *
 * Threads: one thread of the agent calls wall_poll over and over; while it is away
 * nobody renews the lease.  All other functions may be called from any thread.
 *
 * Where clang, bpftool or the kernel's BTF were missing when the agent was built,
 * wall_open answers ERR_UNAVAILABLE with the reason and wall_built() the same text. */
#ifndef KEEP_AGENT_WALL_WALL_H
#define KEEP_AGENT_WALL_WALL_H

#include "base/err.h"
#include "model/container.h"
#include "model/event.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wall;

/* How an exec that the profile does not name is kept from running, worst first. */
enum wall_rung {
    WALL_NONE = 0,                       /* reported, not stopped */
    WALL_FANOTIFY,                       /* FAN_OPEN_EXEC_PERM: the open fails with EPERM */
    WALL_SIGKILL,                        /* killed before its first instruction */
    WALL_LSM,                            /* execve fails with EACCES */
    WALL_RUNG_N
};

/* Bits of wall_settings.refuse beside those of the rungs. */
#define WALL_REFUSE_CGROUP (1u << WALL_RUNG_N)         /* programs on cgroups */
#define WALL_REFUSE_NFT (1u << (WALL_RUNG_N + 1))      /* tables of nftables */

enum { WALL_WHY_MAX = 200, WALL_LEASE_DEFAULT_S = 60, WALL_PROFILES_MAX = 1024, WALL_CONTAINERS_MAX = 4096 };

/* A container found at its start: fills *out (text stays valid until the next call)
 * from the cgroup's folder; false when it is not a container, or not known yet. */
typedef bool wall_resolve_fn(void *arg, const char *cgroup_path, uint64_t cgroup_id, struct container *out);

/* Not kept: the event and its text are the wall's until the callback returns.  The
 * callback calls nothing of this file. */
typedef void wall_event_fn(void *arg, const struct event *event);

struct wall_settings {
    const char *cgroup;                  /* folder of cgroup v2 that all containers are below; programs attach here, once */
    const char *pins;                    /* folder in a bpffs, made when missing; NULL: nothing outlives the process */
    const char *off_file;                /* while it exists no wall stands; NULL: none */
    const char *const *runtimes; size_t n_runtimes;   /* programs whose exec waits until new cgroups have their profile */
    wall_resolve_fn *resolve; void *resolve_arg;      /* NULL: containers come by wall_container_add only */
    int64_t lease_s;                     /* for profiles that name none; 0: WALL_LEASE_DEFAULT_S */
    size_t ring_bytes;                   /* a power of two; 0: 1 MiB */
    unsigned refuse;                     /* bit 1 << rung: not to be used, although the kernel could; WALL_NONE: no BPF at all;
                                            WALL_REFUSE_... */
    bool no_network;                     /* ports and peers are not judged */
};

struct wall_reason {
    enum wall_rung rung;
    char why[WALL_WHY_MAX];
};

/* Counters are since wall_open; seen == emitted + folded + dropped. */
struct wall_status {
    char kernel[96];
    enum wall_rung rung;
    struct wall_reason reasons[WALL_RUNG_N]; size_t n_reasons;   /* rungs better than the one in force, and why not */
    bool sensors, network, edges, pinned, gate, is_off;
    char sensors_why[WALL_WHY_MAX], network_why[WALL_WHY_MAX], edges_why[WALL_WHY_MAX], pinned_why[WALL_WHY_MAX],
         gate_why[WALL_WHY_MAX];         /* "" while it is there */
    bool nftables;                       /* in the place of network (cgroup programs): tables in containers' own networks */
    char nftables_why[WALL_WHY_MAX];     /* why not, where network is false, too */
    size_t n_nftables, n_nftables_not;   /* containers whose rules are in force; that should have some and have none */
    char nftables_not[WALL_WHY_MAX];     /* one of the latter, and why */
    size_t n_profiles, n_enforced;       /* loaded; of these in protect mode */
    size_t n_containers, n_walled;       /* known; of these with a profile */
    int64_t lease_s;                     /* the shortest in force */
    int64_t beat_ms;                     /* since the lease was renewed */
    uint64_t seen, emitted, folded, dropped;
    uint64_t denied;                     /* execs, binds, connects, packets */
};

/* NULL: walls are built in; else why not. */
const char *wall_built(void);

/* Loads, attaches and pins; empty, it hinders nobody.  An older set of pins in the
 * same folder stays in force until wall_handover.  ERR_UNAVAILABLE when not even the
 * sensors are possible: the message says why ("blind: ..."). */
int wall_open(const struct wall_settings *settings, struct wall **out, struct err *err);

/* Removes the pins of those who were here before.  Called once profiles and containers are set. */
int wall_handover(struct wall *w, struct err *err);

/* keep: programs and pins stay in force until their leases end; else they go. NULL-safe. */
void wall_close(struct wall *w, bool keep);

/* Replaces all profiles; each container moves from its old rules to its new ones in
 * one step.  The whole set is taken, or none of it (ERR_INVALID names the profile:
 * one that can run nothing in protect mode is refused, too). */
int wall_set_profiles(struct wall *w, const struct profile *profiles, size_t n, struct err *err);

/* Could it be enforced as it is written?  ERR_INVALID says why not.  Pure. */
int wall_profile_check(const struct profile *profile, struct err *err);

/* The profile is the one for the image's digest, else for its repository.  Adding
 * again replaces.  Our own container is observed only.  c->pid > 0: files with a sha256 are verified through its root. */
int wall_container_add(struct wall *w, uint64_t cgroup_id, const struct container *c, struct err *err);
void wall_container_remove(struct wall *w, uint64_t cgroup_id);
bool wall_container_known(struct wall *w, uint64_t cgroup_id);

/* The id that the kernel knows the cgroup at this folder by. */
int wall_cgroup_id(const char *path, uint64_t *out, struct err *err);

/* Renews the lease, waits at most timeout_ms (keep it under a second) for events and
 * held runtimes, hands out what came.  Returns how many events, or -1. */
int wall_poll(struct wall *w, int timeout_ms, wall_event_fn *on_event, void *arg, struct err *err);

void wall_status(struct wall *w, struct wall_status *out);

/* What the rung cannot stop, in words; ends with NULL. */
const char *const *wall_limits(enum wall_rung rung);
const char *wall_rung_word(enum wall_rung rung);     /* "none", "fanotify", "sigkill", "lsm" */
const char *wall_network_word(const struct wall_status *s);         /* "cgroup-bpf", "nftables", "none" */
const char *const *wall_network_limits(const struct wall_status *s);

/* The switch that needs neither server nor agent: writes the off file (NULL: none),
 * tells programs that run to let everything pass, removes the pins, and the tables of
 * nftables from every network that a process is in.  Where the file cannot be written
 * (a full disk) the rest is done all the same, and holds until an agent starts:
 * ERR_UNAVAILABLE says so. */
int wall_off(const char *pins, const char *off_file, struct err *err);
int wall_on(const char *off_file, struct err *err);

/* After wall_open and before other threads: gives up what the agent does not need any
 * more, for good.  Leaves CAP_BPF, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE; then forbids by
 * seccomp (EPERM) what no agent does: starting programs, mounts, namespaces, modules,
 * tracing, clocks.  w may be NULL. */
int wall_confine(struct wall *w, struct err *err);

#endif
