/* learn.h - from what was seen to a profile, without trusting the first hour.
 *
 * Everything seen is looked at for doubts.  What has one is never learned by itself: it
 * is shown, and a person accepts it or does not.  Pure. */
#ifndef KEEP_CORE_PROFILE_LEARN_H
#define KEEP_CORE_PROFILE_LEARN_H

#include "core/drift.h"
#include "core/profile/item.h"
#include "model/observation.h"

enum {
    DOUBT_ALERT        = 1 << 0,     /* an event that showed it raised an alert */
    DOUBT_NOT_IN_IMAGE = 1 << 1,
    DOUBT_FIRST_HOUR   = 1 << 2,     /* seen only in the first hour of the image */
    DOUBT_ONE          = 1 << 3,     /* seen in one container only */
    DOUBT_SHELL        = 1 << 4,
    DOUBT_WORLD        = 1 << 5,     /* an address of the whole world, without a name */
    DOUBT_N = 6,
};
extern const char *const doubt_words[];              /* "alert", "not-in-image", "first-hour", "one-container", "shell", "world-wide" */
extern const char *const doubt_sentences[];

struct learn_rules {
    int64_t containers;              /* different ones that make an item certain: 3 */
    int64_t span_ms;                 /* how long an image is to be watched: 24 h */
    int64_t quiet_ms;                /* how long nothing new may come: 24 h */
};

struct learned_item {
    const struct observation *seen;
    unsigned doubts;
    int confidence;                  /* 0..100: by containers, nodes, hours */
    bool is_accepted;                /* no doubt, or a person said so */
};

/* The observations of several images as one: the same things together. */
int observations_merge(const struct observation *list, size_t n, struct arena *arena, struct observation **out, size_t *n_out,
                       struct err *err);

/* Judges each (in their order; observations_merge's).  files may be NULL.  `accept` are
 * items a person accepts in spite of doubts, "PART TEXT" or "PART TEXT < PARENT". */
int learn_judge(const struct observation *list, size_t n, const struct learn_rules *rules, const struct image_files *files,
                const char *const *accept, size_t n_accept, struct arena *arena, struct learned_item **out, struct err *err);

/* Puts what is accepted into *p (whose name, repository ... are set): parts of which
 * anything was seen are covered. */
int learn_profile(const struct learned_item *items, size_t n, struct arena *arena, struct profile *p, struct err *err);

/* What of a person's list fits nothing that was seen; NULL: all does. */
const char *learn_unknown(const struct learned_item *items, size_t n, const char *const *accept, size_t n_accept);

/* Everything either allows; a part is covered when either covers it, except that what
 * only one covers is its.  Hashes of the first stay. */
int profile_merge(const struct profile *a, const struct profile *b, struct arena *arena, struct profile *out, struct err *err);

#endif
