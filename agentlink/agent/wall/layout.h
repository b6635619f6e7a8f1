/* layout.h - what the kernel's half of the walls and ours say to each other: keys,
 * values and records, byte for byte.  Included by both; every struct has no holes
 * that are not named, because keys are compared as bytes. */
#ifndef KEEP_AGENT_WALL_LAYOUT_H
#define KEEP_AGENT_WALL_LAYOUT_H

#ifndef KEEP_WALL_BPF                     /* the kernel's half has vmlinux.h */
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

enum {
    RULE_PATH = 252,                     /* with its NUL: what is longer is unknown */
    EDGE_PATH = 248,
    ROOM_PATH = 256,
    ARGS_MAX = 160,
    DEPTH_MAX = 24,                      /* components of a path */
    LEVELS_MAX = 12,                     /* cgroups between a process and its container */
};

/* u32 set: one version of one profile's rules.  0 is none: seen, never hindered. */

enum { OFF_FILE = 1, OFF_SWITCH = 2 };   /* the file is there; told so, until an agent starts */

struct wall_control {
    u64 beat_ns;                         /* CLOCK_MONOTONIC: the agent was alive */
    u32 off;                             /* everything passes: OFF_ */
    u32 host_mounts;                     /* inode of the mount namespace runtimes live in */
    u32 is_lsm;                          /* bprm_check_security decides, the tracepoint only tells */
    u32 spare;
};

struct wall_box {                        /* a container */
    u32 set;
    u32 spare;
    u64 since_ms;                        /* files changed later are not the image's */
};

enum { SET_EXEC = 1, SET_EDGES = 2, SET_LISTEN = 4, SET_EGRESS = 8, SET_INGRESS = 16, SET_CLOSED = 32,
       SET_TELL = 64 };                  /* programs are told of, another rung stops them */

struct wall_set {
    u32 mode;                            /* enum profile_mode */
    u32 flags;                           /* SET_ */
    u64 lease_ns;
};

struct wall_rule_key {
    u32 set;
    char path[RULE_PATH];
};

enum { RULE_EDGES = 1, RULE_CONTENT = 2 };

struct wall_rule {
    u32 id;
    u32 flags;                           /* RULE_ */
};

struct wall_edge_key {                   /* path may start the program of this rule */
    u32 set, rule;
    char path[EDGE_PATH];
};

struct wall_content_key {                /* user space read this file and its sha256 was right */
    u64 cgroup, ctime_ns, size;
    u32 rule, set;
};

enum { WAY_LISTEN = 0, WAY_EGRESS, WAY_INGRESS };

struct wall_port_key {
    u32 set, peer;                       /* peer: 0, or the id of the longest prefix */
    u16 port;                            /* host order; 0 any */
    u8 protocol;                         /* IPPROTO_ */
    u8 way;
};

struct wall_peer_key {
    u32 bits;                            /* PEER_FIXED + the prefix's, of 128 */
    u32 set, way;
    u8 address[16];                      /* IPv4 as ::ffff:a.b.c.d */
};
enum { PEER_FIXED = 64 };

struct wall_seen_key {
    u64 cgroup, one, two;
    u32 what, kind;
};

struct wall_seen {
    u64 last_ns, folded;
};

struct wall_stats {
    u64 seen, emitted, folded, dropped, denied;
};

enum raw_kind { RAW_EXEC = 1, RAW_EXIT, RAW_LISTEN, RAW_CONNECT, RAW_ACCEPT, RAW_BIND, RAW_INBOUND };
enum raw_verdict { RAW_OBSERVED = 0, RAW_ALERT, RAW_DENIED, RAW_KILLED };

/* Why the profile does not allow it. */
enum raw_why {
    WHY_NONE = 0, WHY_PROGRAM, WHY_NOWHERE, WHY_DELETED, WHY_LONG, WHY_MOUNTS, WHY_PARENT, WHY_CONTENT, WHY_PORT, WHY_PEER, WHY_PROTOCOL, WHY_N
};

struct raw_head {
    u64 at_ns, cgroup;                   /* CLOCK_MONOTONIC */
    u64 count;                           /* this one and those folded into it */
    u32 kind, verdict, why, set;
    u32 pid, ppid, uid, changed;         /* changed: the file is younger than the container */
    char comm[16];
};

struct path_text {
    char at[2 * ROOM_PATH];              /* the second half is room to run over, and never read */
};

struct raw_exec {
    struct raw_head h;
    u32 status, args_len;                /* status: of an exit, as wait(2) has it */
    char path[ROOM_PATH], launcher[ROOM_PATH];   /* in this order: a path may run over into the next */
    char args[ARGS_MAX];                 /* separated by NUL */
};

struct raw_net {
    struct raw_head h;
    u8 local[16], remote[16];
    u16 local_port, remote_port;
    u16 protocol;                        /* MPTCP is 262 */
    u16 spare;
    struct path_text path;
};

#endif
