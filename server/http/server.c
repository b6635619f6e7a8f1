/* server.c - see server.h: daemons, listeners, start and stop. */
#include "http/server.h"
#include "base/compress.h"
#include "base/time.h"
#include "http/listen.h"
#include "http/openapi.h"
#include "http/hold.h"
#include "http/request.h"
#include "http/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LOOPS = 4, MIN_MEMORY = 6144, NODE_MEMORY = 4096, OPENAPI_MAX = 8 << 20, CLOSE_DRAIN_MS = 1000, POLL_MS = 20,
       ROOM_SHARE = 16, ROOM_SLACK = 64 };

/* ---- configuration -------------------------------------------------------------- */

static unsigned or_default(unsigned value, unsigned otherwise)
{
    return value != 0 ? value : otherwise;
}

static int64_t or_default_ms(int64_t value, int64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static unsigned default_loops(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores < 1 ? 1 : cores > MAX_LOOPS ? MAX_LOOPS : (unsigned)cores;
}

static int copy_config(struct http_config *to, const struct http_config *from, struct err *err)
{
    const char *const theirs[] = { from->listen, from->listen_reserve, from->listen_nodes, from->tls_cert, from->tls_key, from->client_ca };
    const char **ours[] = { &to->listen, &to->listen_reserve, &to->listen_nodes, &to->tls_cert, &to->tls_key, &to->client_ca };

    *to = *from;
    for (size_t i = 0; i < N_ITEMS(ours); i++)
        *ours[i] = NULL;
    for (size_t i = 0; i < N_ITEMS(ours); i++)
        if (theirs[i] != NULL && (*ours[i] = strdup(theirs[i])) == NULL)
            return err_nomem(err);
    to->loops = or_default(from->loops, default_loops());
    to->max_connections = or_default(from->max_connections, 12000);
    to->max_per_address = or_default(from->max_per_address, 2000);
    to->backlog = or_default(from->backlog, 4096);       /* thousands of agents come back at once */
    if (to->connection_memory == 0)
        to->connection_memory = 8192;
    if (to->connection_memory < MIN_MEMORY)
        to->connection_memory = MIN_MEMORY;
    to->head_ms = or_default_ms(from->head_ms, 5 * MS_SECOND);
    to->idle_ms = or_default_ms(from->idle_ms, 120 * MS_SECOND);
    to->body_grace_ms = or_default_ms(from->body_grace_ms, 10 * MS_SECOND);
    to->body_rate = or_default_ms(from->body_rate, 4096);
    return 0;
}

static void free_text(const char *text)
{
    union { const char *in; void *out; } p = { .in = text };

    free(p.out);
}

/* Plain HTTP hands tokens, sessions and signed reports to everybody on the way. */
static int check_plaintext(const struct http_config *cfg, const char *address, struct err *err)
{
    if (address == NULL || cfg->tls_cert != NULL || cfg->insecure_plaintext || listen_is_loopback(address))
        return 0;
    return err_set(err, ERR_INVALID, "listen %s: without TLS, tokens and sessions would cross the network readable; "
                   "set a certificate and key, listen on 127.0.0.1, or allow insecure plaintext", address);
}

static int check(const struct http_config *cfg, const struct http_back *back, struct err *err)
{
    if (cfg->listen == NULL)
        return err_set(err, ERR_INVALID, "no address to listen on");
    if ((cfg->tls_cert == NULL) != (cfg->tls_key == NULL))
        return err_set(err, ERR_INVALID, "TLS needs both a certificate and a key");
    if (cfg->client_ca != NULL && cfg->tls_cert == NULL)
        return err_set(err, ERR_INVALID, "client certificates need TLS: set a certificate and key");
    if (cfg->client_required && cfg->client_ca == NULL)
        return err_set(err, ERR_INVALID, "client certificates are required, but no CA of theirs is set");
    if (check_plaintext(cfg, cfg->listen, err) != 0 || check_plaintext(cfg, cfg->listen_reserve, err) != 0 || check_plaintext(cfg, cfg->listen_nodes, err) != 0)
        return -1;
    if (route_check(back->routes, back->n_routes, err) != 0)
        return -1;
    for (size_t i = 0; i < back->n_routes; i++)
        if (back->routes[i].class == CLASS_WRITE && back->writer == NULL)
            return err_set(err, ERR_INTERNAL, "route %s writes, and there is no writer", back->routes[i].path);
    return back->work == NULL ? err_set(err, ERR_INTERNAL, "no worker pool") : 0;
}

/* ---- the server's own series ------------------------------------------------------ */

static int64_t read_connections(void *s)
{
    return conns_n(((struct http_server *)s)->conns);
}

static int64_t read_reaped(void *s)
{
    return conns_reaped(((struct http_server *)s)->conns);
}

static int64_t read_shed(void *s)
{
    return conns_n_shed(((struct http_server *)s)->conns);
}

static int64_t read_full(void *s)
{
    return atomic_load(&((struct http_server *)s)->full);
}

static int64_t read_peers_refused(void *s)
{
    return atomic_load(&((struct http_server *)s)->peers_refused);
}

static int64_t read_in_flight(void *s)
{
    return striped_sum(&((struct http_server *)s)->in_flight);
}

static int64_t read_tls_end(void *s)
{
    int64_t ms = http_tls_not_after_ms(s);

    return ms == TIME_UNKNOWN ? 0 : ms / 1000;
}

static int64_t work_stat(void *s, size_t off)
{
    struct work_stats stats;

    work_stats(((struct http_server *)s)->back.work, &stats);
    return *(const int64_t *)(const void *)((const char *)&stats + off);
}
static int64_t read_queue(void *s)   { return work_stat(s, offsetof(struct work_stats, queue)); }
static int64_t read_refused(void *s) { return work_stat(s, offsetof(struct work_stats, refused)); }
static int64_t read_bytes(void *s)   { return work_stat(s, offsetof(struct work_stats, bytes)); }

static int add_readings(struct http_server *s, struct err *err)
{
    static const struct {
        const char *name, *help;
        enum metric_type type;
        int64_t (*value)(void *);
    } rows[] = {
        { "keepd_http_connections", "Open connections.", METRIC_GAUGE, read_connections },
        { "keepd_http_connections_reaped_total", "Connections shut because they were too slow.", METRIC_COUNTER,
          read_reaped },
        { "keepd_http_connections_shed_total", "Connections without credentials shut for newer ones near the limit.", METRIC_COUNTER,
          read_shed },
        { "keepd_http_connections_full_total", "Connections refused at the limit.", METRIC_COUNTER, read_full },
        { "keepd_http_requests_in_flight", "Requests being read, worked on or answered.", METRIC_GAUGE,
          read_in_flight },
        { "keepd_work_queue", "Requests waiting for a worker.", METRIC_GAUGE, read_queue },
        { "keepd_work_refused_total", "Requests answered 503 because the queue was full.", METRIC_COUNTER,
          read_refused },
        { "keepd_http_body_bytes", "Memory reserved for request bodies.", METRIC_GAUGE, read_bytes },
        { "keepd_tls_client_refused_total", "Requests refused for their client certificate.", METRIC_COUNTER, read_peers_refused },
        { "keepd_tls_not_after_seconds", "When the certificate ends (Unix time), 0 without TLS.", METRIC_GAUGE,
          read_tls_end },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++)
        if (metrics_read(s->back.metrics, rows[i].name, rows[i].help, rows[i].type, rows[i].value, s, err) != 0)
            return -1;
    return 0;
}

static int add_series(struct http_server *s, struct err *err)
{
    static const char *const statuses[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };
    static const char *const classes[] = { "light", "read", "write" };
    struct metrics *m = s->back.metrics;
    size_t n = s->back.n_routes;

    if (m == NULL)
        return 0;
    const char **names = calloc(n + 2, sizeof *names);
    if (names == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        names[i] = s->back.routes[i].path;
    names[n] = "static";
    names[n + 1] = "none";
    s->meters.route_names = names;
    struct metric_desc requests = { "keepd_http_requests_total", "Requests answered.", METRIC_COUNTER,
                                    "route", names, n + 2, "status", statuses, N_ITEMS(statuses) };
    struct metric_desc seconds = { "keepd_http_request_seconds", "From request line to answer.", METRIC_HISTOGRAM,
                                   "class", classes, N_ITEMS(classes), NULL, NULL, 0 };
    struct metric_desc refused = { .name = "keepd_http_guard_refused_total",
                                   .help = "Request heads the guard refused.", .type = METRIC_COUNTER };
    struct metric_desc bytes = { .name = "keepd_http_body_bytes_total",
                                 .help = "Bytes of request bodies read.", .type = METRIC_COUNTER };
    if (metrics_add(m, &requests, &s->meters.requests, err) != 0 ||
        metrics_add(m, &seconds, &s->meters.seconds, err) != 0 ||
        metrics_add(m, &refused, &s->meters.refused, err) != 0 ||
        metrics_add(m, &bytes, &s->meters.bytes_in, err) != 0)
        return -1;
    return add_readings(s, err);
}

static int describe(struct http_server *s, struct err *err)
{
    buf_init(&s->openapi, OPENAPI_MAX);
    buf_init(&s->openapi_gzip, OPENAPI_MAX);
    if (openapi_write(s->back.routes, s->back.n_routes, "Keep", KEEP_VERSION, &s->openapi, err) != 0 ||
        gzip_deflate(s->openapi.ptr, s->openapi.len, 9, &s->openapi_gzip, err) != 0)
        return -1;
    etag_of(s->openapi.ptr, s->openapi.len, s->openapi_etag);
    return 0;
}

/* ---- connections -------------------------------------------------------------------- */

static void accepted(void *arg, int fd, const struct sockaddr *from, socklen_t from_len)
{
    struct listener *l = arg;
    long n = atomic_load(&l->line.open) + atomic_load(&l->coming);

    if (n >= (long)(l->room - l->room / ROOM_SHARE))
        (void)conns_shed(l->server->conns, &l->line);
    if (n >= (long)l->room) {
        close(fd);
        atomic_fetch_add(&l->server->full, 1);
        return;
    }
    /* Refuses above the limit per address and then closes fd itself. */
    atomic_fetch_add(&l->coming, 1);
    if (MHD_add_connection(l->daemon, fd, from, from_len) != MHD_YES)
        atomic_fetch_sub(&l->coming, 1);
}

static void address_text(struct MHD_Connection *mhd, char out[CONN_FROM_TEXT])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *sa = info == NULL ? NULL : info->client_addr;

    snprintf(out, CONN_FROM_TEXT, "?");
    if (sa != NULL)
        address_format(sa, out, CONN_FROM_TEXT);
}

static void connection_notify(void *arg, struct MHD_Connection *mhd, void **context,
                              enum MHD_ConnectionNotificationCode code)
{
    struct listener *l = arg;
    char from[CONN_FROM_TEXT];

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        conn_remove(*context);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    address_text(mhd, from);
    struct conn *c = conn_add(l->server->conns, &l->line, info->connect_fd, from);
    atomic_fetch_sub(&l->coming, 1);
    *context = c;
    if (c == NULL) {
        shutdown(info->connect_fd, SHUT_RDWR);
        return;
    }
    c->memory = (unsigned)l->memory;
    if (l->server->tls != NULL)
        c->creds = tls_take(l->server->tls);
}

/* The library keeps the session's pointer to the connection for itself, and so do we. */
static int certificate(gnutls_session_t session, const gnutls_datum_t *ca, int n_ca,
                       const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                       gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key)
{
    struct MHD_Connection *mhd = gnutls_session_get_ptr(session);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct conn *c = info == NULL ? NULL : info->socket_context;

    (void)ca;
    (void)n_ca;
    (void)algorithms;
    (void)n_algorithms;
    if (c == NULL || c->creds == NULL)
        return -1;
    tls_material(c->creds, chain, n, key);
    return 0;
}

/* Targets stay as they came: the guard judges the escapes, not the library. */
static size_t no_unescape(void *arg, struct MHD_Connection *mhd, char *s)
{
    (void)arg;
    (void)mhd;
    return strlen(s);
}

/* ---- daemons -------------------------------------------------------------------------- */

static int start_daemon(struct listener *l, struct err *err)
{
    struct http_server *s = l->server;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     MHD_USE_NO_LISTEN_SOCKET | (s->tls != NULL ? (unsigned)MHD_USE_TLS : 0u);
    bool reserve = l->kind == LISTENER_RESERVE;
    unsigned loops = reserve ? 1 : s->cfg.loops;
    struct MHD_OptionItem options[16];
    int n = 0;

    /* The limit is kept by accepted().  The library's own must never be met: as of 0.9.75
     * a loop that is handed a connection too many keeps its lock, and stands for ever. */
    l->room = reserve ? s->cfg.max_connections / 10 + 1 : s->cfg.max_connections;
    options[n++] = (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(l->room + ROOM_SLACK) * (intptr_t)loops, NULL };
    options[n++] = (struct MHD_OptionItem){ MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)s->cfg.max_per_address, NULL };
    options[n++] = (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)l->memory, NULL };
    options[n++] = (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_TIMEOUT,
                                            (intptr_t)((s->cfg.idle_ms + s->cfg.head_ms) / 1000 + 1), NULL };
    options[n++] = (struct MHD_OptionItem){ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL };
    if (loops > 1)
        options[n++] = (struct MHD_OptionItem){ MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)loops, NULL };
    if (s->client_ca != NULL)
        options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0, s->client_ca };
    options[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };

    if (s->tls != NULL)
        l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, request_access, s,
                                     MHD_OPTION_HTTPS_CERT_CALLBACK, certificate,
                                     MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITY,
                                     MHD_OPTION_NOTIFY_CONNECTION, connection_notify, l,
                                     MHD_OPTION_NOTIFY_COMPLETED, request_completed, s,
                                     MHD_OPTION_URI_LOG_CALLBACK, request_begin, s,
                                     MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
                                     MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    else
        l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, request_access, s,
                                     MHD_OPTION_NOTIFY_CONNECTION, connection_notify, l,
                                     MHD_OPTION_NOTIFY_COMPLETED, request_completed, s,
                                     MHD_OPTION_URI_LOG_CALLBACK, request_begin, s,
                                     MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
                                     MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    return l->daemon == NULL ? err_set(err, ERR_UNAVAILABLE, "the HTTP library did not start") : 0;
}

