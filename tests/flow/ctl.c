/* ctl.c - the real keepctl against a real keepd: verdicts and exit codes, files that
 * are written, what is sent where. */
#include "tests/flow/ctl_fixture.h"

/* ---- scan upload --------------------------------------------------------------------------- */

static void the_verdict_and_the_exit_code_come_from_the_upload(void **state)
{
    struct fixture *t = *state;

    expect(t, 0, upload(t, "good.json"));
    says(t, "pass");
    expect(t, 2, upload(t, "bad.json"));
    says(t, "CVE-2026-0001");
    says(t, "signed by tests");
    says(t, "next: keepctl image why " DIGEST_A);
    expect(t, 0, RUN(t, ROLE_CI, "scan", "upload", "bad.json", "--key", "ci.key", "--fail-on", "never"));
}

static void every_output_is_written_in_one_call(void **state)
{
    static const struct { const char *file, *holds; } files[] = {
        { "o.sarif", "\"2.1.0\"" }, { "o.xml", "<testsuites" }, { "o.gl", "container_scanning" }, { "o.cq", "fingerprint" },
        { "o.md", "CVE\\-2026\\-0001" }, { "o.json", "\"exit_code\": 2" },
    };
    struct fixture *t = *state;

    expect(t, 2, RUN(t, ROLE_CI, "scan", "upload", "bad.json", "--key", "ci.key", "-o", "table", "-o", "sarif=o.sarif", "-o", "junit=o.xml",
                     "-o", "gitlab=o.gl", "-o", "codequality=o.cq", "-o", "markdown=o.md", "-o", "json=o.json"));
    for (size_t i = 0; i < 6; i++) {
        char *text = read_file(t, files[i].file);
        if (strstr(text, "2026-0001") == NULL)
            print_error("%s: %s\n", files[i].file, text);
        assert_non_null(strstr(text, "2026-0001"));
        assert_true(i == 4 || strstr(text, files[i].holds) != NULL);
        free(text);
    }
    says(t, "fail  ");
}

static void failures_have_codes_of_their_own(void **state)
{
    struct fixture *t = *state;

    expect(t, 1, RUN(t, ROLE_CI, "scan", "upload", "bad.json"));                       /* unsigned is not allowed */
    says(t, "--key");
    expect(t, 1, RUN(t, ROLE_CI, "scan", "upload", "none.json"));
    expect(t, 1, RUN(t, ROLE_CI, "scan", "uplod", "bad.json"));
    expect(t, 4, RUN(t, ROLE_CI, "token", "list"));
    says(t, "try: a token whose role may do this");
    expect(t, 5, RUN(t, ROLE_CI, "image", "check", DIGEST_C));
    says(t, "keepctl scan upload");
    expect(t, 8, RUN(t, ROLE_CI, "image", "check", DIGEST_C, "--wait", "1s"));
    expect(t, 3, RUN(t, ROLE_CI, "image", "list", "--server", "http://127.0.0.1:1", "--retries", "0"));
    expect(t, 1, RUN(t, WHO_ANYONE, "image", "list"));
    says(t, "keepctl login");
    write_file(t, "wrong.token", "keep_ci_AAAAAAAAAAAA_wrong\n", 0600);
    expect(t, 4, RUN(t, WHO_ANYONE, "image", "list", "--server", t->url, "--token-file", "wrong.token"));
    says(t, "keepctl login");
}

static void an_image_is_checked_by_what_people_type(void **state)
{
    struct fixture *t = *state;

    upload(t, "good.json");
    upload(t, "bad.json");
    expect(t, 0, RUN(t, ROLE_CI, "image", "check", DIGEST_B));
    expect(t, 0, RUN(t, ROLE_ADMIN, "image", "check", "sha256:bbb"));
    expect(t, 0, RUN(t, ROLE_ADMIN, "image", "check", "r.example/team/good"));
    expect(t, 2, RUN(t, ROLE_ADMIN, "image", "check", "r.example/team/bad@" DIGEST_A));
    expect(t, 5, RUN(t, ROLE_ADMIN, "image", "check", DIGEST_B, "--max-scan-age", "1m"));
    expect(t, 0, RUN(t, ROLE_ADMIN, "image", "why", DIGEST_A));
    says(t, "serious-fixable/fixable");
    says(t, "SCANNED");
    expect(t, 1, RUN(t, ROLE_ADMIN, "image", "check", "not a reference"));
}

/* ---- offline ---------------------------------------------------------------------------------- */

static void evidence_is_verified_without_a_server(void **state)
{
    struct fixture *t = *state;

    expect(t, 2, RUN(t, ROLE_CI, "scan", "upload", "bad.json", "--key", "ci.key", "--save", "ev.json"));
    expect(t, 0, RUN(t, WHO_ANYONE, "evidence", "verify", "ev.json", "--key", "ci.pub", "--digest", DIGEST_A));
    says(t, t->k.signer_id);
    expect(t, 2, RUN(t, WHO_ANYONE, "evidence", "verify", "ev.json", "--key", "ci.pub", "--digest", DIGEST_B));
    expect(t, 0, RUN(t, WHO_ANYONE, "key", "generate", "other", "--algorithm", "ecdsa-p256"));
    expect(t, 2, RUN(t, WHO_ANYONE, "evidence", "verify", "ev.json", "--key", "other.pub"));
    says(t, "NOT verified");
    expect(t, 1, RUN(t, WHO_ANYONE, "evidence", "verify", "bad.json", "--key", "ci.pub"));
    expect(t, 2, RUN(t, ROLE_CI, "scan", "upload", "ev.json"));                        /* signed already */
}

