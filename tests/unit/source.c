/* source.c - files and the receiver, from text to the keeper. */
#include "agent/source.h"
#include "base/buf.h"
#include "base/compress.h"
#include "base/crypto.h"
#include "base/str.h"
#include "wire/event/event.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define FALCO "{\"rule\":\"r%d\",\"priority\":\"%s\",\"time\":\"2026-01-02T03:04:05Z\",\"output_fields\":{\"proc.cmdline\":\"x\"}}"
#define AUDIT "{\"auditID\":\"%d\",\"requestURI\":\"/x\",\"verb\":\"get\",\"stageTimestamp\":\"2026-01-02T03:04:05Z\"}"

struct fixture {
    char dir[64], file[128];
    struct sources *sources;
    pthread_mutex_t lock;
    struct buf kept;                     /* JSON lines that were put */
    size_t n_put, n_sync, n_critical;
    size_t refuse_put;                   /* the put of this number fails, 0 never */
    bool refuse_sync;
};

static int put(void *ctx, enum event_class class, const char *json, size_t len, struct err *err)
{
    struct fixture *f = ctx;

    pthread_mutex_lock(&f->lock);
    bool refused = f->refuse_put > 0 && f->n_put + 1 == f->refuse_put;
    if (!refused) {
        f->n_put++;
        f->n_critical += class == EVENT_CLASS_CRITICAL;
        buf_put(&f->kept, json, len);
        buf_putc(&f->kept, '\n');
    }
    pthread_mutex_unlock(&f->lock);
    return refused ? err_set(err, ERR_STORAGE_FULL, "full") : 0;
}

static int sync_all(void *ctx, struct err *err)
{
    struct fixture *f = ctx;

    pthread_mutex_lock(&f->lock);
    bool refused = f->refuse_sync;
    f->n_sync += !refused;
    pthread_mutex_unlock(&f->lock);
    return refused ? err_set(err, ERR_STORAGE_FULL, "disk full") : 0;
}

