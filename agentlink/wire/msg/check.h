/* check.h - messages of configuration checks. */
#ifndef KEEP_WIRE_MSG_CHECK_H
#define KEEP_WIRE_MSG_CHECK_H

#include "model/check.h"
#include "wire/shape.h"

struct check_query {
    int kind;                            /* enum config_kind (server/core/config) */
    const char *name;                    /* of the file, for the answer */
    const char *cluster, *namespace;     /* where it is going */
    const char *kubernetes;              /* version of Pod Security Standards */
};

extern const char *const check_kind_words[];
extern const struct shape check_query_shape, check_answer_shape;

#endif
