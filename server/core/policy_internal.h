/* policy_internal.h - a compiled policy; between the files that make it
 * (policy.c and policy_*.c) and those that ask it (verdict.c, verdict_ask.c). */
#ifndef KEEP_CORE_POLICY_INTERNAL_H
#define KEEP_CORE_POLICY_INTERNAL_H

#include "base/str.h"
#include "core/facts.h"
#include "core/policy.h"

enum { POLICY_VARIABLES_MAX = 50, POLICY_VALIDATIONS_MAX = 100, POLICY_EXPRESSION_MAX = 16 * 1024, POLICY_TEXT_LINE_MAX = 1024 };

/* What an expression depends on, directly or through variables. */
enum { USES_IMAGE = 1, USES_POD = 2, USES_ITEM = 4, USES_EVENT = 8, USES_CONTAINER = 16 };

struct validation {
    const char *name, *message, *remediation;
    int severity;                              /* enum severity */
    unsigned uses;                             /* USES_IMAGE: at deploy judged once per image */
    const struct cel_program *each, *expression, *message_expression;    /* each, message: may be NULL */
};

/* ---- which requests (policy_match.c) ---- */
enum selector_op { SELECTOR_NONE = 0, SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_DOES_NOT_EXIST };
struct selector_term {
    const char *key;
    int op;                                    /* enum selector_op */
    const char *const *values; size_t n_values;
};
struct selector {
    const struct selector_term *terms; size_t n;        /* all must hold; none: everything matches */
};
struct resource_rule {
    const char *const *groups; size_t n_groups;
    const char *const *versions; size_t n_versions;
    const char *const *operations; size_t n_operations;
    const char *const *resources; size_t n_resources;
    const char *const *names; size_t n_names;           /* none: any */
    const char *scope;                                  /* "*", "Cluster", "Namespaced" */
};
struct match_rules {
    const struct resource_rule *rules; size_t n_rules;  /* none: any request */
    const struct resource_rule *excluded; size_t n_excluded;
    struct selector namespaces, objects;
};
/* The safe answer first: the policy is asked, and says what was missing. */
enum match_answer { MATCH_UNKNOWN = 0, MATCH_NO, MATCH_YES };

struct match_input {
    const struct policy_request *request;
    const struct json *object, *old_object, *namespace_object;
    bool namespace_labels_known;
};
enum match_answer match_decide(const struct match_rules *m, const struct match_input *in);
bool selector_matches(const struct selector *s, const struct json *labels);

/* The request as an expression sees it; NULL: arena full. */
const struct json *policy_request_json(const struct policy_request *r, struct arena *arena);

/* matchConstraints or matchResources, read strictly (policy_match_doc.c). */
struct compiler;
extern const struct shape match_resources_shape;
struct match_resources_doc;
struct match_rules *match_compile(struct compiler *c, const struct match_resources_doc *d, const char *path);

/* ---- the rules ---- */
struct condition {
    const char *name;
    const struct cel_program *program;
};
struct annotation {
    const char *key;
    const struct cel_program *program;
};

/* Rules for one form of object: Kyverno's autogeneration makes several of one policy. */
struct rule_set {
    const struct match_rules *match;           /* NULL: ours, see struct policy */
    const struct condition *conditions; size_t n_conditions;
    const struct cel_program *const *variables; size_t n_variables;
    const char *const *variable_names;
    unsigned variable_uses[POLICY_VARIABLES_MAX];
    uint32_t n_vars;                           /* of the environment, variables included */
    const struct validation *validations; size_t n_validations;
    const struct annotation *annotations; size_t n_annotations;
};

struct binding {
    const char *name;
    const struct match_rules *match;           /* NULL: everything the policy matches */
    int mode;                                  /* enum policy_mode */
};

struct policy {
    struct policy_info info;
    const char *const *repositories; size_t n_repositories;   /* parsed patterns */
    const char *const *teams; size_t n_teams;
    const char *const *clusters; size_t n_clusters;
    const char *const *namespaces; size_t n_namespaces;       /* shell-like patterns */
    const struct json *labels;                 /* object of texts; NULL: any */
    const struct json *params;
    const struct rule_set *sets; size_t n_sets;
    const struct binding *bindings; size_t n_bindings;        /* of a ValidatingAdmissionPolicy */
    bool fail_open;                            /* failurePolicy: Ignore */
};

