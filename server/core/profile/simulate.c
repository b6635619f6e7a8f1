/* simulate.c - see simulate.h. */
#include "core/profile/simulate.h"

#include "base/str.h"
#include "core/profile/item.h"

#include <stdlib.h>
#include <string.h>

int simulation_init(struct simulation *s, const struct profile_compiled *profile, struct arena *arena, struct err *err)
{
    *s = (struct simulation){ .profile = profile, .arena = arena };
    s->departures = arena_array(arena, SIMULATION_DEPARTURES_MAX, sizeof *s->departures);
    return s->departures == NULL ? err_nomem(err) : 0;
}

static struct departure *find(struct simulation *s, const struct drift_finding *f)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->departures[i].finding.rule == f->rule && str_eq(s->departures[i].finding.subject, f->subject))
            return &s->departures[i];
    }
    if (s->n == SIMULATION_DEPARTURES_MAX) {
        s->is_cut = true;
        return NULL;
    }
    struct departure *d = &s->departures[s->n++];
    d->finding = *f;
    d->first_ms = INT64_MAX;
    d->last_ms = INT64_MIN;
    return d;
}

static int note_place(struct simulation *s, struct departure *d, const struct event *e, struct err *err)
{
    const char *namespace = e->place.namespace, *name = e->place.workload != NULL ? e->place.workload : e->place.pod;
    const char *place;

    if (name == NULL)
        name = e->container.name;
    if (name == NULL || d->n_workloads == SIMULATION_WORKLOADS_MAX)
        return 0;
    place = namespace != NULL ? arena_printf(s->arena, "%s/%s", namespace, name) : arena_strdup(s->arena, name);
    if (place == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < d->n_workloads; i++) {
        if (str_eq(d->workloads[i], place))
            return 0;
    }
    d->workloads[d->n_workloads++] = place;
    return 0;
}

int simulation_add(struct simulation *s, const struct event *event, struct err *err)
{
    struct drift_finding found[DRIFT_MAX];
    size_t n = drift_decide(s->profile, event, NULL, found);
    int64_t count = event_weight(event);

    s->examined += count;
    s->departing += n > 0 ? count : 0;
    for (size_t i = 0; i < n; i++) {
        struct departure *d = find(s, &found[i]);
        if (d == NULL)
            continue;
        d->n += count;
        d->first_ms = event->at_ms < d->first_ms ? event->at_ms : d->first_ms;
        d->last_ms = event->at_ms > d->last_ms ? event->at_ms : d->last_ms;
        if (note_place(s, d, event, err) != 0)
            return -1;
    }
    return 0;
}

static int by_weight(const void *a, const void *b)
{
    const struct departure *x = a, *y = b;

    if (x->finding.severity != y->finding.severity)
        return x->finding.severity - y->finding.severity;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->finding.subject, y->finding.subject);
}

void simulation_sort(struct simulation *s)
{
    if (s->n > 1)
        qsort(s->departures, s->n, sizeof *s->departures, by_weight);
}
