/* fleet.c - see fleet.h. */
#include "wire/msg/fleet.h"

#include "wire/msg/image.h"
#include "wire/msg/fields.h"
#include "wire/msg/words.h"

static const struct field holder_query_fields[] = {
    PAGE_OF(struct holder_query),
    { .key = "vulnerability", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct holder_query, vulnerability), .min = 1, .max = 128, .doc = "CVE or any alias." },
    TEXT_F("team", struct holder_query, team, "Only this team."),
    BOOL_F("running", struct holder_query, running, "Only images that run."),
    BOOL_F("fixable", struct holder_query, fixable, "Only where a fix is known."),
};
SHAPE(holder_query_shape, "holder_query", struct holder_query, holder_query_fields);
static const struct field holder_fields[] = {
    INLINE_F("image", struct holder_answer, image, image_brief_shape, "Who has it."),
    INLINE_F("finding", struct holder_answer, finding, finding_shape, "What was found."),
};
static SHAPE(holder_shape, "holder", struct holder_answer, holder_fields);
static const struct field holder_list_fields[] = {
    LIST_F("items", struct holder_list_answer, items, n_items, holder_shape, "One per image and package."),
    NEXT_FIELD(struct holder_list_answer),
};
SHAPE(holder_list_shape, "holder_list", struct holder_list_answer, holder_list_fields);

static const struct field vulnerability_query_fields[] = {
    { .key = "limit", .type = FIELD_INT, .off = offsetof(struct vulnerability_query, limit), .min = 1, .max = 500, .doc = "How many at most (50)." },
    TEXT_F("q", struct vulnerability_query, q, "Beginning of the name."),
    BOOL_F("kev", struct vulnerability_query, kev, "Only known exploited ones."),
    WORD_F("severity", struct vulnerability_query, severity, severity_filter, "Only this severity."),
};
SHAPE(vulnerability_query_shape, "vulnerability_query", struct vulnerability_query, vulnerability_query_fields);
static const struct field vulnerability_fields[] = {
    TEXT_F("name", struct vulnerability_answer, name, "CVE or other id."),
    WORD_F("severity", struct vulnerability_answer, severity, severity_words, "The worst any report says."),
    NUM_F("cvss", struct vulnerability_answer, cvss, "Base score."),
    NUM_F("epss", struct vulnerability_answer, epss, "Probability of exploitation."),
    BOOL_F("kev", struct vulnerability_answer, is_kev, "Known to be exploited."),
    TEXT_F("title", struct vulnerability_answer, title, "Summary."),
    TEXT_F("url", struct vulnerability_answer, url, "More about it."),
    INT_F("images", struct vulnerability_answer, images, "Images that have it."),
    INT_F("running", struct vulnerability_answer, running, "Of these, images that run."),
    INT_F("fixable", struct vulnerability_answer, fixable, "Of these, images where a fix is known."),
};
static SHAPE(vulnerability_shape, "vulnerability", struct vulnerability_answer, vulnerability_fields);
static const struct field vulnerability_list_fields[] = {
    LIST_F("items", struct vulnerability_list_answer, items, n_items, vulnerability_shape, "Most images first."),
};
SHAPE(vulnerability_list_shape, "vulnerability_list", struct vulnerability_list_answer, vulnerability_list_fields);

static const struct field package_find_query_fields[] = {
    PAGE_OF(struct package_find_query),
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct package_find_query, name), .min = 1, .max = 256, .doc = "Package, or its short name (log4j-core)." },
    { .key = "version", .type = FIELD_TEXT, .off = offsetof(struct package_find_query, version), .min = 1, .max = 256, .doc = "Range: < 2.17.1, >=1.0 <2.0; order of the ecosystem." },
    TEXT_F("ecosystem", struct package_find_query, ecosystem, "Only this ecosystem (Debian matches Debian:12)."),
};
SHAPE(package_find_query_shape, "package_find_query", struct package_find_query, package_find_query_fields);
static const struct field package_found_fields[] = {
    TEXT_F("name", struct package_found, name, "Package."),
    TEXT_F("version", struct package_found, version, "Version."),
    TEXT_F("ecosystem", struct package_found, ecosystem, "Ecosystem."),
    TEXT_F("arch", struct package_found, arch, "Architecture."),
    TEXT_F("purl", struct package_found, purl, "Package URL."),
    INT_F("images", struct package_found, images, "Images that have it."),
    LIST_F("image_list", struct package_found, image_list, n_image_list, image_brief_shape, "The first 20 of them."),
};
static SHAPE(package_found_shape, "package_found", struct package_found, package_found_fields);
static const struct field package_find_fields[] = {
    LIST_F("items", struct package_find_answer, items, n_items, package_found_shape, "Versions in the range."),
    INT_F("images", struct package_find_answer, images, "Images on this page, each version counted."),
    NEXT_FIELD(struct package_find_answer),
};
SHAPE(package_find_shape, "package_find", struct package_find_answer, package_find_fields);

