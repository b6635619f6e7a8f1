/* nft_helper.c - see nft.h.
 *
 * A request is a length with a descriptor beside it, then the text; an answer is of
 * fixed size.  Whoever does not answer in time is ended. */
#include "agent/wall/nft.h"
#include "agent/wall/internal.h"
#include "agent/wall/nft_rules.h"
#include "agent/wall/built.h"

#if defined(KEEP_WALL_BUILT) && defined(KEEP_WALL_NFT)
#include <nftables/libnftables.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SOCKET_AT = 3, HOME_AT = 4, ANSWER_S = 10, WHY_BYTES = 200 };

struct answer {
    int kind;                            /* enum err_kind; -1: done */
    char why[WHY_BYTES];
};

/* Everything that rules use, so that a kernel without a part of it is known at the start. */
static const char probe[] =
    "table inet keep {\n"
    "\tcounter keep_walls { }\n"
    "\tset lease { type nf_proto; flags timeout; elements = { ipv4 timeout 60s, ipv6 timeout 60s } }\n"
    "\tset a { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 } }\n"
    "\tset b { type ipv6_addr; flags interval; elements = { fd00::/8 } }\n"
    "\tchain output {\n\t\ttype filter hook output priority -10; policy accept;\n\t\toif \"lo\" accept\n"
    "\t\tmeta nfproto != @lease accept\n\t\tmeta l4proto udp ct direction reply accept\n"
    "\t\tip daddr @a tcp dport { 1, 2 } accept\n\t\tip6 daddr @b meta l4proto { tcp, udp } th dport { 1 } accept\n"
    "\t\tmeta l4proto tcp reject with tcp reset\n\t\treject with icmpx admin-prohibited\n\t}\n}\n";

/* ---- the helper's side ----------------------------------------------------- */

/* At once: what would run at the end of the agent is not the helper's to run. */
__attribute__((noreturn)) static void helper_end(int status)
{
    for (;;)
        (void)syscall(SYS_exit_group, status);
}

static bool read_all(int fd, void *to, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, (char *)to + at, len - at);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool write_all(int fd, const void *from, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, (const char *)from + at, len - at, MSG_NOSIGNAL);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The first line of what nftables says, as one line. */
static void why_put(struct answer *a, enum err_kind kind, const char *what, const char *text)
{
    a->kind = (int)kind;
    snprintf(a->why, sizeof a->why, "%s%s%.150s", what, text[0] ? ": " : "", text);
    a->why[strcspn(a->why, "\n")] = '\0';
}

static void text_run(const char *text, struct answer *a)
{
    /* The library ends the process when it gets no socket. */
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0) {
        why_put(a, ERR_UNAVAILABLE, "no socket to nftables", strerror(errno));
        return;
    }
    close(fd);
    struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!ctx) {
        why_put(a, ERR_UNAVAILABLE, "no memory for nftables", "");
        return;
    }
    nft_ctx_buffer_error(ctx);
    nft_ctx_buffer_output(ctx);
    a->kind = -1;
    if (nft_run_cmd_from_buffer(ctx, text) != 0) {
        const char *said = nft_ctx_get_error_buffer(ctx);
        bool is_missing = strcmp(text, nft_rules_none) == 0 && strstr(said, strerror(ENOENT));
        why_put(a, is_missing ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "nftables", said);
    }
    nft_ctx_free(ctx);
    (void)malloc_trim(0);                /* between two loads there may be days */
}

static void text_run_in(int network, const char *text, struct answer *a)
{
    if (setns(network, CLONE_NEWNET) != 0) {
        why_put(a, ERR_UNAVAILABLE, "the container's network cannot be entered", strerror(errno));
        return;
    }
    text_run(text, a);
    if (setns(HOME_AT, CLONE_NEWNET) != 0)
        helper_end(1);
}

