/* freshness.c - see freshness.h. */
#include "core/freshness.h"

#include "base/time.h"
#include "wire/msg/words.h"

const char *freshness_word(enum freshness f)
{
    return freshness_words[(unsigned)f < FRESHNESS_N ? f : FRESHNESS_UNKNOWN];
}

enum freshness freshness_decide(const struct image *image, const struct freshness_limits *limits, int64_t now_ms)
{
    if (!image->has_scan)
        return FRESHNESS_NEVER_SCANNED;
    if (image->scanned_ms == TIME_UNKNOWN)
        return FRESHNESS_UNKNOWN;
    if (image->scanned_ms < now_ms - limits->scan_max_age_ms)
        return FRESHNESS_STALE_SCAN;
    if (image->db_built_ms == TIME_UNKNOWN)
        return FRESHNESS_UNKNOWN;
    if (image->db_built_ms < now_ms - limits->database_max_age_ms)
        return FRESHNESS_STALE_DATABASE;
    return FRESHNESS_FRESH;
}

static void earlier(int64_t *next, int64_t start_ms, int64_t age_ms, int64_t now_ms)
{
    if (start_ms == TIME_UNKNOWN)
        return;
    int64_t at = start_ms + age_ms + 1;      /* the first millisecond past the limit */
    if (at > now_ms && at < *next)
        *next = at;
}

int64_t freshness_next_change(const struct image *image, const struct freshness_limits *limits, int64_t now_ms)
{
    int64_t next = INT64_MAX;

    earlier(&next, image->scanned_ms, limits->scan_max_age_ms, now_ms);
    earlier(&next, image->db_built_ms, limits->database_max_age_ms, now_ms);
    return next;
}
