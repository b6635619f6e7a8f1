/* diff.c - what is to be sent: what differs from what the server has. */
#include "agent/inventory/inventory.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/msg/container.h"

#include <stdlib.h>
#include <string.h>

struct inventory_known {
    char id[CONTAINER_ID_MAX + 1];
    uint8_t hash[SHA256_LEN];
};

/* Of what is sent, but for the start: reckoned from the clock, it may waver. */
static int hash_of(const struct container *container, struct buf *b, uint8_t out[SHA256_LEN], struct err *err)
{
    struct container still = *container;

    still.started_ms = TIME_UNKNOWN;
    buf_clear(b);
    shape_encode(&container_shape, &still, b);
    if (b->failed)
        return err_nomem(err);
    sha256(b->ptr, b->len, out);
    return 0;
}

struct merging {
    struct inventory_delta *delta;
    struct container *changed;
    const char **gone;
    size_t room;                          /* in this message */
};

static void keep(struct merging *m, const struct inventory_known *known)
{
    m->delta->next[m->delta->n_next++] = *known;
}

static void end(struct merging *m, const struct inventory_known *known)
{
    m->gone[m->delta->n_gone++] = known->id;
}

/* New or changed: as many as fit; what waits stays as the server has it. */
static void change(struct merging *m, const struct container *container, const uint8_t hash[SHA256_LEN], const struct inventory_known *before)
{
    struct inventory_known now;

    if (m->room == 0) {
        m->delta->has_more = true;
        if (before != NULL)
            keep(m, before);
        return;
    }
    m->room--;
    memset(&now, 0, sizeof now);
    memcpy(now.id, container->id, strlen(container->id) + 1);
    memcpy(now.hash, hash, SHA256_LEN);
    m->changed[m->delta->n_containers++] = *container;
    keep(m, &now);
}

static int merge(struct merging *m, const struct inventory_track *track, const struct inventory *now, struct buf *b, struct err *err)
{
    size_t k = 0;
    uint8_t hash[SHA256_LEN];

    for (size_t i = 0; i < now->n; i++) {
        const struct container *c = &now->containers[i];
        while (k < track->n_known && strcmp(track->known[k].id, c->id) < 0)
            end(m, &track->known[k++]);
        const struct inventory_known *before = k < track->n_known && str_eq(track->known[k].id, c->id) ? &track->known[k++] : NULL;
        if (hash_of(c, b, hash, err) != 0)
            return -1;
        if (before != NULL && memcmp(before->hash, hash, SHA256_LEN) == 0)
            keep(m, before);
        else
            change(m, c, hash, before);
    }
    while (k < track->n_known)
        end(m, &track->known[k++]);
    return 0;
}

int inventory_diff(const struct inventory_track *track, const struct inventory *now, struct arena *arena,
                   struct inventory_delta *out, struct err *err)
{
    struct inventory_delta delta = { .base = track->generation, .generation = track->generation + 1 };
    struct merging m = { .delta = &delta, .room = INVENTORY_BATCH };
    struct buf b;

    delta.next = arena_array(arena, now->n + track->n_known, sizeof *delta.next);
    m.changed = arena_array(arena, INVENTORY_BATCH, sizeof *m.changed);
    m.gone = arena_array(arena, track->n_known, sizeof *m.gone);
    if (delta.next == NULL || m.changed == NULL || m.gone == NULL)
        return err_nomem(err);
    buf_init(&b, 1 << 20);
    int rc = merge(&m, track, now, &b, err);
    buf_free(&b);
    if (rc != 0)
        return -1;
    delta.containers = m.changed;
    delta.gone = m.gone;
    delta.is_empty = track->generation > 0 && delta.n_containers == 0 && delta.n_gone == 0;
    *out = delta;
    return 0;
}

int inventory_acknowledge(struct inventory_track *track, const struct inventory_delta *delta, struct err *err)
{
    struct inventory_known *copy = malloc((delta->n_next + 1) * sizeof *copy);

    if (copy == NULL)
        return err_nomem(err);
    if (delta->n_next > 0)
        memcpy(copy, delta->next, delta->n_next * sizeof *copy);
    free(track->known);
    *track = (struct inventory_track){ copy, delta->n_next, delta->generation };
    return 0;
}

void inventory_forget(struct inventory_track *track)
{
    inventory_track_clear(track);
}

void inventory_track_clear(struct inventory_track *track)
{
    free(track->known);
    *track = (struct inventory_track){ 0 };
}
