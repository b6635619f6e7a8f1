/* posture.h - the fleet in numbers, and how they moved. */
#ifndef KEEP_STORE_POSTURE_H
#define KEEP_STORE_POSTURE_H

#include "base/arena.h"
#include "core/freshness.h"
#include "db/db.h"
#include "model/verdict.h"

extern const struct db_queries posture_queries;

enum { AGE_BUCKETS = 8 };                /* <1d, 1-3, 3-7, 7-14, 14-30, 30-90, >90, never */

struct posture {
    int64_t images, unsigned_images;
    int64_t verdicts[DECISION_N];
    int64_t freshness[FRESHNESS_N];
    int64_t scan_age[AGE_BUCKETS];
    struct image_counts counts;
    int64_t running_images, running_failing, running_stale;
};
int posture_get(struct db *db, const struct freshness_limits *limits, int64_t now_ms, struct posture *out, struct err *err);

struct team_posture { const char *team; int64_t images, failing, stale, critical, high; };
int posture_teams(struct db *db, const struct freshness_limits *limits, int64_t now_ms, struct arena *arena,
                  struct team_posture **items, size_t *n, struct err *err);

/* Adds the difference `after` - `before` to a day, for the team and for all (""). */
int trend_add(struct db *db, int64_t at_ms, const char *team, const struct image_counts *before,
              const struct image_counts *after, struct err *err);

/* A new image: counted for the team of its repository and for all. */
int trend_add_image(struct db *db, int64_t at_ms, int64_t repository_id, struct err *err);

/* The images of a repository and what is open in them go from one team to another; '' is no team. */
int trend_move(struct db *db, int64_t at_ms, int64_t repository_id, const char *from, const char *to, struct err *err);

struct trend_day { int64_t day, images, critical, high, medium, low, kev; };
/* Open findings at the end of each of the last `days` days up to now, oldest first. */
int trend_list(struct db *db, const char *team, int64_t now_ms, int64_t days, struct arena *arena,
               struct trend_day **items, size_t *n, struct err *err);

/* Every change of an image's verdict. */
struct verdict_row { int64_t at_ms; int decision; const char *cause, *reasons; };
int verdict_insert(struct db *db, int64_t image_id, int64_t at_ms, int decision, const char *cause, const char *reasons,
                   struct err *err);
int verdict_list(struct db *db, int64_t image_id, int64_t before_ms, int64_t limit, struct arena *arena,
                 struct verdict_row **items, size_t *n, struct err *err);

#endif
