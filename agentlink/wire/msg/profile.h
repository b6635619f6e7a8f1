/* profile.h - profiles as messages: what bundles carry and the store keeps, and what
 * the routes of profiles take and answer.
 *
 * In JSON a part that is judged says so itself ("covers_executables": true); a list
 * without it is not judged. */
#ifndef KEEP_WIRE_MSG_PROFILE_H
#define KEEP_WIRE_MSG_PROFILE_H

#include "model/page.h"
#include "model/profile.h"
#include "wire/shape.h"

extern const char *const profile_source_words[];   /* "declared", "learned", "enforced" */
extern const char *const profile_mode_words[];     /* "discover", "monitor", "protect" */
extern const char *const profile_on_loss_words[];  /* "open", "closed" */
extern const char *const profile_part_words[];     /* "executable", "listen", "egress", "ingress", "write", "user", "capability" */
extern const char *const net_protocol_words[];     /* "any", "tcp", "udp" */
extern const char *const drift_rule_words[];       /* of enum drift_rule: "", "unexpected-executable", ... */

/* struct profile.  What decodes still needs profile_check (wire/profile_doc.h). */
extern const struct shape profile_shape;

/* The file profiles.json of a bundle: {"profiles": [profile...]}. */
struct profile_set {
    const struct profile *profiles; size_t n_profiles;
};
extern const struct shape profile_set_shape;
enum { PROFILE_SET_MAX = 4096 };

#endif
