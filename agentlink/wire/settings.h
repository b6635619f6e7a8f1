/* settings.h - a program's settings: one table of rows, a file, the environment, flags.
 *
 * A row has a key, a type with bounds, a default and a sentence; the same rows read
 * the file (YAML, "a.b" is b within a), the environment (KEEP_A_B) and the flags.  Flag
 * beats environment beats file beats default.  An unknown key is an error, with its
 * line and the nearest that exists.  What a row means, and what values go together, is
 * the program's own affair: the values go into its struct, at the row's offset. */
#ifndef KEEP_WIRE_SETTINGS_H
#define KEEP_WIRE_SETTINGS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/command.h"
#include "base/err.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the program's struct: const char * (NULL when empty), bool, int64_t, int64_t in
 * milliseconds, int64_t in bytes. */
enum setting_type { SETTING_TEXT = 0, SETTING_BOOL, SETTING_INT, SETTING_DURATION, SETTING_BYTES };
enum setting_from { FROM_DEFAULT = 0, FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG };

struct setting {
    const char *key;                     /* "spool.bytes" */
    enum setting_type type;
    size_t off;                          /* in the program's struct */
    const char *otherwise;               /* default, as written; NULL: none */
    int64_t min, max;                    /* of the types that are numbers */
    bool reloadable;                     /* SIGHUP takes a new value; a change of others is logged */
    const char *doc;
};

struct setting_flag { const char *flag, *key; };   /* --flag is short for the setting key; key is of a row */

struct setting_table {
    const struct setting *rows; size_t n;
    const struct setting_flag *flags; size_t n_flags;
    const char *environment;             /* "KEEP_": in front of the key in upper case */
    /* A key whose value is no single text or number; NULL: there is none.  take reads v
     * into the program's struct; what it keeps lives in the arena. */
    const char *list;
    int (*take)(void *to, const struct json *v, struct arena *arena, struct err *err);
    bool says_range, says_flag;          /* errors name the bounds; the flag */
    bool empty_is_true;                  /* "" switches a SETTING_BOOL on; otherwise it is an error */
};

/* Sets every value in to, the program's struct, and from (n items, and one more for
 * the list if the table has one): where it came from.  file and cl may be NULL; a switch
 * that is given means true.  Texts live in the arena, the environment, the command line
 * or the table.  ERR_INVALID; ERR_TOO_LARGE for a file of 1 MiB or more; ERR_UNAVAILABLE
 * without memory; and what take and yaml_parse say.  to and from are then partly set. */
int settings_read(const struct setting_table *t, const char *file, const struct command_line *cl, struct arena *arena, void *to,
                  enum setting_from *from, struct err *err);

/* The same value in both of the program's structs. */
bool setting_equal(const void *a, const void *b, const struct setting *s);

/* The value alone: lengths of time in whole seconds, bytes as a number; a text within
 * quotation marks if quoted or empty, and nothing in it escaped. */
void setting_print(const void *from, const struct setting *s, bool quoted, struct buf *out);

/* "default", "file", "environment", "flag". */
const char *setting_from_word(enum setting_from from);

#endif
