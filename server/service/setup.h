/* setup.h - what the program itself makes before anybody can log in.
 *
 * For `keepd init` and start-up: `db` is in a write transaction.  Everything is
 * audited like any other change, with actor "keep". */
#ifndef KEEP_SERVICE_SETUP_H
#define KEEP_SERVICE_SETUP_H

#include "core/shipped.h"
#include "db/db.h"
#include "service/app.h"

#include <stddef.h>

/* A user of role admin and a login link ("/login#keep_lnk_...", in the arena).
 * ERR_CONFLICT when there is a user already. */
int setup_first_admin(struct db *db, struct arena *arena, const char *name, int64_t now_ms,
                      const char **link, struct err *err);

/* Another link for somebody who has none any more. */
int setup_login_link(struct db *db, struct arena *arena, const char *name, int64_t now_ms,
                     const char **link, struct err *err);

/* A token of this role, for all repositories; *text is its only copy. */
int setup_token(struct db *db, struct arena *arena, const char *role, const char *name, int64_t life_ms,
                int64_t now_ms, const char **text, struct err *err);

/* Stores shipped policies that were never there, and new versions of those that
 * nobody has edited.  What was edited or deleted stays so.  *changed counts. */
int setup_policies(struct db *db, struct arena *arena, const struct shipped_policy *shipped, size_t n,
                   int64_t now_ms, size_t *changed, struct err *err);

#endif
