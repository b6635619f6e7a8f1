/* keepd.c - see keepd.h. */
#include "tests/support/keepd.h"

#include "base/time.h"
#include "wire/jsonw.h"

#include <dirent.h>
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

enum { START_MS = 60000 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "tests: %s: %s\n", what, why);
    abort();
}

static void nap(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* build/VARIANT/tests/flow/NAME -> build/VARIANT/keepd */
void keepd_path(const char *name, char *out, size_t max)
{
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n <= 0)
        die("/proc/self/exe", strerror(errno));
    self[n] = '\0';
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(self, '/');
        if (slash == NULL)
            die(self, "not within a build folder");
        *slash = '\0';
    }
    snprintf(out, max, "%s/%s", self, name);
}

/* ---- processes ------------------------------------------------------------------ */

static void set_environment(const char *const *settings)
{
    setenv("KEEP_LIMIT_RATE", "0", 1);
    for (size_t i = 0; settings != NULL && settings[i] != NULL; i++) {
        char name[64];
        const char *eq = strchr(settings[i], '=');
        snprintf(name, sizeof name, "%.*s", (int)(eq - settings[i]), settings[i]);
        setenv(name, eq + 1, 1);
    }
}

static void exec_keepd(const struct keepd *k, const char *const *args, int out, int log)
{
    const char *argv[24] = { "keepd" };
    char path[512];
    size_t n = 1;

    for (; args[n - 1] != NULL && n < 16; n++)
        argv[n] = args[n - 1];
    argv[n++] = "--data";
    argv[n++] = k->dir;
    if (k->config != NULL) {
        argv[n++] = "--config";
        argv[n++] = k->config;
    }
    if (k->is_pg) {
        argv[n++] = "--db";
        argv[n++] = k->db;
    }
    argv[n] = NULL;
    keepd_path("keepd", path, sizeof path);
    prctl(PR_SET_PDEATHSIG, SIGKILL);          /* a test that fails leaves no server behind */
    set_environment(k->settings);
    dup2(out, 1);
    dup2(log, 2);
    execv(path, (char *const *)(const void *)argv);
    _exit(127);
}

static pid_t spawn(const struct keepd *k, const char *const *args, int out, int log)
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork", strerror(errno));
    if (pid == 0)
        exec_keepd(k, args, out, log);
    return pid;
}

static int exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int open_log(const struct keepd *k)
{
    char path[128];

    snprintf(path, sizeof path, "%s.log", k->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path, strerror(errno));
    return fd;
}

int keepd_run(struct keepd *k, const char *const *args, char *out, size_t max)
{
    int ends[2], status, log = open_log(k);
    size_t len = 0;
    char drop[512];

    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe", strerror(errno));
    pid_t pid = spawn(k, args, ends[1], log);
    close(ends[1]);
    close(log);
    for (;;) {
        bool room = out != NULL && len + 1 < max;
        ssize_t n = read(ends[0], room ? out + len : drop, room ? max - len - 1 : sizeof drop);
        if (n <= 0)
            break;
        len += room ? (size_t)n : 0;
    }
    if (out != NULL)
        out[len] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    return exit_code(status);
}

static off_t log_size(const struct keepd *k)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof path, "%s.log", k->dir);
    return stat(path, &st) == 0 ? st.st_size : 0;
}

static void show_log(const struct keepd *k)
{
    char path[128], line[4096];

    snprintf(path, sizeof path, "%s.log", k->dir);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        fprintf(stderr, "keepd: %s", line);
    if (f != NULL)
        fclose(f);
}

/* The port is in the line that says it serves; 0 while it is not there. */
static int port_in_log(const struct keepd *k, off_t from)
{
    char path[128], text[8192];

    snprintf(path, sizeof path, "%s.log", k->dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, from);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *port = strstr(text, "\"port\":");
    return port == NULL || strchr(port, '\n') == NULL ? 0 : (int)strtol(port + 7, NULL, 10);
}

void keepd_start(struct keepd *k)
{
    keepd_start_at(k, 0);
}

void keepd_start_at(struct keepd *k, int port)
{
    char listen[32];
    const char *const args[] = { "serve", "--listen", listen, NULL };
    int log = open_log(k), status;
    off_t from = log_size(k);

    snprintf(listen, sizeof listen, "127.0.0.1:%d", port);
    k->pid = spawn(k, args, log, log);
    close(log);
    for (int waited = 0; (k->port = port_in_log(k, from)) == 0; waited += 5) {
        if (waitpid(k->pid, &status, WNOHANG) == k->pid || waited > START_MS) {
            show_log(k);
            die("keepd", "does not start");
        }
        nap(5);
    }
}

