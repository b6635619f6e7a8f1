/* spool_internal.h - what the files of the spool share; see spool.h for the format.
 *
 * Two locks.  `files` guards segments, state and everything on the disk, and is held
 * over fsync; `queue` guards what is in memory on its way there, and is held for
 * moments only.  Order: files, then queue. */
#ifndef KEEP_AGENT_SPOOL_INTERNAL_H
#define KEEP_AGENT_SPOOL_INTERNAL_H

#include "agent/spool.h"
#include "base/buf.h"

#include <pthread.h>

enum {
    SEGMENT_HEAD = 64, RECORD_HEAD = 24, STATE_SLOT = 4096, SEGMENTS_MAX = 8192,
    RECORD_MAX = RECORD_HEAD + SPOOL_EVENT_MAX + 8,
    QUEUE_MAX = 4 << 20,                 /* bytes in memory on their way to the disk, per class */
    WALK_BUFFER = 192 << 10,
};

/* One file.  used: the end of its last whole record. */
struct segment {
    int64_t number;
    int64_t first, last, n;              /* sequence numbers of the records in it, and how many */
    int64_t used, size;                  /* bytes; size: what it takes on the disk */
};

/* A class: its segments, oldest first, and what waits to be written. */
struct lane {
    struct segment *items; size_t n, cap;
    int fd;                              /* of the last segment while it is written to; -1 */
    int64_t next_number;
    struct buf queue;                    /* records, whole; under `queue` */
    struct buf out;                      /* the same while they are written; under `files` */
    char *window;                        /* WALK_BUFFER, for walks; under `files` */
    /* where the first record behind `through` is: a hint */
    int64_t hint_number, hint_at;
};

struct owned { int64_t seq; struct spool_group *group; };       /* critical events on their way */
struct owners { struct owned *items; size_t n, cap; };

/* What is written into a state slot. */
struct spool_state {
    uint64_t generation;
    uint8_t stream[16];
    int64_t base;                        /* sequence number on the wire = ours - base */
    int64_t through;                     /* acknowledged */
    int64_t next;                        /* no number below it is given out again */
    int64_t skip;                        /* records up to here are not sent any more: rejected */
    int64_t flight;                      /* end of the batch on its way; <= through: none */
    spool_counts flying;                 /* its drops */
    spool_counts pool;                   /* dropped, not yet acknowledged */
    spool_counts ever;
    int64_t victim_class, victim_number; /* segment whose drop is counted already; -1 none */
};

struct spool {
    int dir, lock;                       /* file descriptors */
    int state_fd;
    struct spool_limits limits;
    struct lane lanes[SPOOL_CLASS_N];
    struct spool_state state;            /* under `files` */
    bool is_dirty;                       /* state in memory is newer than on the disk */
    bool has_reserve;
    int64_t durable;                     /* all numbers up to here are settled; under both to write */
    char problem[160];                   /* under `files` */
    pthread_mutex_t files, queue;
    pthread_cond_t news;
    /* under `queue` */
    int64_t next;                        /* number of the next event */
    struct owners owners, owners_out;
    int64_t full_until_ms;               /* monotonic: critical events are refused until then */
    bool is_woken, is_urgent;
    int64_t acked;                       /* as state.through */
    int64_t kept, syncs;
};

/* ---- spool_segment.c: files ------------------------------------------------------- */

/* A record as it lies in memory. */
struct record {
    int64_t seq;
    const char *payload; size_t len;
    uint32_t crc;
    int64_t at, end;                     /* offsets in the file */
};

/* Reads a segment's records in order, from *at* on; damaged ones are stepped over.
 * window: WALK_BUFFER bytes. */
struct walk {
    int fd;
    char *window;
    int64_t at, used;
    int64_t window_at; size_t window_len;
    bool has_skipped, is_damaged;        /* something that is no record; and a record behind it */
};

void record_put(struct buf *b, enum spool_class class, int64_t seq, const void *json, size_t len);
int64_t record_size(size_t len);
/* The record at p, of at most n bytes; false: none, or damaged. */
bool record_at(const char *p, size_t n, enum spool_class class, struct record *out);
bool record_shape(const char *p, size_t n, enum spool_class class, struct record *out);  /* without the CRC: our own memory */
bool walk_next(struct walk *w, enum spool_class class, struct record *out);

int segment_open(struct spool *s, enum spool_class class, int64_t number, int flags);  /* fd or -1, errno */
void segment_unlink(struct spool *s, enum spool_class class, int64_t number);
int segments_load(struct spool *s, bool *damaged, struct err *err);     /* at start: finds, repairs, counts */
/* Adds an empty one to the lane, allocated, open in lane->fd; -1 with errno. */
int segment_add(struct spool *s, enum spool_class class);
/* No more is written to the last one; cut to what is used. */
void segment_close(struct spool *s, enum spool_class class);
/* Records with a number > after in the i-th segment. */
int64_t segment_live(struct spool *s, enum spool_class class, size_t i, int64_t after);
void segment_remove(struct spool *s, enum spool_class class, size_t i);   /* the file, too */
int64_t spool_bytes(const struct spool *s);
int64_t lane_bytes(const struct lane *l);

/* Makes room for a segment of this class: drops what may go.  False: nothing may. */
bool room_make(struct spool *s, enum spool_class class, enum spool_reason reason);
bool room_fits(const struct spool *s, enum spool_class class);
void reserve_make(struct spool *s);
bool reserve_use(struct spool *s);       /* true: there was one, and its room is free now */

/* ---- spool_state.c ---------------------------------------------------------------------- */

int state_load(struct spool *s, bool *is_new, struct err *err);
int state_save(struct spool *s, struct err *err);        /* when dirty */
int64_t counts_sum(spool_counts c);
void counts_add(spool_counts to, spool_counts from, int sign);

/* ---- spool.c ---------------------------------------------------------------------------- */

int spool_flush(struct spool *s, struct err *err);       /* under `files`: writes what is queued */
void spool_drop_count(struct spool *s, enum spool_class c, enum spool_reason r, int64_t n);   /* under `files` */
void spool_problem(struct spool *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t spool_live(struct spool *s, int64_t after);      /* records with a number > after that may be sent */
void spool_prune(struct spool *s);                       /* removes what is acknowledged, on the disk, too */

#endif
