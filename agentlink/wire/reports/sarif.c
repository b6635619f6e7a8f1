/* sarif.c - SARIF 2.1.0 (and what 1.0 and 2.0 share with it): a weak source.
 *
 * Packages and versions stand in sentences only; there is no inventory, so such
 * a scan cannot be evaluated again.  A result is a finding unless its rule says
 * it is a misconfiguration, a secret or a licence. */
#include "wire/reports/decode.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool sarif_detect(const struct json *doc)
{
    return json_is(json_get(doc, "runs"), JSON_ARRAY) &&
           (json_get(doc, "version") != NULL || json_get(doc, "$schema") != NULL);
}

struct run {
    struct decode *d;
    const struct json *rules;
    struct name_index by_id;
};

static const struct json *rule_of(struct run *run, const struct json *result, const char **id)
{
    const struct json *index = json_get(result, "ruleIndex");
    const struct json *rule = NULL;

    *id = decode_text(run->d, result, "ruleId");
    if (*id == NULL)
        *id = decode_hint_path(run->d, result, "rule.id");
    if (index == NULL)
        index = json_path(result, "rule.index");
    int64_t i = json_int(index, -1);
    if (i >= 0 && i < json_len(run->rules))
        rule = json_at(run->rules, (uint32_t)i);
    if (*id == NULL)
        *id = decode_hint(run->d, rule, "id");
    size_t row = name_index_get(&run->by_id, *id);
    return row != NO_PACKAGE ? json_at(run->rules, (uint32_t)row) : rule;
}

/* The rest of the line that begins with "KEY: "; NULL when there is none. */
static const char *line_value(struct decode *d, const char *text, const char *key)
{
    size_t n = strlen(key);

    for (const char *s = text; s != NULL && *s != '\0'; s = strchr(s, '\n') != NULL ? strchr(s, '\n') + 1 : NULL) {
        if (strncmp(s, key, n) != 0 || s[n] != ':')
            continue;
        s += n + 1 + strspn(s + n + 1, " ");
        size_t len = strcspn(s, "\r\n");
        return len > 0 ? decode_strndup(d, s, len) : NULL;
    }
    return NULL;
}

static bool has_tag(const struct json *rule, const char *tag)
{
    const struct json *tags = json_path(rule, "properties.tags");

    for (uint32_t i = 0; i < json_len(tags); i++) {
        if (str_eq_nocase(json_str(json_at(tags, i), ""), tag))
            return true;
    }
    return false;
}

/* ---- severity ---------------------------------------------------------------------- */

static double security_severity(const struct json *rule)
{
    const struct json *v = json_get(json_get(rule, "properties"), "security-severity");
    const char *text = json_str(v, NULL);
    char *end;

    if (text == NULL || !isdigit((unsigned char)*text))
        return json_number(v, -1);
    double score = strtod(text, &end);
    return *end == '\0' && score >= 0 && score <= 10 ? score : -1;
}

static void severity_decode(struct finding *f, const struct json *rule, const char *level)
{
    double score = security_severity(rule);

    f->severity_word = level;
    f->severity_source = score >= 0 ? "security-severity" : "level";
    if (score >= 0)
        f->severity = score >= 9 ? SEVERITY_CRITICAL : score >= 7 ? SEVERITY_HIGH : score >= 4 ? SEVERITY_MEDIUM :
                      score > 0 ? SEVERITY_LOW : SEVERITY_NONE;
    else if (level == NULL)
        f->severity = SEVERITY_UNKNOWN;
    else
        f->severity = str_eq(level, "error") ? SEVERITY_HIGH : str_eq(level, "warning") ? SEVERITY_MEDIUM :
                      str_eq(level, "note") ? SEVERITY_LOW : str_eq(level, "none") ? SEVERITY_NONE : SEVERITY_UNKNOWN;
}

/* ---- results ------------------------------------------------------------------------ */

static const char *location(struct decode *d, const struct json *result, int64_t *line)
{
    const struct json *list = json_get(result, "locations");
    const struct json *where = json_len(list) > 0 ? json_get(json_at(list, 0), "physicalLocation") : NULL;

    *line = json_int(json_path(where, "region.startLine"), 0);
    return decode_hint_path(d, where, "artifactLocation.uri");
}

static const char *message_of(struct decode *d, const struct json *result)
{
    const struct json *m = json_get(result, "message");

    return json_is(m, JSON_OBJECT) ? decode_hint(d, m, "text") : decode_hint_of(d, m);
}

static const char *suppressed_by(struct decode *d, const struct json *result, const char *level)
{
    const struct json *list = json_get(result, "suppressions");
    const char *kind = json_get_str(result, "kind", NULL);

    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *s = json_at(list, i);
        if (str_eq(json_get_str(s, "status", "accepted"), "rejected"))
            continue;
        const char *why = decode_hint(d, s, "justification");
        return why != NULL ? why : "suppressed";
    }
    if (str_eq(level, "pass") || str_eq(level, "notApplicable"))
        return level;
    return str_eq(kind, "pass") || str_eq(kind, "notApplicable") ? kind : NULL;
}

/* Grype's rule ids are "CVE-2024-1-PACKAGE": the identifier is in front. */
static const char *vulnerability_id(struct decode *d, const char *id, const char *package)
{
    size_t n = id != NULL ? strlen(id) : 0, tail = package != NULL ? strlen(package) : 0;

    if (tail == 0 || n <= tail + 1 || id[n - tail - 1] != '-' || strcmp(id + n - tail, package) != 0)
        return id;
    return decode_strndup(d, id, n - tail - 1);
}

