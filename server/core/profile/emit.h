/* emit.h - a profile in the languages of others, each with what it says and what it
 * cannot.  Pure; quoting is the writers': YAML by wire/yaml.h, JSON by wire/jsonw.h. */
#ifndef KEEP_CORE_PROFILE_EMIT_H
#define KEEP_CORE_PROFILE_EMIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/profile.h"

struct emit_spec {
    const struct profile *profile;
    const char *namespace;               /* of the workload; NULL: default */
    const char *workload;                /* value of the pods' label app; NULL: the profile's name */
};

struct emitter {
    const char *name;                    /* "networkpolicy" */
    const char *summary;
    const char *media;                   /* content type */
    int (*emit)(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err);
};
extern const struct emitter emitters[];
extern const size_t n_emitters;

const struct emitter *emitter_find(const char *name);        /* NULL: none */

/* Appends the document.  Check out->failed at the end.  ERR_INVALID, ERR_UNAVAILABLE. */
int profile_emit(const struct emitter *e, const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err);

#endif
