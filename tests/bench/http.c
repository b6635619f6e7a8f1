/* What the HTTP layer costs.
 *
 *   http serve          listens, prints the port, serves until SIGTERM
 *   http idle N         N connections that asked once and stay: resident memory
 *
 * tests/bench/http.sh drives `serve` with wrk and compares with nginx. */
#include "tests/flow/http_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct fixture f;

static void start(void)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
    fx_start(&f, &(struct http_config){ .max_connections = 30000, .max_per_address = 30000, .head_ms = 60000,
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
    start();
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

static int serve(void)
{
    sigset_t ends;
    int which;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    start();
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
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve();
    fprintf(stderr, "usage: http serve | idle N\n");
    return 2;
}
