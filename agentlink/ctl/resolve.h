/* resolve.h - from what a person types to an image's digest. */
#ifndef KEEP_CTL_RESOLVE_H
#define KEEP_CTL_RESOLVE_H

#include "ctl/ctl.h"

/* A digest, the beginning of one ("sha256:ab12"), a reference with a digest, or
 * REPOSITORY[:TAG]: the newest image there (said on standard error).  0, or an
 * exit code: CODE_NO_SCAN, told, when Keep knows no such image. */
int resolve_image(struct ctl *c, const char *text, const char **digest);

/* Gets, and puts into an assessment, what the formats asked for need: the image's
 * findings and issues. */
int fetch_findings(struct ctl *c, const char *digest, struct assessment *a);

/* "/v1/images/DIGEST" and what follows; NULL without memory. */
const char *image_target(struct ctl *c, const char *digest, const char *rest);

/* --fail-on, --max-scan-age and --report-severity. */
int read_gate(struct ctl *c, struct gate *gate, int *report_severity);
#define GATE_OPTIONS \
    { "fail-on", "WHAT", "fail (default), warn, never, or a severity: then open findings of it or worse fail, too.", false }, \
    { "max-scan-age", "DURATION", "Exit 5 when the newest scan is older, like 36h or 7d.", false }, \
    { "report-severity", "SEVERITY", "Leave findings below it out of the output; what fails is --fail-on's business.", false }

#endif
