/* spool_take.c - the way out: batches in the order of their numbers, and what the
 * server says of them. */
#include "agent/spool_internal.h"

#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* One lane being read, segment after segment. */
struct lane_walk {
    struct spool *s;
    enum spool_class class;
    size_t i;                            /* segment */
    struct walk w;                       /* fd -1: none open */
    struct record r;
    bool has, failed;
    bool is_whole;                       /* from the very beginning */
};

static void lane_walk_close(struct lane_walk *k)
{
    if (k->w.fd >= 0)
        close(k->w.fd);
    k->w.fd = -1;
}

static bool lane_walk_open(struct lane_walk *k, int64_t after)
{
    struct lane *l = &k->s->lanes[k->class];

    while (k->i < l->n && l->items[k->i].last <= after)
        k->i++;
    if (k->i >= l->n)
        return false;
    const struct segment *g = &l->items[k->i];
    k->w = (struct walk){ .window = l->window, .used = g->used, .at = SEGMENT_HEAD };
    if (!k->is_whole && l->hint_number == g->number && l->hint_at >= SEGMENT_HEAD && l->hint_at <= g->used)
        k->w.at = l->hint_at;
    k->w.fd = segment_open(k->s, k->class, g->number, O_RDONLY);
    k->failed = k->w.fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM);
    return !k->failed;
}

/* The next record with a number > after into k->r. */
static void lane_walk_next(struct lane_walk *k, int64_t after)
{
    for (k->has = false; !k->has;) {
        if (k->w.fd < 0 && !lane_walk_open(k, after))
            return;
        if (k->w.fd >= 0 && walk_next(&k->w, k->class, &k->r)) {
            k->has = k->r.seq > after;
            continue;
        }
        lane_walk_close(k);
        k->i++;
    }
}

/* Where the next walk may begin: nothing before this record will be asked for again. */
static void lane_hint(struct lane_walk *k)
{
    struct lane *l = &k->s->lanes[k->class];

    if (k->has && k->i < l->n) {
        l->hint_number = l->items[k->i].number;
        l->hint_at = k->r.at;
    }
}

static struct lane_walk *lowest(struct lane_walk *walks)
{
    struct lane_walk *best = NULL;

    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        if (walks[c].has && (best == NULL || walks[c].r.seq < best->r.seq))
            best = &walks[c];
    }
    return best;
}

static bool any_failed(const struct lane_walk *walks)
{
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        if (walks[c].failed)
            return true;
    }
    return false;
}

struct taking {
    struct arena *arena;
    struct spool_batch *out;
    size_t max_events, max_bytes, bytes;
    int64_t last, end;                   /* number of the last event taken; no event behind end */
    bool is_again;                       /* the batch on its way, as it was */
};

static bool has_enough(const struct taking *t, const struct record *r)
{
    if (r->seq > t->end)
        return true;
    if (t->out->n >= (t->is_again ? (size_t)SPOOL_BATCH_MAX : t->max_events))
        return true;
    return !t->is_again && t->out->n > 0 && t->bytes + r->len > t->max_bytes;
}

/* Number of the last event taken, or t->end when there was no more; -1 no memory. */
static int64_t take_events(struct spool *s, struct taking *t, struct err *err)
{
    struct lane_walk walks[SPOOL_CLASS_N], *k = NULL;
    int64_t last = s->state.through, from = s->state.skip > last ? s->state.skip : last;
    int rc = 0;

    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        walks[c] = (struct lane_walk){ .s = s, .class = (enum spool_class)c, .w.fd = -1 };
        lane_walk_next(&walks[c], from);
        lane_hint(&walks[c]);
    }
    while (!any_failed(walks) && (k = lowest(walks)) != NULL && !has_enough(t, &k->r)) {
        char *copy = arena_strndup(t->arena, k->r.payload, k->r.len);
        if (copy == NULL) {
            rc = err_nomem(err);
            break;
        }
        last = k->r.seq;
        t->out->events[t->out->n++] = (struct spool_event){ last - s->state.base, copy, k->r.len };
        t->bytes += k->r.len;
        lane_walk_next(k, last);
    }
    if (any_failed(walks))
        rc = err_set(err, ERR_UNAVAILABLE, "spool: a segment cannot be opened: %s", strerror(errno));
    bool is_all = k == NULL || k->r.seq > t->end;
    for (int c = 0; c < SPOOL_CLASS_N; c++)
        lane_walk_close(&walks[c]);
    return rc != 0 ? -1 : is_all ? t->end : last;
}

/* Takes n drops out of the pool into the batch; what the pool does not know of was damaged. */
static void take_drops(struct spool *s, int64_t n, spool_counts out)
{
    memset(out, 0, sizeof(spool_counts));
    for (int c = SPOOL_CLASS_N - 1; c >= 0; c--) {
        for (int r = 0; r < SPOOL_REASON_N && n > 0; r++) {
            int64_t take = s->state.pool[c][r] < n ? s->state.pool[c][r] : n;
            out[c][r] = take;
            n -= take;
        }
    }
    if (n > 0) {
        spool_drop_count(s, SPOOL_NORMAL, SPOOL_CORRUPT, n);
        out[SPOOL_NORMAL][SPOOL_CORRUPT] += n;
    }
}

