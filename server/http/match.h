/* match.h - from method and path to a row of the route table.
 *
 * Compiled once from the table into a tree of path segments; matching never
 * allocates and looks at each segment once or, where a word and a placeholder
 * compete, twice.  A word is preferred to a placeholder.  Paths are compared
 * byte for byte; only the values of placeholders are percent-decoded. */
#ifndef KEEP_HTTP_MATCH_H
#define KEEP_HTTP_MATCH_H

#include "base/arena.h"
#include "base/err.h"
#include "http/guard.h"
#include "service/call.h"

enum { MATCH_MAX_SEGMENTS = 12, MATCH_MAX_VALUES = 4, MATCH_MAX_VALUE = 512 };

struct matcher;

struct match {
    const struct route *route;       /* NULL: no such path, or not with this method */
    size_t index;                    /* of the route in the table */
    unsigned allowed;                /* set of 1 << enum http_method the path has; 0: no such path */
    struct { const char *at; size_t len; } raw[MATCH_MAX_VALUES];   /* placeholders, not decoded */
    size_t n_values;
};

/* The table must outlive the matcher.  Fails on a malformed pattern, on two rows
 * for the same method and path, and on more placeholders than MATCH_MAX_VALUES. */
int matcher_new(const struct route *routes, size_t n, struct matcher **out, struct err *err);
void matcher_free(struct matcher *m);      /* NULL-safe */

/* HEAD finds the row of GET. */
void matcher_find(const struct matcher *m, enum http_method method, const char *path, size_t len, struct match *out);

/* The placeholders' values, percent-decoded, NULL-terminated list in the arena.
 * ERR_NOT_FOUND when a value is empty, too long or not UTF-8: no such object. */
int match_values(const struct match *m, struct arena *arena, const char *const **out, struct err *err);

#endif
