/* yaml.h - YAML text <-> the same values as JSON.  The only door to libyaml.
 *
 * Scalars follow the YAML 1.2 core schema: true/false/null/~, decimal integers,
 * 0o17, 0x1F, floats; `yes`, `no`, `on` and `off` are strings, and so is whatever
 * is quoted or tagged !!str.  Refused: duplicate keys, keys that are lists or
 * mappings, tags beyond the core ones, .inf and .nan, text that is not UTF-8 or
 * holds a NUL.  Aliases share the value they name but count, at every use, with
 * all that is in it (and each 256 bytes of text), against max_values and max_depth.  A plain key `<<` merges
 * one mapping or a list of them below the mapping's own keys.  Offsets are bytes
 * into the YAML text (of the anchored value where an alias stands), so
 * json_position works on it. */
#ifndef KEEP_WIRE_YAML_H
#define KEEP_WIRE_YAML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"

/* One document; none is null.  Of opts (NULL: defaults) max_depth, max_values
 * and big_numbers count.  A text that begins with '{' or '[' is tried as JSON
 * first.  Messages carry line and column.  ERR_INVALID, ERR_TOO_LARGE (bounds) or
 * ERR_UNAVAILABLE (arena). */
int yaml_parse(struct arena *arena, const void *text, size_t len, const struct json_opts *opts, struct json *out,
               struct err *err);

/* All documents of a stream, at most max_docs (more: ERR_TOO_LARGE), as an array
 * in the arena; max_values bounds them together.  Empty documents are null. */
int yaml_parse_all(struct arena *arena, const void *text, size_t len, const struct json_opts *opts, size_t max_docs,
                   const struct json **docs, size_t *n_docs, struct err *err);

/* Appends v as a document in block style; reading it gives an equal value.  Text
 * of several lines becomes a literal block where that is exact; strings that other
 * readers might take for something else are quoted.  Check b->failed at the end. */
void yaml_print(const struct json *v, struct buf *b);

#endif
