/* exception.h - does an exception speak of this finding or rule, now?  Pure. */
#ifndef KEEP_CORE_EXCEPTION_H
#define KEEP_CORE_EXCEPTION_H

#include "base/arena.h"
#include "model/exception.h"

#include <stdbool.h>
#include <stddef.h>

/* What a verdict is about to hold against an image.  NULL and empty: not known. */
struct exception_target {
    const char *vulnerability;                                /* or */
    const char *const *aliases; size_t n_aliases;
    const char *rule;                                         /* "policy/validation" */
    const char *repository;
    const char *const *digests; size_t n_digests;             /* the image's and its aliases */
    const char *package, *version, *purl;
    const char *namespace;
};

/* Every scope the exception has must match something known: what is not known
 * never matches.  At expires_ms, in that very millisecond, it is over. */
bool exception_matches(const struct exception *e, const struct exception_target *t, int64_t now_ms);

/* A package scope is "name", "name@version", or a purl, whose version, qualifiers
 * and subpath count when they are given. */
bool exception_package_matches(const char *scope, const char *name, const char *version, const char *purl);

/* The name in a package scope ("@acme/ui@1.0" -> "@acme/ui"; a purl's last
 * segment, undecoded).  NULL: arena full. */
const char *exception_package_name(struct arena *arena, const char *scope);

#endif
