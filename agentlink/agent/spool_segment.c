/* spool_segment.c - the files of the spool: making, reading, repairing, removing. */
#include "agent/spool_internal.h"

#include "base/compress.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0xf5 and 0xff are in no UTF-8. */
static const unsigned char record_magic[4] = { 0xf5, 'K', 'R', 0xff };
static const char segment_magic[8] = "KEEPSP1";

struct head { unsigned char magic[4]; uint32_t crc, len; uint8_t class, zero[3]; uint64_t seq; };
_Static_assert(sizeof(struct head) == RECORD_HEAD, "no holes");

struct segment_head { char magic[8]; int64_t number; uint8_t stream[16]; uint32_t class, crc; };
_Static_assert(sizeof(struct segment_head) <= SEGMENT_HEAD, "fits");

/* ---- records ------------------------------------------------------------------------ */

int64_t record_size(size_t len)
{
    return (int64_t)((RECORD_HEAD + len + 7) & ~(size_t)7);
}

void record_put(struct buf *b, enum spool_class class, int64_t seq, const void *json, size_t len)
{
    size_t size = (size_t)record_size(len);
    char *to = buf_room(b, size);
    struct head h = { .len = (uint32_t)len, .class = (uint8_t)class, .seq = (uint64_t)seq };

    if (to == NULL)
        return;
    memcpy(h.magic, record_magic, sizeof h.magic);
    memset(to, 0, size);
    memcpy(to, &h, sizeof h);
    memcpy(to + RECORD_HEAD, json, len);
    h.crc = crc32_fast(to + 8, RECORD_HEAD - 8 + len);
    memcpy(to, &h, sizeof h);
    buf_grown(b, size);
}

bool record_shape(const char *p, size_t n, enum spool_class class, struct record *out)
{
    struct head h;

    if (n < RECORD_HEAD)
        return false;
    memcpy(&h, p, sizeof h);
    if (memcmp(h.magic, record_magic, sizeof h.magic) != 0 || h.len > SPOOL_EVENT_MAX || h.class != class ||
        h.seq == 0 || h.seq > INT64_MAX || (size_t)record_size(h.len) > n)
        return false;
    *out = (struct record){ .seq = (int64_t)h.seq, .payload = p + RECORD_HEAD, .len = h.len, .crc = h.crc };
    return true;
}

bool record_at(const char *p, size_t n, enum spool_class class, struct record *out)
{
    return record_shape(p, n, class, out) && crc32_fast(p + 8, RECORD_HEAD - 8 + out->len) == out->crc;
}

