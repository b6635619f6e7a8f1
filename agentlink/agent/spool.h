/* spool.h - events on disk until the server has them: bounded, durable, accounted for.
 *
 * Every event gets the next sequence number of the node's stream.  Then exactly one
 * of two things is true of that number for ever: its event is sent, or it is counted
 * as dropped, by class and reason; so that the server can close the account of every
 * batch (events + dropped = last - first + 1).
 *
 * A folder of append-only segments, one row of them per class, each at most
 * segment_bytes, allocated before it is written to:
 *
 *     segment  64 bytes: magic, class, number, stream, CRC
 *     record   magic u32, crc u32, len u32, class u8, 0 0 0, seq u64, payload, 0.. to a
 *              multiple of 8; the CRC-32 is over all that follows it
 *     state    two slots of 4 KiB, written in turns in place: needs no room on a full disk
 *
 * The numbers are in the byte order of the machine.  The magic of a record is no
 * UTF-8, so that no event can hold one: behind a damaged record the next is found again.
 *
 * An event counts as kept only when spool_commit returns: written and fsynced, with
 * all that other threads put in meanwhile (one fsync for all).  When the bounds or the
 * disk are reached, whole segments go: low before normal, oldest first, never for
 * the sake of a lower class; critical events never go, they are refused.  The batch
 * that is on its way to the server is pinned, and resent as it was after a crash.
 *
 * Any number of threads may put; one takes. */
#ifndef KEEP_AGENT_SPOOL_H
#define KEEP_AGENT_SPOOL_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spool_class { SPOOL_CRITICAL = 0, SPOOL_NORMAL, SPOOL_LOW, SPOOL_CLASS_N };

enum spool_reason {
    SPOOL_FULL = 0,                      /* our own bounds */
    SPOOL_DISK_FULL,                     /* no room, or an I/O error, on the disk */
    SPOOL_REFUSED,                       /* critical, and its source was told so */
    SPOOL_CORRUPT,                       /* no longer readable */
    SPOOL_TORN,                          /* on its way to the disk when the agent died: its source was not told it is kept */
    SPOOL_OVERLOAD,                      /* turned away before the spool */
    SPOOL_SERVER_LOST,                   /* the server had it once, and asks for it again */
    SPOOL_REJECTED,                      /* the server will not have it */
    SPOOL_REASON_N
};

enum { SPOOL_EVENT_MAX = 64 * 1024, SPOOL_STREAM_TEXT = 33, SPOOL_BATCH_MAX = 1000 };

const char *spool_class_word(enum spool_class c);        /* "critical", "normal", "low" */
const char *spool_reason_word(enum spool_reason r);      /* "spool_full", "disk_full" ... */

struct spool_limits {
    int64_t bytes;                       /* of all segments */
    int64_t class_bytes[SPOOL_CLASS_N];  /* of a class; 0: as many as all */
    int64_t segment_bytes;               /* 0: 1 MiB; at least 128 KiB */
    int64_t reserve_bytes;               /* held back for the day the disk is full; 0: one segment */
};

typedef int64_t spool_counts[SPOOL_CLASS_N][SPOOL_REASON_N];

struct spool;

/* Opens or makes the folder (0700), repairs what a crash left, takes its lock: one
 * process at a time (ERR_CONFLICT).  ERR_STORAGE_FULL, ERR_UNAVAILABLE. */
int spool_open(const char *dir, const struct spool_limits *limits, struct spool **out, struct err *err);
void spool_close(struct spool *s);       /* NULL-safe; what was put but not committed is written */

/* ---- in -------------------------------------------------------------------------- */

/* Events that are committed together.  The memory is the caller's, from begin to commit. */
struct spool_group {
    int64_t last;                        /* highest number given out */
    bool refused;
};

void spool_begin(struct spool *s, struct spool_group *g);

/* One event: a JSON object without "seq", at most SPOOL_EVENT_MAX bytes, UTF-8; copied.
 * May write to the disk when much is waiting.  ERR_STORAGE_FULL: critical, and there
 * is no room for it; nothing was taken.  ERR_INVALID, ERR_TOO_LARGE. */
int spool_put(struct spool *s, struct spool_group *g, enum spool_class class, const void *json, size_t len,
              struct err *err);

/* When it returns 0, each event of the group is on the disk, or counted as dropped.
 * ERR_STORAGE_FULL: critical ones among them are not kept (and counted as refused):
 * their source should be told, and may send them again. */
int spool_commit(struct spool *s, struct spool_group *g, struct err *err);

/* begin, put, commit.  seq may be NULL. */
int spool_append(struct spool *s, enum spool_class class, const void *json, size_t len, int64_t *seq, struct err *err);

/* n events that did not get as far as the spool; durable when it returns. */
int spool_dropped(struct spool *s, enum spool_class class, enum spool_reason reason, int64_t n, struct err *err);

/* ---- out ----------------------------------------------------------------------------- */

struct spool_event {
    int64_t seq;                         /* of the stream, as the server sees it */
    const char *json; size_t len;
};

struct spool_batch {
    char stream[SPOOL_STREAM_TEXT];      /* 32 hex */
    int64_t first, last;                 /* numbers it accounts for */
    struct spool_event *events; size_t n;
    spool_counts dropped;                /* n + their sum = last - first + 1 */
};

/* The next batch, at most max_events (<= SPOOL_BATCH_MAX) and max_bytes of JSON (but at
 * least one event); the same one again until it is acknowledged.  1: there is one, 0:
 * nothing to send.  The events live in the arena. */
int spool_peek(struct spool *s, size_t max_events, size_t max_bytes, struct arena *arena, struct spool_batch *out,
               struct err *err);

/* The server has everything up to `through`.  Less than the batch's last: the rest will
 * be sent again.  More than was ever sent: ERR_CONFLICT, and a new stream has begun. */
int spool_ack(struct spool *s, int64_t through, struct err *err);

/* The server expects `seq`, which is before what we would send: what we no longer have
 * counts as SPOOL_SERVER_LOST. */
int spool_rewind(struct spool *s, int64_t seq, struct err *err);

/* The server will never take the batch as it is (400, 413, 422).  With one event in it,
 * that event counts as SPOOL_REJECTED; else the next batch may be chosen anew, smaller. */
int spool_reject(struct spool *s, struct err *err);

/* What is not acknowledged is numbered from 1 again, under a new random stream. */
int spool_new_stream(struct spool *s, struct err *err);

/* Until `least` numbers wait to be sent or a critical event does, for at most that long;
 * returns how many wait. */
int64_t spool_wait(struct spool *s, int64_t least, int64_t timeout_ms);
void spool_wake(struct spool *s);        /* ends a wait */

/* Calls f with every event in the files, sent or not, lane after lane: the last ones that
 * were kept are among them (the newest file of a class is not removed). */
int spool_each(struct spool *s, void (*f)(void *arg, const char *json, size_t len), void *arg, struct err *err);

/* Another bound of all segments; what is over it goes when the next one is begun. */
void spool_limit(struct spool *s, int64_t bytes);

struct spool_status {
    char stream[SPOOL_STREAM_TEXT];
    int64_t bytes, events, segments;     /* waiting */
    int64_t class_events[SPOOL_CLASS_N];
    int64_t next_seq, through;
    int64_t kept;                        /* events put since the start, and kept */
    int64_t syncs;                       /* groups written since the start */
    spool_counts dropped;                /* ever, of this folder */
    bool is_full;                        /* critical events are refused */
    bool has_reserve;
    char problem[160];                   /* "" none */
};
void spool_status(struct spool *s, struct spool_status *out);

#endif
