/* metrics.c - see metrics.h. */
#include "http/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

static const int64_t bounds_us[] = { 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
                                     1000000, 2500000, 5000000, 10000000 };
enum { N_BOUNDS = sizeof bounds_us / sizeof *bounds_us, HISTOGRAM_SLOTS = N_BOUNDS + 2 };   /* + overflow, sum */

struct metric {
    struct metric_desc desc;
    int64_t (*value)(void *arg);
    void *arg;
    struct metric *next;
    size_t n_a, n_b, per;              /* cells per label pair */
    atomic_llong cells[];
};

struct metrics {
    struct metric *first, **last;
};

int metrics_new(struct metrics **out, struct err *err)
{
    struct metrics *m = calloc(1, sizeof *m);

    if (m == NULL)
        return err_nomem(err);
    m->last = &m->first;
    *out = m;
    return 0;
}

void metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    for (struct metric *x = m->first; x != NULL;) {
        struct metric *next = x->next;
        free(x);
        x = next;
    }
    free(m);
}

int metrics_add(struct metrics *m, const struct metric_desc *desc, struct metric **out, struct err *err)
{
    size_t n_a = desc->label_a == NULL ? 1 : desc->n_a, n_b = desc->label_b == NULL ? 1 : desc->n_b;
    size_t per = desc->type == METRIC_HISTOGRAM ? HISTOGRAM_SLOTS : 1;
    struct metric *x = calloc(1, sizeof *x + n_a * n_b * per * sizeof x->cells[0]);

    if (x == NULL)
        return err_nomem(err);
    x->desc = *desc;
    x->n_a = n_a;
    x->n_b = n_b;
    x->per = per;
    *m->last = x;
    m->last = &x->next;
    *out = x;
    return 0;
}

int metrics_read(struct metrics *m, const char *name, const char *help, enum metric_type type,
                 int64_t (*value)(void *arg), void *arg, struct err *err)
{
    struct metric *x = NULL;

    if (metrics_add(m, &(struct metric_desc){ .name = name, .help = help, .type = type }, &x, err) != 0)
        return -1;
    x->value = value;
    x->arg = arg;
    return 0;
}

static atomic_llong *cell_of(struct metric *m, size_t a, size_t b)
{
    if (m == NULL || a >= m->n_a || b >= m->n_b)
        return NULL;
    return &m->cells[(a * m->n_b + b) * m->per];
}

void metric_count(struct metric *m, size_t a, size_t b, int64_t delta)
{
    atomic_llong *c = cell_of(m, a, b);

    if (c != NULL)
        atomic_fetch_add_explicit(c, delta, memory_order_relaxed);
}

void metric_set(struct metric *m, size_t a, size_t b, int64_t value)
{
    atomic_llong *c = cell_of(m, a, b);

    if (c != NULL)
        atomic_store_explicit(c, value, memory_order_relaxed);
}

void metric_observe(struct metric *m, size_t a, int64_t us)
{
    atomic_llong *c = cell_of(m, a, 0);
    size_t i = 0;

    if (c == NULL || m->per != HISTOGRAM_SLOTS)
        return;
    while (i < N_BOUNDS && us > bounds_us[i])
        i++;
    atomic_fetch_add_explicit(&c[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c[N_BOUNDS + 1], us, memory_order_relaxed);
}

static int64_t load(const atomic_llong *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

int64_t metric_get(const struct metric *m, size_t a, size_t b)
{
    int64_t sum = 0;

    if (m == NULL || a >= m->n_a || b >= m->n_b)
        return 0;
    const atomic_llong *c = &m->cells[(a * m->n_b + b) * m->per];
    for (size_t i = 0; i < (m->per == 1 ? 1u : (unsigned)N_BOUNDS + 1u); i++)
        sum += load(&c[i]);
    return sum;
}

/* ---- text --------------------------------------------------------------- */

static void put_label(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            buf_puts(b, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\')
            buf_putc(b, '\\');
        buf_putc(b, *value);
    }
    buf_putc(b, '"');
}

/* {a="x",b="y"} with an optional le="..." at the end; nothing when there is none. */
static void put_labels(struct buf *b, const struct metric *m, size_t a, size_t bb, const char *le)
{
    const char *sep = "{";

    if (m->desc.label_a != NULL) {
        buf_puts(b, sep);
        put_label(b, m->desc.label_a, m->desc.values_a[a]);
        sep = ",";
    }
    if (m->desc.label_b != NULL) {
        buf_puts(b, sep);
        put_label(b, m->desc.label_b, m->desc.values_b[bb]);
        sep = ",";
    }
    if (le != NULL) {
        buf_puts(b, sep);
        put_label(b, "le", le);
        sep = ",";
    }
    if (sep[0] == ',')
        buf_putc(b, '}');
}

static void put_seconds(struct buf *b, int64_t us)
{
    buf_printf(b, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

static void put_histogram(struct buf *b, const struct metric *m, size_t a)
{
    const atomic_llong *c = &m->cells[a * m->per];
    struct buf le;
    int64_t sum = 0;

    buf_init(&le, 64);
    for (size_t i = 0; i <= N_BOUNDS; i++) {
        sum += load(&c[i]);
        buf_clear(&le);
        if (i < N_BOUNDS)
            put_seconds(&le, bounds_us[i]);
        else
            buf_puts(&le, "+Inf");
        buf_printf(b, "%s_bucket", m->desc.name);
        put_labels(b, m, a, 0, le.failed ? "" : le.ptr);
        buf_printf(b, " %" PRId64 "\n", sum);
    }
    buf_free(&le);
    buf_printf(b, "%s_sum", m->desc.name);
    put_labels(b, m, a, 0, NULL);
    buf_putc(b, ' ');
    put_seconds(b, load(&c[N_BOUNDS + 1]));
    buf_printf(b, "\n%s_count", m->desc.name);
    put_labels(b, m, a, 0, NULL);
    buf_printf(b, " %" PRId64 "\n", sum);
}

static void put_plain(struct buf *b, const struct metric *m, size_t a, size_t bb)
{
    int64_t v = m->value != NULL ? m->value(m->arg) : load(&m->cells[a * m->n_b + bb]);

    if (m->desc.label_b != NULL && v == 0)
        return;                    /* a pair that never happened is not a series yet */
    buf_puts(b, m->desc.name);
    put_labels(b, m, a, bb, NULL);
    buf_printf(b, " %" PRId64 "\n", v);
}

void metrics_write(const struct metrics *m, struct buf *b)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };

    for (const struct metric *x = m->first; x != NULL; x = x->next) {
        buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", x->desc.name, x->desc.help, x->desc.name, types[x->desc.type]);
        for (size_t i = 0; i < x->n_a; i++) {
            if (x->desc.type == METRIC_HISTOGRAM)
                put_histogram(b, x, i);
            for (size_t j = 0; x->desc.type != METRIC_HISTOGRAM && j < x->n_b; j++)
                put_plain(b, x, i, j);
        }
    }
}
