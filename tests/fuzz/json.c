/* json.c - the strict reader against jansson and against itself.
 *
 * What we accept jansson accepts, and means the same by it; what jansson accepts
 * and we refuse is too large for our bounds or holds a NUL (jansson overlooks one
 * behind a number).  What is accepted, under any options, prints to a text that
 * reads back equal. */
#include "tests/support/jansson_apart.h"

#include "base/str.h"
#include "wire/json.h"
#include "wire/json_util.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool claim)
{
    if (!claim)
        abort();
}

/* Every text is UTF-8 with a NUL where its length says. */
static void check_value(const struct json *v, size_t size)
{
    insist(v->offset <= size);
    if (v->type == JSON_STRING)
        insist(v->string[v->n] == '\0' && str_is_utf8(v->string, v->n));
    for (uint32_t i = 0; i < json_len(v); i++)
        check_value(json_at(v, i), size);
    for (uint32_t i = 0; i < json_n_members(v); i++) {
        const struct json_member *m = &v->members[i];
        insist(m->key[m->key_len] == '\0' && str_is_utf8(m->key, m->key_len));
        check_value(&m->value, size);
        insist(json_get(v, m->key) != NULL);
    }
}

static void check_reads_back(const struct json *v, struct arena *arena, const struct json_opts *opts, struct buf *text)
{
    struct err err = { 0 };
    struct json again;

    json_print(v, text);
    insist(!text->failed && json_parse(arena, text->ptr, text->len, opts, &again, &err) == 0 && json_same(v, &again));
}

static json_t *read_with_jansson(const char *text, size_t len)
{
    return json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

static void check_strict(const uint8_t *data, size_t size)
{
    json_t *theirs = read_with_jansson((const char *)data, size);
    struct err err = { 0 };
    struct arena arena;
    struct json v;
    struct buf text;

    arena_init(&arena, 64 << 20);
    buf_init(&text, 16 << 20);
    if (json_parse(&arena, data, size, NULL, &v, &err) == 0) {
        check_value(&v, size);
        check_reads_back(&v, &arena, NULL, &text);
        json_t *again = read_with_jansson(text.ptr, text.len);
        insist(theirs != NULL && again != NULL && json_equal(theirs, again));
        json_decref(again);
    } else {
        insist(err.msg[0] != '\0' && str_is_utf8(err.msg, strlen(err.msg)));
        insist(theirs == NULL || err.kind == ERR_TOO_LARGE || memchr(data, 0, size) != NULL);
    }
    json_decref(theirs);
    buf_free(&text);
    arena_clear(&arena);
}

/* The options of foreign documents, and bounds so tight that they are met. */
static void check_options(const uint8_t *data, size_t size)
{
    static const struct json_opts sets[] = {
        { .nul_as_replacement = true, .skip_bom = true, .duplicate_keys = true, .big_numbers = true, .max_depth = 200 },
        { .max_depth = 3, .max_values = 20 },
    };
    struct err err = { 0 };
    struct arena arena;
    struct json v;

    for (size_t i = 0; i < N_ITEMS(sets); i++) {
        struct buf text;
        arena_init(&arena, i == 0 ? 64 << 20 : 20000);
        buf_init(&text, 16 << 20);
        if (json_parse(&arena, data, size, &sets[i], &v, &err) == 0) {
            check_value(&v, size);
            arena.limit = 64 << 20;
            check_reads_back(&v, &arena, &sets[i], &text);
        }
        buf_free(&text);
        arena_clear(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_strict(data, size);
    check_options(data, size);
    return 0;
}
