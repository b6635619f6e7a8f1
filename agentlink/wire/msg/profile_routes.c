/* profile_routes.c - what the routes of profiles take and answer; see profile.h. */
#include "wire/msg/fields.h"
#include "wire/msg/page.h"
#include "wire/msg/profile.h"
#include "wire/profile_doc.h"

static const char *const mode_or_none_words[] = { "discover", "monitor", "protect", "none", NULL };
static const char *const cell_words[] = { "not covered", "no", "yes", NULL };
static const char *const approve_words[] = { "declared", "learned", "both", NULL };
/* Of a query the first is what counts when nothing is said. */
static const char *const from_words[] = { "enforced", "declared", "learned", NULL };

#define RAW_F(k, T, member, text) { .key = k, .type = FIELD_RAW, .flags = FIELD_OUT_ONLY, .off = offsetof(T, member), .doc = text }
#define WORD_R(k, T, member, list, text) { .key = k, .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(T, member), .words = list, .doc = text }
#define ITEM_F(T) \
    WORD_R("part", T, part, profile_part_words, "What kind of thing."), \
    { .key = "item", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(T, item), .max = 2048, .doc = "Path, protocol/port, peer, user or capability." }, \
    { .key = "parent", .type = FIELD_TEXT, .off = offsetof(T, parent), .max = 2048, .doc = "Of a program: who started it." }

static const struct field version_fields[] = {
    TEXT_R("profile_id", struct profile_version, profile_id, "By which routes know it."),
    WORD_R("source", struct profile_version, source, profile_source_words, "declared, learned or enforced."),
    INT_F("version", struct profile_version, version, "Counts from 1 for each source."),
    WORD_R("mode", struct profile_version, mode, profile_mode_words, "discover, monitor or protect."),
    TIME_F("created_at", struct profile_version, created_ms, "When it was written."),
    TEXT_F("created_by", struct profile_version, created_by, "By whom."),
    { .key = "reason", .type = FIELD_TEXT, .off = offsetof(struct profile_version, reason), .max = 2000, .doc = "Why." },
    TEXT_F("signer", struct profile_version, signer, "Whose key signed it; absent: nobody's."),
    TEXT_F("evidence", struct profile_version, evidence, "The signed upload."),
    RAW_F("profile", struct profile_version, document, "What it allows."),
};
SHAPE(profile_version_shape, "profile_version", struct profile_version, version_fields);
static const struct field version_list_fields[] = { PAGE_FIELDS(profile_version_shape) };
SHAPE(profile_version_list_shape, "profile_version_list", struct page, version_list_fields);

#define SUMMARY_FIELDS(T, at) \
    { .key = "id", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(T, at id), .doc = "Of repository and digest." }, \
    { .key = "repository", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(T, at repository), .doc = "Whose images." }, \
    { .key = "digest", .type = FIELD_DIGEST, .off = offsetof(T, at digest), .doc = "Absent: every image of the repository." }, \
    { .key = "mode", .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(T, at mode), .words = mode_or_none_words, .doc = "Of what is enforced; none: nothing is." }, \
    { .key = "declared_version", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(T, at declared), .doc = "Absent: none." }, \
    { .key = "learned_version", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(T, at learned), .doc = "Absent: none." }, \
    { .key = "enforced_version", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(T, at enforced), .doc = "Absent: none." }, \
    { .key = "pending", .type = FIELD_BOOL, .flags = FIELD_REQUIRED, .off = offsetof(T, at is_pending), .doc = "Declared anew since it was approved." }, \
    { .key = "changed_at", .type = FIELD_TIME, .off = offsetof(T, at changed_ms), .doc = "Last change." }, \
    { .key = "covers", .type = FIELD_TEXTS, .flags = FIELD_REQUIRED, .off = offsetof(T, at covers), .off_n = offsetof(T, at n_covers), .doc = "Parts that are judged." }, \
    { .key = "not_covered", .type = FIELD_TEXTS, .flags = FIELD_REQUIRED, .off = offsetof(T, at not_covered), .off_n = offsetof(T, at n_not_covered), \
      .doc = "Parts that are not." }

static const struct field summary_fields[] = { SUMMARY_FIELDS(struct profile_summary, ) };
static SHAPE(summary_shape, "profile_summary", struct profile_summary, summary_fields);
static const struct field summary_list_fields[] = { PAGE_FIELDS(summary_shape) };
SHAPE(profile_summary_list_shape, "profile_list", struct page, summary_list_fields);