static int take_batch(struct spool *s, struct taking *t, struct err *err)
{
    struct spool_batch *out = t->out;
    bool is_again = s->state.flight > s->state.through;

    t->is_again = is_again;
    t->end = is_again ? s->state.flight : s->durable;
    out->events = arena_array(t->arena, SPOOL_BATCH_MAX, sizeof *out->events);
    if (out->events == NULL)
        return err_nomem(err);
    int64_t last = t->end > s->state.through ? take_events(s, t, err) : s->state.through;
    if (last < 0)
        return -1;
    if (is_again)
        last = s->state.flight;
    if (last == s->state.through)
        return 0;
    int64_t missing = last - s->state.through - (int64_t)out->n;
    if (!is_again || missing != counts_sum(s->state.flying)) {
        take_drops(s, missing, s->state.flying);
        s->state.flight = last;
        s->is_dirty = true;
    }
    out->first = s->state.through + 1 - s->state.base;
    out->last = last - s->state.base;
    memcpy(out->dropped, s->state.flying, sizeof out->dropped);
    return 1;
}

void spool_prune(struct spool *s)
{
    bool removed = false;

    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        struct lane *l = &s->lanes[c];
        while (l->n > 1 && l->items[0].last <= s->state.through) {
            segment_remove(s, (enum spool_class)c, 0);
            removed = true;
        }
    }
    if (!removed)
        return;
    if (!s->has_reserve)
        reserve_make(s);
    pthread_mutex_lock(&s->queue);
    s->full_until_ms = 0;
    pthread_mutex_unlock(&s->queue);
}

int spool_peek(struct spool *s, size_t max_events, size_t max_bytes, struct arena *arena, struct spool_batch *out,
               struct err *err)
{
    struct spool_batch batch = { .n = 0 };
    struct taking t = { .arena = arena, .out = &batch, .max_bytes = max_bytes,
                        .max_events = max_events < SPOOL_BATCH_MAX ? max_events : SPOOL_BATCH_MAX };

    pthread_mutex_lock(&s->files);
    pthread_mutex_lock(&s->queue);
    s->is_urgent = false;
    pthread_mutex_unlock(&s->queue);
    int rc = take_batch(s, &t, err);
    hex_encode(s->state.stream, sizeof s->state.stream, batch.stream);
    bool was_dirty = s->is_dirty;
    if (rc >= 0 && state_save(s, err) != 0)
        rc = -1;                                    /* a batch that is not written down must not be sent */
    if (rc >= 0 && was_dirty)
        spool_prune(s);
    pthread_mutex_unlock(&s->files);
    if (rc == 1)
        *out = batch;
    return rc;
}

/* ---- what the server said: all under `files` ------------------------------------------------ */

static void acked(struct spool *s)
{
    pthread_mutex_lock(&s->queue);
    s->acked = s->state.through;
    pthread_mutex_unlock(&s->queue);
}

static int stream_begin(struct spool *s, struct err *err)
{
    random_bytes(s->state.stream, sizeof s->state.stream);
    s->state.base = s->state.through;
    s->state.flight = s->state.through;
    memset(s->state.flying, 0, sizeof s->state.flying);
    s->is_dirty = true;
    return state_save(s, err);
}

int spool_new_stream(struct spool *s, struct err *err)
{
    pthread_mutex_lock(&s->files);
    int rc = stream_begin(s, err);
    pthread_mutex_unlock(&s->files);
    return rc;
}

static int acknowledge(struct spool *s, int64_t through, struct err *err)
{
    if (through > s->state.flight) {
        if (stream_begin(s, err) != 0)
            return -1;
        return err_set(err, ERR_CONFLICT, "the server knows this stream up to %lld, we sent up to %lld: a new stream begins",
                       (long long)(through - s->state.base), (long long)(s->state.flight - s->state.base));
    }
    if (through < s->state.flight || s->state.flight <= s->state.through)
        return 0;
    s->state.through = s->state.flight;
    counts_add(s->state.pool, s->state.flying, -1);
    memset(s->state.flying, 0, sizeof s->state.flying);
    acked(s);
    s->is_dirty = true;                             /* saved with the next batch; until then it may be sent again */
    return 0;
}

int spool_ack(struct spool *s, int64_t through, struct err *err)
{
    pthread_mutex_lock(&s->files);
    int rc = acknowledge(s, through + s->state.base, err);
    pthread_mutex_unlock(&s->files);
    return rc;
}

