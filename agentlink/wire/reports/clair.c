/* clair.c - Clair v4 vulnerability and index reports, clair-scanner, klar.
 *
 * Clair keeps packages, vulnerabilities and their pairs apart; a finding is a
 * pair.  "CVE-2022-23219 glibc" is a name with the package behind it; a fix in
 * "0:0" is no fix. */
#include "wire/reports/decode.h"

#include <string.h>

bool clair_detect(const struct json *doc)
{
    return (json_get(doc, "manifest_hash") != NULL && json_get(doc, "packages") != NULL) ||
           (json_get(doc, "unapproved") != NULL && json_get(doc, "vulnerabilities") != NULL) ||
           (json_get(doc, "LayerCount") != NULL && json_get(doc, "Vulnerabilities") != NULL);
}

/* ---- v4 ----------------------------------------------------------------------------- */

struct clair {
    struct decode *d;
    const struct json *doc, *vulnerabilities;
    struct name_index packages;   /* Clair's id -> row */
    struct name_index matched;    /* ids of vulnerabilities that some package has */
};

/* The distribution a package is installed in; the only one there is, if it says nothing. */
static const struct json *distribution_of(struct clair *c, const char *package_id, const struct json *package)
{
    const struct json *all = json_get(c->doc, "distributions");
    const struct json *places = json_get(json_get(c->doc, "environments"), package_id);
    const char *id = json_len(places) > 0 ? json_get_str(json_at(places, 0), "distribution_id", NULL) : NULL;
    const struct json *found = id != NULL && *id != '\0' ? json_get(all, id) : NULL;

    if (found == NULL)
        found = json_get(package, "dist");   /* index reports of Clair v4's first versions */
    if (found == NULL && json_n_members(all) == 1)
        found = &all->members[0].value;
    return found;
}

/* "var/lib/dpkg/status" tells a system's package from a language's. */
static const char *type_of(const struct json *places)
{
    static const struct { const char *part, *type; } kinds[] = {
        { "dpkg", "deb" }, { "apk/", "apk" }, { "rpm", "rpm" }, { "jar:", "jar" }, { "maven:", "jar" },
        { "python:", "pypi" }, { "nodejs:", "npm" }, { "go:", "golang" }, { "gobin:", "golang" }, { "ruby:", "gem" },
    };
    const char *db = json_len(places) > 0 ? json_get_str(json_at(places, 0), "package_db", "") : "";

    for (size_t i = 0; i < N_ITEMS(kinds); i++) {
        if (strstr(db, kinds[i].part) != NULL)
            return kinds[i].type;
    }
    return NULL;
}

static void package_decode(struct clair *c, const char *id, const struct json *v)
{
    struct decode *d = c->d;
    const struct json *source = json_get(v, "source"), *distro = distribution_of(c, id, v);
    const struct json *places = json_get(json_get(c->doc, "environments"), id);
    struct package *p = decode_add_package(d);

    if (p == NULL)
        return;
    const char *type = type_of(places);
    p->name = decode_text(d, v, "name");
    p->version = decode_text(d, v, "version");
    p->arch = decode_hint(d, v, "arch");
    p->source_name = decode_hint(d, source, "name");
    p->source_version = p->source_name != NULL ? decode_hint(d, source, "version") : NULL;
    if (json_len(places) > 0)
        p->path = decode_hint(d, json_at(places, 0), "package_db");
    const char *family = decode_hint(d, distro, "did"), *release = decode_hint(d, distro, "version_id");
    if (family == NULL)
        family = decode_hint(d, distro, "name");
    if (release == NULL)
        release = decode_hint(d, distro, "version");
    image_set_os(d, family, release);
    package_finish(d, p, &(struct package_hints){
        .type = type != NULL ? type : family != NULL ? "os-pkgs" : NULL, .os_family = family, .os_version = release,
        .not_package = str_eq(json_get_str(v, "kind", NULL), "source") ? "source of another package" : NULL });
    name_index_put(d, &c->packages, id, d->scan->n_packages - 1);
}