int keepd_stop(struct keepd *k, int sig, int within_ms)
{
    int status;

    if (kill(k->pid, sig) != 0)
        die("kill", strerror(errno));
    for (int waited = 0; waitpid(k->pid, &status, WNOHANG) != k->pid; waited += 5) {
        if (waited > within_ms) {
            show_log(k);
            kill(k->pid, SIGKILL);
            die("keepd", "does not stop");
        }
        nap(5);
    }
    k->pid = 0;
    if (exit_code(status) != 0 && sig == SIGTERM)
        show_log(k);
    return exit_code(status);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void keepd_discard(struct keepd *k)
{
    char log[128];

    if (k->pid != 0)
        keepd_stop(k, SIGKILL, 10000);
    nftw(k->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    snprintf(log, sizeof log, "%s.log", k->dir);
    unlink(log);
    privkey_free(k->key);
    k->key = NULL;
}

void keepd_close(struct keepd *k)
{
    int code = k->pid == 0 ? 0 : keepd_stop(k, SIGTERM, 30000);

    keepd_discard(k);
    if (code != 0)
        die("keepd", "did not exit with 0");
}

/* ---- tokens and a signer ----------------------------------------------------------- */

const char *keepd_token(const struct keepd *k, enum role role)
{
    for (int i = 0; i < KEEPD_ROLES; i++)
        if ((unsigned)role == 1u << i)
            return k->token[i];
    return NULL;                            /* anyone */
}

const struct json *keepd_ask(struct client *c, const char *token, const char *method, const char *path, const char *body,
                             int status)
{
    struct ask ask = { .method = method, .path = path, .token = token, .body = body, .len = body != NULL ? strlen(body) : 0,
                       .headers = body != NULL ? "Content-Type: application/json\r\n" : NULL };
    struct reply r = client_send(c, &ask);

    if (r.status != status) {
        fprintf(stderr, "%s %s: expected %d, got %d: %.*s\n", method, path, status, r.status, (int)(r.len < 2000 ? r.len : 2000),
                r.body != NULL ? r.body : "");
        abort();
    }
    return client_json(c, &r);
}

static void copy_member(const struct json *doc, const char *key, char *out, size_t max)
{
    const char *text = json_get_str(doc, key, NULL);

    if (text == NULL || strlen(text) >= max)
        die(key, "not in the answer");
    snprintf(out, max, "%s", text);
}

static void make_tokens(struct keepd *k, struct client *c)
{
    char body[200];

    for (int i = 0; i < KEEPD_ROLES; i++) {
        if (1u << i == ROLE_ADMIN)
            continue;
        snprintf(body, sizeof body, "{\"name\":\"t-%s\",\"role\":\"%s\",\"expires_in\":\"30d\"}", role_word((enum role)(1u << i)),
                 role_word((enum role)(1u << i)));
        copy_member(keepd_ask(c, keepd_token(k, ROLE_ADMIN), "POST", "/v1/tokens", body, 201), "token", k->token[i], KEEPD_TOKEN);
    }
}

static void make_signer(struct keepd *k, struct client *c)
{
    struct err err;
    struct buf pem, body;
    struct jsonw w;

    if (crypto_init(&err) != 0 || privkey_generate(KEY_ED25519, &k->key, &err) != 0)
        die("key", err.msg);
    buf_init(&pem, PEM_MAX);
    buf_init(&body, 1 << 16);
    pubkey_to_pem(privkey_public(k->key), &pem);
    jsonw_init(&w, &body);
    jsonw_object(&w);
    jsonw_kstr(&w, "name", "tests");
    jsonw_kstr(&w, "public_key", pem.ptr);
    jsonw_object_end(&w);
    copy_member(keepd_ask(c, keepd_token(k, ROLE_ADMIN), "POST", "/v1/signers", body.ptr, 201), "id", k->signer_id,
                sizeof k->signer_id);
    buf_free(&pem);
    buf_free(&body);
}

static void empty_postgres(const char *url)
{
    struct err err;
    struct db *db;

    if (db_open(url, DB_MIGRATOR, &db, &err) != 0 || db_script(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", &err) != 0)
        die("PostgreSQL", err.msg);
    db_close(db);
}

void keepd_open(struct keepd *k, const char *const *settings, bool use_pg)
{
    static const char *const init[] = { "init", "--json", NULL };
    char out[2048];
    struct client c;
    struct arena arena;
    struct json doc;
    struct err err;

    *k = (struct keepd){ .settings = settings, .is_pg = use_pg };
    const char *root = getenv("KEEP_TEST_DIR");       /* for what is too large for /tmp */
    snprintf(k->dir, sizeof k->dir, "%.40s/keep-test-XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(k->dir) == NULL)
        die("mkdtemp", strerror(errno));
    snprintf(k->db, sizeof k->db, "%s%s", use_pg ? getenv("KEEP_TEST_PG") : k->dir, use_pg ? "" : "/keep.db");
    if (use_pg)
        empty_postgres(k->db);
    if (keepd_run(k, init, out, sizeof out) != 0) {
        show_log(k);
        die("keepd init", "failed");
    }
    arena_init(&arena, 1 << 20);
    if (json_parse(&arena, out, strlen(out), NULL, &doc, &err) != 0)
        die("keepd init", err.msg);
    copy_member(&doc, "admin_token", k->token[3], KEEPD_TOKEN);
    arena_clear(&arena);
    keepd_start(k);
    client_init(&c, k->port);
    make_tokens(k, &c);
    make_signer(k, &c);
    client_free(&c);
}

/* ---- what it costs -------------------------------------------------------------------- */

int64_t keepd_rss_kib(const struct keepd *k, bool peak)
{
    char path[64], line[256];
    const char *key = peak ? "VmHWM:" : "VmRSS:";
    int64_t kib = -1;

    snprintf(path, sizeof path, "/proc/%d/status", (int)k->pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtoll(line + strlen(key), NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib;
}

int64_t keepd_cpu_ms(const struct keepd *k)
{
    char path[64], text[1024];
    long long user = 0, sys = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)k->pid);
    FILE *f = fopen(path, "r");
    if (f == NULL || fgets(text, sizeof text, f) == NULL)
        die(path, "cannot be read");
    fclose(f);
    const char *after = strrchr(text, ')');
    if (after == NULL || sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &user, &sys) != 2)
        die(path, "not understood");
    return (user + sys) * 1000 / sysconf(_SC_CLK_TCK);
}

long keepd_fds(const struct keepd *k)
{
    char path[64];
    long n = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)k->pid);
    DIR *d = opendir(path);
    while (d != NULL && readdir(d) != NULL)
        n++;
    if (d != NULL)
        closedir(d);
    return n - 2;
}

/* ---- the store from outside -------------------------------------------------------------- */

/* A connection remembers a query by its address: each table needs its own. */
struct count_query {
    char sql[100];
    struct db_query query;
};

static void count_table(struct db *db, const char *name, struct count_query *q, int64_t *rows)
{
    struct err err;

    snprintf(q->sql, sizeof q->sql, "SELECT COUNT(*) FROM %s", name);
    q->query = (struct db_query){ name, "", "i", q->sql };
    if (db_int(db, &q->query, DB_NONE, 0, rows, &err) != 0)
        die(name, err.msg);
}

void keepd_count(const struct keepd *k, struct table_counts *out)
{
    static const struct db_query tables[] = {
        { "tables", "", "t", "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name" },
        { "tables", "", "t", "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename" },
    };
    struct count_query counts[KEEPD_TABLES_MAX];
    struct err err;
    struct db *db;
    struct db_rows rows;
    int rc;

    *out = (struct table_counts){ 0 };
    if (db_open(k->db, DB_READER, &db, &err) != 0 || db_begin_read(db, &err) != 0 ||
        db_rows_open(db, &tables[k->is_pg], DB_NONE, &rows, &err) != 0)
        die(k->db, err.msg);
    while ((rc = db_rows_next(&rows, &err)) == 1 && out->n < KEEPD_TABLES_MAX)
        snprintf(out->name[out->n++], sizeof out->name[0], "%s", db_col_t(&rows, 0));
    db_rows_close(&rows);
    if (rc != 0)
        die("tables", rc < 0 ? err.msg : "too many");
    for (size_t i = 0; i < out->n; i++)
        count_table(db, out->name[i], &counts[i], &out->rows[i]);
    db_rollback(db);
    db_close(db);
}

static bool is_among(const char *name, const char *const *list)
{
    for (; list != NULL && *list != NULL; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

bool table_counts_equal(const struct table_counts *a, const struct table_counts *b, const char *const *but)
{
    bool equal = a->n == b->n;

    for (size_t i = 0; equal && i < a->n; i++) {
        if (a->rows[i] == b->rows[i] || is_among(a->name[i], but))
            continue;
        fprintf(stderr, "table %s: %lld rows, then %lld\n", a->name[i], (long long)a->rows[i], (long long)b->rows[i]);
        equal = false;
    }
    return equal;
}
