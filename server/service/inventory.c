/* inventory.c - POST /v1/agent/inventory: what changed on a node since what it sent last. */
#include "service/containers.h"

#include "base/time.h"
#include "service/image_seen.h"
#include "service/policies.h"
#include "store/container.h"
#include "store/image.h"
#include "store/running.h"
#include "wire/imageref.h"
#include "wire/msg/container.h"

#include <stdlib.h>
#include <string.h>

/* ---- which image ------------------------------------------------------------------------ */

static int find_by_digest(struct app *app, struct db *db, const char *digest, int64_t now_ms, struct arena *arena, int64_t *id,
                          struct err *err)
{
    const struct freshness_limits limits = app_limits(app);
    struct image image;
    int rc = digest == NULL ? 0 : image_find(db, digest, &limits, now_ms, arena, &image, err);

    if (rc == 1)
        *id = image.id;
    return rc;
}

int container_image_of(struct app *app, struct db *db, const struct container *container, int64_t now_ms, struct arena *arena,
                       int64_t *id, int *by, struct err *err)
{
    struct imageref ref = { 0 };
    struct err ignored = { 0 };
    const char *digest = container->digest, *image_id = container->image_id, *name = NULL;
    int rc;

    *id = 0;
    *by = CONTAINER_BY_NOTHING;
    /* What cannot be read as a reference names no place; the digests may still be known. */
    if (*container->image != '\0' && imageref_parse(arena, container->image, &ref, &ignored) == 0) {
        if (ref.is_id)
            image_id = image_id != NULL ? image_id : ref.digest;
        else
            name = imageref_name(arena, &ref);
        if (digest == NULL && !ref.is_id)
            digest = ref.digest;
    }
    if ((rc = find_by_digest(app, db, digest, now_ms, arena, id, err)) != 0)
        return *by = CONTAINER_BY_DIGEST, rc < 0 ? -1 : 0;
    if ((rc = find_by_digest(app, db, image_id, now_ms, arena, id, err)) != 0)
        return *by = CONTAINER_BY_ID, rc < 0 ? -1 : 0;
    if (name != NULL && digest != NULL && digest_is_valid(digest)) {
        *by = CONTAINER_BY_DIGEST;
        return image_seen(app, db, digest, name, ref.tag_implied ? NULL : ref.tag, now_ms, arena, id, err);
    }
    if (name != NULL && ref.tag != NULL && (rc = image_find_by_tag(db, name, ref.tag, id, err)) != 0)
        return *by = CONTAINER_BY_TAG, rc < 0 ? -1 : 0;
    return 0;
}

/* ---- places ------------------------------------------------------------------------------- */

struct places {
    struct container_place *items;
    size_t n;
};

/* Names are shown on terminals and stand in cursors, one to a line. */
static const char *clean(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);

    for (char *p = copy; p != NULL && *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    return copy;
}

static const char *first_of(const char *a, const char *b, const char *c, const char *d)
{
    return *a != '\0' ? a : *b != '\0' ? b : *c != '\0' ? c : d;
}

static int place_of(struct arena *arena, const char *cluster, const struct container *c, struct container_place *out, struct err *err)
{
    *out = (struct container_place){
        .cluster = cluster, .namespace = clean(arena, c->namespace),
        .workload = clean(arena, first_of(c->workload, c->service, c->pod, *c->name != '\0' ? c->name : c->id)),
        .name = clean(arena, *c->name != '\0' ? c->name : c->id),
    };
    return out->namespace == NULL || out->workload == NULL || out->name == NULL ? err_nomem(err) : 0;
}

static int by_place(const void *a, const void *b)
{
    const struct container_place *x = a, *y = b;
    int order = strcmp(x->namespace, y->namespace);

    order = order != 0 ? order : strcmp(x->workload, y->workload);
    return order != 0 ? order : strcmp(x->name, y->name);
}

static int recount(struct db *db, struct places *places, struct err *err)
{
    if (places->n > 1)
        qsort(places->items, places->n, sizeof *places->items, by_place);
    for (size_t i = 0; i < places->n; i++)
        if ((i == 0 || by_place(&places->items[i - 1], &places->items[i]) != 0) && container_recount(db, &places->items[i], err) != 0)
            return -1;
    return 0;
}

/* ---- the report ------------------------------------------------------------------------------ */

struct taking {
    struct call *c;
    const char *cluster;
    struct places places;
};

static int forget(struct db *db, int64_t node, const char *const *ids, size_t n, struct arena *arena, struct places *places, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        int rc = container_find_place(db, node, ids[i], arena, &places->items[places->n], err);
        if (rc < 0 || (rc == 1 && container_delete(db, node, ids[i], err) != 0))
            return -1;
        places->n += rc == 1;
    }
    return 0;
}

