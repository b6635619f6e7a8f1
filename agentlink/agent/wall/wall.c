/* wall.c - opening, turning and closing the walls; see wall.h. */
#include "agent/wall/internal.h"
#include "base/str.h"
#include "base/time.h"
#include "agent/wall/built.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* A cgroup's id is the inode number of its folder. */
int wall_cgroup_id(const char *path, uint64_t *out, struct err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(err, ERR_NOT_FOUND, "cgroup %.180s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_INVALID, "cgroup %.180s is not a folder", path);
    *out = st.st_ino;
    return 0;
}

#ifdef KEEP_WALL_BUILT
#include "agent/wall/wall.skel.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static int settings_copy(struct wall *w, const struct wall_settings *s, struct err *err)
{
    const char **runtimes = arena_array(&w->a, s->n_runtimes + 1, sizeof *runtimes);
    w->set = *s;
    w->set.cgroup = arena_strdup(&w->a, s->cgroup);
    w->set.pins = arena_strdup(&w->a, s->pins);
    w->set.off_file = arena_strdup(&w->a, s->off_file);
    w->set.runtimes = runtimes;
    if (w->set.lease_s <= 0)
        w->set.lease_s = WALL_LEASE_DEFAULT_S;
    if (w->set.ring_bytes == 0)
        w->set.ring_bytes = 1 << 20;
    for (size_t i = 0; runtimes && i < s->n_runtimes; i++)
        runtimes[i] = arena_strdup(&w->a, s->runtimes[i]);
    if (!runtimes || (s->cgroup && !w->set.cgroup) || (s->pins && !w->set.pins) || (s->off_file && !w->set.off_file))
        return err_nomem(err);
    return 0;
}

static int cgroup_check(const struct wall *w, struct err *err)
{
    struct statfs fs;
    if (!w->set.cgroup || statfs(w->set.cgroup, &fs) != 0)
        return err_set(err, ERR_UNAVAILABLE, "blind: cgroup %.150s: %s", w->set.cgroup ? w->set.cgroup : "", strerror(errno));
    if (fs.f_type != CGROUP2_SUPER_MAGIC)
        return err_set(err, ERR_UNAVAILABLE, "blind: %.150s is not of cgroup v2", w->set.cgroup);
    return 0;
}

static void kernel_name(char *out, size_t size)
{
    struct utsname u;
    if (uname(&u) == 0)
        snprintf(out, size, "%.60s %.20s", u.release, u.machine);
}

/* No BPF: no sensors, no network, and of the ladder only its lowest rung. */
static void blind_say(struct wall *w, const char *why)
{
    w->status.sensors = w->status.network = w->status.edges = false;
    w->status.rung = WALL_NONE;
    w->status.n_reasons = 0;
    reason_add(w, WALL_LSM, why);
    reason_add(w, WALL_SIGKILL, why);
    snprintf(w->status.sensors_why, sizeof w->status.sensors_why, "%.190s", why);
    snprintf(w->status.network_why, sizeof w->status.network_why, "%.190s", why);
}

static void pins_open(struct wall *w)
{
    struct err err = { .kind = ERR_INTERNAL };
    w->status.pinned = w->bpf && w->set.pins && pins_make(w, &err) == 0;
    if (!w->status.pinned)
        snprintf(w->status.pinned_why, sizeof w->status.pinned_why, "%.190s",
                 !w->bpf ? "there is nothing to pin" : w->set.pins ? err.msg : "not wanted by the settings");
}

/* Starts are held, and on the lowest rung programs: both need somebody who answers. */
static void gate_try(struct wall *w)
{
    struct err err = { .kind = ERR_INTERNAL };
    bool is_refused = w->set.refuse & 1u << WALL_FANOTIFY, is_rung = w->status.rung == WALL_NONE && !is_refused;
    if (!w->set.resolve)
        snprintf(w->status.gate_why, sizeof w->status.gate_why, "not wanted by the settings");
    if (w->set.resolve || is_rung) {
        if (gate_open(w, &err) == 0 && deadman_open(w, &err) == 0) {
            w->status.gate = w->status.gate_why[0] == '\0';
            w->status.rung = is_rung ? WALL_FANOTIFY : w->status.rung;
            return;
        }
        snprintf(w->status.gate_why, sizeof w->status.gate_why, "%.190s", err.msg);
        gate_loosen(w);
    }
    if (w->status.rung == WALL_NONE)
        reason_add(w, WALL_FANOTIFY, is_refused ? "not wanted by the settings" : w->status.gate_why);
}

int wall_open(const struct wall_settings *settings, struct wall **out, struct err *err)
{
    struct wall *w = calloc(1, sizeof *w);
    if (!w)
        return err_nomem(err);
    pthread_mutex_init(&w->lock, NULL);
    arena_init(&w->a, 64 * 1024);
    w->clock_offset_ms = time_now_ms() - time_monotonic_ms();
    w->next_set = 0;
    kernel_name(w->status.kernel, sizeof w->status.kernel);
    if (settings_copy(w, settings, err) != 0 || cgroup_check(w, err) != 0) {
        wall_close(w, false);
        return -1;
    }
    bool is_blind = kernel_open(w, err) != 0;
    if (is_blind) {
        kernel_close(w);
        blind_say(w, err->msg);
    }
    pins_open(w);
    nft_open(w);
    gate_try(w);
    if (is_blind && w->status.rung != WALL_FANOTIFY && !w->nft) {
        wall_close(w, false);
        return -1;
    }
    *out = w;
    return 0;
}

int wall_handover(struct wall *w, struct err *err)
{
    return w->status.pinned ? pins_clear(w->set.pins, w->pins, OFF_FILE, err) : 0;
}

void wall_close(struct wall *w, bool keep)
{
    struct err ignored;
    if (!w)
        return;
    nft_close(w, keep);
    gate_close(w);
    deadman_close(w);
    if (!keep && w->pins[0])
        (void)pins_clear(w->set.pins, NULL, OFF_FILE, &ignored);
    kernel_close(w);
    profiles_free(w);
    boxes_free(w);
    arena_clear(&w->a);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static void beat(struct wall *w)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    deadman_beat(w);
    if (!w->control)
        return;
    __atomic_store_n(&w->control->beat_ns, (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec, __ATOMIC_RELAXED);
    bool is_off = wall_is_off(w);
    if (w->set.off_file && (is_off || __atomic_load_n(&w->control->off, __ATOMIC_RELAXED) != OFF_SWITCH))
        __atomic_store_n(&w->control->off, is_off ? (u32)OFF_FILE : 0u, __ATOMIC_RELAXED);
}

bool wall_is_off(const struct wall *w)
{
    return w->set.off_file && access(w->set.off_file, F_OK) == 0;
}

int wall_poll(struct wall *w, int timeout_ms, wall_event_fn *on_event, void *arg, struct err *err)
{
    struct pollfd fds[2] = { { w->ring ? ring_buffer__epoll_fd(w->ring) : -1, POLLIN, 0 }, { gate_fd(w), POLLIN, 0 } };
    beat(w);
    if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
        return err_set(err, ERR_INTERNAL, "poll: %s", strerror(errno));
    pthread_mutex_lock(&w->lock);
    w->clock_offset_ms = time_now_ms() - time_monotonic_ms();
    w->on_event = on_event;
    w->on_event_arg = arg;
    w->n_told = 0;
    gate_turn(w);
    int r = w->ring ? ring_buffer__consume(w->ring) : 0;
    if (w->bpf)
        drops_tell(w);
    nft_turn(w);
    w->on_event = NULL;
    int n = (int)w->n_told;
    pthread_mutex_unlock(&w->lock);
    return r < 0 ? err_set(err, ERR_INTERNAL, "ring: %s", strerror(-r)) : n;
}

void wall_status(struct wall *w, struct wall_status *out)
{
    struct wall_stats s;
    struct timespec now;
    pthread_mutex_lock(&w->lock);
    stats_read(w, &s);
    clock_gettime(CLOCK_MONOTONIC, &now);
    *out = w->status;
    out->is_off = w->control ? w->control->off != 0 : wall_is_off(w);
    out->n_containers = w->n_boxes;
    for (size_t i = 0; i < w->n_boxes; i++)
        out->n_walled += w->boxes[i].profile != NULL;
    out->beat_ms = !w->control ? 0 : (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - (int64_t)(w->control->beat_ns / 1000000u);
    nft_status(w, out);
    out->seen = s.seen;
    out->emitted = s.emitted;
    out->folded = s.folded;
    out->dropped = s.dropped;
    out->denied = s.denied + w->fan_denied;
    pthread_mutex_unlock(&w->lock);
}

int wall_off(const char *pins, const char *off_file, struct err *err)
{
    int fd = off_file ? open(off_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1, cause = errno;
    bool is_kept = !off_file || fd >= 0;
    if (fd >= 0)
        close(fd);
    if ((pins && pins_clear(pins, NULL, is_kept ? OFF_FILE : OFF_SWITCH, err) != 0) || nft_clear_all(err) != 0)
        return -1;
    return is_kept ? 0 : err_set(err, ERR_UNAVAILABLE, "off until the agent starts again, and not for longer: %.150s: %s", off_file, strerror(cause));
}

int wall_on(const char *off_file, struct err *err)
{
    if (off_file && unlink(off_file) != 0 && errno != ENOENT)
        return err_set(err, ERR_UNAVAILABLE, "%.180s: %s", off_file, strerror(errno));
    return 0;
}
#endif
