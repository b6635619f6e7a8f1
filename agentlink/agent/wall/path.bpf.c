/* path.bpf.c - the path of a file as its mount namespace has it (part of wall.bpf.c).
 *
 * Walked from the dentry to the root of the namespace, not to the root of the task:
 * chroot(2) does not change what a file is called here.  A file that this walk does
 * not lead to the root from - memfd, unlinked, in a detached or another mount
 * namespace - has no path that a rule could name.
 *
 * Loops are bpf_loop's (5.17): the verifier then looks at a step once, and loading
 * takes milliseconds. */

struct walk {
    struct dentry *at;
    struct mount *mount, *top;
    u32 n, why;
    struct dentry *names[DEPTH_MAX];     /* components, deepest first */
};

struct spell {
    struct walk *w;
    struct path_text *out;
    u32 off, why;
};

static __always_inline struct mount *mount_of(struct vfsmount *m)
{
    return (struct mount *)((char *)m - bpf_core_field_offset(struct mount, mnt));
}

/* One component up, or out of a mount; 1 ends the loop. */
static long walk_step(u32 i, struct walk *w)
{
    struct dentry *at = w->at, *parent = BPF_CORE_READ(at, d_parent);
    struct mount *mount = w->mount;
    if (at == BPF_CORE_READ(mount, mnt.mnt_root)) {
        struct mount *up = BPF_CORE_READ(mount, mnt_parent);
        if (up == mount) {
            w->why = mount == w->top ? WHY_NONE : WHY_NOWHERE;
            return 1;
        }
        w->at = BPF_CORE_READ(mount, mnt_mountpoint);
        w->mount = up;
        return 0;
    }
    u32 n = w->n;
    if (n >= DEPTH_MAX)
        return 1;                        /* why is WHY_LONG still */
    w->names[n] = at;
    w->n = n + 1;
    if (at == parent) {
        w->why = WHY_NOWHERE;
        return 1;
    }
    w->at = parent;
    return 0;
}

static long spell_step(u32 i, struct spell *s)
{
    u64 n = s->w->n - 1 - i;
    u32 off = s->off;
    asm volatile("" : "+r"(n));          /* the compiler checks one register and uses another */
    if (n >= DEPTH_MAX)
        return 1;
    struct dentry *d = s->w->names[n];
    if (off >= RULE_PATH - 1) {
        s->why = WHY_LONG;
        return 1;
    }
    s->out->at[off] = '/';
    off++;
    const unsigned char *name = BPF_CORE_READ(d, d_name.name);
    long len = bpf_probe_read_kernel_str(s->out->at + off, ROOM_PATH - 1, name);
    if (len <= 0 || off + (u32)len - 1 >= RULE_PATH) {
        s->why = WHY_LONG;
        return 1;
    }
    s->off = off + (u32)len - 1;
    return 0;
}

u32 path_write(u64 file_at, struct path_text *out);

/* Zeroes the first half of out and writes the path there; the second half is spilled
 * over by a last component that is too long.  Returns enum raw_why: WHY_NONE when it
 * is whole.  Global, not static: verified once and not for every way to call it. */
__noinline u32 path_write(u64 file_at, struct path_text *out)
{
    struct file *file = (struct file *)(unsigned long)file_at;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct walk w = { .why = WHY_LONG };
    struct spell s = { .w = &w, .out = out };

    if (!out)
        return WHY_LONG;
    __builtin_memset(out->at, 0, ROOM_PATH);
    w.at = BPF_CORE_READ(file, f_path.dentry);
    w.mount = mount_of(BPF_CORE_READ(file, f_path.mnt));
    w.top = BPF_CORE_READ(task, nsproxy, mnt_ns, root);
    bool gone = BPF_CORE_READ(file, f_path.dentry, d_hash.pprev) == NULL;
    bpf_loop(2 * DEPTH_MAX, walk_step, &w, 0);
    if (w.n > DEPTH_MAX)
        return WHY_LONG;
    bpf_loop(w.n, spell_step, &s, 0);
    if (s.why != WHY_NONE)
        return s.why;
    return w.why == WHY_NONE && gone ? WHY_DELETED : w.why;
}
