/* exception_make.c - see exception_make.h. */
#include "service/exception_make.h"
#include "core/life.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "store/exception.h"
#include "wire/msg/exception.h"

#include <string.h>

/* The name in a package scope: "openssl@3.0.11" -> "openssl", "@acme/ui@1.0" ->
 * "@acme/ui"; of a purl the last segment before the version. */
static const char *package_name(struct arena *arena, const char *scope)
{
    size_t start = 0, end = strcspn(scope, "?#");

    if (str_starts(scope, "pkg:"))
        for (size_t i = 0; i < end; i++)
            if (scope[i] == '/')
                start = i + 1;
    for (size_t i = end; i-- > start + 1 && scope[i] != '/';)
        if (scope[i] == '@') {
            end = i;
            break;
        }
    return arena_strndup(arena, scope + start, end - start);
}

int exception_scope(struct call *c, const struct exception *e, struct recheck_scope *out, struct err *err)
{
    struct recheck_scope scope = {
        .repository = e->repository, .digest = e->digest, .vulnerability = e->vulnerability,
        .namespace = e->namespace,
    };

    if (e->package != NULL && (scope.package = package_name(c->arena, e->package)) == NULL)
        return err_nomem(err);
    *out = scope;
    return 0;
}

void exception_set_state(struct exception *e, int64_t now_ms)
{
    e->state = life_word(life_at(TIME_UNKNOWN, e->expires_ms, e->revoked_ms, now_ms), "active");
}

static int judge_scope(struct call *c, const struct exception *e, struct err *err)
{
    struct recheck_scope scope;
    const char *cause = arena_printf(c->arena, "exception %s", e->id);

    if (cause == NULL)
        return err_nomem(err);
    if (exception_scope(c, e, &scope, err) != 0)
        return -1;
    return judge_affected(c, cause, &scope, err);
}

int exception_make(struct call *c, struct exception *e, struct err *err)
{
    e->id = id_new(c->arena, "exc_");
    if (e->id == NULL)
        return err_nomem(err);
    e->created_ms = c->now_ms;
    e->created_by = c->caller->name;
    e->revoked_ms = TIME_UNKNOWN;
    exception_set_state(e, c->now_ms);
    if (exception_insert(c->db, e, err) != 0 || judge_scope(c, e, err) != 0)
        return -1;
    return audit_change(c, "create", "exception", e->id, &exception_shape, NULL, e, err);
}

int exception_take_back(struct call *c, const char *id, struct err *err)
{
    struct exception before, after;
    bool changed;

    if (exception_get(c->db, id, c->arena, &before, err) != 0 ||
        exception_revoke(c->db, id, c->now_ms, &changed, err) != 0 ||
        exception_get(c->db, id, c->arena, &after, err) != 0)
        return -1;
    exception_set_state(&before, c->now_ms);
    exception_set_state(&after, c->now_ms);
    if (changed && judge_scope(c, &after, err) != 0)
        return -1;
    return audit_change(c, "revoke", "exception", id, &exception_shape, &before, &after, err);
}

int vulnerability_name(struct call *c, const char *path, const char *text, const char **out, struct err *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:";
    size_t len = strlen(text);
    char *copy = arena_strdup(c->arena, text);

    if (copy == NULL)
        return err_nomem(err);
    if (len < 3 || len > 128 || text[strspn(text, allowed)] != '\0')
        return err_set(err, ERR_INVALID, "%s: not the name of a vulnerability, like CVE-2021-44228", path);
    if (len > 4 && strncasecmp(copy, "cve-", 4) == 0)
        memcpy(copy, "CVE-", 4);
    *out = copy;
    return 0;
}
