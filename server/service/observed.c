/* observed.c - see observed.h.
 *
 * A table of everything images are known to do: open addressing over pointers, at most
 * half full.  An image's rows are read when it is first heard of.  What is new is
 * written at once with count 0 and stays "to be written" until a flush has added its
 * count: so if the batch is rolled back, the flush writes the row again.  When the
 * table is full, all is written and forgotten, and read again as it is needed. */
#include "service/observed.h"

#include "base/str.h"
#include "base/time.h"
#include "store/observation.h"

#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 160 * 1024, SLOTS = 512 * 1024, IMAGES_MAX = 16 * 1024, IMAGE_SLOTS = 64 * 1024, FLUSH_ARENA = 1 << 20 };
static const int64_t OLDEST_MS = 30 * MS_DAY;        /* a clock that is further behind is not believed */

struct seen {
    uint64_t hash;
    int64_t image_id;
    int64_t n, hours, first_hour, last_hour;         /* since the last flush: count, different hours */
    int64_t first_ms, last_ms;
    uint32_t containers[OBSERVED_CONTAINERS_MAX], nodes[OBSERVED_NODES_MAX];
    uint8_t n_containers, n_nodes, part;
    bool raised, not_in_image;
    bool is_waiting;
    const char *parent;
    char text[];                                     /* then the parent */
};

struct image_seen {
    int64_t id;                                      /* 0: empty */
    uint32_t n_items;
};

struct observed {
    struct seen *slots[SLOTS];
    struct image_seen images[IMAGE_SLOTS];
    struct seen *waiting[ITEMS_MAX];
    size_t n_items, n_images, n_waiting;
    int64_t now_ms;
    struct observed_counts counts;
};

struct observed *observed_new(int64_t now_ms)
{
    struct observed *o = calloc(1, sizeof *o);

    if (o != NULL)
        o->now_ms = now_ms;
    return o;
}

static void forget(struct observed *o)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (o->slots[i] == NULL)
            continue;                      /* untouched pages stay untouched */
        free(o->slots[i]);
        o->slots[i] = NULL;
    }
    if (o->n_images > 0)
        memset(o->images, 0, sizeof o->images);
    o->n_items = o->n_images = o->n_waiting = 0;
}

void observed_free(struct observed *o)
{
    if (o == NULL)
        return;
    forget(o);
    free(o);
}

const struct observed_counts *observed_counts(const struct observed *o)
{
    return &o->counts;
}

/* ---- the table ------------------------------------------------------------------------ */

/* FNV-1a, 64 bits, finished so that the low bits are good enough for a table. */
static uint64_t mix(uint64_t h, const char *s)
{
    do
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    while (*s++ != '\0');
    return h;
}

static uint64_t finish(uint64_t h)
{
    h ^= h >> 32;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static uint64_t hash_of(int64_t image_id, int part, const char *text, const char *parent)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)image_id * 31 ^ (uint64_t)part;

    return finish(mix(mix(h, text), parent));
}

static uint32_t short_hash(const char *s)
{
    uint64_t h = finish(mix(UINT64_C(14695981039346656037), s));

    return (uint32_t)h != 0 ? (uint32_t)h : 1;
}

static struct seen **slot_of(struct observed *o, uint64_t hash, int64_t image_id, int part, const char *text, const char *parent)
{
    size_t at = hash % SLOTS;

    for (; o->slots[at] != NULL; at = (at + 1) % SLOTS) {
        const struct seen *s = o->slots[at];
        if (s->hash == hash && s->image_id == image_id && s->part == part && strcmp(s->text, text) == 0 && strcmp(s->parent, parent) == 0)
            break;
    }
    return &o->slots[at];
}

static struct image_seen *image_slot(struct observed *o, int64_t id)
{
    size_t at = (size_t)((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15) >> 40) % IMAGE_SLOTS;

    while (o->images[at].id != 0 && o->images[at].id != id)
        at = (at + 1) % IMAGE_SLOTS;
    return &o->images[at];
}

static struct seen *seen_new(uint64_t hash, int64_t image_id, int part, const char *text, const char *parent)
{
    size_t n_text = strlen(text) + 1, n_parent = strlen(parent) + 1;
    struct seen *s = calloc(1, sizeof *s + n_text + n_parent);

    if (s == NULL)
        return NULL;
    memcpy(s->text, text, n_text);
    memcpy(s->text + n_text, parent, n_parent);
    s->hash = hash;
    s->image_id = image_id;
    s->part = (uint8_t)part;
    s->parent = s->text + n_text;
    s->first_ms = INT64_MAX;
    s->last_hour = -1;
    return s;
}

static void wait_for_flush(struct observed *o, struct seen *s)
{
    if (s->is_waiting)
        return;
    s->is_waiting = true;
    o->waiting[o->n_waiting++] = s;                  /* there are at most ITEMS_MAX items */
    atomic_store_explicit(&o->counts.waiting, o->n_waiting, memory_order_relaxed);
}

