/* arena.h - memory that belongs to a request.
 *
 * Chunks from malloc, one free at the end.  Single-threaded.  Every arena has
 * a limit in bytes; past it (or when malloc fails) allocation returns NULL and
 * the caller answers err_nomem().  All memory is zeroed unless said otherwise. */
#ifndef KEEP_BASE_ARENA_H
#define KEEP_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;   /* newest first */
    char *next, *end;             /* free part of the newest chunk */
    size_t used, limit;           /* bytes taken from malloc, and their bound */
};

void arena_init(struct arena *a, size_t limit);

/* Frees everything; the arena may be used again with the same limit. */
void arena_clear(struct arena *a);

/* Like arena_clear, but keeps one ordinary chunk for the next round. */
void arena_reset(struct arena *a);

/* Zeroed, aligned for any type.  NULL when over the limit.  n == 0 is valid. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc));

/* As arena_alloc, but not zeroed and aligned to 1: for text. */
void *arena_bytes(struct arena *a, size_t n) __attribute__((malloc));

/* n * size with overflow check. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((malloc));

char *arena_strdup(struct arena *a, const char *s);              /* NULL in, NULL out */
char *arena_strndup(struct arena *a, const char *s, size_t n);   /* all n bytes, which must be there; adds the NUL */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
