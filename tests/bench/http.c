/* What the HTTP layer costs.
 *
 *   http serve          listens, prints the port, serves until SIGTERM
 *   http idle N         N connections that asked once and stay: resident memory
 *   http slow N         N connections with half a head: what an honest client waits
 *
 * tests/bench/http.sh drives `serve` with wrk and compares with nginx. */
#include "tests/flow/http_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct fixture f;

static void start(int64_t head_ms)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
    fx_start(&f, &(struct http_config){ .max_connections = 30000, .max_per_address = 30000, .head_ms = head_ms,
                                        .idle_ms = 600000, .backlog = 4096 },
             &(struct work_config){ .threads = 2, .queue_max = 10000 }, NULL, 0);
}

static long resident_kb(void)
{
    char line[256];
    long kb = -1;
    FILE *s = fopen("/proc/self/status", "r");

    while (s != NULL && fgets(line, sizeof line, s) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    if (s != NULL)
        fclose(s);
    return kb;
}

/* The child holds the clients' ends, so that only the server's memory is counted. */
static int hold(int port, int n, int ready)
{
    struct answer a;
    int done = 0;

    for (int i = 0; i < n; i++) {
        int fd = fx_connect(port);
        if (fd < 0 || !fx_puts(fd, "GET /v1/open-bundle HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"bundle-1\"\r\n\r\n"))
            break;
        a = fx_answer(fd, true, 10000, NULL);
        done += a.status == 304;
        answer_free(&a);
    }
    if (write(ready, &done, sizeof done) != sizeof done)
        return 1;
    pause();
    return 0;
}

static int idle(int n)
{
    int ready[2], done = 0;

    if (pipe(ready) != 0)
        return 2;
    start(60000);
    long before = resident_kb();
    pid_t pid = fork();
    if (pid == 0)
        _exit(hold(f.port, n, ready[1]));
    if (pid < 0 || read(ready[0], &done, sizeof done) != sizeof done)
        return 2;
    long after = resident_kb();
    printf("idle connections: %d of %d, resident %ld KB before, %ld KB with them, %.2f KB each\n", done, n, before,
           after, (double)(after - before) / (done > 0 ? done : 1));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    fx_stop(&f);
    return done == n ? 0 : 1;
}

static int stall(int port, int n, int ready)
{
    int done = 0;

    while (done < n) {
        int fd = fx_connect(port);
        if (fd < 0 || !fx_puts(fd, "GET /v1/light HTTP/1.1\r\nHost: a\r\nX: "))
            break;
        done++;
    }
    if (write(ready, &done, sizeof done) != sizeof done)
        return 1;
    pause();
    return 0;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int slow(int n)
{
    enum { ASKS = 300 };
    int64_t us[ASKS];
    int ready[2], done = 0, good = 0;

    if (pipe(ready) != 0)
        return 2;
    start(5000);
    pid_t pid = fork();
    if (pid == 0)
        _exit(stall(f.port, n, ready[1]));
    if (pid < 0 || read(ready[0], &done, sizeof done) != sizeof done)
        return 2;
    for (int i = 0; i < ASKS; i++) {
        int64_t from = now_us();
        struct answer a = fx_once(f.port, "GET /v1/light HTTP/1.1\r\nHost: a\r\n\r\n");
        us[i] = now_us() - from;
        good += a.status == 200;
        answer_free(&a);
    }
    qsort(us, ASKS, sizeof us[0], by_value);
    long kb = resident_kb();
    sleep(7);
    struct answer a = fx_once(f.port, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *left = a.status == 200 ? strstr(a.body, "\nkeepd_http_connections ") : NULL;
    printf("slow heads: %d; honest requests: %d of %d, median %.2f ms, p99 %.2f ms; resident %ld KB; "
           "connections 7 s later: %ld\n", done, good, ASKS, (double)us[ASKS / 2] / 1000,
           (double)us[ASKS * 99 / 100] / 1000, kb, left == NULL ? -1 : strtol(left + 24, NULL, 10));
    answer_free(&a);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    fx_stop(&f);
    return good == ASKS ? 0 : 1;
}

static int serve(void)
{
    sigset_t ends;
    int which;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    start(5000);
    printf("%d\n", f.port);
    fflush(stdout);
    sigwait(&ends, &which);
    fx_stop(&f);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "idle") == 0)
        return idle((int)strtol(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "slow") == 0)
        return slow((int)strtol(argv[2], NULL, 10));
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve();
    fprintf(stderr, "usage: http serve | idle N | slow N\n");
    return 2;
}
