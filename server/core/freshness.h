/* freshness.h - the two clocks of a scan: its own age, and its database's. */
#ifndef KEEP_CORE_FRESHNESS_H
#define KEEP_CORE_FRESHNESS_H

#include "model/image.h"

#include <stdint.h>

struct freshness_limits {
    int64_t scan_max_age_ms, database_max_age_ms;
};

/* The state at now.  A scan older than its limit outweighs a database older
 * than its own: rescanning renews both. Exactly at the limit is still fresh. */
enum freshness freshness_decide(const struct image *image, const struct freshness_limits *limits, int64_t now_ms);

/* The first moment after now at which the state changes by itself; INT64_MAX: never. */
int64_t freshness_next_change(const struct image *image, const struct freshness_limits *limits, int64_t now_ms);

const char *freshness_word(enum freshness f);     /* "stale_scan"; never NULL */

#endif