static struct seen *insert(struct observed *o, struct image_seen *image, struct seen **slot, struct seen *s)
{
    *slot = s;
    image->n_items++;
    o->n_items++;
    atomic_store_explicit(&o->counts.items, o->n_items, memory_order_relaxed);
    return s;
}

/* ---- different ones ------------------------------------------------------------------------ */

static bool add_hash(uint32_t *list, uint8_t *n, size_t max, uint32_t hash)
{
    for (size_t i = 0; i < *n; i++) {
        if (list[i] == hash)
            return false;
    }
    if (*n >= max)
        return false;
    list[(*n)++] = hash;
    return true;
}

static void read_hashes(uint32_t *list, uint8_t *n, size_t max, struct bytes b)
{
    uint32_t hash;

    for (size_t i = 0; i + sizeof hash <= b.len; i += sizeof hash) {
        memcpy(&hash, b.ptr + i, sizeof hash);
        (void)add_hash(list, n, max, hash);
    }
}

/* ---- words of doubt --------------------------------------------------------------------------- */

static bool has_word(const char *words, const char *word)
{
    const char *at = strstr(words, word);

    return at != NULL && (at == words || at[-1] == ' ') && (at[strlen(word)] == ' ' || at[strlen(word)] == '\0');
}

static const char *doubt_of(const struct seen *s, const char *before)
{
    bool raised = s->raised || has_word(before, OBSERVED_RAISED), not_in_image = s->not_in_image || has_word(before, OBSERVED_NOT_IN_IMAGE);

    return raised && not_in_image ? OBSERVED_RAISED " " OBSERVED_NOT_IN_IMAGE : raised ? OBSERVED_RAISED : not_in_image ? OBSERVED_NOT_IN_IMAGE : "";
}

/* ---- flushing ------------------------------------------------------------------------------------ */

/* The row as it is, with what has been seen since: another server may have added, too. */
static int write_one(struct db *db, struct seen *s, struct arena *arena, struct err *err)
{
    struct observation row = { .doubt = "", .first_ms = s->first_ms, .last_ms = s->last_ms };

    int rc = observation_get(db, s->image_id, s->part, s->text, s->parent, arena, &row, err);
    if (rc < 0)
        return -1;
    read_hashes(s->containers, &s->n_containers, OBSERVED_CONTAINERS_MAX, row.containers);
    read_hashes(s->nodes, &s->n_nodes, OBSERVED_NODES_MAX, row.nodes);
    bool same_hour = rc == 1 && row.n > 0 && s->hours > 0 && s->first_hour <= row.last_ms / MS_HOUR;
    row.image_id = s->image_id;
    row.part = s->part;
    row.item = s->text;
    row.parent = s->parent;
    row.n += s->n;
    row.n_hours += s->hours - same_hour;
    row.n_containers = s->n_containers;
    row.n_nodes = s->n_nodes;
    row.first_ms = s->first_ms < row.first_ms ? s->first_ms : row.first_ms;
    row.last_ms = s->last_ms > row.last_ms ? s->last_ms : row.last_ms;
    row.doubt = doubt_of(s, row.doubt);
    row.containers = (struct bytes){ (const unsigned char *)s->containers, s->n_containers * sizeof *s->containers };
    row.nodes = (struct bytes){ (const unsigned char *)s->nodes, s->n_nodes * sizeof *s->nodes };
    if (observation_put(db, &row, err) != 0)
        return -1;
    s->n = s->hours = 0;
    s->first_ms = row.first_ms;
    s->is_waiting = false;
    return 0;
}

static int write_waiting(struct observed *o, struct db *db, size_t max, struct err *err)
{
    struct arena arena;
    int rc = 0;

    arena_init(&arena, FLUSH_ARENA);
    for (size_t i = 0; rc == 0 && i < max && o->n_waiting > 0; i++) {
        struct seen *s = o->waiting[o->n_waiting - 1];
        rc = write_one(db, s, &arena, err);
        if (rc != 0 && err->kind == ERR_INVALID) {      /* its image is gone: it must not hold up the others for ever */
            s->is_waiting = false;
            o->n_waiting--;
        }
        o->n_waiting -= rc == 0;
        arena_reset(&arena);
    }
    arena_clear(&arena);
    atomic_store_explicit(&o->counts.waiting, o->n_waiting, memory_order_relaxed);
    return rc;
}

int observed_flush(struct observed *o, struct db *db, int64_t now_ms, size_t max, bool *more, struct err *err)
{
    o->now_ms = now_ms;
    if (write_waiting(o, db, max, err) != 0)
        return -1;
    *more = o->n_waiting > 0;
    return 0;
}

/* ---- adding ----------------------------------------------------------------------------------------- */

static int make_room(struct observed *o, struct db *db, struct err *err)
{
    if (o->n_items < ITEMS_MAX - OBSERVATIONS_PER_IMAGE_MAX - ITEMS_PER_EVENT && o->n_images < IMAGES_MAX)
        return 0;
    if (write_waiting(o, db, SIZE_MAX, err) != 0)
        return -1;
    forget(o);
    return 0;
}

