/* manage_join.c - invitations for nodes. */
#include "base/crypto.h"
#include "base/token.h"
#include "base/x509.h"
#include "core/life.h"
#include "service/audit_change.h"
#include "service/bundles.h"
#include "service/check.h"
#include "service/nodes.h"
#include "store/join_token.h"
#include "wire/msg/node.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { HEADER_HOST, CHAIN_MAX = 256 * 1024 };
const char *const join_token_headers[] = { "Host", NULL };

static void set_state(struct join_token *t, int64_t now_ms)
{
    enum life life = life_at(TIME_UNKNOWN, t->expires_ms, t->revoked_ms, now_ms);

    t->state = life == LIFE_LIVE && t->n_used >= t->max_uses ? "used_up" : life_word(life, "active");
}

static void token_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    const struct join_token *t = items;

    *at_ms = t[i].created_ms;
    *id = t[i].id;
}

int join_token_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *q = c->query;
    struct join_token *tokens;
    const char *before_id;
    int64_t before_ms;
    size_t n;

    (void)in;
    if (page_start(q, c->arena, &before_ms, &before_id, err) != 0 ||
        join_token_list(c->db, before_ms, before_id, page_limit(q), c->arena, &tokens, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        set_state(&tokens[i], c->now_ms);
    return page_fill(q, c->arena, tokens, n, token_key, out, err);
}

/* ---- the command line ----------------------------------------------------------------- */

/* The key of the CA, when it is in the chain that we serve; otherwise a node trusts us by
 * its system's list, or by --ca-file. */
static const char *ca_pin(struct call *c)
{
    int fd = c->app->tls_cert == NULL ? -1 : open(c->app->tls_cert, O_RDONLY | O_CLOEXEC);
    char *pem = fd >= 0 ? arena_bytes(c->arena, CHAIN_MAX + 1) : NULL;
    ssize_t n = pem != NULL ? read(fd, pem, CHAIN_MAX) : 0;
    char hex[FINGERPRINT_LEN + 1];

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return NULL;
    pem[n] = '\0';
    const char *pin = x509_ends_in_root(pem) && x509_pin(pem, hex) ? arena_printf(c->arena, "sha256:%s", hex) : NULL;
    crypto_wipe(pem, (size_t)n);         /* the file may hold the private key, too */
    return pin;
}

static const char *server_url(struct call *c)
{
    const char *host = c->headers[HEADER_HOST];

    if (c->app->public_url != NULL)
        return c->app->public_url;
    return arena_printf(c->arena, "%s://%s", c->app->tls_cert != NULL ? "https" : "http", host != NULL ? host : "SERVER");
}

static int put_command(struct call *c, struct join_token_made *m, struct err *err)
{
    struct root_pin root;
    struct err none = { 0 };

    m->server = server_url(c);
    m->ca_pin = ca_pin(c);
    if (bundles_root(c->app, c->arena, &root, &none) == 0)
        m->trust = arena_printf(c->arena, "sha256:%s", root.fingerprint);
    if (m->server == NULL)
        return err_nomem(err);
    m->command = arena_printf(c->arena, "keep-agent enroll --server %s --token %s%s%s%s%s", m->server, m->token.text,
                              m->trust != NULL ? " --trust " : "", m->trust != NULL ? m->trust : "",
                              m->ca_pin != NULL ? " --ca-pin " : "", m->ca_pin != NULL ? m->ca_pin : "");
    return m->command != NULL ? 0 : err_nomem(err);
}

/* ---- making, ending ------------------------------------------------------------------------ */

static bool is_cluster(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return n > 0 && s[n] == '\0';
}

int join_token_create(struct call *c, const void *in, void *out, struct err *err)
{
    const struct join_token_new *asked = in;
    char text[TOKEN_TEXT_MAX + 1];
    struct join_token_made made = { 0 };
    struct join_token *t = &made.token;
    struct token token;

    if (!is_cluster(asked->cluster))
        return err_set(err, ERR_INVALID, "$.cluster: letters, digits and . _ - only");
    if ((asked->name != NULL && check_name("$.name", asked->name, err) != 0) || node_labels(asked->labels, c->arena, &t->labels, err) != 0 ||
        check_expiry(asked->expires_in, TIME_UNKNOWN, "24h", c->app->settings.join_token_max_ms, c->now_ms, &t->expires_ms, err) != 0)
        return -1;
    if (!token_make("join", text, &token))
        return err_set(err, ERR_INTERNAL, "no join token can be made");
    t->id = arena_strdup(c->arena, token.id);
    t->text = arena_strdup(c->arena, text);
    t->name = asked->name != NULL ? asked->name : asked->cluster;
    t->cluster = asked->cluster;
    t->created_ms = c->now_ms;
    t->created_by = c->caller->name;
    t->max_uses = asked->max_uses > 0 ? asked->max_uses : 1;
    t->revoked_ms = TIME_UNKNOWN;
    t->state = "active";
    if (t->id == NULL || t->text == NULL)
        return err_nomem(err);
    if (put_command(c, &made, err) != 0 || join_token_insert(c->db, t, token.hash, err) != 0)
        return -1;
    c->status = 201;
    *(struct join_token_made *)out = made;
    return audit_change(c, "create", "join_token", t->id, &join_token_shape, NULL, t, err);
}

static int token_read(struct call *c, struct join_token *out, struct err *err)
{
    if (join_token_get(c->db, c->path[0], c->arena, out, NULL, err) != 0)
        return -1;
    set_state(out, c->now_ms);
    return 0;
}

int join_token_revoke(struct call *c, const void *in, void *out, struct err *err)
{
    struct join_token before, after;
    bool changed;

    (void)in, (void)out;
    if (token_read(c, &before, err) != 0 || join_token_end(c->db, before.id, c->now_ms, &changed, err) != 0 ||
        token_read(c, &after, err) != 0)
        return -1;
    c->status = 204;
    return audit_change(c, "revoke", "join_token", before.id, &join_token_shape, &before, &after, err);
}
