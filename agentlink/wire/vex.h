/* vex.h - VEX documents <-> struct vex.
 *
 * In: OpenVEX 0.0.1 and 0.2.0 (also without a version), CSAF 2.x profiles
 * (csaf_vex, csaf_security_advisory), CycloneDX vulnerabilities with an
 * analysis.  Out: OpenVEX 0.2.0.  Bounds: 100,000 statements, 2,000,000
 * products in all, strings 1 MiB.  Statements keep the document's order: the
 * later one wins, which is for the reader of the struct to apply. */
#ifndef KEEP_WIRE_VEX_H
#define KEEP_WIRE_VEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/vex.h"
#include "wire/json.h"

enum vex_format vex_detect(const struct json *doc);

/* ERR_INVALID with a JSON path; ERR_UNPROCESSABLE when it is no VEX document. */
int vex_decode(const struct json *doc, struct arena *arena, struct vex *out, struct err *err);
int vex_parse(const void *text, size_t len, struct arena *arena, struct vex *out, struct err *err);

/* Appends an OpenVEX 0.2.0 document.  ERR_INVALID when the struct lacks what the
 * specification requires: id, author, timestamp, and per statement a
 * vulnerability, a product and a status; not_affected needs a justification or
 * an impact, affected an action.  ERR_TOO_LARGE when the buffer is full. */
int vex_encode(const struct vex *vex, struct buf *out, struct err *err);

/* "not_affected" ...; never NULL. */
const char *vex_status_word(enum vex_status status);

/* One of OpenVEX's five. */
bool vex_is_justification(const char *word);

#endif
