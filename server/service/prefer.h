/* prefer.h - what a Prefer header asks for (RFC 7240). */
#ifndef KEEP_SERVICE_PREFER_H
#define KEEP_SERVICE_PREFER_H

#include <stdint.h>

/* Seconds of "wait=N", at most `most`; 0: none that counts.  header may be NULL. */
int64_t prefer_wait_s(const char *header, int64_t most);

#endif
