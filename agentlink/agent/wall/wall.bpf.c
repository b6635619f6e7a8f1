/* wall.bpf.c - the kernel's half of the walls: maps, and what all programs ask.
 *
 * Invariants: the first question of every program is whether the cgroup is, or is
 * below, that of a container we were told of; if not, nothing is read, kept or
 * hindered.  Keys are zeroed before they are filled.  Nothing here waits for user
 * space.  What cannot be understood is "unknown", and unknown is not allowed. */
#define KEEP_WALL_BPF 1
#include <vmlinux.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "agent/wall/layout.h"

char LICENSE[] SEC("license") = "GPL";

enum { MODE_DISCOVER = 0, MODE_MONITOR, MODE_PROTECT };
#define AGAIN_DENIED_NS 1000000000ULL             /* the same denial is told once a second */
#define AGAIN_SEEN_NS (3600 * 1000000000ULL)

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);       /* the agent's heart beats without a system call */
    __type(key, u32);
    __type(value, struct wall_control);
} control SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u64);
    __type(value, struct wall_box);
} boxes SEC(".maps");

/* The mount namespace of a container: that of its first exec outside the host's. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, u64);
    __type(value, u32);
} mounts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 2048);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u32);
    __type(value, struct wall_set);
} sets SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct wall_rule_key);
    __type(value, struct wall_rule);
} rules SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct wall_edge_key);
    __type(value, u8);
} edges SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1024);
    __type(key, struct wall_content_key);
    __type(value, u8);
} contents SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 262144);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct wall_port_key);
    __type(value, u8);
} ports SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, 65536);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct wall_peer_key);
    __type(value, u32);
} peers SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 8192);
    __type(key, struct wall_seen_key);
    __type(value, struct wall_seen);
} seen SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct wall_stats);
} stats SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 20);
} ring SEC(".maps");

/* Room to work in that no other task can touch: a program may be preempted. */
struct room {
    struct path_text launcher;           /* what ran until this exec */
    struct path_text path;               /* what is to run */
    struct wall_rule_key rule;
    struct wall_edge_key edge;
    u64 launcher_inode;
    u32 launcher_why;
    u32 has_launcher;
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct room);
} rooms SEC(".maps");

/* For those who need no room across programs: a tracepoint is not preempted. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct room);
} desks SEC(".maps");

struct asked {                           /* who does it, and what holds for it */
    u64 cgroup;
    struct wall_box box;
    struct wall_set set;
    bool stands;                         /* protect, and the lease allows it */
};

#define COUNT(field)                                                            \
    do {                                                                        \
        u32 zero_ = 0;                                                          \
        struct wall_stats *s_ = bpf_map_lookup_elem(&stats, &zero_);            \
        if (s_)                                                                 \
            __sync_fetch_and_add(&s_->field, 1);                                \
    } while (0)

static __always_inline const struct wall_control *control_get(void)
{
    u32 zero = 0;
    return bpf_map_lookup_elem(&control, &zero);
}

static __always_inline bool box_take(u64 id, struct asked *a)
{
    struct wall_box *box = bpf_map_lookup_elem(&boxes, &id);
    if (!box)
        return false;
    a->cgroup = id;
    a->box = *box;
    return true;
}

/* The rules in force for a box that was found. */
static __always_inline void rules_take(struct asked *a, const struct wall_control *c)
{
    struct wall_set *set = a->box.set ? bpf_map_lookup_elem(&sets, &a->box.set) : NULL;
    if (set)
        a->set = *set;
    a->stands = set && set->mode == MODE_PROTECT &&
                ((set->flags & SET_CLOSED) || bpf_ktime_get_ns() - c->beat_ns <= set->lease_ns);
}

/* Is the current task in a container?  Its own cgroup first: nearly always that. */
static __always_inline bool asked_by_current(struct asked *a)
{
    const struct wall_control *c = control_get();
    if (!c || c->off)
        return false;
    bool found = box_take(bpf_get_current_cgroup_id(), a);
    for (int level = 1; level <= LEVELS_MAX && !found; level++) {
        u64 id = bpf_get_current_ancestor_cgroup_id(level);
        if (id == 0)
            break;
        found = box_take(id, a);
    }
    if (found)
        rules_take(a, c);
    return found;
}

/* 0: a record may be sent, and *folded says how many it stands for besides itself. */
static __always_inline bool is_repeat(struct wall_seen_key *key, bool is_denied, u64 *folded)
{
    u64 now = bpf_ktime_get_ns(), again = is_denied ? AGAIN_DENIED_NS : AGAIN_SEEN_NS;
    COUNT(seen);
    struct wall_seen *old = bpf_map_lookup_elem(&seen, key);
    *folded = 0;
    if (!old) {
        struct wall_seen first = { .last_ns = now };
        bpf_map_update_elem(&seen, key, &first, BPF_ANY);
        return false;
    }
    u64 last = old->last_ns;
    if (now - last < again || !__sync_bool_compare_and_swap(&old->last_ns, last, now)) {
        __sync_fetch_and_add(&old->folded, 1);
        COUNT(folded);
        return true;
    }
    *folded = __sync_lock_test_and_set(&old->folded, 0);
    return false;
}

static __always_inline void head_fill(struct raw_head *h, const struct asked *a, u32 kind, u32 verdict, u32 why,
                                      u64 folded)
{
    h->at_ns = bpf_ktime_get_ns();
    h->cgroup = a->cgroup;
    h->count = folded + 1;
    h->kind = kind;
    h->verdict = verdict;
    h->why = why;
    h->set = a->box.set;
    h->changed = 0;
}

static __always_inline void head_process(struct raw_head *h)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    h->pid = bpf_get_current_pid_tgid() >> 32;
    h->ppid = BPF_CORE_READ(task, real_parent, tgid);
    h->uid = (u32)bpf_get_current_uid_gid();
    bpf_get_current_comm(h->comm, sizeof h->comm);
}

#include "agent/wall/path.bpf.c"
#include "agent/wall/exec.bpf.c"
#include "agent/wall/net.bpf.c"
