/* scans.c - real reports against counts made independently of us.
 *
 * DIR/scans/expected.tsv: kind, file, ..., format, detail, packages, findings,
 * unique_ids, misconf, secrets, licenses, severities, note.  An empty column
 * was not counted and is not compared.  Where our model counts something else
 * on purpose the difference must follow exactly from a rule, named in the
 * output; whatever no rule predicts is a disagreement. */
#include "tests/support/scans_attest.h"
#include "wire/severity.h"

/* ---- severities --------------------------------------------------------------------------- */

/* "CRITICAL=1 LOW=2" by word; each `take` adds up a word. */
static bool each_severity(const char *text, void (*take)(void *, const char *word, long n), void *ctx)
{
    char word[32];
    long n;
    int used;

    while (sscanf(text, " %31[^= ]=%ld%n", word, &n, &used) == 2) {
        take(ctx, word, n);
        text += used;
    }
    return *text == '\0';
}

static void take_severity(void *ctx, const char *word, long n)
{
    size_t *by = ctx;

    by[severity_from_word(word)] += (size_t)n;
}

static void compare_severities(struct row *r, const size_t got[SEVERITY_N])
{
    size_t expected[SEVERITY_N] = { 0 };

    if (*r->col[C_SEVERITIES] == '\0')
        return;
    each_severity(r->col[C_SEVERITIES], take_severity, expected);
    for (int i = 0; i < SEVERITY_N; i++) {
        if (expected[i] != got[i]) {
            printf("scans: %s: expected %zu %s, got %zu\n", r->col[C_FILE], expected[i],
                   severity_to_word((enum severity)i), got[i]);
            r->agrees = false;
        }
    }
}

/* SARIF: expected counts levels of results of all kinds. */
struct levels {
    const struct json *doc;
    struct row *r;
};

static void check_level(void *ctx, const char *word, long n)
{
    struct levels *l = ctx;
    const struct json *runs = json_get(l->doc, "runs");
    long found = 0;

    for (uint32_t i = 0; i < json_len(runs); i++) {
        const struct json *results = json_get(json_at(runs, i), "results");
        for (uint32_t k = 0; k < json_len(results); k++)
            found += str_eq_nocase(json_get_str(json_at(results, k), "level", "default"), word);
    }
    if (found != n)
        differ_n(l->r, word, n, (size_t)found);
}

static void compare_levels(struct row *r, const struct scan *s)
{
    size_t with_level = 0, levels = 0;

    each_severity(r->col[C_SEVERITIES], check_level, &(struct levels){ &r->doc, r });
    /* The decoder kept every word. */
    const struct json *runs = json_get(&r->doc, "runs");
    for (uint32_t i = 0; i < json_len(runs); i++) {
        const struct json *results = json_get(json_at(runs, i), "results");
        for (uint32_t k = 0; k < json_len(results); k++)
            levels += *json_get_str(json_at(results, k), "level", "") != '\0';
    }
    for (size_t i = 0; i < s->n_findings; i++)
        with_level += s->findings[i].severity_word != NULL;
    if (with_level != levels && s->n_issues == 0)
        differ_n(r, "levels", (long)levels, with_level);
}

/* ---- reports -------------------------------------------------------------------------------- */

static bool is_named(const struct finding *f, const char *name)
{
    for (size_t k = 0; k < f->n_aliases; k++) {
        if (strcmp(f->aliases[k], name) == 0)
            return true;
    }
    return strcmp(f->id, name) == 0;
}

/* Identifiers of type "cve", each of which must be a name of some finding. */
static size_t unique_cves(struct row *r, const struct scan *s)
{
    const struct json *list = json_get(&r->doc, "vulnerabilities");
    struct names cves = { 0 };

    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *ids = json_get(json_at(list, i), "identifiers");
        for (uint32_t k = 0; k < json_len(ids); k++) {
            const char *name = json_get_str(json_at(ids, k), "value", "");
            bool is_kept = s->n_issues > 0;
            if (!str_eq_nocase(json_get_str(json_at(ids, k), "type", ""), "cve"))
                continue;
            for (size_t n = 0; n < s->n_findings && !is_kept; n++)
                is_kept = is_named(&s->findings[n], name);
            if (!is_kept)
                differ(r, "a finding named", name, "none");
            names_add(&cves, name);
        }
    }
    return names_unique(&cves);
}

static const char *sarif_rule_id(const struct finding *f)
{
    /* Grype's ids carry the package: the whole id is an alias of the shorter one. */
    return f->n_aliases > 0 && str_starts(f->aliases[0], f->id) ? f->aliases[0] : f->id;
}

