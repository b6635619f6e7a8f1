/* admission_pure.h - a review judged without a server: policies compiled from
 * texts, images nobody knows (or those a test names). */
#ifndef KEEP_TESTS_ADMISSION_PURE_H
#define KEEP_TESTS_ADMISSION_PURE_H

#include "core/admission.h"
#include "service/shipped.h"
#include "tests/support/admission_rules.h"
#include "wire/msg/admission.h"

#include <stdio.h>
#include <stdlib.h>

static const struct json_opts pure_opts = { .max_depth = 200, .nul_as_replacement = true, .skip_bom = true, .big_numbers = true };

struct pure {
    struct arena policies, arena;        /* the second is the review's */
    const struct policy *items[1100]; struct policy_set set;
    struct admission_scope scope;
    bool may_break_glass, refuse_controllers;
    int64_t now_ms;
    struct image_facts *facts;           /* of every image; NULL: nobody knows it */
    /* of the last review */
    struct json doc;
    struct admission_review review;
    struct admission_answer answer;
    struct buf text;
    struct json said;
    struct err err;
};

static inline void pure_init(struct pure *p)
{
    *p = (struct pure){ .now_ms = INT64_C(1796000000000) };
    arena_init(&p->policies, 256 << 20);
    arena_init(&p->arena, 512 << 20);
    buf_init(&p->text, 8 << 20);
    p->set = (struct policy_set){ .items = p->items, .version = 7, .limits = { INT64_C(604800000), INT64_C(259200000) } };
}

static inline void pure_clear(struct pure *p)
{
    arena_clear(&p->policies);
    arena_clear(&p->arena);
    buf_free(&p->text);
}

static inline void pure_policy(struct pure *p, const char *yaml)
{
    struct policy *policy;
    struct err err = { 0 };

    if (policy_compile(yaml, strlen(yaml), &p->policies, NULL, &policy, &err) != 0) {
        fprintf(stderr, "policy: %s\n", err.msg);
        abort();
    }
    p->items[p->set.n++] = policy;
}

static inline void pure_shipped(struct pure *p)
{
    for (size_t i = 0; i < n_shipped_policies; i++)
        pure_policy(p, shipped_policies[i].document);
}

static inline int pure_decide(struct pure *p, struct admission_case *d)
{
    struct admission_image *images;
    struct verdict v;

    if (p->review.skip != ADMISSION_JUDGED)
        return 0;
    if (admission_images(&p->review, &p->arena, &images, &d->n_images, &p->err) != 0)
        return -1;
    struct policy_image *list = arena_array(&p->arena, d->n_images, sizeof *list);
    if (list == NULL)
        return err_nomem(&p->err);
    for (size_t i = 0; i < d->n_images; i++) {
        list[i] = (struct policy_image){ images[i].container, images[i].reference, p->facts };
        images[i].is_known = p->facts != NULL;
        images[i].digest = p->facts != NULL ? p->facts->image.digest : NULL;
        images[i].by_tag = p->facts != NULL;
    }
    struct policy_input in = {
        .stage = STAGE_DEPLOY, .images = list, .n_images = d->n_images, .object = p->review.object, .old_object = p->review.old_object,
        .request = p->review.request, .namespace = p->review.namespace, .labels = p->review.workload.labels, .now_ms = p->now_ms,
    };
    if (verdict_decide(&p->set, &in, &p->arena, &v, &p->err) != 0)
        return -1;
    d->images = images;
    d->reasons = v.reasons;
    d->n_reasons = v.n_reasons;
    d->audited = v.audited;
    d->n_audited = v.n_audited;
    d->annotations = v.annotations;
    d->n_annotations = v.n_annotations;
    d->decision = v.decision;
    return 0;
}

/* 0: answered (p->text, p->said); 1: refused as no review (p->err); -1: failed. */
static inline int pure_review(struct pure *p, const void *text, size_t len, bool is_image_review)
{
    struct admission_case d = { .review = &p->review, .decision = DECISION_PASS, .policy_version = p->set.version,
                                .may_break_glass = p->may_break_glass, .refuse_controllers = p->refuse_controllers };

    arena_reset(&p->arena);
    buf_clear(&p->text);
    p->err = (struct err){ 0 };
    if (json_parse(&p->arena, text, len, &pure_opts, &p->doc, &p->err) != 0 ||
        (is_image_review ? image_review_read : admission_read)(&p->doc, &p->scope, &p->arena, NULL, &p->review, &p->err) != 0)
        return p->err.kind == ERR_INVALID || p->err.kind == ERR_TOO_LARGE ? 1 : -1;
    if (pure_decide(p, &d) != 0 || admission_decide(&d, &p->arena, &p->answer, &p->err) != 0)
        return -1;
    admission_write(&p->review, &p->answer, &p->text);
    if (p->text.failed)
        return err_nomem(&p->err);
    return json_parse(&p->arena, p->text.ptr, p->text.len, NULL, &p->said, &p->err);
}

#endif
