/* policies.h - the compiled policies in force, shared by all threads.
 *
 * The database says which policies there are; a number that grows with every
 * change says whether the compiled snapshot is still theirs.  Holding the
 * snapshot compares that number within the caller's transaction, so a decision
 * never uses policies its own transaction does not see. */
#ifndef KEEP_SERVICE_POLICIES_H
#define KEEP_SERVICE_POLICIES_H

#include "core/policy.h"
#include "db/db.h"
#include "service/app.h"

int policies_open(struct app *app, struct err *err);      /* empty until first held */
void policies_close(struct app *app);                     /* nobody may hold one any more; NULL-safe */

/* The snapshot for this transaction, compiled anew when the database has changed.
 * Release it as soon as the decision is made. */
int policies_hold(struct app *app, struct db *db, const struct policy_set **out, struct err *err);
/* The deploy stage of a held set, told apart by what its policies ask about: those
 * that need no image facts decide first.  Lives as long as the set is held. */
struct policies_split {
    struct policy_set spec;           /* the object alone */
    struct policy_set images;         /* images, perhaps the object, too */
    struct policy_set images_only;    /* of those, what can be asked without an object */
};
const struct policies_split *policies_split(const struct policy_set *held);
/* The same for any set; lists live in the arena. */
int policies_divide(const struct policy_set *set, struct arena *arena, struct policies_split *out, struct err *err);

void policies_release(struct app *app, const struct policy_set *set);

/* Copies what a verdict borrowed from policies, so that it outlives them. */
int verdict_keep(struct verdict *v, struct arena *arena, struct err *err);

struct freshness_limits app_limits(const struct app *app);

#endif
