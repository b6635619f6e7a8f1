/* gitlab.c - GitLab's security reports, schemas 2 to 15: container and
 * dependency scanning, and what comes in the same shape (secrets, code).
 *
 * Times have no zone and are UTC.  The fixed version stands only in the
 * sentence "Upgrade NAME from OLD to NEW". */
#include "wire/reports/decode.h"

#include <string.h>

bool gitlab_detect(const struct json *doc)
{
    return json_get(doc, "version") != NULL && json_is(json_get(doc, "vulnerabilities"), JSON_ARRAY) &&
           json_get(doc, "bomFormat") == NULL && json_get(doc, "document") == NULL;
}

/* The name others know it by: a CVE first, then whatever comes first. */
static const char *identifier(struct decode *d, const struct json *list, const char *wanted)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        if (wanted != NULL && !str_eq_nocase(json_get_str(v, "type", ""), wanted))
            continue;
        const char *value = decode_hint(d, v, "value");
        if (value == NULL)
            value = decode_hint(d, v, "name");
        if (value != NULL)
            return value;
    }
    return NULL;
}

static const char *fixed_version(struct decode *d, const char *solution)
{
    const char *to = NULL;

    if (solution == NULL || !str_starts(solution, "Upgrade "))
        return NULL;
    for (const char *s = strstr(solution, " to "); s != NULL; s = strstr(s + 1, " to "))
        to = s + 4;
    if (to == NULL)
        return NULL;
    if (str_starts(to, "version "))
        to += 8;
    size_t n = strcspn(to, " \r\n");
    while (n > 0 && (to[n - 1] == '.' || to[n - 1] == ','))
        n--;
    return n > 0 && n < 128 ? decode_strndup(d, to, n) : NULL;
}

static void cvss_decode(struct decode *d, struct finding *f, const struct json *list)
{
    for (uint32_t i = 0; i < json_len(list); i++)
        finding_add_cvss(d, f, decode_hint(d, json_at(list, i), "vendor"), decode_hint(d, json_at(list, i), "vector"), -1);
}

static void secret_decode(struct decode *d, const struct json *v, const char *id)
{
    const struct json *where = json_get(v, "location");
    struct issue *i = decode_add_issue(d, ISSUE_SECRET, id);

    if (i == NULL)
        return;
    i->severity = severity_from_word(decode_text(d, v, "severity"));
    i->title = decode_hint(d, v, "name");
    i->message = decode_masked(d, json_get_str(v, "raw_source_code_extract", NULL));
    i->file = decode_hint(d, where, "file");
    i->start_line = json_int(json_get(where, "start_line"), 0);
    i->end_line = json_int(json_get(where, "end_line"), 0);
}

/* "debian:9.4", "alpine 3.11.3" */
static void system_decode(struct decode *d, const char *text)
{
    size_t n = text != NULL ? strcspn(text, ": ") : 0;

    if (n > 0)
        image_set_os(d, decode_strndup(d, text, n), text[n] != '\0' && text[n + 1] != '\0' ? text + n + 1 : NULL);
}

static void location_decode(struct decode *d, struct finding *f, const struct json *where)
{
    const struct json *dependency = json_get(where, "dependency");

    f->package_name = decode_hint_path(d, dependency, "package.name");
    f->package_version = decode_hint(d, dependency, "version");
    f->path = decode_hint(d, where, "file");
    image_set_reference(d, decode_hint(d, where, "image"));
    system_decode(d, decode_hint(d, where, "operating_system"));
}

static void vulnerability_decode(struct decode *d, const struct json *v, bool is_secret)
{
    const struct json *names = decode_list(d, v, "identifiers");
    const char *id = identifier(d, names, "cve");

    if (id == NULL)
        id = identifier(d, names, NULL);
    if (id == NULL)
        id = decode_text(d, v, "id");
    if (is_secret || str_eq(json_get_str(v, "category", NULL), "secret_detection")) {
        secret_decode(d, v, id);
        return;
    }
    struct finding *f = decode_add_finding(d, id);
    if (f == NULL)
        return;
    for (uint32_t i = 0; i < json_len(names); i++) {
        const struct json *n = json_at(names, i);
        if (!str_eq_nocase(json_get_str(n, "type", ""), "cwe"))
            finding_add_alias(d, f, decode_hint(d, n, "value"));
    }
    finding_set_severity(f, decode_text(d, v, "severity"), NULL);
    location_decode(d, f, json_get(v, "location"));
    f->fixed_version = fixed_version(d, json_get_str(v, "solution", NULL));
    finding_default_status(f);
    f->title = decode_hint(d, v, "name");
    if (f->title == NULL)
        f->title = decode_hint(d, v, "message");
    f->url = decode_first_url(json_get(v, "links"));
    cvss_decode(d, f, json_get(v, "cvss_vectors"));
}

/* dependency_files[]: what dependency scanning found installed. */
static void dependencies_decode(struct decode *d, const struct json *file)
{
    const struct json *list = decode_list(d, file, "dependencies");
    const char *path = decode_hint(d, file, "path"), *manager = decode_hint(d, file, "package_manager");

    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++) {
        struct package *p = decode_add_package(d);
        if (p == NULL)
            return;
        p->name = decode_hint_path(d, json_at(list, i), "package.name");
        p->version = decode_text(d, json_at(list, i), "version");
        p->path = path;
        package_finish(d, p, &(struct package_hints){ .type = manager });
    }
    d->scan->has_inventory |= json_len(list) > 0;
}

void gitlab_decode(struct decode *d, const struct json *doc)
{
    static const char *const known[] = { "version", "scan", "vulnerabilities", "remediations", "dependency_files", "schema",
                                         NULL };
    const struct json *scan = decode_object(d, doc, "scan"), *list = decode_list(d, doc, "vulnerabilities");
    const struct json *files = decode_list(d, doc, "dependency_files");
    const char *type = decode_hint(d, scan, "type");

    decode_unknown_members(d, doc, known);
    decode_unplaced(d, json_get(doc, "remediations"));
    d->scan->format_version = decode_text(d, doc, "version");
    d->scan->scanner = decode_hint_path(d, scan, "scanner.id");
    d->scan->scanner_version = decode_hint_path(d, scan, "scanner.version");
    d->scan->scanned_ms = decode_time(d, scan, "end_time");
    d->scan->has_findings = str_eq(type, "container_scanning") || str_eq(type, "dependency_scanning");
    d->scan->has_secrets_result = str_eq(type, "secret_detection");
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        vulnerability_decode(d, json_at(list, i), d->scan->has_secrets_result);
    /* Before schema 14 the kind of scan is known from what it found only. */
    if (type == NULL && json_len(list) > 0)
        d->scan->has_findings = json_path(json_at(list, 0), "location.dependency") != NULL;
    for (uint32_t i = 0; i < json_len(files) && !d->failed; i++)
        dependencies_decode(d, json_at(files, i));
}
