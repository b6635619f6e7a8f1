/* observation.h - one thing an image was seen doing, counted. */
#ifndef KEEP_MODEL_OBSERVATION_H
#define KEEP_MODEL_OBSERVATION_H

#include "base/str.h"

/* Words of doubt that only the moment of seeing knows. */
#define OBSERVED_RAISED       "alert"           /* the event raised one */
#define OBSERVED_NOT_IN_IMAGE "not-in-image"    /* its source says the program was written later */

enum { OBSERVED_CONTAINERS_MAX = 32, OBSERVED_NODES_MAX = 16, OBSERVATIONS_PER_IMAGE_MAX = 4096 };

struct observation {
    int64_t image_id;
    int part;                            /* enum profile_part */
    const char *item, *parent;           /* as core/profile/item.h writes them; parent "" none */
    int64_t n, n_containers, n_nodes, n_hours, first_ms, last_ms;
    const char *doubt;                   /* words with spaces between, "" none */
    struct bytes containers, nodes;      /* hashes of 4 bytes each, up to the bounds above */
};

#endif
