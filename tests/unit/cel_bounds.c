/* cel_bounds.c - hostile expressions end, within their budget and their arena. */
#include "core/cel/cel.h"
#include "base/str.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MIB = 1024 * 1024 };

static const struct cel_env lenient = { .lenient = true };

/* What became of it: "value", "error", "refused", "budget", "memory". */
static const char *outcome(const char *expr, uint64_t budget)
{
    struct arena arena;
    const struct cel_program *p;
    struct cel_value v;
    struct err err = { 0 };
    const char *what;

    arena_init(&arena, 32 * MIB);
    if (cel_compile(&lenient, expr, strlen(expr), &arena, &p, &err) != 0)
        what = err.kind == ERR_UNAVAILABLE ? "memory" : "refused";
    else if (cel_eval(p, NULL, &arena, budget, &v, &err) != 0)
        what = err.kind == ERR_UNAVAILABLE ? "memory" : "budget";
    else
        what = v.kind == CEL_ERROR ? "error" : "value";
    arena_clear(&arena);
    return what;
}

/* text repeated n times between head and tail. */
static char *built(const char *head, const char *text, size_t n, const char *tail)
{
    struct buf b;
    size_t len;

    buf_init(&b, 8 * MIB);
    buf_puts(&b, head);
    for (size_t i = 0; i < n; i++)
        buf_puts(&b, text);
    buf_puts(&b, tail);
    return buf_steal(&b, &len);
}

/* what NULL: whatever it is, it ends soon. */
static void ends(const char *expr, const char *what)
{
    int64_t from = time_monotonic_ms();

    const char *is = outcome(expr, CEL_BUDGET);
    if (what != NULL)
        assert_string_equal(is, what);
    assert_string_not_equal(is, "memory");
    /* Generous: sanitizers and a shared machine. */
    assert_true(time_monotonic_ms() - from < 5000);
}

static void ends_built(const char *head, const char *text, size_t n, const char *tail, const char *what)
{
    char *expr = built(head, text, n, tail);

    ends(expr, what);
    free(expr);
}

/* Compiling a pattern is paid for: with a small budget only one that is there already is used. */
static void pattern_of_known_values_is_compiled_ahead(void **state)
{
    static const struct cel_var vars[] = { { "p", NULL }, { "t", NULL } };
    const struct cel_value values[] = { cel_text("^a+$"), cel_text("aaa") }, known[] = { cel_text("^a+$"), { 0 } };
    const struct { const char *text; bool known; bool within; } rows[] = {
        { "t.matches(p)", true, true }, { "t.matches(p)", false, false }, { "t.matches('^' + p)", true, true }, { "'a'.matches(t)", true, false },
        { "[t].exists(x, x.matches(p))", true, true }, { "[p].exists(x, t.matches(x))", true, false },
    };
    struct arena arena;

    (void)state;
    arena_init(&arena, 8 * MIB);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        const struct cel_env env = { .vars = vars, .n_vars = N_ITEMS(vars), .known = rows[i].known ? known : NULL };
        const struct cel_activation act = { .values = values };
        const struct cel_program *p;
        struct cel_value v;
        struct err err = { 0 };
        assert_int_equal(cel_compile(&env, rows[i].text, strlen(rows[i].text), &arena, &p, &err), 0);
        assert_int_equal(cel_eval(p, &act, &arena, 150, &v, &err) == 0, rows[i].within);
        assert_int_equal(cel_eval(p, &act, &arena, CEL_BUDGET, &v, &err), 0);
        assert_int_equal(v.kind, CEL_BOOL);
    }
    arena_clear(&arena);
}

