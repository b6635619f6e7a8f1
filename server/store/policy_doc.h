/* policy_doc.h - rows of policies and of all their versions.
 *
 * A version is written once and never changed or reused, not even when the
 * policy is deleted and made again. */
#ifndef KEEP_STORE_POLICY_DOC_H
#define KEEP_STORE_POLICY_DOC_H

#include "db/db.h"
#include "model/policy_doc.h"

extern const struct db_queries policy_doc_queries;

enum { POLICIES_MAX = 1000 };

int policy_doc_get(struct db *db, const char *name, struct arena *arena, struct policy_doc *out, struct err *err);

/* By name, after `after` ("" from the start), with documents. */
int policy_doc_list(struct db *db, const char *after, int64_t limit, struct arena *arena,
                    struct policy_doc **out, size_t *n, struct err *err);
int policy_doc_list_enabled(struct db *db, struct arena *arena, struct policy_doc **out, size_t *n, struct err *err);

/* Writes the document as the next version (p->version is set) with author
 * p->updated_by at p->updated_ms; enabled and shipped as given. */
int policy_doc_put(struct db *db, struct policy_doc *p, struct err *err);

int policy_doc_set_enabled(struct db *db, const char *name, bool enabled, int64_t at_ms, const char *by, struct err *err);

/* The versions stay. */
int policy_doc_delete(struct db *db, const char *name, struct err *err);

/* A number that every change of any policy moves on; 0 before the first. */
int policy_doc_generation(struct db *db, int64_t *generation, struct err *err);

/* Newest first, below `before`. */
int policy_doc_versions(struct db *db, const char *name, int64_t before, int64_t limit, struct arena *arena,
                        struct policy_version **out, size_t *n, struct err *err);

#endif
