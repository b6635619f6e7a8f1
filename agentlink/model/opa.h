/* opa.h - what agents of the Open Policy Agent report. */
#ifndef KEEP_MODEL_OPA_H
#define KEEP_MODEL_OPA_H

#include "model/page.h"

#include <stdint.h>

struct opa_status {
    const char *instance, *partition, *version, *revision;
    const char *problem;             /* "": it is well */
    const char *document;            /* JSON */
    int64_t seen_ms;
};

struct opa_decision {
    int64_t id, at_ms, received_ms;
    const char *decision_id, *instance, *partition, *path, *revision, *requested_by;
    const char *input, *result;      /* JSON or NULL */
};

/* NULL: not filtered by. */
struct opa_decision_query {
    struct page_query page;
    const char *instance, *path;
};

#endif
