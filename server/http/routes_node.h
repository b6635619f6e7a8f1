/* routes_node.h - rows of the route table: how nodes come, and who sees them. */
#ifndef KEEP_HTTP_ROUTES_NODE_H
#define KEEP_HTTP_ROUTES_NODE_H

#include "service/call.h"

extern const struct route routes_node[];
extern const size_t n_routes_node;

#endif
