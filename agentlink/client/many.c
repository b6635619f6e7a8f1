/* many.c - see many.h. */
#include "client/many.h"

#include "base/buf.h"
#include "base/time.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { LANES_A_POOL = 64, EVENTS_MAX = 512, ETAG_MAX = 160, ANSWER_MAX = 1 << 20 };

/* Lanes that share connections. */
struct pool {
    struct many *many;
    CURLM *multi;
    int64_t due_ms;                      /* libcurl's timer; INT64_MAX none */
    int running;
};

struct transfer {
    struct many *many;
    struct transfer *next, *prev;        /* of those that run */
    CURL *curl;
    CURLM *multi;
    struct curl_slist *headers;
    struct buf answer;
    char etag[ETAG_MAX], problem[CURL_ERROR_SIZE];
    int64_t retry_after_ms;
    void *of;
};

struct many {
    struct many_config config;
    struct pool *pools; size_t n_pools;
    int epoll;
    struct transfer *running, *idle;
    size_t n_running;
    struct buf url;
};

/* ---- libcurl's callbacks --------------------------------------------------------- */

static int on_socket(CURL *curl, curl_socket_t fd, int what, void *data, void *known)
{
    struct pool *p = data;
    struct epoll_event e = { .data.u64 = (uint64_t)(p - p->many->pools) << 32 | (uint32_t)fd };

    (void)curl;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(p->many->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    e.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (known == NULL)
        curl_multi_assign(p->multi, fd, p);
    if (epoll_ctl(p->many->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e) != 0 && errno == EEXIST)
        epoll_ctl(p->many->epoll, EPOLL_CTL_MOD, fd, &e);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *data)
{
    struct pool *p = data;

    (void)multi;
    p->due_ms = timeout_ms < 0 ? INT64_MAX : time_monotonic_ms() + timeout_ms;
    return 0;
}

static size_t on_write(char *from, size_t size, size_t n, void *data)
{
    struct transfer *t = data;

    buf_put(&t->answer, from, size * n);
    return t->answer.failed ? 0 : size * n;
}

static bool value_of(const char *line, size_t len, const char *name, char *out, size_t max)
{
    size_t skip = strlen(name);

    if (len <= skip || strncasecmp(line, name, skip) != 0)
        return false;
    line += skip;
    len -= skip;
    while (len > 0 && *line == ' ')
        line++, len--;
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' '))
        len--;
    if (len >= max)
        return false;
    memcpy(out, line, len);
    out[len] = '\0';
    return true;
}

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
    struct transfer *t = data;
    char text[32];
    int64_t seconds;

    value_of(line, size * n, "etag:", t->etag, sizeof t->etag);
    if (value_of(line, size * n, "retry-after:", text, sizeof text) && str_to_i64(text, 0, 86400, &seconds))
        t->retry_after_ms = seconds * MS_SECOND;
    return size * n;
}

/* ---- opening --------------------------------------------------------------------------- */

static int pool_open(struct many *m, struct pool *p, struct err *err)
{
    p->many = m;
    p->due_ms = INT64_MAX;
    p->multi = curl_multi_init();
    if (p->multi == NULL)
        return err_nomem(err);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)LANES_A_POOL * 4);
    curl_multi_setopt(p->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return 0;
}

int many_open(const struct many_config *config, struct many **out, struct err *err)
{
    struct many *m = calloc(1, sizeof *m);

    if (m == NULL)
        return err_nomem(err);
    m->config = *config;
    if (m->config.answer_max == 0)
        m->config.answer_max = ANSWER_MAX;
    buf_init(&m->url, 16384);
    m->n_pools = config->lanes / LANES_A_POOL + 1;
    m->pools = calloc(m->n_pools, sizeof *m->pools);
    m->epoll = epoll_create1(EPOLL_CLOEXEC);
    int rc = m->pools == NULL || m->epoll < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ? err_nomem(err) : 0;
    for (size_t i = 0; rc == 0 && i < m->n_pools; i++)
        rc = pool_open(m, &m->pools[i], err);
    if (rc != 0) {
        many_close(m);
        return -1;
    }
    *out = m;
    return 0;
}

static void transfer_free(struct transfer *t)
{
    curl_slist_free_all(t->headers);
    curl_easy_cleanup(t->curl);
    buf_free(&t->answer);
    free(t);
}

void many_close(struct many *m)
{
    if (m == NULL)
        return;
    for (struct transfer *t = m->running, *next; t != NULL; t = next) {
        next = t->next;
        curl_multi_remove_handle(t->multi, t->curl);
        transfer_free(t);
    }
    for (struct transfer *t = m->idle, *next; t != NULL; t = next) {
        next = t->next;
        transfer_free(t);
    }
    for (size_t i = 0; m->pools != NULL && i < m->n_pools; i++)
        curl_multi_cleanup(m->pools[i].multi);
    if (m->epoll >= 0)
        close(m->epoll);
    buf_free(&m->url);
    free(m->pools);
    free(m);
    curl_global_cleanup();
}

/* ---- sending ------------------------------------------------------------------------------ */

static struct transfer *transfer_get(struct many *m)
{
    struct transfer *t = m->idle;

