/* manage_vex.c - exceptions from VEX documents.
 *
 * A statement that something is not affected, or fixed, becomes an exception for
 * each product it names; one that says otherwise takes such an exception back.
 * Statements count in the order of the document, and a newer document replaces
 * what an older one said about the same vulnerability and scope. */
#include "base/crypto.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/exception_make.h"
#include "service/manage.h"
#include "service/vex_scope.h"
#include "store/exception.h"
#include "wire/msg/exception.h"
#include "wire/vex.h"

#include <string.h>

enum { OWNER_MAX = 200, REASON_MAX = 1900, JUSTIFICATION_MAX = 128 };

/* What a document asks for, worked out on a worker. */
struct work {
    const struct vex *vex;
    struct exception *items;         /* vulnerability, scope, reason ... */
    const char **products;
    bool *takes_back;                /* the statement says: affected */
    size_t n, cap;
    struct vex_unmatched *unmatched;
    size_t n_unmatched;
    const char *digest;              /* of the document */
};

/* At most max bytes, one line, cut between characters. */
static const char *one_line(struct arena *arena, const char *text, size_t max)
{
    size_t len = strlen(text);

    if (len > max)
        for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    char *copy = arena_strndup(arena, text, len);
    for (char *p = copy; p != NULL && *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    return copy;
}

static const char *reason_of(struct arena *arena, const struct vex *vex, const struct vex_statement *s)
{
    const char *why = s->impact != NULL ? s->impact : s->justification;
    const char *text = arena_printf(arena, "VEX: %s%s%s (%s)", vex_status_word(s->status), why == NULL ? "" : ": ",
                                    why == NULL ? "" : why, vex->id == NULL ? "no document id" : vex->id);

    return text == NULL ? NULL : one_line(arena, text, REASON_MAX);
}

/* The CVE where the statement knows one. */
static const char *name_of(const struct vex_statement *s)
{
    if (str_starts(s->vulnerability, "CVE-"))
        return s->vulnerability;
    for (size_t i = 0; i < s->n_aliases; i++)
        if (str_starts(s->aliases[i], "CVE-"))
            return s->aliases[i];
    return s->vulnerability;
}

static int add_unmatched(struct call *c, struct work *w, const char *vulnerability, const char *product, struct err *err)
{
    const char *name = one_line(c->arena, vulnerability, 256), *what = one_line(c->arena, product, 1024);

    if (name == NULL || what == NULL)
        return err_nomem(err);
    w->unmatched[w->n_unmatched++] = (struct vex_unmatched){ name, what };
    return 0;
}

static int add_scope(struct call *c, struct work *w, const struct vex_statement *s, const struct vex_scope *scope,
                     struct err *err)
{
    struct exception *e = &w->items[w->n];
    struct err bad_name;

    if (w->n == w->cap)
        return err_set(err, ERR_TOO_LARGE, "more than %d exceptions in one VEX document", VEX_EXCEPTIONS_MAX);
    if (!scope->is_known || vulnerability_name(c, "", name_of(s), &e->vulnerability, &bad_name) != 0)
        return w->n_unmatched == w->cap ? 0 : add_unmatched(c, w, s->vulnerability, scope->product, err);
    e->repository = scope->repository;
    e->digest = scope->digest;
    e->package = scope->package;
    e->source = "openvex";
    e->vex_status = vex_status_word(s->status);
    e->justification = s->justification == NULL ? NULL : one_line(c->arena, s->justification, JUSTIFICATION_MAX);
    e->reason = reason_of(c->arena, w->vex, s);
    e->applies_to = -1;
    w->products[w->n] = one_line(c->arena, scope->product, 1024);
    w->takes_back[w->n] = s->status != VEX_NOT_AFFECTED && s->status != VEX_FIXED;
    if (e->reason == NULL || w->products[w->n] == NULL)
        return err_nomem(err);
    w->n++;
    return 0;
}

static int add_statement(struct call *c, struct work *w, const struct vex_statement *s, struct err *err)
{
    struct vex_scope *scopes;
    size_t n;

    if (s->status == VEX_STATUS_UNKNOWN)
        return 0;
    for (size_t i = 0; i < s->n_products; i++) {
        if (vex_scopes(c->arena, &s->products[i], &scopes, &n, err) != 0)
            return -1;
        for (size_t j = 0; j < n; j++)
            if (add_scope(c, w, s, &scopes[j], err) != 0)
                return -1;
    }
    return 0;
}

int vex_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    char digest[DIGEST_LEN + 1];
    struct work *w = arena_alloc(c->arena, sizeof *w);
    struct vex *vex = arena_alloc(c->arena, sizeof *vex);

    (void)in, (void)out;
    if (w == NULL || vex == NULL)
        return err_nomem(err);
    if (vex_parse(c->body.ptr, c->body.len, c->arena, vex, err) != 0)
        return -1;
    sha256_digest(c->body.ptr, c->body.len, digest);
    *w = (struct work){
        .vex = vex, .cap = VEX_EXCEPTIONS_MAX,
        .items = arena_array(c->arena, VEX_EXCEPTIONS_MAX + 1, sizeof *w->items),
        .products = arena_array(c->arena, VEX_EXCEPTIONS_MAX + 1, sizeof *w->products),
        .takes_back = arena_array(c->arena, VEX_EXCEPTIONS_MAX + 1, sizeof *w->takes_back),
        .unmatched = arena_array(c->arena, 2 * VEX_EXCEPTIONS_MAX + 1, sizeof *w->unmatched),
        .digest = arena_strdup(c->arena, digest),
    };
    if (w->items == NULL || w->products == NULL || w->takes_back == NULL || w->unmatched == NULL || w->digest == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < vex->n_statements; i++)
        if (add_statement(c, w, &vex->statements[i], err) != 0)
            return -1;
    c->prepared = w;
    return 0;
}

