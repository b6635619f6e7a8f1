/* files.c - reading below the root: bounded, regular files only, and no link leads out. */
#include "agent/inventory/census.h"

#include "base/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Links are read as if the root were "/": within a DaemonSet they mean the host's
 * files, and nothing in a container's own folder leads elsewhere. */
static int open_below(const struct census *s, const char *path, int flags)
{
    const struct open_how how = { .flags = (unsigned)(flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),   /* a FIFO is not waited for */
                                  .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    long fd = syscall(SYS_openat2, s->root, path, &how, sizeof how);

    return (int)fd;
}

void census_problem(struct census *s, const char *fmt, ...)
{
    va_list args;

    if (s->engine == NULL || s->engine->problem[0] != '\0')
        return;                                            /* the first is told */
    va_start(args, fmt);
    vsnprintf(s->engine->problem, sizeof s->engine->problem, fmt, args);
    va_end(args);
}

bool census_is_over(struct census *s)
{
    if (!s->failed && time_monotonic_ms() <= s->until_ms)
        return false;
    if (!s->failed)
        census_problem(s, "the scan took too long; the rest was left out");
    return true;
}

int census_open(struct census *s, const char *path)
{
    struct stat st;
    int fd = open_below(s, path, 0);

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int read_all(struct census *s, int fd, size_t size, struct bytes *out)
{
    char *text = arena_bytes(&s->scratch, size + 1);
    size_t len = 0;

    if (text == NULL)
        return -1;
    while (len < size) {
        ssize_t n = read(fd, text + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;                                         /* it became shorter: as much as there is */
        len += (size_t)n;
    }
    text[len] = '\0';
    *out = (struct bytes){ (const unsigned char *)text, len };
    return 0;
}

int census_file(struct census *s, const char *path, size_t max, struct bytes *out)
{
    struct stat st;
    int fd = open_below(s, path, 0);

    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return 1;
        census_problem(s, "%s: %s", path, strerror(errno));
        return -1;
    }
    int rc = -1;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        census_problem(s, "%s: not a regular file", path);
    else if (st.st_size < 0 || (uint64_t)st.st_size > max)
        census_problem(s, "%s: %lld bytes; at most %zu are read", path, (long long)st.st_size, max);
    else if ((rc = read_all(s, fd, (size_t)st.st_size, out)) != 0)
        census_problem(s, "%s: no memory to read it", path);
    close(fd);
    return rc;
}

int census_json(struct census *s, const char *path, size_t max, struct json *out)
{
    static const struct json_opts opts = { .nul_as_replacement = true, .skip_bom = true, .duplicate_keys = true, .big_numbers = true,
                                           .max_values = 1000000 };
    struct bytes text;
    struct err err = { 0 };
    int rc = census_file(s, path, max, &text);

    if (rc != 0)
        return rc;
    if (json_parse(&s->scratch, text.ptr, text.len, &opts, out, &err) == 0)
        return 0;
    census_problem(s, "%s: %s", path, err.msg);
    return -1;
}

bool census_folder(struct census *s, const char *path, void (*each)(struct census *s, const char *name, void *data), void *data)
{
    int fd = open_below(s, path, O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    size_t n = 0;

    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        else if (errno != ENOENT && errno != ENOTDIR)
            census_problem(s, "%s: %s", path, strerror(errno));
        return false;
    }
    for (const struct dirent *e; !census_is_over(s) && (e = readdir(dir)) != NULL; ) {
        if (e->d_name[0] == '.')
            continue;
        if (n++ == CONTAINERS_MAX) {
            census_problem(s, "%s: more than %d entries; the rest was left out", path, CONTAINERS_MAX);
            break;
        }
        each(s, e->d_name, data);
    }
    closedir(dir);
    return true;
}

bool census_exists(struct census *s, const char *path)
{
    const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, s->root, path, &how, sizeof how);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}
