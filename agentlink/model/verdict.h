/* verdict.h - may this image pass, and every reason why not. */
#ifndef KEEP_MODEL_VERDICT_H
#define KEEP_MODEL_VERDICT_H

#include "model/image.h"

struct reason_finding {
    const char *vulnerability, *package, *version, *fixed_version;
};

struct reason {
    const char *policy, *rule;
    int severity;                        /* enum severity */
    int effect;                          /* DECISION_FAIL, DECISION_WARN or DECISION_UNKNOWN */
    const char *message;
    const struct reason_finding *finding;   /* NULL: not about one */
    const char *where;                   /* file, workload, JSON path */
    int64_t since_ms;                    /* TIME_UNKNOWN: not known */
    const char *remediation;
};

/* What a policy wants to be written beside the decision. */
struct verdict_annotation {
    const char *policy, *key, *value;
};

struct verdict {
    const char *image;                   /* digest */
    int decision;                        /* enum decision */
    int64_t decided_ms;
    int freshness;
    int64_t policy_version;              /* of the whole set: grows with every change */
    const struct reason *reasons; size_t n_reasons;
    const struct reason *audited; size_t n_audited;      /* what policies in mode audit found: decides nothing */
    const struct verdict_annotation *annotations; size_t n_annotations;
    const char *const *missing; size_t n_missing;
    bool is_unsigned;                    /* rests on evidence nobody signed */
    int64_t excepted;                    /* findings and reasons that exceptions cover */
    int64_t valid_until_ms;              /* when time alone may change it; TIME_UNKNOWN: never */
};

#endif
