/* command.h - command lines by table: parsing, --help, man pages, completion.
 *
 * A program is a table of commands; a command is a row with its options.  The same
 * rows are parsed, printed as help, as a man page and as shell completion, so no
 * option can exist that is not documented.  Commands of two words ("signer add")
 * are one row with a space in its name.  --name value and --name=value; "--" ends
 * options.  An unknown word is refused with the nearest one that exists. */
#ifndef KEEP_BASE_COMMAND_H
#define KEEP_BASE_COMMAND_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct command_option {
    const char *name;              /* "listen", without dashes */
    const char *value;             /* "ADDR:PORT"; NULL: a switch */
    const char *doc;               /* one sentence */
    bool repeats;
};

struct command_line;

struct command {
    const char *name;              /* "serve", "signer add" */
    const char *args;              /* "FILE..." for help; "" none */
    unsigned min_args, max_args;
    const char *summary;           /* one line */
    const struct command_option *options; size_t n_options;
    int (*run)(struct command_line *cl);      /* the exit code */
    const char *details;           /* paragraphs for the man page, or NULL */
};

struct program {
    const char *name, *summary, *version;
    const struct command *commands; size_t n_commands;
    const struct command_option *common; size_t n_common;   /* options of every command */
    const char *exit_codes;        /* paragraphs for help and man page */
    const char *environment;
    const char *see_also;
    void *data;                    /* handed to commands */
};

enum { COMMAND_VALUES_MAX = 64, COMMAND_ARGS_MAX = 256 };

struct command_line {
    const struct program *program;
    const struct command *command;
    struct { const char *name, *value; } values[COMMAND_VALUES_MAX];
    size_t n_values;
    const char *args[COMMAND_ARGS_MAX];
    size_t n_args;
};

/* Parses and runs: the command's exit code, 0 for help and version, 1 for a wrong
 * command line (said on stderr with the command to type). */
int command_main(const struct program *p, int argc, char **argv);

/* Value of an option: the last one given, NULL when absent ("" for a switch that is there). */
const char *command_get(const struct command_line *cl, const char *name);
/* The i-th value of an option that repeats; NULL behind the last. */
const char *command_get_nth(const struct command_line *cl, const char *name, size_t i);

void command_help(const struct program *p, const struct command *c, FILE *out);   /* c NULL: the program */
void command_man(const struct program *p, FILE *out);          /* roff, man(7) */
void command_completion(const struct program *p, const char *shell, FILE *out);   /* bash, zsh, fish */

/* Start-up check of the table: NULL or what is wrong. */
const char *command_check(const struct program *p);

#endif
