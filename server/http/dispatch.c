/* dispatch.c - the way of a request through loops, workers and the writer.
 *
 * The order of steps is the order of trust: head, size, who, may, then the
 * body, then the handler.  See request.h for the states. */
#include "base/crypto.h"
#include "base/time.h"
#include "http/hold.h"
#include "http/request.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { LIGHT_ARENA = 1 << 20, WORK_ARENA = 32 << 20, ARENA_PER_BODY = 12, RETRY_AFTER_S = 2 };

#define REQUEST_FROM(ptr, member) ((struct request *)(void *)((char *)(ptr) - offsetof(struct request, member)))

struct request *request_of(struct call *c)
{
    return REQUEST_FROM(c, call);
}

/* ---- beginning and end ------------------------------------------------------ */

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct conn *conn_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info == NULL ? NULL : info->socket_context;
}

const char *request_id(struct request *r)
{
    unsigned char id[8];

    if (r->id[0] == '\0') {
        random_bytes(id, sizeof id);
        hex_encode(id, sizeof id, r->id);
    }
    return r->id;
}

struct request *request_new(struct http_server *s, struct conn *conn, struct MHD_Connection *mhd, const char *uri, size_t len)
{
    struct request *r = calloc(1, sizeof *r + len + 1);

    if (r == NULL)
        return NULL;
    r->kept = KEPT_REQUEST;
    r->server = s;
    r->conn = conn;
    r->mhd = mhd;
    r->uri_len = len;
    if (len > 0)
        memcpy(r->uri, uri, len);
    r->path_len = strcspn(r->uri, "?");
    arena_init(&r->arena, LIGHT_ARENA);
    return r;
}

/* The request line was read: the raw target is still whole. */
void *request_begin(void *server, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *s = server;
    struct conn *conn = conn_of(mhd);
    int64_t from_us = now_us();
    struct again *again = conn == NULL || uri == NULL ? NULL : again_begin(conn, uri, from_us);
    struct request *r = conn == NULL || again != NULL ? NULL : request_new(s, conn, mhd, uri, uri == NULL ? 0 : strlen(uri));

    if (r == NULL && again == NULL)
        return NULL;
    striped_add(&s->in_flight, striped_mine(), 1);
    conn_head_begins(conn);
    if (again != NULL)
        return again;
    r->uri_at = uri;
    r->from_us = from_us;
    return r;
}

static void request_free(struct request *r)
{
    if (r->body_reserved > 0)
        work_release(r->server->back.work, r->body_reserved);
    call_release(&r->call);
    free(r->body);
    buf_free(&r->plain);
    buf_free(&r->encoded);
    buf_free(&r->gzip);
    buf_free(&r->exec.encoded);
    arena_clear(&r->arena);
    free(r);
}

void request_completed(void *server, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode how)
{
    struct http_server *s = server;
    enum kept *kept = *state;

    (void)how;
    if (kept == NULL)
        return;
    *state = NULL;
    if (*kept == KEPT_HELD) {                     /* the peer left meanwhile */
        struct held *h = (struct held *)(void *)kept;
        atomic_fetch_sub(&s->suspended, 1);
        conn_idles(h->conn);
        free(h);
    } else if (*kept == KEPT_AGAIN) {
        conn_idles(conn_of(mhd));
    } else {
        struct request *r = (struct request *)(void *)kept;
        if (r->is_suspended)                      /* the peer left while a worker had it */
            atomic_fetch_sub(&s->suspended, 1);
        conn_idles(r->conn);
        request_free(r);
    }
    striped_add(&s->in_flight, striped_mine(), -1);
}

/* ---- leaving the loop and coming back ---------------------------------------- */

static void resume(struct request *r, enum step step)
{
    struct http_server *s = r->server;

    r->step = step;
    atomic_fetch_add(&s->suspended, 1);          /* until this call has let go of the connection */
    MHD_resume_connection(r->mhd);
    atomic_fetch_sub(&s->suspended, 1);
}

static void finish(struct request *r)
{
    request_encode(r, true);
    resume(r, STEP_ANSWER);
}

static void overloaded(struct request *r)
{
    r->call.retry_after_s = RETRY_AFTER_S;
    request_fail(r, 0);
}

