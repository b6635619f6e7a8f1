/* policy_test.h - policies tried offline: cases in YAML, and what a document is.
 *
 * A case file holds one or more documents:
 *
 *     name: the socket of the container engine is refused
 *     policies: [container-engine-socket.yaml]     # read through the caller's function
 *     policy: {...}                                # or written here
 *     stage: deploy                                # build when `image` is there, else deploy
 *     now: 2026-01-01T00:00:00Z                    # that day unless said otherwise
 *     limits: {scan_age_days: 7, database_age_days: 3}
 *     image: {...}                                 # facts_json.h
 *     images: [{container, reference, facts: {...}}]
 *     object: {...}                                # oldObject, request, namespaceObject
 *     container: {...}                             # or event; node: at stage run
 *     operation: CREATE
 *     cluster: prod
 *     namespace: shop
 *     exceptions: [{rule | vulnerability, repository, digest, package, namespace}]
 *     expect:
 *       decision: fail                             # pass, warn, unknown
 *       reasons: [policy/rule, {rule: policy/rule, message: part of it, where: part of it, effect: warn}]
 *       audited: [policy/rule]
 *       missing: [part of a name]
 *
 * `name` and `expect` may be left out of what is only explained.
 *
 * Where `reasons` (`audited`, `missing`) is given, each must be found and nothing
 * else may be there; where it is not given, it is not compared.  Pure: files are
 * read by the caller. */
#ifndef KEEP_CORE_POLICY_TEST_H
#define KEEP_CORE_POLICY_TEST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "core/policy.h"

/* Reads a file a case names, as written there; the caller knows relative to what. */
struct policy_test_files {
    int (*read)(void *data, const char *name, struct arena *arena, struct bytes *out, struct err *err);
    void *data;
};

struct policy_case {
    const char *name;
    unsigned line;                     /* of the document in the case file, from 1 */
    bool passed;
    const char *const *differences; size_t n_differences;     /* "expected ..., got ..." */
    struct verdict verdict;            /* what was decided; zeroed when the case could not run */
    const char *explanation;           /* of a case that did not pass: why the rules answered as they did; NULL none */
};

/* Runs every case of a file.  A case that cannot run has not passed, with the
 * reason as its difference.  -1 only when the text is no YAML (ERR_INVALID,
 * ERR_TOO_LARGE) or the arena is full; everything lives in the arena.
 * policies/n: used by cases that name none (may be NULL). */
int policy_test_run(const void *text, size_t len, const struct policy_test_files *files, const struct policy *const *policies,
                    size_t n, struct arena *arena, struct policy_case **out, size_t *n_out, struct err *err);

/* The same facts, with these policies whatever the case names, and nothing compared: every
 * case has its verdict and its explanation (NULL: each rule is true); `passed` says that it
 * could be asked, else the difference says why not. */
int policy_test_explain(const void *text, size_t len, const struct policy *const *policies, size_t n, struct arena *arena,
                        struct policy_case **out, size_t *n_out, struct err *err);

/* What a document is, and what is wrong or doubtful about it. */
struct policy_lint {
    const struct policy_info *info;    /* NULL: it does not compile */
    struct complaints complaints;      /* errors: "LINE:COLUMN: what" */
    const char *const *notes; size_t n_notes;       /* not wrong, but worth a look */
};
/* -1 only when the arena is full. */
int policy_lint(const void *text, size_t len, struct arena *arena, struct policy_lint *out, struct err *err);

#endif