static int add_listener(struct http_server *s, const char *address, enum listener_kind kind, struct err *err)
{
    struct listener *l = &s->listeners[s->n_listeners];

    if (address == NULL)
        return 0;
    *l = (struct listener){ .server = s, .fd = -1, .kind = kind,
                            .memory = kind == LISTENER_NODES ? NODE_MEMORY : s->cfg.connection_memory };
    if (listen_open(address, (int)s->cfg.backlog, &l->fd, err) != 0)
        return -1;
    s->n_listeners++;
    return start_daemon(l, err);
}

static int start_accepting(struct http_server *s, struct err *err)
{
    struct accept_from from[LISTENERS];

    for (int i = 0; i < s->n_listeners; i++)
        from[i] = (struct accept_from){ s->listeners[i].fd, accepted, &s->listeners[i] };
    return acceptor_open(from, s->n_listeners, &s->acceptor, err);
}

static int set_up(struct http_server *s, struct err *err)
{
    const struct conns_config times = { s->cfg.head_ms, s->cfg.idle_ms, s->cfg.body_grace_ms, s->cfg.body_rate };

    if (s->cfg.tls_cert != NULL && tls_open(s->cfg.tls_cert, s->cfg.tls_key, &s->tls, err) != 0)
        return -1;
    if (s->cfg.client_ca != NULL && tls_client_ca(s->cfg.client_ca, &s->client_ca, err) != 0)
        return -1;
    if (matcher_new(s->back.routes, s->back.n_routes, &s->matcher, err) != 0 ||
        statics_new(s->back.files, s->back.n_files, s->tls != NULL, &s->statics, err) != 0 ||
        limiter_new(s->cfg.rate, s->cfg.burst, &s->limiter, err) != 0 ||
        describe(s, err) != 0 || add_series(s, err) != 0 || conns_open(&times, &s->conns, err) != 0 ||
        (s->back.writer != NULL && holds_open(s, &s->holds, err) != 0))
        return -1;
    if (add_listener(s, s->cfg.listen, LISTENER_MAIN, err) != 0 || add_listener(s, s->cfg.listen_reserve, LISTENER_RESERVE, err) != 0 ||
        add_listener(s, s->cfg.listen_nodes, LISTENER_NODES, err) != 0)
        return -1;
    return start_accepting(s, err);
}

