/* policy.h - policies: documents compiled once, evaluated over facts.
 *
 * Three kinds of document become one compiled form: our own,
 * ValidatingAdmissionPolicy with its bindings (admissionregistration.k8s.io,
 * policy_vap.c), and Kyverno's ValidatingPolicy (policies.kyverno.io,
 * policy_kyverno.c).  Ours:
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
 * compiled: unknown keys, functions and fields are refused with their place, and
 * so is what only a live cluster could answer.
 *
 * Names in expressions of ours: image, limits, params, now, item, object,
 * oldObject, request, namespaceObject, images, pod (of the object: itself, or
 * its template), containers (init, main and ephemeral ones of the pod), event,
 * container, node, variables.NAME; and the function podSecurity(object, level,
 * version).  A validation that speaks of `pod` or `containers` is not asked of an
 * object that bears no pod.  At stage run either an event or a running container is
 * judged: what speaks of `event` is asked of events and of nothing else, the rest of
 * containers.  What speaks of `container` is asked at no other stage.  The other two
 * kinds have what Kubernetes gives them. */
#ifndef KEEP_CORE_POLICY_H
#define KEEP_CORE_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "core/freshness.h"
#include "model/exception.h"
#include "model/verdict.h"
#include "wire/shape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stage { STAGE_BUILD = 1, STAGE_DEPLOY = 2, STAGE_RUN = 4 };
enum policy_mode { MODE_AUDIT = 0, MODE_WARN, MODE_ENFORCE };
enum policy_unknown { UNKNOWN_DENY = 0, UNKNOWN_WARN, UNKNOWN_ALLOW };

extern const char *const stage_words[];            /* "build", "deploy", "run" */
extern const char *const policy_mode_words[];
extern const char *const policy_unknown_words[];

enum policy_kind { POLICY_KEEP = 0, POLICY_VAP, POLICY_KYVERNO, POLICY_KIND_N };
extern const char *const policy_kind_words[];      /* "Policy", "ValidatingAdmissionPolicy", "ValidatingPolicy" */

struct event;
struct policy;

/* What a document says of itself. */
struct policy_info {
    const char *name, *title, *description;
    unsigned stages;                  /* set of enum stage */
    const char *const *stage_list; size_t n_stage_list;
    int mode, unknown;
    size_t n_rules;
    enum policy_kind kind;
    bool is_inert;                    /* a ValidatingAdmissionPolicy nobody binds: it decides nothing */
    const char *note;                 /* what a reader should know ("no binding: ..."); NULL none */
};

/* What is being done to the cluster, as an AdmissionRequest says it.  All texts
 * are there ("" where the request has none). */
struct policy_request {
    const char *group, *version, *resource, *subresource, *kind;
    const char *operation;            /* CREATE, UPDATE, DELETE, CONNECT */
    const char *name, *namespace;     /* namespace "": scoped to the cluster */
};

/* Of an AdmissionRequest (AdmissionReview's `request`).  Pure, borrows from it. */
void policy_request_read(const struct json *request, struct policy_request *out);
/* Of an object alone, as if it were created: the resource is the kind's plural.  `resource`
 * may be the arena's.  -1: arena full. */
int policy_request_of(const struct json *object, const char *operation, struct arena *arena, struct policy_request *out,
                      struct err *err);

enum { POLICY_TEXT_MAX = 1 << 20, POLICY_DOCS_MAX = 20 };

/* Compiles YAML or JSON text; several documents may hold one
 * ValidatingAdmissionPolicy and its bindings, otherwise exactly one is expected.
 * Everything lives in the arena, which must outlive the policy; the text need
 * not.  All complaints are collected (complaints may be NULL), each with offset,
 * path and "LINE:COLUMN: what"; err holds the first.  ERR_INVALID,
 * ERR_TOO_LARGE, ERR_UNAVAILABLE (arena full). */
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
    const struct policy_request *target;        /* deploy; NULL: read from request, else from object */
    bool namespace_labels_known;      /* namespace_object NULL means a namespace without labels */
    const struct json *event, *container, *node;      /* run: what happened, or what runs; node: where */
    const struct event *happened;     /* run: what happened, decoded: instead of `event` */
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

/* What became of one policy for one input. */
enum policy_result { POLICY_SKIP = 0, POLICY_PASS, POLICY_FAIL, POLICY_ERROR, POLICY_UNKNOWN_FACT, POLICY_RESULT_N };
extern const char *const policy_result_words[];    /* "skip", "pass", "fail", "error", "unknown" */

/* Why a validation is not true: the values of its sub-expressions. */
struct policy_explained {
    const char *policy, *rule;
    const char *about;                /* "container app (REF)", "item 3"; NULL: the whole */
    enum policy_result result;
    const char *text;                 /* lines "expression  =>  value", indented */
};
struct policy_explanation {
    const struct policy_explained *items; size_t n;
    bool is_truncated;                /* there were more than POLICY_EXPLAINED_MAX */
    const enum policy_result *results;           /* of every policy of the set, in its order */
};
enum { POLICY_EXPLAINED_MAX = 100 };

/* As verdict_decide (modes and exceptions apart: a rule is asked whatever its mode),
 * telling how each answer that is not true came about.  Lives in the arena. */
int policy_explain(const struct policy_set *set, const struct policy_input *in, struct arena *arena,
                   struct policy_explanation *out, struct err *err);

#endif
