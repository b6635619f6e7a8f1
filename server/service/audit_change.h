/* audit_change.h - the one way a handler says what it changed. */
#ifndef KEEP_SERVICE_AUDIT_CHANGE_H
#define KEEP_SERVICE_AUDIT_CHANGE_H

#include "service/call.h"

/* Appends to the audit log, in the caller's transaction, that c->caller did
 * `action` to the object.  before and after are structs of `shape` (both, one or
 * none NULL; with both NULL the shape may be NULL); the shape must be one that
 * shows no secret. */
int audit_change(struct call *c, const char *action, const char *kind, const char *id,
                 const struct shape *shape, const void *before, const void *after, struct err *err);

/* The same done by somebody else than c->caller: who has just logged in. */
int audit_change_by(struct call *c, const struct caller *by, const char *action, const char *kind, const char *id,
                    const struct shape *shape, const void *before, const void *after, struct err *err);

#endif
