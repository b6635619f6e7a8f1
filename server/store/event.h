/* event.h - what happened on nodes: rows, and the account of each stream. */
#ifndef KEEP_STORE_EVENT_H
#define KEEP_STORE_EVENT_H

#include "db/db.h"
#include "model/alert.h"

#include <stdbool.h>

extern const struct db_queries event_queries, event_account_queries;

enum { EVENT_KEY_LEN = 16 };

struct event_row {
    int64_t id, node, seq, at_ms;
    int kind, severity;                  /* as struct event has them */
    int64_t image_id;                    /* 0 not known */
    int image_by;
    int64_t alert_id;                    /* 0 none */
    const unsigned char *source_key;     /* EVENT_KEY_LEN bytes, or NULL */
    struct bytes document;               /* JSON */
};

/* ---- the account of a stream ---------------------------------------------------- */

/* What a batch needs to know of its node. */
struct event_node {
    const char *node_id, *name, *cluster, *stream;       /* stream "": none yet */
    int64_t bundle_version;                  /* in force there, 0 none */
};
int event_node_get(struct db *db, int64_t node, struct arena *arena, struct event_node *out, struct err *err);

/* The newest node of that id or name; 0 none. */
int event_node_named(struct db *db, const char *name, int64_t *node, struct err *err);

/* How far a stream has come: 0 when it is new. */
int event_stream_get(struct db *db, int64_t node, const char *stream, int64_t *through, bool *is_new, struct err *err);
int event_stream_put(struct db *db, int64_t node, const char *stream, int64_t through, int64_t now_ms, struct err *err);
/* Forgets all but the newest `keep` streams of a node. */
int event_stream_prune(struct db *db, int64_t node, int64_t keep, struct err *err);

/* Adds to the node's numbers; stream and through are shown. */
int event_node_account(struct db *db, int64_t node, const char *stream, int64_t through, int64_t events, int64_t dropped,
                       struct err *err);
int event_node_refused(struct db *db, int64_t node, struct err *err);
int event_drop_add(struct db *db, int64_t node, const char *class, const char *reason, int64_t n, int64_t now_ms, struct err *err);

/* ---- events ------------------------------------------------------------------------ */

/* The newest id, 0 when there is none: what is added gets the next ones. */
int event_last(struct db *db, int64_t *id, struct err *err);
int event_insert(struct db *db, const struct event_row *rows, size_t n, struct err *err);
int event_has_key(struct db *db, const unsigned char key[EVENT_KEY_LEN], bool *has, struct err *err);

/* The minute's first event; called with every batch, writes once a minute. */
int event_mark(struct db *db, int64_t first_id, int64_t now_ms, struct err *err);

/* As stored; names are joined. */
struct event_shown {
    struct event_row row;
    const char *node_id, *node_name;         /* NULL: sent by no node, or it is gone */
    const char *digest, *repository;         /* of the image; NULL not known */
};
int event_get(struct db *db, int64_t id, struct arena *arena, struct event_shown *out, struct err *err);

/* Newest first by their own time.  What an index does not answer is looked for in at
 * most `examine` rows; *next_ms, *next_id then say where to go on (0: that was all). */
struct event_filter {
    int64_t node;                            /* 0 any */
    int64_t image_id, alert_id;              /* 0 any */
    int kind, severity;                      /* -1 any; severity: this grave or graver */
    const char *container;                   /* id or its beginning; NULL any */
    int64_t since_ms;                        /* TIME_UNKNOWN: any */
    int64_t before_ms, before_id;            /* the last of the page before, or until */
    int64_t limit, examine;
};
int event_list(struct db *db, const struct event_filter *f, struct arena *arena, struct event_shown **out, size_t *n,
               int64_t *next_ms, int64_t *next_id, struct err *err);

/* ---- retention ------------------------------------------------------------------------ */

/* Deletes at most `portion` of the oldest that are older than before_ms or more than
 * `keep`; *dropped says how many. */
int event_retain(struct db *db, int64_t before_ms, int64_t keep, int64_t portion, int64_t *dropped, struct err *err);

/* ---- which image ------------------------------------------------------------------------ */

/* A container the node reported: 1 found, 0 not (or its beginning fits several), -1. */
struct event_container_row {
    const char *container_id, *image_ref, *digest, *repository, *name, *cluster, *namespace, *pod, *workload, *service;
    int64_t image_id;                        /* 0 not known */
};
int event_container(struct db *db, int64_t node, const char *id, struct arena *arena, struct event_container_row *out,
                    struct err *err);
/* By its pod and name in the cluster; several of the same image are one. */
int event_container_of_pod(struct db *db, const char *cluster, const char *namespace, const char *pod, const char *name,
                           struct arena *arena, struct event_container_row *out, struct err *err);

#endif
