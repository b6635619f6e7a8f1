/* out_gitlab.c - two reports GitLab reads: container scanning (schema 15) and Code
 * Quality. */
#include "ctl/out.h"

#include "base/str.h"
#include "base/time.h"
#include "model/severity.h"
#include "wire/jsonw.h"

#include <string.h>

/* ---- container scanning ------------------------------------------------------------ */

static const char *gitlab_severity(const char *word)
{
    static const char *const words[SEVERITY_N] = {
        [SEVERITY_UNKNOWN] = "Unknown", [SEVERITY_NONE] = "Info", [SEVERITY_NEGLIGIBLE] = "Info", [SEVERITY_LOW] = "Low",
        [SEVERITY_MEDIUM] = "Medium", [SEVERITY_HIGH] = "High", [SEVERITY_CRITICAL] = "Critical",
    };

    return words[severity_index(word)];
}

void out_gitlab_tool(struct jsonw *w, const char *key)
{
    jsonw_key(w, key);
    jsonw_object(w);
    jsonw_kstr(w, "id", "keep");
    jsonw_kstr(w, "name", "Keep");
    jsonw_kstr(w, "version", KEEP_VERSION);
    jsonw_key(w, "vendor");
    jsonw_object(w);
    jsonw_kstr(w, "name", "Keep");
    jsonw_object_end(w);
    jsonw_object_end(w);
}

/* The schema wants local time without a zone; here it is UTC. */
static void put_time(struct jsonw *w, const char *key, const char *rfc3339, int64_t otherwise_ms)
{
    char text[TIME_TEXT];
    int64_t at;

    if (!time_parse(rfc3339, &at) || at == TIME_UNKNOWN)
        at = otherwise_ms;
    time_format(at - at % MS_SECOND, text);
    text[19] = '\0';
    jsonw_kstr(w, key, text);
}

static void put_scan(struct jsonw *w, const struct assessment *a, const struct look *look)
{
    const char *at = json_get_str(a->image, "scanned_at", "");

    jsonw_key(w, "scan");
    jsonw_object(w);
    out_gitlab_tool(w, "analyzer");
    out_gitlab_tool(w, "scanner");
    jsonw_kstr(w, "type", "container_scanning");
    put_time(w, "start_time", at, look->now_ms);
    put_time(w, "end_time", at, look->now_ms);
    jsonw_kstr(w, "status", "success");
    jsonw_object_end(w);
}

static void put_identifier(struct jsonw *w, const char *name, const char *url)
{
    jsonw_object(w);
    jsonw_kstr(w, "type", str_starts(name, "CVE-") ? "cve" : str_starts(name, "GHSA-") ? "ghsa" : "keep");
    jsonw_kstr(w, "name", name);
    jsonw_kstr(w, "value", name);
    if (url != NULL && (str_starts(url, "https://") || str_starts(url, "http://")))
        jsonw_kstr(w, "url", url);
    jsonw_object_end(w);
}

static void put_where(struct jsonw *w, const struct assessment *a, const struct json *f)
{
    const char *os = json_get_str(json_get(a->image, "os"), "family", "unknown");

    jsonw_key(w, "location");
    jsonw_object(w);
    jsonw_key(w, "dependency");
    jsonw_object(w);
    jsonw_key(w, "package");
    jsonw_object(w);
    jsonw_kstr(w, "name", json_get_str(f, "package", "unknown"));
    jsonw_object_end(w);
    jsonw_kstr(w, "version", json_get_str(f, "version", ""));
    jsonw_object_end(w);
    jsonw_kstr(w, "operating_system", os);
    jsonw_kstr(w, "image", assessment_name(a));
    jsonw_object_end(w);
}