static const struct field package_holder_query_fields[] = {
    PAGE_OF(struct package_holder_query),
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct package_holder_query, name), .min = 1, .max = 256, .doc = "Package, or its short name." },
    { .key = "version", .type = FIELD_TEXT, .off = offsetof(struct package_holder_query, version), .min = 1, .max = 256, .doc = "Exactly this version." },
    TEXT_F("ecosystem", struct package_holder_query, ecosystem, "Only this ecosystem (Debian matches Debian:12)."),
};
SHAPE(package_holder_query_shape, "package_holder_query", struct package_holder_query, package_holder_query_fields);
static const struct field package_holder_fields[] = {
    INLINE_F("image", struct package_holder_answer, image, image_brief_shape, "Who has it."),
    TEXT_F("name", struct package_holder_answer, name, "Package."),
    TEXT_F("version", struct package_holder_answer, version, "Version."),
    TEXT_F("ecosystem", struct package_holder_answer, ecosystem, "Ecosystem."),
    TEXT_F("path", struct package_holder_answer, path, "File it was found in."),
};
static SHAPE(package_holder_shape, "package_holder", struct package_holder_answer, package_holder_fields);
static const struct field package_holder_list_fields[] = {
    LIST_F("items", struct package_holder_list, items, n_items, package_holder_shape, "One per image and file."),
    NEXT_FIELD(struct package_holder_list),
};
SHAPE(package_holder_list_shape, "package_holder_list", struct package_holder_list, package_holder_list_fields);

/* ---- what runs ---- */
static const struct field workload_fields[] = {
    { .key = "namespace", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct workload_in, namespace), .max = 253, .doc = "Namespace." },
    { .key = "workload", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct workload_in, workload), .min = 1, .max = 253, .doc = "Deployment, job, unit ..." },
    { .key = "container", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct workload_in, container), .min = 1, .max = 253, .doc = "Container." },
    { .key = "image", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct workload_in, image), .min = 1, .max = 512, .doc = "Reference with digest." },
    { .key = "replicas", .type = FIELD_INT, .off = offsetof(struct workload_in, replicas), .min = 0, .max = 1000000, .doc = "How many (1)." },
};
static SHAPE(workload_shape, "workload", struct workload_in, workload_fields);
static const struct field running_in_fields[] = {
    { .key = "cluster", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct running_in, cluster), .min = 1, .max = 128, .doc = "Whose whole set this is." },
    { .key = "workloads", .type = FIELD_LIST, .flags = FIELD_REQUIRED, .off = offsetof(struct running_in, workloads), .off_n = offsetof(struct running_in, n_workloads), .max = 20000, .inner = &workload_shape, .doc = "Everything that runs." },
};
SHAPE(running_in_shape, "running_report", struct running_in, running_in_fields);
static const struct field running_result_fields[] = {
    TEXT_F("cluster", struct running_result, cluster, "Cluster."),
    INT_F("containers", struct running_result, containers, "Containers reported."),
    INT_F("images", struct running_result, images, "Different images."),
    INT_F("unknown_images", struct running_result, unknown_images, "Images seen for the first time: never scanned."),
};
SHAPE(running_result_shape, "running_result", struct running_result, running_result_fields);
static const struct field running_query_fields[] = {
    PAGE_OF(struct running_query),
    TEXT_F("cluster", struct running_query, cluster, "Only this cluster."),
    TEXT_F("namespace", struct running_query, namespace, "Only this namespace."),
    DIGEST_F("image", struct running_query, image, "Only this image."),
    WORD_F("verdict", struct running_query, verdict, decision_filter, "Only images with this verdict."),
    BOOL_F("stale", struct running_query, stale, "Only images stale by either clock, or never scanned."),
};
SHAPE(running_query_shape, "running_query", struct running_query, running_query_fields);
static const struct field running_fields[] = {
    TEXT_F("cluster", struct running_answer, place.cluster, "Cluster."),
    TEXT_F("namespace", struct running_answer, place.namespace, "Namespace."),
    TEXT_F("workload", struct running_answer, place.workload, "Workload."),
    TEXT_F("container", struct running_answer, place.container, "Container."),
    INT_F("replicas", struct running_answer, place.replicas, "How many."),
    INLINE_F("image", struct running_answer, image, image_brief_shape, "What it runs."),
    TIME_F("seen_at", struct running_answer, seen_ms, "Last report."),
};
static SHAPE(running_shape, "running", struct running_answer, running_fields);
static const struct field running_list_fields[] = {
    LIST_F("items", struct running_list_answer, items, n_items, running_shape, "By cluster, namespace, workload."),
    NEXT_FIELD(struct running_list_answer),
};
SHAPE(running_list_shape, "running_list", struct running_list_answer, running_list_fields);

