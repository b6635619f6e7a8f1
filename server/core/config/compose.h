/* compose.h - between the reader of Compose files and that of their services. */
#ifndef KEEP_CORE_CONFIG_COMPOSE_H
#define KEEP_CORE_CONFIG_COMPOSE_H

#include "core/config/config_internal.h"

/* Fills the box from a merged service; `root` is the merged file, for its volumes.  ERR_UNAVAILABLE. */
int compose_box(struct arena *a, const struct json *root, const struct json *service, struct box *b, struct err *err);

#endif
