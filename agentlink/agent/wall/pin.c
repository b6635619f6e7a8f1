/* pin.c - programs that outlive the agent: links pinned in a bpffs; see internal.h.
 *
 * Each start has a folder of its own, so that a new set is whole before the old one
 * goes.  Removing a pin of a process that is gone detaches its program. */
#include "agent/wall/internal.h"
#include "base/str.h"
#include "base/time.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include "agent/wall/wall.skel.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int pin_links(struct wall *w, struct err *err)
{
    const struct bpf_object_skeleton *s = w->bpf->skeleton;
    char path[512];

    for (int i = 0; i < s->prog_cnt; i++) {
        struct bpf_link *link = *s->progs[i].link;
        snprintf(path, sizeof path, "%s/%s", w->pins, s->progs[i].name);
        if (link && bpf_link__pin(link, path) != 0)
            return err_set(err, ERR_UNAVAILABLE, "%.180s: %s", path, strerror(errno));
    }
    snprintf(path, sizeof path, "%s/control", w->pins);
    if (bpf_obj_pin(bpf_map__fd(w->bpf->maps.control), path) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%.180s: %s", path, strerror(errno));
    return 0;
}

int pins_make(struct wall *w, struct err *err)
{
    struct statfs fs;
    if (mkdir(w->set.pins, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%.180s: %s", w->set.pins, strerror(errno));
    if (statfs(w->set.pins, &fs) != 0 || fs.f_type != BPF_FS_MAGIC)
        return err_set(err, ERR_UNAVAILABLE, "%.150s is not in a bpf file system (mount -t bpf bpf /sys/fs/bpf)", w->set.pins);
    snprintf(w->pins, sizeof w->pins, "%.200s/%lld-%lld", w->set.pins, (long long)time_now_ms(), (long long)getpid());
    if (mkdir(w->pins, 0700) == 0 && pin_links(w, err) == 0)
        return 0;
    if (err->msg[0] == '\0')
        err_set(err, ERR_UNAVAILABLE, "%.180s: %s", w->pins, strerror(errno));
    w->pins[0] = '\0';
    return -1;
}

/* Whoever still holds these programs: they now let everything pass. */
static void control_off(int dir, u32 off)
{
    char path[64];
    struct wall_control c;
    u32 zero = 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d/control", dir);
    int fd = bpf_obj_get(path);
    if (fd < 0)
        return;
    if (bpf_map_lookup_elem(fd, &zero, &c) == 0) {
        c.off = off;
        bpf_map_update_elem(fd, &zero, &c, BPF_ANY);
    }
    close(fd);
}

static int set_clear(int parent, const char *name, u32 off, struct err *err)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "pins %.100s: %s", name, strerror(errno));
    control_off(fd, off);
    DIR *dir = fdopendir(fd);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] != '.')
            unlinkat(dirfd(dir), e->d_name, 0);
    }
    if (dir)
        closedir(dir);
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return err_set(err, ERR_UNAVAILABLE, "pins %.100s: %s", name, strerror(errno));
    return 0;
}

int pins_clear(const char *folder, const char *except, u32 off, struct err *err)
{
    const char *own = except && except[0] ? strrchr(except, '/') + 1 : "";
    DIR *dir = opendir(folder);
    int r = 0;
    if (!dir)
        return errno == ENOENT ? 0 : err_set(err, ERR_UNAVAILABLE, "%.180s: %s", folder, strerror(errno));
    for (struct dirent *e; r == 0 && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] != '.' && !str_eq(e->d_name, own))
            r = set_clear(dirfd(dir), e->d_name, off, err);
    }
    closedir(dir);
    return r;
}
#endif
