/* report.c - see report.h: one table of formats, and what is done around a decoder. */
#include "wire/report.h"

#include "wire/reports/decode.h"

#include <stdlib.h>
#include <string.h>

const struct json_opts report_json_opts = {
    .max_depth = 128, .max_values = 8000000, .nul_as_replacement = true, .skip_bom = true,
    .big_numbers = true,
};

/* The order decides: what wraps another format, or is told by a word of its
 * own, comes before what is told by a few common keys. */
static const struct format {
    enum report_format format;
    const char *word;
    bool (*detect)(const struct json *doc);
    void (*decode)(struct decode *d, const struct json *doc);   /* NULL: not a scan */
} formats[] = {
    { REPORT_CYCLONEDX,      "cyclonedx",      cyclonedx_detect,      cyclonedx_decode },
    { REPORT_SPDX,           "spdx",           spdx_detect,           spdx_decode },
    { REPORT_OPENVEX,        "openvex",        openvex_detect,        NULL },
    { REPORT_CSAF,           "csaf",           csaf_detect,           NULL },
    { REPORT_TRIVY,          "trivy",          trivy_detect,          trivy_decode },
    { REPORT_TRIVY_LEGACY,   "trivy-legacy",   trivy_legacy_detect,   trivy_legacy_decode },
    { REPORT_TRIVY_K8S,      "trivy-k8s",      trivy_k8s_detect,      trivy_k8s_decode },
    { REPORT_TRIVY_OPERATOR, "trivy-operator", trivy_operator_detect, trivy_operator_decode },
    { REPORT_GRYPE,          "grype",          grype_detect,          grype_decode },
    { REPORT_SYFT,           "syft",           syft_detect,           syft_decode },
    { REPORT_SARIF,          "sarif",          sarif_detect,          sarif_decode },
    { REPORT_COSIGN_VULN,    "cosign-vuln",    cosign_vuln_detect,    cosign_vuln_decode },
    { REPORT_INTOTO_VULNS,   "in-toto-vulns",  intoto_vulns_detect,   intoto_vulns_decode },
    { REPORT_HARBOR,         "harbor",         harbor_detect,         harbor_decode },
    { REPORT_CLAIR,          "clair",          clair_detect,          clair_decode },
    { REPORT_GITLAB,         "gitlab",         gitlab_detect,         gitlab_decode },
    { REPORT_OSV,            "osv-scanner",    osv_scanner_detect,    osv_scanner_decode },
    { REPORT_OSV_ADVISORY,   "osv",            osv_advisory_detect,   osv_advisory_decode },
};

static const struct format *format_of(const struct json *doc)
{
    if (!json_is(doc, JSON_OBJECT) && !json_is(doc, JSON_ARRAY))
        return NULL;
    for (size_t i = 0; i < N_ITEMS(formats); i++) {
        if (formats[i].detect(doc))
            return &formats[i];
    }
    return NULL;
}

enum report_format report_detect(const struct json *doc)
{
    const struct format *f = format_of(doc);

    return f != NULL ? f->format : REPORT_UNKNOWN;
}

const char *report_format_word(enum report_format format)
{
    for (size_t i = 0; i < N_ITEMS(formats); i++) {
        if (formats[i].format == format)
            return formats[i].word;
    }
    return "unknown";
}

bool report_format_is_scan(enum report_format format)
{
    for (size_t i = 0; i < N_ITEMS(formats); i++) {
        if (formats[i].format == format)
            return formats[i].decode != NULL && format != REPORT_OSV_ADVISORY;
    }
    return false;
}

static int refuse_unknown(struct err *err)
{
    char list[200];
    size_t n = 0;

    for (size_t i = 0; i < N_ITEMS(formats) && n < sizeof list; i++) {
        size_t len = strlen(formats[i].word);
        if (n + len + 3 > sizeof list)
            break;
        n = (size_t)((char *)mempcpy(mempcpy(list + n, i > 0 ? ", " : "", i > 0 ? 2 : 0), formats[i].word, len) - list);
    }
    list[n] = '\0';
    return err_set(err, ERR_UNPROCESSABLE, "no report we know; known: %s", list);
}

void report_decode_inner(struct decode *d, const struct json *doc)
{
    const struct format *f = format_of(doc);

    if (d->failed)
        return;
    if (++d->wrapped > MAX_WRAPPED)
        decode_fail(d, doc, ERR_TOO_LARGE, "reports in reports more than %d deep", MAX_WRAPPED);
    else if (f == NULL || f->decode == NULL)
        decode_fail(d, doc, ERR_UNPROCESSABLE, "no report we know");
    else
        f->decode(d, doc);
}

