/* spool.c - see spool.h: opening, and the way in. */
#include "agent/spool_internal.h"

#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FULL_PAUSE_MS = 1000, SEGMENT_DEFAULT = 1 << 20, SEGMENT_LEAST = 128 << 10 };

const char *spool_class_word(enum spool_class c)
{
    static const char *const words[SPOOL_CLASS_N] = { "critical", "normal", "low" };

    return words[c];
}

const char *spool_reason_word(enum spool_reason r)
{
    static const char *const words[SPOOL_REASON_N] = {
        "spool_full", "disk_full", "refused", "corrupt", "torn", "overload", "server_lost", "rejected",
    };

    return words[r];
}

void spool_problem(struct spool *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(s->problem, sizeof s->problem, fmt, ap);
    va_end(ap);
}

void spool_drop_count(struct spool *s, enum spool_class c, enum spool_reason r, int64_t n)
{
    s->state.pool[c][r] += n;
    s->state.ever[c][r] += n;
    s->is_dirty = true;
}

/* ---- opening ------------------------------------------------------------------------ */

static int limits_take(struct spool *s, const struct spool_limits *limits, struct err *err)
{
    s->limits = *limits;
    if (s->limits.segment_bytes == 0)
        s->limits.segment_bytes = SEGMENT_DEFAULT;
    if (s->limits.reserve_bytes == 0)
        s->limits.reserve_bytes = s->limits.segment_bytes;
    if (s->limits.segment_bytes < SEGMENT_LEAST || s->limits.bytes < 4 * s->limits.segment_bytes)
        return err_set(err, ERR_INVALID, "spool: a segment has at least %d KiB, and four of them must fit", SEGMENT_LEAST >> 10);
    return 0;
}

static int folder_open(struct spool *s, const char *dir, struct err *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (s->dir >= 0)
        s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0)
        return err_set(err, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, ERR_CONFLICT, "%s: another keep-agent is using it", dir);
    return 0;
}

static int lanes_init(struct spool *s, struct err *err)
{
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        struct lane *l = &s->lanes[c];
        buf_init(&l->queue, QUEUE_MAX);
        buf_init(&l->out, QUEUE_MAX);
        l->fd = -1;
        l->window = malloc(WALK_BUFFER);
        if (l->window == NULL)
            return err_nomem(err);
    }
    return 0;
}

int64_t spool_live(struct spool *s, int64_t after)
{
    int64_t n = 0;

    if (after < s->state.skip)
        after = s->state.skip;
    for (int c = 0; c < SPOOL_CLASS_N; c++)
        for (size_t i = 0; i < s->lanes[c].n; i++)
            n += segment_live(s, (enum spool_class)c, i, after);
    return n;
}

/* Takes drops out of the pool again: it may not count more than is missing. */
static void pool_shrink(struct spool *s, int64_t n)
{
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        for (int r = 0; r < SPOOL_REASON_N && n > 0; r++) {
            int64_t take = s->state.pool[c][r] < n ? s->state.pool[c][r] : n;
            s->state.pool[c][r] -= take;
            s->state.ever[c][r] -= take;
            n -= take;
        }
    }
}

/* Whatever number is neither in a segment nor counted as dropped was torn or damaged. */
static void account_close(struct spool *s, bool is_new, bool is_damaged)
{
    int64_t first = INT64_MAX, last = 0;

    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        const struct lane *l = &s->lanes[c];
        if (l->n == 0)
            continue;
        first = l->items[0].first < first ? l->items[0].first : first;
        last = l->items[l->n - 1].last > last ? l->items[l->n - 1].last : last;
    }
    if (is_new && last > 0) {                       /* the state was lost, not the events */
        s->state.through = first - 1;
        s->state.base = first - 1;
    }
    if (s->state.next <= last)
        s->state.next = last + 1;
    if (s->state.next <= s->state.through)
        s->state.next = s->state.through + 1;
    s->next = s->state.next;
    s->durable = s->next - 1;
    s->acked = s->state.through;
    int64_t missing = s->durable - s->state.through - spool_live(s, s->state.through) - counts_sum(s->state.pool);
    if (missing > 0)
        spool_drop_count(s, SPOOL_NORMAL, is_damaged ? SPOOL_CORRUPT : SPOOL_TORN, missing);
    else if (missing < 0)
        pool_shrink(s, -missing);
    s->state.victim_class = -1;
    s->is_dirty = true;
}

