/* review_judge.c - see review_judge.h. */
#include "service/review_judge.h"

#include "base/time.h"
#include "service/admissions.h"
#include "service/facts_cache.h"
#include "service/policies.h"
#include "wire/imageref.h"
#include "store/text_list.h"
#include "store/scan.h"

struct judging {
    struct call *c;
    struct facts_source source;
    struct admission_case *out;
    struct admission_image *images;          /* out->images, still to be resolved */
    struct policy_input in;
    bool has_exceptions, with_aliases;
    int64_t deadline_ms;
};

static int load_exceptions(struct judging *j, struct err *err)
{
    if (j->has_exceptions)
        return 0;
    if (facts_exceptions(&j->source, &j->in.exceptions, &j->in.n_exceptions, err) != 0)
        return -1;
    j->has_exceptions = true;
    for (size_t i = 0; i < j->in.n_exceptions; i++) {
        const char *name = j->in.exceptions[i].vulnerability;
        j->with_aliases |= name != NULL && !str_starts(name, "CVE-");
    }
    return 0;
}

static bool speaks_for(const char *patterns, const char *repository, struct arena *arena)
{
    const char *const *list;
    size_t n;

    if (!text_list_decode(patterns, arena, &list, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (imageref_name_match(list[i], repository))
            return true;
    }
    return n == 0;
}

/* The same digest asked for under another repository's name: the signature counts only
 * when its signer may speak of that repository, too.  Else whoever may sign for one
 * repository could vouch for an image that runs under the name of another. */
static int check_place(struct judging *j, const struct admission_image *m, struct image_facts *facts, struct err *err)
{
    struct call *c = j->c;
    struct imageref ref;
    struct err ignored = { 0 };
    const char **scopes;
    size_t n;

    if (facts == NULL || !facts->image.is_signed || imageref_parse(c->arena, m->reference, &ref, &ignored) != 0 || ref.is_id)
        return 0;
    const char *name = imageref_name(c->arena, &ref);
    if (name == NULL)
        return err_nomem(err);
    if (str_eq(name, facts->image.repository))
        return 0;
    if (scan_signer_scopes(c->db, facts->image.id, c->arena, &scopes, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        facts->image.is_signed &= speaks_for(scopes[i], name, c->arena);
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
        if (time_monotonic_ms() < j->deadline_ms && (facts_image_of(&j->source, j->with_aliases, m, &list[i].facts, err) != 0 ||
                                                     check_place(j, m, list[i].facts, err) != 0))
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

static int add_annotations(struct judging *j, const struct verdict *v, struct err *err)
{
    struct admission_case *out = j->out;
    struct verdict_annotation *all = arena_array(j->c->arena, out->n_annotations + v->n_annotations, sizeof *all);

    if (all == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < out->n_annotations; i++)
        all[i] = out->annotations[i];
    for (size_t i = 0; i < v->n_annotations; i++)
        all[out->n_annotations + i] = v->annotations[i];
    out->annotations = all;
    out->n_annotations += v->n_annotations;
    return 0;
}

static int add(struct judging *j, const struct verdict *v, struct err *err)
{
    struct admission_case *out = j->out;

    if (v->n_annotations > 0 && add_annotations(j, v, err) != 0)
        return -1;
    if (v->n_audited > 0 && reasons_merge(out->audited, out->n_audited, v->audited, v->n_audited, j->c->arena, &out->audited, err) != 0)
        return -1;
    out->n_audited += v->n_audited;
    if (v->n_reasons > 0 && reasons_merge(out->reasons, out->n_reasons, v->reasons, v->n_reasons, j->c->arena, &out->reasons, err) != 0)
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
    if (v.n_reasons == 0 && v.n_audited == 0)
        return add(j, &v, err);
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
    struct judging j = { .c = c, .out = out, .has_exceptions = how->has_exceptions, .with_aliases = how->with_aliases,
                         .deadline_ms = how->deadline_ms };

    *out = (struct admission_case){ .review = r, .decision = DECISION_PASS, .policy_version = how->version };
    j.in = (struct policy_input){
        .stage = STAGE_DEPLOY, .object = r->object, .old_object = r->old_object, .request = r->request, .cluster = how->cluster,
        .namespace = *r->namespace != '\0' ? r->namespace : r->workload.namespace, .labels = r->workload.labels, .now_ms = c->now_ms,
        .exceptions = how->exceptions, .n_exceptions = how->n_exceptions,
    };
    facts_cache_enter(admissions_facts(c->app), c->db, how->limits, c->now_ms, c->arena, &j.source);
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
