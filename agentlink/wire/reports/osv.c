/* osv.c - OSV-Scanner's output, and a single OSV record.
 *
 * OSV gives vectors, not scores; a word only where a database adds one. */
#include "wire/reports/decode.h"

#include <string.h>

/* ---- one vulnerability -------------------------------------------------------------- */

static bool same_package(const struct json *affected, const struct osv_place *place)
{
    const char *name = json_get_str(json_get(affected, "package"), "name", "");

    return place->name == NULL || str_eq_nocase(name, place->name);
}

/* The fixed versions of the package at hand, in the order of the record. */
static void fixes_decode(struct decode *d, struct finding *f, const struct json *v, const struct osv_place *place)
{
    const struct json *affected = json_get(v, "affected");
    const char **fixes = NULL;
    size_t n = 0;

    for (uint32_t i = 0; i < json_len(affected); i++) {
        const struct json *ranges = json_get(json_at(affected, i), "ranges");
        if (!same_package(json_at(affected, i), place))
            continue;
        for (uint32_t r = 0; r < json_len(ranges); r++) {
            const struct json *events = json_get(json_at(ranges, r), "events");
            if (str_eq(json_get_str(json_at(ranges, r), "type", NULL), "GIT"))
                continue;
            for (uint32_t e = 0; e < json_len(events); e++)
                decode_add_name(d, &fixes, &n, json_get_str(json_at(events, e), "fixed", NULL));
        }
    }
    for (size_t i = 0; i < n && !d->failed; i++)
        f->fixed_version = f->fixed_version == NULL ? fixes[i] : decode_printf(d, "%s, %s", f->fixed_version, fixes[i]);
}

static void severity_decode(struct decode *d, struct finding *f, const struct json *list)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *s = json_at(list, i);
        const char *type = json_get_str(s, "type", ""), *score = decode_hint(d, s, "score");
        if (str_starts(type, "CVSS_"))
            finding_add_cvss(d, f, NULL, score, -1);
        else if (score != NULL)
            finding_set_severity(f, score, type);
    }
}

void osv_finding_decode(struct decode *d, const struct json *v, const struct osv_place *place)
{
    struct finding *f = decode_add_finding(d, decode_text(d, v, "id"));
    static const char *const lists[] = { "aliases", "upstream" };
    const struct json *affected = json_get(v, "affected");

    if (f == NULL)
        return;
    for (size_t k = 0; k < N_ITEMS(lists); k++) {
        const struct json *names = decode_list(d, v, lists[k]);
        for (uint32_t i = 0; i < json_len(names); i++)
            finding_add_alias(d, f, json_str(json_at(names, i), NULL));
    }
    const char *word = decode_hint_path(d, v, "database_specific.severity");
    finding_set_severity(f, word, word != NULL ? "database" : NULL);
    severity_decode(d, f, json_get(v, "severity"));
    for (uint32_t i = 0; i < json_len(affected); i++) {
        if (same_package(json_at(affected, i), place))
            severity_decode(d, f, json_get(json_at(affected, i), "severity"));
    }
    fixes_decode(d, f, v, place);
    finding_default_status(f);
    f->title = decode_hint(d, v, "summary");
    f->url = decode_first_url(json_get(v, "references"));
    f->published_ms = decode_time(d, v, "published");
    if (json_get_str(v, "withdrawn", NULL) != NULL) {
        f->status = STATUS_NOT_AFFECTED;
        f->suppressed = "withdrawn";
    }
    if (place->package != NO_PACKAGE)
        finding_set_package(d, f, place->package);
    else
        f->package_name = place->name;
    f->path = place->path;
}

/* ---- OSV-Scanner --------------------------------------------------------------------- */

bool osv_scanner_detect(const struct json *doc)
{
    const struct json *results = json_get(doc, "results");

    if (!json_is(results, JSON_ARRAY) && !json_is(results, JSON_NULL))
        return false;
    if (json_len(results) == 0)
        return results != NULL && (json_get(doc, "experimental_config") != NULL || doc->n == 1);
    return json_get(json_at(results, 0), "packages") != NULL;
}

/* A group says which findings are one; a database may have given it a severity. */
static void groups_index(struct decode *d, const struct json *groups, struct name_index *out)
{
    for (uint32_t i = 0; i < json_len(groups); i++) {
        const struct json *ids = json_get(json_at(groups, i), "ids");
        for (uint32_t k = 0; k < json_len(ids); k++)
            name_index_put(d, out, json_str(json_at(ids, k), NULL), i);
    }
}

