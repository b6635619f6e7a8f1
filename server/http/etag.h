/* etag.h - strong entity tags (RFC 9110, 8.8.3) and If-None-Match.
 *
 * A tag is a content hash.  The gzip and brotli forms of the same answer are
 * other representations and carry the same tag with "-gz" or "-br" before the
 * closing quote; a client may send back any of them. */
#ifndef KEEP_HTTP_ETAG_H
#define KEEP_HTTP_ETAG_H

#include <stdbool.h>
#include <stddef.h>

enum { ETAG_TEXT = 96 };             /* room for a tag with quotes, suffix and NUL */

/* FNV-1a, 128 bits, as "32 hex digits" in quotes. */
void etag_of(const void *bytes, size_t len, char out[ETAG_TEXT]);

/* The tag with the suffix put in front of the closing quote; cut when too long. */
void etag_with(const char *etag, const char *suffix, char out[ETAG_TEXT]);

/* Does an If-None-Match value ("*" or a list) name this tag, in any form?
 * Weak comparison, as the method demands; malformed members never match. */
bool etag_matches(const char *if_none_match, const char *etag);

#endif
