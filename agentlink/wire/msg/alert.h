/* alert.h - messages about events as they come in batches, alerts, suppressions. */
#ifndef KEEP_WIRE_MSG_ALERT_H
#define KEEP_WIRE_MSG_ALERT_H

#include "model/alert.h"
#include "model/event.h"
#include "wire/msg/page.h"

extern const char *const event_severity_words[];     /* emergency .. debug */
extern const char *const event_image_by_words[];     /* "", container, digest, reference, pod */
extern const char *const alert_state_words[];        /* open, acknowledged, resolved */
extern const char *const alert_rule_kind_words[];    /* drift, policy, foreign, node */

/* ---- a batch of events ---------------------------------------------------------- */

/* Numbers of a stream end here, so that no sum with one of them runs over. */
#define STREAM_SEQ_MAX (INT64_C(1) << 53)

enum { BATCH_EVENTS_MAX = 1000, BATCH_BYTES_MAX = 2 << 20, BATCH_DROPS_MAX = 32, STREAM_LEN = 32 };

struct event_drop {
    const char *class, *reason;
    int64_t count;
};

/* Closes: n_events + sum of the counts == last_seq - first_seq + 1. */
struct event_batch {
    const char *stream;                  /* 32 hex, made by the agent with its spool */
    int64_t first_seq, last_seq;
    const struct event *events; size_t n_events;
    const struct event_drop *dropped; size_t n_dropped;
};

struct event_accepted {
    int64_t accepted_through;
    int64_t slow_ms;                     /* wait this long before the next batch */
};

struct falco_taken {
    bool stored;                         /* false: it was stored already, or carries no event */
};

extern const struct shape event_batch_shape, event_accepted_shape, falco_taken_shape;

/* ---- events as they are shown ------------------------------------------------------- */

struct event_entry {
    int64_t id, seq, alert;              /* alert 0: none */
    const char *node, *node_name, *repository, *digest;
    int image_by;
    const char *event;                   /* JSON of the event */
};

struct event_query {
    struct page_query page;
    const char *node, *image, *container;
    int kind, severity;                  /* index of the words, 0 any */
    int64_t alert;
    int64_t since_ms, until_ms;
};

extern const struct shape event_entry_shape, event_list_shape, event_query_shape;

/* ---- alerts ----------------------------------------------------------------------------- */

struct alert_entry {
    int64_t id;
    int state, rule_kind, severity;
    const char *rule, *subject, *title, *repository, *digest, *cluster, *namespace, *workload, *node, *node_name;
    int64_t n, n_denied, episode, first_ms, last_ms, changed_ms;
    const char *changed_by, *note;
    const char *story;                   /* JSON; only in the answer about one */
    const struct event_entry *events; size_t n_events;
};

struct alert_query {
    struct page_query page;
    int state, severity;                 /* index of the words with "" in front, 0 any */
    const char *rule, *cluster, *namespace, *image, *q;
};

/* All that is not resolved of one rule and repository. */
struct alert_group_entry {
    const char *rule, *repository;
    int rule_kind, severity;
    int64_t n_alerts, n_open, n, first_ms, last_ms, example;
};
struct alert_group_list {
    const struct alert_group_entry *items; size_t n_items;
};

struct alert_change {
    int state;                           /* enum alert_state + 1 */
    const char *note;
};

extern const struct shape alert_shape, alert_detail_shape, alert_list_shape, alert_query_shape, alert_change_shape, alert_group_list_shape;

/* ---- suppressions -------------------------------------------------------------------------- */

struct suppression_new {
    const char *rule, *repository, *cluster, *namespace, *workload, *subject, *reason, *expires_in;
    int64_t expires_ms;
};

struct suppression_query {
    struct page_query page;
    int state;
};

extern const char *const suppression_state_words[];
extern const struct shape suppression_shape, suppression_list_shape, suppression_new_shape, suppression_query_shape;

#endif
