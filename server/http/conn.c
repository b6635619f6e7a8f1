/* conn.c - see conn.h. */
#include "http/conn.h"
#include "base/time.h"
#include "http/tls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { REAP_EVERY_MS = 250, ANSWER_GRACE_MS = 20000, ANSWER_BYTES_PER_MS = 16, SHED_TRIES = 64 };

struct conns {
    struct conns_config cfg;
    pthread_mutex_t lock;            /* guards the list and, with it, every fd in it */
    pthread_cond_t wake;
    pthread_t reaper;
    struct conn *first;
    int64_t n;
    atomic_llong reaped, shed;
    bool closing;
};

/* Deadlines are looked at four times a second: the cheap clock will do. */
static void deadline_in(struct conn *c, int64_t ms)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    atomic_store_explicit(&c->deadline_ms, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms, memory_order_relaxed);
}

static bool too_slow(const struct conns_config *cfg, struct conn *c, int64_t now_ms)
{
    int64_t from = atomic_load_explicit(&c->body_from_ms, memory_order_relaxed);
    int64_t late = now_ms - from - cfg->body_grace_ms;

    if (from == 0 || late <= 0)
        return false;
    return atomic_load_explicit(&c->body_got, memory_order_relaxed) < late * cfg->body_rate / 1000;
}

static void shut(struct conn *c)
{
    shutdown(c->fd, SHUT_RDWR);
    atomic_store_explicit(&c->deadline_ms, INT64_MAX, memory_order_relaxed);
    atomic_store_explicit(&c->body_from_ms, 0, memory_order_relaxed);
}

/* The lock keeps the descriptor from being closed and reused meanwhile. */
static void reap(struct conns *t, int64_t now_ms)
{
    for (struct conn *c = t->first; c != NULL; c = c->next) {
        if (now_ms < atomic_load_explicit(&c->deadline_ms, memory_order_relaxed) && !too_slow(&t->cfg, c, now_ms))
            continue;
        shut(c);
        atomic_fetch_add(&t->reaped, 1);
    }
}

static void *reaper_main(void *arg)
{
    struct conns *t = arg;
    struct timespec until;

    pthread_mutex_lock(&t->lock);
    while (!t->closing) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += REAP_EVERY_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&t->wake, &t->lock, &until);
        reap(t, time_monotonic_ms());
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

int conns_open(const struct conns_config *cfg, struct conns **out, struct err *err)
{
    pthread_condattr_t monotonic;
    struct conns *t = calloc(1, sizeof *t);

    if (t == NULL)
        return err_nomem(err);
    t->cfg = *cfg;
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&t->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&t->reaper, NULL, reaper_main, t) != 0) {
        pthread_cond_destroy(&t->wake);
        pthread_mutex_destroy(&t->lock);
        free(t);
        return err_set(err, ERR_UNAVAILABLE, "cannot start the reaper thread");
    }
    *out = t;
    return 0;
}

void conns_close(struct conns *t)
{
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->lock);
    t->closing = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->reaper, NULL);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* ---- the line of strangers ------------------------------------- */

static void line_join(struct conn *c)
{
    struct conn_line *line = c->line;

    c->older = line->newest;
    if (c->older != NULL)
        c->older->newer = c;
    else
        line->oldest = c;
    line->newest = c;
    c->waits = true;
}

static void line_leave(struct conn *c)
{
    struct conn_line *line = c->line;

    if (!c->waits)
        return;
    if (c->older != NULL)
        c->older->newer = c->newer;
    else
        line->oldest = c->newer;
    if (c->newer != NULL)
        c->newer->older = c->older;
    else
        line->newest = c->older;
    c->older = c->newer = NULL;
    c->waits = false;
}

/* Ours to move: an answer is being made. */
static bool is_worked_on(struct conn *c)
{
    return atomic_load_explicit(&c->deadline_ms, memory_order_relaxed) == INT64_MAX &&
           atomic_load_explicit(&c->body_from_ms, memory_order_relaxed) == 0;
}

