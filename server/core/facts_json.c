/* facts_json.c - see facts_json.h. */
#include "core/facts_json.h"

#include "base/time.h"
#include "core/tally.h"
#include "wire/msg/fields.h"
#include "wire/msg/words.h"

enum { FINDINGS_MAX = 10000 };

struct finding_doc {
    const char *vulnerability, *package, *version, *ecosystem, *fixed_version, *scanner, *title, *suppressed;
    int severity, status;
    bool kev;
    const struct json *cvss, *epss;
    int64_t since_ms;
};
struct issue_doc {
    const char *rule, *status, *title, *message, *file;
    int kind, severity;
    int64_t line;
};
struct facts_doc {
    const char *digest, *repository, *tag, *reference, *team, *arch, *base_image, *os_family, *os_version;
    const struct json *has_scan, *is_signed;
    int64_t inventory_ms, scanned_ms, db_built_ms, packages, evaluable, running;
    const char *const *signers; size_t n_signers;
    const struct finding_doc *findings; size_t n_findings;
    const struct issue_doc *issues; size_t n_issues;
};

static const struct field finding_fields[] = {
    TEXT_R("vulnerability", struct finding_doc, vulnerability, "CVE-..."),
    TEXT_F("package", struct finding_doc, package, "Name."), TEXT_F("version", struct finding_doc, version, "Installed."),
    TEXT_F("ecosystem", struct finding_doc, ecosystem, "deb, npm, ..."),
    TEXT_F("fixed_version", struct finding_doc, fixed_version, "With the fix."),
    TEXT_F("scanner", struct finding_doc, scanner, "Who says so."), TEXT_F("title", struct finding_doc, title, "For people."),
    TEXT_F("suppressed", struct finding_doc, suppressed, "Why the scanner ignores it."),
    WORD_F("severity", struct finding_doc, severity, severity_words, "How serious."),
    WORD_F("status", struct finding_doc, status, status_words, "What is known."),
    BOOL_F("kev", struct finding_doc, kev, "Known to be exploited."),
    { .key = "cvss", .type = FIELD_ANY, .off = offsetof(struct finding_doc, cvss), .doc = "0..10" },
    { .key = "epss", .type = FIELD_ANY, .off = offsetof(struct finding_doc, epss), .doc = "0..1" },
    TIME_F("since", struct finding_doc, since_ms, "First seen."),
};
static SHAPE(finding_shape, "test_finding", struct finding_doc, finding_fields);
static const struct field issue_fields[] = {
    WORD_F("kind", struct issue_doc, kind, issue_kind_words, "misconfiguration, secret, licence, malware"),
    TEXT_F("rule", struct issue_doc, rule, "Of the scanner."), TEXT_F("status", struct issue_doc, status, "FAIL, PASS"),
    TEXT_F("title", struct issue_doc, title, "For people."), TEXT_F("message", struct issue_doc, message, "What was found."),
    TEXT_F("file", struct issue_doc, file, "Where."), INT_F("line", struct issue_doc, line, "Where in it."),
    WORD_F("severity", struct issue_doc, severity, severity_words, "How serious."),
};
static SHAPE(issue_shape, "test_issue", struct issue_doc, issue_fields);
static const struct field facts_fields[] = {
    TEXT_F("digest", struct facts_doc, digest, "sha256:..."), TEXT_F("repository", struct facts_doc, repository, "Without tag."),
    TEXT_F("tag", struct facts_doc, tag, "Tag."), TEXT_F("reference", struct facts_doc, reference, "repository:tag"),
    TEXT_F("team", struct facts_doc, team, "Owner."), TEXT_F("arch", struct facts_doc, arch, "amd64, ..."),
    TEXT_F("base_image", struct facts_doc, base_image, "Built on."), TEXT_F("os_family", struct facts_doc, os_family, "debian, ..."),
    TEXT_F("os_version", struct facts_doc, os_version, "12"),
    { .key = "has_scan", .type = FIELD_ANY, .off = offsetof(struct facts_doc, has_scan), .doc = "A vulnerability result exists." },
    { .key = "signed", .type = FIELD_ANY, .off = offsetof(struct facts_doc, is_signed), .doc = "By a registered signer." },
    TEXTS_F("signers", struct facts_doc, signers, n_signers, "Names."),
    TIME_F("inventory_at", struct facts_doc, inventory_ms, "Newest inventory."), TIME_F("scanned_at", struct facts_doc, scanned_ms, "Newest scan."),
    TIME_F("database_built_at", struct facts_doc, db_built_ms, "Of the scanner's database."),
    INT_F("packages", struct facts_doc, packages, "How many."), INT_F("evaluable", struct facts_doc, evaluable, "How many could be judged."),
    INT_F("running", struct facts_doc, running, "In how many places."),
    { .key = "findings", .type = FIELD_LIST, .off = offsetof(struct facts_doc, findings), .off_n = offsetof(struct facts_doc, n_findings), .max = FINDINGS_MAX, .inner = &finding_shape, .doc = "Vulnerabilities." },
    { .key = "issues", .type = FIELD_LIST, .off = offsetof(struct facts_doc, issues), .off_n = offsetof(struct facts_doc, n_issues), .max = FINDINGS_MAX, .inner = &issue_shape, .doc = "Everything else." },
};
SHAPE(facts_shape, "test_image_facts", struct facts_doc, facts_fields);

