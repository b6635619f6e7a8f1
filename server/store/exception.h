/* exception.h - rows of exceptions.  Never deleted: a verdict may rest on one. */
#ifndef KEEP_STORE_EXCEPTION_H
#define KEEP_STORE_EXCEPTION_H

#include "db/db.h"
#include "model/exception.h"

extern const struct db_queries exception_queries;

enum { EXCEPTIONS_ACTIVE_MAX = 100000 };

/* NULL and TIME_UNKNOWN: not filtered by. */
struct exception_filter {
    const char *state;                 /* active, expired, revoked */
    const char *vulnerability, *rule, *owner;
    int64_t expires_before_ms;         /* active ones that will be over by then */
};

int exception_insert(struct db *db, const struct exception *e, struct err *err);
int exception_get(struct db *db, const char *id, struct arena *arena, struct exception *out, struct err *err);

/* Newest first, before (before_ms, before_id). */
int exception_list(struct db *db, const struct exception_filter *f, int64_t now_ms,
                   int64_t before_ms, const char *before_id, int64_t limit, struct arena *arena,
                   struct exception **out, size_t *n, struct err *err);

/* All that hold at now_ms, oldest first: what judging an image needs. */
int exception_list_active(struct db *db, int64_t now_ms, struct arena *arena,
                          struct exception **out, size_t *n, struct err *err);

/* Active ones from VEX for exactly this vulnerability and scope (those of `like`). */
int exception_list_same_vex(struct db *db, const struct exception *like, int64_t now_ms, struct arena *arena,
                            struct exception **out, size_t *n, struct err *err);

int exception_revoke(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err);

#endif
