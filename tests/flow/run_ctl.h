/* run_ctl.h - the real keepctl against the keepd of a test, for tests that are not
 * about keepctl alone. */
#ifndef KEEP_TESTS_FLOW_RUN_CTL_H
#define KEEP_TESTS_FLOW_RUN_CTL_H

#include "tests/support/keepd.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUN_CTL_ARGS = 22 };

/* Output and messages together in out; the exit code. */
static inline int run_ctl(const struct keepd *k, enum role role, const char *const *args, char *out, size_t max)
{
    char path[512], url[64];
    const char *argv[RUN_CTL_ARGS + 2] = { "keepctl" };
    int ends[2], status;
    size_t len = 0;

    for (size_t i = 0; i < RUN_CTL_ARGS && args[i] != NULL; i++)
        argv[i + 1] = args[i];
    if (pipe(ends) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        snprintf(url, sizeof url, "http://127.0.0.1:%d", k->port);
        setenv("KEEP_SERVER", url, 1);
        setenv("KEEP_TOKEN", keepd_token(k, role), 1);
        setenv("KEEP_CONFIG", "/nowhere/config.yaml", 1);
        unsetenv("KEEP_TOKEN_FILE");
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        keepd_path("keepctl", path, sizeof path);
        execv(path, (char *const *)(const void *)argv);
        _exit(127);
    }
    close(ends[1]);
    for (ssize_t n = 1; n > 0 && len < max - 1; len += n > 0 ? (size_t)n : 0)
        n = read(ends[0], out + len, max - 1 - len);
    out[len] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define KEEPCTL(k, role, out, ...) run_ctl(k, role, (const char *const[]){ __VA_ARGS__, NULL }, out, sizeof(out))

#endif
