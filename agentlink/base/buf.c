/* buf.c - see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max };
}

void buf_free(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->ptr != NULL)
        b->ptr[0] = '\0';
}

char *buf_room(struct buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n > b->max || b->len > b->max - n || b->len + n == SIZE_MAX)
        goto fail;
    if (b->len + n + 1 > b->cap) {
        size_t cap = b->cap < 256 ? 256 : b->cap;
        while (cap < b->len + n + 1)
            cap = cap > SIZE_MAX / 2 ? b->len + n + 1 : cap * 2;
        char *p = realloc(b->ptr, cap);
        if (p == NULL)
            goto fail;
        b->ptr = p;
        b->cap = cap;
    }
    return b->ptr + b->len;
fail:
    b->failed = true;
    return NULL;
}

void buf_grown(struct buf *b, size_t n)
{
    b->len += n;
    b->ptr[b->len] = '\0';
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    char *to = buf_room(b, n);

    if (to == NULL)
        return;
    if (n > 0)
        memcpy(to, p, n);
    buf_grown(b, n);
}

void buf_puts(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *to = n < 0 ? NULL : buf_room(b, (size_t)n);
    if (to == NULL) {
        b->failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf_grown(b, (size_t)n);
}

char *buf_steal(struct buf *b, size_t *len)
{
    if (b->failed || buf_room(b, 0) == NULL)
        return NULL;
    char *p = b->ptr;
    p[b->len] = '\0';
    *len = b->len;
    *b = (struct buf){ .max = b->max };
    return p;
}
