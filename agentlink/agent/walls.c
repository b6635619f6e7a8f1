/* walls.c - see walls.h.
 *
 * Two threads.  One turns the walls: renews the lease, answers runtimes that wait,
 * turns what the kernel tells into JSON.  The other brings that JSON to the disk, so
 * that no container waits for an fsync.  Between them lies a bounded buffer; what it
 * cannot take is counted as dropped. */
#include "agent/walls.h"

#include "agent/wall/wall.h"
#include "base/time.h"
#include "wire/event/event.h"
#include "wire/json.h"
#include "wire/msg/node_settings.h"
#include "wire/msg/profile.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TURN_MS = 250, QUEUE_BYTES = 4 << 20, RESOLVE_FRESH_MS = 150, RESOLVE_BUDGET_MS = 1000, REASONS = 32, PATH_BYTES = 512, GOOD_BYTES = 32 << 20 };

struct queued {                          /* in front of each text in the queue */
    uint32_t len, class;
};

struct walls {
    bool is_wanted, is_on;               /* by our settings; by the server's */
    struct wall *wall;                   /* NULL: none, and problem says why */
    struct spool *spool;
    const struct log *log;
    char problem[240], profile_problem[240], mount[PATH_BYTES];
    struct inventory_roots roots;
    struct arena scan_arena;             /* the turning thread's */
    struct inventory scan;
    int64_t scan_ms;
    bool has_taken_over;
    struct buf good;                     /* profiles.json of the last bundle that could be enforced whole */
    pthread_mutex_t lock;                /* the queue and the problems */
    pthread_cond_t filled;
    struct buf queue, line;
    int64_t overflow;
    bool is_stopping, has_threads;
    pthread_t turning, writing;
};

/* ---- events -> spool ------------------------------------------------------------------ */

static void on_event(void *arg, const struct event *event)
{
    struct walls *w = arg;
    struct err ignored = { 0 };

    buf_clear(&w->line);
    if (event_encode(event, &w->line, &ignored) != 0 || w->line.failed)
        return;
    struct queued head = { (uint32_t)w->line.len, (uint32_t)event_class_of(event) };
    pthread_mutex_lock(&w->lock);
    if (w->queue.len + sizeof head + w->line.len > QUEUE_BYTES) {
        w->overflow++;
    } else {
        buf_put(&w->queue, &head, sizeof head);
        buf_put(&w->queue, w->line.ptr, w->line.len);
        pthread_cond_signal(&w->filled);
    }
    pthread_mutex_unlock(&w->lock);
}

static void spool_all(struct walls *w, const struct buf *b)
{
    static const enum spool_class classes[EVENT_CLASS_N] = {
        [EVENT_CLASS_NORMAL] = SPOOL_NORMAL, [EVENT_CLASS_CRITICAL] = SPOOL_CRITICAL, [EVENT_CLASS_LOW] = SPOOL_LOW,
    };
    struct spool_group group;
    struct queued head;
    struct err err = { 0 };

    spool_begin(w->spool, &group);
    for (size_t at = 0; at + sizeof head <= b->len; at += head.len) {
        memcpy(&head, b->ptr + at, sizeof head);
        at += sizeof head;
        enum spool_class class = classes[head.class < EVENT_CLASS_N ? head.class : EVENT_CLASS_NORMAL];
        if (spool_put(w->spool, &group, class, b->ptr + at, head.len, &err) != 0)
            (void)spool_dropped(w->spool, class, SPOOL_REFUSED, 1, &err);
    }
    if (spool_commit(w->spool, &group, &err) != 0)
        LOG(w->log, LOG_WARN, "events of the walls are not kept", LOG_TEXT("error", err.msg));
}