int http_open(const struct http_config *cfg, const struct http_back *back, struct http_server **out, struct err *err)
{
    struct http_server *s = aligned_alloc(_Alignof(struct http_server), sizeof *s);

    if (s == NULL)
        return err_nomem(err);
    memset(s, 0, sizeof *s);
    s->back = *back;
    if (copy_config(&s->cfg, cfg, err) != 0 || check(&s->cfg, back, err) != 0 || set_up(s, err) != 0) {
        http_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

/* ---- stopping ----------------------------------------------------------------------------- */

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000L * 1000L }, NULL);
}

static void stop_listening(struct http_server *s)
{
    acceptor_close(s->acceptor);
    s->acceptor = NULL;
    for (int i = 0; i < s->n_listeners; i++) {
        if (s->listeners[i].fd >= 0)
            close(s->listeners[i].fd);
        s->listeners[i].fd = -1;
    }
}

/* Who is busy is told in the answer that the connection ends: only those that stay
 * silent are shut, for that can cut off a request which is just arriving. */
enum { SHUT_AFTER_MS = 300 };

bool http_drain(struct http_server *s, int64_t within_ms)
{
    int64_t now = time_monotonic_ms(), until = now + within_ms;
    int64_t shut_from = now + (within_ms < SHUT_AFTER_MS * 2 ? within_ms / 2 : SHUT_AFTER_MS);

    atomic_store(&s->draining, true);
    stop_listening(s);
    while (s->conns != NULL && (striped_sum(&s->in_flight) > 0 || conns_n(s->conns) > 0) &&
           time_monotonic_ms() < until) {
        if (time_monotonic_ms() >= shut_from)
            conns_shut_idle(s->conns);
        nap();
    }
    return striped_sum(&s->in_flight) == 0;
}

