/* decode.c - see decode.h: failing, members, names. */
#include "wire/reports/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- failing ---------------------------------------------------------------- */

/* Written as it is into a path; any other key is a stranger's text and is not. */
static bool is_plain_key(const char *key)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-@$/:.";
    size_t n = strspn(key, plain);

    return n > 0 && n <= 60 && key[n] == '\0';
}

/* The child whose text holds the offset: the last that does not begin behind it. */
static const struct json *child_at(const struct json *v, uint32_t offset, uint32_t *which)
{
    const struct json *found = NULL;
    uint32_t n = v->type == JSON_ARRAY || v->type == JSON_OBJECT ? v->n : 0, low = 0, high = n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct json *c = v->type == JSON_ARRAY ? &v->items[mid] : &v->members[mid].value;
        if (c->offset <= offset) {
            found = c;
            *which = mid;
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return found;
}

/* "$.Results[3].Target" of a value, found by its offset: costs nothing until
 * something fails. */
static void path_of(const struct json *root, const struct json *target, char *out, size_t size)
{
    size_t len = 1;

    snprintf(out, size, "$");
    for (const struct json *v = root; v != target && v != NULL && len < size;) {
        uint32_t i = 0;
        const struct json *child = child_at(v, target->offset, &i);
        int n = 0;
        if (child == NULL)
            break;
        if (v->type == JSON_ARRAY)
            n = snprintf(out + len, size - len, "[%u]", i);
        else if (is_plain_key(v->members[i].key))
            n = snprintf(out + len, size - len, ".%s", v->members[i].key);
        else
            n = snprintf(out + len, size - len, ".(member %u)", i + 1);
        len += n > 0 ? (size_t)n : 0;
        v = child;
    }
}

void decode_fail(struct decode *d, const struct json *where, enum err_kind kind, const char *fmt, ...)
{
    char path[140], what[160];
    va_list args;

    if (d->failed)
        return;
    d->failed = true;
    path_of(d->root, where != NULL ? where : d->root, path, sizeof path);
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    err_set(d->err, kind, "%s: %s", path, what);
}

void decode_nomem(struct decode *d)
{
    if (!d->failed)
        err_nomem(d->err);
    d->failed = true;
}

static const char *type_word(const struct json *v)
{
    static const char *const words[] = {
        [JSON_NULL] = "null", [JSON_BOOL] = "a boolean", [JSON_INT] = "a number", [JSON_REAL] = "a number",
        [JSON_STRING] = "text", [JSON_ARRAY] = "a list", [JSON_OBJECT] = "an object",
    };

    return words[v->type];
}

/* ---- members ---------------------------------------------------------------- */

static const struct json *typed(struct decode *d, const struct json *object, const char *key,
                                enum json_type type, const char *expected)
{
    const struct json *v = json_get(object, key);

    if (v == NULL || v->type == JSON_NULL)
        return NULL;
    if (v->type == type)
        return v;
    decode_fail(d, v, ERR_INVALID, "expected %s, found %s", expected, type_word(v));
    return NULL;
}

const struct json *decode_list(struct decode *d, const struct json *object, const char *key)
{
    return typed(d, object, key, JSON_ARRAY, "a list");
}

const struct json *decode_object(struct decode *d, const struct json *object, const char *key)
{
    return typed(d, object, key, JSON_OBJECT, "an object");
}

static const char *scalar_text(struct decode *d, const struct json *v)
{
    if (v->type == JSON_STRING && v->n > MAX_TEXT) {
        decode_fail(d, v, ERR_TOO_LARGE, "text of %u bytes, at most %d are accepted", v->n, MAX_TEXT);
        return NULL;
    }
    if (v->type == JSON_STRING)
        return v->n > 0 ? v->string : NULL;
    if (v->type == JSON_INT)
        return decode_printf(d, "%lld", (long long)v->i);
    if (v->type == JSON_REAL)
        return decode_printf(d, "%.15g", v->real);
    if (v->type == JSON_BOOL)
        return v->boolean ? "true" : "false";
    return NULL;
}

const char *decode_text_of(struct decode *d, const struct json *v)
{
    if (v == NULL)
        return NULL;
    if (v->type == JSON_ARRAY || v->type == JSON_OBJECT)
        decode_fail(d, v, ERR_INVALID, "expected text, found %s", type_word(v));
    return scalar_text(d, v);
}

const char *decode_text(struct decode *d, const struct json *object, const char *key)
{
    return decode_text_of(d, json_get(object, key));
}

const char *decode_hint_of(struct decode *d, const struct json *v)
{
    if (v == NULL)
        return NULL;
    if (v->type == JSON_ARRAY || v->type == JSON_OBJECT)
        d->scan->n_unmapped++;
    return scalar_text(d, v);
}

const char *decode_hint(struct decode *d, const struct json *object, const char *key)
{
    return decode_hint_of(d, json_get(object, key));
}

const char *decode_hint_path(struct decode *d, const struct json *object, const char *dotted)
{
    return decode_hint_of(d, json_path(object, dotted));
}

int64_t decode_time_of(struct decode *d, const struct json *v)
{
    int64_t at;
    const char *text = json_str(v, NULL);

    if (text != NULL && time_parse_loose(text, &at))
        return at;
    if (v != NULL && v->type != JSON_NULL && (text == NULL || *text != '\0'))
        d->scan->n_unmapped++;
    return TIME_UNKNOWN;
}

int64_t decode_time(struct decode *d, const struct json *object, const char *key)
{
    return decode_time_of(d, json_get(object, key));
}

const char *decode_url(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;

    if (len == 0 || len > 2048 || (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0))
        return NULL;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c == 0x7F || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\' || c == '`')
            return NULL;
    }
    return text[strcspn(text, ":") + 3] != '\0' ? text : NULL;
}

const char *decode_first_url(const struct json *list)
{
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        const char *url = decode_url(json_is(v, JSON_OBJECT) ? json_get_str(v, "url", NULL) : json_str(v, NULL));
        if (url != NULL)
            return url;
    }
    return NULL;
}

const char *decode_join(struct decode *d, const struct json *list, const char *key)
{
    const char *first = NULL;
    size_t total = 0, n = 0;

    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        const char *s = json_is(v, JSON_OBJECT) && key != NULL ? json_get_str(v, key, NULL) : json_str(v, NULL);
        if (s == NULL || *s == '\0')
            continue;
        if (n++ == 0)
            first = s;
        total += strlen(s) + 2;
        if (total > MAX_TEXT) {
            decode_fail(d, v, ERR_TOO_LARGE, "list of texts over %d bytes", MAX_TEXT);
            return NULL;
        }
    }
    if (n <= 1)
        return first;
    char *out = arena_bytes(d->arena, total + 1), *to = out;
    if (out == NULL)
        return decode_nomem(d), NULL;
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        const char *s = json_is(v, JSON_OBJECT) && key != NULL ? json_get_str(v, key, NULL) : json_str(v, NULL);
        if (s == NULL || *s == '\0')
            continue;
        if (to != out)
            to = mempcpy(to, ", ", 2);
        to = mempcpy(to, s, strlen(s));
    }
    *to = '\0';
    return out;
}

void decode_unknown_members(struct decode *d, const struct json *object, const char *const known[])
{
    for (uint32_t i = 0; i < json_n_members(object); i++) {
        bool is_known = false;
        for (size_t k = 0; known[k] != NULL && !is_known; k++)
            is_known = strcmp(known[k], object->members[i].key) == 0;
        d->scan->n_unmapped += !is_known;
    }
}

void decode_unplaced(struct decode *d, const struct json *list)
{
    d->scan->n_unmapped += json_is(list, JSON_OBJECT) ? json_n_members(list) : json_len(list);
}

const char *decode_printf(struct decode *d, const char *fmt, ...)
{
    char small[256];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    if (n < 0)
        return decode_nomem(d), NULL;
    char *out = arena_bytes(d->arena, (size_t)n + 1);
    if (out == NULL)
        return decode_nomem(d), NULL;
    if ((size_t)n < sizeof small)
        return memcpy(out, small, (size_t)n + 1);
    va_start(args, fmt);
    vsnprintf(out, (size_t)n + 1, fmt, args);
    va_end(args);
    return out;
}

const char *decode_strndup(struct decode *d, const char *text, size_t len)
{
    char *out = arena_strndup(d->arena, text, len);

    if (out == NULL)
        decode_nomem(d);
    return out;
}

/* ---- an index from text to a row ---------------------------------------------- */

struct name_slot {
    const char *name;
    size_t row;
};

static size_t hash_name(const char *s)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 29);
}

/* Where the name is or would be.  Bounded probes: a flood of names with one
 * hash must not make the index quadratic; past them a name is simply not found. */
static struct name_slot *slot_of(const struct name_index *ix, const char *name)
{
    size_t at = hash_name(name) & (ix->size - 1);

    for (unsigned probes = 0; probes < 256; probes++) {
        struct name_slot *s = &ix->slots[at];
        if (s->name == NULL || strcmp(s->name, name) == 0)
            return s;
        at = (at + 1) & (ix->size - 1);
    }
    return NULL;
}

static bool index_grow(struct decode *d, struct name_index *ix)
{
    struct name_index more = { .size = ix->size == 0 ? 64 : ix->size * 2 };

    more.slots = arena_array(d->arena, more.size, sizeof *more.slots);
    if (more.slots == NULL)
        return decode_nomem(d), false;
    for (size_t i = 0; i < ix->size; i++) {
        struct name_slot *s = ix->slots[i].name != NULL ? slot_of(&more, ix->slots[i].name) : NULL;
        if (s != NULL && s->name == NULL) {
            *s = ix->slots[i];
            more.n++;
        }
    }
    *ix = more;
    return true;
}

void name_index_put(struct decode *d, struct name_index *ix, const char *name, size_t row)
{
    if (name == NULL || d->failed)
        return;
    if (2 * ix->n >= ix->size && !index_grow(d, ix))
        return;
    struct name_slot *s = slot_of(ix, name);
    if (s == NULL || s->name != NULL)
        return;
    *s = (struct name_slot){ name, row };
    ix->n++;
}

size_t name_index_get(const struct name_index *ix, const char *name)
{
    if (name == NULL || ix == NULL || ix->size == 0)
        return NO_PACKAGE;
    const struct name_slot *s = slot_of(ix, name);
    return s != NULL && s->name != NULL ? s->row : NO_PACKAGE;
}
