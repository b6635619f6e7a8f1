/* trivy_k8s.c - Trivy's report on a Kubernetes cluster, and the reports the
 * operator keeps as custom resources.
 *
 * A cluster report speaks of many images: the findings carry the resource they
 * were found in, the scan has no image.  An operator's report speaks of one. */
#include "wire/reports/decode.h"

#include <string.h>

/* ---- `trivy k8s` ------------------------------------------------------------------- */

bool trivy_k8s_detect(const struct json *doc)
{
    return json_get(doc, "ClusterName") != NULL &&
           (json_get(doc, "Resources") != NULL || json_get(doc, "Vulnerabilities") != NULL ||
            json_get(doc, "Misconfigurations") != NULL || json_get(doc, "Findings") != NULL);
}

static void resource_decode(struct decode *d, const struct json *r)
{
    const struct json *meta = json_get(r, "Metadata"), *results = decode_list(d, r, "Results");
    const char *space = decode_hint(d, r, "Namespace"), *kind = decode_hint(d, r, "Kind"), *name = decode_hint(d, r, "Name");
    struct trivy_place place = {
        .where = decode_printf(d, "%s/%s/%s", space != NULL ? space : "-", kind != NULL ? kind : "-",
                               name != NULL ? name : "-"),
    };

    if (json_len(meta) == 1)                 /* several: which one a result is about is not said */
        meta = json_at(meta, 0);
    if (json_is(meta, JSON_OBJECT)) {
        place.os_family = decode_hint_path(d, meta, "OS.Family");
        place.os_version = decode_hint_path(d, meta, "OS.Name");
    }
    if (json_get(r, "Error") != NULL)
        d->scan->n_unmapped++;
    for (uint32_t i = 0; i < json_len(results) && !d->failed; i++)
        trivy_result_decode(d, json_at(results, i), &place);
}

void trivy_k8s_decode(struct decode *d, const struct json *doc)
{
    static const char *const known[] = { "ClusterName", "Resources", "Vulnerabilities", "Misconfigurations", "Findings",
                                         "SchemaVersion", NULL };
    static const char *const lists[] = { "Resources", "Vulnerabilities", "Misconfigurations", "Findings" };

    decode_unknown_members(d, doc, known);
    d->scan->scanner = "trivy";
    for (size_t k = 0; k < N_ITEMS(lists); k++) {
        const struct json *list = decode_list(d, doc, lists[k]);
        for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
            resource_decode(d, json_at(list, i));
    }
}

/* ---- trivy-operator ------------------------------------------------------------------ */

static const char api_prefix[] = "aquasecurity.github.io/";

bool trivy_operator_detect(const struct json *doc)
{
    const char *api = json_get_str(doc, "apiVersion", "");
    const struct json *items = json_get(doc, "items");

    if (str_starts(api, api_prefix))
        return true;
    return json_len(items) > 0 && str_starts(json_get_str(json_at(items, 0), "apiVersion", ""), api_prefix);
}

static void vulnerability_decode(struct decode *d, const struct json *v, const char *where)
{
    struct finding *f = decode_add_finding(d, decode_text(d, v, "vulnerabilityID"));

    if (f == NULL)
        return;
    f->package_name = decode_text(d, v, "resource");
    f->package_version = decode_text(d, v, "installedVersion");
    finding_set_severity(f, decode_text(d, v, "severity"), decode_hint(d, v, "severitySource"));
    f->fixed_version = decode_text(d, v, "fixedVersion");
    finding_default_status(f);
    f->title = decode_hint(d, v, "title");
    f->url = decode_url(decode_hint(d, v, "primaryLink"));
    f->path = decode_hint(d, v, "packagePath");
    if (f->path == NULL)
        f->path = where != NULL ? where : decode_hint(d, v, "target");
    f->published_ms = decode_time(d, v, "publishedDate");
    const struct json *cvss = json_get(v, "cvss");
    for (uint32_t i = 0; i < json_n_members(cvss); i++) {
        const struct json *c = &cvss->members[i].value;
        finding_add_cvss(d, f, cvss->members[i].key, decode_hint(d, c, "V3Vector"),
                         json_number(json_get(c, "V3Score"), -1));
    }
    if (f->n_cvss == 0)
        finding_add_cvss(d, f, NULL, NULL, json_number(json_get(v, "score"), -1));
}

