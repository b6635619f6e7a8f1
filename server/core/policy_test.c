/* policy_test.c - see policy_test.h. */
#include "core/policy_test.h"

#include "base/buf.h"
#include "base/time.h"
#include "core/facts_json.h"
#include "wire/msg/fields.h"
#include "wire/msg/words.h"
#include "wire/yaml.h"

#include <string.h>

enum { CASES_MAX = 1000, DIFFERENCES_MAX = 50, VALUES_MAX = 1000000, DAY_DEFAULT_SCAN = 7, DAY_DEFAULT_DATABASE = 3 };
#define NOW_DEFAULT INT64_C(1767225600000)             /* 2026-01-01T00:00:00Z */

struct limits_doc { int64_t scan_days, database_days; };
struct image_doc { const char *container, *reference; const struct json *facts; };
struct exception_doc { const char *rule, *vulnerability, *repository, *digest, *package, *namespace; };
struct expect_doc {
    int decision;
    const struct json *reasons, *audited, *missing;
};
struct case_doc {
    const char *name;
    const char *const *files; size_t n_files;
    const struct json *policy, *image, *object, *old_object, *request, *namespace_object, *event, *container, *node;
    const char *stage, *operation, *cluster, *namespace;
    int64_t now_ms;
    const struct limits_doc *limits;
    const struct image_doc *images; size_t n_images;
    const struct exception_doc *exceptions; size_t n_exceptions;
    struct expect_doc expect;
};

#define ANY_F(k, T, member, text) { .key = k, .type = FIELD_ANY, .off = offsetof(T, member), .doc = text }

static const struct field limits_fields[] = {
    INT_F("scan_age_days", struct limits_doc, scan_days, "At most this old."),
    INT_F("database_age_days", struct limits_doc, database_days, "At most this old."),
};
static SHAPE(limits_shape, "test_limits", struct limits_doc, limits_fields);
static const struct field image_fields[] = {
    TEXT_R("container", struct image_doc, container, "Its name."), TEXT_R("reference", struct image_doc, reference, "As in the pod."),
    ANY_F("facts", struct image_doc, facts, "None: Keep has never heard of it."),
};
static SHAPE(image_shape, "test_image", struct image_doc, image_fields);
static const struct field exception_fields[] = {
    TEXT_F("rule", struct exception_doc, rule, "policy/rule"), TEXT_F("vulnerability", struct exception_doc, vulnerability, "CVE-..."),
    TEXT_F("repository", struct exception_doc, repository, "Pattern."), TEXT_F("digest", struct exception_doc, digest, "sha256:..."),
    TEXT_F("package", struct exception_doc, package, "name@version"), TEXT_F("namespace", struct exception_doc, namespace, "Where it runs."),
};
static SHAPE(exception_shape, "test_exception", struct exception_doc, exception_fields);
static const struct field expect_fields[] = {
    { .key = "decision", .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(struct expect_doc, decision), .words = decision_words, .doc = "pass, warn, fail, unknown" },
    ANY_F("reasons", struct expect_doc, reasons, "policy/rule, or {rule, message, where, effect}."),
    ANY_F("audited", struct expect_doc, audited, "The same, of policies that only audit."),
    ANY_F("missing", struct expect_doc, missing, "Parts of names."),
};
static SHAPE(expect_shape, "test_expectation", struct expect_doc, expect_fields);
static const struct field case_fields[] = {
    TEXT_F("name", struct case_doc, name, "The claim; needed in a test."),
    TEXTS_F("policies", struct case_doc, files, n_files, "Files."), ANY_F("policy", struct case_doc, policy, "A document."),
    TEXT_F("stage", struct case_doc, stage, "build, deploy, run"), TIME_F("now", struct case_doc, now_ms, "The clock."),
    OBJECT_F("limits", struct case_doc, limits, limits_shape, "Ages."), ANY_F("image", struct case_doc, image, "Facts, at build."),
    LIST_F("images", struct case_doc, images, n_images, image_shape, "Of the workload."),
    ANY_F("object", struct case_doc, object, "What is admitted."), ANY_F("oldObject", struct case_doc, old_object, "What was there."),
    ANY_F("request", struct case_doc, request, "AdmissionRequest."), ANY_F("namespaceObject", struct case_doc, namespace_object, "Its namespace."),
    ANY_F("event", struct case_doc, event, "What happened."), ANY_F("container", struct case_doc, container, "What runs."), ANY_F("node", struct case_doc, node, "Where."),
    TEXT_F("operation", struct case_doc, operation, "CREATE, UPDATE, DELETE, CONNECT"), TEXT_F("cluster", struct case_doc, cluster, "Name."),
    TEXT_F("namespace", struct case_doc, namespace, "Name."),
    LIST_F("exceptions", struct case_doc, exceptions, n_exceptions, exception_shape, "In force."),
    { .key = "expect", .type = FIELD_INLINE, .off = offsetof(struct case_doc, expect), .inner = &expect_shape, .doc = "What must come out; needed in a test." },
};
SHAPE(policy_case_shape, "policy_case", struct case_doc, case_fields);

