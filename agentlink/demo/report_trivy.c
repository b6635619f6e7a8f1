/* report_trivy.c - Trivy's JSON, schema 2. */
#include "demo/report_internal.h"

/* Debian's versions are spread over three members. */
static void trivy_version(struct jsonw *w, const char *prefix, const struct held *h, const char *version)
{
    const char *colon = strchr(version, ':'), *dash = strrchr(version, '-'), *from = colon != NULL ? colon + 1 : version;
    bool is_deb = str_eq(demo_ecos[h->package->eco].grype_type, "deb");
    char key[32];

    snprintf(key, sizeof key, "%sVersion", prefix);
    jsonw_key(w, key);
    if (!is_deb || dash == NULL) {
        jsonw_str(w, version);
        return;
    }
    jsonw_strn(w, from, (size_t)(dash - from));
    snprintf(key, sizeof key, "%sRelease", prefix);
    jsonw_kstr(w, key, dash + 1);
    if (colon != NULL) {
        snprintf(key, sizeof key, "%sEpoch", prefix);
        jsonw_kint(w, key, *version - '0');
    }
}

static void trivy_package(struct jsonw *w, const struct held *h)
{
    const struct demo_package *p = h->package;
    char text[240];

    jsonw_object(w);
    snprintf(text, sizeof text, "%s@%s", p->name, h->version);
    jsonw_kstr(w, "ID", text);
    jsonw_kstr(w, "Name", p->name);
    demo_purl(h, text);
    jsonw_key(w, "Identifier");
    jsonw_object(w);
    jsonw_kstr(w, "PURL", text);
    jsonw_object_end(w);
    trivy_version(w, "", h, h->version);
    if (demo_ecos[p->eco].os != NULL) {
        jsonw_kstr(w, "Arch", "amd64");
        jsonw_kstr(w, "SrcName", p->source != NULL ? p->source : p->name);
        trivy_version(w, "Src", h, h->version);
    }
    if (p->licence[0] != '\0') {
        jsonw_key(w, "Licenses");
        jsonw_array(w);
        jsonw_str(w, p->licence);
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
}

static void trivy_vulnerability(struct jsonw *w, const struct found *x)
{
    const struct demo_vulnerability *v = x->vulnerability;
    const char *os = demo_ecos[v->eco].os;
    char text[240];

    jsonw_object(w);
    jsonw_kstr(w, "VulnerabilityID", v->cve);
    snprintf(text, sizeof text, "%s@%s", v->package, x->held->version);
    jsonw_kstr(w, "PkgID", text);
    jsonw_kstr(w, "PkgName", v->package);
    jsonw_kstr(w, "InstalledVersion", x->held->version);
    if (x->fixed != NULL)
        jsonw_kstr(w, "FixedVersion", x->fixed);
    jsonw_kstr(w, "Status", x->fixed != NULL ? "fixed" : str_eq(v->cve, "CVE-2023-45853") ? "will_not_fix" : "affected");
    jsonw_kstr(w, "SeveritySource", os != NULL ? os : "ghsa");
    snprintf(text, sizeof text, "https://avd.aquasec.com/nvd/cve-%s", v->cve + 4);
    jsonw_kstr(w, "PrimaryURL", text);
    jsonw_kstr(w, "Title", v->title);
    jsonw_kstr(w, "Severity", v->severity);
    jsonw_key(w, "CVSS");
    jsonw_object(w);
    jsonw_key(w, "nvd");
    jsonw_object(w);
    jsonw_kstr(w, "V3Vector", v->vector);
    jsonw_object_end(w);
    jsonw_object_end(w);
    snprintf(text, sizeof text, "%sT00:00:00Z", v->published);
    jsonw_kstr(w, "PublishedDate", text);
    jsonw_object_end(w);
}

static void trivy_result(struct writing *x, enum eco eco)
{
    struct jsonw *w = &x->w;
    const struct demo_eco *e = &demo_ecos[eco];
    char target[200], ref[160];

    demo_reference(x->scan->image, ref, ':');
    snprintf(target, sizeof target, "%s (%s %s)", ref, e->os != NULL ? e->os : "", e->os != NULL ? e->os_version : "");
    jsonw_object(w);
    jsonw_kstr(w, "Target", e->os != NULL ? target : e->trivy_target);
    jsonw_kstr(w, "Class", e->os != NULL ? "os-pkgs" : "lang-pkgs");
    jsonw_kstr(w, "Type", e->trivy_type);
    jsonw_key(w, "Packages");
    jsonw_array(w);
    for (size_t i = 0; i < x->n_held; i++) {
        if (x->held[i].package->eco == eco)
            trivy_package(w, &x->held[i]);
    }
    jsonw_array_end(w);
    jsonw_key(w, "Vulnerabilities");
    jsonw_array(w);
    for (size_t i = 0; i < x->n_found; i++) {
        if (x->found[i].vulnerability->eco == eco && x->found[i].not_affected == NULL)
            trivy_vulnerability(w, &x->found[i]);
    }
    jsonw_array_end(w);
    jsonw_key(w, "ExperimentalModifiedFindings");
    jsonw_array(w);
    for (size_t i = 0; i < x->n_found; i++) {
        if (x->found[i].vulnerability->eco != eco || x->found[i].not_affected == NULL)
            continue;
        jsonw_object(w);
        jsonw_kstr(w, "Type", "vulnerability");
        jsonw_kstr(w, "Status", "not_affected");
        jsonw_kstr(w, "Statement", x->found[i].not_affected);
        jsonw_kstr(w, "Source", "OpenVEX");
        jsonw_key(w, "Finding");
        trivy_vulnerability(w, &x->found[i]);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void trivy_secret(struct jsonw *w)
{
    jsonw_object(w);
    jsonw_kstr(w, "Target", "/app/.env");
    jsonw_kstr(w, "Class", "secret");
    jsonw_key(w, "Secrets");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "RuleID", "private-key");
    jsonw_kstr(w, "Category", "AsymmetricPrivateKey");
    jsonw_kstr(w, "Severity", "HIGH");
    jsonw_kstr(w, "Title", "Asymmetric Private Key");
    jsonw_kint(w, "StartLine", 3);
    jsonw_kint(w, "EndLine", 3);
    jsonw_kstr(w, "Match", "SIGNING_KEY=********");
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void trivy_misconfiguration(struct jsonw *w)
{
    jsonw_object(w);
    jsonw_kstr(w, "Target", "Dockerfile");
    jsonw_kstr(w, "Class", "config");
    jsonw_kstr(w, "Type", "dockerfile");
    jsonw_key(w, "Misconfigurations");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "ID", "DS002");
    jsonw_kstr(w, "AVDID", "AVD-DS-0002");
    jsonw_kstr(w, "Title", "Image user should not be 'root'");
    jsonw_kstr(w, "Message", "Specify at least 1 USER command in Dockerfile with non-root user as argument");
    jsonw_kstr(w, "Resolution", "Add 'USER <non root user name>' line to the Dockerfile");
    jsonw_kstr(w, "Severity", "HIGH");
    jsonw_kstr(w, "Status", "FAIL");
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void trivy_metadata(struct writing *x)
{
    struct jsonw *w = &x->w;
    const struct demo_image *m = x->scan->image;
    char text[160];

    jsonw_key(w, "Metadata");
    jsonw_object(w);
    jsonw_key(w, "OS");
    jsonw_object(w);
    jsonw_kstr(w, "Family", demo_ecos[m->repository->base].os);
    jsonw_kstr(w, "Name", demo_ecos[m->repository->base].os_version);
    jsonw_object_end(w);
    demo_reference(m, text, ':');
    jsonw_key(w, "RepoTags");
    jsonw_array(w);
    jsonw_str(w, text);
    jsonw_array_end(w);
    demo_reference(m, text, '@');
    jsonw_key(w, "RepoDigests");
    jsonw_array(w);
    jsonw_str(w, text);
    jsonw_array_end(w);
    jsonw_key(w, "ImageConfig");
    jsonw_object(w);
    jsonw_kstr(w, "architecture", "amd64");
    jsonw_kstr(w, "os", "linux");
    jsonw_object_end(w);
    jsonw_object_end(w);
}

void trivy_write(struct writing *x)
{
    struct jsonw *w = &x->w;
    const struct demo_image *m = x->scan->image;
    char text[160];

    jsonw_object(w);
    jsonw_kint(w, "SchemaVersion", 2);
    jsonw_ktime(w, "CreatedAt", x->scan->at_ms);
    demo_reference(m, text, ':');
    jsonw_kstr(w, "ArtifactName", text);
    jsonw_kstr(w, "ArtifactType", "container_image");
    trivy_metadata(x);
    jsonw_key(w, "Results");
    jsonw_array(w);
    trivy_result(x, m->repository->base);
    if (m->repository->language != ECO_N)
        trivy_result(x, m->repository->language);
    if (m->has_secret)
        trivy_secret(w);
    if (demo_hash(m->seed, "root") % 100 < 7)
        trivy_misconfiguration(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
}