static void forget(const char **ids, size_t *n, const char *id)
{
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++)
        if (!str_eq(ids[i], id))
            ids[kept++] = ids[i];
    *n = kept;
}

/* What VEX said before about the same is over. */
static int take_back_same(struct call *c, const struct exception *like, const char **ids, size_t *n_ids, struct err *err)
{
    struct exception *same;
    size_t n;

    if (exception_list_same_vex(c->db, like, c->now_ms, c->arena, &same, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (exception_take_back(c, same[i].id, err) != 0)
            return -1;
        forget(ids, n_ids, same[i].id);
    }
    return 0;
}

static int terms(struct call *c, const struct work *w, const char **owner, int64_t *expires_ms, struct err *err)
{
    const struct vex_in_query *q = c->query;

    *owner = q != NULL && q->owner != NULL ? q->owner : w->vex->author;
    if (*owner == NULL || **owner == '\0')
        *owner = c->caller->name;
    *owner = one_line(c->arena, *owner, OWNER_MAX);
    if (*owner == NULL)
        return err_nomem(err);
    return check_expiry(q == NULL ? NULL : q->expires_in, TIME_UNKNOWN, "90d", c->app->settings.exception_max_ms,
                        c->now_ms, expires_ms, err);
}

/* Makes the exception; does it concern an image known now? */
static int make_one(struct call *c, struct work *w, size_t i, int64_t *matched, struct err *err)
{
    struct exception *e = &w->items[i];
    struct recheck_scope scope;
    int64_t images;

    if (exception_make(c, e, err) != 0 || exception_scope(c, e, &scope, err) != 0 ||
        recheck_count(c->db, &scope, &images, err) != 0)
        return -1;
    if (images > 0)
        (*matched)++;
    else
        w->unmatched[w->n_unmatched++] = (struct vex_unmatched){ e->vulnerability, w->products[i] };
    return 0;
}

int vex_take(struct call *c, const void *in, void *out, struct err *err)
{
    struct work w = *(const struct work *)c->prepared;      /* a copy: this may run twice */
    struct vex_taken taken = { .statements = (int64_t)w.vex->n_statements };
    const char **ids = arena_array(c->arena, w.n, sizeof *ids);
    const char *owner;
    int64_t expires_ms;
    size_t n = 0;

    (void)in;
    if (ids == NULL)
        return err_nomem(err);
    if (terms(c, &w, &owner, &expires_ms, err) != 0)
        return -1;
    for (size_t i = 0; i < w.n; i++) {
        struct exception *e = &w.items[i];
        if (take_back_same(c, e, ids, &n, err) != 0)
            return -1;
        if (w.takes_back[i])
            continue;
        e->owner = owner;
        e->expires_ms = expires_ms;
        if (make_one(c, &w, i, &taken.matched, err) != 0)
            return -1;
        ids[n++] = e->id;
    }
    taken.exceptions = ids;
    taken.n_exceptions = n;
    taken.unmatched = w.unmatched;
    taken.n_unmatched = w.n_unmatched;
    *(struct vex_taken *)out = taken;
    return audit_change(c, "upload", "vex", w.digest, &vex_taken_shape, NULL, &taken, err);
}
