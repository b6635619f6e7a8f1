/* server.h - a server that says what a scenario tells it to: newer roots, a bundle, a
 * status, bytes without end, or bytes that hardly come.  One thread, one request a
 * connection, on loopback. */
#ifndef KEEP_TESTS_TUF_SERVER_H
#define KEEP_TESTS_TUF_SERVER_H

#include "base/str.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SERVED_ROOTS = 64 };
enum manner { MANNER_WHOLE = 0, MANNER_ENDLESS, MANNER_SLOW };

struct scripted {
    pthread_mutex_t lock;                /* guards what follows */
    struct bytes roots[SERVED_ROOTS];    /* by version */
    struct bytes odd_root;               /* given where none is: what an attacker would do */
    unsigned status;                     /* of the bundle; 0: 200, or 404 without one */
    unsigned everywhere;                 /* a status for every request; 0 none */
    struct bytes bundle;
    enum manner manner;
    int pause_ms;                        /* MANNER_SLOW: between bytes */
    size_t n_sent;                       /* bytes of the last bundle */
    int fd, port;
    pthread_t thread;
};

static inline bool scripted_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static inline void scripted_bundle(struct scripted *s, int fd, struct bytes body, enum manner manner, int pause_ms)
{
    static const char filler[16384];
    const size_t far = (size_t)64 << 20;
    size_t sent = 0;

    if (manner == MANNER_SLOW) {
        while (sent < body.len && scripted_send(fd, body.ptr + sent, 1)) {
            sent++;
            nanosleep(&(struct timespec){ pause_ms / 1000, (pause_ms % 1000) * 1000000L }, NULL);
        }
    } else if (scripted_send(fd, body.ptr, body.len)) {
        sent = body.len;
        while (manner == MANNER_ENDLESS && sent < far && scripted_send(fd, filler, sizeof filler))
            sent += sizeof filler;
    }
    pthread_mutex_lock(&s->lock);
    s->n_sent = sent;
    pthread_mutex_unlock(&s->lock);
}

static inline void scripted_answer(struct scripted *s, int fd, const char *request)
{
    static const char root_path[] = "GET /v1/agent/root/";
    bool is_root = str_starts(request, root_path);
    struct bytes body = { NULL, 0 };
    enum manner manner = MANNER_WHOLE;
    char head[256];

    pthread_mutex_lock(&s->lock);
    unsigned status = s->everywhere;
    if (is_root && status == 0) {
        unsigned long version = strtoul(request + sizeof root_path - 1, NULL, 10);
        if (version < SERVED_ROOTS)
            body = s->roots[version];
        if (body.ptr == NULL)
            body = s->odd_root;
        status = body.ptr != NULL ? 200 : 404;
    } else if (status == 0) {
        body = s->bundle;
        manner = s->manner;
        status = s->status != 0 ? s->status : body.ptr != NULL ? 200 : 404;
    }
    int pause_ms = s->pause_ms;
    pthread_mutex_unlock(&s->lock);

    if (status != 200)
        body = (struct bytes){ NULL, 0 };
    int n = manner == MANNER_ENDLESS ? snprintf(head, sizeof head, "HTTP/1.1 %u X\r\nConnection: close\r\n\r\n", status)
          : snprintf(head, sizeof head, "HTTP/1.1 %u X\r\nContent-Length: %zu\r\nETag: \"e\"\r\nConnection: close\r\n\r\n", status, body.len);
    if (scripted_send(fd, head, (size_t)n))
        scripted_bundle(s, fd, body, manner, pause_ms);
}

static inline void *scripted_main(void *arg)
{
    struct scripted *s = arg;

    for (;;) {
        char request[4096];
        size_t n = 0;
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        while (n < sizeof request - 1) {
            ssize_t got = recv(fd, request + n, sizeof request - 1 - n, 0);
            if (got <= 0)
                break;
            n += (size_t)got;
            request[n] = '\0';
            if (strstr(request, "\r\n\r\n") != NULL) {
                scripted_answer(s, fd, request);
                break;
            }
        }
        close(fd);
    }
}

static inline void scripted_open(struct scripted *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    *s = (struct scripted){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    pthread_mutex_init(&s->lock, NULL);
    if (s->fd < 0 || bind(s->fd, (void *)&at, len) != 0 || listen(s->fd, 64) != 0 || getsockname(s->fd, (void *)&at, &len) != 0 ||
        pthread_create(&s->thread, NULL, scripted_main, s) != 0)
        abort();
    s->port = ntohs(at.sin_port);
}

static inline void scripted_close(struct scripted *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

#endif
