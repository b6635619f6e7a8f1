/* cyclonedx.c - CycloneDX JSON 1.2 to 1.7: inventory, vulnerabilities, VEX.
 *
 * Components nest; every one is a row, those that are no packages (files,
 * operating systems, keys ...) say so.  bom-refs repeat in the wild: the first
 * one is meant.  A vulnerability becomes one finding per component of this
 * document it affects, and one without a package when there is none. */
#include "wire/reports/decode.h"

#include <string.h>

bool cyclonedx_detect(const struct json *doc)
{
    return str_eq_nocase(json_get_str(doc, "bomFormat", ""), "CycloneDX");
}

struct cyclonedx {
    struct decode *d;
    struct name_index refs;       /* bom-ref -> row */
};

/* ---- components ----------------------------------------------------------------- */

static const char *property(const struct json *component, const char *name)
{
    const struct json *list = json_get(component, "properties");

    for (uint32_t i = 0; i < json_len(list); i++) {
        const char *key = json_get_str(json_at(list, i), "name", NULL);
        const char *value = json_get_str(json_at(list, i), "value", NULL);
        if (str_eq(key, name) && value != NULL && *value != '\0')
            return value;
    }
    return NULL;
}

static const char *not_package(const char *type, bool has_purl)
{
    static const char *const others[] = {
        "operating-system", "file", "container", "device", "device-driver", "firmware", "platform", "data",
        "machine-learning-model", "cryptographic-asset",
    };

    for (size_t i = 0; type != NULL && i < N_ITEMS(others); i++) {
        if (strcmp(type, others[i]) == 0)
            return "not a package";
    }
    return !has_purl && str_eq(type, "application") ? "not a package" : NULL;
}

static const char *licences(struct decode *d, const struct json *list)
{
    const char *all = NULL;

    for (uint32_t i = 0; i < json_len(list) && i < MAX_NAMES; i++) {
        const struct json *v = json_at(list, i), *licence = json_get(v, "license");
        const char *one = json_get_str(v, "expression", NULL);
        if (one == NULL)
            one = json_get_str(licence, "id", json_get_str(licence, "name", NULL));
        if (one != NULL && *one != '\0')
            all = all == NULL ? one : decode_printf(d, "%s, %s", all, one);
    }
    return all;
}

/* Trivy and Syft write the source package into properties. */
static void source_package(struct decode *d, struct package *p, const struct json *c)
{
    const char *source = property(c, "aquasecurity:trivy:SrcName"), *epoch = property(c, "aquasecurity:trivy:SrcEpoch");
    int64_t number = 0;

    if (source != NULL) {
        if (epoch != NULL)
            str_to_i64(epoch, 0, INT32_MAX, &number);
        p->source_name = source;
        p->source_version = package_full_version(d, number, property(c, "aquasecurity:trivy:SrcVersion"),
                                                 property(c, "aquasecurity:trivy:SrcRelease"));
        return;
    }
    p->source_name = property(c, "syft:metadata:source");
    if (p->source_name != NULL)
        p->source_version = property(c, "syft:metadata:sourceVersion");
    else
        p->source_name = property(c, "syft:metadata:originPackage");
}

static const char *kind_of(const struct json *c)
{
    const char *kind = property(c, "aquasecurity:trivy:PkgType");

    return kind != NULL ? kind : property(c, "syft:package:type");
}

static void component_decode(struct cyclonedx *x, const struct json *c)
{
    struct decode *d = x->d;
    struct package *p = decode_add_package(d);

    if (p == NULL)
        return;
    const char *purl = decode_hint(d, c, "purl"), *type = decode_hint(d, c, "type");
    p->name = decode_text(d, c, "name");
    p->version = decode_text(d, c, "version");
    p->path = property(c, "aquasecurity:trivy:FilePath");
    if (p->path == NULL)
        p->path = property(c, "syft:location:0:path");
    p->licences = licences(d, json_get(c, "licenses"));
    p->is_dev = str_eq(json_get_str(c, "scope", NULL), "excluded");
    source_package(d, p, c);
    package_finish(d, p, &(struct package_hints){
        .purl = purl, .type = kind_of(c), .group = decode_hint(d, c, "group"),
        .os_family = d->scan->image.os_family, .os_version = d->scan->image.os_version,
        .not_package = not_package(type, purl != NULL) });
    name_index_put(d, &x->refs, decode_hint(d, c, "bom-ref"), d->scan->n_packages - 1);
}

static void components_decode(struct cyclonedx *x, const struct json *owner, unsigned depth)
{
    const struct json *list = decode_list(x->d, owner, "components");

    if (json_len(list) > 0 && depth == MAX_NESTING) {
        decode_fail(x->d, list, ERR_TOO_LARGE, "components nested more than %d deep", MAX_NESTING);
        return;
    }
    for (uint32_t i = 0; i < json_len(list) && !x->d->failed; i++) {
        const struct json *c = json_at(list, i);
        if (!json_is(c, JSON_OBJECT)) {
            decode_fail(x->d, c, ERR_INVALID, "expected an object");
            return;
        }
        component_decode(x, c);
        components_decode(x, c, depth + 1);
    }
}

