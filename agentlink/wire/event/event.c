/* event.c - see event.h. */
#include "wire/event/event.h"

#include "base/str.h"
#include "base/time.h"
#include "wire/event/map.h"
#include "wire/msg/event.h"

#include <string.h>

enum { PREFIX_MAX = 512, DEPTH_MAX = 128, VALUES_MAX = 500000 };

void event_init(struct event *out)
{
    shape_init(&event_shape, out);
    out->count = 1;
    out->severity = 6;
}

/* ---- reading -------------------------------------------------------------------------- */

static const struct json_opts lenient = { .max_depth = DEPTH_MAX, .max_values = VALUES_MAX, .nul_as_replacement = true,
                                          .skip_bom = true, .duplicate_keys = true, .big_numbers = true };

static int parse_mended(const char *text, size_t len, struct arena *arena, struct json *out, struct err *err)
{
    struct buf mended;

    buf_init(&mended, 6 * len + 1);
    int rc = event_mend(text, len, &mended) != 0 ? err_nomem(err) : json_parse(arena, mended.ptr, mended.len, &lenient, out, err);
    buf_free(&mended);
    return rc;
}

static int parse_text(const char *text, size_t len, struct arena *arena, struct json *out, struct err *err)
{
    if (json_parse(arena, text, len, &lenient, out, err) == 0)
        return 0;
    return err->kind == ERR_INVALID ? parse_mended(text, len, arena, out, err) : -1;
}

/* What a syslog daemon or a container runtime wrote in front of a line. */
static size_t prefix_len(const char *text, size_t len)
{
    const char *brace = len > 0 && *text != '{' && *text != '[' ? memchr(text, '{', len < PREFIX_MAX ? len : PREFIX_MAX) : NULL;
    size_t n = brace != NULL ? (size_t)(brace - text) : 0;

    return n > 0 && memchr(text, '"', n) == NULL ? n : 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A line of Docker's json-file log: {"log":"...\n","stream":"stdout","time":"..."}. */
static const struct json *docker_log(const struct json *doc)
{
    const struct json *log = json_n_members(doc) <= 4 ? json_get(doc, "log") : NULL;

    return json_is(log, JSON_STRING) && json_get(doc, "stream") != NULL ? log : NULL;
}

int event_parse(const void *text, size_t len, struct arena *arena, struct json *out, struct err *err)
{
    const char *s = text;
    const struct json *log;

    if (len > EVENT_TEXT_IN_MAX)
        return err_set(err, ERR_TOO_LARGE, "an event of %zu bytes; at most %d allowed", len, EVENT_TEXT_IN_MAX);
    while (len > 0 && is_space(*s))
        s++, len--;
    while (len > 0 && is_space(s[len - 1]))
        len--;
    size_t prefix = prefix_len(s, len);
    if (parse_text(s + prefix, len - prefix, arena, out, err) != 0)
        return -1;
    if ((log = docker_log(out)) == NULL)
        return 0;
    const char *inner = log->string;
    size_t n = log->n;
    prefix = prefix_len(inner, n);
    return parse_text(inner + prefix, n - prefix, arena, out, err);
}

/* ---- the sources ------------------------------------------------------------------------ */

static const struct { event_is_fn *is; event_map_fn *map; } sources[EVENT_SOURCE_N] = {
    [SOURCE_AGENT] = { event_is_own, event_map_own },
    [SOURCE_FALCO] = { event_is_falco, event_map_falco },
    [SOURCE_TRACEE] = { event_is_tracee, event_map_tracee },
    [SOURCE_TETRAGON] = { event_is_tetragon, event_map_tetragon },
    [SOURCE_HUBBLE] = { event_is_hubble, event_map_hubble },
    [SOURCE_KUBEARMOR] = { event_is_kubearmor, event_map_kubearmor },
    [SOURCE_K8SAUDIT] = { event_is_k8saudit, event_map_k8saudit },
};

enum event_source event_source_detect(const struct json *doc)
{
    static const enum event_source order[] = { SOURCE_AGENT, SOURCE_K8SAUDIT, SOURCE_TETRAGON, SOURCE_FALCO, SOURCE_HUBBLE,
                                               SOURCE_TRACEE, SOURCE_KUBEARMOR };

    for (size_t i = 0; i < N_ITEMS(order); i++) {
        if (sources[order[i]].is(doc))
            return order[i];
    }
    return EVENT_SOURCE_N;
}

bool event_is_own(const struct json *doc)
{
    return json_is(json_get(doc, "source"), JSON_STRING) && json_is(json_get(doc, "kind"), JSON_STRING) &&
           json_is(json_get(doc, "count"), JSON_INT) && json_is(json_get(doc, "severity"), JSON_INT);
}

int event_map_own(struct mapping *m, const struct json *doc, struct err *err)
{
    return shape_decode(&event_shape, doc, m->arena, m->event, NULL, err);
}

int event_from_json(enum event_source source, const struct json *doc, struct arena *arena, struct event *out, struct err *err)
{
    struct event e;
    struct mapping m = { .arena = arena, .event = &e };

    if (source == EVENT_SOURCE_N && (source = event_source_detect(doc)) == EVENT_SOURCE_N)
        return err_set(err, ERR_INVALID, "not an event of a source we know");
    if (!sources[source].is(doc))
        return err_set(err, ERR_INVALID, "not an event of %s", event_source_words[source]);
    event_init(&e);
    e.source = (int)source;
    int rc = sources[source].map(&m, doc, err);
    if (m.no_memory)
        return err_nomem(err);
    if (rc == 0)
        *out = e;
    return rc;
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* The items of a text that is a list; NULL when it is one event. */
static const struct json *items_of(const struct json *doc)
{
    const struct json *items = json_get(doc, "items");

    if (json_is(doc, JSON_ARRAY))
        return doc;
    return json_is(items, JSON_ARRAY) && str_ends(json_get_str(doc, "kind", ""), "List") ? items : NULL;
}

static bool is_blank(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_space(s[i]))
            return false;
    }
    return true;
}

