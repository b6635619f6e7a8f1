/* Nothing lost, nothing doubled: whatever dies, is cut off, is full or jumps, what the
 * agent acknowledged is stored once, and what it dropped is counted alike by the agent,
 * the server's node page and its database. */
#include "base/str.h"
#include "base/time.h"
#include "tests/support/agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { EVENTS_MAX = 200000, POSTERS = 3 };

struct fixture {
    struct keepd keepd;
    struct test_agent agent;
    unsigned char acked[EVENTS_MAX], stored[EVENTS_MAX];
};

static const char settings[] =
    "receive: {port: 0}\nsend: {linger: 0s, events: 50}\npoll: {wait: 0s, interval: 2s}\ninventory: {interval: 3600s}\nstatus: {interval: 1s}\n";

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static int any(int least, int below)
{
    uint32_t r;

    random_bytes(&r, sizeof r);
    return least + (int)(r % (uint32_t)(below - least));
}

/* ---- those who post ------------------------------------------------------------------ */

struct crowd {
    struct fixture *t;
    _Atomic int next, port;
    _Atomic bool stop;
    _Atomic int acked, refused, unanswered;
    const char *priority;
    int pause_ms;
    size_t padding;
};

static void *poster(void *arg)
{
    struct crowd *w = arg;
    struct client c;
    char uuid[40], body[9000];

    client_init(&c, w->port);
    c.timeout_ms = 20000;
    while (!w->stop) {
        int i = w->next++;
        if (i >= EVENTS_MAX)
            break;
        snprintf(uuid, sizeof uuid, "e-%d", i);
        falco_text(uuid, w->priority, w->padding, body, sizeof body);
        c.port = w->port;
        struct reply r = client_send(&c, &(struct ask){ "POST", w->priority != NULL ? "/" : "/events", NULL, "Content-Type: application/json\r\n", body,
                                                       strlen(body) });
        if (r.status == 200) {
            w->t->acked[i] = 1;
            w->acked++;
        } else if (r.status != 0) {
            w->refused++;
        } else {
            w->unanswered++;
            client_close(&c);
            nap_ms(5);
        }
        if (w->pause_ms > 0)
            nap_ms(w->pause_ms);
    }
    client_free(&c);
    return NULL;
}

static void crowd_start(struct crowd *w, pthread_t threads[POSTERS])
{
    w->stop = false;
    w->port = w->t->agent.port;
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, poster, w), 0);
}

static void crowd_stop(struct crowd *w, pthread_t threads[POSTERS])
{
    w->stop = true;
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
}

static int setup(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);

    keepd_open(&t->keepd, NULL, false);
    *state = t;
    return 0;
}

static int setup_slow(void **state)
{
    static const char *const slow[] = { "KEEP_AGENTS_EVENTS_PER_SECOND=20", NULL };
    struct fixture *t = calloc(1, sizeof *t);

    keepd_open(&t->keepd, slow, false);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *t = *state;

    agent_close(&t->agent);
    keepd_close(&t->keepd);
    free(t);
    return 0;
}

/* ---- the account ------------------------------------------------------------------------- */

/* KEEP_CUT_S: how long the network is away each time; a second or so when it is not set. */
static int64_t cut_s(void)
{
    const char *text = getenv("KEEP_CUT_S");
    int64_t n;

    return text != NULL && str_to_i64(text, 1, 3600, &n) ? n : 0;
}

static void wait_until_sent(struct fixture *t)
{
    if (!agent_wait_for(&t->agent, "spool.events", 0, 60000 + (int)cut_s() * 2000))     /* it asks the more rarely the longer nobody answers */
        fail();
    nap_ms(1100);                                    /* the status file is a second old at most */
    if (!agent_wait_for(&t->agent, "spool.events", 0, 60000))
        fail();
}

/* Acknowledged = stored once; what was not answered may be there, but never twice. */
static void check_stored(struct fixture *t, const struct crowd *w)
{
    int lost = 0, doubled = 0;
    size_t rows = events_stored(&t->keepd, "e-", t->stored, EVENTS_MAX);

    for (int i = 0; i < w->next && i < EVENTS_MAX; i++) {
        lost += t->acked[i] && t->stored[i] == 0;
        doubled += t->stored[i] > 1;
    }
    if (lost != 0 || doubled != 0)
        fail_msg("%d lost, %d doubled of %d acknowledged, %zu stored", lost, doubled, w->acked, rows);
    assert_true(w->acked > 0);
}

