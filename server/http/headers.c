/* headers.c - see headers.h.  OWASP ASVS 5.0, 3.4. */
#include "http/headers.h"

#include <stddef.h>

struct header {
    const char *name, *value;
};

static const struct header always[] = {
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { NULL, NULL },
};

static const struct header api[] = {
    { "Cache-Control", "no-store" },
    { "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'" },
    { NULL, NULL },
};

/* An SVG opened by itself is a document. */
static const struct header file[] = {
    { "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'" },
    { NULL, NULL },
};

static const struct header page[] = {
    { "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
      "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
      "require-trusted-types-for 'script'; trusted-types 'none'" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
    { "Cross-Origin-Embedder-Policy", "require-corp" },
    { "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
    { "X-Frame-Options", "DENY" },
    { NULL, NULL },
};

static const struct header tls[] = {
    { "Strict-Transport-Security", "max-age=31536000; includeSubDomains" },
    { NULL, NULL },
};

static bool add(struct MHD_Response *response, const struct header *h)
{
    for (; h->name != NULL; h++)
        if (MHD_add_response_header(response, h->name, h->value) != MHD_YES)
            return false;
    return true;
}

bool headers_add(struct MHD_Response *response, enum header_set set, bool secure)
{
    static const struct header *const sets[] = { [HEADERS_API] = api, [HEADERS_FILE] = file, [HEADERS_PAGE] = page };

    return add(response, always) && add(response, sets[set]) && (!secure || add(response, tls));
}
