/* content.c - files whose sha256 a profile gives; see internal.h.
 *
 * The kernel cannot hash.  We read the file through the container's root and tell the
 * kernel its change time and size; a file that was touched since has another change
 * time, which nobody but the kernel sets, and is unknown again. */
#include "agent/wall/internal.h"
#include "base/crypto.h"
#include "base/str.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include "agent/wall/wall.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONTENT_MAX ((int64_t)512 << 20)          /* bytes of a program that is read */

/* A link of the container's cannot lead out of its root. */
static int open_in_root(int64_t pid, const char *path)
{
    char root[64];
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_IN_ROOT };
    snprintf(root, sizeof root, "/proc/%lld/root", (long long)pid);
    int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
    close(dir);
    return fd;
}

bool content_is(int fd, const char *sha256)
{
    char bytes[16384], hex[2 * SHA256_LEN + 1];
    uint8_t sum[SHA256_LEN];
    struct sha256 s;
    ssize_t n;
    (void)lseek(fd, 0, SEEK_SET);
    sha256_init(&s);
    while ((n = read(fd, bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0)
            sha256_add(&s, bytes, (size_t)n);
    }
    sha256_done(&s, sum);
    hex_encode(sum, sizeof sum, hex);
    return n == 0 && strcmp(hex, sha256) == 0;
}

static void content_verify(struct wall *w, const struct box *b, const struct exec_rule *rule)
{
    struct stat before, after;
    const u8 yes = 1;
    int fd = open_in_root(b->c.pid, rule->key.path);
    if (fd < 0)
        return;
    if (fstat(fd, &before) == 0 && S_ISREG(before.st_mode) && before.st_size <= CONTENT_MAX && content_is(fd, rule->sha256) &&
        fstat(fd, &after) == 0 && before.st_ctim.tv_sec == after.st_ctim.tv_sec && before.st_ctim.tv_nsec == after.st_ctim.tv_nsec) {
        struct wall_content_key key = {
            .cgroup = b->cgroup, .size = (u64)before.st_size, .rule = rule->rule.id, .set = b->profile->set,
            .ctime_ns = (u64)before.st_ctim.tv_sec * 1000000000u + (u64)before.st_ctim.tv_nsec,
        };
        bpf_map_update_elem(bpf_map__fd(w->bpf->maps.contents), &key, &yes, BPF_ANY);
    }
    close(fd);
}

void contents_verify(struct wall *w, const struct box *b)
{
    for (size_t i = 0; w->bpf && b->c.pid > 0 && i < b->profile->rules.n_execs; i++) {
        if (b->profile->rules.execs[i].sha256)
            content_verify(w, b, &b->profile->rules.execs[i]);
    }
}
#endif
