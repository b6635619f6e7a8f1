/* ctl.c - the real keepctl against a real keepd: verdicts and exit codes, files that
 * are written, what is sent where. */
#include "base/time.h"
#include "tests/support/keepd.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DIGEST_C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

enum { OUT_TEXT = 256 * 1024, ARGS = 24 };

struct fixture {
    struct keepd k;
    char dir[64], url[64], out[OUT_TEXT];
};

/* ---- keepctl ---------------------------------------------------------------------------- */

static void become(struct fixture *t, enum role role, const char *const *args, int out)
{
    char path[512], config[128];
    const char *argv[ARGS + 2] = { "keepctl" };

    for (size_t i = 0; i < ARGS && args[i] != NULL; i++)
        argv[i + 1] = args[i];
    snprintf(config, sizeof config, "%s/config/keep/config.yaml", t->dir);
    setenv("KEEP_CONFIG", config, 1);
    unsetenv("KEEP_TOKEN_FILE");
    unsetenv("GITHUB_STEP_SUMMARY");
    if (role != WHO_ANYONE) {
        setenv("KEEP_SERVER", t->url, 1);
        setenv("KEEP_TOKEN", keepd_token(&t->k, role), 1);
    }
    dup2(out, 1);
    dup2(out, 2);
    if (chdir(t->dir) != 0)
        _exit(126);
    keepd_path("keepctl", path, sizeof path);
    execv(path, (char *const *)(const void *)argv);
    _exit(127);
}

