/* buf.h - a byte buffer that grows, is bounded, and fails once.
 *
 * After the first failure (bound reached, no memory) every later call is
 * ignored and `failed` stays set: writers check once, at the end.
 * The bytes are always followed by a NUL that `len` does not count. */
#ifndef KEEP_BASE_BUF_H
#define KEEP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *ptr;            /* owned by the buffer; NULL while empty */
    size_t len, cap, max; /* bytes */
    bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);                /* safe on a zeroed buffer; wipes nothing */
void buf_clear(struct buf *b);               /* len = 0, failed = false, keeps the memory */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for n more bytes; returns where to write them, or NULL (failed).
 * The caller then adds what it wrote with buf_grown. */
char *buf_room(struct buf *b, size_t n);
void buf_grown(struct buf *b, size_t n);

/* Takes the memory out of the buffer (caller frees); NULL when failed. */
char *buf_steal(struct buf *b, size_t *len);

#endif
