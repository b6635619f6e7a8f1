/* out_sarif.c - SARIF 2.1.0 (OASIS), one run: findings, issues and the verdict's
 * reasons that are about neither.  Every result has a location, a rule and a
 * fingerprint, since code scanning services insist on them; at most as many
 * results as GitHub accepts. */
#include "ctl/out.h"

#include "base/str.h"
#include "model/severity.h"
#include "wire/jsonw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESULTS_MAX = 25000 };

/* What a result and its rule are made of. */
struct result {
    const char *rule, *title, *help, *url, *severity, *message, *file;
    int64_t line;
    double score;                    /* CVSS, or the severity's usual one */
    const char *print;
};

struct results {
    struct result *items;
    size_t n, cap;
};

static const char *level_of(const char *severity)
{
    int s = severity_index(severity);

    return s >= SEVERITY_HIGH ? "error" : s == SEVERITY_MEDIUM ? "warning" : "note";
}

static double usual_score(const char *severity)
{
    static const double scores[SEVERITY_N] = { [SEVERITY_CRITICAL] = 9.5, [SEVERITY_HIGH] = 8.0, [SEVERITY_MEDIUM] = 5.5,
                                               [SEVERITY_LOW] = 2.0, [SEVERITY_NEGLIGIBLE] = 0.5 };

    return scores[severity_index(severity)];
}

static int add(struct results *r, struct arena *arena, struct result one, const char *about, struct err *err)
{
    const char *parts[] = { one.rule, about, one.file, one.message };

    if (r->n == r->cap)
        return 0;
    one.print = fingerprint_of(arena, parts, N_ITEMS(parts));
    if (one.print == NULL || one.message == NULL)
        return err_nomem(err);
    r->items[r->n++] = one;
    return 0;
}

static int add_findings(const struct assessment *a, struct results *r, struct arena *arena, struct err *err)
{
    for (uint32_t i = 0; i < json_len(a->findings); i++) {
        const struct json *f = json_at(a->findings, i);
        const char *severity = json_get_str(f, "severity", "unknown"), *name = json_get_str(f, "vulnerability", "finding");
        if (!finding_is_reported(a, f))
            continue;
        struct result one = {
            .rule = name, .title = json_get_str(f, "title", name), .url = json_get_str(f, "url", NULL), .severity = severity,
            .message = finding_sentence(f, arena), .score = json_number(json_get(f, "cvss"), usual_score(severity)),
            .help = json_get_str(f, "fixed_version", "")[0] != '\0' ? "Update the package to the fixed version." : "No fix is known.",
        };
        if (add(r, arena, one, json_get_str(f, "package", ""), err) != 0)
            return -1;
    }
    return 0;
}

static int add_issues(const struct assessment *a, struct results *r, struct arena *arena, struct err *err)
{
    for (uint32_t i = 0; i < json_len(a->issues); i++) {
        const struct json *f = json_at(a->issues, i);
        const char *severity = json_get_str(f, "severity", "unknown"), *rule = json_get_str(f, "rule", "issue");
        if (severity_index(severity) < a->report_severity || str_eq(json_get_str(f, "status", ""), "PASS"))
            continue;
        struct result one = {
            .rule = rule, .title = json_get_str(f, "title", rule), .severity = severity, .score = usual_score(severity),
            .message = arena_printf(arena, "%s: %s", json_get_str(f, "kind", "issue"), json_get_str(f, "message", json_get_str(f, "title", rule))),
            .help = json_get_str(f, "resolution", ""), .file = json_get_str(f, "file", NULL), .line = json_int(json_get(f, "line"), 0),
        };
        if (add(r, arena, one, json_get_str(f, "kind", ""), err) != 0)
            return -1;
    }
    return 0;
}

static int add_reasons(const struct assessment *a, struct results *r, struct arena *arena, struct err *err)
{
    const struct json *reasons = json_get(a->verdict, "reasons");

    for (uint32_t i = 0; i < json_len(reasons); i++) {
        const struct json *f = json_at(reasons, i);
        const char *severity = json_get_str(f, "severity", "medium");
        if (json_is(json_get(f, "finding"), JSON_OBJECT))
            continue;                                    /* it is among the findings */
        struct result one = {
            .rule = arena_printf(arena, "policy/%s/%s", json_get_str(f, "policy", ""), json_get_str(f, "rule", "")),
            .title = json_get_str(f, "policy", ""), .severity = severity, .message = json_get_str(f, "message", "a policy failed"),
            .help = json_get_str(f, "remediation", ""), .score = usual_score(severity),
        };
        if (one.rule == NULL)
            return err_nomem(err);
        if (add(r, arena, one, "", err) != 0)
            return -1;
    }
    return 0;
}

/* ---- writing ----------------------------------------------------------------------- */

static void put_text(struct jsonw *w, const char *key, const char *text)
{
    jsonw_key(w, key);
    jsonw_object(w);
    jsonw_kstr(w, "text", text);
    jsonw_object_end(w);
}

