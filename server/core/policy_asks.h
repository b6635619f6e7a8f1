/* policy_asks.h - what a compiled policy would ask about, known before it is
 * asked: so that what needs no image facts is decided without them, and what is about
 * events is asked of events only. */
#ifndef KEEP_CORE_POLICY_ASKS_H
#define KEEP_CORE_POLICY_ASKS_H

#include "core/policy.h"

enum {
    POLICY_ASKS_IMAGES = 1,    /* `image` or `images` */
    POLICY_ASKS_OBJECT = 2,    /* the object, what it was, the request, its namespace */
    POLICY_ASKS_EVENT = 4,     /* `event`, at the stage run */
};

/* Set of the above, over all its expressions.  Pure. */
unsigned policy_asks(const struct policy *p);

#endif