static const char *document_of(struct arena *arena, const struct container *container)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    shape_encode(&container_shape, container, &b);
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

/* What a node leaves out is "". */
static void fill(struct container *c)
{
    const char **texts[] = { &c->name, &c->image, &c->engine, &c->namespace, &c->pod, &c->pod_uid, &c->workload, &c->service,
                             &c->seccomp, &c->apparmor, &c->runtime, &c->sandbox, &c->cgroup };

    for (size_t i = 0; i < N_ITEMS(texts); i++)
        if (*texts[i] == NULL)
            *texts[i] = "";
}

static int take(struct taking *t, const struct container *reported, struct err *err)
{
    struct call *c = t->c;
    struct container container = *reported;
    struct container_place before;

    fill(&container);
    struct container_row row = { .node = c->caller->node, .container = &container, .seen_ms = c->now_ms };
    int rc = container_find_place(c->db, row.node, container.id, c->arena, &before, err);
    if (rc == 1)
        t->places.items[t->places.n++] = before;
    if (rc < 0 || place_of(c->arena, t->cluster, &container, &row.place, err) != 0 ||
        container_image_of(c->app, c->db, &container, c->now_ms, c->arena, &row.image_id, &row.image_by, err) != 0)
        return -1;
    t->places.items[t->places.n++] = row.place;
    if ((row.document = document_of(c->arena, &container)) == NULL)
        return err_nomem(err);
    return container_put(c->db, &row, err);
}

/* A cluster whose nodes report is reported by nobody else. */
static int take_over(struct call *c, const char *cluster, struct err *err)
{
    bool has;

    if (container_cluster_has(c->db, cluster, &has, err) != 0)
        return -1;
    return has ? 0 : running_clear(c->db, cluster, err);
}

/* Differences add up; a node that never says what ended does not fill the disk. */
static int check_count(struct call *c, struct err *err)
{
    int64_t n;

    if (container_count(c->db, c->caller->node, &n, err) != 0)
        return -1;
    return n <= CONTAINERS_MAX ? 0 : err_set(err, ERR_TOO_LARGE, "%lld containers; a node has at most %d", (long long)n, CONTAINERS_MAX);
}

int inventory_take(struct call *c, const void *in_, void *out_, struct err *err)
{
    const struct inventory_report *in = in_;
    struct inventory_answer *out = out_;
    struct taking t = { .c = c };
    const char **before = NULL;
    int64_t stored;
    size_t n_before = 0;

    if (container_generation(c->db, c->caller->node, c->arena, &stored, &t.cluster, err) != 0)
        return -1;
    if (in->base != 0 && in->base != stored)
        return err_set(err, ERR_CONFLICT, "this differs from generation %lld, but generation %lld is stored; send all (base 0)",
                       (long long)in->base, (long long)stored);
    if (in->base == 0 && container_ids(c->db, c->caller->node, c->arena, &before, &n_before, err) != 0)
        return -1;
    t.places.items = arena_array(c->arena, n_before + in->n_gone + 2 * in->n_containers, sizeof *t.places.items);
    if (t.places.items == NULL)
        return err_nomem(err);
    /* From nothing: what it does not name is over. */
    if ((in->n_containers > 0 && take_over(c, t.cluster, err) != 0) ||
        forget(c->db, c->caller->node, before, n_before, c->arena, &t.places, err) != 0 ||
        forget(c->db, c->caller->node, in->gone, in->n_gone, c->arena, &t.places, err) != 0)
        return -1;
    for (size_t i = 0; i < in->n_containers; i++)
        if (take(&t, &in->containers[i], err) != 0)
            return -1;
    *out = (struct inventory_answer){ .generation = in->generation };
    if (check_count(c, err) != 0)
        return -1;
    return recount(c->db, &t.places, err) != 0 ? -1 : container_set_generation(c->db, c->caller->node, in->generation, err);
}

/* ---- nodes that are gone ----------------------------------------------------------------------- */

int containers_forget_lost(struct app *app, struct db *db, int64_t now_ms, size_t max, size_t *n, struct err *err)
{
    struct places places = { 0 };
    struct arena arena;
    const char **ids;
    int64_t node;

    (void)app;
    arena_init(&arena, 64 << 20);
    int rc = container_list_lost(db, now_ms - CONTAINERS_LOST_DAYS * MS_DAY, max, &arena, &node, &ids, n, err);
    if (rc == 0 && *n > 0) {
        places.items = arena_array(&arena, *n, sizeof *places.items);
        rc = places.items == NULL ? err_nomem(err) : 0;
        if (rc == 0 && (forget(db, node, ids, *n, &arena, &places, err) != 0 || recount(db, &places, err) != 0 ||
                        container_set_generation(db, node, 0, err) != 0))
            rc = -1;
    }
    arena_clear(&arena);
    return rc;
}
