/* Does a poll wait for heavy work?
 *
 *   mixed [AGENTS] [SECONDS] [EVENTS A SECOND]      2000 5 4000
 *
 * Agents poll one real keepd once a second each, their times spread evenly; beside them,
 * in turn: nothing; two processes that only burn a processor each (what a busy machine
 * alone does to polls); events at a steady rate; signed reports of about 1 MB, one after
 * another; events and reports together.  The turns are repeated, so that all see the same
 * machine.  Times are the client's: from sending to the head of the answer; beside them,
 * how long the server's loops waited for a processor while they could run. */
#include "tests/flow/upload.h"
#include "tests/support/events.h"
#include "tests/support/node.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { AGENTS_MAX = 20000, ROUNDS = 3, SENDERS = 2, BATCH = 500, INTERVAL_US = 1000000, HEAD = 1024, NODES_PORT = 18735, EPOLL_MAX = 512 };
enum turn { TURN_ALONE = 0, TURN_BURNERS, TURN_EVENTS, TURN_SCANS, TURN_BOTH, TURN_N };

static const char *const turn_names[TURN_N] = { "polls alone", "two busy processes", "events", "scans", "events and scans" };

struct agent {
    int fd;
    size_t n;
    int64_t sent_us;                     /* 0: not waiting */
    char head[HEAD];
};

/* What was seen in all rounds of a turn. */
struct seen {
    int64_t *us; size_t n, cap;
    int64_t took_us, loop_waits_us, late, wrong, closed, events, scans, refused;
};

static struct keepd keepd;
static struct client client;
static struct test_node node;
static struct agent *agents;
static size_t n_agents;
static char request[1024];
static atomic_bool stop;
static int64_t next_seq[SENDERS];
static atomic_int next_image = 1;

static void die_of(const char *what)
{
    fprintf(stderr, "mixed: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void sleep_until(int64_t at_us)
{
    int64_t left = at_us - now_us();

    if (left > 0)
        nanosleep(&(struct timespec){ left / 1000000, left % 1000000 * 1000 }, NULL);
}

/* ---- agents ---------------------------------------------------------------------------- */

static int dial(size_t i)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(NODES_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in us = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(i / 1000) + 1) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || bind(fd, (void *)&us, sizeof us) != 0 || connect(fd, (void *)&at, sizeof at) != 0)
        die_of("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int agents_open(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC);

    for (size_t i = 0; i < n_agents; i++) {
        agents[i].fd = dial(i);
        if (i % 50 == 49)                /* that they come all at once is another question */
            sleep_until(now_us() + 2000);
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = &agents[i] };
        epoll_ctl(ep, EPOLL_CTL_ADD, agents[i].fd, &e);
    }
    return ep;
}

/* 0: there is more to come. */
static int hear(struct agent *a)
{
    ssize_t n = recv(a->fd, a->head + a->n, HEAD - 1 - a->n, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0)
        return -1;
    a->n += (size_t)n;
    a->head[a->n] = '\0';
    if (strstr(a->head, "\r\n\r\n") == NULL)
        return 0;
    a->n = 0;
    return (int)strtol(a->head + 9, NULL, 10);
}

static void note(struct seen *s, int64_t us)
{
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 65536 : s->cap * 2;
        s->us = realloc(s->us, s->cap * sizeof *s->us);
        if (s->us == NULL)
            die_of("memory");
    }
    s->us[s->n++] = us;
}

static void take_answers(int ep, int64_t due_us, struct seen *s)
{
    struct epoll_event events[EPOLL_MAX];
    int64_t left = due_us - now_us();
    int n = epoll_wait(ep, events, EPOLL_MAX, left > 1000 ? (int)(left / 1000) : left > 0 ? 1 : 0);

    for (int i = 0; i < n; i++) {
        struct agent *a = events[i].data.ptr;
        int status = hear(a);
        if (status == 0)
            continue;
        if (status < 0) {                /* the server closed it: the next poll needs a new one, as an agent's would */
            close(a->fd);
            bool asked = a->sent_us != 0;
            size_t at = (size_t)(a - agents);
            *a = (struct agent){ .fd = dial(at) };
            struct epoll_event e = { .events = EPOLLIN, .data.ptr = a };
            epoll_ctl(ep, EPOLL_CTL_ADD, a->fd, &e);
            s->closed++;
            s->wrong += asked;
            continue;
        }
        note(s, now_us() - a->sent_us);
        s->wrong += status != 304;
        a->sent_us = 0;
    }
}