/* The schema asks for ids in the form of UUIDs: the fingerprint's first 128 bits, marked version 8 (RFC 9562). */
static const char *uuid_of(const char *hex, struct arena *arena)
{
    return hex == NULL ? NULL : arena_printf(arena, "%.8s-%.4s-8%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17, hex + 20);
}

static int put_vulnerability(struct jsonw *w, const struct assessment *a, const struct json *f, struct arena *arena, struct err *err)
{
    const char *name = json_get_str(f, "vulnerability", "finding"), *fixed = json_get_str(f, "fixed_version", "");
    const char *parts[] = { json_get_str(a->image, "repository", ""), name, json_get_str(f, "package", ""), json_get_str(f, "version", "") };
    const char *id = uuid_of(fingerprint_of(arena, parts, N_ITEMS(parts)), arena), *sentence = finding_sentence(f, arena);

    if (id == NULL || sentence == NULL)
        return err_nomem(err);
    jsonw_object(w);
    jsonw_kstr(w, "id", id);
    jsonw_kstr(w, "name", json_get_str(f, "title", name));
    jsonw_kstr(w, "description", sentence);
    jsonw_kstr(w, "severity", gitlab_severity(json_get_str(f, "severity", "")));
    if (fixed[0] != '\0') {
        const char *solution = arena_printf(arena, "Update %s to %s.", json_get_str(f, "package", ""), fixed);
        jsonw_kstr(w, "solution", solution != NULL ? solution : fixed);
    }
    jsonw_key(w, "identifiers");
    jsonw_array(w);
    put_identifier(w, name, json_get_str(f, "url", NULL));
    jsonw_array_end(w);
    jsonw_key(w, "links");
    jsonw_array(w);
    jsonw_array_end(w);
    put_where(w, a, f);
    jsonw_object_end(w);
    return 0;
}

OUT_ASSESSMENT(out_gitlab_assessment)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_kstr(&w, "version", "15.0.7");
    put_scan(&w, a, look);
    jsonw_key(&w, "vulnerabilities");
    jsonw_array(&w);
    for (uint32_t i = 0; i < json_len(a->findings); i++) {
        const struct json *f = json_at(a->findings, i);
        if (finding_is_reported(a, f) && put_vulnerability(&w, a, f, arena, err) != 0)
            return -1;
    }
    jsonw_array_end(&w);
    jsonw_key(&w, "remediations");
    jsonw_array(&w);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    buf_putc(b, '\n');
    return 0;
}

/* ---- code quality ---------------------------------------------------------------------- */

static const char *quality_severity(const char *word)
{
    static const char *const words[SEVERITY_N] = {
        [SEVERITY_UNKNOWN] = "info", [SEVERITY_NONE] = "info", [SEVERITY_NEGLIGIBLE] = "info", [SEVERITY_LOW] = "minor",
        [SEVERITY_MEDIUM] = "major", [SEVERITY_HIGH] = "critical", [SEVERITY_CRITICAL] = "blocker",
    };

    return words[severity_index(word)];
}

static int put_quality(struct jsonw *w, const char *check, const char *text, const char *severity, const char *location,
                       int64_t line, struct arena *arena, struct err *err)
{
    const char *parts[] = { check, text, location };
    const char *print = fingerprint_of(arena, parts, N_ITEMS(parts));

    if (text == NULL || print == NULL)
        return err_nomem(err);
    jsonw_object(w);
    jsonw_kstr(w, "description", text);
    jsonw_kstr(w, "check_name", check);
    jsonw_kstr(w, "fingerprint", print);
    jsonw_kstr(w, "severity", quality_severity(severity));
    jsonw_key(w, "location");
    jsonw_object(w);
    jsonw_kstr(w, "path", location);
    jsonw_key(w, "lines");
    jsonw_object(w);
    jsonw_kint(w, "begin", line > 0 ? line : 1);
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
    return 0;
}

static int put_rest(struct jsonw *w, const struct assessment *a, const char *location, struct arena *arena, struct err *err)
{
    const struct json *reasons = json_get(a->verdict, "reasons");

    for (uint32_t i = 0; i < json_len(reasons); i++) {
        const struct json *r = json_at(reasons, i);
        if (!json_is(json_get(r, "finding"), JSON_OBJECT) &&
            put_quality(w, json_get_str(r, "policy", "policy"), json_get_str(r, "message", "a policy failed"),
                        json_get_str(r, "severity", "medium"), location, 0, arena, err) != 0)
            return -1;
    }
    for (uint32_t i = 0; i < json_len(a->issues); i++) {
        const struct json *r = json_at(a->issues, i);
        const char *severity = json_get_str(r, "severity", "unknown");
        if (severity_index(severity) >= a->report_severity && !str_eq(json_get_str(r, "status", ""), "PASS") &&
            put_quality(w, json_get_str(r, "rule", "issue"), json_get_str(r, "title", json_get_str(r, "rule", "issue")), severity,
                        location, json_int(json_get(r, "line"), 0), arena, err) != 0)
            return -1;
    }
    return 0;
}

OUT_ASSESSMENT(out_codequality_assessment)
{
    const char *location = assessment_location(a, arena);
    struct jsonw w;

    (void)look;
    jsonw_init(&w, b);
    jsonw_array(&w);
    if (put_rest(&w, a, location, arena, err) != 0)
        return -1;
    for (uint32_t i = 0; i < json_len(a->findings); i++) {
        const struct json *f = json_at(a->findings, i);
        if (finding_is_reported(a, f) &&
            put_quality(&w, json_get_str(f, "vulnerability", "finding"), finding_sentence(f, arena),
                        json_get_str(f, "severity", ""), location, 0, arena, err) != 0)
            return -1;
    }
    jsonw_array_end(&w);
    buf_putc(b, '\n');
    return 0;
}
