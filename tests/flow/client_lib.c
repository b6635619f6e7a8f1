/* client_lib.c - the client library against a server of this file that answers by
 * script: what is repeated, what is not, and what is refused. */
#include "base/compress.h"
#include "base/crypto.h"
#include "client/http.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS = 8, HEAD_MAX = 8192, BODY_MAX = 1 << 20 };

struct server {
    int fd, port;
    pthread_t thread;
    const char *const *script;                 /* an answer per request; "" closes without one */
    size_t n_script, n;
    char heads[REQUESTS][HEAD_MAX];
    size_t lens[REQUESTS];
    char *bodies[REQUESTS];
};

static size_t content_length(const char *head)
{
    const char *at = strstr(head, "Content-Length: ");

    return at != NULL ? (size_t)strtoul(at + 16, NULL, 10) : 0;
}

static void read_request(int fd, struct server *s)
{
    char *head = s->heads[s->n];
    size_t len = 0;
    const char *end = NULL;

    while (end == NULL && len < HEAD_MAX - 1) {
        ssize_t n = read(fd, head + len, 1);
        if (n <= 0)
            return;
        len += (size_t)n;
        head[len] = '\0';
        end = strstr(head, "\r\n\r\n");
    }
    size_t want = content_length(head), have = 0;
    char *body = calloc(1, want + 1);
    for (ssize_t n = 1; n > 0 && have < want; have += n > 0 ? (size_t)n : 0)
        n = read(fd, body + have, want - have);
    s->lens[s->n] = have;
    s->bodies[s->n] = body;
}

static void *serve(void *data)
{
    struct server *s = data;

    for (s->n = 0; s->n < s->n_script; s->n++) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        read_request(fd, s);
        const char *answer = s->script[s->n];
        if (answer[0] != '\0' && write(fd, answer, strlen(answer)) < 0)
            perror("write");
        close(fd);
    }
    return NULL;
}

static void start(struct server *s, const char *const *script, size_t n)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    memset(s, 0, sizeof *s);
    s->script = script;
    s->n_script = n;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(s->fd, 8) == 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* How many requests came. */
static size_t stop(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    return s->n;
}

static void forget(struct server *s)
{
    for (size_t i = 0; i < REQUESTS; i++)
        free(s->bodies[i]);
}

struct talk {
    struct arena arena;
    struct client_answer answer;
    struct err err;
    char base[64];
    int rc;
};

static void talk_with(struct talk *t, const struct server *s, const struct client_request *r, unsigned retries)
{
    struct http_client *c = NULL;

    memset(t, 0, sizeof *t);
    arena_init(&t->arena, 64 << 20);
    snprintf(t->base, sizeof t->base, "http://127.0.0.1:%d", s->port);
    struct client_config config = { .base_url = t->base, .token = "keep_ci_x", .retries = retries, .timeout_ms = 20000, .retry_for_ms = 20000 };
    assert_int_equal(http_client_open(&config, &c, &t->err), 0);
    t->rc = http_client_send(c, r, &t->arena, &t->answer, &t->err);
    http_client_close(c);
}

#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
#define BUSY "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define BAD_GATEWAY "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

static const struct client_request post = { .method = "POST", .target = "/v1/x", .body = { (const unsigned char *)"{}", 2 }, .content_type = "application/json" };

static void header_of(const struct server *s, size_t i, const char *name, char *out, size_t max)
{
    const char *at = strstr(s->heads[i], name);

    out[0] = '\0';
    if (at != NULL)
        snprintf(out, max, "%.*s", (int)strcspn(at, "\r\n"), at);
}

static void a_write_is_repeated_under_one_key(void **state)
{
    static const char *const script[] = { BUSY, "", OK };
    struct server s;
    struct talk t;
    char first[128], other[128];

    (void)state;
    start(&s, script, 3);
    talk_with(&t, &s, &post, 3);
    assert_int_equal(t.rc, 0);
    assert_int_equal(t.answer.attempts, 3);
    assert_int_equal(stop(&s), 3);
    header_of(&s, 0, "Idempotency-Key: ", first, sizeof first);
    assert_int_equal(strlen(first), strlen("Idempotency-Key: ") + 32);
    for (size_t i = 1; i < 3; i++) {
        header_of(&s, i, "Idempotency-Key: ", other, sizeof other);
        assert_string_equal(first, other);
        assert_string_equal(s.bodies[i], "{}");
    }
    assert_non_null(strstr(s.heads[0], "Authorization: Bearer keep_ci_x\r\n"));
    assert_null(strstr(s.heads[0], "Expect:"));
    forget(&s);
    arena_clear(&t.arena);
}

