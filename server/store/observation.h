/* observation.h - what images were seen doing, counted. */
#ifndef KEEP_STORE_OBSERVATION_H
#define KEEP_STORE_OBSERVATION_H

#include "base/arena.h"
#include "db/db.h"
#include "model/profile.h"

extern const struct db_queries observation_queries;

enum { OBSERVED_CONTAINERS_MAX = 32, OBSERVED_NODES_MAX = 16, OBSERVATIONS_PER_IMAGE_MAX = 4096 };

/* Words of doubt that only the moment of seeing knows. */
#define OBSERVED_RAISED       "alert"           /* the event raised one */
#define OBSERVED_NOT_IN_IMAGE "not-in-image"    /* its source says the program was written later */

struct observation {
    int64_t image_id;
    int part;                            /* enum profile_part */
    const char *item, *parent;
    int64_t n, n_containers, n_nodes, n_hours, first_ms, last_ms;
    const char *doubt;                   /* words with spaces between, "" none */
    struct bytes containers, nodes;      /* hashes of 4 bytes each */
};

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
