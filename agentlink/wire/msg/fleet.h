/* fleet.h - shapes of questions about all images at once. */
#ifndef KEEP_WIRE_MSG_FLEET_H
#define KEEP_WIRE_MSG_FLEET_H

#include "model/answer.h"
#include "wire/shape.h"

extern const struct shape holder_query_shape, holder_list_shape, vulnerability_query_shape, vulnerability_list_shape;
extern const struct shape package_find_query_shape, package_find_shape, package_holder_query_shape, package_holder_list_shape;
extern const struct shape running_in_shape, running_result_shape, running_query_shape, running_list_shape;
extern const struct shape repository_in_shape, repository_shape, repository_query_shape, repository_list_shape;
extern const struct shape posture_shape, trend_query_shape, trend_shape;

#endif