/* Output and messages together, in t->out.  WHO_ANYONE: no server and token in the environment. */
static int ctl(struct fixture *t, enum role role, const char *const *args)
{
    int ends[2], status;
    size_t len = 0;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0)
        become(t, role, args, ends[1]);
    close(ends[1]);
    for (ssize_t n = 1; n > 0 && len < sizeof t->out - 1; len += n > 0 ? (size_t)n : 0)
        n = read(ends[0], t->out + len, sizeof t->out - 1 - len);
    t->out[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define RUN(t, role, ...) ctl(t, role, (const char *const[]){ __VA_ARGS__, NULL })

static void expect(struct fixture *t, int code, int got)
{
    if (code != got)
        print_error("%s\n", t->out);
    assert_int_equal(got, code);
}

static void says(struct fixture *t, const char *what)
{
    if (strstr(t->out, what) == NULL)
        print_error("not in the output: %s\n%s\n", what, t->out);
    assert_non_null(strstr(t->out, what));
}

/* ---- files ------------------------------------------------------------------------------- */

static void path_of(struct fixture *t, const char *name, char *out, size_t max)
{
    snprintf(out, max, "%s/%s", t->dir, name);
}

static void write_file(struct fixture *t, const char *name, const char *text, mode_t mode)
{
    char path[256];

    path_of(t, name, path, sizeof path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0 && fchmod(fd, mode) == 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static char *read_file(struct fixture *t, const char *name)
{
    char path[256];
    char *text = calloc(1, OUT_TEXT);

    path_of(t, name, path, sizeof path);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, OUT_TEXT - 1, f) > 0);
    fclose(f);
    return text;
}

/* A report of today; with a fixable critical finding or with none. */
static void write_report(struct fixture *t, const char *name, const char *image, const char *digest, bool is_bad)
{
    char text[4096], at[TIME_TEXT];

    time_format(time_now_ms() - MS_HOUR, at);
    snprintf(text, sizeof text,
             "{\"SchemaVersion\":2,\"CreatedAt\":\"%s\",\"ArtifactName\":\"%s\",\"ArtifactType\":\"container_image\","
             "\"Metadata\":{\"OS\":{\"Family\":\"debian\",\"Name\":\"12.5\"},\"RepoDigests\":[\"%s@%s\"]},"
             "\"Results\":[{\"Target\":\"debian\",\"Class\":\"os-pkgs\",\"Type\":\"debian\",\"Packages\":[{\"Name\":\"openssl\",\"Version\":\"3.0.1\","
             "\"Identifier\":{\"PURL\":\"pkg:deb/debian/openssl@3.0.1\"}}],\"Vulnerabilities\":[%s]}]}", at, image, image, digest,
             is_bad ? "{\"VulnerabilityID\":\"CVE-2026-0001\",\"PkgName\":\"openssl\",\"InstalledVersion\":\"3.0.1\",\"FixedVersion\":\"3.0.2\","
                      "\"Severity\":\"CRITICAL\",\"Title\":\"bad\"}" : "");
    write_file(t, name, text, 0644);
}

static int fixture_open(void **state)
{
    static struct fixture t;
    struct err err = { 0 };
    char version[160], at[TIME_TEXT];
    struct buf pem;

    memset(&t, 0, sizeof t);
    keepd_open(&t.k, NULL, false);
    snprintf(t.url, sizeof t.url, "http://127.0.0.1:%d", t.k.port);
    snprintf(t.dir, sizeof t.dir, "/tmp/keepctl-test-XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    buf_init(&pem, 8192);
    assert_int_equal(privkey_to_pem(t.k.key, &pem, &err), 0);
    write_file(&t, "ci.key", pem.ptr, 0600);
    buf_clear(&pem);
    pubkey_to_pem(privkey_public(t.k.key), &pem);
    write_file(&t, "ci.pub", pem.ptr, 0644);
    buf_free(&pem);
    time_format(time_now_ms() - 2 * MS_HOUR, at);
    snprintf(version, sizeof version, "{\"Version\":\"0.57.0\",\"VulnerabilityDB\":{\"Version\":2,\"UpdatedAt\":\"%s\"}}", at);
    write_file(&t, "trivy-version.json", version, 0644);
    write_report(&t, "bad.json", "r.example/team/bad", DIGEST_A, true);
    write_report(&t, "good.json", "r.example/team/good", DIGEST_B, false);
    *state = &t;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static int fixture_close(void **state)
{
    struct fixture *t = *state;

    keepd_close(&t->k);
    return nftw(t->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int upload(struct fixture *t, const char *file)
{
    return RUN(t, ROLE_CI, "scan", "upload", file, "--key", "ci.key", "--trivy-version-json", "trivy-version.json");
}

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

/* ---- policies ------------------------------------------------------------------------------------------------ */

#define POLICY_HEAD "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: no-latest, title: No latest, description: d}\nspec:\n  stages: [build]\n  mode: "
#define POLICY_TAIL "\n  validations:\n    - {name: team, expression: \"image.repository != 'r.example/team/good'\", message: not this one, severity: low, remediation: move}\n"
#define CASE_HEAD "policies: [../latest.yaml]\nimage: {repository: r.example/team/good, has_scan: true, scanned_at: 2026-01-01T00:00:00Z}\nexpect: {decision: "

static void cases_are_run_and_explained_without_a_server(void **state)
{
    struct fixture *t = *state;
    char path[256];

    path_of(t, "try", path, sizeof path);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(t, "latest.yaml", POLICY_HEAD "enforce" POLICY_TAIL, 0644);
    write_file(t, "try/some.yaml", "this is no case", 0644);
    write_file(t, "try/cases.yaml", "name: right\n" CASE_HEAD "fail, reasons: [no-latest/team]}\n", 0644);
    expect(t, 0, RUN(t, WHO_ANYONE, "policy", "test", "try"));
    says(t, "ok try/cases.yaml:1: right");
    says(t, "1 case, 1 passed, 0 failed");
    write_file(t, "try/more-cases.yaml", "name: wrong <1>\n" CASE_HEAD "pass}\n", 0644);
    expect(t, 2, RUN(t, WHO_ANYONE, "policy", "test", "try", "-o", "table", "-o", "json=out.json", "-o", "junit=out.xml"));
    says(t, "not ok try/more-cases.yaml:1: wrong <1>");
    says(t, "expected pass, got fail");
    says(t, "\"r.example/team/good\"");
    char *json = read_file(t, "out.json"), *xml = read_file(t, "out.xml");
    assert_non_null(strstr(json, "\"total\":2,\"passed\":1,\"failed\":1"));
    assert_non_null(strstr(xml, "tests=\"2\" failures=\"1\""));
    assert_non_null(strstr(xml, "name=\"wrong &lt;1&gt;\">\n      <failure"));
    free(json);
    free(xml);
    expect(t, 1, RUN(t, WHO_ANYONE, "policy", "test", "nowhere"));
    write_file(t, "facts.yaml", "image: {repository: r.example/team/good}\n", 0644);
    expect(t, 0, RUN(t, WHO_ANYONE, "policy", "explain", "latest.yaml", "--case", "facts.yaml"));
    says(t, "these facts: fail");
    says(t, "image.repository != 'r.example/team/good'  =>  false");
    says(t, "=>  \"r.example/team/good\"");
    expect(t, 0, RUN(t, WHO_ANYONE, "policy", "explain", "serious-fixable", "--case", "facts.yaml"));
    says(t, "not known: a scan of the image");
    expect(t, 1, RUN(t, WHO_ANYONE, "policy", "explain", "latest.yaml"));
}

static void a_policy_is_tried_compared_and_stored(void **state)
{
    struct fixture *t = *state;

    upload(t, "good.json");
    write_file(t, "latest.yaml", POLICY_HEAD "enforce" POLICY_TAIL, 0644);
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "impact", "latest.yaml"));
    says(t, "policy no-latest (new)");
    says(t, "1 newly failing");
    says(t, "r.example/team/good: 1 newly failing");
    says(t, "team: not this one");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "impact", "latest.yaml", "-o", "json"));
    says(t, "\"is_new\": true");
    expect(t, 8, RUN(t, ROLE_ADMIN, "policy", "diff", "latest.yaml"));
    says(t, "--- server: no such policy");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "apply", "latest.yaml"));
    says(t, "created policy no-latest");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "diff", "latest.yaml"));
    write_file(t, "latest.yaml", POLICY_HEAD "warn" POLICY_TAIL, 0644);
    expect(t, 8, RUN(t, ROLE_ADMIN, "policy", "diff", "latest.yaml", "--impact"));
    says(t, "\n-  mode: enforce\n+  mode: warn\n");
    says(t, "1 newly passing");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "apply", "latest.yaml"));
    says(t, "changed policy no-latest");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "apply", "latest.yaml"));
    says(t, "unchanged policy no-latest");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "explain", "no-latest", "--image", DIGEST_B));
    says(t, "image.repository  =>  \"r.example/team/good\"");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "delete", "no-latest"));
    expect(t, 1, RUN(t, ROLE_ADMIN, "policy", "explain", "no-latest", "--image", DIGEST_B));
    upload(t, "bad.json");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "explain", "serious-fixable", "--image", DIGEST_A));
    says(t, "serious-fixable/fixable");
    says(t, "item.severity  =>  \"critical\"");
}

static void a_foreign_policy_and_its_binding_are_one(void **state)
{
    struct fixture *t = *state;

    write_file(t, "vap.yaml", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: few-replicas}\nspec:\n"
                              "  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}\n"
                              "  validations: [{expression: object.spec.replicas <= 5, message: too many}]\n---\n"
                              "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: few}\n"
                              "spec: {policyName: few-replicas, validationActions: [Deny]}\n", 0644);
    expect(t, 0, RUN(t, WHO_ANYONE, "policy", "lint", "vap.yaml"));
    says(t, "1 policy, 0 errors");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "apply", "vap.yaml"));
    says(t, "created policy few-replicas");
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "diff", "vap.yaml"));
    expect(t, 0, RUN(t, ROLE_ADMIN, "policy", "delete", "few-replicas"));
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
        cmocka_unit_test(cases_are_run_and_explained_without_a_server),
        cmocka_unit_test(a_policy_is_tried_compared_and_stored),
        cmocka_unit_test(a_foreign_policy_and_its_binding_are_one),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
