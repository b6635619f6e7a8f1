/* look.h - how things look to people: colours, widths, times, and text that came
 * from elsewhere made safe for a terminal. */
#ifndef KEEP_CTL_LOOK_H
#define KEEP_CTL_LOOK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct look {
    bool terminal;                   /* somebody reads it now: short digests, times as ages */
    bool colour;
    unsigned width;                  /* columns; 0: no limit */
    int64_t now_ms;
};

enum colour { COLOUR_NONE = 0, COLOUR_RED, COLOUR_YELLOW, COLOUR_GREEN, COLOUR_CYAN, COLOUR_DIM, COLOUR_BOLD, COLOUR_N };

/* For a file descriptor.  when: auto (NULL), always, never; auto obeys NO_COLOR,
 * CLICOLOR_FORCE and TERM=dumb.  ERR_INVALID. */
int look_at(int fd, const char *when, int64_t now_ms, struct look *out, struct err *err);

const char *colour_name(enum colour c);                        /* libsmartcols' word, NULL for none */
void put_colour(struct buf *b, const struct look *look, enum colour c, const char *text);   /* text made safe */

/* "3 days ago", "in 5 h", "just now"; "" when the time is not known. */
void put_age(struct buf *b, int64_t at_ms, int64_t now_ms);
void put_short_age(struct buf *b, int64_t at_ms, int64_t now_ms);      /* "3d ago", "in 5h", "now" */

/* Without control characters (also those of C1 and of text direction): each
 * becomes '?', line ends become spaces. */
void put_safe(struct buf *b, const char *s);
char *safe_text(struct arena *arena, const char *s);           /* NULL without memory */

/* The colour of a word: verdicts, severities, freshness, states. */
enum colour colour_of(const char *word);

#endif
