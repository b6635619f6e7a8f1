/* report.c - see report.h: names, and which writer. */
#include "demo/report_internal.h"

void demo_reference(const struct demo_image *m, char out[REFERENCE_TEXT], char separator)
{
    snprintf(out, REFERENCE_TEXT, "%s/%s%c%s", DEMO_REGISTRY, m->repository->name, separator, separator == ':' ? m->tag : m->digest);
}

void demo_purl(const struct held *h, char out[PURL_TEXT])
{
    const struct demo_eco *e = &demo_ecos[h->package->eco];
    const char *name = h->package->name, *colon = strchr(name, ':');
    char version[80];
    size_t n = 0;

    for (const char *s = h->version; *s != '\0' && n + 4 < sizeof version; s++) {
        if (*s == ':' || *s == '+')
            n += (size_t)snprintf(version + n, sizeof version - n, "%%%02X", (unsigned)*s);
        else
            version[n++] = *s;
    }
    version[n] = '\0';
    if (colon != NULL)                         /* Maven: group/artifact */
        snprintf(out, PURL_TEXT, "%s%.*s/%s@%s", e->purl, (int)(colon - name), name, colon + 1, version);
    else
        snprintf(out, PURL_TEXT, "%s%s@%s%s", e->purl, name, version, e->purl_tail);
}

void report_write(const struct fleet *f, const struct demo_scan *scan, struct buf *out)
{
    struct held held[FLEET_PACKAGES_MAX];
    struct found found[FLEET_FINDINGS_MAX];
    struct writing x = { .scan = scan, .held = held, .found = found };

    x.n_held = image_held(f, scan->image, held);
    x.n_found = scan_found(f, scan, held, x.n_held, found);
    jsonw_init(&x.w, out);
    switch (scan->tool) {
    case TOOL_TRIVY:     trivy_write(&x); break;
    case TOOL_GRYPE:     grype_write(&x); break;
    case TOOL_CYCLONEDX: cyclonedx_write(&x); break;
    }
}
