/* grype.c - Grype's JSON (database schemas 5 and 6), and xeol's, which has the same shape.
 *
 * Only matched packages appear: not an inventory. One package row per (name,
 * version, type): artifact ids are missing or random in some versions. */
#include "wire/reports/decode.h"

#include <string.h>

bool grype_detect(const struct json *doc)
{
    const struct json *matches = json_get(doc, "matches");

    return (json_len(matches) > 0 && json_get(json_at(matches, 0), "artifact") != NULL) ||
           (matches != NULL && (json_get(doc, "descriptor") != NULL || json_get(doc, "source") != NULL));
}

struct grype {
    struct decode *d;
    struct name_index packages;
    const char *os_family, *os_version;
};

static size_t package_row(struct grype *g, const struct json *a)
{
    struct decode *d = g->d;
    const char *name = decode_text(d, a, "name"), *version = decode_text(d, a, "version");
    const char *type = decode_hint(d, a, "type");
    const char *key = decode_printf(d, "%s\n%s\n%s", name != NULL ? name : "", version != NULL ? version : "",
                                    type != NULL ? type : "");
    size_t row = name_index_get(&g->packages, key);

    if (row != NO_PACKAGE || d->failed)
        return row;
    struct package *p = decode_add_package(d);
    if (p == NULL)
        return NO_PACKAGE;
    p->name = name;
    p->version = version;
    const struct json *upstreams = json_get(a, "upstreams"), *locations = json_get(a, "locations");
    if (json_len(upstreams) > 0) {
        p->source_name = decode_hint(d, json_at(upstreams, 0), "name");
        p->source_version = decode_hint(d, json_at(upstreams, 0), "version");
    }
    if (json_len(locations) > 0)
        p->path = decode_hint(d, json_at(locations, 0), "path");
    p->licences = decode_join(d, json_get(a, "licenses"), "value");
    package_finish(d, p, &(struct package_hints){ .purl = decode_hint(d, a, "purl"), .type = type,
                                                  .os_family = g->os_family, .os_version = g->os_version });
    name_index_put(d, &g->packages, key, d->scan->n_packages - 1);
    return d->scan->n_packages - 1;
}

static enum finding_status fix_status(const char *state)
{
    return str_eq(state, "fixed") ? STATUS_FIXED : str_eq(state, "wont-fix") ? STATUS_WILL_NOT_FIX :
           str_eq(state, "not-fixed") ? STATUS_AFFECTED : STATUS_UNKNOWN;
}

static void cvss_decode(struct decode *d, struct finding *f, const struct json *list)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *c = json_at(list, i);
        finding_add_cvss(d, f, decode_hint(d, c, "source"), decode_hint(d, c, "vector"),
                         json_number(json_path(c, "metrics.baseScore"), -1));
    }
}

static void exploitation_decode(struct finding *f, const struct json *v)
{
    const struct json *epss = json_get(v, "epss");

    for (uint32_t i = 0; i < json_len(epss); i++) {
        double p = json_number(json_get(json_at(epss, i), "epss"), -1);
        if (p >= 0 && p <= 1 && p > f->epss)
            f->epss = p;
    }
    f->is_kev = json_len(json_get(v, "knownExploited")) > 0;
}

static void vulnerability_decode(struct decode *d, struct finding *f, const struct json *match)
{
    const struct json *v = json_get(match, "vulnerability"), *fix = json_get(v, "fix");
    const struct json *related = json_get(match, "relatedVulnerabilities");

    finding_set_severity(f, decode_text(d, v, "severity"), decode_hint(d, v, "namespace"));
    f->fixed_version = decode_join(d, json_get(fix, "versions"), NULL);
    f->status_word = decode_hint(d, fix, "state");
    f->status = fix_status(f->status_word);
    if (f->status == STATUS_UNKNOWN)
        finding_default_status(f);
    f->title = decode_hint(d, v, "description");
    f->url = decode_url(decode_hint(d, v, "dataSource"));
    if (f->url == NULL)
        f->url = decode_first_url(json_get(v, "urls"));
    cvss_decode(d, f, json_get(v, "cvss"));
    exploitation_decode(f, v);
    for (uint32_t i = 0; i < json_len(related); i++) {
        const struct json *r = json_at(related, i);
        finding_add_alias(d, f, decode_hint(d, r, "id"));
        cvss_decode(d, f, json_get(r, "cvss"));
    }
}

/* xeol: an artifact whose product is out of support. */
static void cycle_decode(struct decode *d, struct finding *f, const struct json *cycle)
{
    const char *product = decode_hint(d, cycle, "ProductName"), *release = decode_hint(d, cycle, "ReleaseCycle");
    const char *until = decode_hint(d, cycle, "Eol");

    f->status = STATUS_END_OF_LIFE;
    f->title = decode_printf(d, "%s %s: end of life %s", product != NULL ? product : "product",
                             release != NULL ? release : "", until != NULL ? until : "reached");
    f->url = decode_url(decode_hint(d, cycle, "ProductPermalink"));
}

