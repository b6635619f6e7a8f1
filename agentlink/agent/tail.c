/* tail.c - see tail.h.
 *
 * `offset` is behind the last whole line given (or skipped), `fill` bytes behind it are
 * in the buffer.  A partial last line is not given: it stays in the file, and is read
 * again when there is more. */
#include "agent/tail.h"

#include "agent/tail_place.h"
#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, SEEN = 16, FILES_A_ROUND = 64, LINGER_MS = 5000 };

struct tail {
    char *path, *place_path;
    size_t line_max;
    bool from_end;
    int fd, watch;                       /* -1 none */
    struct tail_place place;             /* of the open file; inode 0: none was ever open */
    struct tail_place kept;              /* what tail_keep wrote, or where this run began */
    bool is_placed;                      /* place was remembered, and its file is not open yet */
    bool skipping;                       /* within a line that is too long */
    char *buffer;                        /* line_max + 2 * CHUNK bytes */
    size_t start, fill;                  /* what is read, not given: buffer[start .. start + fill] */
    uint64_t after[SEEN];                /* inodes of files that may have been read after the placed one */
    size_t n_after;
    uint64_t seen[SEEN];                 /* inodes read to their end, a ring */
    size_t n_seen;
    int64_t replaced_ms;                 /* since when another file is at the path; 0 none */
    struct tail_counts counts;
};

/* ---- the file ------------------------------------------------------------------------- */

static void forget_buffer(struct tail *t)
{
    t->start = t->fill = 0;
    t->skipping = false;
}

static void close_file(struct tail *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    forget_buffer(t);
}

/* Starts with the open file `fd` at an offset. */
static void begin_file(struct tail *t, int fd, const struct stat *st, uint64_t offset)
{
    if (t->fd >= 0)
        t->seen[t->n_seen++ % SEEN] = t->place.inode;
    close_file(t);
    t->fd = fd;
    t->replaced_ms = 0;
    t->place = (struct tail_place){ .device = (uint64_t)st->st_dev, .inode = (uint64_t)st->st_ino, .offset = offset,
                                    .generation = t->place.generation };
    tail_place_mark(&t->place, fd);
    t->is_placed = false;
}

/* The file that the place names, renamed since: looked for next to the path, as rotation
 * leaves it there. */
static int open_rotated(const struct tail *t)
{
    return tail_place_find(&t->place, t->path);
}

static int open_path(const struct tail *t, struct stat *st)
{
    int fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

static int open_failed(const struct tail *t, struct err *err)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return 0;
    return err_set(err, ERR_UNAVAILABLE, "%s cannot be read: %s", t->path, errno == EINVAL ? "not a file" : strerror(errno));
}

/* The first file of this run: the one the place names, if it is still there under any name. */
static int open_first(struct tail *t, struct err *err)
{
    struct stat st;
    int fd = open_path(t, &st);
    bool is_same = fd >= 0 && t->is_placed && tail_place_is(&t->place, fd, &st);

    if (t->is_placed && !is_same) {
        int old = open_rotated(t);
        struct stat old_st;
        if (old >= 0 && fstat(old, &old_st) == 0) {
            if (fd >= 0)
                close(fd);
            begin_file(t, old, &old_st, t->place.offset);
            t->kept = t->place;
            return 0;
        }
    }
    if (fd < 0)
        return open_failed(t, err);
    if (t->is_placed && is_same) {
        begin_file(t, fd, &st, t->place.offset);
    } else {
        t->counts.rotations += t->is_placed;       /* while we were away, and what was in it is gone */
        begin_file(t, fd, &st, t->from_end && !t->is_placed ? (uint64_t)st.st_size : 0);
    }
    t->kept = t->kept.inode == 0 ? t->place : t->kept;
    return 0;
}

/* Another file is at the path.  Whoever writes may not have noticed yet: his last lines go to
 * the old one until the new one has some, or for a while. */
static bool is_settled(struct tail *t, const struct stat *new)
{
    int64_t now = time_monotonic_ms();

    if (t->replaced_ms == 0)
        t->replaced_ms = now;
    return new->st_size > 0 || now - t->replaced_ms >= LINGER_MS;
}

enum next { NEXT_NONE = 0, NEXT_OTHER };

/* At the end of the open file: is it time for another one?  Not opened yet. */
static enum next look_for_next(struct tail *t, struct stat *now)
{
    struct stat st;

    if (fstat(t->fd, now) != 0 || stat(t->path, &st) != 0 || (now->st_dev == st.st_dev && now->st_ino == st.st_ino))
        return NEXT_NONE;
    return is_settled(t, &st) ? NEXT_OTHER : NEXT_NONE;
}

