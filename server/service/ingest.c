/* ingest.c - see events.h, ingest.h: counters, retention. */
#include "service/ingest.h"

#include "base/time.h"
#include "store/alert.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { PORTION = 2000, ALERT_PORTION = 500, BUDGETS = 4096 };
static const int64_t alert_life_ms = 180 * MS_DAY;

/* How many new alerts a node raised in this hour.  Two nodes in one place share it: that
 * costs details in a flood, nothing else. */
struct budget {
    int64_t hour, n;
};

struct ingest {
    struct budget budgets[BUDGETS];      /* the writer's */
    atomic_llong counts[INGEST_N];
    atomic_llong open[8];                /* alerts by severity, as of the last look */
    atomic_llong looked_ms;
};

int ingest_open(struct app *app, struct err *err)
{
    app->ingest = calloc(1, sizeof *app->ingest);
    return app->ingest != NULL ? 0 : err_nomem(err);
}

void ingest_close(struct app *app)
{
    free(app->ingest);
    app->ingest = NULL;
}

void ingest_count(struct app *app, enum ingest_count what, int64_t n)
{
    if (app->ingest != NULL && n != 0)
        atomic_fetch_add_explicit(&app->ingest->counts[what], n, memory_order_relaxed);
}

static struct budget *budget_of(struct app *app, int64_t node, int64_t now_ms)
{
    struct budget *b = &app->ingest->budgets[(uint64_t)node % BUDGETS];

    if (b->hour != now_ms / MS_HOUR)
        *b = (struct budget){ .hour = now_ms / MS_HOUR };
    return b;
}

bool ingest_may_raise(struct app *app, int64_t node, int64_t now_ms)
{
    return app->ingest == NULL || budget_of(app, node, now_ms)->n < ALERTS_PER_HOUR;
}

void ingest_raised(struct app *app, int64_t node, int64_t now_ms)
{
    if (app->ingest != NULL)
        budget_of(app, node, now_ms)->n++;
}

void ingest_count_batch(struct app *app, const struct judged_batch *b, int64_t dropped)
{
    int64_t unknown = 0;

    for (size_t i = 0; i < b->n_events; i++)
        unknown += b->events[i].subject->image_id == 0;
    ingest_count(app, INGEST_BATCHES, 1);
    ingest_count(app, INGEST_EVENTS, b->n_new);
    ingest_count(app, INGEST_DROPPED, dropped);
    ingest_count(app, INGEST_ALERTING, b->n_alerting);
    ingest_count(app, INGEST_SUPPRESSED, b->n_silenced);
    ingest_count(app, INGEST_UNKNOWN_IMAGE, unknown);
}

void ingest_metrics(struct app *app, struct buf *out)
{
    static const struct { const char *name, *help; } rows[INGEST_N] = {
        [INGEST_BATCHES] = { "keepd_event_batches_total", "Batches of events recorded." },
        [INGEST_EVENTS] = { "keepd_events_total", "Events recorded." },
        [INGEST_REPEATED] = { "keepd_event_batches_repeated_total", "Batches that were stored already." },
        [INGEST_REFUSED] = { "keepd_event_batches_refused_total", "Batches that left out numbers of their stream." },
        [INGEST_DROPPED] = { "keepd_events_dropped_total", "Events that nodes say they lost." },
        [INGEST_ALERTING] = { "keepd_events_alerting_total", "Events that raised an alert or added to one." },
        [INGEST_SUPPRESSED] = { "keepd_events_suppressed_total", "Events whose alert a suppression kept back." },
        [INGEST_UNKNOWN_IMAGE] = { "keepd_events_unknown_image_total", "Events whose image is not known." },
        [INGEST_FORGOTTEN] = { "keepd_events_forgotten_total", "Events deleted because there are newer ones, or by age." },
    };
    struct ingest *g = app->ingest;

    if (g == NULL)
        return;
    for (size_t i = 0; i < INGEST_N; i++)
        buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %lld\n", rows[i].name, rows[i].help, rows[i].name, rows[i].name,
                   atomic_load(&g->counts[i]));
    buf_puts(out, "# HELP keepd_alerts_open Open alerts by severity (0 emergency, 4 warning).\n# TYPE keepd_alerts_open gauge\n");
    for (int i = 0; i < 8; i++)
        buf_printf(out, "keepd_alerts_open{severity=\"%d\"} %lld\n", i, atomic_load(&g->open[i]));
}

/* Once a minute: a gauge need not be of this second. */
static int look(struct app *app, struct db *db, int64_t now_ms, struct err *err)
{
    struct ingest *g = app->ingest;
    int64_t counts[8];

    if (g == NULL || now_ms - atomic_load(&g->looked_ms) < MS_MINUTE)
        return 0;
    if (alert_count_open(db, counts, err) != 0)
        return -1;
    for (int i = 0; i < 8; i++)
        atomic_store(&g->open[i], counts[i]);
    atomic_store(&g->looked_ms, now_ms);
    return 0;
}

int ingest_retain(struct app *app, struct db *db, int64_t now_ms, bool *more, struct err *err)
{
    const struct settings *s = &app->settings;
    int64_t events = 0, alerts = 0;

    if (look(app, db, now_ms, err) != 0 ||
        event_retain(db, now_ms - s->retain_events_ms, s->retain_events, PORTION, &events, err) != 0 ||
        alert_retain(db, now_ms - alert_life_ms, ALERT_PORTION, &alerts, err) != 0)
        return -1;
    ingest_count(app, INGEST_FORGOTTEN, events);
    *more = events >= PORTION || alerts >= ALERT_PORTION;
    return 0;
}
