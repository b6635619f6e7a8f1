/* text_list.h - a short list of texts in one column: ["a","b"].
 *
 * The store writes and reads exactly this form (a subset of JSON), so that the
 * column stays readable for people; nothing else is accepted when reading. */
#ifndef KEEP_STORE_TEXT_LIST_H
#define KEEP_STORE_TEXT_LIST_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* A JSON string: quotes, with `"`, `\` and control characters escaped. */
void text_put_json(struct buf *b, const char *s);

/* NULL when the arena is full. */
const char *text_list_encode(struct arena *arena, const char *const *items, size_t n);

/* False when the text is not such a list or the arena is full. */
bool text_list_decode(const char *text, struct arena *arena, const char *const **items, size_t *n);

#endif
