/* out_check.c - what a configuration check found, in every format: each reason with
 * its own file and line, and an identity that does not depend on its words. */
#include "ctl/out.h"

#include "base/str.h"
#include "base/time.h"
#include "ctl/out_check.h"
#include "model/severity.h"
#include "wire/jsonw.h"

#include <string.h>

enum { RESULTS_MAX = 25000 };

static const char *text(const struct json *r, const char *key)
{
    return json_get_str(r, key, "");
}

static bool fails(const struct json *r)
{
    return !str_eq(text(r, "effect"), "warn");
}

static const char *rule_of(const struct json *r, struct arena *arena)
{
    return arena_printf(arena, "%s/%s", text(r, "policy"), text(r, "rule"));
}

/* The same finding in the same object is the same, wherever its line has moved. */
static const char *print_of(const struct json *r, struct arena *arena)
{
    const char *parts[] = { text(r, "policy"), text(r, "rule"), text(r, "file"), text(r, "object"), text(r, "path") };

    return fingerprint_of(arena, parts, N_ITEMS(parts));
}

static const char *location(const struct json *r)
{
    const char *file = text(r, "file");

    while (str_starts(file, "./"))
        file += 2;
    return *file != '\0' ? file : "input";
}

static int64_t line_of(const struct json *r)
{
    int64_t line = json_int(json_get(r, "line"), 1);

    return line > 0 ? line : 1;
}

/* ---- for people ------------------------------------------------------------------------- */

OUT_CHECK(out_text_check)
{
    const struct json *reasons = json_get(answer, "reasons");

    (void)arena, (void)err;
    for (uint32_t i = 0; i < json_len(reasons); i++) {
        const struct json *r = json_at(reasons, i);
        put_safe(b, text(r, "file"));
        buf_printf(b, ":%lld:%lld: ", (long long)line_of(r), (long long)json_int(json_get(r, "column"), 1));
        put_colour(b, look, colour_of(text(r, "effect")), text(r, "effect"));
        buf_printf(b, " (");
        put_colour(b, look, colour_of(text(r, "severity")), text(r, "severity"));
        buf_puts(b, ") ");
        put_safe(b, text(r, "object"));
        buf_puts(b, *text(r, "object") != '\0' ? ": " : "");
        put_safe(b, text(r, "message"));
        buf_puts(b, " [");
        put_safe(b, text(r, "policy"));
        buf_putc(b, '/');
        put_safe(b, text(r, "rule"));
        buf_puts(b, "]\n");
        if (*text(r, "remediation") != '\0') {
            buf_puts(b, "    fix: ");
            put_safe(b, text(r, "remediation"));
            buf_putc(b, '\n');
        }
    }
    put_colour(b, look, colour_of(text(answer, "decision")), text(answer, "decision"));
    buf_printf(b, ": %lld judged, %u reason%s%s; %s\n", (long long)json_int(json_get(answer, "objects"), 0), json_len(reasons),
               json_len(reasons) == 1 ? "" : "s", json_bool(json_get(answer, "truncated"), false) ? " (there are more)" : "", why);
    return 0;
}

OUT_CHECK(out_json_check)
{
    struct listing l = { .whole = answer };

    (void)why;
    return out_json_list(&l, look, arena, b, err);
}

static void put_cell(struct buf *b, const char *s)
{
    struct buf safe;

    buf_init(&safe, 64 * 1024);
    put_safe(&safe, s);
    for (size_t i = 0; i < safe.len; i++) {
        if (strchr("|\\`*_<>[]", safe.ptr[i]) != NULL)
            buf_putc(b, '\\');
        buf_putc(b, safe.ptr[i]);
    }
    buf_free(&safe);
}

