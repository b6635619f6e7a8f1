/* plan.h - from declared documents to the calls that make them so.
 *
 * Everything is planned before anything is done: a document that is wrong stops
 * the whole, and what would change can be shown without changing it. */
#ifndef KEEP_CTL_PLAN_H
#define KEEP_CTL_PLAN_H

#include "ctl/ctl.h"
#include "ctl/documents.h"

enum plan_action { PLAN_SAME = 0, PLAN_CREATE, PLAN_UPDATE, PLAN_DELETE, PLAN_ABSENT, PLAN_REFUSED };

enum { PLAN_STEPS = 2 };

struct plan {
    const struct document *doc;
    enum plan_action action;
    const char *detail;              /* lines of differences, or why it is refused; "" */
    struct client_request steps[PLAN_STEPS]; size_t n_steps;
};

/* 0, or an exit code (told).  Asks the server what is there; with --curl it does
 * not, and everything is to be created. */
int plan_apply(struct ctl *c, const struct document *doc, struct plan *out);
int plan_delete(struct ctl *c, const struct document *doc, struct plan *out);

const char *plan_word(enum plan_action action);      /* "created" ... */

#endif
