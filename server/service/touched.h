/* touched.h - when tokens and sessions were last used, in memory until written.
 *
 * Asking who somebody is must not write: what was used is remembered here, and a
 * housekeeping job writes it in batches.  Bounded: when full, further ones are
 * not remembered until the next batch (and counted).  Thread-safe. */
#ifndef KEEP_SERVICE_TOUCHED_H
#define KEEP_SERVICE_TOUCHED_H

#include <stddef.h>
#include <stdint.h>

enum { TOUCHED_MAX = 4096, TOUCHED_ID_MAX = 40, TOUCHED_FROM_MAX = 64 };

enum touched_kind { TOUCHED_NONE = 0, TOUCHED_TOKEN, TOUCHED_SESSION };

struct touch {
    enum touched_kind kind;
    char id[TOUCHED_ID_MAX];
    char from[TOUCHED_FROM_MAX];
    int64_t at_ms;
};

struct touched;

struct touched *touched_new(void);         /* NULL: no memory */
void touched_free(struct touched *t);      /* NULL-safe */

/* Keeps the newest time of an id. */
void touched_add(struct touched *t, enum touched_kind kind, const char *id, const char *from, int64_t at_ms);

/* The time remembered, or INT64_MIN. */
int64_t touched_last(struct touched *t, enum touched_kind kind, const char *id);

/* Moves all entries to `out`; returns how many. */
size_t touched_take(struct touched *t, struct touch out[TOUCHED_MAX]);

int64_t touched_dropped(struct touched *t);

#endif
