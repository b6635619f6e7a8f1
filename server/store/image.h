/* image.h - images, their repositories, tags and other digests. */
#ifndef KEEP_STORE_IMAGE_H
#define KEEP_STORE_IMAGE_H

#include "base/arena.h"
#include "core/freshness.h"
#include "db/db.h"
#include "model/image.h"

extern const struct db_queries image_queries;

/* The repository's row, made when it is new.  A non-empty team is set when the
 * row has none; the trend follows it from the day of now_ms on. */
int repository_upsert(struct db *db, const char *name, const char *team, int64_t now_ms, int64_t *id, struct err *err);

/* Sets the team, and moves what the trend counts to it; 1 when the repository exists, 0 when not. */
int repository_set_team(struct db *db, const char *name, const char *team, int64_t now_ms, struct err *err);

/* By its own digest or by any alias.  1 found, 0 not, -1 error.  Freshness is
 * computed at now. */
int image_find(struct db *db, const char *digest, const struct freshness_limits *limits, int64_t now_ms,
               struct arena *arena, struct image *out, struct err *err);
int image_get(struct db *db, int64_t id, const struct freshness_limits *limits, int64_t now_ms,
              struct arena *arena, struct image *out, struct err *err);

/* The image a tag points to: 1, 0, -1. */
int image_find_by_tag(struct db *db, const char *repository, const char *tag, int64_t *id, struct err *err);

/* A new image without a scan.  *id is set. */
int image_insert(struct db *db, const char *digest, int64_t repository_id, int64_t now_ms, int64_t *id, struct err *err);

/* Another digest of the same image; one that belongs to another image already
 * is left alone (first come; the subject digest is the identity). */
int image_add_alias(struct db *db, int64_t id, const char *digest, const char *kind, struct err *err);
int image_add_tag(struct db *db, int64_t id, int64_t repository_id, const char *tag, int64_t now_ms, struct err *err);

/* What an inventory or a report says of the image itself; NULL leaves what is there. */
int image_describe(struct db *db, int64_t id, const char *tag, const char *os_family, const char *os_version,
                   const char *arch, const char *base_image, int64_t seen_ms, struct err *err);

int image_set_inventory(struct db *db, int64_t id, int64_t inventory_ms, const void *hash, size_t hash_len,
                        int64_t packages, int64_t evaluable, struct err *err);
int image_inventory(struct db *db, int64_t id, int64_t *inventory_ms, unsigned char hash[32], bool *has_hash, struct err *err);
int image_set_clocks(struct db *db, int64_t id, int64_t scanned_ms, int64_t db_built_ms, bool is_signed, struct err *err);

/* Counts, verdict and when to look again. */
int image_set_judgement(struct db *db, const struct image *image, struct err *err);

/* Marks for judgement as soon as possible. */
int image_mark(struct db *db, int64_t id, const char *cause, struct err *err);
int image_mark_all(struct db *db, const char *cause, struct err *err);
int image_mark_by_vulnerability(struct db *db, const char *name, const char *cause, struct err *err);

/* Not before then, whatever it is due for. */
int image_postpone(struct db *db, int64_t id, int64_t until_ms, struct err *err);

/* Ids of images due at now, oldest first; at most max. */
int image_due(struct db *db, int64_t now_ms, size_t max, struct arena *arena, int64_t **ids, const char ***causes,
              size_t *n, struct err *err);

/* A page of images.  Zero and NULL mean no filter. */
enum image_sort { IMAGE_SORT_STALE = 0, IMAGE_SORT_RISK, IMAGE_SORT_NAME, IMAGE_SORT_RECENT, IMAGE_SORT_N };
struct image_filter {
    int freshness;              /* enum freshness + 1, 0 any */
    bool stale;                 /* either clock, or never scanned */
    int verdict;                /* enum decision + 1, 0 any */
    const char *team, *prefix, *cluster, *vulnerability, *package;
    const char *repository;     /* pattern, applied beside `allowed` */
    const char *const *allowed; size_t n_allowed;    /* the caller's repository patterns */
    bool running, is_unsigned;
    int64_t scanned_until_ms, scanned_after_ms;     /* newest scan: <= and >; TIME_UNKNOWN: any */
    enum image_sort sort;
    const char *cursor;
    int64_t limit;
};
/* *next is NULL at the end; *total -1 when a pattern makes it unknown. */
int image_list(struct db *db, const struct image_filter *filter, const struct freshness_limits *limits, int64_t now_ms,
               struct arena *arena, struct image **items, size_t *n, const char **next, int64_t *total, struct err *err);

struct image_alias { const char *digest, *kind; };
int image_aliases(struct db *db, int64_t id, struct arena *arena, struct image_alias **items, size_t *n, struct err *err);
int image_tags(struct db *db, int64_t id, struct arena *arena, const char ***items, size_t *n, struct err *err);

struct repository { const char *name, *team; int64_t images, failing; };
int repository_list(struct db *db, const char *prefix, const char *after, int64_t limit, struct arena *arena,
                    struct repository **items, size_t *n, struct err *err);

#endif
