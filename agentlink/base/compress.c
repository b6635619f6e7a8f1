/* compress.c - see compress.h.  Only our own buffers are handed to the
 * libraries, in pieces of at most STEP bytes, so that a bound is noticed before
 * the memory for what lies beyond it is taken. */
#include "base/compress.h"

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <stdint.h>

enum { STEP = 64 * 1024, DEFAULT_RATIO = 100, MAX_MEMBERS = 4096, MAX_WINDOW_LOG = 23 };

static size_t limit_of(size_t len, struct inflate_bounds bounds)
{
    size_t ratio = bounds.max_ratio != 0 ? bounds.max_ratio : DEFAULT_RATIO;
    size_t by_ratio = len > SIZE_MAX / ratio ? SIZE_MAX : len * ratio;

    if (by_ratio < STEP)
        by_ratio = STEP;
    return by_ratio < bounds.max_bytes ? by_ratio : bounds.max_bytes;
}

/* Room for the next piece.  At the limit the size is 0, and the caller lets the
 * library write into a spare byte instead: output of exactly the limit is then
 * told from output beyond it. */
static char *next_piece(struct buf *out, size_t used, size_t limit, size_t *size)
{
    *size = limit - used < STEP ? limit - used : STEP;
    return buf_room(out, *size);
}

static int give_up(struct buf *out, size_t start, enum err_kind kind, const char *what, struct err *err)
{
    out->len = start;
    out->failed = false;
    if (out->ptr != NULL)
        out->ptr[start] = '\0';
    return err_set(err, kind, "%s", what);
}

/* ---- gzip ----------------------------------------------------------------- */

/* One call of inflate into a piece of out, or into one spare byte at the limit.
 * 1: wrote past the limit. */
static int gzip_step(z_stream *z, struct buf *out, size_t start, size_t limit, int *state)
{
    unsigned char spare;
    size_t size;
    char *to = next_piece(out, out->len - start, limit, &size);

    if (to == NULL)
        return 1;
    z->next_out = size > 0 ? (unsigned char *)to : &spare;
    z->avail_out = size > 0 ? (unsigned)size : 1;
    unsigned room = z->avail_out;
    *state = inflate(z, Z_NO_FLUSH);
    unsigned wrote = room - z->avail_out;
    if (size == 0 && wrote > 0)
        return 1;
    buf_grown(out, wrote);
    return 0;
}

static int gzip_run(z_stream *z, size_t limit, struct buf *out, struct err *err)
{
    size_t start = out->len, members = 0;
    int state = Z_OK;

    while (state != Z_STREAM_END || z->avail_in > 0) {
        if (state == Z_STREAM_END && (++members == MAX_MEMBERS || inflateReset(z) != Z_OK))
            return give_up(out, start, ERR_TOO_LARGE, "gzip: too many members", err);
        if (gzip_step(z, out, start, limit, &state) != 0)
            return give_up(out, start, ERR_TOO_LARGE, "gzip: expands beyond its bound", err);
        if (state == Z_MEM_ERROR)
            return give_up(out, start, ERR_UNAVAILABLE, "out of memory", err);
        if (state != Z_OK && state != Z_STREAM_END)
            return give_up(out, start, ERR_INVALID,
                           state == Z_BUF_ERROR ? "gzip: ends too early" : "gzip: corrupt data or trailing bytes", err);
    }
    return 0;
}

int gzip_inflate(const void *in, size_t len, struct inflate_bounds bounds, struct buf *out, struct err *err)
{
    z_stream z = { 0 };

    if (len > UINT32_MAX / 2)
        return err_set(err, ERR_TOO_LARGE, "gzip: input of %zu bytes", len);
    if (out->failed || inflateInit2(&z, 15 + 16) != Z_OK)
        return err_nomem(err);
    z.next_in = in;
    z.avail_in = (unsigned)len;
    int rc = gzip_run(&z, limit_of(len, bounds), out, err);
    inflateEnd(&z);
    return rc;
}

