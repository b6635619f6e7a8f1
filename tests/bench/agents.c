/* Thousands of agents that poll: what one costs.
 *
 *   agents                    all of it, with 10,000 connections
 *   agents rate [SECONDS]     304s a second and processor time of each: keepd, bare libmicrohttpd, nginx
 *   agents idle N [tls]       N connections that asked once, then N that are held: memory of each,
 *                             and how long a new bundle takes to reach the last of them
 *
 * One enrolled node asks over all connections; the client is this process, so that
 * keepd's memory is keepd's alone. */
#include "base/time.h"
#include "tests/support/keepd.h"
#include "tests/support/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 64, HEAD = 2048, ROUNDS = 5 };

static void die_of(const char *what)
{
    fprintf(stderr, "agents: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- connections ------------------------------------------------------------------- */

struct peer {
    int fd;
    gnutls_session_t tls;                /* NULL: plain */
    size_t n;
    char head[HEAD];
};

static gnutls_certificate_credentials_t credentials;

static int dial(int port, int from)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in us = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(from / 1000) + 1) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || bind(fd, (void *)&us, sizeof us) != 0 || connect(fd, (void *)&at, sizeof at) != 0)
        die_of("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void open_peer(struct peer *p, int port, int from, bool tls)
{
    *p = (struct peer){ .fd = dial(port, from) };
    if (!tls)
        return;
    gnutls_init(&p->tls, GNUTLS_CLIENT | GNUTLS_NO_TICKETS);
    gnutls_set_default_priority(p->tls);
    gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(p->tls, p->fd);
    int rc;
    do
        rc = gnutls_handshake(p->tls);
    while (rc < 0 && !gnutls_error_is_fatal(rc));
    if (rc < 0) {
        fprintf(stderr, "agents: TLS: %s\n", gnutls_strerror(rc));
        exit(2);
    }
}

static void close_peer(struct peer *p)
{
    if (p->tls != NULL)
        gnutls_deinit(p->tls);
    close(p->fd);
}

static void say(struct peer *p, const char *request)
{
    size_t len = strlen(request);
    ssize_t n = p->tls != NULL ? gnutls_record_send(p->tls, request, len) : send(p->fd, request, len, MSG_NOSIGNAL);

    if (n != (ssize_t)len)
        die_of("send");
}

/* Reads what is there; the status when a head is complete (its body, if any, is dropped), 0: not yet. */
static int hear(struct peer *p)
{
    ssize_t n = p->tls != NULL ? gnutls_record_recv(p->tls, p->head + p->n, HEAD - 1 - p->n)
                               : recv(p->fd, p->head + p->n, HEAD - 1 - p->n, 0);

    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED || (n < 0 && p->tls == NULL && errno == EAGAIN))
        return 0;
    if (n <= 0)
        return -1;
    p->n += (size_t)n;
    p->head[p->n] = '\0';
    if (strstr(p->head, "\r\n\r\n") == NULL)
        return 0;
    p->n = 0;
    return (int)strtol(p->head + 9, NULL, 10);
}

/* ---- 304s a second -------------------------------------------------------------------- */

/* Nanoseconds that a thread was on a processor. */
static int64_t thread_ns(pid_t pid, const char *tid)
{
    char path[96];
    long long ns = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", (int)pid, tid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%lld", &ns) != 1)
        ns = 0;
    fclose(f);
    return ns;
}

static bool is_called(pid_t pid, const char *tid, const char *name)
{
    char path[96], comm[32] = "";

    snprintf(path, sizeof path, "/proc/%d/task/%.20s/comm", (int)pid, tid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return false;
    bool yes = fgets(comm, sizeof comm, f) != NULL && strncmp(comm, name, strlen(name)) == 0;
    fclose(f);
    return yes;
}

/* Of the process's threads whose name begins so ("": all). */
static double cpu_us(pid_t pid, const char *name)
{
    char path[64];
    int64_t sum = 0;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.' && is_called(pid, e->d_name, name))
            sum += thread_ns(pid, e->d_name);
    if (d != NULL)
        closedir(d);
    return (double)sum / 1000;
}

/* Loops of the library, or all there is and its children (nginx). */
static double family_cpu_us(pid_t pid)
{
    char path[80];
    double loops = cpu_us(pid, "MHD-");
    int child;

    if (loops > 0)
        return loops;
    double sum = cpu_us(pid, "");
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fscanf(f, "%d", &child) == 1)
        sum += cpu_us(child, "");
    if (f != NULL)
        fclose(f);
    return sum;
}

struct rate { double per_s, cpu_us; int64_t n, wrong; };

