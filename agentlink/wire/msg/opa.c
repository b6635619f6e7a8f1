/* opa.c - see opa.h. */
#include "wire/msg/opa.h"

#include "wire/msg/fields.h"
#include "wire/msg/page.h"

#define RAW_F(k, T, member, text) { .key = k, .type = FIELD_RAW, .flags = FIELD_OUT_ONLY, .off = offsetof(T, member), .doc = text }

static const struct field status_fields[] = {
    TEXT_F("id", struct opa_status, instance, "The agent's own id (labels.id)."),
    TEXT_F("partition", struct opa_status, partition, "Where it reports to; empty when it named none."),
    TEXT_F("version", struct opa_status, version, "Of OPA."),
    TIME_F("seen_at", struct opa_status, seen_ms, "When it last reported."),
    TEXT_F("revision", struct opa_status, revision, "Of the bundle of ours that is active; empty when none is."),
    TEXT_F("problem", struct opa_status, problem, "Why its bundle could not be used; empty when all is well."),
    RAW_F("status", struct opa_status, document, "What it sent, without its metrics."),
};
static SHAPE(status_shape, "opa_status", struct opa_status, status_fields);
static const struct field status_list_fields[] = { PAGE_FIELDS(status_shape) };
SHAPE(opa_status_list_shape, "opa_status_list", struct page, status_list_fields);

static const struct field decision_fields[] = {
    INT_F("id", struct opa_decision, id, "In the order of recording."),
    TEXT_F("decision_id", struct opa_decision, decision_id, "The agent's own id of it."),
    TIME_F("at", struct opa_decision, at_ms, "When it was decided."),
    TIME_F("received_at", struct opa_decision, received_ms, "When it was reported."),
    TEXT_F("agent", struct opa_decision, instance, "Which agent decided."),
    TEXT_F("partition", struct opa_decision, partition, "Where it reports to; empty when it named none."),
    TEXT_F("path", struct opa_decision, path, "What was asked for."),
    TEXT_F("revision", struct opa_decision, revision, "Of the bundle it decided by."),
    TEXT_F("requested_by", struct opa_decision, requested_by, "Who asked."),
    RAW_F("input", struct opa_decision, input, "What it decided about; absent when too large."),
    RAW_F("result", struct opa_decision, result, "What it decided; absent when undefined or too large."),
};
static SHAPE(decision_shape, "opa_decision", struct opa_decision, decision_fields);
static const struct field decision_list_fields[] = { PAGE_FIELDS(decision_shape) };
SHAPE(opa_decision_list_shape, "opa_decision_list", struct page, decision_list_fields);

static const struct field query_fields[] = {
    PAGE_OF(struct opa_decision_query),
    TEXT_F("agent", struct opa_decision_query, instance, "Only of this agent."),
    TEXT_F("path", struct opa_decision_query, path, "Only of this path."),
};
SHAPE(opa_decision_query_shape, "opa_decision_query", struct opa_decision_query, query_fields);
