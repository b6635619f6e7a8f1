/* health.c - the server's own light routes: is it alive, may it be asked, how is it. */
#include "base/buf.h"
#include "http/request.h"
#include "http/routes.h"

struct health {
    const char *status, *version;
};

static const struct field fields[] = {
    { "status", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct health, status), 0, 0, 0, NULL, NULL, "\"ok\"." },
    { "version", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct health, version), 0, 0, 0, NULL, NULL,
      "Of the program." },
};
const struct shape health_shape = { "health", sizeof(struct health), fields, N_ITEMS(fields), false };

int health(struct call *c, const void *in, void *out, struct err *err)
{
    struct health *h = out;

    (void)c;
    (void)in;
    (void)err;
    h->status = "ok";
    h->version = KEEP_VERSION;
    return 0;
}

int ready(struct call *c, const void *in, void *out, struct err *err)
{
    const struct http_server *s = request_of(c)->server;

    if (atomic_load(&s->draining))
        return err_set(err, ERR_UNAVAILABLE, "shutting down");
    if (s->back.hooks->ready != NULL && s->back.hooks->ready(s->back.app, err) != 0)
        return -1;
    return health(c, in, out, err);
}

int metrics(struct call *c, const void *in, void *out, struct err *err)
{
    struct request *r = request_of(c);
    const struct http_back *back = &r->server->back;

    (void)in;
    (void)out;
    buf_init(&r->plain, 4 << 20);
    if (back->metrics != NULL)
        metrics_write(back->metrics, &r->plain);
    if (back->hooks->metrics != NULL)
        back->hooks->metrics(back->app, &r->plain);
    if (r->plain.failed)
        return err_nomem(err);
    buf_putc(&r->plain, '\n');
    c->answer = (struct bytes){ (const unsigned char *)r->plain.ptr, r->plain.len };
    c->answer_type = "text/plain; version=0.0.4; charset=utf-8";
    return 0;
}

int openapi(struct call *c, const void *in, void *out, struct err *err)
{
    struct request *r = request_of(c);
    const struct http_server *s = r->server;

    (void)in;
    (void)out;
    (void)err;
    c->answer = (struct bytes){ (const unsigned char *)s->openapi.ptr, s->openapi.len };
    c->answer_type = "application/json";
    c->answer_etag = s->openapi_etag;
    c->answer_gzip = (struct bytes){ (const unsigned char *)s->openapi_gzip.ptr, s->openapi_gzip.len };
    return 0;
}
