/* predicate.c - in-toto predicates that carry a scan: cosign's "vuln" around
 * another report, in-toto's own "vulns", and the old cosign predicate that keeps
 * a document as text.  The image is named by the statement's subject, which is
 * not in sight here. */
#include "wire/reports/decode.h"
#include "wire/report.h"

#include <string.h>

static bool has_times(const struct json *doc)
{
    const struct json *meta = json_get(doc, "metadata");

    return json_get(meta, "scanStartedOn") != NULL || json_get(meta, "scanFinishedOn") != NULL;
}

/* cosign keeps the scanner's own report, mostly an object; in-toto has a list of its own. */
static bool is_cosign(const struct json *doc)
{
    return json_get(doc, "invocation") != NULL || json_is(json_path(doc, "scanner.result"), JSON_OBJECT);
}

bool cosign_vuln_detect(const struct json *doc)
{
    if (json_is(json_get(doc, "Data"), JSON_STRING) && json_get(doc, "Timestamp") != NULL)
        return true;
    return json_is(json_get(doc, "scanner"), JSON_OBJECT) && has_times(doc) && is_cosign(doc);
}

bool intoto_vulns_detect(const struct json *doc)
{
    return json_is(json_get(doc, "scanner"), JSON_OBJECT) && has_times(doc) && !is_cosign(doc);
}

/* scanner.uri is a package URL in the specification, a word in the wild. */
static void scanner_decode(struct decode *d, const struct json *doc)
{
    const struct json *scanner = json_get(doc, "scanner"), *db = json_get(scanner, "db");
    const char *uri = decode_hint(d, scanner, "uri"), *version = decode_hint(d, scanner, "version");
    const char *db_version = decode_hint(d, db, "version");
    int64_t at = decode_time_of(d, json_path(doc, "metadata.scanFinishedOn"));
    int64_t built = decode_time(d, db, "lastUpdate");

    if (uri != NULL && d->scan->scanner == NULL)
        d->scan->scanner = uri;
    if (version != NULL && d->scan->scanner_version == NULL)
        d->scan->scanner_version = version;
    if (db_version != NULL)
        d->scan->db_version = db_version;
    if (at != TIME_UNKNOWN)
        d->scan->scanned_ms = at;
    if (built != TIME_UNKNOWN)
        d->scan->db_built_ms = built;
}

/* {"Data": "<a document as text>", "Timestamp": ...} */
static void text_decode(struct decode *d, const struct json *doc)
{
    const struct json *text = json_get(doc, "Data");
    struct json *inner = arena_alloc(d->arena, sizeof *inner);

    if (inner == NULL) {
        decode_nomem(d);
        return;
    }
    if (json_parse(d->arena, text->string, text->n, &report_json_opts, inner, d->err) != 0) {
        d->failed = true;
        err_prefix(d->err, "$.Data");
        return;
    }
    d->root = inner;
    report_decode_inner(d, inner);
    d->root = doc;
    if (d->scan->scanned_ms == TIME_UNKNOWN)
        d->scan->scanned_ms = decode_time(d, doc, "Timestamp");
}

void cosign_vuln_decode(struct decode *d, const struct json *doc)
{
    const struct json *result = json_path(doc, "scanner.result");

    if (json_is(json_get(doc, "Data"), JSON_STRING)) {
        text_decode(d, doc);
        return;
    }
    if (json_is(result, JSON_OBJECT) || json_is(result, JSON_ARRAY))
        report_decode_inner(d, result);
    else if (result != NULL && result->type != JSON_NULL)
        decode_fail(d, result, ERR_INVALID, "expected the scanner's report");
    scanner_decode(d, doc);
}

static void result_decode(struct decode *d, const struct json *r)
{
    struct finding *f = decode_add_finding(d, decode_text(d, r, "id"));
    const struct json *list = json_get(r, "severity");

    if (f == NULL)
        return;
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *s = json_at(list, i);
        const char *method = decode_hint(d, s, "method"), *score = decode_hint(d, s, "score");
        if (score != NULL && (strchr(score, '/') != NULL))
            finding_add_cvss(d, f, method, score, -1);
        else if (score != NULL && severity_from_word(score) > f->severity)
            finding_set_severity(f, score, method);
        else
            finding_add_cvss(d, f, method, NULL, json_number(json_get(s, "score"), -1));
    }
    f->status = STATUS_AFFECTED;
}

void intoto_vulns_decode(struct decode *d, const struct json *doc)
{
    const struct json *list = json_path(doc, "scanner.result");

    d->scan->has_findings = true;
    scanner_decode(d, doc);
    if (list != NULL && list->type != JSON_NULL && list->type != JSON_ARRAY)
        decode_fail(d, list, ERR_INVALID, "expected a list");
    for (uint32_t i = 0; i < json_len(list) && !d->failed; i++)
        result_decode(d, json_at(list, i));
}
