/* container.h - shapes of inventories and of running containers. */
#ifndef KEEP_WIRE_MSG_CONTAINER_H
#define KEEP_WIRE_MSG_CONTAINER_H

#include "model/container_answer.h"
#include "wire/shape.h"

enum { INVENTORY_BODY_MAX = 8 * 1024 * 1024, INVENTORY_MESSAGE_MAX = 512, INVENTORY_GONE_MAX = CONTAINERS_MAX };

extern const struct shape container_shape, inventory_report_shape, inventory_answer_shape;
extern const struct shape container_query_shape, container_answer_shape, container_list_shape;
extern const char *const container_image_by_words[];     /* enum container_image_by */

/* The container as a policy sees it: as container_shape has it, but labels are an
 * object.  Check b->failed. */
void container_write_facts(const struct container *container, struct buf *b);

#endif