static void put_rule(struct jsonw *w, const struct result *r)
{
    char score[16];

    snprintf(score, sizeof score, "%.1f", r->score);
    jsonw_object(w);
    jsonw_kstr(w, "id", r->rule);
    put_text(w, "shortDescription", r->title[0] != '\0' ? r->title : r->rule);
    put_text(w, "help", r->help != NULL && r->help[0] != '\0' ? r->help : r->title);
    if (r->url != NULL && str_starts(r->url, "http"))
        jsonw_kstr(w, "helpUri", r->url);
    jsonw_key(w, "properties");
    jsonw_object(w);
    jsonw_kstr(w, "security-severity", score);
    jsonw_key(w, "tags");
    jsonw_array(w);
    jsonw_str(w, "security");
    jsonw_str(w, r->severity);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void put_result(struct jsonw *w, const struct result *r, const char *location)
{
    jsonw_object(w);
    jsonw_kstr(w, "ruleId", r->rule);
    jsonw_kstr(w, "level", level_of(r->severity));
    put_text(w, "message", r->message);
    jsonw_key(w, "locations");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_key(w, "physicalLocation");
    jsonw_object(w);
    jsonw_key(w, "artifactLocation");
    jsonw_object(w);
    jsonw_kstr(w, "uri", location);
    jsonw_object_end(w);
    jsonw_key(w, "region");
    jsonw_object(w);
    jsonw_kint(w, "startLine", r->line > 0 ? r->line : 1);
    jsonw_object_end(w);
    jsonw_object_end(w);
    if (r->file != NULL)
        put_text(w, "message", r->file);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_key(w, "partialFingerprints");
    jsonw_object(w);
    jsonw_kstr(w, "keep/v1", r->print);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static int by_rule(const void *x, const void *y)
{
    const struct result *const *a = x, *const *b = y;
    int order = strcmp((*a)->rule, (*b)->rule);

    return order != 0 ? order : (*a)->score < (*b)->score ? 1 : (*a)->score > (*b)->score ? -1 : 0;
}

/* Each rule once, the worst of those that share its name. */
static int put_rules(struct jsonw *w, const struct results *r, struct arena *arena, struct err *err)
{
    const struct result **sorted = arena_array(arena, r->n, sizeof *sorted);

    if (sorted == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < r->n; i++)
        sorted[i] = &r->items[i];
    qsort(sorted, r->n, sizeof *sorted, by_rule);
    jsonw_key(w, "rules");
    jsonw_array(w);
    for (size_t i = 0; i < r->n; i++) {
        if (i == 0 || !str_eq(sorted[i]->rule, sorted[i - 1]->rule))
            put_rule(w, sorted[i]);
    }
    jsonw_array_end(w);
    return 0;
}

static int put_run(struct jsonw *w, const struct assessment *a, const struct results *r, struct arena *arena, struct err *err)
{
    const char *location = assessment_location(a, arena);

    jsonw_object(w);
    jsonw_key(w, "tool");
    jsonw_object(w);
    jsonw_key(w, "driver");
    jsonw_object(w);
    jsonw_kstr(w, "name", "Keep");
    jsonw_kstr(w, "version", KEEP_VERSION);
    if (put_rules(w, r, arena, err) != 0)
        return -1;
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_key(w, "properties");
    jsonw_object(w);
    jsonw_kstr(w, "image", assessment_name(a));
    jsonw_kstr(w, "digest", json_get_str(a->verdict, "image", ""));
    jsonw_kstr(w, "verdict", json_get_str(a->verdict, "decision", "unknown"));
    jsonw_object_end(w);
    jsonw_key(w, "results");
    jsonw_array(w);
    for (size_t i = 0; i < r->n; i++)
        put_result(w, &r->items[i], location);
    jsonw_array_end(w);
    jsonw_object_end(w);
    return 0;
}

OUT_ASSESSMENT(out_sarif_assessment)
{
    struct results r = { .cap = RESULTS_MAX };
    struct jsonw w;

    (void)look;
    size_t most = (size_t)json_len(a->findings) + json_len(a->issues) + json_len(json_get(a->verdict, "reasons"));
    r.cap = most < r.cap ? most : r.cap;
    r.items = arena_array(arena, r.cap, sizeof *r.items);
    if (r.items == NULL)
        return err_nomem(err);
    if (add_reasons(a, &r, arena, err) != 0 || add_issues(a, &r, arena, err) != 0 || add_findings(a, &r, arena, err) != 0)
        return -1;
    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_kstr(&w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    jsonw_kstr(&w, "version", "2.1.0");
    jsonw_key(&w, "runs");
    jsonw_array(&w);
    if (put_run(&w, a, &r, arena, err) != 0)
        return -1;
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    buf_putc(b, '\n');
    return 0;
}
