/* admission.c - see admission.h. */
#include "wire/msg/admission.h"

#include "wire/msg/fields.h"
#include "wire/msg/page.h"

const char *const admission_outcome_filter[] = { "", "denied", "warned", "allowed", "break_glass", "untouched", NULL };
const char *const admission_outcome_words[] = { "denied", "warned", "allowed", "break_glass", "untouched", NULL };

static const struct field query_fields[] = {
    PAGE_OF(struct admission_query),
    TEXT_F("cluster", struct admission_query, cluster, "Only this cluster."),
    TEXT_F("namespace", struct admission_query, namespace, "Only this namespace."),
    TEXT_F("kind", struct admission_query, kind, "Only this kind of object."),
    TEXT_F("name", struct admission_query, name, "Only objects of this name."),
    WORD_F("outcome", struct admission_query, outcome, admission_outcome_filter, "denied, warned, allowed, break_glass."),
};
SHAPE(admission_query_shape, "admission_query", struct admission_query, query_fields);

#define RAW_F(k, T, member, text) { .key = k, .type = FIELD_RAW, .flags = FIELD_OUT_ONLY, .off = offsetof(T, member), .doc = text }

static const struct field item_fields[] = {
    INT_F("id", struct admission, id, "In the order of recording."),
    TIME_F("at", struct admission, at_ms, "When it was asked."),
    TEXT_F("cluster", struct admission, cluster, "Which cluster asked; empty when not named."),
    TEXT_F("namespace", struct admission, namespace, "Of the object."),
    TEXT_F("kind", struct admission, kind, "Pod, Deployment ..."),
    TEXT_F("name", struct admission, name, "Of the object, or what its name will begin with."),
    TEXT_F("operation", struct admission, operation, "CREATE or UPDATE."),
    TEXT_F("user", struct admission, username, "Who asked the API server."),
    TEXT_F("uid", struct admission, uid, "Of the review."),
    WORD_F("outcome", struct admission, outcome, admission_outcome_words, "What came of it."),
    BOOL_F("allowed", struct admission, allowed, "Whether it was let in."),
    TEXT_F("break_glass", struct admission, break_glass, "The reason somebody gave to let it in all the same."),
    RAW_F("reasons", struct admission, reasons, "Every reason."),
    RAW_F("images", struct admission, images, "Its images, as they were resolved."),
    INT_F("policy_version", struct admission, policy_version, "Of the set of policies that decided."),
    BOOL_F("replayable", struct admission, has_review, "The review is kept: changed policies can be tried on it."),
};
static SHAPE(item_shape, "admission", struct admission, item_fields);
static const struct field list_fields[] = { PAGE_FIELDS(item_shape) };
SHAPE(admission_list_shape, "admission_list", struct page, list_fields);

static const struct field review_query_fields[] = {
    { .key = "cluster", .type = FIELD_TEXT, .off = offsetof(struct review_query, cluster), .max = 256, .doc = "Name of the cluster that asks." },
};
const struct shape review_query_shape = { .name = "review_query", .size = sizeof(struct review_query), .fields = review_query_fields,
                                          .n_fields = N_OF(review_query_fields), .open = true };

static const struct field image_fields[] = {
    TEXT_F("container", struct admission_image_answer, container, "Containers that run it."),
    TEXT_F("reference", struct admission_image_answer, reference, "As written."),
    TEXT_F("digest", struct admission_image_answer, digest, "What it was resolved to."),
    BOOL_F("by_tag", struct admission_image_answer, by_tag, "Resolved as last seen with its tag, which may have moved."),
    BOOL_F("known", struct admission_image_answer, is_known, "Keep has heard of it."),
};
SHAPE(admission_image_shape, "admission_image", struct admission_image_answer, image_fields);
