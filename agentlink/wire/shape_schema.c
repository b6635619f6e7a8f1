/* shape_schema.c - shapes as JSON Schema 2020-12, for OpenAPI 3.1. */
#include "wire/shape_internal.h"

#include <stdio.h>

static void write_ref(const struct shape *inner, struct jsonw *w)
{
    char ref[128];

    snprintf(ref, sizeof ref, "#/components/schemas/%s", inner->name);
    jsonw_kstr(w, "$ref", ref);
}

static void write_number(const struct field *f, const char *type, struct jsonw *w)
{
    jsonw_kstr(w, "type", type);
    if (field_min(f) != INT64_MIN)
        jsonw_kint(w, "minimum", field_min(f));
    if (field_max(f) != INT64_MAX)
        jsonw_kint(w, "maximum", field_max(f));
}

/* Schema counts characters, we count bytes: the upper bound holds for both, and
 * of the lower bound only "not empty" does. */
static void write_text(int64_t min, int64_t max, struct jsonw *w)
{
    jsonw_kstr(w, "type", "string");
    if (min > 0)
        jsonw_kint(w, "minLength", 1);
    jsonw_kint(w, "maxLength", max);
}

static void write_words(const struct field *f, struct jsonw *w)
{
    jsonw_kstr(w, "type", "string");
    jsonw_key(w, "enum");
    jsonw_array(w);
    for (size_t i = f->words[0][0] == '\0'; f->words[i] != NULL; i++)
        jsonw_str(w, f->words[i]);
    jsonw_array_end(w);
}

static void write_ints(const struct field *f, struct jsonw *w)
{
    jsonw_kstr(w, "type", "array");
    jsonw_key(w, "items");
    jsonw_object(w);
    write_number(f, "integer", w);
    jsonw_object_end(w);
    jsonw_kint(w, "maxItems", LIST_MAX);
}

static void write_items(const struct field *f, struct jsonw *w)
{
    jsonw_kstr(w, "type", "array");
    jsonw_key(w, "items");
    jsonw_object(w);
    if (f->type == FIELD_LIST)
        write_ref(f->inner, w);
    else
        write_text(1, TEXT_MAX, w);
    jsonw_object_end(w);
    if (f->min > 0)
        jsonw_kint(w, "minItems", f->min);
    jsonw_kint(w, "maxItems", field_max(f));
}

static void write_type(const struct field *f, struct jsonw *w)
{
    switch (f->type) {
    case FIELD_BOOL:
        jsonw_kstr(w, "type", "boolean");
        break;
    case FIELD_INT:
        write_number(f, "integer", w);
        break;
    case FIELD_NUMBER:
        write_number(f, "number", w);
        break;
    case FIELD_TEXT:
        write_text(field_min(f), field_max(f), w);
        break;
    case FIELD_WORD:
        write_words(f, w);
        break;
    case FIELD_TIME:
        jsonw_kstr(w, "type", "string");
        jsonw_kstr(w, "format", "date-time");
        break;
    case FIELD_DIGEST:
        jsonw_kstr(w, "type", "string");
        jsonw_kstr(w, "pattern", "^sha256:[0-9a-f]{64}$");
        break;
    case FIELD_OBJECT:
    case FIELD_INLINE:
        write_ref(f->inner, w);
        break;
    case FIELD_LIST:
    case FIELD_TEXTS:
        write_items(f, w);
        break;
    case FIELD_INTS:
        write_ints(f, w);
        break;
    case FIELD_ANY:
    case FIELD_RAW:
        break;                             /* no type: any value */
    case FIELD_NONE:
    case FIELD_TYPE_N:
        w->buf->failed = true;
        break;
    }
}

static void write_property(const struct field *f, struct jsonw *w)
{
    jsonw_key(w, f->key);
    jsonw_object(w);
    write_type(f, w);
    if (f->doc != NULL)
        jsonw_kstr(w, "description", f->doc);
    if ((f->flags & FIELD_OUT_ONLY) != 0)
        jsonw_kbool(w, "readOnly", true);
    jsonw_object_end(w);
}

static void write_required(const struct shape *shape, struct jsonw *w)
{
    size_t n = 0;

    for (size_t i = 0; i < shape->n_fields; i++) {
        if ((shape->fields[i].flags & FIELD_REQUIRED) == 0)
            continue;
        if (n++ == 0) {
            jsonw_key(w, "required");
            jsonw_array(w);
        }
        jsonw_str(w, shape->fields[i].key);
    }
    if (n > 0)
        jsonw_array_end(w);
}

void shape_schema(const struct shape *shape, struct buf *b)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_kstr(&w, "type", "object");
    jsonw_key(&w, "properties");
    jsonw_object(&w);
    for (size_t i = 0; i < shape->n_fields; i++)
        write_property(&shape->fields[i], &w);
    jsonw_object_end(&w);
    write_required(shape, &w);
    if (!shape->open)
        jsonw_kbool(&w, "additionalProperties", false);
    jsonw_object_end(&w);
}
