/* impact_review.c - recorded admission reviews, asked again.
 *
 * Each is read as it was read then and answered twice, from one look-up of its
 * images; what counts is the answer the API server would get, so a controller
 * that is only warned about stays allowed. */
#include "base/time.h"
#include "core/admission.h"
#include "service/admissions.h"
#include "service/impact.h"
#include "service/policies.h"
#include "service/review_judge.h"
#include "store/admission.h"

#include <string.h>

enum { BATCH = 100, JSON_DEPTH = 200, BATCH_ARENA = 512 << 20 };

struct replay {
    struct impact_run *run;
    struct policies_split others, before, after;
    struct call call;                         /* the request's, with the scratch arena */
};

static int decision_of(const struct admission_answer *a)
{
    switch (a->outcome) {
    case ADMISSION_DENIED:       return DECISION_FAIL;
    case ADMISSION_WARNED:       return DECISION_WARN;
    case ADMISSION_ALLOWED:
    case ADMISSION_GLASS_BROKEN:
    case ADMISSION_UNTOUCHED:
    case ADMISSION_OUTCOME_N:    break;
    }
    return DECISION_PASS;
}

/* The others' reasons and those of one form of the policy make one answer. */
static int answer(struct replay *p, const struct admission_case *others, const struct admission_case *one, int *decision, struct err *err)
{
    const struct settings *settings = &p->call.app->settings;
    struct admission_case both = *others;
    struct admission_answer a;

    if (reasons_merge(others->reasons, others->n_reasons, one->reasons, one->n_reasons, p->call.arena, &both.reasons, err) != 0)
        return -1;
    both.n_reasons = others->n_reasons + one->n_reasons;
    both.decision = impact_worse(others->decision, one->decision);
    both.refuse_controllers = settings->admission_refuse_controllers;
    if (admission_decide(&both, p->call.arena, &a, err) != 0)
        return -1;
    *decision = decision_of(&a);
    return 0;
}

static int judge(struct replay *p, const struct admission_review *r, const struct admission *row, struct err *err)
{
    struct impact_run *run = p->run;
    const char *cluster = *row->cluster != '\0' ? row->cluster : NULL;
    struct admission_case others = { .review = r, .decision = DECISION_PASS }, before, after;
    const struct review_judgement how = { .limits = &run->after.limits, .version = run->after.version, .exceptions = run->exceptions,
                                          .n_exceptions = run->n_exceptions, .has_exceptions = true, .with_aliases = run->with_aliases,
                                          .cluster = cluster, .deadline_ms = run->deadline_ms };
    int was = DECISION_PASS, is = DECISION_PASS;

    if (review_judge_by(&p->call, &p->before, &how, r, &before, err) != 0 || review_judge_by(&p->call, &p->after, &how, r, &after, err) != 0)
        return -1;
    bool same = impact_same_reasons(before.reasons, before.n_reasons, after.reasons, after.n_reasons);
    if (!same && (review_judge_by(&p->call, &p->others, &how, r, &others, err) != 0 || answer(p, &others, &before, &was, err) != 0 ||
                  answer(p, &others, &after, &is, err) != 0))
        return -1;
    const char *name = arena_printf(p->call.arena, "%s %s/%s", r->object_kind, r->namespace, r->name);
    if (name == NULL)
        return err_nomem(err);
    const struct impact_item item = { .name = name, .cluster = row->cluster, .namespace = r->namespace, .at_ms = row->at_ms, .before = was,
                                      .after = is, .reasons = after.reasons, .n_reasons = after.n_reasons, .same_reasons = same };
    impact_add(run, &run->out->admissions, &item);
    return 0;
}

static int replay(struct replay *p, const struct admission *row, struct err *err)
{
    const struct json_opts opts = { .max_depth = JSON_DEPTH, .nul_as_replacement = true, .skip_bom = true, .big_numbers = true };
    struct admission_review r;
    struct err ignored = { 0 };
    struct json doc;

    arena_reset(p->call.arena);
    bool readable = row->review.ptr != NULL && json_parse(p->call.arena, row->review.ptr, row->review.len, &opts, &doc, &ignored) == 0;
    if (readable) {
        bool is_image = str_eq(json_get_str(&doc, "kind", ""), "ImageReview");
        readable = (is_image ? image_review_read : admission_read)(&doc, admissions_scope(p->call.app), p->call.arena, NULL, &r, &ignored) == 0;
    }
    if (!readable) {
        p->run->out->admissions.unreadable++;
        return ignored.kind == ERR_UNAVAILABLE ? err_nomem(err) : 0;
    }
    return r.skip == ADMISSION_JUDGED ? judge(p, &r, row, err) : 0;
}

static int each_batch(struct replay *p, struct arena *batch, struct err *err)
{
    struct admission *rows;
    int64_t after = 0;
    size_t n;

    do {
        arena_reset(batch);
        if (admission_list_reviews(p->run->call->db, after, BATCH, batch, &rows, &n, err) != 0)
            return -1;
        for (size_t i = 0; i < n && !impact_time_is_up(p->run); i++) {
            if (replay(p, &rows[i], err) != 0)
                return -1;
        }
        after = n > 0 ? rows[n - 1].id : after;
    } while (n == BATCH && !impact_time_is_up(p->run));
    return 0;
}

int impact_reviews(struct impact_run *run, struct err *err)
{
    struct arena batch, *arena = run->call->arena;
    struct replay p = { .run = run, .call = *run->call };

    p.call.arena = &run->scratch;
    if (policies_divide(&run->others, arena, &p.others, err) != 0 || policies_divide(&run->before, arena, &p.before, err) != 0 ||
        policies_divide(&run->after, arena, &p.after, err) != 0)
        return -1;
    arena_init(&batch, BATCH_ARENA);
    int rc = each_batch(&p, &batch, err);
    arena_clear(&batch);
    return rc;
}
