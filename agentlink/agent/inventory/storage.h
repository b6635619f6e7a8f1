/* storage.h - containers/storage: what CRI-O and Podman share. */
#ifndef KEEP_AGENT_INVENTORY_STORAGE_H
#define KEEP_AGENT_INVENTORY_STORAGE_H

#include "agent/inventory/census.h"

/* Finds the containers whose manager ("cri-o", "libpod") this is. */
void storage_scan(struct census *s, const char *manager, annotations_fn *annotations);

#endif
