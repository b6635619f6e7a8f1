/* A node's updates against a scripted transport: each step may fail or be the last thing
 * the process does, and the next round goes on from there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/update.h"
#include "base/time.h"
#include "wire/envelope.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW INT64_C(1893456000000)                   /* 2030-01-01 */

static const char *const steps[] = { "root", "floor", "files", "link", "clean" };
static struct privkey *root_key, *bundle_keys[2];

struct world {
    struct arena arena;
    char dir[64];
    struct update *u;
    const char *fail_at;
    bool dies;
    /* what is served */
    struct bytes root2, bundle;
    unsigned status;
    const char *etag;
    size_t piece;                        /* bytes at a time; 0: whole */
    char seen_etag[96];
};

/* ---- documents ------------------------------------------------------------------------- */

static struct bytes sign(struct world *w, const char *type, const char *text, struct privkey *key)
{
    const struct privkey *by[] = { key };
    struct err err = { 0 };
    struct buf out;

    buf_init(&out, 1 << 20);
    assert_int_equal(envelope_sign(&w->arena, type, (struct bytes){ (const unsigned char *)text, strlen(text) }, by, 1, &out, &err), 0);
    char *copy = arena_strndup(&w->arena, out.ptr, out.len);
    struct bytes b = { (unsigned char *)copy, out.len };
    buf_free(&out);
    return b;
}

static struct bytes root_doc(struct world *w, int64_t version, struct privkey *bundle_key)
{
    struct err err = { 0 };
    struct pubkey pub[2];
    struct trust_root r = { .version = version, .expires_ms = NOW + 365 * MS_DAY, .keys = pub, .n_keys = 2,
                            .root = { .threshold = 1, .n = 1, .keys = { &pub[0] } }, .bundle = { .threshold = 1, .n = 1, .keys = { &pub[1] } } };
    struct buf b;

    assert_int_equal(pubkey_from_ed25519(pubkey_ed25519(privkey_public(root_key)), &pub[0], &err), 0);
    assert_int_equal(pubkey_from_ed25519(pubkey_ed25519(privkey_public(bundle_key)), &pub[1], &err), 0);
    buf_init(&b, 1 << 20);
    assert_int_equal(trust_root_write(&r, &b, &err), 0);
    struct bytes out = sign(w, TRUST_ROOT_TYPE, b.ptr, root_key);
    buf_free(&b);
    return out;
}

/* One file "a", whose content is given; `listed` is what the list says of it. */
static struct bytes bundle_doc(struct world *w, int64_t version, const char *content, const char *listed, struct privkey *key)
{
    struct trust_file f = { .name = "a", .length = (int64_t)strlen(listed) };
    struct trust_bundle b = { .version = version, .root_version = 1, .scope = "prod", .signed_ms = NOW, .expires_ms = NOW + 7 * MS_DAY,
                              .files = &f, .n_files = 1 };
    struct err err = { 0 };
    struct buf text;

    sha256(listed, strlen(listed), f.sha256);
    buf_init(&text, 1 << 20);
    assert_int_equal(trust_bundle_write(&b, &text, &err), 0);
    struct bytes e = sign(w, TRUST_BUNDLE_TYPE, text.ptr, key);
    buf_free(&text);
    char *all = arena_printf(&w->arena, "%s\n%s", (const char *)e.ptr, content);
    return (struct bytes){ (unsigned char *)all, strlen(all) };
}

static void serve(struct world *w, int64_t version, const char *content)
{
    w->bundle = bundle_doc(w, version, content, content, bundle_keys[0]);
    w->status = 200;
}

/* ---- transport --------------------------------------------------------------------------- */