int gzip_deflate(const void *in, size_t len, int level, struct buf *out, struct err *err)
{
    z_stream z = { 0 };

    if (len > UINT32_MAX / 2 || level < 1 || level > 9)
        return err_set(err, ERR_INTERNAL, "gzip: %zu bytes at level %d", len, level);
    if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_nomem(err);
    size_t bound = deflateBound(&z, len);
    char *to = buf_room(out, bound);
    z.next_in = in;
    z.avail_in = (unsigned)len;
    z.next_out = (unsigned char *)to;
    z.avail_out = (unsigned)bound;
    int state = to != NULL ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
    deflateEnd(&z);
    if (state != Z_STREAM_END)
        return err_nomem(err);
    buf_grown(out, bound - z.avail_out);
    return 0;
}

/* ---- zstd ----------------------------------------------------------------- */

static int zstd_failed(struct buf *out, size_t start, size_t code, struct err *err)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation:
        return give_up(out, start, ERR_UNAVAILABLE, "out of memory", err);
    case ZSTD_error_frameParameter_windowTooLarge:
        return give_up(out, start, ERR_TOO_LARGE, "zstd: window over 8 MiB", err);
    default:
        return give_up(out, start, ERR_INVALID, "zstd: corrupt data or trailing bytes", err);
    }
}

/* ZSTD_decompressStream returns 0 at the end of each frame. */
static int zstd_run(ZSTD_DCtx *ctx, ZSTD_inBuffer *in, size_t limit, struct buf *out, struct err *err)
{
    size_t start = out->len, left = 1, frames = 0, size;
    char spare;

    while (left != 0 || in->pos < in->size) {
        char *to = next_piece(out, out->len - start, limit, &size);
        if (to == NULL)
            return give_up(out, start, ERR_TOO_LARGE, "zstd: expands beyond its bound", err);
        ZSTD_outBuffer piece = { size > 0 ? to : &spare, size > 0 ? size : 1, 0 };
        size_t before = in->pos;
        left = ZSTD_decompressStream(ctx, &piece, in);
        if (ZSTD_isError(left))
            return zstd_failed(out, start, left, err);
        if (size == 0 && piece.pos > 0)
            return give_up(out, start, ERR_TOO_LARGE, "zstd: expands beyond its bound", err);
        buf_grown(out, size > 0 ? piece.pos : 0);
        if (left != 0 && in->pos == before && piece.pos == 0)
            return give_up(out, start, ERR_INVALID, "zstd: ends too early", err);
        if (left == 0 && ++frames > MAX_MEMBERS)
            return give_up(out, start, ERR_TOO_LARGE, "zstd: too many frames", err);
    }
    return 0;
}

int zstd_inflate(const void *in, size_t len, struct inflate_bounds bounds, struct buf *out, struct err *err)
{
    ZSTD_inBuffer input = { in, len, 0 };

    if (len == 0)
        return err_set(err, ERR_INVALID, "zstd: no data");
    ZSTD_DCtx *ctx = out->failed ? NULL : ZSTD_createDCtx();
    if (ctx == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, MAX_WINDOW_LOG)))
        return ZSTD_freeDCtx(ctx), err_nomem(err);
    int rc = zstd_run(ctx, &input, limit_of(len, bounds), out, err);
    ZSTD_freeDCtx(ctx);
    return rc;
}

int zstd_deflate(const void *in, size_t len, int level, struct buf *out, struct err *err)
{
    if (level < 1 || level > 19)
        return err_set(err, ERR_INTERNAL, "zstd: level %d", level);
    size_t bound = ZSTD_compressBound(len);
    char *to = buf_room(out, bound);
    ZSTD_CCtx *ctx = to != NULL ? ZSTD_createCCtx() : NULL;
    if (ctx == NULL)
        return err_nomem(err);
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
    size_t n = ZSTD_compress2(ctx, to, bound, in, len);
    ZSTD_freeCCtx(ctx);
    if (ZSTD_isError(n))
        return err_nomem(err);
    buf_grown(out, n);
    return 0;
}

uint32_t crc32_fast(const void *data, size_t len)
{
    return (uint32_t)crc32_z(0, data, len);
}
