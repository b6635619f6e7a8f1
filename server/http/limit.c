/* limit.c - see limit.h.  SETS x WAYS buckets; one lock per LOCKS sets. */
#include "http/limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

enum { SETS = 1024, WAYS = 8, LOCKS = 16, MILLI = 1000 };

struct bucket {
    uint64_t key;                /* 0: unused */
    int64_t at_ms;               /* when tokens was right */
    int64_t milli;               /* thousandths of a token */
};

struct limiter {
    int64_t rate, burst_milli;   /* tokens a second are thousandths a millisecond */
    uint64_t seed;               /* so that nobody can aim at a set */
    pthread_mutex_t locks[LOCKS];
    struct bucket sets[SETS][WAYS];
};

int limiter_new(unsigned rate, unsigned burst, struct limiter **out, struct err *err)
{
    struct limiter *l = calloc(1, sizeof *l);

    if (l == NULL)
        return err_nomem(err);
    if (getrandom(&l->seed, sizeof l->seed, 0) != (ssize_t)sizeof l->seed) {
        free(l);
        return err_set(err, ERR_UNAVAILABLE, "no random numbers");
    }
    l->rate = rate;
    l->burst_milli = (int64_t)(burst == 0 ? 1 : burst) * MILLI;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&l->locks[i], NULL);
    *out = l;
    return 0;
}

void limiter_free(struct limiter *l)
{
    if (l == NULL)
        return;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&l->locks[i]);
    free(l);
}

static uint64_t hash(const struct limiter *l, const char *who)
{
    uint64_t h = l->seed ^ 0xcbf29ce484222325ULL;

    for (; *who != '\0'; who++)
        h = (h ^ (unsigned char)*who) * 0x100000001b3ULL;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9ULL;
    h ^= h >> 32;
    return h == 0 ? 1 : h;
}

/* The caller's bucket, or the one idle longest made his: full. */
static struct bucket *bucket_of(struct limiter *l, struct bucket *set, uint64_t key, int64_t now_ms)
{
    struct bucket *oldest = &set[0];

    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].key == 0 || (oldest->key != 0 && set[i].at_ms < oldest->at_ms))
            oldest = &set[i];
    }
    *oldest = (struct bucket){ key, now_ms, l->burst_milli };
    return oldest;
}

bool limiter_take(struct limiter *l, const char *who, int64_t now_ms, int64_t *retry_s)
{
    bool ok;

    if (l->rate == 0)
        return true;
    uint64_t key = hash(l, who);
    size_t set = key % SETS;
    pthread_mutex_lock(&l->locks[set % LOCKS]);
    struct bucket *b = bucket_of(l, l->sets[set], key, now_ms);
    if (now_ms > b->at_ms) {
        int64_t passed = now_ms - b->at_ms;
        int64_t room = l->burst_milli - b->milli;
        b->milli += passed > room / l->rate ? room : passed * l->rate;
        b->at_ms = now_ms;
    }
    ok = b->milli >= MILLI;
    if (ok)
        b->milli -= MILLI;
    else
        *retry_s = 1 + (MILLI - b->milli) / (l->rate * 1000);
    pthread_mutex_unlock(&l->locks[set % LOCKS]);
    return ok;
}
