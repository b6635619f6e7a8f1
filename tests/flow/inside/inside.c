/* inside.c - what tests run within a container: one static program, many tricks.
 * Each prints what came of it and ends with 0 when it could. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int said(const char *what, int failed)
{
    printf("%s: %s\n", what, failed ? strerror(failed) : "ok");
    fflush(stdout);
    return failed != 0;
}

static int copy(const char *from, int out)
{
    char block[65536];
    int in = open(from, O_RDONLY);
    if (in < 0 || out < 0)
        return errno;
    for (ssize_t n; (n = read(in, block, sizeof block)) > 0;)
        if (write(out, block, (size_t)n) != n)
            return errno;
    close(in);
    return 0;
}

static int do_say(char **a) { return said(a[0], 0); }
static int do_sleep(char **a) { sleep((unsigned)atoi(a[0])); return 0; }
static int do_exec(char **a) { execv(a[0], a); return said("exec", errno); }

static int outcome(int status)
{
    if (WIFSIGNALED(status))
        printf("signal %d\n", WTERMSIG(status));
    else
        printf("status %d\n", WEXITSTATUS(status));
    fflush(stdout);
    return status != 0;
}

static int do_run(char **a)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execv(a[0], a);
        _exit(said("exec", errno) ? 126 : 0);
    }
    waitpid(pid, &status, 0);
    return outcome(status);
}

/* The parent that starts it is gone before it starts. */
static int do_orphan(char **a)
{
    int fds[2];
    char byte;
    if (pipe(fds) != 0 || fork() == 0) {
        close(fds[0]);
        if (fork() == 0) {
            usleep(100000);
            execv(a[0], a);
            _exit(126);
        }
        _exit(0);
    }
    close(fds[1]);
    wait(NULL);
    (void)!read(fds[0], &byte, 1);
    return 0;
}

static int do_memfd(char **a)
{
    int fd = memfd_create("x", MFD_CLOEXEC);
    int bad = copy(a[0], fd);
    if (!bad) {
        fexecve(fd, a, environ);
        bad = errno;
    }
    return said("memfd", bad);
}

static int do_copy(char **a)
{
    int fd = open(a[1], O_WRONLY | O_CREAT | O_TRUNC, 0755);
    int bad = copy(a[0], fd);
    close(fd);
    return said("copy", bad);
}

static int do_deleted(char **a)
{
    int fd = open(a[0], O_PATH | O_CLOEXEC);
    if (fd < 0 || unlink(a[0]) != 0)
        return said("unlink", errno);
    fexecve(fd, a, environ);
    return said("deleted", errno);
}

static int do_chroot(char **a)
{
    if (chroot(a[0]) != 0)
        return said("chroot", errno);
    execv(a[1], a + 1);
    return said("exec", errno);
}

/* In a mount namespace of its own, an allowed name for another file. */
static int do_rebind(char **a)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(a[0], a[1], NULL, MS_BIND, NULL) != 0)
        return said("mount", errno);
    execv(a[1], a + 1);
    return said("exec", errno);
}

static int address(const char *ip, int port, struct sockaddr_storage *out, socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *len = sizeof *v4;
        return AF_INET;
    }
    inet_pton(AF_INET6, ip, &v6->sin6_addr);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    *len = sizeof *v6;
    return AF_INET6;
}

static int dial(const char *ip, int port)
{
    struct sockaddr_storage to;
    socklen_t len;
    int bad = 0, family = address(ip, port, &to, &len);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(fd, (struct sockaddr *)&to, len) != 0)
        bad = errno;
    if (bad == EINPROGRESS) {
        struct pollfd p = { fd, POLLOUT, 0 };
        socklen_t n = sizeof bad;
        if (poll(&p, 1, 700) == 0)
            bad = ETIMEDOUT;
        else
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &n);
    }
    close(fd);
    return bad;
}

static int do_dial(char **a) { return said("dial", dial(a[0], atoi(a[1]))); }

static int do_dials(char **a)
{
    int n = atoi(a[2]), counts[2] = { 0, 0 };
    for (int i = 0; i < n; i++)
        counts[dial(a[0], atoi(a[1]) + i % 500) == 0]++;
    printf("dials %d %d\n", counts[0], counts[1]);
    return 0;
}

/* redial IP PORT N: the same port over and over */
static int do_redial(char **a)
{
    int counts[2] = { 0, 0 };
    for (int i = atoi(a[2]); i > 0; i--)
        counts[dial(a[0], atoi(a[1])) == 0]++;
    printf("dials %d %d\n", counts[0], counts[1]);
    return 0;
}

static int do_datagram(char **a)
{
    struct sockaddr_storage to;
    socklen_t len;
    int fd = socket(address(a[0], atoi(a[1]), &to, &len), SOCK_DGRAM, 0);
    return said("datagram", sendto(fd, "x", 1, 0, (struct sockaddr *)&to, len) == 1 ? 0 : errno);
}