static void check_decode(struct decode *d, const struct json *c, const char *where)
{
    const struct json *success = json_get(c, "success");
    struct issue *i = decode_add_issue(d, ISSUE_MISCONFIG, decode_text(d, c, "checkID"));

    if (i == NULL)
        return;
    i->severity = severity_from_word(decode_text(d, c, "severity"));
    i->status = json_bool(success, false) ? "PASS" : "FAIL";
    i->title = decode_hint(d, c, "title");
    i->message = decode_join(d, json_get(c, "messages"), NULL);
    i->resolution = decode_hint(d, c, "remediation");
    i->file = where;
}

static void secret_decode(struct decode *d, const struct json *s)
{
    struct issue *i = decode_add_issue(d, ISSUE_SECRET, decode_text(d, s, "ruleID"));

    if (i == NULL)
        return;
    i->severity = severity_from_word(decode_text(d, s, "severity"));
    i->title = decode_hint(d, s, "title");
    i->message = decode_masked(d, json_get_str(s, "match", NULL));
    i->file = decode_hint(d, s, "target");
}

static void artifact_decode(struct decode *d, const struct json *report)
{
    const struct json *a = decode_object(d, report, "artifact");
    const char *server = decode_hint_path(d, report, "registry.server"), *repository = decode_hint(d, a, "repository");
    const char *tag = decode_hint(d, a, "tag");

    image_add_digest(d, decode_hint(d, a, "digest"));
    image_set_os(d, decode_hint_path(d, report, "os.family"), decode_hint_path(d, report, "os.name"));
    if (repository == NULL)
        return;
    const char *full = server != NULL ? decode_printf(d, "%s/%s", server, repository) : repository;
    image_set_reference(d, tag != NULL && full != NULL ? decode_printf(d, "%s:%s", full, tag) : full);
}

static void custom_resource_decode(struct decode *d, const struct json *doc, bool is_alone)
{
    const struct json *report = decode_object(d, doc, "report"), *list;
    const char *kind = json_get_str(doc, "kind", ""), *name = decode_hint_path(d, doc, "metadata.name");
    const char *where = is_alone ? NULL : name;

    if (report == NULL) {                    /* compliance reports: about a cluster, no image in sight */
        decode_unplaced(d, json_path(doc, "status.detailReport.results"));
        return;
    }
    d->scan->scanner = "trivy";
    d->scan->scanner_version = decode_hint_path(d, report, "scanner.version");
    d->scan->scanned_ms = decode_time(d, report, "updateTimestamp");
    if (is_alone)
        artifact_decode(d, report);
    list = decode_list(d, report, "vulnerabilities");
    d->scan->has_findings |= list != NULL || str_ends(kind, "VulnerabilityReport");
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        vulnerability_decode(d, json_at(list, i), where);
    list = decode_list(d, report, "checks");
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        check_decode(d, json_at(list, i), name);
    list = decode_list(d, report, "secrets");
    d->scan->has_secrets_result |= list != NULL;
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        secret_decode(d, json_at(list, i));
    const struct json *bom = decode_object(d, report, "components");
    if (bom != NULL)
        cyclonedx_components_decode(d, bom);
}

void trivy_operator_decode(struct decode *d, const struct json *doc)
{
    const struct json *items = decode_list(d, doc, "items");

    d->scan->format_version = decode_hint(d, doc, "apiVersion");
    if (items == NULL)
        custom_resource_decode(d, doc, true);
    for (uint32_t i = 0; i < json_len(items) && !d->failed; i++)
        custom_resource_decode(d, json_at(items, i), json_len(items) == 1);
}
