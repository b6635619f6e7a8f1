/* cel_check.c - what is refused when a policy is uploaded, and how it is said;
 * what is unknown when it is evaluated. */
#include "core/cel/cel.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena arena;

static const struct cel_shape text = { .kinds = CEL_K(CEL_STRING) }, number = { .kinds = CEL_K(CEL_INT) };
static const struct cel_field container_fields[] = { { "name", &text }, { "image", &text }, { "ports", NULL } };
static const struct cel_shape container = { .kinds = CEL_K(CEL_MAP), .fields = container_fields, .n_fields = 3 };
static const struct cel_shape containers = { .kinds = CEL_K(CEL_LIST), .items = &container };
static const struct cel_field spec_fields[] = { { "containers", &containers }, { "replicas", &number } };
static const struct cel_shape spec = { .kinds = CEL_K(CEL_MAP), .fields = spec_fields, .n_fields = 2 };
static const struct cel_shape labels = { .kinds = CEL_K(CEL_MAP), .items = &text };
static const struct cel_field object_fields[] = { { "spec", &spec }, { "labels", &labels } };
static const struct cel_shape object = { .kinds = CEL_K(CEL_MAP), .fields = object_fields, .n_fields = 2 };

static struct cel_value image_get(struct cel_run *run, const void *self, const char *key, uint32_t len)
{
    const char *digest = self;

    if (len == 6 && memcmp(key, "digest", len) == 0)
        return cel_text(digest);
    if (len == 4 && memcmp(key, "scan", len) == 0)
        return cel_missing(cel_arena(run), "scan of image");
    if (len == 9 && memcmp(key, "signature", len) == 0)
        return cel_missing(cel_arena(run), "signature of image");
    return (struct cel_value){ .kind = CEL_ABSENT };
}

static struct cel_value image_key(struct cel_run *run, const void *self, uint32_t i)
{
    static const char *const keys[] = { "digest", "scan", "signature" };

    (void)run, (void)self;
    return cel_text(keys[i]);
}

static const struct cel_class image_class = { "image", image_get, image_key };
static const struct cel_object image = { &image_class, "sha256:00", 3 };

static struct cel_value twice(struct cel_run *run, const struct cel_value *args, uint32_t n)
{
    int *calls = cel_data(run);

    (void)n;
    ++*calls;
    return cel_int(args[0].i * 2);
}

static const struct cel_function functions[] = {
    { .name = "host.twice", .n_args = 1, .kinds = { CEL_K(CEL_INT) }, .gives = CEL_K(CEL_INT), .call = twice,
      .impure = true },
};

static const struct cel_var vars[] = { { "object", &object }, { "image", NULL }, { "x", &number } };
static const struct cel_env env = {
    .vars = vars, .n_vars = 3, .functions = functions, .n_functions = 1,
};

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 64 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static const struct cel_program *compiled(const char *expr)
{
    const struct cel_program *p;
    struct err err;

    if (cel_compile(&env, expr, strlen(expr), &arena, &p, &err) != 0)
        fail_msg("%s: %s", expr, err.msg);
    return p;
}

static void refused(const char *expr, const char *message)
{
    const struct cel_program *p;
    struct err err = { 0 };

    assert_int_equal(cel_compile(&env, expr, strlen(expr), &arena, &p, &err), -1);
    assert_int_equal(err.kind, ERR_INVALID);
    assert_string_equal(err.msg, message);
}

static struct cel_value evaluated(const struct cel_program *p)
{
    static int calls;
    struct cel_value values[] = { { 0 }, cel_object_map(&image), cel_int(21) };
    struct cel_activation act = { .values = values, .data = &calls };
    struct cel_value v;
    struct err err;

    if (cel_eval(p, &act, &arena, CEL_BUDGET, &v, &err) != 0)
        fail_msg("%s", err.msg);
    return v;
}

static const char *reason(const char *expr)
{
    const struct cel_program *p = compiled(expr);
    struct cel_value v = evaluated(p);
    struct buf b;

    buf_init(&b, 1000);
    cel_reason(p, &v, &b);
    const char *out = arena_strdup(&arena, b.ptr);
    buf_free(&b);
    return out;
}

