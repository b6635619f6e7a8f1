/* value.c - values, whoever holds them: native, JSON as it was parsed, or
 * structs of the host. */
#include "core/cel/internal.h"

static const char *const kind_names[CEL_KINDS] = {
    [CEL_ABSENT] = "nothing", [CEL_ERROR] = "error", [CEL_UNKNOWN] = "unknown", [CEL_NULL] = "null_type",
    [CEL_BOOL] = "bool", [CEL_INT] = "int", [CEL_UINT] = "uint", [CEL_DOUBLE] = "double", [CEL_STRING] = "string",
    [CEL_BYTES] = "bytes", [CEL_TIMESTAMP] = "google.protobuf.Timestamp",
    [CEL_DURATION] = "google.protobuf.Duration", [CEL_TYPE] = "type", [CEL_LIST] = "list", [CEL_MAP] = "map",
    [CEL_OPTIONAL] = "optional_type", [CEL_IP] = "net.IP", [CEL_CIDR] = "net.CIDR", [CEL_URL] = "kubernetes.URL",
    [CEL_QUANTITY] = "kubernetes.Quantity", [CEL_SEMVER] = "kubernetes.Semver",
    [CEL_FORMAT] = "kubernetes.NamedFormat",
};

const char *cel_kind_name(enum cel_kind kind)
{
    return kind < CEL_KINDS ? kind_names[kind] : "nothing";
}

struct cel_value value_type(const struct cel_value *v)
{
    struct cel_value t = cel_text(cel_kind_name((enum cel_kind)v->kind));

    t.kind = CEL_TYPE;
    return t;
}

struct cel_value cel_json(const struct json *v)
{
    struct cel_value out = { .kind = CEL_ABSENT };

    if (v == NULL)
        return out;
    switch ((enum json_type)v->type) {
    case JSON_NULL:   return cel_null();
    case JSON_BOOL:   return cel_bool(v->boolean);
    case JSON_INT:    return cel_int(v->i);
    case JSON_REAL:   return cel_double(v->real);
    case JSON_STRING: return cel_string(v->string, v->n);
    case JSON_ARRAY:  out.kind = CEL_LIST; break;
    case JSON_OBJECT: out.kind = CEL_MAP; break;
    }
    out.form = CEL_JSON;
    out.n = v->n;
    out.json = v;
    return out;
}

struct cel_value cel_missing(struct arena *arena, const char *name)
{
    struct cel_unknowns *u = arena_alloc(arena, sizeof *u);

    if (u == NULL)
        return (struct cel_value){ .kind = CEL_ERROR, .s = "out of memory" };
    u->n = 1;
    u->names[0] = name;
    return (struct cel_value){ .kind = CEL_UNKNOWN, .missing = u };
}

/* ---- made during an evaluation ------------------------------------------------------------ */

struct cel_value run_string(struct cel_run *run, const char *s, size_t n)
{
    char *copy = run_bytes(run, n + 1);

    if (copy == NULL)
        return run_stopped(run);
    if (n > 0)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return cel_string(copy, n);
}

struct cel_value run_opaque(struct cel_run *run, enum cel_kind kind, const void *data, size_t size)
{
    void *copy = run_alloc(run, 1, size);

    if (copy == NULL)
        return run_stopped(run);
    memcpy(copy, data, size);
    return (struct cel_value){ .kind = (uint8_t)kind, .n = (uint32_t)size, .opaque = copy };
}

struct cel_value optional_none(void)
{
    return (struct cel_value){ .kind = CEL_OPTIONAL };
}

struct cel_value run_optional(struct cel_run *run, struct cel_value v)
{
    struct cel_value some = run_opaque(run, CEL_OPTIONAL, &v, sizeof v);

    some.n = 0;
    return some;
}

bool items_add(struct cel_run *run, struct cel_items *l, struct cel_value v)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap == 0 ? 8 : l->cap * 2;
        struct cel_value *ptr = cap > MAX_ITEMS ? NULL : run_alloc(run, cap, sizeof *ptr);
        if (ptr == NULL)
            return run_stopped(run), false;
        if (l->n > 0)
            memcpy(ptr, l->ptr, l->n * sizeof *ptr);
        l->ptr = ptr;
        l->cap = cap;
    }
    l->ptr[l->n++] = v;
    return true;
}

/* ---- lists and maps -------------------------------------------------------------------------- */

uint32_t cel_size(const struct cel_value *v)
{
    return v->kind == CEL_MAP && v->form == CEL_NATIVE ? v->map->n : v->n;
}

static struct cel_value host_value(struct cel_run *run, struct cel_value v)
{
    return v.kind == CEL_ABSENT ? cel_fail(run, "the item is not there") : v;
}

struct cel_value cel_at(struct cel_run *run, const struct cel_value *list, uint32_t i)
{
    switch ((enum cel_form)list->form) {
    case CEL_NATIVE: return list->items[i];
    case CEL_JSON:   return cel_json(&list->json->items[i]);
    case CEL_OBJECT: break;
    }
    const struct cel_object *o = list->object;
    return host_value(run, o->cls->at(run, o->self, i));
}

struct cel_value cel_key_at(struct cel_run *run, const struct cel_value *map, uint32_t i)
{
    switch ((enum cel_form)map->form) {
    case CEL_NATIVE: return map->map->entries[i].key;
    case CEL_JSON:   return cel_string(map->json->members[i].key, map->json->members[i].key_len);
    case CEL_OBJECT: break;
    }
    const struct cel_object *o = map->object;
    return o->cls->at == NULL ? cel_fail(run, "%s cannot be iterated", o->cls->name) :
           host_value(run, o->cls->at(run, o->self, i));
}

