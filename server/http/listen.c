/* listen.c - see listen.h. */
#include "http/listen.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct acceptor {
    struct accept_from from[ACCEPT_MAX_LISTENERS];
    int n, wake;
    pthread_t thread;
};

/* Splits "host:port"; brackets around IPv6 are taken off.  host "" means all. */
static bool split(const char *address, char host[64], char port[8])
{
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    int64_t number;

    if (colon == NULL || strlen(colon + 1) > 5 || !str_to_i64(colon + 1, 0, 65535, &number))
        return false;
    const char *from = address;
    size_t len = (size_t)(colon - address);
    if (len >= 2 && from[0] == '[' && from[len - 1] == ']') {
        from++;
        len -= 2;
    } else if (memchr(from, ':', len) != NULL) {
        return false;                                    /* IPv6 needs its brackets */
    }
    if (len == 0 || len >= 64)
        return false;
    memcpy(host, from, len);
    host[len] = '\0';
    snprintf(port, 8, "%d", (int)number);
    if (str_eq(host, "*"))
        host[0] = '\0';
    return true;
}

static int resolve(const char *address, struct addrinfo **out, struct err *err)
{
    char host[64], port[8];
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };

    if (!split(address, host, port))
        return err_set(err, ERR_INVALID, "listen address '%s': expected HOST:PORT, e.g. 127.0.0.1:8470 or [::1]:8470",
                       address == NULL ? "" : address);
    if (host[0] == '\0')
        hints.ai_family = AF_INET6;
    int rc = getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, out);
    if (rc != 0)
        return err_set(err, ERR_INVALID, "listen address '%s': not a numeric address", address);
    return 0;
}

bool listen_is_loopback(const char *address)
{
    struct addrinfo *ai = NULL;
    struct err err;
    bool yes = false;

    if (resolve(address, &ai, &err) != 0)
        return false;
    if (ai->ai_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)ai->ai_addr;
        yes = (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    } else if (ai->ai_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)ai->ai_addr;
        yes = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    }
    freeaddrinfo(ai);
    return yes;
}

int listen_open(const char *address, int backlog, int *out, struct err *err)
{
    struct addrinfo *ai = NULL;
    int on = 1, off = 0;

    if (resolve(address, &ai, err) != 0)
        return -1;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              (ai->ai_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
              bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, backlog) == 0;
    freeaddrinfo(ai);
    if (!ok) {
        err_set(err, ERR_UNAVAILABLE, "cannot listen on %s: %s", address, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *out = fd;
    return 0;
}

int listen_port(int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    if (getsockname(fd, (void *)&ss, &len) != 0)
        return -1;
    if (ss.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)&ss)->sin_port);
    return ntohs(((const struct sockaddr_in6 *)(const void *)&ss)->sin6_port);
}

void address_format(const struct sockaddr *sa, char *out, size_t size)
{
    const struct sockaddr_in6 *in6 = (const void *)sa;
    const struct sockaddr_in *in = (const void *)sa;
    const char *done = NULL;

    if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        done = inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], out, (socklen_t)size);
    else if (sa->sa_family == AF_INET6)
        done = inet_ntop(AF_INET6, &in6->sin6_addr, out, (socklen_t)size);
    else if (sa->sa_family == AF_INET)
        done = inet_ntop(AF_INET, &in->sin_addr, out, (socklen_t)size);
    if (done == NULL)
        snprintf(out, size, "?");
}

/* Takes a batch; out of descriptors means a short pause, not a spin. */
static void accept_some(const struct accept_from *from)
{
    struct sockaddr_storage ss;
    int on = 1;

    for (int i = 0; i < 64; i++) {
        socklen_t len = sizeof ss;
        int fd = accept4(from->fd, (void *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        from->fn(from->arg, fd, (const void *)&ss, len);
    }
}

static void *acceptor_main(void *arg)
{
    struct acceptor *a = arg;
    struct pollfd fds[ACCEPT_MAX_LISTENERS + 1];

    for (int i = 0; i < a->n; i++)
        fds[i] = (struct pollfd){ .fd = a->from[i].fd, .events = POLLIN };
    fds[a->n] = (struct pollfd){ .fd = a->wake, .events = POLLIN };
    for (;;) {
        if (poll(fds, (nfds_t)a->n + 1, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[a->n].revents != 0)
            return NULL;
        for (int i = 0; i < a->n; i++)
            if ((fds[i].revents & POLLIN) != 0)
                accept_some(&a->from[i]);
    }
}

int acceptor_open(const struct accept_from *from, int n, struct acceptor **out, struct err *err)
{
    struct acceptor *a = calloc(1, sizeof *a);

    if (a == NULL)
        return err_nomem(err);
    for (int i = 0; i < n; i++)
        a->from[i] = from[i];
    a->n = n;
    a->wake = eventfd(0, EFD_CLOEXEC);
    if (a->wake < 0 || pthread_create(&a->thread, NULL, acceptor_main, a) != 0) {
        if (a->wake >= 0)
            close(a->wake);
        free(a);
        return err_set(err, ERR_UNAVAILABLE, "cannot start the accepting thread");
    }
    *out = a;
    return 0;
}

void acceptor_close(struct acceptor *a)
{
    uint64_t one = 1;

    if (a == NULL)
        return;
    while (write(a->wake, &one, sizeof one) < 0 && errno == EINTR)
        ;
    pthread_join(a->thread, NULL);
    close(a->wake);
    free(a);
}
