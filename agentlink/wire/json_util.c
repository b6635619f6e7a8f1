/* json_util.c - see json_util.h. */
#include "wire/json_util.h"

#include "wire/jsonw.h"

#include <string.h>

static bool same_items(const struct json *a, const struct json *b)
{
    for (uint32_t i = 0; i < a->n; i++) {
        if (!json_same(&a->items[i], &b->items[i]))
            return false;
    }
    return true;
}

static bool same_members(const struct json *a, const struct json *b)
{
    for (uint32_t i = 0; i < a->n; i++) {
        const char *key = a->members[i].key;
        const struct json *other = json_get(b, key);
        if (other == NULL || !json_same(json_get(a, key), other))
            return false;
    }
    return true;
}

bool json_same(const struct json *a, const struct json *b)
{
    if (a->type != b->type)
        return false;
    switch ((enum json_type)a->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return a->boolean == b->boolean;
    case JSON_INT:
        return a->i == b->i;
    case JSON_REAL:
        return memcmp(&a->real, &b->real, sizeof a->real) == 0;
    case JSON_STRING:
        return a->n == b->n && memcmp(a->string, b->string, a->n) == 0;
    case JSON_ARRAY:
        return a->n == b->n && same_items(a, b);
    case JSON_OBJECT:
        return a->n == b->n && same_members(a, b);
    }
    return false;
}

void json_print(const struct json *v, struct buf *b)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_value(&w, v);
}
