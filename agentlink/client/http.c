/* http.c - see http.h. */
#include "client/http.h"

#include "base/compress.h"
#include "base/crypto.h"
#include "base/time.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAUSE_FIRST_MS = 500, PAUSE_MOST_MS = 20000, RETRY_AFTER_MOST_MS = 120000, GZIP_LEVEL = 6, ETAG_MAX = 160 };

struct http_client {
    struct client_config config;
    CURL *curl;
};

/* One attempt, as libcurl's callbacks see it. */
struct exchange {
    struct http_client *client;
    struct bytes body;
    size_t sent;
    struct buf answer;
    int64_t retry_after_ms, timeout_ms;
    const struct client_request *request;
    int64_t body_from_ms;        /* monotonic: its first byte; 0 none yet */
    bool gave_up, is_late;
    char etag[ETAG_MAX];
};

int http_client_open(const struct client_config *config, struct http_client **out, struct err *err)
{
    struct http_client *c = calloc(1, sizeof *c);

    if (c == NULL)
        return err_nomem(err);
    c->config = *config;
    if (c->config.connect_timeout_ms == 0)
        c->config.connect_timeout_ms = 10 * MS_SECOND;
    if (c->config.timeout_ms == 0)
        c->config.timeout_ms = 5 * MS_MINUTE;
    if (c->config.retry_for_ms == 0)
        c->config.retry_for_ms = MS_MINUTE;
    c->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    if (c->curl == NULL) {
        free(c);
        return err_set(err, ERR_UNAVAILABLE, "libcurl cannot be started");
    }
    *out = c;
    return 0;
}

void http_client_close(struct http_client *c)
{
    if (c == NULL)
        return;
    curl_easy_cleanup(c->curl);
    curl_global_cleanup();
    free(c);
}

void http_client_token(struct http_client *c, const char *token)
{
    c->config.token = token;
}

/* ---- libcurl's callbacks ---------------------------------------------------- */

static size_t on_read(char *to, size_t size, size_t n, void *data)
{
    struct exchange *x = data;
    size_t room = size * n, left = x->body.len - x->sent;
    size_t take = room < left ? room : left;

    memcpy(to, x->body.ptr + x->sent, take);
    x->sent += take;
    return take;
}

/* A reused connection may turn out dead: the body is then read again. */
static int on_seek(void *data, curl_off_t offset, int origin)
{
    struct exchange *x = data;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > x->body.len)
        return CURL_SEEKFUNC_FAIL;
    x->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* Somebody takes the body as it comes, and may have had enough. */
static size_t hand_on(struct exchange *x, const char *from, size_t len)
{
    const struct client_request *r = x->request;
    int64_t now = time_monotonic_ms();

    if (x->body_from_ms == 0)
        x->body_from_ms = now;
    x->is_late = r->body_within_ms > 0 && now - x->body_from_ms > r->body_within_ms;
    x->gave_up = !x->is_late && r->take(r->take_arg, from, len) != 0;
    return x->is_late || x->gave_up ? 0 : len;
}

static bool is_taken(const struct exchange *x)
{
    long status = 0;

    if (x->request->take == NULL)
        return false;
    curl_easy_getinfo(x->client->curl, CURLINFO_RESPONSE_CODE, &status);
    return status == 200;
}

static size_t on_write(char *from, size_t size, size_t n, void *data)
{
    struct exchange *x = data;

    if (size * n > 0 && is_taken(x))
        return hand_on(x, from, size * n);
    buf_put(&x->answer, from, size * n);
    return x->answer.failed ? 0 : size * n;
}

