/* Who may change what is said of an image: uploads that reach for the images of
 * others and
 * signed reports that come again in other clothes. */
#include "tests/flow/upload.h"

/* A CI token for these repositories only. */
static void token_for(struct fixture *t, const char *pattern, char token[KEEPD_TOKEN])
{
    char body[200];

    snprintf(body, sizeof body, "{\"name\":\"ci of %s\",\"role\":\"ci\",\"repositories\":[\"%s\"],\"expires_in\":\"1d\"}", pattern, pattern);
    snprintf(token, KEEPD_TOKEN, "%s", text_at(send_json(t, "POST", "/v1/tokens", body, 201), "token"));
}

static int status_of(struct fixture *t, const char *token, const char *query)
{
    char path[400];
    struct ask ask = { "POST", path, token, NULL, t->body.ptr, t->body.len };

    snprintf(path, sizeof path, "/v1/scans%s", query);
    return client_send(&t->client, &ask).status;
}

static void allow_unsigned(struct fixture *t, const char *pattern)
{
    char body[200];

    snprintf(body, sizeof body, "{\"pattern\":\"%s\",\"reason\":\"moving to signed scans\",\"expires_in\":\"1d\"}", pattern);
    send_json(t, "POST", "/v1/unsigned-allowances", body, 201);
}

static void a_token_cannot_reach_images_of_others_by_naming_its_own_repository(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(1);
    char token[KEEPD_TOKEN];

    s.repository = "shop.example/victim";
    upload(t, &s, 201);
    token_for(t, "own.example/*", token);
    assert_int_equal(status_of(t, token, "?image=own.example/app"), 403);      /* the same bytes: their answer is not for this one */
    s.harmless = true;
    s.scanned_ms += 1000;
    buf_clear(&t->body);
    envelope_make(&s, t->keepd.key, false, &t->body);
    assert_int_equal(status_of(t, token, "?image=own.example/app"), 403);
    assert_string_equal(decision_of(t, 1), "fail");
}

static void an_allowance_for_one_repository_is_none_for_the_images_of_another(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(2);

    s.repository = "shop.example/strict";
    upload(t, &s, 201);
    allow_unsigned(t, "open.example/*");
    s.harmless = true;
    s.scanned_ms += 1000;
    buf_clear(&t->body);
    report_make(&s, &t->body);
    post_body(t, "?image=open.example/app", NULL, 422);
    assert_string_equal(decision_of(t, 2), "fail");
}

/* White space around the payload is not signed: it must not make an old report new. */
static void a_signed_report_in_another_envelope_is_the_same_scan(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(3);
    char id[64];

    snprintf(id, sizeof id, "%s", text_at(upload(t, &s, 201), "scan.id"));
    buf_putc(&t->body, '\n');
    const struct json *r = post_body(t, "", NULL, 200);
    assert_string_equal(text_at(r, "scan.id"), id);
    assert_false(json_bool(json_get(r, "is_new"), true));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_cannot_reach_images_of_others_by_naming_its_own_repository),
        cmocka_unit_test(an_allowance_for_one_repository_is_none_for_the_images_of_another),
        cmocka_unit_test(a_signed_report_in_another_envelope_is_the_same_scan),
    };

    return cmocka_run_group_tests_name("trust", tests, fixture_open, fixture_close);
}
