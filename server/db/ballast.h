/* ballast.h - space kept back for the day the disk is full.
 *
 * On a full disk SQLite can neither delete nor checkpoint: retention cannot
 * rescue it.  So some space is kept in DIR/ballast.  When the writer says `full`:
 * ballast_release, delete what retention allows in pieces well below the ballast
 * (a delete goes through the log, too; the writer checkpoints by itself), and
 * ballast_keep again once there is room.
 *
 * BALLAST_BYTES is what a checkpoint may need: the writer's log has at most 8 MiB
 * when it is due, and grows by less than that before `full` is seen.  A single
 * larger write can outgrow it: refuse large bodies while disk_free_bytes is less
 * than twice their size (507), well before the ballast is needed. */
#ifndef KEEP_DB_BALLAST_H
#define KEEP_DB_BALLAST_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define BALLAST_BYTES (INT64_C(16) << 20)

/* Makes the file, its blocks really allocated; does nothing when it is whole.
 * ERR_STORAGE_FULL when it would leave less than as much again free: then it
 * is not made, and asking later is right. */
int ballast_keep(const char *dir, int64_t bytes, struct err *err);

/* What an unprivileged process may still write in the file system of dir; -1 when
 * it cannot be told. */
int64_t disk_free_bytes(const char *dir);

/* Gives the space back; true when there was some. */
bool ballast_release(const char *dir);

#endif