/* The value of a header line of this name ("etag:"), without spaces around it; false: another line, or too long. */
static bool header_value(const char *line, size_t len, const char *name, char *out, size_t max)
{
    size_t skip = strlen(name);

    if (len <= skip || strncasecmp(line, name, skip) != 0)
        return false;
    const char *from = line + skip, *end = line + len;
    while (from < end && *from == ' ')
        from++;
    while (end > from && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    if ((size_t)(end - from) >= max)
        return false;
    memcpy(out, from, (size_t)(end - from));
    out[end - from] = '\0';
    return true;
}

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
    struct exchange *x = data;
    size_t len = size * n;
    char text[32];
    int64_t seconds;

    if (header_value(line, len, "retry-after:", text, sizeof text) && str_to_i64(text, 0, 86400, &seconds))
        x->retry_after_ms = seconds * MS_SECOND;
    header_value(line, len, "etag:", x->etag, sizeof x->etag);
    return len;
}

static int on_progress(void *data, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total, curl_off_t ul_now)
{
    struct exchange *x = data;
    const struct client_config *cfg = &x->client->config;

    (void)dl_total;
    (void)dl_now;
    if (cfg->progress != NULL && ul_total > 0 && ul_now > 0)
        cfg->progress(cfg->data, ul_now, ul_total);
    return cfg->give_up != NULL && cfg->give_up(cfg->data);
}

/* ---- one attempt --------------------------------------------------------------- */

static int add_header(struct curl_slist **list, const char *name, const char *value, struct err *err)
{
    struct buf line;

    for (const char *s = value; *s != '\0'; s++) {
        if ((unsigned char)*s < ' ' && *s != '\t')
            return err_set(err, ERR_INVALID, "%s: a header holds no control characters", name);
    }
    buf_init(&line, 64 * 1024);
    /* For libcurl a name without a value is a header not to send. */
    buf_printf(&line, "%s:%s%s", name, value[0] != '\0' ? " " : "", value);
    struct curl_slist *longer = line.failed ? NULL : curl_slist_append(*list, line.ptr);
    crypto_wipe(line.ptr, line.len);
    buf_free(&line);
    if (longer == NULL)
        return err_nomem(err);
    *list = longer;
    return 0;
}

static int add_headers(const struct http_client *c, const struct client_request *r, const char *key, const char *coding,
                       struct curl_slist **list, struct err *err)
{
    char bearer[600];
    int rc = 0;

    if (c->config.token != NULL) {
        if (snprintf(bearer, sizeof bearer, "Bearer %s", c->config.token) >= (int)sizeof bearer)
            return err_set(err, ERR_INVALID, "the token is too long");
        rc = add_header(list, "Authorization", bearer, err);
        crypto_wipe(bearer, sizeof bearer);
    }
    struct client_header fixed[] = {
        { "Accept", "application/json, application/problem+json;q=0.9, */*;q=0.1" },
        { "Content-Type", r->body.len > 0 ? r->content_type : NULL },
        { "Content-Encoding", coding },
        { "Idempotency-Key", key },
    };
    for (size_t i = 0; rc == 0 && i < N_ITEMS(fixed); i++) {
        if (fixed[i].value != NULL)
            rc = add_header(list, fixed[i].name, fixed[i].value, err);
    }
    for (size_t i = 0; rc == 0 && i < r->n_headers; i++)
        rc = add_header(list, r->headers[i].name, r->headers[i].value, err);
    /* Nobody waits for "100 Continue" here. */
    return rc == 0 ? add_header(list, "Expect", "", err) : rc;
}

static void set_common(struct exchange *x, char *problem)
{
    const struct client_config *cfg = &x->client->config;
    CURL *curl = x->client->curl;

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, cfg->agent != NULL ? cfg->agent : "keep");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)cfg->connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(x->timeout_ms != 0 ? x->timeout_ms : cfg->timeout_ms));
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
    if (cfg->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, cfg->ca_file);
    if (cfg->cert_file != NULL)
        curl_easy_setopt(curl, CURLOPT_SSLCERT, cfg->cert_file);
    if (cfg->key_file != NULL)
        curl_easy_setopt(curl, CURLOPT_SSLKEY, cfg->key_file);
    if (cfg->progress != NULL || cfg->give_up != NULL) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, x);
    }
}