static void poll_for(int64_t us, struct seen *s)
{
    int ep = agents_open();
    int64_t from = now_us(), last = us * (int64_t)n_agents / INTERVAL_US, next = 0;
    size_t len = strlen(request), waiting = 0;

    while (next < last) {
        for (; next < last && from + next * INTERVAL_US / (int64_t)n_agents <= now_us(); next++) {
            struct agent *a = &agents[(size_t)next % n_agents];
            if (a->sent_us != 0) {
                s->late++;               /* not answered within the interval: it shows when it is */
                continue;
            }
            a->sent_us = now_us();
            if (send(a->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
                die_of("send");
        }
        take_answers(ep, from + next * INTERVAL_US / (int64_t)n_agents, s);
    }
    for (int64_t until = now_us() + 10000000; now_us() < until;) {
        waiting = 0;
        for (size_t i = 0; i < n_agents; i++)
            waiting += agents[i].sent_us != 0;
        if (waiting == 0)
            break;
        take_answers(ep, now_us() + 1000, s);
    }
    s->wrong += (int64_t)waiting;
    for (size_t i = 0; i < n_agents; i++) {
        close(agents[i].fd);
        agents[i] = (struct agent){ 0 };
    }
    close(ep);
}

/* ---- heavy work -------------------------------------------------------------------------- */

struct work {
    pthread_t thread;
    int sender;
    int64_t per_s, done, refused;
};

static void *send_events(void *arg)
{
    static const char *const container = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ff";
    struct work *w = arg;
    struct client c;
    struct buf json;
    char stream[33];
    int64_t from = now_us(), batches = 0;

    client_init(&c, NODES_PORT);
    buf_init(&json, 8 << 20);
    snprintf(stream, sizeof stream, "%032x", 0xabc0 + w->sender);
    while (!atomic_load(&stop)) {
        const struct batch_spec spec = { .stream = stream, .first = next_seq[w->sender], .n = BATCH, .at_ms = time_now_ms() - 1000, .container = container,
                                         .containers = 32, .image = "shop.example/app:1.0", .strange_every = 100 };
        batch_make(&spec, &json);
        sleep_until(from + batches++ * BATCH * 1000000 / w->per_s);
        struct reply r = batch_post_zstd(&c, node.token, &json);
        if (r.status == 200) {
            next_seq[w->sender] += BATCH;
            w->done += BATCH;
        } else {
            w->refused++;
        }
    }
    client_free(&c);
    buf_free(&json);
    return NULL;
}

static void *send_scans(void *arg)
{
    struct work *w = arg;
    struct client c;
    struct buf body;

    client_init(&c, keepd.port);
    buf_init(&body, 64 << 20);
    while (!atomic_load(&stop)) {
        struct report_spec s = spec_of(atomic_fetch_add(&next_image, 1));
        s.packages = 400;
        s.findings = 160;
        s.padding = 450000;
        buf_clear(&body);
        envelope_make(&s, keepd.key, false, &body);
        struct ask ask = { "POST", "/v1/scans", keepd_token(&keepd, ROLE_CI), NULL, body.ptr, body.len };
        if (client_send(&c, &ask).status == 201)
            w->done++;
        else
            w->refused++;
        w->per_s = (int64_t)body.len;
    }
    client_free(&c);
    buf_free(&body);
    return NULL;
}

static pid_t burn(void)
{
    pid_t pid = fork();

    if (pid < 0)
        die_of("fork");
    if (pid == 0) {
        for (volatile uint64_t n = 0;; n++)
            ;
    }
    return pid;
}

/* Of the threads that answer polls: ready to run, and not on a processor. */
static int64_t loops_waited_us(void)
{
    char path[400], comm[32];
    int64_t sum = 0;

    snprintf(path, sizeof path, "/proc/%d/task", (int)keepd.pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        long long on = 0, waited = 0;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/comm", (int)keepd.pid, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        bool loop = f != NULL && fgets(comm, sizeof comm, f) != NULL && strncmp(comm, "MHD-", 4) == 0;
        if (f != NULL)
            fclose(f);
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", (int)keepd.pid, e->d_name);
        f = loop ? fopen(path, "r") : NULL;
        if (f != NULL && fscanf(f, "%lld %lld", &on, &waited) == 2)
            sum += waited / 1000;
        if (f != NULL)
            fclose(f);
    }
    if (d != NULL)
        closedir(d);
    return sum;
}

static int64_t report_bytes;

static void take_turn(enum turn turn, int64_t us, int64_t events_per_s, struct seen *s)
{
    struct work senders[SENDERS] = { 0 }, scans = { 0 };
    bool events = turn == TURN_EVENTS || turn == TURN_BOTH, reports = turn == TURN_SCANS || turn == TURN_BOTH;
    pid_t burners[2] = { 0 };
    int64_t from = now_us();

    atomic_store(&stop, false);
    for (int i = 0; i < 2 && turn == TURN_BURNERS; i++)
        burners[i] = burn();
    for (int i = 0; i < SENDERS && events; i++) {
        senders[i] = (struct work){ .sender = i, .per_s = events_per_s / SENDERS };
        pthread_create(&senders[i].thread, NULL, send_events, &senders[i]);
    }
    if (reports)
        pthread_create(&scans.thread, NULL, send_scans, &scans);
    int64_t waited = loops_waited_us();
    poll_for(us, s);
    s->loop_waits_us += loops_waited_us() - waited;
    atomic_store(&stop, true);
    s->took_us += now_us() - from;
    for (int i = 0; i < SENDERS && events; i++) {
        pthread_join(senders[i].thread, NULL);
        s->events += senders[i].done;
        s->refused += senders[i].refused;
    }
    if (reports) {
        pthread_join(scans.thread, NULL);
        s->scans += scans.done;
        s->refused += scans.refused;
        report_bytes = scans.per_s;
    }
    for (int i = 0; i < 2 && burners[i] > 0; i++) {
        kill(burners[i], SIGKILL);
        waitpid(burners[i], NULL, 0);
    }
}

/* ---- the table ------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double ms_at(const struct seen *s, size_t permille)
{
    size_t i = s->n * permille / 1000;

    return s->n == 0 ? 0 : (double)s->us[i < s->n ? i : s->n - 1] / 1000;
}

static void print_turn(enum turn turn, struct seen *s)
{
    double seconds = (double)s->took_us / 1e6;

    qsort(s->us, s->n, sizeof *s->us, by_value);
    printf("%-20s %7zu polls   p50 %6.2f   p90 %6.2f   p99 %6.2f   p99.9 %6.2f   most %7.2f ms", turn_names[turn], s->n, ms_at(s, 500), ms_at(s, 900),
           ms_at(s, 990), ms_at(s, 999), ms_at(s, 1000));
    printf("   loops waited %.2f ms a poll", (double)s->loop_waits_us / 1000 / (double)(s->n > 0 ? s->n : 1));
    if (s->events > 0)
        printf("   %.0f events/s", (double)s->events / seconds);
    if (s->scans > 0)
        printf("   %.1f scans/s", (double)s->scans / seconds);
    printf("%s\n", s->wrong + s->late + s->refused + s->closed > 0 ? "   (not all well:" : "");
    if (s->wrong + s->late + s->refused + s->closed > 0)
        printf("    %lld not answered with 304, %lld late, %lld connections closed, %lld uploads refused)\n", (long long)s->wrong,
               (long long)s->late, (long long)s->closed, (long long)s->refused);
}

static void open_all(void)
{
    static const char *const settings[] = { "KEEP_LIMIT_CONNECTIONS=30000", "KEEP_LIMIT_CONNECTIONS_PER_ADDRESS=30000", "KEEP_LIMIT_RATE=0",
                                            "KEEP_LISTEN_NODES=127.0.0.1:18735", NULL };
    struct ask ask = { "GET", "/v1/agent/bundle", NULL, NULL, NULL, 0 };
    char etag[96] = "";

    keepd_open(&keepd, settings, false);
    client_init(&client, keepd.port);
    test_node_join(&client, keepd_token(&keepd, ROLE_ADMIN), "bench", NULL, &node);
    ask.token = node.token;
    struct reply r = client_send(&client, &ask);
    if (r.status != 200 || !reply_header(&r, "ETag", etag, sizeof etag)) {
        fprintf(stderr, "mixed: no bundle\n");
        exit(2);
    }
    snprintf(request, sizeof request, "GET /v1/agent/bundle?applied=1 HTTP/1.1\r\nHost: keep\r\nUser-Agent: keep-agent\r\nAccept: */*\r\n"
             "Accept-Encoding: gzip\r\nAuthorization: Bearer %s\r\nIf-None-Match: %s\r\n\r\n", node.token, etag);
    for (int i = 0; i < SENDERS; i++)
        next_seq[i] = 1;
}

