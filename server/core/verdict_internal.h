/* verdict_internal.h - one decision being made; between verdict.c, which walks
 * the policies, and verdict_reason.c, which asks and writes down the reasons. */
#ifndef KEEP_CORE_VERDICT_INTERNAL_H
#define KEEP_CORE_VERDICT_INTERNAL_H

#include "core/policy_internal.h"
#include "core/workload.h"

enum { MISSING_MAX = 16, REASONS_MAX = 2000, ANNOTATIONS_KEPT = 200 };

struct reason_list {
    struct reason *items;
    size_t n, cap;
    size_t n_of[DECISION_N];                   /* by effect */
};

struct judging {
    const struct policy_set *set;
    const struct policy_input *in;
    struct arena *arena;
    /* made once */
    struct policy_request target;
    const struct json *request;                /* for the foreign kinds; NULL: not deploy */
    bool bears_pod;
    struct workload workload;
    struct cel_value pod, containers, event;
    struct facts_view *views;                  /* of the images judged: one at build, all at deploy */
    struct facts_images all;
    /* in turn */
    const struct policy *policy;
    const struct rule_set *rules;
    int mode;                                  /* enum policy_mode, of the policy here */
    size_t at;                                 /* the image */
    struct cel_value *values;                  /* of rules->n_vars variables */
    enum policy_result result;                 /* of the policy so far */
    /* the outcome */
    struct reason_list reasons, audited;
    struct verdict_annotation *annotations; size_t n_annotations;
    const char *missing[MISSING_MAX]; size_t n_missing;
    int64_t excepted;
    uint32_t path_visits;                      /* spent on finding where items stand */
    bool failed;                               /* the arena is full */
    struct policy_explained *explained; size_t n_explained;      /* NULL: nobody asked why */
    bool explained_truncated;
};

struct cel_value judge_ask(struct judging *j, const struct cel_program *program);
const char *judge_render(struct judging *j, const struct cel_program *program, const struct cel_value *v);
void judge_missing(struct judging *j, const char *name);
/* The worst result of its rules is the policy's. */
void judge_result(struct judging *j, enum policy_result result);

/* The answer to `program` was not true: a reason, and (when asked) an explanation.
 * item NULL: not about one. */
void judge_broken(struct judging *j, const struct validation *v, const struct cel_value *item);
void judge_unknown(struct judging *j, const struct validation *v, const struct cel_program *program, const struct cel_value *value);
void judge_error(struct judging *j, const struct validation *v, const struct cel_program *program, const struct cel_value *value);

#endif
