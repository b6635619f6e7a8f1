/* tail_place.h - where reading of a followed file stands, and how to know the file again.
 *
 * Inodes are used again, and copytruncate keeps them: a file is the one of a place when
 * device and inode agree, it is at least as long as what was read, and its first
 * `marked` bytes hash to `mark`. */
#ifndef KEEP_AGENT_TAIL_PLACE_H
#define KEEP_AGENT_TAIL_PLACE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { TAIL_MARK_MAX = 256 };            /* bytes of the beginning that are hashed */

struct tail_place {
    uint64_t device, inode, offset;
    uint64_t mark;
    uint32_t marked;                     /* how many bytes `mark` is over */
    uint64_t generation;                 /* of the place file: which of its two slots is the newer */
};

/* Takes the mark of as much of the beginning as lies before the offset; only while it grows. */
void tail_place_mark(struct tail_place *p, int fd);

/* Is the open file the one of the place? */
bool tail_place_is(const struct tail_place *p, int fd, const struct stat *st);

/* Looks for the file of the place next to `path`, whatever it is called now (NAME.1, NAME-date).
 * Returns an open descriptor, the caller's, or -1. */
int tail_place_find(const struct tail_place *p, const char *path);

/* The next older file than the one at `path` that was rotated away after the one `now` of the
 * place: files are rotated in the order of their last writes.  NAME..., not compressed.
 * `seen` are inodes that were read already; they count only where times cannot tell. */
int tail_place_next(const char *path, const struct stat *now, const uint64_t *seen, size_t n_seen);

/* Inodes of the files that may have been read after the one of the place: the one at the path,
 * and those that were rotated away since.  At most max; returns how many. */
size_t tail_place_after(const struct tail_place *p, const char *path, uint64_t *inodes, size_t max);

/* 1 read, 0 there is none, -1.  One that cannot be read as a place is renamed to PATH.bad: 0. */
int tail_place_read(const char *path, struct tail_place *out, struct err *err);

/* Durable when it returns.  Two slots are written in turns in place, so that it needs no room
 * on a full disk and a torn write leaves the other one.  ERR_STORAGE_FULL, ERR_UNAVAILABLE. */
int tail_place_write(const char *path, struct tail_place *p, struct err *err);

#endif
