/* yaml_print.c - values -> YAML in block style, see yaml.h.
 *
 * Quoting is generous: a string is written plain only when no reader, of YAML 1.1
 * or 1.2, could take it for anything else. */
#include "wire/yaml.h"

#include "base/str.h"
#include "wire/jsonw.h"

#include <string.h>

enum { STEP = 2, LONG_KEY = 200 };

static void indent(struct buf *b, size_t n)
{
    static const char spaces[] = "                                ";

    for (size_t part; n > 0; n -= part) {
        part = n < sizeof spaces - 1 ? n : sizeof spaces - 1;
        buf_put(b, spaces, part);
    }
}

/* ---- strings ------------------------------------------------------------------ */

static bool is_reserved(const char *s)
{
    static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n" };

    for (size_t i = 0; i < N_ITEMS(words); i++) {
        if (str_eq_nocase(s, words[i]))
            return true;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Begins with a letter, '_' or '/', so it is no number and no indicator; the rest
 * is what stands in names, versions, paths and sentences. */
static bool is_plain(const char *s, size_t n)
{
    if (n == 0 || n > LONG_KEY || !(is_letter(s[0]) || s[0] == '_' || s[0] == '/') || is_reserved(s))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n;
        if (is_letter(s[i]) || (s[i] >= '0' && s[i] <= '9') || strchr("_-./@+", s[i]) != NULL)
            continue;
        if (s[i] == ' ' && !last)
            continue;
        if (s[i] == ':' && !last && s[i + 1] != ' ')
            continue;
        return false;
    }
    return true;
}

/* The character at s, n bytes of valid UTF-8. */
static uint32_t code_point(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;

    return n == 1 ? u[0] :
           n == 2 ? (uint32_t)(u[0] & 0x1F) << 6 | (u[1] & 0x3F) :
           n == 3 ? (uint32_t)(u[0] & 0x0F) << 12 | (uint32_t)(u[1] & 0x3F) << 6 | (u[2] & 0x3F) :
                    (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3F) << 12 | (uint32_t)(u[2] & 0x3F) << 6 | (u[3] & 0x3F);
}

/* Not printable in YAML, or a line break there. */
static bool needs_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

static void put_quoted(struct buf *b, const char *s, size_t n)
{
    buf_putc(b, '"');
    for (size_t len; n > 0; s += len, n -= len) {
        len = str_utf8_len(s, n);
        if (len == 0) {                    /* values are UTF-8; for those that are not */
            len = 1;
            buf_put(b, "\xEF\xBF\xBD", 3);
            continue;
        }
        uint32_t c = code_point(s, len);
        if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", (char)c);
        else if (c == '\n' || c == '\t')
            buf_put(b, c == '\n' ? "\\n" : "\\t", 2);
        else if (needs_escape(c))
            buf_printf(b, "\\u%04x", c);
        else
            buf_put(b, s, len);
    }
    buf_putc(b, '"');
}

static void put_string(struct buf *b, const char *s, size_t n)
{
    if (is_plain(s, n))
        buf_put(b, s, n);
    else
        put_quoted(b, s, n);
}

/* A line of a literal block: printable, and more than spaces unless empty. */
static bool is_block_line(const char *s, size_t n)
{
    bool blank = n > 0;

    for (size_t i = 0, len; i < n; i += len) {
        len = str_utf8_len(s + i, n - i);
        if (len == 0 || (s[i] != '\t' && needs_escape(code_point(s + i, len))))
            return false;
        blank = blank && (s[i] == ' ' || s[i] == '\t');
    }
    return !blank;
}

/* Several lines, the first neither empty nor indented, at most one line break at
 * the end: what a literal block can carry without indentation indicator or "+". */
static bool is_block(const char *s, size_t n)
{
    const char *end = s + n, *nl = memchr(s, '\n', n);

    if (nl == NULL || nl == s || *s == ' ' || *s == '\t' || (end - s >= 2 && end[-1] == '\n' && end[-2] == '\n'))
        return false;
    for (; s < end; s = nl < end ? nl + 1 : end) {
        nl = memchr(s, '\n', (size_t)(end - s));
        if (nl == NULL)
            nl = end;
        if (!is_block_line(s, (size_t)(nl - s)))
            return false;
    }
    return true;
}

static void put_block(struct buf *b, const char *s, size_t n, size_t column)
{
    const char *end = s + n;

    buf_puts(b, end[-1] == '\n' ? "|\n" : "|-\n");
    while (s < end) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));
        size_t len = (size_t)((nl != NULL ? nl : end) - s);
        if (len > 0)
            indent(b, column);
        buf_put(b, s, len);
        buf_putc(b, '\n');
        s += len + (nl != NULL);
    }
}

/* ---- values --------------------------------------------------------------------- */

static bool is_block_container(const struct json *v)
{
    return (v->type == JSON_ARRAY || v->type == JSON_OBJECT) && v->n > 0;
}

/* Everything that fits behind a key or a dash, with its line end; a literal block
 * continues at `column`. */
static void put_scalar(struct buf *b, const struct json *v, size_t column)
{
    struct jsonw w;

    if (v->type == JSON_STRING && is_block(v->string, v->n)) {
        put_block(b, v->string, v->n, column);
        return;
    }
    jsonw_init(&w, b);
    if (v->type == JSON_STRING)
        put_string(b, v->string, v->n);
    else
        jsonw_value(&w, v);                /* numbers, words, {} and []: as in JSON */
    buf_putc(b, '\n');
}

static void put_container(struct buf *b, const struct json *v, size_t column);

/* A key and its ':'.  Readers give up on an implicit key of 1,024 characters. */
static void put_key(struct buf *b, const struct json_member *m, size_t column)
{
    if (m->key_len <= LONG_KEY) {
        put_string(b, m->key, m->key_len);
        buf_putc(b, ':');
        return;
    }
    buf_put(b, "? ", 2);
    put_string(b, m->key, m->key_len);
    buf_putc(b, '\n');
    indent(b, column);
    buf_putc(b, ':');
}

static void put_member(struct buf *b, const struct json_member *m, size_t column)
{
    put_key(b, m, column);
    if (!is_block_container(&m->value)) {
        buf_putc(b, ' ');
        put_scalar(b, &m->value, column + STEP);
        return;
    }
    buf_putc(b, '\n');
    indent(b, column + STEP);
    put_container(b, &m->value, column + STEP);
}

static void put_item(struct buf *b, const struct json *v, size_t column)
{
    buf_put(b, "- ", 2);
    if (is_block_container(v))
        put_container(b, v, column + STEP);
    else
        put_scalar(b, v, column + STEP);
}

/* Begins where the writer stands, which is `column`.  Recursion is as deep as the
 * value, which its parser has bounded. */
static void put_container(struct buf *b, const struct json *v, size_t column)
{
    for (uint32_t i = 0; i < v->n && !b->failed; i++) {
        if (i > 0)
            indent(b, column);
        if (v->type == JSON_OBJECT)
            put_member(b, &v->members[i], column);
        else
            put_item(b, &v->items[i], column);
    }
}

void yaml_print(const struct json *v, struct buf *b)
{
    if (is_block_container(v))
        put_container(b, v, 0);
    else
        put_scalar(b, v, STEP);
}
