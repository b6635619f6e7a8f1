/* review_judge.h - between review.c, which speaks, and review_judge.c, which finds out. */
#ifndef KEEP_SERVICE_REVIEW_JUDGE_H
#define KEEP_SERVICE_REVIEW_JUDGE_H

#include "core/admission.h"
#include "service/call.h"
#include "service/policies.h"

/* Fills everything of `out` but the settings: policies that need the object alone
 * first, then images, looked up until deadline_ms (monotonic; the rest is then
 * unknown).  Reads only.  What it points to lives in the arena and in the held
 * policies (service/policies.h). */
int review_judge(struct call *c, const struct policy_set *held, const struct admission_review *review, const char *cluster,
                 int64_t deadline_ms, struct admission_case *out, struct err *err);

/* The same by any policies; what was looked up already is not looked up again. */
struct review_judgement {
    const struct freshness_limits *limits;
    int64_t version;                     /* of the policies */
    const struct exception *exceptions; size_t n_exceptions;
    bool has_exceptions, with_aliases;   /* exceptions were read; one of them names something that is not a CVE */
    const char *cluster;
    int64_t deadline_ms;
};
int review_judge_by(struct call *c, const struct policies_split *split, const struct review_judgement *how,
                    const struct admission_review *review, struct admission_case *out, struct err *err);

#endif
