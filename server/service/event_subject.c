/* event_subject.c - see event_subject.h.  A hash over what an event says of its
 * container; a batch holds at most BATCH_EVENTS_MAX different ones. */
#include "service/event_subject.h"

#include "base/str.h"
#include "store/event.h"
#include "store/image.h"
#include "wire/imageref.h"
#include "wire/msg/alert.h"

enum { SLOTS = 2048, SAID_N = 5 };
_Static_assert((int)SLOTS > (int)BATCH_EVENTS_MAX, "there is always a free slot");

struct slot {
    const char *said[SAID_N];            /* container id, digest, reference, namespace, pod */
    struct event_subject *subject;       /* NULL: free */
};

struct event_subjects {
    struct db *db;
    int64_t node, now_ms;
    const char *cluster;
    struct freshness_limits limits;
    struct arena *arena;
    struct slot slots[SLOTS];
};

struct event_subjects *event_subjects_new(struct db *db, int64_t node, const char *cluster, const struct freshness_limits *limits,
                                          int64_t now_ms, struct arena *arena)
{
    struct event_subjects *s = arena_alloc(arena, sizeof *s);

    if (s == NULL)
        return NULL;
    s->db = db;
    s->node = node;
    s->cluster = cluster;
    s->now_ms = now_ms;
    s->limits = *limits;
    s->arena = arena;
    return s;
}

/* ---- asking the store ------------------------------------------------------------------- */

static void take_container(struct event_subject *out, const struct event_container_row *row, int by)
{
    if (row->image_id != 0 || row->digest != NULL) {
        out->image_id = row->image_id;
        out->by = by;
        out->digest = row->digest;
        out->repository = row->repository;
    }
    if (out->image == NULL && row->image_ref[0] != '\0')
        out->image = row->image_ref;
    const struct { const char **to; const char *from; } texts[] = {
        { &out->namespace, row->namespace }, { &out->workload, row->workload[0] != '\0' ? row->workload : row->service },
        { &out->pod, row->pod }, { &out->container, row->name },
    };
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        if (*texts[i].to == NULL && texts[i].from[0] != '\0')
            *texts[i].to = texts[i].from;
    }
}

static int by_digest(struct event_subjects *s, const char *digest, int by, struct event_subject *out, struct err *err)
{
    struct image image;

    if (!digest_is_valid(digest))
        return 0;
    out->digest = digest;
    out->by = by;
    int rc = image_find(s->db, digest, &s->limits, s->now_ms, s->arena, &image, err);
    if (rc == 1) {
        out->image_id = image.id;
        out->digest = image.digest;
        out->repository = image.repository;
    }
    return rc < 0 ? -1 : 0;
}

/* *found: the node has reported this very container. */
static int by_container(struct event_subjects *s, const struct event *e, struct event_subject *out, bool *found, struct err *err)
{
    struct event_container_row row;

    if (e->container.id == NULL || s->node == 0)
        return 0;
    int rc = event_container(s->db, s->node, e->container.id, s->arena, &row, err);
    *found = rc == 1;
    if (rc != 1)
        return rc;
    take_container(out, &row, IMAGE_BY_CONTAINER);
    return out->image_id == 0 && out->digest != NULL ? by_digest(s, out->digest, IMAGE_BY_CONTAINER, out, err) : 0;
}

static int by_tag(struct event_subjects *s, const struct imageref *ref, struct event_subject *out, struct err *err)
{
    struct image image;
    int64_t id = 0;
    int rc = ref->tag == NULL ? 0 : image_find_by_tag(s->db, out->repository, ref->tag, &id, err);

    if (rc == 1)
        rc = image_get(s->db, id, &s->limits, s->now_ms, s->arena, &image, err);
    else
        return rc < 0 ? -1 : 0;
    if (rc < 0)
        return -1;
    out->image_id = id;
    out->digest = image.digest;
    out->by = IMAGE_BY_REFERENCE;
    return 0;
}

/* The name that the source or the engine has for it; names the repository in any case. */
static int by_reference(struct event_subjects *s, struct event_subject *out, struct err *err)
{
    struct err ignored = { 0 };
    struct imageref ref;

    if (out->image == NULL || imageref_parse(s->arena, out->image, &ref, &ignored) != 0)
        return 0;
    if (out->repository == NULL && !ref.is_id && (out->repository = imageref_name(s->arena, &ref)) == NULL)
        return err_nomem(err);
    if (out->by != IMAGE_BY_NOTHING)
        return 0;
    if (ref.digest != NULL)
        return by_digest(s, ref.digest, IMAGE_BY_REFERENCE, out, err);
    return ref.is_id ? 0 : by_tag(s, &ref, out, err);
}

static int by_pod(struct event_subjects *s, const struct event *e, struct event_subject *out, struct err *err)
{
    struct event_container_row row;

    if (s->cluster == NULL || e->place.namespace == NULL || e->place.pod == NULL)
        return 0;
    int rc = event_container_of_pod(s->db, s->cluster, e->place.namespace, e->place.pod,
                                    e->container.name != NULL ? e->container.name : "", s->arena, &row, err);
    if (rc == 1)
        take_container(out, &row, IMAGE_BY_POD);
    return rc < 0 ? -1 : 0;
}

static int look_up(struct event_subjects *s, const struct event *e, struct event_subject *out, struct err *err)
{
    *out = (struct event_subject){
        .image = e->container.image, .namespace = e->place.namespace, .pod = e->place.pod, .container = e->container.name,
        .workload = e->place.workload != NULL ? e->place.workload : e->place.service,
    };
    bool found = false;

    if (by_container(s, e, out, &found, err) != 0)
        return -1;
    if (out->by == IMAGE_BY_NOTHING && e->container.digest != NULL && by_digest(s, e->container.digest, IMAGE_BY_DIGEST, out, err) != 0)
        return -1;
    if (by_reference(s, out, err) != 0)
        return -1;
    return out->by == IMAGE_BY_NOTHING && !found ? by_pod(s, e, out, err) : 0;
}

/* ---- asking once --------------------------------------------------------------------------- */

static uint64_t hash_of(const char *const said[SAID_N])
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < SAID_N; i++) {
        for (const char *p = said[i] != NULL ? said[i] : ""; *p != '\0'; p++)
            h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
        h = (h ^ 0xff) * UINT64_C(1099511628211);
    }
    return h ^ h >> 32;
}

static bool same(const struct slot *slot, const char *const said[SAID_N])
{
    for (size_t i = 0; i < SAID_N; i++) {
        if (slot->said[i] != said[i] && !str_eq(slot->said[i], said[i]))
            return false;
    }
    return true;
}

int event_subject_of(struct event_subjects *s, const struct event *e, struct event_subject **out, struct err *err)
{
    const char *const said[SAID_N] = { e->container.id, e->container.digest, e->container.image, e->place.namespace, e->place.pod };
    size_t at = (size_t)(hash_of(said) % SLOTS);

    while (s->slots[at].subject != NULL && !same(&s->slots[at], said))
        at = (at + 1) % SLOTS;
    struct slot *slot = &s->slots[at];
    if (slot->subject == NULL) {
        struct event_subject *subject = arena_alloc(s->arena, sizeof *subject);
        if (subject == NULL)
            return err_nomem(err);
        if (look_up(s, e, subject, err) != 0)
            return -1;
        for (size_t i = 0; i < SAID_N; i++)
            slot->said[i] = said[i];
        slot->subject = subject;
    }
    *out = slot->subject;
    return 0;
}
