/* keepctl container against a real keepd. */
#include "tests/flow/ctl_fixture.h"
#include "tests/support/node.h"

#define DIGEST "sha256:5555555555555555555555555555555555555555555555555555555555555555"

static void what_runs_is_listed_and_shown(void **state)
{
    struct fixture *t = *state;
    struct client c;
    struct test_node n;

    client_init(&c, t->k.port);
    test_node_join(&c, keepd_token(&t->k, ROLE_ADMIN), "prod", NULL, &n);
    assert_int_equal(ctl(t, ROLE_VIEWER, (const char *const[]){ "container", "list", NULL }), 0);
    assert_non_null(strstr(t->out, "no such container"));
    keepd_ask(&c, n.token, "POST", "/v1/agent/inventory",
              "{\"base\":0,\"generation\":1,\"containers\":[{\"id\":\"c0ffee000000\",\"name\":\"web\",\"image\":\"shop.example/web:1\",\"digest\":\"" DIGEST "\","
              "\"namespace\":\"shop\",\"privileged\":true,\"command\":[\"/bin/web\",\"\\u001b[31m\"],\"capabilities\":[\"SYS_ADMIN\"],"
              "\"mounts\":[{\"source\":\"/etc\",\"destination\":\"/host/etc\",\"type\":\"bind\",\"read_only\":true}]}]}", 200);
    assert_int_equal(ctl(t, ROLE_VIEWER, (const char *const[]){ "container", "list", "--privileged", "--stale", NULL }), 0);
    assert_non_null(strstr(t->out, "c0ffee000000"));
    assert_non_null(strstr(t->out, "never_scanned"));
    assert_int_equal(ctl(t, ROLE_VIEWER, (const char *const[]){ "container", "list", "--sandbox", "any", NULL }), 0);
    assert_null(strstr(t->out, "c0ffee000000"));
    assert_int_equal(ctl(t, ROLE_VIEWER, (const char *const[]){ "container", "show", n.node_id, "c0ffee000000", NULL }), 0);
    assert_non_null(strstr(t->out, "SYS_ADMIN"));
    assert_non_null(strstr(t->out, "/host/etc"));
    assert_null(strstr(t->out, "\033[31m"));
    assert_int_not_equal(ctl(t, ROLE_VIEWER, (const char *const[]){ "container", "show", n.node_id, "none", NULL }), 0);
    assert_non_null(strstr(t->out, "no such container"));
    client_free(&c);
    test_node_free(&n);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(what_runs_is_listed_and_shown) };

    return cmocka_run_group_tests_name("keepctl container", tests, fixture_open, fixture_close);
}