static int rewind_to(struct spool *s, int64_t seq, struct err *err)
{
    int64_t through = seq - 1 + s->state.base;

    if (seq < 1 || through > s->state.through)
        return err_set(err, ERR_CONFLICT, "the server expects event %lld, which is not before ours", (long long)seq);
    s->state.through = through;
    acked(s);
    s->state.flight = through;
    memset(s->state.flying, 0, sizeof s->state.flying);
    for (int c = 0; c < SPOOL_CLASS_N; c++)
        s->lanes[c].hint_number = 0;
    int64_t missing = s->durable - through - spool_live(s, through) - counts_sum(s->state.pool);
    if (missing > 0)
        spool_drop_count(s, SPOOL_NORMAL, SPOOL_SERVER_LOST, missing);
    s->is_dirty = true;
    return state_save(s, err);
}

int spool_rewind(struct spool *s, int64_t seq, struct err *err)
{
    pthread_mutex_lock(&s->files);
    int rc = rewind_to(s, seq, err);
    pthread_mutex_unlock(&s->files);
    return rc;
}

/* Only after an answer that says the batch was not taken: then it may be another one. */
static int reject(struct spool *s, struct err *err)
{
    int64_t size = s->state.flight - s->state.through, events = size - counts_sum(s->state.flying);

    if (size <= 0)
        return err_set(err, ERR_INTERNAL, "spool: no batch is on its way");
    if (events == 1) {
        spool_drop_count(s, SPOOL_NORMAL, SPOOL_REJECTED, 1);
        s->state.skip = s->state.flight;
    }
    s->state.flight = s->state.through;
    memset(s->state.flying, 0, sizeof s->state.flying);
    s->is_dirty = true;
    return state_save(s, err);
}

int spool_reject(struct spool *s, struct err *err)
{
    pthread_mutex_lock(&s->files);
    int rc = reject(s, err);
    pthread_mutex_unlock(&s->files);
    return rc;
}

int spool_each(struct spool *s, void (*f)(void *arg, const char *json, size_t len), void *arg, struct err *err)
{
    int rc = 0;

    pthread_mutex_lock(&s->files);
    for (int c = 0; rc == 0 && c < SPOOL_CLASS_N; c++) {
        struct lane_walk k = { .s = s, .class = (enum spool_class)c, .w.fd = -1, .is_whole = true };
        for (lane_walk_next(&k, 0); k.has; lane_walk_next(&k, k.r.seq))
            f(arg, k.r.payload, k.r.len);
        lane_walk_close(&k);
        if (k.failed)
            rc = err_set(err, ERR_UNAVAILABLE, "spool: a segment cannot be opened: %s", strerror(errno));
    }
    pthread_mutex_unlock(&s->files);
    return rc;
}

/* ---- waiting, looking -------------------------------------------------------------------------- */

int64_t spool_wait(struct spool *s, int64_t least, int64_t timeout_ms)
{
    int64_t end = time_monotonic_ms() + timeout_ms;
    struct timespec until = { .tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000 };
    int rc = 0;

    pthread_mutex_lock(&s->queue);
    while (rc == 0 && !s->is_woken && s->durable - s->acked < least && !(s->is_urgent && s->durable > s->acked))
        rc = pthread_cond_timedwait(&s->news, &s->queue, &until);
    int64_t n = s->durable - s->acked;
    s->is_woken = false;
    pthread_mutex_unlock(&s->queue);
    return n;
}

void spool_wake(struct spool *s)
{
    pthread_mutex_lock(&s->queue);
    s->is_woken = true;
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->queue);
}

void spool_limit(struct spool *s, int64_t bytes)
{
    pthread_mutex_lock(&s->files);
    s->limits.bytes = bytes < 4 * s->limits.segment_bytes ? 4 * s->limits.segment_bytes : bytes;
    pthread_mutex_unlock(&s->files);
}

void spool_status(struct spool *s, struct spool_status *out)
{
    *out = (struct spool_status){ 0 };
    pthread_mutex_lock(&s->files);
    hex_encode(s->state.stream, sizeof s->state.stream, out->stream);
    out->bytes = spool_bytes(s);
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        out->segments += (int64_t)s->lanes[c].n;
        for (size_t i = 0; i < s->lanes[c].n; i++)
            out->class_events[c] += segment_live(s, (enum spool_class)c, i, s->state.through);
        out->events += out->class_events[c];
    }
    out->next_seq = s->durable + 1 - s->state.base;
    out->through = s->state.through - s->state.base;
    memcpy(out->dropped, s->state.ever, sizeof out->dropped);
    out->has_reserve = s->has_reserve;
    memcpy(out->problem, s->problem, sizeof out->problem);
    pthread_mutex_lock(&s->queue);
    out->kept = s->kept;
    out->syncs = s->syncs;
    out->is_full = time_monotonic_ms() < s->full_until_ms;
    pthread_mutex_unlock(&s->queue);
    pthread_mutex_unlock(&s->files);
}
