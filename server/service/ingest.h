/* ingest.h - what taking events in counts. */
#ifndef KEEP_SERVICE_INGEST_H
#define KEEP_SERVICE_INGEST_H

#include "service/events.h"
#include "service/judge_events.h"

enum ingest_count {
    INGEST_BATCHES = 0, INGEST_EVENTS, INGEST_REPEATED, INGEST_REFUSED, INGEST_DROPPED, INGEST_ALERTING, INGEST_SUPPRESSED,
    INGEST_UNKNOWN_IMAGE, INGEST_FORGOTTEN, INGEST_N
};

/* NULL-safe: tests run without. */
void ingest_count(struct app *app, enum ingest_count what, int64_t n);

/* New alerts a node may raise in an hour; what is past them is counted on one alert, so
 * that a node that invents departures buries nobody else's.  On the writer's thread. */
enum { ALERTS_PER_HOUR = 1000 };
bool ingest_may_raise(struct app *app, int64_t node, int64_t now_ms);
void ingest_raised(struct app *app, int64_t node, int64_t now_ms);

/* The numbers of a batch that was recorded. */
void ingest_count_batch(struct app *app, const struct judged_batch *b, int64_t dropped);

#endif
