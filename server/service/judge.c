/* judge.c - see judge.h. */
#include "service/judge.h"

int judge_affected(struct call *c, const char *cause, const struct recheck_scope *scope, struct err *err)
{
    static const struct recheck_scope everything = { 0 };

    if (recheck_mark(c->db, scope == NULL ? &everything : scope, c->arena, NULL, err) != 0)
        return err_prefix(err, "%s", cause);
    return 0;
}
