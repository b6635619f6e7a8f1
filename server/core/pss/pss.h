/* pss.h - the Pod Security Standards, exactly, for every version from 1.0 to 1.37.
 *
 * One table says which check belongs to which level, since when, what it
 * replaces and when it is waived; what Kubernetes' own admission plug-in says of
 * a pod is what is said here, word for word.  Pure; borrows from the object.
 *
 * A pod from a file has no defaults yet: a volume without a source is an
 * emptyDir, and with hostNetwork a container's port is the host's.  `null` is
 * "not set", never false.  A value of a type the field cannot have would be
 * refused by Kubernetes; here it becomes a violation of its own, `malformed`, so
 * that nothing passes because nobody could read it. */
#ifndef KEEP_CORE_PSS_H
#define KEEP_CORE_PSS_H

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stddef.h>

/* Zero is the strictest. */
enum pss_level { PSS_RESTRICTED = 0, PSS_BASELINE, PSS_PRIVILEGED };
extern const char *const pss_level_words[];    /* "restricted", "baseline", "privileged", NULL */

enum { PSS_LATEST = 37 };                      /* minor version whose rules are the newest known */

/* Where a value stands that broke a check; or, when it is missing, where it belongs. */
struct pss_place {
    const char *path;                          /* "$.spec.containers[0].securityContext.privileged" */
    const struct json *at;                     /* the value, or the nearest around it that is there */
};

struct pss_violation {
    const char *id;                            /* "capabilities_baseline" */
    const char *reason;                        /* "non-default capabilities" */
    const char *detail;                        /* never NULL, may be "" */
    const struct pss_place *places; size_t n_places;     /* at most 200 */
};

/* The checks that fail, in the order Kubernetes names them; `malformed` last.
 * `object` is a pod or anything that bears one (core/workload.h); what bears none
 * has no violations.  Versions above 1.37 mean 1.37, below 1.0 mean 1.0.
 * Everything lives in the arena; fails only when that is full (ERR_UNAVAILABLE). */
int pss_check(const struct json *object, enum pss_level level, int minor_version, struct arena *arena,
              struct pss_violation **out, size_t *n, struct err *err);

/* `violates PodSecurity "restricted:latest": reason (detail), reason (detail)`; the
 * version is the text the caller was given.  NULL: arena full. */
const char *pss_message(struct arena *arena, enum pss_level level, const char *version,
                        const struct pss_violation *v, size_t n);

/* "baseline"; "latest", "v1.25", "1.25".  False: not one, *out untouched. */
bool pss_level_from_text(const char *text, enum pss_level *out);
bool pss_version_from_text(const char *text, int *minor_version);

/* All checks, for listings and tests; i from 0 until NULL.  *since is the first minor version. */
const char *pss_check_id(size_t i, enum pss_level *level, int *since);

#endif
