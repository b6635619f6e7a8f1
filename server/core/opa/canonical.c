/* canonical.c - the form of JSON that bundle signatures hash; see opa.h. */
#include "core/opa/opa.h"

#include <stdlib.h>
#include <string.h>

/* Go's encoder: short forms first, then \u00XX, then the two line separators. */
static void put_string(const char *s, size_t len, bool old, struct buf *out)
{
    static const char shorts[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
    enum { ALWAYS = 5 };

    buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        const char *at = c != '\0' ? memchr(shorts, c, old ? (size_t)ALWAYS : sizeof shorts - 1) : NULL;
        if (at != NULL) {
            buf_putc(out, '\\');
            buf_putc(out, letters[at - shorts]);
        } else if (c < 0x20) {
            buf_printf(out, "\\u%04x", c);
        } else if (c == 0xe2 && len - i >= 3 && (unsigned char)s[i + 1] == 0x80 && ((unsigned char)s[i + 2] & 0xfe) == 0xa8) {
            buf_puts(out, (unsigned char)s[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");
            i += 2;
        } else {
            buf_putc(out, (char)c);
        }
    }
    buf_putc(out, '"');
}

static int by_key(const void *a, const void *b)
{
    const struct json_member *x = *(const struct json_member *const *)a, *y = *(const struct json_member *const *)b;
    uint32_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
    int order = memcmp(x->key, y->key, n);

    if (order == 0)
        order = (x->key_len > y->key_len) - (x->key_len < y->key_len);
    return order != 0 ? order : (x > y) - (x < y);
}

static bool same_key(const struct json_member *a, const struct json_member *b)
{
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

static void put_object(const struct json *v, const char *text, bool old, struct buf *out)
{
    const struct json_member **sorted = calloc(v->n + 1u, sizeof *sorted);

    if (sorted == NULL) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < v->n; i++)
        sorted[i] = &v->members[i];
    qsort(sorted, v->n, sizeof *sorted, by_key);
    buf_putc(out, '{');
    bool first = true;
    for (uint32_t i = 0; i < v->n; i++) {
        if (i + 1 < v->n && same_key(sorted[i], sorted[i + 1]))
            continue;                             /* of a key that stands twice, the last one counts */
        if (!first)
            buf_putc(out, ',');
        first = false;
        put_string(sorted[i]->key, sorted[i]->key_len, old, out);
        buf_putc(out, ':');
        opa_canonical(&sorted[i]->value, text, old, out);
    }
    buf_putc(out, '}');
    free(sorted);
}

/* As deep as the parser allowed, and no deeper. */
void opa_canonical(const struct json *v, const char *text, bool old, struct buf *out)
{
    switch ((enum json_type)v->type) {
    case JSON_NULL:
        buf_puts(out, "null");
        break;
    case JSON_BOOL:
        buf_puts(out, v->boolean ? "true" : "false");
        break;
    case JSON_INT:
    case JSON_REAL:
        buf_put(out, text + v->offset, v->n);
        break;
    case JSON_STRING:
        put_string(v->string, v->n, old, out);
        break;
    case JSON_ARRAY:
        buf_putc(out, '[');
        for (uint32_t i = 0; i < v->n; i++) {
            if (i > 0)
                buf_putc(out, ',');
            opa_canonical(&v->items[i], text, old, out);
        }
        buf_putc(out, ']');
        break;
    case JSON_OBJECT:
        put_object(v, text, old, out);
        break;
    }
}

bool opa_is_structured(const char *name)
{
    static const char *const names[] = { ".manifest", ".signatures.json", "data.json", "data.yaml" };
    const char *slash = strrchr(name, '/'), *base = slash != NULL ? slash + 1 : name;

    for (size_t i = 0; i < N_ITEMS(names); i++) {
        if (str_eq(base, names[i]))
            return true;
    }
    return false;
}
