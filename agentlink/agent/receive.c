/* receive.c - see receive.h.
 *
 * One thread runs the loop: what has arrived is taken, the requests wait suspended, one
 * settle makes all of them durable, and they are answered.  A body that was taken in
 * part before the taker had to refuse is remembered by its hash: when it comes again,
 * what was taken is stepped over. */
#include "agent/receive.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/compress.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/event/event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURN_MS = 100, PARTIAL_MAX = 16, SLOTS = 1024, DEFAULT_CONNECTIONS = 64, DEFAULT_TIMEOUT_S = 10, KEEP_ALIVE = 6 };

enum form { FORM_NONE = 0, FORM_FALCO, FORM_WHOLE, FORM_LINES };

static const struct path {
    const char *path, *method;
    enum form form;
    enum event_source source;
    const char *answer;                  /* of a GET */
} paths[] = {
    { "/", "POST", FORM_FALCO, SOURCE_FALCO, NULL },
    { "/k8s-audit", "POST", FORM_WHOLE, SOURCE_K8SAUDIT, NULL },
    { "/events", "POST", FORM_LINES, EVENT_SOURCE_N, NULL },
    { "/ping", "GET", FORM_NONE, EVENT_SOURCE_N, "pong\n" },
    { "/healthz", "GET", FORM_NONE, EVENT_SOURCE_N, "{\"status\":\"ok\"}\n" },
};

struct request {
    const struct path *path;
    struct buf body;
    struct MHD_Connection *connection;
    struct request *next;                /* of those that wait for settle */
    unsigned status;                     /* 0: not known yet */
    bool is_gzip, is_over;
    size_t taken, refused;
    char problem[240];
};

struct partial {                         /* a body of which so many texts were taken */
    uint8_t hash[SHA256_LEN];
    size_t taken;
};

struct slot {                            /* of a connection */
    int fd;
    int64_t since;                       /* when its request must have begun; 0: free */
};

struct receive {
    struct receive_taker taker;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    atomic_bool stops;
    bool has_thread;
    uint16_t port;
    size_t body_max;
    int64_t timeout_ms;
    struct request *waiting;             /* suspended */
    bool took;                           /* something, since the last settle */
    struct partial partials[PARTIAL_MAX];
    size_t next_partial;
    struct slot slots[SLOTS];
    struct arena arena;                  /* of the check of a body; reset each time */
    pthread_mutex_t lock;                /* counts */
    struct receive_counts counts;
};

/* ---- answers -------------------------------------------------------------------------- */

static enum MHD_Result answer_text(struct MHD_Connection *c, unsigned status, const char *text, const char *type)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);

    if (r == NULL)
        return MHD_NO;
    MHD_add_response_header(r, "Content-Type", type);
    if (status == 503)
        MHD_add_response_header(r, "Retry-After", "1");
    if (status == 413 || status == 405 || status == 501)
        MHD_add_response_header(r, "Connection", "close");
    if (status == 405)
        MHD_add_response_header(r, "Allow", "GET, POST");
    enum MHD_Result rc = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return rc;
}

static void count(struct receive *r, const struct request *q)
{
    pthread_mutex_lock(&r->lock);
    r->counts.requests++;
    r->counts.texts += q->taken;
    r->counts.refused += q->refused + (q->status == 400 && q->refused == 0) + (q->status == 413);
    r->counts.unavailable += q->status == 503;
    r->counts.bytes += q->body.len;
    pthread_mutex_unlock(&r->lock);
}

static enum MHD_Result answer(struct receive *r, struct request *q)
{
    char text[400];

    count(r, q);
    if (q->status == 200)
        snprintf(text, sizeof text, "{\"taken\":%zu,\"refused\":%zu}\n", q->taken, q->refused);
    else
        snprintf(text, sizeof text, "%s\n", q->problem);
    return answer_text(q->connection, q->status, text, q->status == 200 ? "application/json" : "text/plain; charset=utf-8");
}

static void refuse(struct request *q, unsigned status, const char *why)
{
    q->status = status;
    snprintf(q->problem, sizeof q->problem, "%s", why);
}

/* ---- bodies ---------------------------------------------------------------------------- */

