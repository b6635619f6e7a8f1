/* shape_decode.c - JSON -> struct, see shape.h.
 *
 * Recursion is as deep as the document, which the parser has bounded.  Nothing
 * is allocated on the way but inner objects and lists; paths become text only
 * when there is something to complain about. */
#include "wire/shape_internal.h"

#include "base/str.h"
#include "base/time.h"

#include <string.h>

/* ---- complaints -------------------------------------------------------------- */

void show_text(const char *s, char out[SHOWN + 4])
{
    size_t n = 0;

    for (size_t len; s[n] != '\0'; n += len) {
        len = str_utf8_len(s + n, strnlen(s + n, 4));
        if (len == 0 || n + len > SHOWN)
            break;
        memcpy(out + n, s + n, len);
        if ((unsigned char)s[n] < 0x20 || s[n] == 0x7F)
            out[n] = '?';
    }
    memcpy(out + n, s[n] != '\0' ? "..." : "\0\0\0", 4);
}

static bool is_plain_key(const char *key)
{
    size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return n > 0 && n <= SHOWN && key[n] == '\0';
}

static void put_path(struct buf *b, const struct step *at)
{
    char shown[SHOWN + 4];

    if (at->up == NULL) {
        buf_puts(b, at->key);
        return;
    }
    put_path(b, at->up);
    if (at->key == NULL) {
        buf_printf(b, "[%zu]", at->index);
    } else if (is_plain_key(at->key)) {
        buf_printf(b, ".%s", at->key);
    } else {
        show_text(at->key, shown);
        buf_printf(b, "[\"%s\"]", shown);
    }
}

int complain_at(struct decoder *d, const struct step *at, uint32_t offset, const char *fmt, ...)
{
    struct buf path;
    va_list ap;

    buf_init(&path, 4096);
    put_path(&path, at);
    va_start(ap, fmt);
    complain_v(d->complaints, offset, path.failed ? "(very deep)" : path.ptr, fmt, ap);
    va_end(ap);
    buf_free(&path);
    return -1;
}

/* The candidate nearest to text, if near enough to be a slip of the fingers. */
struct nearest {
    const char *word;
    size_t distance;
};

static void consider(struct nearest *n, const char *text, const char *candidate)
{
    size_t len = strlen(text), other = strlen(candidate), longest = len > other ? len : other;
    size_t allowed = longest < 4 ? 1 : longest < 9 ? 2 : 3, distance = str_distance(text, candidate, allowed);

    if (distance <= allowed && distance < len && (n->word == NULL || distance < n->distance))
        *n = (struct nearest){ candidate, distance };
}

int complain_unknown(struct decoder *d, const struct shape *shape, const struct step *at, uint32_t offset)
{
    struct nearest nearest = { 0 };

    for (size_t i = 0; i < shape->n_fields; i++) {
        if ((shape->fields[i].flags & FIELD_OUT_ONLY) == 0)
            consider(&nearest, at->key, shape->fields[i].key);
    }
    if (nearest.word != NULL)
        return complain_at(d, at, offset, "unknown key (did you mean \"%s\"?)", nearest.word);
    return complain_at(d, at, offset, "unknown key");
}

static int wrong_type(struct decoder *d, const struct step *at, const struct json *v, const char *expected)
{
    static const char *const found[] = {
        [JSON_NULL] = "null", [JSON_BOOL] = "a boolean", [JSON_INT] = "an integer", [JSON_REAL] = "a fraction",
        [JSON_STRING] = "a string", [JSON_ARRAY] = "a list", [JSON_OBJECT] = "an object",
    };

    return complain_at(d, at, v->offset, "expected %s, found %s", expected, found[v->type]);
}

