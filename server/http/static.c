/* static.c - see static.h. */
#include "http/static.h"
#include "http/etag.h"
#include "http/headers.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

static const char *const codings[WEB_FORM_N] = { [WEB_GZIP] = "gzip", [WEB_BROTLI] = "br" };
static const char *const suffixes[WEB_FORM_N] = { [WEB_IDENTITY] = "", [WEB_GZIP] = "-gz", [WEB_BROTLI] = "-br" };

struct ready {
    struct MHD_Response *full[WEB_FORM_N], *unchanged[WEB_FORM_N];
};

struct statics {
    const struct web_file *files;
    size_t n;
    struct ready ready[];
};

/* ---- Accept-Encoding (RFC 9110, 12.5.3) ---------------------------------- */

/* The quality of one list member ";q=0.000" is zero? */
static bool is_refused(const char *params, size_t len)
{
    const char *q = memchr(params, '=', len);

    if (q == NULL)
        return false;
    for (q++; q < params + len; q++)
        if (*q != '0' && *q != '.' && *q != ' ' && *q != '\t')
            return false;
    return true;
}

bool coding_accepted(const char *accept_encoding, const char *coding)
{
    size_t want = strlen(coding);
    bool any = false;

    for (const char *s = accept_encoding; s != NULL && *s != '\0';) {
        s += strspn(s, " \t,");
        size_t item = strcspn(s, ","), name = strcspn(s, ",; \t");
        bool refused = is_refused(s + name, item - name);
        if (name == want && strncasecmp(s, coding, want) == 0)
            return !refused;
        if (name == 1 && *s == '*')
            any = !refused;
        s += item;
    }
    return any;
}

/* ---- answers, made once --------------------------------------------------- */

static bool common_headers(struct MHD_Response *r, const struct web_file *f, enum web_form form, bool secure)
{
    char etag[ETAG_TEXT];

    etag_with(f->etag, suffixes[form], etag);
    return headers_add(r, strncmp(f->type, "text/html", 9) == 0 ? HEADERS_PAGE : HEADERS_FILE, secure) &&
           MHD_add_response_header(r, "ETag", etag) == MHD_YES &&
           MHD_add_response_header(r, "Vary", "Accept-Encoding") == MHD_YES &&
           MHD_add_response_header(r, "Cache-Control",
                                   f->immutable ? "public, max-age=31536000, immutable" : "no-cache") == MHD_YES;
}

/* The library wants a mutable pointer and, with this mode, never writes through it. */
static struct MHD_Response *persistent(struct bytes b)
{
    union { const unsigned char *in; void *out; } p = { .in = b.ptr };

    return MHD_create_response_from_buffer(b.len, p.out, MHD_RESPMEM_PERSISTENT);
}

static bool make(struct ready *ready, const struct web_file *f, enum web_form form, bool secure)
{
    struct MHD_Response *full = persistent(f->form[form]);
    struct MHD_Response *unchanged = persistent((struct bytes){ NULL, 0 });

    ready->full[form] = full;
    ready->unchanged[form] = unchanged;
    return full != NULL && unchanged != NULL && common_headers(full, f, form, secure) &&
           common_headers(unchanged, f, form, secure) &&
           MHD_add_response_header(full, "Content-Type", f->type) == MHD_YES &&
           (form == WEB_IDENTITY || MHD_add_response_header(full, "Content-Encoding", codings[form]) == MHD_YES);
}

int statics_new(const struct web_file *files, size_t n, bool secure, struct statics **out, struct err *err)
{
    struct statics *s = calloc(1, sizeof *s + n * sizeof s->ready[0]);

    if (s == NULL)
        return err_nomem(err);
    s->files = files;
    s->n = n;
    for (size_t i = 0; i < n; i++)
        for (int form = 0; form < WEB_FORM_N; form++)
            if ((form == WEB_IDENTITY || files[i].form[form].len > 0) &&
                !make(&s->ready[i], &files[i], (enum web_form)form, secure)) {
                statics_free(s);
                return err_nomem(err);
            }
    *out = s;
    return 0;
}

void statics_free(struct statics *s)
{
    for (size_t i = 0; s != NULL && i < s->n; i++) {
        for (int form = 0; form < WEB_FORM_N; form++) {
            if (s->ready[i].full[form] != NULL)
                MHD_destroy_response(s->ready[i].full[form]);
            if (s->ready[i].unchanged[form] != NULL)
                MHD_destroy_response(s->ready[i].unchanged[form]);
        }
    }
    free(s);
}

static int compare(const struct web_file *f, const char *path, size_t len)
{
    int c = strncmp(path, f->path, len);

    return c != 0 ? c : f->path[len] == '\0' ? 0 : -1;
}

/* Addresses of the web interface that are no files: all are its one page, which
 * reads the address itself (web/app.js, ROOMS).  A trailing * stands for one segment. */
static const char *const rooms[] = {
    "/", "/alerts", "/alerts/*", "/audit", "/containers", "/exceptions", "/findings", "/images", "/images/*", "/login", "/nodes", "/nodes/*",
    "/packages", "/profiles", "/profiles/*", "/running",
};

static bool is_room(const char *path, size_t len)
{
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        size_t fixed = strcspn(rooms[i], "*");
        bool open = rooms[i][fixed] == '*';
        if (len < fixed || memcmp(path, rooms[i], fixed) != 0)
            continue;
        if (open ? len > fixed && memchr(path + fixed, '/', len - fixed) == NULL : len == fixed)
            return true;
    }
    return false;
}

const struct web_file *statics_find(const struct statics *s, const char *path, size_t len)
{
    static const char page[] = "/index.html";
    size_t lo = 0, hi = s->n;

    if (is_room(path, len)) {
        path = page;
        len = sizeof page - 1;
    }
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = compare(&s->files[mid], path, len);
        if (c == 0)
            return &s->files[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

struct MHD_Response *statics_answer(const struct statics *s, const struct web_file *file, const char *accept_encoding,
                                    const char *if_none_match, unsigned *status, size_t *len)
{
    const struct ready *ready = &s->ready[file - s->files];
    enum web_form form = WEB_IDENTITY;

    for (int i = WEB_FORM_N - 1; i > WEB_IDENTITY && form == WEB_IDENTITY; i--)
        if (ready->full[i] != NULL && coding_accepted(accept_encoding, codings[i]))
            form = (enum web_form)i;
    bool same = if_none_match != NULL && etag_matches(if_none_match, file->etag);
    *status = same ? 304 : 200;
    *len = same ? 0 : file->form[form].len;
    return same ? ready->unchanged[form] : ready->full[form];
}