static void finding_decode(struct run *run, const struct json *result, const struct json *rule, const char *id)
{
    struct decode *d = run->d;
    const char *message = message_of(d, result), *help = decode_hint_path(d, rule, "help.text");
    const char *package = line_value(d, message, "Package");
    const char *level = decode_text(d, result, "level");
    int64_t line;

    if (package == NULL && line_value(d, help, "Version") != NULL)
        package = line_value(d, help, "Package");
    struct finding *f = decode_add_finding(d, vulnerability_id(d, id, package));
    if (f == NULL)
        return;
    finding_add_alias(d, f, id);
    f->package_name = package;
    f->package_version = line_value(d, message, "Installed Version");
    if (f->package_version == NULL)
        f->package_version = line_value(d, help, "Version");
    f->fixed_version = line_value(d, message, "Fixed Version");
    if (f->fixed_version == NULL)
        f->fixed_version = line_value(d, help, "Fix Version");
    severity_decode(f, rule, level);
    finding_default_status(f);
    f->title = decode_hint_path(d, rule, "shortDescription.text");
    if (f->title == NULL)
        f->title = message;
    f->url = decode_url(decode_hint(d, rule, "helpUri"));
    f->path = location(d, result, &line);
    f->suppressed = suppressed_by(d, result, level);
    if (f->suppressed != NULL)
        f->status = STATUS_NOT_AFFECTED;
}

static void issue_decode(struct run *run, enum issue_kind kind, const struct json *result, const struct json *rule,
                         const char *id)
{
    struct decode *d = run->d;
    struct issue *i = decode_add_issue(d, kind, id);
    struct finding f = { 0 };

    if (i == NULL)
        return;
    severity_decode(&f, rule, decode_text(d, result, "level"));
    i->severity = f.severity;
    i->title = decode_hint_path(d, rule, "shortDescription.text");
    i->message = message_of(d, result);
    if (kind == ISSUE_SECRET)
        i->message = decode_masked(d, i->message);
    if (kind == ISSUE_MISCONFIG)
        i->status = suppressed_by(d, result, NULL) != NULL ? "EXCEPTION" : "FAIL";
    i->file = location(d, result, &i->start_line);
    i->end_line = i->start_line;
}

static void result_decode(struct run *run, const struct json *result)
{
    static const struct { const char *tag; enum issue_kind kind; } others[] = {
        { "secret", ISSUE_SECRET }, { "misconfiguration", ISSUE_MISCONFIG }, { "license", ISSUE_LICENCE },
    };
    const char *id;
    const struct json *rule = rule_of(run, result, &id);

    for (size_t i = 0; i < N_ITEMS(others); i++) {
        if (has_tag(rule, others[i].tag)) {
            issue_decode(run, others[i].kind, result, rule, id);
            return;
        }
    }
    finding_decode(run, result, rule, id);
}

/* ---- runs ------------------------------------------------------------------------------ */

/* Tools whose results are vulnerabilities of packages; anything else says nothing about them. */
static bool is_vulnerability_scanner(const char *name)
{
    static const char *const words[] = { "trivy", "grype", "snyk", "clair", "osv", "anchore", "docker scout", "xray" };

    for (size_t i = 0; name != NULL && i < N_ITEMS(words); i++) {
        if (strcasestr(name, words[i]) != NULL)
            return true;
    }
    return false;
}

static void properties_decode(struct decode *d, const struct json *properties)
{
    const struct json *list = json_get(properties, "repoDigests");

    for (uint32_t i = 0; i < json_len(list); i++)
        image_add_digest(d, json_str(json_at(list, i), NULL));
    list = json_get(properties, "repoTags");
    for (uint32_t i = 0; i < json_len(list); i++)
        image_add_name(d, json_str(json_at(list, i), NULL));
    image_set_config(d, decode_hint(d, properties, "imageID"));
    image_set_reference(d, decode_hint(d, properties, "imageName"));
}

static void run_decode(struct decode *d, const struct json *v)
{
    const struct json *driver = json_path(v, "tool.driver"), *invocations = json_get(v, "invocations");
    struct run run = { .d = d };

    if (driver == NULL)
        driver = json_get(v, "tool");        /* 1.0 and 2.0 */
    run.rules = json_get(driver, "rules");
    for (uint32_t i = 0; i < json_len(run.rules); i++)
        name_index_put(d, &run.by_id, json_get_str(json_at(run.rules, i), "id", NULL), i);
    if (d->scan->scanner == NULL) {
        d->scan->scanner = decode_hint(d, driver, "name");
        d->scan->scanner_version = decode_hint(d, driver, "semanticVersion");
        if (d->scan->scanner_version == NULL)
            d->scan->scanner_version = decode_hint(d, driver, "version");
    }
    size_t before = d->scan->n_findings;
    if (json_len(invocations) > 0)
        d->scan->scanned_ms = decode_time(d, json_at(invocations, 0), "endTimeUtc");
    properties_decode(d, json_get(v, "properties"));
    const struct json *results = decode_list(d, v, "results");
    for (uint32_t i = 0; i < json_len(results) && !d->failed; i++)
        result_decode(&run, json_at(results, i));
    /* Results, and all of them misconfigurations: not a vulnerability scan. */
    bool found_any = json_len(results) == 0 || d->scan->n_findings > before;
    d->scan->has_findings |= found_any && is_vulnerability_scanner(json_get_str(driver, "name", NULL));
}

void sarif_decode(struct decode *d, const struct json *doc)
{
    const struct json *runs = decode_list(d, doc, "runs");

    d->scan->format_version = decode_hint(d, doc, "version");
    for (uint32_t i = 0; i < json_len(runs) && !d->failed; i++)
        run_decode(d, json_at(runs, i));
}