static void open_sources(struct fixture *f)
{
    const struct source_setting settings[] = {
        { "falco", SOURCE_FALCO, SOURCE_VIA_HTTP, NULL, false },
        { "audit", SOURCE_K8SAUDIT, SOURCE_VIA_HTTP, NULL, false },
        { "any", EVENT_SOURCE_N, SOURCE_VIA_HTTP, NULL, false },
        { "log", EVENT_SOURCE_N, SOURCE_VIA_FILE, f->file, false },
    };
    struct sources_opts opts = { .settings = settings, .n = N_ITEMS(settings), .dir = f->dir, .node = "node-7",
                                 .receive = { .body_max = 100000, .timeout_s = 1 }, .keeper = { f, put, sync_all } };
    struct err err = { 0 };

    sources_close(f->sources);
    f->sources = NULL;
    if (sources_open(&opts, &f->sources, &err) != 0)
        fail_msg("%s", err.msg);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err = { 0 };

    assert_int_equal(crypto_init(&err), 0);
    snprintf(f->dir, sizeof f->dir, "/tmp/keep-source-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->file, sizeof f->file, "%s/log.json", f->dir);
    pthread_mutex_init(&f->lock, NULL);
    buf_init(&f->kept, 64 << 20);
    open_sources(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char place[160];

    sources_close(f->sources);
    unlink(f->file);
    snprintf(place, sizeof place, "%s/log.place", f->dir);
    unlink(place);
    rmdir(f->dir);
    buf_free(&f->kept);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

/* ---- a raw client --------------------------------------------------------------------------- */

static int dial(const struct fixture *f)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(sources_port(f->sources)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { 10, 0 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static void send_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;                      /* the other side had enough */
        at += n;
        len -= (size_t)n;
    }
}

/* Reads to the end of the connection; the status, 0 when there was none. */
static int read_status(int fd, char *out, size_t max)
{
    size_t len = 0;
    ssize_t n;
    int status = 0;

    while (len + 1 < max && (n = recv(fd, out + len, max - 1 - len, 0)) > 0)
        len += (size_t)n;
    out[len] = '\0';
    if (sscanf(out, "HTTP/1.1 %d", &status) != 1)
        return 0;
    return status;
}

static int ask(const struct fixture *f, const char *head, const void *body, size_t len)
{
    char request[1024], answer[4096];
    int fd = dial(f);

    snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", head, len);
    send_all(fd, request, strlen(request));
    send_all(fd, body, len);
    int status = read_status(fd, answer, sizeof answer);
    close(fd);
    return status;
}

static int post(const struct fixture *f, const char *path, const char *body)
{
    char head[128];

    snprintf(head, sizeof head, "POST %s", path);
    return ask(f, head, body, strlen(body));
}

static char *falco(char *out, size_t max, int n, const char *priority)
{
    snprintf(out, max, FALCO, n, priority);
    return out;
}

/* ---- the receiver -------------------------------------------------------------------------------- */

static void a_falco_event_is_durable_when_it_is_answered(void **state)
{
    struct fixture *f = *state;
    char body[512];

    assert_int_equal(post(f, "/", falco(body, sizeof body, 1, "Critical")), 200);
    assert_int_equal(f->n_put, 1);
    assert_int_equal(f->n_sync, 1);
    assert_int_equal(f->n_critical, 1);
    assert_non_null(strstr(f->kept.ptr, "\"rule\":\"r1\""));
    assert_non_null(strstr(f->kept.ptr, "\"node\":\"node-7\""));
}

static void what_falcosidekick_refuses_is_refused(void **state)
{
    static const char *const bodies[] = {
        "", "x", "{}", "[]", "{\"rule\":\"r\",\"priority\":\"Error\",\"time\":\"2026-01-02T03:04:05Z\"}",
        "{\"rule\":\"r\",\"priority\":\"Error\",\"time\":\"2026-01-02T03:04:05Z\",\"output_fields\":{}}",
        "{\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":{\"a\":1}}",
        "{\"rule\":\"r\",\"time\":\"2026-01-02T03:04:05Z\",\"output_fields\":{\"a\":1}}",
        "{\"priority\":\"Error\",\"time\":\"2026-01-02T03:04:05Z\",\"output_fields\":{\"a\":1}}",
        "[{\"rule\":\"r\",\"priority\":\"Error\",\"time\":\"2026-01-02T03:04:05Z\",\"output_fields\":{\"a\":1}}]",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < N_ITEMS(bodies); i++)
        assert_int_equal(post(f, "/", bodies[i]), 400);
    assert_int_equal(f->n_put, 0);
}

static void paths_and_methods(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "GET /ping", "", 0), 200);
    assert_int_equal(ask(f, "GET /healthz", "", 0), 200);
    assert_int_equal(ask(f, "GET /", "", 0), 405);
    assert_int_equal(ask(f, "POST /other", "", 0), 404);
    assert_int_equal(ask(f, "DELETE /events", "", 0), 405);
}

static void no_room_is_told_and_nothing_doubles(void **state)
{
    struct fixture *f = *state;
    char line[512];
    struct buf body;

    buf_init(&body, 1 << 20);
    for (int i = 0; i < 5; i++)
        buf_printf(&body, "%s\n", falco(line, sizeof line, i, "Error"));
    f->refuse_put = 3;
    assert_int_equal(post(f, "/events", body.ptr), 503);
    assert_int_equal(f->n_put, 2);
    f->refuse_put = 0;
    assert_int_equal(post(f, "/events", body.ptr), 200);
    assert_int_equal(f->n_put, 5);
    f->refuse_sync = true;
    assert_int_equal(post(f, "/", falco(line, sizeof line, 9, "Error")), 503);
    buf_free(&body);
}

static void lists_go_on_where_they_stopped(void **state)
{
    struct fixture *f = *state;
    char body[1024];

    snprintf(body, sizeof body, "{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[" AUDIT "," AUDIT "," AUDIT "]}", 1, 2, 3);
    f->refuse_put = 3;
    assert_int_equal(post(f, "/k8s-audit", body), 503);
    f->refuse_put = 0;
    assert_int_equal(post(f, "/k8s-audit", body), 200);
    assert_int_equal(f->n_put, 3);
    assert_int_equal(post(f, "/k8s-audit", "{\"kind\":\"Pod\"}"), 400);
}

static void lines_of_several_sources(void **state)
{
    struct fixture *f = *state;
    struct source_status rows[8];

    assert_int_equal(post(f, "/events", "{\"process_exec\":{\"process\":{\"binary\":\"/bin/x\"}},\"time\":\"2026-01-02T03:04:05Z\"}\n\nnonsense\n"
                                        "{\"eventName\":\"openat\",\"timestamp\":1,\"args\":[]}\n"), 200);
    assert_int_equal(f->n_put, 2);
    assert_int_equal(sources_status(f->sources, rows, 8), 4);
    assert_string_equal(rows[2].name, "any");
    assert_int_equal(rows[2].events, 2);
    assert_int_equal(rows[2].bad, 1);
    assert_int_equal(rows[2].state, SOURCE_OK);
    assert_int_equal(post(f, "/events", "nonsense\n"), 400);
}

static void packed_bodies_are_unpacked_within_bounds(void **state)
{
    struct fixture *f = *state;
    char body[512], *big = calloc(1, 5000001);
    struct buf packed, bomb;
    struct err err = { 0 };

    buf_init(&packed, 64 << 20);
    buf_init(&bomb, 64 << 20);
    falco(body, sizeof body, 1, "Error");
    assert_int_equal(gzip_deflate(body, strlen(body), 6, &packed, &err), 0);
    assert_int_equal(ask(f, "POST /", packed.ptr, packed.len), 200);
    assert_int_equal(f->n_put, 1);
    packed.ptr[packed.len / 2] ^= 0x55;
    assert_int_equal(ask(f, "POST /", packed.ptr, packed.len), 400);
    memset(big, ' ', 5000000);
    assert_int_equal(gzip_deflate(big, 5000000, 6, &bomb, &err), 0);
    assert_int_equal(ask(f, "POST /", bomb.ptr, bomb.len), 413);
    free(big);
    buf_free(&packed);
    buf_free(&bomb);
}

static void a_chunked_body_is_taken(void **state)
{
    struct fixture *f = *state;
    char body[512], request[2048], answer[2048];
    int fd = dial(f);

    falco(body, sizeof body, 1, "Error");
    snprintf(request, sizeof request, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n", strlen(body), body);
    send_all(fd, request, strlen(request));
    assert_int_equal(read_status(fd, answer, sizeof answer), 200);
    close(fd);
}

/* Falco's compress_uploads asks for packed answers (TE: gzip); it packs nothing.  A transfer
 * that is packed itself is refused in so many words, never left hanging. */
static void transfer_codings(void **state)
{
    static const struct { const char *header; int status; } codings[] = {
        { "TE: gzip\r\nConnection: TE, close\r\nContent-Length: 99", 200 }, { "Transfer-Encoding: gzip, chunked", 501 },
        { "Transfer-Encoding: gzip", 501 }, { "Transfer-Encoding: chunked\r\nContent-Length: 5", 400 },
    };
    struct fixture *f = *state;
    char body[512], request[1024], answer[2048];

    falco(body, sizeof body, 1, "Error");
    assert_int_equal(strlen(body), 99);
    for (size_t i = 0; i < N_ITEMS(codings); i++) {
        int fd = dial(f);
        snprintf(request, sizeof request, "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s", codings[i].header, body);
        send_all(fd, request, strlen(request));
        assert_int_equal(read_status(fd, answer, sizeof answer), codings[i].status);
        close(fd);
    }
}

static void a_body_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    char *big = malloc(200001), request[256], answer[2048];

    memset(big, 'x', 200000);
    big[200000] = '\0';
    assert_int_equal(post(f, "/", big), 413);
    int fd = dial(f);                    /* without saying how long it is */
    snprintf(request, sizeof request, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", 200000);
    send_all(fd, request, strlen(request));
    send_all(fd, big, 200000);
    send_all(fd, "\r\n0\r\n\r\n", 7);
    assert_int_equal(read_status(fd, answer, sizeof answer), 413);
    close(fd);
    assert_int_equal(post(f, "/", "{}"), 400);
    free(big);
}

static void a_browser_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "POST / HTTP/1.1\r\nOrigin: http://evil.example\r\nX:", "{}", 2), 403);
}

