/* limit.h - a token bucket per caller, in a table of fixed size.
 *
 * When a set of the table is full, the bucket that was idle longest is reused:
 * an attacker with many identities can at most make others' buckets full again,
 * never empty.  Thread-safe. */
#ifndef KEEP_HTTP_LIMIT_H
#define KEEP_HTTP_LIMIT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct limiter;

/* rate: tokens per second, burst: the most a bucket holds.  rate 0: everything passes. */
int limiter_new(unsigned rate, unsigned burst, struct limiter **out, struct err *err);
void limiter_free(struct limiter *l);        /* NULL-safe */

/* Takes one token of `who`.  When there is none: false, and *retry_s says when
 * (whole seconds, at least 1).  now_ms: monotonic. */
bool limiter_take(struct limiter *l, const char *who, int64_t now_ms, int64_t *retry_s);

#endif
