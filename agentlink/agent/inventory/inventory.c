/* inventory.c - see inventory.h. */
#include "agent/inventory/inventory.h"

#include "agent/inventory/engines.h"
#include "agent/inventory/census.h"
#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The order says who is believed: engines know names and images, runtimes processes. */
const struct engine inventory_engines[] = {
    { "docker", engine_docker }, { "cri-o", engine_crio }, { "podman", engine_podman }, { "containerd", engine_containerd },
    { "crun", engine_crun }, { "runc", engine_runc }, { "sandboxes", engine_sandboxes },
};
const size_t n_inventory_engines = N_ITEMS(inventory_engines);
_Static_assert(N_ITEMS(inventory_engines) <= INVENTORY_ENGINES_MAX, "each has its row in struct inventory");

static struct inventory_roots complete_roots(const struct inventory_roots *roots)
{
    struct inventory_roots all = roots != NULL ? *roots : (struct inventory_roots){ 0 };

    all.root = all.root == NULL || *all.root == '\0' ? "/" : all.root;
    all.proc = all.proc == NULL ? "/proc" : all.proc;
    all.cgroup = all.cgroup == NULL ? "/sys/fs/cgroup" : all.cgroup;
    all.budget_ms = all.budget_ms <= 0 ? 5000 : all.budget_ms;
    return all;
}

/* ---- what was found becomes the list -------------------------------------------------------- */

/* A pod's first container has its names, labels and sandbox; the others take them over. */
static void take_over(struct census *s, struct found *f)
{
    const struct found *pod = f->sandbox_id != NULL ? found_get(s, f->sandbox_id) : NULL;
    char name[CONTAINER_TEXT_MAX];

    if (pod != NULL && pod != f) {
        found_text(s, &f->c.pod, pod->c.pod);
        found_text(s, &f->c.namespace, pod->c.namespace);
        found_text(s, &f->c.pod_uid, pod->c.pod_uid);
        if (pod->c.sandbox != NULL && *pod->c.sandbox != '\0' && f->c.sandbox == NULL) {
            f->c.sandbox = pod->c.sandbox;
            f->c.runtime = pod->c.runtime;
        }
        for (size_t i = 0; i < pod->c.n_labels; i++) {
            const char *label = pod->c.labels[i], *eq = strchr(label, '=');
            snprintf(name, sizeof name, "%.*s", (int)(eq - label), label);
            found_label(s, f, name, eq + 1);
        }
    }
    if (f->c.pod != NULL && *f->c.pod != '\0') {
        pod_workload(f->c.pod, name);
        found_text(s, &f->c.workload, name);
    }
}

static void fill(struct container *c)
{
    const char **texts[] = { &c->name, &c->image, &c->namespace, &c->pod, &c->pod_uid, &c->workload, &c->service, &c->seccomp,
                             &c->apparmor, &c->runtime, &c->sandbox, &c->cgroup };

    for (size_t i = 0; i < N_ITEMS(texts); i++)
        if (*texts[i] == NULL)
            *texts[i] = "";
    for (size_t i = 0; i < c->n_mounts; i++) {
        struct container_mount *m = (struct container_mount *)(uintptr_t)&c->mounts[i];
        m->source = m->source != NULL ? m->source : "";
        m->destination = m->destination != NULL ? m->destination : "";
    }
}

static int by_id(const void *a, const void *b)
{
    const struct container *x = a, *y = b;

    return strcmp(x->id, y->id);
}

static void conclude(struct census *s, struct inventory *out)
{
    struct container *list = arena_array(s->arena, s->n < CONTAINERS_MAX ? s->n : CONTAINERS_MAX, sizeof *list);

    s->failed |= list == NULL;
    for (size_t i = 0; i < s->n && !s->failed; i++) {
        struct found *f = s->all[i];
        arena_reset(&s->scratch);
        if (f->is_pod)
            continue;
        take_over(s, f);                                   /* first: a sandbox is looked at in another way */
        if (!process_read(s, f))
            continue;
        if (out->n == CONTAINERS_MAX) {
            s->n_left_out++;
            continue;
        }
        if (f->c.digest == NULL)
            found_unknown(s, f, "image");
        fill(&f->c);
        list[out->n++] = f->c;
    }
    if (!s->failed && out->n > 1)
        qsort(list, out->n, sizeof *list, by_id);
    out->containers = list;
    out->n_left_out = s->n_left_out;
}

