/* judge_events.h - a batch of events from its decoded form to rows: judged on a worker,
 * recorded on the writer.
 *
 * Judging says for each event which alerts it would raise; recording counts only those
 * events that are new.  So a batch that is repeated, or overlaps, judges again and
 * changes nothing again. */
#ifndef KEEP_SERVICE_JUDGE_EVENTS_H
#define KEEP_SERVICE_JUDGE_EVENTS_H

#include "model/event.h"
#include "service/alerts.h"
#include "service/call.h"
#include "service/event_subject.h"
#include "store/event.h"

struct suppression;

/* An event raises a draft, or would have, were it not for a suppression. */
struct strike {
    size_t draft;                        /* index of judged_batch.drafts */
    struct strike *next;
};
struct silenced {
    size_t suppression;
    struct silenced *next;
};

struct judged_event {
    const struct event *event;
    const struct event_subject *subject;
    struct bytes document;
    unsigned char key[EVENT_KEY_LEN];
    bool has_key;
    struct strike *strikes;              /* the gravest first */
    struct silenced *silenced;
};

/* An alert as this batch would raise it. */
struct draft {
    struct alert_signal signal;          /* without numbers: recording counts */
    char key[ALERT_KEY_TEXT];
    int64_t newest[20]; size_t n_newest;
    int64_t alert_id;
};

enum { DRAFTS_MAX = 256 };               /* different alerts of one batch; what is past them is counted on the last */

struct judged_batch {
    int64_t node;                        /* 0: sent by none */
    int64_t lookup;                      /* whose containers are looked at; 0 nobody's */
    struct event_node facts;
    struct judged_event *events; size_t n_events;
    struct draft *drafts; size_t n_drafts;
    const struct suppression *suppressions; size_t n_suppressions;
    int64_t *hits;                       /* per suppression */
    /* of recording */
    int64_t n_new, n_alerting, n_silenced, first_id;
};

/* On a worker, with a read transaction. */
int judge_events(struct call *c, const struct event *events, size_t n, struct judged_batch *b, struct err *err);

/* On the writer: events whose seq is above `through` become rows with the next ids; seq
 * numbers of events that have none are given from through + 1 on.  May be run again. */
int record_events(struct call *c, struct judged_batch *b, int64_t through, struct err *err);

#endif
