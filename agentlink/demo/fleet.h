/* fleet.h - a believable fleet, made from a seed: the same every time but for the
 * clock, to which all of its days are relative.
 *
 * A repository has lines (release branches), a line has builds, a build is an
 * image with a digest of its own.  An image is scanned from its build on until
 * the next one has replaced it for a week. */
#ifndef KEEP_DEMO_FLEET_H
#define KEEP_DEMO_FLEET_H

#include "base/arena.h"
#include "base/err.h"
#include "demo/facts.h"

#include <stdbool.h>
#include <stdint.h>

#define DEMO_REGISTRY "registry.acme.example"

enum { FLEET_PACKAGES_MAX = 160, FLEET_FINDINGS_MAX = 160 };

enum scan_tool { TOOL_TRIVY, TOOL_GRYPE, TOOL_CYCLONEDX };

struct demo_repository {
    const char *team, *name;                   /* "payments", "payments/ledger-api" */
    enum eco base, language;                   /* language ECO_N: none */
    enum scan_tool tool;
    bool is_signed;
};

struct demo_image {
    const struct demo_repository *repository;
    unsigned line, build;
    uint64_t seed;                             /* of the line */
    char digest[72];
    char tag[16];
    int64_t built_ms, last_ms;                 /* first and last scan */
    int64_t database_lag_ms;                   /* age of the scanner's database at the scan */
    bool is_clean;                             /* built on the newest versions of its day */
    bool is_current;                           /* nothing has replaced it */
    bool has_second_tool;                      /* the registry's scanner looks, too */
    bool has_secret;
};

struct demo_scan {
    const struct demo_image *image;
    int64_t at_ms, database_ms;
    enum scan_tool tool;
};

struct demo_workload {
    const char *cluster, *namespace, *workload;
    const struct demo_image *image;
    int replicas;
};

struct fleet {
    int64_t now_ms;
    const struct demo_repository *repositories; size_t n_repositories;
    struct demo_image *images; size_t n_images;
    struct demo_image *unscanned; size_t n_unscanned;
    struct demo_scan *scans; size_t n_scans;           /* by time */
    struct demo_workload *workloads; size_t n_workloads;
};

extern const char *const demo_teams[];                 /* ends with NULL */
extern const char *const demo_clusters[];              /* ends with NULL */

/* Everything lives in the arena. */
int fleet_make(struct arena *arena, int64_t now_ms, struct fleet *out, struct err *err);

/* What is in an image, and what a scanner knew of it at a time. */
struct held { const struct demo_package *package; const char *version; int at; };
size_t image_held(const struct fleet *f, const struct demo_image *image, struct held out[FLEET_PACKAGES_MAX]);

struct found { const struct demo_vulnerability *vulnerability; const struct held *held; const char *fixed; const char *not_affected; };
size_t scan_found(const struct fleet *f, const struct demo_scan *scan, const struct held *held, size_t n_held,
                  struct found out[FLEET_FINDINGS_MAX]);

/* A number for (seed, what), evenly spread. */
uint64_t demo_hash(uint64_t seed, const char *what);

#endif