static void syntax_errors_carry_line_and_column(void **state)
{
    (void)state;
    refused("1 +", "1:4: unexpected the end, expected an expression");
    refused("a.all(\n  'x', true)", "2:3: expected a simple name for the variable of the macro");
    refused("'\u00e9\u00e9' + 'abc", "1:8: string has no closing quote");
    refused("x ? 1", "1:6: unexpected the end, expected :");
    refused("'\\q'", "1:2: unknown escape sequence");
    refused("x @ 1", "1:3: unexpected character");
    refused("let + 1", "1:1: 'let' is a reserved word");
    refused("has(x)", "1:5: has() wants a field: has(a.b)");
    refused("1 2", "1:3: unexpected an integer, expected an operator or the end");
    refused("", "1:1: unexpected the end, expected an expression");
}

static void unknown_names_are_refused_with_a_hint(void **state)
{
    (void)state;
    refused("objcet.spec", "1:1: unknown name 'objcet'; did you mean 'object'?");
    refused("zebra", "1:1: unknown name 'zebra'");
    refused("object.spec.containers.all(cont, cnt.name == '')", "1:34: unknown name 'cnt'; did you mean 'cont'?");
    refused("x.startWith('a')", "1:3: unknown function 'startWith'; did you mean 'startsWith'?");
    refused("sizee(object)", "1:1: unknown function 'sizee'; did you mean 'size'?");
    refused("[1].exist(i, true)", "1:11: unknown name 'i'; did you mean 'x'?");
    refused("size(1, 2)", "1:1: size() does not take 2 arguments");
    refused("v1.Pod{name: 'x'}", "1:1: there is no message type 'v1.Pod'");
}

static void unknown_fields_are_refused_with_a_hint(void **state)
{
    (void)state;
    refused("object.spce.replicas > 1", "1:8: object has no field 'spce'; did you mean 'spec'?");
    refused("object.spec.containers.all(c, c.imge != '')", "1:33: c has no field 'imge'; did you mean 'image'?");
    refused("object.spec.containers[0].nam", "1:27: object.spec.containers[0] has no field 'nam'; did you mean 'name'?");
    refused("has(object.spec.container)", "1:17: object.spec has no field 'container'; did you mean 'containers'?");
    refused("object['sepc']", "1:8: object has no field 'sepc'; did you mean 'spec'?");
    refused("object.?spec.?replica", "1:15: object.?spec has no field 'replica'; did you mean 'replicas'?");
    refused("object.spec.containers.filter(c, true)[0].imag", "1:43: object.spec.containers.filter(c, true)[0] has no "
            "field 'imag'; did you mean 'image'?");
    compiled("object.labels.anything == 'a' && object.labels['b'] == 'c'");
    compiled("object.spec.containers[0].ports.whatever.is.there");
}

static void impossible_types_are_refused(void **state)
{
    (void)state;
    refused("x + 'a'", "1:3: '+' does not take int and string");
    refused("x == 'a'", "1:3: '==' does not take int and string");
    refused("x && true", "1:1: expected a condition, found int");
    refused("x.size()", "1:3: size() does not take (int)");
    refused("x.name", "1:3: a value that is not a map has no 'name'");
    refused("object.labels.a > 1", "1:17: '>' does not take string and int");
    refused("x.all(i, true)", "1:3: this macro wants a list or map");
    refused("[1].all(i, i)", "1:12: expected a condition: this is never a bool");
    refused("timestamp('yesterday')", "1:1: not a timestamp of RFC 3339: 'yesterday'");
    refused("image.name.matches('a(')", "1:20: malformed pattern: a group is not closed");
    refused("timestamp(image.t).getHours('Mars/Phobos')", "1:29: unknown time zone 'Mars/Phobos'");
    compiled("x == 1.0 && image.a == x && image.b + 1 > 2");
}

static void results_have_known_kinds(void **state)
{
    (void)state;
    assert_int_equal(cel_program_kinds(compiled("x > 1 && true")), CEL_K(CEL_BOOL));
    assert_int_equal(cel_program_kinds(compiled("object.spec.replicas")), CEL_K(CEL_INT));
    assert_int_equal(cel_program_kinds(compiled("image.any")), CEL_ANY);
    assert_int_equal(cel_program_kinds(compiled("object.?spec.?replicas.orValue(1)")), CEL_K(CEL_INT));
    assert_true(cel_program_uses(compiled("image.a == x"), 1));
    assert_false(cel_program_uses(compiled("image.a == x"), 0));
}

