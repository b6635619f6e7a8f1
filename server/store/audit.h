/* audit.h - who did what, when, from where, before and after; append-only.
 *
 * A record is written in the same transaction as the change it speaks of.  Its
 * exact bytes are kept with their RFC 6962 leaf hash, so that a Merkle tree can
 * be built over all of them. */
#ifndef KEEP_STORE_AUDIT_H
#define KEEP_STORE_AUDIT_H

#include "db/db.h"

extern const struct db_queries audit_queries;

enum { AUDIT_LEAF_LEN = 32, AUDIT_RECORD_MAX = 1024 * 1024 };

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

/* A row as it lies there. */
struct audit_row {
    int64_t seq;
    struct bytes record;         /* the exact bytes of the leaf */
    char leaf[2 * AUDIT_LEAF_LEN + 1];
};

/* NULL: not filtered by.  An object is named by kind, or by kind and id. */
struct audit_filter {
    const char *actor, *action, *object_kind, *object_id;
};

/* Newest first, seq < before. */
int audit_list(struct db *db, const struct audit_filter *f, int64_t before, int64_t limit, struct arena *arena,
               struct audit_row **out, size_t *n, struct err *err);

int audit_record(struct db *db, int64_t seq, struct arena *arena, struct audit_row *out, struct err *err);

/* The newest seq, 0 when there is none. */
int audit_last(struct db *db, int64_t *seq, struct err *err);

/* SHA-256(0x00 || record). */
void audit_leaf(const void *record, size_t len, uint8_t leaf[AUDIT_LEAF_LEN]);

/* Calls `visit` for every row with seq >= from, in order; it may stop the walk by
 * returning -1 with err set.  The pointers live during the call. */
typedef int audit_visit_fn(void *arg, int64_t seq, struct bytes record, struct bytes leaf, struct err *err);
int audit_walk(struct db *db, int64_t from, audit_visit_fn *visit, void *arg, struct err *err);

#endif
