/* review_judge.c - see review_judge.h. */
#include "service/review_judge.h"

#include "base/time.h"
#include "service/judge_image.h"
#include "service/policies.h"
#include "store/exception.h"
#include "store/image.h"
#include "wire/imageref.h"

#include <string.h>

struct judging {
    struct call *c;
    const struct freshness_limits *limits;
    const struct admission_review *review;
    struct admission_case *out;
    struct admission_image *images;          /* out->images, still to be resolved */
    struct policy_input in;
    bool has_exceptions, with_aliases;
    int64_t deadline_ms;
};

/* ---- exceptions: only when something depends on them ------------------------------- */

static int load_exceptions(struct judging *j, struct err *err)
{
    struct exception *list;

    if (j->has_exceptions)
        return 0;
    if (exception_list_active(j->c->db, j->c->now_ms, j->c->arena, &list, &j->in.n_exceptions, err) != 0)
        return -1;
    j->in.exceptions = list;
    j->has_exceptions = true;
    for (size_t i = 0; i < j->in.n_exceptions; i++)
        j->with_aliases |= list[i].vulnerability != NULL && !str_starts(list[i].vulnerability, "CVE-");
    return 0;
}

/* ---- images: by digest, else as last seen with the tag ------------------------------- */

static int find_image(struct judging *j, const struct imageref *ref, struct admission_image *image, int64_t *id, struct err *err)
{
    struct call *c = j->c;
    struct image found;

    if (ref->digest != NULL) {
        image->digest = ref->digest;
        int rc = image_find(c->db, ref->digest, j->limits, c->now_ms, c->arena, &found, err);
        *id = rc == 1 ? found.id : 0;
        return rc;
    }
    const char *name = imageref_name(c->arena, ref);
    if (name == NULL)
        return err_nomem(err);
    image->by_tag = true;
    return ref->tag != NULL ? image_find_by_tag(c->db, name, ref->tag, id, err) : 0;
}

/* *facts stays NULL for an image Keep does not know. */
static int resolve(struct judging *j, struct admission_image *image, struct image_facts **facts, struct err *err)
{
    struct call *c = j->c;
    struct imageref ref;
    struct err ignored = { 0 };
    int64_t id;

    if (imageref_parse(c->arena, image->reference, &ref, &ignored) != 0)
        return ignored.kind == ERR_UNAVAILABLE ? err_nomem(err) : 0;
    int rc = find_image(j, &ref, image, &id, err);
    if (rc != 1)
        return rc;
    struct image_facts *f = arena_alloc(c->arena, sizeof *f);
    if (f == NULL)
        return err_nomem(err);
    if (facts_load(c->db, id, j->limits, c->now_ms, j->with_aliases, c->arena, f, err) != 0)
        return -1;
    image->is_known = true;
    if (image->digest == NULL)
        image->digest = f->image.digest;
    *facts = f;
    return 0;
}

static int load_images(struct judging *j, struct err *err)
{
    size_t n = j->out->n_images;
    struct policy_image *list = arena_array(j->c->arena, n, sizeof *list);

    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct admission_image *m = &j->images[i];
        list[i] = (struct policy_image){ .container = m->container, .reference = m->reference };
        if (time_monotonic_ms() < j->deadline_ms && resolve(j, m, &list[i].facts, err) != 0)
            return -1;
    }
    j->in.images = list;
    j->in.n_images = n;
    return 0;
}

/* ---- deciding ------------------------------------------------------------------------------ */

static int worse(int a, int b)
{
    static const int weight[DECISION_N] = { [DECISION_FAIL] = 0, [DECISION_UNKNOWN] = 1, [DECISION_WARN] = 2, [DECISION_PASS] = 3 };

    return weight[a] <= weight[b] ? a : b;
}

static int add(struct judging *j, const struct verdict *v, struct err *err)
{
    struct admission_case *out = j->out;

    if (reasons_merge(out->reasons, out->n_reasons, v->reasons, v->n_reasons, j->c->arena, &out->reasons, err) != 0)
        return -1;
    out->n_reasons += v->n_reasons;
    out->decision = worse(out->decision, v->decision);
    return 0;
}

/* Without images an exception can only take a reason away: they are looked up when there is one. */
static int judge_spec(struct judging *j, const struct policy_set *set, struct err *err)
{
    struct verdict v;

    if (set->n == 0)
        return 0;
    if (verdict_decide(set, &j->in, j->c->arena, &v, err) != 0)
        return -1;
    if (v.n_reasons == 0)
        return 0;
    bool known = j->has_exceptions;
    if (load_exceptions(j, err) != 0)
        return -1;
    if (!known && j->in.n_exceptions > 0 && verdict_decide(set, &j->in, j->c->arena, &v, err) != 0)
        return -1;
    return add(j, &v, err);
}

static int judge_images(struct judging *j, const struct policy_set *set, struct err *err)
{
    struct verdict v;

    if (set->n == 0)
        return 0;
    if (load_exceptions(j, err) != 0 || load_images(j, err) != 0 || verdict_decide(set, &j->in, j->c->arena, &v, err) != 0)
        return -1;
    return add(j, &v, err);
}

int review_judge_by(struct call *c, const struct policies_split *split, const struct review_judgement *how,
                    const struct admission_review *r, struct admission_case *out, struct err *err)
{
    struct judging j = { .c = c, .limits = how->limits, .review = r, .out = out, .has_exceptions = how->has_exceptions,
                         .with_aliases = how->with_aliases, .deadline_ms = how->deadline_ms };

    *out = (struct admission_case){ .review = r, .decision = DECISION_PASS, .policy_version = how->version };
    j.in = (struct policy_input){
        .stage = STAGE_DEPLOY, .object = r->object, .old_object = r->old_object, .request = r->request, .cluster = how->cluster,
        .namespace = *r->namespace != '\0' ? r->namespace : r->workload.namespace, .labels = r->workload.labels, .now_ms = c->now_ms,
        .exceptions = how->exceptions, .n_exceptions = how->n_exceptions,
    };
    if (admission_images(r, c->arena, &j.images, &out->n_images, err) != 0)
        return -1;
    out->images = j.images;
    if (r->image_spec != NULL)
        return judge_images(&j, &split->images_only, err);
    return judge_spec(&j, &split->spec, err) != 0 ? -1 : judge_images(&j, &split->images, err);
}

int review_judge(struct call *c, const struct policy_set *held, const struct admission_review *r, const char *cluster,
                 int64_t deadline_ms, struct admission_case *out, struct err *err)
{
    const struct review_judgement how = { .limits = &held->limits, .version = held->version, .cluster = cluster, .deadline_ms = deadline_ms };

    return review_judge_by(c, policies_split(held), &how, r, out, err);
}