/* The parser indexes objects with more members than this. */
enum { SCAN_MEMBERS = 12 };

static const struct json *json_member_named(const struct json *o, const char *key, uint32_t len)
{
    if (o->n > SCAN_MEMBERS)
        return json_get(o, key);
    for (uint32_t i = 0; i < o->n; i++) {
        const struct json_member *m = &o->members[i];
        if (m->key_len == len && memcmp(m->key, key, len) == 0)
            return &m->value;
    }
    return NULL;
}

struct cel_value map_member(struct cel_run *run, const struct cel_value *map, const struct cel_name *name)
{
    switch ((enum cel_form)map->form) {
    case CEL_JSON:
        return cel_json(json_member_named(map->json, name->text, name->len));
    case CEL_OBJECT:
        return map->object->cls->get(run, map->object->self, name->text, name->len);
    case CEL_NATIVE:
        break;
    }
    struct cel_value key = cel_string(name->text, name->len);
    const struct cel_value *v = map_find(map->map, &key);
    return v != NULL ? *v : (struct cel_value){ .kind = CEL_ABSENT };
}

/* A string key as NUL-terminated text for holders that need one. */
static struct cel_value get_named(struct cel_run *run, const struct cel_value *map, const struct cel_value *key)
{
    char few[64], *text = few;

    if (key->kind != CEL_STRING || memchr(key->s, '\0', key->n) != NULL)
        return (struct cel_value){ .kind = CEL_ABSENT };
    if (key->n >= sizeof few && (text = run_bytes(run, key->n + 1)) == NULL)
        return run_stopped(run);
    memcpy(text, key->s, key->n);
    text[key->n] = '\0';
    struct cel_name name = { text, key->n };
    return map_member(run, map, &name);
}

struct cel_value cel_get(struct cel_run *run, const struct cel_value *map, const struct cel_value *key)
{
    if (map->form != CEL_NATIVE)
        return get_named(run, map, key);
    struct cel_value k = number_key(*key);
    const struct cel_value *v = map_find(map->map, &k);
    return v != NULL ? *v : (struct cel_value){ .kind = CEL_ABSENT };
}

struct cel_value cel_field(struct cel_run *run, const struct cel_value *map, const char *name)
{
    struct cel_name n = { name, (uint32_t)strlen(name) };

    return map->kind == CEL_MAP ? map_member(run, map, &n) : (struct cel_value){ .kind = CEL_ABSENT };
}

/* ---- equality ---------------------------------------------------------------------------------- */

static bool equal(struct cel_run *run, const struct cel_value *a, const struct cel_value *b, uint32_t depth);

static bool lists_equal(struct cel_run *run, const struct cel_value *a, const struct cel_value *b, uint32_t depth)
{
    uint32_t n = cel_size(a);

    if (n != cel_size(b))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct cel_value x = cel_at(run, a, i), y = cel_at(run, b, i);
        if (!equal(run, &x, &y, depth + 1))
            return false;
    }
    return true;
}

static bool maps_equal(struct cel_run *run, const struct cel_value *a, const struct cel_value *b, uint32_t depth)
{
    uint32_t n = cel_size(a);

    if (n != cel_size(b))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct cel_value key = cel_key_at(run, a, i);
        if (is_bad(key))
            return false;
        struct cel_value x = cel_get(run, a, &key), y = cel_get(run, b, &key);
        if (is_bad(y) || !equal(run, &x, &y, depth + 1))
            return false;
    }
    return true;
}

static bool equal(struct cel_run *run, const struct cel_value *a, const struct cel_value *b, uint32_t depth)
{
    int order;

    if (depth > MAX_HEIGHT || !cel_pay(run, 1))
        return run_stopped(run), false;
    if (is_kind(*a, CEL_NUMBER) && is_kind(*b, CEL_NUMBER))
        return value_compare(a, b, &order) && order == 0;
    if (a->kind != b->kind)
        return false;
    switch ((enum cel_kind)a->kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return a->boolean == b->boolean;
    case CEL_STRING: case CEL_BYTES: case CEL_TYPE:
        return a->n == b->n && cel_pay(run, a->n / 16) && memcmp(a->s, b->s, a->n) == 0;
    case CEL_TIMESTAMP:
        return a->i == b->i && a->n == b->n;
    case CEL_DURATION:
        return a->i == b->i;
    case CEL_LIST:
        return lists_equal(run, a, b, depth);
    case CEL_MAP:
        return maps_equal(run, a, b, depth);
    case CEL_OPTIONAL:
        return a->some == NULL || b->some == NULL ? a->some == b->some : equal(run, a->some, b->some, depth + 1);
    case CEL_IP: case CEL_CIDR: case CEL_QUANTITY: case CEL_SEMVER: case CEL_URL: case CEL_FORMAT:
        return value_compare(a, b, &order) && order == 0;
    default:
        return false;
    }
}

bool value_equal(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
    return equal(run, a, b, 0);
}

bool value_is_zero(const struct cel_value *v)
{
    switch ((enum cel_kind)v->kind) {
    case CEL_NULL:     return true;
    case CEL_BOOL:     return !v->boolean;
    case CEL_INT: case CEL_DURATION: return v->i == 0;
    case CEL_UINT:     return v->u == 0;
    case CEL_DOUBLE:   return v->d >= 0 && v->d <= 0;
    case CEL_STRING: case CEL_BYTES: return v->n == 0;
    case CEL_LIST: case CEL_MAP: return cel_size(v) == 0;
    case CEL_OPTIONAL: return v->some == NULL;
    case CEL_TIMESTAMP: return v->i == 0 && v->n == 0;
    default:
        return false;
    }
}
