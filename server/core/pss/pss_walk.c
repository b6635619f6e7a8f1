/* pss_walk.c - through a pod that may be anything: values with their paths, lists
 * of names, and the words messages are made of. */
#include "core/pss/pss_internal.h"

#include "base/buf.h"
#include "core/workload.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024 };

/* ---- paths -------------------------------------------------------------------------- */

static bool is_plain(const char *key)
{
    for (const char *p = key; *p != '\0'; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_'))
            return false;
    }
    return *key != '\0';
}

static void put_key(struct buf *b, const char *key)
{
    if (is_plain(key)) {
        buf_printf(b, ".%s", key);
        return;
    }
    buf_puts(b, "['");
    for (; *key != '\0'; key++) {
        if (*key == '\'' || *key == '\\')
            buf_putc(b, '\\');
        buf_putc(b, *key);
    }
    buf_puts(b, "']");
}

static void put_path(struct buf *b, const struct spot *s)
{
    const struct spot *way[16];
    size_t n = 0;

    for (; s->up != NULL && n < N_ITEMS(way); s = s->up)
        way[n++] = s;
    buf_puts(b, s->key);
    while (n-- > 0) {
        if (way[n]->key != NULL)
            put_key(b, way[n]->key);
        else
            buf_printf(b, "[%u]", way[n]->index);
    }
}

static const char *take(struct pss_run *r, struct buf *b)
{
    while (b->failed && b->len > 0 && !str_is_utf8(b->ptr + b->len - (b->len < 4 ? b->len : 4), b->len < 4 ? b->len : 4))
        b->len--;                                          /* cut at its bound, perhaps within a character */
    const char *text = arena_strndup(r->arena, b->ptr != NULL ? b->ptr : "", b->len);

    if (text == NULL)
        r->failed = true;
    buf_free(b);
    return text;
}

static void place(struct pss_run *r, struct places *to, const struct spot *where)
{
    struct buf b;

    if (to->n == PSS_PLACES_MAX || r->failed)
        return;
    if (to->n == to->cap) {
        size_t cap = to->cap == 0 ? 4 : to->cap * 2;
        struct pss_place *more = arena_array(r->arena, cap, sizeof *more);
        if (more == NULL) {
            r->failed = true;
            return;
        }
        if (to->n > 0)
            memcpy(more, to->items, to->n * sizeof *more);
        to->items = more;
        to->cap = cap;
    }
    buf_init(&b, 4096);
    put_path(&b, where);
    const struct spot *at = where;
    while (at->v == NULL && at->up != NULL)
        at = at->up;
    to->items[to->n++] = (struct pss_place){ .path = take(r, &b), .at = at->v };
}

void blame(struct pss_run *r, const struct spot *where)
{
    place(r, &r->places, where);
}

/* ---- values ---------------------------------------------------------------------------- */

static const char *type_wanted(unsigned types)
{
    return types & T_BOOL ? "true or false" : types & T_INT ? "a number" : types & T_TEXT ? "a text" :
           types & T_LIST ? "a list" : "an object";
}

/* Checks that share a field each come by here: the value is noted once. */
static void note_malformed(struct pss_run *r, const struct spot *where, unsigned types)
{
    for (size_t i = 0; i < r->malformed.n; i++) {
        if (r->malformed.items[i].at == where->v)
            return;
    }
    if (r->malformed.n == PSS_PLACES_MAX)
        return;
    place(r, &r->malformed, where);
    if (r->failed)
        return;
    const char *text = arena_printf(r->arena, "%s is not %s", r->malformed.items[r->malformed.n - 1].path, type_wanted(types));
    if (text == NULL)
        r->failed = true;
    else
        names_add(r, &r->malformed_texts, text);
}

static struct spot spot_checked(struct pss_run *r, struct spot s, unsigned types)
{
    if (json_is(s.v, JSON_NULL))
        s.v = NULL;
    if (s.v != NULL && (1u << s.v->type & types) == 0) {
        note_malformed(r, &s, types);
        s.v = NULL;
    }
    return s;
}

struct spot spot_get(struct pss_run *r, const struct spot *up, const char *key, unsigned types)
{
    return spot_checked(r, (struct spot){ .up = up, .key = key, .v = json_get(up->v, key) }, types);
}

struct spot spot_item(struct pss_run *r, const struct spot *list, uint32_t i, unsigned types)
{
    return spot_checked(r, (struct spot){ .up = list, .index = i, .v = json_at(list->v, i) }, types);
}

struct spot spot_path(struct pss_run *r, const struct spot *up, const char *const *keys, unsigned types,
                      struct spot steps[SPOT_STEPS])
{
    size_t i = 0;

