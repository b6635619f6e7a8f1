/* facts_cache.h - what admission looks up again and again: exceptions, and images
 * with their findings.
 *
 * Exact, never merely recent: what is kept belongs to one connection and one state
 * of the database (db_data_version), and is thrown away as soon as the transaction
 * that asks sees another one.  Where the engine cannot tell, nothing is kept.
 * Measured reason: an image with 300 findings takes a millisecond to load. */
#ifndef KEEP_SERVICE_FACTS_CACHE_H
#define KEEP_SERVICE_FACTS_CACHE_H

#include "core/admission.h"
#include "db/db.h"
#include "model/exception.h"

struct facts_cache;

int facts_cache_new(struct facts_cache **out, struct err *err);
void facts_cache_free(struct facts_cache *c);          /* nobody may ask any more; NULL-safe */

/* One transaction's view; after its first query.  Everything it gives out lives as
 * long as the arena and until the transaction ends. */
struct facts_source {
    struct db *db;
    struct kept_facts *kept;             /* NULL: nothing is kept */
    struct freshness_limits limits;
    int64_t now_ms;
    struct arena *arena;
};
void facts_cache_enter(struct facts_cache *c, struct db *db, const struct freshness_limits *limits, int64_t now_ms,
                       struct arena *arena, struct facts_source *out);

/* All exceptions that hold. */
int facts_exceptions(struct facts_source *s, const struct exception **out, size_t *n, struct err *err);

/* The image of image->reference: fills its digest, by_tag, is_known.  *facts is the
 * caller's to mark (core/tally.h), or NULL when Keep does not know the image. */
int facts_image_of(struct facts_source *s, bool with_aliases, struct admission_image *image, struct image_facts **facts,
                   struct err *err);

/* For tests and metrics: how often it was answered from what is kept, and how often not. */
void facts_cache_counts(const struct facts_cache *c, int64_t *hits, int64_t *misses);

#endif
