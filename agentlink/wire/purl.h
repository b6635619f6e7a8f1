/* purl.h - package URLs: pkg:type/namespace/name@version?key=value#subpath.
 *
 * Follows ECMA-427 (package URL specification) and its type definitions.  One
 * package has one canonical text, so texts can be compared and indexed.
 *
 * Stricter than the specification: text is UTF-8 without NUL and control
 * characters, percent escapes are complete, lengths are bounded.  More lenient, as
 * scanners need it: keys may be upper case, and a namespace that a type
 * definition wants or forbids is mostly not insisted on (Syft writes
 * pkg:golang/stdlib, users write pkg:oci/library/debian). */
#ifndef KEEP_WIRE_PURL_H
#define KEEP_WIRE_PURL_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

enum { PURL_MAX = 4096, PURL_QUALIFIERS_MAX = 64 };

struct purl_qualifier {
    const char *key, *value;
};

/* Decoded parts; NULL where absent, never "". */
struct purl {
    const char *type;          /* lower case */
    const char *namespace;     /* segments joined by '/' */
    const char *name;
    const char *version;
    const char *subpath;       /* segments joined by '/', no "." or ".." */
    const struct purl_qualifier *qualifiers;   /* by rising key, keys unique */
    size_t n_qualifiers;
};

/* Decodes and normalises.  Everything in *out lives in the arena. */
int purl_parse(struct arena *a, const char *text, struct purl *out, struct err *err);

/* The canonical text of any parts (which need not be normalised; qualifiers in
 * any order); at most PURL_MAX bytes. */
int purl_build(struct arena *a, const struct purl *parts, const char **out, struct err *err);

/* purl_parse, then purl_build. */
int purl_canonical(struct arena *a, const char *text, const char **out, struct err *err);

/* A qualifier's value, or NULL. */
const char *purl_qualifier(const struct purl *purl, const char *key);

/* Does a statement about `wanted` (a VEX product) speak of `product`?  Type,
 * namespace and name are equal; so are the version, the subpath and every
 * qualifier that `wanted` gives.  Both as parsed. */
bool purl_match(const struct purl *wanted, const struct purl *product);

#endif
