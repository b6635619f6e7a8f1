/* map.c - see map.h. */
#include "wire/event/map.h"

#include "base/str.h"
#include "base/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

/* ---- values ---------------------------------------------------------------------- */

const char *map_textn(struct mapping *m, const char *s, size_t len, size_t max)
{
    max = max == 0 ? EVENT_TEXT_MAX : max;
    if (len == 0)
        return NULL;
    if (len > max) {
        m->event->is_cut = true;
        len = max;
        while (len > 0 && ((unsigned char)s[len] & 0xC0) == 0x80)    /* not within a character */
            len--;
    } else if (s[len] == '\0') {
        return s;
    }
    const char *copy = arena_strndup(m->arena, s, len);
    m->no_memory |= copy == NULL;
    return copy;
}

const char *map_text(struct mapping *m, const struct json *v, size_t max)
{
    if (!json_is(v, JSON_STRING) || (v->n == 4 && memcmp(v->string, "<NA>", 4) == 0))
        return NULL;
    return map_textn(m, v->string, v->n, max);
}

const char *map_printf(struct mapping *m, size_t max, const char *fmt, ...)
{
    char text[EVENT_MESSAGE_MAX + 1];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n <= 0)
        return NULL;
    size_t len = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    if ((size_t)n > len)
        m->event->is_cut = true;
    while (len > 0 && !str_is_utf8(text, len))          /* vsnprintf may cut within a character */
        len--;
    const char *copy = arena_strndup(m->arena, text, len);
    m->no_memory |= copy == NULL;
    return copy == NULL ? NULL : map_textn(m, copy, len, max);
}

bool map_number(const struct json *v, int64_t *out)
{
    char *end;

    if (json_is(v, JSON_INT))
        return *out = v->i, true;
    if (json_is(v, JSON_REAL) && v->real > -9e18 && v->real < 9e18)
        return *out = (int64_t)v->real, true;
    if (!json_is(v, JSON_STRING) || v->n == 0 || v->n > 20 || (v->string[0] != '-' && (v->string[0] < '0' || v->string[0] > '9')))
        return false;
    errno = 0;
    int64_t n = strtoll(v->string, &end, 10);
    if (*end != '\0' || errno != 0)
        return false;
    return *out = n, true;
}

bool map_is_true(const struct json *v)
{
    return json_bool(v, false) || json_bool(json_get(v, "value"), false);
}

void map_set(const char **to, const char *text)
{
    if (*to == NULL && text != NULL && *text != '\0')
        *to = text;
}

/* Anything since 1970, told by its size: seconds have 10 digits these days. */
static int64_t time_of_number(int64_t n)
{
    if (n < 0)
        return TIME_UNKNOWN;
    if (n < INT64_C(100000000000))
        return n * 1000;
    if (n < INT64_C(100000000000000))
        return n;
    return n < INT64_C(100000000000000000) ? n / 1000 : n / 1000000;
}

static bool time_of(const struct json *v, int64_t *out)
{
    int64_t n, nanos = 0;

    if (json_is(v, JSON_STRING) && time_parse(v->string, out))
        return *out != TIME_UNKNOWN;
    if (json_is(v, JSON_OBJECT)) {                      /* protojson's Timestamp, written out */
        if (!map_number(json_get(v, "seconds"), &n) || n < 0 || n > INT64_C(253402300799))
            return false;
        map_number(json_get(v, "nanos"), &nanos);
        return *out = n * 1000 + (nanos >= 0 && nanos < 1000000000 ? nanos / 1000000 : 0), true;
    }
    if (!map_number(v, &n) || n == 0)
        return false;
    *out = time_of_number(n);
    return *out != TIME_UNKNOWN;
}

static void set_number(int64_t *to, const struct json *v, int64_t max)
{
    int64_t n;

    if (*to == -1 && map_number(v, &n) && n >= 0 && n <= max)
        *to = n;
}

void map_value(struct mapping *m, const struct json *v, const struct map_row *row)
{
    void *to = (char *)m->event + row->off;

    switch (row->as) {
    case MAP_TEXT:
        if (*(const char **)to == NULL)
            *(const char **)to = map_text(m, v, row->max);
        break;
    case MAP_INT:
        set_number(to, v, INT64_MAX);
        break;
    case MAP_ID:
        set_number(to, v, UINT32_MAX - 1);
        break;
    case MAP_PORT:
        set_number(to, v, 65535);
        break;
    case MAP_TIME: {
        int64_t at;
        if (*(int64_t *)to == TIME_UNKNOWN && time_of(v, &at))
            *(int64_t *)to = at;
        break;
    }
    }
}

/* ---- tables ----------------------------------------------------------------------- */

void map_nested(struct mapping *m, const struct json *from, const struct map_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *v = json_path(from, rows[i].path);
        if (v != NULL)
            map_value(m, v, &rows[i]);
    }
}

void map_flat(struct mapping *m, const struct json *from, const struct map_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *v = json_get(from, rows[i].path);
        if (v != NULL)
            map_value(m, v, &rows[i]);
    }
}

const struct json *map_get_nocase(const struct json *v, const char *key)
{
    size_t len = strlen(key);

    for (uint32_t i = 0; i < json_n_members(v); i++) {
        const struct json_member *k = &v->members[i];
        if (k->key_len == len && (k->key[0] | 0x20) == (key[0] | 0x20) && str_eq_nocase(k->key, key))
            return &k->value;
    }
    return NULL;
}