/* ---- compiling (policy_compile.c) ---- */
struct compiler {
    struct arena *arena;
    struct policy *policy;
    const char *text; size_t len;              /* the file */
    const struct json *doc;                    /* the document being compiled */
    const struct cel_env *env;
    const struct cel_function *functions; uint32_t n_functions;        /* of this kind of policy */
    struct complaints found;
    bool failed;                               /* the arena is full */
};

/* Decodes c->doc.  What a shape complains of is left out and the rest decoded all
 * the same where that is possible, so that the expressions' mistakes are said, too.
 * *decoded false: it is not.  -1: arena full. */
int policy_decode(struct compiler *c, const struct shape *shape, void *out, bool *decoded);

/* `path` "$.a.b[2].c" may be NULL (arena full). */
void policy_wrong(struct compiler *c, const char *path, const char *message);
/* NULL text: NULL.  Complains at the place within the text. */
const struct cel_program *policy_expression(struct compiler *c, const char *text, const char *path, uint32_t kinds);

struct variable_doc { const char *name, *expression; };
extern const struct shape policy_variable_shape;

/* A fresh environment over `fixed` (VAR_FIXED_N of them), then the variables, each seeing those before. */
int policy_variables(struct compiler *c, const struct cel_var *fixed, const struct variable_doc *docs, size_t n,
                     struct rule_set *set, const char *path);
/* What a program of the set depends on. */
unsigned policy_uses(const struct rule_set *set, const struct cel_program *program);
bool policy_is_name(const char *s, bool identifier);

/* Where the violation that podSecurity found stands; NULL: the item is none. */
const char *policy_violation_path(const struct cel_value *item);
extern const struct cel_function policy_functions[];         /* ours */
extern const uint32_t n_policy_functions;
extern const struct cel_function policy_kyverno_functions[];
extern const uint32_t n_policy_kyverno_functions;

/* Names of the two foreign kinds (policy_foreign.c); what this server cannot answer is refused by name. */
extern const struct cel_var policy_vap_vars[VAR_FIXED_N], policy_kyverno_vars[VAR_FIXED_N];
bool policy_needs_cluster(struct compiler *c, enum policy_kind kind, const char *text, const char *path);

struct metadata_foreign { const char *name, *namespace; const struct json *labels, *annotations; };
struct condition_doc { const char *name, *expression; };
struct validation_foreign { const char *expression, *message, *message_expression, *reason; };
struct annotation_doc { const char *key, *value_expression; };
extern const struct shape policy_metadata_foreign_shape, policy_condition_shape, policy_validation_foreign_shape,
    policy_annotation_shape;

/* Everything of a set but its match; texts as they are to be compiled. */
struct foreign_rules {
    enum policy_kind kind;
    const struct cel_var *vars;
    const struct condition_doc *conditions; size_t n_conditions;
    const struct variable_doc *variables; size_t n_variables;
    const struct validation_foreign *validations; size_t n_validations;
    const struct annotation_doc *annotations; size_t n_annotations;
    int severity;
};
int policy_foreign_rules(struct compiler *c, const struct foreign_rules *r, struct rule_set *set);
/* "Deny", "Warn", "Audit" -> enum policy_mode; complains. */
int policy_actions(struct compiler *c, const char *const *actions, size_t n, const char *path);

/* One document (keep) or all of them; fill c->policy, complaining.  -1 only when the arena is full. */
int policy_compile_keep(struct compiler *c);
int policy_compile_vap(struct compiler *c, const struct json *docs, size_t n);
int policy_compile_kyverno(struct compiler *c);

/* The byte of the source text where byte `at` of the decoded scalar stands (policy_where.c). */
uint32_t policy_source_offset(const char *text, size_t len, uint32_t scalar, const char *decoded, size_t at);
/* The value at "$.a.b[2].c" of the document, or the last one on the way that is there. */
const struct json *policy_doc_at(const struct json *doc, const char *path);

#endif
