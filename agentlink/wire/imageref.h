/* imageref.h - the one normaliser of image references.
 *
 * Whatever names an image - a pod's spec, a CI job, a container status, a scanner -
 * goes through here, so that two names of one image become equal texts.  Follows
 * the distribution project's reference grammar and Docker's defaults (docker.io,
 * library/, latest), with these differences: a registry is made lower case (host
 * names have no case); a first component in upper case without '.' or ':' is
 * refused, because tools disagree whether it is a host; digests are sha256 or
 * sha512 only. */
#ifndef KEEP_WIRE_IMAGEREF_H
#define KEEP_WIRE_IMAGEREF_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

enum {
    IMAGEREF_MAX = 1024,               /* bytes of a whole reference */
    IMAGEREF_REPOSITORY_MAX = 255,
    IMAGEREF_TAG_MAX = 128,
    IMAGEREF_PATTERN_MAX = 512,
};

struct imageref {
    const char *registry;      /* "docker.io", "localhost:5000"; NULL for an image id */
    const char *repository;    /* "library/nginx"; NULL for an image id */
    const char *tag;           /* NULL when only a digest was given */
    const char *digest;        /* "sha256:..." or NULL */
    bool tag_implied;          /* neither tag nor digest was written: tag is "latest" */
    bool is_id;                /* a bare digest or 64 hex digits: names no repository */
};

/* Reads "nginx", "nginx:1.25", "ghcr.io/a/b:c@sha256:...", "[::1]:5000/x",
 * "docker-pullable://nginx@sha256:...", "sha256:...", 64 hex digits.  The strings
 * live in the arena.  Nothing is trimmed: a blank is an error.  ERR_INVALID or
 * ERR_TOO_LARGE with what was found. */
int imageref_parse(struct arena *a, const char *text, struct imageref *out, struct err *err);

/* "docker.io/library/nginx:1.25@sha256:...", everything written out; an image id
 * is its digest.  NULL when the arena is full. */
const char *imageref_canonical(struct arena *a, const struct imageref *ref);

/* The shortest text that reads back as the same: "nginx:1.25". */
const char *imageref_familiar(struct arena *a, const struct imageref *ref);

/* "docker.io/library/nginx": registry and repository; NULL for an image id. */
const char *imageref_name(struct arena *a, const struct imageref *ref);

/* Both name the same content or the same place: equal digests if both have one,
 * else equal registry, repository and tag. */
bool imageref_equal(const struct imageref *a, const struct imageref *b);

// ---- patterns for allow-lists (a comment of lines: the examples hold "/*") ----
// A pattern is compared with registry/repository, never with tag or digest.
// '*' stands for any run of characters inside one segment: it never crosses '/'.
// '**' stands for any run, '/' included.  So "docker.io/acme/*" holds acme's own
// repositories, "docker.io/acme/**" nested ones too, "*/acme/x" that name in every
// registry, "**" any image.  A pattern without a registry means Docker Hub, as in a
// reference: "nginx" is docker.io/library/nginx, "acme*/x" is docker.io/acme*/x.
// A first segment is a registry when it has '.' or ':', or is localhost, * or **.

/* The pattern in full: docker.io and library/ written out, registry lower case. */
int imageref_pattern_parse(struct arena *a, const char *pattern, const char **out, struct err *err);

/* Does the image's name match a pattern from imageref_pattern_parse?  An image id
 * matches nothing.  Time is bounded by pattern times name. */
bool imageref_pattern_match(const char *pattern, const struct imageref *ref);

/* The same for a name as imageref_name writes it. */
bool imageref_name_match(const char *pattern, const char *name);

#endif