/* What falcosidekick asks of an event before it answers 200. */
static const char *falco_lacks(const struct json *doc)
{
    int64_t at;

    if (!json_is(doc, JSON_OBJECT))
        return "not a JSON object";
    if (*json_get_str(doc, "rule", "") == '\0')
        return "no rule";
    if (*json_get_str(doc, "priority", "") == '\0')
        return "no priority";
    if (!time_parse(json_get_str(doc, "time", ""), &at) || at == TIME_UNKNOWN)
        return "no time";
    return json_n_members(json_get(doc, "output_fields")) == 0 ? "no output_fields" : NULL;
}

static bool check_falco(struct receive *r, struct request *q)
{
    struct json doc;
    struct err err = { 0 };

    arena_reset(&r->arena);
    const char *lacks = event_parse(q->body.ptr, q->body.len, &r->arena, &doc, &err) != 0 ? err.msg : falco_lacks(&doc);
    if (lacks != NULL)
        refuse(q, 400, lacks);
    return lacks == NULL;
}

/* Unpacks what is packed, by header or by the look of it.  False: the request is answered. */
static bool unpack(struct receive *r, struct request *q)
{
    bool looks = q->body.len > 2 && (uint8_t)q->body.ptr[0] == 0x1F && (uint8_t)q->body.ptr[1] == 0x8B;
    struct err err = { 0 };
    struct buf plain;

    if (q->is_over || q->body.failed) {
        refuse(q, q->is_over ? 413 : 503, q->is_over ? "the body is too long" : "out of memory");
        return false;
    }
    if (!looks)
        return true;
    buf_init(&plain, r->body_max);
    if (gzip_inflate(q->body.ptr, q->body.len, (struct inflate_bounds){ r->body_max, 200 }, &plain, &err) != 0) {
        refuse(q, err.kind == ERR_TOO_LARGE ? 413 : err.kind == ERR_UNAVAILABLE ? 503 : 400, err.msg);
        buf_free(&plain);
        return false;
    }
    buf_free(&q->body);
    q->body = plain;
    return true;
}

static struct partial *partial_of(struct receive *r, const struct buf *body, uint8_t hash[SHA256_LEN])
{
    sha256(body->ptr, body->len, hash);
    for (size_t i = 0; i < PARTIAL_MAX; i++) {
        if (r->partials[i].taken > 0 && memcmp(r->partials[i].hash, hash, SHA256_LEN) == 0)
            return &r->partials[i];
    }
    return NULL;
}

static void remember(struct receive *r, struct partial *known, const uint8_t hash[SHA256_LEN], size_t taken)
{
    struct partial *p = known != NULL ? known : &r->partials[r->next_partial++ % PARTIAL_MAX];

    memcpy(p->hash, hash, SHA256_LEN);
    p->taken = taken;
}

struct texts {                           /* a walk over the texts of a body */
    const char *at, *end;
    bool lines;
};

static bool next_text(struct texts *t, const char **text, size_t *len)
{
    while (t->at < t->end) {
        const char *newline = t->lines ? memchr(t->at, '\n', (size_t)(t->end - t->at)) : NULL;
        *text = t->at;
        *len = (size_t)((newline != NULL ? newline : t->end) - t->at);
        t->at = newline != NULL ? newline + 1 : t->end;
        if (strspn(*text, " \t\r\n") < *len)
            return true;
    }
    return false;
}

static void take_texts(struct receive *r, struct request *q, struct partial *known, const uint8_t hash[SHA256_LEN])
{
    struct texts t = { q->body.ptr, q->body.ptr + q->body.len, q->path->form == FORM_LINES && *q->body.ptr != '[' };
    size_t skip = known != NULL ? known->taken : 0, done = 0, len;
    struct err err = { 0 };
    const char *text;
    int rc = 0;

    while (rc >= 0 && next_text(&t, &text, &len)) {
        if (done < skip) {
            done++;
            q->taken++;
            continue;
        }
        r->took = true;
        rc = r->taker.take(r->taker.ctx, q->path->source, text, len, &err);
        q->taken += rc == 0;
        q->refused += rc > 0;
        done += rc >= 0;
    }
    if (rc < 0) {
        remember(r, known, hash, done);
        refuse(q, 503, err.msg);
    } else if (q->taken == 0) {
        refuse(q, 400, err.msg[0] != '\0' ? err.msg : "no event in the body");
    }
    if (rc >= 0 && known != NULL)
        known->taken = 0;
}

static void take_body(struct receive *r, struct request *q)
{
    uint8_t hash[SHA256_LEN];

    if (!unpack(r, q) || (q->path->form == FORM_FALCO && q->body.len > 0 && !check_falco(r, q)))
        return;
    if (q->body.len == 0) {
        refuse(q, 400, "no event in the body");
        return;
    }
    take_texts(r, q, partial_of(r, &q->body, hash), hash);
}

