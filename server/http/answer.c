/* answer.c - from a handler's result to bytes on the wire.
 *
 * request_encode does the work (JSON, hash, gzip) wherever the handler ran;
 * request_answer only puts headers around it, on the loop. */
#include "base/compress.h"
#include "base/time.h"
#include "http/headers.h"
#include "http/problem.h"
#include "http/ready.h"
#include "http/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GZIP_FROM = 1024, GZIP_UP_TO = 8 << 20, GZIP_LEVEL = 1, LOG_LINES_PER_SECOND = 50 };

/* ---- encoding ------------------------------------------------------------- */

static bool is_read(const struct request *r)
{
    return r->facts.method == METHOD_GET || r->facts.method == METHOD_HEAD;
}

static void encode_problem(struct request *r)
{
    buf_free(&r->encoded);
    buf_init(&r->encoded, 256 << 10);
    problem_write(&r->encoded, r->status, &r->err, request_id(r), &r->call.complaints);
    r->answer = (struct bytes){ (const unsigned char *)r->encoded.ptr, r->encoded.failed ? 0 : r->encoded.len };
}

/* The result as bytes: raw, kept for a repeated key, or encoded by the route's shape. */
static int encode_result(struct request *r)
{
    if (r->call.answer.ptr != NULL) {
        r->answer = r->call.answer;
        return 0;
    }
    if (r->exec.encoded.ptr != NULL) {
        r->answer = (struct bytes){ (const unsigned char *)r->exec.encoded.ptr, r->exec.encoded.len };
        return 0;
    }
    if (r->route->out == NULL || r->exec.out == NULL)
        return 0;
    buf_init(&r->encoded, EXEC_ANSWER_MAX);
    shape_encode(r->route->out, r->exec.out, &r->encoded);
    if (r->encoded.failed)
        return err_set(&r->err, ERR_UNAVAILABLE, "the answer is too large for now");
    r->answer = (struct bytes){ (const unsigned char *)r->encoded.ptr, r->encoded.len };
    return 0;
}

static void tag(struct request *r)
{
    if (!is_read(r) || (r->call.status != 0 && r->call.status != 200) || r->answer.ptr == NULL)
        return;
    if (r->call.answer_etag != NULL)
        etag_with(r->call.answer_etag, "", r->etag);
    else
        etag_of(r->answer.ptr, r->answer.len, r->etag);
}

static bool is_text(const struct request *r)
{
    const char *type = r->call.answer.ptr == NULL ? "application/json" : r->call.answer_type;

    return type != NULL && (str_starts(type, "text/") || strstr(type, "json") != NULL || strstr(type, "xml") != NULL);
}

static void compress(struct request *r)
{
    struct err ignored;

    if (r->answer.len < GZIP_FROM || r->answer.len > GZIP_UP_TO || !is_text(r) ||
        !coding_accepted(r->facts.accept_encoding, "gzip"))
        return;
    buf_init(&r->gzip, r->answer.len + r->answer.len / 256 + 4096);
    if (gzip_deflate(r->answer.ptr, r->answer.len, GZIP_LEVEL, &r->gzip, &ignored) != 0 ||
        r->gzip.len >= r->answer.len)
        buf_free(&r->gzip);
}

static bool unchanged(const struct request *r)
{
    return r->etag[0] != '\0' && r->facts.if_none_match != NULL && etag_matches(r->facts.if_none_match, r->etag);
}

void request_encode(struct request *r, bool may_compress)
{
    if (r->status == 0 && encode_result(r) != 0)
        request_fail(r, 0);
    if (r->status != 0) {
        encode_problem(r);
        return;
    }
    tag(r);
    if (may_compress && !unchanged(r))
        compress(r);
}

/* ---- headers --------------------------------------------------------------- */

static bool header(struct MHD_Response *response, const char *name, const char *value)
{
    return value == NULL || MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool allow_header(struct MHD_Response *response, unsigned allowed)
{
    char list[64] = "";
    size_t len = 0;

    for (int m = METHOD_NONE + 1; m < METHOD_N; m++)
        if ((allowed & (1u << m)) != 0)
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len > 0 ? ", " : "",
                                    method_word((enum http_method)m));
    return header(response, "Allow", list);
}

