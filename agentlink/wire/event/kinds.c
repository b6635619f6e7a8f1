/* kinds.c - what a name of the kernel means: see map.h. */
#include "wire/event/map.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* The bare name, lower case, in the order of bsearch. */
static const struct { const char *name; int kind; } operations[] = {
    { "accept", EVENT_ACCEPT }, { "accept4", EVENT_ACCEPT }, { "bind", EVENT_LISTEN }, { "bprm_check", EVENT_EXEC },
    { "bprm_check_security", EVENT_EXEC }, { "bprm_committed_creds", EVENT_EXEC }, { "bprm_creds_for_exec", EVENT_EXEC },
    { "bprm_creds_from_file", EVENT_EXEC }, { "cap_capable", EVENT_CAPABILITY }, { "capable", EVENT_CAPABILITY },
    { "capset", EVENT_CAPABILITY }, { "chmod", EVENT_FILE_WRITE }, { "chown", EVENT_FILE_WRITE }, { "connect", EVENT_CONNECT },
    { "creat", EVENT_FILE_WRITE }, { "delete_module", EVENT_MODULE }, { "dns_query", EVENT_DNS },
    { "dropped_executable", EVENT_FILE_WRITE }, { "exec_test", EVENT_EXEC }, { "execve", EVENT_EXEC }, { "execveat", EVENT_EXEC },
    { "exit", EVENT_EXIT }, { "exit_group", EVENT_EXIT }, { "fchmod", EVENT_FILE_WRITE }, { "fchmodat", EVENT_FILE_WRITE },
    { "fchmodat2", EVENT_FILE_WRITE }, { "fchown", EVENT_FILE_WRITE }, { "fchownat", EVENT_FILE_WRITE },
    { "fd_install", EVENT_FILE_OPEN }, { "file_modification", EVENT_FILE_WRITE }, { "file_open", EVENT_FILE_OPEN },
    { "file_permission", EVENT_FILE_OPEN }, { "fileless_execution", EVENT_EXEC }, { "find_module_sections", EVENT_MODULE },
    { "finit_module", EVENT_MODULE }, { "free_module", EVENT_MODULE }, { "ftruncate", EVENT_FILE_WRITE },
    { "hidden_kernel_module", EVENT_MODULE }, { "inet_csk_accept", EVENT_ACCEPT }, { "inet_csk_listen_start", EVENT_LISTEN },
    { "inet_listen", EVENT_LISTEN }, { "init_module", EVENT_MODULE }, { "inode_create", EVENT_FILE_WRITE },
    { "inode_link", EVENT_FILE_WRITE }, { "inode_mkdir", EVENT_FILE_WRITE }, { "inode_mknod", EVENT_FILE_WRITE },
    { "inode_rename", EVENT_FILE_WRITE }, { "inode_rmdir", EVENT_FILE_WRITE }, { "inode_setattr", EVENT_FILE_WRITE },
    { "inode_symlink", EVENT_FILE_WRITE }, { "inode_unlink", EVENT_FILE_WRITE }, { "ip4_datagram_connect", EVENT_CONNECT },
    { "ip6_datagram_connect", EVENT_CONNECT }, { "kernel_module_loading", EVENT_MODULE },
    { "kernel_module_request", EVENT_MODULE }, { "lchown", EVENT_FILE_WRITE }, { "link", EVENT_FILE_WRITE },
    { "linkat", EVENT_FILE_WRITE }, { "listen", EVENT_LISTEN }, { "magic_write", EVENT_FILE_WRITE }, { "mkdir", EVENT_FILE_WRITE },
    { "mkdirat", EVENT_FILE_WRITE }, { "mknod", EVENT_FILE_WRITE }, { "mknodat", EVENT_FILE_WRITE }, { "mmap_file", EVENT_FILE_OPEN },
    { "module_free", EVENT_MODULE }, { "module_load", EVENT_MODULE }, { "net_flow_tcp_begin", EVENT_CONNECT },
    { "net_tcp_connect", EVENT_CONNECT }, { "open", EVENT_FILE_OPEN }, { "open_by_handle_at", EVENT_FILE_OPEN },
    { "openat", EVENT_FILE_OPEN }, { "openat2", EVENT_FILE_OPEN }, { "path_chmod", EVENT_FILE_WRITE },
    { "path_chown", EVENT_FILE_WRITE }, { "path_link", EVENT_FILE_WRITE }, { "path_mkdir", EVENT_FILE_WRITE },
    { "path_mknod", EVENT_FILE_WRITE }, { "path_rename", EVENT_FILE_WRITE }, { "path_rmdir", EVENT_FILE_WRITE },
    { "path_symlink", EVENT_FILE_WRITE }, { "path_truncate", EVENT_FILE_WRITE }, { "path_unlink", EVENT_FILE_WRITE },
    { "procexit", EVENT_EXIT }, { "pwrite", EVENT_FILE_WRITE }, { "pwrite64", EVENT_FILE_WRITE }, { "pwritev", EVENT_FILE_WRITE },
    { "read", EVENT_FILE_OPEN }, { "recvfrom", EVENT_ACCEPT }, { "recvmsg", EVENT_ACCEPT }, { "rename", EVENT_FILE_WRITE },
    { "renameat", EVENT_FILE_WRITE }, { "renameat2", EVENT_FILE_WRITE }, { "rmdir", EVENT_FILE_WRITE },
    { "sched_process_exec", EVENT_EXEC }, { "sched_process_exit", EVENT_EXIT }, { "sendmmsg", EVENT_CONNECT },
    { "sendmsg", EVENT_CONNECT }, { "sendto", EVENT_CONNECT }, { "socket_accept", EVENT_ACCEPT }, { "socket_bind", EVENT_LISTEN },
    { "socket_connect", EVENT_CONNECT }, { "socket_listen", EVENT_LISTEN }, { "symlink", EVENT_FILE_WRITE },
    { "symlinkat", EVENT_FILE_WRITE }, { "tcp_accept", EVENT_ACCEPT }, { "tcp_connect", EVENT_CONNECT },
    { "tcp_sendmsg", EVENT_CONNECT }, { "tcp_v4_connect", EVENT_CONNECT }, { "tcp_v6_connect", EVENT_CONNECT },
    { "truncate", EVENT_FILE_WRITE }, { "udp_sendmsg", EVENT_CONNECT }, { "udpv6_sendmsg", EVENT_CONNECT },
    { "unlink", EVENT_FILE_WRITE }, { "unlinkat", EVENT_FILE_WRITE }, { "vfs_open", EVENT_FILE_OPEN }, { "vfs_read", EVENT_FILE_OPEN },
    { "vfs_unlink", EVENT_FILE_WRITE }, { "vfs_write", EVENT_FILE_WRITE }, { "vfs_writev", EVENT_FILE_WRITE },
    { "write", EVENT_FILE_WRITE }, { "writev", EVENT_FILE_WRITE },
};

