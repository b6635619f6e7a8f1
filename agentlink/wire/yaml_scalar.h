/* yaml_scalar.h - what a plain scalar of YAML 1.2's core schema is (10.3.2). */
#ifndef KEEP_WIRE_YAML_SCALAR_H
#define KEEP_WIRE_YAML_SCALAR_H

#include "wire/json.h"

enum yaml_kind { YAML_KIND_ANY = 0, YAML_KIND_NULL, YAML_KIND_BOOL, YAML_KIND_INT, YAML_KIND_REAL, YAML_KIND_STRING };

/* Sets type, value and (numbers) n of *out for len bytes at s, which are followed
 * by a NUL; with KIND_ANY what is nothing else is left a JSON_STRING for the
 * caller to copy.  Returns NULL, or what is wrong: not of the wanted kind, a number
 * out of range, .inf or .nan. */
const char *yaml_resolve(const char *s, size_t len, enum yaml_kind wanted, bool big_numbers, struct json *out);

#endif