static int64_t scaled(const struct json *number, double by)
{
    double v = json_number(number, -1);

    return v < 0 || v > 1000 ? -1 : (int64_t)(v * by + 0.5);
}

static struct image_finding finding_of(const struct finding_doc *d)
{
    return (struct image_finding){ .vulnerability = d->vulnerability, .package = d->package, .version = d->version,
        .ecosystem = d->ecosystem, .fixed_version = d->fixed_version, .scanner = d->scanner, .title = d->title,
        .suppressed = d->suppressed, .severity = d->severity, .status = d->status, .is_kev = d->kev,
        .cvss = scaled(d->cvss, 10), .epss = scaled(d->epss, 1e6), .since_ms = d->since_ms };
}

static struct image_issue issue_of(const struct issue_doc *d)
{
    return (struct image_issue){ .kind = d->kind, .severity = d->severity, .rule = d->rule, .status = d->status, .title = d->title,
        .message = d->message, .file = d->file, .start_line = d->line, .since_ms = TIME_UNKNOWN };
}

static struct image image_of(const struct facts_doc *d)
{
    bool scanned = d->n_findings > 0 || d->scanned_ms != TIME_UNKNOWN;

    return (struct image){ .digest = d->digest, .repository = d->repository != NULL ? d->repository : "",
        .tag = d->tag, .reference = d->reference != NULL ? d->reference : d->repository, .team = d->team, .arch = d->arch,
        .base_image = d->base_image, .os_family = d->os_family, .os_version = d->os_version,
        .first_seen_ms = TIME_UNKNOWN, .last_seen_ms = TIME_UNKNOWN, .inventory_ms = d->inventory_ms, .scanned_ms = d->scanned_ms,
        .db_built_ms = d->db_built_ms, .packages = d->packages, .evaluable = d->evaluable, .running = d->running,
        .has_scan = json_bool(d->has_scan, scanned), .is_signed = json_bool(d->is_signed, false),
        .verdict_since_ms = TIME_UNKNOWN, .next_check_ms = TIME_UNKNOWN };
}

int facts_from_json(const struct json *doc, struct arena *arena, struct image_facts *out, struct err *err)
{
    struct facts_doc d;

    shape_init(&facts_shape, &d);
    if (shape_decode(&facts_shape, doc, arena, &d, NULL, err) != 0)
        return -1;
    struct image_finding *findings = arena_array(arena, d.n_findings, sizeof *findings);
    struct image_issue *issues = arena_array(arena, d.n_issues, sizeof *issues);
    if (findings == NULL || issues == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < d.n_findings; i++)
        findings[i] = finding_of(&d.findings[i]);
    for (size_t i = 0; i < d.n_issues; i++)
        issues[i] = issue_of(&d.issues[i]);
    *out = (struct image_facts){ .image = image_of(&d), .signers = d.signers, .n_signers = d.n_signers, .findings = findings,
                                 .n_findings = d.n_findings, .issues = issues, .n_issues = d.n_issues };
    facts_tally(out, NULL, 0, NULL, TIME_UNKNOWN);
    return 0;
}
