/* policy_match_doc.h - MatchResources as the document has it: for shapes that
 * contain one, and for autogeneration, which asks what was written. */
#ifndef KEEP_CORE_POLICY_MATCH_DOC_H
#define KEEP_CORE_POLICY_MATCH_DOC_H

#include "core/policy_internal.h"
#include "wire/msg/fields.h"

struct requirement_doc { const char *key, *operator; const char *const *values; size_t n_values; };
struct selector_doc {
    const struct json *labels;
    const struct requirement_doc *terms; size_t n_terms;
};
struct rule_doc {
    const struct json *groups;
    const char *const *versions; size_t n_versions;
    const char *const *operations; size_t n_operations;
    const char *const *resources; size_t n_resources;
    const char *const *names; size_t n_names;
    const char *scope;
};
struct match_resources_doc {
    const struct rule_doc *rules; size_t n_rules;
    const struct rule_doc *excluded; size_t n_excluded;
    const struct selector_doc *namespaces, *objects;
    const char *policy;
};

#endif
