/* engines.h - the engines, one file each: see the table in inventory.c. */
#ifndef KEEP_AGENT_INVENTORY_ENGINES_H
#define KEEP_AGENT_INVENTORY_ENGINES_H

struct census;

void engine_docker(struct census *s);
void engine_crio(struct census *s);
void engine_podman(struct census *s);
void engine_containerd(struct census *s);
void engine_crun(struct census *s);
void engine_runc(struct census *s);
void engine_sandboxes(struct census *s);   /* marks what others found */

#endif
