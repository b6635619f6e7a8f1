/* impact.h - what a changed policy would change, before it does.
 *
 * The body of POST /v1/policies/{name}/impact is the document as it would be
 * written.  It is tried, beside the policies in force, on every known image
 * (stage build) and on every recorded admission review (stage deploy), with
 * today's facts, exceptions and clock: what differs is the policy's doing.
 * Reads only; gives up after IMPACT_TIME_MS and says so. */
#ifndef KEEP_SERVICE_IMPACT_H
#define KEEP_SERVICE_IMPACT_H

#include "core/policy.h"
#include "model/impact.h"
#include "service/call.h"

enum { IMPACT_TIME_MS = 60000, IMPACT_GROUPS = 200, IMPACT_EXAMPLES = 20, IMPACT_REASONS = 3 };

call_fn policy_impact;                        /* POST /v1/policies/{name}/impact */

/* ---- between impact.c, impact_review.c and impact_sum.c ---- */

/* The same thing judged three ways: by all other policies, by this one as it is,
 * by this one as it would be. */
struct impact_run {
    struct call *call;                        /* answers live in its arena */
    struct arena scratch;                     /* of the image or review in turn */
    struct policy_set others, before, after;  /* before: none or one policy */
    const struct exception *exceptions; size_t n_exceptions;
    bool with_aliases;
    int64_t deadline_ms;                      /* monotonic */
    struct impact *out;
    struct impact_group *groups;
    struct impact_example *examples;
    bool failed;                              /* the call's arena is full */
};

/* What is known of the thing that was judged. */
struct impact_item {
    const char *name, *digest, *team, *repository, *cluster, *namespace;
    int64_t at_ms;
    int before, after;                        /* enum decision */
    const struct reason *reasons; size_t n_reasons;        /* of the changed policy */
    bool same_reasons;
};
void impact_add(struct impact_run *run, struct impact_counts *counts, const struct impact_item *item);
void impact_finish(struct impact_run *run);
bool impact_same_reasons(const struct reason *a, size_t n_a, const struct reason *b, size_t n_b);
int impact_worse(int a, int b);
bool impact_time_is_up(struct impact_run *run);

int impact_reviews(struct impact_run *run, struct err *err);

#endif
