/* hold.c - see hold.h. */
#include "http/hold.h"

#include "base/time.h"
#include "http/request.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { TICK_MS = 50, AGAIN_MS = 1000, PORTION = 64 };

struct holds {
    struct http_server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    struct request *first, *last;      /* by time of arrival */
    bool closing;
};

void holds_put(struct holds *h, struct request *r)
{
    int64_t now_ms = time_monotonic_ms();

    if (r->hold_until_ms == 0)
        r->hold_until_ms = now_ms + r->call.hold_ms;
    r->hold_from_ms = now_ms;
    r->hold_next = NULL;
    pthread_mutex_lock(&h->lock);
    if (h->last != NULL)
        h->last->hold_next = r;
    else
        h->first = r;
    h->last = r;
    pthread_mutex_unlock(&h->lock);
}

/* Is there a reason to ask again? */
static bool is_due(const struct holds *h, struct request *r, int64_t commits, int64_t now_ms)
{
    bool over = now_ms >= r->hold_until_ms || atomic_load(&h->server->draining);

    if (over)
        r->call.is_last_ask = true;
    return over || (commits != r->hold_commits && now_ms - r->hold_from_ms >= AGAIN_MS);
}

/* Up to PORTION due requests, unlinked; the rest stays in order. */
static struct request *take_due(struct holds *h, int64_t commits, int64_t now_ms)
{
    struct request *due = NULL, **end = &due, **at = &h->first;
    size_t n = 0;

    h->last = NULL;
    while (*at != NULL) {
        struct request *r = *at;
        if (n < PORTION && is_due(h, r, commits, now_ms)) {
            *at = r->hold_next;
            r->hold_next = NULL;
            *end = r;
            end = &r->hold_next;
            n++;
        } else {
            h->last = r;
            at = &r->hold_next;
        }
    }
    return due;
}

static void tick(struct holds *h)
{
    struct writer_stats stats;

    writer_stats(h->server->back.writer, &stats);
    pthread_mutex_lock(&h->lock);
    struct request *due = take_due(h, stats.batches, time_monotonic_ms());
    pthread_mutex_unlock(&h->lock);
    while (due != NULL) {
        struct request *next = due->hold_next;
        due->call.hold_ms = 0;
        request_ask_again(due);
        due = next;
    }
}

static void *run(void *arg)
{
    struct holds *h = arg;
    bool closing = false;

    while (!closing) {
        const struct timespec pause = { 0, TICK_MS * 1000000L };
        tick(h);
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&h->lock);
        closing = h->closing && h->first == NULL;
        pthread_mutex_unlock(&h->lock);
    }
    return NULL;
}

int holds_open(struct http_server *s, struct holds **out, struct err *err)
{
    struct holds *h = calloc(1, sizeof *h);

    if (h == NULL)
        return err_nomem(err);
    h->server = s;
    pthread_mutex_init(&h->lock, NULL);
    if (pthread_create(&h->thread, NULL, run, h) != 0) {
        pthread_mutex_destroy(&h->lock);
        free(h);
        return err_set(err, ERR_UNAVAILABLE, "cannot start a thread");
    }
    *out = h;
    return 0;
}

void holds_close(struct holds *h)
{
    if (h == NULL)
        return;
    pthread_mutex_lock(&h->lock);
    h->closing = true;
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
