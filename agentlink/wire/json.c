/* json.c - see json.h.
 *
 * One pass without recursion.  Open containers live on a stack of frames, their
 * finished children on a stack of values (json_tree.h); closing a container
 * copies its children into the arena.  Every byte is looked at before it is
 * stepped over, and a NUL behind the text stops whatever runs too far. */
#include "base/str.h"
#include "wire/json_text.h"
#include "wire/json_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_DEPTH = 64, DEFAULT_VALUES = 2000000, MAX_DEPTH = 1024 };

struct frame {
    uint32_t first;        /* index of the first child on the value stack */
    uint32_t offset;
    bool is_object;
};

struct parser {
    struct arena *arena;
    const char *source;                /* the caller's text, for positions */
    char *text, *at, *end;             /* our copy, decoded in place; *end is NUL */
    struct json_opts opts;
    struct json_stack stack;
    struct frame *frames;
    uint32_t depth, n_values;
    struct err *err;
};

static int fail(struct parser *p, const char *at, enum err_kind kind, const char *what)
{
    unsigned line, column;

    json_position(p->source, (size_t)(p->end - p->text), (uint32_t)(at - p->text), &line, &column);
    return err_set(p->err, kind, "JSON line %u column %u: %s", line, column, what);
}

static void skip_space(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t')
        p->at++;
}

static int hex4(const char *s)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
                c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

static char *put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

/* p->at is behind "\u"; writes the character and steps over the digits. */
static int unicode_escape(struct parser *p, char **to)
{
    int hi = hex4(p->at);

    if (hi < 0)
        return fail(p, p->at, ERR_INVALID, "expected four hex digits after \\u");
    unsigned c = (unsigned)hi;
    if (c >= 0xD800 && c <= 0xDFFF) {
        int lo = c < 0xDC00 && p->at[4] == '\\' && p->at[5] == 'u' ? hex4(p->at + 6) : -1;
        if (lo < 0xDC00 || lo > 0xDFFF)
            return fail(p, p->at, ERR_INVALID, "lone surrogate");
        c = 0x10000 + ((c - 0xD800) << 10) + ((unsigned)lo - 0xDC00);
        p->at += 6;
    }
    if (c == 0) {
        if (!p->opts.nul_as_replacement)
            return fail(p, p->at, ERR_INVALID, "\\u0000 is not accepted");
        c = 0xFFFD;
        /* Three bytes fit where six were. */
    }
    *to = put_utf8(*to, c);
    p->at += 4;
    return 0;
}

static int escape(struct parser *p, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    char c = *p->at++;

    if (c == 'u')
        return unicode_escape(p, to);
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found == NULL)
        return fail(p, p->at - 1, ERR_INVALID, "unknown escape");
    *(*to)++ = into[found - from];
    return 0;
}

/* p->at is behind the opening quote. */
static int parse_string(struct parser *p, const char **out, uint32_t *len)
{
    char *start = p->at, *to = p->at;

    for (;;) {
        size_t run = json_plain_run(p->at, p->end);
        if (to != p->at)
            memmove(to, p->at, run);
        to += run;
        p->at += run;
        unsigned char c = (unsigned char)*p->at;
        if (c == '"')
            break;
        if (c == '\\') {
            p->at++;
            if (escape(p, &to) != 0)
                return -1;
        } else if (c >= 0x80) {
            size_t n = str_utf8_len(p->at, (size_t)(p->end - p->at));
            if (n == 0)
                return fail(p, p->at, ERR_INVALID, "invalid UTF-8");
            memmove(to, p->at, n);
            to += n;
            p->at += n;
        } else {
            return fail(p, p->at, ERR_INVALID, p->at == p->end ? "string without an end"
                                                               : "control character in a string");
        }
    }
    *to = '\0';
    p->at++;
    *out = start;
    *len = (uint32_t)(to - start);
    return 0;
}

struct number {
    uint64_t digits;                   /* all of them, as an integer; wraps past 19 */
    uint32_t n_digits, n_fraction;
    bool is_real, has_exponent;
};

static char *scan_digits(char *s, struct number *n)
{
    for (; *s >= '0' && *s <= '9'; s++, n->n_digits++)
        n->digits = n->digits * 10 + (uint64_t)(*s - '0');
    return s;
}