/* The token that names it: "RHSA-2024:1: openssl ..." -> "RHSA-2024:1". */
static const char *first_name(struct decode *d, const char *name)
{
    size_t n = name != NULL ? strcspn(name, " ") : 0;

    if (n == 0)
        return NULL;
    while (n > 1 && (name[n - 1] == ':' || name[n - 1] == ','))
        n--;
    return decode_strndup(d, name, n);
}

/* "pyup.io-42559 (CVE-2021-3572)" is known by the second name, too. */
static const char *second_name(struct decode *d, const char *name)
{
    const char *cve = name != NULL && name[0] != '\0' ? strstr(name + 1, "CVE-") : NULL;

    return cve != NULL ? decode_strndup(d, cve, strspn(cve, "CVE-0123456789")) : NULL;
}

static const char *fix_of(struct decode *d, const struct json *v, const char *key)
{
    const char *s = decode_hint(d, v, key);

    return s == NULL || strcmp(s, "0:0") == 0 || strcmp(s, "0") == 0 ? NULL : s;
}

static const char *first_link(struct decode *d, const char *links)
{
    size_t n = links != NULL ? strcspn(links, " ") : 0;

    return n > 0 ? decode_url(decode_strndup(d, links, n)) : NULL;
}

static void vulnerability_decode(struct clair *c, const struct json *v, size_t row)
{
    struct decode *d = c->d;
    const char *name = decode_text(d, v, "name");
    struct finding *f = decode_add_finding(d, first_name(d, name));

    if (f == NULL)
        return;
    finding_add_alias(d, f, second_name(d, name));
    const char *word = decode_text(d, v, "normalized_severity"), *own = decode_hint(d, v, "severity");
    finding_set_severity(f, word, decode_hint(d, v, "updater"));
    if (f->severity == SEVERITY_UNKNOWN && severity_from_word(own) != SEVERITY_UNKNOWN)
        f->severity = severity_from_word(own);
    if (own != NULL)
        f->severity_word = own;
    if (row != NO_PACKAGE)
        finding_set_package(d, f, row);
    else
        f->package_name = decode_hint_path(d, v, "package.name");
    f->fixed_version = fix_of(d, v, "fixed_in_version");
    finding_default_status(f);
    f->title = decode_hint(d, v, "description");
    f->url = first_link(d, json_get_str(v, "links", NULL));
    f->published_ms = decode_time(d, v, "issued");
}

/* A pair whose vulnerability is not listed: known by Clair's id only, not lost. */
static void unlisted_decode(struct clair *c, const char *id, size_t row)
{
    struct finding *f = decode_add_finding(c->d, id);

    if (f == NULL)
        return;
    f->status = STATUS_AFFECTED;
    finding_set_package(c->d, f, row);
}

static void pairs_decode(struct clair *c, const struct json *pairs)
{
    for (uint32_t i = 0; i < json_n_members(pairs) && !c->d->failed; i++) {
        const struct json *ids = &pairs->members[i].value;
        size_t row = name_index_get(&c->packages, pairs->members[i].key);
        for (uint32_t k = 0; k < json_len(ids) && !c->d->failed; k++) {
            const char *id = json_str(json_at(ids, k), NULL);
            const struct json *v = id != NULL ? json_get(c->vulnerabilities, id) : NULL;
            name_index_put(c->d, &c->matched, id, i);
            if (v != NULL)
                vulnerability_decode(c, v, row);
            else
                unlisted_decode(c, id, row);
        }
    }
}