int inventory_scan(const struct inventory_roots *roots, struct arena *arena, struct inventory *out, struct err *err)
{
    struct census s = { .roots = complete_roots(roots), .arena = arena };
    struct inventory found = { .n_engines = n_inventory_engines };

    s.until_ms = time_monotonic_ms() + s.roots.budget_ms;
    s.slots = arena_array(arena, CENSUS_SLOTS, sizeof *s.slots);
    s.all = arena_array(arena, 2 * CONTAINERS_MAX, sizeof *s.all);
    if (s.slots == NULL || s.all == NULL)
        return err_nomem(err);
    s.root = open(s.roots.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (s.root < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", s.roots.root, strerror(errno));
    arena_init(&s.scratch, INVENTORY_ARENA * 4);
    process_machine(&s);
    for (size_t i = 0; i < n_inventory_engines && !census_is_over(&s); i++) {
        s.engine = &found.engines[i];
        s.engine->name = inventory_engines[i].name;
        inventory_engines[i].scan(&s);
    }
    s.engine = NULL;
    conclude(&s, &found);
    arena_clear(&s.scratch);
    close(s.root);
    if (s.failed)
        return err_nomem(err);
    *out = found;
    return 0;
}

/* ---- looking up ------------------------------------------------------------------------------ */

const struct container *inventory_by_id(const struct inventory *inventory, const char *id)
{
    enum { SHORT_ID = 12 };
    size_t len = strlen(id), low = 0, high = inventory->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(inventory->containers[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == inventory->n || !str_starts(inventory->containers[low].id, id))
        return NULL;
    if (str_eq(inventory->containers[low].id, id))
        return &inventory->containers[low];
    bool is_only = low + 1 == inventory->n || !str_starts(inventory->containers[low + 1].id, id);
    return len >= SHORT_ID && is_only ? &inventory->containers[low] : NULL;
}

static bool is_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return true;
}

/* The last part of the path that has one: pods and their containers lie within each other. */
bool cgroup_container_id(const char *cgroup, char *out)
{
    enum { ID_LEN = 64 };
    size_t len = strlen(cgroup);

    for (size_t i = len; i >= ID_LEN; i--) {
        const char *id = cgroup + i - ID_LEN;
        bool begins = id == cgroup || id[-1] == '/' || id[-1] == '-' || id[-1] == ':';
        bool ends = cgroup[i] == '\0' || cgroup[i] == '/' || cgroup[i] == '.' || cgroup[i] == '\n' || cgroup[i] == ':';
        if (begins && ends && is_hex(id, ID_LEN)) {
            memcpy(out, id, ID_LEN);
            out[ID_LEN] = '\0';
            return true;
        }
    }
    return false;
}

const struct container *inventory_by_cgroup(const struct inventory *inventory, const char *cgroup)
{
    char id[CONTAINER_ID_MAX + 1];

    if (cgroup_container_id(cgroup, id))
        return inventory_by_id(inventory, id);
    for (size_t i = 0; i < inventory->n; i++) {
        const char *own = inventory->containers[i].cgroup;
        size_t len = strlen(own);
        if (len > 1 && strncmp(cgroup, own, len) == 0 && (cgroup[len] == '\0' || cgroup[len] == '/'))
            return &inventory->containers[i];
    }
    return NULL;
}

const struct container *inventory_by_pid(const struct inventory *inventory, const struct inventory_roots *roots, int64_t pid)
{
    const struct inventory_roots all = complete_roots(roots);
    char cgroup[CONTAINER_TEXT_MAX + 1];

    return process_cgroup(&all, pid, cgroup, sizeof cgroup) ? inventory_by_cgroup(inventory, cgroup) : NULL;
}

uint64_t inventory_cgroup_id(const struct inventory_roots *roots, const struct container *container)
{
    const struct inventory_roots all = complete_roots(roots);
    char path[CENSUS_PATH_MAX + CONTAINER_TEXT_MAX];
    struct stat st;

    if (*container->cgroup == '\0' || strstr(container->cgroup, "..") != NULL)
        return 0;
    snprintf(path, sizeof path, "%s%s", all.cgroup, container->cgroup);
    if (stat(path, &st) == 0)
        return st.st_ino;
    snprintf(path, sizeof path, "%s/unified%s", all.cgroup, container->cgroup);      /* v1 and v2 side by side */
    return stat(path, &st) == 0 ? st.st_ino : 0;
}
