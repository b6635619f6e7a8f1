/* tar.c - any bytes as a tar, packed as gzip here so that the fuzzer need not learn
 * gzip, and as they are.
 *
 * Oracles: bounds hold; what was read and has plain names can be written, and is then
 * read back the same. */
#include "base/compress.h"
#include "base/tar.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)

enum { FILES = 50, FILE_BYTES = 1 << 16, TOTAL = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const void *bytes, size_t len)
{
    const struct tar_bounds bounds = { FILES, FILE_BYTES, TOTAL };
    const struct tar_file *files, *again;
    struct arena arena;
    struct buf out;
    struct err err = { 0 };
    size_t n, m;

    arena_init(&arena, 16 << 20);
    buf_init(&out, 8 << 20);
    if (tar_gz_read(bytes, len, &bounds, &arena, &files, &n, &err) == 0) {
        REQUIRE(n <= FILES);
        for (size_t i = 0; i < n; i++)
            REQUIRE(files[i].content.len <= FILE_BYTES && *files[i].name != '\0');
        if (tar_gz_write(files, n, &out, &err) == 0) {
            REQUIRE(tar_gz_read(out.ptr, out.len, NULL, &arena, &again, &m, &err) == 0 && m == n);
            for (size_t i = 0; i < n; i++) {
                size_t k = 0;
                while (k < m && strcmp(files[i].name, again[k].name) != 0)
                    k++;
                REQUIRE(k < m && files[i].content.len == again[k].content.len &&
                        memcmp(files[i].content.ptr, again[k].content.ptr, files[i].content.len) == 0);
            }
        }
    }
    buf_free(&out);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf packed;
    struct err err = { 0 };

    check(data, size);
    buf_init(&packed, 2 * size + 65536);
    if (gzip_deflate(data, size, 1, &packed, &err) == 0)
        check(packed.ptr, packed.len);
    buf_free(&packed);
    return 0;
}
