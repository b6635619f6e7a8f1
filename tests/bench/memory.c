/* Resident memory of keepd: idle, after uploads, with N open connections (10000), and
 * whether it still answers then. */
#include "tests/flow/upload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

static void say(const struct keepd *k, const char *when)
{
    printf("%-34s resident %8lld KiB, most %8lld KiB, %ld file descriptors\n", when, (long long)keepd_rss_kib(k, false),
           (long long)keepd_rss_kib(k, true), keepd_fds(k));
}

static void upload_many(struct keepd *k, int n)
{
    struct client c;
    struct buf body;

    client_init(&c, k->port);
    buf_init(&body, 64 << 20);
    for (int i = 0; i < n; i++) {
        struct report_spec s = spec_of(i + 1);
        s.packages = 400;
        s.findings = 160;
        s.padding = i % 10 == 0 ? 3500000 : 0;
        buf_clear(&body);
        envelope_make(&s, k->key, false, &body);
        struct ask ask = { "POST", "/v1/scans", keepd_token(k, ROLE_CI), NULL, body.ptr, body.len };
        if (client_send(&c, &ask).status != 201)
            exit(1);
    }
    buf_free(&body);
    client_free(&c);
}

/* From many addresses of the loopback network, as from many machines. */
static int connect_from(int i, int port)
{
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK + 1 + (uint32_t)i % 20) } };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static int ask_on(int fd)
{
    static const char text[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    char answer[2048];

    return send(fd, text, sizeof text - 1, MSG_NOSIGNAL) == (ssize_t)sizeof text - 1 && recv(fd, answer, sizeof answer, 0) > 0 &&
           memcmp(answer, "HTTP/1.1 200", 12) == 0;
}

int main(int argc, char **argv)
{
    int64_t n = 10000;
    int open_now = 0, answered = 0;
    struct rlimit files;
    struct keepd k;
    struct client c;

    if (argc > 1 && !str_to_i64(argv[1], 1, 20000, &n))
        return 2;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    keepd_open(&k, NULL, false);
    say(&k, "idle");
    upload_many(&k, 60);
    say(&k, "after 60 uploads, 6 of 5 MB");
    int *fds = calloc((size_t)n, sizeof *fds);
    if (fds == NULL)
        return 1;
    for (int64_t i = 0; i < n; i++) {
        fds[i] = connect_from((int)i, k.port);
        open_now += fds[i] >= 0;
        answered += fds[i] >= 0 && ask_on(fds[i]);
    }
    printf("%d of %lld connections open, %d answered\n", open_now, (long long)n, answered);
    say(&k, "with them");
    client_init(&c, k.port);
    keepd_ask(&c, keepd_token(&k, ROLE_ADMIN), "GET", "/v1/images?limit=1", NULL, 200);
    client_free(&c);
    for (int64_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    nap_ms(1500);
    say(&k, "when they have gone");
    free(fds);
    keepd_close(&k);
    return 0;
}