/* The file that follows the open one, which is read to its end: one that was rotated away
 * after it, or the one at the path. */
static int open_next(struct tail *t, const struct stat *now, struct err *err)
{
    struct stat st;
    int fd = tail_place_next(t->path, now, t->seen, t->n_seen < SEEN ? t->n_seen : SEEN);

    if (fd >= 0 && fstat(fd, &st) != 0) {
        close(fd);
        fd = -1;
    }
    if (fd < 0 && (fd = open_path(t, &st)) < 0)
        return open_failed(t, err);
    t->counts.rotations++;
    begin_file(t, fd, &st, 0);
    return 0;
}

/* Truncated, or truncated and written again: begin at its beginning. */
static void check_truncated(struct tail *t)
{
    struct stat st;

    if (fstat(t->fd, &st) != 0)
        return;
    uint64_t size = (uint64_t)st.st_size, seen = t->place.offset + t->fill;
    if (size >= seen && tail_place_is(&t->place, t->fd, &st))
        return;
    t->counts.truncations++;
    t->counts.lost_bytes += t->fill;
    forget_buffer(t);
    t->place.offset = 0;
    t->place.marked = 0;
    tail_place_mark(&t->place, t->fd);
}

/* ---- lines --------------------------------------------------------------------------------- */

/* More bytes behind what is there: 1, 0 at the end, -1. */
static int read_more(struct tail *t, struct err *err)
{
    if (t->start > 0) {
        memmove(t->buffer, t->buffer + t->start, t->fill);
        t->start = 0;
    }
    ssize_t n;
    do {
        n = pread(t->fd, t->buffer + t->fill, CHUNK, (off_t)(t->place.offset + t->fill));
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s cannot be read: %s", t->path, strerror(errno));
    t->fill += (size_t)n;
    return n > 0;
}

static void consume(struct tail *t, size_t n)
{
    t->start += n;
    t->fill -= n;
    t->place.offset += n;
}

/* No newline within the bound: step over what is there, and on until one comes. */
static void skip_part(struct tail *t)
{
    if (!t->skipping)
        t->counts.too_long++;
    t->skipping = true;
    consume(t, t->fill);
}

/* Gives the line of len bytes and, unless it ends the file, its newline.  0, or -1 not taken. */
static int give(struct tail *t, size_t len, tail_fn *take, void *ctx, size_t *n_given, struct err *err)
{
    const char *line = t->buffer + t->start;
    size_t bare = len > 0 && line[len - 1] == '\r' ? len - 1 : len, whole = len + (t->fill > len);
    char origin[TAIL_ORIGIN];

    if (t->skipping) {
        t->skipping = false;
    } else if (len > t->line_max) {
        t->counts.too_long++;
    } else {
        snprintf(origin, sizeof origin, "%" PRIu64 ":%" PRIu64, t->place.inode, t->place.offset + whole);
        if (take(ctx, line, bare, origin, err) != 0)
            return -1;
        t->counts.lines++;
        t->counts.bytes += whole;
        ++*n_given;
    }
    consume(t, whole);
    return 0;
}

/* Gives what the open file has; 0 at its end or when enough were given. */
static int give_lines(struct tail *t, tail_fn *take, void *ctx, size_t max_lines, size_t *n_given, struct err *err)
{
    int more = 1;

    while (*n_given < max_lines) {
        const char *at = t->buffer + t->start, *newline = t->fill > 0 ? memchr(at, '\n', t->fill) : NULL;
        if (newline != NULL) {
            if (give(t, (size_t)(newline - at), take, ctx, n_given, err) != 0)
                return -1;
            continue;
        }
        if (t->fill > t->line_max || t->skipping)
            skip_part(t);
        if ((more = read_more(t, err)) <= 0)
            return more;
    }
    return 0;
}

/* What is behind the last newline of a file that nobody writes to any more. */
static int give_rest(struct tail *t, tail_fn *take, void *ctx, size_t *n_given, struct err *err)
{
    if (t->fill == 0 || t->skipping)
        return 0;
    if (give(t, t->fill, take, ctx, n_given, err) != 0)
        return -1;
    return 0;
}

/* Reads the open file to its end, twice if another one took its place: what was written
 * between the first end and the replacement belongs to it.  *next says whether to go on. */
static int read_file(struct tail *t, tail_fn *take, void *ctx, size_t max_lines, size_t *n_given, enum next *next, struct stat *now,
                     struct err *err)
{
    *next = NEXT_NONE;
    check_truncated(t);
    int rc = give_lines(t, take, ctx, max_lines, n_given, err);
    tail_place_mark(&t->place, t->fd);
    if (rc != 0)
        return -1;
    if (*n_given >= max_lines || look_for_next(t, now) == NEXT_NONE)
        return 0;
    if (give_lines(t, take, ctx, max_lines, n_given, err) != 0)
        return -1;
    if (*n_given >= max_lines)
        return 0;
    *next = NEXT_OTHER;
    return give_rest(t, take, ctx, n_given, err);
}

int tail_round(struct tail *t, tail_fn *take, void *ctx, size_t max_lines, size_t *n_given, struct err *err)
{
    enum next next = NEXT_OTHER;
    struct stat now;

    *n_given = 0;
    if (t->fd < 0 && open_first(t, err) != 0)
        return -1;
    for (int files = 0; t->fd >= 0 && next != NEXT_NONE && files < FILES_A_ROUND; files++) {
        if (read_file(t, take, ctx, max_lines, n_given, &next, &now, err) != 0)
            return -1;
        if (next != NEXT_NONE && open_next(t, &now, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int allocate(const struct tail_opts *opts, struct tail *t)
{
    t->line_max = opts->line_max == 0 ? TAIL_LINE_MAX : opts->line_max;
    t->path = strdup(opts->path);
    t->place_path = opts->place != NULL ? strdup(opts->place) : NULL;
    t->buffer = malloc(t->line_max + 2 * CHUNK);
    return t->path == NULL || t->buffer == NULL || (opts->place != NULL && t->place_path == NULL) ? -1 : 0;
}

/* The folder is watched, too: a file that is renamed or appears is an event there. */
static void watch(struct tail *t)
{
    char *slash, *folder = strdup(t->path);

    t->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (folder != NULL && t->watch >= 0) {
        slash = strrchr(folder, '/');
        if (slash != NULL)
            slash[slash == folder] = '\0';
        if (inotify_add_watch(t->watch, slash != NULL ? folder : ".", IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
            close(t->watch);
            t->watch = -1;
        }
    }
    free(folder);
}

int tail_open(const struct tail_opts *opts, struct tail **out, struct err *err)
{
    struct tail *t = calloc(1, sizeof *t);

    if (t == NULL)
        return err_nomem(err);
    t->fd = t->watch = -1;
    t->from_end = opts->from_end;
    if (allocate(opts, t) != 0) {
        tail_close(t);
        return err_nomem(err);
    }
    int read = t->place_path != NULL ? tail_place_read(t->place_path, &t->place, err) : 0;
    if (read < 0) {
        tail_close(t);
        return -1;
    }
    t->is_placed = read == 1;
    if (t->is_placed)
        t->n_after = tail_place_after(&t->place, t->path, t->after, SEEN);
    watch(t);
    *out = t;
    return 0;
}

void tail_close(struct tail *t)
{
    if (t == NULL)
        return;
    close_file(t);
    if (t->watch >= 0)
        close(t->watch);
    free(t->path);
    free(t->place_path);
    free(t->buffer);
    free(t);
}

int tail_keep(struct tail *t, struct err *err)
{
    if (t->fd < 0)
        return 0;
    if (t->place_path != NULL && tail_place_write(t->place_path, &t->place, err) != 0)
        return -1;
    t->kept = t->place;
    return 0;
}

void tail_rewind(struct tail *t)
{
    if (t->kept.inode == 0)
        return;
    if (t->fd >= 0 && t->place.inode == t->kept.inode) {
        forget_buffer(t);
        t->place.offset = t->kept.offset;
        return;
    }
    close_file(t);
    t->kept.generation = t->place.generation;
    t->place = t->kept;
    t->is_placed = true;
}

bool tail_may_repeat(const struct tail *t, const char *origin)
{
    uint64_t inode, offset;

    if (sscanf(origin, "%" SCNu64 ":%" SCNu64, &inode, &offset) != 2)
        return false;
    if (t->place.inode == 0)
        return true;
    if (inode == t->place.inode)
        return offset > t->place.offset;
    /* Rotated between the last place and the crash: another file was begun. */
    for (size_t i = 0; i < t->n_after; i++) {
        if (t->after[i] == inode)
            return true;
    }
    return false;
}

int tail_fd(const struct tail *t)
{
    return t->watch;
}

void tail_drain(struct tail *t)
{
    char events[4096];

    while (t->watch >= 0 && read(t->watch, events, sizeof events) > 0)
        ;
}

void tail_counts(const struct tail *t, struct tail_counts *out)
{
    *out = t->counts;
}

bool tail_is_open(const struct tail *t)
{
    return t->fd >= 0;
}
