/* What changes a verdict without an upload - time, exceptions, policies, revoked
 * signers and tokens - and that the history names the cause. */
#include "tests/flow/upload.h"

/* The newest entry of an image's history, waited for: the housekeeper looks twice a second. */
static const struct json *history_until(struct fixture *t, int image, const char *decision, const char *cause)
{
    for (int i = 0; i < 100; i++) {
        const struct json *items = json_get(get_image(t, image, "/verdicts", 200), "items");
        const struct json *last = json_len(items) > 0 ? json_at(items, 0) : NULL;
        if (last != NULL && strcmp(json_get_str(last, "decision", ""), decision) == 0 &&
            strstr(json_get_str(last, "cause", ""), cause) != NULL)
            return last;
        nap_ms(100);
    }
    const struct json *items = json_get(get_image(t, image, "/verdicts", 200), "items");
    fail_msg("image %d: expected %s by %s, found %s by %s", image, decision, cause, json_get_str(json_at(items, 0), "decision", ""),
             json_get_str(json_at(items, 0), "cause", ""));
    return NULL;
}

/* Accepts every finding that fails the image, for two seconds. */
static void an_expired_exception_stops_counting_at_that_second(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(1);
    char body[300];
    int64_t until = (time_now_ms() / 1000 + 3) * 1000;
    char at[TIME_TEXT];

    s.repository = "shop.example/expiring";
    s.findings = 1;                                 /* CVE-2026-0001: medium, fixable: passes */
    upload(t, &s, 201);
    s.findings = 5;                                 /* 0003 high and 0005 critical, both with a fix: fails */
    s.scanned_ms += 1000;
    assert_string_equal(text_at(upload(t, &s, 201), "verdict.decision"), "fail");
    time_format(until, at);
    for (int cve = 3; cve <= 5; cve += 2) {
        snprintf(body, sizeof body, "{\"vulnerability\":\"CVE-2026-%04d\",\"repository\":\"shop.example/expiring\",\"reason\":\"not reachable here\","
                 "\"owner\":\"team-a\",\"expires_at\":\"%s\"}", cve, at);
        send_json(t, "POST", "/v1/exceptions", body, 201);
    }
    assert_string_equal(decision_of(t, 1), "pass");
    const struct json *v = get_image(t, 1, "/verdict", 200);
    assert_string_equal(json_get_str(v, "valid_until", ""), at);
    assert_int_equal(json_int(json_get(v, "excepted"), 0), 2);
    while (time_now_ms() < until - 200)
        nap_ms(5);
    if (time_now_ms() < until - 20)
        assert_string_equal(decision_of(t, 1), "pass");
    while (time_now_ms() < until)
        nap_ms(1);
    assert_string_equal(decision_of(t, 1), "fail");
    history_until(t, 1, "fail", "time");
    assert_string_equal(text_at(get_image(t, 1, "", 200), "verdict"), "fail");     /* in lists, too */
}

static void an_exception_taken_back_stops_counting_at_once(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(2);
    char path[200];

    s.repository = "shop.example/taken-back";
    s.findings = 3;
    assert_string_equal(text_at(upload(t, &s, 201), "verdict.decision"), "fail");
    snprintf(path, sizeof path, "/v1/exceptions/%s", text_at(send_json(t, "POST", "/v1/exceptions",
             "{\"vulnerability\":\"CVE-2026-0003\",\"repository\":\"shop.example/taken-back\",\"reason\":\"not reachable here\","
             "\"owner\":\"team-a\",\"expires_in\":\"1d\"}", 201), "id"));
    assert_string_equal(decision_of(t, 2), "pass");
    history_until(t, 2, "pass", "exception");
    send_json(t, "DELETE", path, NULL, 204);
    assert_string_equal(decision_of(t, 2), "fail");
    history_until(t, 2, "fail", "exception");
}

static void a_policy_changes_verdicts_without_an_upload(void **state)
{
    static const char policy[] =
        "apiVersion: keep/v1\nkind: Policy\nmetadata:\n  name: few-packages\n  title: Images are small\n"
        "spec:\n  stages: [build, deploy]\n  mode: enforce\n  unknown: deny\n  validations:\n"
        "    - name: few\n      expression: image.packages < 5\n      message: too many packages\n      severity: low\n";
    struct fixture *t = *state;
    struct report_spec s = spec_of(3);
    struct ask put = { "PUT", "/v1/policies/few-packages", keepd_token(&t->keepd, ROLE_POLICY), "Content-Type: text/yaml\r\n", policy,
                       sizeof policy - 1 };

    s.harmless = true;
    assert_string_equal(text_at(upload(t, &s, 201), "verdict.decision"), "pass");
    struct reply r = client_send(&t->client, &put);
    if (r.status / 100 != 2)
        fail_msg("%d %.*s", r.status, (int)r.len, r.body);
    assert_string_equal(decision_of(t, 3), "fail");
    history_until(t, 3, "fail", "policy few-packages");
    send_json(t, "POST", "/v1/policies/few-packages/disable", NULL, 200);
    assert_string_equal(decision_of(t, 3), "pass");
    history_until(t, 3, "pass", "policy few-packages");
}

static struct privkey *new_signer(struct fixture *t, const char *name, char id[80])
{
    struct privkey *key;
    struct buf pem, body;
    struct err err;

