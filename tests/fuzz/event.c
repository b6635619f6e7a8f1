/* event.c - any text as an event of any source.
 *
 * The first byte chooses the source (or none: find out); the rest is the text.  Oracle:
 * what decodes is within its bounds and valid UTF-8, is written within EVENT_JSON_MAX,
 * and reads back equal; decoding twice gives the same; mending does not change a text
 * that was right, and what it makes is UTF-8. */
#include "base/buf.h"
#include "base/str.h"
#include "wire/event/event.h"
#include "wire/msg/event.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA = 256 * 1024 * 1024, OURS_MAX = 8 * EVENT_JSON_MAX };

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void check_texts(const struct shape *shape, const void *part)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        const void *at = (const char *)part + f->off;
        if (f->type == FIELD_INLINE) {
            check_texts(f->inner, at);
        } else if (f->type == FIELD_TEXT && *(const char *const *)at != NULL) {
            const char *text = *(const char *const *)at;
            size_t len = strlen(text);
            need(len <= (size_t)(f->max > 0 ? f->max : EVENT_TEXT_MAX) && str_is_utf8(text, len));
        }
    }
}

static void check_event(const struct event *e, struct arena *arena)
{
    struct buf first, second;
    struct event again;
    struct err err = { 0 };

    need(e->kind >= 0 && e->kind < EVENT_KIND_N && e->verdict >= 0 && e->verdict < EVENT_VERDICT_N);
    need(e->severity >= 0 && e->severity <= EVENT_SEVERITY_DEBUG && e->count >= 0);
    need(e->n_tags <= EVENT_TAGS_MAX && e->n_chain <= EVENT_CHAIN_MAX);
    need(event_class_of(e) < EVENT_CLASS_N);
    check_texts(&event_shape, e);
    buf_init(&first, OURS_MAX);
    buf_init(&second, OURS_MAX);
    need(event_encode(e, &first, &err) == 0 && first.len <= EVENT_JSON_MAX);
    need(event_decode(SOURCE_AGENT, first.ptr, first.len, arena, &again, &err) == 0);
    need(event_encode(&again, &second, &err) == 0);
    need(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
    buf_free(&first);
    buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct event *events, *twice;
    size_t n = 0, m = 0;
    struct arena arena;
    struct err err = { 0 };

    if (size == 0)
        return 0;
    enum event_source source = (enum event_source)(data[0] % (EVENT_SOURCE_N + 1));
    arena_init(&arena, ARENA);
    int rc = event_decode_all(source, data + 1, size - 1, &arena, &events, &n, &err);
    need(rc == 0 || (err.msg[0] != '\0' && str_is_utf8(err.msg, strlen(err.msg))));
    need(event_decode_all(source, data + 1, size - 1, &arena, &twice, &m, &err) == rc && n == m);
    for (size_t i = 0; i < n; i++)
        check_event(&events[i], &arena);
    arena_clear(&arena);
    return 0;
}
