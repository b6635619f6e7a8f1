/* exit.h - the exit codes, from one table, and how a verdict becomes one. */
#ifndef KEEP_CTL_EXIT_H
#define KEEP_CTL_EXIT_H

#include "base/err.h"
#include "wire/json.h"

#include <stdint.h>

enum exit_code {
    CODE_PASS = 0,
    CODE_LOCAL = 1,
    CODE_POLICY = 2,
    CODE_SERVER = 3,
    CODE_AUTH = 4,
    CODE_NO_SCAN = 5,
    CODE_PENDING = 8,
};

struct exit_row {
    enum exit_code code;
    const char *word, *meaning;      /* one sentence */
};
extern const struct exit_row exit_rows[];
extern const size_t n_exit_rows;

/* The table as lines for help and man page; cut at size. */
void exit_text(char *out, size_t size);

/* Of an error, by err_info's row. */
int exit_of_error(const struct err *err);

/* What the caller wants to fail on; zero: a verdict of fail, and nothing more. */
struct gate {
    bool warn, never;
    int severity;                    /* open findings of this severity or worse; 0: not asked */
    int64_t max_scan_age_ms;         /* 0: not asked */
};

/* --fail-on: fail, warn, never, or a severity.  ERR_INVALID. */
int gate_parse(const char *fail_on, const char *max_scan_age, struct gate *out, struct err *err);

/* Pure: the code for a verdict about an image (either may lack members), and in
 * *why a static sentence (never NULL).  A failed verdict is 2 whatever else is
 * true; only an image that was never scanned is 5 before that. */
int gate_decide(const struct gate *gate, const struct json *image, const struct json *verdict, int64_t now_ms,
                const char **why);

#endif
