/* ready.c - see ready.h. */
#include "http/ready.h"
#include "http/etag.h"
#include "http/static.h"

#include <microhttpd.h>
#include <stdlib.h>

struct ready {
    struct MHD_Response *identity, *gzip, *unchanged;
    size_t len, gzip_len;
};

static bool add(struct MHD_Response *r, const char *name, const char *value)
{
    return r != NULL && MHD_add_response_header(r, name, value) == MHD_YES;
}

/* The library copies the bytes and frees them after the last answer was sent. */
static struct MHD_Response *response(struct bytes body, const char *etag)
{
    union { const unsigned char *in; void *out; } p = { .in = body.ptr };
    struct MHD_Response *r = MHD_create_response_from_buffer(body.len, p.out, body.len == 0 ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);

    if (add(r, "ETag", etag) && add(r, "Cache-Control", "no-store") && add(r, "Vary", "Accept-Encoding"))
        return r;
    if (r != NULL)
        MHD_destroy_response(r);
    return NULL;
}

static void drop(const struct ready *ready)
{
    union { const struct ready *in; struct ready *out; } p = { .in = ready };
    struct MHD_Response *const all[] = { ready == NULL ? NULL : ready->identity, ready == NULL ? NULL : ready->gzip,
                                         ready == NULL ? NULL : ready->unchanged };

    for (size_t i = 0; i < N_ITEMS(all); i++)
        if (all[i] != NULL)
            MHD_destroy_response(all[i]);
    free(p.out);
}

static const struct ready *make(const struct ready_form *f)
{
    struct ready *r = calloc(1, sizeof *r);
    char etag[ETAG_TEXT];

    if (r == NULL)
        return NULL;
    etag_with(f->etag, "-gz", etag);
    r->identity = response(f->body, f->etag);
    r->gzip = response(f->gzip, etag);
    r->unchanged = response((struct bytes){ NULL, 0 }, f->etag);
    r->len = f->body.len;
    r->gzip_len = f->gzip.len;
    if (r->unchanged != NULL && add(r->identity, "Content-Type", f->type) && add(r->identity, "X-Content-Type-Options", "nosniff") &&
        add(r->gzip, "Content-Type", f->type) && add(r->gzip, "X-Content-Type-Options", "nosniff") && add(r->gzip, "Content-Encoding", "gzip"))
        return r;
    drop(r);
    return NULL;
}

const struct ready_ops ready_answers = { make, drop };

struct MHD_Response *ready_response(const struct ready *r, bool is_unchanged, const char *accept_encoding, size_t *len)
{
    bool gzip = !is_unchanged && r->gzip_len < r->len && coding_accepted(accept_encoding, "gzip");

    *len = is_unchanged ? 0 : gzip ? r->gzip_len : r->len;
    return is_unchanged ? r->unchanged : gzip ? r->gzip : r->identity;
}
