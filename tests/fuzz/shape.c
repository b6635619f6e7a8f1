/* shape.c - messages by table: a document (or, without a brace in front, a query)
 * against a shape with a field of every type.
 *
 * What decodes is within its bounds, encodes to a document that says the same,
 * and that decodes and encodes to the very same text.  What does not is refused
 * with complaints that are text, in order. */
#include "base/str.h"
#include "base/time.h"
#include "wire/json_util.h"
#include "wire/shape.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool claim)
{
    if (!claim)
        abort();
}

static const char *const words[] = { "", "allow", "warn", "block", NULL };

struct inner {
    const char *name;
    int64_t count, seen_at;
    const struct inner *inside;
};
struct message {
    bool on;
    int64_t size;
    double ratio;
    const char *title;
    int word;
    int64_t at_ms;
    const char *digest;
    const struct inner *inner;
    struct inner value;
    const struct inner *list; size_t n_list;
    const char *const *texts; size_t n_texts;
    const int64_t *ints; size_t n_ints;
    const struct json *any;
};

#define AT(type, member) .off = offsetof(struct type, member)
static const struct shape inner_shape;
static const struct field inner_fields[] = {
    { .key = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, AT(inner, name), .min = 1, .max = 8 },
    { .key = "count", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, AT(inner, count), .min = -5, .max = 5 },
    { .key = "seen_at", .type = FIELD_TIME, AT(inner, seen_at) },
    { .key = "inside", .type = FIELD_OBJECT, AT(inner, inside), .inner = &inner_shape },
};
static const struct shape inner_shape = { "inner", sizeof(struct inner), inner_fields, N_ITEMS(inner_fields), false };
static const struct field fields[] = {
    { .key = "on", .type = FIELD_BOOL, AT(message, on) },
    { .key = "size", .type = FIELD_INT, AT(message, size), .min = 1, .max = 500 },
    { .key = "ratio", .type = FIELD_NUMBER, AT(message, ratio) },
    { .key = "title", .type = FIELD_TEXT, AT(message, title), .max = 64 },
    { .key = "word", .type = FIELD_WORD, AT(message, word), .words = words },
    { .key = "at", .type = FIELD_TIME, AT(message, at_ms) },
    { .key = "digest", .type = FIELD_DIGEST, AT(message, digest) },
    { .key = "inner", .type = FIELD_OBJECT, AT(message, inner), .inner = &inner_shape },
    { .key = "value", .type = FIELD_INLINE, AT(message, value), .inner = &inner_shape },
    { .key = "list", .type = FIELD_LIST, AT(message, list), .off_n = offsetof(struct message, n_list),
      .inner = &inner_shape, .max = 4 },
    { .key = "texts", .type = FIELD_TEXTS, .flags = FIELD_OMIT_EMPTY, AT(message, texts),
      .off_n = offsetof(struct message, n_texts), .max = 4 },
    { .key = "ints", .type = FIELD_INTS, .flags = FIELD_OMIT_EMPTY, AT(message, ints),
      .off_n = offsetof(struct message, n_ints), .min = 0, .max = 9 },
    { .key = "any", .type = FIELD_ANY, AT(message, any) },
};
static const struct shape shape = { "message", sizeof(struct message), fields, N_ITEMS(fields), false };

/* ---- the same document? ---------------------------------------------------------- */

static bool same_message(const struct shape *s, const struct json *in, const struct json *out);

static bool same_field(const struct field *f, const struct json *in, const struct json *out)
{
    int64_t a, b;

    if (out == NULL)                       /* left out because empty */
        return in->type == JSON_INT ? in->i == 0 : in->type == JSON_ARRAY ? in->n == 0 :
               f->type == FIELD_TIME && time_parse(in->string, &a) && a == TIME_UNKNOWN;
    switch (f->type) {
    case FIELD_TIME:
        return time_parse(in->string, &a) && time_parse(out->string, &b) && a == b;
    case FIELD_NUMBER:
        return !(json_number(in, 0) < json_number(out, 1) || json_number(in, 0) > json_number(out, 1));
    case FIELD_OBJECT:
    case FIELD_INLINE:
        return same_message(f->inner, in, out);
    case FIELD_LIST:
        for (uint32_t i = 0; i < in->n; i++) {
            if (out->n != in->n || !same_message(f->inner, &in->items[i], &out->items[i]))
                return false;
        }
        return out->n == in->n;
    default:
        return json_same(in, out);
    }
}

