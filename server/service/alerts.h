/* alerts.h - from a departure to an alert: deduplicated, counted, raised by denied
 * attempts, opened again when it comes back.
 *
 * Two departures are the same when rule, subject, repository (or, without one, the
 * image as it was called), cluster, namespace and workload are. */
#ifndef KEEP_SERVICE_ALERTS_H
#define KEEP_SERVICE_ALERTS_H

#include "base/arena.h"
#include "db/db.h"

#include <stddef.h>
#include <stdint.h>

enum { ALERT_KEY_TEXT = 33, ALERT_SUBJECT_MAX = 512, ALERT_TITLE_MAX = 400 };

/* What somebody noticed, once or n times.  Texts may be NULL; too long ones are cut. */
struct alert_signal {
    int rule_kind;                       /* enum alert_rule_kind */
    const char *rule, *subject, *title;
    int severity;                        /* of the gravest; as events have it, 0 worst */
    int64_t image_id;                    /* 0 not known */
    const char *repository, *digest, *image;      /* image: as the source calls it, where there is no repository */
    const char *cluster, *namespace, *workload;
    int64_t node;                        /* 0 none */
    int64_t n, n_denied, first_ms, last_ms;
    const int64_t *events; size_t n_events;       /* ids of the newest, oldest first */
    const char *story;                   /* JSON, for when it is new; NULL: {} */
};

/* The key of a signal, hex. */
void alert_key(const struct alert_signal *s, char out[ALERT_KEY_TEXT]);

/* Inside a write transaction: adds to the alert, opens it, or opens it again.  *id may
 * be NULL. */
int alert_raise(struct db *db, const struct alert_signal *s, int64_t now_ms, struct arena *arena, int64_t *id, struct err *err);

/* The same, but only when it is there already: 1, else 0.  For who must not make more. */
int alert_add(struct db *db, const struct alert_signal *s, int64_t now_ms, struct arena *arena, int64_t *id, struct err *err);

/* What a node gets that raises more different ones than it may. */
extern const struct alert_signal alert_flood;

/* How grave an alert is after n_denied prevented attempts: one step at 5, two at 50,
 * never past 1 (alert).  Pure. */
int alert_raised_severity(int base, int64_t n_denied);

/* A departure of a node itself (ALERT_NODE): a new stream, drops, a jump, a bundle it
 * refuses.  Inside a write transaction. */
int alert_node(struct db *db, int64_t node, const char *rule, const char *subject, int severity, const char *title,
               int64_t now_ms, struct arena *arena, struct err *err);

#endif
