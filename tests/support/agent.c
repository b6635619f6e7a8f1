/* agent.c - see agent.h. */
#include "tests/support/agent.h"

#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { AGENT_START_MS = 60000 };

static void agent_die(const char *what, const char *why)
{
    fprintf(stderr, "tests: %s: %s\n", what, why);
    abort();
}

static void nap(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static void exec_agent(const struct test_agent *a, const char *const *args, int out, int log)
{
    const char *argv[24] = { "keep-agent" };
    char path[512], config[160];
    size_t n = 1;

    for (; args[n - 1] != NULL && n < 16; n++)
        argv[n] = args[n - 1];
    snprintf(config, sizeof config, "%s/agent.yaml", a->dir);
    argv[n++] = "--config";
    argv[n++] = config;
    argv[n] = NULL;
    keepd_path("keep-agent", path, sizeof path);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; a->environment != NULL && a->environment[i] != NULL; i++)
        putenv(strdup(a->environment[i]));
    dup2(out, 1);
    dup2(log, 2);
    execv(path, (char *const *)(const void *)argv);
    _exit(127);
}

static int open_log(const struct test_agent *a)
{
    char path[128];

    snprintf(path, sizeof path, "%s.log", a->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        agent_die(path, strerror(errno));
    return fd;
}

int agent_command(struct test_agent *a, const char *const *args, char *out, size_t max)
{
    int ends[2], status, log = open_log(a);
    size_t len = 0;

    if (pipe2(ends, O_CLOEXEC) != 0)
        agent_die("pipe", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        exec_agent(a, args, ends[1], log);
    close(ends[1]);
    close(log);
    for (ssize_t n; len + 1 < max && (n = read(ends[0], out + len, max - len - 1)) > 0;)
        len += (size_t)n;
    out[len] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void show_log(const struct test_agent *a)
{
    char path[128], line[4096];

    snprintf(path, sizeof path, "%s.log", a->dir);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        fprintf(stderr, "agent: %s", line);
    if (f != NULL)
        fclose(f);
}

/* ---- opening --------------------------------------------------------------------- */

void agent_invite(const struct keepd *k, char *out, size_t max)
{
    static const char body[] = "{\"name\":\"tests\",\"cluster\":\"test\",\"expires_in\":\"1d\",\"max_uses\":100000}";
    struct client c;

    client_init(&c, k->port);
    const struct json *made = keepd_ask(&c, keepd_token(k, ROLE_ADMIN), "POST", "/v1/join-tokens", body, 201);
    snprintf(out, max, "%s", json_get_str(made, "token", ""));
    client_free(&c);
}

static void write_config(const struct test_agent *a)
{
    char path[160];

    snprintf(path, sizeof path, "%s/agent.yaml", a->dir);
    FILE *f = fopen(path, "w");
    if (f == NULL)
        agent_die(path, strerror(errno));
    /* Walls stand where a test says so, around what is its own: nowhere else on this machine. */
    fprintf(f, "state_dir: %s\n%s%s", a->state, a->settings, strstr(a->settings, "walls:") != NULL ? "" : "walls: {enabled: false}\n");
    fclose(f);
}

void agent_open(struct test_agent *a, const struct keepd *k, const char *server, const char *settings)
{
    char token[256], url[80], out[4096];
    const char *args[] = { "enroll", "--server", url, "--token", token, NULL };

    snprintf(a->dir, sizeof a->dir, "/tmp/keep-agent-XXXXXX");
    if (a->state[0] == '\0') {
        if (mkdtemp(a->dir) == NULL)
            agent_die("mkdtemp", strerror(errno));
        snprintf(a->state, sizeof a->state, "%s/state", a->dir);
    } else {
        snprintf(a->dir, sizeof a->dir, "%.*s", (int)(strrchr(a->state, '/') - a->state), a->state);
    }
    a->settings = settings != NULL ? settings : "receive: {port: 0}\n";
    write_config(a);
    agent_invite(k, token, sizeof token);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", k->port);
    if (server != NULL)
        snprintf(url, sizeof url, "%s", server);
    if (agent_command(a, args, out, sizeof out) != 0) {
        show_log(a);
        agent_die("enroll", out);
    }
    if (sscanf(out, "node %79s of", a->node_id) != 1)
        agent_die("enroll says", out);
}

static int port_in_log(const struct test_agent *a, off_t from)
{
    char path[128], text[16384];

    snprintf(path, sizeof path, "%s.log", a->dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, from);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *line = strstr(text, "\"event\":\"running\""), *port = line != NULL ? strstr(line, "\"port\":") : NULL;
    return port == NULL || strchr(port, '\n') == NULL ? 0 : (int)strtol(port + 7, NULL, 10);
}

void agent_start(struct test_agent *a)
{
    static const char *const args[] = { "run", NULL };
    int log = open_log(a), status;
    struct stat st;

    fstat(log, &st);
    a->pid = fork();
    if (a->pid == 0)
        exec_agent(a, args, log, log);
    close(log);
    for (int waited = 0; (a->port = port_in_log(a, st.st_size)) == 0; waited += 5) {
        if (waitpid(a->pid, &status, WNOHANG) == a->pid || waited > AGENT_START_MS) {
            show_log(a);
            agent_die("keep-agent", "does not start");
        }
        nap(5);
    }
}

int agent_stop(struct test_agent *a, int sig, int within_ms)
{
    int status;

    kill(a->pid, sig);
    for (int waited = 0; waitpid(a->pid, &status, WNOHANG) != a->pid; waited += 5) {
        if (waited > within_ms) {
            show_log(a);
            kill(a->pid, SIGKILL);
            agent_die("keep-agent", "does not stop");
        }
        nap(5);
    }
    a->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void agent_close(struct test_agent *a)
{
    char log[128];

    if (a->pid != 0)
        agent_stop(a, SIGKILL, 10000);
    nftw(a->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    snprintf(log, sizeof log, "%s.log", a->dir);
    unlink(log);
    a->state[0] = '\0';
}

/* ---- looking ----------------------------------------------------------------------------- */

const struct json *agent_status_read(struct test_agent *a, struct arena *arena)
{
    char path[160], text[65536];
    struct json *doc = arena_alloc(arena, sizeof *doc);
    struct err err;

    snprintf(path, sizeof path, "%s/status.json", a->state);
    for (int i = 0; i < 100; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? pread(fd, text, sizeof text, 0) : -1;
        if (fd >= 0)
            close(fd);
        if (n > 0 && json_parse(arena, text, (size_t)n, NULL, doc, &err) == 0)
            return doc;
        nap(20);
    }
    return NULL;
}

int64_t agent_status_int(struct test_agent *a, const char *path)
{
    struct arena arena;

    arena_init(&arena, 16 << 20);
    int64_t n = json_int(json_path(agent_status_read(a, &arena), path), -1);
    arena_clear(&arena);
    return n;
}

bool agent_wait_for(struct test_agent *a, const char *path, int64_t value, int within_ms)
{
    for (int waited = 0; waited < within_ms; waited += 100) {
        if (agent_status_int(a, path) == value)
            return true;
        nap(100);
    }
    show_log(a);
    fprintf(stderr, "agent: %s is %lld, not %lld\n", path, (long long)agent_status_int(a, path), (long long)value);
    return false;
}

void falco_text(const char *uuid, const char *priority, size_t padding, char *out, size_t max)
{
    char now[TIME_TEXT];

    time_format(time_now_ms(), now);
    if (priority == NULL) {
        snprintf(out, max, "{\"at\":\"%s\",\"source\":\"agent\",\"kind\":\"exec\",\"verdict\":\"observed\",\"severity\":7,"
                 "\"event_id\":\"%s\",\"message\":\"a program ran %0*d\",\"count\":1}", now, uuid, (int)padding, 0);
        return;
    }
    snprintf(out, max, "{\"uuid\":\"%s\",\"output\":\"a program ran %0*d\",\"priority\":\"%s\",\"rule\":\"Program of a test\","
             "\"source\":\"syscall\",\"time\":\"%s\",\"output_fields\":{\"container.id\":\"0123456789ab\",\"proc.name\":\"sh\"}}",
             uuid, (int)padding, 0, priority, now);
}

int64_t database_int(const struct keepd *k, const char *sql)
{
    struct db_query q = { "tests.int", "", "i", sql };
    struct err err;
    struct db *db;
    int64_t n = 0;

    if (db_open(k->db, DB_READER, &db, &err) != 0 || db_begin_read(db, &err) != 0 || db_int(db, &q, DB_NONE, -1, &n, &err) != 0)
        agent_die("database", err.msg);
    db_rollback(db);
    db_close(db);
    return n;
}

/* "event_id":"PREFIX123" */
static void count_one(const char *text, size_t len, const char *prefix, unsigned char *seen, size_t n)
{
    char want[80];
    int skip = snprintf(want, sizeof want, "\"event_id\":\"%s", prefix);
    const char *at = memmem(text, len, want, (size_t)skip);

    if (at == NULL)
        return;
    size_t i = (size_t)strtoul(at + skip, NULL, 10);
    if (i < n && seen[i] < 255)
        seen[i]++;
}

size_t events_stored(const struct keepd *k, const char *prefix, unsigned char *seen, size_t n)
{
    static const struct db_query q = { "tests.events", "", "b", "SELECT document FROM events WHERE node <> 0 ORDER BY id" };
    struct err err;
    struct db *db;
    struct db_rows rows;
    size_t count = 0;
    int rc;

    memset(seen, 0, n);
    if (db_open(k->db, DB_READER, &db, &err) != 0 || db_begin_read(db, &err) != 0 || db_rows_open(db, &q, DB_NONE, &rows, &err) != 0)
        agent_die("database", err.msg);
    while ((rc = db_rows_next(&rows, &err)) == 1) {
        struct bytes b = db_col_b(&rows, 0);
        count_one((const char *)b.ptr, b.len, prefix, seen, n);
        count++;
    }
    db_rows_close(&rows);
    db_rollback(db);
    db_close(db);
    if (rc < 0)
        agent_die("database", err.msg);
    return count;
}
