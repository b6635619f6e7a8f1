/* log.h - one JSON object a line, on a file descriptor (stderr).
 *
 *   LOG(log, LOG_WARN, "request failed", LOG_TEXT("request", id), LOG_INT("status", 503));
 *   {"time":"2026-11-25T13:11:58.123Z","level":"warn","event":"request failed","request":"…","status":503}
 *
 * Every value is escaped: control characters (C0, DEL, C1) and U+2028/9 as
 * \uXXXX, bytes that are not UTF-8 as U+FFFD; a line is at most LOG_LINE_MAX bytes
 * and written with one write(2), so lines of several threads never mix.
 * Secrets are never passed in: callers log ids, not tokens.
 *
 * Only main, the dispatcher, the housekeeper and the agent's loop log. */
#ifndef KEEP_BASE_LOG_H
#define KEEP_BASE_LOG_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_MAX = 4096, LOG_VALUE_MAX = 1024 };   /* longer values are cut, with "..." */

enum log_level { LOG_DEBUG = 0, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_N };

struct log {
    int fd;                     /* -1: nothing is written */
    _Atomic int min;            /* enum log_level: what is below is dropped; may change while others write */
};

struct log_field {
    const char *key;            /* a plain word, written as it is */
    const char *text;           /* NULL: number, or null with is_text */
    int64_t number;
    int is_text;
};

static inline struct log_field LOG_TEXT(const char *key, const char *text)
{
    return (struct log_field){ key, text, 0, 1 };
}
static inline struct log_field LOG_INT(const char *key, int64_t number)
{
    return (struct log_field){ key, NULL, number, 0 };
}

/* Formats one line with its '\n' into out (LOG_LINE_MAX bytes); returns its
 * length.  Fields that do not fit are left out; the line is always whole JSON. */
size_t log_format(char *out, int64_t at_ms, enum log_level level, const char *event,
                  const struct log_field *fields, size_t n);

/* Formats and writes; NULL log: nothing.  Never fails, never blocks on memory. */
void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t n);

#define LOG(log, level, event, ...) \
    log_write((log), (level), (event), (const struct log_field[]){ __VA_ARGS__ }, \
              N_ITEMS(((const struct log_field[]){ __VA_ARGS__ })))

const char *log_level_word(enum log_level level);
enum log_level log_level_of(const char *word);      /* LOG_LEVEL_N when unknown */

#endif
