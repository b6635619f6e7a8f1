/* image_facts.h - what the server knows of an image, as the facts of a case. */
#ifndef KEEP_CTL_IMAGE_FACTS_H
#define KEEP_CTL_IMAGE_FACTS_H

#include "ctl/ctl.h"

enum { FACTS_FINDINGS_MAX = 10000 };

/* A case (core/policy_test.h) of stage build, now, as JSON text in the arena.  What covers
 * findings (exceptions) and who signed are not in it.  0, or an exit code (told). */
int image_facts_fetch(struct ctl *c, const char *image, const char **text);

#endif
