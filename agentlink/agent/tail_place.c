/* tail_place.c - see tail_place.h. */
#include "agent/tail_place.h"

#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIBLINGS_MAX = 4096 };

/* FNV-1a, 64 bits: tells files apart, no more. */
static uint64_t hash(const unsigned char *bytes, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        h = (h ^ bytes[i]) * UINT64_C(1099511628211);
    return h;
}

static bool hash_beginning(int fd, size_t len, uint64_t *out)
{
    unsigned char bytes[TAIL_MARK_MAX];

    if (len > sizeof bytes || pread(fd, bytes, len, 0) != (ssize_t)len)
        return false;
    *out = hash(bytes, len);
    return true;
}

void tail_place_mark(struct tail_place *p, int fd)
{
    uint32_t len = p->offset < TAIL_MARK_MAX ? (uint32_t)p->offset : TAIL_MARK_MAX;
    uint64_t mark;

    if (len > p->marked && hash_beginning(fd, len, &mark)) {
        p->mark = mark;
        p->marked = len;
    }
}

bool tail_place_is(const struct tail_place *p, int fd, const struct stat *st)
{
    uint64_t mark;

    if ((uint64_t)st->st_dev != p->device || (uint64_t)st->st_ino != p->inode || (uint64_t)st->st_size < p->offset)
        return false;
    return p->marked == 0 || (hash_beginning(fd, p->marked, &mark) && mark == p->mark);
}

static int open_sibling(const struct tail_place *p, int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && tail_place_is(p, fd, &st))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The folder of what the path means in the end: container runtimes rotate behind a link. */
static DIR *open_folder(const char *path)
{
    char *target = realpath(path, NULL), *name = target != NULL ? target : strdup(path);
    char *slash = name != NULL ? strrchr(name, '/') : NULL;

    if (slash != NULL)
        slash[slash == name] = '\0';
    DIR *folder = name == NULL ? NULL : opendir(slash != NULL ? name : ".");
    free(name);
    return folder;
}

int tail_place_find(const struct tail_place *p, const char *path)
{
    DIR *folder = open_folder(path);
    struct dirent *entry;
    int fd = -1, n = 0;

    while (folder != NULL && fd < 0 && n++ < SIBLINGS_MAX && (entry = readdir(folder)) != NULL) {
        if (entry->d_ino == p->inode)
            fd = open_sibling(p, dirfd(folder), entry->d_name);
    }
    if (folder != NULL)
        closedir(folder);
    return fd;
}

static int64_t written_at(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static bool is_compressed(const char *name)
{
    static const char *const ends[] = { ".gz", ".zst", ".xz", ".bz2", ".lz4", ".zip" };

    for (size_t i = 0; i < N_ITEMS(ends); i++) {
        if (str_ends(name, ends[i]))
            return true;
    }
    return false;
}

static bool is_among(uint64_t inode, const uint64_t *seen, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (seen[i] == inode)
            return true;
    }
    return false;
}

static bool comes_after(const struct stat *st, const struct stat *now, const uint64_t *seen, size_t n_seen)
{
    if (!S_ISREG(st->st_mode) || st->st_dev != now->st_dev || st->st_ino == now->st_ino || st->st_size == 0)
        return false;
    return written_at(st) > written_at(now) || (written_at(st) == written_at(now) && !is_among((uint64_t)st->st_ino, seen, n_seen));
}

int tail_place_next(const char *path, const struct stat *now, const uint64_t *seen, size_t n_seen)
{
    char *target = realpath(path, NULL);
    const char *whole = target != NULL ? target : path, *slash = strrchr(whole, '/'), *base = slash != NULL ? slash + 1 : whole;
    DIR *folder = open_folder(path);
    struct stat current = { 0 }, st, best = { 0 };
    struct dirent *entry;
    int fd = -1, n = 0;

    (void)stat(path, &current);
    while (folder != NULL && n++ < SIBLINGS_MAX && (entry = readdir(folder)) != NULL) {
        if (!str_starts(entry->d_name, base) || is_compressed(entry->d_name) ||
            fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_ino == current.st_ino ||
            !comes_after(&st, now, seen, n_seen) || (fd >= 0 && written_at(&st) >= written_at(&best)))
            continue;
        int found = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
        if (found < 0)
            continue;
        if (fd >= 0)
            close(fd);
        fd = found;
        best = st;
    }
    if (folder != NULL)
        closedir(folder);
    free(target);
    return fd;
}

