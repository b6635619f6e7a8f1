/* path.bpf.c - the path of a file as its mount namespace has it (part of wall.bpf.c).
 *
 * Walked from the dentry to the root of the namespace, not to the root of the task:
 * chroot(2) does not change what a file is called here.  A file that this walk does
 * not lead to the root from - memfd, unlinked, in a detached or another mount
 * namespace - has no path that a rule could name. */

/* Components, deepest first. */
struct walk {
    struct dentry *names[DEPTH_MAX];
    u32 n;
};

static __always_inline struct mount *mount_of(struct vfsmount *m)
{
    return (struct mount *)((char *)m - bpf_core_field_offset(struct mount, mnt));
}

u32 path_walk(u64 file_at, struct walk *w);
u32 path_write(u64 file_at, struct path_text *out);

/* The two are global functions (not static): the verifier then looks at each once,
 * and not at all ways through one for each way through the other. */
__noinline u32 path_walk(u64 file_at, struct walk *w)
{
    struct file *file = (struct file *)(unsigned long)file_at;
    if (!w)
        return WHY_LONG;
    struct dentry *at = BPF_CORE_READ(file, f_path.dentry);
    struct mount *mount = mount_of(BPF_CORE_READ(file, f_path.mnt));
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct mount *top = BPF_CORE_READ(task, nsproxy, mnt_ns, root);
    bool gone = BPF_CORE_READ(at, d_hash.pprev) == NULL;

    w->n = 0;
    for (int i = 0; i < 2 * DEPTH_MAX; i++) {
        struct dentry *parent = BPF_CORE_READ(at, d_parent);
        if (at == BPF_CORE_READ(mount, mnt.mnt_root)) {
            struct mount *up = BPF_CORE_READ(mount, mnt_parent);
            if (up == mount)
                return mount == top ? (gone ? WHY_DELETED : WHY_NONE) : WHY_NOWHERE;
            at = BPF_CORE_READ(mount, mnt_mountpoint);
            mount = up;
            continue;
        }
        u32 n = w->n;
        if (n >= DEPTH_MAX)
            return WHY_LONG;
        w->names[n] = at;
        w->n = n + 1;
        if (at == parent)
            return WHY_NOWHERE;
        at = parent;
    }
    return WHY_LONG;
}

/* Zeroes the first half of out and writes the path there; the second half is spilled
 * over by a last component that is too long.  Returns enum raw_why: WHY_NONE when it is whole. */
__noinline u32 path_write(u64 file_at, struct path_text *out)
{
    struct walk w = {};
    u32 off = 0;

    if (!out)
        return WHY_LONG;
    __builtin_memset(out->at, 0, ROOM_PATH);
    u32 why = path_walk(file_at, &w);

    for (int i = DEPTH_MAX - 1; i >= 0; i--) {
        if (i >= w.n)
            continue;
        out->at[off & (ROOM_PATH - 1)] = '/';
        off++;
        if (off >= RULE_PATH - 1)
            return WHY_LONG;
        struct dentry *d = w.names[i];
        const unsigned char *name = BPF_CORE_READ(d, d_name.name);
        long n = bpf_probe_read_kernel_str(out->at + (off & (ROOM_PATH - 1)), ROOM_PATH - 1, name);
        if (n <= 0)
            return WHY_LONG;
        off += (u32)n - 1;
        if (off >= RULE_PATH)
            return WHY_LONG;
    }
    return why;
}
