/* image.c - see image.h: one table per message. */
#include "wire/msg/image.h"

#include "wire/msg/fields.h"
#include "wire/msg/words.h"

static const struct field counts_fields[] = {
    INT_F("critical", struct image_counts, critical, "Open critical findings, after exceptions."),
    INT_F("high", struct image_counts, high, "Open high findings."),
    INT_F("medium", struct image_counts, medium, "Open medium findings."),
    INT_F("low", struct image_counts, low, "Open low findings."),
    INT_F("other", struct image_counts, other, "Open findings that are negligible, none or unknown."),
    INT_F("fixable", struct image_counts, fixable, "Critical or high with a fix."),
    INT_F("kev", struct image_counts, kev, "On the list of known exploited vulnerabilities."),
    INT_F("secrets", struct image_counts, secrets, "Secrets found."),
    INT_F("malware", struct image_counts, malware, "Malware found."),
    INT_F("misconfigurations", struct image_counts, misconfigurations, "Failed configuration checks."),
    INT_F("excepted", struct image_counts, excepted, "Findings covered by an exception."),
};
SHAPE(image_counts_shape, "image_counts", struct image_counts, counts_fields);

#define IMAGE_FIELDS(type, m) \
    DIGEST_F("digest", type, m digest, "The image's identity."), \
    TEXT_F("repository", type, m repository, "Canonical repository."), \
    TEXT_F("tag", type, m tag, "Newest tag seen."), \
    TEXT_F("reference", type, m reference, "repository:tag"), \
    TEXT_F("team", type, m team, "Who owns the repository; empty when nobody is named."), \
    WORD_F("freshness", type, m freshness, freshness_words, "What the clocks say."), \
    TIME_F("inventory_at", type, m inventory_ms, "When the list of packages was taken."), \
    TIME_F("scanned_at", type, m scanned_ms, "When the newest scanner result was made."), \
    TIME_F("db_built_at", type, m db_built_ms, "When its vulnerability database was built."), \
    TIME_F("first_seen_at", type, m first_seen_ms, "First upload or report."), \
    TIME_F("last_seen_at", type, m last_seen_ms, "Last upload or report."), \
    WORD_F("verdict", type, m verdict, decision_words, "The last judgement."), \
    TIME_F("verdict_since", type, m verdict_since_ms, "Since when."), \
    INLINE_F("counts", type, m counts, image_counts_shape, "Open findings."), \
    INT_F("packages", type, m packages, "Packages known."), \
    INT_F("evaluable", type, m evaluable, "Packages that can be matched against advisories."), \
    BOOL_F("signed", type, m is_signed, "Every current result is signed by a registered signer."), \
    INT_F("running", type, m running, "Containers that run it.")

static const struct field image_fields[] = { IMAGE_FIELDS(struct image, ) };
SHAPE(image_shape, "image", struct image, image_fields);

static const struct field brief_fields[] = {
    DIGEST_F("digest", struct image_brief, digest, "The image."),
    TEXT_F("reference", struct image_brief, reference, "repository:tag"),
    TEXT_F("team", struct image_brief, team, "Owner."),
    INT_F("running", struct image_brief, running, "Containers that run it."),
    WORD_F("verdict", struct image_brief, verdict, decision_words, "The last judgement."),
    WORD_F("freshness", struct image_brief, freshness, freshness_words, "What the clocks say."),
};
SHAPE(image_brief_shape, "image_brief", struct image_brief, brief_fields);

static const struct field query_fields[] = {
    PAGE_OF(struct image_query),
    WORD_F("freshness", struct image_query, freshness, freshness_filter, "Only this state."),
    BOOL_F("stale", struct image_query, stale, "Only those that are stale by either clock, or were never scanned."),
    WORD_F("verdict", struct image_query, verdict, decision_filter, "Only this verdict."),
    TEXT_F("team", struct image_query, team, "Only this team."),
    TEXT_F("repository", struct image_query, repository, "Repository pattern: * within a segment, ** across."),
    TEXT_F("cve", struct image_query, cve, "Only those with this vulnerability (any alias)."),
    TEXT_F("package", struct image_query, package, "Only those with a package of this name."),
    BOOL_F("running", struct image_query, running, "Only those that run somewhere."),
    TEXT_F("cluster", struct image_query, cluster, "Only those that run in this cluster."),
    BOOL_F("unsigned", struct image_query, is_unsigned, "Only those judged on unsigned evidence."),
    TEXT_F("q", struct image_query, q, "Beginning of the repository or digest."),
    { .key = "age_min", .type = FIELD_INT, .off = offsetof(struct image_query, age_min), .min = 1, .max = 3650, .doc = "Only those whose newest scan is at least this many days old." },
    { .key = "age_max", .type = FIELD_INT, .off = offsetof(struct image_query, age_max), .min = 1, .max = 3650, .doc = "Only those whose newest scan is younger than this many days." },
    WORD_F("sort", struct image_query, sort, sort_words, "stale (default), risk, name, recent."),
};
SHAPE(image_query_shape, "image_query", struct image_query, query_fields);