static void a_missing_fact_is_unknown_and_named(void **state)
{
    (void)state;
    assert_string_equal(reason("image.scan.age < 3"), "missing: scan of image");
    assert_string_equal(reason("image.scan.ok && image.signature.ok"), "missing: scan of image, signature of image");
    assert_string_equal(reason("image.scan == image.signature"), "missing: scan of image, signature of image");
    assert_string_equal(reason("[1, image.scan].size() > 0"), "missing: scan of image");
    assert_string_equal(reason("image.scan ? 1 : 2"), "missing: scan of image");
    assert_string_equal(reason("!image.scan.ok"), "missing: scan of image");
    assert_string_equal(reason("[1, 2].all(i, image.scan.n > i)"), "missing: scan of image");
    assert_string_equal(reason("[1, 2].map(i, image.scan.n + i)"), "missing: scan of image");
    assert_string_equal(reason("image.scan.find == 1 || 1/0 == 1"), "missing: scan of image");
    assert_string_equal(reason("1/0 == 1 || image.scan.find == 1"), "missing: scan of image");
}

static void what_decides_alone_is_not_unknown(void **state)
{
    (void)state;
    assert_string_equal(reason("true || image.scan.ok"), "true");
    assert_string_equal(reason("image.scan.ok || true"), "true");
    assert_string_equal(reason("false && image.scan.ok"), "false");
    assert_string_equal(reason("image.scan.ok && false"), "false");
    assert_string_equal(reason("[1, 2].exists(i, i == 2 || image.scan.ok)"), "true");
    assert_string_equal(reason("[1, 2].all(i, i == 2 && image.scan.ok)"), "false");
    assert_string_equal(reason("x == 21 ? 'a' : image.scan.name"), "\"a\"");
    assert_string_equal(reason("image.digest"), "\"sha256:00\"");
}

static void errors_tell_where_they_arose(void **state)
{
    (void)state;
    assert_string_equal(reason("image.digest == '' ||\n  image.nothing == 1"), "2:9: no such key: nothing");
    assert_string_equal(reason("x / (x - 21)"), "1:3: division by zero");
    assert_string_equal(reason("object.spec"), "1:1: no value for 'object'");
    assert_string_equal(reason("[1][x]"), "1:5: index out of range of 1 items");
    assert_string_equal(reason("image.digest + 1"), "1:14: no such overload: +(string, int)");
}

static void the_host_adds_functions_and_objects(void **state)
{
    (void)state;
    assert_string_equal(reason("host.twice(x) + host.twice(1)"), "44");
    assert_string_equal(reason("host.twice(3)"), "6");
    assert_string_equal(reason("image.map(k, k)"), "[\"digest\", \"scan\", \"signature\"]");
    refused("host.twise(1)", "1:6: unknown function 'host.twise'; did you mean 'host.twice'?");
    refused("math.greatst(1, 2)", "1:6: unknown function 'math.greatst'; did you mean 'math.greatest'?");
}

static struct cel_value lazily(struct cel_run *run, void *data, uint32_t var)
{
    const struct cel_program *const *programs = data;
    struct cel_activation act = { .lookup = lazily, .data = data };

    return cel_eval_within(run, programs[var], &act);
}

static void variables_may_be_programs_and_may_not_recurse(void **state)
{
    static const struct cel_var pair[] = { { "a", NULL }, { "b", NULL } };
    static const struct cel_env both = { .vars = pair, .n_vars = 2 };
    const struct cel_program *programs[2], *p;
    struct cel_activation act = { .lookup = lazily, .data = programs };
    struct cel_value v;
    struct err err;

    (void)state;
    assert_int_equal(cel_compile(&both, "40", 2, &arena, &programs[0], &err), 0);
    assert_int_equal(cel_compile(&both, "a + 1", 5, &arena, &programs[1], &err), 0);
    assert_int_equal(cel_compile(&both, "b + 1", 5, &arena, &p, &err), 0);
    assert_int_equal(cel_eval(p, &act, &arena, 1000, &v, &err), 0);
    assert_int_equal(v.i, 42);
    programs[0] = programs[1];                 /* a needs a */
    assert_int_equal(cel_eval(p, &act, &arena, 1000, &v, &err), 0);
    assert_int_equal(v.kind, CEL_ERROR);
}

