/* profile_init.h - a first draft of a profile, from what an image says of itself. */
#ifndef KEEP_CTL_PROFILE_INIT_H
#define KEEP_CTL_PROFILE_INIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct profile_init_spec {
    const char *image;                   /* REPOSITORY or REPOSITORY@sha256:...; NULL: what the configuration names */
    struct bytes config;                 /* OCI image configuration, or what docker or podman inspect print; len 0 none */
    struct bytes sbom;                   /* a report with packages and their files; len 0 none */
};

/* Appends YAML with remarks on what is missing.  Pure. */
int profile_init(const struct profile_init_spec *spec, struct arena *arena, struct buf *out, struct err *err);

#endif
