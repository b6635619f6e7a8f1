/* cel_language.c - what the language says, beyond the conformance cases. */
#include "core/cel/cel.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena arena;

/* The value as text, "error: ..." or "refused: ...". */
static const char *run_in(const struct cel_env *env, const struct cel_value *values, const char *text)
{
    const struct cel_program *p;
    struct cel_activation act = { .values = values };
    struct cel_value v;
    struct err err = { 0 };
    struct buf b;

    if (cel_compile(env, text, strlen(text), &arena, &p, &err) != 0)
        return arena_printf(&arena, "refused: %s", err.msg);
    if (cel_eval(p, &act, &arena, CEL_BUDGET, &v, &err) != 0)
        return arena_printf(&arena, "stopped: %s", err.msg);
    buf_init(&b, 4096);
    cel_render(&v, 1000, &b);
    const char *out = arena_strndup(&arena, b.ptr != NULL ? b.ptr : "", b.len);
    buf_free(&b);
    return out;
}

static const char *lenient(const char *text)
{
    static const struct cel_env env = { .lenient = true };

    return run_in(&env, NULL, text);
}

static const char *strict(const char *text)
{
    static const struct cel_env env = { .lenient = false };

    return run_in(&env, NULL, text);
}

#define GIVES(expr, text) assert_string_equal(strict(expr), text)
#define FAILS(expr) assert_true(str_starts(lenient(expr), "error: "))
#define REFUSED(expr) assert_true(str_starts(strict(expr), "refused: "))

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

static void operators_bind_as_the_grammar_says(void **state)
{
    (void)state;
    GIVES("1 + 2 * 3 - 4 / 2", "5");
    GIVES("(1 + 2) * 3", "9");
    GIVES("-2 - -3", "1");
    GIVES("!true || true", "true");
    GIVES("1 < 2 == true", "true");
    GIVES("false ? 1 : true ? 2 : 3", "2");
    GIVES("7 % 4 * 2", "6");
    GIVES("'a' in ['b', 'a'] && 2 in {2: 1}", "true");
    GIVES("10 // ten\n + 1", "11");
}

static void integers_overflow_into_errors(void **state)
{
    (void)state;
    FAILS("9223372036854775807 + 1");
    FAILS("-9223372036854775808 - 1");
    FAILS("9223372036854775807 * 2");
    FAILS("18446744073709551615u + 1u");
    FAILS("1u - 2u");
    FAILS("1 / 0");
    FAILS("1 % 0");
    FAILS("int(18446744073709551615u)");
    FAILS("int(9.3e18)");
    FAILS("uint(-1)");
    GIVES("-9223372036854775808", "-9223372036854775808");
    GIVES("0xFF + 1", "256");
    REFUSED("9223372036854775808");
    REFUSED("1e999");
}

static void errors_are_absorbed_on_either_side(void **state)
{
    (void)state;
    assert_string_equal(lenient("1/0 > 1 || true"), "true");
    assert_string_equal(lenient("true || 1/0 > 1"), "true");
    assert_string_equal(lenient("1/0 > 1 && false"), "false");
    assert_string_equal(lenient("[1, 0].exists(x, 1/x == 1)"), "true");
    assert_string_equal(lenient("[0, 1].all(x, 1/x == 2)"), "false");
    FAILS("1/0 > 1 || false");
    FAILS("[0, 1].all(x, 1/x == 1)");
    FAILS("[0, 1].exists_one(x, 1/x == 1)");
}

static void strings_are_counted_by_code_point(void **state)
{
    (void)state;
    GIVES("size('h\u00e9llo \U0001f600')", "7");
    GIVES("'\U0001f600x'.substring(1)", "\"x\"");
    GIVES("'\U0001f600x'.indexOf('x')", "1");
    GIVES("'a\U0001f600b'.reverse()", "\"b\U0001f600" "a\"");
    GIVES("size(b'h\u00e9')", "3");
    GIVES("'ab'.split('')", "[\"a\", \"b\"]");
    GIVES("'a,b,c'.split(',', 2)", "[\"a\", \"b,c\"]");
    GIVES("'abc'.replace('', '-')", "\"-a-b-c-\"");
    FAILS("string(b'\\xff')");
}

static void numbers_compare_on_one_line(void **state)
{
    (void)state;
    GIVES("1 == 1.0 && 1u == 1 && dyn(1) < 1.5", "true");
    GIVES("dyn(9223372036854775807) < 18446744073709551615u", "true");
    GIVES("[1, 2u, 3.0] == [1.0, 2, 3u]", "true");
    GIVES("0.0 / 0.0 == 0.0 / 0.0", "false");
    GIVES("{1: 'a'}[dyn(1u)]", "\"a\"");
    GIVES("1.0 in {1: 'a'}", "true");
    GIVES("dyn(1) == '1'", "false");
}