    if (t != NULL) {
        m->idle = t->next;
        curl_easy_reset(t->curl);
        buf_clear(&t->answer);
        return t;
    }
    t = calloc(1, sizeof *t);
    if (t == NULL || (t->curl = curl_easy_init()) == NULL) {
        free(t);
        return NULL;
    }
    t->many = m;
    buf_init(&t->answer, m->config.answer_max);
    return t;
}

/* NULL: no such header. */
static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[1024];
    int n = value == NULL ? 0 : snprintf(line, sizeof line, "%s%s", name, value);

    if (n == 0)
        return true;
    struct curl_slist *longer = n < (int)sizeof line ? curl_slist_append(*list, line) : NULL;
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static bool set_headers(struct transfer *t, const struct many_request *r)
{
    char wait[24];

    snprintf(wait, sizeof wait, "%lld", (long long)r->wait_s);
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    return add_header(&t->headers, "Authorization: Bearer ", r->token) && add_header(&t->headers, "Expect:", "") &&
           add_header(&t->headers, "Content-Type: ", r->content_type) &&
           add_header(&t->headers, "Content-Encoding: ", r->content_encoding) &&
           add_header(&t->headers, "If-None-Match: ", r->if_none_match) &&
           add_header(&t->headers, "Prefer: wait=", r->wait_s > 0 ? wait : NULL);
}

static void set_options(struct transfer *t, const struct many_request *r)
{
    const struct many_config *c = &t->many->config;
    CURL *curl = t->curl;

    curl_easy_setopt(curl, CURLOPT_PRIVATE, t);
    curl_easy_setopt(curl, CURLOPT_URL, t->many->url.ptr);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->problem);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, c->agent != NULL ? c->agent : "keep");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 30000L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)((r->timeout_ms != 0 ? r->timeout_ms : MS_MINUTE) + r->wait_s * MS_SECOND));
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 4096L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, t->headers);
    if (c->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
    if (str_eq(r->method, "POST")) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body.len > 0 ? (const char *)r->body.ptr : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    }
}

int many_send(struct many *m, const struct many_request *r, struct err *err)
{
    struct pool *p = &m->pools[r->lane / LANES_A_POOL % m->n_pools];
    struct transfer *t = transfer_get(m);

    if (t == NULL)
        return err_nomem(err);
    t->multi = p->multi;
    t->of = r->of;
    t->etag[0] = t->problem[0] = '\0';
    t->retry_after_ms = 0;
    buf_clear(&m->url);
    buf_printf(&m->url, "%s%s", m->config.base_url, r->target);
    if (m->url.failed || !set_headers(t, r)) {
        transfer_free(t);
        return err_set(err, ERR_INVALID, "a request with too long a head");
    }
    set_options(t, r);
    if (curl_multi_add_handle(p->multi, t->curl) != CURLM_OK) {
        transfer_free(t);
        return err_set(err, ERR_UNAVAILABLE, "libcurl does not take another request");
    }
    t->prev = NULL;
    t->next = m->running;
    if (t->next != NULL)
        t->next->prev = t;
    m->running = t;
    m->n_running++;
    return 0;
}

/* ---- running --------------------------------------------------------------------------------- */

static void finish(struct many *m, struct transfer *t, CURLcode code)
{
    struct many_answer a = { .etag = t->etag, .retry_after_ms = t->retry_after_ms, .problem = t->problem };
    curl_off_t took = 0;
    long status = 0;

    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->curl, CURLINFO_TOTAL_TIME_T, &took);
    a.status = code == CURLE_OK ? (unsigned)status : 0;
    a.took_us = took;
    a.body = (struct bytes){ (const unsigned char *)(t->answer.ptr != NULL ? t->answer.ptr : ""), t->answer.len };
    if (code != CURLE_OK && t->problem[0] == '\0')
        a.problem = curl_easy_strerror(code);
    curl_multi_remove_handle(t->multi, t->curl);
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        m->running = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    m->n_running--;
    m->config.done(m->config.arg, t->of, &a);
    t->next = m->idle;
    m->idle = t;
}

static void collect(struct many *m, struct pool *p)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(p->multi, &left)) != NULL) {
        char *t = NULL;
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURLcode code = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
        finish(m, (struct transfer *)(void *)t, code);
    }
}

static int64_t next_timer(const struct many *m)
{
    int64_t due = INT64_MAX;

    for (size_t i = 0; i < m->n_pools; i++)
        due = m->pools[i].due_ms < due ? m->pools[i].due_ms : due;
    return due;
}

static void run_timers(struct many *m)
{
    int64_t now = time_monotonic_ms();

    for (size_t i = 0; i < m->n_pools; i++) {
        struct pool *p = &m->pools[i];
        if (p->due_ms > now)
            continue;
        p->due_ms = INT64_MAX;
        curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &p->running);
        collect(m, p);
    }
}

size_t many_run(struct many *m, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t due = next_timer(m), now = time_monotonic_ms();

    if (due <= now)
        timeout_ms = 0;
    else if (due - now < timeout_ms)
        timeout_ms = (int)(due - now);
    int n = epoll_wait(m->epoll, events, EVENTS_MAX, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct pool *p = &m->pools[events[i].data.u64 >> 32];
        int flags = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                    (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(p->multi, (curl_socket_t)(uint32_t)events[i].data.u64, flags, &p->running);
        collect(m, p);
    }
    run_timers(m);
    return m->n_running;
}
