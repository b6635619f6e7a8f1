/* text_list.c - see text_list.h. */
#include "store/text_list.h"
#include "base/str.h"

#include <string.h>

enum { LIST_BYTES_MAX = 256 * 1024 };

void text_put_json(struct buf *b, const char *s)
{
    buf_putc(b, '"');
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            buf_putc(b, '\\');
            buf_putc(b, *s);
        } else if (c < 0x20 || c == 0x7f) {
            buf_printf(b, "\\u%04x", c);
        } else {
            buf_putc(b, *s);
        }
    }
    buf_putc(b, '"');
}

const char *text_list_encode(struct arena *arena, const char *const *items, size_t n)
{
    struct buf b;
    const char *text = NULL;

    buf_init(&b, LIST_BYTES_MAX);
    buf_putc(&b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_putc(&b, ',');
        text_put_json(&b, items[i]);
    }
    buf_putc(&b, ']');
    if (!b.failed)
        text = arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

/* One character of a string into *c; false at the closing quote or on damage. */
static bool take_char(const char **p, char *c)
{
    unsigned char code;

    if (**p == '"' || **p == '\0')
        return false;
    if (**p != '\\') {
        *c = *(*p)++;
        return true;
    }
    (*p)++;
    if (**p == '"' || **p == '\\') {
        *c = *(*p)++;
        return true;
    }
    char hex[3] = { 0 };
    if (strncmp(*p, "u00", 3) != 0 || strlen(*p) < 5)
        return false;
    memcpy(hex, *p + 3, 2);
    if (!hex_decode(hex, &code, 1) || code == 0)
        return false;
    *c = (char)code;
    *p += 5;
    return true;
}

static const char *take_string(const char **p, struct arena *arena)
{
    size_t n = 0;

    if (*(*p)++ != '"')
        return NULL;
    char *out = arena_bytes(arena, strcspn(*p, "\n") + 1);
    if (out == NULL)
        return NULL;
    while (take_char(p, &out[n]))
        n++;
    if (**p != '"')
        return NULL;
    (*p)++;
    out[n] = '\0';
    return out;
}

bool text_list_decode(const char *text, struct arena *arena, const char *const **items, size_t *n)
{
    size_t max = 1, count = 0;

    if (text == NULL || *text++ != '[')
        return false;
    for (const char *p = text; *p != '\0'; p++)
        max += *p == ',';
    const char **list = arena_array(arena, max, sizeof *list);
    if (list == NULL)
        return false;
    while (*text != ']') {
        if (count > 0 && *text++ != ',')
            return false;
        if (count == max || (list[count] = take_string(&text, arena)) == NULL)
            return false;
        count++;
    }
    if (text[1] != '\0')
        return false;
    *items = list;
    *n = count;
    return true;
}