static void wrong_pattern_of_known_values_is_an_error_of_its_use(void **state)
{
    static const struct cel_var vars[] = { { "p", NULL } };
    const struct cel_value known[] = { cel_text("(a") };
    const struct cel_env env = { .vars = vars, .n_vars = 1, .known = known };
    const struct cel_activation act = { .values = known };
    const struct cel_program *p;
    struct cel_value v;
    struct arena arena;
    struct err err = { 0 };

    (void)state;
    arena_init(&arena, 8 * MIB);
    assert_int_equal(cel_compile(&env, "'a'.matches(p)", 14, &arena, &p, &err), 0);
    assert_int_equal(cel_eval(p, &act, &arena, CEL_BUDGET, &v, &err), 0);
    assert_int_equal(v.kind, CEL_ERROR);
    arena_clear(&arena);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    ends_built("", "(", 10000, "1", "refused");
    ends_built("", "[", 10000, "", "refused");
    ends_built("", "a(", 10000, "", "refused");
    ends_built("", "-", 30000, "1", "value");
    ends_built("1", " + 1", 5000, "", "refused");
    ends_built("a", ".b", 5000, "", "refused");
    ends_built("", "true ? 1 : ", 5000, "2", "refused");
    ends_built("", "{1: ", 5000, "1", "refused");
    ends_built("1", "[0]", 5000, "", "refused");
    ends_built("true", " && true", 3000, "", "value");
    ends_built("x.y(1)", " + 1", 290, "", "error");
    ends_built("size(", "[", 100, "x.y || true" "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
               "]]]]]]]]]]]]]]]]]]]]]]]]]]]])", "value");
}

/* Values nest deeper than text can: each entry of a block wraps the one before. */
static void deep_values_are_bounded(void **state)
{
    struct buf b;
    size_t len;

    (void)state;
    buf_init(&b, 65536);
    buf_puts(&b, "cel.block([[x.y || true]");
    for (int i = 0; i < 250; i++)
        buf_printf(&b, ", [cel.index(%d), cel.index(%d)]", i, i);
    buf_puts(&b, "], cel.index(250) == cel.index(249) || '%s'.format([cel.index(250)]) == '')");
    char *expr = buf_steal(&b, &len);
    ends(expr, "budget");
    free(expr);
}

static void long_texts_are_refused(void **state)
{
    (void)state;
    ends_built("[", "1, ", 20000, "1]", "refused");
    ends_built("'", "a", 40000, "'", "refused");
    ends_built("[", "1,", 10001, "]", "refused");
}

static void nested_loops_end_by_budget(void **state)
{
    (void)state;
    ends("lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, true)))", "budget");
    ends("[1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, [1,2,3,4,5,6,7,8,9,10].map(c, "
         "[1,2,3,4,5,6,7,8,9,10].map(d, [1,2,3,4,5,6,7,8,9,10].map(e, [1,2,3,4,5,6,7,8,9,10].map(f, 1))))))", "budget");
    ends("lists.range(1000000).distinct()", "budget");
    ends("lists.range(100000000)", "error");
    ends("lists.range(1000000).map(i, [i]).sort()", "budget");
}

static void growing_values_end_by_budget(void **state)
{
    (void)state;
    ends_built("cel.bind(a, 'aaaaaaaaaaaaaaaa', ", "cel.bind(a, a + a + a + a, ", 60, "a"
               "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))", "refused");
    ends("cel.bind(a, 'aaaaaaaaaaaaaaaa', cel.bind(b, a+a+a+a+a+a+a+a, cel.bind(c, b+b+b+b+b+b+b+b, cel.bind(d, "
         "c+c+c+c+c+c+c+c, cel.bind(e, d+d+d+d+d+d+d+d, cel.bind(f, e+e+e+e+e+e+e+e, cel.bind(g, f+f+f+f+f+f+f+f, "
         "cel.bind(h, g+g+g+g+g+g+g+g, size(h))))))))) > 0", "budget");
    ends("['foo', 'bar'].map(x, [x+x,x+x]).map(x, [x+x,x+x]).map(x, [x+x,x+x]).map(x, [x+x,x+x]).map(x, [x+x,x+x])"
         ".map(x, [x+x,x+x]).map(x, [x+x,x+x]).map(x, [x+x,x+x]).map(x, [x+x,x+x]).size() > 0", "value");
    ends("lists.range(1000).map(i, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').join('bbbbbbbbbbbbbbbbbbbbbbbbbbbbb')"
         ".replace('', 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc')"
         ".replace('', 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc').size() > 0", "budget");
}

