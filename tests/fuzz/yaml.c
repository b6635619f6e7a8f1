/* yaml.c - the YAML door.
 *
 * What is read prints to YAML, and to JSON, that read back equal; what JSON reads
 * YAML prints and reads back; nothing that was refused leaves a message that is
 * no text. */
#include "base/str.h"
#include "wire/json_util.h"
#include "wire/yaml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool claim)
{
    if (!claim)
        abort();
}

static void check_value(const struct json *v, size_t size)
{
    insist(v->offset <= size);
    if (v->type == JSON_STRING)
        insist(v->string[v->n] == '\0' && str_is_utf8(v->string, v->n));
    for (uint32_t i = 0; i < json_len(v); i++)
        check_value(json_at(v, i), size);
    for (uint32_t i = 0; i < json_n_members(v); i++) {
        insist(str_is_utf8(v->members[i].key, v->members[i].key_len));
        check_value(&v->members[i].value, size);
    }
}

typedef void print_fn(const struct json *, struct buf *);
typedef int parse_fn(struct arena *, const void *, size_t, const struct json_opts *, struct json *, struct err *);

static void check_round(const struct json *v, struct arena *arena, print_fn *print, parse_fn *parse)
{
    struct err err = { 0 };
    struct json again;
    struct buf text;

    buf_init(&text, 8 << 20);
    print(v, &text);
    /* Aliases may print to more than a buffer holds: that is what its bound is for. */
    if (!text.failed)
        insist(parse(arena, text.ptr, text.len, NULL, &again, &err) == 0 && json_same(v, &again));
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct json_opts bounds = { .max_values = 20000 };
    struct err err = { 0 };
    struct arena arena;
    struct json v;
    const struct json *docs;
    size_t n;

    arena_init(&arena, 64 << 20);
    if (yaml_parse(&arena, data, size, &bounds, &v, &err) == 0) {
        check_value(&v, size);
        check_round(&v, &arena, yaml_print, yaml_parse);
        check_round(&v, &arena, json_print, json_parse);
        insist(yaml_parse_all(&arena, data, size, &bounds, 1, &docs, &n, &err) == 0 && n <= 1);
    } else {
        insist(err.msg[0] != '\0' && str_is_utf8(err.msg, strlen(err.msg)));
    }
    if (yaml_parse_all(&arena, data, size, &bounds, 3, &docs, &n, &err) == 0)
        insist(n <= 3);
    if (json_parse(&arena, data, size, &bounds, &v, &err) == 0)
        check_round(&v, &arena, yaml_print, yaml_parse);
    arena_clear(&arena);
    return 0;
}