    for (; keys[i + 1] != NULL && i < SPOT_STEPS; i++) {
        steps[i] = spot_get(r, up, keys[i], T_OBJECT);
        up = &steps[i];
    }
    return spot_get(r, up, keys[i], types);
}

/* ---- containers ------------------------------------------------------------------------- */

static const char *name_of(const struct spot *container)
{
    return json_get_str(container->v, "name", "");
}

void each_container(struct pss_run *r, container_fn *bad)
{
    for (size_t t = 0; t < CONTAINER_TYPE_N; t++) {
        struct spot list = spot_get(r, &r->spec, container_lists[t], T_LIST);
        for (uint32_t i = 0; i < json_len(list.v) && !r->failed; i++) {
            struct spot container = spot_item(r, &list, i, T_OBJECT);
            if (bad(r, &container))
                names_add(r, &r->containers, name_of(&container));
        }
    }
}

void each_context(struct pss_run *r, container_fn *bad)
{
    struct spot context = spot_get(r, &r->spec, "securityContext", T_OBJECT);

    r->pod = bad(r, &context);
    for (size_t t = 0; t < CONTAINER_TYPE_N; t++) {
        struct spot list = spot_get(r, &r->spec, container_lists[t], T_LIST);
        for (uint32_t i = 0; i < json_len(list.v) && !r->failed; i++) {
            struct spot container = spot_item(r, &list, i, T_OBJECT);
            context = spot_get(r, &container, "securityContext", T_OBJECT);
            if (bad(r, &context))
                names_add(r, &r->containers, name_of(&container));
        }
    }
}

/* ---- lists and words ---------------------------------------------------------------------- */

void names_add(struct pss_run *r, struct names *l, const char *text)
{
    if (l->n == PSS_NAMES_MAX) {
        l->more++;
        return;
    }
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 8 : l->cap * 2;
        const char **more = arena_array(r->arena, cap, sizeof *more);
        if (more == NULL) {
            r->failed = true;
            return;
        }
        if (l->n > 0)
            memcpy(more, l->items, l->n * sizeof *more);
        l->items = more;
        l->cap = cap;
    }
    l->items[l->n++] = text;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void names_sort(struct names *l)
{
    size_t kept = 0;

    if (l->n > 1)
        qsort(l->items, l->n, sizeof *l->items, compare_texts);
    for (size_t i = 0; i < l->n; i++) {
        if (kept == 0 || !str_eq(l->items[kept - 1], l->items[i]))
            l->items[kept++] = l->items[i];
    }
    l->n = kept;
}

static const char *join(struct pss_run *r, const struct names *l, const char *quote, const char *with)
{
    struct buf b;
    size_t i = 0;

    buf_init(&b, TEXT_MAX + 64);
    for (; i < l->n && b.len + strlen(l->items[i]) < TEXT_MAX; i++)
        buf_printf(&b, "%s%s%s%s", i > 0 ? with : "", quote, l->items[i], quote);
    size_t left = l->n - i + l->more;
    if (left > 0)
        buf_printf(&b, " and %zu more", left);
    return take(r, &b);
}

const char *text_quoted(struct pss_run *r, const struct names *l)
{
    return join(r, l, "\"", ", ");
}

const char *text_joined(struct pss_run *r, const struct names *l, const char *with)
{
    return join(r, l, "", with);
}

const char *one_or_many(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

const char *text_containers(struct pss_run *r)
{
    return arena_printf(r->arena, "%s %s", one_or_many(r->containers.n, "container", "containers"), text_quoted(r, &r->containers));
}

const char *text_setters(struct pss_run *r)
{
    if (r->containers.n == 0)
        return r->pod ? "pod" : "";
    return arena_printf(r->arena, "%s%s", r->pod ? "pod and " : "", text_containers(r));
}

/* The value as a quoted literal: what could break a line or hide is escaped. */
const char *text_annotation(struct pss_run *r, const char *key, const char *value)
{
    static const char escapes[] = "abtnvfr";               /* \a is 7 */
    struct buf b;

    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "%s=\"", key);
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            buf_printf(&b, "\\%c", *p);
        else if (*p >= 7 && *p <= 13)
            buf_printf(&b, "\\%c", escapes[*p - 7]);
        else if (*p < 0x20 || *p == 0x7f)
            buf_printf(&b, "\\x%02x", *p);
        else
            buf_putc(&b, (char)*p);
    }
    buf_putc(&b, '"');
    return take(r, &b);
}

void violated(struct pss_run *r, const char *reason, const char *detail)
{
    r->reason = reason;
    r->detail = detail;
    if (detail == NULL)
        r->failed = true;
}

bool is_allowed(const struct allowed *list, size_t n, const char *text, int minor)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].since <= minor && str_eq(list[i].text, text))
            return true;
    }
    return false;
}
