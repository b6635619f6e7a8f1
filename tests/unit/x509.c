/* x509.c - certificates of our own, and how they are renewed with overlap. */
#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "base/x509.h"
#include "cmd/tls_self.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define T0 INT64_C(1796000000000)
#define DAY MS_DAY

static struct err err;
static const char *const names[] = { "keep.keep.svc", "localhost", "127.0.0.1" };

static char *text_of(struct buf *b)
{
    assert_false(b->failed);
    return b->ptr;
}

static void a_certificate_is_issued_for_its_names(void **state)
{
    struct buf ca, other, cert;
    struct x509_facts f;

    (void)state;
    buf_init(&ca, 1 << 16), buf_init(&other, 1 << 16), buf_init(&cert, 1 << 16);
    assert_int_equal(x509_make_ca("Test CA", T0, T0 + 100 * DAY, &ca, &err), 0);
    assert_int_equal(x509_make_ca("Test CA", T0, T0 + 100 * DAY, &other, &err), 0);
    assert_int_equal(x509_issue(ca.ptr, names, 3, T0 + 500, T0 + 10 * DAY, &cert, &err), 0);
    assert_true(x509_is_issued(text_of(&cert), text_of(&ca)));
    assert_false(x509_is_issued(cert.ptr, other.ptr));
    assert_true(x509_has_names(cert.ptr, names, 3));
    assert_false(x509_has_names(cert.ptr, names, 2));
    static const char *const others[] = { "keep.keep.svc", "localhost", "127.0.0.2" };
    assert_false(x509_has_names(cert.ptr, others, 3));
    assert_int_equal(x509_read(cert.ptr, &f, &err), 0);
    assert_int_equal(f.from_ms, T0);
    assert_int_equal(f.until_ms, T0 + 10 * DAY);
    assert_non_null(strstr(cert.ptr, "PRIVATE KEY"));
    buf_free(&ca), buf_free(&other), buf_free(&cert);
}

/* The key at the end of the chain: it stays when the server's certificate is renewed. */
static void a_pin_is_the_key_of_the_last_certificate(void **state)
{
    struct buf ca, one, two;
    char of_ca[65], of_one[65], of_two[65];

    (void)state;
    buf_init(&ca, 1 << 16), buf_init(&one, 1 << 16), buf_init(&two, 1 << 16);
    assert_int_equal(x509_make_ca("Test CA", T0, T0 + 100 * DAY, &ca, &err), 0);
    assert_int_equal(x509_issue(ca.ptr, names, 3, T0, T0 + 10 * DAY, &one, &err), 0);
    assert_int_equal(x509_issue(ca.ptr, names, 3, T0, T0 + 20 * DAY, &two, &err), 0);
    assert_true(x509_pin(text_of(&ca), of_ca) && x509_pin(text_of(&one), of_one) && x509_pin(text_of(&two), of_two));
    assert_string_equal(of_one, of_ca);
    assert_string_equal(of_two, of_ca);
    assert_true(x509_ends_in_root(ca.ptr) && x509_ends_in_root(one.ptr));
    *(strstr(one.ptr, "-----END CERTIFICATE-----") + 26) = '\0';         /* the leaf alone */
    assert_true(x509_pin(one.ptr, of_one));
    assert_string_not_equal(of_one, of_ca);
    assert_false(x509_ends_in_root(one.ptr));                            /* somebody else's key is above it */
    assert_false(x509_ends_in_root(""));
    assert_false(x509_pin("", of_one));
    assert_false(x509_pin("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", of_one));
    buf_free(&ca), buf_free(&one), buf_free(&two);
}

static void names_that_would_be_more_than_a_name_are_refused(void **state)
{
    static const char *const bad[] = { "", "a b", "a,DNS:b", "a\n", "-a", "a-", "a..b", "*.*.x", "x.*", "a:b", "a_b", ".a", "a." };
    static const char *const good[] = { "a", "keep.keep.svc", "*.example.org", "10.0.0.1", "::1", "a-b.c1" };
    struct buf ca, cert;

    (void)state;
    buf_init(&ca, 1 << 16), buf_init(&cert, 1 << 16);
    assert_int_equal(x509_make_ca("Test CA", T0, T0 + DAY, &ca, &err), 0);
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        assert_false(x509_is_name(bad[i]));
        assert_int_equal(x509_issue(ca.ptr, &bad[i], 1, T0, T0 + DAY, &cert, &err), -1);
        assert_int_equal(err.kind, ERR_INVALID);
    }
    for (size_t i = 0; i < N_ITEMS(good); i++) {
        buf_clear(&cert);
        assert_int_equal(x509_issue(ca.ptr, &good[i], 1, T0, T0 + DAY, &cert, &err), 0);
        assert_true(x509_has_names(cert.ptr, &good[i], 1));
    }
    assert_int_equal(x509_issue(ca.ptr, good, 0, T0, T0 + DAY, &cert, &err), -1);
    assert_int_equal(x509_issue("nothing", good, 1, T0, T0 + DAY, &cert, &err), -1);
    buf_free(&ca), buf_free(&cert);
}

/* ---- a life -------------------------------------------------------------------------------- */

