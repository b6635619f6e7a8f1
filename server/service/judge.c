/* judge.c - see judge.h. */
#include "service/judge.h"

int judge_affected(struct call *c, const char *cause, const struct recheck_scope *scope, struct err *err)
{
    static const struct recheck_scope everything = { 0 };

    return recheck_mark(c->db, scope == NULL ? &everything : scope, cause, c->arena, err);
}
