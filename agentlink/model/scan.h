/* scan.h - the common model every scanner's report is mapped to.
 *
 * Plain structs in an arena; text is NUL-terminated UTF-8 or NULL when not
 * known; times are int64 ms or TIME_UNKNOWN; counts are exact.  What a report
 * says beyond this stays in the kept evidence and is counted in `unmapped`. */
#ifndef KEEP_MODEL_SCAN_H
#define KEEP_MODEL_SCAN_H

#include "model/severity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum report_format {
    REPORT_UNKNOWN = 0,
    REPORT_TRIVY,            /* schema 2 */
    REPORT_TRIVY_LEGACY,     /* bare array, before 0.20 */
    REPORT_TRIVY_K8S,
    REPORT_TRIVY_OPERATOR,
    REPORT_GRYPE,
    REPORT_SYFT,
    REPORT_CYCLONEDX,
    REPORT_SPDX,
    REPORT_SARIF,
    REPORT_CLAIR,            /* Clair v4, clair-scanner, klar */
    REPORT_HARBOR,
    REPORT_GITLAB,
    REPORT_OSV,              /* OSV-Scanner output */
    REPORT_COSIGN_VULN,      /* predicate around another report */
    REPORT_INTOTO_VULNS,
    REPORT_OPENVEX,          /* statements about findings, see vex.h: not a scan */
    REPORT_CSAF,             /* the same */
    REPORT_OSV_ADVISORY,     /* one OSV record: what it names, nothing installed */
    REPORT_N
};

/* Fix status of a finding; the producer's own word is kept beside it. */
enum finding_status {
    STATUS_UNKNOWN = 0,
    STATUS_AFFECTED,
    STATUS_FIXED,            /* affected, and a fix exists */
    STATUS_NOT_AFFECTED,
    STATUS_UNDER_INVESTIGATION,
    STATUS_WILL_NOT_FIX,
    STATUS_FIX_DEFERRED,
    STATUS_END_OF_LIFE,
    STATUS_N
};

/* An installed package. */
struct package {
    const char *purl;            /* canonical, or NULL */
    const char *ecosystem;       /* OSV's word where one exists ("Debian:12", "npm", "Maven"), else the producer's type */
    const char *name;            /* Maven: group:artifact */
    const char *version;         /* full: [epoch:]version[-release] */
    const char *arch;
    const char *source_name;     /* source package; NULL: same or not known */
    const char *source_version;
    const char *path;            /* file it was found in */
    const char *licences;        /* ", "-joined */
    bool is_dev;
    bool is_evaluable;           /* can be matched against advisories */
    const char *not_evaluable;   /* why not: "no version", "no distribution", "no purl" ... */
};

enum { CVSS_MAX = 4 };
struct cvss {
    const char *source;          /* "nvd", "ghsa", "redhat"; may be NULL */
    const char *vector;
    int score;                   /* tenths, computed by us; -1 when the vector is invalid */
    int claimed;                 /* tenths as the producer wrote it, -1 none */
};

struct finding {
    const char *id;              /* as reported: CVE-..., GHSA-..., DSA-...; "unnamed" when it is not */
    const char **aliases;        /* other names of the same thing */
    size_t n_aliases;
    size_t package;              /* index into packages, or NO_PACKAGE */
    const char *package_name;    /* as reported; NULL when the report names none */
    const char *package_version;
    const struct package *matched;   /* what is known of a package the report does not list; NULL: see package, package_name */
    enum severity severity;
    const char *severity_source;
    const char *severity_word;   /* the producer's own word */
    struct cvss cvss[CVSS_MAX];
    size_t n_cvss;
    const char *fixed_version;   /* ", "-joined; NULL: none known */
    enum finding_status status;
    const char *status_word;     /* the producer's own word, NULL none */
    const char *title;
    const char *url;             /* https/http only, else NULL */
    const char *path;
    int64_t published_ms;
    double epss;                 /* 0..1, -1 not known */
    bool is_kev;                 /* on CISA's list of known exploited vulnerabilities, says the report */
    const char *suppressed;      /* why the producer itself ignores it; NULL: it does not */
};
#define NO_PACKAGE ((size_t)-1)

enum issue_kind { ISSUE_MISCONFIG = 0, ISSUE_SECRET, ISSUE_LICENCE, ISSUE_MALWARE, ISSUE_KIND_N };

/* Everything found that is not a vulnerability of a package. */
struct issue {
    enum issue_kind kind;
    const char *id;              /* rule, licence name, signature */
    enum severity severity;
    const char *status;          /* misconfiguration: FAIL, PASS, EXCEPTION; else NULL */
    const char *title;
    const char *message;         /* secrets: masked, never the value */
    const char *resolution;
    const char *file;            /* or package */
    int64_t start_line, end_line; /* 0 not known */
};

/* The image a report speaks of: every name it gives. */
struct report_image {
    const char *reference;       /* as written by the scanner, or NULL */
    const char **digests;        /* "sha256:..." of manifest, index or repo digests, valid and unique */
    size_t n_digests;
    const char *config_digest;   /* image id, when it is told apart from the above */
    const char **tags;           /* full references with tag */
    size_t n_tags;
    const char *os_family, *os_version;
    const char *arch;
    const char *base_image;      /* when the report says (OCI label), else NULL */
};

struct scan {
    enum report_format format;
    const char *format_version;      /* "2", "1.5", "SPDX-2.3" ... or NULL */
    const char *scanner, *scanner_version;
    const char *db_version;          /* of the vulnerability database */
    int64_t db_built_ms;             /* TIME_UNKNOWN when the report does not say */
    int64_t scanned_ms;              /* TIME_UNKNOWN when the report does not say */
    bool has_inventory;              /* packages listed are the image's, not only the matched ones */
    bool has_findings;               /* the report is a vulnerability result (an SBOM alone is not) */
    bool has_secrets_result;         /* secret scanning was part of it (best knowledge) */
    struct report_image image;
    struct package *packages; size_t n_packages;
    struct finding *findings; size_t n_findings;
    struct issue *issues;     size_t n_issues;   /* misconfigurations count only with status FAIL in gates */
    size_t n_suppressed;             /* findings with suppressed != NULL */
    size_t n_unmapped;               /* elements that have no place here */
};

#endif
