/* image.h - an image as the fleet knows it, and what a verdict is made of. */
#ifndef KEEP_MODEL_IMAGE_H
#define KEEP_MODEL_IMAGE_H

#include "model/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the clocks say.  The first value is the safe one. */
enum freshness {
    FRESHNESS_UNKNOWN = 0,     /* a scan, but its time or its database's age is not known */
    FRESHNESS_NEVER_SCANNED,
    FRESHNESS_STALE_SCAN,
    FRESHNESS_STALE_DATABASE,
    FRESHNESS_FRESH,
    FRESHNESS_N
};

enum decision {
    DECISION_UNKNOWN = 0,
    DECISION_FAIL,
    DECISION_WARN,
    DECISION_PASS,
    DECISION_N
};

/* Open findings after exceptions, one per (vulnerability, package). */
struct image_counts {
    int64_t critical, high, medium, low, other;
    int64_t fixable;           /* critical or high with a fix */
    int64_t kev, secrets, malware, misconfigurations, excepted;
};

struct image {
    int64_t id;                /* of the store; never shown */
    int64_t repository_id;
    const char *digest, *repository, *tag, *reference, *team;
    const char *os_family, *os_version, *arch, *base_image;
    int64_t first_seen_ms, last_seen_ms;
    int64_t inventory_ms, scanned_ms, db_built_ms;     /* TIME_UNKNOWN: never, or not known */
    int64_t packages, evaluable, running;
    struct image_counts counts;
    bool is_signed;
    bool has_scan;             /* a vulnerability result exists */
    int freshness;             /* enum freshness, as of the time it was read */
    int verdict;               /* enum decision */
    int64_t verdict_since_ms, next_check_ms;
};

/* A finding as stored: joined over vulnerability, package and scanner. */
struct image_finding {
    int64_t vulnerability_id, package_id, scanner_id;
    const char *vulnerability, *package, *version, *ecosystem, *fixed_version;
    const char *purl;          /* of the package, canonical; NULL not known */
    const char *aliases;       /* ", "-joined, NULL none loaded */
    const char *scanner, *severity_source, *suppressed, *title, *url, *vector;
    int severity;              /* enum severity */
    int status;                /* enum finding_status */
    int64_t since_ms;
    int64_t cvss;              /* tenths, -1 */
    int64_t epss;              /* millionths, -1 */
    bool is_kev;
    const struct exception *exception;   /* the one that covers it now, or NULL */
    bool is_duplicate;         /* another scanner says the same, worse or earlier */
};

struct image_issue {
    int kind;                  /* enum issue_kind */
    int severity;
    const char *rule, *status, *title, *message, *resolution, *file, *scanner;
    int64_t start_line, since_ms;
};

/* Everything a policy may ask of an image.  Values only; lives in an arena. */
struct image_facts {
    struct image image;
    const char *const *signers; size_t n_signers;      /* names of those who signed current scans */
    struct image_finding *findings; size_t n_findings;
    struct image_issue *issues; size_t n_issues;
};

#endif
