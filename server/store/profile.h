/* profile.h - profiles as rows: declared, learned and enforced ones of an image, each
 * with its versions.  The newest of each is current; none is ever changed. */
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
    const char *created_by, *reason;     /* reason: why, "" not said */
};

enum { PROFILES_ENFORCED_MAX = 4096 };

/* The enforced ones, by repository and digest: what bundles carry. */
int profile_list_enforced(struct db *db, struct arena *arena, struct profile_row **out, size_t *n, struct err *err);

/* Grows whenever an enforced profile changes. */
int profile_generation(struct db *db, int64_t *generation, struct err *err);

/* Ids of the enforced ones' current versions, with what a profile is found by. */
struct profile_key {
    int64_t id;
    const char *repository, *digest;
};
int profile_keys_enforced(struct db *db, struct arena *arena, struct profile_key **out, size_t *n, struct err *err);
int profile_get(struct db *db, int64_t id, struct arena *arena, struct profile_row *out, struct err *err);

/* The current version of each source, out[PROFILE_SOURCE_N]; profile_id NULL where there is
 * none.  *n says how many there are. */
int profile_current(struct db *db, const char *profile_id, struct arena *arena, struct profile_row out[PROFILE_SOURCE_N], size_t *n,
                    struct err *err);

/* Writes the next version, which becomes current; sets id and version. */
int profile_insert(struct db *db, struct profile_row *row, struct err *err);
/* Nothing is current of that source any more; the versions stay. */
int profile_retire(struct db *db, const char *profile_id, int source, struct err *err);

/* (repository, digest) of all that have a current profile, after the given ones. */
struct profile_subject {
    const char *profile_id, *repository, *digest;
};
int profile_subjects(struct db *db, const char *repository, const char *digest, int64_t limit, struct arena *arena,
                     struct profile_subject **out, size_t *n, struct err *err);

/* All versions of all sources, the newest first, below the id. */
int profile_versions(struct db *db, const char *profile_id, int64_t before, int64_t limit, struct arena *arena,
                     struct profile_row **out, size_t *n, struct err *err);

#endif
