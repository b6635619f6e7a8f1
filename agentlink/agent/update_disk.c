/* update_disk.c - the state folder of updates; see update.h.
 *
 * Every step leaves a folder that can be opened: the root alone, the root and a floor
 * that is too high for what is in force (it is fetched again), or all of it. */
#include "agent/state_file.h"
#include "agent/update_internal.h"
#include "base/time.h"
#include "wire/json.h"
#include "wire/jsonw.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLOOR_MAX = 4096 };

int update_at(const struct update *u, const char *step, struct err *err)
{
    if (u->config.at != NULL && u->config.at(u->config.at_arg, step) != 0)
        return err_set(err, ERR_UNAVAILABLE, "failed at step %s", step);
    return 0;
}

/* ---- the floor -------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Which keys the floor was counted under: when a crash comes between a root and its
 * floor, the floor of other keys is known to be none. */
static void role_hash(const struct trust_role *role, char hex[2 * SHA256_LEN + 1])
{
    const char *names[TRUST_KEYS_MAX];
    uint8_t hash[SHA256_LEN];
    struct sha256 s;

    for (size_t i = 0; i < role->n; i++)
        names[i] = role->keys[i]->fingerprint;
    qsort(names, role->n, sizeof *names, by_text);
    sha256_init(&s);
    for (size_t i = 0; i < role->n; i++)
        sha256_add(&s, names[i], strlen(names[i]));
    const uint8_t threshold = (uint8_t)role->threshold;
    sha256_add(&s, &threshold, 1);
    sha256_done(&s, hash);
    hex_encode(hash, sizeof hash, hex);
}