bool conns_shed(struct conns *t, struct conn_line *line)
{
    bool found = false;
    int left = SHED_TRIES;

    pthread_mutex_lock(&t->lock);
    while (!found && line->oldest != NULL && left > 0) {
        struct conn *c = line->oldest;
        line_leave(c);
        if (atomic_load_explicit(&c->is_trusted, memory_order_relaxed))
            continue;
        found = !is_worked_on(c);
        if (found)
            shut(c);
        else
            line_join(c), left--;
    }
    pthread_mutex_unlock(&t->lock);
    if (found)
        atomic_fetch_add(&t->shed, 1);
    return found;
}

/* ---- one connection ---------------------------------------------------------------- */

struct conn *conn_add(struct conns *t, struct conn_line *line, int fd, const char *from)
{
    struct conn *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->table = t;
    c->line = line;
    c->fd = fd;
    snprintf(c->from, sizeof c->from, "%s", from);
    deadline_in(c, t->cfg.head_ms);
    pthread_mutex_lock(&t->lock);
    c->next = t->first;
    if (c->next != NULL)
        c->next->prev = c;
    t->first = c;
    t->n++;
    line_join(c);
    pthread_mutex_unlock(&t->lock);
    atomic_fetch_add(&line->open, 1);
    return c;
}

void conn_remove(struct conn *c)
{
    if (c == NULL)
        return;
    struct conns *t = c->table;
    pthread_mutex_lock(&t->lock);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        t->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    t->n--;
    line_leave(c);
    pthread_mutex_unlock(&t->lock);
    atomic_fetch_sub(&c->line->open, 1);
    tls_drop(c->creds);
    free(c->again);
    free(c);
}

void conn_head_begins(struct conn *c)
{
    atomic_store_explicit(&c->busy, true, memory_order_relaxed);
    deadline_in(c, c->table->cfg.head_ms);
}

void conn_trust(struct conn *c)
{
    atomic_store_explicit(&c->is_trusted, true, memory_order_relaxed);
}

void conn_body_begins(struct conn *c)
{
    atomic_store_explicit(&c->body_got, 0, memory_order_relaxed);
    atomic_store_explicit(&c->body_from_ms, time_monotonic_ms(), memory_order_relaxed);
    atomic_store_explicit(&c->deadline_ms, INT64_MAX, memory_order_relaxed);
}

void conn_works(struct conn *c)
{
    atomic_store_explicit(&c->body_from_ms, 0, memory_order_relaxed);
    atomic_store_explicit(&c->deadline_ms, INT64_MAX, memory_order_relaxed);
}

void conn_answers(struct conn *c, size_t len)
{
    atomic_store_explicit(&c->body_from_ms, 0, memory_order_relaxed);
    deadline_in(c, ANSWER_GRACE_MS + (int64_t)(len / ANSWER_BYTES_PER_MS));
}

void conn_idles(struct conn *c)
{
    atomic_store_explicit(&c->busy, false, memory_order_relaxed);
    atomic_store_explicit(&c->body_from_ms, 0, memory_order_relaxed);
    deadline_in(c, c->table->cfg.idle_ms + c->table->cfg.head_ms);
}

/* What the peer has sent already can still be read; then comes the end. */
void conns_shut_idle(struct conns *t)
{
    pthread_mutex_lock(&t->lock);
    for (struct conn *c = t->first; c != NULL; c = c->next)
        if (!atomic_load_explicit(&c->busy, memory_order_relaxed))
            shutdown(c->fd, SHUT_RD);
    pthread_mutex_unlock(&t->lock);
}

int64_t conns_n(struct conns *t)
{
    pthread_mutex_lock(&t->lock);
    int64_t n = t->n;
    pthread_mutex_unlock(&t->lock);
    return n;
}

int64_t conns_reaped(struct conns *t)
{
    return atomic_load(&t->reaped);
}

int64_t conns_n_shed(struct conns *t)
{
    return atomic_load(&t->shed);
}
