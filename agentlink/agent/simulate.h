/* simulate.h - a fleet of honest agents in one process and one thread: they enrol, get
 * sessions, poll for bundles, send events and inventories as keep-agent does, and what
 * the server made of it is counted and timed. */
#ifndef KEEP_AGENT_SIMULATE_H
#define KEEP_AGENT_SIMULATE_H

#include "agent/identity.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct simulate_config {
    const char *server, *ca_file, *token;    /* join token */
    const char *prefix;                  /* of their names */
    int64_t nodes;
    int64_t events_per_s;                /* of all together; 0: none */
    int64_t batch;                       /* events of a batch */
    int64_t duration_ms;                 /* after all are enrolled */
    int64_t wait_s;                      /* held polls; 0: not held */
    int64_t poll_interval_ms;
    int64_t containers;                  /* of each inventory; 0: none is sent */
    int64_t inventory_interval_ms;
    int64_t at_once;                     /* enrolments and sessions under way */
};

/* Polls that the server held: their time is how long nothing was new. */
enum simulate_kind {
    SIM_ENROLL = 0, SIM_SESSION, SIM_POLL_NEW, SIM_POLL_SAME, SIM_POLL_HELD, SIM_EVENTS, SIM_INVENTORY, SIM_KIND_N
};

/* Times in buckets, each an eighth wider than the one before. */
enum { SIM_BUCKETS = 256 };
struct simulate_times {
    int64_t n, failed, max_us;
    int64_t buckets[SIM_BUCKETS];
};

struct simulate_result {
    struct simulate_times times[SIM_KIND_N];
    int64_t enrolled, sessions, events, batches, containers, refused, repeated, revoked;
    int64_t enroll_ms, run_ms;           /* how long the two parts took */
    /* the newest bundle that was seen, and how it spread */
    char etag[96];
    int64_t spread_nodes, spread_ms;     /* from the first node that had it to the last */
    char problem[200];                   /* the last thing that went wrong */
};

void simulate_time(struct simulate_times *t, int64_t us);
int64_t simulate_percentile(const struct simulate_times *t, int percent_tenths);   /* 999: p99.9 */

/* *stop: ends early.  Fails only when nothing can be sent at all. */
int simulate_run(const struct simulate_config *c, const bool *stop, struct simulate_result *out, struct err *err);

void simulate_print(const struct simulate_config *c, const struct simulate_result *r, FILE *out);
void simulate_json(const struct simulate_config *c, const struct simulate_result *r, struct buf *out);

#endif
