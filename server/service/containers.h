/* containers.h - what runs on nodes: taking reports, judging, answering questions. */
#ifndef KEEP_SERVICE_CONTAINERS_H
#define KEEP_SERVICE_CONTAINERS_H

#include "service/call.h"

call_fn inventory_take, container_page, container_show, node_container_page;

/* Which image a container runs: by its manifest's digest, its configuration's, or
 * by what its tag pointed to last.  An unknown one with repository and digest
 * becomes an image that was never scanned.  *id 0: not known. */
struct container;
int container_image_of(struct app *app, struct db *db, const struct container *container, int64_t now_ms, struct arena *arena,
                       int64_t *id, int *by, struct err *err);

/* Judges up to `max` containers that are due, by the policies of stage run; *n: how
 * many there were.  One transaction of the writer. */
int containers_judge_due(struct app *app, struct db *db, int64_t now_ms, size_t max, size_t *n, struct err *err);

/* Forgets containers of nodes that were not heard of for so many days: until then
 * they are shown with their node's state.  Up to `max` of one node; *n: how many.  Should
 * the node come back, it is asked for all it runs. */
enum { CONTAINERS_LOST_DAYS = 7 };
int containers_forget_lost(struct app *app, struct db *db, int64_t now_ms, size_t max, size_t *n, struct err *err);

#endif