struct running {
    const struct policy_test_files *files;
    struct arena *arena;
    struct case_doc d;
    const struct policy **policies; size_t n_policies;
    struct policy_input in;
    struct policy_set set;
    struct policy_request target;
    struct policy_case *out;
    const char **differences; size_t n_differences;
    bool failed;                               /* the arena is full */
    bool only_explain;                         /* the given policies, and no comparison */
};

static void differs(struct running *r, const char *text)
{
    if (text == NULL)
        r->failed = true;
    else if (r->n_differences < DIFFERENCES_MAX)
        r->differences[r->n_differences++] = text;
}

/* ---- the input ------------------------------------------------------------------------- */

static int compile(struct running *r, const char *name, const char *text, size_t len, struct err *err)
{
    struct policy *p;

    if (policy_compile(text, len, r->arena, NULL, &p, err) != 0)
        return err_prefix(err, "policy %s", name);
    r->policies[r->n_policies++] = p;
    return 0;
}

static int inline_policy(struct running *r, struct err *err)
{
    struct buf b;

    buf_init(&b, POLICY_TEXT_MAX);
    if (json_is(r->d.policy, JSON_STRING))
        buf_puts(&b, r->d.policy->string);
    else
        yaml_print(r->d.policy, &b);
    int rc = b.failed ? err_set(err, ERR_TOO_LARGE, "policy: too large") : compile(r, "of the case", b.ptr, b.len, err);
    buf_free(&b);
    return rc;
}

static int load_policies(struct running *r, const struct policy *const *given, size_t n, struct err *err)
{
    r->policies = arena_array(r->arena, n + r->d.n_files + 1, sizeof *r->policies);
    if (r->policies == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < r->d.n_files && !r->only_explain; i++) {
        struct bytes text;
        if (r->files == NULL)
            return err_set(err, ERR_INVALID, "%s: files cannot be read here", r->d.files[i]);
        if (r->files->read(r->files->data, r->d.files[i], r->arena, &text, err) != 0 ||
            compile(r, r->d.files[i], (const char *)text.ptr, text.len, err) != 0)
            return -1;
    }
    if (r->d.policy != NULL && !r->only_explain && inline_policy(r, err) != 0)
        return -1;
    bool own = r->n_policies > 0;
    for (size_t i = 0; i < n && !own; i++)
        r->policies[r->n_policies++] = given[i];
    if (r->n_policies == 0)
        return err_set(err, ERR_INVALID, "the case names no policy");
    return 0;
}

static int facts_of(struct running *r, const struct json *doc, struct image_facts **out, struct err *err)
{
    struct image_facts *facts = arena_alloc(r->arena, sizeof *facts);

    if (facts == NULL)
        return err_nomem(err);
    if (facts_from_json(doc, r->arena, facts, err) != 0)
        return err_prefix(err, "image");
    *out = facts;
    return 0;
}