static void *write_main(void *arg)
{
    struct walls *w = arg;
    struct buf mine;
    struct err ignored = { 0 };

    buf_init(&mine, QUEUE_BYTES + 1);
    pthread_mutex_lock(&w->lock);
    while (!w->is_stopping || w->queue.len > 0 || w->overflow > 0) {
        if (w->queue.len == 0 && w->overflow == 0) {
            pthread_cond_wait(&w->filled, &w->lock);
            continue;
        }
        struct buf full = w->queue;
        int64_t lost = w->overflow;
        w->queue = mine;
        w->overflow = 0;
        pthread_mutex_unlock(&w->lock);
        spool_all(w, &full);
        if (lost > 0)
            (void)spool_dropped(w->spool, SPOOL_NORMAL, SPOOL_OVERLOAD, lost, &ignored);
        mine = full;
        buf_clear(&mine);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    buf_free(&mine);
    return NULL;
}

static void *turn_main(void *arg)
{
    struct walls *w = arg;
    struct err err = { 0 };

    while (!__atomic_load_n(&w->is_stopping, __ATOMIC_RELAXED)) {
        if (wall_poll(w->wall, TURN_MS, on_event, w, &err) < 0) {
            LOG(w->log, LOG_ERROR, "the walls turn no more", LOG_TEXT("error", err.msg));
            break;
        }
    }
    return NULL;
}

/* ---- whose cgroup is it --------------------------------------------------------------- */

/* Asked by the turning thread about a cgroup that is new: one look at the engines' files
 * serves all that are asked about within a moment. */
static bool resolve(void *arg, const char *path, uint64_t id, struct container *out)
{
    struct walls *w = arg;
    struct err ignored = { 0 };
    int64_t now = time_monotonic_ms();

    (void)path;
    if (now - w->scan_ms > RESOLVE_FRESH_MS) {
        arena_reset(&w->scan_arena);
        w->scan = (struct inventory){ 0 };
        if (inventory_scan(&w->roots, &w->scan_arena, &w->scan, &ignored) != 0)
            w->scan.n = 0;
        w->scan_ms = time_monotonic_ms();
    }
    for (size_t i = 0; i < w->scan.n; i++) {
        if (inventory_cgroup_id(&w->roots, &w->scan.containers[i]) == id) {
            *out = w->scan.containers[i];
            return true;
        }
    }
    return false;
}

/* ---- open, close ---------------------------------------------------------------------- */

static const char *cgroup_of(const struct settings *s)
{
    static const char hybrid[] = "/sys/fs/cgroup/unified";
    struct stat st;
    bool is_usual = strcmp(s->walls_cgroup, "/sys/fs/cgroup") == 0;

    return is_usual && stat("/sys/fs/cgroup/cgroup.procs", &st) != 0 && stat(hybrid, &st) == 0 ? hybrid : s->walls_cgroup;
}

/* Paths in /proc/PID/cgroup begin at the mount, which the folder that walls are to stand
 * in may lie deep below: the last folder upwards that is a cgroup. */
static void cgroup_mount(const char *folder, char *out, size_t max)
{
    char file[PATH_BYTES + 16], *slash;
    struct stat st;

    snprintf(out, max, "%s", folder);
    while ((slash = strrchr(out, '/')) != NULL && slash != out) {
        snprintf(file, sizeof file, "%.*s/cgroup.procs", (int)(slash - out), out);
        if (stat(file, &st) != 0)
            break;
        *slash = '\0';
    }
}

static int open_wall(struct walls *w, const struct settings *s, struct err *err)
{
    static const char *const places[] = { "/usr/bin/runc", "/usr/sbin/runc", "/usr/local/bin/runc", "/usr/local/sbin/runc", "/usr/bin/crun",
                                          "/usr/local/bin/crun", "/usr/libexec/crio/runc", "/usr/libexec/crio/crun", "/usr/bin/youki" };
    char paths[N_ITEMS(places)][PATH_BYTES];
    const char *runtimes[N_ITEMS(places)];
    size_t n = 0;

    for (size_t i = 0; i < N_ITEMS(places); i++) {
        snprintf(paths[n], sizeof paths[n], "%s%s", s->inventory_root ? s->inventory_root : "", places[i]);
        if (access(paths[n], X_OK) == 0)
            runtimes[n] = paths[n], n++;
    }
    struct wall_settings settings = { .cgroup = cgroup_of(s), .pins = s->walls_pins, .off_file = s->walls_off_file,
                                      .runtimes = runtimes, .n_runtimes = n, .resolve = resolve, .resolve_arg = w };
    return wall_open(&settings, &w->wall, err);
}

static int start(struct walls *w, struct err *err)
{
    if (pthread_create(&w->writing, NULL, write_main, w) != 0)
        return err_set(err, ERR_UNAVAILABLE, "no thread for the walls");
    if (pthread_create(&w->turning, NULL, turn_main, w) != 0) {
        pthread_mutex_lock(&w->lock);
        w->is_stopping = true;
        pthread_cond_signal(&w->filled);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->writing, NULL);
        return err_set(err, ERR_UNAVAILABLE, "no thread for the walls");
    }
    w->has_threads = true;
    return 0;
}