static size_t unique_sarif(const struct scan *s, const struct json *doc, bool as_written)
{
    const struct json *runs = json_get(doc, "runs");
    struct names ids = { 0 };

    for (size_t i = 0; !as_written && i < s->n_findings; i++)
        names_add(&ids, sarif_rule_id(&s->findings[i]));
    for (size_t i = 0; !as_written && i < s->n_issues; i++)
        names_add(&ids, s->issues[i].id);
    for (uint32_t i = 0; as_written && i < json_len(runs); i++) {
        const struct json *results = json_get(json_at(runs, i), "results");
        for (uint32_t k = 0; k < json_len(results); k++)
            names_add(&ids, json_get_str(json_at(results, k), "ruleId", ""));
    }
    return names_unique(&ids);
}

static void compare_findings(struct row *r, const struct scan *s, const struct report_counts *c)
{
    const char *findings = r->col[C_FINDINGS], *unique = r->col[C_UNIQUE];
    size_t issues = s->n_issues;

    switch (s->format) {
    case REPORT_CLAIR: {
        size_t listed = json_n_members(json_get(&r->doc, "vulnerabilities"));
        bool is_v4 = json_get(&r->doc, "manifest_hash") != NULL;
        compare(r, "findings", findings, c->all.n, is_v4 ? listed : c->all.n, RULE_CLAIR_PAIRS);
        compare(r, "unique ids", unique, c->all.unique_ids, is_v4 ? listed : c->all.unique_ids, RULE_CLAIR_IDS);
        break;
    }
    case REPORT_CYCLONEDX:
        compare(r, "findings", findings, c->all.n, c->all.n - cdx_extra(&r->doc), RULE_CDX_AFFECTS);
        compare(r, "unique ids", unique, c->all.unique_ids, c->all.unique_ids, RULE_N);
        break;
    case REPORT_SARIF:
        compare(r, "results", findings, c->all.n, c->all.n + issues, RULE_SARIF_KINDS);
        compare(r, "unique ids", unique, unique_sarif(s, &r->doc, false), unique_sarif(s, &r->doc, true), RULE_SARIF_INDEX);
        break;
    case REPORT_GITLAB:
        compare(r, "findings", findings, c->all.n, c->all.n + c->issues[ISSUE_SECRET], RULE_GITLAB_KINDS);
        {
            size_t n = unique_cves(r, s);
            compare(r, "unique ids", unique, n, n, RULE_N);
        }
        break;
    default:
        compare(r, "findings", findings, c->all.n, c->active.n, RULE_IGNORED);
        compare(r, "unique ids", unique, c->all.unique_ids, c->active.unique_ids, RULE_IGNORED);
    }
}

static void compare_note(struct row *r, const struct scan *s, const struct report_counts *c)
{
    long purls = note_number(r->col[C_NOTE], "with purl "), ignored = note_number(r->col[C_NOTE], "ignored=");

    if (purls >= 0 && purls != (long)c->with_purl) {
        if (s->format != REPORT_UNKNOWN && purls == (long)(c->with_purl + count_bad_purls(r, &r->doc)))
            rule_uses[RULE_INVALID_PURL]++;
        else
            differ_n(r, "purls", purls, c->with_purl);
    }
    if (ignored >= 0 && ignored != (long)s->n_suppressed)
        differ_n(r, "ignored", ignored, s->n_suppressed);
}

static void compare_misconf(struct row *r, const struct report_counts *c)
{
    compare(r, "misconfigurations", r->col[C_MISCONF], c->issues[ISSUE_MISCONFIG], c->issues[ISSUE_MISCONFIG], RULE_N);
    const char *failed = strstr(r->col[C_MISCONF], "FAIL ");
    if (failed != NULL)
        compare(r, "failed", failed + 5, c->misconfig_failed, c->misconfig_failed, RULE_N);
}

static bool same_format(const char *expected, enum report_format format)
{
    static const struct { const char *word; enum report_format format; } synonyms[] = {
        { "trivy-legacy", REPORT_TRIVY_LEGACY }, { "spdx", REPORT_SPDX }, { "clair", REPORT_CLAIR },
        { "klar", REPORT_CLAIR }, { "cosign-vuln", REPORT_COSIGN_VULN }, { "harbor", REPORT_HARBOR },
    };

    for (size_t i = 0; i < N_ITEMS(synonyms); i++) {
        if (str_starts(expected, synonyms[i].word))
            return synonyms[i].format == format;
    }
    return strcmp(report_format_word(format), expected) == 0;
}

