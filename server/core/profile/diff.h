/* diff.h - declared, observed and enforced side by side.  Pure. */
#ifndef KEEP_CORE_PROFILE_DIFF_H
#define KEEP_CORE_PROFILE_DIFF_H

#include "core/profile/learn.h"

/* What a column says of a row.  not covered: that profile does not judge the part, or is not there. */
enum diff_cell { DIFF_NOT_COVERED = 0, DIFF_NO, DIFF_YES, DIFF_CELL_N };
extern const char *const diff_cell_words[];          /* "not covered", "no", "yes" */

struct diff_row {
    int part;
    const char *item, *parent;
    int declared, enforced;                          /* enum diff_cell: allowed there */
    int observed;                                    /* DIFF_YES, or DIFF_NO: allowed, but never seen */
    const struct learned_item *seen;                 /* NULL: not observed */
    const char *note;                                /* what is to be thought of it; NULL nothing */
};

/* Rows by part and item.  declared and enforced may be NULL. */
int diff_make(const struct profile *declared, const struct profile *enforced, const struct learned_item *seen, size_t n_seen,
              struct arena *arena, struct diff_row **rows, size_t *n, struct err *err);

#endif
