/* shape_query.c - query strings through the same tables, see shape.h. */
#include "wire/shape_internal.h"

#include "base/str.h"

#include <string.h>

enum { PARAMETERS_MAX = 64 };

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* s..end decoded into the arena; NULL when the escapes are wrong, or what comes
 * out is not UTF-8 without NUL; *err says which. */
static char *unescape(const char *s, const char *end, struct arena *arena, struct err *err)
{
    char *text = arena_bytes(arena, (size_t)(end - s) + 1), *to = text;

    if (text == NULL)
        return err_nomem(err), NULL;
    while (s < end) {
        if (*s != '%') {
            *to++ = *s == '+' ? ' ' : *s;
            s++;
            continue;
        }
        int hi = end - s > 2 ? hex_value(s[1]) : -1, lo = end - s > 2 ? hex_value(s[2]) : -1;
        if (hi < 0 || lo < 0)
            return err_set(err, ERR_INVALID, "query: %% without two hex digits"), NULL;
        *to++ = (char)(hi << 4 | lo);
        s += 3;
    }
    *to = '\0';
    if (!str_is_utf8(text, (size_t)(to - text)))
        return err_set(err, ERR_INVALID, "query: not UTF-8 text"), NULL;
    return text;
}

/* The text of a parameter as the value its field expects; a text that is none
 * stays a string, and the field's decoder says what is wrong with it. */
static struct json typed_value(enum field_type type, const char *text)
{
    struct json v = { .type = JSON_STRING, .n = (uint32_t)strlen(text), .string = text };
    bool negative = text[0] == '-';
    int64_t i;

    if (type == FIELD_BOOL && (str_eq(text, "true") || str_eq(text, "false")))
        v = (struct json){ .type = JSON_BOOL, .boolean = text[0] == 't' };
    else if (type == FIELD_INT && str_to_i64(text + negative, 0, INT64_MAX, &i))
        v = (struct json){ .type = JSON_INT, .i = negative ? -i : i };
    return v;
}

static bool is_flat(enum field_type type)
{
    return type == FIELD_BOOL || type == FIELD_INT || type == FIELD_TEXT || type == FIELD_WORD || type == FIELD_TIME ||
           type == FIELD_DIGEST;
}

struct query {
    struct decoder decoder;
    const struct shape *shape;
    const struct step *root;
    uint64_t seen[SHAPE_FIELDS_MAX / 64];
    size_t hint;
    void *out;
};

/* One "name=value"; -1 only for what makes the rest unreadable. */
static int decode_parameter(struct query *q, const char *s, const char *end, uint32_t offset, struct err *err)
{
    const char *equals = memchr(s, '=', (size_t)(end - s));

    if (equals == NULL || equals == s)
        return err_set(err, ERR_INVALID, "query: expected name=value");
    char *key = unescape(s, equals, q->decoder.arena, err);
    char *text = key == NULL ? NULL : unescape(equals + 1, end, q->decoder.arena, err);
    if (text == NULL)
        return -1;
    struct step step = { .up = q->root, .key = key };
    const struct field *f = field_find(q->shape, key, &q->hint);
    if (f == NULL)
        return q->shape->open ? 0 : (complain_unknown(&q->decoder, q->shape, &step, offset), 0);
    if (!is_flat(f->type))
        return err_set(err, ERR_INTERNAL, "field %s cannot be in a query", f->key);
    size_t index = (size_t)(f - q->shape->fields);
    if ((q->seen[index / 64] >> index % 64 & 1) != 0)
        return complain_at(&q->decoder, &step, offset, "is given twice"), 0;
    q->seen[index / 64] |= UINT64_C(1) << index % 64;
    struct json v = typed_value(f->type, text);
    v.offset = offset;
    field_decode(&q->decoder, f, &v, &step, q->out);
    return 0;
}

static int decode_parameters(struct query *q, const char *query, struct err *err)
{
    const char *s = query;

    for (size_t n = 0; s != NULL && *s != '\0'; n++) {
        const char *end = strchrnul(s, '&');
        if (n == PARAMETERS_MAX)
            return err_set(err, ERR_TOO_LARGE, "query: more than %d parameters", PARAMETERS_MAX);
        if (decode_parameter(q, s, end, (uint32_t)(s - query), err) != 0)
            return -1;
        if (end[0] == '&' && end[1] == '\0')
            return err_set(err, ERR_INVALID, "query: expected name=value");
        s = *end == '&' ? end + 1 : end;
    }
    check_required(&q->decoder, q->shape, q->seen, q->root, 0);
    return 0;
}

int shape_decode_query(const struct shape *shape, const char *query, struct arena *arena, void *out, struct err *err)
{
    struct complaints complaints = { .arena = arena, .max = 1 };
    struct step root = { .key = "query" };
    struct query q = { .decoder = { .arena = arena, .complaints = &complaints }, .shape = shape, .root = &root };

    q.out = arena_alloc(arena, shape->size);
    if (q.out == NULL)
        return err_nomem(err);
    memcpy(q.out, out, shape->size);
    if (decode_parameters(&q, query, err) != 0 || decode_result(&q.decoder, 0, err) != 0)
        return -1;
    memcpy(out, q.out, shape->size);
    return 0;
}
