/* lock.h - one keepd per data directory.
 *
 * A second process that opens the SQLite file would checkpoint beside the
 * writer, which can corrupt it (see db.h).  The lock is a flock on
 * DIR/keepd.lock: it ends with the process, however that ends, and the file
 * stays.  It holds the pid of the holder, for people. */
#ifndef KEEP_DB_LOCK_H
#define KEEP_DB_LOCK_H

#include "base/err.h"

/* The descriptor that holds the lock (>= 0), or -1: ERR_CONFLICT when another
 * process has it, and the message names that process; else ERR_UNAVAILABLE. */
int lock_take(const char *dir, struct err *err);

/* Ignores -1. */
void lock_release(int fd);

#endif