static const struct field list_fields[] = {
    LIST_F("items", struct image_list_answer, items, n_items, image_shape, "Images."),
    NEXT_FIELD(struct image_list_answer),
    { .key = "total", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct image_list_answer, total),
      .doc = "How many match in all; absent where it would have to be guessed." },
};
SHAPE(image_list_shape, "image_list", struct image_list_answer, list_fields);

static const struct field alias_fields[] = {
    { .key = "digest", .type = FIELD_DIGEST, .flags = FIELD_REQUIRED, .off = offsetof(struct alias_answer, digest), .doc = "Another digest of the same image." },
    { .key = "kind", .type = FIELD_TEXT, .off = offsetof(struct alias_answer, kind), .max = 32, .doc = "subject, index, manifest, config, local" },
};
static SHAPE(alias_shape, "digest_alias", struct alias_answer, alias_fields);

static const struct field place_fields[] = {
    TEXT_F("cluster", struct place_answer, cluster, "Cluster."),
    TEXT_F("namespace", struct place_answer, namespace, "Namespace."),
    TEXT_F("workload", struct place_answer, workload, "Deployment, job, unit ..."),
    TEXT_F("container", struct place_answer, container, "Container."),
    INT_F("replicas", struct place_answer, replicas, "How many."),
};
SHAPE(place_shape, "place", struct place_answer, place_fields);

static const struct field os_fields[] = {
    TEXT_F("family", struct os_answer, family, "debian, alpine ..."),
    TEXT_F("version", struct os_answer, version, "12.5"),
};
static SHAPE(os_shape, "operating_system", struct os_answer, os_fields);

static const struct field detail_fields[] = {
    IMAGE_FIELDS(struct image_detail, image.),
    LIST_F("aliases", struct image_detail, aliases, n_aliases, alias_shape, "All digests of the image."),
    TEXTS_F("tags", struct image_detail, tags, n_tags, "Tags that point to it."),
    LIST_F("places", struct image_detail, running, n_running, place_shape, "Where it runs."),
    OBJECT_F("os", struct image_detail, os, os_shape, "Operating system inside."),
    TEXT_F("arch", struct image_detail, image.arch, "Processor architecture."),
    TEXT_F("base_image", struct image_detail, image.base_image, "What it was built from, when a report says."),
};
SHAPE(image_detail_shape, "image_detail", struct image_detail, detail_fields);

static const struct field new_fields[] = {
    { .key = "image", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct image_new, image), .min = 1, .max = 512, .doc = "Reference, with or without digest." },
    DIGEST_F("digest", struct image_new, digest, "When the reference has none."),
    { .key = "team", .type = FIELD_TEXT, .off = offsetof(struct image_new, team), .max = 64, .doc = "Who owns the repository." },
    { .key = "aliases", .type = FIELD_LIST, .off = offsetof(struct image_new, aliases), .off_n = offsetof(struct image_new, n_aliases), .max = 16, .inner = &alias_shape, .doc = "Other digests of the same image." },
};
SHAPE(image_new_shape, "image_new", struct image_new, new_fields);

/* ---- verdicts ---- */
static const struct field reason_finding_fields[] = {
    TEXT_F("vulnerability", struct reason_finding, vulnerability, "CVE or other id."),
    TEXT_F("package", struct reason_finding, package, "Package."),
    TEXT_F("version", struct reason_finding, version, "Installed."),
    TEXT_F("fixed_version", struct reason_finding, fixed_version, "Where it is fixed."),
};
static SHAPE(reason_finding_shape, "reason_finding", struct reason_finding, reason_finding_fields);

static const struct field reason_fields[] = {
    TEXT_F("policy", struct reason, policy, "Policy that says so."),
    TEXT_F("rule", struct reason, rule, "Its rule."),
    WORD_F("severity", struct reason, severity, severity_words, "How serious."),
    WORD_F("effect", struct reason, effect, decision_words, "What it does to the verdict."),
    TEXT_F("message", struct reason, message, "In words."),
    OBJECT_F("finding", struct reason, finding, reason_finding_shape, "The finding it is about."),
    TEXT_F("where", struct reason, where, "File, workload or path."),
    TIME_F("since", struct reason, since_ms, "Since when."),
    TEXT_F("remediation", struct reason, remediation, "How to fix it."),
};
SHAPE(reason_shape, "reason", struct reason, reason_fields);

