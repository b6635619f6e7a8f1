/* facts_json.h - image facts written by hand: for policy tests and replays.
 *
 *     digest: sha256:...
 *     repository: ghcr.io/team/app      # tag, reference, team, arch, base_image, os_family, os_version
 *     has_scan: true                    # unless said otherwise: when findings or scanned_at are there
 *     signed: true
 *     signers: [ci]
 *     scanned_at: 2026-01-01T00:00:00Z  # database_built_at, inventory_at
 *     findings: [{vulnerability, package, version, ecosystem, fixed_version, severity, status, scanner, kev, cvss, epss, since,
 *                 suppressed, title}]
 *     issues: [{kind, rule, severity, status, title, message, file, line}]
 *
 * Every key is optional; unknown ones are refused. */
#ifndef KEEP_CORE_FACTS_JSON_H
#define KEEP_CORE_FACTS_JSON_H

#include "base/arena.h"
#include "base/err.h"
#include "model/image.h"
#include "wire/shape.h"

/* The facts live in the arena and point into `doc`.  ERR_INVALID with a path. */
int facts_from_json(const struct json *doc, struct arena *arena, struct image_facts *out, struct err *err);

extern const struct shape facts_shape;

#endif