static int64_t agent_dropped(struct test_agent *a, const char *class, const char *reason)
{
    struct arena arena;
    int64_t n = 0;

    arena_init(&arena, 16 << 20);
    const struct json *list = json_get(agent_status_read(a, &arena), "dropped");
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *d = json_at(list, i);
        if ((class == NULL || str_eq(json_get_str(d, "class", ""), class)) && (reason == NULL || str_eq(json_get_str(d, "reason", ""), reason)))
            n += json_int(json_get(d, "count"), 0);
    }
    arena_clear(&arena);
    return n;
}

/* The agent, the node's page and the database say the same. */
static void check_account(struct fixture *t)
{
    char path[120];
    struct client c;
    int64_t dropped = agent_dropped(&t->agent, NULL, NULL), last = agent_status_int(&t->agent, "spool.last_seq");

    client_init(&c, t->keepd.port);
    snprintf(path, sizeof path, "/v1/nodes/%s", t->agent.node_id);
    const struct json *node = keepd_ask(&c, keepd_token(&t->keepd, ROLE_VIEWER), "GET", path, NULL, 200);
    int64_t events = json_int(json_get(node, "events"), -1), page = json_int(json_get(node, "events_dropped"), -1);
    client_free(&c);
    assert_int_equal(page, dropped);
    assert_int_equal(events + dropped, last);
    assert_int_equal(database_int(&t->keepd, "SELECT COUNT(*) FROM events WHERE node <> 0"), events);
    assert_int_equal(database_int(&t->keepd, "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM node_drops"), dropped);
    assert_int_equal(database_int(&t->keepd, "SELECT through_seq FROM nodes"), last);
}

static int rounds(int otherwise)
{
    const char *text = getenv("KEEP_ROUNDS");
    int64_t n;

    return text != NULL && str_to_i64(text, 1, 100000, &n) ? (int)n : otherwise;
}

/* ---- kill -9 -------------------------------------------------------------------------------- */

static void what_the_agent_acknowledged_survives_its_kill_9(void **state)
{
    struct fixture *t = *state;
    struct crowd w = { .t = t, .priority = "Critical" };
    pthread_t threads[POSTERS];
    int n = rounds(12);

    agent_open(&t->agent, &t->keepd, NULL, settings);
    agent_start(&t->agent);
    for (int i = 0; i < n; i++) {
        crowd_start(&w, threads);
        nap_ms(any(30, 400));
        assert_int_equal(agent_stop(&t->agent, SIGKILL, 10000), 128 + SIGKILL);
        crowd_stop(&w, threads);
        agent_start(&t->agent);
    }
    wait_until_sent(t);
    check_stored(t, &w);
    check_account(t);
    printf("agent kill -9: %d rounds, %d acknowledged, %d unanswered; 0 lost, 0 doubled\n", n, w.acked, w.unanswered);
}

static void a_server_that_is_killed_gets_what_it_missed_once(void **state)
{
    struct fixture *t = *state;
    struct crowd w = { .t = t, .priority = "Notice", .pause_ms = 2 };
    pthread_t threads[POSTERS];
    static const char *const verify[] = { "verify", NULL };
    char said[4096];
    int n = rounds(8);

    agent_open(&t->agent, &t->keepd, NULL, settings);
    agent_start(&t->agent);
    crowd_start(&w, threads);
    for (int i = 0; i < n; i++) {
        nap_ms(any(50, 400));
        keepd_stop(&t->keepd, SIGKILL, 10000);
        nap_ms(any(0, 300));
        keepd_start_at(&t->keepd, t->keepd.port);
    }
    crowd_stop(&w, threads);
    wait_until_sent(t);
    check_stored(t, &w);
    check_account(t);
    assert_int_equal(w.refused, 0);
    keepd_stop(&t->keepd, SIGTERM, 20000);
    assert_int_equal(keepd_run(&t->keepd, verify, said, sizeof said), 0);
    keepd_start(&t->keepd);
    printf("server kill -9: %d rounds, %d acknowledged by the agent; 0 lost, 0 doubled\n", n, w.acked);
}

/* ---- the network ------------------------------------------------------------------------------ */

/* A proxy that can be cut: then connections are reset, or swallow what they are given. */
struct proxy {
    int fd, port, to;
    _Atomic int mode;                    /* 0 passes, 1 resets, 2 swallows answers */
    _Atomic bool stop;
    pthread_t thread;
};

struct pipe_pair { struct proxy *proxy; int a, b; };

