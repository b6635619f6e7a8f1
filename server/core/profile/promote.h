/* promote.h - when a profile may go from discover to monitor, and to protect.  Pure. */
#ifndef KEEP_CORE_PROFILE_PROMOTE_H
#define KEEP_CORE_PROFILE_PROMOTE_H

#include "core/profile/diff.h"

enum { PROMOTE_RULES_MAX = 6 };

struct promote_check {
    const char *rule;                    /* word: "containers", "watched", "quiet", "doubts", "departures", "covered" */
    bool is_met;
    const char *text;                    /* sentence with the numbers; in the arena */
};
struct promotion {
    int from, to;                        /* enum profile_mode */
    bool is_ready;                       /* every check is met */
    struct promote_check checks[PROMOTE_RULES_MAX];
    size_t n_checks;
};

/* May a profile in mode `from` go to `to`?  Back is always allowed; up only one step at
 * a time, when the evidence is there.  rows: diff_make of it. */
int promote_decide(int from, int to, const struct profile *enforced, const struct diff_row *rows, size_t n_rows,
                   const struct learn_rules *rules, int64_t now_ms, struct arena *arena, struct promotion *out, struct err *err);

#endif
