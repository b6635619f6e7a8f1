/* profiles.h - profiles: declared by developers, learned, approved by people.
 *
 * What counts is the enforced one.  It changes only by approval or a change of mode,
 * both by people of role policy, both audited; then nodes get a new bundle. */
#ifndef KEEP_SERVICE_PROFILES_H
#define KEEP_SERVICE_PROFILES_H

#include "core/profile/promote.h"
#include "service/call.h"
#include "store/profile.h"
#include "wire/msg/profile.h"

#define PROFILE_PAYLOAD_YAML "application/vnd.keep.profile+yaml"
#define PROFILE_PAYLOAD_JSON "application/vnd.keep.profile+json"

/* declare_profile.c: a signed upload (DSSE), or the document itself by people of role policy */
call_fn profile_declare_prepare, profile_declare;
/* manage_profile.c */
call_fn profile_learn, profile_approve, profile_set_mode;
/* show_profile.c */
call_fn profile_page, profile_show, profile_diff, profile_observed, profile_history, image_observed;
/* simulate_profile.c: over recorded events */
call_fn profile_simulate, profile_simulate_document;
/* generate_profile.c */
call_fn profile_generate;

/* ---- between these files -------------------------------------------------------------- */

/* All that is current of one id. */
struct profile_state {
    const char *id, *repository, *digest;        /* digest "": every image of the repository */
    struct profile_row rows[PROFILE_SOURCE_N];   /* id 0: none */
    struct profile profiles[PROFILE_SOURCE_N];
};
/* ERR_NOT_FOUND: no profile of that id, or not one the caller may see. */
int profile_state_load(struct call *c, const char *id, struct profile_state *out, struct err *err);
const struct profile *profile_state_get(const struct profile_state *s, int source);     /* NULL none */

int profile_from_text(const char *document, struct arena *arena, struct profile *out, struct err *err);
int profile_to_text(const struct profile *p, struct arena *arena, const char **out, struct err *err);

/* What the images concerned were seen doing, judged. */
struct profile_evidence {
    struct learned_item *items; size_t n;
    struct observation *observations;
};
int profile_evidence_load(struct call *c, const char *repository, const char *digest, const char *const *accept, size_t n_accept,
                          struct profile_evidence *out, struct err *err);
struct learn_rules profile_rules(const struct call *c);

void profile_version_of(const struct profile_row *row, struct profile_version *out);
int profile_observations_view(const struct learned_item *items, size_t n, bool only_doubted, struct arena *arena,
                              const struct observation_answer **out, size_t *n_out, struct err *err);
int profile_promotion(struct call *c, const struct profile_state *s, const struct profile_evidence *e, int to, struct promotion *out,
                      struct err *err);
/* Of a query's words. */
int profile_source_asked(const struct profile_state *s, int from, const struct profile **out, struct err *err);

#endif
