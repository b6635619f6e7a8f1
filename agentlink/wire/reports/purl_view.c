/* purl_view.c - see decode.h: the parts of a package URL that decoders look at. */
#include "wire/reports/decode.h"

#include "wire/purl.h"

bool purl_view_read(struct decode *d, const char *text, struct purl_view *out, const char **canonical)
{
    struct purl u;
    struct err ignored;

    if (purl_parse(d->arena, text, &u, &ignored) != 0 || purl_build(d->arena, &u, canonical, &ignored) != 0)
        return false;
    *out = (struct purl_view){
        .type = u.type, .space = u.namespace, .name = u.name, .version = u.version,
        .arch = purl_qualifier(&u, "arch"), .distro = purl_qualifier(&u, "distro"),
        .upstream = purl_qualifier(&u, "upstream"), .epoch = purl_qualifier(&u, "epoch"),
        .repository_url = purl_qualifier(&u, "repository_url"), .tag = purl_qualifier(&u, "tag"),
    };
    return true;
}
