/* head.c - the first call of the access handler: the guard, the target, the size.
 *
 * What is refused here is refused before a byte of the body was accepted. */
#include "http/peer.h"
#include "http/request.h"

#include <string.h>

enum { ANSWER_HEAD_ROOM = 2304, HEADER_RECORD = 72 };   /* bytes of the connection's memory */

struct collecting {
    struct guard_header *headers;
    size_t n;
    bool too_many;
};

static enum MHD_Result collect(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len,
                               const char *value, size_t value_len)
{
    struct collecting *c = arg;

    (void)kind;
    if (c->n == GUARD_MAX_HEADERS) {
        c->too_many = true;
        return MHD_NO;
    }
    c->headers[c->n++] = (struct guard_header){ name, value == NULL ? "" : value, name_len, value_len };
    return MHD_YES;
}

/* What of the connection's memory a head may take, so that the answer's head still fits. */
static size_t max_head(const struct request *r, size_t n_headers)
{
    size_t used = ANSWER_HEAD_ROOM + n_headers * HEADER_RECORD;
    size_t memory = r->conn->memory;

    return memory > used ? memory - used : 0;
}

/* The library has cut the target at '?' in its buffer: the values are judged on
 * our copy, the layout where it lies. */
static int guard(struct request *r, struct guard_head *head)
{
    head->uri = r->uri;
    unsigned status = guard_check(head, &r->facts, &r->err);
    head->uri = r->uri_at;
    if (status == 0 && !guard_layout(head)) {
        err_set(&r->err, ERR_INVALID, "request head: malformed line ending, folded line or NUL");
        status = 400;
    }
    if (status == 0)
        return 0;
    r->close_after = true;
    metric_count(r->server->meters.refused, 0, 0, 1);
    return request_fail(r, status);
}

/* Headers that handlers of this route asked for. */
static void pick_headers(struct request *r, const struct guard_head *head)
{
    if (r->route == NULL || r->route->headers == NULL)
        return;
    for (size_t i = 0; i < REQUEST_MAX_HEADERS && r->route->headers[i] != NULL; i++)
        r->header_values[i] = guard_find(head, r->route->headers[i]);
}

static int find_target(struct request *r)
{
    bool reads = r->facts.method == METHOD_GET || r->facts.method == METHOD_HEAD;

    matcher_find(r->server->matcher, r->facts.method, r->uri, r->path_len, &r->match);
    r->route = r->match.route;
    if (r->route != NULL)
        return 0;
    if (r->match.allowed != 0) {
        err_set(&r->err, ERR_METHOD, "%s is not offered here", method_word(r->facts.method));
        return request_fail(r, 0);
    }
    bool api = strncmp(r->uri, "/v1/", 4) == 0;
    r->file = api ? NULL : statics_find(r->server->statics, r->uri, r->path_len);
    if (r->file != NULL && reads)
        return 0;
    if (r->file != NULL) {
        r->file = NULL;
        r->match.allowed = 1u << METHOD_GET | 1u << METHOD_HEAD;
        err_set(&r->err, ERR_METHOD, "%s is not offered here", method_word(r->facts.method));
    } else {
        err_set(&r->err, ERR_NOT_FOUND, "nothing is here");
    }
    return request_fail(r, 0);
}

static int check_size(struct request *r)
{
    size_t max = r->route == NULL ? 0 : r->route->max_body;

    if (max == 0 && r->facts.coding != CODING_IDENTITY) {
        r->close_after = true;
        err_set(&r->err, ERR_MEDIA_TYPE, "Content-Encoding: nothing is sent here");
        return request_fail(r, 0);
    }
    if (r->facts.length <= max)
        return 0;
    r->close_after = true;
    if (max == 0)
        err_set(&r->err, ERR_TOO_LARGE, "body: none is taken here");
    else
        err_set(&r->err, ERR_TOO_LARGE, "body: %llu bytes, at most %zu are taken here",
                (unsigned long long)r->facts.length, max);
    return request_fail(r, 0);
}

int request_head(struct request *r, const char *method, const char *version)
{
    struct guard_header headers[GUARD_MAX_HEADERS];
    struct collecting c = { .headers = headers };
    struct guard_head head = { .method = method, .version = version, .uri_len = r->uri_len, .headers = headers };

    MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, collect, &c);
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    head.n_headers = c.n;
    head.too_many = c.too_many;
    head.head_len = size == NULL ? 0 : size->header_size;
    head.max_head = max_head(r, c.n);
    r->head_at = method;
    r->head_len = head.head_len;
    r->n_headers = c.n;
    if (guard(r, &head) != 0 || find_target(r) != 0)
        return -1;
    pick_headers(r, &head);
    return check_size(r) != 0 ? -1 : peer_check(r);
}
