/* facts.h - image facts as values of the expression language. */
#ifndef KEEP_CORE_FACTS_H
#define KEEP_CORE_FACTS_H

#include "core/cel/cel.h"
#include "core/freshness.h"
#include "model/image.h"

/* Variables of a policy's environment, in this order. */
enum {
    VAR_IMAGE = 0, VAR_LIMITS, VAR_PARAMS, VAR_NOW, VAR_ITEM,
    VAR_OBJECT, VAR_OLD_OBJECT, VAR_REQUEST, VAR_NAMESPACE_OBJECT, VAR_IMAGES, VAR_POD, VAR_CONTAINERS,    /* deploy */
    VAR_EVENT, VAR_NODE, VAR_CONTAINER,                                           /* run */
    VAR_FIXED_N
};
extern const struct cel_var facts_vars[VAR_FIXED_N];

/* What lookups need; the activation's data. */
struct facts_view {
    const struct image_facts *facts;          /* NULL: every question about the image is unknown */
    const struct freshness_limits *limits;
    int64_t now_ms;
    const struct image_finding **open; size_t n_open;    /* findings that count */
    struct cel_object image_object, findings_object, issues_object, counts_object, limits_object, signers_object;
};

/* Prepares the view; `open` is an array of the arena.  -1: arena full. */
int facts_view_init(struct facts_view *v, const struct image_facts *facts, const struct freshness_limits *limits,
                    int64_t now_ms, struct arena *arena, struct err *err);

struct cel_value facts_image(const struct facts_view *v);

/* Several images as one list; `list` and what it names must outlive the value. */
struct facts_images { const struct facts_view *views; size_t n; struct cel_object object; };
struct cel_value facts_images(struct facts_images *list);
struct cel_value facts_limits(const struct facts_view *v);
struct cel_value facts_time(int64_t at_ms);

/* The finding or issue an item stands for; NULL when it is something else. */
const struct image_finding *facts_item_finding(const struct cel_value *item);
const struct image_issue *facts_item_issue(const struct cel_value *item);

#endif
