/* compress.c - bounded gzip and zstd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compress.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

struct codec {
    const char *name;
    int (*inflate)(const void *, size_t, struct inflate_bounds, struct buf *, struct err *);
    int (*deflate)(const void *, size_t, int, struct buf *, struct err *);
};

static const struct codec codecs[] = {
    { "gzip", gzip_inflate, gzip_deflate },
    { "zstd", zstd_inflate, zstd_deflate },
};

static const struct inflate_bounds roomy = { 64 << 20, 10000 };

/* Text that compresses some, but not to nothing. */
static char *sample(size_t len)
{
    char *p = malloc(len + 1);
    uint32_t x = 12345;

    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        p[i] = (char)('a' + (x >> 29));
    }
    return p;
}

static void what_was_compressed_comes_back(void **state)
{
    static const size_t lens[] = { 0, 1, 100, 65535, 65536, 65537, 300000 };

    (void)state;
    for (size_t c = 0; c < N_ITEMS(codecs); c++) {
        for (size_t i = 0; i < N_ITEMS(lens); i++) {
            char *text = sample(lens[i]);
            struct buf packed, back;
            struct err err = { 0 };
            buf_init(&packed, 8 << 20);
            buf_init(&back, 8 << 20);
            buf_puts(&back, "kept:");
            assert_int_equal(codecs[c].deflate(text, lens[i], 6, &packed, &err), 0);
            assert_int_equal(codecs[c].inflate(packed.ptr, packed.len, roomy, &back, &err), 0);
            assert_int_equal(back.len, lens[i] + 5);
            assert_memory_equal(back.ptr, "kept:", 5);
            assert_memory_equal(back.ptr + 5, text, lens[i]);
            buf_free(&packed);
            buf_free(&back);
            free(text);
        }
    }
}

static void output_up_to_the_bound_is_given_and_one_byte_more_is_not(void **state)
{
    enum { LEN = 200000 };
    char *text = sample(LEN);

    (void)state;
    for (size_t c = 0; c < N_ITEMS(codecs); c++) {
        struct buf packed, back;
        struct err err = { 0 };
        buf_init(&packed, 8 << 20);
        buf_init(&back, 8 << 20);
        buf_puts(&back, "x");
        assert_int_equal(codecs[c].deflate(text, LEN, 6, &packed, &err), 0);
        assert_int_equal(codecs[c].inflate(packed.ptr, packed.len, (struct inflate_bounds){ LEN - 1, 1000 }, &back, &err), -1);
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        assert_string_equal(back.ptr, "x");
        assert_false(back.failed);
        assert_int_equal(codecs[c].inflate(packed.ptr, packed.len, (struct inflate_bounds){ LEN, 1000 }, &back, &err), 0);
        assert_int_equal(codecs[c].inflate(packed.ptr, packed.len, (struct inflate_bounds){ 0, 1000 }, &back, &err), -1);
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        buf_free(&packed);
        buf_free(&back);
    }
    free(text);
}

static void a_bomb_is_stopped_by_its_ratio(void **state)
{
    enum { LEN = 16 << 20 };
    char *zeros = calloc(1, LEN);

    (void)state;
    for (size_t c = 0; c < N_ITEMS(codecs); c++) {
        struct buf packed, back;
        struct err err = { 0 };
        buf_init(&packed, 32 << 20);
        buf_init(&back, 64 << 20);
        assert_int_equal(codecs[c].deflate(zeros, LEN, 9, &packed, &err), 0);
        assert_int_equal(codecs[c].inflate(packed.ptr, packed.len, (struct inflate_bounds){ 1 << 30, 0 }, &back, &err), -1);
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        /* Not much more than the bound was ever taken. */
        assert_true(back.cap <= 4 * (packed.len * 100 + 65536));
        buf_free(&packed);
        buf_free(&back);
    }
    free(zeros);
}

static void the_buffers_own_bound_counts(void **state)
{
    char *text = sample(100000);

    (void)state;
    for (size_t c = 0; c < N_ITEMS(codecs); c++) {
        struct buf packed, back;
        struct err err = { 0 };
        buf_init(&packed, 8 << 20);
        buf_init(&back, 1000);
        assert_int_equal(codecs[c].deflate(text, 100000, 1, &packed, &err), 0);
        assert_int_equal(codecs[c].inflate(packed.ptr, packed.len, roomy, &back, &err), -1);
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        assert_int_equal(back.len, 0);
        buf_free(&packed);
        buf_free(&back);
    }
    free(text);
}

static void every_truncation_is_an_error(void **state)
{
    char *text = sample(3000);

    (void)state;
    for (size_t c = 0; c < N_ITEMS(codecs); c++) {
        struct buf packed, back;
        buf_init(&packed, 8 << 20);
        buf_init(&back, 8 << 20);
        struct err err = { 0 };
        assert_int_equal(codecs[c].deflate(text, 3000, 6, &packed, &err), 0);
        for (size_t cut = 0; cut < packed.len; cut++) {
            assert_int_equal(codecs[c].inflate(packed.ptr, cut, roomy, &back, &err), -1);
            assert_int_equal(err.kind, ERR_INVALID);
            assert_int_equal(back.len, 0);
        }
        buf_free(&packed);
        buf_free(&back);
    }
    free(text);
}

