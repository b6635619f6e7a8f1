/* container.h - running containers, as nodes report them, and what they break.
 *
 * `running` (store/running.h) of the places they run in is derived from them: after
 * containers of a place have changed, container_recount makes its rows and the
 * images' numbers true again, in the same transaction. */
#ifndef KEEP_STORE_CONTAINER_H
#define KEEP_STORE_CONTAINER_H

#include "core/freshness.h"
#include "db/db.h"
#include "model/container_answer.h"
#include "model/image.h"

extern const struct db_queries container_queries, container_list_queries;

struct container_place {
    const char *cluster, *namespace, *workload, *name;
};

struct container_row {
    int64_t node, image_id;              /* image_id 0: not known */
    int image_by;
    const struct container *container;
    struct container_place place;
    int64_t seen_ms;
    const char *document;
};

/* The node's part: what generation is stored, and whose cluster it is in. */
int container_generation(struct db *db, int64_t node, struct arena *arena, int64_t *generation, const char **cluster, struct err *err);
int container_set_generation(struct db *db, int64_t node, int64_t generation, struct err *err);

int container_count(struct db *db, int64_t node, int64_t *n, struct err *err);
/* Of all nodes, those with this verdict (enum decision) of the run stage. */
int container_count_verdict(struct db *db, int verdict, int64_t *n, struct err *err);

/* New or changed: it is to be judged. */
int container_put(struct db *db, const struct container_row *row, struct err *err);
int container_delete(struct db *db, int64_t node, const char *id, struct err *err);
/* 1 with the place, 0 no such container. */
int container_find_place(struct db *db, int64_t node, const char *id, struct arena *arena, struct container_place *out, struct err *err);
int container_ids(struct db *db, int64_t node, struct arena *arena, const char ***ids, size_t *n, struct err *err);

/* What a policy may ask of a node, as JSON. */
int container_node_facts(struct db *db, int64_t node, struct arena *arena, const char **json, struct err *err);

/* Does any node report containers of this cluster? */
int container_cluster_has(struct db *db, const char *cluster, bool *has, struct err *err);
int container_recount(struct db *db, const struct container_place *place, struct err *err);

/* A node not heard of since before_ms of which containers are still stored, and some of
 * them.  n 0: there is none. */
int container_list_lost(struct db *db, int64_t before_ms, size_t max, struct arena *arena, int64_t *node, const char ***ids, size_t *n,
                        struct err *err);

/* Which container a node means: by id, or by a prefix of one. 1, 0, -1. */
struct container_identity {
    const char *id, *name, *namespace, *pod, *workload, *service, *digest, *image_ref;
    int64_t image_id;                    /* 0: not known */
};
int container_identify(struct db *db, int64_t node, const char *id, struct arena *arena, struct container_identity *out, struct err *err);

/* ---- judgement -------------------------------------------------------------------- */

struct container_due {
    int64_t node, image_id;
    const char *container_id, *cluster, *document;
    int image_by;
    int verdict;
};
/* The longest overdue, those of one image together; at most max. */
int container_list_due(struct db *db, int64_t now_ms, size_t max, struct arena *arena, struct container_due **out, size_t *n, struct err *err);
int container_set_verdict(struct db *db, const struct container_due *which, int decision, const char *reasons, int64_t now_ms,
                          int64_t next_check_ms, struct err *err);
int container_set_image(struct db *db, const struct container_due *which, int64_t image_id, int image_by, struct err *err);
int container_clear_breaks(struct db *db, int64_t node, const char *id, struct err *err);
int container_add_break(struct db *db, int64_t node, const char *id, const char *policy, const char *rule, struct err *err);

int container_mark_image(struct db *db, int64_t image_id, struct err *err);
int container_mark_all(struct db *db, struct err *err);

/* ---- questions -------------------------------------------------------------------- */

struct container_filter {
    int64_t vulnerability, image_id;     /* 0: any */
    const char *package, *policy, *rule, *cluster, *namespace, *node, *sandbox, *q;     /* NULL: any */
    bool stale, privileged;
    int verdict;                         /* enum decision + 1, 0 any */
    int64_t after_node;                  /* of the last row of the page before */
    const char *after_id;                /* NULL: from the start */
    int64_t limit;
};

struct container_shown {
    int64_t node;
    struct container_answer answer;      /* without image and node_state */
    int64_t node_enrolled_ms, node_revoked_ms, node_seen_ms;
    struct image image;                  /* id 0: not known */
    const char *document;                /* container_get */
};
int container_list(struct db *db, const struct container_filter *f, const struct freshness_limits *limits, int64_t now_ms,
                   struct arena *arena, struct container_shown **out, size_t *n, struct err *err);
/* 1, 0, -1.  node_id is the one that is shown. */
int container_get(struct db *db, const char *node_id, const char *id, struct arena *arena, struct container_shown *out, struct err *err);

#endif