static void set_method(struct exchange *x, const struct client_request *r)
{
    CURL *curl = x->client->curl;
    bool put = str_eq(r->method, "PUT");

    if (str_eq(r->method, "GET"))
        return;
    if (put || str_eq(r->method, "POST")) {
        curl_easy_setopt(curl, put ? CURLOPT_UPLOAD : CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, x);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, x);
        curl_easy_setopt(curl, put ? CURLOPT_INFILESIZE_LARGE : CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.len);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
}

/* libcurl's result as ours; *sent_none: the server cannot have seen the request. */
static int transport_error(const struct exchange *x, CURLcode code, const char *problem, bool *sent_none, struct err *err)
{
    const char *text = problem[0] != '\0' ? problem : curl_easy_strerror(code);
    const char *url = x->client->config.base_url;

    *sent_none = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY;
    switch (code) {
    case CURLE_WRITE_ERROR:
        if (x->is_late)
            return err_set(err, ERR_TIMEOUT, "%s: the answer comes too slowly", url);
        if (x->gave_up)
            return err_set(err, ERR_INVALID, "%s: the answer was given up", url);
        return err_set(err, ERR_TOO_LARGE, "the answer is larger than %zu KiB", x->answer.max >> 10);
    case CURLE_ABORTED_BY_CALLBACK:
        return err_set(err, ERR_UNAVAILABLE, "%s: given up", url);
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, ERR_TIMEOUT, "%s: %s", url, text);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CACERT_BADFILE:
        return err_set(err, ERR_INVALID, "%s: %s", url, text);
    default:
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", url, text);
    }
}

static int take_answer(struct exchange *x, struct arena *arena, struct client_answer *out, struct err *err)
{
    long status = 0;
    char *type = NULL, *copy = arena_bytes(arena, x->answer.len + 1);

    curl_easy_getinfo(x->client->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->client->curl, CURLINFO_CONTENT_TYPE, &type);
    if (copy == NULL)
        return err_nomem(err);
    if (x->answer.len > 0)
        memcpy(copy, x->answer.ptr, x->answer.len);
    copy[x->answer.len] = '\0';
    out->status = (unsigned)status;
    out->body = (struct bytes){ (const unsigned char *)copy, x->answer.len };
    out->content_type = type != NULL ? arena_strdup(arena, type) : "";
    out->etag = arena_strdup(arena, x->etag);
    out->retry_after_ms = x->retry_after_ms;
    if (out->content_type == NULL || out->etag == NULL)
        return err_nomem(err);
    if ((status >= 200 && status < 300) || status == 304)
        return 0;
    return client_problem_read((unsigned)status, out->body, arena, out, err);
}

static int perform(struct exchange *x, const struct client_request *r, const struct curl_slist *headers,
                   struct arena *arena, struct client_answer *out, bool *sent_none, struct err *err)
{
    char problem[CURL_ERROR_SIZE] = "";
    struct buf url;

    buf_init(&url, 64 * 1024);
    buf_printf(&url, "%s%s", x->client->config.base_url, r->target);
    if (url.failed) {
        buf_free(&url);
        return err_set(err, ERR_INVALID, "the request's address is too long");
    }
    set_common(x, problem);
    set_method(x, r);
    curl_easy_setopt(x->client->curl, CURLOPT_URL, url.ptr);
    curl_easy_setopt(x->client->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(x->client->curl);
    int rc = code == CURLE_OK ? take_answer(x, arena, out, err) : transport_error(x, code, problem, sent_none, err);
    buf_free(&url);
    return rc;
}

static int attempt(struct http_client *c, const struct client_request *r, struct bytes body, const char *key, const char *coding,
                   struct arena *arena, struct client_answer *out, int64_t *retry_after_ms, bool *sent_none,
                   struct err *err)
{
    struct exchange x = { .client = c, .body = body, .timeout_ms = r->timeout_ms, .request = r };
    struct curl_slist *headers = NULL;

