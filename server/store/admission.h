/* admission.h - recorded admission reviews. */
#ifndef KEEP_STORE_ADMISSION_H
#define KEEP_STORE_ADMISSION_H

#include "db/db.h"
#include "model/admission.h"

extern const struct db_queries admission_queries;

/* A new row; its id is the last one's + 1. */
int admission_insert(struct db *db, const struct admission *a, struct err *err);

/* Newest first, id < before.  Without reviews. */
int admission_list(struct db *db, const struct admission_query *q, int64_t before, int64_t limit, struct arena *arena,
                   struct admission **out, size_t *n, struct err *err);

/* Those with a review that are newer than id `after`, oldest first: for trying
 * policies on the past.  Reviews are unpacked: the bytes as they came. */
int admission_list_reviews(struct db *db, int64_t after, int64_t limit, struct arena *arena, struct admission **out, size_t *n,
                           struct err *err);

/* Drops those from before before_ms, and all but the newest `keep`; at most limit
 * of each kind.  *dropped: how many. */
int admission_retain(struct db *db, int64_t before_ms, int64_t keep, int64_t limit, int64_t *dropped, struct err *err);

#endif
