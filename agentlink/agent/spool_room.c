/* spool_room.c - what goes when there is no room: low before normal, oldest first. */
#include "agent/spool_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool room_fits(const struct spool *s, enum spool_class class)
{
    int64_t own = s->limits.class_bytes[class];

    return spool_bytes(s) + s->limits.segment_bytes <= s->limits.bytes &&
           (own == 0 || lane_bytes(&s->lanes[class]) + s->limits.segment_bytes <= own);
}

/* Does the batch on its way need something of it? */
static bool is_pinned(const struct spool *s, const struct segment *g)
{
    return g->n > 0 && g->first <= s->state.flight && g->last > s->state.through;
}

/* First the count, durable, then the file: a crash between the two removes it at the
 * next start, and a crash before leaves it as it was. */
static bool drop_segment(struct spool *s, enum spool_class class, size_t i, enum spool_reason reason)
{
    struct err err = { 0 };
    struct spool_state before = s->state;

    spool_drop_count(s, class, reason, segment_live(s, class, i, s->state.skip > s->state.through ? s->state.skip : s->state.through));
    s->state.victim_class = class;
    s->state.victim_number = s->lanes[class].items[i].number;
    s->is_dirty = true;
    if (state_save(s, &err) != 0) {
        s->state = before;
        return false;
    }
    segment_remove(s, class, i);
    return true;
}

static bool drop_oldest(struct spool *s, enum spool_class class, enum spool_reason reason)
{
    const struct lane *l = &s->lanes[class];

    for (size_t i = 0; i < l->n; i++) {
        if (!is_pinned(s, &l->items[i]))
            return drop_segment(s, class, i, reason);
    }
    return false;
}

bool room_make(struct spool *s, enum spool_class class, enum spool_reason reason)
{
    int64_t own = s->limits.class_bytes[class];

    if (reason == SPOOL_FULL && own != 0 && lane_bytes(&s->lanes[class]) + s->limits.segment_bytes > own)
        return class != SPOOL_CRITICAL && drop_oldest(s, class, reason);
    for (int c = SPOOL_LOW; c > SPOOL_CRITICAL && c >= (int)class; c--) {
        if (drop_oldest(s, (enum spool_class)c, reason))
            return true;
    }
    return false;
}

/* ---- the reserve ------------------------------------------------------------------------- */

void reserve_make(struct spool *s)
{
    int fd = openat(s->dir, "reserve", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return;
    s->has_reserve = fallocate(fd, 0, 0, s->limits.reserve_bytes) == 0;
    if (!s->has_reserve)
        unlinkat(s->dir, "reserve", 0);
    close(fd);
}

bool reserve_use(struct spool *s)
{
    if (!s->has_reserve)
        return false;
    s->has_reserve = false;
    return unlinkat(s->dir, "reserve", 0) == 0;
}
