/* compare.c - see compare.h. */
#include "ctl/compare.h"

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/imageref.h"
#include "wire/json_util.h"

#include <stdio.h>
#include <string.h>

enum { PATH_TEXT = 512, SHOWN = 120 };

static bool is_nothing(const struct json *v)
{
    return v == NULL || v->type == JSON_NULL || (v->type == JSON_ARRAY && v->n == 0) || (v->type == JSON_STRING && v->n == 0);
}

static size_t trimmed(const char *s)
{
    size_t n = strlen(s);

    while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
        n--;
    return n;
}

bool compare_same(const struct json *a, const struct json *b)
{
    int64_t x, y;

    if (is_nothing(a) || is_nothing(b))
        return is_nothing(a) && is_nothing(b);
    if (a->type != JSON_STRING || b->type != JSON_STRING)
        return json_same(a, b);
    size_t n = trimmed(a->string);
    if (n == trimmed(b->string) && memcmp(a->string, b->string, n) == 0)
        return true;
    return time_parse(a->string, &x) && time_parse(b->string, &y) && x == y;
}

bool compare_pattern(struct arena *arena, const char *a, const char *b)
{
    const char *x = a, *y = b;
    struct err ignored = { 0 };

    if (a == NULL || b == NULL)
        return a == b;
    if (imageref_pattern_parse(arena, a, &x, &ignored) != 0)
        x = a;
    if (imageref_pattern_parse(arena, b, &y, &ignored) != 0)
        y = b;
    return str_eq(x, y);
}

static void put_value(const struct json *v, struct buf *out)
{
    struct buf b;

    if (v == NULL) {
        buf_puts(out, "(none)");
        return;
    }
    buf_init(&b, 1024 * 1024);
    json_print(v, &b);
    size_t n = b.len > SHOWN ? SHOWN : b.len;
    while (n > 0 && b.len > SHOWN && ((unsigned char)b.ptr[n] & 0xC0) == 0x80)
        n--;
    if (b.ptr != NULL)
        buf_put(out, b.ptr, n);
    buf_puts(out, b.len > SHOWN ? "..." : "");
    buf_free(&b);
}

static size_t put_change(const struct json *before, const struct json *after, const char *path, struct buf *out)
{
    buf_printf(out, "    %s: ", path);
    put_value(before, out);
    buf_puts(out, " -> ");
    put_value(after, out);
    buf_putc(out, '\n');
    return 1;
}

static size_t compare_objects(const struct json *before, const struct json *after, const char *path, struct buf *out)
{
    char inner[PATH_TEXT];
    size_t n = 0;

    for (uint32_t i = 0; i < after->n; i++) {
        snprintf(inner, sizeof inner, "%s.%s", path, after->members[i].key);
        n += compare_values(json_get(before, after->members[i].key), &after->members[i].value, inner, out);
    }
    for (uint32_t i = 0; i < before->n; i++) {
        snprintf(inner, sizeof inner, "%s.%s", path, before->members[i].key);
        if (json_get(after, before->members[i].key) == NULL)
            n += put_change(&before->members[i].value, NULL, inner, out);
    }
    return n;
}

static size_t compare_arrays(const struct json *before, const struct json *after, const char *path, struct buf *out)
{
    char inner[PATH_TEXT];
    size_t n = 0;

    for (uint32_t i = 0; i < before->n || i < after->n; i++) {
        snprintf(inner, sizeof inner, "%s[%u]", path, i);
        n += compare_values(i < before->n ? &before->items[i] : NULL, i < after->n ? &after->items[i] : NULL, inner, out);
    }
    return n;
}

size_t compare_values(const struct json *before, const struct json *after, const char *path, struct buf *out)
{
    if (before == NULL || after == NULL)
        return before == after ? 0 : put_change(before, after, path, out);
    if (before->type == JSON_OBJECT && after->type == JSON_OBJECT)
        return compare_objects(before, after, path, out);
    if (before->type == JSON_ARRAY && after->type == JSON_ARRAY)
        return compare_arrays(before, after, path, out);
    return json_same(before, after) ? 0 : put_change(before, after, path, out);
}
