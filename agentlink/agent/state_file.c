/* state_file.c - see state_file.h. */
#include "agent/state_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int state_fail(const char *name, struct err *err)
{
    enum err_kind kind = errno == ENOSPC || errno == EDQUOT ? ERR_STORAGE_FULL : errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE;

    return err_set(err, kind, "%s: %s", name, strerror(errno));
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

int state_sync(int dir, struct err *err)
{
    return fsync(dir) == 0 ? 0 : state_fail("state folder", err);
}

int state_write(int dir, const char *name, const void *bytes, size_t len, struct err *err)
{
    char other[96];

    if (snprintf(other, sizeof other, "%s.new", name) >= (int)sizeof other)
        return err_set(err, ERR_INTERNAL, "%.40s: too long a name", name);
    int fd = openat(dir, other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return state_fail(name, err);
    int rc = write_all(fd, bytes, len);
    int failed = errno;
    if (close(fd) != 0 && rc == 0) {
        failed = errno;
        rc = -1;
    }
    if (rc == 0 && renameat(dir, other, dir, name) == 0)
        return state_sync(dir, err);
    if (rc != 0)
        errno = failed;
    state_fail(name, err);
    unlinkat(dir, other, 0);
    return -1;
}

static int read_all(int fd, char *to, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, to, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        to += n;
        len -= (size_t)n;
    }
    return 0;
}

int state_read(int dir, const char *name, size_t max, struct arena *arena, struct bytes *out, struct err *err)
{
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return state_fail(name, err);
    int rc = 0;
    char *text = NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        rc = err_set(err, ERR_UNAVAILABLE, "%s: not a file", name);
    else if ((uint64_t)st.st_size > max)
        rc = err_set(err, ERR_TOO_LARGE, "%s: %lld bytes, at most %zu expected", name, (long long)st.st_size, max);
    else if ((text = arena_bytes(arena, (size_t)st.st_size + 1)) == NULL)
        rc = err_nomem(err);
    else if (read_all(fd, text, (size_t)st.st_size) != 0)
        rc = err_set(err, ERR_UNAVAILABLE, "%s: cannot be read", name);
    close(fd);
    if (rc != 0)
        return -1;
    text[st.st_size] = '\0';
    *out = (struct bytes){ (const unsigned char *)text, (size_t)st.st_size };
    return 0;
}

void state_remove_folder(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
            unlinkat(fd, e->d_name, 0);
    closedir(d);
    unlinkat(dir, name, AT_REMOVEDIR);
}