/* ---- libmicrohttpd's side ------------------------------------------------------------------ */

static const struct path *find_path(const char *url, const char *method, unsigned *status)
{
    bool is_get = str_eq(method, "GET") || str_eq(method, "HEAD");

    *status = 404;
    for (size_t i = 0; i < N_ITEMS(paths); i++) {
        if (!str_eq(paths[i].path, url))
            continue;
        if (str_eq(paths[i].method, is_get ? "GET" : method))
            return &paths[i];
        *status = 405;
    }
    return NULL;
}

/* NULL, or why a request is not even read. */
static const char *is_unwelcome(struct receive *r, struct MHD_Connection *c, unsigned *status)
{
    const char *coding = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Encoding");
    const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    const char *transfer = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Transfer-Encoding");
    int64_t n;

    if (MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Origin") != NULL)
        return *status = 403, "not for browsers\n";
    if (coding != NULL && !str_eq_nocase(coding, "gzip") && !str_eq_nocase(coding, "identity"))
        return *status = 415, "Content-Encoding: gzip or none\n";
    if (length != NULL && transfer != NULL)
        return *status = 400, "both Content-Length and Transfer-Encoding\n";
    if (transfer != NULL && !str_eq_nocase(transfer, "chunked"))
        return *status = 501, "Transfer-Encoding: chunked or none; pack with Content-Encoding: gzip\n";
    if (length != NULL && (!str_to_i64(length, 0, INT64_MAX, &n) || (size_t)n > r->body_max))
        return *status = 413, "the body is too long\n";
    return NULL;
}

static enum MHD_Result begin(struct receive *r, struct MHD_Connection *c, const char *url, const char *method, void **state)
{
    unsigned status = 404;
    const struct path *p = find_path(url, method, &status);
    const char *why = p == NULL ? "no such path or method\n" : is_unwelcome(r, c, &status);

    if (why != NULL)
        return answer_text(c, status, why, "text/plain; charset=utf-8");
    struct request *q = calloc(1, sizeof *q);
    if (q == NULL)
        return MHD_NO;
    q->path = p;
    q->connection = c;
    buf_init(&q->body, r->body_max);
    *state = q;
    return MHD_YES;
}

static void gather(struct request *q, const char *data, size_t *len)
{
    if (q->body.len + *len > q->body.max)
        q->is_over = true;
    else
        buf_put(&q->body, data, *len);
    *len = 0;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                              const char *data, size_t *len, void **state)
{
    struct receive *r = arg;
    struct request *q = *state;

    (void)version;
    if (q == NULL)
        return begin(r, c, url, method, state);
    if (*len > 0) {
        gather(q, data, len);
        return q->is_over && q->path->form == FORM_NONE ? MHD_NO : MHD_YES;
    }
    if (q->path->form == FORM_NONE)
        return answer_text(c, 200, q->path->answer, *q->path->answer == '{' ? "application/json" : "text/plain; charset=utf-8");
    if (q->status == 0)
        take_body(r, q);
    if (q->status != 0)
        return answer(r, q);
    q->next = r->waiting;
    r->waiting = q;
    MHD_suspend_connection(c);
    return MHD_YES;
}

static void completed(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
    struct request *q = *state;
    struct receive *r = arg;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct slot *slot = info != NULL ? info->socket_context : NULL;

    (void)code;
    if (slot != NULL)
        slot->since = time_monotonic_ms() + (KEEP_ALIVE - 1) * r->timeout_ms;
    if (q == NULL)
        return;
    buf_free(&q->body);
    free(q);
    *state = NULL;
}

static struct slot *free_slot(struct receive *r)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (r->slots[i].since == 0)
            return &r->slots[i];
    }
    return NULL;
}

static void connected(void *arg, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
    struct receive *r = arg;
    struct slot *slot = code == MHD_CONNECTION_NOTIFY_STARTED ? free_slot(r) : *context;

    if (slot == NULL)
        return;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        *slot = (struct slot){ info != NULL ? info->connect_fd : -1, time_monotonic_ms() };
        *context = slot;
    } else {
        *slot = (struct slot){ -1, 0 };
    }
}

/* A request that trickles in byte by byte is cut off; libmicrohttpd knows silence only. */
static void cut_slow(struct receive *r, int64_t now)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (r->slots[i].since != 0 && now - r->slots[i].since > r->timeout_ms && r->slots[i].fd >= 0) {
            shutdown(r->slots[i].fd, SHUT_RDWR);
            r->slots[i].fd = -1;
        }
    }
}

