/* report.c - see report.h. */
#include "demo/report.h"

#include "base/str.h"
#include "base/time.h"
#include "wire/jsonw.h"

#include <stdio.h>
#include <string.h>

#define TRIVY_VERSION "0.57.1"
#define GRYPE_VERSION "0.87.0"

struct writing {
    struct jsonw w;
    const struct demo_scan *scan;
    const struct held *held; size_t n_held;
    const struct found *found; size_t n_found;
};

static void reference(const struct demo_image *m, char out[160], char separator)
{
    snprintf(out, 160, "%s/%s%c%s", DEMO_REGISTRY, m->repository->name, separator, separator == ':' ? m->tag : m->digest);
}

static void purl_of(const struct held *h, char out[240])
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
        snprintf(out, 240, "%s%.*s/%s@%s", e->purl, (int)(colon - name), name, colon + 1, version);
    else
        snprintf(out, 240, "%s%s@%s%s", e->purl, name, version, e->purl_tail);
}

/* ---- Trivy -------------------------------------------------------------------------- */

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
    purl_of(h, text);
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

    reference(x->scan->image, ref, ':');
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
    reference(m, text, ':');
    jsonw_key(w, "RepoTags");
    jsonw_array(w);
    jsonw_str(w, text);
    jsonw_array_end(w);
    reference(m, text, '@');
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

static void trivy_write(struct writing *x)
{
    struct jsonw *w = &x->w;
    const struct demo_image *m = x->scan->image;
    char text[160];

    jsonw_object(w);
    jsonw_kint(w, "SchemaVersion", 2);
    jsonw_ktime(w, "CreatedAt", x->scan->at_ms);
    reference(m, text, ':');
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

/* ---- Grype ---------------------------------------------------------------------------- */

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
    purl_of(x->held, purl);
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
    reference(m, text, ':');
    jsonw_kstr(w, "userInput", text);
    jsonw_kstr(w, "manifestDigest", m->digest);
    jsonw_key(w, "tags");
    jsonw_array(w);
    jsonw_str(w, text);
    jsonw_array_end(w);
    reference(m, text, '@');
    jsonw_key(w, "repoDigests");
    jsonw_array(w);
    jsonw_str(w, text);
    jsonw_array_end(w);
    jsonw_kstr(w, "architecture", "amd64");
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void grype_write(struct writing *x)
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

/* ---- CycloneDX -------------------------------------------------------------------------- */

static void cyclonedx_component(struct jsonw *w, const struct held *h)
{
    char purl[240];

    purl_of(h, purl);
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
    purl_of(x->held, text);
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
    reference(m, text, ':');
    jsonw_kstr(w, "name", text);
    jsonw_key(w, "properties");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "name", "aquasecurity:trivy:RepoDigest");
    reference(m, text, '@');
    jsonw_kstr(w, "value", text);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void cyclonedx_write(struct writing *x)
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
