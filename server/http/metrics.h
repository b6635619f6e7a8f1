/* metrics.h - counters, gauges and histograms with fixed label sets.
 *
 * Everything is declared at start-up; afterwards only atomics change, so
 * counting never locks, never allocates, and no request can add a time series.
 * Written in the Prometheus text format 0.0.4. */
#ifndef KEEP_HTTP_METRICS_H
#define KEEP_HTTP_METRICS_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct metrics;
struct metric;

enum metric_type { METRIC_COUNTER = 0, METRIC_GAUGE, METRIC_HISTOGRAM };

/* Texts and lists are borrowed and must outlive the metrics. */
struct metric_desc {
    const char *name, *help;                 /* "keepd_requests_total" */
    enum metric_type type;
    const char *label_a;  const char *const *values_a;  size_t n_a;    /* no labels: NULL, NULL, 0 */
    const char *label_b;  const char *const *values_b;  size_t n_b;    /* not for histograms */
};

int metrics_new(struct metrics **out, struct err *err);
void metrics_free(struct metrics *m);        /* NULL-safe */

/* Before serving starts only.  *out lives as long as m. */
int metrics_add(struct metrics *m, const struct metric_desc *desc, struct metric **out, struct err *err);

/* A gauge or counter read when the metrics are written. */
int metrics_read(struct metrics *m, const char *name, const char *help, enum metric_type type,
                 int64_t (*value)(void *arg), void *arg, struct err *err);

/* Indexes outside the label sets, and a NULL metric, are ignored. */
void metric_count(struct metric *m, size_t a, size_t b, int64_t delta);
void metric_set(struct metric *m, size_t a, size_t b, int64_t value);
void metric_observe(struct metric *m, size_t a, int64_t us);         /* microseconds; shown in seconds */
int64_t metric_get(const struct metric *m, size_t a, size_t b);      /* histograms: number of observations */

void metrics_write(const struct metrics *m, struct buf *b);

#endif