static bool failure_headers(struct request *r, struct MHD_Response *response)
{
    char seconds[24];
    bool ok = header(response, "Content-Type", PROBLEM_TYPE);

    if (r->status == 401)
        ok = ok && header(response, "WWW-Authenticate", "Bearer realm=\"keep\"");
    if (r->status == 405)
        ok = ok && allow_header(response, r->match.allowed);
    if (r->status == 429 || r->status == 503 || r->status == 507) {
        int64_t wait = r->call.retry_after_s > 0 ? r->call.retry_after_s : 1;
        snprintf(seconds, sizeof seconds, "%" PRId64, wait);
        ok = ok && header(response, "Retry-After", seconds);
    }
    return ok;
}

/* A file name may not break out of its quotes. */
static bool disposition(struct MHD_Response *response, const char *name)
{
    char value[160], safe[96];
    size_t n = 0;

    if (name == NULL)
        return true;
    for (; name[n] != '\0' && n + 1 < sizeof safe; n++) {
        unsigned char c = (unsigned char)name[n];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' || c == '-';
        safe[n] = plain ? (char)c : '_';
    }
    safe[n] = '\0';
    snprintf(value, sizeof value, "attachment; filename=\"%s\"", safe);
    return header(response, "Content-Disposition", value);
}

static bool success_headers(struct request *r, struct MHD_Response *response, bool gzip)
{
    const struct call *c = &r->call;
    char etag[ETAG_TEXT];
    bool ok = header(response, "Location", c->location) && header(response, "Set-Cookie", c->set_cookie) &&
              disposition(response, c->file_name);

    if (r->answer.ptr != NULL)
        ok = ok && header(response, "Content-Type", c->answer.ptr == NULL ? "application/json"
                                                    : c->answer_type == NULL ? "application/octet-stream" : c->answer_type);
    if (r->etag[0] != '\0') {
        etag_with(r->etag, gzip ? "-gz" : "", etag);
        ok = ok && header(response, "ETag", etag) && header(response, "Vary", "Accept-Encoding");
    }
    if (r->exec.replayed)
        ok = ok && header(response, "Idempotency-Replayed", "true");
    return ok && (!gzip || header(response, "Content-Encoding", "gzip"));
}

/* The library never writes through the pointer in this mode. */
static struct MHD_Response *response_of(struct bytes b)
{
    union { const unsigned char *in; void *out; } p = { .in = b.ptr };

    return MHD_create_response_from_buffer(b.len, p.out, MHD_RESPMEM_PERSISTENT);
}

/* ---- the end of a request --------------------------------------------------- */

/* At most so many lines a second about clients' mistakes: a flood of them must not fill the disk. */
static bool may_log(struct http_server *s, unsigned status)
{
    long long second = time_now_ms() / 1000, was = atomic_load(&s->log_second);

    if (status >= 500 && status != 501 && status != 505)
        return true;
    for (;;) {
        long long next = was >> 16 == second ? was + 1 : (second << 16) + 1;
        if ((next & 0xFFFF) > LOG_LINES_PER_SECOND)
            return false;
        if (atomic_compare_exchange_weak(&s->log_second, &was, next))
            return true;
    }
}

static void log_failure(struct request *r)
{
    enum log_level level = r->status == 500 || r->status == 507 ? LOG_ERROR
                         : r->status == 503 || r->status == 401 || r->status == 403 || r->status == 429 ? LOG_WARN
                         : LOG_INFO;

    if (!may_log(r->server, r->status))
        return;
    r->uri[r->path_len] = '\0';                  /* a query may hold what should not be logged */
    LOG(r->server->back.log, level, "request failed",
        LOG_TEXT("request_id", request_id(r)), LOG_INT("status", r->status), LOG_TEXT("kind", err_info(r->err.kind)->slug),
        LOG_TEXT("detail", r->err.msg), LOG_TEXT("method", method_word(r->facts.method)), LOG_TEXT("path", r->uri),
        LOG_TEXT("route", r->route == NULL ? NULL : r->route->path),
        LOG_TEXT("caller", r->caller.id), LOG_TEXT("from", r->conn->from));
}