static void explanation_is_a_tree_of_values(void **state)
{
    struct cel_value values[] = { { 0 }, cel_object_map(&image), cel_int(21) };
    struct cel_activation act = { .values = values };
    const struct cel_program *p = compiled("[x, 2].all(i, i < 3) ||\n image.scan.ok || x / 0 == 1");
    struct cel_explanation e;
    struct err err;
    struct buf b;

    (void)state;
    assert_int_equal(cel_explain(p, &act, &arena, CEL_BUDGET, &e, &err), 0);
    buf_init(&b, 100000);
    cel_explanation_print(p, &e, &b);
    assert_string_equal(b.ptr,
        "[x, 2].all(i, i < 3) ||  image.scan.ok || x / 0 == 1  =>  unknown: scan of image\n"
        "  [x, 2].all(i, i < 3)  =>  false\n"
        "    [x, 2]  =>  [21, 2]\n"
        "      x  =>  21\n"
        "    [i = 21] i < 3  =>  false\n"
        "      i  =>  21\n"
        "  image.scan.ok  =>  unknown: scan of image\n"
        "    image.scan  =>  unknown: scan of image\n"
        "      image  =>  {...}\n"
        "  x / 0 == 1  =>  error: division by zero\n"
        "    x / 0  =>  error: division by zero\n"
        "      x  =>  21\n");
    buf_free(&b);
    assert_int_equal(e.steps[1].offset, 0);
    assert_int_equal(e.steps[1].len, 20);
    assert_int_equal(e.steps[9].kind, CEL_ERROR);
}

static void explanation_has_its_parentheses(void **state)
{
    struct cel_value values[] = { { 0 }, cel_object_map(&image), cel_int(2) };
    struct cel_activation act = { .values = values };
    const struct cel_program *p = compiled("!(x > 1 && (x + 1) < 9) && ( ')' != '(' || x == 3)");
    struct cel_explanation e;
    struct err err;
    struct buf b;

    (void)state;
    assert_int_equal(cel_explain(p, &act, &arena, CEL_BUDGET, &e, &err), 0);
    buf_init(&b, 100000);
    cel_explanation_print(p, &e, &b);
    assert_non_null(strstr(b.ptr, "!(x > 1 && (x + 1) < 9) && ( ')' != '(' || x == 3)  =>  "));
    assert_non_null(strstr(b.ptr, "\n  !(x > 1 && (x + 1) < 9)  =>  false\n"));
    assert_non_null(strstr(b.ptr, "\n    x > 1 && (x + 1) < 9  =>  true\n"));
    assert_non_null(strstr(b.ptr, "\n      (x + 1) < 9  =>  true\n"));
    buf_free(&b);
}

static void explanation_of_a_long_loop_is_cut(void **state)
{
    struct cel_activation act = { 0 };
    const struct cel_program *p = compiled("lists.range(10000).all(i, i >= 0)");
    struct cel_explanation e;
    struct err err;

    (void)state;
    assert_int_equal(cel_explain(p, &act, &arena, CEL_BUDGET, &e, &err), 0);
    assert_int_equal(e.n, CEL_MAX_STEPS);
    assert_true(e.truncated);
    assert_string_equal(e.steps[0].value, "true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_errors_carry_line_and_column),
        cmocka_unit_test(unknown_names_are_refused_with_a_hint),
        cmocka_unit_test(unknown_fields_are_refused_with_a_hint),
        cmocka_unit_test(impossible_types_are_refused),
        cmocka_unit_test(results_have_known_kinds),
        cmocka_unit_test(a_missing_fact_is_unknown_and_named),
        cmocka_unit_test(what_decides_alone_is_not_unknown),
        cmocka_unit_test(errors_tell_where_they_arose),
        cmocka_unit_test(the_host_adds_functions_and_objects),
        cmocka_unit_test(variables_may_be_programs_and_may_not_recurse),
        cmocka_unit_test(explanation_is_a_tree_of_values), cmocka_unit_test(explanation_has_its_parentheses),
        cmocka_unit_test(explanation_of_a_long_loop_is_cut),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
