/* profile_internal.h - what profile_doc.c and profile_check.c share. */
#ifndef KEEP_WIRE_PROFILE_INTERNAL_H
#define KEEP_WIRE_PROFILE_INTERNAL_H

#include "wire/profile_doc.h"

/* Told of each thing that is wrong; the path begins with the part, "egress[2].cidr". */
struct profile_critic {
    void (*say)(void *arg, const char *path, const char *what);
    void *arg;
    size_t n;                            /* how many were told */
    bool no_memory;
};

void profile_criticise(const struct profile *p, struct profile_critic *critic);

#endif
