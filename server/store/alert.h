/* alert.h - departures somebody has to look at. */
#ifndef KEEP_STORE_ALERT_H
#define KEEP_STORE_ALERT_H

#include "db/db.h"
#include "model/alert.h"

extern const struct db_queries alert_queries;

enum { ALERT_NEWEST = 20 };              /* of its events an alert remembers so many */

struct alert_row {
    int64_t id;
    const char *dedupe, *rule, *subject, *title, *repository, *digest, *cluster, *namespace, *workload, *changed_by, *note, *newest,
               *story;
    int state, rule_kind, base_severity, severity;
    int64_t image_id, node;              /* 0 none */
    int64_t n, n_denied, episode, first_ms, last_ms, changed_ms;
    const char *node_id, *node_name;     /* joined; NULL none */
};

/* 1 found, 0 not, -1. */
int alert_find(struct db *db, const char *dedupe, struct arena *arena, struct alert_row *out, struct err *err);
/* Gives it the next id. */
int alert_insert(struct db *db, struct alert_row *row, struct err *err);
/* All that events change: numbers, severity, state, episode, story, newest. */
int alert_update(struct db *db, const struct alert_row *row, struct err *err);
/* The one setter of states by people; ERR_CONFLICT when it is not one that may follow. */
int alert_set_state(struct db *db, int64_t id, int state, const char *by, const char *note, int64_t now_ms, struct err *err);
int alert_get(struct db *db, int64_t id, struct arena *arena, struct alert_row *out, struct err *err);

/* Newest event first.  NULL, -1, 0: any. */
struct alert_filter {
    int state;                           /* -1 any */
    int severity;                        /* this grave or graver; -1 any */
    const char *rule, *cluster, *namespace, *repository, *digest, *text;
    int64_t before_ms, before_id, limit, examine;
};
int alert_list(struct db *db, const struct alert_filter *f, struct arena *arena, struct alert_row **out, size_t *n,
               int64_t *next_ms, int64_t *next_id, struct err *err);

/* Those that are not resolved, by rule and repository, the gravest first. */
struct alert_group {
    const char *rule, *repository;
    int rule_kind, severity;             /* of the gravest */
    int64_t n_alerts, n_open, n, first_ms, last_ms, example;         /* example: the newest's id */
};
int alert_groups(struct db *db, int64_t limit, struct arena *arena, struct alert_group **out, size_t *n, struct err *err);

/* Resolved ones whose last event is older. */
int alert_retain(struct db *db, int64_t before_ms, int64_t portion, int64_t *dropped, struct err *err);

/* Open ones by severity, for metrics: counts[8]. */
int alert_count_open(struct db *db, int64_t counts[8], struct err *err);

#endif
