/* report_cyclonedx.c - CycloneDX 1.6 with vulnerabilities. */
#include "demo/report_internal.h"

static void cyclonedx_component(struct jsonw *w, const struct held *h)
{
    char purl[240];

    demo_purl(h, purl);
    jsonw_object(w);
    jsonw_kstr(w, "type", "library");
    jsonw_kstr(w, "bom-ref", purl);
    jsonw_kstr(w, "name", h->package->name);
    jsonw_kstr(w, "version", h->version);
    jsonw_kstr(w, "purl", purl);
    jsonw_object_end(w);
}

static void cyclonedx_vulnerability(struct jsonw *w, const struct found *x)
{
    static const char *const words[][2] = { { "CRITICAL", "critical" }, { "HIGH", "high" }, { "MEDIUM", "medium" }, { "LOW", "low" } };
    const struct demo_vulnerability *v = x->vulnerability;
    char text[240];

    jsonw_object(w);
    jsonw_kstr(w, "id", v->cve);
    jsonw_key(w, "ratings");
    jsonw_array(w);
    jsonw_object(w);
    for (size_t i = 0; i < N_ITEMS(words); i++) {
        if (str_eq(words[i][0], v->severity))
            jsonw_kstr(w, "severity", words[i][1]);
    }
    jsonw_kstr(w, "method", "CVSSv31");
    jsonw_kstr(w, "vector", v->vector);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_kstr(w, "description", v->title);
    if (x->fixed != NULL) {
        snprintf(text, sizeof text, "Upgrade %s to version %s", v->package, x->fixed);
        jsonw_kstr(w, "recommendation", text);
    }
    snprintf(text, sizeof text, "%sT00:00:00Z", v->published);
    jsonw_kstr(w, "published", text);
    if (x->not_affected != NULL) {
        jsonw_key(w, "analysis");
        jsonw_object(w);
        jsonw_kstr(w, "state", "not_affected");
        jsonw_kstr(w, "justification", "code_not_present");
        jsonw_kstr(w, "detail", x->not_affected);
        jsonw_object_end(w);
    }
    demo_purl(x->held, text);
    jsonw_key(w, "affects");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "ref", text);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void cyclonedx_metadata(struct writing *x)
{
    struct jsonw *w = &x->w;
    const struct demo_image *m = x->scan->image;
    char text[160];

    jsonw_key(w, "metadata");
    jsonw_object(w);
    jsonw_ktime(w, "timestamp", x->scan->at_ms);
    jsonw_key(w, "tools");
    jsonw_object(w);
    jsonw_key(w, "components");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "type", "application");
    jsonw_kstr(w, "name", "trivy");
    jsonw_kstr(w, "version", TRIVY_VERSION);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_key(w, "component");
    jsonw_object(w);
    jsonw_kstr(w, "type", "container");
    demo_reference(m, text, ':');
    jsonw_kstr(w, "name", text);
    jsonw_key(w, "properties");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "name", "aquasecurity:trivy:RepoDigest");
    demo_reference(m, text, '@');
    jsonw_kstr(w, "value", text);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

void cyclonedx_write(struct writing *x)
{
    struct jsonw *w = &x->w;
    const struct demo_eco *base = &demo_ecos[x->scan->image->repository->base];

    jsonw_object(w);
    jsonw_kstr(w, "bomFormat", "CycloneDX");
    jsonw_kstr(w, "specVersion", "1.6");
    jsonw_kint(w, "version", 1);
    cyclonedx_metadata(x);
    jsonw_key(w, "components");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "type", "operating-system");
    jsonw_kstr(w, "name", base->os);
    jsonw_kstr(w, "version", base->os_version);
    jsonw_object_end(w);
    for (size_t i = 0; i < x->n_held; i++)
        cyclonedx_component(w, &x->held[i]);
    jsonw_array_end(w);
    jsonw_key(w, "vulnerabilities");
    jsonw_array(w);
    for (size_t i = 0; i < x->n_found; i++)
        cyclonedx_vulnerability(w, &x->found[i]);
    jsonw_array_end(w);
    jsonw_object_end(w);
}
