/* ballast.c - see ballast.h. */
#include "db/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char *path_of(const char *dir)
{
    char *path;

    return asprintf(&path, "%s/ballast", dir) < 0 ? NULL : path;
}

int64_t disk_free_bytes(const char *dir)
{
    struct statvfs fs;

    return statvfs(dir, &fs) == 0 ? (int64_t)(fs.f_bavail * fs.f_frsize) : -1;
}

static bool is_whole(const char *path, int64_t bytes)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_blocks * 512 >= bytes;
}

static int fill(const char *path, int64_t bytes, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_set(err, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    int rc = posix_fallocate(fd, 0, bytes);
    close(fd);
    if (rc == 0)
        return 0;
    unlink(path);
    return err_set(err, rc == ENOSPC || rc == EDQUOT ? ERR_STORAGE_FULL : ERR_UNAVAILABLE, "%s: %s", path, strerror(rc));
}

int ballast_keep(const char *dir, int64_t bytes, struct err *err)
{
    char *path = path_of(dir);
    int rc = 0;

    if (path == NULL)
        return err_nomem(err);
    if (!is_whole(path, bytes))
        rc = disk_free_bytes(dir) / 2 >= bytes ? fill(path, bytes, err) : err_set(err, ERR_STORAGE_FULL, "%s: too little space left", path);
    free(path);
    return rc;
}

bool ballast_release(const char *dir)
{
    char *path = path_of(dir);
    bool had = path != NULL && unlink(path) == 0;

    free(path);
    return had;
}
