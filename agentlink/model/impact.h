/* impact.h - what a changed policy would change. */
#ifndef KEEP_MODEL_IMPACT_H
#define KEEP_MODEL_IMPACT_H

#include "model/verdict.h"

/* Images at build, or recorded admissions. */
struct impact_counts {
    int64_t examined;
    int64_t unchanged;
    int64_t reasons_changed;             /* the same decision for other reasons */
    int64_t newly_failing;               /* now neither passes nor warns, before it did */
    int64_t newly_passing;               /* the other way round */
    int64_t newly_warned, no_longer_warned;
    int64_t unreadable;                  /* recorded reviews that could not be replayed */
};

/* By team and repository of images, by cluster and namespace of admissions. */
struct impact_group {
    const char *team, *repository, *cluster, *namespace;     /* NULL: does not apply */
    int64_t newly_failing, newly_passing;
};

struct impact_example {
    const char *name;                    /* reference of an image; KIND NAMESPACE/NAME of what was admitted */
    const char *digest, *team;           /* of an image; NULL */
    int64_t at_ms;                       /* of an admission; TIME_UNKNOWN */
    int before, after;                   /* enum decision */
    const struct reason *reasons; size_t n_reasons;          /* the first new ones */
};

struct impact {
    const char *policy;
    bool is_new;
    struct impact_counts images, admissions;
    const struct impact_group *groups; size_t n_groups;      /* most failures first */
    int64_t groups_left_out;
    const struct impact_example *examples; size_t n_examples;
    bool is_complete;                    /* false: the time was up before all had been tried */
    int64_t elapsed_ms;
};

#endif
