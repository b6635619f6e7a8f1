/* What is signed for a session, what comes back, and a node's report: what decodes must
 * encode, and decode again to the same text; and an agent's reader takes any answer. */
#include "agent/identity.h"
#include "wire/msg/node.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 16 << 20, TEXT_MAX = 1 << 20 };

union message {
    struct node_session_ask ask;
    struct node_status_report report;
    struct node_enroll enroll;
    struct join_token_new invitation;
    unsigned char room[4096];
};

static bool decode(const struct shape *shape, struct arena *arena, const void *text, size_t len, union message *out)
{
    static const struct json_opts bounds = { .max_depth = 8, .max_values = 4096 };
    struct json *doc = arena_alloc(arena, sizeof *doc);
    struct err err = { 0 };

    if (doc == NULL || json_parse(arena, text, len, &bounds, doc, &err) != 0)
        return false;
    shape_init(shape, out);
    return shape_decode(shape, doc, arena, out, NULL, &err) == 0;
}

static void round_trip(const struct shape *shape, const void *text, size_t len)
{
    struct arena arena;
    union message one, two;
    struct buf a, b;

    arena_init(&arena, ARENA_MAX);
    buf_init(&a, TEXT_MAX);
    buf_init(&b, TEXT_MAX);
    if (decode(shape, &arena, text, len, &one)) {
        shape_encode(shape, &one, &a);
        if (a.failed || !decode(shape, &arena, a.ptr, a.len, &two))
            abort();
        shape_encode(shape, &two, &b);
        if (b.failed || a.len != b.len || memcmp(a.ptr, b.ptr, a.len) != 0)
            abort();
    }
    buf_free(&a);
    buf_free(&b);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct shape *const shapes[] = {
        &node_session_ask_shape, &node_status_report_shape, &node_enroll_shape, &join_token_new_shape,
    };
    struct session_reply reply;
    struct arena arena;
    struct err err = { 0 };

    if (size == 0)
        return 0;
    round_trip(shapes[data[0] % N_ITEMS(shapes)], data + 1, size - 1);
    arena_init(&arena, ARENA_MAX);
    if (session_read((struct bytes){ data + 1, size - 1 }, &arena, &reply, &err) == 0 && reply.token == NULL && reply.challenge == NULL)
        abort();
    arena_clear(&arena);
    return 0;
}