/* Suspends, then queues; a full queue is answered at once. */
static enum MHD_Result submit(struct request *r, void (*run)(void *, struct db *), enum step step)
{
    r->step = step;
    r->job = (struct work_job){ .run = run, .arg = r, .large = r->body_len > REQUEST_SMALL };
    conn_works(r->conn);
    r->is_suspended = true;
    atomic_fetch_add(&r->server->suspended, 1);
    MHD_suspend_connection(r->mhd);
    if (work_submit(r->server->back.work, &r->job, &r->err) != 0) {
        overloaded(r);
        resume(r, STEP_ANSWER);
    }
    return MHD_YES;
}

/* ---- the writer --------------------------------------------------------------- */

static void write_again(void *arg, struct db *reader)
{
    struct request *r = arg;

    (void)reader;
    exec_reset(&r->exec);
    if (exec_write(&r->exec, &r->err) != 0) {
        overloaded(r);
        finish(r);
    }
}

/* On the writer's thread: hand back, nothing else.  The loop encodes. */
static void write_done(void *arg, int rc, const struct err *err)
{
    struct request *r = REQUEST_FROM(arg, exec);

    if (rc != 0) {
        r->err = *err;
        r->job = (struct work_job){ .run = write_again, .arg = r };
        if (exec_again(&r->exec, err) && work_submit(r->server->back.work, &r->job, &r->err) == 0)
            return;
        request_fail(r, 0);
    }
    resume(r, STEP_ANSWER);
}

static void start_write(struct request *r, struct db *reader)
{
    r->exec.writer = r->server->back.writer;
    r->exec.done = write_done;
    if (r->route->prepare != NULL && exec_read(&r->exec, r->route->prepare, reader, &r->err) != 0) {
        request_fail(r, 0);
        finish(r);
        return;
    }
    r->exec.tries = 0;
    if (exec_write(&r->exec, &r->err) != 0) {
        overloaded(r);
        finish(r);
    }
}

/* ---- workers -------------------------------------------------------------------- */

/* Identity, when the loop could not tell; then everything that needs it. */
static int known(struct request *r, struct db *reader)
{
    if (r->identified)
        return 0;
    if (reader != NULL && db_begin_read(reader, &r->err) != 0)
        return request_fail(r, 0);
    int rc = request_identify(r, reader);
    if (reader != NULL)
        db_rollback(reader);                     /* nothing was written */
    if (rc != 0 || request_admit(r) != 0)
        return -1;
    r->identified = true;
    return 0;
}

static void work_identify(void *arg, struct db *reader)
{
    struct request *r = arg;

    known(r, reader);
    resume(r, STEP_IDENTIFIED);
}

/* A reading handler answers, or has nothing new and waits. */
static void ask(struct request *r, struct db *reader)
{
    struct holds *holds = r->server->holds;
    struct writer_stats stats = { 0 };

    if (holds != NULL)
        writer_stats(r->server->back.writer, &stats);
    r->hold_commits = stats.batches;
    if (exec_read(&r->exec, r->route->run, reader, &r->err) != 0)
        request_fail(r, 0);
    else if (r->call.hold_ms > 0 && !r->call.is_last_ask && holds != NULL) {
        holds_put(holds, r);
        return;
    }
    finish(r);
}

static void work_run(void *arg, struct db *reader)
{
    struct request *r = arg;

    if (known(r, reader) != 0 || request_decode(r) != 0) {
        finish(r);
        return;
    }
    if (r->route->class == CLASS_WRITE) {
        start_write(r, reader);
        return;
    }
    ask(r, reader);
}

static void work_again(void *arg, struct db *reader)
{
    struct request *r = arg;

    r->call.now_ms = time_now_ms();
    ask(r, reader);
}

void request_ask_again(struct request *r)
{
    r->job = (struct work_job){ .run = work_again, .arg = r };
    if (work_submit(r->server->back.work, &r->job, &r->err) != 0) {
        overloaded(r);
        finish(r);
    }
}

/* ---- the loop ---------------------------------------------------------------------- */

static void prepare_call(struct request *r)
{
    r->call.app = r->server->back.app;
    r->call.arena = &r->arena;
    r->call.caller = &r->caller;
    r->call.now_ms = time_now_ms();
    r->call.request_id = r->id;
    r->call.query_text = r->uri[r->path_len] == '?' ? r->uri + r->path_len + 1 : "";
    r->call.is_last_ask = r->server->holds == NULL || atomic_load(&r->server->draining) ||
                          (r->light_until_ms != 0 && time_monotonic_ms() >= r->light_until_ms);
    if (r->route == NULL || r->route->class != CLASS_LIGHT)
        request_id(r);
    r->call.content_type = r->facts.content_type;
    r->call.headers = r->header_values;
    r->call.complaints.arena = &r->arena;
    r->exec.call = &r->call;
    r->exec.route = r->route;
    if (r->route != NULL && r->route->class != CLASS_LIGHT)
        r->arena.limit = WORK_ARENA + r->route->max_body * ARENA_PER_BODY;
}

