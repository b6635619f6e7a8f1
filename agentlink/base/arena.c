/* arena.c - see arena.h. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 16 * 1024, CHUNK_MAX = 1024 * 1024 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t size;                       /* whole malloc block */
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){ .limit = limit };
}

static void free_from(struct arena_chunk *c)
{
    while (c != NULL) {
        struct arena_chunk *older = c->older;
        free(c);
        c = older;
    }
}

void arena_clear(struct arena *a)
{
    free_from(a->chunks);
    arena_init(a, a->limit);
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = a->chunks;

    if (keep == NULL || keep->size > CHUNK_MAX) {
        arena_clear(a);
        return;
    }
    free_from(keep->older);
    keep->older = NULL;
    a->next = keep->data;
    a->end = (char *)keep + keep->size;
    a->used = keep->size;
}

/* A new newest chunk with room for n bytes; chunks double so that a big
 * request costs few mallocs and a small one little memory. */
static int grow(struct arena *a, size_t n)
{
    size_t size = a->used < CHUNK ? CHUNK : a->used > CHUNK_MAX ? CHUNK_MAX : a->used;
    size_t left = a->used < a->limit ? a->limit - a->used : 0;

    if (n > left || left - n < sizeof(struct arena_chunk))
        return -1;
    n += sizeof(struct arena_chunk);
    if (size < n)
        size = n;
    if (size > left)
        size = left;                    /* the last one: all that is allowed */
    struct arena_chunk *c = malloc(size);
    if (c == NULL)
        return -1;
    c->older = a->chunks;
    c->size = size;
    a->chunks = c;
    a->next = c->data;
    a->end = (char *)c + size;
    a->used += size;
    return 0;
}

void *arena_bytes(struct arena *a, size_t n)
{
    if ((size_t)(a->end - a->next) < n || a->next == NULL) {
        if (grow(a, n) != 0)
            return NULL;
    }
    void *p = a->next;
    a->next += n;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t pad = (size_t)(-(uintptr_t)a->next & (alignof(max_align_t) - 1));

    if (a->next != NULL && pad <= (size_t)(a->end - a->next))
        a->next += pad;
    else
        a->next = a->end;               /* no room for the padding: new chunk */
    void *p = arena_bytes(a, n);
    return p != NULL ? memset(p, 0, n) : NULL;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t total;

    return __builtin_mul_overflow(n, size, &total) ? NULL : arena_alloc(a, total);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = n == SIZE_MAX ? NULL : arena_bytes(a, n + 1);

    if (p != NULL) {
        if (n > 0)
            memcpy(p, s, n);
        p[n] = '\0';
    }
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s == NULL ? NULL : arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : arena_bytes(a, (size_t)n + 1);
    if (p == NULL)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}
