/* manage_vex_show.c - active exceptions as an OpenVEX document.
 *
 * Products are the images that have the vulnerability now, by digest.  What
 * somebody only accepted is stated as what it is: affected, with what is done
 * about it; only what came from VEX says not_affected or fixed again. */
#include "base/crypto.h"
#include "base/time.h"
#include "service/check.h"
#include "service/exception_make.h"
#include "service/manage.h"
#include "service/vex_scope.h"
#include "store/exception.h"
#include "store/list.h"
#include "wire/imageref.h"
#include "wire/msg/exception.h"
#include "wire/vex.h"

enum { PRODUCTS_MAX = 100000, DOCUMENT_MAX = 64 * 1024 * 1024 };

static int product_fill(struct call *c, const struct exception *e, const struct recheck_image *image,
                        struct vex_product *p, struct err *err)
{
    const char **digests = arena_array(c->arena, 1, sizeof *digests);
    const char **parts = arena_array(c->arena, 1, sizeof *parts);

    p->purl = vex_image_purl(c->arena, image->repository, image->digest);
    if (digests == NULL || parts == NULL || p->purl == NULL)
        return err_nomem(err);
    p->id = p->purl;
    digests[0] = image->digest;
    p->digests = digests;
    p->n_digests = 1;
    if (e->package != NULL) {
        parts[0] = e->package;
        p->subcomponents = parts;
        p->n_subcomponents = 1;
    }
    return 0;
}

static bool is_asked(const struct vex_out_query *q, const char *pattern, const struct recheck_image *image)
{
    return (q == NULL || q->digest == NULL || str_eq(q->digest, image->digest)) &&
           (pattern == NULL || imageref_name_match(pattern, image->repository));
}

static int products_of(struct call *c, const struct exception *e, const char *pattern, struct vex_statement *s,
                       struct err *err)
{
    struct list list = LIST_OF(struct vex_product, c->arena);
    struct recheck_scope scope;
    struct recheck_image *images;
    void *items;
    size_t n;

    if (exception_scope(c, e, &scope, err) != 0 ||
        recheck_list(c->db, &scope, PRODUCTS_MAX, c->arena, &images, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (!is_asked(c->query, pattern, &images[i]))
            continue;
        struct vex_product *p = list_add(&list);
        if (p == NULL || product_fill(c, e, &images[i], p, err) != 0)
            return err_nomem(err);
    }
    if (list_done(&list, 0, &items, &s->n_products, err) != 0)
        return -1;
    s->products = items;
    return 0;
}

static int statement_fill(struct call *c, const struct exception *e, struct vex_statement *s, struct err *err)
{
    char until[TIME_TEXT];

    s->id = arena_printf(c->arena, "urn:keep:exception:%s", e->id);
    s->vulnerability = e->vulnerability;
    s->timestamp_ms = e->created_ms;
    s->last_updated_ms = TIME_UNKNOWN;
    if (e->vex_status != NULL) {
        s->status = str_eq(e->vex_status, "fixed") ? VEX_FIXED : VEX_NOT_AFFECTED;
        s->justification = e->justification;
        s->impact = s->status == VEX_NOT_AFFECTED ? e->reason : NULL;
    } else {
        time_format(e->expires_ms, until);
        s->status = VEX_AFFECTED;
        s->action = arena_printf(c->arena, "Accepted until %s by %s: %s", until, e->owner, e->reason);
    }
    s->status_word = vex_status_word(s->status);
    return s->id == NULL || (s->status == VEX_AFFECTED && s->action == NULL) ? err_nomem(err) : 0;
}

static int statements(struct call *c, const char *pattern, struct vex *vex, struct err *err)
{
    struct list list = LIST_OF(struct vex_statement, c->arena);
    struct exception *all;
    void *items;
    size_t n;

    if (exception_list_active(c->db, c->now_ms, c->arena, &all, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct vex_statement s = { 0 };
        if (all[i].vulnerability == NULL || all[i].namespace != NULL)
            continue;                       /* VEX has no rules and no places */
        if (products_of(c, &all[i], pattern, &s, err) != 0)
            return -1;
        if (s.n_products == 0)
            continue;
        struct vex_statement *slot = list_add(&list);
        if (slot == NULL || statement_fill(c, &all[i], &s, err) != 0)
            return err_nomem(err);
        *slot = s;
    }
    if (list_done(&list, 0, &items, &vex->n_statements, err) != 0)
        return -1;
    vex->statements = items;
    return 0;
}

int vex_show(struct call *c, const void *in, void *out, struct err *err)
{
    const struct vex_out_query *q = c->query;
    struct vex vex = {
        .format = VEX_OPENVEX, .author = "Keep", .tooling = "Keep", .version = 1,
        .timestamp_ms = c->now_ms, .last_updated_ms = TIME_UNKNOWN,
    };
    const char *pattern = NULL, *random = id_new(c->arena, "urn:keep:vex:");
    struct buf text;
    int rc = 0;

    (void)in, (void)out;
    if (random == NULL)
        return err_nomem(err);
    vex.id = random;
    if (q != NULL && q->repository != NULL &&
        check_pattern("query.repository", q->repository, c->arena, &pattern, err) != 0)
        return -1;
    if (statements(c, pattern, &vex, err) != 0)
        return -1;
    buf_init(&text, DOCUMENT_MAX);
    rc = vex_encode(&vex, &text, err);
    if (rc == 0) {
        c->answer.ptr = (const unsigned char *)arena_strndup(c->arena, text.ptr, text.len);
        c->answer.len = text.len;
        c->answer_type = "application/json";
        c->file_name = "keep.openvex.json";
        rc = c->answer.ptr == NULL ? err_nomem(err) : 0;
    }
    buf_free(&text);
    return rc;
}