/* OSV names malicious packages "MAL-...": the package itself is the threat. */
static void add_malware(struct decode *d, const struct finding *f)
{
    const char *id = str_starts(f->id, "MAL-") ? f->id : NULL;

    for (size_t i = 0; i < f->n_aliases && id == NULL; i++)
        id = str_starts(f->aliases[i], "MAL-") ? f->aliases[i] : NULL;
    struct issue *x = id != NULL && f->suppressed == NULL ? decode_add_issue(d, ISSUE_MALWARE, id) : NULL;
    if (x == NULL)
        return;
    x->severity = SEVERITY_CRITICAL;
    x->title = f->title;
    x->file = f->package_name;
}

/* What follows from the whole. */
static void finish(struct decode *d)
{
    struct scan *s = d->scan;

    for (size_t i = 0; i < s->n_findings && !d->failed; i++) {
        s->n_suppressed += s->findings[i].suppressed != NULL;
        add_malware(d, &s->findings[i]);
    }
    /* With some image stores the id of the image is its digest: not told apart. */
    for (size_t i = 0; s->image.config_digest != NULL && i < s->image.n_digests; i++) {
        if (strcmp(s->image.digests[i], s->image.config_digest) == 0)
            s->image.config_digest = NULL;
    }
}

static struct scan empty_scan(enum report_format format)
{
    return (struct scan){ .format = format, .db_built_ms = TIME_UNKNOWN, .scanned_ms = TIME_UNKNOWN };
}

int report_decode(const struct json *doc, struct arena *arena, struct scan *out, struct err *err)
{
    const struct format *f = format_of(doc);

    if (f == NULL)
        return refuse_unknown(err);
    if (f->decode == NULL)
        return err_set(err, ERR_UNPROCESSABLE, "a VEX document (%s) is not a scan", f->word);
    struct scan scan = empty_scan(f->format);
    struct decode d = { .arena = arena, .scan = &scan, .root = doc, .err = err };
    f->decode(&d, doc);
    if (!d.failed)
        finish(&d);
    if (d.failed)
        return -1;
    *out = scan;
    return 0;
}

static int text_parse(const void *text, size_t len, struct arena *arena, struct scan *out, struct err *err)
{
    struct scan scan = empty_scan(REPORT_SPDX);
    struct decode d = { .arena = arena, .scan = &scan, .err = err };

    spdx_text_decode(&d, text, len);
    if (!d.failed)
        finish(&d);
    if (d.failed)
        return -1;
    *out = scan;
    return 0;
}

int report_parse(const void *text, size_t len, struct arena *arena, struct scan *out, struct err *err)
{
    struct json doc;

    if (spdx_text_detect(text, len))
        return text_parse(text, len, arena, out, err);
    if (json_parse(arena, text, len, &report_json_opts, &doc, err) != 0)
        return -1;
    return report_decode(&doc, arena, out, err);
}

/* ---- counting ------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t count_unique(const char **names, size_t n)
{
    size_t unique = n > 0;

    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 1; i < n; i++)
        unique += strcmp(names[i - 1], names[i]) != 0;
    return unique;
}

static int tally(const struct scan *s, bool with_suppressed, struct arena *arena, struct report_tally *out)
{
    const char **names = arena_array(arena, s->n_findings, sizeof *names);

    if (names == NULL)
        return -1;
    for (size_t i = 0; i < s->n_findings; i++) {
        const struct finding *f = &s->findings[i];
        if (f->suppressed != NULL && !with_suppressed)
            continue;
        names[out->n++] = f->id;
        out->by_severity[f->severity]++;
    }
    out->unique_ids = count_unique(names, out->n);
    return 0;
}

int report_count(const struct scan *scan, struct arena *arena, struct report_counts *out, struct err *err)
{
    struct report_counts c = { .packages = scan->n_packages, .unmapped = scan->n_unmapped };

    for (size_t i = 0; i < scan->n_packages; i++) {
        c.evaluable += scan->packages[i].is_evaluable;
        c.with_purl += scan->packages[i].purl != NULL;
    }
    for (size_t i = 0; i < scan->n_issues; i++) {
        const struct issue *x = &scan->issues[i];
        c.issues[x->kind]++;
        c.misconfig_failed += x->kind == ISSUE_MISCONFIG && x->status != NULL && strcmp(x->status, "FAIL") == 0;
    }
    if (tally(scan, true, arena, &c.all) != 0 || tally(scan, false, arena, &c.active) != 0)
        return err_nomem(err);
    *out = c;
    return 0;
}
