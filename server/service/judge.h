/* judge.h - rules have changed: images must be judged anew. */
#ifndef KEEP_SERVICE_JUDGE_H
#define KEEP_SERVICE_JUDGE_H

#include "service/call.h"
#include "store/recheck.h"

/* Marks images for re-judgement in this transaction (their next_check_ms becomes
 * 0); whoever judges takes them from there.  cause: "exception ID", "policy NAME
 * version N", "signer ID" - what the verdict's history will say.  scope NULL:
 * all images. */
int judge_affected(struct call *c, const char *cause, const struct recheck_scope *scope, struct err *err);

#endif