/* Every index in range, every digest valid: an assumption of all that follows. */
static void check_scan(struct row *r, const struct scan *s)
{
    for (size_t i = 0; i < s->n_findings; i++) {
        size_t p = s->findings[i].package;
        if (p != NO_PACKAGE && p >= s->n_packages)
            differ(r, "a package index in range", "", "one outside");
    }
    for (size_t i = 0; i < s->image.n_digests; i++) {
        if (!digest_is_valid(s->image.digests[i]))
            differ(r, "valid digests", "", s->image.digests[i]);
    }
}

static bool is_uncounted(const struct row *r)
{
    return *r->col[C_PACKAGES] == '\0' && *r->col[C_FINDINGS] == '\0';
}

static void check_report(struct row *r)
{
    struct scan s;
    struct report_counts c;
    struct err err;

    if (report_parse(r->text, r->len, r->arena, &s, &err) != 0) {
        if (is_uncounted(r) && *r->col[C_NOTE] != '\0')
            printf("scans: %s: refused as announced: %s\n", r->col[C_FILE], err.msg);
        else
            differ(r, "a report", r->col[C_FORMAT], err.msg);
        return;
    }
    if (!same_format(r->col[C_FORMAT], s.format))
        differ(r, "format", r->col[C_FORMAT], report_format_word(s.format));
    if (report_count(&s, r->arena, &c, &err) != 0) {
        differ(r, "counts", "", err.msg);
        return;
    }
    check_scan(r, &s);
    compare(r, "packages", r->col[C_PACKAGES], c.packages, c.packages, RULE_N);
    compare_findings(r, &s, &c);
    compare_misconf(r, &c);
    if (s.format != REPORT_SARIF && s.format != REPORT_GITLAB) {
        compare(r, "secrets", r->col[C_SECRETS], c.issues[ISSUE_SECRET], c.issues[ISSUE_SECRET], RULE_N);
        compare(r, "licences", r->col[C_LICENCES], c.issues[ISSUE_LICENCE], c.issues[ISSUE_LICENCE], RULE_N);
    }
    if (s.format == REPORT_SARIF)
        compare_levels(r, &s);
    else if (s.format == REPORT_CYCLONEDX && cdx_extra(&r->doc) > 0)
        rule_uses[RULE_CDX_AFFECTS]++;
    else
        compare_severities(r, strtol(r->col[C_FINDINGS], NULL, 10) == (long)c.all.n ? c.all.by_severity : c.active.by_severity);
    compare_note(r, &s, &c);
}

/* ---- VEX ----------------------------------------------------------------------------------- */

static size_t vex_products_said(const struct vex *x, const char *status)
{
    size_t n = 0;

    for (size_t i = 0; i < x->n_statements; i++) {
        if (str_eq(x->statements[i].status_word, status))
            n += x->format == VEX_CSAF ? x->statements[i].n_products : 1;
    }
    return n;
}

/* Words like "not_affected=3" in the note. */
static void compare_statuses(struct row *r, const struct vex *x)
{
    const char *s = strstr(r->col[C_NOTE], "vex ");
    char word[64];
    long n;
    int used;

    s = s != NULL ? s + 4 : x->format == VEX_CYCLONEDX ? "" : r->col[C_NOTE];
    while (sscanf(s, " %63[a-z_]=%ld%n", word, &n, &used) == 2) {
        if (vex_products_said(x, word) != (size_t)n && strcmp(word, "recommended") != 0)
            differ_n(r, word, n, vex_products_said(x, word));
        s += used;
    }
}

static const char *product_key(struct arena *a, const struct vex_product *p)
{
    const char *key = arena_printf(a, "%s|%s|%s|%s", p->id != NULL ? p->id : "",
                                   p->purl != NULL ? p->purl : "", p->cpe != NULL ? p->cpe : "",
                                   p->n_digests > 0 ? p->digests[p->n_digests - 1] : "");

    for (size_t i = 0; key != NULL && i < p->n_subcomponents; i++)
        key = arena_printf(a, "%s|%s", key, p->subcomponents[i]);
    return key;
}

