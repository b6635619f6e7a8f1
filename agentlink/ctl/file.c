/* file.c - see file.h. */
#include "ctl/file.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, struct buf *b, struct err *err)
{
    for (;;) {
        char *to = buf_room(b, 64 * 1024);
        if (to == NULL)
            return err_set(err, ERR_TOO_LARGE, "%s: larger than %zu bytes", path, b->max - 64 * 1024);
        ssize_t n = read(fd, to, 64 * 1024);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
        if (n == 0)
            return 0;
        buf_grown(b, (size_t)n);
    }
}

int file_read(struct arena *arena, const char *path, size_t max, struct bytes *out, struct err *err)
{
    bool in = str_eq(path, "-");
    const char *name = in ? "standard input" : path;
    int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct buf b;

    if (fd < 0)
        return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
    buf_init(&b, max + 64 * 1024);
    int rc = read_all(fd, name, &b, err);
    if (rc == 0 && b.len > max)
        rc = err_set(err, ERR_TOO_LARGE, "%s: larger than %zu bytes", name, max);
    if (!in)
        close(fd);
    char *copy = rc == 0 ? arena_bytes(arena, b.len + 1) : NULL;
    if (rc == 0 && copy == NULL)
        rc = err_nomem(err);
    if (rc == 0) {
        if (b.len > 0)
            memcpy(copy, b.ptr, b.len);
        copy[b.len] = '\0';
        *out = (struct bytes){ (const unsigned char *)copy, b.len };
    }
    buf_free(&b);
    return rc;
}

static int write_all(int fd, const char *path, struct bytes content, struct err *err)
{
    for (size_t done = 0; done < content.len;) {
        ssize_t n = write(fd, content.ptr + done, content.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
        done += (size_t)n;
    }
    return fsync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
}

/* A pipe or a device is written to; it is never replaced by a file. */
static int write_into(const char *path, struct bytes content, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
    int rc = write_all(fd, path, content, err);
    close(fd);
    return rc;
}

int file_write(const char *path, struct bytes content, mode_t mode, bool replace, struct err *err)
{
    char temporary[4096];
    struct stat st;
    int rc = -1;

    if (replace && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_into(path, content, err);

    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return err_set(err, ERR_INVALID, "%.80s...: the name is too long", path);
    int fd = mkostemp(temporary, O_CLOEXEC);       /* made with mode 0600 */
    if (fd < 0)
        return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
    if (fchmod(fd, mode) != 0)
        err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
    else
        rc = write_all(fd, path, content, err);
    close(fd);
    /* link() refuses to replace, rename() replaces. */
    if (rc == 0 && (replace ? rename(temporary, path) : link(temporary, path)) != 0)
        rc = err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
    if (rc != 0 || !replace)
        unlink(temporary);
    return rc;
}