static bool pass(const struct pipe_pair *p, int from, int to, bool is_answer)
{
    char data[16384];
    ssize_t n = recv(from, data, sizeof data, 0);

    if (n <= 0)
        return false;
    if (p->proxy->mode == 1)
        return false;
    if (p->proxy->mode == 2 && is_answer)
        return true;
    for (ssize_t done = 0, k; done < n; done += k)
        if ((k = send(to, data + done, (size_t)(n - done), MSG_NOSIGNAL)) <= 0)
            return false;
    return true;
}

static void *proxy_pair(void *arg)
{
    struct pipe_pair *p = arg;
    struct pollfd fds[2] = { { p->a, POLLIN, 0 }, { p->b, POLLIN, 0 } };

    while (!p->proxy->stop && p->proxy->mode != 1) {
        if (poll(fds, 2, 50) <= 0)
            continue;
        if ((fds[0].revents != 0 && !pass(p, p->a, p->b, false)) || (fds[1].revents != 0 && !pass(p, p->b, p->a, true)))
            break;
    }
    struct linger now = { 1, 0 };
    setsockopt(p->a, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(p->a);
    close(p->b);
    free(p);
    return NULL;
}

static int dial(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

static void *proxy_main(void *arg)
{
    struct proxy *x = arg;
    struct pollfd listening = { x->fd, POLLIN, 0 };
    pthread_t thread;

    while (!x->stop) {
        if (poll(&listening, 1, 50) <= 0)
            continue;
        int a = accept4(x->fd, NULL, NULL, SOCK_CLOEXEC), b = x->mode == 1 ? -1 : dial(x->to);
        struct pipe_pair *p = malloc(sizeof *p);
        *p = (struct pipe_pair){ x, a, b };
        if (a < 0 || b < 0 || pthread_create(&thread, NULL, proxy_pair, p) != 0) {
            close(a);
            free(p);
            continue;
        }
        pthread_detach(thread);
    }
    return NULL;
}

static void proxy_open(struct proxy *x, int to)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    *x = (struct proxy){ .to = to, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    assert_int_equal(bind(x->fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(x->fd, 64), 0);
    getsockname(x->fd, (struct sockaddr *)&at, &len);
    x->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&x->thread, NULL, proxy_main, x), 0);
}

static void proxy_close(struct proxy *x)
{
    x->stop = true;
    pthread_join(x->thread, NULL);
    close(x->fd);
    nap_ms(200);
}

static void a_network_that_is_cut_costs_nothing(void **state)
{
    struct fixture *t = *state;
    struct crowd w = { .t = t, .priority = "Notice", .pause_ms = cut_s() > 0 ? 50 : 3 };
    pthread_t threads[POSTERS];
    struct proxy proxy;
    char server[64];

    proxy_open(&proxy, t->keepd.port);
    snprintf(server, sizeof server, "http://127.0.0.1:%d", proxy.port);
    agent_open(&t->agent, &t->keepd, server, settings);
    agent_start(&t->agent);
    crowd_start(&w, threads);
    for (int i = 0; i < rounds(5); i++) {
        nap_ms(any(200, 500));
        proxy.mode = 1 + i % 2;                      /* answers get lost, too: the server has the batch, the agent does not know */
        nap_ms(cut_s() > 0 ? (int)cut_s() * 1000 : any(500, 1500));
        if (proxy.mode == 2)
            proxy.mode = 1;
        nap_ms(100);
        proxy.mode = 0;
    }
    crowd_stop(&w, threads);
    assert_int_equal(w.refused + w.unanswered, 0);   /* the agent takes events all the while */
    wait_until_sent(t);
    check_stored(t, &w);
    check_account(t);
    printf("network cut: %d acknowledged by the agent, %lld batches sent again; 0 lost, 0 doubled\n", w.acked,
           (long long)agent_status_int(&t->agent, "sent.repeats"));
    agent_close(&t->agent);
    proxy_close(&proxy);
}

/* ---- a full disk ---------------------------------------------------------------------------------- */

static bool private_tmpfs(const char *at, const char *options)
{
    mkdir(at, 0700);
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", at, "tmpfs", 0, options) == 0;
}

static void a_full_disk_costs_low_events_and_says_no_to_critical_ones(void **state)
{
    struct fixture *t = *state;
    struct crowd low = { .t = t, .priority = NULL, .padding = 4000 }, w = { .t = t, .priority = "Critical", .padding = 4000 };
    pthread_t threads[POSTERS];
    char folder[64] = "/tmp/keep-full-XXXXXX", body[9000];
    static const char few[] = "receive: {port: 0}\nspool: {bytes: 64MiB, segment_bytes: 256KiB, reserve_bytes: 256KiB}\n"
                              "send: {linger: 0s, events: 50}\npoll: {wait: 0s, interval: 2s}\ninventory: {interval: 3600s}\n";

    assert_non_null(mkdtemp(folder));
    snprintf(t->agent.state, sizeof t->agent.state, "%s/state", folder);
    if (!private_tmpfs(t->agent.state, "size=6m")) {
        rmdir(t->agent.state);
        rmdir(folder);
        t->agent.state[0] = '\0';
        printf("a full disk: left out, no tmpfs can be mounted here (%s)\n", strerror(errno));
        skip();
    }
    agent_open(&t->agent, &t->keepd, NULL, few);
    agent_start(&t->agent);
    keepd_stop(&t->keepd, SIGTERM, 20000);           /* so that nothing leaves the spool */
    crowd_start(&low, threads);
    while (low.next < 2000)
        nap_ms(10);
    crowd_stop(&low, threads);
    nap_ms(1200);
    assert_int_equal(low.refused, 0);                /* accepted, and some of them counted as dropped since */
    assert_true(agent_dropped(&t->agent, "low", "disk_full") > 0);

    w.next = (int)low.next;
    crowd_start(&w, threads);
    while (w.refused < 20 && w.next < EVENTS_MAX)
        nap_ms(10);
    crowd_stop(&w, threads);
    assert_true(w.acked > 500);                      /* the low ones went for them */
    nap_ms(1200);
    assert_true(agent_status_int(&t->agent, "spool.low") < 70);       /* but for the batch on its way */
    falco_text("x-1", "Critical", 4000, body, sizeof body);

    keepd_start_at(&t->keepd, t->keepd.port);        /* and by itself it is well again */
    wait_until_sent(t);
    memset(t->acked, 0, (size_t)low.next);           /* of the low ones the agent kept account, not all */
    check_stored(t, &w);
    check_account(t);
    struct client c;
    client_init(&c, t->agent.port);
    struct reply r = client_send(&c, &(struct ask){ "POST", "/", NULL, "Content-Type: application/json\r\n", body, strlen(body) });
    assert_int_equal(r.status, 200);
    client_free(&c);
    printf("full disk: %d low taken, %lld of them dropped and counted; %d critical kept, %d refused with 503; 0 lost, 0 doubled\n",
           low.acked, (long long)agent_dropped(&t->agent, "low", NULL), w.acked, w.refused);
    agent_stop(&t->agent, SIGTERM, 20000);
    umount2(t->agent.state, MNT_DETACH);
}

/* ---- the clock ------------------------------------------------------------------------------------ */

static void set_clock(const char *file, const char *text)
{
    FILE *f = fopen(file, "w");

    assert_non_null(f);
    fprintf(f, "%s\n", text);
    fclose(f);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAY_PRELOAD false                            /* the sanitizer wants to be first */
#else
#define MAY_PRELOAD true
#endif

static const char *faketime_library(void)
{
    static const char *const places[] = {
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    };

    for (size_t i = 0; i < N_ITEMS(places); i++)
        if (MAY_PRELOAD && access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

static void a_clock_that_jumps_costs_nothing(void **state)
{
    struct fixture *t = *state;
    struct crowd w = { .t = t, .priority = "Notice", .pause_ms = 5 };
    pthread_t threads[POSTERS];
    char preload[120], file[80] = "/tmp/keep-clock-XXXXXX", from[120];
    const char *library = faketime_library();
    static const char *const jumps[] = { "-10d", "+400d", "+0", "-3600d" };

    if (library == NULL) {
        printf("clock jumps: left out, libfaketime cannot be used here\n");
        skip();
        return;
    }
    close(mkstemp(file));
    set_clock(file, "+0");
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
    snprintf(from, sizeof from, "FAKETIME_TIMESTAMP_FILE=%s", file);
    const char *const environment[] = { preload, from, "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1", NULL };
    agent_open(&t->agent, &t->keepd, NULL, settings);
    t->agent.environment = environment;
    agent_start(&t->agent);
    crowd_start(&w, threads);
    for (size_t i = 0; i < N_ITEMS(jumps); i++) {
        int before = w.acked;
        set_clock(file, jumps[i]);
        nap_ms(1000);
        assert_true(w.acked > before);
    }
    set_clock(file, "+0");
    nap_ms(500);
    crowd_stop(&w, threads);
    wait_until_sent(t);
    check_stored(t, &w);
    check_account(t);
    printf("clock jumps: %d acknowledged; 0 lost, 0 doubled\n", w.acked);
    t->agent.environment = NULL;
    unlink(file);
}

/* ---- three times too much ---------------------------------------------------------------------------- */

static void three_times_too_much_is_dropped_by_class_and_counted_everywhere(void **state)
{
    struct fixture *t = *state;
    struct crowd low = { .t = t, .priority = NULL, .padding = 4000 }, normal = { .t = t, .priority = "Notice", .padding = 4000 },
                 critical = { .t = t, .priority = "Critical", .padding = 4000 };
    pthread_t threads[POSTERS];
    static const char few[] = "receive: {port: 0}\nspool: {bytes: 4MiB, segment_bytes: 256KiB}\nsend: {linger: 0s}\n"
                              "poll: {wait: 0s, interval: 2s}\ninventory: {interval: 3600s}\n";

    agent_open(&t->agent, &t->keepd, NULL, few);
    agent_start(&t->agent);
    keepd_stop(&t->keepd, SIGTERM, 20000);
    struct crowd *const crowds[] = { &low, &normal, &critical };
    int next = 0;
    for (size_t i = 0; i < N_ITEMS(crowds); i++) {   /* 3 MiB low, 8 normal, 2 critical into 4 */
        static const int many[] = { 700, 2000, 500 };
        crowds[i]->next = next;
        next += many[i];
        crowd_start(crowds[i], threads);
        while (crowds[i]->next < next)
            nap_ms(2);
        crowd_stop(crowds[i], threads);
        assert_int_equal(crowds[i]->refused + crowds[i]->unanswered, 0);
        next = crowds[i]->next;
    }
    nap_ms(1200);
    assert_true(agent_status_int(&t->agent, "spool.bytes") <= 4 << 20);
    int64_t lost_low = agent_dropped(&t->agent, "low", "spool_full"), lost_normal = agent_dropped(&t->agent, "normal", "spool_full");
    assert_true(lost_low >= low.acked - 70);         /* all, before the first normal one went, but those of the batch on its way */
    assert_true(lost_normal > 1000);
    assert_int_equal(agent_dropped(&t->agent, "critical", NULL), 0);
    keepd_start_at(&t->keepd, t->keepd.port);
    wait_until_sent(t);
    check_account(t);
    size_t rows = events_stored(&t->keepd, "e-", t->stored, EVENTS_MAX);
    assert_int_equal(rows, (int64_t)(low.acked + normal.acked + critical.acked) - lost_low - lost_normal);
    printf("overload: %d taken in, %zu stored, %lld low and %lld normal dropped, 0 critical; agent, node page and database agree\n",
           low.acked + normal.acked + critical.acked, rows, (long long)lost_low, (long long)lost_normal);
}

static void past_the_rate_that_the_server_sets_low_events_go_and_are_counted(void **state)
{
    struct fixture *t = *state;
    struct crowd low = { .t = t, .priority = NULL }, normal = { .t = t, .priority = "Notice" };
    pthread_t threads[POSTERS];

    agent_open(&t->agent, &t->keepd, NULL, settings);
    agent_start(&t->agent);
    if (!agent_wait_for(&t->agent, "bundle.version", 1, 20000))
        fail();
    nap_ms(200);
    crowd_start(&low, threads);
    while (low.next < 300)
        nap_ms(2);
    crowd_stop(&low, threads);
    int from = low.next;
    normal.next = from;
    crowd_start(&normal, threads);
    while (normal.next < from + 200)
        nap_ms(2);
    crowd_stop(&normal, threads);
    wait_until_sent(t);
    int64_t lost = agent_dropped(&t->agent, "low", "overload");
    assert_true(lost > 0);
    assert_int_equal(agent_dropped(&t->agent, NULL, NULL), lost);
    check_account(t);
    assert_int_equal(events_stored(&t->keepd, "e-", t->stored, EVENTS_MAX), low.acked + normal.acked - lost);
    printf("server's rate: %d low and %d normal taken, %lld low dropped and counted\n", low.acked, normal.acked, (long long)lost);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(what_the_agent_acknowledged_survives_its_kill_9),
        T(a_server_that_is_killed_gets_what_it_missed_once),
        T(a_network_that_is_cut_costs_nothing),
        T(a_clock_that_jumps_costs_nothing),
        T(three_times_too_much_is_dropped_by_class_and_counted_everywhere),
        cmocka_unit_test_setup_teardown(past_the_rate_that_the_server_sets_low_events_go_and_are_counted, setup_slow, teardown),
        T(a_full_disk_costs_low_events_and_says_no_to_critical_ones),
    };

    return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
