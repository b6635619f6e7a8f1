/* trivy.c - Trivy's JSON, schema 2, and the bare array that came before it.
 *
 * A version of an operating system's package is spread over Epoch, Version and
 * Release.  "Vulnerabilities": null and a missing "Results" both mean that
 * nothing was found; a report whose results are all misconfigurations or
 * secrets says nothing about vulnerabilities. */
#include "wire/reports/decode.h"

#include <string.h>

/* ---- packages ----------------------------------------------------------------- */

static const char *full_version(struct decode *d, const struct json *p, const char *epoch, const char *version,
                                const char *release)
{
    return package_full_version(d, json_int(json_get(p, epoch), 0), decode_text(d, p, version),
                                decode_hint(d, p, release));
}

static void package_decode(struct decode *d, const struct json *v, const char *type, const struct trivy_place *place,
                           const char *target, struct name_index *index)
{
    struct package *p = decode_add_package(d);

    if (p == NULL)
        return;
    p->name = decode_text(d, v, "Name");
    p->version = full_version(d, v, "Epoch", "Version", "Release");
    p->arch = decode_hint(d, v, "Arch");
    p->source_name = decode_hint(d, v, "SrcName");
    if (p->source_name != NULL)
        p->source_version = full_version(d, v, "SrcEpoch", "SrcVersion", "SrcRelease");
    p->path = decode_hint(d, v, "FilePath");
    if (p->path == NULL)
        p->path = target;
    p->licences = decode_join(d, json_get(v, "Licenses"), NULL);
    p->is_dev = json_bool(json_get(v, "Dev"), false);
    struct package_hints hints = {
        .purl = decode_hint_path(d, v, "Identifier.PURL"), .type = type,
        .os_family = place->os_family, .os_version = place->os_version,
    };
    const char *short_name = p->name;
    package_finish(d, p, &hints);
    size_t row = d->scan->n_packages - 1;
    name_index_put(d, index, decode_hint_path(d, v, "Identifier.UID"), row);
    name_index_put(d, index, decode_hint(d, v, "ID"), row);
    name_index_put(d, index, hints.purl, row);
    if (short_name != NULL && p->version != NULL)
        name_index_put(d, index, decode_printf(d, "%s@%s", short_name, p->version), row);
}

/* ---- vulnerabilities ----------------------------------------------------------- */

enum finding_status trivy_status(const char *word)
{
    static const struct { const char *word; enum finding_status status; } words[] = {
        { "affected", STATUS_AFFECTED }, { "fixed", STATUS_FIXED }, { "not_affected", STATUS_NOT_AFFECTED },
        { "under_investigation", STATUS_UNDER_INVESTIGATION }, { "will_not_fix", STATUS_WILL_NOT_FIX },
        { "fix_deferred", STATUS_FIX_DEFERRED }, { "end_of_life", STATUS_END_OF_LIFE },
    };

    for (size_t i = 0; word != NULL && i < N_ITEMS(words); i++) {
        if (str_eq_nocase(word, words[i].word))
            return words[i].status;
    }
    return STATUS_UNKNOWN;
}

static void cvss_of(struct decode *d, struct finding *f, const char *source, const struct json *c)
{
    static const struct { const char *vector, *score; } versions[] = {
        { "V40Vector", "V40Score" }, { "V3Vector", "V3Score" }, { "V2Vector", "V2Score" },
    };

    for (size_t i = 0; i < N_ITEMS(versions); i++)
        finding_add_cvss(d, f, source, decode_hint(d, c, versions[i].vector),
                         json_number(json_get(c, versions[i].score), -1));
}

/* The source whose word the severity is comes first: there is room for few. */
static void cvss_decode(struct decode *d, struct finding *f, const struct json *cvss)
{
    const struct json *first = f->severity_source != NULL ? json_get(cvss, f->severity_source) : NULL;

    if (first != NULL)
        cvss_of(d, f, f->severity_source, first);
    for (uint32_t i = 0; i < json_n_members(cvss); i++) {
        if (&cvss->members[i].value != first)
            cvss_of(d, f, cvss->members[i].key, &cvss->members[i].value);
    }
}

