/* judge.c - see judge.h. */
#include "service/judge.h"

#include "store/container.h"

int judge_affected(struct call *c, const char *cause, const struct recheck_scope *scope, struct err *err)
{
    static const struct recheck_scope everything = { 0 };

    if (scope == NULL && container_mark_all(c->db, err) != 0)       /* those whose image is not known, too */
        return -1;
    return recheck_mark(c->db, scope == NULL ? &everything : scope, cause, c->arena, err);
}
