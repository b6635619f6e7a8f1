/* Numbers and lists of the fleet: what a team had and has, who holds a package. */
#include "tests/flow/upload.h"

static int64_t today(struct fixture *t, const char *team, const char *what)
{
    char path[200];

    snprintf(path, sizeof path, "/v1/posture/trend?days=2&team=%s", team);
    const struct json *days = json_get(get(t, path, 200), "days");
    return json_int(json_get(json_at(days, json_len(days) - 1), what), -1);
}

static void the_trend_of_a_team_is_what_its_repositories_have(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(1);

    s.repository = "shop.example/moved";
    upload(t, &s, 201);                              /* nobody's so far */
    assert_int_equal(today(t, "red", "images"), 0);
    s.findings = 0;
    s.scanned_ms += 1000;
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    post_body(t, "?team=red", NULL, 201);
    assert_int_equal(today(t, "red", "images"), 1);
    assert_int_equal(today(t, "red", "critical"), 0);
    s = spec_of(2);
    s.repository = "shop.example/moved";
    upload(t, &s, 201);                              /* its team is known by now */
    assert_int_equal(today(t, "red", "images"), 2);
    assert_int_equal(today(t, "red", "critical"), 2);
    send_json(t, "POST", "/v1/repositories", "{\"name\":\"shop.example/moved\",\"team\":\"blue\"}", 200);
    assert_int_equal(today(t, "red", "images"), 0);
    assert_int_equal(today(t, "red", "critical"), 0);
    assert_int_equal(today(t, "blue", "images"), 2);
    assert_int_equal(today(t, "blue", "critical"), 2);
    assert_int_equal(today(t, "", "images"), 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trend_of_a_team_is_what_its_repositories_have),
    };

    return cmocka_run_group_tests_name("lists", tests, fixture_open, fixture_close);
}
