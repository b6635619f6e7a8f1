/* cel.c - any text as an expression, compiled and evaluated under a small budget.
 *
 * The first byte chooses the environment.  Oracle: compiling and evaluating are
 * deterministic (same refusal, same value, same error, to the letter); explaining
 * comes to what evaluating came to; strict environments accept no more than
 * lenient ones; nothing outlives its budget and arena. */
#include "core/cel/cel.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY = 8 * 1024 * 1024, BUDGET = 20000 };

static const char document[] =
    "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"r/x:1\",\"ports\":[80]},{\"name\":\"b\"}],\"replicas\":3},"
    "\"metadata\":{\"labels\":{\"app\":\"web\"},\"name\":\"p\"},\"n\":null,\"d\":1.5}";

static const struct cel_shape text_shape = { .kinds = CEL_K(CEL_STRING) }, int_shape = { .kinds = CEL_K(CEL_INT) };
static const struct cel_field container_fields[] = { { "name", &text_shape }, { "image", &text_shape }, { "ports", NULL } };
static const struct cel_shape container = { .kinds = CEL_K(CEL_MAP), .fields = container_fields, .n_fields = 3 };
static const struct cel_shape containers = { .kinds = CEL_K(CEL_LIST), .items = &container };
static const struct cel_field spec_fields[] = { { "containers", &containers }, { "replicas", &int_shape } };
static const struct cel_shape spec = { .kinds = CEL_K(CEL_MAP), .fields = spec_fields, .n_fields = 2 };
static const struct cel_field object_fields[] = { { "spec", &spec }, { "metadata", NULL }, { "n", NULL }, { "d", NULL } };
static const struct cel_shape object = { .kinds = CEL_K(CEL_MAP), .fields = object_fields, .n_fields = 4 };

static const struct cel_var vars[] = {
    { "object", &object }, { "x", &int_shape }, { "s", &text_shape }, { "u", NULL }, { "t", NULL }, { "a.b", NULL },
};
enum { N_VARS = sizeof vars / sizeof *vars };

struct outcome {
    char text[600];
    int rc;
    enum err_kind kind;
};

static void die(const char *what, const char *a, const char *b)
{
    fprintf(stderr, "%s:\n  %s\n  %s\n", what, a, b);
    abort();
}

static void render(struct outcome *o, const struct cel_program *p, const struct cel_value *v)
{
    struct buf b;

    buf_init(&b, sizeof o->text - 8);
    cel_reason(p, v, &b);
    snprintf(o->text, sizeof o->text, "%u %s", v->kind, b.ptr != NULL ? b.ptr : "");
    buf_free(&b);
}

static void check_explanation(const struct cel_program *p, const struct cel_activation *act, const struct cel_value *v)
{
    struct arena arena;
    struct cel_explanation e;
    struct err err;
    struct buf b;

    arena_init(&arena, MEMORY);
    if (cel_explain(p, act, &arena, BUDGET, &e, &err) == 0) {
        if (e.n == 0 || e.steps[0].kind != v->kind)
            die("explained otherwise", cel_program_text(p), e.n > 0 ? e.steps[0].value : "nothing");
        buf_init(&b, 1024 * 1024);
        cel_explanation_print(p, &e, &b);
        buf_free(&b);
    }
    arena_clear(&arena);
}

static void run(const struct cel_env *env, const char *text, size_t len, bool explain, struct outcome *o)
{
    struct arena arena;
    struct json doc;
    const struct cel_program *p;
    struct err err = { 0 };

    arena_init(&arena, MEMORY);
    if (json_parse(&arena, document, sizeof document - 1, NULL, &doc, &err) != 0)
        abort();
    struct cel_value v, values[N_VARS] = {
        cel_json(&doc), cel_int(7), cel_text("h\u00e9llo"), cel_missing(&arena, "fact"),
        cel_timestamp(1700000000, 5), cel_double(2.5),
    };
    struct cel_activation act = { .values = values };
    o->rc = cel_compile(env, text, len, &arena, &p, &err);
    if (o->rc == 0) {
        o->rc = cel_eval(p, &act, &arena, BUDGET, &v, &err) != 0 ? 1 : 0;
        if (o->rc == 0)
            render(o, p, &v);
        if (o->rc == 0 && explain)
            check_explanation(p, &act, &v);
    }
    o->kind = err.kind;
    if (o->rc != 0)
        snprintf(o->text, sizeof o->text, "%s", err.msg);
    if (arena.used > MEMORY)
        die("took more than the arena has", text, "");
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome first, second, open;

    if (size < 1 || size > 4096)
        return 0;
    struct cel_env env = { .vars = vars, .n_vars = N_VARS, .container = data[0] & 2 ? "a.c" : NULL,
                           .lenient = (data[0] & 1) != 0 };
    struct cel_env lenient = env;
    lenient.lenient = true;
    const char *text = (const char *)data + 1;

    run(&env, text, size - 1, true, &first);
    run(&env, text, size - 1, false, &second);
    if (first.rc != second.rc || strcmp(first.text, second.text) != 0)
        die("not deterministic", first.text, second.text);
    run(&lenient, text, size - 1, false, &open);
    if (first.rc >= 0 && open.rc < 0 && open.kind == ERR_INVALID)
        die("strict accepts what lenient refuses", first.text, open.text);
    return 0;
}
