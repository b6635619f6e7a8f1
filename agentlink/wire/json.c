/* json.c - see json.h.
 *
 * One pass without recursion.  Open containers live on a stack of frames, their
 * finished children on a stack of values; closing a container copies its
 * children into the arena at their exact number.  Objects with more than
 * INDEX_FROM members get a hash index behind the member array, which also
 * finds duplicate keys in linear time. */
#include "wire/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_DEPTH = 64, DEFAULT_VALUES = 2000000, INDEX_FROM = 12, MAX_DEPTH = 1024 };

struct frame {
    uint32_t first;        /* index of the first child on the value stack */
    uint32_t offset;
    bool is_object;
};

struct parser {
    struct arena *arena;
    char *text, *at, *end;             /* decoded in place; *end is NUL */
    struct json_opts opts;
    struct json_member *stack;         /* malloc'ed; children of open containers */
    size_t n_stack, cap_stack;
    struct frame *frames;
    uint32_t depth, n_values;
    struct err *err;
};

void json_position(const void *text, size_t len, uint32_t offset, unsigned *line, unsigned *column)
{
    const char *s = text, *stop = s + (offset < len ? offset : len);

    *line = 1;
    const char *start = s;
    for (const char *nl; (nl = memchr(start, '\n', (size_t)(stop - start))) != NULL; start = nl + 1)
        ++*line;
    *column = (unsigned)(stop - start) + 1;
}

static int fail(struct parser *p, const char *at, enum err_kind kind, const char *what)
{
    /* The text was changed in place, but never a newline. */
    unsigned line, column;

    json_position(p->text, (size_t)(p->end - p->text), (uint32_t)(at - p->text), &line, &column);
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

/* One multi-byte sequence, copied; shortest form only (RFC 3629). */
static int copy_utf8(struct parser *p, char **to)
{
    const unsigned char *s = (const unsigned char *)p->at;
    unsigned char lo = 0x80, hi = 0xBF;
    size_t n = 0;

    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        n = 2;
    } else if ((s[0] & 0xF0) == 0xE0) {
        n = 3;
        lo = s[0] == 0xE0 ? 0xA0 : 0x80;
        hi = s[0] == 0xED ? 0x9F : 0xBF;
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        n = 4;
        lo = s[0] == 0xF0 ? 0x90 : 0x80;
        hi = s[0] == 0xF4 ? 0x8F : 0xBF;
    }
    /* Reading past the end meets the NUL, which is no continuation byte. */
    if (n == 0 || s[1] < lo || s[1] > hi || (n > 2 && (s[2] & 0xC0) != 0x80) || (n > 3 && (s[3] & 0xC0) != 0x80))
        return fail(p, p->at, ERR_INVALID, "invalid UTF-8");
    memmove(*to, s, n);
    *to += n;
    p->at += n;
    return 0;
}

/* Bytes that need no attention: printable ASCII but quote and backslash. */
static inline bool is_plain(char c)
{
    return (unsigned char)(c - 0x20) < 0x60 && c != '"' && c != '\\';
}

/* Eight bytes at a time: how many leading bytes of s are plain. */
static inline size_t plain_run(const char *s, const char *end)
{
    const char *start = s;
    const uint64_t ones = ~UINT64_C(0) / 255, high = ones << 7;

    while (end - s >= 8) {
        uint64_t w;
        memcpy(&w, s, 8);
        uint64_t quote = w ^ (ones * '"'), back = w ^ (ones * '\\');
        uint64_t odd = (((quote - ones) & ~quote) | ((back - ones) & ~back) | ((w - ones * 0x20) & ~w) | w) & high;
        if (odd != 0)
            break;
        s += 8;
    }
    while (is_plain(*s))
        s++;
    return (size_t)(s - start);
}

