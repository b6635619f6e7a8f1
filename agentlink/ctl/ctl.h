/* ctl.h - what a command of keepctl works with.
 *
 * A command is a row: how it is typed (base/command.h) and the function that
 * runs it, or the call it stands for (call.h).  The function gets a struct ctl
 * and returns an exit code; memory is the arena's, the connection is opened when
 * first used.  Data goes to standard output, everything else to standard error. */
#ifndef KEEP_CTL_CTL_H
#define KEEP_CTL_CTL_H

#include "base/command.h"
#include "client/http.h"
#include "ctl/exit.h"
#include "ctl/look.h"
#include "ctl/out.h"
#include "ctl/settings.h"

struct ctl;
struct api_call;

struct ctl_command {
    struct command row;              /* its `run` is filled in by program_init */
    int (*body)(struct ctl *c);
    const struct api_call *call;     /* of the bodies in call.h */
};

struct ctl {
    struct command_line *cl;
    const struct ctl_command *command;
    struct arena arena;
    struct look look, err_look;      /* of standard output and standard error */
    struct out_spec outs[OUT_MAX]; size_t n_outs;     /* at least one */
    struct settings settings;
    struct client_config config;
    struct http_client *client;           /* NULL: not opened */
    bool curl, quiet;
    const char *body_file;           /* for --curl: where the next body can be read */
};

/* The rows of every noun, in the order of the manual; see program.c. */
struct ctl_commands { const struct ctl_command *rows; size_t n; };

/* ---- options ------------------------------------------------------------------- */
const char *ctl_option(const struct ctl *c, const char *name);   /* NULL: not given */
const char *ctl_arg(const struct ctl *c, size_t i);              /* NULL: not given */

/* ---- talking to the server -------------------------------------------------------- */
/* Sends and parses a JSON answer into *out (null when there is no body; NULL: the
 * body is left in *answer).  On failure the person has been told already, and the
 * exit code is returned; 0 on success.  With --curl nothing is sent: the command
 * is printed and CTL_PRINTED returned. */
enum { CTL_PRINTED = -1 };
int ctl_send(struct ctl *c, struct client_request *request, struct json *out, struct client_answer *answer);
int ctl_get(struct ctl *c, const char *target, struct json *out);

/* The same, but an answer of this kind is handed back as CODE_PENDING, untold. */
int ctl_try(struct ctl *c, const char *target, enum err_kind expected, struct json *out);

/* All pages of a list, at most `limit` items (0: all there are): *out is the list
 * as an object {"items": [...]} with what else the first page had.  `more` says
 * that the list goes on. */
int ctl_list(struct ctl *c, const char *target, size_t limit, struct json *out, bool *more);

/* ---- talking to people -------------------------------------------------------------- */
/* "keepctl: what", then each problem on a line, then "try: ..." for this kind. */
int ctl_fail(struct ctl *c, const struct err *err, const struct client_answer *answer);   /* the exit code */
int ctl_wrong(struct ctl *c, const char *try, const char *fmt, ...) __attribute__((format(printf, 3, 4)));   /* CODE_LOCAL */
void ctl_say(struct ctl *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));  /* stderr, not with --quiet */
void ctl_next(struct ctl *c, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* "next: ..." */

/* Where every row leads: opens, runs the body, closes. */
int ctl_run(struct command_line *cl);

/* CTL_PRINTED is success. */
static inline int ctl_code(int rc)
{
    return rc == CTL_PRINTED ? CODE_PASS : rc;
}

#endif
