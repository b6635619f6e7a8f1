/* text.c - text that is being made. */
#include "core/cel/internal.h"

#include <stdarg.h>
#include <stdio.h>

static bool room(struct cel_text *t, size_t n)
{
    if (t->full || n > UINT32_MAX / 4)
        return false;
    if (n <= t->cap - t->len)
        return true;
    if (t->run == NULL)
        return false;
    size_t cap = t->cap < 64 ? 64 : t->cap * 2;
    while (cap < t->len + n)
        cap *= 2;
    char *ptr = run_bytes(t->run, cap);
    if (ptr == NULL)
        return false;
    if (t->len > 0)
        memcpy(ptr, t->ptr, t->len);
    t->ptr = ptr;
    t->cap = cap;
    return true;
}

void text_put(struct cel_text *t, const void *p, size_t n)
{
    if (!room(t, n)) {
        /* A fixed room is filled to its end. */
        n = t->full || t->run != NULL ? 0 : t->cap - t->len;
        t->full = true;
    }
    if (n > 0)
        memcpy(t->ptr + t->len, p, n);
    t->len += n;
}

void text_puts(struct cel_text *t, const char *s)
{
    text_put(t, s, strlen(s));
}

void text_putc(struct cel_text *t, char c)
{
    text_put(t, &c, 1);
}

void text_printf(struct cel_text *t, const char *fmt, ...)
{
    char few[128];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(few, sizeof few, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof few)
        t->full = true;
    else
        text_put(t, few, (size_t)n);
}

struct cel_value text_value(struct cel_text *t)
{
    if (t->full || t->run->budget < 0)
        return run_stopped(t->run);
    return cel_string(t->len > 0 ? t->ptr : "", t->len);
}