static void catastrophic_patterns_are_answered_or_stopped(void **state)
{
    (void)state;
    ends_built("'", "a", 3000, "!'.matches('^(a+)+$')", "error");
    ends_built("'", "a", 40, "!'.matches('^(a+)+$')", "value");
    ends_built("'", "a", 3000, "!'.matches('(a|aa)+$')", "value");
    ends_built("'", "x", 3000, "'.matches('(x+x+)+y')", "value");
    ends_built("'", "a", 3000, "!'.find('(a+)+$') == ''", NULL);
    ends_built("'", "a", 3000, "!'.findAll('(a*)*b').size() > 0", NULL);
    ends_built("'", "a", 30, "!'.findAll('(.|a)*[bc]').size() > 0", "error");
    ends("lists.range(100000).all(i, !('aaaaaaaaaaaaaaaaaaaaaaaaaaaa!' + string(i)).matches('(a|a)+[bc]'))", "budget");
    ends("lists.range(100000).all(i, !'aaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+' + string(i)))", "budget");
    ends_built("'a'.matches('", "(a{1,1000}", 4, "){1,1000}){1,1000}){1,1000})')", "error");
    ends_built("'a'.matches('", "(", 3000, "')", "error");
}

static void budget_is_a_bound_to_the_unit(void **state)
{
    (void)state;
    assert_string_equal(outcome("x.y || [1, 2, 3].all(i, i > 0)", 5), "budget");
    assert_string_equal(outcome("x.y || [1, 2, 3].all(i, i > 0)", 100), "value");
    assert_string_equal(outcome("x.y", 0), "budget");
}

static void an_error_of_the_budget_cannot_be_absorbed(void **state)
{
    (void)state;
    assert_string_equal(outcome("lists.range(1000).all(i, x.y) || true", 200), "budget");
    assert_string_equal(outcome("true || lists.range(1000).all(i, x.y)", 200), "value");
}

static void a_small_arena_is_an_error_not_a_crash(void **state)
{
    static const char expr[] = "['a', 'b'].map(x, x + 'c').exists(x, x.matches('^b.$')) && "
                               "timestamp('2024-01-01T00:00:00Z').getHours('Europe/Paris') == 1 && "
                               "'%s'.format([{'a': [1]}]) != ''";
    const struct cel_program *p;
    struct cel_value v;
    struct err err;
    size_t limit = 0;

    (void)state;
    for (int rc = -1; rc != 0; limit += 1024) {
        struct arena arena;
        arena_init(&arena, limit);
        rc = cel_compile(&lenient, expr, strlen(expr), &arena, &p, &err);
        if (rc == 0)
            rc = cel_eval(p, NULL, &arena, CEL_BUDGET, &v, &err);
        if (rc != 0)
            assert_int_equal(err.kind, ERR_UNAVAILABLE);
        else
            assert_true(v.kind == CEL_BOOL && v.boolean);
        arena_clear(&arena);
        assert_true(limit < 4 * MIB);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pattern_of_known_values_is_compiled_ahead),
        cmocka_unit_test(wrong_pattern_of_known_values_is_an_error_of_its_use),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(deep_values_are_bounded),
        cmocka_unit_test(long_texts_are_refused),
        cmocka_unit_test(nested_loops_end_by_budget),
        cmocka_unit_test(growing_values_end_by_budget),
        cmocka_unit_test(catastrophic_patterns_are_answered_or_stopped),
        cmocka_unit_test(budget_is_a_bound_to_the_unit),
        cmocka_unit_test(an_error_of_the_budget_cannot_be_absorbed),
        cmocka_unit_test(a_small_arena_is_an_error_not_a_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
