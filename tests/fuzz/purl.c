/* purl.c - what parses prints, and reads back as the same parts; the canonical
 * text is its own canonical text; a package matches itself.
 * Input: one purl, or two with a newline between. */
#include "wire/purl.h"

#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_same(const struct purl *p, const struct purl *q)
{
    check(str_eq(p->type, q->type) && str_eq(p->namespace, q->namespace) && str_eq(p->name, q->name));
    check(str_eq(p->version, q->version) && str_eq(p->subpath, q->subpath) && p->n_qualifiers == q->n_qualifiers);
    for (size_t i = 0; i < p->n_qualifiers; i++) {
        check(str_eq(p->qualifiers[i].key, q->qualifiers[i].key));
        check(str_eq(p->qualifiers[i].value, q->qualifiers[i].value));
        check(i == 0 || strcmp(p->qualifiers[i - 1].key, p->qualifiers[i].key) < 0);
    }
}

static void check_one(struct arena *a, const char *text, const struct purl *p)
{
    const char *once, *twice;
    struct purl again;
    struct err err = { 0 };

    check(p->type != NULL && p->name != NULL && *p->name != '\0' && (p->version == NULL || *p->version != '\0'));
    if (purl_canonical(a, text, &once, &err) != 0) {
        check(err.kind == ERR_TOO_LARGE || err.kind == ERR_UNAVAILABLE);
        return;
    }
    check(str_is_utf8(once, strlen(once)) && strlen(once) <= PURL_MAX);
    check(purl_parse(a, once, &again, &err) == 0);
    check_same(p, &again);
    check(purl_canonical(a, once, &twice, &err) == 0 && str_eq(once, twice));
    check(purl_match(p, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct purl p, q;
    struct err err;

    arena_init(&a, 1 << 20);
    char *text = arena_strndup(&a, (const char *)data, size);
    check(text != NULL || size > (1 << 19));
    char *nl = text != NULL ? strchr(text, '\n') : NULL;
    if (nl != NULL)
        *nl = '\0';
    if (text != NULL && purl_parse(&a, text, &p, &err) == 0) {
        check_one(&a, text, &p);
        if (nl != NULL && purl_parse(&a, nl + 1, &q, &err) == 0) {
            check_one(&a, nl + 1, &q);
            /* Who matches both ways is equal where both speak. */
            if (purl_match(&p, &q) && purl_match(&q, &p))
                check_same(&p, &q);
        }
    }
    arena_clear(&a);
    return 0;
}