static void keys_are_for_their_owner_and_never_replaced(void **state)
{
    struct fixture *t = *state;
    char path[256];
    struct stat st;

    expect(t, 0, RUN(t, WHO_ANYONE, "key", "generate", "mine"));
    path_of(t, "mine.key", path, sizeof path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    expect(t, 1, RUN(t, WHO_ANYONE, "key", "generate", "mine"));
    expect(t, 0, RUN(t, WHO_ANYONE, "key", "show", "mine.key"));
    says(t, "ed25519 ");
    assert_null(strstr(t->out, "PRIVATE"));
}

static void lint_names_every_error_with_its_line(void **state)
{
    struct fixture *t = *state;

    write_file(t, "bad.yaml", "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: x}\nspec:\n  stages: [build]\n  mode: warn\n  foo: 1\n"
                              "  validations: [{name: a, expression: 'true', message: m}]\n---\napiVersion: keep/v1\nkind: Policy\n", 0644);
    expect(t, 2, RUN(t, WHO_ANYONE, "policy", "lint", "bad.yaml"));
    says(t, "bad.yaml:7:");
    says(t, "$.spec.foo: unknown key");
    says(t, "$.metadata");
}

/* ---- settings -------------------------------------------------------------------------------------- */

static void a_login_is_kept_for_its_server_alone(void **state)
{
    struct fixture *t = *state;
    char path[256], token[200];
    struct stat st;

    write_file(t, "wrong.token", "keep_ci_AAAAAAAAAAAA_wrong\n", 0600);
    snprintf(token, sizeof token, "%s\n", keepd_token(&t->k, ROLE_VIEWER));
    write_file(t, "viewer.token", token, 0600);
    expect(t, 0, RUN(t, WHO_ANYONE, "login", t->url, "--token-file", "viewer.token"));
    path_of(t, "config/keep/config.yaml", path, sizeof path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    expect(t, 0, RUN(t, WHO_ANYONE, "whoami"));
    says(t, "viewer");
    expect(t, 0, RUN(t, WHO_ANYONE, "image", "list", "--server", "http://127.0.0.1:2", "--curl"));
    assert_null(strstr(t->out, "Authorization"));
    assert_int_equal(chmod(path, 0644), 0);
    expect(t, 1, RUN(t, WHO_ANYONE, "whoami"));
    says(t, "chmod 600");
    assert_int_equal(chmod(path, 0600), 0);
    expect(t, 0, RUN(t, WHO_ANYONE, "logout"));
    expect(t, 4, RUN(t, WHO_ANYONE, "whoami"));
    assert_int_equal(unlink(path), 0);
    expect(t, 4, RUN(t, WHO_ANYONE, "login", t->url, "--token-file", "wrong.token"));
    assert_int_equal(access(path, F_OK), -1);
}

static void curl_is_printed_and_nothing_is_sent(void **state)
{
    struct fixture *t = *state;

    expect(t, 0, RUN(t, ROLE_ADMIN, "user", "create", "nobody", "--role", "viewer", "--curl"));
    says(t, "curl -sS --fail-with-body -X POST");
    says(t, "$KEEP_TOKEN");
    assert_null(strstr(t->out, keepd_token(&t->k, ROLE_ADMIN)));
    expect(t, 0, RUN(t, ROLE_ADMIN, "user", "list"));
    assert_null(strstr(t->out, "nobody"));
}

/* ---- declared ------------------------------------------------------------------------------------------ */

static void documents_are_applied_compared_and_deleted(void **state)
{
    static const char documents[] =
        "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: mine, title: t}\nspec:\n  stages: [build]\n  mode: warn\n"
        "  validations: [{name: a, expression: 'true', message: m}]\n---\n"
        "apiVersion: keep/v1\nkind: Exception\nmetadata: {name: e}\nspec: {vulnerability: CVE-2026-0009, reason: 'nobody can reach it', owner: o, expires_in: 30d}\n---\n"
        "apiVersion: keep/v1\nkind: UnsignedAllowance\nmetadata: {name: 'r.example/old/**'}\nspec: {reason: 'a pipeline without keys', expires_in: 10d}\n";
    struct fixture *t = *state;

    write_file(t, "all.yaml", documents, 0644);
    expect(t, 8, RUN(t, ROLE_ADMIN, "diff", "-f", "all.yaml"));
    says(t, "+ Policy mine");
    expect(t, 0, RUN(t, ROLE_ADMIN, "apply", "-f", "all.yaml"));
    says(t, "created Exception e");
    expect(t, 0, RUN(t, ROLE_ADMIN, "diff", "-f", "all.yaml"));
    expect(t, 0, RUN(t, ROLE_ADMIN, "apply", "-f", "all.yaml"));
    says(t, "unchanged Policy mine");
    expect(t, 0, RUN(t, ROLE_ADMIN, "delete", "-f", "all.yaml"));
    says(t, "deleted UnsignedAllowance r.example/old/**");
    expect(t, 8, RUN(t, ROLE_ADMIN, "diff", "-f", "all.yaml"));
}

static void one_wrong_document_stops_them_all(void **state)
{
    struct fixture *t = *state;

    write_file(t, "half.yaml", "apiVersion: keep/v1\nkind: UnsignedAllowance\nmetadata: {name: 'r.example/half/**'}\nspec: {reason: 'a pipeline without keys', expires_in: 10d}\n---\n"
                               "apiVersion: keep/v1\nkind: Exception\nmetadata: {name: e}\nspec: {vulnerability: CVE-2026-0009, reson: x}\n", 0644);
    expect(t, 1, RUN(t, ROLE_ADMIN, "apply", "-f", "half.yaml"));
    says(t, "half.yaml:5:");
    says(t, "reson");
    expect(t, 0, RUN(t, ROLE_ADMIN, "unsigned", "list"));
    assert_null(strstr(t->out, "r.example/half"));
}

/* ---- the rest ---------------------------------------------------------------------------------------------- */

static void every_list_can_be_read(void **state)
{
    static const char *const lists[][4] = {
        { "image", "list", NULL }, { "scan", "list", NULL }, { "finding", "list", "CVE-2026-0001", NULL }, { "vulnerability", "list", NULL },
        { "package", "find", "openssl", NULL }, { "package", "images", "openssl", NULL }, { "running", "list", NULL }, { "posture", NULL }, { "posture", "trend", NULL },
        { "signer", "list", NULL }, { "token", "list", NULL }, { "user", "list", NULL }, { "exception", "list", NULL }, { "unsigned", "list", NULL },
        { "repository", "list", NULL }, { "audit", "list", NULL }, { "audit", "record", "1", NULL }, { "policy", "list", NULL },
        { "policy", "show", "scan-age", NULL }, { "policy", "versions", "scan-age", NULL }, { "image", "show", DIGEST_A, NULL },
        { "image", "findings", DIGEST_A, NULL }, { "image", "packages", DIGEST_A, NULL }, { "image", "issues", DIGEST_A, NULL },
        { "image", "verdicts", DIGEST_A, NULL }, { "image", "changes", DIGEST_A, NULL }, { "whoami", NULL }, { "version", NULL },
    };
    struct fixture *t = *state;

    upload(t, "bad.json");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        expect(t, 0, ctl(t, ROLE_ADMIN, lists[i]));
        assert_null(strstr(t->out, "\033"));
    }
}

static void what_runs_is_read_from_a_list_of_pods(void **state)
{
    static const char pods[] =
        "{\"kind\":\"List\",\"items\":[{\"metadata\":{\"name\":\"a-1-x\",\"namespace\":\"shop\",\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"a-1\"}]},"
        "\"status\":{\"containerStatuses\":[{\"name\":\"c\",\"image\":\"r.example/team/bad:1\",\"imageID\":\"r.example/team/bad@" DIGEST_A "\"}]}},"
        "{\"metadata\":{\"name\":\"a-1-y\",\"namespace\":\"shop\",\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"a-1\"}]},"
        "\"status\":{\"containerStatuses\":[{\"name\":\"c\",\"image\":\"r.example/team/bad:1\",\"imageID\":\"r.example/team/bad@" DIGEST_A "\"}]}}]}";
    struct fixture *t = *state;

    upload(t, "bad.json");
    write_file(t, "pods.json", pods, 0644);
    expect(t, 1, RUN(t, ROLE_ADMIN, "running", "report", "pods.json"));
    expect(t, 0, RUN(t, ROLE_ADMIN, "running", "report", "pods.json", "--cluster", "prod"));
    expect(t, 0, RUN(t, ROLE_ADMIN, "running", "list", "-o", "json"));
    says(t, "\"Deployment/a\"");
    says(t, "\"replicas\": 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_have_codes_of_their_own),
        cmocka_unit_test(the_verdict_and_the_exit_code_come_from_the_upload),
        cmocka_unit_test(every_output_is_written_in_one_call),
        cmocka_unit_test(an_image_is_checked_by_what_people_type),
        cmocka_unit_test(evidence_is_verified_without_a_server),
        cmocka_unit_test(keys_are_for_their_owner_and_never_replaced),
        cmocka_unit_test(lint_names_every_error_with_its_line),
        cmocka_unit_test(a_login_is_kept_for_its_server_alone),
        cmocka_unit_test(curl_is_printed_and_nothing_is_sent),
        cmocka_unit_test(documents_are_applied_compared_and_deleted),
        cmocka_unit_test(one_wrong_document_stops_them_all),
        cmocka_unit_test(every_list_can_be_read),
        cmocka_unit_test(what_runs_is_read_from_a_list_of_pods),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