static bool same_message(const struct shape *s, const struct json *in, const struct json *out)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct json *v = json_get(in, s->fields[i].key);
        if (v != NULL && v->type != JSON_NULL && !same_field(&s->fields[i], v, json_get(out, s->fields[i].key)))
            return false;
    }
    return true;
}

/* As a caller would: a field whose zero is out of bounds has a default. */
static void message_init(struct message *m)
{
    shape_init(&shape, m);
    m->size = 50;
}

/* ---- the rounds ---------------------------------------------------------------------- */

static void check_decoded(const struct message *m)
{
    insist(m->size >= 1 && m->size <= 500 && m->word >= 0 && m->word <= 3 && m->n_list <= 4 && m->n_texts <= 4);
    insist(m->title == NULL || strlen(m->title) <= 64);
    insist(m->digest == NULL || digest_is_valid(m->digest));
    for (size_t i = 0; i < m->n_list; i++)
        insist(m->list[i].name != NULL && m->list[i].count >= -5 && m->list[i].count <= 5);
}

static void check_again(const struct json *doc, const struct message *m, struct arena *arena)
{
    struct buf first, second;
    struct err err = { 0 };
    struct json again;
    struct message copy;

    buf_init(&first, 16 << 20);
    buf_init(&second, 16 << 20);
    shape_encode(&shape, m, &first);
    if (first.failed)                      /* deeper than the writer nests */
        goto done;
    insist(json_parse(arena, first.ptr, first.len, NULL, &again, &err) == 0);
    insist(doc == NULL || same_message(&shape, doc, &again));
    /* A struct by value is always written; without its required name it cannot come back. */
    if (m->value.name != NULL) {
        message_init(&copy);
        insist(shape_decode(&shape, &again, arena, &copy, NULL, &err) == 0);
        shape_encode(&shape, &copy, &second);
        insist(!second.failed && first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
    }
done:
    buf_free(&first);
    buf_free(&second);
}

static void check_complaints(const struct complaints *all, const struct err *err)
{
    size_t n = 0;

    for (const struct complaint *c = all->first; c != NULL; c = c->next, n++) {
        insist(str_is_utf8(c->path, strlen(c->path)) && str_is_utf8(c->message, strlen(c->message)));
        insist(c->next == NULL ? c == all->last : c->offset <= c->next->offset);
    }
    insist(all->n > 0 && n > 0 && n <= all->n && n <= 50);
    insist(err->kind == ERR_INVALID && str_is_utf8(err->msg, strlen(err->msg)));
}

static void run_document(const uint8_t *data, size_t size, struct arena *arena)
{
    struct complaints all = { .arena = arena };
    struct err err = { 0 };
    struct message m, before;
    struct json doc;

    if (json_parse(arena, data, size, NULL, &doc, &err) != 0)
        return;
    message_init(&m);
    before = m;
    if (shape_decode(&shape, &doc, arena, &m, &all, &err) == 0) {
        check_decoded(&m);
        check_again(&doc, &m, arena);
    } else {
        insist(memcmp(&before, &m, sizeof m) == 0);
        check_complaints(&all, &err);
    }
}

static const struct shape query_shape = { "query", sizeof(struct message), fields, 7, false };   /* the flat ones */

static void run_query(const uint8_t *data, size_t size, struct arena *arena)
{
    char *query = arena_strndup(arena, (const char *)data, size);
    struct err err = { 0 };
    struct message m;

    message_init(&m);
    if (shape_decode_query(&query_shape, query, arena, &m, &err) == 0) {
        check_decoded(&m);
        check_again(NULL, &m, arena);
    } else {
        insist(err.msg[0] != '\0' && str_is_utf8(err.msg, strlen(err.msg)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;

    arena_init(&arena, 64 << 20);
    (size > 0 && (data[0] == '{' || data[0] == '[') ? run_document : run_query)(data, size, &arena);
    arena_clear(&arena);
    return 0;
}
