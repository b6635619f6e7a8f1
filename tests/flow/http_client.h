/* http_client.h - a client that speaks raw bytes, for tests of the HTTP server. */
#ifndef KEEP_TEST_HTTP_CLIENT_H
#define KEEP_TEST_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int fx_connect(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (void *)&to, sizeof to) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static inline bool fx_send(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static inline bool fx_puts(int fd, const char *text)
{
    return fx_send(fd, text, strlen(text));
}

struct answer {
    int status;                    /* 0: none came */
    char *text;                    /* head and body, NUL-terminated */
    size_t head_len, body_len;
    const char *body;
};

static inline void answer_free(struct answer *a)
{
    free(a->text);
    *a = (struct answer){ 0 };
}

/* Value of a header, copied into a rotating static buffer; NULL when absent. */
static inline const char *answer_header(const struct answer *a, const char *name)
{
    static char values[8][1024];
    static int turn;
    size_t n = strlen(name);

    for (const char *s = a->text; s != NULL && s < a->text + a->head_len; s = strchr(s, '\n')) {
        if (*s == '\n')
            s++;
        if (strncasecmp(s, name, n) == 0 && s[n] == ':') {
            char *out = values[turn++ % 8];
            snprintf(out, sizeof values[0], "%.*s", (int)strcspn(s + n + 2, "\r\n"), s + n + 2);
            return out;
        }
    }
    return NULL;
}

/* Reads one answer (its body by Content-Length); no_body for HEAD.  rest keeps
 * what came after it (NULL: not kept). */
static inline struct answer fx_answer(int fd, bool no_body, int timeout_ms, struct buf *rest)
{
    struct answer a = { 0 };
    struct buf all;
    char chunk[65536];
    int64_t until = time_monotonic_ms() + timeout_ms;
    size_t want = 0;

    buf_init(&all, 64 << 20);
    if (rest != NULL && rest->len > 0) {
        buf_put(&all, rest->ptr, rest->len);
        buf_clear(rest);
    }
    for (;;) {
        const char *end = all.len == 0 ? NULL : memmem(all.ptr, all.len, "\r\n\r\n", 4);
        if (end != NULL && want == 0) {
            a.text = all.ptr;
            a.head_len = (size_t)(end - all.ptr) + 4;
            const char *len = answer_header(&a, "Content-Length");
            want = a.head_len + (no_body || len == NULL ? 0 : (size_t)strtoul(len, NULL, 10));
        }
        if (want > 0 && all.len >= want)
            break;
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t left = until - time_monotonic_ms();
        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            break;
        ssize_t n = recv(fd, chunk, sizeof chunk, 0);
        if (n <= 0)
            break;
        buf_put(&all, chunk, (size_t)n);
    }
    if (want == 0 || all.len < want) {
        buf_free(&all);
        return (struct answer){ 0 };
    }
    if (rest != NULL)
        buf_put(rest, all.ptr + want, all.len - want);
    a.text = all.ptr;
    a.text[want] = '\0';
    a.status = strncmp(a.text, "HTTP/1.1 ", 9) == 0 ? (int)strtol(a.text + 9, NULL, 10) : -1;
    a.body = a.text + a.head_len;
    a.body_len = want - a.head_len;
    return a;
}

/* Does the peer close within timeout_ms? */
static inline bool fx_closes(int fd, int timeout_ms)
{
    char byte[4096];
    int64_t until = time_monotonic_ms() + timeout_ms;

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t left = until - time_monotonic_ms();
        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            return false;
        if (recv(fd, byte, sizeof byte, 0) <= 0)
            return true;
    }
}

/* One request on a fresh connection. */
static inline struct answer fx_once(int port, const char *request)
{
    int fd = fx_connect(port);
    struct answer a = { 0 };

    if (fd < 0)
        return a;
    if (fx_puts(fd, request))
        a = fx_answer(fd, strncmp(request, "HEAD ", 5) == 0, 10000, NULL);
    close(fd);
    return a;
}

#endif