static const char *const mode_filter[] = { "", "discover", "monitor", "protect", "none", NULL };
static const struct field query_fields[] = {
    PAGE_OF(struct profile_query),
    TEXT_F("q", struct profile_query, q, "Only repositories that begin like this."),
    WORD_F("mode", struct profile_query, mode, mode_filter, "Only those in this mode; none: nothing is enforced."),
    BOOL_F("pending", struct profile_query, pending, "Only those declared anew since they were approved."),
};
SHAPE(profile_query_shape, "profile_query", struct profile_query, query_fields);

static const struct field check_fields[] = {
    TEXT_R("rule", struct promotion_check_answer, rule, "What is asked for."),
    BOOL_F("met", struct promotion_check_answer, is_met, "Whether it is so."),
    TEXT_R("text", struct promotion_check_answer, text, "With the numbers."),
};
static SHAPE(check_shape, "profile_promotion_check", struct promotion_check_answer, check_fields);
static const struct field promotion_fields[] = {
    WORD_R("from", struct promotion_answer, from, profile_mode_words, "Mode now."),
    WORD_R("to", struct promotion_answer, to, profile_mode_words, "Mode asked about."),
    BOOL_F("ready", struct promotion_answer, is_ready, "Every check is met."),
    LIST_F("checks", struct promotion_answer, checks, n_checks, check_shape, "One by one."),
};
SHAPE(promotion_answer_shape, "profile_promotion", struct promotion_answer, promotion_fields);

static const struct field detail_fields[] = {
    SUMMARY_FIELDS(struct profile_detail, summary.),
    OBJECT_F("declared", struct profile_detail, declared, profile_version_shape, "As developers declared it."),
    OBJECT_F("learned", struct profile_detail, learned, profile_version_shape, "As it was learned."),
    OBJECT_F("enforced", struct profile_detail, enforced, profile_version_shape, "As it was approved: what counts."),
    OBJECT_F("promotion", struct profile_detail, promotion, promotion_answer_shape, "Whether it may go to the next mode."),
    INT_F("observed", struct profile_detail, observed, "Different things seen."),
    INT_F("doubted", struct profile_detail, doubted, "Of these, in doubt and not allowed."),
};
SHAPE(profile_detail_shape, "profile_detail", struct profile_detail, detail_fields);

static const struct field observation_fields[] = {
    ITEM_F(struct observation_answer),
    INT_F("count", struct observation_answer, n, "How often."),
    INT_F("containers", struct observation_answer, containers, "In how many containers; counted up to 32."),
    INT_F("nodes", struct observation_answer, nodes, "On how many nodes; counted up to 16."),
    INT_F("hours", struct observation_answer, hours, "In how many hours of the clock."),
    TIME_F("first_at", struct observation_answer, first_ms, "First seen."),
    TIME_F("last_at", struct observation_answer, last_ms, "Last seen."),
    INT_F("confidence", struct observation_answer, confidence, "0 to 100."),
    TEXTS_F("doubts", struct observation_answer, doubts, n_doubts, "Why it is not learned by itself."),
    BOOL_F("accepted", struct observation_answer, is_accepted, "It is learned."),
};
static SHAPE(observation_shape, "profile_observation", struct observation_answer, observation_fields);
static const struct field observations_fields[] = {
    LIST_F("items", struct observations_answer, items, n_items, observation_shape, "By part and item."),
};
SHAPE(observations_answer_shape, "profile_observations", struct observations_answer, observations_fields);

static const struct field diff_row_fields[] = {
    ITEM_F(struct profile_diff_row),
    WORD_R("declared", struct profile_diff_row, declared, cell_words, "Allowed by what is declared."),
    WORD_R("observed", struct profile_diff_row, observed, cell_words, "Seen."),
    WORD_R("enforced", struct profile_diff_row, enforced, cell_words, "Allowed by what is enforced."),
    { .key = "count", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct profile_diff_row, n), .doc = "How often it was seen." },
    TIME_F("last_at", struct profile_diff_row, last_ms, "Last seen."),
    { .key = "doubts", .type = FIELD_TEXTS, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct profile_diff_row, doubts),
      .off_n = offsetof(struct profile_diff_row, n_doubts), .doc = "Against it." },
    TEXT_F("note", struct profile_diff_row, note, "What is to be thought of it."),
};
static SHAPE(diff_row_shape, "profile_diff_row", struct profile_diff_row, diff_row_fields);
static const struct field diff_fields[] = {
    LIST_F("rows", struct profile_diff_answer, rows, n_rows, diff_row_shape, "By part and item."),
    TEXTS_F("not_covered", struct profile_diff_answer, not_covered, n_not_covered, "Parts that are not judged."),
};
SHAPE(profile_diff_shape, "profile_diff", struct profile_diff_answer, diff_fields);