/* listen IP PORT; PORT "-": without bind. */
static int do_listen(char **a)
{
    struct sockaddr_storage at;
    socklen_t len;
    int one = 1, fd = socket(address(a[0], strcmp(a[1], "-") ? atoi(a[1]) : 0, &at, &len), SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (strcmp(a[1], "-") != 0 && bind(fd, (struct sockaddr *)&at, len) != 0)
        return said("bind", errno);
    if (listen(fd, 64) != 0)
        return said("listen", errno);
    said("listen", 0);
    for (;;) {
        int c = accept(fd, NULL, NULL);
        if (c >= 0)
            close(c);
    }
}

static int do_bind(char **a)
{
    struct sockaddr_storage at;
    socklen_t len;
    int fd = socket(address(a[0], atoi(a[1]), &at, &len), strcmp(a[2], "udp") ? SOCK_STREAM : SOCK_DGRAM, 0);
    return said("bind", bind(fd, (struct sockaddr *)&at, len) == 0 ? 0 : errno);
}

static int do_socket(char **a)
{
    int fd = socket(AF_INET, atoi(a[0]), atoi(a[1]));
    return said("socket", fd < 0 ? errno : 0);
}

/* storm N PATH...: N times; how many were killed. */
static int do_storm(char **a)
{
    int n = atoi(a[0]), killed = 0, status;
    for (int i = 0; i < n; i++) {
        pid_t pid = vfork();
        if (pid == 0) {
            execv(a[1], a + 1);
            _exit(126);
        }
        waitpid(pid, &status, 0);
        killed += WIFSIGNALED(status);
    }
    printf("storm %d killed %d\n", n, killed);
    return 0;
}

static long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

static int report(long long *ns, int n)
{
    qsort(ns, (size_t)n, sizeof *ns, by_value);
    printf("p10 %lld p50 %lld p99 %lld\n", ns[n / 10], ns[n / 2], ns[n - 1 - n / 100]);
    return 0;
}

static int do_time_exec(char **a)
{
    int n = atoi(a[0]), status;
    long long *ns = calloc((size_t)n, sizeof *ns);
    for (int i = 0; i < n; i++) {
        long long from = now_ns();
        pid_t pid = vfork();
        if (pid == 0) {
            execv(a[1], a + 1);
            _exit(126);
        }
        waitpid(pid, &status, 0);
        ns[i] = now_ns() - from;
    }
    return report(ns, n);
}

static int do_time_dial(char **a)
{
    struct sockaddr_storage to;
    socklen_t len;
    int n = atoi(a[2]), family = address(a[0], atoi(a[1]), &to, &len);
    long long *ns = calloc((size_t)n, sizeof *ns);
    for (int i = 0; i < n; i++) {
        int fd = socket(family, SOCK_STREAM, 0);
        long long from = now_ns();
        (void)!connect(fd, (struct sockaddr *)&to, len);
        ns[i] = now_ns() - from;
        close(fd);
    }
    return report(ns, n);
}

/* burst N: as many connects as there are addresses of loopback, each to another one. */
static int do_burst(char **a)
{
    int n = atoi(a[0]);
    long long from = now_ns();
    for (int i = 0; i < n; i++) {
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x7f000001u + (unsigned)i) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fd, (struct sockaddr *)&to, sizeof to);
        close(fd);
    }
    printf("burst %lld\n", now_ns() - from);
    return 0;
}

/* Ends at once: what is measured is the start. */
static int do_nothing(char **a)
{
    (void)a;
    return 0;
}

static const struct trick {
    const char *name;
    int n_args;
    int (*run)(char **args);
} tricks[] = {
    { "say", 1, do_say }, { "sleep", 1, do_sleep }, { "exec", 1, do_exec }, { "run", 1, do_run }, { "orphan", 1, do_orphan },
    { "memfd", 1, do_memfd }, { "copy", 2, do_copy }, { "deleted", 1, do_deleted }, { "chroot", 2, do_chroot },
    { "rebind", 2, do_rebind }, { "dial", 2, do_dial }, { "dials", 3, do_dials }, { "redial", 3, do_redial }, { "datagram", 2, do_datagram },
    { "listen", 2, do_listen }, { "bind", 3, do_bind }, { "storm", 2, do_storm }, { "socket", 2, do_socket }, { "time_exec", 2, do_time_exec },
    { "time_dial", 3, do_time_dial }, { "nothing", 0, do_nothing }, { "burst", 1, do_burst },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof tricks / sizeof *tricks; i++)
        if (strcmp(argv[1], tricks[i].name) == 0 && argc - 2 >= tricks[i].n_args)
            return tricks[i].run(argv + 2);
    /* By another name, or without a trick: evil says that it ran. */
    printf("I ran\n");
    return argc > 1 ? 2 : 0;
}
