/* crypto.c - what signatures, hashes and encodings cost, beside their floors.
 *
 * A floor is either the rate the libraries reach on an ordinary core (as the
 * design assumes), or, for what only moves bytes, memcpy of the same bytes
 * measured in the same run.  Prints one line each: name, figure, floor. */
#include "base/base64.h"
#include "base/compress.h"
#include "base/merkle.h"
#include "base/time.h"
#include "wire/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BODY = 5 << 20, ROUND_MS = 300 };

struct bench {
    struct arena arena;
    unsigned char *body, *copy;
    char *text;
    size_t text_len;
    struct privkey *key;
    uint8_t sig[SIG_MAX];
    size_t sig_len;
    char *envelope;
    size_t envelope_len;
    struct merkle_tree tree;
};

static double cpu_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Calls per second of CPU. */
static double rate(void (*run)(struct bench *), struct bench *b)
{
    double start = cpu_seconds(), spent;
    unsigned n = 0;

    do {
        run(b);
        n++;
        spent = cpu_seconds() - start;
    } while (spent < ROUND_MS / 1000.0);
    return n / spent;
}

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void do_verify(struct bench *b)
{
    must(pubkey_verify(privkey_public(b->key), b->body, 1024, b->sig, b->sig_len));
}

static void do_copy(struct bench *b)
{
    memcpy(b->copy, b->body, BODY);
    __asm__ volatile("" : : "r"(b->copy) : "memory");
}

static void do_pae(struct bench *b)
{
    struct bytes type = { (const unsigned char *)"application/vnd.in-toto+json", 28 }, out;
    struct err err;

    arena_reset(&b->arena);
    must(pae_encode(&b->arena, type, (struct bytes){ b->body, BODY }, &out, &err) == 0);
}

static void do_sha256(struct bench *b)
{
    uint8_t hash[SHA256_LEN];

    sha256(b->body, BODY, hash);
}

static void do_encode(struct bench *b)
{
    b->text_len = base64_encode(b->body, BODY, BASE64_STD, b->text);
}

static void do_decode(struct bench *b)
{
    size_t n;

    must(base64_decode(b->text, b->text_len, BASE64_ANY, b->copy, &n) == 0);
}

static void do_envelope(struct bench *b)
{
    const struct pubkey *trusted[] = { privkey_public(b->key) };
    struct envelope env;
    struct signers who;
    struct err err;

    arena_reset(&b->arena);
    must(envelope_parse(&b->arena, b->envelope, b->envelope_len, &env, &err) == 0 &&
         envelope_verify(&env, trusted, 1, 1, &who, &err) == 0);
}

static void do_gzip(struct bench *b)
{
    struct buf out;
    struct err err;

    buf_init(&out, (size_t)2 * BODY);
    must(gzip_inflate(b->text, b->text_len, (struct inflate_bounds){ BODY, 1000 }, &out, &err) == 0);
    buf_free(&out);
}

static void do_merkle(struct bench *b)
{
    uint8_t leaf[MERKLE_HASH], root[MERKLE_HASH];

    merkle_leaf(b->body, 300, leaf);
    merkle_add(&b->tree, leaf, NULL);
    merkle_root(&b->tree, root);
}

static void line(const char *name, double figure, const char *unit, double floor, const char *what)
{
    printf("%-34s %12.0f %-6s floor %12.0f  %s\n", name, figure, unit, floor, what);
}

static void verify_lines(struct bench *b, enum key_alg alg, double floor)
{
    char name[64];
    struct err err;
    struct buf out;

    must(privkey_generate(alg, &b->key, &err) == 0);
    must(privkey_sign(b->key, b->body, 1024, b->sig, &b->sig_len, &err) == 0);
    snprintf(name, sizeof name, "verify %s, 1 KiB", key_alg_word(alg));
    line(name, rate(do_verify, b), "/s", floor, "assumed by the design");
    buf_init(&out, (size_t)4 * BODY);
    must(envelope_sign(&b->arena, "application/vnd.in-toto+json", (struct bytes){ b->body, BODY },
                       (const struct privkey *const[]){ b->key }, 1, &out, &err) == 0);
    b->envelope = buf_steal(&out, &b->envelope_len);
    snprintf(name, sizeof name, "envelope %s, 5 MiB payload", key_alg_word(alg));
    line(name, rate(do_envelope, b), "/s", 10, "10 uploads a second on one core");
    free(b->envelope);
    privkey_free(b->key);
}

int main(void)
{
    struct bench b = { 0 };
    struct err err;
    struct buf packed;

    must(crypto_init(&err) == 0);
    arena_init(&b.arena, (size_t)256 << 20);
    b.body = malloc(BODY);
    b.copy = malloc(BODY + 16);
    b.text = malloc(base64_encoded_len(BODY) + 1);
    must(b.body != NULL && b.copy != NULL && b.text != NULL);
    for (size_t i = 0; i < BODY; i++)
        b.body[i] = (unsigned char)("{\"id\":\"CVE-2026-0001\"}"[i % 22] + (char)(i * i >> 20 & 1));
    verify_lines(&b, KEY_ED25519, 5600);
    verify_lines(&b, KEY_P256, 7700);
    double copy = rate(do_copy, &b) * BODY / 1e6;
    line("PAE of 5 MiB", rate(do_pae, &b) * BODY / 1e6, "MB/s", copy, "memcpy");
    line("SHA-256 of 5 MiB", rate(do_sha256, &b) * BODY / 1e6, "MB/s", copy, "memcpy");
    line("base64 encode 5 MiB", rate(do_encode, &b) * BODY / 1e6, "MB/s", copy, "memcpy");
    line("base64 decode to 5 MiB", rate(do_decode, &b) * BODY / 1e6, "MB/s", copy, "memcpy");
    line("audit leaf, add, root", rate(do_merkle, &b), "/s", 100000, "far above any commit rate");
    buf_init(&packed, (size_t)2 * BODY);
    must(gzip_deflate(b.body, BODY, 6, &packed, &err) == 0);
    must(packed.len < base64_encoded_len(BODY));
    memcpy(b.text, packed.ptr, packed.len);
    b.text_len = packed.len;
    line("gzip inflate to 5 MiB", rate(do_gzip, &b) * BODY / 1e6, "MB/s", copy, "memcpy");
    buf_free(&packed);
    free(b.body);
    free(b.copy);
    free(b.text);
    arena_clear(&b.arena);
    return 0;
}