static const struct field learned_fields[] = {
    OBJECT_F("profile", struct learned_answer, profile, profile_version_shape, "What was learned."),
    LIST_F("doubted", struct learned_answer, doubted, n_doubted, observation_shape, "Left out: for a person to accept or not."),
};
SHAPE(learned_answer_shape, "profile_learned", struct learned_answer, learned_fields);

static const struct field departure_fields[] = {
    TEXT_R("rule", struct departure_answer, rule, "Which."),
    { .key = "subject", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct departure_answer, subject), .doc = "What." },
    TEXT_F("message", struct departure_answer, message, "As a sentence."),
    TEXT_F("expected", struct departure_answer, expected, "What is allowed instead."),
    INT_F("severity", struct departure_answer, severity, "0 worst to 7."),
    INT_F("count", struct departure_answer, n, "Events."),
    TIME_F("first_at", struct departure_answer, first_ms, "First of them."),
    TIME_F("last_at", struct departure_answer, last_ms, "Last of them."),
    TEXTS_F("workloads", struct departure_answer, workloads, n_workloads, "Where, the first few."),
};
static SHAPE(departure_shape, "profile_departure", struct departure_answer, departure_fields);
static const struct field simulation_fields[] = {
    INT_F("examined", struct simulation_answer, examined, "Recorded events that were asked about."),
    INT_F("allowed", struct simulation_answer, allowed, "Of these, as the profile says."),
    INT_F("departing", struct simulation_answer, departing, "Of these, would have been reported, and in mode protect denied."),
    BOOL_F("complete", struct simulation_answer, is_complete, "There were no more events than that."),
    LIST_F("departures", struct simulation_answer, departures, n_departures, departure_shape, "Each different one."),
};
SHAPE(simulation_answer_shape, "profile_simulation", struct simulation_answer, simulation_fields);

static const struct field learn_in_fields[] = {
    TEXT_R("image", struct profile_learn_in, image, "REPOSITORY, or REPOSITORY@sha256:..."),
    { .key = "reason", .type = FIELD_TEXT, .off = offsetof(struct profile_learn_in, reason), .max = 2000, .doc = "Why." },
};
SHAPE(profile_learn_in_shape, "profile_learn", struct profile_learn_in, learn_in_fields);
static const struct field approve_in_fields[] = {
    WORD_R("source", struct profile_approve_in, source, approve_words, "declared, learned, or both together."),
    { .key = "version", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct profile_approve_in, version), .min = 0, .max = INT64_MAX,
      .doc = "Of what you looked at; refused when there is a newer one." },
    { .key = "accept", .type = FIELD_TEXTS, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct profile_approve_in, accept),
      .off_n = offsetof(struct profile_approve_in, n_accept), .max = 500, .doc = "Doubted things to allow all the same: PART ITEM, or PART ITEM < PARENT." },
    { .key = "reason", .type = FIELD_TEXT, .off = offsetof(struct profile_approve_in, reason), .max = 2000, .doc = "Why." },
};
SHAPE(profile_approve_in_shape, "profile_approve", struct profile_approve_in, approve_in_fields);
static const struct field mode_in_fields[] = {
    WORD_R("mode", struct profile_mode_in, mode, profile_mode_words, "discover, monitor or protect."),
    BOOL_F("force", struct profile_mode_in, force, "Although the evidence is not there; needs a reason."),
    { .key = "reason", .type = FIELD_TEXT, .off = offsetof(struct profile_mode_in, reason), .max = 2000, .doc = "Why." },
};
SHAPE(profile_mode_in_shape, "profile_mode", struct profile_mode_in, mode_in_fields);

static const struct field simulate_query_fields[] = {
    WORD_F("source", struct profile_simulate_query, source, from_words, "Which profile; enforced when absent."),
    { .key = "hours", .type = FIELD_INT, .off = offsetof(struct profile_simulate_query, hours), .min = 1, .max = 24 * 365, .doc = "How far back; 24 when absent." },
};
SHAPE(profile_simulate_query_shape, "profile_simulate_query", struct profile_simulate_query, simulate_query_fields);
static const struct field generate_query_fields[] = {
    { .key = "as", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct profile_generate_query, as), .min = 1, .max = 32,
      .doc = "networkpolicy, cilium, istio, falco, tetragon, seccomp, apparmor or profile." },
    WORD_F("source", struct profile_generate_query, source, from_words, "Which profile; enforced when absent."),
    TEXT_F("namespace", struct profile_generate_query, namespace, "Of the workload; default when absent."),
    TEXT_F("workload", struct profile_generate_query, workload, "Its name, the label app; the profile's name when absent."),
};
SHAPE(profile_generate_query_shape, "profile_generate_query", struct profile_generate_query, generate_query_fields);
