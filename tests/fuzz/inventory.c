/* inventory.c - the files of container engines, whoever wrote into them.
 *
 * The first byte says which file the rest is: a bundle's config.json, crun's status,
 * Docker's config.v2.json, lists of containers/storage, containerd's database.
 * Whatever they hold, a scan ends, and what it finds is within the bounds of what is
 * sent: it encodes, decodes and encodes to the same text. */
#include "agent/inventory/bolt.h"
#include "agent/inventory/inventory.h"
#include "base/buf.h"
#include "base/str.h"
#include "wire/json.h"
#include "wire/msg/container.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define STORAGE "/var/lib/containers/storage/"
#define USERDATA "/run/containers/storage/overlay-containers/" ID "/userdata/"
#define TASK "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/"

static char root[64], proc[80];

static const char *const FILES[] = {
    "/run/crun/" ID "/config.json", "/run/crun/" ID "/status", "/var/lib/docker/containers/" ID "/config.v2.json", USERDATA "config.json",
    STORAGE "overlay-containers/containers.json", STORAGE "overlay-images/images.json", TASK "config.json", "/run/runc/" ID "/state.json",
};

static void insist(int truth)
{
    if (!truth)
        abort();
}

static void put(const char *name, const void *bytes, size_t len)
{
    char path[400];

    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        insist(mkdir(path, 0755) == 0 || errno == EEXIST);
        *p = '/';
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    insist(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && close(fd) == 0);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void remove_tree(void)
{
    (void)nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A container that every engine knows, so that each file is read for it. */
static void make_tree(void)
{
    snprintf(root, sizeof root, "/tmp/keep-fuzz-inventory-XXXXXX");
    insist(mkdtemp(root) != NULL && atexit(remove_tree) == 0);
    snprintf(proc, sizeof proc, "%s/proc", root);
    put_text("/proc/7/stat", "7 (a) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 50 1000 10\n");
    put_text("/proc/7/cgroup", "0::/x/" ID "\n");
    put_text("/proc/uptime", "10.0 9.0\n");
    put_text(TASK "init.pid", "7");
}

static void reset_tree(void)
{
    put_text(FILES[0], "{}");
    put_text(FILES[1], "{\"pid\":7,\"process-start-time\":50}");
    for (size_t i = 2; i < N_ITEMS(FILES); i++)
        put_text(FILES[i], "{}");
    put_text(USERDATA "config.json", "{\"annotations\":{\"io.container.manager\":\"cri-o\"}}");
}

static void check(const struct container *c, struct arena *arena)
{
    struct container back;
    struct json doc;
    struct err err = { 0 };
    struct buf first, second;

    buf_init(&first, 8 << 20);
    buf_init(&second, 8 << 20);
    shape_encode(&container_shape, c, &first);
    insist(!first.failed && json_parse(arena, first.ptr, first.len, NULL, &doc, &err) == 0);
    shape_init(&container_shape, &back);
    insist(shape_decode(&container_shape, &doc, arena, &back, NULL, &err) == 0);
    shape_encode(&container_shape, &back, &second);
    insist(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
    buf_clear(&second);
    container_write_facts(c, &second);
    struct json_opts opts = { .duplicate_keys = true };
    insist(json_parse(arena, second.ptr, second.len, &opts, &doc, &err) == 0);
    buf_free(&first);
    buf_free(&second);
}

static void see(void *data, const char *key, const char *value)
{
    *(size_t *)data += strlen(key) + strlen(value);
}

static void read_database(const uint8_t *data, size_t size, struct arena *arena)
{
    struct bolt db;
    size_t sum = 0;
    int fd = memfd_create("db", MFD_CLOEXEC);

    insist(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    if (!bolt_open_fd(fd, &db)) {
        close(fd);
        return;
    }
    (void)bolt_text(&db, arena, (const char *const[]){ "v1", "k8s.io", "containers", ID, "image", NULL });
    bolt_each(&db, arena, (const char *const[]){ "v1", "k8s.io", "containers", ID, "labels", NULL }, see, &sum);
    bolt_each(&db, arena, (const char *const[]){ NULL }, see, &sum);
    bolt_close(&db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct inventory_roots roots = { .root = root, .proc = proc, .cgroup = root };
    struct inventory found;
    struct arena arena;
    struct err err = { 0 };

    if (root[0] == '\0')
        make_tree();
    if (size < 1 || size > 1 << 20)
        return 0;
    arena_init(&arena, INVENTORY_ARENA);
    size_t which = data[0] % (N_ITEMS(FILES) + 1);
    if (which == N_ITEMS(FILES)) {
        read_database(data + 1, size - 1, &arena);
    } else {
        reset_tree();
        put(FILES[which], data + 1, size - 1);
        insist(inventory_scan(&roots, &arena, &found, &err) == 0);
        for (size_t i = 0; i < found.n; i++)
            check(&found.containers[i], &arena);
    }
    arena_clear(&arena);
    return 0;
}
