/* curl_line.c - a request as the curl command that does the same. */
#include "client/http.h"

#include <string.h>

enum { SHOWN_BODY_MAX = 4096 };

/* Single quotes protect everything but themselves. */
static void put_quoted(struct buf *b, const char *s, size_t n)
{
    buf_putc(b, '\'');
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\'')
            buf_puts(b, "'\\''");
        else
            buf_putc(b, s[i]);
    }
    buf_putc(b, '\'');
}

static void put_header(struct buf *b, const char *name, const char *value)
{
    buf_puts(b, " \\\n  -H ");
    struct buf line;
    buf_init(&line, 16384);
    buf_printf(&line, "%s: %s", name, value);
    put_quoted(b, line.ptr != NULL ? line.ptr : "", line.len);
    buf_free(&line);
}

static void put_body(struct buf *b, struct bytes body, const char *file)
{
    bool show = file == NULL && body.len <= SHOWN_BODY_MAX && str_is_utf8((const char *)body.ptr, body.len);

    buf_puts(b, " \\\n  --data-binary ");
    if (show) {
        put_quoted(b, (const char *)body.ptr, body.len);
        return;
    }
    struct buf at;
    buf_init(&at, 8192);
    buf_printf(&at, "@%s", file != NULL ? file : "-");
    put_quoted(b, at.ptr != NULL ? at.ptr : "", at.len);
    buf_free(&at);
}

void client_curl(const struct client_config *config, const struct client_request *request, const char *body_file,
                 struct buf *out)
{
    buf_printf(out, "curl -sS --fail-with-body -X %s", request->method);
    if (config->ca_file != NULL) {
        buf_puts(out, " --cacert ");
        put_quoted(out, config->ca_file, strlen(config->ca_file));
    }
    /* The only double quotes: the shell is to put the token in. */
    if (config->token != NULL)
        buf_puts(out, " \\\n  -H \"Authorization: Bearer $KEEP_TOKEN\"");
    if (request->body.len > 0 && request->content_type != NULL)
        put_header(out, "Content-Type", request->content_type);
    if (request->key != NULL)
        put_header(out, "Idempotency-Key", request->key);
    for (size_t i = 0; i < request->n_headers; i++)
        put_header(out, request->headers[i].name, request->headers[i].value);
    if (request->body.len > 0)
        put_body(out, request->body, body_file);
    buf_puts(out, " \\\n  ");
    struct buf url;
    buf_init(&url, 16384);
    buf_printf(&url, "%s%s", config->base_url, request->target);
    put_quoted(out, url.ptr != NULL ? url.ptr : "", url.len);
    buf_free(&url);
    buf_putc(out, '\n');
}