static size_t find_package(struct decode *d, const struct json *v, const struct finding *f,
                           const struct name_index *index)
{
    if (index == NULL || index->n == 0)
        return NO_PACKAGE;
    const char *names[] = {
        decode_hint_path(d, v, "PkgIdentifier.UID"), decode_hint(d, v, "PkgID"),
        decode_hint_path(d, v, "PkgIdentifier.PURL"),
    };
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        size_t row = name_index_get(index, names[i]);
        if (row != NO_PACKAGE)
            return row;
    }
    if (f->package_name == NULL || f->package_version == NULL)
        return NO_PACKAGE;
    return name_index_get(index, decode_printf(d, "%s@%s", f->package_name, f->package_version));
}

/* Without --list-all-pkgs the report lists no packages: what the finding itself says. */
static const struct package *matched_package(struct decode *d, const struct json *v, const struct trivy_place *place,
                                             const struct finding *f)
{
    struct package_hints hints = { .purl = decode_hint_path(d, v, "PkgIdentifier.PURL"), .type = place->type,
                                   .os_family = place->os_family, .os_version = place->os_version };
    struct package *p = f->package_name != NULL ? arena_alloc(d->arena, sizeof *p) : NULL;

    if (p == NULL)
        return NULL;
    p->name = f->package_name;
    p->version = f->package_version;
    p->path = decode_hint(d, v, "PkgPath");
    package_finish(d, p, &hints);
    return p;
}

static const char *placed_path(struct decode *d, const struct trivy_place *place, const char *path)
{
    if (place->where == NULL)
        return path;
    return path != NULL ? decode_printf(d, "%s: %s", place->where, path) : place->where;
}

void trivy_vulnerability_decode(struct decode *d, const struct json *v, const struct trivy_place *place,
                                const struct name_index *index, const char *target)
{
    struct finding *f = decode_add_finding(d, decode_text(d, v, "VulnerabilityID"));

    if (f == NULL)
        return;
    f->package_name = decode_text(d, v, "PkgName");
    f->package_version = decode_text(d, v, "InstalledVersion");
    f->package = find_package(d, v, f, index);
    if (f->package == NO_PACKAGE)
        f->matched = matched_package(d, v, place, f);
    finding_set_severity(f, decode_text(d, v, "Severity"), decode_hint(d, v, "SeveritySource"));
    f->fixed_version = decode_text(d, v, "FixedVersion");
    f->status_word = decode_hint(d, v, "Status");
    f->status = trivy_status(f->status_word);
    if (f->status_word == NULL)
        finding_default_status(f);
    f->title = decode_hint(d, v, "Title");
    f->url = decode_url(decode_hint(d, v, "PrimaryURL"));
    f->path = decode_hint(d, v, "PkgPath");
    f->path = placed_path(d, place, f->path != NULL ? f->path : target);
    f->published_ms = decode_time(d, v, "PublishedDate");
    const struct json *vendor = json_get(v, "VendorIDs");
    for (uint32_t i = 0; i < json_len(vendor); i++)
        finding_add_alias(d, f, json_str(json_at(vendor, i), NULL));
    cvss_decode(d, f, json_get(v, "CVSS"));
}

/* What the producer itself ignores: VEX, .trivyignore. */
static void modified_decode(struct decode *d, const struct json *m, const struct trivy_place *place,
                            const struct name_index *index, const char *target)
{
    const struct json *inner = json_get(m, "Finding");

    if (!str_eq(json_get_str(m, "Type", NULL), "vulnerability") || !json_is(inner, JSON_OBJECT)) {
        d->scan->n_unmapped++;
        return;
    }
    size_t before = d->scan->n_findings;
    trivy_vulnerability_decode(d, inner, place, index, target);
    if (d->failed || d->scan->n_findings == before)
        return;
    struct finding *f = &d->scan->findings[before];
    const char *status = decode_hint(d, m, "Status"), *why = decode_hint(d, m, "Statement");
    f->status_word = status;
    if (trivy_status(status) != STATUS_UNKNOWN)
        f->status = trivy_status(status);
    f->suppressed = decode_printf(d, "%s%s%s", status != NULL ? status : "ignored", why != NULL ? ": " : "",
                                  why != NULL ? why : "");
}

/* ---- everything else -------------------------------------------------------------- */