size_t tail_place_after(const struct tail_place *p, const char *path, uint64_t *inodes, size_t max)
{
    char *target = realpath(path, NULL);
    const char *whole = target != NULL ? target : path, *slash = strrchr(whole, '/'), *base = slash != NULL ? slash + 1 : whole;
    int placed = tail_place_find(p, path);
    struct stat of_place = { 0 }, st;
    DIR *folder = open_folder(path);
    struct dirent *entry;
    size_t n = 0;

    if (placed >= 0) {
        (void)fstat(placed, &of_place);
        close(placed);
    }
    for (int seen = 0; folder != NULL && seen < SIBLINGS_MAX && n < max && (entry = readdir(folder)) != NULL; seen++) {
        if (str_starts(entry->d_name, base) && fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            (uint64_t)st.st_ino != p->inode && written_at(&st) >= written_at(&of_place))
            inodes[n++] = (uint64_t)st.st_ino;
    }
    if (folder != NULL)
        closedir(folder);
    free(target);
    return n;
}

/* ---- the place file ----------------------------------------------------------------------- */

enum { SLOT = 256 };

/* "keep-place 1 GENERATION DEVICE INODE OFFSET MARKED MARK CHECK\n" and spaces up to SLOT bytes. */
static uint64_t check_of(const struct tail_place *p)
{
    const uint64_t parts[] = { p->generation, p->device, p->inode, p->offset, p->marked, p->mark };

    return hash((const unsigned char *)parts, sizeof parts);
}

static bool parse(const char *text, struct tail_place *out)
{
    struct tail_place p = { 0 };
    uint64_t check = 0;

    if (sscanf(text, "keep-place 1 %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu32 " %" SCNx64 " %" SCNx64 "\n", &p.generation,
               &p.device, &p.inode, &p.offset, &p.marked, &p.mark, &check) != 7 || check != check_of(&p) || p.marked > TAIL_MARK_MAX)
        return false;
    *out = p;
    return true;
}

static void set_aside(const char *path)
{
    char bad[4096];

    if (snprintf(bad, sizeof bad, "%s.bad", path) < (int)sizeof bad)
        (void)rename(path, bad);
}

int tail_place_read(const char *path, struct tail_place *out, struct err *err)
{
    char text[SLOT + 1];
    struct tail_place p;
    int fd = open(path, O_RDONLY | O_CLOEXEC), found = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(err, ERR_UNAVAILABLE, "%s cannot be read: %s", path, strerror(errno));
    for (int slot = 0; slot < 2; slot++) {
        ssize_t n = pread(fd, text, SLOT, slot * SLOT);
        text[n > 0 ? n : 0] = '\0';
        if (parse(text, &p) && (!found || p.generation > out->generation)) {
            *out = p;
            found = 1;
        }
    }
    close(fd);
    if (!found)
        set_aside(path);
    return found;
}

static int write_failed(const char *path, struct err *err)
{
    return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_STORAGE_FULL : ERR_UNAVAILABLE, "%s cannot be written: %s", path,
                   strerror(errno));
}

static void sync_folder(const char *path)
{
    DIR *folder = open_folder(path);

    if (folder == NULL)
        return;
    (void)fsync(dirfd(folder));
    closedir(folder);
}

int tail_place_write(const char *path, struct tail_place *p, struct err *err)
{
    struct tail_place next = *p;
    char text[SLOT + 1];
    bool is_new = access(path, F_OK) != 0;

    next.generation++;
    int len = snprintf(text, sizeof text, "keep-place 1 %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIx64 " %" PRIx64 "\n",
                       next.generation, next.device, next.inode, next.offset, next.marked, next.mark, check_of(&next));
    memset(text + len, ' ', SLOT - (size_t)len);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return write_failed(path, err);
    bool ok = pwrite(fd, text, SLOT, (off_t)(next.generation & 1) * SLOT) == SLOT && fdatasync(fd) == 0;
    int why = errno;
    close(fd);
    errno = why;
    if (!ok)
        return write_failed(path, err);
    if (is_new)
        sync_folder(path);
    *p = next;
    return 0;
}