/* -1: the agent is gone. */
static int request_take(uint32_t *len)
{
    char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
    struct iovec part = { len, sizeof *len };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
    int fd = -1;

    if (recvmsg(SOCKET_AT, &m, MSG_CMSG_CLOEXEC | MSG_WAITALL) != (ssize_t)sizeof *len)
        return -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

static void serve(char *text)
{
    uint32_t len;
    for (int network; (network = request_take(&len)) >= 0; close(network)) {
        struct answer a = { 0 };
        if (len > NFT_TEXT_MAX || !read_all(SOCKET_AT, text, len))
            return;
        text[len] = '\0';
        text_run_in(network, text, &a);
        if (!write_all(SOCKET_AT, &a, sizeof a))
            return;
    }
}

/* Into an empty network, and out of all powers but two. */
static void settle(struct answer *a)
{
    static const unsigned caps[] = { CAP_SYS_ADMIN, CAP_NET_ADMIN };
    struct err err = { 0 };
    int home;

    if (unshare(CLONE_NEWNET) != 0) {
        why_put(a, ERR_UNAVAILABLE, "no network of its own", strerror(errno));
    } else if ((home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) < 0 || dup2(home, HOME_AT) < 0) {
        why_put(a, ERR_UNAVAILABLE, "/proc/self/ns/net", strerror(errno));
    } else if (confine_to(caps, sizeof caps / sizeof *caps, true, &err) != 0) {
        why_put(a, ERR_UNAVAILABLE, "not confined", err.msg);
    } else {
        text_run(probe, a);
    }
}

static void helper_main(int fd, pid_t agent)
{
    struct answer a = { 0 };
    char *text = malloc(NFT_TEXT_MAX + 1);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "keep-nft");
    (void)dup2(fd, SOCKET_AT);
    (void)syscall(SYS_close_range, SOCKET_AT + 1, ~0u, 0);      /* none of the agent's descriptors */
    if (!text || getppid() != agent)
        helper_end(1);
    settle(&a);
    if (write_all(SOCKET_AT, &a, sizeof a) && a.kind < 0)
        serve(text);
    helper_end(0);
}

/* ---- the agent's side ------------------------------------------------------ */

static int answer_take(struct nft_helper *h, struct err *err)
{
    struct answer a;
    if (!read_all(h->fd, &a, sizeof a)) {
        nft_helper_close(h);
        return err_set(err, ERR_UNAVAILABLE, "the process that loads rules of nftables has ended");
    }
    a.why[sizeof a.why - 1] = '\0';
    return a.kind < 0 ? 0 : err_set(err, (enum err_kind)a.kind, "%s", a.why);
}

int nft_helper_open(struct nft_helper *h, struct err *err)
{
    const struct timeval patience = { ANSWER_S, 0 };
    pid_t agent = getpid();
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return err_set(err, ERR_UNAVAILABLE, "socketpair: %s", strerror(errno));
    (void)setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    pid_t pid = fork();
    if (pid == 0)
        helper_main(fds[1], agent);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return err_set(err, ERR_UNAVAILABLE, "no process that loads rules of nftables: %s", strerror(errno));
    }
    *h = (struct nft_helper){ .pid = pid, .fd = fds[0] };
    if (answer_take(h, err) == 0)
        return 0;
    nft_helper_close(h);
    return -1;
}

void nft_helper_close(struct nft_helper *h)
{
    if (h->pid <= 0)
        return;
    close(h->fd);
    kill(h->pid, SIGKILL);
    while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *h = (struct nft_helper){ 0 };
}

static bool request_send(const struct nft_helper *h, int network, uint32_t len)
{
    char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
    struct iovec part = { &len, sizeof len };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof network);
    memcpy(CMSG_DATA(c), &network, sizeof network);
    return sendmsg(h->fd, &m, MSG_NOSIGNAL) == (ssize_t)sizeof len;
}

int nft_helper_run(struct nft_helper *h, int network, const char *text, size_t len, struct err *err)
{
    if (h->pid <= 0 || len > NFT_TEXT_MAX)
        return err_set(err, ERR_UNAVAILABLE, "the process that loads rules of nftables has ended");
    if (!request_send(h, network, (uint32_t)len) || !write_all(h->fd, text, len)) {
        nft_helper_close(h);
        return err_set(err, ERR_UNAVAILABLE, "the process that loads rules of nftables has ended");
    }
    return answer_take(h, err);
}
#elif defined(KEEP_WALL_BUILT)
int nft_helper_open(struct nft_helper *h, struct err *err)
{
    (void)h;
    return err_set(err, ERR_UNAVAILABLE, "nftables: %s", KEEP_NFT_WHY_NOT);
}

void nft_helper_close(struct nft_helper *h)
{
    (void)h;
}

int nft_helper_run(struct nft_helper *h, int network, const char *text, size_t len, struct err *err)
{
    (void)network, (void)text, (void)len;
    return nft_helper_open(h, err);
}
#endif
