/* vex_scope.c - see vex_scope.h. */
#include "service/vex_scope.h"
#include "base/str.h"
#include "wire/imageref.h"
#include "wire/purl.h"

#include <string.h>

/* A package scope from a purl: without qualifiers and subpath.  What they would
 * have narrowed is lost, so there must be a version that narrows at least as
 * much; *out NULL when there is none. */
static int package_of(struct arena *arena, const struct purl *purl, const char **out, struct err *err)
{
    struct purl plain = *purl;

    *out = NULL;
    if ((purl->n_qualifiers > 0 || purl->subpath != NULL) && purl->version == NULL)
        return 0;
    plain.n_qualifiers = 0;
    plain.subpath = NULL;
    return purl_build(arena, &plain, out, err);
}

/* An OCI purl's repository as a pattern: repository_url, which some write with
 * the name at its end and some without; else the name in any registry. */
static int repository_of(struct arena *arena, const struct purl *purl, const char **out, struct err *err)
{
    const char *url = purl_qualifier(purl, "repository_url");
    const char *text;

    if (url == NULL) {
        text = arena_printf(arena, "**/%s", purl->name);
    } else {
        const char *tail = arena_printf(arena, "/%s", purl->name);
        if (tail == NULL)
            return err_nomem(err);
        text = str_ends(url, tail) || str_eq(url, purl->name) ? url : arena_printf(arena, "%s%s", url, tail);
    }
    if (text == NULL)
        return err_nomem(err);
    if (strpbrk(url == NULL ? purl->name : text, "*?") == NULL && imageref_pattern_parse(arena, text, out, err) == 0)
        return 0;
    *out = NULL;
    return 0;
}

static int image_of(struct arena *arena, const struct purl *purl, struct vex_scope *s, struct err *err)
{
    if (purl->version != NULL) {
        s->digest = digest_is_valid(purl->version) ? purl->version : NULL;
        s->is_known = s->digest != NULL;
        return 0;
    }
    if (purl_qualifier(purl, "tag") != NULL)
        return 0;
    if (repository_of(arena, purl, &s->repository, err) != 0)
        return -1;
    s->is_known = s->repository != NULL;
    return 0;
}

/* "registry/name@sha256:..." or a bare digest. */
static void reference_of(struct arena *arena, const char *text, struct vex_scope *s)
{
    struct imageref ref;
    struct err unused;

    if (text != NULL && imageref_parse(arena, text, &ref, &unused) == 0 && ref.digest != NULL &&
        digest_is_valid(ref.digest)) {
        s->digest = ref.digest;
        s->is_known = true;
    }
}

/* What the product is, apart from its digests and subcomponents. */
static int product_of(struct arena *arena, const struct vex_product *product, struct vex_scope *s, struct err *err)
{
    struct purl purl;
    struct err unused;

    if (product->purl == NULL) {
        reference_of(arena, product->id, s);
        return 0;
    }
    if (purl_parse(arena, product->purl, &purl, &unused) != 0)
        return 0;
    if (str_eq(purl.type, "oci") || str_eq(purl.type, "docker"))
        return image_of(arena, &purl, s, err);
    if (package_of(arena, &purl, &s->package, err) != 0)
        return -1;
    s->is_known = s->package != NULL;
    return 0;
}

/* A subcomponent narrows the product to one package. */
static int narrow(struct arena *arena, const char *subcomponent, struct vex_scope *s, struct err *err)
{
    struct purl purl;
    struct err unused;

    s->product = arena_printf(arena, "%s: %s", s->product, subcomponent);
    if (s->product == NULL)
        return err_nomem(err);
    bool is_name = strpbrk(subcomponent, ":/ ") == NULL && *subcomponent != '\0';    /* "openssl@3.0.11" */
    if (s->package == NULL && is_name) {
        s->package = subcomponent;
        return 0;
    }
    if (s->package != NULL || purl_parse(arena, subcomponent, &purl, &unused) != 0) {
        s->is_known = false;
        return 0;
    }
    if (package_of(arena, &purl, &s->package, err) != 0)
        return -1;
    s->is_known = s->is_known && s->package != NULL;
    return 0;
}

static const char *label_of(const struct vex_product *p)
{
    const char *label = p->id != NULL ? p->id : p->purl != NULL ? p->purl : p->name;

    return label != NULL ? label : "";
}

int vex_scopes(struct arena *arena, const struct vex_product *product, struct vex_scope **out, size_t *n, struct err *err)
{
    size_t digests = product->n_digests > 0 ? product->n_digests : 1;
    size_t parts = product->n_subcomponents > 0 ? product->n_subcomponents : 1;
    struct vex_scope base = { .product = label_of(product) };
    struct vex_scope *list = arena_array(arena, digests, parts * sizeof *list);

    if (list == NULL)
        return err_nomem(err);
    if (product_of(arena, product, &base, err) != 0)
        return -1;
    for (size_t i = 0; i < digests * parts; i++) {
        struct vex_scope *s = &list[i];
        *s = base;
        if (product->n_digests > 0) {
            s->digest = product->digests[i / parts];
            s->repository = NULL;
            s->package = NULL;
            s->is_known = true;
        }
        if (product->n_subcomponents > 0 && narrow(arena, product->subcomponents[i % parts], s, err) != 0)
            return -1;
    }
    *out = list;
    *n = digests * parts;
    return 0;
}

const char *vex_image_purl(struct arena *arena, const char *repository, const char *digest)
{
    const char *slash = strrchr(repository, '/');
    struct purl_qualifier url = { "repository_url", repository };
    struct purl purl = {
        .type = "oci", .name = slash == NULL ? repository : slash + 1, .version = digest,
        .qualifiers = &url, .n_qualifiers = 1,
    };
    const char *text = NULL;
    struct err unused;

    return purl_build(arena, &purl, &text, &unused) == 0 ? text : NULL;
}
