/* report.h - bytes of a scanner's report -> struct scan.
 *
 * The format is detected by content, never by name.  Foreign documents are read
 * as open shapes: unknown keys are fine, wrong types of known keys are an error
 * with a JSON path.  Bounds: 200,000 packages, 500,000 findings, strings 1 MiB.
 * Nothing is trusted: every digest is checked, every URL must be http(s), every
 * secret is masked here, before it can be stored. */
#ifndef KEEP_WIRE_REPORT_H
#define KEEP_WIRE_REPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "model/scan.h"
#include "wire/json.h"

/* What the text is; REPORT_UNKNOWN when nothing fits. */
enum report_format report_detect(const struct json *doc);

/* "trivy", "cyclonedx" ...; never NULL. */
const char *report_format_word(enum report_format format);

/* Whether documents of this format speak of an image's content (a scan or an
 * inventory); false for VEX documents and advisories, which are about names. */
bool report_format_is_scan(enum report_format format);

/* Decodes a parsed document.  ERR_INVALID (what, where), ERR_TOO_LARGE (a bound)
 * or ERR_UNPROCESSABLE when it is well-formed JSON but no report we know (the
 * message lists the formats) or a VEX document (see vex.h). */
int report_decode(const struct json *doc, struct arena *arena, struct scan *out, struct err *err);

/* json_parse with the options foreign reports need, then report_decode.  Also
 * reads SPDX as tag-value text. */
int report_parse(const void *text, size_t len, struct arena *arena, struct scan *out, struct err *err);

/* The options foreign JSON is read with: a byte order mark is stepped over,
 * \u0000 becomes U+FFFD, integers beyond int64 become reals. */
extern const struct json_opts report_json_opts;

/* What a scan holds, in numbers.
 *
 * Packages: every row the report lists - CycloneDX components at any depth and of
 * any type, SPDX packages of any purpose, Clair's sources, Grype's matched
 * packages once per (name, version, type), GitLab's dependencies, the packages an
 * advisory names; `evaluable` are those that can be matched against advisories.
 * Findings: one per entry of the report, but one per pair in Clair, and one per
 * component of the document in CycloneDX; Trivy's modified findings and Grype's
 * ignored matches are counted as suppressed ones.  SARIF results and GitLab
 * entries that are misconfigurations, secrets or licences are issues.
 * Unmapped: members and items that have no place in the model, values in
 * unimportant places that could not be read, digests and purls that are none. */
struct report_tally {
    size_t n;                          /* findings */
    size_t unique_ids;
    size_t by_severity[SEVERITY_N];
};

struct report_counts {
    size_t packages, evaluable, with_purl;
    struct report_tally all;           /* every finding */
    struct report_tally active;        /* those the producer does not suppress itself */
    size_t issues[ISSUE_KIND_N];
    size_t misconfig_failed;           /* status FAIL */
    size_t unmapped;
};

/* Scratch memory comes from the arena.  Fails only without memory. */
int report_count(const struct scan *scan, struct arena *arena, struct report_counts *out, struct err *err);

#endif