    assert_int_equal(privkey_generate(KEY_P256, &key, &err), 0);
    buf_init(&pem, 4096);
    buf_init(&body, 8192);
    pubkey_to_pem(privkey_public(key), &pem);
    buf_printf(&body, "{\"name\":\"%s\",\"public_key\":\"", name);
    for (const char *p = pem.ptr; *p != '\0'; p++)
        buf_puts(&body, *p == '\n' ? "\\n" : (char[]){ *p, '\0' });
    buf_puts(&body, "\"}");
    snprintf(id, 80, "%s", text_at(send_json(t, "POST", "/v1/signers", body.ptr, 201), "id"));
    buf_free(&pem);
    buf_free(&body);
    return key;
}

static void a_revoked_signer_is_refused_at_once_and_its_scans_no_longer_count(void **state)
{
    struct fixture *t = *state;
    struct report_spec s = spec_of(4);
    char id[80], path[200];
    struct privkey *key = new_signer(t, "leaving", id);

    s.harmless = true;
    assert_string_equal(text_at(upload_by(t, &s, key, 201), "verdict.decision"), "pass");
    snprintf(path, sizeof path, "/v1/signers/%s", id);
    send_json(t, "DELETE", path, NULL, 204);
    s.scanned_ms += 1000;
    upload_by(t, &s, key, 422);
    history_until(t, 4, "fail", "signer");
    assert_string_equal(decision_of(t, 4), "fail");
    privkey_free(key);
}

static void a_revoked_token_is_refused_at_once(void **state)
{
    struct fixture *t = *state;
    char token[KEEPD_TOKEN], path[200];
    const struct json *made = send_json(t, "POST", "/v1/tokens", "{\"name\":\"short\",\"role\":\"viewer\",\"expires_in\":\"1d\"}", 201);

    snprintf(token, sizeof token, "%s", text_at(made, "token"));
    snprintf(path, sizeof path, "/v1/tokens/%s", text_at(made, "id"));
    keepd_ask(&t->client, token, "GET", "/v1/images", NULL, 200);
    send_json(t, "DELETE", path, NULL, 204);
    keepd_ask(&t->client, token, "GET", "/v1/images", NULL, 401);
}

static void an_expired_token_is_refused_at_that_second(void **state)
{
    struct fixture *t = *state;
    char token[KEEPD_TOKEN];
    int64_t made_ms = time_now_ms();
    struct ask ask = { "POST", "/v1/tokens", keepd_token(&t->keepd, ROLE_ADMIN), "Content-Type: application/json\r\n",
                       "{\"name\":\"brief\",\"role\":\"viewer\",\"expires_in\":\"2s\"}", 0 };

    ask.len = strlen(ask.body);
    struct reply r = client_send(&t->client, &ask);
    if (r.status == 400)
        skip();                                     /* tokens this short are not made */
    assert_int_equal(r.status, 201);
    snprintf(token, sizeof token, "%s", text_at(client_json(&t->client, &r), "token"));
    keepd_ask(&t->client, token, "GET", "/v1/session", NULL, 200);
    while (time_now_ms() < made_ms + 2100)
        nap_ms(5);
    keepd_ask(&t->client, token, "GET", "/v1/session", NULL, 401);
}

/* "8 days old" is "9 days old" tomorrow: no change of the verdict. */
static void other_words_for_the_same_reasons_are_no_change(void **state)
{
    static const char policy[] =
        "apiVersion: keep/v1\nkind: Policy\nmetadata:\n  name: told-the-time\n  title: Says when it was asked\n"
        "spec:\n  stages: [build]\n  mode: enforce\n  unknown: deny\n  validations:\n"
        "    - name: never\n      expression: image.packages < 5\n      messageExpression: \"'asked at ' + string(now)\"\n      severity: low\n";
    struct fixture *t = *state;
    struct report_spec s = spec_of(7);
    struct ask put = { "PUT", "/v1/policies/told-the-time", keepd_token(&t->keepd, ROLE_POLICY), "Content-Type: text/yaml\r\n", policy,
                       sizeof policy - 1 };

    s.harmless = true;
    assert_int_equal(client_send(&t->client, &put).status / 100, 2);
    assert_string_equal(text_at(upload(t, &s, 201), "verdict.decision"), "fail");
    for (int i = 0; i < 3; i++) {
        nap_ms(5);
        s.scanned_ms += 1000;
        upload(t, &s, 201);
    }
    assert_int_equal(json_len(json_get(get_image(t, 7, "/verdicts", 200), "items")), 1);
    send_json(t, "POST", "/v1/policies/told-the-time/disable", NULL, 200);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expired_exception_stops_counting_at_that_second),
        cmocka_unit_test(an_exception_taken_back_stops_counting_at_once),
        cmocka_unit_test(a_policy_changes_verdicts_without_an_upload),
        cmocka_unit_test(a_revoked_signer_is_refused_at_once_and_its_scans_no_longer_count),
        cmocka_unit_test(a_revoked_token_is_refused_at_once),
        cmocka_unit_test(an_expired_token_is_refused_at_that_second),
        cmocka_unit_test(other_words_for_the_same_reasons_are_no_change),
    };

    return cmocka_run_group_tests_name("verdicts over time", tests, fixture_open, fixture_close);
}
