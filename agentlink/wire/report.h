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

/* Decodes a parsed document.  ERR_INVALID (what, where), ERR_UNPROCESSABLE when
 * it is well-formed JSON but no report we know (the message lists the formats). */
int report_decode(const struct json *doc, struct arena *arena, struct scan *out, struct err *err);

/* json_parse with the options foreign reports need, then report_decode. */
int report_parse(const void *text, size_t len, struct arena *arena, struct scan *out, struct err *err);

#endif