static int spool_start(struct spool *s, const char *dir, const struct spool_limits *limits, struct err *err)
{
    bool is_new, is_damaged;

    if (limits_take(s, limits, err) != 0 || lanes_init(s, err) != 0 || folder_open(s, dir, err) != 0)
        return -1;
    if (state_load(s, &is_new, err) != 0 || segments_load(s, &is_damaged, err) != 0)
        return -1;
    account_close(s, is_new, is_damaged);
    if (state_save(s, err) != 0)
        return -1;
    spool_prune(s);
    reserve_make(s);
    return 0;
}

int spool_open(const char *dir, const struct spool_limits *limits, struct spool **out, struct err *err)
{
    struct spool *s = calloc(1, sizeof *s);
    pthread_condattr_t attr;

    if (s == NULL)
        return err_nomem(err);
    s->dir = s->lock = s->state_fd = -1;
    for (int c = 0; c < SPOOL_CLASS_N; c++)
        s->lanes[c].fd = -1;
    pthread_mutex_init(&s->files, NULL);
    pthread_mutex_init(&s->queue, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->news, &attr);
    pthread_condattr_destroy(&attr);
    if (spool_start(s, dir, limits, err) != 0) {
        spool_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void spool_close(struct spool *s)
{
    struct err err = { 0 };

    if (s == NULL)
        return;
    if (s->state_fd >= 0 && s->state.generation > 0) {
        spool_flush(s, &err);
        s->is_dirty = true;
        s->state.next = s->next;
        state_save(s, &err);
    }
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        struct lane *l = &s->lanes[c];
        segment_close(s, (enum spool_class)c);
        free(l->items);
        free(l->window);
        buf_free(&l->queue);
        buf_free(&l->out);
    }
    free(s->owners.items);
    free(s->owners_out.items);
    close_fd(s->state_fd);
    close_fd(s->lock);
    close_fd(s->dir);
    pthread_cond_destroy(&s->news);
    pthread_mutex_destroy(&s->queue);
    pthread_mutex_destroy(&s->files);
    free(s);
}

/* ---- into memory ---------------------------------------------------------------------- */

void spool_begin(struct spool *s, struct spool_group *g)
{
    (void)s;
    *g = (struct spool_group){ 0 };
}

static bool owners_push(struct owners *o, int64_t seq, struct spool_group *g)
{
    if (o->n == o->cap) {
        size_t cap = o->cap == 0 ? 256 : o->cap * 2;
        struct owned *items = realloc(o->items, cap * sizeof *items);
        if (items == NULL)
            return false;
        o->items = items;
        o->cap = cap;
    }
    o->items[o->n++] = (struct owned){ seq, g };
    return true;
}

/* Under `queue`. */
static int enqueue(struct spool *s, struct spool_group *g, enum spool_class class, const void *json, size_t len,
                   struct err *err)
{
    struct lane *l = &s->lanes[class];
    size_t before = l->queue.len;

    record_put(&l->queue, class, s->next, json, len);
    if (l->queue.failed || (class == SPOOL_CRITICAL && !owners_push(&s->owners, s->next, g))) {
        l->queue.failed = false;
        l->queue.len = before;
        return err_nomem(err);
    }
    g->last = s->next++;
    s->is_urgent |= class == SPOOL_CRITICAL;
    return 0;
}

int spool_put(struct spool *s, struct spool_group *g, enum spool_class class, const void *json, size_t len, struct err *err)
{
    const char *text = json;

    if (len < 2 || text[0] != '{' || text[len - 1] != '}')
        return err_set(err, ERR_INVALID, "an event is a JSON object");
    if (len > SPOOL_EVENT_MAX)
        return err_set(err, ERR_TOO_LARGE, "an event of %zu bytes; at most %d", len, SPOOL_EVENT_MAX);
    for (;;) {
        pthread_mutex_lock(&s->queue);
        bool is_full = class == SPOOL_CRITICAL && time_monotonic_ms() < s->full_until_ms;
        bool has_room = s->lanes[class].queue.len + RECORD_MAX <= QUEUE_MAX;
        int rc = is_full ? err_set(err, ERR_STORAGE_FULL, "the spool is full of critical events") :
                 has_room ? enqueue(s, g, class, json, len, err) : 0;
        pthread_mutex_unlock(&s->queue);
        if (is_full || has_room)
            return rc;
        pthread_mutex_lock(&s->files);
        rc = spool_flush(s, err);
        pthread_mutex_unlock(&s->files);
        if (rc != 0)
            return -1;
    }
}

int spool_commit(struct spool *s, struct spool_group *g, struct err *err)
{
    int rc = 0;

    if (g->last == 0)
        return 0;
    pthread_mutex_lock(&s->files);
    if (s->durable < g->last)
        rc = spool_flush(s, err);
    bool refused = g->refused;
    pthread_mutex_unlock(&s->files);
    if (refused)
        return err_set(err, ERR_STORAGE_FULL, "no room on the disk for critical events");
    return rc;
}

int spool_append(struct spool *s, enum spool_class class, const void *json, size_t len, int64_t *seq, struct err *err)
{
    struct spool_group g;

    spool_begin(s, &g);
    if (spool_put(s, &g, class, json, len, err) != 0 || spool_commit(s, &g, err) != 0)
        return -1;
    if (seq != NULL)
        *seq = g.last;
    return 0;
}

int spool_dropped(struct spool *s, enum spool_class class, enum spool_reason reason, int64_t n, struct err *err)
{
    if (n <= 0)
        return 0;
    pthread_mutex_lock(&s->files);
    pthread_mutex_lock(&s->queue);
    s->next += n;
    pthread_mutex_unlock(&s->queue);
    spool_drop_count(s, class, reason, n);
    int rc = spool_flush(s, err);
    pthread_mutex_unlock(&s->files);
    return rc;
}

/* ---- from memory to the disk: all under `files` ----------------------------------------- */

static void refuse(struct spool *s, int64_t seq)
{
    for (size_t i = 0; i < s->owners_out.n; i++) {
        if (s->owners_out.items[i].seq == seq)
            s->owners_out.items[i].group->refused = true;
    }
    pthread_mutex_lock(&s->queue);
    s->full_until_ms = time_monotonic_ms() + FULL_PAUSE_MS;
    pthread_mutex_unlock(&s->queue);
}

/* What is in [p, p + n) goes nowhere. */
static void lane_drop(struct spool *s, enum spool_class class, const char *p, size_t n, enum spool_reason reason)
{
    struct record r;

    while (n > 0 && record_shape(p, n, class, &r)) {
        size_t size = (size_t)record_size(r.len);
        spool_drop_count(s, class, class == SPOOL_CRITICAL ? SPOOL_REFUSED : reason, 1);
        if (class == SPOOL_CRITICAL)
            refuse(s, r.seq);
        p += size;
        n -= size;
    }
}

static bool is_no_room(int why)
{
    return why == ENOSPC || why == EDQUOT || why == EFBIG;
}

/* A segment to write to; false: there is none to be had, *reason says why. */
static bool lane_ready(struct spool *s, enum spool_class class, enum spool_reason *reason)
{
    if (s->lanes[class].fd >= 0)
        return true;
    for (;;) {
        while (!room_fits(s, class)) {
            *reason = SPOOL_FULL;
            if (!room_make(s, class, SPOOL_FULL))
                return false;
        }
        if (segment_add(s, class) == 0)
            return true;
        *reason = SPOOL_DISK_FULL;
        spool_problem(s, "no new segment: %s", strerror(errno));
        if (!is_no_room(errno))
            return false;
        if (!room_make(s, class, SPOOL_DISK_FULL) && (class != SPOOL_CRITICAL || !reserve_use(s)))
            return false;
    }
}

/* As many whole records of [p, p + n) as fit into `room`: their bytes, and what they are. */
static size_t chunk_of(const char *p, size_t n, enum spool_class class, int64_t room, struct segment *sum)
{
    size_t len = 0;
    struct record r;

    while (len < n && record_shape(p + len, n - len, class, &r) && (int64_t)len + record_size(r.len) <= room) {
        sum->first = sum->n == 0 ? r.seq : sum->first;
        sum->last = r.seq;
        sum->n++;
        len += (size_t)record_size(r.len);
    }
    return len;
}

static bool write_all(int fd, const char *p, size_t n, int64_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
        at += done;
    }
    return true;
}