/* "at least 1 and at most 1000 items allowed": what a field's bounds allow. */
static int out_of_bounds(struct decoder *d, const struct step *at, const struct json *v, const struct field *f,
                         uint64_t found, const char *unit)
{
    int64_t min = field_min(f), max = field_max(f);

    if (min > 0)
        return complain_at(d, at, v->offset, "has %llu %s; %lld to %lld allowed", (unsigned long long)found, unit,
                           (long long)min, (long long)max);
    return complain_at(d, at, v->offset, "has %llu %s; at most %lld allowed", (unsigned long long)found, unit,
                       (long long)max);
}

/* ---- one function per type ------------------------------------------------------ */

typedef int decode_fn(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out);

static int decode_bool(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out)
{
    if (v->type != JSON_BOOL)
        return wrong_type(d, at, v, "a boolean");
    *(bool *)member_of(out, f->off) = v->boolean;
    return 0;
}

static int decode_int(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out)
{
    int64_t min = field_min(f), max = field_max(f);

    if (v->type != JSON_INT)
        return wrong_type(d, at, v, "an integer");
    if (v->i < min && max == INT64_MAX)
        return complain_at(d, at, v->offset, "is %lld; at least %lld allowed", (long long)v->i, (long long)min);
    if (v->i < min || v->i > max)
        return complain_at(d, at, v->offset, "is %lld; %lld to %lld allowed", (long long)v->i, (long long)min,
                           (long long)max);
    *(int64_t *)member_of(out, f->off) = v->i;
    return 0;
}

static int decode_number(struct decoder *d, const struct field *f, const struct json *v, const struct step *at,
                         void *out)
{
    int64_t min = field_min(f), max = field_max(f);
    double number = json_number(v, 0);

    if (v->type != JSON_INT && v->type != JSON_REAL)
        return wrong_type(d, at, v, "a number");
    if (number < (double)min || number > (double)max)
        return complain_at(d, at, v->offset, "is %g; %lld to %lld allowed", number, (long long)min, (long long)max);
    *(double *)member_of(out, f->off) = number;
    return 0;
}

static int decode_text(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out)
{
    if (v->type != JSON_STRING)
        return wrong_type(d, at, v, "a string");
    if (v->n < field_min(f) || v->n > field_max(f))
        return out_of_bounds(d, at, v, f, v->n, "bytes");
    *(const char **)member_of(out, f->off) = v->string;
    return 0;
}

static int complain_word(struct decoder *d, const struct field *f, const struct json *v, const struct step *at)
{
    char shown[SHOWN + 4];
    struct buf list;

    show_text(v->string, shown);
    buf_init(&list, 8192);
    for (size_t i = f->words[0][0] == '\0'; f->words[i] != NULL; i++)
        buf_printf(&list, "%s%s", list.len > 0 ? ", " : "", f->words[i]);
    complain_at(d, at, v->offset, "\"%s\" is not one of: %s", shown, list.ptr != NULL ? list.ptr : "");
    buf_free(&list);
    return -1;
}

static int decode_word(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out)
{
    if (v->type != JSON_STRING)
        return wrong_type(d, at, v, "a string");
    for (int i = 0; f->words[i] != NULL && v->n > 0; i++) {
        if (str_eq(f->words[i], v->string))
            return *(int *)member_of(out, f->off) = i, 0;
    }
    return complain_word(d, f, v, at);
}

static int decode_time(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out)
{
    char shown[SHOWN + 4];

    if (v->type != JSON_STRING)
        return wrong_type(d, at, v, "a time as a string");
    if (time_parse(v->string, member_of(out, f->off)))
        return 0;
    show_text(v->string, shown);
    return complain_at(d, at, v->offset, "\"%s\" is not an RFC 3339 time like 2026-11-25T13:11:58Z", shown);
}

static int decode_digest(struct decoder *d, const struct field *f, const struct json *v, const struct step *at,
                         void *out)
{
    char shown[SHOWN + 4];

    if (v->type != JSON_STRING)
        return wrong_type(d, at, v, "a digest as a string");
    if (digest_is_valid(v->string))
        return *(const char **)member_of(out, f->off) = v->string, 0;
    show_text(v->string, shown);
    return complain_at(d, at, v->offset, "\"%s\" is not sha256: and 64 lower-case hex digits", shown);
}