static void what_may_not_run_twice_is_not_repeated(void **state)
{
    static const char *const lost[] = { "", OK }, *const gateway[] = { BAD_GATEWAY, OK }, *const busy[] = { BUSY, OK };
    struct client_request once = post;
    struct server s;
    struct talk t;

    (void)state;
    once.once = true;
    start(&s, lost, 2);
    talk_with(&t, &s, &once, 3);
    assert_int_equal(t.rc, -1);
    assert_int_equal(t.answer.attempts, 1);
    assert_int_equal(stop(&s), 1);
    forget(&s);
    arena_clear(&t.arena);
    start(&s, gateway, 2);
    talk_with(&t, &s, &once, 3);
    assert_int_equal(t.rc, -1);
    stop(&s);
    forget(&s);
    arena_clear(&t.arena);
    start(&s, busy, 2);                        /* refused before anything was done */
    talk_with(&t, &s, &once, 3);
    assert_int_equal(t.rc, 0);
    stop(&s);
    forget(&s);
    arena_clear(&t.arena);
}

static void an_answer_that_is_final_is_final(void **state)
{
    static const char *const script[] = {
        "HTTP/1.1 403 No\r\nContent-Type: application/problem+json\r\nContent-Length: 61\r\nConnection: close\r\n\r\n"
        "{\"title\":\"Not allowed\",\"detail\":\"ci may not\",\"status\":403   }", OK };
    struct server s;
    struct talk t;

    (void)state;
    start(&s, script, 2);
    talk_with(&t, &s, &post, 3);
    assert_int_equal(t.rc, -1);
    assert_int_equal(t.err.kind, ERR_FORBIDDEN);
    assert_string_equal(t.err.msg, "ci may not");
    assert_int_equal(stop(&s), 1);
    forget(&s);
    arena_clear(&t.arena);
}

static void redirects_are_not_followed(void **state)
{
    static const char *const script[] = { "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" };
    struct server s;
    struct talk t;

    (void)state;
    start(&s, script, 1);
    talk_with(&t, &s, &(struct client_request){ .method = "GET", .target = "/" }, 0);
    assert_int_equal(t.rc, -1);
    assert_int_equal(t.answer.status, 302);
    assert_non_null(strstr(t.err.msg, "redirect"));
    stop(&s);
    forget(&s);
    arena_clear(&t.arena);
}

static void large_bodies_are_compressed_and_arrive_whole(void **state)
{
    static const char *const script[] = { OK };
    static char text[200000];
    struct client_request r = post;
    struct server s;
    struct talk t;
    struct buf plain;

    (void)state;
    memset(text, 'a', sizeof text);
    r.body = (struct bytes){ (const unsigned char *)text, sizeof text };
    start(&s, script, 1);
    talk_with(&t, &s, &r, 0);
    assert_int_equal(t.rc, 0);
    stop(&s);
    assert_non_null(strstr(s.heads[0], "Content-Encoding: gzip\r\n"));
    assert_true(s.lens[0] < 2000);
    buf_init(&plain, BODY_MAX);
    assert_int_equal(gzip_inflate(s.bodies[0], s.lens[0], (struct inflate_bounds){ BODY_MAX, 2000 }, &plain, &t.err), 0);
    assert_int_equal(plain.len, sizeof text);
    assert_memory_equal(plain.ptr, text, sizeof text);
    buf_free(&plain);
    forget(&s);
    arena_clear(&t.arena);
}

static void reading_sends_no_key_and_bad_headers_are_refused(void **state)
{
    static const char *const script[] = { OK };
    struct client_request r = { .method = "GET", .target = "/v1/x" };
    struct server s;
    struct talk t;

    (void)state;
    start(&s, script, 1);
    talk_with(&t, &s, &r, 0);
    assert_int_equal(t.rc, 0);
    r.headers[r.n_headers++] = (struct client_header){ "Keep-Subject", "a\r\nX: y" };
    arena_clear(&t.arena);
    talk_with(&t, &s, &r, 0);
    assert_int_equal(t.rc, -1);
    assert_int_equal(t.err.kind, ERR_INVALID);
    assert_int_equal(stop(&s), 1);
    assert_null(strstr(s.heads[0], "Idempotency-Key"));
    assert_true(strncmp(s.heads[0], "GET /v1/x HTTP/1.1\r\n", 20) == 0);
    forget(&s);
    arena_clear(&t.arena);
}

static void nobody_there_is_unavailable(void **state)
{
    struct server s;
    struct talk t;

    (void)state;
    start(&s, NULL, 0);
    stop(&s);
    talk_with(&t, &s, &post, 0);
    assert_int_equal(t.rc, -1);
    assert_int_equal(t.err.kind, ERR_UNAVAILABLE);
    assert_int_equal(t.answer.status, 0);
    arena_clear(&t.arena);
}

static int setup(void **state)
{
    struct err err = { 0 };

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    return crypto_init(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_is_repeated_under_one_key),
        cmocka_unit_test(what_may_not_run_twice_is_not_repeated),
        cmocka_unit_test(an_answer_that_is_final_is_final),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(large_bodies_are_compressed_and_arrive_whole),
        cmocka_unit_test(reading_sends_no_key_and_bad_headers_are_refused),
        cmocka_unit_test(nobody_there_is_unavailable),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