static const struct field verdict_fields[] = {
    DIGEST_F("image", struct verdict, image, "The image judged."),
    WORD_F("decision", struct verdict, decision, decision_words, "pass, warn, fail or unknown."),
    TIME_F("decided_at", struct verdict, decided_ms, "When."),
    WORD_F("freshness", struct verdict, freshness, freshness_words, "What the clocks say."),
    INT_F("policy_version", struct verdict, policy_version, "Version of the whole set of policies."),
    LIST_F("reasons", struct verdict, reasons, n_reasons, reason_shape, "Every reason, the worst first."),
    TEXTS_F("missing", struct verdict, missing, n_missing, "Facts that were not there."),
    BOOL_F("unsigned", struct verdict, is_unsigned, "Rests on evidence that nobody signed."),
    INT_F("excepted", struct verdict, excepted, "Findings and reasons covered by exceptions."),
    TIME_F("valid_until", struct verdict, valid_until_ms, "When time alone may change it."),
};
SHAPE(verdict_shape, "verdict", struct verdict, verdict_fields);

static const struct field verdict_row_fields[] = {
    TIME_F("at", struct verdict_answer, at_ms, "Since when."),
    WORD_F("decision", struct verdict_answer, decision, decision_words, "What."),
    TEXT_F("cause", struct verdict_answer, cause, "What changed it."),
    { .key = "reasons", .type = FIELD_RAW, .flags = FIELD_OUT_ONLY, .off = offsetof(struct verdict_answer, reasons), .doc = "List of reasons." },
};
static SHAPE(verdict_row_shape, "verdict_change", struct verdict_answer, verdict_row_fields);
static const struct field verdict_list_fields[] = {
    LIST_F("items", struct verdict_list_answer, items, n_items, verdict_row_shape, "Newest first."),
    NEXT_FIELD(struct verdict_list_answer),
};
SHAPE(verdict_list_shape, "verdict_list", struct verdict_list_answer, verdict_list_fields);

/* ---- findings ---- */
static const struct field exception_brief_fields[] = {
    TEXT_F("id", struct exception_brief, id, "Exception."),
    TEXT_F("reason", struct exception_brief, reason, "Why."),
    TIME_F("expires_at", struct exception_brief, expires_ms, "Until when."),
};
static SHAPE(exception_brief_shape, "exception_brief", struct exception_brief, exception_brief_fields);

static const struct field finding_fields[] = {
    TEXT_F("vulnerability", struct finding_answer, vulnerability, "The CVE where one is known."),
    { .key = "aliases", .type = FIELD_TEXTS, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct finding_answer, aliases), .off_n = offsetof(struct finding_answer, n_aliases), .doc = "Its other names." },
    TEXT_F("package", struct finding_answer, package, "Package."),
    TEXT_F("version", struct finding_answer, version, "Installed."),
    TEXT_F("fixed_version", struct finding_answer, fixed_version, "Where it is fixed."),
    WORD_F("severity", struct finding_answer, severity, severity_words, "How serious, says the scanner."),
    TEXT_F("severity_source", struct finding_answer, severity_source, "Whose word that is."),
    WORD_F("status", struct finding_answer, status, status_words, "Affected, fixed elsewhere, will not be fixed ..."),
    TEXT_F("scanner", struct finding_answer, scanner, "Who found it."),
    TIME_F("since", struct finding_answer, since_ms, "Time of the first scan that reported it."),
    NUM_F("cvss", struct finding_answer, cvss, "Base score, computed from the vector."),
    TEXT_F("vector", struct finding_answer, vector, "CVSS vector."),
    NUM_F("epss", struct finding_answer, epss, "Probability of exploitation within 30 days."),
    BOOL_F("kev", struct finding_answer, is_kev, "Known to be exploited."),
    TEXT_F("title", struct finding_answer, title, "Summary."),
    TEXT_F("url", struct finding_answer, url, "More about it."),
    TEXT_F("suppressed", struct finding_answer, suppressed, "Why the scanner itself ignores it."),
    OBJECT_F("exception", struct finding_answer, exception, exception_brief_shape, "What covers it now."),
};
SHAPE(finding_shape, "finding", struct finding_answer, finding_fields);