/* Makes the window hold the file from w->at on, as far as it goes. */
static void walk_fill(struct walk *w)
{
    size_t want = (size_t)(w->used - w->at) < WALK_BUFFER ? (size_t)(w->used - w->at) : WALK_BUFFER, have = 0;

    while (have < want) {
        ssize_t n = pread(w->fd, w->window + have, want - have, w->at + (off_t)have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    w->window_at = w->at;
    w->window_len = have;
}

static const char *walk_here(struct walk *w, size_t *n)
{
    int64_t end = w->window_at + (int64_t)w->window_len;

    if (w->at < w->window_at || (end < w->used && end - w->at < RECORD_MAX) || w->at >= end)
        walk_fill(w);
    *n = (size_t)(w->window_at + (int64_t)w->window_len - w->at);
    return w->window + (w->at - w->window_at);
}

bool walk_next(struct walk *w, enum spool_class class, struct record *out)
{
    size_t n;

    while (w->at + RECORD_HEAD <= w->used) {
        const char *p = walk_here(w, &n);
        if (n < RECORD_HEAD)
            return false;
        if (record_at(p, n, class, out)) {
            w->is_damaged |= w->has_skipped;
            out->at = w->at;
            w->at = out->end = w->at + record_size(out->len);
            return true;
        }
        static const char zero[8];
        if (memcmp(p, zero, sizeof zero) != 0)
            w->has_skipped = true;
        w->at += 8;
    }
    return false;
}

/* ---- files ----------------------------------------------------------------------------- */

static void segment_name(enum spool_class class, int64_t number, char out[40])
{
    snprintf(out, 40, "%s-%016llx", spool_class_word(class), (unsigned long long)number);
}

int segment_open(struct spool *s, enum spool_class class, int64_t number, int flags)
{
    char name[40];

    segment_name(class, number, name);
    return openat(s->dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void segment_unlink(struct spool *s, enum spool_class class, int64_t number)
{
    char name[40];

    segment_name(class, number, name);
    unlinkat(s->dir, name, 0);
}

static bool lane_grow(struct lane *l)
{
    if (l->n < l->cap)
        return true;
    size_t cap = l->cap == 0 ? 16 : l->cap * 2;
    struct segment *items = cap <= SEGMENTS_MAX ? realloc(l->items, cap * sizeof *items) : NULL;
    if (items == NULL)
        return errno = ENOMEM, false;
    l->items = items;
    l->cap = cap;
    return true;
}

/* Room first: what is allocated cannot fail for want of it later. */
static int allocate(int fd, int64_t size)
{
    if (fallocate(fd, 0, 0, size) == 0)
        return 0;
    return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -1;
}

int segment_add(struct spool *s, enum spool_class class)
{
    struct lane *l = &s->lanes[class];
    struct segment_head h = { .number = l->next_number, .class = (uint32_t)class };
    char head[SEGMENT_HEAD] = { 0 };

    if (!lane_grow(l))
        return -1;
    int fd = segment_open(s, class, l->next_number, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0)
        return -1;
    memcpy(h.magic, segment_magic, sizeof h.magic);
    memcpy(h.stream, s->state.stream, sizeof h.stream);
    h.crc = crc32_fast(&h, offsetof(struct segment_head, crc));
    memcpy(head, &h, sizeof h);
    if (allocate(fd, s->limits.segment_bytes) != 0 || pwrite(fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
        fsync(fd) != 0 || fsync(s->dir) != 0) {
        int why = errno;
        close(fd);
        segment_unlink(s, class, l->next_number);
        return errno = why, -1;
    }
    l->items[l->n++] = (struct segment){ .number = l->next_number++, .used = SEGMENT_HEAD, .size = s->limits.segment_bytes };
    l->fd = fd;
    return 0;
}

void segment_close(struct spool *s, enum spool_class class)
{
    struct lane *l = &s->lanes[class];

    if (l->fd < 0)
        return;
    struct segment *last = &l->items[l->n - 1];
    if (ftruncate(l->fd, last->used) == 0)
        last->size = last->used;
    close(l->fd);
    l->fd = -1;
    if (last->n == 0)
        segment_remove(s, class, l->n - 1);
}

void segment_remove(struct spool *s, enum spool_class class, size_t i)
{
    struct lane *l = &s->lanes[class];

    if (l->fd >= 0 && i == l->n - 1) {
        close(l->fd);
        l->fd = -1;
    }
    segment_unlink(s, class, l->items[i].number);
    memmove(l->items + i, l->items + i + 1, (l->n - i - 1) * sizeof *l->items);
    l->n--;
}

static int walk_open(struct spool *s, enum spool_class class, const struct segment *g, struct walk *w)
{
    *w = (struct walk){ .window = s->lanes[class].window, .at = SEGMENT_HEAD, .used = g->used };
    w->fd = segment_open(s, class, g->number, O_RDONLY);
    return w->fd < 0 ? -1 : 0;
}

int64_t segment_live(struct spool *s, enum spool_class class, size_t i, int64_t after)
{
    const struct segment *g = &s->lanes[class].items[i];
    struct record r;
    struct walk w;
    int64_t n = 0;

    if (g->last <= after)
        return 0;
    if (g->first > after)
        return g->n;
    if (walk_open(s, class, g, &w) != 0)
        return 0;
    while (walk_next(&w, class, &r))
        n += r.seq > after;
    close(w.fd);
    return n;
}

int64_t lane_bytes(const struct lane *l)
{
    int64_t sum = 0;

    for (size_t i = 0; i < l->n; i++)
        sum += l->items[i].size;
    return sum;
}

int64_t spool_bytes(const struct spool *s)
{
    int64_t sum = 0;

    for (int c = 0; c < SPOOL_CLASS_N; c++)
        sum += lane_bytes(&s->lanes[c]);
    return sum;
}

/* ---- at the start ------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* "normal-00000000000000a1"; false: not one of ours. */
static bool name_read(const char *name, enum spool_class *class, int64_t *number)
{
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        const char *word = spool_class_word((enum spool_class)c);
        size_t n = strlen(word);
        unsigned char raw[8];
        if (strncmp(name, word, n) != 0 || name[n] != '-' || !hex_decode(name + n + 1, raw, sizeof raw) || raw[0] > 0x7f)
            continue;
        *class = (enum spool_class)c;
        *number = 0;
        for (size_t i = 0; i < sizeof raw; i++)
            *number = *number << 8 | raw[i];
        return true;
    }
    return false;
}

/* Numbers in a segment only grow; a record that breaks the rule was never whole. */
static void segment_count(struct walk *w, enum spool_class class, struct segment *g)
{
    struct record r;

    while (walk_next(w, class, &r)) {
        if (r.seq <= g->last)
            continue;
        g->first = g->n == 0 ? r.seq : g->first;
        g->last = r.seq;
        g->n++;
        g->used = r.end;
    }
}

static void segment_check(struct spool *s, enum spool_class class, struct segment *g, bool *damaged)
{
    struct stat st;
    struct walk w = { .fd = segment_open(s, class, g->number, O_RDWR), .window = s->lanes[class].window, .at = SEGMENT_HEAD };

    if (w.fd < 0 || fstat(w.fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        *damaged = true;
        if (w.fd >= 0)
            close(w.fd);
        return;
    }
    w.used = st.st_size;
    g->used = SEGMENT_HEAD;
    segment_count(&w, class, g);
    *damaged |= w.is_damaged;
    g->size = ftruncate(w.fd, g->used) == 0 ? g->used : st.st_size;
    close(w.fd);
}

static int find_files(struct spool *s, struct err *err)
{
    int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    enum spool_class class;
    int64_t number;
    int rc = 0;

    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_UNAVAILABLE, "spool: %s", strerror(errno));
    }
    for (struct dirent *e; rc == 0 && (e = readdir(d)) != NULL;) {
        if (!name_read(e->d_name, &class, &number))
            continue;
        if (class == (enum spool_class)s->state.victim_class && number == s->state.victim_number) {
            segment_unlink(s, class, number);       /* counted as dropped already */
            continue;
        }
        struct lane *l = &s->lanes[class];
        if (lane_grow(l))
            l->items[l->n++] = (struct segment){ .number = number };
        else
            rc = err_set(err, ERR_TOO_LARGE, "spool: more than %d segments, or no memory", SEGMENTS_MAX);
    }
    closedir(d);
    return rc;
}

int segments_load(struct spool *s, bool *damaged, struct err *err)
{
    *damaged = false;
    if (find_files(s, err) != 0)
        return -1;
    for (int c = 0; c < SPOOL_CLASS_N; c++) {
        struct lane *l = &s->lanes[c];
        int64_t last = 0;
        if (l->n > 0)
            qsort(l->items, l->n, sizeof *l->items, by_number);
        l->next_number = l->n > 0 ? l->items[l->n - 1].number + 1 : 1;
        for (size_t i = 0; i < l->n;) {
            l->items[i].last = last;             /* numbers grow from segment to segment, too */
            segment_check(s, (enum spool_class)c, &l->items[i], damaged);
            last = l->items[i].last;
            if (l->items[i].n == 0)
                segment_remove(s, (enum spool_class)c, i);
            else
                i++;
        }
    }
    return 0;
}