static int read_image(struct observed *o, struct db *db, struct image_seen *image, int64_t image_id, struct err *err)
{
    struct observation *rows;
    struct arena arena;
    size_t n;

    arena_init(&arena, 32 << 20);
    int rc = observation_list(db, image_id, &arena, &rows, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct observation *r = &rows[i];
        uint64_t hash = hash_of(image_id, r->part, r->item, r->parent);
        struct seen **slot = slot_of(o, hash, image_id, r->part, r->item, r->parent);
        struct seen *s = *slot == NULL ? seen_new(hash, image_id, r->part, r->item, r->parent) : NULL;
        if (s == NULL)
            continue;                  /* without memory: it will be taken for new, and merged by the flush */
        s->first_ms = r->first_ms;
        s->last_ms = r->last_ms;
        s->last_hour = r->last_ms / MS_HOUR;
        read_hashes(s->containers, &s->n_containers, OBSERVED_CONTAINERS_MAX, r->containers);
        read_hashes(s->nodes, &s->n_nodes, OBSERVED_NODES_MAX, r->nodes);
        s->raised = has_word(r->doubt, OBSERVED_RAISED);
        s->not_in_image = has_word(r->doubt, OBSERVED_NOT_IN_IMAGE);
        insert(o, image, slot, s);
    }
    arena_clear(&arena);
    if (rc == 0) {
        image->id = image_id;
        o->n_images++;
    }
    return rc;
}

static int write_new(struct db *db, const struct seen *s, struct err *err)
{
    const struct observation row = {
        .image_id = s->image_id, .part = s->part, .item = s->text, .parent = s->parent, .first_ms = s->first_ms, .last_ms = s->last_ms,
        .doubt = doubt_of(s, ""), .n_containers = s->n_containers, .n_nodes = s->n_nodes,
        .containers = { (const unsigned char *)s->containers, s->n_containers * sizeof *s->containers },
        .nodes = { (const unsigned char *)s->nodes, s->n_nodes * sizeof *s->nodes },
    };

    return observation_put(db, &row, err);
}

static void count(struct observed *o, struct seen *s, int64_t node, const struct event *e, bool raised)
{
    int64_t at = e->at_ms, hour;

    if (at > o->now_ms || at < o->now_ms - OLDEST_MS)
        at = o->now_ms;                    /* TIME_UNKNOWN, too */
    hour = at / MS_HOUR;
    s->n += event_weight(e);
    if (hour > s->last_hour) {
        s->first_hour = s->hours++ == 0 ? hour : s->first_hour;
        s->last_hour = hour;
    }
    s->first_ms = at < s->first_ms ? at : s->first_ms;
    s->last_ms = at > s->last_ms ? at : s->last_ms;
    if (e->container.id != NULL || e->place.pod != NULL)
        (void)add_hash(s->containers, &s->n_containers, OBSERVED_CONTAINERS_MAX, short_hash(e->container.id != NULL ? e->container.id : e->place.pod));
    if (node != 0)
        (void)add_hash(s->nodes, &s->n_nodes, OBSERVED_NODES_MAX, (uint32_t)finish((uint64_t)node) | 1u);
    s->raised |= raised;
    s->not_in_image |= s->part == PART_EXECUTABLE && event_origin(e) != ORIGIN_UNKNOWN;
    wait_for_flush(o, s);
}

static int add_item(struct observed *o, struct db *db, struct image_seen *image, const struct profile_item *item, int64_t node,
                    const struct event *e, bool raised, struct err *err)
{
    uint64_t hash = hash_of(image->id, item->part, item->text, item->parent);
    struct seen **slot = slot_of(o, hash, image->id, item->part, item->text, item->parent), *s = *slot;

    if (s != NULL)
        return count(o, s, node, e, raised), 0;
    if (image->n_items >= OBSERVATIONS_PER_IMAGE_MAX) {
        atomic_fetch_add_explicit(&o->counts.ignored, 1, memory_order_relaxed);
        return 0;
    }
    if ((s = seen_new(hash, image->id, item->part, item->text, item->parent)) == NULL)
        return err_nomem(err);
    insert(o, image, slot, s);
    count(o, s, node, e, raised);
    return write_new(db, s, err);
}

int observed_add(struct observed *o, struct db *db, int64_t image_id, int64_t node, const struct event *event, bool raised, struct err *err)
{
    struct profile_item items[ITEMS_PER_EVENT];
    size_t n = items_of_event(event, items);
    int rc = 0;

    if (n == 0 || image_id == 0)
        return 0;
    if (make_room(o, db, err) != 0)
        return -1;
    struct image_seen *image = image_slot(o, image_id);
    if (image->id == 0)
        rc = read_image(o, db, image, image_id, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_item(o, db, image, &items[i], node, event, raised, err);
    return rc;
}
