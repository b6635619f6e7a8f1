/* keepd.h - a real keepd for tests: the binary of the same variant, on a free
 * loopback port, with a data folder of its own (or the PostgreSQL that
 * KEEP_TEST_PG names, whose schema `public` is emptied), a token of every role
 * and a registered signer.  Whatever goes wrong in here ends the test program. */
#ifndef KEEP_TESTS_KEEPD_H
#define KEEP_TESTS_KEEPD_H

#include "base/crypto.h"
#include "db/db.h"
#include "service/call.h"
#include "tests/support/client.h"

#include <sys/types.h>

enum { KEEPD_ROLES = 7, KEEPD_TOKEN = 128 };

struct keepd {
    pid_t pid;
    int port;
    char dir[64];                        /* data folder; made by keepd_open */
    char db[512];                        /* path or URL of the database */
    bool is_pg;
    char token[KEEPD_ROLES][KEEPD_TOKEN];/* by bit of enum role: keepd_token */
    struct privkey *key;                 /* of the signer "tests" */
    char signer_id[80];
    const char *config;                  /* --config of the next keepd_start; NULL: none */
    const char *const *settings;         /* KEEP_X=value, NULL-terminated; kept for restarts */
};

/* init, serve, tokens, signer.  settings may be NULL; the rate limit is off unless
 * they set it.  use_pg needs KEEP_TEST_PG. */
void keepd_open(struct keepd *k, const char *const *settings, bool use_pg);

void keepd_start(struct keepd *k);                  /* again, on the same data */
void keepd_start_at(struct keepd *k, int port);     /* and on this port: for those who know it already */
int keepd_stop(struct keepd *k, int sig, int within_ms);   /* exit code, 128 + signal; aborts when it does not end */
void keepd_close(struct keepd *k);                  /* SIGTERM, removes the folder; must exit 0 */
void keepd_discard(struct keepd *k);                /* as close, however it ends */

const char *keepd_token(const struct keepd *k, enum role role);
int64_t keepd_rss_kib(const struct keepd *k, bool peak);
int64_t keepd_cpu_ms(const struct keepd *k);
long keepd_fds(const struct keepd *k);

/* Runs `keepd ARGS... --data DIR` on the resting database; output in out (may be
 * NULL, with room for max).  Exit code. */
int keepd_run(struct keepd *k, const char *const *args, char *out, size_t max);

/* The path of a program of this variant: "keepd". */
void keepd_path(const char *name, char *out, size_t max);

/* Rows of every table, read from the database itself. */
enum { KEEPD_TABLES_MAX = 64 };
struct table_counts {
    size_t n;
    char name[KEEPD_TABLES_MAX][32];
    int64_t rows[KEEPD_TABLES_MAX];
};
void keepd_count(const struct keepd *k, struct table_counts *out);

/* Says which tables differ on stderr; tables in `but` (NULL-terminated) may. */
bool table_counts_equal(const struct table_counts *a, const struct table_counts *b, const char *const *but);

/* A request with this role's token that must be answered with this status.  The
 * answer is parsed: borrowed from the client until its next call. */
const struct json *keepd_ask(struct client *c, const char *token, const char *method, const char *path,
                             const char *body, int status);

#endif
