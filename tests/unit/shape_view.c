/* A struct seen by expressions is what its JSON would be. */
#include "core/shape_view.h"
#include "base/str.h"
#include "base/time.h"
#include "model/event.h"
#include "wire/msg/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena arena;

static const struct cel_var vars[] = { { "e", NULL }, { "j", NULL } };
static const struct cel_env env = { .vars = vars, .n_vars = N_ITEMS(vars) };

static struct cel_value ask(const struct event *e, const char *text)
{
    static struct json doc;
    struct cel_value values[2], v = { 0 };
    const struct cel_program *p;
    struct err err = { 0 };
    struct buf b;

    buf_init(&b, 1 << 16);
    shape_encode(&event_shape, e, &b);
    assert_false(b.failed);
    assert_int_equal(json_parse(&arena, b.ptr, b.len, NULL, &doc, &err), 0);
    buf_free(&b);
    values[0] = shape_view(&event_shape, e, &arena);
    values[1] = cel_json(&doc);
    struct cel_activation act = { .values = values };
    if (cel_compile(&env, text, strlen(text), &arena, &p, &err) != 0 || cel_eval(p, &act, &arena, CEL_BUDGET, &v, &err) != 0)
        fail_msg("%s: %s", text, err.msg);
    return v;
}

static void assert_true_of(const struct event *e, const char *text)
{
    struct cel_value v = ask(e, text);

    if (v.kind != CEL_BOOL || !v.boolean)
        fail_msg("not true: %s (%s)", text, v.kind == CEL_ERROR ? v.s : cel_kind_name((enum cel_kind)v.kind));
}

static const char *const tags[] = { "maturity_stable", "mitre" };
static const struct event_ancestor chain[] = { { .exe = "/bin/sh", .pid = 7 }, { .exe = NULL, .pid = -1 } };

static struct event full(void)
{
    struct event e;

    shape_init(&event_shape, &e);
    e.seq = 12;
    e.at_ms = 1795600000123;
    e.source = SOURCE_FALCO;
    e.kind = EVENT_CONNECT;
    e.severity = 4;
    e.rule = "a rule";
    e.message = "";
    e.tags = tags;
    e.n_tags = N_ITEMS(tags);
    e.container.id = "c0ffee";
    e.process.exe = "/usr/bin/curl";
    e.process.pid = 0;
    e.chain = chain;
    e.n_chain = N_ITEMS(chain);
    e.net.remote_port = 443;
    e.is_cut = true;
    e.count = 1;
    return e;
}

static void view_equals_the_json(void **state)
{
    struct event e = full(), empty;

    (void)state;
    shape_init(&event_shape, &empty);
    assert_true_of(&e, "e == j && j == e");
    assert_true_of(&empty, "e == j && j == e");
    assert_true_of(&e, "size(e) == size(j) && e.map(k, k) == j.map(k, k)");
    assert_true_of(&e, "e.all(k, e[k] == j[k])");
    assert_true_of(&empty, "size(e) == size(j)");
}

static void what_is_left_out_is_not_there(void **state)
{
    struct event e = full();

    (void)state;
    assert_true_of(&e, "!has(e.file) && !has(e.process.name) && has(e.process.pid) && !has(e.process.ppid)");
    assert_true_of(&e, "e.?process.?name.orValue('none') == 'none' && e.?place.?namespace.orValue('') == ''");
    assert_true_of(&e, "!('verdict2' in e) && 'net' in e && !('net\\u0000x' in e)");
    assert_int_equal(ask(&e, "e.file.path").kind, CEL_ERROR);
}

static void forms_are_those_of_json(void **state)
{
    struct event e = full();

    (void)state;
    assert_true_of(&e, "e.kind == 'connect' && e.source == 'falco' && e.verdict == j.verdict");
    assert_true_of(&e, "type(e.at) == string && e.at == j.at && timestamp(e.at) == timestamp(j.at)");
    assert_true_of(&e, "e.tags == ['maturity_stable', 'mitre'] && e.chain.size() == 2 && e.chain[0].pid == 7 && !has(e.chain[1].pid)");
    assert_true_of(&e, "e.net.remote_port in [443, 8443] && type(e.net) == map && e.is_cut");
    assert_true_of(&e, "e.message == '' && has(e.message)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_equals_the_json),
        cmocka_unit_test(what_is_left_out_is_not_there),
        cmocka_unit_test(forms_are_those_of_json),
    };

    arena_init(&arena, 16 << 20);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_clear(&arena);
    return rc;
}
