/* event_shape.c - any JSON as our own event.
 *
 * Oracle: what decodes re-encodes to a text that decodes to the same text again, and an
 * event within its bounds is never shortened twice. */
#include "base/buf.h"
#include "wire/event/event.h"
#include "wire/msg/event.h"

#include <stdlib.h>
#include <string.h>

static void need(bool holds)
{
    if (!holds)
        abort();
}

static bool read_ours(const void *text, size_t len, struct arena *arena, struct event *out)
{
    struct json doc;
    struct err err = { 0 };

    shape_init(&event_shape, out);
    return json_parse(arena, text, len, NULL, &doc, &err) == 0 && shape_decode(&event_shape, &doc, arena, out, NULL, &err) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct event e, again;
    struct buf first, second;
    struct err err = { 0 };

    arena_init(&arena, (size_t)64 << 20);
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    if (read_ours(data, size, &arena, &e)) {
        need(event_encode(&e, &first, &err) == 0 && first.len <= EVENT_JSON_MAX);
        need(read_ours(first.ptr, first.len, &arena, &again));
        need(event_encode(&again, &second, &err) == 0);
        need(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
    }
    buf_free(&first);
    buf_free(&second);
    arena_clear(&arena);
    return 0;
}