/* p->at is behind the opening quote. */
static int parse_string(struct parser *p, const char **out, uint32_t *len)
{
    char *start = p->at, *to = p->at;

    for (;;) {
        size_t run = plain_run(p->at, p->end);
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
            if (copy_utf8(p, &to) != 0)
                return -1;
        } else if (c == 0x7F) {
            *to++ = *p->at++;
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

/* Checks the grammar by hand, converts with strtoll/strtod (locale "C"). */
static int parse_number(struct parser *p, struct json *v)
{
    char *s = p->at;
    bool real = false;

    if (*s == '-')
        s++;
    if (*s == '0')
        s++;
    else if (*s >= '1' && *s <= '9')
        while (*s >= '0' && *s <= '9')
            s++;
    else
        return fail(p, p->at, ERR_INVALID, "unexpected character");
    if (*s == '.') {
        real = true;
        if (*++s < '0' || *s > '9')
            return fail(p, s, ERR_INVALID, "expected a digit after the point");
        while (*s >= '0' && *s <= '9')
            s++;
    }
    if (*s == 'e' || *s == 'E') {
        real = true;
        s++;
        if (*s == '+' || *s == '-')
            s++;
        if (*s < '0' || *s > '9')
            return fail(p, s, ERR_INVALID, "expected a digit in the exponent");
        while (*s >= '0' && *s <= '9')
            s++;
    }
    v->n = (uint32_t)(s - p->at);
    errno = 0;
    if (!real) {
        v->type = JSON_INT;
        v->i = strtoll(p->at, NULL, 10);
        if (errno == ERANGE && !p->opts.big_numbers)
            return fail(p, p->at, ERR_INVALID, "integer beyond 64 bits");
        real = errno == ERANGE;
    }
    if (real) {
        v->type = JSON_REAL;
        v->real = strtod(p->at, NULL);
        if (v->real - v->real != 0)
            return fail(p, p->at, ERR_INVALID, "number out of range");
    }
    p->at = s;
    return 0;
}

static struct json_member *push(struct parser *p)
{
    if (p->n_stack == p->cap_stack) {
        size_t cap = p->cap_stack == 0 ? 256 : p->cap_stack * 2;
        struct json_member *more = realloc(p->stack, cap * sizeof *more);
        if (more == NULL) {
            err_nomem(p->err);
            return NULL;
        }
        p->stack = more;
        p->cap_stack = cap;
    }
    struct json_member *m = &p->stack[p->n_stack++];
    *m = (struct json_member){ 0 };
    return m;
}

static uint32_t hash_key(const char *s, uint32_t len)
{
    uint32_t h = 2166136261u;

    for (uint32_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h ^ h >> 15;
}

static bool same_key(const struct json_member *a, const struct json_member *b)
{
    return a->hash == b->hash && a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

/* Slots of the index of an object with n members: a power of two, half empty. */
static uint32_t index_size(uint32_t n)
{
    uint32_t size = 32;

    while (size < 2 * n)
        size *= 2;
    return size;
}

static uint32_t *index_of(const struct json_member *members, uint32_t n)
{
    return (uint32_t *)(uintptr_t)(members + n);
}

/* A flood of keys with one hash would make the index quadratic: bounded probes. */
enum { MAX_PROBES = 512 };

static int build_index(struct parser *p, struct json_member *m, uint32_t *n)
{
    uint32_t mask = index_size(*n) - 1, *slots = index_of(m, *n);

    for (uint32_t i = 0; i < *n; i++) {
        uint32_t at = m[i].hash & mask, probes = 0;
        while (slots[at] != 0 && !same_key(&m[slots[at] - 1], &m[i])) {
            if (++probes > MAX_PROBES)
                return fail(p, p->text + m[i].value.offset, ERR_TOO_LARGE, "too many keys with one hash");
            at = (at + 1) & mask;
        }
        if (slots[at] != 0 && !p->opts.duplicate_keys)
            return fail(p, p->text + m[i].value.offset, ERR_INVALID, "duplicate key");
        slots[at] = i + 1;                  /* of duplicates, the last wins */
    }
    return 0;
}

static int check_small(struct parser *p, const struct json_member *m, uint32_t n)
{
    for (uint32_t i = 1; i < n && !p->opts.duplicate_keys; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (same_key(&m[i], &m[j]))
                return fail(p, p->text + m[i].value.offset, ERR_INVALID, "duplicate key");
        }
    }
    return 0;
}

static int close_object(struct parser *p, const struct json_member *children, struct json *v)
{
    size_t size = v->n * sizeof *children;
    size_t extra = v->n > INDEX_FROM ? index_size(v->n) * sizeof(uint32_t) : 0;
    struct json_member *m = arena_alloc(p->arena, size + extra);

    if (m == NULL)
        return err_nomem(p->err);
    if (v->n > 0)
        memcpy(m, children, size);
    v->members = m;
    return v->n > INDEX_FROM ? build_index(p, m, &v->n) : check_small(p, m, v->n);
}

static int close_array(struct parser *p, const struct json_member *children, struct json *v)
{
    struct json *items = arena_array(p->arena, v->n, sizeof *items);

    if (items == NULL)
        return err_nomem(p->err);
    for (uint32_t i = 0; i < v->n; i++)
        items[i] = children[i].value;
    v->items = items;
    return 0;
}

static int close_container(struct parser *p)
{
    struct frame f = p->frames[--p->depth];
    struct json_member *children = p->stack + f.first;
    struct json v = { .type = f.is_object ? JSON_OBJECT : JSON_ARRAY, .offset = f.offset,
                      .n = (uint32_t)p->n_stack - f.first };

    if ((f.is_object ? close_object : close_array)(p, children, &v) != 0)
        return -1;
    p->n_stack = f.first;
    children[-1].value = v;                /* the slot that was pushed when it opened */
    return 0;
}

static int open_container(struct parser *p, struct json *slot)
{
    if (p->depth == p->opts.max_depth)
        return fail(p, p->at, ERR_TOO_LARGE, "nested too deeply");
    p->frames[p->depth++] = (struct frame){ (uint32_t)p->n_stack, slot->offset, *p->at == '{' };
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
    m->hash = hash_key(m->key, m->key_len);
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
    struct json_member *m = push(p);

    if (m == NULL)
        return -1;
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
    struct parser p = { .arena = arena, .opts = opts != NULL ? *opts : (struct json_opts){ 0 }, .err = err };

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
        *out = p.stack[0].value;
    if (p.frames != frames)
        free(p.frames);
    free(p.stack);
    return rc;
}

const struct json *json_get(const struct json *v, const char *key)
{
    if (v == NULL || v->type != JSON_OBJECT)
        return NULL;
    uint32_t len = (uint32_t)strlen(key);
    const struct json_member *m = v->members;
    if (v->n <= INDEX_FROM) {
        for (uint32_t i = v->n; i-- > 0;) {
            if (m[i].key_len == len && memcmp(m[i].key, key, len) == 0)
                return &m[i].value;
        }
        return NULL;
    }
    struct json_member wanted = { .key = key, .key_len = len, .hash = hash_key(key, len) };
    uint32_t mask = index_size(v->n) - 1, *slots = index_of(m, v->n);
    for (uint32_t at = wanted.hash & mask; slots[at] != 0; at = (at + 1) & mask) {
        if (same_key(&m[slots[at] - 1], &wanted))
            return &m[slots[at] - 1].value;
    }
    return NULL;
}

const struct json *json_path(const struct json *v, const char *dotted)
{
    char key[64];

    while (v != NULL) {
        size_t n = strcspn(dotted, ".");
        if (n >= sizeof key)
            return NULL;
        memcpy(key, dotted, n);
        key[n] = '\0';
        v = json_get(v, key);
        if (dotted[n] == '\0')
            return v;
        dotted += n + 1;
    }
    return NULL;
}

const char *json_str(const struct json *v, const char *otherwise)
{
    return json_is(v, JSON_STRING) ? v->string : otherwise;
}

int64_t json_int(const struct json *v, int64_t otherwise)
{
    return json_is(v, JSON_INT) ? v->i : otherwise;
}

double json_number(const struct json *v, double otherwise)
{
    return json_is(v, JSON_REAL) ? v->real : json_is(v, JSON_INT) ? (double)v->i : otherwise;
}

bool json_bool(const struct json *v, bool otherwise)
{
    return json_is(v, JSON_BOOL) ? v->boolean : otherwise;
}

const char *json_get_str(const struct json *v, const char *key, const char *otherwise)
{
    return json_str(json_get(v, key), otherwise);
}
