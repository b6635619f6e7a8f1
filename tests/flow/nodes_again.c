/* The same poll again over one connection, as an attacker would ask it: what differs in
 * one byte is judged anew, and what changes without the head changing is noticed. */
#include "tests/flow/upload.h"
#include "tests/support/node.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { ANSWERS_MAX = 16, HEAD_MAX = 900 };

struct answer { int status; char etag[80]; };

struct line {
    int fd;
    struct buf in;
};

static struct line line_open(const struct fixture *t)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)t->keepd.port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct line l = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

    buf_init(&l.in, 8 << 20);
    assert_int_equal(connect(l.fd, (struct sockaddr *)&to, sizeof to), 0);
    return l;
}

static void line_close(struct line *l)
{
    close(l->fd);
    buf_free(&l->in);
}

static void line_send(const struct line *l, const char *bytes, size_t len)
{
    assert_int_equal(send(l->fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static bool more(struct line *l)
{
    struct pollfd p = { .fd = l->fd, .events = POLLIN };
    char block[16384];

    if (poll(&p, 1, 20000) <= 0)
        return false;
    ssize_t n = recv(l->fd, block, sizeof block, 0);
    if (n <= 0)
        return false;
    buf_put(&l->in, block, (size_t)n);
    return true;
}

static void value_of(const char *head, const char *name, char *out, size_t max)
{
    const char *at = strcasestr(head, name);
    size_t n = at == NULL ? 0 : strcspn(at + strlen(name), "\r");

    snprintf(out, max, "%.*s", (int)n, at == NULL ? "" : at + strlen(name));
}

/* The next answer on the line; status 0: the connection ended. */
static struct answer line_next(struct line *l)
{
    struct answer a = { 0 };
    char length[24];
    char *end;

    do
        end = l->in.len > 0 ? memmem(l->in.ptr, l->in.len, "\r\n\r\n", 4) : NULL;
    while (end == NULL && more(l));
    if (end == NULL)
        return a;
    *end = '\0';
    a.status = (int)strtol(l->in.ptr + 9, NULL, 10);
    value_of(l->in.ptr, "\r\nETag: ", a.etag, sizeof a.etag);
    value_of(l->in.ptr, "\r\nContent-Length: ", length, sizeof length);
    size_t head = (size_t)(end - l->in.ptr) + 4, body = a.status == 304 ? 0 : (size_t)strtoul(length, NULL, 10);
    while (l->in.len < head + body)
        assert_true(more(l));
    memmove(l->in.ptr, l->in.ptr + head + body, l->in.len - head - body);
    l->in.len -= head + body;
    return a;
}

static size_t poll_head(char out[HEAD_MAX], const char *token, const char *etag, const char *extra)
{
    int n = snprintf(out, HEAD_MAX, "GET /v1/agent/bundle?applied=1 HTTP/1.1\r\nHost: keep\r\nAuthorization: Bearer %s\r\n"
                     "If-None-Match: %s\r\n%s\r\n", token, etag, extra);

    assert_in_range(n, 1, HEAD_MAX - 1);
    return (size_t)n;
}

static struct answer ask(struct line *l, const char *token, const char *etag, const char *extra)
{
    char head[HEAD_MAX];

    line_send(l, head, poll_head(head, token, etag, extra));
    return line_next(l);
}

static void join(struct fixture *t, const char *cluster, struct test_node *node)
{
    test_node_join(&t->client, keepd_token(&t->keepd, ROLE_ADMIN), cluster, NULL, node);
}

/* A line on which the poll was judged, remembered and answered again; its etag. */
static struct line warm(const struct fixture *t, const struct test_node *node, char etag[80])
{
    struct line l = line_open(t);
    struct answer a = ask(&l, node->token, "\"none\"", "");

    assert_int_equal(a.status, 200);
    snprintf(etag, 80, "%s", a.etag);
    for (int i = 0; i < 4; i++) {
        a = ask(&l, node->token, etag, "");
        assert_int_equal(a.status, 304);
        assert_string_equal(a.etag, etag);
    }
    return l;
}

/* ---- claims --------------------------------------------------------------------------- */

static void another_token_of_the_same_length_is_judged(void **state)
{
    struct fixture *t = *state;
    struct test_node node;
    char etag[80], token[256];

    join(t, "prod", &node);
    struct line l = warm(t, &node, etag);
    for (size_t i = strlen(node.token) / 2; i < strlen(node.token); i += 7) {
        snprintf(token, sizeof token, "%s", node.token);
        token[i] = token[i] == 'A' ? 'B' : 'A';
        assert_int_equal(ask(&l, token, etag, "").status, 401);
        assert_int_equal(ask(&l, node.token, etag, "").status, 304);
        assert_int_equal(ask(&l, node.token, etag, "").status, 304);
    }
    line_close(&l);
    test_node_free(&node);
}

static void other_values_of_the_same_length_are_looked_at(void **state)
{
    struct fixture *t = *state;
    struct test_node node;
    char etag[80], other[80];

    join(t, "prod", &node);
    struct line l = warm(t, &node, etag);
    snprintf(other, sizeof other, "%s", etag);
    other[strlen(other) - 2] ^= 1;
    assert_int_equal(ask(&l, node.token, other, "").status, 200);
    assert_int_equal(ask(&l, node.token, etag, "").status, 304);
    assert_int_equal(ask(&l, node.token, etag, "X-Pad: 1\r\n").status, 304);
    assert_int_equal(ask(&l, node.token, etag, "Hosts: 2\r\n").status, 304);
    assert_int_equal(ask(&l, node.token, etag, "Host: kp\r\n").status, 400);      /* a second one */
    assert_int_equal(line_next(&l).status, 0);
    line_close(&l);
    test_node_free(&node);
}

/* A proxy sends whoever comes over one connection. */
static void nodes_that_share_a_connection_are_told_apart(void **state)
{
    struct fixture *t = *state;
    struct test_node a, b;
    char etag_a[80];

    join(t, "prod", &a);
    join(t, "test", &b);
    struct line l = warm(t, &a, etag_a);
    for (int i = 0; i < 4; i++) {
        struct answer of_b = ask(&l, b.token, etag_a, "");
        assert_int_equal(of_b.status, 200);                  /* the other's tag is none of b's */
        assert_string_not_equal(of_b.etag, etag_a);
        assert_int_equal(ask(&l, b.token, of_b.etag, "").status, 304);
        assert_int_equal(ask(&l, a.token, of_b.etag, "").status, 200);
        assert_int_equal(ask(&l, a.token, etag_a, "").status, 304);
    }
    line_close(&l);
    test_node_free(&a);
    test_node_free(&b);
}

static void pipelined_polls_are_each_judged(void **state)
{
    static const int want[] = { 304, 304, 401, 304, 401, 304, 304 };
    struct fixture *t = *state;
    struct test_node node;
    struct buf all;
    char etag[80], token[256], head[HEAD_MAX];

    join(t, "prod", &node);
    struct line l = warm(t, &node, etag);
    snprintf(token, sizeof token, "%s", node.token);
    token[60] = token[60] == 'A' ? 'B' : 'A';
    buf_init(&all, 1 << 20);
    for (size_t i = 0; i < N_ITEMS(want); i++) {
        size_t n = poll_head(head, want[i] == 401 ? token : node.token, etag, "");
        buf_put(&all, head, n);
    }
    line_send(&l, all.ptr, all.len);
    for (size_t i = 0; i < N_ITEMS(want); i++)
        assert_int_equal(line_next(&l).status, want[i]);
    buf_free(&all);
    line_close(&l);
    test_node_free(&node);
}

static void a_revoked_node_is_refused_on_the_connection_it_has(void **state)
{
    struct fixture *t = *state;
    struct test_node node;
    char etag[80], path[128];

    join(t, "prod", &node);
    struct line l = warm(t, &node, etag);
    snprintf(path, sizeof path, "/v1/nodes/%s", node.node_id);
    keepd_ask(&t->client, keepd_token(&t->keepd, ROLE_ADMIN), "DELETE", path, NULL, 204);
    assert_int_equal(ask(&l, node.token, etag, "").status, 401);
    assert_int_equal(ask(&l, node.token, etag, "").status, 401);
    line_close(&l);
    test_node_free(&node);
}

static void a_body_is_not_taken_for_the_next_request(void **state)
{
    struct fixture *t = *state;
    struct test_node node;
    char etag[80], head[HEAD_MAX + 16];

    join(t, "prod", &node);
    struct line l = warm(t, &node, etag);
    assert_int_equal(ask(&l, node.token, etag, "Content-Length: 0\r\n").status, 304);
    assert_int_equal(ask(&l, node.token, etag, "Content-Length: 0\r\n").status, 304);
    assert_int_equal(ask(&l, node.token, etag, "Content-Length: 5\r\n").status, 413);      /* same length of head */
    assert_int_equal(line_next(&l).status, 0);
    line_close(&l);

    l = warm(t, &node, etag);
    size_t n = poll_head(head, node.token, etag, "");
    memcpy(head + n, "12345\r\n\r\n", 9);
    line_send(&l, head, n + 9);
    assert_int_equal(line_next(&l).status, 304);
    int status = line_next(&l).status;
    assert_true(status == 400 || status == 0 || status == 501 || status == 505);
    line_close(&l);

    l = warm(t, &node, etag);
    assert_int_equal(ask(&l, node.token, etag, "Transfer-Encoding: chunked\r\n").status, 501);
    assert_int_equal(line_next(&l).status, 0);
    line_close(&l);
    test_node_free(&node);
}

/* The library cuts separators to NUL: what was cut alike is not the same as sent. */
static void bytes_that_look_alike_when_cut_are_refused(void **state)
{
    static const char from[] = { ' ', ':', '?', '=' };
    struct fixture *t = *state;
    struct test_node node;
    char etag[80], head[HEAD_MAX];

    join(t, "prod", &node);
    for (size_t i = 0; i < N_ITEMS(from); i++) {
        struct line l = warm(t, &node, etag);
        size_t n = poll_head(head, node.token, etag, "");
        char *at = memchr(head, from[i], n);
        *at = '\0';
        line_send(&l, head, n);
        shutdown(l.fd, SHUT_WR);
        int status = line_next(&l).status;
        if (status != 0 && (status < 400 || status > 505))
            fail_msg("'%c' as NUL: %d", from[i], status);
        line_close(&l);
    }
    struct line l = warm(t, &node, etag);
    size_t n = poll_head(head, node.token, etag, "");
    char *line = strstr(head, "\r\nHost");
    line[0] = ' ';                                           /* a bare line feed, and a blank to keep the length */
    line_send(&l, head, n);
    shutdown(l.fd, SHUT_WR);
    int status = line_next(&l).status;
    assert_true(status == 0 || status >= 400);
    line_close(&l);
    test_node_free(&node);
}

static void a_session_that_ends_is_refused_on_the_connection_it_has(void **state)
{
    static const char *const settings[] = { "KEEP_NODES_SESSION=3s", NULL };
    struct fixture *t = calloc(1, sizeof *t);
    struct test_node node;
    char etag[80];

    (void)state;
    assert_non_null(t);
    keepd_open(&t->keepd, settings, getenv("KEEP_FLOW_PG") != NULL);
    client_init(&t->client, t->keepd.port);
    join(t, "prod", &node);
    test_node_session(&t->client, &node);
    struct line l = line_open(t);
    struct answer a = { 0 };
    int answered = 0;
    snprintf(etag, sizeof etag, "\"none\"");
    for (int i = 0; i < 100 && (a = ask(&l, node.token, etag, "")).status != 401; i++) {
        assert_true(a.status == 200 || a.status == 304);
        snprintf(etag, sizeof etag, "%s", a.etag);
        answered++;
        nanosleep(&(struct timespec){ .tv_nsec = 100 * 1000 * 1000 }, NULL);
    }
    assert_int_equal(a.status, 401);
    assert_in_range(answered, 1, 99);
    line_close(&l);
    test_node_free(&node);
    client_free(&t->client);
    keepd_close(&t->keepd);
    free(t);
}

/* A limit is one for the node, not one for each way its polls go. */
static void the_rate_holds_for_the_same_poll_too(void **state)
{
    static const char *const settings[] = { "KEEP_LIMIT_RATE=5", "KEEP_LIMIT_BURST=20", NULL };
    struct fixture *t = calloc(1, sizeof *t);
    struct test_node node;
    char etag[80];
    int good = 0, limited = 0;

    (void)state;
    assert_non_null(t);
    keepd_open(&t->keepd, settings, getenv("KEEP_FLOW_PG") != NULL);
    client_init(&t->client, t->keepd.port);
    join(t, "prod", &node);
    struct line l = line_open(t);
    struct answer a = ask(&l, node.token, "\"none\"", "");
    assert_int_equal(a.status, 200);
    snprintf(etag, sizeof etag, "%s", a.etag);
    for (int i = 0; i < 300; i++) {
        int status = ask(&l, node.token, etag, "").status;
        good += status == 304;
        limited += status == 429;
        assert_true(status == 304 || status == 429);
    }
    assert_true(limited > 100);
    assert_true(good >= 20);
    line_close(&l);
    test_node_free(&node);
    client_free(&t->client);
    keepd_close(&t->keepd);
    free(t);
}

enum { POLLERS = 8, CHANGES = 6 };

struct poller {
    const struct fixture *t;
    struct test_node node;
    pthread_t thread;
    atomic_bool *stop;
    int n_new, n_same, n_refused, n_other;
};

static void *poll_on(void *arg)
{
    struct poller *p = arg;
    struct line l = line_open(p->t);
    char etag[80] = "\"none\"";

    for (int i = 0; !atomic_load(p->stop); i++) {
        struct answer a = ask(&l, p->node.token, etag, i % 5 == 4 ? "Prefer: wait=1\r\n" : "");
        p->n_new += a.status == 200;
        p->n_same += a.status == 304;
        p->n_refused += a.status == 401;
        p->n_other += a.status != 200 && a.status != 304 && a.status != 401;
        if (a.status == 200)
            snprintf(etag, sizeof etag, "%s", a.etag);
        else if (a.status != 304)
            break;
    }
    line_close(&l);
    return NULL;
}

static void change(struct fixture *t, int i)
{
    char path[80], body[600];

    snprintf(path, sizeof path, "/v1/policies/change-%d", i);
    snprintf(body, sizeof body, "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: change-%d, title: A run rule}\nspec:\n  stages: [run]\n  mode: warn\n"
             "  validations:\n    - name: none\n      expression: \"true\"\n      message: \"no\"\n", i);
    struct ask put = { "PUT", path, keepd_token(&t->keepd, ROLE_ADMIN), "Content-Type: application/yaml\r\n", body, strlen(body) };
    assert_int_equal(client_send(&t->client, &put).status, 201);
}

/* Answers are given out, replaced and waited for at the same time; meant for ThreadSanitizer, too. */
static void many_polls_go_on_while_bundles_change(void **state)
{
    struct fixture *t = *state;
    struct poller list[POLLERS] = { 0 };
    atomic_bool stop = false;
    char path[128];

    for (int i = 0; i < POLLERS; i++) {
        list[i].t = t;
        list[i].stop = &stop;
        join(t, i % 2 == 0 ? "prod" : "test", &list[i].node);
    }
    for (int i = 0; i < POLLERS; i++)
        assert_int_equal(pthread_create(&list[i].thread, NULL, poll_on, &list[i]), 0);
    for (int i = 0; i < CHANGES; i++) {
        change(t, i);
        nanosleep(&(struct timespec){ .tv_nsec = 400 * 1000 * 1000 }, NULL);
    }
    snprintf(path, sizeof path, "/v1/nodes/%s", list[0].node.node_id);
    keepd_ask(&t->client, keepd_token(&t->keepd, ROLE_ADMIN), "DELETE", path, NULL, 204);
    nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < POLLERS; i++) {
        pthread_join(list[i].thread, NULL);
        assert_true(list[i].n_new >= 2 && list[i].n_same >= 2);
        assert_int_equal(list[i].n_other, 0);
        assert_int_equal(list[i].n_refused, i == 0);
        test_node_free(&list[i].node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_token_of_the_same_length_is_judged),
        cmocka_unit_test(other_values_of_the_same_length_are_looked_at),
        cmocka_unit_test(nodes_that_share_a_connection_are_told_apart),
        cmocka_unit_test(pipelined_polls_are_each_judged),
        cmocka_unit_test(a_revoked_node_is_refused_on_the_connection_it_has),
        cmocka_unit_test(a_body_is_not_taken_for_the_next_request),
        cmocka_unit_test(bytes_that_look_alike_when_cut_are_refused),
        cmocka_unit_test(many_polls_go_on_while_bundles_change),
        cmocka_unit_test(a_session_that_ends_is_refused_on_the_connection_it_has),
        cmocka_unit_test(the_rate_holds_for_the_same_poll_too),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
