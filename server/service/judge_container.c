/* judge_container.c - the policies of stage run over what runs.
 *
 * A container is judged anew when it was reported, when its image was (new evidence,
 * a changed policy or exception, a clock that ran out), and after a while in any
 * case.  A few at a time, those of one image together: its facts are loaded once. */
#include "service/containers.h"

#include "base/buf.h"
#include "base/time.h"
#include "service/judge_image.h"
#include "service/policies.h"
#include "store/container.h"
#include "store/exception.h"
#include "wire/msg/container.h"

#include <string.h>

enum { AGAIN_MS = 6 * 3600 * 1000, UNKNOWN_AGAIN_MS = 60 * 1000, REASONS_BYTES = 16 << 10, BREAKS_MAX = 64 };

struct bench {                           /* what stays the same from one container to the next */
    struct app *app;
    struct db *db;
    const struct policy_set *set;
    struct exception *exceptions; size_t n_exceptions;
    int64_t now_ms;
    struct arena *arena;
    int64_t image_id;                    /* whose facts these are */
    struct image_facts facts;
    int64_t node_id;                     /* whose JSON this is */
    struct json node;
};

static int parse(struct arena *arena, const char *text, struct json *out, struct err *err)
{
    const struct json_opts opts = { .duplicate_keys = true };      /* labels are what somebody wrote */

    return json_parse(arena, text, strlen(text), &opts, out, err);
}

static int load_node(struct bench *b, int64_t node, struct err *err)
{
    const char *text;

    if (b->node_id == node)
        return 0;
    if (container_node_facts(b->db, node, b->arena, &text, err) != 0 || parse(b->arena, text, &b->node, err) != 0)
        return -1;
    b->node_id = node;
    return 0;
}

static int load_image(struct bench *b, int64_t image_id, struct err *err)
{
    if (image_id == 0 || b->image_id == image_id)
        return 0;
    if (facts_load(b->db, image_id, &b->set->limits, b->now_ms, true, b->arena, &b->facts, err) != 0)
        return -1;
    b->image_id = image_id;
    return 0;
}

static int load_container(struct bench *b, const char *document, struct container *container, struct json *out, struct err *err)
{
    struct json stored;
    struct buf text;

    shape_init(&container_shape, container);
    if (parse(b->arena, document, &stored, err) != 0 ||
        shape_decode(&container_shape, &stored, b->arena, container, NULL, err) != 0)
        return -1;
    buf_init(&text, 4 << 20);
    container_write_facts(container, &text);
    const char *copy = text.failed ? NULL : arena_strndup(b->arena, text.ptr, text.len);
    buf_free(&text);
    return copy == NULL ? err_nomem(err) : parse(b->arena, copy, out, err);
}

/* The image may have become known since: a scan, a tag. */
static int look_up_image(struct bench *b, struct container_due *due, const struct container *container, struct err *err)
{
    struct container_place place;
    int by;

    if (due->image_id != 0)
        return 0;
    if (container_image_of(b->app, b->db, container, b->now_ms, b->arena, &due->image_id, &by, err) != 0)
        return -1;
    if (due->image_id == 0)
        return 0;
    if (container_find_place(b->db, due->node, due->container_id, b->arena, &place, err) < 0 ||
        container_set_image(b->db, due, due->image_id, by, err) != 0)
        return -1;
    return container_recount(b->db, &place, err);
}

static int add_breaks(struct bench *b, const struct container_due *due, const struct reason *reasons, size_t n, struct err *err)
{
    for (size_t i = 0; i < n && i < BREAKS_MAX; i++) {
        bool again = i > 0 && str_eq(reasons[i].policy, reasons[i - 1].policy) && str_eq(reasons[i].rule, reasons[i - 1].rule);
        if (!again && container_add_break(b->db, due->node, due->container_id, reasons[i].policy, reasons[i].rule, err) != 0)
            return -1;
    }
    return 0;
}

static int store(struct bench *b, const struct container_due *due, const struct verdict *v, struct err *err)
{
    const char *reasons = reasons_json(v, REASONS_BYTES, b->arena);
    int64_t next = b->now_ms + (due->image_id == 0 ? UNKNOWN_AGAIN_MS : AGAIN_MS);

    if (reasons == NULL)
        return err_nomem(err);
    if (v->valid_until_ms != TIME_UNKNOWN && v->valid_until_ms < next)
        next = v->valid_until_ms;
    return container_clear_breaks(b->db, due->node, due->container_id, err) != 0 ||
           add_breaks(b, due, v->reasons, v->n_reasons, err) != 0 || add_breaks(b, due, v->audited, v->n_audited, err) != 0 ||
           container_set_verdict(b->db, due, v->decision, reasons, b->now_ms, next, err) != 0 ? -1 : 0;
}

static int judge(struct bench *b, struct container_due *due, struct err *err)
{
    struct container container;
    struct json facts;
    struct verdict verdict;

    if (load_node(b, due->node, err) != 0 || load_container(b, due->document, &container, &facts, err) != 0 ||
        look_up_image(b, due, &container, err) != 0 || load_image(b, due->image_id, err) != 0)
        return -1;
    const struct policy_image image = { container.name, container.image, due->image_id == 0 ? NULL : &b->facts };
    const struct policy_input in = {
        .stage = STAGE_RUN, .images = &image, .n_images = 1, .container = &facts, .node = &b->node, .cluster = due->cluster,
        .namespace = container.namespace, .labels = json_get(&facts, "labels"),
        .exceptions = b->exceptions, .n_exceptions = b->n_exceptions, .now_ms = b->now_ms,
    };
    return verdict_decide(b->set, &in, b->arena, &verdict, err) != 0 ? -1 : store(b, due, &verdict, err);
}

static int judge_all(struct bench *b, struct container_due *due, size_t n, struct err *err)
{
    if (exception_list_active(b->db, b->now_ms, b->arena, &b->exceptions, &b->n_exceptions, err) != 0)
        return -1;
    /* One that cannot be judged must not keep the others from it.  A database that
     * failed refuses the postponing, too. */
    for (size_t i = 0; i < n; i++) {
        struct err own = { 0 };
        if (judge(b, &due[i], &own) != 0 &&
            container_set_verdict(b->db, &due[i], DECISION_UNKNOWN, "[]", b->now_ms, b->now_ms + AGAIN_MS, err) != 0)
            return -1;
    }
    return 0;
}

int containers_judge_due(struct app *app, struct db *db, int64_t now_ms, size_t max, size_t *n, struct err *err)
{
    struct container_due *due;
    struct arena arena;

    arena_init(&arena, 256 << 20);
    struct bench b = { .app = app, .db = db, .now_ms = now_ms, .arena = &arena };
    int rc = container_list_due(db, now_ms, max, &arena, &due, n, err);
    if (rc == 0 && *n > 0 && (rc = policies_hold(app, db, &b.set, err)) == 0) {
        rc = judge_all(&b, due, *n, err);
        policies_release(app, b.set);
    }
    arena_clear(&arena);
    return rc;
}
