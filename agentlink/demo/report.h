/* report.h - what the demo's scanners write: Trivy's JSON (schema 2), Grype's, and
 * CycloneDX with vulnerabilities. */
#ifndef KEEP_DEMO_REPORT_H
#define KEEP_DEMO_REPORT_H

#include "base/buf.h"
#include "demo/fleet.h"

/* Appends the report. */
void report_write(const struct fleet *f, const struct demo_scan *scan, struct buf *out);

#endif