static int decode_object(struct decoder *d, const struct shape *shape, const struct json *doc, const struct step *at,
                         void *out);

static int out_of_memory(struct decoder *d, const struct step *at, const struct json *v)
{
    d->no_memory = true;
    return complain_at(d, at, v->offset, "out of memory");
}

static int decode_inner(struct decoder *d, const struct field *f, const struct json *v, const struct step *at,
                        void *out)
{
    const void **member = member_of(out, f->off);
    void *inner = arena_alloc(d->arena, f->inner->size);

    if (inner == NULL)
        return out_of_memory(d, at, v);
    if (*member != NULL)
        memcpy(inner, *member, f->inner->size);
    else
        shape_init(f->inner, inner);
    if (decode_object(d, f->inner, v, at, inner) != 0)
        return -1;
    *member = inner;
    return 0;
}

static int decode_inline(struct decoder *d, const struct field *f, const struct json *v, const struct step *at,
                         void *out)
{
    return decode_object(d, f->inner, v, at, (char *)out + f->off);
}

static int check_items(struct decoder *d, const struct field *f, const struct json *v, const struct step *at)
{
    if (v->type != JSON_ARRAY)
        return wrong_type(d, at, v, "a list");
    if (v->n < field_min(f) || v->n > field_max(f))
        return out_of_bounds(d, at, v, f, v->n, "items");
    return 0;
}

static int decode_list(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out)
{
    int rc = 0;

    if (check_items(d, f, v, at) != 0)
        return -1;
    char *items = arena_array(d->arena, v->n, f->inner->size);
    if (items == NULL)
        return out_of_memory(d, at, v);
    for (uint32_t i = 0; i < v->n; i++) {
        struct step item = { .up = at, .index = i };
        shape_init(f->inner, items + i * f->inner->size);
        rc |= decode_object(d, f->inner, &v->items[i], &item, items + i * f->inner->size);
    }
    *(void **)member_of(out, f->off) = items;
    *(size_t *)member_of(out, f->off_n) = v->n;
    return rc;
}

static int decode_texts(struct decoder *d, const struct field *f, const struct json *v, const struct step *at,
                        void *out)
{
    static const struct field each = { .type = FIELD_TEXT, .min = 1 };
    int rc = 0;

    if (check_items(d, f, v, at) != 0)
        return -1;
    const char **items = arena_array(d->arena, v->n, sizeof *items);
    if (items == NULL)
        return out_of_memory(d, at, v);
    for (uint32_t i = 0; i < v->n; i++) {
        struct step item = { .up = at, .index = i };
        rc |= decode_text(d, &each, &v->items[i], &item, &items[i]);
    }
    *(const char *const **)member_of(out, f->off) = items;
    *(size_t *)member_of(out, f->off_n) = v->n;
    return rc;
}

static int decode_ints(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out)
{
    static const struct field list = { .type = FIELD_LIST };
    const struct field each = { .type = FIELD_INT, .min = f->min, .max = f->max };
    int rc = 0;

    if (check_items(d, &list, v, at) != 0)
        return -1;
    int64_t *items = arena_array(d->arena, v->n, sizeof *items);
    if (items == NULL)
        return out_of_memory(d, at, v);
    for (uint32_t i = 0; i < v->n; i++) {
        struct step item = { .up = at, .index = i };
        rc |= decode_int(d, &each, &v->items[i], &item, &items[i]);
    }
    *(const int64_t **)member_of(out, f->off) = items;
    *(size_t *)member_of(out, f->off_n) = v->n;
    return rc;
}

static int decode_any(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out)
{
    (void)d;
    (void)at;
    *(const struct json **)member_of(out, f->off) = v;
    return 0;
}

