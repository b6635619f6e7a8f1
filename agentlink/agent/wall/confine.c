/* confine.c - the agent gives up what it does not need once its walls stand; see wall.h.
 *
 * Capabilities first, then system calls: each lock holds where the other fails.
 * What is left can read everything and change maps of BPF; it cannot load a module,
 * mount, enter a namespace, trace, or start a program. */
#include "agent/wall/internal.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CAP_BPF
#define CAP_BPF 39
#endif

#if defined(__x86_64__)
#define ARCH_OURS AUDIT_ARCH_X86_64
#define ABI_X32 0x40000000u
#elif defined(__aarch64__)
#define ARCH_OURS AUDIT_ARCH_AARCH64
#define ABI_X32 0xffffffffu
#endif

/* CAP_BPF: rules into maps.  CAP_DAC_READ_SEARCH: files of engines and containers.
 * CAP_SYS_PTRACE: /proc/PID/root and ns of others. */
static const unsigned kept[] = { CAP_BPF, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE };

static const int forbidden[] = {
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_init_module, SYS_finit_module,
    SYS_delete_module, SYS_kexec_load, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_reboot,
    SYS_swapon, SYS_swapoff, SYS_add_key, SYS_request_key, SYS_keyctl, SYS_perf_event_open, SYS_userfaultfd, SYS_clock_settime,
    SYS_settimeofday, SYS_adjtimex, SYS_sethostname, SYS_setdomainname, SYS_acct, SYS_quotactl, SYS_open_by_handle_at,
    SYS_personality, SYS_mknodat,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_open_tree
    SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsmount,
#endif
#ifdef SYS_io_uring_setup
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
#endif
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm,
#endif
#ifdef SYS_mknod
    SYS_mknod,
#endif
};
enum { N_FORBIDDEN = sizeof forbidden / sizeof *forbidden, N_HEAD = 5, N_NETWORKS = 5 };

static int capabilities_drop(const unsigned *caps, size_t n, struct err *err)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct has[2], keep[2] = { { 0 }, { 0 } };

    if (syscall(SYS_capget, &head, has) != 0)
        return err_set(err, ERR_INTERNAL, "capget: %s", strerror(errno));
    for (size_t i = 0; i < n; i++) {
        unsigned bit = 1u << (caps[i] % 32);
        keep[caps[i] / 32].permitted |= has[caps[i] / 32].permitted & bit;
        keep[caps[i] / 32].effective |= has[caps[i] / 32].permitted & bit;
    }
    for (unsigned c = 0; prctl(PR_CAPBSET_READ, c) >= 0; c++) {
        if (!(keep[c / 32].permitted & 1u << (c % 32)))
            (void)prctl(PR_CAPBSET_DROP, c);       /* needs CAP_SETPCAP; without it capset alone must do */
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &head, keep) != 0)
        return err_set(err, ERR_INTERNAL, "capset: %s", strerror(errno));
    return 0;
}

static int calls_forbid(bool may_enter_networks, struct err *err)
{
#ifdef ARCH_OURS
    const struct sock_filter head[N_HEAD] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_OURS, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ABI_X32, N_FORBIDDEN + 1, 0),
    };
    /* setns(fd, CLONE_NEWNET), and into no other kind of namespace */
    const struct sock_filter networks[N_NETWORKS] = {
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 0, N_NETWORKS - 1),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLONE_NEWNET, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_filter code[N_HEAD + N_NETWORKS + N_FORBIDDEN + 2];
    unsigned at = N_HEAD;

    memcpy(code, head, sizeof head);
    if (may_enter_networks) {
        code[N_HEAD - 1].jt = (unsigned char)(code[N_HEAD - 1].jt + N_NETWORKS);
        memcpy(code + at, networks, sizeof networks);
        at += N_NETWORKS;
    }
    for (unsigned i = 0; i < N_FORBIDDEN; i++)
        code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)forbidden[i], (unsigned char)(N_FORBIDDEN - i), 0);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = { .len = (unsigned short)at, .filter = code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        return err_set(err, ERR_INTERNAL, "seccomp: %s", strerror(errno));
#endif
    return 0;
}

int confine_to(const unsigned *caps, size_t n, bool may_enter_networks, struct err *err)
{
    return capabilities_drop(caps, n, err) != 0 || calls_forbid(may_enter_networks, err) != 0 ? -1 : 0;
}

/* What nft.c needs, its helper has kept (nft.h). */
int wall_confine(struct wall *w, struct err *err)
{
    (void)w;
    return confine_to(kept, sizeof kept / sizeof *kept, false, err);
}