static void who_trickles_is_cut_off(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f), sent = 0;

    for (; sent < 60; sent++) {          /* a byte now and then, never silent for a second */
        usleep(100000);
        if (send(fd, "P", 1, MSG_NOSIGNAL) < 0)
            break;
    }
    assert_true(sent < 60);
    close(fd);
    assert_int_equal(ask(f, "GET /ping", "", 0), 200);
}

/* ---- files ---------------------------------------------------------------------------------------- */

static void add(const struct fixture *f, int n, const char *priority)
{
    FILE *out = fopen(f->file, "ae");
    char line[512];

    fprintf(out, "%s\n", falco(line, sizeof line, n, priority));
    fclose(out);
}

static size_t round_of(struct fixture *f, int expected)
{
    struct err err = { 0 };
    size_t n;

    assert_int_equal(sources_round(f->sources, 1000, &n, &err), expected);
    return n;
}

static void a_file_is_read_once_over_restarts(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(round_of(f, 0), 0);
    add(f, 1, "Error");
    add(f, 2, "Debug");
    assert_int_equal(round_of(f, 0), 2);
    assert_non_null(strstr(f->kept.ptr, "\"origin\":\"log:"));
    open_sources(f);
    assert_int_equal(round_of(f, 0), 0);
    add(f, 3, "Error");
    assert_int_equal(round_of(f, 0), 1);
    assert_int_equal(f->n_put, 3);
}

