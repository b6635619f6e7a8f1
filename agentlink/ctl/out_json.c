/* out_json.c - the server's answer, indented; for an assessment with the exit code. */
#include "ctl/out.h"

#include "wire/jsonw.h"

#include <string.h>

enum { INDENT = 2 };

static void put_break(struct buf *b, unsigned depth)
{
    buf_putc(b, '\n');
    for (unsigned i = 0; i < depth * INDENT; i++)
        buf_putc(b, ' ');
}

static void put_text(struct buf *b, const char *s)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_str(&w, s);
}

/* As deep as the parser allows: no deeper than its 64. */
static void put_pretty(struct buf *b, const struct json *v, unsigned depth)
{
    struct jsonw w;
    bool object = v->type == JSON_OBJECT;

    if (v->n == 0 || (!object && v->type != JSON_ARRAY)) {
        jsonw_init(&w, b);
        jsonw_value(&w, v);
        return;
    }
    buf_putc(b, object ? '{' : '[');
    for (uint32_t i = 0; i < v->n; i++) {
        put_break(b, depth + 1);
        if (object) {
            put_text(b, v->members[i].key);
            buf_puts(b, ": ");
        }
        put_pretty(b, object ? &v->members[i].value : &v->items[i], depth + 1);
        buf_puts(b, i + 1 < v->n ? "," : "");
    }
    put_break(b, depth);
    buf_putc(b, object ? '}' : ']');
}

OUT_LIST(out_json_list)
{
    (void)look;
    (void)arena;
    (void)err;
    put_pretty(b, l->whole, 0);
    buf_putc(b, '\n');
    return 0;
}

OUT_ASSESSMENT(out_json_assessment)
{
    uint32_t n = json_n_members(a->whole);
    struct json_member *members = arena_array(arena, (size_t)n + 2, sizeof *members);

    (void)look;
    if (members == NULL)
        return err_nomem(err);
    if (n > 0)
        memcpy(members, a->whole->members, n * sizeof *members);
    members[n] = (struct json_member){ .key = "exit_code", .value = { .type = JSON_INT, .i = a->exit_code } };
    members[n + 1] = (struct json_member){ .key = "exit_reason",
        .value = { .type = JSON_STRING, .string = a->why, .n = (uint32_t)strlen(a->why) } };
    const struct json whole = { .type = JSON_OBJECT, .n = n + 2, .members = members };
    put_pretty(b, &whole, 0);
    buf_putc(b, '\n');
    return 0;
}