static int load_images(struct running *r, struct err *err)
{
    struct policy_image *images = arena_array(r->arena, r->d.n_images, sizeof *images);

    if (images == NULL)
        return err_nomem(err);
    if (r->d.image != NULL && facts_of(r, r->d.image, &r->in.facts, err) != 0)
        return -1;
    for (size_t i = 0; i < r->d.n_images; i++) {
        images[i] = (struct policy_image){ r->d.images[i].container, r->d.images[i].reference, NULL };
        if (r->d.images[i].facts != NULL && facts_of(r, r->d.images[i].facts, &images[i].facts, err) != 0)
            return -1;
    }
    r->in.images = images;
    r->in.n_images = r->d.n_images;
    return 0;
}

static int load_exceptions(struct running *r, struct err *err)
{
    struct exception *list = arena_array(r->arena, r->d.n_exceptions, sizeof *list);

    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < r->d.n_exceptions; i++) {
        const struct exception_doc *e = &r->d.exceptions[i];
        list[i] = (struct exception){ .id = "case", .rule = e->rule, .vulnerability = e->vulnerability, .repository = e->repository,
            .digest = e->digest, .package = e->package, .namespace = e->namespace, .expires_ms = INT64_MAX, .revoked_ms = TIME_UNKNOWN };
        if ((e->rule == NULL) == (e->vulnerability == NULL))
            return err_set(err, ERR_INVALID, "exceptions[%zu]: exactly one of rule and vulnerability", i);
    }
    r->in.exceptions = list;
    r->in.n_exceptions = r->d.n_exceptions;
    return 0;
}

