/* drift.h - does an event depart from what its image is expected to do?
 *
 * Pure: profile, event and what is known of the image in, findings out.  A part that
 * the profile does not cover is never departed from.  The mode is the caller's
 * business: findings are the same in discover, which says nothing of them. */
#ifndef KEEP_CORE_DRIFT_H
#define KEEP_CORE_DRIFT_H

#include "core/profile/compile.h"
#include "model/alert.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>

enum { DRIFT_MAX = 4, DRIFT_SUBJECT_MAX = 512, DRIFT_TEXT_MAX = 400 };

/* Files the image is known to hold.  Sorted by strcmp. */
struct image_files {
    const char *const *paths; size_t n;
    bool is_complete;                    /* what is not listed is not there */
};

struct drift_finding {
    int rule;                            /* enum drift_rule */
    int severity;                        /* as events have it: 0 worst */
    char subject[DRIFT_SUBJECT_MAX];     /* path, "tcp/8081", peer: what makes two findings the same */
    char message[DRIFT_TEXT_MAX];        /* one sentence */
    char expected[DRIFT_TEXT_MAX];       /* what the profile allows instead, cut */
};

/* Returns how many of out are filled, the worst first.  files may be NULL. */
size_t drift_decide(const struct profile_compiled *profile, const struct event *event, const struct image_files *files,
                    struct drift_finding out[DRIFT_MAX]);

#endif