void map_nocase(struct mapping *m, const struct json *from, const struct map_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *v = map_get_nocase(from, rows[i].path);
        if (v != NULL)
            map_value(m, v, &rows[i]);
    }
}

/* ---- lists ------------------------------------------------------------------------- */

void map_tag(struct mapping *m, const char *tag)
{
    struct event *e = m->event;

    if (tag == NULL || *tag == '\0')
        return;
    for (size_t i = 0; i < e->n_tags; i++) {
        if (str_eq(e->tags[i], tag))
            return;
    }
    if (e->n_tags == EVENT_TAGS_MAX) {
        e->is_cut = true;
        return;
    }
    const char **tags = (const char **)(uintptr_t)e->tags;
    if (tags == NULL)
        tags = arena_array(m->arena, EVENT_TAGS_MAX, sizeof *tags);
    m->no_memory |= tags == NULL;
    if (tags == NULL)
        return;
    tags[e->n_tags++] = tag;
    e->tags = tags;
}

void map_tags(struct mapping *m, const struct json *list)
{
    for (uint32_t i = 0; i < json_len(list) && m->event->n_tags <= EVENT_TAGS_MAX && i < 2 * EVENT_TAGS_MAX; i++)
        map_tag(m, map_text(m, json_at(list, i), 0));
}

void map_ancestor(struct mapping *m, const char *exe, int64_t pid)
{
    struct event *e = m->event;

    if (exe == NULL && pid < 0)
        return;
    if (e->n_chain == EVENT_CHAIN_MAX) {
        e->is_cut = true;
        return;
    }
    struct event_ancestor *chain = (struct event_ancestor *)(uintptr_t)e->chain;
    if (chain == NULL)
        chain = arena_array(m->arena, EVENT_CHAIN_MAX, sizeof *chain);
    m->no_memory |= chain == NULL;
    if (chain == NULL)
        return;
    chain[e->n_chain++] = (struct event_ancestor){ exe, pid };
    e->chain = chain;
}

/* ---- composed texts ------------------------------------------------------------------ */

void map_container_id(struct mapping *m, const char *id)
{
    const char *scheme = id != NULL ? strstr(id, "://") : NULL;
    const char *bare = scheme != NULL ? scheme + 3 : id;

    if (id == NULL || m->event->container.id != NULL)
        return;
    size_t len = strspn(bare, "0123456789abcdefABCDEF");
    if (bare[len] != '\0' || len < 12 || len > 64)
        return;
    if (scheme != NULL)
        map_set(&m->event->container.runtime, map_textn(m, id, (size_t)(scheme - id), 40));
    m->event->container.id = bare;
}

void map_image(struct mapping *m, const char *image)
{
    const char *at = image != NULL ? strstr(image, "@sha256:") : NULL;

    if (image == NULL)
        return;
    map_set(&m->event->container.image, at != NULL ? map_textn(m, image, (size_t)(at - image), 0) : image);
    if (at != NULL)
        map_set(&m->event->container.digest, at + 1);
}

bool map_endpoint(struct mapping *m, const char *s, size_t len, const char **address, int64_t *port)
{
    char digits[8];
    const char *colon = len > 0 ? memrchr(s, ':', len) : NULL;
    size_t n = colon != NULL ? len - (size_t)(colon + 1 - s) : 0;

    if (n == 0 || n > 5 || colon == s)
        return false;
    memcpy(digits, colon + 1, n);
    digits[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
    }
    int64_t value = strtol(digits, NULL, 10);
    size_t host = (size_t)(colon - s), bracket = *s == '[' && host > 2 && s[host - 1] == ']';
    if (value > 65535 || strspn(s + bracket, "0123456789abcdefABCDEF.:%") < host - 2 * bracket)
        return false;
    *address = map_textn(m, s + bracket, host - 2 * bracket, 64);
    *port = value;
    return *address != NULL;
}

const char *map_pair(struct mapping *m, const char *pairs, const char *key)
{
    size_t len = strlen(key);

    for (const char *at = pairs; at != NULL && (at = strcasestr(at, key)) != NULL; at += len) {
        if (at[len] != '=' || (at != pairs && at[-1] != ' ' && at[-1] != ','))
            continue;
        size_t n = strcspn(at + len + 1, " ,");
        return map_textn(m, at + len + 1, n, 0);
    }
    return NULL;
}

/* The alphabet of Kubernetes' generated names, without vowels and the like. */
static size_t generated_suffix(const char *pod, size_t len, size_t min, size_t max)
{
    size_t n = 0;

    while (n < len && n <= max && strchr("bcdfghjklmnpqrstvwxz2456789", pod[len - n - 1]) != NULL)
        n++;
    return n >= min && n <= max && n + 1 < len && pod[len - n - 1] == '-' ? n + 1 : 0;
}

const char *map_workload_of_pod(struct mapping *m, const char *pod)
{
    size_t len = pod != NULL ? strlen(pod) : 0, digits = 0, cut;

    if (len == 0)
        return NULL;
    while (digits < len && pod[len - digits - 1] >= '0' && pod[len - digits - 1] <= '9')
        digits++;
    if ((cut = generated_suffix(pod, len, 5, 5)) != 0) {
        len -= cut;
        len -= generated_suffix(pod, len, 6, 10);       /* of the replica set */
    } else if (digits > 0 && digits < 5 && digits + 1 < len && pod[len - digits - 1] == '-') {
        len -= digits + 1;
    }
    return map_textn(m, pod, len, 0);
}
