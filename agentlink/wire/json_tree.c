/* json_tree.c - trees of values: building them (json_tree.h) and reading them (json.h).
 *
 * Objects with more than INDEX_FROM members have a hash index behind the member
 * array, which also finds duplicate keys in linear time. */
#include "wire/json_tree.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX_FROM = 12 };

void json_stack_free(struct json_stack *s)
{
    free(s->items);
    *s = (struct json_stack){ 0 };
}

static int stack_grow(struct json_stack *s, const struct arena *arena)
{
    size_t left = arena->used < arena->limit ? arena->limit - arena->used : 0;
    size_t cap = s->cap == 0 ? 256 : s->cap * 2, most = left / sizeof *s->items;

    if (cap > most && s->cap >= 256)
        cap = most;
    if (cap <= s->n)
        return -1;
    struct json_member *more = realloc(s->items, cap * sizeof *more);
    if (more == NULL)
        return -1;
    s->items = more;
    s->cap = cap;
    return 0;
}

struct json_member *json_push(struct json_stack *s, const struct arena *arena)
{
    if (s->n == s->cap && stack_grow(s, arena) != 0)
        return NULL;
    struct json_member *m = &s->items[s->n++];
    *m = (struct json_member){ 0 };
    return m;
}

static uint32_t hash_key(const char *s, uint32_t len)
{
    uint32_t h = 2166136261u;

    for (uint32_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h ^ h >> 15;
}

bool json_same_key(const struct json_member *a, const struct json_member *b)
{
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

/* Slots of the index of an object with n members: a power of two, half empty. */
static uint32_t index_size(uint32_t n)
{
    uint32_t size = 32;

    while (size < 2 * n)
        size *= 2;
    return size;
}

static uint32_t *index_of(const struct json_member *members, uint32_t n)
{
    return (uint32_t *)(uintptr_t)(members + n);
}

/* A flood of keys with one hash would make the index quadratic: bounded probes. */
enum { MAX_PROBES = 512, MEMBERS_MAX = 1 << 28 };

static bool is_key(const struct json_member *a, const struct json_member *b)
{
    return a->hash == b->hash && json_same_key(a, b);
}

static enum json_made build_index(struct json_member *m, uint32_t n, bool duplicates, uint32_t *bad)
{
    uint32_t mask = index_size(n) - 1, *slots = index_of(m, n);

    for (uint32_t i = 0; i < n; i++) {
        m[i].hash = hash_key(m[i].key, m[i].key_len);
        uint32_t at = m[i].hash & mask, probes = 0;
        *bad = i;
        while (slots[at] != 0 && !is_key(&m[slots[at] - 1], &m[i])) {
            if (++probes > MAX_PROBES)
                return JSON_FLOOD;
            at = (at + 1) & mask;
        }
        if (slots[at] != 0 && !duplicates)
            return JSON_DUPLICATE;
        slots[at] = i + 1;                  /* of duplicates, the last wins */
    }
    return JSON_MADE;
}

static enum json_made check_small(const struct json_member *m, uint32_t n, bool duplicates, uint32_t *bad)
{
    for (uint32_t i = 1; i < n && !duplicates; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (json_same_key(&m[i], &m[j])) {
                *bad = i;
                return JSON_DUPLICATE;
            }
        }
    }
    return JSON_MADE;
}

enum json_made json_make_object(struct arena *arena, const struct json_member *members, uint32_t n, bool duplicates,
                                struct json *v, uint32_t *at)
{
    size_t size = n * sizeof *members;
    size_t extra = n > INDEX_FROM && n <= MEMBERS_MAX ? index_size(n) * sizeof(uint32_t) : 0;
    struct json_member *m = n <= MEMBERS_MAX ? arena_alloc(arena, size + extra) : NULL;

    if (m == NULL)
        return JSON_NO_MEMORY;
    if (n > 0)
        memcpy(m, members, size);
    v->type = JSON_OBJECT;
    v->n = n;
    v->members = m;
    return n > INDEX_FROM ? build_index(m, n, duplicates, at) : check_small(m, n, duplicates, at);
}

enum json_made json_make_array(struct arena *arena, const struct json_member *members, uint32_t n, struct json *v)
{
    struct json *items = arena_array(arena, n, sizeof *items);

    if (items == NULL)
        return JSON_NO_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        items[i] = members[i].value;
    v->type = JSON_ARRAY;
    v->n = n;
    v->items = items;
    return JSON_MADE;
}

/* ---- reading ---------------------------------------------------------------- */

void json_position(const void *text, size_t len, uint32_t offset, unsigned *line, unsigned *column)
{
    const char *s = text != NULL && len > 0 ? text : "", *stop = s + (offset < len ? offset : len);

    *line = 1;
    const char *start = s;
    for (const char *nl; (nl = memchr(start, '\n', (size_t)(stop - start))) != NULL; start = nl + 1)
        ++*line;
    *column = (unsigned)(stop - start) + 1;
}

const struct json *json_get(const struct json *v, const char *key)
{
    if (v == NULL || v->type != JSON_OBJECT)
        return NULL;
    uint32_t len = (uint32_t)strlen(key);
    const struct json_member *m = v->members;
    if (v->n <= INDEX_FROM) {
        for (uint32_t i = v->n; i-- > 0;) {
            if (m[i].key_len == len && memcmp(m[i].key, key, len) == 0)
                return &m[i].value;
        }
        return NULL;
    }
    struct json_member wanted = { .key = key, .key_len = len, .hash = hash_key(key, len) };
    uint32_t mask = index_size(v->n) - 1, *slots = index_of(m, v->n);
    for (uint32_t at = wanted.hash & mask; slots[at] != 0; at = (at + 1) & mask) {
        if (is_key(&m[slots[at] - 1], &wanted))
            return &m[slots[at] - 1].value;
    }
    return NULL;
}

const struct json *json_path(const struct json *v, const char *dotted)
{
    char key[64];

    while (v != NULL) {
        size_t n = strcspn(dotted, ".");
        if (n >= sizeof key)
            return NULL;
        memcpy(key, dotted, n);
        key[n] = '\0';
        v = json_get(v, key);
        if (dotted[n] == '\0')
            return v;
        dotted += n + 1;
    }
    return NULL;
}

const char *json_str(const struct json *v, const char *otherwise)
{
    return json_is(v, JSON_STRING) ? v->string : otherwise;
}

int64_t json_int(const struct json *v, int64_t otherwise)
{
    return json_is(v, JSON_INT) ? v->i : otherwise;
}

double json_number(const struct json *v, double otherwise)
{
    return json_is(v, JSON_REAL) ? v->real : json_is(v, JSON_INT) ? (double)v->i : otherwise;
}

bool json_bool(const struct json *v, bool otherwise)
{
    return json_is(v, JSON_BOOL) ? v->boolean : otherwise;
}

const char *json_get_str(const struct json *v, const char *key, const char *otherwise)
{
    return json_str(json_get(v, key), otherwise);
}
