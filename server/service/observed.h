/* observed.h - what images were seen doing, counted in memory; see drift_state.h. */
#ifndef KEEP_SERVICE_OBSERVED_H
#define KEEP_SERVICE_OBSERVED_H

#include "core/profile/item.h"
#include "db/db.h"

#include <stdatomic.h>

struct observed;

struct observed *observed_new(int64_t now_ms);       /* NULL: no memory */
void observed_free(struct observed *o);              /* NULL-safe */

/* Both on the writer's thread only.  See drift_state_observe, drift_state_flush. */
int observed_add(struct observed *o, struct db *db, int64_t image_id, int64_t node, const struct event *event, bool raised, struct err *err);
int observed_flush(struct observed *o, struct db *db, int64_t now_ms, size_t max, bool *more, struct err *err);

struct observed_counts { atomic_size_t items, waiting; atomic_llong ignored; };
const struct observed_counts *observed_counts(const struct observed *o);

#endif
