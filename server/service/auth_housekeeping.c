/* auth_housekeeping.c - the writes that auth.h leaves for later. */
#include "service/auth.h"
#include "base/time.h"
#include "store/api_token.h"
#include "store/idempotency.h"
#include "store/login_link.h"
#include "store/session.h"

#include <stdlib.h>

enum { KEEP_ANSWERS_HOURS = 24 };

struct batch {
    size_t n;
    struct touch touches[TOUCHED_MAX];
};

static int write_batch(struct db *db, void *arg, struct err *err)
{
    const struct batch *b = arg;

    for (size_t i = 0; i < b->n; i++) {
        const struct touch *t = &b->touches[i];
        int rc = t->kind == TOUCHED_TOKEN ? api_token_touch(db, t->id, t->at_ms, t->from, err)
                                          : session_touch(db, t->id, t->at_ms, err);
        if (rc != 0)
            return -1;
    }
    return 0;
}

int auth_flush_touched(struct app *app, struct err *err)
{
    struct batch *b = malloc(sizeof *b);
    int rc = 0;

    if (b == NULL)
        return err_nomem(err);
    b->n = touched_take(app->touched, b->touches);
    if (b->n > 0)
        rc = writer_call(app->writer, write_batch, b, err);
    if (rc != 0)
        for (size_t i = 0; i < b->n; i++)
            touched_add(app->touched, b->touches[i].kind, b->touches[i].id, b->touches[i].from, b->touches[i].at_ms);
    free(b);
    return rc;
}

struct sweep {
    const struct settings *settings;
    int64_t now_ms;
};

static int sweep(struct db *db, void *arg, struct err *err)
{
    const struct sweep *s = arg;
    int64_t n;

    if (login_link_delete_expired(db, s->now_ms, &n, err) != 0 ||
        session_delete_expired(db, s->now_ms, s->now_ms - s->settings->session_idle_ms, &n, err) != 0)
        return -1;
    return idempotency_delete_older(db, s->now_ms - KEEP_ANSWERS_HOURS * MS_HOUR, &n, err);
}

/* What is remembered goes first: a session in use must not look idle. */
int auth_sweep(struct app *app, int64_t now_ms, struct err *err)
{
    struct sweep s = { &app->settings, now_ms };

    if (auth_flush_touched(app, err) != 0)
        return -1;
    return writer_call(app->writer, sweep, &s, err);
}
