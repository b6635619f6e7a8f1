/* Tens of thousands of connections that are opened and then say next to nothing, from
 * many addresses of the loopback network, at a real keepd with its usual limits: honest
 * nodes go on, on the connections they have and on new ones; memory stays bounded; the
 * metrics tell. */
#include "tests/flow/events.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
enum { MIB_MAX = 1500 };                 /* not the server's own */
#else
enum { MIB_MAX = 400 };
#endif
enum { ATTACKERS = 2, PER_ATTACKER_MAX = 15000, ADDRESSES = 100, SECONDS = 20, OPENS_A_TURN = 100, HONEST = 3 };

struct shared {                          /* by attackers; in shared memory */
    _Atomic int stop;
    _Atomic long opened, closed, open[ATTACKERS];
};

static const char begun[] = "GET /v1/agent/bundle HTTP/1.1\r\nHost: keepd\r\nX-Slow: ";

static int open_slow(int port, int attacker, int i)
{
    const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct sockaddr_in from = { .sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(0x7f000000u | (uint32_t)(attacker + 1) << 16 | (uint32_t)(i % ADDRESSES + 1)) };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (const void *)&from, sizeof from) != 0 || (connect(fd, (const void *)&to, sizeof to) != 0 && errno != EINPROGRESS)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The head of a request, one byte a turn; false: the server has closed it. */
static bool drip(int fd, unsigned char *said)
{
    ssize_t n = send(fd, &begun[*said], 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    char ignored[256];

    if (n == 1)
        *said = *said + 2u < sizeof begun ? (unsigned char)(*said + 1u) : (unsigned char)(sizeof begun - 3);
    else if (errno != EAGAIN && errno != ENOTCONN)
        return false;
    n = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == ENOTCONN));
}

static int slots_here(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > PER_ATTACKER_MAX + 100 ? PER_ATTACKER_MAX : (int)limit.rlim_cur - 100;
}

/* What the server closes is opened again at once. */
static void attack(struct shared *s, int port, int attacker)
{
    static int fds[PER_ATTACKER_MAX];
    static unsigned char said[PER_ATTACKER_MAX];
    int slots = slots_here(), at = 0;

    memset(fds, -1, sizeof fds);
    while (!s->stop) {
        for (int opened = 0, looked = 0; opened < OPENS_A_TURN && looked < slots / 4; looked++, at = (at + 1) % slots) {
            if (fds[at] >= 0 && !drip(fds[at], &said[at])) {
                close(fds[at]);
                fds[at] = -1;
                s->closed++;
                s->open[attacker]--;
            }
            if (fds[at] >= 0)
                continue;
            said[at] = 0;
            opened++;
            if ((fds[at] = open_slow(port, attacker, at)) >= 0) {
                s->opened++;
                s->open[attacker]++;
            }
        }
        nap_ms(10);
    }
}

struct honest {
    struct test_node node;
    struct client c;
    int64_t seq, worst_ms;
    int answered, failed;
};

static void speak(struct node_fixture *t, struct honest *h)
{
    const struct batch_spec s = batch_of(stream_a, h->seq, 10);
    int64_t from = time_monotonic_ms();

    batch_make(&s, &t->json);
    int status = batch_post(&h->c, h->node.token, &t->json, true).status;
    int64_t took = time_monotonic_ms() - from;
    h->worst_ms = took > h->worst_ms ? took : h->worst_ms;
    h->answered += status == 200;
    h->failed += status != 200;
    h->seq += status == 200 ? 10 : 0;
}

static int64_t metric(struct client *c, const char *name)
{
    struct reply r = client_send(c, &(struct ask){ "GET", "/metrics", NULL, NULL, NULL, 0 });
    char *copy = r.body != NULL ? strndup(r.body, r.len) : strdup(""), line[160];

    snprintf(line, sizeof line, "\n%s", name);
    const char *at = strstr(copy, line);
    int64_t value = at != NULL ? strtoll(at + strlen(line), NULL, 10) : -1;
    free(copy);
    return value;
}

static void tell(const char *which, const struct honest *h, int n)
{
    for (int i = 0; i < n; i++)
        printf("    honest, %s connections: %d answered, %d not, worst %lld ms\n", which, h[i].answered, h[i].failed, (long long)h[i].worst_ms);
}

static void slow_connections_do_not_keep_honest_nodes_out(void **state)
{
    struct node_fixture *t = *state;
    struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct honest kept[HONEST] = { 0 }, fresh = { 0 };
    int64_t most = 0;
    pid_t pids[ATTACKERS];

    assert_true(s != MAP_FAILED);
    if (slots_here() < 10000) {
        printf("    left out: only %d descriptors\n", slots_here());
        skip();
    }
    for (int i = 0; i < HONEST + 1; i++) {
        struct honest *h = i < HONEST ? &kept[i] : &fresh;
        client_init(&h->c, t->f.keepd.port);
        test_node_join(&t->f.client, as(t, ROLE_ADMIN), "prod", NULL, &h->node);
        h->seq = 1;
        speak(t, h);
    }
    for (int i = 0; i < ATTACKERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            attack(s, t->f.keepd.port, i);
            _exit(0);
        }
    }
    for (int64_t until = time_monotonic_ms() + SECONDS * 1000; time_monotonic_ms() < until;) {
        for (int i = 0; i < HONEST; i++)
            speak(t, &kept[i]);
        client_close(&fresh.c);
        speak(t, &fresh);
        int64_t n = metric(&t->f.client, "keepd_http_connections ");
        most = n > most ? n : most;
        nap_ms(100);
    }
    s->stop = 1;
    for (int i = 0; i < ATTACKERS; i++)
        waitpid(pids[i], NULL, 0);
    printf("    %ld opened slowly, at most %lld at once at the server, %ld closed by it; %lld MiB\n", (long)s->opened, (long long)most,
           (long)s->closed, (long long)(keepd_rss_kib(&t->f.keepd, true) / 1024));
    tell("kept", kept, HONEST);
    tell("new", &fresh, 1);
    client_close(&t->f.client);
    assert_true(s->opened >= 20000 && most <= 12100);
    assert_true(metric(&t->f.client, "keepd_http_connections_shed_total ") > 0);
    for (int i = 0; i < HONEST; i++)
        assert_true(kept[i].failed == 0 && kept[i].answered > 5 && kept[i].worst_ms < 5000);
    assert_true(fresh.answered >= 9 * fresh.failed && fresh.answered > 5 && fresh.worst_ms < 5000);
    assert_true(keepd_rss_kib(&t->f.keepd, true) < MIB_MAX * 1024);
    for (int i = 0; i < HONEST + 1; i++) {
        struct honest *h = i < HONEST ? &kept[i] : &fresh;
        client_free(&h->c);
        test_node_free(&h->node);
    }
    munmap(s, sizeof *s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_connections_do_not_keep_honest_nodes_out),
    };

    return cmocka_run_group_tests_name("slow connections", tests, node_fixture_open, node_fixture_close);
}