/* ---- repositories ---- */
static const struct field repository_in_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct repository_in, name), .min = 1, .max = 512, .doc = "Repository." },
    { .key = "team", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct repository_in, team), .max = 64, .doc = "Its owner; empty: nobody." },
};
SHAPE(repository_in_shape, "repository_in", struct repository_in, repository_in_fields);
static const struct field repository_fields[] = {
    TEXT_F("name", struct repository_answer, name, "Canonical name."),
    TEXT_F("team", struct repository_answer, team, "Owner."),
    INT_F("images", struct repository_answer, images, "Images."),
    INT_F("failing", struct repository_answer, failing, "Of these, failing."),
};
SHAPE(repository_shape, "repository", struct repository_answer, repository_fields);
static const struct field repository_query_fields[] = {
    PAGE_OF(struct repository_query),
    TEXT_F("q", struct repository_query, q, "Beginning of the name."),
};
SHAPE(repository_query_shape, "repository_query", struct repository_query, repository_query_fields);
static const struct field repository_list_fields[] = {
    LIST_F("items", struct repository_list_answer, items, n_items, repository_shape, "By name."),
    NEXT_FIELD(struct repository_list_answer),
};
SHAPE(repository_list_shape, "repository_list", struct repository_list_answer, repository_list_fields);

