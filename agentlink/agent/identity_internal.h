/* identity_internal.h - private to identity.c and enroll.c. */
#ifndef KEEP_AGENT_IDENTITY_INTERNAL_H
#define KEEP_AGENT_IDENTITY_INTERNAL_H

#include "base/crypto.h"
#include "base/err.h"

/* node.key of the folder.  ERR_NOT_FOUND. */
int identity_key_read(int dir, struct privkey **out, struct err *err);

#endif
