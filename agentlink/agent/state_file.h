/* state_file.h - small files of the agent's state folder: whole or not at all.
 *
 * A file is written under another name, synced, renamed, and its folder synced: after
 * that, and only after that, it survives a power cut.  Names never contain '/'. */
#ifndef KEEP_AGENT_STATE_FILE_H
#define KEEP_AGENT_STATE_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Replaces NAME (mode 0600) in the folder.  ERR_STORAGE_FULL, ERR_UNAVAILABLE. */
int state_write(int dir, const char *name, const void *bytes, size_t len, struct err *err);

/* The file's bytes in the arena, a NUL behind them.  ERR_NOT_FOUND, ERR_TOO_LARGE past max. */
int state_read(int dir, const char *name, size_t max, struct arena *arena, struct bytes *out, struct err *err);

int state_sync(int dir, struct err *err);                 /* of the folder itself */

/* Removes a folder of plain files; a missing one is fine.  Best effort. */
void state_remove_folder(int dir, const char *name);

/* What errno says about NAME. */
int state_fail(const char *name, struct err *err);

#endif
