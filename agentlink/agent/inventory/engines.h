/* engines.h - the engines, one file each: see the table in inventory.c. */
#ifndef KEEP_AGENT_INVENTORY_ENGINES_H
#define KEEP_AGENT_INVENTORY_ENGINES_H

struct scan;

void engine_docker(struct scan *s);
void engine_crio(struct scan *s);
void engine_podman(struct scan *s);
void engine_containerd(struct scan *s);
void engine_crun(struct scan *s);
void engine_runc(struct scan *s);
void engine_sandboxes(struct scan *s);   /* marks what others found */

#endif
