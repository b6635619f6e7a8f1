/* simulate_print.c - what a simulated fleet saw, for people and as JSON. */
#include "agent/simulate.h"

#include "base/time.h"
#include "wire/jsonw.h"

static const char *const words[SIM_KIND_N] = { "enroll", "session", "poll_new", "poll_same", "poll_held", "events", "inventory" };

/* Bucket i ends at bound(i); each is about an eighth wider than the one before. */
static int64_t bound(int i)
{
    int64_t base = INT64_C(8) << (i / 8);

    return base + base * (i % 8) / 8;
}

void simulate_time(struct simulate_times *t, int64_t us)
{
    int i = 0;

    while (i < SIM_BUCKETS - 1 && bound(i) < us)
        i++;
    t->buckets[i]++;
    t->n++;
    if (us > t->max_us)
        t->max_us = us;
}

int64_t simulate_percentile(const struct simulate_times *t, int tenths)
{
    int64_t want = (t->n * tenths + 999) / 1000, seen = 0;

    for (int i = 0; i < SIM_BUCKETS && t->n > 0; i++) {
        seen += t->buckets[i];
        if (seen >= want)
            return bound(i) < t->max_us ? bound(i) : t->max_us;
    }
    return t->max_us;
}

static double rate(int64_t n, int64_t ms)
{
    return ms > 0 ? (double)n * 1000 / (double)ms : 0;
}

static int64_t time_of(const struct simulate_result *r, int kind)
{
    return kind == SIM_ENROLL || kind == SIM_SESSION ? r->enroll_ms : r->run_ms;
}

void simulate_print(const struct simulate_config *c, const struct simulate_result *r, FILE *out)
{
    fprintf(out, "%lld nodes: %lld enrolled, %lld sessions in %.1f s; then %.1f s\n", (long long)c->nodes, (long long)r->enrolled,
            (long long)r->sessions, (double)r->enroll_ms / 1000, (double)r->run_ms / 1000);
    fprintf(out, "%-10s %10s %8s %10s %9s %9s %9s %9s\n", "what", "answers", "failed", "a second", "p50 ms", "p90 ms", "p99 ms", "max ms");
    for (int k = 0; k < SIM_KIND_N; k++) {
        const struct simulate_times *t = &r->times[k];
        if (t->n + t->failed == 0)
            continue;
        fprintf(out, "%-10s %10lld %8lld %10.1f %9.2f %9.2f %9.2f %9.2f\n", words[k], (long long)t->n, (long long)t->failed,
                rate(t->n, time_of(r, k)), (double)simulate_percentile(t, 500) / 1000, (double)simulate_percentile(t, 900) / 1000,
                (double)simulate_percentile(t, 990) / 1000, (double)t->max_us / 1000);
    }
    fprintf(out, "events: %lld accepted, %.0f a second; batches refused %lld, sent again %lld\n", (long long)r->events,
            rate(r->events, r->run_ms), (long long)r->refused, (long long)r->repeated);
    if (r->etag[0] != '\0')
        fprintf(out, "newest bundle %s: on %lld nodes, the last %.2f s after the first\n", r->etag, (long long)r->spread_nodes,
                (double)r->spread_ms / 1000);
    if (r->revoked > 0)
        fprintf(out, "revoked: %lld\n", (long long)r->revoked);
    if (r->problem[0] != '\0')
        fprintf(out, "last problem: %s\n", r->problem);
}

static void json_times(const struct simulate_result *r, int k, struct jsonw *w)
{
    const struct simulate_times *t = &r->times[k];

    jsonw_key(w, words[k]);
    jsonw_object(w);
    jsonw_kint(w, "answers", t->n);
    jsonw_kint(w, "failed", t->failed);
    jsonw_key(w, "per_second");
    jsonw_num(w, rate(t->n, time_of(r, k)));
    jsonw_kint(w, "p50_us", simulate_percentile(t, 500));
    jsonw_kint(w, "p90_us", simulate_percentile(t, 900));
    jsonw_kint(w, "p99_us", simulate_percentile(t, 990));
    jsonw_kint(w, "max_us", t->max_us);
    jsonw_object_end(w);
}

void simulate_json(const struct simulate_config *c, const struct simulate_result *r, struct buf *out)
{
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_kint(&w, "nodes", c->nodes);
    jsonw_kint(&w, "enrolled", r->enrolled);
    jsonw_kint(&w, "sessions", r->sessions);
    jsonw_kint(&w, "enroll_ms", r->enroll_ms);
    jsonw_kint(&w, "run_ms", r->run_ms);
    for (int k = 0; k < SIM_KIND_N; k++)
        json_times(r, k, &w);
    jsonw_kint(&w, "accepted_events", r->events);
    jsonw_key(&w, "events_per_second");
    jsonw_num(&w, rate(r->events, r->run_ms));
    jsonw_kint(&w, "batches", r->batches);
    jsonw_kint(&w, "batches_refused", r->refused);
    jsonw_kint(&w, "batches_again", r->repeated);
    jsonw_kint(&w, "revoked", r->revoked);
    jsonw_kstr(&w, "bundle", r->etag);
    jsonw_kint(&w, "bundle_nodes", r->spread_nodes);
    jsonw_kint(&w, "bundle_spread_ms", r->spread_ms);
    jsonw_kstr(&w, "problem", r->problem);
    jsonw_object_end(&w);
    buf_putc(out, '\n');
}
