/* boxes.c - the containers the walls know, and which profile each is under; see
 * internal.h. */
#include "agent/wall/internal.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/imageref.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include "agent/wall/wall.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


/* Where it is, or where it belongs. */
static size_t box_place(const struct wall *w, uint64_t cgroup)
{
    size_t low = 0, high = w->n_boxes;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (w->boxes[mid].cgroup < cgroup)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct box *box_find(struct wall *w, uint64_t cgroup)
{
    size_t at = box_place(w, cgroup);
    return at < w->n_boxes && w->boxes[at].cgroup == cgroup ? &w->boxes[at] : NULL;
}

const struct loaded *profile_for(const struct generation *g, const char *repository, const char *digest)
{
    const struct loaded *found = NULL;
    for (size_t i = 0; g && i < g->n; i++) {
        const struct loaded *l = &g->items[i];
        if (!str_eq(l->repository, repository))
            continue;
        if (l->digest && str_eq(l->digest, digest))
            return l;
        if (!l->digest)
            found = l;
    }
    return found;
}

/* The agent's own container, when it runs in one. */
static bool is_ours(const struct box *b)
{
    u32 its, ours;
    return mounts_of(b->c.pid, &its) && mounts_of(getpid(), &ours) && its == ours;
}

/* A container that runs already says which mounts are its own; for one that is being
 * made, its first exec says so. */
static void mounts_apply(struct wall *w, const struct box *b)
{
    u32 mnt;
    if (mounts_of(b->c.pid, &mnt) && mnt != w->control->host_mounts)
        bpf_map_update_elem(bpf_map__fd(w->bpf->maps.mounts), &b->cgroup, &mnt, BPF_NOEXIST);
}

int box_apply(struct wall *w, struct box *b, struct err *err)
{
    struct wall_box value = { .since_ms = (u64)b->c.started_ms };
    if (!w->bpf) {
        b->profile = is_ours(b) ? NULL : profile_for(w->now, b->repository, b->c.digest);
        fan_box(w, b);
        return 0;
    }
    b->profile = is_ours(b) ? NULL : profile_for(w->now, b->repository, b->c.digest);
    value.set = b->profile ? b->profile->set : 0;
    if (b->profile)
        contents_verify(w, b);
    fan_box(w, b);
    mounts_apply(w, b);
    if (bpf_map_update_elem(bpf_map__fd(w->bpf->maps.boxes), &b->cgroup, &value, BPF_ANY) != 0)
        return err_set(err, ERR_UNAVAILABLE, "container %.64s: the kernel's map of containers: %s", b->c.id, strerror(errno));
    return 0;
}

static const char *kept(struct arena *a, const char *text)
{
    return arena_strdup(a, text ? text : "");
}

/* What events tell of a container; not its mounts, capabilities and command. */
static int box_copy(struct box *b, const struct container *c, struct err *err)
{
    struct imageref ref;
    struct err ignored;
    arena_init(&b->a, BOX_BYTES);
    b->c = (struct container){
        .id = kept(&b->a, c->id), .name = kept(&b->a, c->name), .image = kept(&b->a, c->image),
        .digest = arena_strdup(&b->a, c->digest), .engine = kept(&b->a, c->engine), .namespace = kept(&b->a, c->namespace),
        .pod = kept(&b->a, c->pod), .pod_uid = kept(&b->a, c->pod_uid), .workload = kept(&b->a, c->workload),
        .service = kept(&b->a, c->service), .runtime = kept(&b->a, c->runtime), .pid = c->pid,
        .start_ticks = c->start_ticks, .started_ms = c->started_ms > 0 ? c->started_ms : time_now_ms(),
    };
    if (!b->c.id || !b->c.image || !b->c.runtime)
        return err_nomem(err);
    b->repository = "";
    if (b->c.image[0] && imageref_parse(&b->a, b->c.image, &ref, &ignored) == 0) {
        const char *name = imageref_name(&b->a, &ref);
        b->repository = name ? name : "";
        if (!b->c.digest)
            b->c.digest = ref.digest;
    }
    return 0;
}

static int box_room(struct wall *w, struct err *err)
{
    if (w->n_boxes >= WALL_CONTAINERS_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d containers", WALL_CONTAINERS_MAX);
    if (w->n_boxes < w->cap_boxes)
        return 0;
    size_t cap = w->cap_boxes ? 2 * w->cap_boxes : 64;
    struct box *more = realloc(w->boxes, cap * sizeof *more);
    if (!more)
        return err_nomem(err);
    w->boxes = more;
    w->cap_boxes = cap;
    return 0;
}

int box_add(struct wall *w, uint64_t cgroup, const struct container *c, struct err *err)
{
    struct box b = { .cgroup = cgroup };
    if (!box_find(w, cgroup) && box_room(w, err) != 0)
        return -1;
    if (box_copy(&b, c, err) != 0 || box_apply(w, &b, err) != 0) {
        arena_clear(&b.a);
        return -1;
    }
    size_t at = box_place(w, cgroup);
    if (at < w->n_boxes && w->boxes[at].cgroup == cgroup) {
        nft_inherit(w, &w->boxes[at], &b);
        arena_clear(&w->boxes[at].a);
    } else {
        memmove(&w->boxes[at + 1], &w->boxes[at], (w->n_boxes - at) * sizeof *w->boxes);
        w->n_boxes++;
    }
    w->boxes[at] = b;
    nft_box(w, &w->boxes[at]);
    return 0;
}

int wall_container_add(struct wall *w, uint64_t cgroup_id, const struct container *c, struct err *err)
{
    pthread_mutex_lock(&w->lock);
    int r = box_add(w, cgroup_id, c, err);
    pthread_mutex_unlock(&w->lock);
    return r;
}

void box_remove(struct wall *w, uint64_t cgroup)
{
    struct box *b = box_find(w, cgroup);
    if (!b)
        return;
    if (w->bpf) {
        bpf_map_delete_elem(bpf_map__fd(w->bpf->maps.boxes), &cgroup);
        bpf_map_delete_elem(bpf_map__fd(w->bpf->maps.mounts), &cgroup);
    }
    nft_forget(w, b);
    arena_clear(&b->a);
    memmove(b, b + 1, (w->n_boxes - (size_t)(b - w->boxes) - 1) * sizeof *b);
    w->n_boxes--;
}

void wall_container_remove(struct wall *w, uint64_t cgroup_id)
{
    pthread_mutex_lock(&w->lock);
    box_remove(w, cgroup_id);
    pthread_mutex_unlock(&w->lock);
}

bool wall_container_known(struct wall *w, uint64_t cgroup_id)
{
    pthread_mutex_lock(&w->lock);
    bool known = box_find(w, cgroup_id) != NULL;
    pthread_mutex_unlock(&w->lock);
    return known;
}

void boxes_free(struct wall *w)
{
    for (size_t i = 0; i < w->n_boxes; i++) {
        nft_forget(w, &w->boxes[i]);
        arena_clear(&w->boxes[i].a);
    }
    free(w->boxes);
    w->boxes = NULL;
    w->n_boxes = w->cap_boxes = 0;
}
#endif
