/* tar.h - the one door to libarchive: small tar.gz archives, in and out of memory.
 *
 * Written archives are reproducible: ustar, members sorted by name, one fixed time,
 * mode and owner, a gzip header without name and time.  Reading is bounded before
 * anything is unpacked, and takes regular files alone: a link, a device or a name
 * that stands twice is an error, folders are stepped over. */
#ifndef KEEP_BASE_TAR_H
#define KEEP_BASE_TAR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct tar_file {
    const char *name;          /* as it stands in the archive; UTF-8, at most 1,024 bytes when read */
    struct bytes content;
};

struct tar_bounds {
    size_t max_files;          /* 0: 1,000 */
    size_t max_file;           /* bytes of one file; 0: 64 MiB */
    size_t max_total;          /* bytes unpacked, headers included; 0: 256 MiB */
};

/* Appends a tar.gz.  Names: relative, without "./", "..", "//" or a leading "/", at
 * most 100 bytes, each once.  ERR_INVALID for other names, ERR_UNAVAILABLE. */
int tar_gz_write(const struct tar_file *files, size_t n, struct buf *out, struct err *err);

/* The regular files in their order; everything lives in the arena.  ERR_INVALID for
 * what is damaged, cut off, not a tar.gz or not a plain file; ERR_TOO_LARGE. */
int tar_gz_read(const void *bytes, size_t len, const struct tar_bounds *bounds, struct arena *arena,
                const struct tar_file **files, size_t *n, struct err *err);

#endif
