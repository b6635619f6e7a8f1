/* container_answer.h - running containers as the API tells of them. */
#ifndef KEEP_MODEL_CONTAINER_ANSWER_H
#define KEEP_MODEL_CONTAINER_ANSWER_H

#include "model/answer.h"
#include "model/container.h"
#include "model/page.h"

/* How Keep knows which image it is. */
enum container_image_by { CONTAINER_BY_NOTHING = 0, CONTAINER_BY_DIGEST, CONTAINER_BY_ID, CONTAINER_BY_TAG, CONTAINER_BY_N };

struct container_query {
    struct page_query page;
    const char *cve, *package, *policy, *image, *cluster, *namespace, *node, *sandbox, *q;
    bool stale, privileged;
    int verdict;                         /* enum decision + 1, 0 any */
};

struct container_answer {
    const char *id, *name, *node_id, *node, *cluster, *namespace, *pod, *workload, *service, *engine, *runtime, *sandbox;
    const char *node_state;              /* word: revoked, invited, silent, enrolled */
    const char *reference, *digest;      /* as the node says */
    const struct image_brief *image;     /* NULL: Keep does not know it */
    int image_by;                        /* enum container_image_by */
    bool is_privileged;
    int64_t user_id, started_ms, seen_ms;
    int verdict;                         /* enum decision */
    int64_t judged_ms;                   /* TIME_UNKNOWN: not yet */
    const char *reasons;                 /* JSON list */
    const struct container *detail;      /* all that was reported; NULL in lists */
};
struct container_list_answer { const struct container_answer *items; size_t n_items; const char *next; };

#endif