/* The system may be listed behind the packages installed in it. */
static void system_decode(struct decode *d, const struct json *list)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *c = json_at(list, i);
        if (str_eq(json_get_str(c, "type", NULL), "operating-system")) {
            const char *id = property(c, "syft:distro:id"), *release = property(c, "syft:distro:versionID");
            image_set_os(d, id != NULL ? id : decode_hint(d, c, "name"),
                         release != NULL ? release : decode_hint(d, c, "version"));
        }
    }
}

/* ---- the image -------------------------------------------------------------------- */

static void properties_decode(struct decode *d, const struct json *component)
{
    const struct json *list = json_get(component, "properties");

    for (uint32_t i = 0; i < json_len(list); i++) {
        const char *key = json_get_str(json_at(list, i), "name", ""), *value = json_get_str(json_at(list, i), "value", NULL);
        if (strcmp(key, "aquasecurity:trivy:RepoDigest") == 0)
            image_add_digest(d, value);
        else if (strcmp(key, "aquasecurity:trivy:RepoTag") == 0)
            image_add_name(d, value);
        else if (strcmp(key, "aquasecurity:trivy:ImageID") == 0)
            image_set_config(d, value);
        else if (strcmp(key, "syft:image:labels:org.opencontainers.image.base.name") == 0 ||
                 strcmp(key, "aquasecurity:trivy:Labels:org.opencontainers.image.base.name") == 0)
            d->scan->image.base_image = value;
    }
}

static void subject_decode(struct decode *d, const struct json *component)
{
    struct purl_view u;
    const char *purl = decode_hint(d, component, "purl"), *canonical, *name = decode_hint(d, component, "name");
    const char *version = decode_hint(d, component, "version");

    properties_decode(d, component);
    if (purl != NULL && purl_view_read(d, purl, &u, &canonical) && (str_eq(u.type, "oci") || str_eq(u.type, "docker"))) {
        if (u.version != NULL && str_starts(u.version, "sha256:"))
            image_add_digest(d, u.version);
        d->scan->image.arch = u.arch;
        if (u.repository_url != NULL && u.tag != NULL)
            image_add_name(d, decode_printf(d, "%s:%s", u.repository_url, u.tag));
    }
    if (version != NULL && digest_is_valid(version))
        image_add_digest(d, version);
    if (str_eq(json_get_str(component, "type", NULL), "container"))
        image_set_reference(d, name);
    else
        d->scan->image.reference = name;
}

/* metadata.tools: a list, or (1.5 and later) an object with components. */
static void tools_decode(struct decode *d, const struct json *tools)
{
    const struct json *list = json_is(tools, JSON_OBJECT) ? json_get(tools, "components") : tools;

    if (json_len(list) == 0)
        return;
    d->scan->scanner = decode_hint(d, json_at(list, 0), "name");
    d->scan->scanner_version = decode_hint(d, json_at(list, 0), "version");
}

/* ---- vulnerabilities ----------------------------------------------------------------- */

/* VEX states, and whether they take the finding out of the count. */
static const struct { const char *state; enum finding_status status; bool is_suppressed; } states[] = {
    { "exploitable", STATUS_AFFECTED, false },
    { "in_triage", STATUS_UNDER_INVESTIGATION, false },
    { "false_positive", STATUS_NOT_AFFECTED, true },
    { "not_affected", STATUS_NOT_AFFECTED, true },
    { "resolved", STATUS_NOT_AFFECTED, true },
    { "resolved_with_pedigree", STATUS_NOT_AFFECTED, true },
};

static void analysis_decode(struct decode *d, struct finding *f, const struct json *v)
{
    const struct json *analysis = json_get(v, "analysis"), *responses = json_get(analysis, "response");
    const char *state = decode_hint(d, analysis, "state"), *why = decode_hint(d, analysis, "justification");

    f->status_word = state;
    finding_default_status(f);
    for (uint32_t i = 0; i < json_len(responses); i++) {
        if (str_eq(json_str(json_at(responses, i), NULL), "will_not_fix"))
            f->status = STATUS_WILL_NOT_FIX;
    }
    for (size_t i = 0; state != NULL && i < N_ITEMS(states); i++) {
        if (strcmp(state, states[i].state) != 0)
            continue;
        if (f->status != STATUS_WILL_NOT_FIX || states[i].is_suppressed)
            f->status = states[i].status;
        if (states[i].is_suppressed)
            f->suppressed = decode_printf(d, "%s%s%s", state, why != NULL ? ": " : "", why != NULL ? why : "");
    }
}

