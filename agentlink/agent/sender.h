/* sender.h - from the spool to the server, in batches: exactly once in effect.
 *
 * A batch is written down in the spool before it is sent and is sent again, the same,
 * until the server answers; the server skips what it has.  So an answer that was lost
 * costs a repetition, and nothing else.
 *
 *     200         acknowledged; slow_ms is obeyed
 *     409         the server expects an earlier number: the spool goes back (spool.h)
 *     400 413 422 it will never take this: a batch half the size, in the end without
 *                 the one event that it does not take, which is counted
 *     401         a new session; 403: revoked, nothing is sent any more
 *     429 503 ... later: Retry-After, else back-off with full jitter, 1 s to 5 min
 *
 * One thread. */
#ifndef KEEP_AGENT_SENDER_H
#define KEEP_AGENT_SENDER_H

#include "agent/link.h"
#include "agent/settings.h"
#include "agent/spool.h"

#include <stdbool.h>
#include <stdint.h>

enum { SENDER_BYTES_MAX = (2 << 20) - (64 << 10) };       /* the server's bound, less what is around events */

/* Figures of one sender; read by other threads, each for itself. */
struct sender_counts {
    _Atomic int64_t batches, events, repeats, refused, failures;      /* failures: in a row */
    _Atomic int64_t bytes_raw, bytes_sent;
    _Atomic int64_t last_ok_ms;          /* time_now_ms; 0 never */
};

struct sender {
    struct spool *spool;
    struct link *link;
    struct arena arena;
    enum send_coding coding;
    size_t max_events, max_bytes;        /* of a batch: settings, or the server's */
    size_t events_now;                   /* smaller after a refusal */
    int64_t last_first;                  /* of the batch sent last: a repetition shows by it */
    unsigned n_failed;
    struct sender_counts counts;
};

void sender_init(struct sender *s, struct spool *spool, struct link *link, const struct settings *settings);
void sender_clear(struct sender *s);
void sender_take_settings(struct sender *s, const struct settings *settings);

/* One batch.  1: sent and acknowledged; 0: nothing to send; -1: not now, err says why.
 * *pause_ms: how long to wait before the next.  ERR_FORBIDDEN: revoked. */
int sender_round(struct sender *s, int64_t *pause_ms, struct err *err);

/* Appends the message of a batch. */
void batch_write(const struct spool_batch *b, struct buf *out);

#endif
