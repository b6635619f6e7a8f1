/* policy_facts.h - what a policy document says of itself. */
#ifndef KEEP_SERVICE_POLICY_FACTS_H
#define KEEP_SERVICE_POLICY_FACTS_H

#include "model/policy_doc.h"
#include "service/call.h"

/* Reads p->document (YAML or JSON) and fills title, mode, stages and rules.
 * ERR_INVALID, all errors in `complaints` (may be NULL), when it is no policy:
 * then it must not be stored.  What is filled lives in the arena. */
int policy_facts(struct policy_doc *p, struct arena *arena, struct complaints *complaints, struct err *err);

#endif
