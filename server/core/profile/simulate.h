/* simulate.h - a profile asked about what has happened already: would it have been
 * reported, and denied?  Pure; nothing is counted anywhere else. */
#ifndef KEEP_CORE_PROFILE_SIMULATE_H
#define KEEP_CORE_PROFILE_SIMULATE_H

#include "core/drift.h"

enum { SIMULATION_DEPARTURES_MAX = 500, SIMULATION_WORKLOADS_MAX = 5 };

struct departure {
    struct drift_finding finding;
    int64_t n, first_ms, last_ms;
    const char *workloads[SIMULATION_WORKLOADS_MAX]; size_t n_workloads;
};

struct simulation {
    const struct profile_compiled *profile;
    struct arena *arena;                 /* departures, workloads */
    struct departure *departures; size_t n;      /* room for SIMULATION_DEPARTURES_MAX */
    int64_t examined, departing;
    bool is_cut;                         /* there were more different departures than that */
};

/* -1: arena full. */
int simulation_init(struct simulation *s, const struct profile_compiled *profile, struct arena *arena, struct err *err);
int simulation_add(struct simulation *s, const struct event *event, struct err *err);
/* Most severe, then most frequent first. */
void simulation_sort(struct simulation *s);

#endif
