/* jsonw.c - see jsonw.h. */
#include "wire/jsonw.h"

#include "base/str.h"
#include "base/time.h"
#include "wire/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NESTING = 32 };

void jsonw_init(struct jsonw *w, struct buf *buf)
{
    *w = (struct jsonw){ .buf = buf };
}

/* Every value and every key begins here. */
static void begin(struct jsonw *w)
{
    if (w->comma[w->depth])
        buf_putc(w->buf, ',');
    w->comma[w->depth] = true;
}

static void enter(struct jsonw *w, char bracket)
{
    begin(w);
    if (w->depth == MAX_NESTING) {
        w->buf->failed = true;
        return;
    }
    buf_putc(w->buf, bracket);
    w->comma[++w->depth] = false;
}

static void leave(struct jsonw *w, char bracket)
{
    if (w->depth == 0) {
        w->buf->failed = true;
        return;
    }
    w->depth--;
    buf_putc(w->buf, bracket);
}

void jsonw_object(struct jsonw *w)
{
    enter(w, '{');
}

void jsonw_object_end(struct jsonw *w)
{
    leave(w, '}');
}

void jsonw_array(struct jsonw *w)
{
    enter(w, '[');
}

void jsonw_array_end(struct jsonw *w)
{
    leave(w, ']');
}

/* One byte that may not stand for itself: quote, backslash, control character. */
static void put_escape(struct buf *b, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char letter[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
                                   ['"'] = '"', ['\\'] = '\\' };
    char out[6] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };

    if (c < sizeof letter && letter[c] != 0) {
        out[1] = letter[c];
        buf_put(b, out, 2);
    } else {
        buf_put(b, out, 6);
    }
}

/* Length of the run from s that may be copied as it is. */
static size_t copyable(const char *s, const char *end)
{
    const char *at = s;

    for (;;) {
        at += json_plain_run(at, end);
        size_t n = at < end && (unsigned char)*at >= 0x80 ? str_utf8_len(at, (size_t)(end - at)) : 0;
        if (n == 0)
            return (size_t)(at - s);
        at += n;
    }
}

static void put_string(struct buf *b, const char *s, size_t n)
{
    const char *end = s + n;
    char *to = buf_room(b, n + 2);

    /* Nearly every text is plain, and then is one copy. */
    if (to != NULL && json_plain_run(s, end) == n) {
        to[0] = '"';
        if (n > 0)
            memcpy(to + 1, s, n);
        to[n + 1] = '"';
        buf_grown(b, n + 2);
        return;
    }
    buf_putc(b, '"');
    while (s < end) {
        size_t run = copyable(s, end);
        if (run > 0)
            buf_put(b, s, run);
        s += run;
        if (s == end)
            break;
        unsigned char c = (unsigned char)*s++;
        if (c >= 0x80)
            buf_put(b, "\xEF\xBF\xBD", 3);       /* U+FFFD for each byte that is no UTF-8 */
        else
            put_escape(b, c);
    }
    buf_putc(b, '"');
}

void jsonw_strn(struct jsonw *w, const char *s, size_t n)
{
    begin(w);
    put_string(w->buf, s, n);
}

void jsonw_str(struct jsonw *w, const char *s)
{
    if (s == NULL)
        jsonw_null(w);
    else
        jsonw_strn(w, s, strlen(s));
}

static void put_key(struct buf *b, const char *key, size_t n)
{
    put_string(b, key, n);
    buf_putc(b, ':');
}

void jsonw_key(struct jsonw *w, const char *key)
{
    size_t n = strlen(key);
    char *to = json_plain_run(key, key + n) == n ? buf_room(w->buf, n + 4) : NULL;

    if (to != NULL) {                        /* at once, as nearly always */
        char *at = to;
        if (w->comma[w->depth])
            *at++ = ',';
        *at++ = '"';
        memcpy(at, key, n);
        at += n;
        *at++ = '"';
        *at++ = ':';
        buf_grown(w->buf, (size_t)(at - to));
    } else {
        begin(w);
        put_key(w->buf, key, n);
    }
    w->comma[w->depth] = false;              /* the value that follows needs none */
}

static void put_int(struct buf *b, int64_t v)
{
    char text[20], *at = text + sizeof text;
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

    do
        *--at = (char)('0' + u % 10);
    while ((u /= 10) != 0);
    if (v < 0)
        *--at = '-';
    buf_put(b, at, (size_t)(text + sizeof text - at));
}

/* The shortest of 15 to 17 digits that reads back; always with a point or an
 * exponent, so that a real stays a real. */
static void put_real(struct buf *b, double v)
{
    char text[40];
    int n = 0;

    if (v - v != 0) {
        buf_put(b, "null", 4);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_put(b, text, (size_t)n);
    if (strpbrk(text, ".e") == NULL)
        buf_put(b, ".0", 2);
}

void jsonw_int(struct jsonw *w, int64_t v)
{
    begin(w);
    put_int(w->buf, v);
}

void jsonw_num(struct jsonw *w, double v)
{
    begin(w);
    put_real(w->buf, v);
}

static void put_bool(struct buf *b, bool v)
{
    buf_put(b, v ? "true" : "false", v ? 4 : 5);
}

void jsonw_bool(struct jsonw *w, bool v)
{
    begin(w);
    put_bool(w->buf, v);
}

void jsonw_null(struct jsonw *w)
{
    begin(w);
    buf_put(w->buf, "null", 4);
}

void jsonw_raw(struct jsonw *w, const char *text, size_t n)
{
    begin(w);
    buf_put(w->buf, text, n);
}

/* Recursion as deep as the value, which the parser has bounded. */
static void put_value(struct buf *b, const struct json *v)
{
    switch ((enum json_type)v->type) {
    case JSON_NULL:
        buf_put(b, "null", 4);
        break;
    case JSON_BOOL:
        put_bool(b, v->boolean);
        break;
    case JSON_INT:
        put_int(b, v->i);
        break;
    case JSON_REAL:
        put_real(b, v->real);
        break;
    case JSON_STRING:
        put_string(b, v->string, v->n);
        break;
    case JSON_ARRAY:
        buf_putc(b, '[');
        for (uint32_t i = 0; i < v->n && !b->failed; i++) {
            if (i > 0)
                buf_putc(b, ',');
            put_value(b, &v->items[i]);
        }
        buf_putc(b, ']');
        break;
    case JSON_OBJECT:
        buf_putc(b, '{');
        for (uint32_t i = 0; i < v->n && !b->failed; i++) {
            if (i > 0)
                buf_putc(b, ',');
            put_key(b, v->members[i].key, v->members[i].key_len);
            put_value(b, &v->members[i].value);
        }
        buf_putc(b, '}');
        break;
    }
}

void jsonw_value(struct jsonw *w, const struct json *v)
{
    begin(w);
    if (v == NULL)
        buf_put(w->buf, "null", 4);
    else
        put_value(w->buf, v);
}

void jsonw_kstr(struct jsonw *w, const char *key, const char *s)
{
    jsonw_key(w, key);
    jsonw_str(w, s);
}

void jsonw_kint(struct jsonw *w, const char *key, int64_t v)
{
    jsonw_key(w, key);
    jsonw_int(w, v);
}

void jsonw_kbool(struct jsonw *w, const char *key, bool v)
{
    jsonw_key(w, key);
    jsonw_bool(w, v);
}

void jsonw_ktime(struct jsonw *w, const char *key, int64_t at_ms)
{
    char text[TIME_TEXT];

    time_format(at_ms, text);
    jsonw_kstr(w, key, text[0] != '\0' ? text : NULL);
}
