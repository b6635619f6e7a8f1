/* image.h - shapes of everything about one image and lists of them. */
#ifndef KEEP_WIRE_MSG_IMAGE_H
#define KEEP_WIRE_MSG_IMAGE_H

#include "model/answer.h"
#include "wire/shape.h"

extern const struct shape image_shape, image_counts_shape, image_query_shape, image_list_shape, image_detail_shape;
extern const struct shape image_new_shape, image_brief_shape;
extern const struct shape verdict_shape, reason_shape, verdict_list_shape;
extern const struct shape finding_shape, finding_query_shape, finding_list_shape;
extern const struct shape package_shape, package_query_shape, package_list_shape;
extern const struct shape issue_list_shape, change_list_shape;
extern const struct shape place_shape;

#endif