static void maps_keep_their_keys(void **state)
{
    (void)state;
    GIVES("{'a': 1, 'b': 2}.a", "1");
    FAILS("{1: 1, 1u: 2}");
    FAILS("{null: 1}");
    FAILS("{1.5: 1}");
    FAILS("{'a': 1}.b");
    GIVES("has({'a': null}.a) && !has({'a': null}.b)", "true");
    GIVES("lists.range(100).transformMap(i, v, v * v)[50]", "2500");
    GIVES("size(lists.range(100).transformMap(i, v, v))", "100");
    GIVES("{'a': 1, 'b': {'c': [1, 2]}} == {'b': {'c': [1.0, 2u]}, 'a': 1}", "true");
}

static void macros_loop_over_lists_and_maps(void **state)
{
    (void)state;
    GIVES("[1, 2, 3].map(x, x % 2 == 1, x * 10)", "[10, 30]");
    GIVES("{'a': 1}.map(k, k)", "[\"a\"]");
    GIVES("[3, 4].transformList(i, v, i + v)", "[3, 5]");
    GIVES("{'a': 'x'}.transformMapEntry(k, v, {v: k})", "{\"x\": \"a\"}");
    FAILS("{'a': 'x', 'b': 'x'}.transformMapEntry(k, v, {v: k})");
    GIVES("[1, 2, 3].existsOne(i, v, i == 1)", "true");
    GIVES("[[1, 2], [3]].map(x, x.map(y, x.size() * y))", "[[2, 4], [3]]");
    GIVES("['b', 'a', 'c'].sortBy(x, x)", "[\"a\", \"b\", \"c\"]");
    GIVES("cel.bind(x, 2, cel.bind(y, x + 1, x * y))", "6");
    GIVES("cel.bind(unused, 1/0, 7)", "7");
}

static void optional_values_chain(void **state)
{
    (void)state;
    GIVES("{'a': {'b': 1}}.?a.b.orValue(0)", "1");
    GIVES("{'a': {}}.?a.b.orValue(5)", "5");
    GIVES("[1, 2][?5].orValue(9)", "9");
    GIVES("[?optional.none(), ?optional.of(1)]", "[1]");
    GIVES("{?'a': optional.of(1), ?'b': optional.none()}", "{\"a\": 1}");
    GIVES("optional.of(2).optMap(x, x * 2).value()", "4");
    GIVES("optional.of(1).orValue(1 / 0)", "1");
    GIVES("optional.none() == optional.none()", "true");
    GIVES("[optional.of(1), optional.none()].unwrapOpt()", "[1]");
    GIVES("[1, 2].first().value() + [1, 2].last().value()", "3");
    FAILS("optional.none().value()");
}

static void time_is_exact_and_knows_zones(void **state)
{
    (void)state;
    GIVES("timestamp('2009-02-13T23:31:30Z').getFullYear()", "2009");
    GIVES("timestamp('2024-07-01T12:00:00Z').getHours('Europe/Berlin')", "14");
    GIVES("timestamp('2024-01-01T12:00:00Z').getHours('Europe/Berlin')", "13");
    GIVES("timestamp('2060-07-01T12:00:00Z').getHours('America/New_York')", "8");
    GIVES("timestamp('2060-01-01T12:00:00Z').getHours('America/New_York')", "7");
    GIVES("timestamp('2060-01-01T12:00:00Z').getHours('Australia/Sydney')", "23");
    GIVES("timestamp('2024-01-01T23:30:00Z').getDate('+05:30')", "2");
    GIVES("string(timestamp('2024-02-29T00:00:00.120Z') + duration('24h'))", "\"2024-03-01T00:00:00.12Z\"");
    GIVES("duration('1h1m1.5s') == duration('3661500ms')", "true");
    GIVES("string(duration('-90s'))", "\"-90s\"");
    FAILS("timestamp('9999-12-31T23:59:59Z') + duration('1s')");
    FAILS("timestamp('2023-02-29T00:00:00Z')");
    FAILS("timestamp('2024-01-01T00:00:00Z').getHours('../etc/passwd')");
    FAILS("timestamp('2024-01-01T00:00:00Z').getHours('/etc/localtime')");
    FAILS("duration('300000h') + duration('2400000h')");
}

static void formats_follow_the_specification(void **state)
{
    (void)state;
    GIVES("'%s %d %.2f %x %X %o %b %e %%'.format(['a', 1, 2.345, 255, 'k', 8, 5, 1500.0])",
          "\"a 1 2.35 ff 6B 10 101 1.500000e+03 %\"");
    GIVES("'%s'.format([[1, 'a', null, true, 1.5, b'x']])", "\"[1, a, null, true, 1.5, x]\"");
    GIVES("'%s'.format([{'b': 1, 'a': duration('90m')}])", "\"{a: 5400s, b: 1}\"");
    FAILS("'%d'.format(['x'])");
    FAILS("'%s'.format([])");
    FAILS("'%q'.format([1])");
    FAILS("'%.999999999f'.format([1.0])");
    FAILS("'%'.format([1])");
}