/* The worst of all ratings is the finding's; every vector is kept. */
static void ratings_decode(struct decode *d, struct finding *f, const struct json *list)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *r = json_at(list, i);
        const char *word = decode_text(d, r, "severity"), *source = decode_hint_path(d, r, "source.name");
        if (word != NULL && (f->severity_word == NULL || severity_from_word(word) > f->severity))
            finding_set_severity(f, word, source);
        if (!str_starts(json_get_str(r, "method", ""), "OWASP"))
            finding_add_cvss(d, f, source, decode_hint(d, r, "vector"), json_number(json_get(r, "score"), -1));
    }
}

/* urn:cdx:SERIAL/VERSION#bom-ref -> bom-ref. */
static const char *local_ref(const char *ref)
{
    const char *hash = ref != NULL && str_starts(ref, "urn:cdx:") ? strchr(ref, '#') : NULL;

    return hash != NULL ? hash + 1 : ref;
}

/* VEX kept apart from its BOM: the reference itself may be a package URL. */
static void name_by_ref(struct decode *d, struct finding *f, const char *ref)
{
    struct purl_view u;
    const char *canonical;

    if (ref == NULL || !purl_view_read(d, ref, &u, &canonical))
        return;
    f->package_name = u.space != NULL ? decode_printf(d, "%s/%s", u.space, u.name) : u.name;
    f->package_version = u.version;
}

static void finding_decode(struct cyclonedx *x, const struct json *v, const char *ref, size_t row)
{
    struct decode *d = x->d;
    struct finding *f = decode_add_finding(d, decode_text(d, v, "id"));
    const struct json *references = json_get(v, "references");

    if (f == NULL)
        return;
    ratings_decode(d, f, json_get(v, "ratings"));
    analysis_decode(d, f, v);
    f->title = decode_hint(d, v, "description");
    f->url = decode_url(decode_hint_path(d, v, "source.url"));
    if (f->url == NULL)
        f->url = decode_first_url(json_get(v, "advisories"));
    f->published_ms = decode_time(d, v, "published");
    for (uint32_t i = 0; i < json_len(references); i++)
        finding_add_alias(d, f, decode_hint(d, json_at(references, i), "id"));
    if (row != NO_PACKAGE) {
        finding_set_package(d, f, row);
        f->path = d->scan->packages[row].path;
    } else {
        name_by_ref(d, f, local_ref(ref));
    }
}

static void vulnerability_decode(struct cyclonedx *x, const struct json *v)
{
    const struct json *affects = decode_list(x->d, v, "affects");
    const char *first = json_len(affects) > 0 ? json_get_str(json_at(affects, 0), "ref", NULL) : NULL;
    struct name_index seen = { 0 };
    size_t n = 0;

    for (uint32_t i = 0; i < json_len(affects) && !x->d->failed; i++) {
        const char *ref = local_ref(json_get_str(json_at(affects, i), "ref", NULL));
        size_t row = name_index_get(&x->refs, ref);
        if (row == NO_PACKAGE || name_index_get(&seen, ref) != NO_PACKAGE)
            continue;
        if (json_len(affects) > 1)
            name_index_put(x->d, &seen, ref, row);
        finding_decode(x, v, ref, row);
        n++;
    }
    if (n == 0)
        finding_decode(x, v, first, NO_PACKAGE);
}

/* ---- the document ------------------------------------------------------------------------ */

static void inventory_decode(struct cyclonedx *x, const struct json *doc)
{
    struct decode *d = x->d;
    const struct json *meta = decode_object(d, doc, "metadata");

    tools_decode(d, json_get(meta, "tools"));
    d->scan->format_version = decode_hint(d, doc, "specVersion");
    d->scan->scanned_ms = decode_time(d, meta, "timestamp");
    subject_decode(d, json_get(meta, "component"));
    system_decode(d, json_get(doc, "components"));
    decode_expect(d, json_get(doc, "components"));
    components_decode(x, doc, 0);
    d->scan->has_inventory = d->scan->n_packages > 0;
}

void cyclonedx_components_decode(struct decode *d, const struct json *bom)
{
    inventory_decode(&(struct cyclonedx){ .d = d }, bom);
}

void cyclonedx_decode(struct decode *d, const struct json *doc)
{
    static const char *const known[] = { "bomFormat", "specVersion", "serialNumber", "version", "metadata", "components",
                                         "dependencies", "vulnerabilities", "$schema", "services", NULL };
    const struct json *list = decode_list(d, doc, "vulnerabilities");
    struct cyclonedx x = { .d = d };

    decode_unknown_members(d, doc, known);
    decode_unplaced(d, json_get(doc, "services"));
    inventory_decode(&x, doc);
    /* An inventory may carry an empty list, a VEX document none of the image: neither is a result. */
    d->scan->has_findings = json_len(list) > 0 && d->scan->n_packages > 0;
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        vulnerability_decode(&x, json_at(list, i));
}
