/* policy_doc.h - a policy as people manage it: a named document with versions.
 * What it means when compiled is core's business. */
#ifndef KEEP_MODEL_POLICY_DOC_H
#define KEEP_MODEL_POLICY_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct policy_doc {
    const char *name;
    int64_t version;                 /* from 1, never used twice */
    const char *document;            /* YAML or JSON as it came; NULL when not asked for */
    const char *document_digest;     /* sha256 of it */
    bool enabled, shipped;
    int64_t updated_ms;
    const char *updated_by;
    /* What the document says of itself. */
    const char *title, *mode;
    const char *const *stages; size_t n_stages;
    int64_t rules;
    const char *kind;                /* "Policy", "ValidatingAdmissionPolicy", "ValidatingPolicy" */
    const char *note;                /* what a reader should know: no binding, ...; NULL none */
};

struct policy_version {
    int64_t version, at_ms;
    const char *author, *document;
};

#endif