/* The grammar of RFC 8259, from p->at to *end. */
static int scan_number(struct parser *p, struct number *n, char **end)
{
    char *s = p->at + (*p->at == '-');

    if (*s < '0' || *s > '9')
        return fail(p, p->at, ERR_INVALID, "unexpected character");
    s = *s == '0' ? s + 1 : scan_digits(s, n);
    if (*s == '.') {
        char *first = ++s;
        s = scan_digits(s, n);
        if (s == first)
            return fail(p, s, ERR_INVALID, "expected a digit after the point");
        n->n_fraction = (uint32_t)(s - first);
        n->is_real = true;
    }
    if (*s == 'e' || *s == 'E') {
        struct number exponent = { 0 };
        s++;
        s += *s == '+' || *s == '-';
        s = scan_digits(s, &exponent);
        if (exponent.n_digits == 0)
            return fail(p, s, ERR_INVALID, "expected a digit in the exponent");
        n->is_real = n->has_exponent = true;
    }
    *end = s;
    return 0;
}

/* Up to 15 digits and a power of ten up to 22 are exact in a double, so one
 * division rounds right; the rest is strtod's (locale "C"). */
static double real_value(const char *text, const struct number *n)
{
    static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

    if (n->has_exponent || n->n_digits > 15 || n->n_fraction > 15)
        return strtod(text, NULL);
    double v = (double)n->digits / powers[n->n_fraction];
    return *text == '-' ? -v : v;
}

static int parse_number(struct parser *p, struct json *v)
{
    struct number n = { 0 };
    char *text = p->at, *end = text;

    if (scan_number(p, &n, &end) != 0)
        return -1;
    v->n = (uint32_t)(end - text);
    if (!n.is_real && n.n_digits <= 18) {
        v->type = JSON_INT;
        v->i = *text == '-' ? -(int64_t)n.digits : (int64_t)n.digits;
    } else if (!n.is_real) {
        v->type = JSON_INT;
        errno = 0;
        v->i = strtoll(text, NULL, 10);
        if (errno == ERANGE && !p->opts.big_numbers)
            return fail(p, text, ERR_INVALID, "integer beyond 64 bits");
        n.is_real = errno == ERANGE;
    }
    if (n.is_real) {
        v->type = JSON_REAL;
        v->real = real_value(text, &n);
        if (v->real - v->real != 0)
            return fail(p, text, ERR_INVALID, "number out of range");
    }
    p->at = end;
    return 0;
}

static int close_container(struct parser *p)
{
    struct frame f = p->frames[--p->depth];
    struct json_member *children = p->stack.items + f.first;
    struct json v = { .offset = f.offset };
    uint32_t n = (uint32_t)(p->stack.n - f.first), bad = 0;

    switch (f.is_object ? json_make_object(p->arena, children, n, p->opts.duplicate_keys, &v, &bad)
                        : json_make_array(p->arena, children, n, &v)) {
    case JSON_MADE:
        p->stack.n = f.first;
        children[-1].value = v;            /* the slot that was pushed when it opened */
        return 0;
    case JSON_NO_MEMORY:
        return err_nomem(p->err);
    case JSON_DUPLICATE:
        return fail(p, p->text + children[bad].value.offset, ERR_INVALID, "duplicate key");
    case JSON_FLOOD:
        return fail(p, p->text + children[bad].value.offset, ERR_TOO_LARGE, "too many keys with one hash");
    }
    return -1;
}

static int open_container(struct parser *p, struct json *slot)
{
    if (p->depth == p->opts.max_depth)
        return fail(p, p->at, ERR_TOO_LARGE, "nested too deeply");
    p->frames[p->depth++] = (struct frame){ (uint32_t)p->stack.n, slot->offset, *p->at == '{' };
    p->at++;
    return 0;
}

static int parse_word(struct parser *p, struct json *v)
{
    static const struct { const char *word; size_t len; uint8_t type; bool value; } words[] = {
        { "true", 4, JSON_BOOL, true }, { "false", 5, JSON_BOOL, false }, { "null", 4, JSON_NULL, false },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncmp(p->at, words[i].word, words[i].len) == 0) {
            v->type = words[i].type;
            v->boolean = words[i].value;
            p->at += words[i].len;
            return 0;
        }
    }
    return fail(p, p->at, ERR_INVALID, p->at == p->end ? "unexpected end" : "unexpected character");
}

