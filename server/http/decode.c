/* decode.c - from bytes to structs: coding, JSON, shapes, query, path.
 *
 * Runs on a worker (light routes have no body).  After request_decode the
 * handler's input is whole: nothing behind it looks at text again. */
#include "base/compress.h"
#include "base/crypto.h"
#include "http/request.h"
#include "wire/json.h"

#include <string.h>

enum { MAX_RATIO = 200, MAX_KEY = 128 };

/* What the peer sent, without its content coding; bounded before a byte is written. */
static int plain_body(struct request *r, struct bytes *out)
{
    struct inflate_bounds bounds = { r->route->max_body, MAX_RATIO };

    *out = (struct bytes){ r->body, r->body_len };
    if (r->facts.coding == CODING_IDENTITY)
        return 0;
    buf_init(&r->plain, r->route->max_body);
    int rc = r->facts.coding == CODING_GZIP ? gzip_inflate(r->body, r->body_len, bounds, &r->plain, &r->err)
                                            : zstd_inflate(r->body, r->body_len, bounds, &r->plain, &r->err);
    if (rc != 0)
        return err_prefix(&r->err, "body");
    *out = (struct bytes){ (const unsigned char *)r->plain.ptr, r->plain.len };
    return 0;
}

static int json_body(struct request *r, struct bytes text)
{
    const struct shape *shape = r->route->in;
    struct json doc;
    struct json_opts opts = { .big_numbers = shape->open, .skip_bom = shape->open };

    void *in = arena_alloc(&r->arena, shape->size);
    if (in == NULL)
        return err_nomem(&r->err);
    if (json_parse(&r->arena, text.ptr, text.len, &opts, &doc, &r->err) != 0 ||
        shape_decode(shape, &doc, &r->arena, in, &r->call.complaints, &r->err) != 0)
        return -1;
    r->exec.in = in;
    return 0;
}

static int body(struct request *r)
{
    struct bytes text;

    if (r->route->body == BODY_NONE)
        return 0;
    if (plain_body(r, &text) != 0)
        return -1;
    r->call.body = text;
    return r->route->body == BODY_JSON ? json_body(r, text) : 0;
}

static int query(struct request *r)
{
    const char *text = r->uri[r->path_len] == '?' ? r->uri + r->path_len + 1 : "";

    if (r->route->query == NULL || (r->route->flags & ROUTE_RAW_QUERY) != 0)
        return 0;
    void *out = arena_alloc(&r->arena, r->route->query->size);
    if (out == NULL)
        return err_nomem(&r->err);
    shape_init(r->route->query, out);          /* a time that is not asked for is unknown, not 1970 */
    if (shape_decode_query(r->route->query, text, &r->arena, out, &r->err) != 0)
        return -1;
    r->call.query = out;
    return 0;
}

/* A repeated key must come with the same request: method, target, the route's own headers and body. */
static int idempotency(struct request *r)
{
    const char *key = r->facts.idempotency_key;
    struct sha256 sum;

    if (key == NULL || (r->route->flags & ROUTE_IDEMPOTENT) == 0 || r->caller.role == WHO_ANYONE ||
        r->server->back.hooks->keep.get == NULL)
        return 0;
    size_t len = strlen(key);
    if (len == 0 || len > MAX_KEY)
        return err_set(&r->err, ERR_INVALID, "Idempotency-Key: 1 to %d bytes expected", MAX_KEY);
    sha256_init(&sum);
    sha256_add(&sum, r->route->method, strlen(r->route->method));
    sha256_add(&sum, " ", 1);
    sha256_add(&sum, r->uri, r->uri_len + 1);
    for (size_t i = 0; i < REQUEST_MAX_HEADERS && r->route->headers != NULL && r->route->headers[i] != NULL; i++) {
        const char *value = r->header_values[i] != NULL ? r->header_values[i] : "";
        sha256_add(&sum, value, strlen(value) + 1);
    }
    sha256_add(&sum, r->call.body.ptr, r->call.body.len);
    sha256_done(&sum, r->exec.request);
    r->exec.key = key;
    r->exec.keep = &r->server->back.hooks->keep;
    return 0;
}

int request_decode(struct request *r)
{
    if (r->route->out != NULL) {
        r->exec.out = arena_alloc(&r->arena, r->route->out->size);
        if (r->exec.out == NULL) {
            err_nomem(&r->err);
            return request_fail(r, 0);
        }
        shape_init(r->route->out, r->exec.out);
    }
    if (match_values(&r->match, &r->arena, &r->call.path, &r->err) != 0 || query(r) != 0 || body(r) != 0 ||
        idempotency(r) != 0)
        return request_fail(r, 0);
    return 0;
}
