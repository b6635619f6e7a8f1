/* walls.h - the agent's one place for the walls (agent/wall/wall.h): opened at the start,
 * given the profiles of every bundle that is applied, told of the containers of every
 * inventory, asked for the status.  Where there is none, that is what the status says. */
#ifndef KEEP_AGENT_WALLS_H
#define KEEP_AGENT_WALLS_H

#include "agent/inventory/inventory.h"
#include "agent/settings.h"
#include "agent/spool.h"
#include "base/log.h"
#include "base/str.h"
#include "wire/msg/node.h"

struct walls;

/* Never fails for want of a wall: *out then says why there is none. */
int walls_open(const struct settings *settings, struct spool *spool, const struct log *log, struct walls **out, struct err *err);
void walls_close(struct walls *w);       /* NULL-safe; what is enforced stays until its lease ends */

/* profiles.json and settings.json of the bundle in force. */
int walls_bundle(struct walls *w, struct bytes profiles, struct bytes settings, struct err *err);
void walls_inventory(struct walls *w, const struct inventory *inventory);

/* The report's part; texts live in the arena. */
int walls_status(struct walls *w, struct arena *arena, struct status_walls *out, struct err *err);

#endif