/* ---- posture ---- */
#define COUNT(k, type, member) INT_F(k, type, member, "Images.")
static const struct field verdicts_fields[] = {
    COUNT("pass", struct posture_verdicts, pass), COUNT("warn", struct posture_verdicts, warn),
    COUNT("fail", struct posture_verdicts, fail), COUNT("unknown", struct posture_verdicts, unknown),
};
static SHAPE(verdicts_shape, "posture_verdicts", struct posture_verdicts, verdicts_fields);
static const struct field freshness_fields[] = {
    COUNT("fresh", struct posture_freshness, fresh), COUNT("stale_scan", struct posture_freshness, stale_scan),
    COUNT("stale_database", struct posture_freshness, stale_database),
    COUNT("never_scanned", struct posture_freshness, never_scanned), COUNT("unknown", struct posture_freshness, unknown),
};
static SHAPE(freshness_shape, "posture_freshness", struct posture_freshness, freshness_fields);
static const struct field posture_running_fields[] = {
    COUNT("images", struct posture_running, images), COUNT("failing", struct posture_running, failing),
    COUNT("stale", struct posture_running, stale),
};
static SHAPE(posture_running_shape, "posture_running", struct posture_running, posture_running_fields);
static const struct field exceptions_fields[] = {
    INT_F("active", struct posture_exceptions, active, "Exceptions in force."),
    INT_F("expiring_soon", struct posture_exceptions, expiring_soon, "Of these, ending within 7 days."),
    INT_F("expired", struct posture_exceptions, expired, "Ended within the last 30 days."),
};
static SHAPE(exceptions_shape, "posture_exceptions", struct posture_exceptions, exceptions_fields);
static const struct field age_fields[] = {
    TEXT_F("label", struct posture_age, label, "In words."),
    { .key = "max_days", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct posture_age, max_days), .doc = "Upper bound." },
    COUNT("images", struct posture_age, images),
};
static SHAPE(age_shape, "posture_age", struct posture_age, age_fields);
static const struct field team_fields[] = {
    TEXT_F("team", struct posture_team, team, "Team; empty: nobody."),
    COUNT("images", struct posture_team, images), COUNT("failing", struct posture_team, failing),
    COUNT("stale", struct posture_team, stale),
    INT_F("critical", struct posture_team, critical, "Open critical findings."),
    INT_F("high", struct posture_team, high, "Open high findings."),
};
static SHAPE(team_shape, "posture_team", struct posture_team, team_fields);
static const struct field action_fields[] = {
    TEXT_F("kind", struct posture_action, kind, "Stable word."),
    TEXT_F("text", struct posture_action, text, "What needs doing."),
    INT_F("count", struct posture_action, count, "How many."),
    TEXT_F("link", struct posture_action, link, "Page of the web UI."),
};
static SHAPE(action_shape, "posture_action", struct posture_action, action_fields);
static const struct field limits_fields[] = {
    INT_F("scan_max_age_ms", struct posture_limits, scan_max_age_ms, "A scan older than this is stale."),
    INT_F("database_max_age_ms", struct posture_limits, database_max_age_ms, "A database older than this is stale."),
};
static SHAPE(limits_shape, "posture_limits", struct posture_limits, limits_fields);

static const struct field posture_fields[] = {
    TIME_F("at", struct posture_answer, at_ms, "When this was counted."),
    COUNT("images", struct posture_answer, images),
    COUNT("unsigned", struct posture_answer, unsigned_images),
    INLINE_F("verdicts", struct posture_answer, verdicts, verdicts_shape, "By verdict."),
    INLINE_F("freshness", struct posture_answer, freshness, freshness_shape, "By the two clocks."),
    INLINE_F("counts", struct posture_answer, counts, image_counts_shape, "Open findings over all images."),
    INLINE_F("running", struct posture_answer, running, posture_running_shape, "Images that run somewhere."),
    INLINE_F("exceptions", struct posture_answer, exceptions, exceptions_shape, "Exceptions."),
    LIST_F("scan_age", struct posture_answer, scan_age, n_scan_age, age_shape, "Images by age of their newest scan."),
    LIST_F("teams", struct posture_answer, teams, n_teams, team_shape, "By team."),
    LIST_F("actions", struct posture_answer, actions, n_actions, action_shape, "What needs action, most urgent first."),
    INLINE_F("limits", struct posture_answer, limits, limits_shape, "The limits in force."),
};
SHAPE(posture_shape, "posture", struct posture_answer, posture_fields);

static const struct field trend_query_fields[] = {
    { .key = "days", .type = FIELD_INT, .off = offsetof(struct trend_query, days), .min = 1, .max = 730, .doc = "How many days back (90)." },
    TEXT_F("team", struct trend_query, team, "Only this team."),
};
SHAPE(trend_query_shape, "trend_query", struct trend_query, trend_query_fields);
static const struct field trend_fields[] = {
    TEXT_F("day", struct trend_answer, day, "UTC date."),
    INT_F("images", struct trend_answer, images, "Images known."),
    INT_F("critical", struct trend_answer, critical, "Open critical findings at the end of the day."),
    INT_F("high", struct trend_answer, high, "Open high findings."), INT_F("medium", struct trend_answer, medium, "Open medium findings."),
    INT_F("low", struct trend_answer, low, "Open low findings."), INT_F("kev", struct trend_answer, kev, "Known exploited."),
};
static SHAPE(trend_day_shape, "trend_day", struct trend_answer, trend_fields);
static const struct field trend_list_fields[] = {
    LIST_F("days", struct trend_list_answer, days, n_days, trend_day_shape, "Oldest first."),
};
SHAPE(trend_shape, "trend", struct trend_list_answer, trend_list_fields);
