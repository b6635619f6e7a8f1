/* intake.h - a verified claim becomes rows ready to be written.
 *
 * Everything that can be done before the write transaction is done here, on a
 * worker: decoding, scores, names, looking up ids that are stored already,
 * compressing the evidence.  The writer only writes. */
#ifndef KEEP_SERVICE_INTAKE_H
#define KEEP_SERVICE_INTAKE_H

#include "model/scan.h"
#include "service/evidence.h"
#include "store/finding.h"
#include "store/scan.h"

struct intake_finding {
    struct image_finding row;            /* vulnerability_id, package_id 0 when not stored yet */
    struct vulnerability vulnerability;
    size_t package;                      /* index into intake.packages, or NO_PACKAGE */
    bool vulnerability_known;            /* stored, and nothing to add: no write needed */
};

struct intake {
    struct claim claim;
    struct scan scan;
    struct scan_row row;
    struct evidence evidence;
    const char *repository, *tag, *team;
    /* The report's packages, then those that only findings name. */
    struct package *packages; size_t n_packages;
    int64_t *package_ids;                /* of packages; 0: not stored yet */
    unsigned char inventory_hash[32];
    struct intake_finding *findings; size_t n_findings;
    const char *const *aliases; size_t n_aliases;     /* other digests of the image */
};

/* May this caller, with this signature or with none, speak of images of `repository`?
 * Asked again when the image turns out to be known from another repository. */
int intake_check_repository(struct call *c, const struct claim *claim, const char *repository, struct err *err);

/* image: reference given by the uploader, may be NULL. */
int intake_prepare(struct call *c, const struct claim *claim, const char *image, const char *team, const char *pipeline,
                   int64_t db_built_ms, struct intake **out, struct err *err);

#endif
