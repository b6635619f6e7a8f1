/* What the agent costs: appends to its spool, and CPU and memory at 1,000 events/s from
 * Falco through a real keep-agent to a real keepd.  agent [SECONDS]  (20) */
#include "agent/spool.h"
#include "base/str.h"
#include "base/time.h"
#include "tests/support/agent.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { RATE = 1000, EVENT_BYTES = 800, APPENDERS = 8, POSTERS = 4 };

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void fail_with(const struct err *err)
{
    fprintf(stderr, "bench: %s\n", err->msg);
    exit(1);
}

/* ---- the spool ----------------------------------------------------------------------- */

struct appender { struct spool *spool; int64_t until_us, n; size_t group; char text[EVENT_BYTES + 1]; };

static void *append(void *arg)
{
    struct appender *a = arg;
    struct spool_group g;
    struct err err = { 0 };

    while (now_us() < a->until_us) {
        spool_begin(a->spool, &g);
        for (size_t i = 0; i < a->group; i++)
            if (spool_put(a->spool, &g, SPOOL_NORMAL, a->text, EVENT_BYTES, &err) != 0)
                fail_with(&err);
        if (spool_commit(a->spool, &g, &err) != 0)
            fail_with(&err);
        a->n += (int64_t)a->group;
    }
    return NULL;
}

static int64_t process_cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void spool_rate(size_t threads, size_t group)
{
    const struct spool_limits limits = { .bytes = 128 << 20 };
    struct appender list[APPENDERS];
    pthread_t ids[APPENDERS];
    char dir[] = "/tmp/keep-bench-XXXXXX";
    struct spool *s;
    struct spool_status st;
    struct err err = { 0 };
    int64_t n = 0;

    if (mkdtemp(dir) == NULL || spool_open(dir, &limits, &s, &err) != 0)
        fail_with(&err);
    int64_t from = now_us(), cpu = process_cpu_us();
    for (size_t i = 0; i < threads; i++) {
        list[i] = (struct appender){ .spool = s, .until_us = from + 2000000, .group = group };
        snprintf(list[i].text, sizeof list[i].text, "{\"x\":\"%0*d\"}", EVENT_BYTES - 8, 7);
        pthread_create(&ids[i], NULL, append, &list[i]);
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        n += list[i].n;
    }
    int64_t took = now_us() - from;
    cpu = process_cpu_us() - cpu;
    spool_status(s, &st);
    printf("spool: %zu threads, %3zu events a commit: %8.0f events/s durable, %6.0f fsyncs/s, %5.1f us of CPU an event\n", threads, group,
           (double)n * 1e6 / (double)took, (double)st.syncs * 1e6 / (double)took, (double)cpu / (double)n);
    spool_close(s);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- the agent ------------------------------------------------------------------------- */

static int64_t cpu_ms_of(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long user = 0, system = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL || fgets(text, sizeof text, f) == NULL)
        return -1;
    fclose(f);
    const char *behind = strrchr(text, ')');
    if (behind == NULL || sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        return -1;
    return (int64_t)((user + system) * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
}

struct poster { int port, i; int64_t from_us, until_us, sent, refused, worst_us; };

/* A quarter of the rate, over one connection. */
static void *post_events(void *arg)
{
    struct poster *p = arg;
    struct client c;
    char body[3000], uuid[40];

    client_init(&c, p->port);
    while (now_us() < p->until_us) {
        int64_t due = p->from_us + p->sent * 1000000 * POSTERS / RATE, now = now_us();
        if (due > now)
            usleep((useconds_t)(due - now));
        snprintf(uuid, sizeof uuid, "b-%d-%lld", p->i, (long long)p->sent);
        falco_text(uuid, "Notice", 700, body, sizeof body);
        now = now_us();
        struct reply r = client_send(&c, &(struct ask){ "POST", "/", NULL, "Content-Type: application/json\r\n", body, strlen(body) });
        p->refused += r.status != 200;
        p->worst_us = now_us() - now > p->worst_us ? now_us() - now : p->worst_us;
        p->sent++;
    }
    client_free(&c);
    return NULL;
}

static void agent_rate(int seconds)
{
    struct keepd keepd;
    struct test_agent agent = { .pid = 0 };
    struct poster list[POSTERS];
    pthread_t ids[POSTERS];
    int64_t sent = 0, refused = 0, worst = 0;

    keepd_open(&keepd, NULL, false);
    agent_open(&agent, &keepd, NULL, "receive: {port: 0}\n");
    agent_start(&agent);
    usleep(1500000);
    int64_t idle = agent_status_int(&agent, "process.rss_kib"), idle_cpu = cpu_ms_of(agent.pid);
    usleep(5000000);
    idle_cpu = cpu_ms_of(agent.pid) - idle_cpu;
    int64_t from = now_us(), cpu = cpu_ms_of(agent.pid), server_cpu = keepd_cpu_ms(&keepd);
    for (int i = 0; i < POSTERS; i++) {
        list[i] = (struct poster){ .port = agent.port, .i = i, .from_us = from, .until_us = from + (int64_t)seconds * 1000000 };
        pthread_create(&ids[i], NULL, post_events, &list[i]);
    }
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(ids[i], NULL);
        sent += list[i].sent;
        refused += list[i].refused;
        worst = list[i].worst_us > worst ? list[i].worst_us : worst;
    }
    int64_t took = now_us() - from;
    cpu = cpu_ms_of(agent.pid) - cpu;
    server_cpu = keepd_cpu_ms(&keepd) - server_cpu;
    if (!agent_wait_for(&agent, "spool.events", 0, 60000))
        exit(1);
    usleep(1200000);
    printf("agent at rest: %lld KiB resident, %lld ms of CPU in 5 s\n", (long long)idle, (long long)idle_cpu);
    printf("agent at %.0f events/s (%d connections, each event answered when durable): %.1f %% of a core, %.0f us of CPU an event, "
           "%lld KiB resident (most %lld); %lld refused, slowest answer %.1f ms\n", (double)sent * 1e6 / (double)took, POSTERS,
           (double)cpu * 1e5 / (double)took, (double)cpu * 1000 / (double)sent, (long long)agent_status_int(&agent, "process.rss_kib"),
           (long long)agent_status_int(&agent, "process.rss_peak_kib"), (long long)refused, (double)worst / 1000);
    printf("sent: %lld batches, %lld bytes compressed of %lld (1 : %.1f); server %.0f us of CPU an event\n",
           (long long)agent_status_int(&agent, "sent.batches"), (long long)agent_status_int(&agent, "sent.bytes"),
           (long long)agent_status_int(&agent, "sent.bytes_uncompressed"),
           (double)agent_status_int(&agent, "sent.bytes_uncompressed") / (double)agent_status_int(&agent, "sent.bytes"),
           (double)server_cpu * 1000 / (double)sent);
    agent_close(&agent);
    keepd_close(&keepd);
}

int main(int argc, char **argv)
{
    int64_t seconds = 20;
    struct err err;

    if ((argc > 1 && !str_to_i64(argv[1], 1, 3600, &seconds)) || crypto_init(&err) != 0)
        return 1;
    spool_rate(1, 1);
    spool_rate(8, 1);
    spool_rate(1, 100);
    spool_rate(1, 500);
    agent_rate((int)seconds);
    return 0;
}