OUT_CHECK(out_markdown_check)
{
    const struct json *reasons = json_get(answer, "reasons");

    (void)look, (void)arena, (void)err;
    buf_printf(b, "**%s**: %s\n\n| where | effect | severity | what | rule |\n|---|---|---|---|---|\n", text(answer, "decision"), why);
    for (uint32_t i = 0; i < json_len(reasons); i++) {
        const struct json *r = json_at(reasons, i);
        buf_puts(b, "| ");
        put_cell(b, text(r, "file"));
        buf_printf(b, ":%lld | %s | %s | ", (long long)line_of(r), text(r, "effect"), text(r, "severity"));
        put_cell(b, text(r, "message"));
        buf_puts(b, " | ");
        put_cell(b, text(r, "rule"));
        buf_puts(b, " |\n");
    }
    return 0;
}

/* ---- SARIF -------------------------------------------------------------------------------- */

static void put_message(struct jsonw *w, const char *key, const char *s)
{
    jsonw_key(w, key);
    jsonw_object(w);
    jsonw_kstr(w, "text", s);
    jsonw_object_end(w);
}

static int put_sarif_rules(struct jsonw *w, const struct json *reasons, struct arena *arena, struct err *err)
{
    const char **seen = arena_array(arena, RESULTS_MAX, sizeof *seen);
    size_t n = 0;

    if (seen == NULL)
        return err_nomem(err);
    jsonw_key(w, "rules");
    jsonw_array(w);
    for (uint32_t i = 0; i < json_len(reasons) && i < RESULTS_MAX; i++) {
        const struct json *r = json_at(reasons, i);
        const char *rule = rule_of(r, arena), *help = text(r, "remediation");
        size_t k = 0;
        if (rule == NULL)
            return err_nomem(err);
        while (k < n && !str_eq(seen[k], rule))
            k++;
        if (k < n)
            continue;
        seen[n++] = rule;
        jsonw_object(w);
        jsonw_kstr(w, "id", rule);
        put_message(w, "shortDescription", rule);
        put_message(w, "help", *help != '\0' ? help : rule);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    return 0;
}

static int put_sarif_result(struct jsonw *w, const struct json *r, struct arena *arena, struct err *err)
{
    const char *rule = rule_of(r, arena), *print = print_of(r, arena);
    int64_t column = json_int(json_get(r, "column"), 1);

    if (rule == NULL || print == NULL)
        return err_nomem(err);
    jsonw_object(w);
    jsonw_kstr(w, "ruleId", rule);
    jsonw_kstr(w, "level", fails(r) ? "error" : "warning");
    put_message(w, "message", text(r, "message"));
    jsonw_key(w, "locations");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_key(w, "physicalLocation");
    jsonw_object(w);
    jsonw_key(w, "artifactLocation");
    jsonw_object(w);
    jsonw_kstr(w, "uri", location(r));
    jsonw_object_end(w);
    jsonw_key(w, "region");
    jsonw_object(w);
    jsonw_kint(w, "startLine", line_of(r));
    jsonw_kint(w, "startColumn", column > 0 ? column : 1);
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_key(w, "partialFingerprints");
    jsonw_object(w);
    jsonw_kstr(w, "keep/v1", print);
    jsonw_object_end(w);
    jsonw_object_end(w);
    return 0;
}

OUT_CHECK(out_sarif_check)
{
    const struct json *reasons = json_get(answer, "reasons");
    struct jsonw w;

    (void)look, (void)why;
    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_kstr(&w, "version", "2.1.0");
    jsonw_kstr(&w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    jsonw_key(&w, "runs");
    jsonw_array(&w);
    jsonw_object(&w);
    jsonw_key(&w, "tool");
    jsonw_object(&w);
    jsonw_key(&w, "driver");
    jsonw_object(&w);
    jsonw_kstr(&w, "name", "Keep");
    jsonw_kstr(&w, "version", KEEP_VERSION);
    if (put_sarif_rules(&w, reasons, arena, err) != 0)
        return -1;
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_key(&w, "results");
    jsonw_array(&w);
    for (uint32_t i = 0; i < json_len(reasons) && i < RESULTS_MAX; i++) {
        if (put_sarif_result(&w, json_at(reasons, i), arena, err) != 0)
            return -1;
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    buf_putc(b, '\n');
    return 0;
}

/* ---- GitLab --------------------------------------------------------------------------------- */

static const char *word_for(const struct json *r, const char *const *words)
{
    return words[severity_index(text(r, "severity"))];
}

OUT_CHECK(out_codequality_check)
{
    static const char *const words[SEVERITY_N] = { "info", "info", "info", "minor", "major", "critical", "blocker" };
    const struct json *reasons = json_get(answer, "reasons");
    struct jsonw w;

    (void)look, (void)why;
    jsonw_init(&w, b);
    jsonw_array(&w);
    for (uint32_t i = 0; i < json_len(reasons); i++) {
        const struct json *r = json_at(reasons, i);
        const char *rule = rule_of(r, arena), *print = print_of(r, arena);
        if (rule == NULL || print == NULL)
            return err_nomem(err);
        jsonw_object(&w);
        jsonw_kstr(&w, "description", text(r, "message"));
        jsonw_kstr(&w, "check_name", rule);
        jsonw_kstr(&w, "fingerprint", print);
        jsonw_kstr(&w, "severity", word_for(r, words));
        jsonw_key(&w, "location");
        jsonw_object(&w);
        jsonw_kstr(&w, "path", location(r));
        jsonw_key(&w, "lines");
        jsonw_object(&w);
        jsonw_kint(&w, "begin", line_of(r));
        jsonw_object_end(&w);
        jsonw_object_end(&w);
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    buf_putc(b, '\n');
    return 0;
}

static int put_sast(struct jsonw *w, const struct json *r, struct arena *arena, struct err *err)
{
    static const char *const words[SEVERITY_N] = { "Unknown", "Info", "Info", "Low", "Medium", "High", "Critical" };
    const char *rule = rule_of(r, arena), *print = print_of(r, arena);
    const char *id = print == NULL ? NULL : arena_printf(arena, "%.8s-%.4s-8%.3s-8%.3s-%.12s", print, print + 8, print + 13, print + 17, print + 20);

    if (rule == NULL || id == NULL)
        return err_nomem(err);
    jsonw_object(w);
    jsonw_kstr(w, "id", id);
    jsonw_kstr(w, "name", rule);
    jsonw_kstr(w, "description", text(r, "message"));
    jsonw_kstr(w, "severity", word_for(r, words));
    if (*text(r, "remediation") != '\0')
        jsonw_kstr(w, "solution", text(r, "remediation"));
    jsonw_key(w, "location");
    jsonw_object(w);
    jsonw_kstr(w, "file", location(r));
    jsonw_kint(w, "start_line", line_of(r));
    jsonw_object_end(w);
    jsonw_key(w, "identifiers");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "type", "keep");
    jsonw_kstr(w, "name", rule);
    jsonw_kstr(w, "value", rule);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
    return 0;
}

OUT_CHECK(out_gitlab_check)
{
    const struct json *reasons = json_get(answer, "reasons");
    char now[TIME_TEXT];
    struct jsonw w;

    (void)why;
    time_format(look->now_ms - look->now_ms % MS_SECOND, now);
    now[19] = '\0';                                        /* the schema wants no zone */
    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_kstr(&w, "version", "15.0.7");
    jsonw_key(&w, "scan");
    jsonw_object(&w);
    out_gitlab_tool(&w, "analyzer");
    out_gitlab_tool(&w, "scanner");
    jsonw_kstr(&w, "type", "sast");
    jsonw_kstr(&w, "start_time", now);
    jsonw_kstr(&w, "end_time", now);
    jsonw_kstr(&w, "status", "success");
    jsonw_object_end(&w);
    jsonw_key(&w, "vulnerabilities");
    jsonw_array(&w);
    for (uint32_t i = 0; i < json_len(reasons); i++) {
        if (put_sast(&w, json_at(reasons, i), arena, err) != 0)
            return -1;
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    buf_putc(b, '\n');
    return 0;
}