static const struct field finding_query_fields[] = {
    PAGE_OF(struct finding_query),
    WORD_F("severity", struct finding_query, severity, severity_filter, "Only this severity."),
    BOOL_F("fixable", struct finding_query, fixable, "Only those with a fix."),
    BOOL_F("open", struct finding_query, open, "Only those that count: not excepted, not suppressed."),
};
SHAPE(finding_query_shape, "finding_query", struct finding_query, finding_query_fields);

static const struct field finding_list_fields[] = {
    LIST_F("items", struct finding_list_answer, items, n_items, finding_shape, "Worst first."),
    NEXT_FIELD(struct finding_list_answer),
    INT_F("total", struct finding_list_answer, total, "How many match in all."),
};
SHAPE(finding_list_shape, "finding_list", struct finding_list_answer, finding_list_fields);

/* ---- packages, issues, changes ---- */
static const struct field package_fields[] = {
    TEXT_F("name", struct package_answer, name, "Name; Maven: group:artifact."),
    TEXT_F("version", struct package_answer, version, "Full version."),
    TEXT_F("ecosystem", struct package_answer, ecosystem, "OSV's word: Debian:12, npm ..."),
    TEXT_F("purl", struct package_answer, purl, "Package URL."),
    TEXT_F("arch", struct package_answer, arch, "Architecture."),
    TEXT_F("source_name", struct package_answer, source_name, "Source package."),
    TEXT_F("source_version", struct package_answer, source_version, "Its version."),
    TEXT_F("path", struct package_answer, path, "File it was found in."),
    TEXT_F("licences", struct package_answer, licences, "Declared licences."),
    TEXT_F("not_evaluable", struct package_answer, not_evaluable, "Why it cannot be matched against advisories."),
};
SHAPE(package_shape, "package", struct package_answer, package_fields);

static const struct field package_query_fields[] = {
    PAGE_OF(struct package_query),
    TEXT_F("q", struct package_query, q, "Beginning of the name."),
};
SHAPE(package_query_shape, "package_query", struct package_query, package_query_fields);
static const struct field package_list_fields[] = {
    LIST_F("items", struct package_list_answer, items, n_items, package_shape, "By name."),
    NEXT_FIELD(struct package_list_answer),
};
SHAPE(package_list_shape, "package_list", struct package_list_answer, package_list_fields);

static const struct field issue_fields[] = {
    WORD_F("kind", struct issue_answer, kind, issue_kind_words, "What it is."),
    TEXT_F("rule", struct issue_answer, rule, "Rule, licence or signature."),
    WORD_F("severity", struct issue_answer, severity, severity_words, "How serious."),
    TEXT_F("status", struct issue_answer, status, "FAIL, PASS or EXCEPTION."),
    TEXT_F("title", struct issue_answer, title, "Summary."),
    TEXT_F("message", struct issue_answer, message, "Details; secrets are masked."),
    TEXT_F("resolution", struct issue_answer, resolution, "How to fix it."),
    TEXT_F("file", struct issue_answer, file, "File or package."),
    { .key = "line", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct issue_answer, line), .doc = "First line." },
    TEXT_F("scanner", struct issue_answer, scanner, "Who found it."),
    TIME_F("since", struct issue_answer, since_ms, "Time of the scan."),
};
static SHAPE(issue_shape, "issue", struct issue_answer, issue_fields);
static const struct field issue_list_fields[] = {
    LIST_F("items", struct issue_list_answer, items, n_items, issue_shape, "Worst first."),
};
SHAPE(issue_list_shape, "issue_list", struct issue_list_answer, issue_list_fields);

static const struct field change_fields[] = {
    TIME_F("at", struct change_answer, at_ms, "When."),
    TEXT_F("vulnerability", struct change_answer, vulnerability, "What."),
    TEXT_F("package", struct change_answer, package, "In which package."),
    TEXT_F("change", struct change_answer, change, "opened, closed, severity, fix, status"),
    TEXT_F("cause", struct change_answer, cause, "What changed it."),
    TEXT_F("detail", struct change_answer, detail, "From what to what."),
    TEXT_F("scanner", struct change_answer, scanner, "Whose finding."),
};
static SHAPE(change_shape, "finding_change", struct change_answer, change_fields);
static const struct field change_list_fields[] = {
    LIST_F("items", struct change_list_answer, items, n_items, change_shape, "Newest first."),
};
SHAPE(change_list_shape, "finding_change_list", struct change_list_answer, change_list_fields);
