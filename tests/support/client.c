/* client.c - see client.h. */
#include "tests/support/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 96 << 20 };

void client_init(struct client *c, int port)
{
    *c = (struct client){ .fd = -1, .port = port, .timeout_ms = 60000 };
    buf_init(&c->in, ANSWER_MAX);
    arena_init(&c->arena, (size_t)512 << 20);
}

void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

void client_free(struct client *c)
{
    client_close(c);
    buf_free(&c->in);
    arena_clear(&c->arena);
}

static bool connected(struct client *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->port), .sin_addr = { htonl(INADDR_LOOPBACK) } };

    if (c->fd >= 0)
        return true;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0) {
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        return true;
    }
    client_close(c);
    return false;
}

/* Sends while listening: an answer that comes before the body is through ends the sending. */
static bool push(struct client *c, const char *p, size_t n)
{
    while (n > 0) {
        struct pollfd f = { .fd = c->fd, .events = POLLOUT | POLLIN };
        if (poll(&f, 1, c->timeout_ms) <= 0)
            return false;
        if ((f.revents & POLLIN) != 0 || (f.revents & POLLOUT) == 0)
            return (f.revents & POLLIN) != 0;
        ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
        }
    }
    return true;
}

static bool pull(struct client *c)
{
    struct pollfd f = { .fd = c->fd, .events = POLLIN };
    char *room = buf_room(&c->in, 65536);

    if (room == NULL || poll(&f, 1, c->timeout_ms) <= 0)
        return false;
    ssize_t got = recv(c->fd, room, 65536, 0);
    if (got <= 0)
        return false;
    buf_grown(&c->in, (size_t)got);
    return true;
}

bool reply_header(const struct reply *r, const char *name, char *out, size_t max)
{
    size_t len = strlen(name);

    for (const char *s = r->head; s != NULL && (s = strstr(s, "\r\n")) != NULL; ) {
        s += 2;
        if (strncasecmp(s, name, len) != 0 || s[len] != ':')
            continue;
        s += len + 1;
        while (*s == ' ')
            s++;
        snprintf(out, max, "%.*s", (int)strcspn(s, "\r\n"), s);
        return true;
    }
    return false;
}

/* A status line, headers, and as many bytes as Content-Length says (none for 204, 304). */
static struct reply take(struct client *c, bool is_head)
{
    struct reply r = { 0 };
    char *end, text[64];

    buf_clear(&c->in);
    for (;;) {
        if (!pull(c))
            return (struct reply){ 0 };
        end = memmem(c->in.ptr, c->in.len, "\r\n\r\n", 4);
        if (end == NULL)
            continue;
        if (strncmp(c->in.ptr, "HTTP/1.1 100", 12) != 0)
            break;
        size_t skip = (size_t)(end - c->in.ptr) + 4;
        memmove(c->in.ptr, end + 4, c->in.len - skip);
        c->in.len -= skip;
        if (c->in.len > 0 && (end = memmem(c->in.ptr, c->in.len, "\r\n\r\n", 4)) != NULL)
            break;
    }
    size_t head = (size_t)(end - c->in.ptr) + 4;
    *end = '\0';
    r.head = c->in.ptr;
    if (c->in.len < 12 || sscanf(c->in.ptr, "HTTP/1.%*1[01] %d", &r.status) != 1)
        return (struct reply){ 0 };
    if (!is_head && r.status != 304 && reply_header(&r, "Content-Length", text, sizeof text))
        r.len = (size_t)strtoull(text, NULL, 10);
    while (c->in.len < head + r.len)
        if (!pull(c))
            return (struct reply){ 0 };
    r.head = c->in.ptr;
    r.body = c->in.ptr + head;
    if (reply_header(&r, "Connection", text, sizeof text) && strcasecmp(text, "close") == 0)
        client_close(c);
    return r;
}

static struct reply once(struct client *c, const char *head, size_t head_len, const struct ask *ask, bool *sent)
{
    struct reply none = { 0 };

    *sent = false;
    if (!connected(c))
        return none;
    if (!push(c, head, head_len) || !push(c, ask->body, ask->len)) {
        struct pollfd f = { .fd = c->fd, .events = POLLIN };
        if (poll(&f, 1, 100) <= 0) {               /* an answer may lie there although sending failed */
            client_close(c);
            return none;
        }
    }
    *sent = true;
    struct reply r = take(c, strcmp(ask->method, "HEAD") == 0);
    if (r.status == 0)
        client_close(c);
    return r;
}

struct reply client_send(struct client *c, const struct ask *ask)
{
    struct buf head;
    bool sent, was_idle = c->fd >= 0, has_body = ask->body != NULL || strcmp(ask->method, "GET") != 0;

    arena_clear(&c->arena);
    buf_init(&head, 1 << 20);
    buf_printf(&head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", ask->method, ask->path, c->port);
    if (ask->token != NULL)
        buf_printf(&head, "Authorization: Bearer %s\r\n", ask->token);
    if (has_body)
        buf_printf(&head, "Content-Length: %zu\r\n", ask->len);
    buf_printf(&head, "%s\r\n", ask->headers != NULL ? ask->headers : "");
    struct reply r = once(c, head.ptr, head.len, ask, &sent);
    if (r.status == 0 && was_idle && strcmp(ask->method, "GET") == 0)
        r = once(c, head.ptr, head.len, ask, &sent);
    buf_free(&head);
    return r;
}

struct reply client_raw(struct client *c, const void *bytes, size_t len)
{
    struct reply r = { 0 };

    client_close(c);
    arena_clear(&c->arena);
    if (connected(c) && push(c, bytes, len))
        r = take(c, false);
    client_close(c);
    return r;
}

const struct json *client_json(struct client *c, const struct reply *r)
{
    struct err ignored;

    arena_clear(&c->arena);
    return r->body != NULL && r->len > 0 && json_parse(&c->arena, r->body, r->len, NULL, &c->doc, &ignored) == 0 ? &c->doc : NULL;
}
