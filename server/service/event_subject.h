/* event_subject.h - which container and image an event is about, looked up once per
 * batch for all events that say the same. */
#ifndef KEEP_SERVICE_EVENT_SUBJECT_H
#define KEEP_SERVICE_EVENT_SUBJECT_H

#include "core/freshness.h"
#include "db/db.h"
#include "model/event.h"

struct image_facts;

struct event_subject {
    int64_t image_id;                    /* 0 not known */
    int by;                              /* enum event_image_by */
    const char *repository;              /* canonical; NULL not known */
    const char *digest;                  /* NULL not known */
    const char *image;                   /* as it was called; NULL not known */
    const char *namespace, *workload, *pod, *container;      /* NULL not known */
    struct image_facts *facts;           /* loaded by whoever needs them */
};

struct event_subjects;

/* node 0: none; cluster NULL: not known.  Everything lives in the arena. */
struct event_subjects *event_subjects_new(struct db *db, int64_t node, const char *cluster, const struct freshness_limits *limits,
                                          int64_t now_ms, struct arena *arena);

/* *out is shared by all events of the batch that say the same.  -1: err. */
int event_subject_of(struct event_subjects *s, const struct event *event, struct event_subject **out, struct err *err);

#endif