static struct rate load(int port, const char *request, pid_t server, int64_t for_us)
{
    static struct peer peers[CONNECTIONS];
    struct epoll_event events[CONNECTIONS];
    struct rate r = { 0 };
    int ep = epoll_create1(EPOLL_CLOEXEC);

    for (int i = 0; i < CONNECTIONS; i++) {
        open_peer(&peers[i], port, 0, false);
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = &peers[i] };
        epoll_ctl(ep, EPOLL_CTL_ADD, peers[i].fd, &e);
        say(&peers[i], request);
    }
    int64_t from = now_us();
    double cpu = family_cpu_us(server);
    while (now_us() - from < for_us) {
        int n = epoll_wait(ep, events, CONNECTIONS, 1000);
        for (int i = 0; i < n; i++) {
            int status = hear(events[i].data.ptr);
            if (status == 0)
                continue;
            r.n++;
            r.wrong += status != 304;
            if (status < 0)
                die_of("a connection was closed");
            say(events[i].data.ptr, request);
        }
    }
    int64_t took = now_us() - from;
    r.cpu_us = (family_cpu_us(server) - cpu) / (double)(r.n > 0 ? r.n : 1);
    r.per_s = (double)r.n * 1e6 / (double)took;
    for (int i = 0; i < CONNECTIONS; i++)
        close_peer(&peers[i]);
    close(ep);
    return r;
}

/* Nothing but the library: the floor. */
static enum MHD_Result bare_answer(void *response, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
                                   const char *data, size_t *size, void **state)
{
    static int seen;

    (void)url, (void)method, (void)version, (void)data, (void)size;
    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    return MHD_queue_response(mhd, 304, response);
}

static pid_t start_bare(int *port)
{
    int pipes[2];

    if (pipe(pipes) != 0)
        die_of("pipe");
    pid_t pid = fork();
    if (pid != 0) {
        if (pid < 0 || read(pipes[0], port, sizeof *port) != sizeof *port)
            die_of("bare server");
        close(pipes[0]);
        close(pipes[1]);
        return pid;
    }
    struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "ETag", "\"0123456789abcdef-1\"");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "Vary", "Accept-Encoding");
    struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, bare_answer, r,
                                            MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_CONNECTION_LIMIT, 2000u,
                                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)4096, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = d == NULL ? NULL : MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
    int bound = info == NULL ? 0 : info->port;
    if (write(pipes[1], &bound, sizeof bound) != sizeof bound)
        _exit(1);
    for (;;)
        pause();
}

/* 0: it is not installed, or does not start. */
static pid_t start_nginx(const char *dir, int *port, char etag[64])
{
    char path[300], text[1400];

    *port = 19000 + (int)(getpid() % 1000);
    mkdir(dir, 0755);
    snprintf(path, sizeof path, "%s/bundle", dir);
    FILE *f = fopen(path, "w");
    if (f == NULL)
        return 0;
    fputs("some bytes", f);
    fclose(f);
    snprintf(text, sizeof text,
             "user root; worker_processes 2; pid %s/pid; error_log %s/log; daemon off; events { worker_connections 1024; }\n"
             "http { access_log off; keepalive_requests 1000000000; client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s;"
             " uwsgi_temp_path %s; scgi_temp_path %s; server { listen 127.0.0.1:%d; root %s; etag on; } }\n",
             dir, dir, dir, dir, dir, dir, dir, *port, dir);
    snprintf(path, sizeof path, "%s/conf", dir);
    f = fopen(path, "w");
    if (f == NULL)
        return 0;
    fputs(text, f);
    fclose(f);
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 2);
        execlp("nginx", "nginx", "-c", path, "-p", dir, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; pid > 0 && i < 30; i++) {
        struct client c;
        client_init(&c, *port);
        struct ask ask = { "GET", "/bundle", NULL, NULL, NULL, 0 };
        nanosleep(&(struct timespec){ .tv_nsec = 100 * 1000 * 1000 }, NULL);
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return 0;
        struct reply r = client_send(&c, &ask);
        bool up = r.status == 200 && reply_header(&r, "ETag", etag, 64);
        client_free(&c);
        if (up)
            return pid;
    }
    return pid;
}

