/* source.h - the sources a node listens to, from settings to spool.
 *
 * A source is a followed file (tail.h) or a path of the receiver (receive.h).  Each
 * text becomes struct event and then our JSON, which goes to the keeper (the spool)
 * with its class; what cannot be read is counted per source and shown.  Files are
 * read by whoever calls sources_round, HTTP comes on the receiver's thread: the
 * keeper must bear both at once. */
#ifndef KEEP_AGENT_SOURCE_H
#define KEEP_AGENT_SOURCE_H

#include "agent/receive.h"
#include "base/err.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOURCES_MAX = 32 };

enum source_via { SOURCE_VIA_FILE = 0, SOURCE_VIA_HTTP, SOURCE_VIA_N };
extern const char *const source_via_words[];         /* "file", "http" */

/* Setting of one source, as the agent's configuration has it (source_setting_shape
 * in source.c reads it). */
struct source_setting {
    const char *name;                    /* "falco", unique: [a-z0-9-]{1,40} */
    int kind;                            /* enum event_source, EVENT_SOURCE_N: by the members */
    int via;                             /* enum source_via */
    const char *path;                    /* of the file; for http the path: "/", "/events", "/k8s-audit" (NULL: the kind's) */
    bool from_end;
};
struct shape;
extern const struct shape source_setting_shape;
extern const char *const source_kind_words[];        /* "agent" ... "k8s_audit", "auto" */

/* Where events go.  `put` takes one (not yet durable): 0, or -1 when it cannot now.
 * `sync` makes all put so far durable.  Called from two threads, one at a time each. */
struct source_keeper {
    void *ctx;
    int (*put)(void *ctx, enum event_class class, const char *json, size_t len, struct err *err);
    int (*sync)(void *ctx, struct err *err);
};

enum source_state { SOURCE_WAITING = 0, SOURCE_OK, SOURCE_FAILING, SOURCE_STATE_N };   /* waiting: no file, or nothing came yet */
extern const char *const source_state_words[];

struct source_status {
    const char *name;
    int state, kind, via;
    int64_t events;                      /* kept since the start */
    int64_t bad;                         /* texts that were no events, or too long */
    int64_t last_ms;                     /* when one came last */
    char problem[160];                   /* "" none */
};

struct sources_opts {
    const struct source_setting *settings; size_t n;
    const char *dir;                     /* keeps the places of files */
    const char *node;                    /* put into events that name no node */
    struct receive_opts receive;         /* used when a source is http */
    struct source_keeper keeper;
};

struct sources;

int sources_open(const struct sources_opts *opts, struct sources **out, struct err *err);
void sources_close(struct sources *s);   /* NULL-safe */

/* After a restart, before the first round: the origin ("NAME:INODE:OFFSET") of each event
 * that the keeper still has, in any order.  Lines that are behind the place kept, but are
 * among these, are stepped over; a crash may have kept any part of a round. */
void sources_resume(struct sources *s, const char *origin);

/* Reads what is there, at most max_lines of each file, syncs, keeps places.  *n: lines
 * read.  -1 when the keeper refused (the rest comes again). */
int sources_round(struct sources *s, size_t max_lines, size_t *n, struct err *err);

/* Waits until a file may have something new, at most timeout_ms. */
void sources_wait(struct sources *s, int timeout_ms);

/* Fills at most max rows; returns how many there are. */
size_t sources_status(struct sources *s, struct source_status *out, size_t max);
uint16_t sources_port(const struct sources *s);      /* of the receiver; 0 none */

#endif
