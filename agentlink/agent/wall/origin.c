/* origin.c - does a program come from the container's image?  See internal.h.
 *
 * Asked only about programs that the profile does not name.  The kernel says whether
 * the file is younger than the container; a clock that jumped may hide that, so we look
 * into the overlay, too: what its upper layer has was written by the container, or
 * into it.  A file that only had its mode changed lies there as well. */
#include "agent/wall/internal.h"
#include "base/str.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOUNTS_MAX = 512, PLACE_BYTES = 1024 };

struct layer {                           /* of the mount that a path lies in */
    char upper[PLACE_BYTES], root[PLACE_BYTES];    /* "": no overlay, or one without */
    size_t point_len;
};

/* mountinfo(5) writes blanks, and some more, as \ooo. */
static void unescape(char *s)
{
    char *to = s;
    for (const char *p = s; *p; p++) {
        if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
            *to++ = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
            p += 3;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
}

static bool is_below(const char *path, const char *point, size_t len)
{
    return len == 1 || (strncmp(path, point, len) == 0 && path[len] == '/');
}

/* id parent dev ROOT POINT options ... - TYPE source OPTIONS */
static void line_take(char *line, const char *path, struct layer *l)
{
    char root[PLACE_BYTES], point[PLACE_BYTES], type[32];
    const char *tail = strstr(line, " - ");

    if (!tail || sscanf(line, "%*s %*s %*s %1023s %1023s", root, point) != 2 || sscanf(tail, " - %31s", type) != 1)
        return;
    unescape(point);
    size_t len = strlen(point);
    if (len < l->point_len || !is_below(path, point, len))
        return;
    const char *upper = str_eq(type, "overlay") ? strstr(tail, ",upperdir=/") : NULL;
    l->point_len = len;
    l->upper[0] = '\0';
    if (!upper || sscanf(upper, ",upperdir=%1023[^,\n]", l->upper) != 1)
        return;
    unescape(l->upper);
    unescape(root);
    snprintf(l->root, sizeof l->root, "%s", str_eq(root, "/") ? "" : root);
}

static bool layer_find(int64_t pid, const char *path, struct layer *out)
{
    char name[64], *line = NULL;
    size_t cap = 0;
    snprintf(name, sizeof name, "/proc/%lld/mountinfo", (long long)pid);
    FILE *f = fopen(name, "re");
    for (int n = 0; f && n < MOUNTS_MAX && getline(&line, &cap, f) > 0; n++)
        line_take(line, path, out);
    free(line);
    if (f)
        fclose(f);
    return out->upper[0] == '/';
}

/* The layer's folder as we see it, or as the host does when we are in a container.  No
 * link in it leads out of it. */
static bool layer_has(const char *seen_from, const struct layer *l, const char *rest)
{
    char path[2 * PLACE_BYTES];
    struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS };
    struct stat st;

    snprintf(path, sizeof path, "%s%s", seen_from, l->upper);
    int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return false;
    snprintf(path, sizeof path, "%s%s", l->root, rest);
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
    bool has = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (fd >= 0)
        close(fd);
    close(dir);
    return has;
}

bool origin_is_upper(int64_t pid, const char *path)
{
    struct layer l = { .point_len = 0 };
    if (pid <= 0 || path[0] != '/' || !layer_find(pid, path, &l))
        return false;
    const char *rest = path + (l.point_len == 1 ? 0 : l.point_len);
    return layer_has("", &l, rest) || layer_has("/proc/1/root", &l, rest);
}
#endif
