/* exec.bpf.c - programs that start and end (part of wall.bpf.c).
 *
 * One judgement, asked from two places: bprm_check_security where the kernel lets us
 * load it (execve fails), else sched_process_exec (killed before the first
 * instruction: the signal is taken on the way to user space).  Who starts a program
 * is the program that called execve, not the process' parent: it cannot be changed by
 * forking twice or by exec within a shell. */

struct verdict {
    u32 why;
    u32 changed;
};

/* Times of an inode have had three names; none must be known where this is compiled. */
struct inode___new {
    time64_t i_ctime_sec;
    u32 i_ctime_nsec;
} __attribute__((preserve_access_index));
struct inode___mid {
    struct timespec64 __i_ctime;
} __attribute__((preserve_access_index));
struct inode___old {
    struct timespec64 i_ctime;
} __attribute__((preserve_access_index));

static __always_inline u64 ctime_ns(struct inode *inode)
{
    u64 s, ns;
    if (bpf_core_field_exists(((struct inode___new *)inode)->i_ctime_sec)) {
        s = BPF_CORE_READ((struct inode___new *)inode, i_ctime_sec);
        ns = BPF_CORE_READ((struct inode___new *)inode, i_ctime_nsec);
    } else if (bpf_core_field_exists(((struct inode___mid *)inode)->__i_ctime)) {
        s = BPF_CORE_READ((struct inode___mid *)inode, __i_ctime.tv_sec);
        ns = BPF_CORE_READ((struct inode___mid *)inode, __i_ctime.tv_nsec);
    } else {
        s = BPF_CORE_READ((struct inode___old *)inode, i_ctime.tv_sec);
        ns = BPF_CORE_READ((struct inode___old *)inode, i_ctime.tv_nsec);
    }
    return s * 1000000000ULL + (ns & 0x3fffffff);      /* the upper bits are a flag of newer kernels */
}

/* The runtime itself, between cloning and entering: still in the host's mounts. */
static __always_inline bool is_runtime(const struct wall_control *c, u32 mnt)
{
    return mnt == c->host_mounts;
}

static __always_inline u32 mounts_now(void)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

/* Another mount namespace than the container's could call any file anything. */
static __always_inline bool mounts_differ(u64 cgroup, u32 mnt)
{
    u32 *known = bpf_map_lookup_elem(&mounts, &cgroup);
    if (known)
        return *known != mnt;
    bpf_map_update_elem(&mounts, &cgroup, &mnt, BPF_NOEXIST);
    known = bpf_map_lookup_elem(&mounts, &cgroup);
    return known && *known != mnt;
}

static __always_inline bool edge_allows(const struct asked *a, const struct wall_rule *rule, struct room *r)
{
    if (!r->has_launcher || r->launcher_why != WHY_NONE)
        return false;
    r->edge.set = a->box.set;
    r->edge.rule = rule->id;
    __builtin_memcpy(r->edge.path, r->launcher.at, sizeof r->edge.path);
    r->edge.path[EDGE_PATH - 1] = 0;
    return bpf_map_lookup_elem(&edges, &r->edge) != NULL;
}

static __always_inline bool content_is_known(const struct asked *a, const struct wall_rule *rule, struct inode *inode)
{
    struct wall_content_key key = { .cgroup = a->cgroup, .rule = rule->id, .set = a->box.set,
                                    .ctime_ns = ctime_ns(inode), .size = BPF_CORE_READ(inode, i_size) };
    return bpf_map_lookup_elem(&contents, &key) != NULL;
}

