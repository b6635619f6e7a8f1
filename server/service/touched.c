/* touched.c - see touched.h: open addressing over a table twice the bound. */
#include "service/touched.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2 * TOUCHED_MAX };

struct touched {
    pthread_mutex_t lock;
    size_t n;
    int64_t dropped;
    struct touch slots[SLOTS];
};

struct touched *touched_new(void)
{
    struct touched *t = calloc(1, sizeof *t);

    if (t != NULL)
        pthread_mutex_init(&t->lock, NULL);
    return t;
}

void touched_free(struct touched *t)
{
    if (t == NULL)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* The slot of this id, or the empty one where it belongs.  There always is one:
 * half of the table stays empty.  Ids are ours and random, so FNV is enough. */
static struct touch *slot_of(struct touched *t, enum touched_kind kind, const char *id)
{
    uint64_t h = UINT64_C(14695981039346656037) + (uint64_t)kind;

    for (const char *p = id; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    for (size_t i = h % SLOTS;; i = (i + 1) % SLOTS) {
        struct touch *s = &t->slots[i];
        if (s->kind == TOUCHED_NONE || (s->kind == kind && strcmp(s->id, id) == 0))
            return s;
    }
}

void touched_add(struct touched *t, enum touched_kind kind, const char *id, const char *from, int64_t at_ms)
{
    if (strlen(id) >= TOUCHED_ID_MAX)
        return;
    pthread_mutex_lock(&t->lock);
    struct touch *s = slot_of(t, kind, id);
    bool is_new = s->kind == TOUCHED_NONE;
    if (is_new && t->n == TOUCHED_MAX) {
        t->dropped++;
    } else if (is_new || s->at_ms < at_ms) {
        t->n += is_new;
        s->kind = kind;
        s->at_ms = at_ms;
        snprintf(s->id, sizeof s->id, "%s", id);
        snprintf(s->from, sizeof s->from, "%s", from == NULL ? "" : from);
    }
    pthread_mutex_unlock(&t->lock);
}

int64_t touched_last(struct touched *t, enum touched_kind kind, const char *id)
{
    int64_t at = INT64_MIN;

    pthread_mutex_lock(&t->lock);
    struct touch *s = slot_of(t, kind, id);
    if (s->kind != TOUCHED_NONE)
        at = s->at_ms;
    pthread_mutex_unlock(&t->lock);
    return at;
}

size_t touched_take(struct touched *t, struct touch out[TOUCHED_MAX])
{
    size_t n = 0;

    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < SLOTS; i++) {
        if (t->slots[i].kind == TOUCHED_NONE)
            continue;
        out[n++] = t->slots[i];
        t->slots[i].kind = TOUCHED_NONE;
    }
    t->n = 0;
    pthread_mutex_unlock(&t->lock);
    return n;
}

int64_t touched_dropped(struct touched *t)
{
    pthread_mutex_lock(&t->lock);
    int64_t n = t->dropped;
    pthread_mutex_unlock(&t->lock);
    return n;
}
