/* striped.h - a counter that many threads change at once.
 *
 * One word that every thread writes travels between the cores' caches and costs more
 * than all else that a light request does.  Here each thread writes to one of a few
 * words on cache lines of their own; the value is their sum.  A thread may subtract
 * what another has added. */
#ifndef KEEP_BASE_STRIPED_H
#define KEEP_BASE_STRIPED_H

#include <stdatomic.h>

enum { STRIPES = 8 };

struct striped {
    struct { _Alignas(64) atomic_long n; } stripe[STRIPES];
};

/* Which words are this thread's: by the place of its own thread-local byte. */
static inline unsigned striped_mine(void)
{
    static _Thread_local char here;
    unsigned long at = (unsigned long)&here;

    return (unsigned)((at >> 12 ^ at >> 16 ^ at >> 21) % STRIPES);
}

static inline void striped_add(struct striped *s, unsigned stripe, long n)
{
    atomic_fetch_add(&s->stripe[stripe].n, n);
}

static inline long striped_sum(struct striped *s)
{
    long sum = 0;

    for (int i = 0; i < STRIPES; i++)
        sum += atomic_load(&s->stripe[i].n);
    return sum;
}

#endif
