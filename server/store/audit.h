/* audit.h - who did what, when, from where, before and after; append-only.
 *
 * A record is written in the same transaction as the change it speaks of.  Its
 * exact bytes are kept with their RFC 6962 leaf hash, so that a Merkle tree can
 * be built over all of them. */
#ifndef KEEP_STORE_AUDIT_H
#define KEEP_STORE_AUDIT_H

#include "db/db.h"

extern const struct db_queries audit_queries;

struct audit_entry {
    int64_t seq, at_ms;
    const char *actor, *actor_name, *role, *from;
    const char *action;          /* "create", "update", "revoke", "upload", "login" ... */
    const char *object_kind;     /* "token", "scan" ... */
    const char *object_id;
    const char *before, *after;  /* JSON text or NULL */
    const char *request_id;
    const char *leaf;            /* hex, on reading */
};

/* Appends; seq, at_ms are given by the store (at_ms must be filled by the caller,
 * seq is last + 1). Text fields are borrowed. */
int audit_append(struct db *db, const struct audit_entry *entry, struct err *err);

#endif