static int stage_of(const struct case_doc *d, enum stage *out, struct err *err)
{
    *out = d->image != NULL ? STAGE_BUILD : STAGE_DEPLOY;
    if (d->stage == NULL)
        return 0;
    for (unsigned k = 0; stage_words[k] != NULL; k++) {
        if (str_eq(stage_words[k], d->stage)) {
            *out = (enum stage)(1u << k);
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "stage: expected build, deploy or run");
}

static int load_input(struct running *r, struct err *err)
{
    const struct case_doc *d = &r->d;
    struct policy_input *in = &r->in;

    *in = (struct policy_input){ .object = d->object, .old_object = d->old_object, .request = d->request,
        .namespace_object = d->namespace_object, .event = d->event, .container = d->container, .node = d->node,
        .cluster = d->cluster, .namespace = d->namespace,
        .now_ms = d->now_ms != TIME_UNKNOWN ? d->now_ms : NOW_DEFAULT };
    if (stage_of(d, &in->stage, err) != 0 || load_images(r, err) != 0 || load_exceptions(r, err) != 0)
        return -1;
    if (in->stage == STAGE_BUILD && in->facts == NULL)
        return err_set(err, ERR_INVALID, "stage build needs an image");
    const struct json *labels = json_path(d->object, "spec.template.metadata.labels");
    in->labels = labels != NULL ? labels : json_path(d->object, "metadata.labels");
    if (d->container != NULL)
        in->labels = json_get(d->container, "labels");
    if (in->namespace == NULL)
        in->namespace = json_get_str(d->container, "namespace", NULL);
    if (in->namespace == NULL)
        in->namespace = json_str(json_path(d->object, "metadata.namespace"), NULL);
    if (d->request == NULL && d->object != NULL) {
        if (policy_request_of(d->object, d->operation != NULL ? d->operation : "CREATE", r->arena, &r->target, err) != 0)
            return -1;
        if (in->namespace != NULL && r->target.namespace[0] != '\0')
            r->target.namespace = in->namespace;
        in->target = &r->target;
    }
    int64_t scan = d->limits != NULL && d->limits->scan_days > 0 ? d->limits->scan_days : DAY_DEFAULT_SCAN;
    int64_t database = d->limits != NULL && d->limits->database_days > 0 ? d->limits->database_days : DAY_DEFAULT_DATABASE;
    r->set = (struct policy_set){ .items = r->policies, .n = r->n_policies,
                                  .limits = { scan % 100000 * MS_DAY, database % 100000 * MS_DAY } };
    return 0;
}

/* ---- the comparison ------------------------------------------------------------------------ */

static bool is_part(const char *text, const struct json *wanted)
{
    const char *part = json_str(wanted, NULL);

    return wanted == NULL || (part != NULL && text != NULL && strstr(text, part) != NULL);
}

static bool is_reason(struct running *r, const struct reason *found, const struct json *wanted)
{
    bool whole = json_is(wanted, JSON_OBJECT);
    const char *rule = whole ? json_get_str(wanted, "rule", "") : json_str(wanted, "");
    const char *name = arena_printf(r->arena, "%s/%s", found->policy, found->rule);

    if (name == NULL) {
        r->failed = true;
        return false;
    }
    if (!str_eq(name, rule))
        return false;
    return !whole || (is_part(found->message, json_get(wanted, "message")) && is_part(found->where, json_get(wanted, "where")) &&
                      is_part(decision_words[found->effect], json_get(wanted, "effect")));
}

static const char *shown(struct running *r, const struct json *wanted)
{
    struct buf b;

    if (json_is(wanted, JSON_STRING))
        return wanted->string;
    buf_init(&b, 4096);
    struct jsonw w;
    jsonw_init(&w, &b);
    jsonw_value(&w, wanted);
    const char *text = b.failed ? "?" : arena_strndup(r->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

/* Each wanted one takes one that was found; what is left on either side is a difference. */
static void compare_reasons(struct running *r, const char *what, const struct json *wanted, const struct reason *found, size_t n)
{
    bool *taken = arena_array(r->arena, n, sizeof *taken);

    if (taken == NULL)
        r->failed = true;
    if (wanted == NULL || taken == NULL)
        return;
    if (wanted->type != JSON_ARRAY)
        differs(r, arena_printf(r->arena, "expect.%s: expected a list", what));
    for (uint32_t i = 0; i < json_len(wanted); i++) {
        size_t k = 0;
        while (k < n && (taken[k] || !is_reason(r, &found[k], json_at(wanted, i))))
            k++;
        if (k < n)
            taken[k] = true;
        else
            differs(r, arena_printf(r->arena, "%s: expected %s, not found", what, shown(r, json_at(wanted, i))));
    }
    for (size_t k = 0; k < n; k++) {
        if (!taken[k])
            differs(r, arena_printf(r->arena, "%s: not expected: %s/%s: %s%s%s", what, found[k].policy, found[k].rule, found[k].message,
                                    found[k].where != NULL ? " at " : "", found[k].where != NULL ? found[k].where : ""));
    }
}

static void compare_missing(struct running *r, const struct json *wanted, const struct verdict *v)
{
    if (wanted == NULL)
        return;
    if (json_len(wanted) != v->n_missing)
        differs(r, arena_printf(r->arena, "missing: expected %u, got %zu", json_len(wanted), v->n_missing));
    for (uint32_t i = 0; i < json_len(wanted); i++) {
        size_t k = 0;
        while (k < v->n_missing && !is_part(v->missing[k], json_at(wanted, i)))
            k++;
        if (k == v->n_missing)
            differs(r, arena_printf(r->arena, "missing: expected %s, not found", shown(r, json_at(wanted, i))));
    }
}

static void compare(struct running *r)
{
    const struct verdict *v = &r->out->verdict;
    const struct expect_doc *e = &r->d.expect;

    if (v->decision != e->decision)
        differs(r, arena_printf(r->arena, "decision: expected %s, got %s", decision_words[e->decision], decision_words[v->decision]));
    compare_reasons(r, "reasons", e->reasons, v->reasons, v->n_reasons);
    compare_reasons(r, "audited", e->audited, v->audited, v->n_audited);
    compare_missing(r, e->missing, v);
}

static int explain(struct running *r, struct err *err)
{
    struct policy_explanation why;
    struct buf b;

    if (policy_explain(&r->set, &r->in, r->arena, &why, err) != 0)
        return -1;
    buf_init(&b, 64 << 10);
    for (size_t i = 0; i < why.n; i++) {
        const struct policy_explained *x = &why.items[i];
        buf_printf(&b, "%s/%s%s%s: %s\n%s", x->policy, x->rule, x->about != NULL ? " " : "", x->about != NULL ? x->about : "",
                   policy_result_words[x->result], x->text);
    }
    r->out->explanation = b.failed || b.len == 0 ? NULL : arena_strndup(r->arena, b.ptr, b.len);
    buf_free(&b);
    return 0;
}

/* ---- a case ------------------------------------------------------------------------------------ */

static int check_claim(const struct running *r, const struct json *doc, struct err *err)
{
    static const char *const needed[] = { "name", "expect" };

    for (size_t i = 0; i < N_ITEMS(needed) && !r->only_explain; i++) {
        if (json_get(doc, needed[i]) == NULL)
            return err_set(err, ERR_INVALID, "$.%s: is required", needed[i]);
    }
    return 0;
}

static int run_case(struct running *r, const struct json *doc, const struct policy *const *given, size_t n, struct err *err)
{
    shape_init(&policy_case_shape, &r->d);
    r->out->name = json_get_str(doc, "name", "(no name)");
    if (shape_decode(&policy_case_shape, doc, r->arena, &r->d, NULL, err) != 0 || check_claim(r, doc, err) != 0 ||
        load_policies(r, given, n, err) != 0 ||
        load_input(r, err) != 0 || verdict_decide(&r->set, &r->in, r->arena, &r->out->verdict, err) != 0)
        return -1;
    if (r->only_explain)
        return explain(r, err);
    compare(r);
    return r->n_differences > 0 ? explain(r, err) : 0;
}

static int run_all(const void *text, size_t len, const struct running *how, const struct policy *const *policies, size_t n,
                   struct policy_case **out, size_t *n_out, struct err *err)
{
    struct arena *arena = how->arena;
    static const struct json_opts opts = { .max_values = VALUES_MAX };
    const struct json *docs;
    size_t n_docs, n_cases = 0;

    if (yaml_parse_all(arena, text, len, &opts, CASES_MAX, &docs, &n_docs, err) != 0)
        return -1;
    struct policy_case *cases = arena_array(arena, n_docs, sizeof *cases);
    if (cases == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n_docs; i++) {
        struct running r = { .files = how->files, .arena = arena, .only_explain = how->only_explain, .out = &cases[n_cases],
                             .differences = arena_array(arena, DIFFERENCES_MAX, sizeof *r.differences) };
        unsigned column;
        if (docs[i].type == JSON_NULL)
            continue;
        if (r.differences == NULL)
            return err_nomem(err);
        json_position(text, len, docs[i].offset, &cases[n_cases].line, &column);
        if (run_case(&r, &docs[i], policies, n, err) != 0)
            differs(&r, err->kind == ERR_UNAVAILABLE ? NULL : arena_strdup(arena, err->msg));
        if (r.failed)
            return err_nomem(err);
        cases[n_cases].differences = r.differences;
        cases[n_cases].n_differences = r.n_differences;
        cases[n_cases++].passed = r.n_differences == 0;
    }
    *out = cases;
    *n_out = n_cases;
    return 0;
}

int policy_test_run(const void *text, size_t len, const struct policy_test_files *files, const struct policy *const *policies,
                    size_t n, struct arena *arena, struct policy_case **out, size_t *n_out, struct err *err)
{
    const struct running how = { .files = files, .arena = arena };

    return run_all(text, len, &how, policies, n, out, n_out, err);
}

int policy_test_explain(const void *text, size_t len, const struct policy *const *policies, size_t n, struct arena *arena,
                        struct policy_case **out, size_t *n_out, struct err *err)
{
    const struct running how = { .arena = arena, .only_explain = true };

    return run_all(text, len, &how, policies, n, out, n_out, err);
}
