/* drift_state.h - the profiles in force, compiled, and what images were seen doing.
 *
 * As with policies: the database says which profiles are enforced, a number that grows
 * with every change says whether the compiled snapshot is still theirs.  A view is held
 * for a batch of events and released after it.
 *
 * Observations: items an image is known to show cost a look into a hash table; only a
 * new one is written at once (with count 0), counts follow by drift_state_flush.  So
 * a crash may lose counts, never an item whose event was acknowledged. */
#ifndef KEEP_SERVICE_DRIFT_STATE_H
#define KEEP_SERVICE_DRIFT_STATE_H

#include "base/buf.h"
#include "core/drift.h"
#include "db/db.h"
#include "service/app.h"

int drift_state_open(struct app *app, struct err *err);
void drift_state_close(struct app *app);             /* nobody may hold a view any more; NULL-safe */

struct drift_view;

/* The profiles as this transaction sees them.  Any thread, reader or writer. */
int drift_state_hold(struct app *app, struct db *db, const struct drift_view **out, struct err *err);
void drift_state_release(struct app *app, const struct drift_view *view);     /* NULL-safe */

/* The profile in force for an image: its digest's, else its repository's; NULL none.
 * repository is canonical; each may be NULL when not known. */
const struct profile_compiled *drift_state_profile(const struct drift_view *view, const char *repository, const char *digest);

/* What of the event departs from the profile in force; 0 when there is none, or it only
 * discovers.  Pure, allocates nothing.  *profile (may be NULL) is the one that was asked. */
size_t drift_state_judge(const struct drift_view *view, const char *repository, const char *digest, const struct event *event,
                         struct drift_finding out[DRIFT_MAX], const struct profile_compiled **profile);

/* Counts what an accepted, new event shows.  Inside the write transaction, on the
 * writer's thread.  image_id 0: does nothing.  raised: the event raised an alert, so
 * what it shows is never learned by itself. */
int drift_state_observe(struct app *app, struct db *db, int64_t image_id, int64_t node, const struct event *event, bool raised,
                        struct err *err);

/* Writes the counts that have grown; a job of the writer (the housekeeper's), at most
 * `max` rows at a time.  *more: call again.  now_ms is also the latest time an event is
 * believed to have happened at. */
int drift_state_flush(struct app *app, struct db *db, int64_t now_ms, size_t max, bool *more, struct err *err);

/* In the Prometheus text format; takes no lock. */
void drift_state_metrics(struct app *app, struct buf *out);

#endif