struct folder { char dir[64]; struct tls_self self; struct arena arena; };

static int set_up(void **state)
{
    struct folder *f = calloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/keep-x509-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        abort();
    arena_init(&f->arena, 16 << 20);
    f->self = (struct tls_self){ f->dir, names, 3 };
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    struct folder *f = *state;

    nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_clear(&f->arena);
    free(f);
    return 0;
}

static bool ensure(struct folder *f, int64_t at)
{
    bool changed = false;

    if (tls_self_ensure(&f->self, at, &changed, &err) != 0)
        fprintf(stderr, "%s\n", err.msg), abort();
    return changed;
}

static const char *file(struct folder *f, const char *name)
{
    char path[128];
    char *text = arena_alloc(&f->arena, 65536);

    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return NULL;
    size_t n = fread(text, 1, 65535, in);
    fclose(in);
    text[n] = '\0';
    return text;
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    for (; (text = strstr(text, word)) != NULL; text++)
        n++;
    return n;
}

/* Whoever has this bundle accepts what is served. */
static bool trusts(const char *bundle, const char *server)
{
    for (const char *s = bundle; (s = strstr(s, "-----BEGIN")) != NULL; s++) {
        if (x509_is_issued(server, s))
            return true;
    }
    return false;
}

static void first_start_makes_everything_and_nothing_twice(void **state)
{
    struct folder *f = *state;
    struct stat st;
    char path[128];

    assert_true(ensure(f, T0));
    assert_true(trusts(file(f, "bundle.pem"), file(f, "server.pem")));
    assert_int_equal(count(file(f, "bundle.pem"), "BEGIN CERTIFICATE"), 1);
    assert_int_equal(count(file(f, "bundle.pem"), "PRIVATE"), 0);
    snprintf(path, sizeof path, "%s/ca.pem", f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_false(ensure(f, T0 + DAY));
}

static void new_names_need_a_new_certificate(void **state)
{
    static const char *const more[] = { "keep.keep.svc", "keep.example.org" };
    struct folder *f = *state;

    ensure(f, T0);
    f->self.names = more;
    f->self.n = 2;
    assert_true(ensure(f, T0 + 1000));
    assert_true(x509_has_names(file(f, "server.pem"), more, 2));
}

static void certificates_are_renewed_after_two_thirds_of_their_life(void **state)
{
    struct folder *f = *state;

    ensure(f, T0);
    assert_false(ensure(f, T0 + 59 * DAY));
    assert_true(ensure(f, T0 + 61 * DAY));
    assert_true(trusts(file(f, "bundle.pem"), file(f, "server.pem")));
}

static void a_client_with_the_last_months_bundle_is_never_lost(void **state)
{
    struct folder *f = *state;
    enum { STEP = 5, ROUNDS = 30 / STEP };
    const char *month_ago[ROUNDS];
    size_t most = 0;

    for (int i = 0; i * STEP < 5 * 365; i++) {
        int day = i * STEP;
        struct x509_facts facts;
        ensure(f, T0 + day * DAY);
        const char *server = file(f, "server.pem"), *bundle = file(f, "bundle.pem");
        assert_int_equal(x509_read(server, &facts, &err), 0);
        assert_true(facts.from_ms <= T0 + day * DAY && T0 + day * DAY < facts.until_ms);
        assert_true(trusts(bundle, server));
        if (day >= 30)
            assert_true(trusts(month_ago[i % ROUNDS], server));
        size_t n = count(bundle, "BEGIN CERTIFICATE");
        most = n > most ? n : most;
        month_ago[i % ROUNDS] = arena_strdup(&f->arena, bundle);
        if (i % 50 == 49) {
            struct arena kept;
            arena_init(&kept, 16 << 20);
            for (size_t k = 0; k < ROUNDS; k++)
                month_ago[k] = arena_strdup(&kept, month_ago[k]);
            arena_clear(&f->arena);
            f->arena = kept;
        }
    }
    assert_in_range(most, 2, 3);
}

static void a_crash_between_two_files_is_made_good(void **state)
{
    static const char *const gone[] = { "bundle.pem", "server.pem", "ca-old.pem" };
    struct folder *f = *state;
    char path[128];

    for (int day = 0; day < 600; day += 20)
        ensure(f, T0 + day * DAY);
    for (size_t i = 0; i < N_ITEMS(gone); i++) {
        snprintf(path, sizeof path, "%s/%s", f->dir, gone[i]);
        unlink(path);
        ensure(f, T0 + 600 * DAY);
        assert_true(trusts(file(f, "bundle.pem"), file(f, "server.pem")));
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_issued_for_its_names), cmocka_unit_test(names_that_would_be_more_than_a_name_are_refused),
        cmocka_unit_test(a_pin_is_the_key_of_the_last_certificate),
        T(first_start_makes_everything_and_nothing_twice), T(new_names_need_a_new_certificate),
        T(certificates_are_renewed_after_two_thirds_of_their_life), T(a_client_with_the_last_months_bundle_is_never_lost),
        T(a_crash_between_two_files_is_made_good),
    };
    return crypto_init(&err) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
