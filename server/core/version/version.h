/* version.h - which of two package versions is newer, by the rules of the
 * ecosystem that made them.
 *
 * Pure functions on NUL-terminated text: nothing is allocated, nothing recurses,
 * numbers are compared as digit strings and so may have any length.  A text
 * that the ecosystem would refuse still has a place in the order (stated per
 * scheme), so a sort never meets "incomparable".
 *
 * Specifications: Debian policy 5.6.12; rpm-version(7); apk-version(8);
 * Semantic Versioning 2.0.0 clause 11; PEP 440; Maven POM reference, "Version
 * Order Specification"; Go modules reference; Gem::Version; NuGet versioning;
 * Composer "Versions and constraints" over PHP's version_compare. */
#ifndef KEEP_CORE_VERSION_H
#define KEEP_CORE_VERSION_H

#include "base/err.h"

#include <stdbool.h>

enum { VERSION_MAX = 4096 };     /* bytes; see version_compare */

enum version_scheme {
    VERSION_GENERIC = 0,   /* no ecosystem known: numbers, words, pre-release words first */
    VERSION_DEB,
    VERSION_RPM,
    VERSION_APK,
    VERSION_SEMVER,        /* npm, cargo and kin; tolerant of v1, 1.2, 1.2.3.4, 1.0.0rc1 */
    VERSION_PEP440,        /* refused texts sort first */
    VERSION_MAVEN,         /* as Maven 4 does, and so not transitive: 1-ga1 and 1-ga2 both equal 1 */
    VERSION_GO,            /* with or without v; refused texts sort first and are equal */
    VERSION_GEM,           /* refused texts sort first */
    VERSION_NUGET,
    VERSION_COMPOSER,
    VERSION_N
};

/* -1, 0 or 1 as a is older than, equal to or newer than b.  For every a, b:
 * compare(a, b) == -compare(b, a).  A text of more than VERSION_MAX bytes is no
 * version: it sorts before all that are, and by its bytes among its like. */
int version_compare(enum version_scheme scheme, const char *a, const char *b);

/* Whether the ecosystem's own tool accepts the text.  Generic: any text with a
 * letter or digit and without spaces or control characters. */
bool version_is_valid(enum version_scheme scheme, const char *text);

/* The scheme for an ecosystem word, ASCII case ignored: an OSV ecosystem
 * ("Debian:12", "crates.io"), a purl or its type ("pkg:deb/...", "golang"), a
 * distribution ("alpine"), or a scanner's package type ("jar", "node-pkg",
 * "gobinary", "java-archive").  A release behind ':' is ignored.  Unknown words
 * and NULL give VERSION_GENERIC. */
enum version_scheme version_scheme_of(const char *word);

/* "deb", "semver", ...; never NULL. */
const char *version_scheme_name(enum version_scheme scheme);

/* Is `version` inside `range`?  A range is alternatives separated by "||"; each
 * is a list of conditions, all of which hold, separated by commas or spaces;
 * a condition is an operator (< <= > >= = == !=; none means =) and a version,
 * or "*" for any.  At most 64 conditions.  ERR_INVALID names the place. */
int version_in_range(enum version_scheme scheme, const char *version, const char *range,
                     bool *inside, struct err *err);

#endif
