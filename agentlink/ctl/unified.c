/* unified.c - see unified.h: the longest common subsequence of the lines between the
 * first and the last difference, by a table of lengths. */
#include "ctl/unified.h"

#include "ctl/look.h"

#include <string.h>

enum { TABLE_MAX = 16 * 1024 * 1024 };        /* cells of two bytes */

struct lines { struct bytes *items; size_t n; };

/* A line of the result: ' ' of both, '-' of the first, '+' of the second. */
struct edit { char mark; struct bytes line; };

static int cut(struct arena *arena, struct bytes text, struct lines *out, struct err *err)
{
    const unsigned char *s = text.ptr, *end = s + text.len;
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += s[i] == '\n';
    if (n >= UNIFIED_LINES_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d lines", UNIFIED_LINES_MAX);
    out->items = arena_array(arena, n + 1, sizeof *out->items);
    if (out->items == NULL)
        return err_nomem(err);
    while (s < end) {
        const unsigned char *newline = memchr(s, '\n', (size_t)(end - s));
        const unsigned char *stop = newline != NULL ? newline : end;
        out->items[out->n++] = (struct bytes){ s, (size_t)(stop - s) };
        s = newline != NULL ? newline + 1 : end;
    }
    return 0;
}

static bool same(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* lengths[i * (b.n + 1) + k]: of the longest common subsequence of a from i and b from k. */
static uint16_t *lengths_of(struct arena *arena, struct lines a, struct lines b)
{
    size_t width = b.n + 1;

    if (a.n >= UINT16_MAX || b.n >= UINT16_MAX || (a.n + 1) * width > TABLE_MAX)
        return NULL;
    uint16_t *t = arena_array(arena, (a.n + 1) * width, sizeof *t);
    for (size_t i = a.n; t != NULL && i-- > 0;) {
        for (size_t k = b.n; k-- > 0;) {
            uint16_t down = t[(i + 1) * width + k], right = t[i * width + k + 1];
            t[i * width + k] = same(a.items[i], b.items[k]) ? (uint16_t)(t[(i + 1) * width + k + 1] + 1) : down >= right ? down : right;
        }
    }
    return t;
}

static size_t edit_middle(struct arena *arena, struct lines a, struct lines b, struct edit *out)
{
    const uint16_t *t = lengths_of(arena, a, b);
    size_t width = b.n + 1, i = 0, k = 0, n = 0;

    while (i < a.n || k < b.n) {
        if (t != NULL && i < a.n && k < b.n && same(a.items[i], b.items[k])) {
            out[n++] = (struct edit){ ' ', a.items[i++] };
            k++;
        } else if (i < a.n && (k == b.n || t == NULL || t[(i + 1) * width + k] >= t[i * width + k + 1])) {
            out[n++] = (struct edit){ '-', a.items[i++] };
        } else {
            out[n++] = (struct edit){ '+', b.items[k++] };
        }
    }
    return n;
}

static size_t edit_all(struct arena *arena, struct lines a, struct lines b, struct edit *out)
{
    size_t head = 0, tail = 0, n = 0;

    while (head < a.n && head < b.n && same(a.items[head], b.items[head]))
        head++;
    while (tail < a.n - head && tail < b.n - head && same(a.items[a.n - 1 - tail], b.items[b.n - 1 - tail]))
        tail++;
    for (size_t i = 0; i < head; i++)
        out[n++] = (struct edit){ ' ', a.items[i] };
    struct lines mid_a = { a.items + head, a.n - head - tail }, mid_b = { b.items + head, b.n - head - tail };
    n += edit_middle(arena, mid_a, mid_b, out + n);
    for (size_t i = a.n - tail; i < a.n; i++)
        out[n++] = (struct edit){ ' ', a.items[i] };
    return n;
}

/* ---- hunks ------------------------------------------------------------------------------- */

static void put_line(struct buf *b, const struct edit *e)
{
    struct buf line;

    buf_init(&line, e->line.len + 1);
    buf_put(&line, e->line.ptr, e->line.len);
    buf_putc(b, e->mark);
    put_safe(b, line.ptr != NULL && !line.failed ? line.ptr : "");
    buf_putc(b, '\n');
    buf_free(&line);
}

/* The end of the hunk that holds the change at i: no further change within twice the context. */
static size_t hunk_end(const struct edit *edits, size_t n, size_t i)
{
    size_t last = i;

    for (size_t k = i; k < n && k <= last + 2 * UNIFIED_CONTEXT; k++)
        last = edits[k].mark != ' ' ? k : last;
    return last + 1 + UNIFIED_CONTEXT < n ? last + 1 + UNIFIED_CONTEXT : n;
}

static void put_hunks(const struct edit *edits, size_t n, struct buf *out)
{
    size_t at_a = 1, at_b = 1, done = 0;      /* lines of either text at `done` */

    for (size_t i = 0; i < n; i++) {
        if (edits[i].mark == ' ')
            continue;
        size_t start = i - done > UNIFIED_CONTEXT ? i - UNIFIED_CONTEXT : done, end = hunk_end(edits, n, i), n_a = 0, n_b = 0;
        at_a += start - done;
        at_b += start - done;
        for (size_t k = start; k < end; k++) {
            n_a += edits[k].mark != '+';
            n_b += edits[k].mark != '-';
        }
        buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", n_a > 0 ? at_a : at_a - 1, n_a, n_b > 0 ? at_b : at_b - 1, n_b);
        for (size_t k = start; k < end; k++)
            put_line(out, &edits[k]);
        at_a += n_a;
        at_b += n_b;
        done = end;
        i = end - 1;
    }
}

int unified_diff(struct arena *arena, const char *name_a, struct bytes a, const char *name_b, struct bytes b,
                 struct buf *out, struct err *err)
{
    struct lines lines_a = { 0 }, lines_b = { 0 };

    if (cut(arena, a, &lines_a, err) != 0 || cut(arena, b, &lines_b, err) != 0)
        return -1;
    struct edit *edits = arena_array(arena, lines_a.n + lines_b.n + 1, sizeof *edits);
    if (edits == NULL)
        return err_nomem(err);
    size_t n = edit_all(arena, lines_a, lines_b, edits), changed = 0;
    for (size_t i = 0; i < n; i++)
        changed += edits[i].mark != ' ';
    if (changed == 0)
        return 0;
    buf_puts(out, "--- ");
    put_safe(out, name_a);
    buf_puts(out, "\n+++ ");
    put_safe(out, name_b);
    buf_putc(out, '\n');
    put_hunks(edits, n, out);
    return 0;
}
