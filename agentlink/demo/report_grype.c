/* report_grype.c - Grype's JSON. */
#include "demo/report_internal.h"

static void grype_exploitation(struct jsonw *w, const struct demo_vulnerability *v)
{
    jsonw_key(w, "epss");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "cve", v->cve);
    jsonw_key(w, "epss");
    jsonw_num(w, v->epss / 1e6);
    jsonw_object_end(w);
    jsonw_array_end(w);
    if (!v->kev)
        return;
    jsonw_key(w, "knownExploited");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "cve", v->cve);
    jsonw_kstr(w, "requiredAction", "Apply mitigations per vendor instructions.");
    jsonw_object_end(w);
    jsonw_array_end(w);
}

static void grype_vulnerability(struct jsonw *w, const struct found *x)
{
    const struct demo_vulnerability *v = x->vulnerability;
    const struct demo_eco *e = &demo_ecos[v->eco];
    char text[96];
    size_t n = 1;

    jsonw_object(w);
    jsonw_kstr(w, "id", v->cve);
    snprintf(text, sizeof text, "https://nvd.nist.gov/vuln/detail/%s", v->cve);
    jsonw_kstr(w, "dataSource", text);
    snprintf(text, sizeof text, "%s:distro:%s:%s", e->os != NULL ? e->os : "github", e->os != NULL ? e->os : "language",
             e->os != NULL ? e->os_version : e->grype_type);
    jsonw_kstr(w, "namespace", text);
    for (text[0] = v->severity[0]; v->severity[n] != '\0'; n++)
        text[n] = (char)(v->severity[n] + 32);         /* Grype writes High */
    text[n] = '\0';
    jsonw_kstr(w, "severity", text);
    jsonw_kstr(w, "description", v->title);
    jsonw_key(w, "cvss");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "source", "nvd@nist.gov");
    jsonw_kstr(w, "version", "3.1");
    jsonw_kstr(w, "vector", v->vector);
    jsonw_object_end(w);
    jsonw_array_end(w);
    grype_exploitation(w, v);
    jsonw_key(w, "fix");
    jsonw_object(w);
    jsonw_key(w, "versions");
    jsonw_array(w);
    if (x->fixed != NULL)
        jsonw_str(w, x->fixed);
    jsonw_array_end(w);
    jsonw_kstr(w, "state", x->fixed != NULL ? "fixed" : "not-fixed");
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void grype_match(struct jsonw *w, const struct found *x)
{
    const struct demo_eco *e = &demo_ecos[x->vulnerability->eco];
    char purl[240];

    jsonw_object(w);
    jsonw_key(w, "vulnerability");
    grype_vulnerability(w, x);
    if (x->not_affected != NULL) {
        jsonw_key(w, "appliedIgnoreRules");
        jsonw_array(w);
        jsonw_object(w);
        jsonw_kstr(w, "vulnerability", x->vulnerability->cve);
        jsonw_kstr(w, "namespace", "vex");
        jsonw_kstr(w, "vex-status", "not_affected");
        jsonw_kstr(w, "vex-justification", x->not_affected);
        jsonw_object_end(w);
        jsonw_array_end(w);
    }
    jsonw_key(w, "artifact");
    jsonw_object(w);
    jsonw_kstr(w, "name", x->held->package->name);
    jsonw_kstr(w, "version", x->held->version);
    jsonw_kstr(w, "type", e->grype_type);
    jsonw_key(w, "locations");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "path", e->path);
    jsonw_object_end(w);
    jsonw_array_end(w);
    demo_purl(x->held, purl);
    jsonw_kstr(w, "purl", purl);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void grype_matches(struct writing *x, const char *key, bool ignored)
{
    jsonw_key(&x->w, key);
    jsonw_array(&x->w);
    for (size_t i = 0; i < x->n_found; i++) {
        if ((x->found[i].not_affected != NULL) == ignored)
            grype_match(&x->w, &x->found[i]);
    }
    jsonw_array_end(&x->w);
}

static void grype_source(struct writing *x)
{
    struct jsonw *w = &x->w;
    const struct demo_image *m = x->scan->image;
    char text[160];

    jsonw_key(w, "source");
    jsonw_object(w);
    jsonw_kstr(w, "type", "image");
    jsonw_key(w, "target");
    jsonw_object(w);
    demo_reference(m, text, ':');
    jsonw_kstr(w, "userInput", text);
    jsonw_kstr(w, "manifestDigest", m->digest);
    jsonw_key(w, "tags");
    jsonw_array(w);
    jsonw_str(w, text);
    jsonw_array_end(w);
    demo_reference(m, text, '@');
    jsonw_key(w, "repoDigests");
    jsonw_array(w);
    jsonw_str(w, text);
    jsonw_array_end(w);
    jsonw_kstr(w, "architecture", "amd64");
    jsonw_object_end(w);
    jsonw_object_end(w);
}

void grype_write(struct writing *x)
{
    struct jsonw *w = &x->w;
    const struct demo_eco *base = &demo_ecos[x->scan->image->repository->base];

    jsonw_object(w);
    grype_matches(x, "matches", false);
    grype_matches(x, "ignoredMatches", true);
    grype_source(x);
    jsonw_key(w, "distro");
    jsonw_object(w);
    jsonw_kstr(w, "name", base->os);
    jsonw_kstr(w, "version", base->os_version);
    jsonw_object_end(w);
    jsonw_key(w, "descriptor");
    jsonw_object(w);
    jsonw_kstr(w, "name", "grype");
    jsonw_kstr(w, "version", GRYPE_VERSION);
    jsonw_ktime(w, "timestamp", x->scan->at_ms);
    jsonw_key(w, "db");
    jsonw_object(w);
    jsonw_key(w, "status");
    jsonw_object(w);
    jsonw_kstr(w, "schemaVersion", "v6.0.0");
    jsonw_ktime(w, "built", x->scan->database_ms);
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}
