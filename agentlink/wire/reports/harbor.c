/* harbor.c - Harbor's vulnerability report, alone or under its media type. */
#include "wire/reports/decode.h"

#include <string.h>

/* The report inside {"application/vnd...vuln...": {...}}. */
static const struct json *unwrapped(const struct json *doc)
{
    for (uint32_t i = 0; i < json_n_members(doc) && i < 4; i++) {
        const char *key = doc->members[i].key;
        if (str_starts(key, "application/vnd.") && strstr(key, "vuln") != NULL &&
            json_is(&doc->members[i].value, JSON_OBJECT))
            return &doc->members[i].value;
    }
    return doc;
}

bool harbor_detect(const struct json *doc)
{
    const struct json *report = unwrapped(doc);

    return report != doc || (json_get(report, "generated_at") != NULL && json_get(report, "scanner") != NULL &&
                             json_get(report, "vulnerabilities") != NULL);
}

static void cvss_decode(struct decode *d, struct finding *f, const struct json *v)
{
    const struct json *preferred = json_get(v, "preferred_cvss"), *all = json_path(v, "vendor_attributes.CVSS");

    for (uint32_t i = 0; i < json_n_members(all); i++) {
        const struct json *c = &all->members[i].value;
        finding_add_cvss(d, f, all->members[i].key, decode_hint(d, c, "V3Vector"), json_number(json_get(c, "V3Score"), -1));
        finding_add_cvss(d, f, all->members[i].key, decode_hint(d, c, "V2Vector"), json_number(json_get(c, "V2Score"), -1));
    }
    if (f->n_cvss == 0) {
        finding_add_cvss(d, f, NULL, decode_hint(d, preferred, "vector_v3"), json_number(json_get(preferred, "score_v3"), -1));
        finding_add_cvss(d, f, NULL, decode_hint(d, preferred, "vector_v2"), json_number(json_get(preferred, "score_v2"), -1));
    }
}

static void vulnerability_decode(struct decode *d, const struct json *v)
{
    struct finding *f = decode_add_finding(d, decode_text(d, v, "id"));
    const struct json *digests = json_get(v, "artifact_digests");

    if (f == NULL)
        return;
    f->package_name = decode_text(d, v, "package");
    f->package_version = decode_text(d, v, "version");
    finding_set_severity(f, decode_text(d, v, "severity"), NULL);
    f->fixed_version = decode_hint(d, v, "fix_version");
    f->status_word = decode_hint(d, v, "status");
    f->status = trivy_status(f->status_word);
    if (f->status == STATUS_UNKNOWN)
        finding_default_status(f);
    f->title = decode_hint(d, v, "description");
    f->url = decode_first_url(json_get(v, "links"));
    cvss_decode(d, f, v);
    for (uint32_t i = 0; i < json_len(digests); i++)
        image_add_digest(d, json_str(json_at(digests, i), NULL));
}

void harbor_decode(struct decode *d, const struct json *doc)
{
    const struct json *report = unwrapped(doc);
    const struct json *artifact = decode_object(d, report, "artifact"), *scanner = decode_object(d, report, "scanner");
    const struct json *list = decode_list(d, report, "vulnerabilities");
    const char *repository = decode_hint(d, artifact, "repository"), *tag = decode_hint(d, artifact, "tag");
    const struct json *properties = json_get(scanner, "properties");

    if (report != doc) {
        d->scan->n_unmapped += json_n_members(doc) - 1;
        d->scan->format_version = strstr(doc->members[0].key, "version=") != NULL ?
                                  strstr(doc->members[0].key, "version=") + 8 : NULL;
    }
    d->scan->has_findings = true;
    d->scan->scanner = decode_hint(d, scanner, "name");
    d->scan->scanner_version = decode_hint(d, scanner, "version");
    d->scan->scanned_ms = decode_time(d, report, "generated_at");
    d->scan->db_built_ms = decode_time(d, properties, "harbor.scanner-adapter/vulnerability-database-updated-at");
    image_add_digest(d, decode_hint(d, artifact, "digest"));
    if (repository != NULL)
        image_set_reference(d, tag != NULL ? decode_printf(d, "%s:%s", repository, tag) : repository);
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        vulnerability_decode(d, json_at(list, i));
}
