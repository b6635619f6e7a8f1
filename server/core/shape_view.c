/* shape_view.c - see shape_view.h.  What encoding leaves out is not there; what it
 * writes as null is null. */
#include "core/shape_view.h"

#include "base/time.h"

#include <string.h>

static struct cel_value field_at(struct cel_run *run, const void *self, uint32_t i);
static struct cel_value field_named(struct cel_run *run, const void *self, const char *key, uint32_t len);
static struct cel_value item_at(struct cel_run *run, const void *self, uint32_t i);

static const struct cel_class map_class = { .name = "message", .get = field_named, .at = field_at };
static const struct cel_class list_class = { .name = "list", .at = item_at };

struct map_view {
    struct cel_object object;
    const struct shape *shape;
    const void *in;
};
struct list_view {
    struct cel_object object;
    const struct field *field;
    const void *items;
};

static struct cel_value arena_full(void)
{
    return (struct cel_value){ .kind = CEL_ERROR, .s = "out of memory" };
}

static const void *member(const void *in, size_t off)
{
    return (const char *)in + off;
}

struct cel_value shape_view(const struct shape *shape, const void *in, struct arena *arena)
{
    struct map_view *v = arena_alloc(arena, sizeof *v);

    if (v == NULL)
        return arena_full();
    *v = (struct map_view){ .object = { .cls = &map_class, .self = v }, .shape = shape, .in = in };
    for (size_t i = 0; i < shape->n_fields; i++)
        v->object.n += shape_writes(&shape->fields[i], in);
    return cel_object_map(&v->object);
}

static struct cel_value list_of(struct cel_run *run, const struct field *f, const void *in)
{
    struct list_view *v = arena_alloc(cel_arena(run), sizeof *v);

    if (v == NULL)
        return arena_full();
    *v = (struct list_view){ .object = { .cls = &list_class, .self = v, .n = (uint32_t)*(const size_t *)member(in, f->off_n) },
                             .field = f, .items = *(const void *const *)member(in, f->off) };
    return cel_object_list(&v->object);
}

static struct cel_value text_or_null(const char *s)
{
    return s != NULL && *s != '\0' ? cel_text(s) : s != NULL ? cel_string("", 0) : cel_null();
}

static struct cel_value time_text(struct cel_run *run, int64_t at_ms)
{
    char *text = arena_bytes(cel_arena(run), TIME_TEXT);

    if (text == NULL)
        return arena_full();
    time_format(at_ms, text);
    return *text != '\0' ? cel_text(text) : cel_null();
}

static struct cel_value pointed(struct cel_run *run, const struct field *f, const void *p)
{
    if (p == NULL)
        return cel_null();
    return f->type == FIELD_OBJECT ? shape_view(f->inner, p, cel_arena(run)) : f->type == FIELD_ANY ? cel_json(p) : text_or_null(p);
}

static struct cel_value value_of(struct cel_run *run, const struct field *f, const void *in)
{
    const void *p = member(in, f->off);

    switch (f->type) {
    case FIELD_BOOL:   return cel_bool(*(const bool *)p);
    case FIELD_INT:    return cel_int(*(const int64_t *)p);
    case FIELD_NUMBER: return cel_double(*(const double *)p);
    case FIELD_WORD: {
        const char *word = f->words[*(const int *)p];
        return *word != '\0' ? cel_text(word) : cel_null();
    }
    case FIELD_TIME:   return time_text(run, *(const int64_t *)p);
    case FIELD_INLINE: return shape_view(f->inner, p, cel_arena(run));
    case FIELD_LIST:
    case FIELD_TEXTS:
    case FIELD_INTS:   return list_of(run, f, in);
    case FIELD_TEXT:
    case FIELD_DIGEST:
    case FIELD_OBJECT:
    case FIELD_ANY:    return pointed(run, f, *(const void *const *)p);
    case FIELD_RAW:
    case FIELD_NONE:
    case FIELD_TYPE_N: break;
    }
    return cel_fail(run, "'%s' cannot be asked for", f->key);
}

static struct cel_value field_named(struct cel_run *run, const void *self, const char *key, uint32_t len)
{
    const struct map_view *v = self;

    for (size_t i = 0; i < v->shape->n_fields; i++) {
        const struct field *f = &v->shape->fields[i];
        if (strncmp(f->key, key, len) == 0 && f->key[len] == '\0')
            return shape_writes(f, v->in) ? value_of(run, f, v->in) : (struct cel_value){ 0 };
    }
    return (struct cel_value){ 0 };
}

static struct cel_value field_at(struct cel_run *run, const void *self, uint32_t i)
{
    const struct map_view *v = self;

    (void)run;
    for (size_t k = 0; k < v->shape->n_fields; k++) {
        if (shape_writes(&v->shape->fields[k], v->in) && i-- == 0)
            return cel_text(v->shape->fields[k].key);
    }
    return (struct cel_value){ 0 };
}

static struct cel_value item_at(struct cel_run *run, const void *self, uint32_t i)
{
    const struct list_view *v = self;

    switch (v->field->type) {
    case FIELD_TEXTS: return text_or_null(((const char *const *)v->items)[i]);
    case FIELD_INTS:  return cel_int(((const int64_t *)v->items)[i]);
    default:          return shape_view(v->field->inner, (const char *)v->items + i * v->field->inner->size, cel_arena(run));
    }
}