static void count(struct http_server *s, size_t row, enum call_class class, int64_t from_us, unsigned status)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 - from_us;
    metric_count(s->meters.requests, row, status / 100 - 1, 1);
    metric_observe(s->meters.seconds, class == CLASS_NONE ? 0 : (size_t)class - 1, us);
}

enum MHD_Result request_queue(struct http_server *s, struct conn *conn, struct MHD_Connection *mhd, size_t row, enum call_class class,
                              int64_t from_us, unsigned status, struct MHD_Response *response, size_t len)
{
    conn_answers(conn, len);
    count(s, row, class, from_us, status);
    return MHD_queue_response(mhd, status, response);
}

static enum MHD_Result queue(struct request *r, unsigned status, struct MHD_Response *response, size_t len)
{
    const struct http_server *s = r->server;
    size_t row = r->route != NULL ? r->match.index : r->file != NULL ? s->back.n_routes : s->back.n_routes + 1;

    r->step = STEP_SENT;
    if (r->status != 0)
        log_failure(r);
    return request_queue(r->server, r->conn, r->mhd, row, r->route == NULL ? CLASS_NONE : r->route->class, r->from_us, status, response, len);
}

static enum MHD_Result answer_file(struct request *r)
{
    unsigned status;
    size_t len;
    struct MHD_Response *shared = statics_answer(r->server->statics, r->file, r->facts.accept_encoding,
                                                 r->facts.if_none_match, &status, &len);

    return queue(r, status, shared, len);
}

enum MHD_Result request_answer_ready(struct request *r)
{
    bool is_unchanged = r->call.status == 304;
    size_t len;
    struct MHD_Response *shared = ready_response(r->call.ready, is_unchanged, r->facts.accept_encoding, &len);

    return queue(r, is_unchanged ? 304 : 200, shared, len);
}

static unsigned success_status(const struct request *r)
{
    if (unchanged(r))
        return 304;
    if (r->call.status != 0)
        return (unsigned)r->call.status;
    return r->answer.ptr == NULL ? 204 : 200;
}

/* Made by the worker, or brought along by a light handler. */
static struct bytes gzip_form(const struct request *r)
{
    if (r->gzip.ptr != NULL)
        return (struct bytes){ (const unsigned char *)r->gzip.ptr, r->gzip.len };
    if (r->status == 0 && r->call.answer_gzip.ptr != NULL && coding_accepted(r->facts.accept_encoding, "gzip"))
        return r->call.answer_gzip;
    return (struct bytes){ NULL, 0 };
}

enum MHD_Result request_answer(struct request *r)
{
    if (r->status == 0 && r->file != NULL)
        return answer_file(r);
    if (r->answer.ptr == NULL)
        request_encode(r, false);
    unsigned status = r->status != 0 ? r->status : success_status(r);
    struct bytes coded = status == 304 ? (struct bytes){ NULL, 0 } : gzip_form(r);
    bool gzip = coded.ptr != NULL;
    struct bytes body = gzip ? coded : r->answer;
    if (status == 304 || status == 204)
        body = (struct bytes){ NULL, 0 };
    struct MHD_Response *response = response_of(body);
    if (response == NULL)
        return MHD_NO;
    bool secure = r->server->tls != NULL;
    bool ok = headers_add(response, HEADERS_API, secure) && header(response, "X-Request-Id", request_id(r)) &&
              (r->status != 0 ? failure_headers(r, response) : success_headers(r, response, gzip));
    if (r->close_after || atomic_load(&r->server->draining))
        ok = ok && header(response, "Connection", "close");
    enum MHD_Result rc = ok ? queue(r, status, response, body.len) : MHD_NO;
    MHD_destroy_response(response);
    return rc;
}