    *sent_none = false;
    buf_init(&x.answer, r->answer_max != 0 ? r->answer_max : CLIENT_ANSWER_MAX);
    int rc = add_headers(c, r, key, coding, &headers, err);
    if (rc == 0)
        rc = perform(&x, r, headers, arena, out, sent_none, err);
    *retry_after_ms = x.retry_after_ms;
    curl_slist_free_all(headers);
    buf_free(&x.answer);
    return rc;
}

/* ---- again? ---------------------------------------------------------------------- */

int64_t client_pause_ms(unsigned n, int64_t retry_after_ms, uint32_t random)
{
    int64_t most = n < 7 ? (int64_t)PAUSE_FIRST_MS << n : PAUSE_MOST_MS;

    if (most > PAUSE_MOST_MS)
        most = PAUSE_MOST_MS;
    int64_t pause = most / 2 + (int64_t)(random % (uint32_t)(most / 2));
    if (retry_after_ms > RETRY_AFTER_MOST_MS)
        retry_after_ms = RETRY_AFTER_MOST_MS;
    return pause > retry_after_ms ? pause : retry_after_ms;
}

static bool worth_repeating(const struct client_request *r, unsigned status, enum err_kind kind, bool sent_none)
{
    if (r->take != NULL)
        return false;                             /* half of it may have been taken */
    if (status == 429 || status == 503)
        return true;                              /* refused before anything was done */
    if (status == 502 || status == 504)
        return !r->once;
    if (status != 0)
        return false;
    return (kind == ERR_UNAVAILABLE || kind == ERR_TIMEOUT) && (sent_none || !r->once);
}

static void rest(int64_t ms)
{
    struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

    while (nanosleep(&t, &t) != 0) {
    }
}

static int send_until(struct http_client *c, const struct client_request *r, struct bytes body, const char *key, const char *coding,
                      struct arena *arena, struct client_answer *out, struct err *err)
{
    int64_t started = time_monotonic_ms(), retry_after = 0;

    for (unsigned n = 1;; n++) {
        bool sent_none;
        uint32_t random;
        *out = (struct client_answer){ .attempts = n, .content_type = "", .etag = "" };
        if (attempt(c, r, body, key, coding, arena, out, &retry_after, &sent_none, err) == 0)
            return 0;
        if (n > c->config.retries || !worth_repeating(r, out->status, err->kind, sent_none))
            return -1;
        random_bytes(&random, sizeof random);
        int64_t pause = client_pause_ms(n, retry_after, random);
        if (time_monotonic_ms() - started + pause > c->config.retry_for_ms)
            return -1;
        if (c->config.retrying != NULL)
            c->config.retrying(c->config.data, err->msg, pause);
        rest(pause);
    }
}

int http_client_send(struct http_client *c, const struct client_request *r, struct arena *arena, struct client_answer *out,
                struct err *err)
{
    char key[CLIENT_KEY_TEXT];
    uint8_t random[16];
    struct buf packed;
    struct err ignored = { 0 };
    struct bytes body = r->body;

    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, key);
    buf_init(&packed, body.len + body.len / 8 + 4096);       /* what the compressor asks for before it begins */
    const char *coding = r->content_encoding;
    if (coding == NULL && body.len >= CLIENT_GZIP_FROM && gzip_deflate(body.ptr, body.len, GZIP_LEVEL, &packed, &ignored) == 0 &&
        packed.len < body.len) {
        body = (struct bytes){ (const unsigned char *)packed.ptr, packed.len };
        coding = "gzip";
    }
    const char *once = r->key != NULL ? r->key : str_eq(r->method, "POST") ? key : NULL;
    int rc = send_until(c, r, body, once != NULL && *once != '\0' ? once : NULL, coding, arena, out, err);
    buf_free(&packed);
    return rc;
}
