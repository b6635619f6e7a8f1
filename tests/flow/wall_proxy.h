/* wall_proxy.h - between agent and server: passes all on, or spoils what is answered. */
#ifndef KEEP_TESTS_FLOW_WALL_PROXY_H
#define KEEP_TESTS_FLOW_WALL_PROXY_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROXY_PASSES, PROXY_CORRUPTS };

struct proxy {
    int fd, port, to;
    _Atomic int mode, n_pairs;
    _Atomic bool stop;
    pthread_t thread;
};

struct proxy_pair { struct proxy *proxy; int a, b; };

/* An answer's bytes far behind its head are those of a bundle. */
static inline bool proxy_pass(const struct proxy_pair *p, int from, int to, bool is_answer)
{
    char data[16384];
    ssize_t n = recv(from, data, sizeof data, 0);

    if (n <= 0)
        return false;
    if (is_answer && p->proxy->mode == PROXY_CORRUPTS && n > 700)
        data[n - 200] = (char)(data[n - 200] ^ 1);
    for (ssize_t done = 0, k; done < n; done += k)
        if ((k = send(to, data + done, (size_t)(n - done), MSG_NOSIGNAL)) <= 0)
            return false;
    return true;
}

static inline void *proxy_pair_main(void *arg)
{
    struct proxy_pair *p = arg;
    struct pollfd fds[2] = { { p->a, POLLIN, 0 }, { p->b, POLLIN, 0 } };

    while (!p->proxy->stop) {
        if (poll(fds, 2, 50) <= 0)
            continue;
        if ((fds[0].revents != 0 && !proxy_pass(p, p->a, p->b, false)) || (fds[1].revents != 0 && !proxy_pass(p, p->b, p->a, true)))
            break;
    }
    close(p->a);
    close(p->b);
    p->proxy->n_pairs--;
    free(p);
    return NULL;
}

static inline int proxy_dial(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline void *proxy_main(void *arg)
{
    struct proxy *x = arg;
    struct pollfd listening = { x->fd, POLLIN, 0 };
    pthread_t thread;

    while (!x->stop) {
        if (poll(&listening, 1, 50) <= 0)
            continue;
        int a = accept4(x->fd, NULL, NULL, SOCK_CLOEXEC), b = a < 0 ? -1 : proxy_dial(x->to);
        struct proxy_pair *p = b < 0 ? NULL : malloc(sizeof *p);
        if (p != NULL) {
            *p = (struct proxy_pair){ x, a, b };
            x->n_pairs++;
            if (pthread_create(&thread, NULL, proxy_pair_main, p) == 0) {
                pthread_detach(thread);
                continue;
            }
            x->n_pairs--;
            free(p);
        }
        close(a);
        close(b);
    }
    return NULL;
}

static inline void proxy_open(struct proxy *x, int to)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    *x = (struct proxy){ .to = to, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    if (bind(x->fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(x->fd, 64) != 0)
        abort();
    getsockname(x->fd, (struct sockaddr *)&at, &len);
    x->port = ntohs(at.sin_port);
    if (pthread_create(&x->thread, NULL, proxy_main, x) != 0)
        abort();
}

static inline void proxy_close(struct proxy *x)
{
    x->stop = true;
    pthread_join(x->thread, NULL);
    while (x->n_pairs > 0)
        usleep(10000);
    close(x->fd);
}

#endif
