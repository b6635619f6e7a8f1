/* check.c - see check.h. */
#include "wire/msg/check.h"

#include "wire/msg/fields.h"
#include "wire/msg/words.h"

const char *const check_kind_words[] = { "auto", "kubernetes", "compose", "inspect", "oci", "run", NULL };

static const struct field query_fields[] = {
    WORD_F("kind", struct check_query, kind, check_kind_words, "What the body is (auto)."),
    TEXT_F("name", struct check_query, name, "Name of the file, for the answer."),
    TEXT_F("cluster", struct check_query, cluster, "Cluster it is going to."),
    TEXT_F("namespace", struct check_query, namespace, "Namespace it is going to, where it names none."),
    TEXT_F("kubernetes", struct check_query, kubernetes, "Version of the Pod Security Standards, like 1.30 (latest)."),
};
SHAPE(check_query_shape, "check_query", struct check_query, query_fields);

static const struct field reason_fields[] = {
    TEXT_F("file", struct check_reason, file, "File."),
    INT_F("line", struct check_reason, line, "Line, from 1."),
    INT_F("column", struct check_reason, column, "Column in bytes, from 1."),
    TEXT_F("object", struct check_reason, object, "Workload, service or container."),
    TEXT_F("policy", struct check_reason, policy, "Policy that says so; configuration and pod-security are Keep's own."),
    TEXT_F("rule", struct check_reason, rule, "Its rule."),
    WORD_F("severity", struct check_reason, severity, severity_words, "How serious."),
    WORD_F("effect", struct check_reason, effect, decision_words, "What it does to the decision."),
    TEXT_F("message", struct check_reason, message, "In words."),
    TEXT_F("path", struct check_reason, path, "Path within the document."),
    TEXT_F("remediation", struct check_reason, remediation, "How to fix it."),
};
static SHAPE(check_reason_shape, "check_reason", struct check_reason, reason_fields);

static const struct field answer_fields[] = {
    WORD_F("decision", struct check_answer, decision, decision_words, "pass, warn, fail or unknown."),
    INT_F("objects", struct check_answer, objects, "How many workloads or containers were judged."),
    INT_F("passed_over", struct check_answer, passed_over, "Documents that bear no containers."),
    INT_F("policy_version", struct check_answer, policy_version, "Version of the whole set of policies; 0: none was asked."),
    BOOL_F("truncated", struct check_answer, is_truncated, "There are more reasons than are shown."),
    LIST_F("reasons", struct check_answer, reasons, n_reasons, check_reason_shape, "Every reason, the worst first."),
};
SHAPE(check_answer_shape, "check_answer", struct check_answer, answer_fields);