static void v4_decode(struct decode *d, const struct json *doc)
{
    static const char *const known[] = { "manifest_hash", "packages", "distributions", "repository", "environments", "err",
                                         "vulnerabilities", "package_vulnerabilities", "state", "success", NULL };
    const struct json *packages = decode_object(d, doc, "packages");
    struct clair c = { .d = d, .doc = doc, .vulnerabilities = decode_object(d, doc, "vulnerabilities") };
    const char *hash = decode_text(d, doc, "manifest_hash");

    decode_unknown_members(d, doc, known);
    d->scan->format_version = "4";
    d->scan->scanner = "clair";
    if (hash != NULL && strlen(hash) == 64)  /* first versions wrote the digits alone */
        hash = decode_printf(d, "sha256:%s", hash);
    image_add_digest(d, hash);
    for (uint32_t i = 0; i < json_n_members(packages) && !d->failed; i++)
        package_decode(&c, packages->members[i].key, &packages->members[i].value);
    d->scan->has_inventory = true;
    d->scan->has_findings = c.vulnerabilities != NULL;
    pairs_decode(&c, decode_object(d, doc, "package_vulnerabilities"));
    for (uint32_t i = 0; i < json_n_members(c.vulnerabilities) && !d->failed; i++) {
        const struct json_member *m = &c.vulnerabilities->members[i];
        if (name_index_get(&c.matched, m->key) == NO_PACKAGE)
            vulnerability_decode(&c, &m->value, NO_PACKAGE);
    }
}

/* ---- clair-scanner --------------------------------------------------------------------- */

static void scanner_decode(struct decode *d, const struct json *doc)
{
    const struct json *list = decode_list(d, doc, "vulnerabilities"), *unapproved = json_get(doc, "unapproved");
    struct name_index by_name = { 0 };

    d->scan->format_version = "clair-scanner";
    d->scan->scanner = "clair-scanner";
    image_set_reference(d, decode_hint(d, doc, "image"));
    for (uint32_t i = 0; i < json_len(unapproved); i++)
        name_index_put(d, &by_name, json_str(json_at(unapproved, i), NULL), i);
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++) {
        const struct json *v = json_at(list, i);
        struct finding *f = decode_add_finding(d, decode_text(d, v, "vulnerability"));
        if (f == NULL)
            return;
        f->package_name = decode_text(d, v, "featurename");
        f->package_version = decode_text(d, v, "featureversion");
        finding_set_severity(f, decode_text(d, v, "severity"), decode_hint(d, v, "namespace"));
        f->fixed_version = fix_of(d, v, "fixedby");
        finding_default_status(f);
        f->title = decode_hint(d, v, "description");
        f->url = decode_url(decode_hint(d, v, "link"));
        if (json_is(unapproved, JSON_ARRAY) && name_index_get(&by_name, f->id) == NO_PACKAGE)
            f->suppressed = "approved";
    }
}

/* ---- klar --------------------------------------------------------------------------------- */

static void klar_decode(struct decode *d, const struct json *doc)
{
    const struct json *levels = decode_object(d, doc, "Vulnerabilities");

    d->scan->format_version = "klar";
    d->scan->scanner = "klar";
    for (uint32_t k = 0; k < json_n_members(levels) && !d->failed; k++) {
        const struct json *list = &levels->members[k].value;
        for (uint32_t i = 0; i < json_len(list) && !d->failed; i++) {
            const struct json *v = json_at(list, i);
            struct finding *f = decode_add_finding(d, decode_text(d, v, "Name"));
            if (f == NULL)
                return;
            const char *word = decode_text(d, v, "Severity");
            f->package_name = decode_text(d, v, "FeatureName");
            f->package_version = decode_text(d, v, "FeatureVersion");
            finding_set_severity(f, word != NULL ? word : levels->members[k].key, decode_hint(d, v, "NamespaceName"));
            f->fixed_version = fix_of(d, v, "FixedBy");
            finding_default_status(f);
            f->title = decode_hint(d, v, "Description");
            f->url = decode_url(decode_hint(d, v, "Link"));
        }
    }
}

void clair_decode(struct decode *d, const struct json *doc)
{
    d->scan->has_findings = true;
    if (json_get(doc, "manifest_hash") != NULL)
        v4_decode(d, doc);
    else if (json_get(doc, "unapproved") != NULL)
        scanner_decode(d, doc);
    else
        klar_decode(d, doc);
}