int field_decode(struct decoder *d, const struct field *f, const struct json *v, const struct step *at, void *out)
{
    static decode_fn *const decoders[FIELD_TYPE_N] = {
        [FIELD_BOOL] = decode_bool, [FIELD_INT] = decode_int, [FIELD_NUMBER] = decode_number,
        [FIELD_TEXT] = decode_text, [FIELD_WORD] = decode_word, [FIELD_TIME] = decode_time,
        [FIELD_DIGEST] = decode_digest, [FIELD_OBJECT] = decode_inner, [FIELD_INLINE] = decode_inline,
        [FIELD_LIST] = decode_list, [FIELD_TEXTS] = decode_texts, [FIELD_INTS] = decode_ints, [FIELD_ANY] = decode_any,
    };

    return decoders[f->type](d, f, v, at, out);
}

/* ---- objects ---------------------------------------------------------------------- */

const struct field *field_find(const struct shape *shape, const char *key, size_t *hint)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        size_t at = *hint + i < shape->n_fields ? *hint + i : *hint + i - shape->n_fields;
        const struct field *f = &shape->fields[at];
        if (strcmp(f->key, key) == 0) {
            *hint = at + 1 < shape->n_fields ? at + 1 : 0;
            return (f->flags & FIELD_OUT_ONLY) == 0 ? f : NULL;
        }
    }
    return NULL;
}

int check_required(struct decoder *d, const struct shape *shape, const uint64_t *seen, const struct step *at,
                   uint32_t offset)
{
    int rc = 0;

    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        struct step missing = { .up = at, .key = f->key };
        if ((f->flags & FIELD_REQUIRED) == 0 || (f->flags & FIELD_OUT_ONLY) != 0 || (seen[i / 64] >> i % 64 & 1) != 0)
            continue;
        rc = complain_at(d, &missing, offset, "is required");
    }
    return rc;
}

static int decode_object(struct decoder *d, const struct shape *shape, const struct json *doc, const struct step *at,
                         void *out)
{
    uint64_t seen[SHAPE_FIELDS_MAX / 64] = { 0 };
    size_t hint = 0;
    int rc = 0;

    if (doc->type != JSON_OBJECT)
        return wrong_type(d, at, doc, "an object");
    for (uint32_t i = 0; i < doc->n; i++) {
        const struct json_member *m = &doc->members[i];
        struct step step = { .up = at, .key = m->key };
        const struct field *f = field_find(shape, m->key, &hint);
        if (f == NULL && !shape->open)
            rc = complain_unknown(d, shape, &step, m->value.offset);
        if (f == NULL || m->value.type == JSON_NULL)
            continue;
        size_t index = (size_t)(f - shape->fields);
        uint64_t bit = UINT64_C(1) << index % 64;
        if ((seen[index / 64] & bit) != 0)       /* the parser may be told to let these pass; we do not */
            rc = complain_at(d, &step, m->value.offset, "is given twice");
        else if (field_decode(d, f, &m->value, &step, out) != 0)
            rc = -1;
        seen[index / 64] |= bit;
    }
    return check_required(d, shape, seen, at, doc->offset) != 0 ? -1 : rc;
}

int decode_result(const struct decoder *d, size_t n_before, struct err *err)
{
    const struct complaint *first = d->complaints->first;

    if (d->complaints->n == n_before)
        return 0;
    if (d->no_memory || first == NULL)
        return err_nomem(err);
    return err_set(err, ERR_INVALID, "%s: %s", first->path, first->message);
}

int shape_decode(const struct shape *shape, const struct json *doc, struct arena *arena, void *out,
                 struct complaints *all, struct err *err)
{
    struct complaints own = { .arena = arena, .max = 1 };
    struct decoder d = { .arena = arena, .complaints = all != NULL ? all : &own };
    struct step root = { .key = "$" };
    size_t n_before = d.complaints->n;
    void *copy = arena_alloc(arena, shape->size);

    if (copy == NULL)
        return err_nomem(err);
    memcpy(copy, out, shape->size);
    decode_object(&d, shape, doc, &root, copy);
    if (decode_result(&d, n_before, err) != 0)
        return -1;
    memcpy(out, copy, shape->size);
    return 0;
}
