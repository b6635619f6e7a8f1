/* gzip.c - any bytes as gzip and as zstd.
 *
 * Oracles: never more output than the bounds allow, also in memory taken; on
 * failure nothing is appended; what came out survives being compressed again. */
#include "base/compress.h"
#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)

enum { MOST = 1 << 20, RATIO = 40, FREE = 64 * 1024 };

static const struct {
    int (*inflate)(const void *, size_t, struct inflate_bounds, struct buf *, struct err *);
    int (*deflate)(const void *, size_t, int, struct buf *, struct err *);
} codecs[] = { { gzip_inflate, gzip_deflate }, { zstd_inflate, zstd_deflate } };

static void check(size_t codec, const uint8_t *data, size_t size)
{
    struct buf out, packed, back;
    struct err err = { 0 };
    size_t limit = size * RATIO > FREE ? size * RATIO : FREE;

    buf_init(&out, (size_t)4 << 20);
    buf_init(&packed, (size_t)8 << 20);
    buf_init(&back, (size_t)4 << 20);
    buf_putc(&out, '!');
    int rc = codecs[codec].inflate(data, size, (struct inflate_bounds){ MOST, RATIO }, &out, &err);
    REQUIRE(!out.failed && out.ptr[0] == '!' && out.ptr[out.len] == '\0');
    REQUIRE(out.len - 1 <= MOST && out.len - 1 <= limit && out.cap <= 4 * (limit + FREE));
    REQUIRE(rc == 0 || out.len == 1);
    REQUIRE(rc == 0 || err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE);
    if (rc == 0) {
        REQUIRE(codecs[codec].deflate(out.ptr, out.len, 1, &packed, &err) == 0);
        REQUIRE(codecs[codec].inflate(packed.ptr, packed.len, (struct inflate_bounds){ out.len, 1 << 20 }, &back, &err) == 0);
        REQUIRE(back.len == out.len && memcmp(back.ptr, out.ptr, out.len) == 0);
    }
    buf_free(&out);
    buf_free(&packed);
    buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t codec = 0; codec < N_ITEMS(codecs); codec++)
        check(codec, data, size);
    return 0;
}
