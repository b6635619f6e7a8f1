/* check.h - what shapes cannot say about a value: rules for names, reasons,
 * patterns, life spans, and pages of lists.
 *
 * `path` is where the value stands in the message ("$.name"), for the error,
 * which is ERR_INVALID. */
#ifndef KEEP_SERVICE_CHECK_H
#define KEEP_SERVICE_CHECK_H

#include "base/time.h"
#include "service/call.h"
#include "wire/msg/page.h"

/* One line: no control characters, not blank, no blanks at the ends. */
int check_name(const char *path, const char *text, struct err *err);

/* At least 10 characters that are not blanks; line breaks and tabs are allowed. */
int check_reason(const char *path, const char *text, struct err *err);

/* A pattern of repositories, in full (wire/imageref.h); *out lives in the arena.
 * The list is a new one. */
int check_pattern(const char *path, const char *pattern, struct arena *arena, const char **out, struct err *err);
int check_patterns(const char *path, const char *const *patterns, size_t n, struct arena *arena,
                   const char *const **out, struct err *err);

/* When something ends: in `in` ("90d") or at at_ms (TIME_UNKNOWN or 0: absent),
 * exactly one; with neither, `otherwise` (NULL: one is required).  It must lie in
 * the future and at most max_ms away. */
int check_expiry(const char *in, int64_t at_ms, const char *otherwise, int64_t max_ms, int64_t now_ms,
                 int64_t *expires_ms, struct err *err);

/* A new identity: prefix and 128 random bits in hex.  NULL: arena full. */
const char *id_new(struct arena *arena, const char *prefix);

/* How many to ask the store for: one more than the page holds. */
int64_t page_limit(const struct page_query *q);

/* A cursor of n ids, "12.7.1"; NULL: all 0. */
int cursor_numbers(const char *cursor, int64_t *out, size_t n, struct arena *arena, struct err *err);

/* A cursor of any text (base64url, so that it may stand in a URL as it is), and
 * back.  cursor_of: NULL for NULL and when the arena is full. */
const char *cursor_of(struct arena *arena, const char *text);
int cursor_text(const char *cursor, struct arena *arena, char **out, struct err *err);

/* Where a page begins.  Without a cursor: *at_ms INT64_MAX, *id "". */
int page_start(const struct page_query *q, struct arena *arena, int64_t *at_ms, const char **id, struct err *err);

/* Fills *out with the items; when there is one more than the page holds, with the
 * cursor behind the last that is shown: (at_ms, id) of item i from `key`. */
typedef void page_key_fn(const void *items, size_t i, int64_t *at_ms, const char **id);
int page_fill(const struct page_query *q, struct arena *arena, const void *items, size_t n, page_key_fn *key,
              struct page *out, struct err *err);

#endif
