/* recheck.h - which images a change of rules is about, and the mark that they
 * must be judged anew (next_check_ms = 0). */
#ifndef KEEP_STORE_RECHECK_H
#define KEEP_STORE_RECHECK_H

#include "db/db.h"

extern const struct db_queries recheck_queries;

/* All given must match; NULL is "any". */
struct recheck_scope {
    const char *repository;            /* pattern */
    const char *digest;                /* of the image or an alias of it */
    const char *vulnerability;         /* name or alias; images with such a finding */
    const char *package;               /* name only */
    const char *namespace;             /* runs there */
};

/* Marks; *n (may be NULL) counts images. */
int recheck_mark(struct db *db, const struct recheck_scope *scope, struct arena *arena, int64_t *n, struct err *err);

/* Only counts. */
int recheck_count(struct db *db, const struct recheck_scope *scope, int64_t *n, struct err *err);

#endif
