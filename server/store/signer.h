/* signer.h - rows of signers.  Never deleted: evidence refers to them. */
#ifndef KEEP_STORE_SIGNER_H
#define KEEP_STORE_SIGNER_H

#include "db/db.h"
#include "model/signer.h"

extern const struct db_queries signer_queries;

enum { SIGNERS_MAX = 10000 };

/* ERR_CONFLICT when the key or the name is there already. */
int signer_insert(struct db *db, const struct signer *s, struct arena *arena, struct err *err);
int signer_get(struct db *db, const char *id, struct arena *arena, struct signer *out, struct err *err);

/* By name, after `after` ("" from the start). */
int signer_list(struct db *db, const char *after, int64_t limit, struct arena *arena,
                struct signer **out, size_t *n, struct err *err);

/* Those that are not revoked, whatever their dates: for checking signatures. */
int signer_list_usable(struct db *db, struct arena *arena, struct signer **out, size_t *n, struct err *err);

int signer_revoke(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err);

#endif
