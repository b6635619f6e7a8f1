/* opa_serve.c - bundles and their key over HTTP, as OPA was measured to ask for them.
 *
 * An agent that asked with `wait` and is told the content type of long polling asks
 * again without a pause: so it is never told 304 before its time is over.  An agent
 * that did not ask to wait is told another type, which keeps long polling off.  The
 * bundle is gzip by itself and never has a content coding. */
#include "service/opa.h"
#include "service/prefer.h"

#include "base/time.h"
#include "core/opa/opa.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WAIT_MAX_S = 120 };
enum { HEADER_IF_NONE_MATCH, HEADER_PREFER };

const char *const opa_bundle_headers[] = { "If-None-Match", "Prefer", NULL };

/* Our tags are quoted hex: one cannot lie within another. */
static bool names(const char *if_none_match, const char *etag)
{
    return if_none_match != NULL && (str_eq(if_none_match, "*") || strstr(if_none_match, etag) != NULL);
}

struct held { struct app *app; const struct opa_made *made; };

static void let_go(void *arg)
{
    const struct held *h = arg;

    opa_bundle_release(h->app, h->made);
}

/* "keep" is all images, anything else a team; ".tar.gz" may follow. */
static const char *team_of(struct call *c)
{
    size_t len = strlen(c->path[0]);

    if (str_ends(c->path[0], ".tar.gz"))
        len -= strlen(".tar.gz");
    const char *name = arena_strndup(c->arena, c->path[0], len);
    return name == NULL ? "" : str_eq(name, "keep") ? NULL : name;
}

int opa_bundle_show(struct call *c, const void *in, void *out, struct err *err)
{
    int64_t wait_s = prefer_wait_s(c->headers[HEADER_PREFER], WAIT_MAX_S);
    const struct opa_made *made;

    (void)in, (void)out;
    if (c->caller->n_repositories > 0)
        return err_set(err, ERR_FORBIDDEN, "a bundle speaks of images of all repositories; the token of %s does not", c->caller->name);
    struct held *h = arena_alloc(c->arena, sizeof *h);
    if (h == NULL)
        return err_nomem(err);
    if (opa_bundle_hold(c->app, c->db, team_of(c), c->now_ms, &made, err) != 0)
        return -1;
    if (wait_s > 0 && !c->is_last_ask && names(c->headers[HEADER_IF_NONE_MATCH], made->etag)) {
        c->hold_ms = wait_s * MS_SECOND;
        opa_bundle_release(c->app, made);
        return 0;
    }
    *h = (struct held){ c->app, made };
    c->release = let_go;
    c->release_arg = h;
    c->answer = made->bytes;
    c->answer_etag = made->etag;
    c->answer_type = wait_s > 0 ? "application/vnd.openpolicyagent.bundles" : "application/gzip";
    return 0;
}

int opa_key_show(struct call *c, const void *in, void *out, struct err *err)
{
    const struct privkey *key;
    struct buf pem;

    (void)in, (void)out;
    if (opa_signing_key(c->app, &key, err) != 0)
        return -1;
    buf_init(&pem, PEM_MAX);
    pubkey_to_pem(privkey_public(key), &pem);
    const char *copy = pem.failed ? NULL : arena_strndup(c->arena, pem.ptr, pem.len);
    c->answer = (struct bytes){ (const unsigned char *)copy, pem.len };
    buf_free(&pem);
    c->answer_type = "application/x-pem-file";
    return copy != NULL ? 0 : err_nomem(err);
}
