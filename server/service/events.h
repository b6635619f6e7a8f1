/* events.h - taking events in: from nodes by numbered streams, and from Falco straight.
 *
 * What is answered is committed.  A batch is judged on a worker against a snapshot and
 * written in one job of the writer, which alone knows how far the stream has come: what
 * it has seen is skipped with its judgement, so that a repeat changes nothing. */
#ifndef KEEP_SERVICE_EVENTS_H
#define KEEP_SERVICE_EVENTS_H

#include "base/buf.h"
#include "service/app.h"
#include "service/call.h"

struct ingest;                       /* app->ingest: counters */

int ingest_open(struct app *app, struct err *err);
void ingest_close(struct app *app);                  /* NULL-safe */
void ingest_metrics(struct app *app, struct buf *out);

/* The housekeeper's: a portion of what is to be forgotten; *more: call again.  A job of
 * the writer. */
int ingest_retain(struct app *app, struct db *db, int64_t now_ms, bool *more, struct err *err);

/* accept_events.c, take_falco.c: prepare on a worker, run on the writer */
call_fn events_prepare, events_accept;
call_fn falco_prepare, falco_accept;

/* show_events.c */
call_fn event_page;

/* manage_alert.c */
call_fn alert_page, alert_show, alert_change, alert_group_page;

/* manage_suppression.c */
call_fn suppression_page, suppression_create, suppression_end;

#endif
