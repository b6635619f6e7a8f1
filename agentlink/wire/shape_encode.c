/* shape_encode.c - struct -> JSON, see shape.h. */
#include "wire/shape_internal.h"

#include "base/time.h"

#include <string.h>

static bool is_empty(const struct field *f, const void *in);

static bool is_all_empty(const struct shape *shape, const void *in)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        if (shape_writes(&shape->fields[i], in))
            return false;
    }
    return true;
}

static bool is_empty(const struct field *f, const void *in)
{
    const void *p = member_in(in, f->off);
    bool omit = (f->flags & FIELD_OMIT_EMPTY) != 0;

    switch (f->type) {
    case FIELD_BOOL:
        return omit && !*(const bool *)p;
    case FIELD_INT:
        return (omit && *(const int64_t *)p == 0) || ((f->flags & FIELD_MINUS_ONE) != 0 && *(const int64_t *)p == -1);
    case FIELD_NUMBER: {
        double v = *(const double *)p;
        return v - v != 0 || (omit && v >= 0 && v <= 0);
    }
    case FIELD_WORD:
        return *(const int *)p == 0 && (omit || f->words[0][0] == '\0');
    case FIELD_TIME:
        return *(const int64_t *)p == TIME_UNKNOWN;
    case FIELD_LIST:
    case FIELD_TEXTS:
    case FIELD_INTS:
        return omit && *(const size_t *)member_in(in, f->off_n) == 0;
    case FIELD_TEXT:
    case FIELD_DIGEST:
    case FIELD_OBJECT:
    case FIELD_ANY:
    case FIELD_RAW:
        return *(const void *const *)p == NULL;
    case FIELD_INLINE:
        return omit && is_all_empty(f->inner, p);
    case FIELD_NONE:
    case FIELD_TYPE_N:
        break;
    }
    return true;
}

bool shape_writes(const struct field *f, const void *in)
{
    return (f->flags & FIELD_REQUIRED) != 0 || !is_empty(f, in);
}

static void write_word(const struct field *f, int word, struct jsonw *w)
{
    if (word < 0 || (size_t)word >= words_count(f->words))
        w->buf->failed = true;             /* our own mistake; never a wrong word */
    else
        jsonw_str(w, f->words[word][0] != '\0' ? f->words[word] : NULL);
}

static void write_list(const struct field *f, const void *in, struct jsonw *w)
{
    const char *items = *(const char *const *)member_in(in, f->off);
    size_t n = *(const size_t *)member_in(in, f->off_n);

    jsonw_array(w);
    for (size_t i = 0; i < n && !w->buf->failed; i++)
        shape_write(f->inner, items + i * f->inner->size, w);
    jsonw_array_end(w);
}

static void write_texts(const struct field *f, const void *in, struct jsonw *w)
{
    const char *const *items = *(const char *const *const *)member_in(in, f->off);
    size_t n = *(const size_t *)member_in(in, f->off_n);

    jsonw_array(w);
    for (size_t i = 0; i < n; i++)
        jsonw_str(w, items[i]);
    jsonw_array_end(w);
}

static void write_ints(const struct field *f, const void *in, struct jsonw *w)
{
    const int64_t *items = *(const int64_t *const *)member_in(in, f->off);
    size_t n = *(const size_t *)member_in(in, f->off_n);

    jsonw_array(w);
    for (size_t i = 0; i < n; i++)
        jsonw_int(w, items[i]);
    jsonw_array_end(w);
}

static void write_time(int64_t at_ms, struct jsonw *w)
{
    char text[TIME_TEXT];

    time_format(at_ms, text);
    jsonw_str(w, text[0] != '\0' ? text : NULL);
}

/* A required member that is empty is written as null. */
static void write_pointed(const struct field *f, const void *p, struct jsonw *w)
{
    if (p == NULL)
        jsonw_null(w);
    else if (f->type == FIELD_OBJECT)
        shape_write(f->inner, p, w);
    else if (f->type == FIELD_ANY)
        jsonw_value(w, p);
    else if (f->type == FIELD_RAW)
        jsonw_raw(w, p, strlen(p));
    else
        jsonw_str(w, p);
}

static void write_field(const struct field *f, const void *in, struct jsonw *w)
{
    const void *p = member_in(in, f->off);

    switch (f->type) {
    case FIELD_BOOL:
        jsonw_bool(w, *(const bool *)p);
        break;
    case FIELD_INT:
        jsonw_int(w, *(const int64_t *)p);
        break;
    case FIELD_NUMBER:
        jsonw_num(w, *(const double *)p);
        break;
    case FIELD_WORD:
        write_word(f, *(const int *)p, w);
        break;
    case FIELD_TIME:
        write_time(*(const int64_t *)p, w);
        break;
    case FIELD_INLINE:
        shape_write(f->inner, p, w);
        break;
    case FIELD_LIST:
        write_list(f, in, w);
        break;
    case FIELD_TEXTS:
        write_texts(f, in, w);
        break;
    case FIELD_INTS:
        write_ints(f, in, w);
        break;
    case FIELD_TEXT:
    case FIELD_DIGEST:
    case FIELD_OBJECT:
    case FIELD_ANY:
    case FIELD_RAW:
        write_pointed(f, *(const void *const *)p, w);
        break;
    case FIELD_NONE:
    case FIELD_TYPE_N:
        w->buf->failed = true;
        break;
    }
}

void shape_write(const struct shape *shape, const void *in, struct jsonw *w)
{
    jsonw_object(w);
    for (size_t i = 0; i < shape->n_fields && !w->buf->failed; i++) {
        const struct field *f = &shape->fields[i];
        if (!shape_writes(f, in))
            continue;
        jsonw_key(w, f->key);
        write_field(f, in, w);
    }
    jsonw_object_end(w);
}

void shape_encode(const struct shape *shape, const void *in, struct buf *b)
{
    struct jsonw w;

    jsonw_init(&w, b);
    shape_write(shape, in, &w);
}
