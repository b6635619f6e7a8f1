/* bundle.h - roots of trust and signed bundles as rows.
 *
 * A root is written once.  Of bundles the newest of a scope has its bytes; what came
 * before it is remembered by hash and time, BUNDLE_HISTORY versions back. */
#ifndef KEEP_STORE_BUNDLE_H
#define KEEP_STORE_BUNDLE_H

#include "base/str.h"
#include "db/db.h"
#include "model/node_settings.h"

extern const struct db_queries bundle_queries;

enum { TRUST_ROOTS_MAX = 1024, BUNDLE_SCOPES_MAX = 1024, BUNDLE_HISTORY = 1000 };

struct root_row {
    int64_t version;
    struct bytes envelope;
    int64_t created_ms;
    const char *created_by;
};
/* ERR_CONFLICT when this version is there. */
int root_insert(struct db *db, const struct root_row *row, struct err *err);
/* Those after `after`, in order. */
int root_list(struct db *db, int64_t after, struct arena *arena, struct root_row **out, size_t *n, struct err *err);
int root_last(struct db *db, int64_t *version, struct err *err);      /* 0: none */

struct bundle_row {
    const char *scope;
    int64_t version;
    const char *content_hash;            /* hex */
    int64_t signed_ms, expires_ms, root_version, length;
    const char *cause;
    struct bytes bytes;                  /* {NULL, 0}: not asked for, or superseded */
};
/* The newest of a scope, with its bytes; version 0 when there is none. */
int bundle_newest(struct db *db, const char *scope, struct arena *arena, struct bundle_row *out, struct err *err);
/* All newest ones without bytes, by scope, after `after`. */
int bundle_list(struct db *db, const char *after, int64_t limit, struct arena *arena, struct bundle_row **out, size_t *n,
                struct err *err);
/* The next version; what it supersedes loses its bytes. */
int bundle_insert(struct db *db, const struct bundle_row *row, struct err *err);

/* A number that every new bundle moves on; 0 before the first. */
int bundle_generation(struct db *db, int64_t *generation, struct err *err);

/* The scopes of nodes that are not revoked, in order. */
int bundle_scopes(struct db *db, struct arena *arena, const char ***out, size_t *n, struct err *err);
/* Which versions nodes of a scope run, newest first. */
int bundle_runs(struct db *db, const char *scope, struct arena *arena, struct bundle_run **out, size_t *n, struct err *err);

#endif