static int get(void *arg, const struct update_ask *ask, struct update_answer *out, struct err *err)
{
    struct world *w = arg;
    bool is_root = strncmp(ask->target, "/v1/agent/root/", 15) == 0;
    struct bytes body = is_root ? w->root2 : w->bundle;

    *out = (struct update_answer){ .status = is_root ? strcmp(ask->target + 15, "2") == 0 && body.ptr != NULL ? 200 : 404 : w->status };
    if (!is_root)
        snprintf(w->seen_etag, sizeof w->seen_etag, "%s", ask->etag != NULL ? ask->etag : "");
    if (out->status != 200)
        return 0;
    snprintf(out->etag, sizeof out->etag, "%s", w->etag != NULL ? w->etag : "\"e\"");
    size_t piece = w->piece != 0 ? w->piece : body.len;
    for (size_t at = 0; at < body.len; at += piece)
        if (ask->take(ask->arg, body.ptr + at, body.len - at < piece ? body.len - at : piece) != 0)
            return err_set(err, ERR_INVALID, "given up");
    return 0;
}

static int at_step(void *arg, const char *step)
{
    const struct world *w = arg;

    if (w->fail_at == NULL || strcmp(step, w->fail_at) != 0)
        return 0;
    if (w->dies)
        kill(getpid(), SIGKILL);
    return -1;
}

static void reopen(struct world *w)
{
    struct update_config c = { .dir = w->dir, .scope = "prod", .roots_every_ms = -1, .at = at_step, .at_arg = w };
    struct err err = { 0 };

    update_close(w->u);
    w->u = NULL;
    if (update_open(&c, &w->u, &err) != 0)
        fail_msg("%s", err.msg);
}

static struct update_result poll_at(struct world *w, int64_t now)
{
    struct update_transport t = { get, w };
    struct update_result out;
    struct err err = { 0 };

    assert_int_equal(update_poll(w->u, &t, 0, now, &out, &err), 0);
    return out;
}

static enum update_outcome poll_now(struct world *w)
{
    return poll_at(w, NOW).outcome;
}

static struct update_state state_of(struct world *w)
{
    struct update_state s;

    update_state(w->u, NOW, &s);
    return s;
}

static void world_open(struct world *w)
{
    struct err err = { 0 };

    *w = (struct world){ .status = 404 };
    arena_init(&w->arena, 64 << 20);
    snprintf(w->dir, sizeof w->dir, "/tmp/keep-update-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    struct bytes root = root_doc(w, 1, bundle_keys[0]);
    assert_int_equal(update_pin(w->dir, root.ptr, root.len, &err), 0);
    assert_int_equal(update_pin(w->dir, root.ptr, root.len, &err), -1);
    reopen(w);
}

static size_t n_folders(const struct world *w)
{
    DIR *d = opendir(w->dir);
    size_t n = 0;

    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += strncmp(e->d_name, "bundle.", 7) == 0;
    closedir(d);
    return n;
}

static void world_close(struct world *w)
{
    char path[512], inner[800];
    DIR *d = opendir(w->dir), *sub;

    update_close(w->u);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "%s/%.100s", w->dir, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || unlink(path) == 0 || (sub = opendir(path)) == NULL)
            continue;
        for (struct dirent *f; (f = readdir(sub)) != NULL;) {
            snprintf(inner, sizeof inner, "%s/%.100s", path, f->d_name);
            unlink(inner);
        }
        closedir(sub);
        rmdir(path);
    }
    closedir(d);
    rmdir(w->dir);
    arena_clear(&w->arena);
}

static void assert_in_force(struct world *w, int64_t version, const char *content)
{
    struct err err = { 0 };
    struct bytes text;

    assert_int_equal(state_of(w).version, version);
    if (update_file(w->u, "a", &w->arena, &text, &err) != 0)
        fail_msg("%s", err.msg);
    assert_string_equal((const char *)text.ptr, content);
}

/* ---- claims -------------------------------------------------------------------------------- */

