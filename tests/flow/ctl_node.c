/* keepctl node, keepctl join-token against a real keepd. */
#include "tests/flow/ctl_fixture.h"
#include "tests/support/node.h"

static void an_invitation_is_a_command_ready_to_type(void **state)
{
    struct fixture *t = *state;
    struct client c;
    struct test_node n;
    char id[16];

    assert_int_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "node", "list", NULL }), 0);
    assert_non_null(strstr(t->out, "keepctl node invite"));
    assert_int_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "node", "invite", "prod", "--label", "zone=a", "--uses", "2", "--expires-in", "1h", NULL }), 0);
    char *at = strstr(t->out, "keep-agent enroll --server http://127.0.0.1:");
    assert_non_null(at);
    assert_non_null(strstr(t->out, "next: keepctl node list"));
    at = strstr(at, "--token ");
    assert_non_null(at);
    test_node_init(&n);
    assert_int_equal(sscanf(at, "--token %127s", n.join), 1);
    client_init(&c, t->k.port);
    assert_int_equal(test_node_enroll(&c, &n), 201);
    assert_string_equal(n.scope, "prod/zone=a");
    test_node_session(&c, &n);

    assert_int_equal(ctl(t, ROLE_VIEWER, (const char *const[]){ "node", "list", "--state", "enrolled", NULL }), 0);
    assert_non_null(strstr(t->out, n.node_id));
    assert_int_equal(ctl(t, ROLE_VIEWER, (const char *const[]){ "node", "show", n.node_id, NULL }), 0);
    assert_non_null(strstr(t->out, "prod/zone=a"));
    assert_int_equal(ctl(t, ROLE_VIEWER, (const char *const[]){ "node", "show", n.node_id, "--output", "json", NULL }), 0);
    assert_non_null(strstr(t->out, "\"fingerprint\""));
    assert_int_not_equal(ctl(t, ROLE_VIEWER, (const char *const[]){ "node", "revoke", n.node_id, NULL }), 0);
    assert_int_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "node", "revoke", n.node_id, NULL }), 0);
    assert_int_equal(test_node_ask(&c, &n), 403);
    assert_int_not_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "node", "show", "nobody", NULL }), 0);
    assert_non_null(strstr(t->out, "no such node"));

    snprintf(id, sizeof id, "%.12s", n.join + strlen("keep_join_"));
    assert_int_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "join-token", "list", NULL }), 0);
    assert_non_null(strstr(t->out, id));
    assert_int_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "join-token", "revoke", id, NULL }), 0);
    assert_int_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "join-token", "list", NULL }), 0);
    assert_non_null(strstr(t->out, "revoked"));
    client_free(&c);
    test_node_free(&n);
}

static void what_is_typed_wrong_is_said_before_anything_is_sent(void **state)
{
    struct fixture *t = *state;

    assert_int_not_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "node", "invite", "prod", "--label", "zone", NULL }), 0);
    assert_non_null(strstr(t->out, "KEY=VALUE"));
    assert_int_not_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "node", "invite", "prod", "--uses", "none", NULL }), 0);
    assert_int_not_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "node", "invite", NULL }), 0);
    assert_int_equal(ctl(t, ROLE_ADMIN, (const char *const[]){ "node", "invite", "prod", "--curl", NULL }), 0);
    assert_non_null(strstr(t->out, "/v1/join-tokens"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invitation_is_a_command_ready_to_type),
        cmocka_unit_test(what_is_typed_wrong_is_said_before_anything_is_sent),
    };

    return cmocka_run_group_tests_name("keepctl node", tests, fixture_open, fixture_close);
}