static void patterns_are_those_of_re2(void **state)
{
    (void)state;
    GIVES("'registry.example.com/app'.matches('^registry\\\\.example\\\\.com/')", "true");
    GIVES("'abc\\n'.matches('abc$')", "false");
    GIVES("'x-y'.find('[a-z]$')", "\"y\"");
    GIVES("'123 abc 456'.findAll('[0-9]+')", "[\"123\", \"456\"]");
    GIVES("'123 abc 456'.findAll('[0-9]*', 1)", "[\"123\"]");
    GIVES("regex.replace('foo bar', '(fo)o (ba)r', '\\\\2 \\\\1')", "\"ba fo\"");
    GIVES("regex.replace('banana', 'a', 'x', 2)", "\"bxnxna\"");
    GIVES("regex.extract('item-A, item-B', 'item-(\\\\w+)').value()", "\"A\"");
    GIVES("regex.extractAll('id:123, id:456', 'id:\\\\d+')", "[\"id:123\", \"id:456\"]");
    GIVES("'a{b'.matches('a{b') && '\\u00e9'.matches('^.$') && 'A'.matches('(?i)a')", "true");
    GIVES("'a,b,c'.findAll('(?s).*?,')", "[\"a,\", \"b,\"]");
    GIVES("'aXbX'.findAll('^.')", "[\"a\"]");
    GIVES("'a\\nb'.findAll('(?m)^.')", "[\"a\", \"b\"]");
    GIVES("'abc'.findAll('')", "[\"\", \"\", \"\", \"\"]");
    REFUSED("'aa'.matches('(a)\\\\1')");
    REFUSED("'a'.matches('(?=a)')");
    REFUSED("'a'.matches('a++')");
    REFUSED("'a'.matches('a**')");
    REFUSED("'a'.matches('(?>a)')");
    REFUSED("'a'.matches('(a')");
    REFUSED("'a'.matches('a{1001}')");
    REFUSED("'a'.matches('(?#x)a')");
    FAILS("regex.extract('a@b', '(.)@(.)')");
}

static void networks_are_understood(void **state)
{
    (void)state;
    GIVES("cidr('10.0.0.0/8').containsIP('10.1.2.3')", "true");
    GIVES("cidr('10.0.0.0/8').containsCIDR('10.0.0.0/7')", "false");
    GIVES("string(ip('2001:0db8::0001'))", "\"2001:db8::1\"");
    GIVES("string(cidr('10.1.2.3/12').masked())", "\"10.0.0.0/12\"");
    GIVES("ip.isCanonical('::1') && !ip.isCanonical('0::1')", "true");
    GIVES("ip('fe80::1').isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast()", "true");
    GIVES("isIP('1.2.3') || isIP('01.2.3.4') || isIP('::ffff:1.2.3.4') || isCIDR('1.2.3.4/33')", "false");
    GIVES("string(ip('1:0:0:2:0:0:0:3'))", "\"1:0:0:2::3\"");
    GIVES("string(ip('::'))", "\"::\"");
}

static void kubernetes_libraries_are_there(void **state)
{
    (void)state;
    GIVES("quantity('200M').compareTo(quantity('0.2G'))", "0");
    GIVES("quantity('50Mi').isGreaterThan(quantity('50M'))", "true");
    GIVES("quantity('50k').add(20).sub(quantity('100k')).sub(-50000) == quantity('20')", "true");
    GIVES("quantity('1.5Gi').asInteger()", "1610612736");
    GIVES("quantity('100m').isInteger() || isQuantity('200K') || isQuantity('Mi') || isQuantity('')", "false");
    GIVES("quantity('9999999999999999999999999999999999999G').isInteger()", "false");
    GIVES("semver('1.2.3-alpha.1').isLessThan(semver('1.2.3'))", "true");
    GIVES("semver('v1.0', true).major() + semver('01.02.03', true).minor()", "3");
    GIVES("isSemver('1.0') || isSemver('01.0.0') || isSemver('1.0.0-01')", "false");
    GIVES("semver('1.0.0-alpha.beta').compareTo(semver('1.0.0-alpha.1'))", "1");
    GIVES("url('https://user@[::1]:80/a b?k=1&k=2').getHostname()", "\"::1\"");
    GIVES("url('https://example.com/path with spaces/').getEscapedPath()", "\"/path%20with%20spaces/\"");
    GIVES("url('https://e.com/p?k1=a&k2=b&k2=c').getQuery()", "{\"k1\": [\"a\"], \"k2\": [\"b\", \"c\"]}");
    GIVES("isURL('../x') || isURL('https://a:b:c/') || isURL('https://a/%zz')", "false");
    GIVES("format.dns1123Label().validate('my-label').hasValue()", "false");
    GIVES("format.dns1123Label().validate('My_Label').hasValue()", "true");
    GIVES("format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()", "false");
    GIVES("[3, 1, 2].max() + [1, 2].sum() + [1, 2, 2].lastIndexOf(2)", "8");
    GIVES("[1, 2].isSorted() && ['a'].includes('a')", "true");
    GIVES("sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 1], [1u]) && !sets.intersects([1], [2])", "true");
    GIVES("base64.encode(b'hello') + string(base64.decode('aGk'))", "\"aGVsbG8=hi\"");
    GIVES("[1, [2, [3]]].flatten(2)", "[1, 2, 3]");
    GIVES("[3, 1, 2].sort().reverse().slice(0, 2)", "[3, 2]");
    GIVES("[1, 1.0, 'a', 'a'].distinct()", "[1, \"a\"]");
    GIVES("math.greatest(1, 2.5, 2u)", "2.5");
}

