/* compare.h - what would change: differences of documents, for people. */
#ifndef KEEP_CTL_COMPARE_H
#define KEEP_CTL_COMPARE_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json.h"

#include <stdbool.h>

/* Appends a line for each place where the values differ:
 *     $.spec.mode: "enforce" -> "warn"
 * Absent is "(none)".  Returns how many. */
size_t compare_values(const struct json *before, const struct json *after, const char *path, struct buf *out);

/* Equal for our purpose: white space around text, the form of a time, and whether
 * an empty list is there do not count. */
bool compare_same(const struct json *a, const struct json *b);

/* The same for patterns of repositories and names that are normalised. */
bool compare_pattern(struct arena *arena, const char *a, const char *b);

#endif
