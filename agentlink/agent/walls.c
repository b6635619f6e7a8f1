/* walls.c - see walls.h: this build has no wall. */
#include "agent/walls.h"

#include <stdlib.h>

struct walls {
    bool is_wanted;
    size_t n_profiles;
};

int walls_open(const struct settings *settings, struct spool *spool, const struct log *log, struct walls **out, struct err *err)
{
    struct walls *w = calloc(1, sizeof *w);

    (void)spool, (void)log;
    if (w == NULL)
        return err_nomem(err);
    w->is_wanted = settings->walls;
    *out = w;
    return 0;
}

void walls_close(struct walls *w)
{
    free(w);
}

int walls_bundle(struct walls *w, struct bytes profiles, struct bytes settings, struct err *err)
{
    (void)w, (void)profiles, (void)settings, (void)err;
    return 0;
}

void walls_inventory(struct walls *w, const struct inventory *inventory)
{
    (void)w, (void)inventory;
}

int walls_status(struct walls *w, struct arena *arena, struct status_walls *out, struct err *err)
{
    static const struct status_rung off[] = { { "none", "walls.enabled is false" } };
    static const struct status_rung none[] = { { "none", "not built into this agent: it reports, and stops nothing" } };

    (void)arena, (void)err;
    *out = (struct status_walls){ .rung = "none", .reasons = w->is_wanted ? none : off, .n_reasons = 1 };
    return 0;
}