static int compare_name(const void *key, const void *row)
{
    return strcmp(key, *(const char *const *)row);
}

static int kind_of_bare(const char *name)
{
    const void *found = bsearch(name, operations, N_ITEMS(operations), sizeof *operations, compare_name);

    return found == NULL ? EVENT_OTHER : operations[((const char *)found - (const char *)operations) / (long)sizeof *operations].kind;
}

int kind_of_operation(const char *name)
{
    /* What wraps a name, outermost first. */
    static const char *const wraps[] = { "syscalls/", "raw_syscalls/", "sys_enter_", "sys_exit_", "__x64_", "__ia32_", "__arm64_", "__se_",
                                         "__do_", "__sys_", "do_sys_", "sys_", "security_", "lsm_", "do_", "__" };
    char lower[64];
    size_t len = name != NULL ? strlen(name) : 0;

    if (len == 0 || len >= sizeof lower)
        return EVENT_OTHER;
    memcpy(lower, name, len + 1);
    str_lower(lower);
    int kind = kind_of_bare(lower);
    if (kind != EVENT_OTHER)
        return kind;
    if (str_starts(lower, "net_packet_dns"))
        return EVENT_DNS;
    if (str_starts(lower, "net_packet_") || str_starts(lower, "net_flow_"))
        return EVENT_CONNECT;
    const char *bare = lower;
    for (size_t i = 0; i < N_ITEMS(wraps) && kind == EVENT_OTHER; i++) {
        if (str_starts(bare, wraps[i])) {
            bare += strlen(wraps[i]);
            kind = kind_of_bare(bare);
        }
    }
    return kind;
}

bool flags_write(const char *flags)
{
    static const char *const words[] = { "O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "FMODE_WRITE", "MAY_WRITE", "WRITE" };
    char *end;

    if (flags == NULL)
        return false;
    for (size_t i = 0; i < N_ITEMS(words); i++) {
        if (strstr(flags, words[i]) != NULL)
            return true;
    }
    long long n = strtoll(flags, &end, 0);              /* Linux: write only 1, read and write 2, create 0100, truncate 01000 */
    return *end == '\0' && end != flags && n > 0 && (n & (3 | 0100 | 01000)) != 0;
}

int severity_of_word(const char *word, int otherwise)
{
    static const struct { const char *word; int severity; } words[] = {
        { "emergency", 0 }, { "alert", 1 }, { "critical", 2 }, { "error", 3 }, { "warning", 4 }, { "notice", 5 },
        { "informational", 6 }, { "info", 6 }, { "debug", 7 }, { "high", 3 }, { "medium", 4 }, { "low", 5 },
    };

    for (size_t i = 0; word != NULL && i < N_ITEMS(words); i++) {
        if (str_eq_nocase(word, words[i].word))
            return words[i].severity;
    }
    return otherwise;
}