int walls_open(const struct settings *settings, struct spool *spool, const struct log *log, struct walls **out, struct err *err)
{
    struct walls *w = calloc(1, sizeof *w);
    struct err why = { 0 };

    if (w == NULL)
        return err_nomem(err);
    w->is_wanted = settings->walls;
    w->is_on = true;
    w->spool = spool;
    w->log = log;
    cgroup_mount(cgroup_of(settings), w->mount, sizeof w->mount);
    w->roots = (struct inventory_roots){ .root = settings->inventory_root, .cgroup = w->mount, .budget_ms = RESOLVE_BUDGET_MS };
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->filled, NULL);
    buf_init(&w->queue, QUEUE_BYTES + 1);
    buf_init(&w->line, EVENT_JSON_MAX * 8);
    buf_init(&w->good, GOOD_BYTES);
    arena_init(&w->scan_arena, INVENTORY_ARENA);
    if (w->is_wanted && (open_wall(w, settings, &why) != 0 || wall_confine(w->wall, &why) != 0 || start(w, &why) != 0)) {
        snprintf(w->problem, sizeof w->problem, "%.230s", why.msg);
        wall_close(w->wall, false);
        w->wall = NULL;
        LOG(log, LOG_WARN, "no walls", LOG_TEXT("error", w->problem));
    }
    *out = w;
    return 0;
}