/* A key and its colon, into the pushed slot. */
static int parse_key(struct parser *p, struct json_member *m)
{
    if (*p->at != '"')
        return fail(p, p->at, ERR_INVALID, "expected a key in double quotes");
    p->at++;
    if (parse_string(p, &m->key, &m->key_len) != 0)
        return -1;
    skip_space(p);
    if (*p->at != ':')
        return fail(p, p->at, ERR_INVALID, "expected ':' after a key");
    p->at++;
    skip_space(p);
    return 0;
}

/* One value (or the opening of one) into a new slot; sets *opened. */
static int parse_value(struct parser *p, bool with_key, bool *opened)
{
    struct json_member *m = json_push(&p->stack, p->arena);

    if (m == NULL)
        return err_nomem(p->err);
    if (++p->n_values > p->opts.max_values)
        return fail(p, p->at, ERR_TOO_LARGE, "too many values");
    if (with_key && parse_key(p, m) != 0)
        return -1;
    struct json *v = &m->value;
    v->offset = (uint32_t)(p->at - p->text);
    *opened = *p->at == '{' || *p->at == '[';
    if (*opened)
        return open_container(p, v);
    if (*p->at == '"') {
        p->at++;
        v->type = JSON_STRING;
        return parse_string(p, &v->string, &v->n);
    }
    if (*p->at == '-' || (*p->at >= '0' && *p->at <= '9'))
        return parse_number(p, v);
    return parse_word(p, v);
}

/* Behind a value: closes what closes here; true in *more when another child
 * of an open container follows. */
static int after_value(struct parser *p, bool *more)
{
    *more = false;
    for (skip_space(p); p->depth > 0; skip_space(p)) {
        bool is_object = p->frames[p->depth - 1].is_object;
        if (*p->at == ',') {
            p->at++;
            skip_space(p);
            *more = true;
            return 0;
        }
        if (*p->at != (is_object ? '}' : ']'))
            return fail(p, p->at, ERR_INVALID, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
        p->at++;
        if (close_container(p) != 0)
            return -1;
    }
    return 0;
}

static int parse_document(struct parser *p)
{
    bool opened = false, more = true;

    skip_space(p);
    while (more) {
        if (parse_value(p, p->depth > 0 && p->frames[p->depth - 1].is_object, &opened) != 0)
            return -1;
        if (opened) {
            skip_space(p);
            if (*p->at != (p->frames[p->depth - 1].is_object ? '}' : ']'))
                continue;
        }
        if (after_value(p, &more) != 0)
            return -1;
    }
    if (p->at != p->end)
        return fail(p, p->at, ERR_INVALID, "text after the value");
    return 0;
}

int json_parse(struct arena *arena, const void *text, size_t len, const struct json_opts *opts,
               struct json *out, struct err *err)
{
    struct parser p = { .arena = arena, .source = text, .opts = opts != NULL ? *opts : (struct json_opts){ 0 }, .err = err };

    if (p.opts.max_depth == 0)
        p.opts.max_depth = DEFAULT_DEPTH;
    if (p.opts.max_depth > MAX_DEPTH)
        p.opts.max_depth = MAX_DEPTH;
    if (p.opts.max_values == 0)
        p.opts.max_values = DEFAULT_VALUES;
    if (len >= UINT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "JSON text of 4 GiB or more");
    p.text = arena_bytes(arena, len + 1);
    if (p.text == NULL)
        return err_nomem(err);
    if (len > 0)
        memcpy(p.text, text, len);
    p.text[len] = '\0';
    p.at = p.text;
    p.end = p.text + len;
    if (p.opts.skip_bom && len >= 3 && memcmp(p.text, "\xEF\xBB\xBF", 3) == 0)
        p.at += 3;

    struct frame frames[DEFAULT_DEPTH];
    p.frames = p.opts.max_depth <= DEFAULT_DEPTH ? frames : calloc(p.opts.max_depth, sizeof *p.frames);
    int rc = p.frames == NULL ? err_nomem(err) : parse_document(&p);
    if (rc == 0)
        *out = p.stack.items[0].value;
    if (p.frames != frames)
        free(p.frames);
    json_stack_free(&p.stack);
    return rc;
}
