/* none.c - the walls of an agent that was built where they cannot be; see wall.h. */
#include "agent/wall/wall.h"
#include "agent/wall/built.h"

#ifndef KEEP_WALL_BUILT
#include <string.h>

static int no(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "walls: %s", KEEP_WALL_WHY_NOT);
}

int wall_open(const struct wall_settings *settings, struct wall **out, struct err *err)
{
    (void)settings, (void)out;
    return no(err);
}

int wall_handover(struct wall *w, struct err *err)
{
    (void)w;
    return no(err);
}

void wall_close(struct wall *w, bool keep)
{
    (void)w, (void)keep;
}

int wall_set_profiles(struct wall *w, const struct profile *profiles, size_t n, struct err *err)
{
    (void)w, (void)profiles, (void)n;
    return no(err);
}

int wall_container_add(struct wall *w, uint64_t cgroup_id, const struct container *c, struct err *err)
{
    (void)w, (void)cgroup_id, (void)c;
    return no(err);
}

void wall_container_remove(struct wall *w, uint64_t cgroup_id)
{
    (void)w, (void)cgroup_id;
}

bool wall_container_known(struct wall *w, uint64_t cgroup_id)
{
    (void)w, (void)cgroup_id;
    return false;
}

int wall_poll(struct wall *w, int timeout_ms, wall_event_fn *on_event, void *arg, struct err *err)
{
    (void)w, (void)timeout_ms, (void)on_event, (void)arg;
    return no(err);
}

void wall_status(struct wall *w, struct wall_status *out)
{
    (void)w;
    memset(out, 0, sizeof *out);
}

int wall_off(const char *pins, const char *off_file, struct err *err)
{
    (void)pins, (void)off_file;
    return no(err);
}

int wall_on(const char *off_file, struct err *err)
{
    (void)off_file;
    return no(err);
}
#endif