/* One chunk, durable: the bytes stored, 0 when the segment has no room, -1 failed.  An
 * fsync that failed is not tried again: the segment is left, the bytes go elsewhere. */
static ssize_t chunk_store(struct spool *s, enum spool_class class, const char *p, size_t n)
{
    struct lane *l = &s->lanes[class];
    struct segment *last = &l->items[l->n - 1], sum = { 0 };
    size_t len = chunk_of(p, n, class, s->limits.segment_bytes - last->used, &sum);

    if (len == 0)
        return 0;
    if (!write_all(l->fd, p, len, last->used) || fdatasync(l->fd) != 0) {
        spool_problem(s, "write: %s", strerror(errno));
        return -1;
    }
    last->first = last->n == 0 ? sum.first : last->first;
    last->last = sum.last;
    last->n += sum.n;
    last->used += (int64_t)len;
    pthread_mutex_lock(&s->queue);
    s->kept += sum.n;
    pthread_mutex_unlock(&s->queue);
    return (ssize_t)len;
}

static void lane_store(struct spool *s, enum spool_class class)
{
    struct lane *l = &s->lanes[class];
    const char *p = l->out.ptr;
    size_t left = l->out.len;
    enum spool_reason reason = SPOOL_DISK_FULL;
    int failures = 0;

    while (left > 0 && failures < 2 && lane_ready(s, class, &reason)) {
        ssize_t n = chunk_store(s, class, p, left);
        if (n <= 0) {
            failures += n < 0;
            reason = SPOOL_DISK_FULL;
            segment_close(s, class);
            continue;
        }
        p += n;
        left -= (size_t)n;
    }
    if (left > 0)
        lane_drop(s, class, p, left, reason);
    buf_clear(&l->out);
}

static int64_t take_queue(struct spool *s)
{
    pthread_mutex_lock(&s->queue);
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        struct buf swap = s->lanes[c].out;
        s->lanes[c].out = s->lanes[c].queue;
        s->lanes[c].queue = swap;
    }
    struct owners swap = s->owners_out;
    s->owners_out = s->owners;
    s->owners = swap;
    s->owners.n = 0;
    int64_t target = s->next - 1;
    pthread_mutex_unlock(&s->queue);
    return target;
}

int spool_flush(struct spool *s, struct err *err)
{
    int64_t target = take_queue(s);

    (void)err;
    if (s->durable >= target)
        return 0;
    if (s->state.next <= target)
        s->state.next = target + 1;
    s->problem[0] = '\0';
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        if (s->lanes[c].out.len > 0)
            lane_store(s, (enum spool_class)c);
    }
    /* When this fails, the next start finds what is missing and counts it as torn. */
    struct err ignored = { 0 };
    state_save(s, &ignored);
    pthread_mutex_lock(&s->queue);
    s->durable = target;
    s->syncs++;
    pthread_cond_broadcast(&s->news);
    pthread_mutex_unlock(&s->queue);
    return 0;
}
