/* column.h - what of a JSON object is shown, one row per column or line. */
#ifndef KEEP_CTL_COLUMN_H
#define KEEP_CTL_COLUMN_H

#include "ctl/look.h"
#include "wire/json.h"

enum column_kind {
    COLUMN_TEXT = 0,
    COLUMN_NUMBER,       /* right-aligned; 0 stays 0, absent is empty */
    COLUMN_TIME,         /* an age on a terminal */
    COLUMN_DIGEST,       /* short on a terminal */
    COLUMN_WORD,         /* coloured */
    COLUMN_TEXTS,        /* a list, joined */
    COLUMN_FLAG,         /* "yes", or empty */
    COLUMN_SCORE,        /* one decimal */
    COLUMN_PERCENT,      /* 0..1 */
};

struct column {
    const char *title;
    const char *path;                /* "image.reference"; "a|b": the first that is there */
    enum column_kind kind;
};

/* The cell's text, safe for a terminal; lives in the arena (or is static). */
const char *column_text(const struct column *c, const struct json *item, const struct look *look, struct arena *arena);

#endif
