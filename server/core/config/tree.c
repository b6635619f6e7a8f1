/* tree.c - JSON trees made or changed after reading, and paths through them. */
#include "core/config/config_internal.h"

#include "base/buf.h"

#include <string.h>

void make_member(struct maker *m, const char *key, struct json value)
{
    if (m->n == m->cap && !m->failed) {
        uint32_t cap = m->cap == 0 ? 8 : m->cap * 2;
        struct json_member *more = arena_array(m->arena, cap, sizeof *more);
        if (more != NULL && m->n > 0)
            memcpy(more, m->items, m->n * sizeof *more);
        m->failed = more == NULL;
        if (more != NULL) {
            m->items = more;
            m->cap = cap;
        }
    }
    if (!m->failed)
        m->items[m->n++] = (struct json_member){ .key = key, .key_len = (uint32_t)strlen(key), .value = value };
}

void make_item(struct maker *m, struct json value)
{
    make_member(m, "", value);
}

struct json make_object(struct maker *m, uint32_t at)
{
    struct json v = { .type = JSON_OBJECT };
    uint32_t where;

    if (m->failed || json_make_object(m->arena, m->items, m->n, true, &v, &where) != JSON_MADE)
        m->failed = true;
    v.offset = at;
    return m->failed ? (struct json){ .offset = at } : v;
}

struct json make_list(struct maker *m, uint32_t at)
{
    struct json v = { .type = JSON_ARRAY };

    if (m->failed || json_make_array(m->arena, m->items, m->n, &v) != JSON_MADE)
        m->failed = true;
    v.offset = at;
    return m->failed ? (struct json){ .offset = at } : v;
}

struct json make_text(const char *s, uint32_t at)
{
    return (struct json){ .type = JSON_STRING, .offset = at, .n = (uint32_t)strlen(s), .string = s };
}

struct json make_bool(bool v, uint32_t at)
{
    return (struct json){ .type = JSON_BOOL, .offset = at, .boolean = v };
}

struct json make_int(int64_t i, uint32_t at)
{
    return (struct json){ .type = JSON_INT, .offset = at, .i = i };
}

/* Depth is bounded by the parse. */
static int copy_value(struct maker *m, const char *key, const struct json *v, uint32_t base, change_fn *change, void *data,
                      struct json *out, struct err *err)
{
    struct maker inner = { .arena = m->arena, .drop_nulls = m->drop_nulls };

    if (v->type != JSON_ARRAY && v->type != JSON_OBJECT) {
        *out = *v;
        out->offset += base;
        return change != NULL ? change(data, key, out, err) : 0;
    }
    inner.items = arena_array(m->arena, v->n, sizeof *inner.items);
    inner.cap = inner.items != NULL ? v->n : 0;
    for (uint32_t i = 0; i < v->n; i++) {
        bool list = v->type == JSON_ARRAY;
        struct json one;
        if (copy_value(m, list ? key : v->members[i].key, list ? &v->items[i] : &v->members[i].value, base, change, data, &one, err) != 0)
            return -1;
        if (list)
            make_item(&inner, one);
        else if (m->drop_nulls && one.type == JSON_NULL)
            continue;
        else
            make_member(&inner, v->members[i].key, one);
    }
    *out = v->type == JSON_ARRAY ? make_list(&inner, v->offset + base) : make_object(&inner, v->offset + base);
    return inner.failed ? err_nomem(err) : 0;
}

int tree_copy(struct arena *arena, const struct json *v, uint32_t base, bool drop_nulls, change_fn *change, void *data,
              struct json *out, struct err *err)
{
    struct maker m = { .arena = arena, .drop_nulls = drop_nulls };

    return copy_value(&m, "", v, base, change, data, out, err);
}

const char *text_of(struct arena *a, const struct json *v)
{
    if (v == NULL)
        return NULL;
    switch ((enum json_type)v->type) {
    case JSON_STRING: return v->string;
    case JSON_BOOL:   return v->boolean ? "true" : "false";
    case JSON_INT:    return arena_printf(a, "%lld", (long long)v->i);
    case JSON_REAL:   return arena_printf(a, "%.15g", v->real);
    case JSON_NULL: case JSON_ARRAY: case JSON_OBJECT: break;
    }
    return NULL;
}

const char *path_join(struct arena *a, const char *path, const char *key)
{
    struct buf b;
    bool simple = *key != '\0';

    for (const char *p = key; *p != '\0'; p++)
        simple = simple && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_' || *p == '-');
    if (simple)
        return arena_printf(a, "%s.%s", path, key);
    buf_init(&b, 1 << 20);
    buf_printf(&b, "%s['", path);
    for (const char *p = key; *p != '\0'; p++) {
        if (*p == '\'' || *p == '\\')
            buf_putc(&b, '\\');
        buf_putc(&b, *p);
    }
    buf_puts(&b, "']");
    const char *text = b.failed ? NULL : arena_strndup(a, b.ptr, b.len);
    buf_free(&b);
    return text;
}

const char *path_index(struct arena *a, const char *path, uint32_t i)
{
    return arena_printf(a, "%s[%u]", path, i);
}

/* One step of a path into `key`; the rest, or NULL at the end or when it is no path. */
static const char *next_step(const char *p, char *key, size_t size, bool *is_index)
{
    size_t n = 0;
    bool quoted = p[0] == '[' && p[1] == '\'';

    *is_index = p[0] == '[' && !quoted;
    if (*p != '.' && *p != '[')
        return NULL;
    for (p += quoted ? 2 : 1; *p != '\0' && n + 1 < size; p++) {
        if (quoted ? *p == '\'' : (*p == '.' || *p == '[' || *p == ']'))
            break;
        if (quoted && *p == '\\' && p[1] != '\0')
            p++;
        key[n++] = *p;
    }
    key[n] = '\0';
    if (quoted)
        return p[0] == '\'' && p[1] == ']' ? p + 2 : NULL;
    if (*is_index)
        return *p == ']' ? p + 1 : NULL;
    return n > 0 ? p : NULL;
}

const struct json *path_walk(const struct json *root, const char *path)
{
    const struct json *at = root;
    const char *p = *path == '$' ? path + 1 : "";
    char key[512];
    bool is_index;
    int64_t i;

    while (*p != '\0' && (p = next_step(p, key, sizeof key, &is_index)) != NULL) {
        const struct json *next = NULL;
        if (!is_index)
            next = json_get(at, key);
        else if (str_to_i64(key, 0, UINT32_MAX, &i) && i < (int64_t)json_len(at))
            next = json_at(at, (uint32_t)i);
        if (next == NULL)
            break;
        at = next;
    }
    return at;
}
