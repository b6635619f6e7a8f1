/* unified.h - two texts, and what lines differ, as `diff -u` writes it. */
#ifndef KEEP_CTL_UNIFIED_H
#define KEEP_CTL_UNIFIED_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { UNIFIED_CONTEXT = 3, UNIFIED_LINES_MAX = 200000 };

/* Appends nothing when the texts are equal.  The fewest lines change, unless what lies
 * between the first and the last difference is so long that it is shown as replaced
 * whole.  Memory for the comparison is the arena's.  ERR_TOO_LARGE, ERR_UNAVAILABLE. */
int unified_diff(struct arena *arena, const char *name_a, struct bytes a, const char *name_b, struct bytes b,
                 struct buf *out, struct err *err);

#endif