static void what_is_served_is_in_force_and_survives_a_restart(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    serve(&w, 5, "five");
    w.piece = 1;
    assert_int_equal(poll_now(&w), UPDATE_APPLIED);
    assert_in_force(&w, 5, "five");
    reopen(&w);
    assert_in_force(&w, 5, "five");
    assert_int_equal(state_of(&w).floor_version, 5);
    assert_int_equal(poll_now(&w), UPDATE_UNCHANGED);
    assert_string_equal(w.seen_etag, "\"e\"");
    world_close(&w);
}

static void a_step_that_fails_changes_nothing_and_the_next_round_succeeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ITEMS(steps); i++) {
        struct world w;
        world_open(&w);
        serve(&w, 5, "five");
        assert_int_equal(poll_now(&w), UPDATE_APPLIED);
        serve(&w, 6, "six");
        w.root2 = root_doc(&w, 2, bundle_keys[0]);
        w.fail_at = steps[i];
        enum update_outcome o = poll_now(&w);
        assert_int_equal(o, strcmp(steps[i], "clean") == 0 ? UPDATE_APPLIED : UPDATE_FAILED);
        if (o == UPDATE_FAILED)
            assert_in_force(&w, 5, "five");
        w.fail_at = NULL;
        poll_now(&w);
        assert_in_force(&w, 6, "six");
        assert_int_equal(state_of(&w).root_version, 2);
        reopen(&w);
        assert_int_equal(n_folders(&w), 1);
        world_close(&w);
    }
}

static void killed_at_any_step_never_goes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ITEMS(steps); i++) {
        struct world w;
        world_open(&w);
        serve(&w, 5, "five");
        poll_now(&w);
        serve(&w, 7, "seven");
        w.root2 = root_doc(&w, 2, bundle_keys[0]);
        w.fail_at = steps[i];
        w.dies = true;
        pid_t pid = fork();
        if (pid == 0) {
            poll_now(&w);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
        w.fail_at = NULL;
        reopen(&w);
        int64_t in_force = state_of(&w).version, floor = state_of(&w).floor_version;
        assert_true(in_force == 5 || (in_force == 7 && floor == 7));
        assert_in_force(&w, in_force, in_force == 5 ? "five" : "seven");
        serve(&w, 6, "six");
        poll_now(&w);
        assert_true(state_of(&w).version != 6 || floor < 7);
        if (floor == 7)
            assert_int_equal(state_of(&w).version, in_force);
        serve(&w, 8, "eight");
        assert_int_equal(poll_now(&w), UPDATE_APPLIED);
        assert_in_force(&w, 8, "eight");
        world_close(&w);
    }
}

/* The floor is written, and then nothing: the same bundle is still wanted. */
static void what_was_persisted_and_not_applied_is_applied_later(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    serve(&w, 5, "five");
    w.fail_at = "link";
    assert_int_equal(poll_now(&w), UPDATE_FAILED);
    assert_int_equal(state_of(&w).version, 0);
    w.fail_at = NULL;
    reopen(&w);
    assert_int_equal(state_of(&w).floor_version, 5);
    assert_int_equal(poll_now(&w), UPDATE_APPLIED);
    assert_in_force(&w, 5, "five");
    world_close(&w);
}

static void files_are_bounded_by_what_was_signed(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    w.status = 200;
    w.bundle = bundle_doc(&w, 5, "longer than it", "longer", bundle_keys[0]);
    w.piece = 7;
    struct update_result r = poll_at(&w, NOW);
    assert_int_equal(r.outcome, UPDATE_REFUSED);
    assert_int_equal(r.reason, TRUST_MIXED);
    w.bundle = bundle_doc(&w, 5, "short", "shorter", bundle_keys[0]);
    assert_int_equal(poll_at(&w, NOW).reason, TRUST_MIXED);
    w.bundle = bundle_doc(&w, 5, "abcdef", "abcdeF", bundle_keys[0]);
    assert_int_equal(poll_at(&w, NOW).reason, TRUST_MIXED);
    assert_int_equal(state_of(&w).version, 0);
    assert_int_equal(state_of(&w).floor_version, 0);
    world_close(&w);
}

