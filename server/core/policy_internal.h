/* policy_internal.h - a compiled policy; between policy.c, which makes it, and
 * verdict.c, which asks it. */
#ifndef KEEP_CORE_POLICY_INTERNAL_H
#define KEEP_CORE_POLICY_INTERNAL_H

#include "base/str.h"
#include "core/facts.h"
#include "core/policy.h"

enum { POLICY_VARIABLES_MAX = 50 };

struct validation {
    const char *name, *message, *remediation;
    int severity;                              /* enum severity */
    bool uses_image;                           /* at deploy: judged once per image */
    const struct cel_program *each, *expression, *message_expression;    /* each, message: may be NULL */
};

struct policy {
    struct policy_info info;
    const char *const *repositories; size_t n_repositories;   /* parsed patterns */
    const char *const *teams; size_t n_teams;
    const char *const *clusters; size_t n_clusters;
    const char *const *namespaces; size_t n_namespaces;       /* shell-like patterns */
    const struct json *labels;                 /* object of texts; NULL: any */
    const struct json *params;
    const struct cel_program *const *variables; size_t n_variables;
    uint32_t n_vars;                           /* of the environment, variables included */
    const struct validation *validations; size_t n_validations;
};

#endif
