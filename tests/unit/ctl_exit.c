/* ctl_exit.c - exit codes: the table, and verdicts through the gate. */
#include "ctl/exit.h"
#include "base/str.h"
#include "base/time.h"
#include "model/severity.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const int64_t now = INT64_C(1764000000000);      /* 2025-11-24T16:00:00Z */

static int decide(const struct gate *gate, const char *image, const char *verdict)
{
    struct json i, v;
    struct err err = { 0 };
    struct arena arena;
    const char *why;

    arena_init(&arena, 1 << 20);
    assert_int_equal(json_parse(&arena, image, strlen(image), NULL, &i, &err), 0);
    assert_int_equal(json_parse(&arena, verdict, strlen(verdict), NULL, &v, &err), 0);
    int code = gate_decide(gate, &i, &v, now, &why);
    assert_non_null(why);
    arena_clear(&arena);
    return code;
}

static void verdicts_become_documented_codes(void **state)
{
    static const struct { const char *verdict; int code; } rows[] = {
        { "{\"decision\":\"pass\",\"freshness\":\"fresh\"}", CODE_PASS },
        { "{\"decision\":\"warn\",\"freshness\":\"fresh\"}", CODE_PASS },
        { "{\"decision\":\"fail\",\"freshness\":\"fresh\"}", CODE_POLICY },
        { "{\"decision\":\"fail\",\"freshness\":\"stale_scan\"}", CODE_POLICY },
        { "{\"decision\":\"fail\",\"freshness\":\"never_scanned\"}", CODE_NO_SCAN },
        { "{\"decision\":\"unknown\",\"freshness\":\"stale_scan\"}", CODE_NO_SCAN },
        { "{\"decision\":\"unknown\",\"freshness\":\"never_scanned\"}", CODE_NO_SCAN },
        { "{\"decision\":\"unknown\",\"freshness\":\"fresh\"}", CODE_POLICY },
        { "{}", CODE_NO_SCAN },
        { "{\"decision\":\"some new word\",\"freshness\":\"fresh\"}", CODE_POLICY },
    };
    const struct gate gate = { 0 };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        assert_int_equal(decide(&gate, "{}", rows[i].verdict), rows[i].code);
}

static void what_fails_is_chosen_by_fail_on(void **state)
{
    static const char pass[] = "{\"decision\":\"pass\",\"freshness\":\"fresh\"}", warn[] = "{\"decision\":\"warn\",\"freshness\":\"fresh\"}";
    static const char fail[] = "{\"decision\":\"fail\",\"freshness\":\"fresh\"}", high[] = "{\"counts\":{\"critical\":0,\"high\":2}}";
    struct gate gate;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(gate_parse("warn", NULL, &gate, &err), 0);
    assert_int_equal(decide(&gate, "{}", warn), CODE_POLICY);
    assert_int_equal(gate_parse("never", NULL, &gate, &err), 0);
    assert_int_equal(decide(&gate, "{}", fail), CODE_PASS);
    assert_int_equal(gate_parse("high", NULL, &gate, &err), 0);
    assert_int_equal(decide(&gate, high, pass), CODE_POLICY);
    assert_int_equal(gate_parse("critical", NULL, &gate, &err), 0);
    assert_int_equal(decide(&gate, high, pass), CODE_PASS);
    assert_int_equal(gate_parse("sometimes", NULL, &gate, &err), -1);
    assert_int_equal(gate_parse(NULL, "soon", &gate, &err), -1);
}

static void an_old_scan_is_no_pass(void **state)
{
    static const char pass[] = "{\"decision\":\"pass\",\"freshness\":\"fresh\"}", fail[] = "{\"decision\":\"fail\",\"freshness\":\"fresh\"}";
    struct gate gate;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(gate_parse(NULL, "24h", &gate, &err), 0);
    assert_int_equal(decide(&gate, "{\"scanned_at\":\"2025-11-24T12:00:00Z\"}", pass), CODE_PASS);
    assert_int_equal(decide(&gate, "{\"scanned_at\":\"2025-11-22T12:00:00Z\"}", pass), CODE_NO_SCAN);
    assert_int_equal(decide(&gate, "{}", pass), CODE_NO_SCAN);
    assert_int_equal(decide(&gate, "{}", fail), CODE_POLICY);
}

static void the_table_has_each_code_once_and_errors_use_it(void **state)
{
    char text[2048];

    (void)state;
    for (size_t i = 0; i < n_exit_rows; i++) {
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(exit_rows[i].code, exit_rows[k].code);
    }
    for (int kind = 0; kind < ERR_N; kind++) {
        bool known = false;
        struct err err = { .kind = (enum err_kind)kind };
        for (size_t i = 0; i < n_exit_rows; i++)
            known |= (int)exit_rows[i].code == exit_of_error(&err) && exit_rows[i].code != CODE_PASS;
        assert_true(known);
    }
    exit_text(text, sizeof text);
    for (size_t i = 0; i < n_exit_rows; i++)
        assert_non_null(strstr(text, exit_rows[i].meaning));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_become_documented_codes),
        cmocka_unit_test(what_fails_is_chosen_by_fail_on),
        cmocka_unit_test(an_old_scan_is_no_pass),
        cmocka_unit_test(the_table_has_each_code_once_and_errors_use_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
