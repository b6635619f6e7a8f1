/* schema.h - as much of JSON Schema 2020-12 as our description of the API uses. */
#ifndef KEEP_TESTS_SCHEMA_H
#define KEEP_TESTS_SCHEMA_H

#include "base/str.h"
#include "base/time.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>

/* "#/components/schemas/x" */
static inline const struct json *schema_at(const struct json *api, const char *ref)
{
    static const char prefix[] = "#/components/schemas/";

    if (strncmp(ref, prefix, sizeof prefix - 1) != 0)
        return NULL;
    return json_get(json_get(json_get(api, "components"), "schemas"), ref + sizeof prefix - 1);
}

static inline const char *schema_broken_in(const struct json *api, const struct json *v)
{
    const char *broken = NULL;

    for (uint32_t i = 0; i < json_n_members(v) && broken == NULL; i++) {
        const struct json_member *m = &v->members[i];
        if (strcmp(m->key, "$ref") == 0 && m->value.type == JSON_STRING)
            broken = schema_at(api, m->value.string) == NULL ? m->value.string : NULL;
        else
            broken = schema_broken_in(api, &m->value);
    }
    for (uint32_t i = 0; i < json_len(v) && broken == NULL; i++)
        broken = schema_broken_in(api, json_at(v, i));
    return broken;
}

static inline const char *schema_broken_ref(const struct json *api)
{
    return schema_broken_in(api, api);
}

static inline bool schema_wrong(const char *where, const char *what, char *wrong, size_t max)
{
    snprintf(wrong, max, "%s: %s", where, what);
    return false;
}

static inline bool schema_type_is(const struct json *v, const char *type)
{
    static const struct { const char *word; unsigned types; } rows[] = {
        { "object", 1u << JSON_OBJECT }, { "array", 1u << JSON_ARRAY }, { "string", 1u << JSON_STRING }, { "boolean", 1u << JSON_BOOL },
        { "integer", 1u << JSON_INT }, { "number", 1u << JSON_INT | 1u << JSON_REAL },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++)
        if (strcmp(rows[i].word, type) == 0)
            return (rows[i].types & (1u << v->type)) != 0;
    return false;
}

static inline size_t schema_characters(const struct json *v)
{
    size_t n = 0;

    for (uint32_t i = 0; i < v->n; i++)
        n += ((unsigned char)v->string[i] & 0xC0) != 0x80;
    return n;
}

static inline bool schema_text_holds(const struct json *schema, const struct json *v, const char *where, char *wrong, size_t max)
{
    const struct json *words = json_get(schema, "enum");
    bool among = words == NULL;
    int64_t at, n = (int64_t)schema_characters(v);

    for (uint32_t i = 0; i < json_len(words); i++)
        among |= strcmp(json_str(json_at(words, i), ""), v->string) == 0;
    if (!among)
        return schema_wrong(where, v->string, wrong, max);
    if (n < json_int(json_get(schema, "minLength"), 0) || n > json_int(json_get(schema, "maxLength"), INT64_MAX))
        return schema_wrong(where, "length", wrong, max);
    if (strcmp(json_get_str(schema, "format", ""), "date-time") == 0 && !time_parse(v->string, &at))
        return schema_wrong(where, "no time", wrong, max);
    /* The only pattern we write. */
    if (json_get(schema, "pattern") != NULL && !digest_is_valid(v->string))
        return schema_wrong(where, "no digest", wrong, max);
    return true;
}

static inline bool schema_holds(const struct json *api, const struct json *schema, const struct json *v, char where[300],
                                char *wrong, size_t max);

static inline bool schema_object_holds(const struct json *api, const struct json *schema, const struct json *v, char where[300],
                                       char *wrong, size_t max)
{
    const struct json *properties = json_get(schema, "properties"), *required = json_get(schema, "required");
    size_t at = strlen(where);

    for (uint32_t i = 0; i < json_len(required); i++)
        if (json_get(v, json_str(json_at(required, i), "")) == NULL)
            return schema_wrong(where, json_str(json_at(required, i), ""), wrong, max);
    for (uint32_t i = 0; i < json_n_members(v); i++) {
        const struct json *property = json_get(properties, v->members[i].key);
        snprintf(where + at, 300 - at, ".%s", v->members[i].key);
        if (property == NULL && !json_bool(json_get(schema, "additionalProperties"), true))
            return schema_wrong(where, "not described", wrong, max);
        if (property != NULL && !schema_holds(api, property, &v->members[i].value, where, wrong, max))
            return false;
        where[at] = '\0';
    }
    return true;
}

static inline bool schema_holds(const struct json *api, const struct json *schema, const struct json *v, char where[300],
                                char *wrong, size_t max)
{
    const char *ref = json_get_str(schema, "$ref", NULL), *type = json_get_str(schema, "type", NULL);
    size_t at = strlen(where);

    if (ref != NULL)
        return schema_holds(api, schema_at(api, ref), v, where, wrong, max);
    if (type != NULL && !schema_type_is(v, type))
        return schema_wrong(where, type, wrong, max);
    if (v->type == JSON_STRING)
        return schema_text_holds(schema, v, where, wrong, max);
    if (v->type == JSON_INT && (v->i < json_int(json_get(schema, "minimum"), INT64_MIN) || v->i > json_int(json_get(schema, "maximum"), INT64_MAX)))
        return schema_wrong(where, "out of range", wrong, max);
    if (v->type == JSON_OBJECT)
        return schema_object_holds(api, schema, v, where, wrong, max);
    if (json_len(v) > (uint64_t)json_int(json_get(schema, "maxItems"), INT64_MAX))
        return schema_wrong(where, "too many items", wrong, max);
    for (uint32_t i = 0; i < json_len(v); i++) {
        snprintf(where + at, 300 - at, "[%u]", i);
        if (json_get(schema, "items") != NULL && !schema_holds(api, json_get(schema, "items"), json_at(v, i), where, wrong, max))
            return false;
        where[at] = '\0';
    }
    return true;
}

#endif
