/* judge_image.h - load the facts of one image, decide, store what follows. */
#ifndef KEEP_SERVICE_JUDGE_IMAGE_H
#define KEEP_SERVICE_JUDGE_IMAGE_H

#include "base/arena.h"
#include "core/policy.h"
#include "db/db.h"
#include "service/app.h"

/* Facts of a stored image, with aliases of findings when asked for. */
int facts_load(struct db *db, int64_t image_id, const struct freshness_limits *limits, int64_t now_ms, bool with_aliases,
               struct arena *arena, struct image_facts *out, struct err *err);

/* The verdict as of now, from what is stored; writes nothing. */
int image_decide(struct app *app, struct db *db, int64_t image_id, enum stage stage, int64_t now_ms, struct arena *arena,
                 struct image_facts *facts, struct verdict *out, struct err *err);

/* Decides and stores: counts, verdict, when to look again, the trend's day, and
 * (when the verdict or its reasons changed) a row of the verdict's history with its
 * cause.  effective_ms: the day that changes of findings belong to. */
int image_judge(struct app *app, struct db *db, int64_t image_id, const char *cause, int64_t effective_ms, int64_t now_ms,
                struct arena *arena, struct verdict *out, struct err *err);

/* As many reasons, the worst first, as fit into about max bytes, as a JSON list.
 * NULL: the arena is full. */
const char *reasons_json(const struct verdict *v, size_t max, struct arena *arena);

#endif
