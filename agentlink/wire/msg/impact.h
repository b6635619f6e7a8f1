/* impact.h - the answer of POST /v1/policies/{name}/impact. */
#ifndef KEEP_WIRE_MSG_IMPACT_H
#define KEEP_WIRE_MSG_IMPACT_H

#include "model/impact.h"
#include "wire/shape.h"

extern const struct shape impact_shape;

#endif