static void json_is_used_as_it_lies_there(void **state)
{
    static const char text[] = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"ports\":[80,8080]},{\"name\":\"b\"}],"
                               "\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":10,"
                               "\"k\":11,\"l\":12,\"m\":1.5,\"n\":null}}";
    static const struct cel_var vars[] = { { "object", NULL } };
    static const struct cel_env env = { .vars = vars, .n_vars = 1 };
    struct json doc;
    struct err err;

    (void)state;
    assert_int_equal(json_parse(&arena, text, strlen(text), NULL, &doc, &err), 0);
    struct cel_value values[] = { cel_json(&doc) };
#define ON(expr, out) assert_string_equal(run_in(&env, values, expr), out)
    ON("object.spec.containers.all(c, c.name != '')", "true");
    ON("object.spec.containers[0].ports[1]", "8080");
    ON("object.spec.containers.filter(c, !has(c.ports)).map(c, c.name)", "[\"b\"]");
    ON("object.spec.l + object.spec['a']", "13");
    ON("object.spec.m == 1.5 && object.spec.n == null && 'k' in object.spec", "true");
    ON("object.spec.containers == [{'name': 'a', 'ports': [80, 8080]}, {'name': 'b'}]", "true");
    ON("object.spec.?missing.deep.orValue('x')", "\"x\"");
    ON("object.spec.exists(k, k == 'm')", "true");
    assert_true(str_starts(run_in(&env, values, "object.spec.nothing"), "error: "));
}

static void the_container_is_searched_from_inside_out(void **state)
{
    static const struct cel_var vars[] = { { "a.b.x", NULL }, { "a.x", NULL }, { "x", NULL }, { "x.y", NULL } };
    static const struct cel_env env = { .vars = vars, .n_vars = 4, .container = "a.b" };
    struct cel_value values[] = { cel_int(1), cel_int(2), cel_int(3), cel_int(4) };

    (void)state;
    ON("x", "1");
    ON(".x", "3");
    ON("a.x", "2");
    ON(".x.y", "4");
    ON("[5].map(x, x + .x)", "[8]");
}

static void values_are_printed_shortest(void **state)
{
    (void)state;
    GIVES("string(0.1) + ' ' + string(100.0) + ' ' + string(1e100) + ' ' + string(-1.5e-7)",
          "\"0.1 100 1e+100 -1.5e-07\"");
    GIVES("string(123456.789) + string(1.0/3.0)", "\"123456.7890.3333333333333333\"");
    GIVES("string(double('-inf')) + string(double('NaN'))", "\"-InfNaN\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_bind_as_the_grammar_says),
        cmocka_unit_test(integers_overflow_into_errors),
        cmocka_unit_test(errors_are_absorbed_on_either_side),
        cmocka_unit_test(strings_are_counted_by_code_point),
        cmocka_unit_test(numbers_compare_on_one_line),
        cmocka_unit_test(maps_keep_their_keys),
        cmocka_unit_test(macros_loop_over_lists_and_maps),
        cmocka_unit_test(optional_values_chain),
        cmocka_unit_test(time_is_exact_and_knows_zones),
        cmocka_unit_test(formats_follow_the_specification),
        cmocka_unit_test(patterns_are_those_of_re2),
        cmocka_unit_test(networks_are_understood),
        cmocka_unit_test(kubernetes_libraries_are_there),
        cmocka_unit_test(json_is_used_as_it_lies_there),
        cmocka_unit_test(the_container_is_searched_from_inside_out),
        cmocka_unit_test(values_are_printed_shortest),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