void http_close(struct http_server *s)
{
    if (s == NULL)
        return;
    if (!atomic_load(&s->draining))
        http_drain(s, CLOSE_DRAIN_MS);
    while (atomic_load(&s->suspended) > 0)       /* the library must not stop under a worker */
        nap();
    for (int i = 0; i < s->n_listeners; i++)
        if (s->listeners[i].daemon != NULL)
            MHD_stop_daemon(s->listeners[i].daemon);
    holds_close(s->holds);
    conns_close(s->conns);
    statics_free(s->statics);
    limiter_free(s->limiter);
    matcher_free(s->matcher);
    tls_close(s->tls);
    buf_free(&s->openapi);
    buf_free(&s->openapi_gzip);
    free(s->meters.route_names);
    free_text(s->cfg.listen);
    free_text(s->cfg.listen_reserve);
    free_text(s->cfg.listen_nodes);
    free_text(s->cfg.tls_cert);
    free_text(s->cfg.tls_key);
    free_text(s->cfg.client_ca);
    free(s->client_ca);
    free(s);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int port_of(const struct http_server *s, enum listener_kind kind)
{
    for (int i = 0; i < s->n_listeners; i++)
        if (s->listeners[i].kind == kind && s->listeners[i].fd >= 0)
            return listen_port(s->listeners[i].fd);
    return -1;
}

int http_port(const struct http_server *s, bool reserve)
{
    return port_of(s, reserve ? LISTENER_RESERVE : LISTENER_MAIN);
}

int http_nodes_port(const struct http_server *s)
{
    return port_of(s, LISTENER_NODES);
}

int http_reload_tls(struct http_server *s, struct err *err)
{
    if (s->tls == NULL)
        return err_set(err, ERR_INVALID, "this server has no TLS");
    return tls_reload(s->tls, err);
}

int64_t http_tls_not_after_ms(const struct http_server *s)
{
    return s->tls == NULL ? TIME_UNKNOWN : tls_not_after_ms(s->tls);
}