/* ---- the loop ---------------------------------------------------------------------------- */

static void settle(struct receive *r)
{
    struct err err = { 0 };

    if (!r->took && r->waiting == NULL)
        return;
    int rc = r->taker.settle(r->taker.ctx, &err);
    r->took = false;
    while (r->waiting != NULL) {
        struct request *q = r->waiting;
        r->waiting = q->next;
        if (rc == 0)
            q->status = 200;
        else
            refuse(q, 503, err.msg);
        MHD_resume_connection(q->connection);
    }
}

static void *run(void *arg)
{
    struct receive *r = arg;
    int64_t swept = time_monotonic_ms();

    while (!atomic_load(&r->stops)) {
        MHD_run_wait(r->daemon, TURN_MS);
        settle(r);
        int64_t now = time_monotonic_ms();
        if (now - swept >= 1000) {
            cut_slow(r, now);
            swept = now;
        }
    }
    settle(r);
    MHD_run(r->daemon);                  /* the answers of those that were settled last */
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

static int listen_at(const struct receive_opts *opts, int *out, uint16_t *port, struct err *err)
{
    const char *address = opts->address != NULL ? opts->address : "127.0.0.1";
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *at = NULL;
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    char service[8];
    int one = 1;

    snprintf(service, sizeof service, "%u", opts->port);
    if (getaddrinfo(address, service, &hints, &at) != 0)
        return err_set(err, ERR_INVALID, "not an address to listen at: %.100s", address);
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 && bind(fd, at->ai_addr, at->ai_addrlen) == 0 &&
              listen(fd, 128) == 0 && getsockname(fd, (struct sockaddr *)&bound, &len) == 0;
    int why = errno;
    freeaddrinfo(at);
    if (!ok) {
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_UNAVAILABLE, "cannot listen at %.100s port %u: %s", address, opts->port, strerror(why));
    }
    *port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port : ((struct sockaddr_in *)&bound)->sin_port);
    *out = fd;
    return 0;
}

static int start(struct receive *r, const struct receive_opts *opts, int fd, struct err *err)
{
    unsigned connections = opts->connections == 0 ? DEFAULT_CONNECTIONS : opts->connections < SLOTS ? opts->connections : SLOTS;

    r->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, r, MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(r->timeout_ms / 1000),
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(32 * 1024), MHD_OPTION_STRICT_FOR_CLIENT, 1,
                                 MHD_OPTION_NOTIFY_COMPLETED, completed, r, MHD_OPTION_NOTIFY_CONNECTION, connected, r, MHD_OPTION_END);
    if (r->daemon == NULL) {
        close(fd);
        return err_set(err, ERR_UNAVAILABLE, "the receiver does not start");
    }
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        return err_set(err, ERR_UNAVAILABLE, "no thread for the receiver");
    r->has_thread = true;
    return 0;
}

int receive_open(const struct receive_opts *opts, const struct receive_taker *taker, struct receive **out, struct err *err)
{
    struct receive *r = calloc(1, sizeof *r);
    int fd = -1;

    if (r == NULL)
        return err_nomem(err);
    r->taker = *taker;
    r->body_max = opts->body_max == 0 ? RECEIVE_BODY_MAX : opts->body_max;
    r->timeout_ms = (opts->timeout_s == 0 ? DEFAULT_TIMEOUT_S : opts->timeout_s) * MS_SECOND;
    arena_init(&r->arena, (size_t)64 * 1024 * 1024);
    pthread_mutex_init(&r->lock, NULL);
    if (listen_at(opts, &fd, &r->port, err) != 0 || start(r, opts, fd, err) != 0) {
        receive_close(r);
        return -1;
    }
    *out = r;
    return 0;
}

void receive_close(struct receive *r)
{
    if (r == NULL)
        return;
    atomic_store(&r->stops, true);
    if (r->has_thread)
        pthread_join(r->thread, NULL);
    if (r->daemon != NULL)
        MHD_stop_daemon(r->daemon);
    arena_clear(&r->arena);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

uint16_t receive_port(const struct receive *r)
{
    return r->port;
}

void receive_counts(struct receive *r, struct receive_counts *out)
{
    pthread_mutex_lock(&r->lock);
    *out = r->counts;
    pthread_mutex_unlock(&r->lock);
}
