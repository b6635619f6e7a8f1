/* recheck.h - which images a change of rules is about, and the mark that they
 * must be judged anew (next_check_ms = 0, with the cause). */
#ifndef KEEP_STORE_RECHECK_H
#define KEEP_STORE_RECHECK_H

#include "db/db.h"

extern const struct db_queries recheck_queries;

/* All given must match; NULL is "any". */
struct recheck_scope {
    const char *repository;            /* pattern, in full (imageref_pattern_parse) */
    const char *digest;                /* of the image or an alias of it */
    const char *vulnerability;         /* name or alias; images with such a finding */
    const char *package;               /* name only */
    const char *namespace;             /* runs there */
};

/* An image in scope. */
struct recheck_image {
    int64_t id;
    const char *digest, *repository;
};

enum { RECHECK_MAX = 1000000 };

/* By id; ERR_TOO_LARGE beyond max. */
int recheck_list(struct db *db, const struct recheck_scope *scope, size_t max, struct arena *arena,
                 struct recheck_image **out, size_t *n, struct err *err);

/* Marks all in scope; write transaction. */
int recheck_mark(struct db *db, const struct recheck_scope *scope, const char *cause, struct arena *arena, struct err *err);

/* Only counts. */
int recheck_count(struct db *db, const struct recheck_scope *scope, int64_t *n, struct err *err);

#endif