static void bytes_behind_the_end_are_an_error(void **state)
{
    static const struct bytes tails[] = {
        { (const unsigned char *)"x", 1 }, { (const unsigned char *)"\0", 1 }, { (const unsigned char *)"garbage that is longer", 22 },
    };

    (void)state;
    for (size_t c = 0; c < N_ITEMS(codecs); c++) {
        for (size_t i = 0; i < N_ITEMS(tails); i++) {
            struct buf packed, back;
            struct err err = { 0 };
            buf_init(&packed, 1 << 20);
            buf_init(&back, 1 << 20);
            assert_int_equal(codecs[c].deflate("hello", 5, 6, &packed, &err), 0);
            buf_put(&packed, tails[i].ptr, tails[i].len);
            assert_int_equal(codecs[c].inflate(packed.ptr, packed.len, roomy, &back, &err), -1);
            assert_int_equal(err.kind, ERR_INVALID);
            buf_free(&packed);
            buf_free(&back);
        }
    }
}

static void a_flipped_bit_never_gives_other_text(void **state)
{
    char *text = sample(2000);

    (void)state;
    for (size_t c = 0; c < N_ITEMS(codecs); c++) {
        struct buf packed, back;
        struct err err = { 0 };
        buf_init(&packed, 1 << 20);
        buf_init(&back, 1 << 20);
        assert_int_equal(codecs[c].deflate(text, 2000, 6, &packed, &err), 0);
        for (size_t bit = 0; bit < packed.len * 8; bit++) {
            packed.ptr[bit / 8] ^= (char)(1 << bit % 8);
            buf_clear(&back);
            if (codecs[c].inflate(packed.ptr, packed.len, roomy, &back, &err) == 0) {
                assert_int_equal(back.len, 2000);        /* bits nobody reads: gzip's time, system */
                assert_memory_equal(back.ptr, text, 2000);
            }
            packed.ptr[bit / 8] ^= (char)(1 << bit % 8);
        }
        buf_free(&packed);
        buf_free(&back);
    }
    free(text);
}

static void members_and_frames_follow_each_other_up_to_a_number(void **state)
{
    (void)state;
    for (size_t c = 0; c < N_ITEMS(codecs); c++) {
        struct buf one, many, back;
        struct err err = { 0 };
        buf_init(&one, 1 << 20);
        buf_init(&many, 8 << 20);
        buf_init(&back, 8 << 20);
        assert_int_equal(codecs[c].deflate("ab", 2, 6, &one, &err), 0);
        for (int i = 0; i < 3; i++)
            buf_put(&many, one.ptr, one.len);
        assert_int_equal(codecs[c].inflate(many.ptr, many.len, roomy, &back, &err), 0);
        assert_string_equal(back.ptr, "ababab");
        for (int i = 3; i < 5000; i++)
            buf_put(&many, one.ptr, one.len);
        assert_int_equal(codecs[c].inflate(many.ptr, many.len, roomy, &back, &err), -1);
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        assert_string_equal(back.ptr, "ababab");
        buf_free(&one);
        buf_free(&many);
        buf_free(&back);
    }
}

static void empty_members_without_end_are_refused(void **state)
{
    struct buf one, many, back;
    struct err err = { 0 };

    (void)state;
    for (size_t c = 0; c < N_ITEMS(codecs); c++) {
        buf_init(&one, 1 << 20);
        buf_init(&many, 8 << 20);
        buf_init(&back, 1 << 20);
        assert_int_equal(codecs[c].deflate("", 0, 6, &one, &err), 0);
        for (int i = 0; i < 5000; i++)
            buf_put(&many, one.ptr, one.len);
        assert_int_equal(codecs[c].inflate(many.ptr, many.len, roomy, &back, &err), -1);
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        buf_free(&one);
        buf_free(&many);
        buf_free(&back);
    }
}

static void a_huge_zstd_window_is_refused(void **state)
{
    /* Frame header asking for 128 MiB, then one empty last block. */
    static const unsigned char frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00 };
    struct buf back;
    struct err err = { 0 };

    (void)state;
    buf_init(&back, 1 << 20);
    assert_int_equal(zstd_inflate(frame, sizeof frame, roomy, &back, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_free(&back);
}

static void gzip_output_is_reproducible(void **state)
{
    struct buf a, b;
    struct err err = { 0 };

    (void)state;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    assert_int_equal(gzip_deflate("same", 4, 9, &a, &err), 0);
    assert_int_equal(gzip_deflate("same", 4, 9, &b, &err), 0);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.ptr, b.ptr, a.len);
    assert_memory_equal(a.ptr + 4, "\0\0\0\0", 4);       /* no time */
    buf_free(&a);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_compressed_comes_back),
        cmocka_unit_test(output_up_to_the_bound_is_given_and_one_byte_more_is_not),
        cmocka_unit_test(a_bomb_is_stopped_by_its_ratio),
        cmocka_unit_test(the_buffers_own_bound_counts),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(bytes_behind_the_end_are_an_error),
        cmocka_unit_test(a_flipped_bit_never_gives_other_text),
        cmocka_unit_test(members_and_frames_follow_each_other_up_to_a_number),
        cmocka_unit_test(empty_members_without_end_are_refused),
        cmocka_unit_test(a_huge_zstd_window_is_refused),
        cmocka_unit_test(gzip_output_is_reproducible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