static const char *suppression(struct decode *d, const struct json *match)
{
    const struct json *rules = json_get(match, "appliedIgnoreRules");
    const struct json *rule = json_len(rules) > 0 ? json_at(rules, 0) : NULL;
    const char *vex = decode_hint(d, rule, "vex-status"), *why = decode_hint(d, rule, "vex-justification");
    const char *reason = decode_hint(d, rule, "reason");

    if (vex != NULL)
        return decode_printf(d, "%s%s%s", vex, why != NULL ? ": " : "", why != NULL ? why : "");
    return reason != NULL ? reason : "ignore rule";
}

static void match_decode(struct grype *g, const struct json *match, bool is_ignored)
{
    struct decode *d = g->d;
    const struct json *v = decode_object(d, match, "vulnerability"), *a = decode_object(d, match, "artifact");
    const struct json *cycle = json_get(match, "Cycle");
    size_t row = is_ignored ? NO_PACKAGE : package_row(g, a);
    struct finding *f = decode_add_finding(d, v != NULL ? decode_text(d, v, "id") : cycle != NULL ? "end-of-life" : NULL);

    if (f == NULL)
        return;
    if (row != NO_PACKAGE) {
        finding_set_package(d, f, row);
        f->path = d->scan->packages[row].path;
    }
    f->package_name = decode_text(d, a, "name");
    f->package_version = decode_text(d, a, "version");
    if (json_is(cycle, JSON_OBJECT) && v == NULL)
        cycle_decode(d, f, cycle);
    else
        vulnerability_decode(d, f, match);
    if (is_ignored)
        f->suppressed = suppression(d, match);
}

static void source_decode(struct decode *d, const struct json *source)
{
    const struct json *t = json_get(source, "target"), *list;

    if (!json_is(t, JSON_OBJECT)) {          /* a directory's path */
        d->scan->image.reference = json_str(t, NULL);
        return;
    }
    image_add_digest(d, decode_hint(d, t, "manifestDigest"));
    list = json_get(t, "repoDigests");
    for (uint32_t i = 0; i < json_len(list); i++)
        image_add_digest(d, json_str(json_at(list, i), NULL));
    list = json_get(t, "tags");
    for (uint32_t i = 0; i < json_len(list); i++)
        image_add_name(d, json_str(json_at(list, i), NULL));
    image_set_config(d, decode_hint(d, t, "imageID"));
    d->scan->image.arch = decode_hint(d, t, "architecture");
    d->scan->image.base_image = decode_hint(d, json_get(t, "labels"), "org.opencontainers.image.base.name");
    image_set_reference(d, decode_hint(d, t, "userInput"));
}

static void descriptor_decode(struct decode *d, const struct json *doc)
{
    const struct json *desc = decode_object(d, doc, "descriptor"), *db = json_get(desc, "db");
    const struct json *status = json_get(db, "status");

    if (!json_is(status, JSON_OBJECT))
        status = db;                         /* schema 5 */
    d->scan->scanner = decode_hint(d, desc, "name");
    if (d->scan->scanner == NULL)
        d->scan->scanner = "grype";
    d->scan->scanner_version = decode_hint(d, desc, "version");
    d->scan->scanned_ms = decode_time(d, desc, "timestamp");
    d->scan->db_version = decode_hint(d, status, "schemaVersion");
    d->scan->db_built_ms = decode_time(d, status, "built");
}

void grype_decode(struct decode *d, const struct json *doc)
{
    static const char *const known[] = { "matches", "ignoredMatches", "source", "distro", "descriptor", NULL };
    const struct json *matches = decode_list(d, doc, "matches"), *ignored = decode_list(d, doc, "ignoredMatches");
    const struct json *distro = json_get(doc, "distro");
    struct grype g = { .d = d };

    decode_unknown_members(d, doc, known);
    descriptor_decode(d, doc);
    source_decode(d, json_get(doc, "source"));
    g.os_family = decode_hint(d, distro, "name");
    g.os_version = decode_hint(d, distro, "version");
    image_set_os(d, g.os_family, g.os_version);
    d->scan->has_findings = !str_eq(d->scan->scanner, "xeol");
    for (uint32_t i = 0; i < json_len(matches) && !d->failed; i++)
        match_decode(&g, json_at(matches, i), false);
    for (uint32_t i = 0; i < json_len(ignored) && !d->failed; i++)
        match_decode(&g, json_at(ignored, i), true);
}