int disk_keep_floor(struct update *u, const struct trust_floor *floor, struct err *err)
{
    char hash[2 * SHA256_LEN + 1], role[2 * SHA256_LEN + 1];
    struct jsonw w;
    struct buf b;

    if (update_at(u, "floor", err) != 0)
        return -1;
    hex_encode(floor->hash, SHA256_LEN, hash);
    role_hash(&u->root.bundle, role);
    buf_init(&b, FLOOR_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kint(&w, "version", floor->version);
    jsonw_kstr(&w, "sha256", hash);
    jsonw_kint(&w, "clock_ms", floor->clock_ms);
    jsonw_kstr(&w, "keys", role);
    jsonw_object_end(&w);
    int rc = b.failed ? err_nomem(err) : state_write(u->dir, "floor.json", b.ptr, b.len, err);
    buf_free(&b);
    if (rc == 0)
        u->floor = *floor;
    return rc;
}

/* None, or one of other keys, is no floor. */
static int load_floor(struct update *u, struct arena *arena, struct err *err)
{
    struct trust_floor floor = { 0 };
    char role[2 * SHA256_LEN + 1];
    struct bytes text;
    struct json doc;

    if (state_read(u->dir, "floor.json", FLOOR_MAX, arena, &text, err) != 0)
        return err->kind == ERR_NOT_FOUND ? 0 : -1;
    if (json_parse(arena, text.ptr, text.len, NULL, &doc, err) != 0)
        return err_prefix(err, "floor.json");
    role_hash(&u->root.bundle, role);
    if (!str_eq(json_get_str(&doc, "keys", ""), role))
        return 0;
    floor.version = json_int(json_get(&doc, "version"), -1);
    floor.clock_ms = json_int(json_get(&doc, "clock_ms"), -1);
    if (floor.version < 0 || floor.clock_ms < 0 || !hex_decode(json_get_str(&doc, "sha256", ""), floor.hash, SHA256_LEN))
        return err_set(err, ERR_INVALID, "floor.json: not what we wrote");
    u->floor = floor;
    return 0;
}

/* ---- the root ---------------------------------------------------------------------- */

static int load_root(struct update *u, struct arena *arena, struct err *err)
{
    enum trust_reason why;
    struct bytes text;

    if (state_read(u->dir, "root.json", TRUST_ROOT_MAX, arena, &text, err) != 0)
        return -1;
    if (trust_root_verify(&u->root_arena, text.ptr, text.len, &u->root, &why, err) != 0)
        return err_prefix(err, "root.json");
    return 0;
}

int disk_keep_root(struct update *u, const void *envelope, size_t len, struct err *err)
{
    return update_at(u, "root", err) != 0 ? -1 : state_write(u->dir, "root.json", envelope, len, err);
}

int update_pin(const char *dir, const void *envelope, size_t len, struct err *err)
{
    enum trust_reason why;
    struct trust_root root;
    struct arena arena;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return state_fail(dir, err);
    arena_init(&arena, 4 << 20);
    int rc = trust_root_verify(&arena, envelope, len, &root, &why, err);
    if (rc == 0 && faccessat(fd, "root.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        rc = err_set(err, ERR_CONFLICT, "root.json: this node trusts a root already");
    if (rc == 0)
        rc = state_write(fd, "root.json", envelope, len, err);
    arena_clear(&arena);
    close(fd);
    return rc;
}

/* ---- what is in force ---------------------------------------------------------------- */

/* The link's target when it is a name of ours. */
static bool read_link(const struct update *u, char folder[UPDATE_FOLDER_TEXT])
{
    ssize_t n = readlinkat(u->dir, "bundle", folder, UPDATE_FOLDER_TEXT - 1);

    if (n <= 0)
        return false;
    folder[n] = '\0';
    return str_starts(folder, "bundle.") && strchr(folder, '/') == NULL;
}

/* What is not what was signed must be fetched anew: 304 would never mend it. */
static int check_applied(const struct update *u, int dir, struct err *err)
{
    struct bytes text;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < u->applied.n_files; i++) {
        const struct trust_file *f = &u->applied.files[i];
        struct arena arena;
        arena_init(&arena, (size_t)f->length + (64 << 10));
        rc = state_read(dir, f->name, (size_t)f->length, &arena, &text, err);
        if (rc == 0 && !trust_file_is(f, text.ptr, text.len))
            rc = err_set(err, ERR_UNPROCESSABLE, "%s was changed after it was put in force", f->name);
        arena_clear(&arena);
    }
    return rc;
}

static int load_from(struct update *u, int dir, struct arena *arena, struct err *err)
{
    struct bytes text;
    struct stat st;

    if (state_read(dir, "bundle.json", TRUST_BUNDLE_MAX, arena, &text, err) != 0 ||
        trust_bundle_read(&u->applied_arena, text.ptr, text.len, &u->applied, err) != 0 || check_applied(u, dir, err) != 0)
        return -1;
    u->applied_ms = fstat(dir, &st) == 0 ? (int64_t)st.st_ctim.tv_sec * MS_SECOND : 0;
    if (state_read(dir, ".etag", sizeof u->etag - 1, arena, &text, err) == 0)
        memcpy(u->etag, text.ptr, text.len + 1);
    return 0;
}

int disk_load_applied(struct update *u, struct err *err)
{
    struct arena arena;

    arena_clear(&u->applied_arena);
    u->applied = (struct trust_bundle){ 0 };
    u->etag[0] = '\0';
    if (!read_link(u, u->applied_folder))
        return 0;
    int dir = openat(u->dir, u->applied_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0)
        return state_fail(u->applied_folder, err);
    arena_init(&arena, 4 << 20);
    int rc = load_from(u, dir, &arena, err);
    arena_clear(&arena);
    close(dir);
    return rc;
}

int disk_read_applied(const struct update *u, const char *name, size_t max, struct arena *arena, struct bytes *out,
                      struct err *err)
{
    int dir = openat(u->dir, u->applied_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (dir < 0)
        return state_fail(u->applied_folder, err);
    int rc = state_read(dir, name, max, arena, out, err);
    close(dir);
    return rc;
}

int disk_load(struct update *u, struct err *err)
{
    struct err damage = { 0 };
    struct arena arena;

    arena_init(&arena, 4 << 20);
    int rc = load_root(u, &arena, err);
    if (rc == 0 && disk_load_applied(u, &damage) != 0) {
        snprintf(u->problem, sizeof u->problem, "the bundle in force is damaged: %s", damage.msg);
        u->applied = (struct trust_bundle){ 0 };
        u->etag[0] = '\0';
    }
    if (rc == 0 && load_floor(u, &arena, &damage) != 0) {
        /* What was in force was trusted: not lower than that. */
        snprintf(u->problem, sizeof u->problem, "the floor is damaged: %s", damage.msg);
        u->floor = (struct trust_floor){ 0 };
        if (u->applied.version > 0)
            trust_floor_raise(&u->floor, &u->applied);
    }
    arena_clear(&arena);
    return rc;
}

/* ---- a new one --------------------------------------------------------------------------- */

static int write_files(int dir, const struct trust_bundle *b, struct bytes envelope, struct bytes files, const char *etag,
                       struct err *err)
{
    const unsigned char *at = files.ptr;

    if (state_write(dir, "bundle.json", envelope.ptr, envelope.len, err) != 0 ||
        state_write(dir, ".etag", etag, strlen(etag), err) != 0)
        return -1;
    for (size_t i = 0; i < b->n_files; i++) {
        if (state_write(dir, b->files[i].name, at, (size_t)b->files[i].length, err) != 0)
            return -1;
        at += b->files[i].length;
    }
    return 0;
}

int disk_prepare(struct update *u, const struct trust_bundle *b, struct bytes envelope, struct bytes files, const char *etag,
                 char folder[UPDATE_FOLDER_TEXT], struct err *err)
{
    char hash[2 * SHA256_LEN + 1];

    hex_encode(b->hash, SHA256_LEN, hash);
    snprintf(folder, UPDATE_FOLDER_TEXT, "bundle.%lld.%.8s", (long long)b->version, hash);
    if (update_at(u, "files", err) != 0)
        return -1;
    state_remove_folder(u->dir, folder);         /* left by a try that did not end */
    if (mkdirat(u->dir, folder, 0700) != 0)
        return state_fail(folder, err);
    int dir = openat(u->dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int rc = dir < 0 ? state_fail(folder, err) : write_files(dir, b, envelope, files, etag, err);
    if (dir >= 0)
        close(dir);
    if (rc == 0)
        rc = state_sync(u->dir, err);
    if (rc != 0)
        state_remove_folder(u->dir, folder);
    return rc;
}

int disk_switch(struct update *u, const char *folder, struct err *err)
{
    if (update_at(u, "link", err) != 0)
        return -1;
    if (unlinkat(u->dir, "bundle.new", 0) != 0 && errno != ENOENT)
        return state_fail("bundle.new", err);
    if (symlinkat(folder, u->dir, "bundle.new") != 0 || renameat(u->dir, "bundle.new", u->dir, "bundle") != 0)
        return state_fail("bundle", err);
    return state_sync(u->dir, err);
}

void disk_clean(struct update *u)
{
    char in_force[UPDATE_FOLDER_TEXT];
    struct err ignored;
    int fd = openat(u->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    if (update_at(u, "clean", &ignored) == 0 && read_link(u, in_force))
        for (struct dirent *e; (e = readdir(d)) != NULL;)
            if (str_starts(e->d_name, "bundle.") && !str_eq(e->d_name, in_force))
                state_remove_folder(u->dir, e->d_name);
    closedir(d);
}
