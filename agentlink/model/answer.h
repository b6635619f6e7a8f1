/* answer.h - what the API answers about images, scans and the fleet, and what
 * it is asked.  Shapes are in wire/msg/. */
#ifndef KEEP_MODEL_ANSWER_H
#define KEEP_MODEL_ANSWER_H

#include "model/page.h"
#include "model/verdict.h"

/* ---- images ---- */
struct image_query {
    struct page_query page;
    int freshness, verdict, sort;      /* words; index + 1 where 0 is "any" */
    bool stale, running, is_unsigned;
    int64_t age_min, age_max;          /* days; 0: no bound */
    const char *team, *repository, *cve, *package, *cluster, *q;
};
struct image_list_answer {
    const struct image *items; size_t n_items;
    const char *next;
    int64_t total;                     /* -1: not counted */
};
struct alias_answer { const char *digest, *kind; };
struct place_answer {
    const char *cluster, *namespace, *workload, *container;
    int64_t replicas;
};
struct os_answer { const char *family, *version; };
struct image_detail {
    struct image image;
    const struct alias_answer *aliases; size_t n_aliases;
    const char *const *tags; size_t n_tags;
    const struct place_answer *running; size_t n_running;
    const struct os_answer *os;
};
struct image_new {
    const char *image, *digest, *team;
    const struct alias_answer *aliases; size_t n_aliases;
};

/* ---- findings, packages, issues of an image ---- */
struct exception_brief { const char *id, *reason; int64_t expires_ms; };
struct finding_answer {
    const char *vulnerability, *package, *version, *fixed_version;
    const char *const *aliases; size_t n_aliases;
    int severity, status;
    const char *scanner, *severity_source, *title, *url, *vector, *suppressed;
    int64_t since_ms;
    double cvss, epss;                 /* NAN: not known */
    bool is_kev;
    const struct exception_brief *exception;
};
struct finding_query {
    struct page_query page;
    int severity;                      /* word index + 1 */
    bool fixable, open;
};
struct finding_list_answer { const struct finding_answer *items; size_t n_items; const char *next; int64_t total; };
struct package_answer {
    const char *name, *version, *ecosystem, *purl, *arch, *source_name, *source_version, *path, *licences, *not_evaluable;
};
struct package_query { struct page_query page; const char *q; };
struct package_list_answer { const struct package_answer *items; size_t n_items; const char *next; };
struct issue_answer {
    int kind, severity;
    const char *rule, *status, *title, *message, *resolution, *file, *scanner;
    int64_t line, since_ms;
};
struct issue_list_answer { const struct issue_answer *items; size_t n_items; };
struct change_answer {
    int64_t at_ms;
    const char *vulnerability, *package, *change, *cause, *detail, *scanner;
};
struct change_list_answer { const struct change_answer *items; size_t n_items; };
struct verdict_answer { int64_t at_ms; int decision; const char *cause, *reasons; };
struct verdict_list_answer { const struct verdict_answer *items; size_t n_items; const char *next; };

/* ---- scans ---- */
struct signer_brief { const char *id, *name; };
struct scan_answer {
    const char *id, *image, *repository, *format, *scanner, *scanner_version, *db_version, *pipeline, *uploaded_by, *evidence;
    int64_t db_built_ms, scanned_ms, received_ms;
    const struct signer_brief *signer;
    bool has_inventory, has_findings, is_current;
    int64_t packages, evaluable, findings, issues, unmapped;
};
struct scan_result {
    struct scan_answer scan;
    struct image image;
    struct verdict verdict;
    bool is_new, is_superseded;
};
struct scan_upload_query { const char *image, *team, *pipeline; int64_t db_built_ms; };
struct scan_query { struct page_query page; const char *image, *scanner; };
struct scan_list_answer { const struct scan_answer *items; size_t n_items; const char *next; };
struct evidence_answer {
    const char *id, *kind, *subject, *signature;
    int64_t length, received_ms;
    const struct signer_brief *signer;
    const char *const *scans; size_t n_scans;
};

/* ---- the fleet ---- */
struct image_brief { const char *digest, *reference, *team; int64_t running; int verdict, freshness; };
struct holder_answer { struct image_brief image; struct finding_answer finding; };
struct holder_query { struct page_query page; const char *vulnerability, *team; bool running, fixable; };
struct holder_list_answer { const struct holder_answer *items; size_t n_items; const char *next; };
struct vulnerability_answer {
    const char *name, *title, *url;
    int severity;
    double cvss, epss;
    bool is_kev;
    int64_t images, running, fixable;
};
struct vulnerability_query { int64_t limit; const char *q; bool kev; int severity; };
struct vulnerability_list_answer { const struct vulnerability_answer *items; size_t n_items; };
struct package_found {
    const char *name, *version, *ecosystem, *arch, *purl;
    int64_t images;
    const struct image_brief *image_list; size_t n_image_list;   /* the first 20 */
};
struct package_find_query { struct page_query page; const char *name, *version, *ecosystem; };
struct package_find_answer { const struct package_found *items; size_t n_items; int64_t images; const char *next; };

struct package_holder_answer { struct image_brief image; const char *name, *version, *ecosystem, *path; };
struct package_holder_query { struct page_query page; const char *name, *version, *ecosystem; };
struct package_holder_list { const struct package_holder_answer *items; size_t n_items; const char *next; };

struct workload_in { const char *namespace, *workload, *container, *image; int64_t replicas; };
struct running_in { const char *cluster; const struct workload_in *workloads; size_t n_workloads; };
struct running_result { const char *cluster; int64_t containers, images, unknown_images; };
struct running_query {
    struct page_query page;
    const char *cluster, *namespace, *image;
    int verdict;
    bool stale;
};
struct running_answer { struct place_answer place; struct image_brief image; int64_t seen_ms; };
struct running_list_answer { const struct running_answer *items; size_t n_items; const char *next; };

struct repository_in { const char *name, *team; };
struct repository_query { struct page_query page; const char *q; };
struct repository_answer { const char *name, *team; int64_t images, failing; };
struct repository_list_answer { const struct repository_answer *items; size_t n_items; const char *next; };

struct posture_verdicts { int64_t pass, warn, fail, unknown; };
struct posture_freshness { int64_t fresh, stale_scan, stale_database, never_scanned, unknown; };
struct posture_running { int64_t images, failing, stale; };
struct posture_exceptions { int64_t active, expiring_soon, expired; };
struct posture_age { const char *label; int64_t max_days, images; };
struct posture_team { const char *team; int64_t images, failing, stale, critical, high; };
struct posture_action { const char *kind, *text, *link; int64_t count; };
struct posture_limits { int64_t scan_max_age_ms, database_max_age_ms; };
struct posture_answer {
    int64_t at_ms, images, unsigned_images;
    struct posture_verdicts verdicts;
    struct posture_freshness freshness;
    struct image_counts counts;
    struct posture_running running;
    struct posture_exceptions exceptions;
    const struct posture_age *scan_age; size_t n_scan_age;
    const struct posture_team *teams; size_t n_teams;
    const struct posture_action *actions; size_t n_actions;
    struct posture_limits limits;
};
struct trend_query { int64_t days; const char *team; };
struct trend_answer { const char *day; int64_t images, critical, high, medium, low, kev; };
struct trend_list_answer { const struct trend_answer *days; size_t n_days; };

#endif
