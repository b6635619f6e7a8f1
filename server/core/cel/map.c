/* map.c - maps an expression makes: entries in the order they came, with a hash
 * index from INDEX_FROM entries on.
 *
 * Keys are bool, int, uint or string; 1 and 1u are the same key. */
#include "core/cel/internal.h"

#include <math.h>

enum { INDEX_FROM = 8 };

bool is_map_key(const struct cel_value *v)
{
    return is_kind(*v, K_BOOL | K_INT | K_UINT | K_STRING);
}

struct cel_value number_key(struct cel_value v)
{
    if (v.kind != CEL_DOUBLE || !(trunc(v.d) >= v.d && trunc(v.d) <= v.d))
        return v;
    if (v.d >= -0x1p63 && v.d < 0x1p63)
        return cel_int((int64_t)v.d);
    return v.d >= 0 && v.d < 0x1p64 ? cel_uint((uint64_t)v.d) : v;
}

/* FNV-1a; not seeded: the number of keys is bounded and every probe is paid. */
static uint32_t hash(const struct cel_value *key)
{
    uint64_t h = UINT64_C(14695981039346656037);

    if (key->kind == CEL_STRING) {
        for (uint32_t i = 0; i < key->n; i++)
            h = (h ^ (unsigned char)key->s[i]) * UINT64_C(1099511628211);
    } else {
        h = (h ^ (key->kind == CEL_BOOL ? (uint64_t)key->boolean : key->u)) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return (uint32_t)(h ^ h >> 32);
}

static bool same_key(const struct cel_value *a, const struct cel_value *b)
{
    switch ((enum cel_kind)a->kind) {
    case CEL_STRING:
        return b->kind == CEL_STRING && a->n == b->n && memcmp(a->s, b->s, a->n) == 0;
    case CEL_BOOL:
        return b->kind == CEL_BOOL && a->boolean == b->boolean;
    case CEL_INT: case CEL_UINT:
        /* The same bits in both, unless one of them is negative or beyond int. */
        return a->u == b->u && (b->kind == a->kind || (is_kind(*b, K_INT | K_UINT) && a->i >= 0));
    default:
        return false;
    }
}

static const struct cel_value *find(const struct cel_entry *entries, uint32_t n, const uint32_t *index, uint32_t mask,
                                    const struct cel_value *key)
{
    if (index == NULL) {
        for (uint32_t i = 0; i < n; i++) {
            if (same_key(key, &entries[i].key))
                return &entries[i].value;
        }
        return NULL;
    }
    for (uint32_t at = hash(key) & mask; index[at] != 0; at = (at + 1) & mask) {
        if (same_key(key, &entries[index[at] - 1].key))
            return &entries[index[at] - 1].value;
    }
    return NULL;
}

const struct cel_value *map_find(const struct cel_map *m, const struct cel_value *key)
{
    return find(m->entries, m->n, m->index, m->mask, key);
}

static void index_put(uint32_t *index, uint32_t mask, const struct cel_entry *entries, uint32_t i)
{
    uint32_t at = hash(&entries[i].key) & mask;

    while (index[at] != 0)
        at = (at + 1) & mask;
    index[at] = i + 1;
}

/* Twice the room, and a new index of twice that. */
static int grow(struct cel_run *run, struct cel_map_builder *b)
{
    uint32_t cap = b->cap == 0 ? INDEX_FROM : b->cap * 2;
    struct cel_entry *entries = cap > MAX_ITEMS ? NULL : run_alloc(run, cap, sizeof *entries);
    uint32_t *index = NULL;

    if (entries == NULL || (cap > INDEX_FROM && (index = run_alloc(run, cap, 2 * sizeof *index)) == NULL))
        return run_stopped(run), -1;
    if (b->n > 0)
        memcpy(entries, b->entries, b->n * sizeof *entries);
    b->entries = entries;
    b->cap = cap;
    b->index = index;
    b->mask = cap * 2 - 1;
    for (uint32_t i = 0; index != NULL && i < b->n; i++)
        index_put(index, b->mask, entries, i);
    return 0;
}

int map_add(struct cel_run *run, struct cel_map_builder *b, struct cel_value key, struct cel_value value)
{
    if (!cel_pay(run, 1 + (key.kind == CEL_STRING ? key.n / 16 : 0)))
        return run_stopped(run), -1;
    if (find(b->entries, b->n, b->index, b->mask, &key) != NULL)
        return 1;
    if (b->n == b->cap && grow(run, b) != 0)
        return -1;
    b->entries[b->n] = (struct cel_entry){ key, value };
    if (b->index != NULL)
        index_put(b->index, b->mask, b->entries, b->n);
    b->n++;
    return 0;
}

struct cel_value map_finish(struct cel_run *run, struct cel_map_builder *b)
{
    struct cel_map *m = run->budget < 0 ? NULL : run_alloc(run, 1, sizeof *m);

    if (m == NULL)
        return run_stopped(run);
    *m = (struct cel_map){ .n = b->n, .mask = b->mask, .entries = b->entries, .index = b->index };
    return (struct cel_value){ .kind = CEL_MAP, .n = b->n, .map = m };
}