void walls_close(struct walls *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_cond_signal(&w->filled);
    pthread_mutex_unlock(&w->lock);
    if (w->has_threads) {
        pthread_join(w->turning, NULL);
        pthread_join(w->writing, NULL);
    }
    wall_close(w->wall, true);
    buf_free(&w->queue);
    buf_free(&w->line);
    buf_free(&w->good);
    arena_clear(&w->scan_arena);
    pthread_cond_destroy(&w->filled);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* ---- what is in force ------------------------------------------------------------------ */

static struct node_settings settings_of(struct bytes text, struct arena *arena)
{
    struct node_settings s = node_settings_default;
    struct err ignored = { 0 };
    struct json doc;

    if (text.len > 0 && json_parse(arena, (const char *)text.ptr, text.len, NULL, &doc, &ignored) == 0)
        (void)shape_decode(&node_settings_shape, &doc, arena, &s, NULL, &ignored);
    return s;
}

/* A lease of the server's for profiles that name none; modes below protect when walls are off. */
static int profiles_of(struct bytes text, const struct node_settings *s, struct arena *arena, struct profile **out, size_t *n, struct err *err)
{
    struct profile_set set = { 0 };
    struct json doc;

    if (json_parse(arena, (const char *)text.ptr, text.len, NULL, &doc, err) != 0 ||
        shape_decode(&profile_set_shape, &doc, arena, &set, NULL, err) != 0)
        return -1;
    struct profile *all = arena_array(arena, set.n_profiles + 1, sizeof *all);
    if (all == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < set.n_profiles; i++) {
        all[i] = set.profiles[i];
        if (all[i].lease_s <= 0)
            all[i].lease_s = s->lease_s;
        if (!s->walls && all[i].mode == PROFILE_PROTECT)
            all[i].mode = PROFILE_MONITOR;
    }
    *out = all;
    *n = set.n_profiles;
    return 0;
}

static const struct profile *same_image(const struct profile *all, size_t n, const struct profile *p)
{
    for (size_t i = 0; i < n; i++) {
        bool same_digest = all[i].digest == NULL ? p->digest == NULL : str_eq(all[i].digest, p->digest);
        if (same_digest && str_eq(all[i].repository, p->repository))
            return &all[i];
    }
    return NULL;
}

/* One profile that cannot be enforced as written - it would let nothing run, or names
 * what is no path or network - must not keep those of other images from changing.  In
 * its place stands its last good version; without one its containers are only observed.
 * Returns how many are left; problem says of the first, "" of none. */
static size_t sort_out(struct walls *w, const struct node_settings *s, struct profile *all, size_t n, struct arena *arena, char problem[240])
{
    struct profile *good = NULL;
    size_t kept = 0, n_good = 0, n_bad = 0;
    struct err err = { 0 };
    char first[sizeof err.msg] = "";

    if (w->good.len > 0 && profiles_of((struct bytes){ (const unsigned char *)w->good.ptr, w->good.len }, s, arena, &good, &n_good, &err) != 0)
        n_good = 0;
    for (size_t i = 0; i < n; i++) {
        const struct profile *use = &all[i];
        if (wall_profile_check(use, &err) != 0) {
            if (n_bad++ == 0)
                snprintf(first, sizeof first, "%s", err.msg);
            use = same_image(good, n_good, use);
        }
        if (use != NULL && wall_profile_check(use, &err) == 0)
            all[kept++] = *use;
    }
    problem[0] = '\0';
    if (n_bad > 0)
        snprintf(problem, 240, "not in force, the last good version is (if there was one): %.150s%s", first, n_bad > 1 ? ", and others" : "");
    return kept;
}

/* The containers that run already, then the old agent's walls go. */
static void take_over(struct walls *w, struct arena *arena)
{
    struct inventory now;
    struct err err = { 0 };

    if (inventory_scan(&w->roots, arena, &now, &err) == 0)
        walls_inventory(w, &now);
    if (wall_handover(w->wall, &err) != 0)
        LOG(w->log, LOG_WARN, "walls of an earlier agent stay", LOG_TEXT("error", err.msg));
    w->has_taken_over = true;
}

static void remember(struct walls *w, struct bytes profiles)
{
    buf_clear(&w->good);
    buf_put(&w->good, profiles.ptr, profiles.len);
    if (w->good.failed)
        buf_clear(&w->good);
}

int walls_bundle(struct walls *w, struct bytes profiles, struct bytes settings, struct err *err)
{
    struct profile *all = NULL;
    struct arena arena;
    char problem[240] = "";
    size_t n = 0;

    if (w->wall == NULL)
        return 0;
    arena_init(&arena, INVENTORY_ARENA);
    struct node_settings s = settings_of(settings, &arena);
    int rc = profiles_of(profiles, &s, &arena, &all, &n, err);
    if (rc == 0) {
        n = sort_out(w, &s, all, n, &arena, problem);
        rc = wall_set_profiles(w->wall, all, n, err);
    }
    if (rc == 0 && problem[0] == '\0')
        remember(w, profiles);
    pthread_mutex_lock(&w->lock);
    w->is_on = s.walls;
    snprintf(w->profile_problem, sizeof w->profile_problem, "%.220s", rc == 0 ? problem : err->msg);
    pthread_mutex_unlock(&w->lock);
    if (rc == 0 && !w->has_taken_over)
        take_over(w, &arena);
    arena_clear(&arena);
    if (rc == 0 && problem[0] != '\0')
        return err_set(err, ERR_INVALID, "%s", problem);
    return rc;
}

void walls_inventory(struct walls *w, const struct inventory *inventory)
{
    struct err err = { 0 };

    for (size_t i = 0; w->wall != NULL && i < inventory->n; i++) {
        uint64_t id = inventory_cgroup_id(&w->roots, &inventory->containers[i]);
        if (id != 0 && !wall_container_known(w->wall, id) && wall_container_add(w->wall, id, &inventory->containers[i], &err) != 0)
            LOG(w->log, LOG_WARN, "a container stays without walls", LOG_TEXT("container", inventory->containers[i].id), LOG_TEXT("error", err.msg));
    }
}

/* ---- status ---------------------------------------------------------------------------- */

static void reason_put(struct status_rung *all, size_t *n, struct arena *arena, const char *rung, const char *why)
{
    const char *text = arena_strdup(arena, why);
    if (*n < REASONS && why[0] != '\0' && text != NULL)
        all[(*n)++] = (struct status_rung){ rung, text };
}

/* By what ports and peers are judged, and why not by better. */
static void network_put(const struct wall_status *s, struct status_rung *all, size_t *n, struct arena *arena)
{
    char text[256];

    snprintf(text, sizeof text, "%s%s%.200s", wall_network_word(s), s->network ? "" : ", for cgroup programs: ", s->network ? "" : s->network_why);
    reason_put(all, n, arena, "network", text);
    if (!s->network)
        reason_put(all, n, arena, "nftables", s->nftables_why);
    snprintf(text, sizeof text, "%zu containers; %zu should have rules and have none: %.180s", s->n_nftables, s->n_nftables_not, s->nftables_not);
    reason_put(all, n, arena, "nftables", s->n_nftables_not > 0 ? text : "");
    for (const char *const *l = wall_network_limits(s); *l != NULL; l++)
        reason_put(all, n, arena, "limit", *l);
}

static void reasons_put(struct walls *w, const struct wall_status *s, struct status_rung *all, size_t *n, struct arena *arena)
{
    for (size_t i = 0; i < s->n_reasons; i++)
        reason_put(all, n, arena, wall_rung_word(s->reasons[i].rung), s->reasons[i].why);
    reason_put(all, n, arena, "off", s->is_off ? "switched off on this node (keep-agent walls on)" : "");
    pthread_mutex_lock(&w->lock);
    reason_put(all, n, arena, "off", w->is_on ? "" : "switched off by the server: what profiles protect is only reported");
    reason_put(all, n, arena, "profiles", w->profile_problem);
    pthread_mutex_unlock(&w->lock);
    network_put(s, all, n, arena);
    reason_put(all, n, arena, "parents", s->edges_why);
    reason_put(all, n, arena, "pins", s->pinned_why);
    reason_put(all, n, arena, "start", s->gate_why);
    for (const char *const *l = wall_limits(s->rung); *l != NULL; l++)
        reason_put(all, n, arena, "limit", *l);
}

int walls_status(struct walls *w, struct arena *arena, struct status_walls *out, struct err *err)
{
    struct status_rung *reasons = arena_array(arena, REASONS, sizeof *reasons);
    struct wall_status s;

    if (reasons == NULL)
        return err_nomem(err);
    *out = (struct status_walls){ .rung = "none", .reasons = reasons };
    if (w->wall == NULL) {
        reason_put(reasons, &out->n_reasons, arena, "none", w->is_wanted ? w->problem : "walls.enabled is false");
        return 0;
    }
    wall_status(w->wall, &s);
    out->rung = wall_rung_word(s.rung);
    out->profiles = (int64_t)s.n_profiles;
    out->lease_s = s.lease_s;
    out->drops = (int64_t)s.dropped;
    reasons_put(w, &s, reasons, &out->n_reasons, arena);
    return 0;
}