/* Fills r->path with what is run, whether or not rules ask for it. */
static __always_inline struct verdict exec_judge(const struct asked *a, struct file *file, struct room *r, u32 mnt)
{
    struct verdict v = {};
    struct inode *inode = BPF_CORE_READ(file, f_inode);

    v.why = path_write((u64)(unsigned long)file, &r->path);
    v.changed = ctime_ns(inode) / 1000000ULL > a->box.since_ms;
    if (mounts_differ(a->cgroup, mnt))
        v.why = WHY_MOUNTS;
    if (!(a->set.flags & SET_EXEC)) {
        v.why = WHY_NONE;
        return v;
    }
    if (v.why != WHY_NONE)
        return v;
    r->rule.set = a->box.set;
    __builtin_memcpy(r->rule.path, r->path.at, sizeof r->rule.path);
    struct wall_rule *rule = bpf_map_lookup_elem(&rules, &r->rule);
    if (!rule)
        v.why = WHY_PROGRAM;
    else if ((rule->flags & RULE_EDGES) && !edge_allows(a, rule, r))
        v.why = WHY_PARENT;
    else if ((rule->flags & RULE_CONTENT) && !content_is_known(a, rule, inode))
        v.why = WHY_CONTENT;
    return v;
}

static __always_inline u32 verdict_word(const struct asked *a, u32 why, u32 denied)
{
    if (why == WHY_NONE || a->set.mode == MODE_DISCOVER)
        return RAW_OBSERVED;
    return a->stands ? denied : RAW_ALERT;
}

static __always_inline void args_read(struct raw_exec *e)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    unsigned long from = BPF_CORE_READ(task, mm, arg_start), to = BPF_CORE_READ(task, mm, arg_end);
    unsigned long n = to - from;

    e->args_len = 0;
    if (n > ARGS_MAX)
        n = ARGS_MAX;
    if (from != 0 && n > 0 && bpf_probe_read_user(e->args, n & 0xff, (void *)from) == 0)
        e->args_len = n;
}

/* One and the same: this program, started by that one. */
static __always_inline struct wall_seen_key exec_key(const struct asked *a, struct file *file, u64 launcher, u32 verdict, u32 why)
{
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    return (struct wall_seen_key){ .cgroup = a->cgroup, .one = BPF_CORE_READ(inode, i_ino),
                                   .two = (u64)(unsigned long)BPF_CORE_READ(inode, i_sb) ^ launcher << 16,
                                   .what = verdict << 8 | why, .kind = RAW_EXEC };
}

static __always_inline void exec_tell(const struct asked *a, struct file *file, struct room *r, u32 verdict,
                                      struct verdict v, bool has_args)
{
    u64 folded;
    struct wall_seen_key key = exec_key(a, file, r->has_launcher ? r->launcher_inode : 0, verdict, v.why);
    if (is_repeat(&key, verdict != RAW_OBSERVED, &folded))
        return;
    struct raw_exec *e = bpf_ringbuf_reserve(&ring, sizeof *e, 0);
    if (!e) {
        COUNT(dropped);
        return;
    }
    COUNT(emitted);
    head_fill(&e->h, a, RAW_EXEC, verdict, v.why, folded);
    head_process(&e->h);
    e->h.changed = v.changed;
    e->status = 0;
    e->args_len = 0;
    __builtin_memcpy(e->path, r->path.at, ROOM_PATH);
    e->launcher[0] = 0;
    if (r->has_launcher)
        __builtin_memcpy(e->launcher, r->launcher.at, ROOM_PATH);
    if (has_args)
        args_read(e);
    bpf_ringbuf_submit(e, 0);
}

/* The program that calls execve, while it is still there. */
static __always_inline void launcher_note(struct room *r)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct file *file = BPF_CORE_READ(task, mm, exe_file);

    r->has_launcher = file != NULL;
    if (!file)
        return;
    r->launcher_inode = BPF_CORE_READ(file, f_inode, i_ino);
    r->launcher_why = path_write((u64)(unsigned long)file, &r->launcher);
}

