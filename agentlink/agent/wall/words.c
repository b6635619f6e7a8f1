/* words.c - what the walls say of themselves; see wall.h. */
#include "agent/wall/wall.h"
#include "agent/wall/built.h"

#include <stddef.h>

static const char *const rung_words[WALL_RUNG_N] = { "none", "fanotify", "sigkill", "lsm" };

static const char *const limits_none[] = {
    "programs are reported and not stopped",
    NULL,
};
static const char *const limits_fanotify[] = {
    "programs in memory (memfd_create) are not seen before they run; they are reported",
    "a program started as an argument of the dynamic loader (ld.so PROGRAM) looks like the loader's own work",
    "a script given to an allowed interpreter is the interpreter's work",
    "what is mounted after the container was added is not held",
    "while the agent is dead everything runs",
    NULL,
};
static const char *const limits_sigkill[] = {
    "execve succeeds and the process is killed before its first instruction: its parent sees SIGKILL, not EACCES",
    "a script given to an allowed interpreter, or started by its own path, is the interpreter's work: name parents",
    "shared libraries and code made in memory within an allowed program are not judged",
    "who may mount can put another file in an allowed one's place: give its sha256",
    "who may open packet sockets (CAP_NET_RAW) writes frames that no rule about peers sees",
    "a program in the mount namespace of the host (a privileged container that entered it) is taken for the runtime",
    NULL,
};
static const char *const limits_lsm[] = {
    "a script given to an allowed interpreter is the interpreter's work: name parents",
    "shared libraries and code made in memory within an allowed program are not judged",
    "who may mount can put another file in an allowed one's place: give its sha256",
    "who may open packet sockets (CAP_NET_RAW) writes frames that no rule about peers sees",
    "a program in the mount namespace of the host (a privileged container that entered it) is taken for the runtime",
    NULL,
};

const char *const *wall_limits(enum wall_rung rung)
{
    static const char *const *const all[WALL_RUNG_N] = { limits_none, limits_fanotify, limits_sigkill, limits_lsm };
    return all[(unsigned)rung < WALL_RUNG_N ? rung : WALL_NONE];
}

const char *wall_rung_word(enum wall_rung rung)
{
    return rung_words[(unsigned)rung < WALL_RUNG_N ? rung : WALL_NONE];
}

/* ---- the network ------------------------------------------------------------ */

static const char *const limits_nftables[] = {
    "ports are not refused to who binds them, but nobody reaches them; who it is that dials is not known",
    "what nftables refuses is not reported, and in monitor and discover mode it does nothing",
    "a container that shares the host's or another container's network has no rules",
    "who has CAP_NET_ADMIN in the container's network can take the rules out; who has CAP_NET_RAW sends what they do not judge",
    "ICMP passes, and so does what the container forwards for others",
    NULL,
};
static const char *const limits_blind[] = { "ports and peers are not judged", NULL };
static const char *const limits_no[] = { NULL };

const char *wall_network_word(const struct wall_status *s)
{
    return s->network ? "cgroup-bpf" : s->nftables ? "nftables" : "none";
}

const char *const *wall_network_limits(const struct wall_status *s)
{
    return s->network ? limits_no : s->nftables ? limits_nftables : limits_blind;
}

const char *wall_built(void)
{
#ifdef KEEP_WALL_BUILT
    return NULL;
#else
    return KEEP_WALL_WHY_NOT;
#endif
}