void trivy_misconfiguration_decode(struct decode *d, const struct json *m, const char *target)
{
    const char *id = decode_text(d, m, "ID");
    struct issue *i = decode_add_issue(d, ISSUE_MISCONFIG, id != NULL ? id : decode_text(d, m, "AVDID"));
    const struct json *cause = json_get(m, "CauseMetadata");

    if (i == NULL)
        return;
    i->severity = severity_from_word(decode_text(d, m, "Severity"));
    i->status = decode_text(d, m, "Status");
    i->title = decode_hint(d, m, "Title");
    i->message = decode_hint(d, m, "Message");
    i->resolution = decode_hint(d, m, "Resolution");
    i->file = target;
    i->start_line = json_int(json_get(cause, "StartLine"), 0);
    i->end_line = json_int(json_get(cause, "EndLine"), 0);
}

static void secret_decode(struct decode *d, const struct json *s, const char *target)
{
    struct issue *i = decode_add_issue(d, ISSUE_SECRET, decode_text(d, s, "RuleID"));

    if (i == NULL)
        return;
    i->severity = severity_from_word(decode_text(d, s, "Severity"));
    i->title = decode_hint(d, s, "Title");
    i->message = decode_masked(d, json_get_str(s, "Match", NULL));
    i->file = target;
    i->start_line = json_int(json_get(s, "StartLine"), 0);
    i->end_line = json_int(json_get(s, "EndLine"), 0);
}

static void licence_decode(struct decode *d, const struct json *l, const char *target)
{
    struct issue *i = decode_add_issue(d, ISSUE_LICENCE, decode_text(d, l, "Name"));

    if (i == NULL)
        return;
    i->severity = severity_from_word(decode_text(d, l, "Severity"));
    i->title = decode_hint(d, l, "Category");
    i->message = decode_hint(d, l, "PkgName");
    i->file = decode_hint(d, l, "FilePath");
    if (i->file == NULL)
        i->file = target;
}

/* A class that is about packages, or a result from before there were classes. */
static bool is_vulnerability_result(const struct json *r)
{
    const char *class = json_get_str(r, "Class", NULL);

    return class == NULL || str_eq(class, "os-pkgs") || str_eq(class, "lang-pkgs") ||
           json_len(json_get(r, "Vulnerabilities")) > 0;
}

void trivy_result_decode(struct decode *d, const struct json *r, const struct trivy_place *place)
{
    const char *target = decode_hint(d, r, "Target"), *class = decode_hint(d, r, "Class");
    const char *type = decode_hint(d, r, "Type");
    const struct json *list = decode_list(d, r, "Packages");
    struct name_index index = { 0 };
    struct trivy_place here = *place;

    if (here.os_family == NULL && str_eq(class, "os-pkgs"))
        here.os_family = type;
    const char *file = str_eq(class, "os-pkgs") ? NULL : target;
    here.type = str_eq(class, "os-pkgs") ? class : type;
    decode_expect(d, list);
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        package_decode(d, json_at(list, i), here.type, &here, file, &index);
    d->scan->has_inventory |= json_len(list) > 0;

    list = decode_list(d, r, "Vulnerabilities");
    decode_expect(d, list);
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        trivy_vulnerability_decode(d, json_at(list, i), &here, &index, file);
    d->scan->has_findings |= is_vulnerability_result(r);

    const char *placed = placed_path(d, place, target);
    list = decode_list(d, r, "Misconfigurations");
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        trivy_misconfiguration_decode(d, json_at(list, i), placed);
    list = decode_list(d, r, "Secrets");
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        secret_decode(d, json_at(list, i), placed);
    d->scan->has_secrets_result |= list != NULL || str_eq(class, "secret");
    list = decode_list(d, r, "Licenses");
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        licence_decode(d, json_at(list, i), placed);
    list = json_get(r, "ExperimentalModifiedFindings");
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        modified_decode(d, json_at(list, i), &here, &index, file);
    decode_unplaced(d, json_get(r, "CustomResources"));
}

/* ---- schema 2 ----------------------------------------------------------------------- */

