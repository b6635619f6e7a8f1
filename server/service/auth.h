/* auth.h - who is asking?
 *
 * A node's session token (service/nodes.h: a MAC and memory, no database), a bearer
 * token or a session cookie; both of the latter are found by their public part and
 * proved by a hash compared in constant time, and what is not found costs the
 * same comparison.  Nothing is cached: what was revoked, expired or disabled is
 * refused with the next request. */
#ifndef KEEP_SERVICE_AUTH_H
#define KEEP_SERVICE_AUTH_H

#include "service/app.h"
#include "service/call.h"
#include "service/touched.h"

/* Names the caller.  No credentials, or a cookie that is no (longer a) session:
 * WHO_ANYONE and 0.  An Authorization header that is not a valid bearer token:
 * ERR_UNAUTHENTICATED, always with the same words.  reader: any connection in a
 * read transaction; NULL: what needs no look-up is answered (no credentials, a
 * malformed token), for the rest 1 says: ask again with one.  What *out points to lives in the arena (and `from`, as long
 * as the credentials). */
int identify(struct app *app, struct db *reader, const struct credentials *cred, struct arena *arena,
             int64_t now_ms, struct caller *out, struct err *err);

/* A session's write must carry its CSRF token: ERR_FORBIDDEN otherwise.  Callers
 * with bearer tokens need none. */
int auth_check_csrf(const struct caller *caller, const struct credentials *cred, struct err *err);

/* Housekeeping, each in its own write job: writes what app->touched remembers;
 * deletes links, sessions and kept answers whose time is over. */
int auth_flush_touched(struct app *app, struct err *err);
int auth_sweep(struct app *app, int64_t now_ms, struct err *err);

#endif
