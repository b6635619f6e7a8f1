/* opa.h - shapes of what OPA agents reported. */
#ifndef KEEP_WIRE_MSG_OPA_H
#define KEEP_WIRE_MSG_OPA_H

#include "model/opa.h"
#include "wire/shape.h"

extern const struct shape opa_status_list_shape, opa_decision_list_shape, opa_decision_query_shape;

#endif
