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

/* Images that hold one package at very many paths, or that the asker may not see,
 * must not hide those that follow. */
static void the_holders_of_a_package_are_images_not_paths(void **state)
{
    struct fixture *t = *state;
    char digest[72], token[KEEPD_TOKEN];

    send_json(t, "POST", "/v1/unsigned-allowances", "{\"pattern\":\"npm.example/*\",\"reason\":\"moving to signed scans\",\"expires_in\":\"1d\"}", 201);
    send_json(t, "POST", "/v1/unsigned-allowances", "{\"pattern\":\"seen.example/*\",\"reason\":\"moving to signed scans\",\"expires_in\":\"1d\"}", 201);
    for (int image = 20; image < 42; image++) {
        const char *repository = image < 41 ? "npm.example/many" : "seen.example/last";
        image_digest(image, digest);
        buf_clear(&t->body);
        buf_printf(&t->body, "{\"SchemaVersion\":2,\"CreatedAt\":\"2026-11-01T00:00:00Z\",\"ArtifactName\":\"%s\",\"ArtifactType\":\"container_image\","
                   "\"Metadata\":{\"RepoDigests\":[\"%s@%s\"]},\"Results\":[{\"Target\":\"Node.js\",\"Class\":\"lang-pkgs\",\"Type\":\"node-pkg\",\"Packages\":[",
                   repository, repository, digest);
        for (int i = 0; i < 25; i++)
            buf_printf(&t->body, "%s{\"Name\":\"left-pad\",\"Version\":\"1.3.0\",\"FilePath\":\"app/%d/node_modules/left-pad/package.json\"}", i > 0 ? "," : "", i);
        buf_puts(&t->body, "]}]}");
        post_body(t, "", NULL, 201);
    }
    const struct json *found = json_at(json_get(get(t, "/v1/packages?name=left-pad", 200), "items"), 0);
    assert_int_equal(json_int(json_get(found, "images"), 0), 22);
    assert_int_equal(json_len(json_get(found, "image_list")), 20);
    snprintf(token, sizeof token, "%s", text_at(send_json(t, "POST", "/v1/tokens",
             "{\"name\":\"seen\",\"role\":\"ci\",\"repositories\":[\"seen.example/*\"],\"expires_in\":\"1d\"}", 201), "token"));
    found = json_at(json_get(keepd_ask(&t->client, token, "GET", "/v1/packages?name=left-pad", NULL, 200), "items"), 0);
    assert_int_equal(json_len(json_get(found, "image_list")), 1);
    assert_int_equal(json_int(json_get(found, "images"), 0), 1);
    const struct json *page = keepd_ask(&t->client, token, "GET", "/v1/packages/images?name=left-pad&limit=10", NULL, 200);
    assert_int_equal(json_len(json_get(page, "items")), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trend_of_a_team_is_what_its_repositories_have),
        cmocka_unit_test(the_holders_of_a_package_are_images_not_paths),
    };

    return cmocka_run_group_tests_name("lists", tests, fixture_open, fixture_close);
}
