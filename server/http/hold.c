/* hold.c - see hold.h. */
#include "http/hold.h"

#include "base/time.h"
#include "http/request.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { TICK_MS = 50, WAVE_TICK_MS = 10, AGAIN_MS = 1000, PORTION = 64, SPREAD_MS = 400, SWEEP_MS = 250 };

/* Light requests that wait for one number. */
struct group {
    struct group *next;
    const atomic_llong *on;
    long long looked;                    /* the number when all due ones had been taken */
    struct held *first, *last;
    size_t n;
};

struct holds {
    struct http_server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    struct request *first, *last;      /* by time of arrival */
    bool closing;
    struct group *groups;              /* only ever added */
    int64_t swept_ms;                  /* when ends of time were last looked for */
    size_t wave;                       /* of light ones, how many a tick wakes; 0: none are due */
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

/* ---- light requests ----------------------------------------------------------------- */

static struct group *group_of(struct holds *h, const atomic_llong *on)
{
    struct group *g = h->groups;

    while (g != NULL && g->on != on)
        g = g->next;
    if (g != NULL || (g = calloc(1, sizeof *g)) == NULL)
        return g;
    *g = (struct group){ .next = h->groups, .on = on, .looked = atomic_load(on) };
    h->groups = g;
    return g;
}

void holds_put_light(struct holds *h, const atomic_llong *on, struct held *held)
{
    held->next = NULL;
    pthread_mutex_lock(&h->lock);
    struct group *g = group_of(h, on);
    if (g != NULL) {
        if (held->seen != g->looked)
            g->looked = held->seen - 1;          /* it missed a change: look again */
        if (g->last != NULL)
            g->last->next = held;
        else
            g->first = held;
        g->last = held;
        g->n++;
    }
    pthread_mutex_unlock(&h->lock);
    if (g == NULL) {
        held->until_ms = 1;                      /* no memory to wait in: the last ask */
        held_ask_again(held);
    }
}

/* Up to *room due ones of a group in front of `due`; true: all of them. */
static bool take_light(struct group *g, long long number, int64_t now_ms, bool all, size_t *room, struct held **due)
{
    struct held **at = &g->first;

    g->last = NULL;
    while (*at != NULL) {
        struct held *h = *at;
        bool is_due = all || h->seen != number || now_ms >= h->until_ms;
        if (is_due && *room > 0) {
            *at = h->next;
            h->next = *due;
            *due = h;
            g->n--;
            --*room;
        } else if (is_due) {
            break;
        } else {
            g->last = h;
            at = &h->next;
        }
    }
    bool done = *at == NULL;
    for (struct held *h = *at; h != NULL; h = h->next)
        g->last = h;
    return done;
}

/* True when more are due than this tick may wake. */
static bool look_at_groups(struct holds *h, size_t room, struct held **due)
{
    int64_t now_ms = time_monotonic_ms();
    bool sweep = now_ms - h->swept_ms >= SWEEP_MS, draining = atomic_load(&h->server->draining), more = false;

    for (struct group *g = h->groups; g != NULL; g = g->next) {
        long long number = atomic_load(g->on);
        if (g->n == 0 || (number == g->looked && !sweep && !draining))
            continue;
        if (take_light(g, number, now_ms, draining, &room, due))
            g->looked = number;
        else
            more = true;
    }
    if (sweep && !more)
        h->swept_ms = now_ms;
    return more;
}

static size_t n_light(const struct holds *h)
{
    size_t n = 0;

    for (const struct group *g = h->groups; g != NULL; g = g->next)
        n += g->n;
    return n;
}

/* The first portion of a wave sets its pace. */
static void tick_light(struct holds *h)
{
    struct held *due = NULL;

    pthread_mutex_lock(&h->lock);
    size_t portion = h->wave > 0 ? h->wave : n_light(h) / (SPREAD_MS / WAVE_TICK_MS) + PORTION;
    h->wave = look_at_groups(h, portion, &due) ? portion : 0;
    pthread_mutex_unlock(&h->lock);
    while (due != NULL) {
        struct held *next = due->next;
        held_ask_again(due);
        due = next;
    }
}

static bool is_empty(const struct holds *h)
{
    return h->first == NULL && n_light(h) == 0;
}

static void *run(void *arg)
{
    struct holds *h = arg;
    bool closing = false;

    while (!closing) {
        tick_light(h);
        const struct timespec pause = { 0, (h->wave > 0 ? WAVE_TICK_MS : TICK_MS) * 1000000L };
        if (h->wave == 0)
            tick(h);
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&h->lock);
        closing = h->closing && is_empty(h);
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
    for (struct group *g = h->groups, *next; g != NULL; g = next) {
        next = g->next;
        free(g);
    }
    free(h);
}
