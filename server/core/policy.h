/* policy.h - policies: documents compiled once, evaluated over facts.
 *
 *     apiVersion: keep/v1
 *     kind: Policy
 *     metadata: {name, title, description}
 *     spec:
 *       stages: [build, deploy]          # run
 *       mode: enforce                    # warn, audit
 *       unknown: deny                    # warn, allow: when a fact is missing
 *       match: {repositories: [pattern], teams: [name], clusters: [name],
 *               namespaces: [pattern], labels: {key: value}}
 *       params: {any: value}
 *       variables: [{name, expression}]
 *       validations:
 *         - name: fixable
 *           each: image.findings         # optional: judge every item, as `item`
 *           expression: CEL, true is good
 *           message | messageExpression
 *           severity: high
 *           remediation: text
 *
 * Expressions are CEL (core/cel).  Everything is checked when a document is
 * compiled: unknown keys, functions and fields are refused with their place. */
#ifndef KEEP_CORE_POLICY_H
#define KEEP_CORE_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "core/freshness.h"
#include "model/exception.h"
#include "model/verdict.h"
#include "wire/shape.h"

#include <stddef.h>
#include <stdint.h>

enum stage { STAGE_BUILD = 1, STAGE_DEPLOY = 2, STAGE_RUN = 4 };
enum policy_mode { MODE_AUDIT = 0, MODE_WARN, MODE_ENFORCE };
enum policy_unknown { UNKNOWN_DENY = 0, UNKNOWN_WARN, UNKNOWN_ALLOW };

extern const char *const stage_words[];            /* "build", "deploy", "run" */
extern const char *const policy_mode_words[];
extern const char *const policy_unknown_words[];

struct policy;

/* What a document says of itself. */
struct policy_info {
    const char *name, *title, *description;
    unsigned stages;                  /* set of enum stage */
    const char *const *stage_list; size_t n_stage_list;
    int mode, unknown;
    size_t n_rules;
};

/* Compiles YAML or JSON text.  Everything lives in the arena, which must outlive
 * the policy.  All complaints with paths are collected (complaints may be NULL). */
int policy_compile(const void *text, size_t len, struct arena *arena, struct complaints *complaints,
                   struct policy **out, struct err *err);
const struct policy_info *policy_info(const struct policy *p);

/* The policies in force: immutable once built. */
struct policy_set {
    const struct policy *const *items; size_t n;
    int64_t version;                  /* grows with every change */
    struct freshness_limits limits;
};

/* An image of a workload: what is known of it, NULL when Keep has never heard of it. */
struct policy_image {
    const char *container, *reference;
    struct image_facts *facts;
};

struct policy_input {
    enum stage stage;
    struct image_facts *facts;        /* build: the image; tallied here */
    const struct policy_image *images; size_t n_images;        /* deploy: those of the workload */
    const struct json *object, *old_object, *request, *namespace_object;    /* deploy; NULL: not there */
    const struct json *event, *node;  /* run */
    const char *cluster, *namespace;  /* deploy, run; NULL: not known */
    const struct json *labels;        /* of the workload */
    const struct exception *exceptions; size_t n_exceptions;
    int64_t now_ms;
};

/* Pure.  The verdict with every reason, worst first, and what was missing; lives
 * in the arena and points into the facts and policies.  Fails only when the
 * arena is full. */
int verdict_decide(const struct policy_set *set, const struct policy_input *in, struct arena *arena,
                   struct verdict *out, struct err *err);

#endif
