/* words.c - see words.h. */
#include "wire/msg/words.h"

#include "model/image.h"

#include <stddef.h>

const char *const severity_words[] = {
    [SEVERITY_UNKNOWN] = "unknown", [SEVERITY_NONE] = "none", [SEVERITY_NEGLIGIBLE] = "negligible", [SEVERITY_LOW] = "low",
    [SEVERITY_MEDIUM] = "medium", [SEVERITY_HIGH] = "high", [SEVERITY_CRITICAL] = "critical", [SEVERITY_N] = NULL,
};
const char *const severity_filter[] = {
    "", [SEVERITY_UNKNOWN + 1] = "unknown", [SEVERITY_NONE + 1] = "none", [SEVERITY_NEGLIGIBLE + 1] = "negligible",
    [SEVERITY_LOW + 1] = "low", [SEVERITY_MEDIUM + 1] = "medium", [SEVERITY_HIGH + 1] = "high",
    [SEVERITY_CRITICAL + 1] = "critical", [SEVERITY_N + 1] = NULL,
};
const char *const status_words[] = {
    [STATUS_UNKNOWN] = "unknown", [STATUS_AFFECTED] = "affected", [STATUS_FIXED] = "fixed",
    [STATUS_NOT_AFFECTED] = "not_affected", [STATUS_UNDER_INVESTIGATION] = "under_investigation",
    [STATUS_WILL_NOT_FIX] = "will_not_fix", [STATUS_FIX_DEFERRED] = "fix_deferred", [STATUS_END_OF_LIFE] = "end_of_life",
    [STATUS_N] = NULL,
};
const char *const issue_kind_words[] = {
    [ISSUE_MISCONFIG] = "misconfiguration", [ISSUE_SECRET] = "secret", [ISSUE_LICENCE] = "licence", [ISSUE_MALWARE] = "malware",
    [ISSUE_KIND_N] = NULL,
};
const char *const freshness_words[] = {
    [FRESHNESS_UNKNOWN] = "unknown", [FRESHNESS_NEVER_SCANNED] = "never_scanned", [FRESHNESS_STALE_SCAN] = "stale_scan",
    [FRESHNESS_STALE_DATABASE] = "stale_database", [FRESHNESS_FRESH] = "fresh", [FRESHNESS_N] = NULL,
};
const char *const freshness_filter[] = {
    "", [FRESHNESS_UNKNOWN + 1] = "unknown", [FRESHNESS_NEVER_SCANNED + 1] = "never_scanned",
    [FRESHNESS_STALE_SCAN + 1] = "stale_scan", [FRESHNESS_STALE_DATABASE + 1] = "stale_database",
    [FRESHNESS_FRESH + 1] = "fresh", [FRESHNESS_N + 1] = NULL,
};
const char *const decision_words[] = {
    [DECISION_UNKNOWN] = "unknown", [DECISION_FAIL] = "fail", [DECISION_WARN] = "warn", [DECISION_PASS] = "pass",
    [DECISION_N] = NULL,
};
const char *const decision_filter[] = {
    "", [DECISION_UNKNOWN + 1] = "unknown", [DECISION_FAIL + 1] = "fail", [DECISION_WARN + 1] = "warn",
    [DECISION_PASS + 1] = "pass", [DECISION_N + 1] = NULL,
};
const char *const sort_words[] = { "stale", "risk", "name", "recent", NULL };
