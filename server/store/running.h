/* running.h - which containers run which image, as clusters report it, or as it
 * follows from what their nodes report (store/container.h).  A place runs several
 * images while it is rolled out. */
#ifndef KEEP_STORE_RUNNING_H
#define KEEP_STORE_RUNNING_H

#include "base/arena.h"
#include "core/freshness.h"
#include "db/db.h"
#include "model/image.h"

extern const struct db_queries running_queries;

struct running {
    const char *cluster, *namespace, *workload, *container;
    int64_t image_id, replicas, seen_ms;
    const char *digest, *repository, *tag;
    int verdict, freshness;
};

/* A cluster's whole set is replaced: clear (its part of the images' numbers is taken
 * away), add, then recount (the new part is added), all in one transaction. */
int running_clear(struct db *db, const char *cluster, struct err *err);
int running_add(struct db *db, const struct running *r, struct err *err);
int running_recount(struct db *db, const char *cluster, struct err *err);

/* After (cluster, namespace, workload, container, image) of the last row of the page before. */
struct running_filter {
    const char *cluster, *namespace, *image;     /* NULL: any */
    int verdict;                                 /* enum decision + 1, 0 any */
    bool stale;
    const char *after[4];
    int64_t after_image;
    int64_t limit;
};
int running_list(struct db *db, const struct running_filter *f, const struct freshness_limits *limits, int64_t now_ms,
                 struct arena *arena, struct running **items, size_t *n, struct err *err);
int running_of_image(struct db *db, int64_t image_id, struct arena *arena, struct running **items, size_t *n, struct err *err);

#endif