static void what_the_keeper_has_is_stepped_over(void **state)
{
    struct fixture *f = *state;
    struct json doc;
    struct arena arena;
    struct err err = { 0 };

    add(f, 1, "Error");
    round_of(f, 0);
    char place[160];
    snprintf(place, sizeof place, "%s/log.place", f->dir);
    assert_int_equal(unlink(place), 0);  /* killed after the keeper's sync, before the first place was written */
    arena_init(&arena, 1 << 20);
    assert_int_equal(json_parse(&arena, f->kept.ptr, f->kept.len, NULL, &doc, &err), 0);
    open_sources(f);
    sources_resume(f->sources, json_get_str(&doc, "origin", NULL));
    round_of(f, 0);
    assert_int_equal(f->n_put, 1);
    add(f, 2, "Error");
    round_of(f, 0);
    assert_int_equal(f->n_put, 2);
    arena_clear(&arena);
}

static void after_a_failed_sync_only_the_critical_come_again(void **state)
{
    struct fixture *f = *state;

    add(f, 1, "Critical");
    add(f, 2, "Notice");
    add(f, 3, "Critical");
    f->refuse_sync = true;
    round_of(f, -1);
    assert_int_equal(f->n_put, 3);
    round_of(f, -1);
    assert_int_equal(f->n_put, 5);
    f->refuse_sync = false;
    add(f, 4, "Notice");
    round_of(f, 0);
    assert_int_equal(f->n_put, 8);       /* 1 and 3 again, and 4 */
    assert_int_equal(round_of(f, 0), 0);
}

static void a_refused_line_is_not_lost(void **state)
{
    struct fixture *f = *state;
    struct source_status rows[4];

    add(f, 1, "Critical");
    add(f, 2, "Critical");
    f->refuse_put = 2;
    round_of(f, -1);
    sources_status(f->sources, rows, 4);
    assert_int_equal(rows[3].state, SOURCE_FAILING);
    f->refuse_put = 0;
    round_of(f, 0);
    assert_int_equal(f->n_put, 2);
    sources_status(f->sources, rows, 4);
    assert_int_equal(rows[3].state, SOURCE_OK);
}

static void settings_are_checked(void **state)
{
    static const struct source_setting bad[] = {
        { "", SOURCE_FALCO, SOURCE_VIA_HTTP, NULL, false }, { "Big", SOURCE_FALCO, SOURCE_VIA_HTTP, NULL, false },
        { "../x", SOURCE_FALCO, SOURCE_VIA_HTTP, NULL, false }, { "x", 99, SOURCE_VIA_HTTP, NULL, false },
        { "x", SOURCE_FALCO, SOURCE_VIA_FILE, NULL, false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        struct sources_opts opts = { .settings = &bad[i], .n = 1, .dir = f->dir, .keeper = { f, put, sync_all } };
        struct sources *s = NULL;
        struct err err = { 0 };
        assert_int_equal(sources_open(&opts, &s, &err), -1);
        assert_int_equal(err.kind, ERR_INVALID);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_falco_event_is_durable_when_it_is_answered), T(what_falcosidekick_refuses_is_refused), T(paths_and_methods),
        T(no_room_is_told_and_nothing_doubles), T(lists_go_on_where_they_stopped), T(lines_of_several_sources),
        T(packed_bodies_are_unpacked_within_bounds), T(a_chunked_body_is_taken), T(transfer_codings), T(a_body_too_long_is_refused), T(a_browser_is_refused),
        T(who_trickles_is_cut_off), T(a_file_is_read_once_over_restarts), T(what_the_keeper_has_is_stepped_over),
        T(after_a_failed_sync_only_the_critical_come_again), T(a_refused_line_is_not_lost), T(settings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
