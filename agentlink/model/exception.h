/* exception.h - a risk somebody accepted: what, where, why, who, until when. */
#ifndef KEEP_MODEL_EXCEPTION_H
#define KEEP_MODEL_EXCEPTION_H

#include <stdint.h>

struct exception {
    const char *id;
    const char *vulnerability;       /* exactly one of these two is there */
    const char *rule;                /* "policy/validation" */
    /* Scope: NULL is "any"; all that are given must match. */
    const char *repository;          /* pattern */
    const char *digest;
    const char *package;             /* "name", "name@version" or a purl without qualifiers */
    const char *namespace;           /* where it runs */
    const char *reason, *owner;
    const char *source;              /* manual, openvex */
    const char *vex_status;          /* not_affected, fixed */
    const char *justification;
    int64_t created_ms;
    const char *created_by;
    int64_t expires_ms;              /* always there */
    int64_t revoked_ms;
    const char *state;               /* active, expired, revoked: computed when asked */
    int64_t applies_to;              /* images now; -1: not asked */
};

#endif
