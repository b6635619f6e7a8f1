/* admission.h - a question of Kubernetes and its answer, as it is remembered. */
#ifndef KEEP_MODEL_ADMISSION_H
#define KEEP_MODEL_ADMISSION_H

#include "base/str.h"
#include "model/page.h"

#include <stdbool.h>
#include <stdint.h>

struct admission {
    int64_t id, at_ms;
    const char *cluster, *namespace, *kind, *name, *operation, *username, *uid;
    int outcome;                     /* enum admission_outcome */
    bool allowed;
    const char *break_glass;         /* NULL: none */
    const char *reasons, *images;    /* JSON lists */
    int64_t policy_version;
    bool has_review;                 /* it can be replayed */
    struct bytes review;             /* compressed; only where it is asked for */
};

/* NULL and 0: not filtered by. */
struct admission_query {
    struct page_query page;
    const char *cluster, *namespace, *kind, *name;
    int outcome;                     /* enum admission_outcome + 1 */
};

#endif
