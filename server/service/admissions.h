/* admissions.h - what admission keeps in memory: settings as lists, counters, and
 * the batch of answers that wait to be recorded.
 *
 * A refusal is durable before it is answered.  What was let in is recorded in
 * batches by a thread of its own, so that no review waits for the disk; what does
 * not fit into the batch is counted and lost (it was let in: nothing rests on it). */
#ifndef KEEP_SERVICE_ADMISSIONS_H
#define KEEP_SERVICE_ADMISSIONS_H

#include "base/buf.h"
#include "core/admission.h"
#include "model/admission.h"
#include "service/app.h"
#include "store/audit.h"

enum { ADMISSIONS_REVIEW_MAX = 256 << 10 };      /* bytes of a review that is kept for replays */

struct admissions;

/* Starts the thread; app->writer must be open.  Sets app->admissions. */
int admissions_open(struct app *app, struct err *err);
/* Records what waits, ends the thread.  The writer must still be open; NULL-safe. */
void admissions_close(struct app *app);

const struct admission_scope *admissions_scope(const struct app *app);

struct facts_cache *admissions_facts(const struct app *app);      /* service/facts_cache.h; NULL: not open */

/* Copies; never waits.  `review` are the bytes as they came, uncompressed. */
void admissions_add(struct app *app, const struct admission *row, struct bytes review);

/* Waits until the row (and the audit entry, may be NULL) is durable, at most
 * within_ms: then ERR_TIMEOUT, and it is still being written.  Not from the writer's
 * thread. */
int admissions_record(struct app *app, const struct admission *row, struct bytes review, const struct audit_entry *audit,
                      int64_t within_ms, struct err *err);

/* Everything added so far is written (tests). */
void admissions_flush(struct app *app);

void admissions_count(struct app *app, enum admission_outcome outcome, int64_t us);
void admissions_count_unrecorded(struct app *app);

/* Series with fixed labels, Prometheus text. */
void admissions_metrics(const struct app *app, struct buf *out);

#endif
