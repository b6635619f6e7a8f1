/* again.c - the same poll again.
 *
 * Agents ask the same thing over one connection, for hours.  A head that was judged, was
 * a node's, and got an answer that was made before is remembered with its connection, as
 * the library had cut it.  When the next one is the same, byte for byte, with as many
 * fields, then what the guard, the matcher and the session's MAC said holds again; what
 * can change without the head changing (revocation, the end of the session, the pace) is
 * looked at every time.  Anything else goes the whole way. */
#include "http/ready.h"
#include "http/request.h"

#include "base/time.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AGAIN_MAX = 1024 };

struct again {
    enum kept kept;
    bool is_same;                        /* of the request that is under way */
    uint16_t uri_len, head_len, n_headers;
    uint16_t accept_encoding, values[2]; /* where they begin in the head, 0: absent */
    size_t row;
    const struct route *route;
    struct caller caller;
    const char *uri_at;                  /* of the request that is under way */
    int64_t from_us;
    char text[];                         /* the raw target, a NUL, the head */
};

static const char *head_of(const struct again *a)
{
    return a->text + a->uri_len + 1;
}

static uint16_t place_of(const struct request *r, const char *value)
{
    return value == NULL ? 0 : (uint16_t)(value - r->head_at);
}

static bool is_worth_it(const struct request *r)
{
    const struct route *route = r->route;

    return (route->flags & ROUTE_AGAIN) != 0 && r->caller.role == ROLE_NODE && r->head_len + r->uri_len < AGAIN_MAX &&
           (route->headers == NULL || route->headers[0] == NULL || route->headers[1] == NULL || route->headers[2] == NULL) &&
           r->server->back.hooks->still != NULL;
}

void again_remember(struct request *r)
{
    struct conn *c = r->conn;

    if (!is_worth_it(r))
        return;
    struct again *a = realloc(c->again, sizeof *a + r->uri_len + 1 + r->head_len);
    if (a == NULL)
        return;
    *a = (struct again){ .kept = KEPT_AGAIN, .uri_len = (uint16_t)r->uri_len, .head_len = (uint16_t)r->head_len,
                         .n_headers = (uint16_t)r->n_headers, .accept_encoding = place_of(r, r->facts.accept_encoding),
                         .values = { place_of(r, r->header_values[0]), place_of(r, r->header_values[1]) },
                         .row = r->match.index, .route = r->route, .caller = r->caller };
    memcpy(a->text, r->uri, r->uri_len + 1);
    memcpy(a->text + r->uri_len + 1, r->head_at, r->head_len);
    c->again = a;
}

struct again *again_begin(struct conn *conn, const char *uri, int64_t from_us)
{
    struct again *a = conn->again;

    if (a == NULL || strncmp(uri, a->text, a->uri_len + (size_t)1) != 0)
        return NULL;
    a->is_same = false;
    a->uri_at = uri;
    a->from_us = from_us;
    return a;
}

/* The server's rate, per connection: no lock. */
static bool in_pace(const struct http_server *s, struct conn *c, int64_t now_ms)
{
    int64_t rate = s->cfg.rate, most = (int64_t)s->cfg.burst * 1000;

    if (rate == 0)
        return true;
    if (c->bucket_ms == 0)
        c->bucket_milli = most;
    else if (now_ms > c->bucket_ms)
        c->bucket_milli += (now_ms - c->bucket_ms) * rate;
    c->bucket_ms = now_ms;
    if (c->bucket_milli > most)
        c->bucket_milli = most;
    c->bucket_milli -= 1000;
    return c->bucket_milli >= 0;
}

static int64_t cheap_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct conn *conn_at(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

bool again_is_same(struct again *a, struct http_server *s, struct MHD_Connection *mhd, const char *method)
{
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    int64_t now_ms = cheap_now_ms();

    a->is_same = size != NULL && size->header_size == a->head_len && memcmp(method, head_of(a), a->head_len) == 0 &&
                 MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, NULL, NULL) == a->n_headers &&
                 !atomic_load(&s->draining) && in_pace(s, conn_at(mhd), now_ms) &&
                 s->back.hooks->still(s->back.app, &a->caller, now_ms);
    return a->is_same;
}

bool again_was_same(const struct again *a)
{
    return a->is_same;
}

struct request *again_request(struct again *a, struct http_server *s, struct MHD_Connection *mhd, void **state)
{
    struct request *r = request_new(s, conn_at(mhd), mhd, a->text, a->uri_len);

    if (r == NULL)
        return NULL;
    r->uri_at = a->uri_at;
    r->from_us = a->from_us;
    r->state = state;
    *state = r;
    return r;
}

static const char *text_at(const struct again *a, uint16_t place)
{
    return place == 0 ? NULL : head_of(a) + place;
}

static bool hold(struct again *a, struct http_server *s, struct MHD_Connection *mhd, const struct call *c, void **state, enum MHD_Result *rc)
{
    struct held *h = s->holds == NULL ? NULL : held_new(s, conn_at(mhd), mhd, a->text, a->uri_len);

    if (h == NULL)
        return false;
    h->from_us = a->from_us;
    h->seen = c->hold_seen;
    h->uri_at = a->uri_at;
    h->until_ms = time_monotonic_ms() + c->hold_ms;
    *rc = request_hold(h, c->hold_on, state);
    return true;
}

bool again_answer(struct again *a, struct http_server *s, struct MHD_Connection *mhd, void **state, enum MHD_Result *rc)
{
    const char *const values[REQUEST_MAX_HEADERS] = { text_at(a, a->values[0]), text_at(a, a->values[1]) };
    const char *query = strchr(a->text, '?');
    struct call c = { .app = s->back.app, .caller = &a->caller, .now_ms = cheap_now_ms(), .request_id = "", .headers = values,
                      .query_text = query == NULL ? "" : query + 1 };
    struct err err;

    if (a->route->run(&c, NULL, NULL, &err) != 0)
        return false;
    if (c.hold_ms > 0 || c.ready == NULL) {
        call_release(&c);
        return c.hold_ms > 0 && hold(a, s, mhd, &c, state, rc);
    }
    size_t len;
    bool is_unchanged = c.status == 304;
    struct MHD_Response *shared = ready_response(c.ready, is_unchanged, text_at(a, a->accept_encoding), &len);
    *rc = request_queue(s, conn_at(mhd), mhd, a->row, CLASS_LIGHT, a->from_us, is_unchanged ? 304 : 200, shared, len);
    call_release(&c);
    return true;
}
