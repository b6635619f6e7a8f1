/* internal.h - what the files of the walls share.  Not for others. */
#ifndef KEEP_AGENT_WALL_INTERNAL_H
#define KEEP_AGENT_WALL_INTERNAL_H

#include "agent/wall/compile.h"
#include "agent/wall/layout.h"
#include "agent/wall/wall.h"
#include "base/arena.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wall_bpf;                         /* the skeleton */
struct ring_buffer;
struct gate;
struct deadman;
struct nft;
struct box_net;

enum { REPEATS = 1024, BOX_BYTES = 32 * 1024 };
#define RULES_BYTES ((size_t)64 << 20)

struct loaded {                          /* a profile whose rules are in the maps */
    struct wall_rules rules;
    u32 set;
    uint8_t hash[32];                    /* of the rules: the same ones are not loaded twice */
    const char *name, *repository, *digest;
    const char *nft;                     /* its ports and peers as a table; NULL none, or not the way here */
};

struct generation {                      /* of all profiles */
    struct arena a;
    struct loaded *items; size_t n;
};

struct box {
    uint64_t cgroup;
    struct arena a;                      /* its texts */
    struct container c;                  /* what an event tells, in a */
    const char *repository;
    const struct loaded *profile;        /* NULL: observed only */
    u32 mounts;                          /* fan: its mount namespace, when marked; 0 not */
    struct box_net *net;                 /* nft: its network; owned, NULL none */
};

struct repeat {
    uint64_t key;
    uint64_t count;
    int64_t last_ms;
};

struct wall {
    pthread_mutex_t lock;
    struct wall_settings set;            /* texts are copies, in a */
    struct arena a;
    struct wall_bpf *bpf;
    struct ring_buffer *ring;
    struct wall_control *control;        /* mapped from the kernel; NULL without BPF */
    struct generation *now;
    u32 next_set;
    struct box *boxes; size_t n_boxes, cap_boxes;     /* by cgroup */
    struct repeat repeats[REPEATS];
    struct gate *gate;
    struct nft *nft;                     /* NULL: cgroup programs judge the network, or nobody */
    struct deadman *deadman;
    char pins[256];                      /* our own folder; "" not pinned */
    struct wall_status status;           /* what does not change, and reasons */
    uint64_t told_dropped, fan_denied;
    int64_t told_ms;
    wall_event_fn *on_event; void *on_event_arg; size_t n_told;      /* during wall_poll */
    int64_t clock_offset_ms;             /* real minus monotonic */
};

/* load.c */
int kernel_open(struct wall *w, struct err *err);             /* probes, loads, attaches */
void kernel_close(struct wall *w);
void reason_add(struct wall *w, enum wall_rung rung, const char *why);
void stats_read(struct wall *w, struct wall_stats *out);

/* rules.c */
int rules_load(struct wall *w, const struct wall_rules *r, u32 set, struct err *err);
void rules_unload(struct wall *w, const struct wall_rules *r, u32 set);

/* boxes.c */
struct box *box_find(struct wall *w, uint64_t cgroup);
const struct loaded *profile_for(const struct generation *g, const char *repository, const char *digest);
int box_apply(struct wall *w, struct box *b, struct err *err);    /* the kernel now knows what b says */
int box_add(struct wall *w, uint64_t cgroup, const struct container *c, struct err *err);
void box_remove(struct wall *w, uint64_t cgroup);
void boxes_free(struct wall *w);

/* profiles.c */
void profiles_free(struct wall *w);

/* content.c: reads the files a profile gives a sha256 for, and tells the kernel which are right */
void contents_verify(struct wall *w, const struct box *b);
bool content_is(int fd, const char *sha256);

/* origin.c */
bool origin_is_upper(int64_t pid, const char *path);          /* the container (of pid) has written it */

/* told.c */
void raw_tell(struct wall *w, const void *raw, size_t len);
void event_tell(struct wall *w, struct event *e, const struct box *b);
void drops_tell(struct wall *w);

/* pin.c */
int pins_make(struct wall *w, struct err *err);
int pins_clear(const char *folder, const char *except, u32 off, struct err *err);    /* off: OFF_, for who still turns */

/* fan.c: the rung below BPF */
struct fanotify_event_metadata;
void fan_box(struct wall *w, struct box *b);                  /* holds its programs, when that is the rung */
void fan_forget(struct wall *w);
bool fan_answer(struct wall *w, const struct fanotify_event_metadata *m);      /* may it be opened? */
bool mounts_of(int64_t pid, u32 *out);
bool wall_is_off(const struct wall *w);

/* gate.c: the start of containers */
int gate_open(struct wall *w, struct err *err);
void gate_close(struct wall *w);
int gate_fd(const struct wall *w);                            /* to wait on; -1 none */
int gate_fan(const struct wall *w);
void gate_mark(struct wall *w);                               /* the runtimes */
void gate_loosen(struct wall *w);                             /* finds what starts, holds nobody */
void gate_turn(struct wall *w);                               /* answers those who wait */
void gate_scan(struct wall *w);                               /* finds new and gone cgroups */

/* nft.c: the network, where cgroup programs cannot be attached; all do nothing where it is not in use */
void nft_open(struct wall *w);
void nft_close(struct wall *w, bool keep);
int nft_compile(const struct wall *w, const struct profile *p, struct arena *a, struct loaded *l, struct err *err);
int64_t nft_lease_s(const struct wall_rules *r);              /* 0: the rules stay */
void nft_box(struct wall *w, struct box *b);                  /* b is new in w->boxes */
void nft_inherit(struct wall *w, struct box *from, struct box *to);
void nft_forget(struct wall *w, struct box *b);
void nft_all(struct wall *w);                                 /* other profiles */
void nft_turn(struct wall *w);
void nft_status(const struct wall *w, struct wall_status *out);
int nft_clear_all(struct err *err);

/* confine.c: this process keeps these capabilities and, if so, may enter networks */
int confine_to(const unsigned *caps, size_t n, bool may_enter_networks, struct err *err);

/* deadman.c: a process that ends this one when it is silent while others wait for it */
int deadman_open(struct wall *w, struct err *err);
void deadman_beat(struct wall *w);
void deadman_hold(struct wall *w, bool is_holding);
void deadman_close(struct wall *w);

#endif
