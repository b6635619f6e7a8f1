/* audit_change.c - see audit_change.h. */
#include "service/audit_change.h"
#include "base/buf.h"
#include "store/audit.h"

enum { OBJECT_MAX = AUDIT_RECORD_MAX / 2 - 4096 };

/* The struct as JSON text in the arena; *out stays NULL for NULL. */
static int json_of(struct call *c, const struct shape *shape, const void *object, const char **out, struct err *err)
{
    struct buf b;
    int rc = 0;

    if (object == NULL)
        return 0;
    buf_init(&b, OBJECT_MAX);
    shape_encode(shape, object, &b);
    if (b.failed)
        rc = err_set(err, ERR_TOO_LARGE, "%s is too large for the audit log", shape->name);
    else if ((*out = arena_strndup(c->arena, b.ptr, b.len)) == NULL)
        rc = err_nomem(err);
    buf_free(&b);
    return rc;
}

int audit_change_by(struct call *c, const struct caller *by, const char *action, const char *kind, const char *id,
                    const struct shape *shape, const void *before, const void *after, struct err *err)
{
    struct audit_entry entry = {
        .at_ms = c->now_ms,
        .actor = by->id, .actor_name = by->name, .role = role_word(by->role), .from = by->from,
        .action = action, .object_kind = kind, .object_id = id,
        .request_id = c->request_id,
    };

    if (json_of(c, shape, before, &entry.before, err) != 0 || json_of(c, shape, after, &entry.after, err) != 0)
        return -1;
    return audit_append(c->db, &entry, err);
}

int audit_change(struct call *c, const char *action, const char *kind, const char *id,
                 const struct shape *shape, const void *before, const void *after, struct err *err)
{
    return audit_change_by(c, c->caller, action, kind, id, shape, before, after, err);
}
