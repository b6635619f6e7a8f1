/* tail.h - follows a file of lines that somebody else writes.
 *
 * Survives rotation (rename and create: the old file is read to its end first),
 * copytruncate, truncation, a partial last line (kept for the next round), lines
 * beyond the bound (skipped and counted), files that are not there yet.  The place
 * is inode and offset, with a hash of the file's beginning, so that a new file with
 * an old inode is not taken for it.
 *
 * The order of a round is: lines are given, the taker makes them durable,
 * tail_keep writes the place (fsync, rename).  A crash between the last two gives
 * the lines of that round again; each carries its origin ("INODE:OFFSET" of its
 * end), by which a taker knows those it has. */
#ifndef KEEP_AGENT_TAIL_H
#define KEEP_AGENT_TAIL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAIL_LINE_MAX = 1024 * 1024, TAIL_ORIGIN = 48 };

struct tail;

struct tail_opts {
    const char *path;                    /* copied */
    const char *place;                   /* file that remembers the place; NULL: nothing is remembered */
    size_t line_max;                     /* bytes; 0: TAIL_LINE_MAX */
    bool from_end;                       /* nothing remembered: start at the end instead of the beginning */
};

struct tail_counts {
    uint64_t lines, bytes;               /* given */
    uint64_t too_long;                   /* lines skipped */
    uint64_t rotations, truncations;
    uint64_t lost_bytes;                 /* that a truncation took before they were read, as far as known */
};

/* A line without its newline (and '\r'); not NUL-terminated, the caller's for the
 * call.  0: taken.  -1: not now; the round ends, the line comes again. */
typedef int tail_fn(void *ctx, const char *line, size_t len, const char *origin, struct err *err);

/* The file need not exist.  A place file that cannot be read as one is set aside as
 * PLACE.bad, and reading starts at the beginning: rather twice than not.
 * ERR_UNAVAILABLE.  *out is the caller's. */
int tail_open(const struct tail_opts *opts, struct tail **out, struct err *err);
void tail_close(struct tail *t);         /* NULL-safe; keeps nothing */

/* Gives at most max_lines lines that are there now; *n_given says how many.  -1 with
 * the taker's error, or a file's (ERR_UNAVAILABLE); what was given before counts. */
int tail_round(struct tail *t, tail_fn *take, void *ctx, size_t max_lines, size_t *n_given, struct err *err);

/* Remembers the place behind the last line given. */
int tail_keep(struct tail *t, struct err *err);

/* Goes back to where tail_keep was last successful (or to the start of this run): those lines
 * come again.  For a taker that could not make durable what it took. */
void tail_rewind(struct tail *t);

/* After a restart: may the line of this origin come again, because it lies behind the place
 * that was kept?  For a taker that knows what it has: see sources_resume. */
bool tail_may_repeat(const struct tail *t, const char *origin);

/* Readable when there may be something new (inotify), -1: poll by time.  tail_drain
 * empties it; call it before a round. */
int tail_fd(const struct tail *t);
void tail_drain(struct tail *t);

void tail_counts(const struct tail *t, struct tail_counts *out);
bool tail_is_open(const struct tail *t); /* is the file there? */

#endif