static const char *group_severity(const struct json *groups, const struct name_index *by_id, const char *id)
{
    size_t row = name_index_get(by_id, id);

    return row != NO_PACKAGE ? json_get_str(json_at(groups, (uint32_t)row), "max_severity", NULL) : NULL;
}

static void claimed_decode(struct decode *d, struct finding *f, const char *max)
{
    double score = 0;
    size_t i = 0;

    if (max == NULL || *max == '\0')
        return;
    for (; max[i] >= '0' && max[i] <= '9' && i < 2; i++)
        score = score * 10 + (max[i] - '0');
    if (max[i] == '.' && max[i + 1] >= '0' && max[i + 1] <= '9')
        score += (max[i + 1] - '0') / 10.0;
    if (f->n_cvss > 0 && f->cvss[0].claimed < 0 && score <= 10)
        f->cvss[0].claimed = (int)(score * 10 + 0.5);
    else if (f->n_cvss == 0)
        finding_add_cvss(d, f, "osv-scanner", NULL, score);
}

static void package_decode(struct decode *d, const struct json *v, const char *path)
{
    const struct json *info = decode_object(d, v, "package"), *list = decode_list(d, v, "vulnerabilities");
    struct package *p = decode_add_package(d);

    if (p == NULL)
        return;
    p->name = decode_text(d, info, "name");
    p->version = decode_text(d, info, "version");
    p->path = path;
    p->licences = decode_join(d, json_get(v, "licenses"), NULL);
    p->ecosystem = decode_text(d, info, "ecosystem");
    p->is_evaluable = p->ecosystem != NULL && p->name != NULL && p->version != NULL;
    p->not_evaluable = p->is_evaluable ? NULL : p->ecosystem == NULL ? "no ecosystem" : p->name == NULL ? "no name" : "no version";
    struct name_index groups = { 0 };
    groups_index(d, json_get(v, "groups"), &groups);
    struct osv_place place = { d->scan->n_packages - 1, p->name, p->version, p->ecosystem, path };
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++) {
        osv_finding_decode(d, json_at(list, i), &place);
        if (!d->failed) {
            struct finding *f = &d->scan->findings[d->scan->n_findings - 1];
            claimed_decode(d, f, group_severity(json_get(v, "groups"), &groups, f->id));
        }
    }
}

void osv_scanner_decode(struct decode *d, const struct json *doc)
{
    static const char *const known[] = { "results", "experimental_config", "image_metadata", NULL };
    const struct json *results = decode_list(d, doc, "results"), *image = json_get(doc, "image_metadata");

    decode_unknown_members(d, doc, known);
    d->scan->scanner = "osv-scanner";
    d->scan->has_findings = true;
    if (json_is(image, JSON_OBJECT))
        image_set_os(d, decode_hint(d, image, "os"), NULL);
    for (uint32_t i = 0; i < json_len(results) && !d->failed; i++) {
        const struct json *r = json_at(results, i), *packages = decode_list(d, r, "packages");
        const char *path = decode_hint_path(d, r, "source.path");
        for (uint32_t k = 0; k < json_len(packages) && !d->failed; k++)
            package_decode(d, json_at(packages, k), path);
        d->scan->has_inventory |= json_len(packages) > 0;
    }
}

/* ---- one record ------------------------------------------------------------------------- */

bool osv_advisory_detect(const struct json *doc)
{
    static const char *const others[] = { "modified", "affected", "aliases", "schema_version", "withdrawn" };
    bool is_record = false;

    for (size_t i = 0; i < N_ITEMS(others); i++)
        is_record |= json_get(doc, others[i]) != NULL;
    return is_record && json_is(json_get(doc, "id"), JSON_STRING) && json_get(doc, "vulnerabilities") == NULL;
}

void osv_advisory_decode(struct decode *d, const struct json *doc)
{
    const struct json *affected = decode_list(d, doc, "affected");

    d->scan->format_version = decode_hint(d, doc, "schema_version");
    for (uint32_t i = 0; i < json_len(affected) && !d->failed; i++) {
        const struct json *info = json_get(json_at(affected, i), "package");
        struct package *p = decode_add_package(d);
        if (p == NULL)
            return;
        p->name = decode_text(d, info, "name");
        package_finish(d, p, &(struct package_hints){ .purl = decode_hint(d, info, "purl"),
                                                      .not_package = "named by an advisory" });
        p->ecosystem = decode_hint(d, info, "ecosystem");
    }
    osv_finding_decode(d, doc, &(struct osv_place){ .package = NO_PACKAGE });
}
