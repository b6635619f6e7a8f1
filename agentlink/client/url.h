/* url.h - request targets, built piece by piece and percent-encoded (RFC 3986).
 *
 * Everything but unreserved characters is encoded, in a path segment also not
 * ':' and '@'.  Errors: the buffer's. */
#ifndef KEEP_CLIENT_URL_H
#define KEEP_CLIENT_URL_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the template with each "{}" replaced by the next value, encoded as one
 * segment: ("/v1/users/{}/login-link", {"a b"}). */
void url_path(struct buf *b, const char *template, const char *const *values, size_t n);

/* Appends "?key=value" or "&key=value"; a NULL value appends nothing. */
void url_query(struct buf *b, const char *key, const char *value);

/* http:// or https://, a host, perhaps a port and a path without '..', no user,
 * query or fragment.  A trailing '/' is dropped.  The text is the caller's to
 * free.  ERR_INVALID says what is wrong. */
int url_base(const char *text, char **out, struct err *err);

#endif