static int decode_items(enum event_source source, const struct json *items, struct arena *arena, const struct event **out,
                        size_t *n, struct err *err)
{
    uint32_t len = json_len(items);
    size_t taken = 0;

    if (len > EVENTS_PER_TEXT_MAX)
        return err_set(err, ERR_TOO_LARGE, "a list of %u events; at most %d allowed", len, EVENTS_PER_TEXT_MAX);
    struct event *events = arena_array(arena, len, sizeof *events);
    if (events == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < len; i++) {
        int rc = event_from_json(source, json_at(items, i), arena, &events[taken], err);
        if (rc < 0)
            return err_prefix(err, "item %u", i);
        taken += rc == 0;
    }
    *out = events;
    *n = taken;
    return 0;
}

int event_decode_all(enum event_source source, const void *text, size_t len, struct arena *arena, const struct event **out,
                     size_t *n, struct err *err)
{
    struct json doc, list;

    if (is_blank(text, len))
        return *n = 0, *out = NULL, 0;
    if (event_parse(text, len, arena, &doc, err) != 0)
        return -1;
    const struct json *items = items_of(&doc);
    if (items == NULL) {
        list = (struct json){ .type = JSON_ARRAY, .n = 1, .items = &doc };
        items = &list;
    }
    return decode_items(source, items, arena, out, n, err);
}

int event_decode(enum event_source source, const void *text, size_t len, struct arena *arena, struct event *out, struct err *err)
{
    const struct event *events;
    size_t n;

    if (event_decode_all(source, text, len, arena, &events, &n, err) != 0)
        return -1;
    if (n > 1)
        return err_set(err, ERR_INVALID, "a list of %zu events where one is expected", n);
    if (n == 0)
        return 1;
    *out = *events;
    return 0;
}

/* ---- writing ---------------------------------------------------------------------------------- */

enum { SHORT_TEXT = 96, SHORT_TAGS = 8, SHORT_CHAIN = 4 };

/* A writer's copy of an event with texts so short that six bytes for each still fit.  Each
 * cut text needs a room of its own: at most as many as the shape has texts. */
struct shortened {
    struct event event;
    const char *tags[SHORT_TAGS];
    struct event_ancestor chain[SHORT_CHAIN];
    char room[96][SHORT_TEXT + 4];
    size_t n;
};

static const char *shorten(struct shortened *s, const char *text)
{
    size_t len = text != NULL ? strnlen(text, SHORT_TEXT + 1) : 0;

    if (len <= SHORT_TEXT || s->n == N_ITEMS(s->room))
        return len <= SHORT_TEXT ? text : NULL;
    for (len = SHORT_TEXT; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80;)
        len--;
    char *room = s->room[s->n++];
    memcpy(room, text, len);
    room[len] = '\0';
    return room;
}

static void shorten_texts(struct shortened *s, const struct shape *shape, void *part)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        void *at = (char *)part + shape->fields[i].off;
        if (shape->fields[i].type == FIELD_TEXT)
            *(const char **)at = shorten(s, *(const char **)at);
        else if (shape->fields[i].type == FIELD_INLINE)
            shorten_texts(s, shape->fields[i].inner, at);
    }
}

static void shorten_event(struct shortened *s, const struct event *event)
{
    *s = (struct shortened){ .event = *event };
    struct event *e = &s->event;
    shorten_texts(s, &event_shape, e);
    e->n_tags = e->n_tags < SHORT_TAGS ? e->n_tags : SHORT_TAGS;
    for (size_t i = 0; i < e->n_tags; i++)
        s->tags[i] = shorten(s, event->tags[i]);
    e->n_chain = e->n_chain < SHORT_CHAIN ? e->n_chain : SHORT_CHAIN;
    for (size_t i = 0; i < e->n_chain; i++)
        s->chain[i] = (struct event_ancestor){ shorten(s, event->chain[i].exe), event->chain[i].pid };
    e->tags = s->tags;
    e->chain = s->chain;
    e->is_cut = true;
}

int event_encode(const struct event *event, struct buf *out, struct err *err)
{
    struct shortened s;
    size_t before = out->len;

    shape_encode(&event_shape, event, out);
    if (!out->failed && out->len - before <= EVENT_JSON_MAX)
        return 0;
    if (out->failed)
        return err_nomem(err);
    out->len = before;
    shorten_event(&s, event);
    shape_encode(&event_shape, &s.event, out);
    return out->failed ? err_nomem(err) : 0;
}

enum event_class event_class_of(const struct event *event)
{
    if (event->severity <= 3 || event->kind == EVENT_DROP || event->verdict >= VERDICT_DENIED)
        return EVENT_CLASS_CRITICAL;
    return event->severity >= 6 && event->verdict == VERDICT_OBSERVED ? EVENT_CLASS_LOW : EVENT_CLASS_NORMAL;
}