static void check_vex(struct row *r)
{
    struct vex x;
    struct err err;
    struct names products = { 0 }, names = { 0 };

    if (vex_parse(r->text, r->len, r->arena, &x, &err) != 0) {
        if (is_uncounted(r))
            printf("scans: %s: refused: %s\n", r->col[C_FILE], err.msg);
        else
            differ(r, "a VEX document", r->col[C_FORMAT], err.msg);
        return;
    }
    bool is_csaf = x.format == VEX_CSAF;
    if (strcmp(r->col[C_FORMAT], is_csaf ? "csaf" : "openvex") != 0)
        differ(r, "format", r->col[C_FORMAT], is_csaf ? "csaf" : "openvex");
    for (size_t i = 0; i < x.n_statements; i++) {
        names_add(&names, x.statements[i].vulnerability);
        for (size_t k = 0; k < x.statements[i].n_products; k++)
            names_add(&products, product_key(r->arena, &x.statements[i].products[k]));
    }
    size_t n_products = names_unique(&products), n_names = names_unique(&names);
    compare(r, "vulnerabilities", r->col[C_FINDINGS], x.n_vulnerabilities, x.n_vulnerabilities, RULE_N);
    if (!is_csaf || x.n_statements > 0)
        compare(r, "unique ids", r->col[C_UNIQUE], n_names, n_names, RULE_N);
    if (!is_csaf)
        compare(r, "products", r->col[C_PACKAGES], n_products, n_products, RULE_N);
    compare_statuses(r, &x);
}

static void check_cyclonedx_vex(struct row *r)
{
    struct vex x;
    struct err err;

    if (vex_detect(&r->doc) != VEX_CYCLONEDX)
        return;
    if (vex_decode(&r->doc, r->arena, &x, &err) != 0)
        differ(r, "CycloneDX VEX", "", err.msg);
    else
        compare_statuses(r, &x);
}

/* ---- rows ---------------------------------------------------------------------------------------- */

static char *read_file(const char *dir, const char *name, size_t *len)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/scans/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        return NULL;
    long size = ftell(f);
    rewind(f);
    char *text = malloc((size_t)size + 1);
    *len = text != NULL ? fread(text, 1, (size_t)size, f) : 0;
    fclose(f);
    if (text != NULL)
        text[*len] = '\0';
    return text;
}

/* JSON, or JSON Lines: then the first line stands for the file. */
static void parse_document(struct row *r)
{
    struct err err;

    r->has_doc = json_parse(r->arena, r->text, r->len, &report_json_opts, &r->doc, &err) == 0;
    const char *nl = memchr(r->text, '\n', r->len);
    if (r->has_doc || nl == NULL)
        return;
    size_t line = (size_t)(nl - r->text);
    if (json_parse(r->arena, r->text, line, &report_json_opts, &r->doc, &err) == 0) {
        r->has_doc = true;
        r->len = line;
    }
}

static void check_row(struct row *r)
{
    static const struct { const char *format; void (*check)(struct row *); } checks[] = {
        { "openvex", check_vex }, { "csaf", check_vex }, { "dsse", check_attestation },
        { "sigstore-bundle", check_attestation }, { "in-toto-statement", check_attestation },
    };

    parse_document(r);
    for (size_t i = 0; i < N_ITEMS(checks); i++) {
        if (strcmp(r->col[C_FORMAT], checks[i].format) == 0) {
            checks[i].check(r);
            return;
        }
    }
    check_report(r);
    if (strcmp(r->col[C_FORMAT], "cyclonedx") == 0 && r->has_doc)
        check_cyclonedx_vex(r);
}

static bool split_row(char *line, struct row *r)
{
    size_t n = 0;

    for (char *s = line; n < C_N; n++) {
        r->col[n] = s;
        char *tab = strchr(s, '\t');
        if (tab == NULL) {
            n++;
            break;
        }
        *tab = '\0';
        s = tab + 1;
    }
    static char empty[] = "";
    for (size_t i = n; i < C_N; i++)
        r->col[i] = empty;
    return n > C_FORMAT;
}

int main(int argc, char **argv)
{
    size_t len, cases = 0, agreed = 0;
    char *table = argc > 1 ? read_file(argv[1], "expected.tsv", &len) : NULL, *rest = table;

    for (char *line; table != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        struct arena arena;
        struct row r = { .arena = &arena, .agrees = true };
        if (!split_row(line, &r) || strcmp(r.col[C_KIND], "kind") == 0)
            continue;
        arena_init(&arena, (size_t)1 << 30);
        char *text = read_file(argv[1], r.col[C_FILE], &r.len);
        r.text = text;
        if (text == NULL)
            differ(&r, "the file", r.col[C_FILE], "nothing");
        else
            check_row(&r);
        cases++;
        agreed += r.agrees;
        free(text);
        arena_clear(&arena);
    }
    free(table);
    for (size_t i = 0; i < RULE_N; i++) {
        if (rule_uses[i] > 0)
            printf("scans: rule %s explains %zu: %s\n", rules[i].name, rule_uses[i], rules[i].why);
    }
    printf("scans\t%zu\t%zu\t%zu\n", cases, agreed, cases - agreed);
    return cases != agreed;
}