static void stop_child(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

/* ---- keepd and its node ------------------------------------------------------------------ */

struct stage {
    struct keepd keepd;
    struct client client;
    struct test_node node;
    int port;                            /* of the listener for nodes */
    char etag[96];
};

static const char *const plain_settings[] = {
    "KEEP_LIMIT_CONNECTIONS=30000", "KEEP_LIMIT_CONNECTIONS_PER_ADDRESS=30000", "KEEP_LIMIT_RATE=0", "KEEP_LISTEN_NODES=127.0.0.1:18733",
    "KEEP_THREADS_LOOPS=2", NULL,
};
enum { NODES_PORT = 18733 };

/* The answer's status and its etag. */
static int poll_whole(struct stage *s, char etag[96])
{
    struct ask ask = { "GET", "/v1/agent/bundle", s->node.token, NULL, NULL, 0 };
    struct reply r = client_send(&s->client, &ask);

    reply_header(&r, "ETag", etag, 96);
    return r.status;
}

static void stage_open(struct stage *s)
{
    keepd_open(&s->keepd, plain_settings, false);
    client_init(&s->client, s->keepd.port);
    test_node_join(&s->client, keepd_token(&s->keepd, ROLE_ADMIN), "bench", NULL, &s->node);
    if (poll_whole(s, s->etag) != 200) {
        fprintf(stderr, "agents: no bundle\n");
        exit(2);
    }
    s->port = NODES_PORT;
}

static void stage_close(struct stage *s)
{
    test_node_free(&s->node);
    client_free(&s->client);
    keepd_discard(&s->keepd);
}

static void request_of(const struct stage *s, bool wait, char out[1024])
{
    snprintf(out, 1024, "GET /v1/agent/bundle?applied=1 HTTP/1.1\r\nHost: keep\r\nUser-Agent: keep-agent\r\nAccept: */*\r\n"
             "Accept-Encoding: gzip\r\nAuthorization: Bearer %s\r\nIf-None-Match: %s\r\n%s\r\n", s->node.token, s->etag,
             wait ? "Prefer: wait=300\r\n" : "");
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int rate(int64_t seconds)
{
    char ours[1024], bare[1024], theirs[1024], etag[64] = "", dir[64] = "/tmp/keep-agents-XXXXXX";
    struct stage s = { 0 };
    int bare_port = 0, nginx_port = 0;
    double us[3][ROUNDS] = { { 0 } };

    pid_t bare_pid = start_bare(&bare_port);
    if (mkdtemp(dir) == NULL)
        die_of("mkdtemp");
    stage_open(&s);
    pid_t nginx_pid = start_nginx(dir, &nginx_port, etag);
    request_of(&s, false, ours);
    request_of(&s, false, bare);
    snprintf(theirs, sizeof theirs, "GET /bundle HTTP/1.1\r\nHost: keep\r\nUser-Agent: keep-agent\r\nAccept: */*\r\n"
             "Accept-Encoding: gzip\r\nAuthorization: Bearer %s\r\nIf-None-Match: %s\r\n\r\n", s.node.token, etag);
    const struct { const char *name; int port; const char *request; pid_t pid; } servers[] = {
        { "keepd", s.port, ours, s.keepd.pid }, { "libmicrohttpd alone", bare_port, bare, bare_pid },
        { "nginx", nginx_port, theirs, nginx_pid },
    };
    printf("304 answers, %d connections, %lld s each, interleaved:\n", CONNECTIONS, (long long)seconds);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < 3; i++) {
            if (servers[i].pid <= 0)
                continue;
            struct rate r = load(servers[i].port, servers[i].request, servers[i].pid, seconds * 1000000);
            printf("  %-20s %8.0f a second  %6.2f us of CPU each%s\n", servers[i].name, r.per_s, r.cpu_us, r.wrong > 0 ? "  NOT ALL 304" : "");
            us[i][round] = r.cpu_us;
        }
    for (int i = 0; i < 3; i++)
        qsort(us[i], ROUNDS, sizeof us[i][0], by_value);
    const double *mine = us[0], *alone = us[1], *nginx = us[2];
    printf("304s for the same CPU, medians of %d rounds: %.2f of libmicrohttpd alone", ROUNDS, alone[ROUNDS / 2] / mine[ROUNDS / 2]);
    if (nginx[ROUNDS / 2] > 0)
        printf(", %.2f of nginx", nginx[ROUNDS / 2] / mine[ROUNDS / 2]);
    printf("\n");
    fflush(stdout);
    stop_child(bare_pid);
    stop_child(nginx_pid);
    stage_close(&s);
    return 0;
}

/* ---- memory and waking -------------------------------------------------------------------- */

static int n_of(struct peer *peers, int n, int status, int64_t within_us, int64_t *last_us)
{
    struct epoll_event *events = calloc((size_t)n, sizeof *events);
    int ep = epoll_create1(EPOLL_CLOEXEC), got = 0;
    int64_t from = now_us();

    for (int i = 0; i < n; i++) {
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = &peers[i] };
        fcntl(peers[i].fd, F_SETFL, O_NONBLOCK);
        epoll_ctl(ep, EPOLL_CTL_ADD, peers[i].fd, &e);
    }
    while (got < n && now_us() - from < within_us) {
        int k = epoll_wait(ep, events, n, 100);
        for (int i = 0; i < k; i++) {
            struct peer *p = events[i].data.ptr;
            int rc = hear(p);
            if (rc == 0)
                continue;
            got += rc == status;
            epoll_ctl(ep, EPOLL_CTL_DEL, p->fd, NULL);
            *last_us = now_us() - from;
        }
    }
    close(ep);
    free(events);
    return got;
}

