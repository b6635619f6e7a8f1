/* compress.h - the one door to zlib and zstd.
 *
 * Decompression is bounded before it starts: by bytes and by ratio to the input
 * (whichever is less; small inputs may always grow to 64 KiB).  All of the
 * input must belong to it: truncation and bytes behind the end are errors. */
#ifndef KEEP_BASE_COMPRESS_H
#define KEEP_BASE_COMPRESS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct inflate_bounds {
    size_t max_bytes;          /* of output; 0: nothing is allowed */
    size_t max_ratio;          /* output per byte of input; 0: 100 */
};

/* Appends to out (whose own max counts, too).  gzip (RFC 1952): up to 4096
 * members.  zstd (RFC 8878): frames with windows up to 8 MiB, up to 4096 of
 * them; skippable frames are stepped over.  On failure out is as before.
 * ERR_TOO_LARGE past a bound, ERR_INVALID for corrupt, truncated or trailing
 * bytes, ERR_UNAVAILABLE out of memory. */
int gzip_inflate(const void *in, size_t len, struct inflate_bounds bounds, struct buf *out, struct err *err);
int zstd_inflate(const void *in, size_t len, struct inflate_bounds bounds, struct buf *out, struct err *err);

/* Appends one member (levels 1..9) or one frame with a checksum (1..19).  gzip
 * output is reproducible: no name, no time. */
int gzip_deflate(const void *in, size_t len, int level, struct buf *out, struct err *err);
int zstd_deflate(const void *in, size_t len, int level, struct buf *out, struct err *err);

/* CRC-32 as crc32_of (base/token.h) has it, zlib's: for more than a few bytes. */
uint32_t crc32_fast(const void *data, size_t len);

#endif