/* A failure before the body: a short body is read and dropped so that the
 * connection can go on; anything else is answered now, and the library closes. */
static enum MHD_Result fail_early(struct request *r)
{
    if (r->close_after || r->facts.length > REQUEST_DISCARD_MAX) {
        r->close_after = true;
        return request_answer(r);
    }
    r->step = r->facts.length == 0 ? STEP_ANSWER : STEP_DISCARD;
    if (r->step == STEP_DISCARD)
        conn_body_begins(r->conn);
    return MHD_YES;
}

static enum MHD_Result expect_body(struct request *r)
{
    size_t len = (size_t)r->facts.length;

    r->step = STEP_BODY;
    if (len == 0)
        return MHD_YES;
    if (!work_reserve(r->server->back.work, len)) {
        err_set(&r->err, ERR_UNAVAILABLE, "too much is being uploaded");
        overloaded(r);
        return fail_early(r);
    }
    r->body_reserved = len;
    r->body = malloc(len);
    if (r->body == NULL) {
        err_nomem(&r->err);
        request_fail(r, 0);
        return fail_early(r);
    }
    conn_body_begins(r->conn);
    return MHD_YES;
}

/* Identity from memory if it is there.  A large body is not read from somebody
 * unknown: a worker finds out first.  A small one is read, and the worker that
 * runs the request finds out on the way. */
static enum MHD_Result meet(struct request *r)
{
    int rc = r->file != NULL ? IDENTIFY_OK : request_identify(r, NULL);

    if (rc < 0)
        return fail_early(r);
    if (rc == IDENTIFY_ASK_DB)
        return r->facts.length > REQUEST_DISCARD_MAX ? submit(r, work_identify, STEP_IDENTIFY) : expect_body(r);
    if (r->file == NULL && request_admit(r) != 0)
        return fail_early(r);
    r->identified = true;
    return expect_body(r);
}

static enum MHD_Result begin(struct request *r, const char *method, const char *version)
{
    int rc = request_head(r, method, version);

    prepare_call(r);
    return rc != 0 ? fail_early(r) : meet(r);
}

struct held *held_new(struct http_server *s, struct conn *conn, struct MHD_Connection *mhd, const char *uri, size_t len)
{
    struct held *h = malloc(sizeof *h + len + 1);

    if (h == NULL)
        return NULL;
    *h = (struct held){ .kept = KEPT_HELD, .server = s, .conn = conn, .mhd = mhd, .uri_len = len };
    memcpy(h->uri, uri, len);
    h->uri[len] = '\0';
    return h;
}

/* From here on it may be asked again at any moment, by another thread. */
enum MHD_Result request_hold(struct held *h, const atomic_llong *on, void **state)
{
    struct http_server *s = h->server;

    *state = h;
    conn_works(h->conn);
    atomic_fetch_add(&s->suspended, 1);
    MHD_suspend_connection(h->mhd);
    holds_put_light(s->holds, on, h);
    return MHD_YES;
}

/* Only what is needed to ask again stays; the library must not see the request any more. */
static enum MHD_Result hold(struct request *r)
{
    struct held *h = held_new(r->server, r->conn, r->mhd, r->uri, r->uri_len);
    const atomic_llong *on = r->call.hold_on;
    void **state = r->state;

    if (h == NULL) {
        err_nomem(&r->err);
        request_fail(r, 0);
        return request_answer(r);
    }
    h->from_us = r->from_us;
    h->seen = r->call.hold_seen;
    h->uri_at = r->uri_at;
    h->until_ms = r->light_until_ms != 0 ? r->light_until_ms : time_monotonic_ms() + r->call.hold_ms;
    again_remember(r);
    request_free(r);
    return request_hold(h, on, state);
}

void held_ask_again(struct held *h)
{
    struct http_server *s = h->server;

    atomic_fetch_add(&s->suspended, 1);          /* until this call has let go of the connection */
    MHD_resume_connection(h->mhd);
    atomic_fetch_sub(&s->suspended, 1);
}

/* An answer that was made before; what it borrows is given back at once. */
static enum MHD_Result answer_light(struct request *r)
{
    if (r->call.hold_ms > 0) {
        call_release(&r->call);
        return hold(r);
    }
    again_remember(r);
    enum MHD_Result rc = request_answer_ready(r);
    call_release(&r->call);
    return rc;
}