static __always_inline struct room *room_get(void)
{
    return bpf_task_storage_get(&rooms, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* Room that this exec has already, else a desk: most execs ask no one who started them. */
static __always_inline struct room *room_or_desk(void)
{
    struct room *r = bpf_task_storage_get(&rooms, bpf_get_current_task_btf(), NULL, 0);
    u32 zero = 0;
    if (r)
        return r;
    r = bpf_map_lookup_elem(&desks, &zero);
    if (r)
        r->has_launcher = 0;
    return r;
}

/* Since 6.10: the old program is still there, errors are final.  Who starts a program
 * matters where rules ask for it, and once for what is told. */
SEC("tp_btf/sched_prepare_exec")
int BPF_PROG(see_prepare, struct task_struct *task, struct linux_binprm *bprm)
{
    struct asked a = {};
    if (!asked_by_current(&a))
        return 0;
    u64 launcher = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), mm, exe_file, f_inode, i_ino);
    if (!(a.set.flags & SET_EDGES)) {
        struct wall_seen_key key = exec_key(&a, BPF_CORE_READ(bprm, file), launcher, RAW_OBSERVED, WHY_NONE);
        if (bpf_map_lookup_elem(&seen, &key))
            return 0;
    }
    struct room *r = room_get();
    if (r && !r->has_launcher)           /* bprm_check_security may have been here */
        launcher_note(r);
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(see_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
    struct asked a = {};
    const struct wall_control *c = control_get();
    if (!c || !asked_by_current(&a))
        return 0;
    u32 mnt = mounts_now();
    if (is_runtime(c, mnt))
        return 0;
    struct room *r = room_or_desk();
    if (!r) {
        COUNT(seen);
        COUNT(dropped);
        if (a.stands && (a.set.flags & (SET_EXEC | SET_TELL)) == SET_EXEC)
            bpf_send_signal(9);
        return 0;
    }
    struct file *file = BPF_CORE_READ(bprm, file);
    struct verdict v = exec_judge(&a, file, r, mnt);
    u32 verdict = verdict_word(&a, v.why, a.set.flags & SET_TELL ? RAW_ALERT : RAW_KILLED);
    if (verdict == RAW_KILLED) {
        bpf_send_signal(9);
        COUNT(denied);
    }
    exec_tell(&a, file, r, verdict, v, true);
    r->has_launcher = 0;                 /* it was this exec's */
    return 0;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(deny_exec, struct linux_binprm *bprm, int ret)
{
    struct asked a = {};
    const struct wall_control *c = control_get();
    if (ret != 0)
        return ret;
    if (!c || !asked_by_current(&a) || !(a.set.flags & SET_EXEC))
        return 0;
    u32 mnt = mounts_now();
    char start[2] = {};
    bpf_probe_read_kernel(start, sizeof start, bprm->buf);
    if (is_runtime(c, mnt) || (start[0] == '#' && start[1] == '!'))     /* its interpreter comes next */
        return 0;
    struct room *r = room_get();
    if (!r)
        return a.stands ? -13 : 0;
    launcher_note(r);
    struct file *file = BPF_CORE_READ(bprm, file);
    struct verdict v = exec_judge(&a, file, r, mnt);
    if (verdict_word(&a, v.why, RAW_DENIED) != RAW_DENIED)
        return 0;                        /* the tracepoint tells what runs */
    COUNT(denied);
    exec_tell(&a, file, r, RAW_DENIED, v, false);
    return -13;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(see_exit, struct task_struct *task)
{
    struct asked a = {};
    u64 folded, id = bpf_get_current_pid_tgid();
    if ((u32)id != id >> 32 || !asked_by_current(&a))
        return 0;
    struct file *file = BPF_CORE_READ(task, mm, exe_file);
    if (!file)
        return 0;
    u32 status = BPF_CORE_READ(task, exit_code);
    struct wall_seen_key key = { .cgroup = a.cgroup, .one = BPF_CORE_READ(file, f_inode, i_ino),
                                 .two = (u64)(unsigned long)BPF_CORE_READ(file, f_inode, i_sb), .what = status,
                                 .kind = RAW_EXIT };
    if (is_repeat(&key, false, &folded))
        return 0;
    struct raw_exec *e = bpf_ringbuf_reserve(&ring, sizeof *e, 0);
    if (!e) {
        COUNT(dropped);
        return 0;
    }
    COUNT(emitted);
    head_fill(&e->h, &a, RAW_EXIT, RAW_OBSERVED, WHY_NONE, folded);
    head_process(&e->h);
    e->status = status;
    e->args_len = 0;
    path_write((u64)(unsigned long)file, (struct path_text *)e->path);
    e->launcher[0] = 0;
    bpf_ringbuf_submit(e, 0);
    return 0;
}
