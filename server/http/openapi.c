/* openapi.c - see openapi.h.  One path item per path, one operation per row. */
#include "http/openapi.h"
#include "http/guard.h"
#include "http/problem.h"
#include "wire/jsonw.h"

#include <string.h>

enum { MAX_SHAPES = 512 };

/* ---- components -------------------------------------------------------------- */

struct shapes {
    const struct shape *list[MAX_SHAPES];
    size_t n;
};

/* Depth-first, each once; the list is also the guard against cycles. */
static int collect(struct shapes *all, const struct shape *shape, struct err *err)
{
    if (shape == NULL)
        return 0;
    for (size_t i = 0; i < all->n; i++) {
        if (all->list[i] == shape)
            return 0;
        if (str_eq(all->list[i]->name, shape->name))
            return err_set(err, ERR_INTERNAL, "shape %s: there twice", shape->name);
    }
    if (all->n == MAX_SHAPES)
        return err_set(err, ERR_INTERNAL, "more than %d shapes", MAX_SHAPES);
    all->list[all->n++] = shape;
    for (size_t i = 0; i < shape->n_fields; i++)
        if (collect(all, shape->fields[i].inner, err) != 0)
            return -1;
    return 0;
}

static int collect_all(struct shapes *all, const struct route *routes, size_t n, struct err *err)
{
    if (collect(all, &problem_shape, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (collect(all, routes[i].in, err) != 0 || collect(all, routes[i].out, err) != 0)
            return -1;
    return 0;
}

static void put_schema(struct jsonw *w, const char *key, const struct shape *shape)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    shape_schema(shape, &text);
    jsonw_key(w, key);
    if (text.failed)
        w->buf->failed = true;
    else
        jsonw_raw(w, text.ptr, text.len);
    buf_free(&text);
}

static void put_components(struct jsonw *w, const struct shapes *all)
{
    jsonw_key(w, "components");
    jsonw_object(w);
    jsonw_key(w, "schemas");
    jsonw_object(w);
    for (size_t i = 0; i < all->n; i++)
        put_schema(w, all->list[i]->name, all->list[i]);
    jsonw_object_end(w);
    jsonw_key(w, "securitySchemes");
    static const char schemes[] =
        "{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
        "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"__Host-keep_session\"}}";
    jsonw_raw(w, schemes, sizeof schemes - 1);
    jsonw_object_end(w);
}

/* ---- operations ---------------------------------------------------------------- */

static void put_ref(struct jsonw *w, const char *media, const char *component)
{
    jsonw_key(w, "content");
    jsonw_object(w);
    jsonw_key(w, media);
    jsonw_object(w);
    jsonw_key(w, "schema");
    jsonw_object(w);
    if (component == NULL) {
        jsonw_kstr(w, "type", "string");
        jsonw_kstr(w, "format", "binary");
    } else {
        jsonw_key(w, "$ref");
        struct buf ref;
        buf_init(&ref, 256);
        buf_printf(&ref, "#/components/schemas/%s", component);
        jsonw_str(w, ref.failed ? "" : ref.ptr);
        buf_free(&ref);
    }
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void put_parameter(struct jsonw *w, const char *where, const char *name, size_t name_len, bool required)
{
    jsonw_object(w);
    jsonw_kstr(w, "in", where);
    jsonw_key(w, "name");
    jsonw_strn(w, name, name_len);
    jsonw_kbool(w, "required", required);
}

static void put_string_schema(struct jsonw *w)
{
    jsonw_key(w, "schema");
    jsonw_object(w);
    jsonw_kstr(w, "type", "string");
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void put_words(struct jsonw *w, const char *const *words)
{
    jsonw_key(w, "enum");
    jsonw_array(w);
    for (size_t i = 0; words[i] != NULL; i++)
        if (words[i][0] != '\0')                     /* the unset value is never sent */
            jsonw_str(w, words[i]);
    jsonw_array_end(w);
}

/* What a query string can hold of a field. */
static void put_field_schema(struct jsonw *w, const struct field *f)
{
    static const struct { const char *type, *format; } types[FIELD_TYPE_N] = {
        [FIELD_BOOL] = { "boolean", NULL }, [FIELD_INT] = { "integer", "int64" }, [FIELD_NUMBER] = { "number", NULL },
        [FIELD_TIME] = { "string", "date-time" },
    };
    const char *type = types[f->type].type;

    jsonw_key(w, "schema");
    jsonw_object(w);
    jsonw_kstr(w, "type", type == NULL ? "string" : type);
    if (types[f->type].format != NULL)
        jsonw_kstr(w, "format", types[f->type].format);
    if (f->type == FIELD_INT && f->max != 0) {
        jsonw_kint(w, "minimum", f->min);
        jsonw_kint(w, "maximum", f->max);
    }
    if (f->type == FIELD_TEXT && f->max != 0)
        jsonw_kint(w, "maxLength", f->max);
    if (f->type == FIELD_DIGEST)
        jsonw_kstr(w, "pattern", "^sha256:[0-9a-f]{64}$");
    if (f->type == FIELD_WORD && f->words != NULL)
        put_words(w, f->words);
    jsonw_object_end(w);
}

static void put_query(struct jsonw *w, const struct shape *query)
{
    for (size_t i = 0; i < query->n_fields; i++) {
        const struct field *f = &query->fields[i];
        put_parameter(w, "query", f->key, strlen(f->key), (f->flags & FIELD_REQUIRED) != 0);
        if (f->doc != NULL)
            jsonw_kstr(w, "description", f->doc);
        put_field_schema(w, f);
        jsonw_object_end(w);
    }
}

static void put_parameters(struct jsonw *w, const struct route *r)
{
    jsonw_key(w, "parameters");
    jsonw_array(w);
    for (const char *s = strchr(r->path, '{'); s != NULL; s = strchr(s, '{')) {
        size_t len = strcspn(s + 1, "}");
        put_parameter(w, "path", s + 1, len, true);
        put_string_schema(w);
        s += len;
    }
    if (r->query != NULL)
        put_query(w, r->query);
    for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL; i++) {
        put_parameter(w, "header", r->headers[i], strlen(r->headers[i]), false);
        put_string_schema(w);
    }
    if ((r->flags & ROUTE_IDEMPOTENT) != 0) {
        put_parameter(w, "header", "Idempotency-Key", 15, false);
        put_string_schema(w);
    }
    jsonw_array_end(w);
}

static void put_body(struct jsonw *w, const struct route *r)
{
    if (r->body == BODY_NONE)
        return;
    jsonw_key(w, "requestBody");
    jsonw_object(w);
    jsonw_kbool(w, "required", true);
    if (r->body == BODY_JSON)
        put_ref(w, "application/json", r->in->name);
    else
        put_ref(w, "*/*", NULL);
    jsonw_kint(w, "x-max-bytes", (int64_t)r->max_body);
    jsonw_object_end(w);
}

static void put_responses(struct jsonw *w, const struct route *r)
{
    jsonw_key(w, "responses");
    jsonw_object(w);
    jsonw_key(w, "2XX");
    jsonw_object(w);
    jsonw_kstr(w, "description", r->summary);
    if (r->out != NULL)
        put_ref(w, "application/json", r->out->name);
    jsonw_object_end(w);
    jsonw_key(w, "default");
    jsonw_object(w);
    jsonw_kstr(w, "description", "What went wrong (RFC 9457).");
    put_ref(w, PROBLEM_TYPE, problem_shape.name);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

/* "v1" names the version, not a group. */
static void put_tag(struct jsonw *w, const char *path)
{
    const char *s = str_starts(path, "/v1/") ? path + 4 : path + 1;

    jsonw_key(w, "tags");
    jsonw_array(w);
    jsonw_strn(w, s, strcspn(s, "/"));
    jsonw_array_end(w);
}

static void put_roles(struct jsonw *w, unsigned who)
{
    jsonw_key(w, "x-roles");
    jsonw_array(w);
    for (unsigned bit = 1; bit <= WHO_ANYONE; bit <<= 1)
        if ((who & bit) != 0)
            jsonw_str(w, role_word((enum role)bit));
    jsonw_array_end(w);
    jsonw_key(w, "security");
    static const char either[] = "[{\"token\":[]},{\"session\":[]}]";
    if ((who & WHO_ANYONE) != 0)
        jsonw_raw(w, "[]", 2);
    else
        jsonw_raw(w, either, sizeof either - 1);
}

static void put_operation(struct jsonw *w, const struct route *r)
{
    char method[8];
    size_t n = strnlen(r->method, sizeof method - 1);

    memcpy(method, r->method, n);
    method[n] = '\0';
    str_lower(method);
    jsonw_key(w, method);
    jsonw_object(w);
    jsonw_kstr(w, "summary", r->summary);
    put_tag(w, r->path);
    put_roles(w, r->who);
    put_parameters(w, r);
    put_body(w, r);
    put_responses(w, r);
    jsonw_object_end(w);
}

static bool is_first_of_path(const struct route *routes, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq(routes[k].path, routes[i].path))
            return false;
    return true;
}

static void put_paths(struct jsonw *w, const struct route *routes, size_t n)
{
    jsonw_key(w, "paths");
    jsonw_object(w);
    for (size_t i = 0; i < n; i++) {
        if (!is_first_of_path(routes, i))
            continue;
        jsonw_key(w, routes[i].path);
        jsonw_object(w);
        for (size_t k = i; k < n; k++)
            if (str_eq(routes[k].path, routes[i].path))
                put_operation(w, &routes[k]);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

int openapi_write(const struct route *routes, size_t n, const char *title, const char *version,
                  struct buf *b, struct err *err)
{
    struct shapes all = { .n = 0 };
    struct jsonw w;

    if (collect_all(&all, routes, n, err) != 0)
        return -1;
    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_kstr(&w, "openapi", "3.1.0");
    jsonw_key(&w, "info");
    jsonw_object(&w);
    jsonw_kstr(&w, "title", title);
    jsonw_kstr(&w, "version", version);
    jsonw_object_end(&w);
    put_paths(&w, routes, n);
    put_components(&w, &all);
    jsonw_object_end(&w);
    return b->failed ? err_nomem(err) : 0;
}
