/* impact.c - see impact.h. */
#include "wire/msg/impact.h"

#include "wire/msg/fields.h"
#include "wire/msg/image.h"
#include "wire/msg/words.h"

static const struct field counts_fields[] = {
    INT_F("examined", struct impact_counts, examined, "How many were tried."),
    INT_F("unchanged", struct impact_counts, unchanged, "The same answer for the same reasons."),
    INT_F("reasons_changed", struct impact_counts, reasons_changed, "The same decision for other reasons."),
    INT_F("newly_failing", struct impact_counts, newly_failing, "Would be refused, and were not."),
    INT_F("newly_passing", struct impact_counts, newly_passing, "Would no longer be refused."),
    INT_F("newly_warned", struct impact_counts, newly_warned, "Pass with a warning now."),
    INT_F("no_longer_warned", struct impact_counts, no_longer_warned, "Pass without one now."),
    INT_F("unreadable", struct impact_counts, unreadable, "Recorded, but not to be replayed."),
};
static SHAPE(counts_shape, "impact_counts", struct impact_counts, counts_fields);
static const struct field group_fields[] = {
    TEXT_F("team", struct impact_group, team, "Of images."), TEXT_F("repository", struct impact_group, repository, "Of images."),
    TEXT_F("cluster", struct impact_group, cluster, "Of admissions."), TEXT_F("namespace", struct impact_group, namespace, "Of admissions."),
    INT_F("newly_failing", struct impact_group, newly_failing, "Would be refused, and were not."),
    INT_F("newly_passing", struct impact_group, newly_passing, "Would no longer be refused."),
};
static SHAPE(group_shape, "impact_group", struct impact_group, group_fields);
static const struct field example_fields[] = {
    TEXT_R("name", struct impact_example, name, "Reference of an image, or what was admitted."),
    DIGEST_F("digest", struct impact_example, digest, "Of an image."), TEXT_F("team", struct impact_example, team, "Of an image."),
    TIME_F("at", struct impact_example, at_ms, "Of an admission."),
    WORD_F("before", struct impact_example, before, decision_words, "With the policies in force."),
    WORD_F("after", struct impact_example, after, decision_words, "With the changed policy."),
    LIST_F("reasons", struct impact_example, reasons, n_reasons, reason_shape, "The changed policy's first reasons."),
};
static SHAPE(example_shape, "impact_example", struct impact_example, example_fields);
static const struct field impact_fields[] = {
    TEXT_R("policy", struct impact, policy, "Name."), BOOL_F("is_new", struct impact, is_new, "No policy in force has this name."),
    INLINE_F("images", struct impact, images, counts_shape, "Known images, at stage build."),
    INLINE_F("admissions", struct impact, admissions, counts_shape, "Recorded reviews, at stage deploy."),
    LIST_F("groups", struct impact, groups, n_groups, group_shape, "Who is concerned, most failures first."),
    INT_F("groups_left_out", struct impact, groups_left_out, "Changes in groups beyond those listed."),
    LIST_F("examples", struct impact, examples, n_examples, example_shape, "The first that would change their decision."),
    BOOL_F("is_complete", struct impact, is_complete, "Everything was tried."),
    INT_F("elapsed_ms", struct impact, elapsed_ms, "Time it took, milliseconds."),
};
SHAPE(impact_shape, "policy_impact", struct impact, impact_fields);