int main(int argc, char **argv)
{
    int64_t wanted = argc > 1 ? atoll(argv[1]) : 2000, seconds = argc > 2 ? atoll(argv[2]) : 5, events_per_s = argc > 3 ? atoll(argv[3]) : 4000;
    struct seen seen[TURN_N] = { { 0 } };
    struct err err;
    double load[1] = { 0 };

    if (crypto_init(&err) != 0 || wanted < 1 || wanted > AGENTS_MAX || seconds < 1 || events_per_s < 100)
        return 2;
    n_agents = (size_t)wanted;
    agents = calloc(n_agents, sizeof *agents);
    if (agents == NULL)
        die_of("memory");
    open_all();
    for (int round = 0; round < ROUNDS; round++)
        for (int turn = 0; turn < TURN_N; turn++)
            take_turn((enum turn)turn, seconds * 1000000, events_per_s, &seen[turn]);
    getloadavg(load, 1);
    printf("%zu agents poll once a second each, %d rounds of %lld s, reports of %lld KB, load %.0f\n", n_agents, ROUNDS, (long long)seconds,
           (long long)report_bytes / 1000, load[0]);
    for (int turn = 0; turn < TURN_N; turn++)
        print_turn((enum turn)turn, &seen[turn]);
    test_node_free(&node);
    client_free(&client);
    keepd_close(&keepd);
    return 0;
}
