/* file.h - whole files in and out of memory. */
#ifndef KEEP_CTL_FILE_H
#define KEEP_CTL_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

/* "-": standard input.  A NUL follows the bytes, which live in the arena.
 * ERR_INVALID with the reason, ERR_TOO_LARGE past max. */
int file_read(struct arena *arena, const char *path, size_t max, struct bytes *out, struct err *err);

/* Through a temporary file beside it, synced and renamed: there is never half a
 * file.  Without replace an existing file is an error. */
int file_write(const char *path, struct bytes content, mode_t mode, bool replace, struct err *err);

#endif
