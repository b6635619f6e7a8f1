/* profile.h - profiles as rows: declared, learned and enforced ones of an image, each
 * with its versions.  The newest of each is current. */
#ifndef KEEP_STORE_PROFILE_H
#define KEEP_STORE_PROFILE_H

#include "base/arena.h"
#include "db/db.h"
#include "model/profile.h"

extern const struct db_queries profile_queries;

struct profile_row {
    int64_t id;                          /* of the store: this very version */
    const char *profile_id;              /* of (repository, digest), wire/profile_doc.h */
    const char *repository, *digest;     /* digest "": every image of the repository */
    int source;                          /* enum profile_source */
    int64_t version;
    int mode;
    const char *document;                /* JSON, profile_shape */
    const char *signer_id, *evidence_id; /* NULL none */
    int64_t created_ms;
    const char *created_by, *reason;     /* reason: why, '' none given */
};

enum { PROFILES_ENFORCED_MAX = 4096 };

/* The enforced ones, by repository and digest: what bundles carry. */
int profile_list_enforced(struct db *db, struct arena *arena, struct profile_row **out, size_t *n, struct err *err);

/* Grows whenever an enforced profile changes. */
int profile_generation(struct db *db, int64_t *generation, struct err *err);

#endif