static void metadata_decode(struct decode *d, const struct json *doc)
{
    const struct json *meta = decode_object(d, doc, "Metadata"), *list;

    list = json_get(meta, "RepoDigests");
    for (uint32_t i = 0; i < json_len(list); i++)
        image_add_digest(d, json_str(json_at(list, i), NULL));
    list = json_get(meta, "RepoTags");
    for (uint32_t i = 0; i < json_len(list); i++)
        image_add_name(d, json_str(json_at(list, i), NULL));
    image_set_config(d, decode_hint(d, meta, "ImageID"));
    image_set_os(d, decode_hint_path(d, meta, "OS.Family"), decode_hint_path(d, meta, "OS.Name"));
    d->scan->image.arch = decode_hint_path(d, meta, "ImageConfig.architecture");
    const struct json *labels = json_path(meta, "ImageConfig.config.Labels");
    d->scan->image.base_image = decode_hint(d, labels, "org.opencontainers.image.base.name");

    const char *kind = decode_hint(d, doc, "ArtifactType");
    const char *reference = decode_hint(d, meta, "Reference");
    if (reference == NULL)
        reference = decode_hint(d, doc, "ArtifactName");
    if (kind == NULL || strcmp(kind, "container_image") == 0)
        image_set_reference(d, reference);
    else
        d->scan->image.reference = reference;
}

static void header_decode(struct decode *d, const struct json *doc)
{
    static const char *const known[] = { "SchemaVersion", "Trivy", "ReportID", "CreatedAt", "ArtifactID", "ArtifactName",
                                         "ArtifactType", "Metadata", "Results", NULL };
    const struct json *trivy = decode_object(d, doc, "Trivy");

    decode_unknown_members(d, doc, known);
    d->scan->format_version = decode_text(d, doc, "SchemaVersion");
    d->scan->scanner = "trivy";
    d->scan->scanner_version = decode_hint(d, trivy, "Version");
    d->scan->scanned_ms = decode_time(d, doc, "CreatedAt");
    d->scan->db_version = decode_hint_path(d, trivy, "Server.VulnerabilityDB.Version");
    d->scan->db_built_ms = decode_time_of(d, json_path(trivy, "Server.VulnerabilityDB.UpdatedAt"));
}

bool trivy_detect(const struct json *doc)
{
    const struct json *results = json_get(doc, "Results");

    if (json_len(results) > 0 && json_get(json_at(results, 0), "Target") != NULL)
        return true;
    return json_get(doc, "SchemaVersion") != NULL &&
           (json_get(doc, "Results") != NULL || json_get(doc, "ArtifactName") != NULL || json_get(doc, "Metadata") != NULL);
}

void trivy_decode(struct decode *d, const struct json *doc)
{
    const struct json *results = decode_list(d, doc, "Results");

    header_decode(d, doc);
    metadata_decode(d, doc);
    struct trivy_place place = { .os_family = d->scan->image.os_family, .os_version = d->scan->image.os_version };
    if (json_len(results) == 0)
        d->scan->has_findings = true;
    for (uint32_t i = 0; i < json_len(results) && !d->failed; i++)
        trivy_result_decode(d, json_at(results, i), &place);
}

/* ---- before schema 2 ------------------------------------------------------------------ */

bool trivy_legacy_detect(const struct json *doc)
{
    return json_len(doc) > 0 && json_get(json_at(doc, 0), "Target") != NULL;
}

/* "alpine:3.9 (alpine 3.9.4)": the only place where the system is named. */
static struct trivy_place place_of_target(struct decode *d, const char *target)
{
    struct trivy_place place = { 0 };
    const char *open = target != NULL ? strrchr(target, '(') : NULL;
    const char *space = open != NULL ? strchr(open, ' ') : NULL, *close = space != NULL ? strchr(space, ')') : NULL;

    if (close != NULL) {
        place.os_family = decode_strndup(d, open + 1, (size_t)(space - open - 1));
        place.os_version = decode_strndup(d, space + 1, (size_t)(close - space - 1));
        image_set_os(d, place.os_family, place.os_version);
        if (open > target + 1 && d->scan->image.reference == NULL)
            image_set_reference(d, decode_strndup(d, target, (size_t)(open - target - 1)));
    }
    return place;
}

void trivy_legacy_decode(struct decode *d, const struct json *doc)
{
    d->scan->scanner = "trivy";
    d->scan->format_version = "1";
    for (uint32_t i = 0; i < json_len(doc) && !d->failed; i++) {
        const struct json *result = json_at(doc, i);
        if (!json_is(result, JSON_OBJECT)) {
            decode_fail(d, result, ERR_INVALID, "expected an object");
            return;
        }
        struct trivy_place place = place_of_target(d, json_get_str(result, "Target", NULL));
        trivy_result_decode(d, result, &place);
    }
}
