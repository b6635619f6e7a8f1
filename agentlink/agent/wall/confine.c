#include "agent/wall/internal.h"
#include "agent/wall/built.h"
#ifdef KEEP_WALL_BUILT
int wall_confine(struct wall *w, struct err *err)
{
    (void)w, (void)err;
    return 0;
}
#endif
