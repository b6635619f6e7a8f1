/* observation.h - what images were seen doing, counted. */
#ifndef KEEP_STORE_OBSERVATION_H
#define KEEP_STORE_OBSERVATION_H

#include "base/arena.h"
#include "db/db.h"
#include "model/observation.h"

extern const struct db_queries observation_queries;

/* All of an image, at most OBSERVATIONS_PER_IMAGE_MAX. */
int observation_list(struct db *db, int64_t image_id, struct arena *arena, struct observation **out, size_t *n, struct err *err);

/* 1 found, 0 not, -1. */
int observation_get(struct db *db, int64_t image_id, int part, const char *item, const char *parent, struct arena *arena,
                    struct observation *out, struct err *err);

/* Writes all of it, new or known. */
int observation_put(struct db *db, const struct observation *o, struct err *err);

/* The images of a repository that were seen doing something, the newest first. */
int observation_images(struct db *db, const char *repository, int64_t limit, struct arena *arena, int64_t **ids, size_t *n,
                       struct err *err);

#endif
