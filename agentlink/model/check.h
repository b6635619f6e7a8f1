/* check.h - configuration judged: every reason with the line it stands in. */
#ifndef KEEP_MODEL_CHECK_H
#define KEEP_MODEL_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check_reason {
    uint32_t at;                         /* place among all files; not on the wire */
    const char *file;
    int64_t line, column;                /* from 1 */
    const char *object;                  /* whose: "service web", "Deployment shop/web"; "" the file's */
    const char *policy, *rule;           /* "configuration" and "pod-security" are Keep's own */
    int severity;                        /* enum severity */
    int effect;                          /* DECISION_FAIL, DECISION_WARN, DECISION_UNKNOWN */
    const char *message, *path, *remediation;       /* path "" or "$": the object as a whole */
};

struct check_answer {
    int decision;                        /* enum decision: the worst reason */
    const struct check_reason *reasons; size_t n_reasons;      /* worst first, then by place */
    bool is_truncated;                   /* there were more */
    int64_t objects, passed_over;        /* judged; documents that bear no containers */
    int64_t policy_version;              /* of the set that was asked; 0: none */
};

#endif
