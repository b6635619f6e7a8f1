/* review_judge.h - between review.c, which speaks, and review_judge.c, which finds out. */
#ifndef KEEP_SERVICE_REVIEW_JUDGE_H
#define KEEP_SERVICE_REVIEW_JUDGE_H

#include "core/admission.h"
#include "service/call.h"

/* Fills everything of `out` but the settings: policies that need the object alone
 * first, then images, looked up until deadline_ms (monotonic; the rest is then
 * unknown).  Reads only.  What it points to lives in the arena and in the held
 * policies (service/policies.h). */
int review_judge(struct call *c, const struct policy_set *held, const struct admission_review *review, const char *cluster,
                 int64_t deadline_ms, struct admission_case *out, struct err *err);

#endif
