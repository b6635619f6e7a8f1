/* ctl_fixture.h - the real keepctl, a real keepd, a folder with reports and keys; shared
 * by the tests of keepctl. */
#ifndef KEEP_TEST_CTL_FIXTURE_H
#define KEEP_TEST_CTL_FIXTURE_H

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

static inline void become(struct fixture *t, enum role role, const char *const *args, int out)
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
static inline int ctl(struct fixture *t, enum role role, const char *const *args)
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

static inline void expect(struct fixture *t, int code, int got)
{
    if (code != got)
        print_error("%s\n", t->out);
    assert_int_equal(got, code);
}

static inline void says(struct fixture *t, const char *what)
{
    if (strstr(t->out, what) == NULL)
        print_error("not in the output: %s\n%s\n", what, t->out);
    assert_non_null(strstr(t->out, what));
}

/* ---- files ------------------------------------------------------------------------------- */

static inline void path_of(struct fixture *t, const char *name, char *out, size_t max)
{
    snprintf(out, max, "%s/%s", t->dir, name);
}

static inline void write_file(struct fixture *t, const char *name, const char *text, mode_t mode)
{
    char path[256];

    path_of(t, name, path, sizeof path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0 && fchmod(fd, mode) == 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static inline char *read_file(struct fixture *t, const char *name)
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
static inline void write_report(struct fixture *t, const char *name, const char *image, const char *digest, bool is_bad)
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

static inline int fixture_open(void **state)
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

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline int fixture_close(void **state)
{
    struct fixture *t = *state;

    keepd_close(&t->k);
    return nftw(t->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int upload(struct fixture *t, const char *file)
{
    return RUN(t, ROLE_CI, "scan", "upload", file, "--key", "ci.key", "--trivy-version-json", "trivy-version.json");
}

#endif
