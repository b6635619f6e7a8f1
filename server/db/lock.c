/* lock.c - see lock.h. */
#include "db/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int refuse(int fd, const char *dir, struct err *err)
{
    char text[24] = "";

    if (errno != EWOULDBLOCK)
        return err_set(err, ERR_UNAVAILABLE, "lock %s/keepd.lock: %s", dir, strerror(errno));
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? strspn(text, "0123456789") : 0] = '\0';
    return err_set(err, ERR_CONFLICT, "another keepd (pid %s) is using %s; stop it, or talk to it through keepctl",
                   text[0] != '\0' ? text : "unknown", dir);
}

/* Readers of the pid are people: a failure to write it is not a failure to lock. */
static void write_pid(int fd)
{
    if (ftruncate(fd, 0) == 0)
        dprintf(fd, "%d\n", (int)getpid());
}

int lock_take(const char *dir, struct err *err)
{
    char *path;

    if (asprintf(&path, "%s/keepd.lock", dir) < 0)
        return err_nomem(err);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "lock %s/keepd.lock: %s", dir, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        refuse(fd, dir, err);
        close(fd);
        return -1;
    }
    write_pid(fd);
    return fd;
}

void lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}