static void other_bundle_keys_begin_anew(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    serve(&w, INT64_MAX, "last");
    assert_int_equal(poll_now(&w), UPDATE_APPLIED);
    w.bundle = bundle_doc(&w, 1, "first again", "first again", bundle_keys[1]);
    assert_int_equal(poll_now(&w), UPDATE_REFUSED);
    w.root2 = root_doc(&w, 2, bundle_keys[1]);
    w.fail_at = "floor";                             /* between the root and its floor */
    assert_int_equal(poll_now(&w), UPDATE_FAILED);
    w.fail_at = NULL;
    reopen(&w);
    assert_int_equal(state_of(&w).floor_version, 0);
    assert_in_force(&w, INT64_MAX, "last");
    assert_int_equal(poll_now(&w), UPDATE_APPLIED);
    assert_in_force(&w, 1, "first again");
    world_close(&w);
}

static void a_304_does_not_make_it_live_longer(void **state)
{
    struct world w;
    struct update_state s;

    (void)state;
    world_open(&w);
    serve(&w, 5, "five");
    poll_now(&w);
    w.status = 304;
    assert_int_equal(poll_at(&w, NOW + 6 * MS_DAY).reason, TRUST_FINE);
    struct update_result r = poll_at(&w, NOW + 8 * MS_DAY);
    assert_int_equal(r.outcome, UPDATE_UNCHANGED);
    assert_int_equal(r.reason, TRUST_EXPIRED);
    update_state(w.u, NOW + 8 * MS_DAY, &s);
    assert_true(s.is_stale && s.version == 5 && s.age_ms == 8 * MS_DAY && s.problem[0] != '\0');
    world_close(&w);
}

static void a_file_that_was_changed_on_the_disk_is_noticed(void **state)
{
    struct world w;
    struct bytes text;
    struct err err = { 0 };
    char path[200];

    (void)state;
    world_open(&w);
    serve(&w, 5, "five");
    poll_now(&w);
    snprintf(path, sizeof path, "%s/bundle/a", w.dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("FIVE", f);
    fclose(f);
    assert_int_equal(update_file(w.u, "a", &w.arena, &text, &err), -1);
    assert_int_equal(update_file(w.u, "b", &w.arena, &text, &err), -1);
    world_close(&w);
}

static void an_etag_with_a_line_feed_is_not_kept(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    serve(&w, 5, "five");
    w.etag = "\"x\"\r\nX-Evil: 1";
    poll_now(&w);
    poll_now(&w);
    assert_string_equal(w.seen_etag, "");
    world_close(&w);
}

static int make_keys(void **state)
{
    struct err err = { 0 };

    (void)state;
    return crypto_init(&err) != 0 || privkey_generate(KEY_ED25519, &root_key, &err) != 0 || privkey_generate(KEY_ED25519, &bundle_keys[0], &err) != 0 ||
           privkey_generate(KEY_ED25519, &bundle_keys[1], &err) != 0;
}

static int free_keys(void **state)
{
    (void)state;
    privkey_free(root_key);
    privkey_free(bundle_keys[0]);
    privkey_free(bundle_keys[1]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_served_is_in_force_and_survives_a_restart),
        cmocka_unit_test(a_step_that_fails_changes_nothing_and_the_next_round_succeeds), cmocka_unit_test(killed_at_any_step_never_goes_back),
        cmocka_unit_test(what_was_persisted_and_not_applied_is_applied_later), cmocka_unit_test(files_are_bounded_by_what_was_signed),
        cmocka_unit_test(other_bundle_keys_begin_anew), cmocka_unit_test(a_304_does_not_make_it_live_longer),
        cmocka_unit_test(a_file_that_was_changed_on_the_disk_is_noticed), cmocka_unit_test(an_etag_with_a_line_feed_is_not_kept),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