static enum MHD_Result run_light(struct request *r)
{
    if (!r->identified)
        return submit(r, work_identify, STEP_IDENTIFY);
    if (request_decode(r) == 0 && r->route->run(&r->call, NULL, r->exec.out, &r->err) != 0)
        request_fail(r, 0);
    return r->status == 0 && (r->call.ready != NULL || r->call.hold_ms > 0) ? answer_light(r) : request_answer(r);
}

static enum MHD_Result run(struct request *r)
{
    conn_works(r->conn);
    if (r->file != NULL)
        return request_answer(r);
    if (r->route->class == CLASS_LIGHT)
        return run_light(r);
    return submit(r, work_run, STEP_WORK);
}

static enum MHD_Result take_body(struct request *r, const char *data, size_t *size)
{
    size_t n = *size;

    *size = 0;
    conn_body_more(r->conn, n);
    metric_count(r->server->meters.bytes_in, 0, 0, (int64_t)n);
    if (r->step == STEP_DISCARD)
        return MHD_YES;
    if (n > r->body_reserved - r->body_len)       /* the library keeps to Content-Length; be sure */
        return MHD_NO;
    memcpy(r->body + r->body_len, data, n);
    r->body_len += n;
    return MHD_YES;
}

/* Back from work_identify: before a large body, or before a light handler. */
static enum MHD_Result identified(struct request *r)
{
    if (r->route->class == CLASS_LIGHT) {
        r->step = STEP_ANSWER;
        return r->status != 0 ? request_answer(r) : run_light(r);
    }
    return r->status != 0 ? fail_early(r) : expect_body(r);
}

/* From the head to the answer at once: the library's second call has come already. */
static enum MHD_Result whole_way(struct request *r, const char *method, const char *version)
{
    enum MHD_Result rc = begin(r, method, version);

    if (rc != MHD_YES)
        return rc;
    return r->step == STEP_BODY ? run(r) : r->step == STEP_ANSWER ? request_answer(r) : rc;
}

/* A light request that was held begins anew: whoever asks may have been revoked meanwhile. */
static enum MHD_Result ask_held(struct held *h, const char *method, const char *version, void **state)
{
    struct http_server *s = h->server;
    struct request *r = request_new(s, h->conn, h->mhd, h->uri, h->uri_len);

    atomic_fetch_sub(&s->suspended, 1);
    if (r == NULL)
        return atomic_fetch_add(&s->suspended, 1), MHD_NO;       /* the library closes; request_completed counts it off */
    r->uri_at = h->uri_at;
    r->from_us = h->from_us;
    r->light_until_ms = h->until_ms;
    r->state = state;
    *state = r;
    free(h);
    return whole_way(r, method, version);
}

/* A head that may have been judged before: if it is the same, only its caller is looked at. */
static enum MHD_Result ask_same(struct again *a, struct http_server *s, struct MHD_Connection *mhd, const char *method,
                                const char *version, void **state)
{
    enum MHD_Result rc;
    bool first = !again_was_same(a);

    if (first ? again_is_same(a, s, mhd, method) : again_answer(a, s, mhd, state, &rc))
        return first ? MHD_YES : rc;
    struct request *r = again_request(a, s, mhd, state);
    if (r == NULL)
        return MHD_NO;
    return first ? begin(r, method, version) : whole_way(r, method, version);
}

enum MHD_Result request_access(void *server, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **state)
{
    const enum kept *kept = *state;
    struct http_server *s = server;

    (void)url;
    if (kept == NULL)
        return MHD_NO;
    if (*kept == KEPT_HELD)
        return ask_held(*state, method, version, state);
    if (*kept == KEPT_AGAIN)
        return *size > 0 ? MHD_NO : ask_same(*state, s, mhd, method, version, state);
    struct request *r = *state;
    r->state = state;
    if (r->is_suspended) {                        /* back on the loop */
        r->is_suspended = false;
        atomic_fetch_sub(&s->suspended, 1);
    }
    if (*size > 0)
        return r->step == STEP_BODY || r->step == STEP_DISCARD ? take_body(r, data, size) : MHD_NO;
    switch (r->step) {
    case STEP_HEAD:
        return begin(r, method, version);
    case STEP_IDENTIFIED:
        return identified(r);
    case STEP_BODY:
        return run(r);
    case STEP_DISCARD:
        return request_answer(r);
    case STEP_ANSWER:
        return request_answer(r);
    case STEP_IDENTIFY:
    case STEP_WORK:
    case STEP_SENT:
        break;
    }
    return MHD_NO;
}