/* Over the listener for nodes: it may speak TLS alone. */
static void change_policy(struct stage *s, bool tls)
{
    static const char body[] = "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: bench, title: A run rule}\nspec:\n  stages: [run]\n"
        "  mode: warn\n  validations:\n    - name: none\n      expression: \"true\"\n      message: \"no\"\n";
    char request[2048];
    struct peer p;
    int status;

    snprintf(request, sizeof request, "PUT /v1/policies/bench HTTP/1.1\r\nHost: keep\r\nAuthorization: Bearer %s\r\n"
             "Content-Type: application/yaml\r\nContent-Length: %zu\r\n\r\n%s", keepd_token(&s->keepd, ROLE_ADMIN), sizeof body - 1, body);
    open_peer(&p, s->port, 0, tls);
    say(&p, request);
    while ((status = hear(&p)) == 0)
        ;
    close_peer(&p);
    if (status != 201) {
        fprintf(stderr, "agents: the policy was not taken: %d\n", status);
        exit(2);
    }
}

/* The same data, now with TLS. */
static void speak_tls(struct stage *s)
{
    static const char *settings[N_ITEMS(plain_settings) + 1];

    for (size_t i = 0; plain_settings[i] != NULL; i++)
        settings[i] = plain_settings[i];
    settings[N_ITEMS(plain_settings) - 1] = "KEEP_TLS_SELF_MANAGED=127.0.0.1";
    keepd_stop(&s->keepd, SIGTERM, 20000);
    s->keepd.settings = settings;
    keepd_start(&s->keepd);
}

static int idle(int n, bool tls)
{
    struct peer *peers = calloc((size_t)n, sizeof *peers);
    char once[1024], held[1024];
    struct stage s = { 0 };
    int64_t last_us = 0;
    int good = 0;

    stage_open(&s);
    if (tls)
        speak_tls(&s);
    request_of(&s, false, once);
    request_of(&s, true, held);
    int64_t before = keepd_rss_kib(&s.keepd, false);
    for (int i = 0; i < n; i++) {
        int status;
        open_peer(&peers[i], s.port, i, tls);
        say(&peers[i], once);
        while ((status = hear(&peers[i])) == 0)
            ;
        good += status == 304;
    }
    int64_t idle_kib = keepd_rss_kib(&s.keepd, false) - before;
    printf("%s: %d of %d connections asked and stay idle: %.2f KB resident each\n", tls ? "TLS" : "plain", good, n, (double)idle_kib / n);
    for (int i = 0; i < n; i++)
        say(&peers[i], held);
    nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
    int64_t held_kib = keepd_rss_kib(&s.keepd, false) - before;
    printf("%s: all held (Prefer: wait=300): %.2f KB resident each\n", tls ? "TLS" : "plain", (double)held_kib / n);
    double cpu = cpu_us(s.keepd.pid, "");
    int64_t from = now_us();
    nanosleep(&(struct timespec){ .tv_sec = 3 }, NULL);
    printf("%s: keepd's CPU while all wait: %.2f %%\n", tls ? "TLS" : "plain", 100.0 * (cpu_us(s.keepd.pid, "") - cpu) / (double)(now_us() - from));
    change_policy(&s, tls);
    int woken = n_of(peers, n, 200, 30 * 1000000, &last_us);
    printf("%s: %d of %d answered with the new bundle; the last %.3f s after the change was committed\n", tls ? "TLS" : "plain", woken, n,
           (double)last_us / 1e6);
    fflush(stdout);
    for (int i = 0; i < n; i++)
        close_peer(&peers[i]);
    free(peers);
    stage_close(&s);
    return good == n && woken == n ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct rlimit lim;

    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
    gnutls_certificate_allocate_credentials(&credentials);
    if (argc > 1 && strcmp(argv[1], "rate") == 0)
        return rate(argc > 2 ? strtol(argv[2], NULL, 10) : 2);
    if (argc > 2 && strcmp(argv[1], "idle") == 0)
        return idle((int)strtol(argv[2], NULL, 10), argc > 3);
    return rate(2) | idle(10000, false) | idle(5000, true);
}
