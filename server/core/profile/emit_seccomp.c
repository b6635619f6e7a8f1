/* emit_seccomp.c - a seccomp profile as Docker, Podman and the kubelet read it.
 *
 * A profile names programs and peers, not system calls.  So what is written refuses the
 * calls that only a capability makes useful which the profile does not grant, and those
 * of sockets when it may neither listen nor connect; everything else is let pass.  JSON
 * has no comments: each entry's "comment" says why it is there. */
#include "core/profile/emit_internal.h"

#include "base/str.h"

#include <stdio.h>

enum { TEXT_MAX_BYTES = 1 << 20 };

static const struct { const char *capability, *calls; } by_capability[] = {
    { "SYS_MODULE", "init_module finit_module delete_module" },
    { "SYS_PTRACE", "ptrace process_vm_readv process_vm_writev kcmp" },
    { "SYS_ADMIN", "mount umount2 pivot_root setns move_mount open_tree fsopen fsmount fsconfig fspick mount_setattr quotactl lookup_dcookie fanotify_init" },
    { "SYS_BOOT", "reboot kexec_load kexec_file_load" },
    { "SYS_TIME", "settimeofday clock_settime clock_adjtime" },
    { "SYS_RAWIO", "iopl ioperm" },
    { "SYS_CHROOT", "chroot" },
    { "SYS_PACCT", "acct" },
    { "SYS_TTY_CONFIG", "vhangup" },
    { "SYSLOG", "syslog" },
    { "BPF", "bpf" },
    { "PERFMON", "perf_event_open" },
    { "DAC_READ_SEARCH", "open_by_handle_at" },
};
static const char always[] = "add_key keyctl request_key userfaultfd swapon swapoff";

static bool has_capability(const struct profile *p, const char *name)
{
    for (size_t i = 0; i < p->n_capabilities; i++) {
        if (str_eq(p->capabilities[i], name) || str_eq(p->capabilities[i], "SYS_ADMIN"))
            return true;
    }
    return false;
}

static int put_refusal(struct jsonw *w, const char *calls, const char *comment, struct arena *arena, struct err *err)
{
    jsonw_object(w);
    jsonw_key(w, "names");
    jsonw_array(w);
    for (const char *at = calls; *at != '\0'; ) {
        size_t n = 0;
        while (at[n] != '\0' && at[n] != ' ')
            n++;
        jsonw_strn(w, at, n);
        at += n + (at[n] == ' ');
    }
    jsonw_array_end(w);
    jsonw_kstr(w, "action", "SCMP_ACT_ERRNO");
    jsonw_kint(w, "errnoRet", 1);
    jsonw_kstr(w, "comment", comment);
    jsonw_object_end(w);
    (void)arena;
    return comment == NULL ? err_nomem(err) : 0;
}

static int put_calls(struct jsonw *w, const struct profile *p, struct arena *arena, struct err *err)
{
    const char *head = arena_printf(arena, "made of Keep's profile %s of %s; it refuses what capabilities are for that are not granted, and names no other "
                                    "call, for a profile knows programs and peers, not system calls: use it beside the runtime's own, not instead", p->name, p->repository);

    if (put_refusal(w, always, head, arena, err) != 0)
        return -1;
    for (size_t i = 0; p->has_capabilities && i < N_ITEMS(by_capability); i++) {
        if (has_capability(p, by_capability[i].capability))
            continue;
        const char *why = arena_printf(arena, "the profile does not grant %s", by_capability[i].capability);
        if (put_refusal(w, by_capability[i].calls, why, arena, err) != 0)
            return -1;
    }
    if (p->has_listens && p->n_listens == 0 && put_refusal(w, "listen", "it listens on nothing; sockets of files are refused, too", arena, err) != 0)
        return -1;
    return 0;
}

static const char *const architectures[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };

int emit_seccomp(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_kstr(&w, "defaultAction", "SCMP_ACT_ALLOW");
    jsonw_key(&w, "architectures");
    jsonw_array(&w);
    for (size_t i = 0; i < N_ITEMS(architectures); i++)
        jsonw_str(&w, architectures[i]);
    jsonw_array_end(&w);
    jsonw_key(&w, "syscalls");
    jsonw_array(&w);
    int rc = put_calls(&w, spec->profile, arena, err);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    buf_putc(out, '\n');
    return rc;
}
