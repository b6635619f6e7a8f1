/* policy.c - documents -> compiled policies, see policy.h: which kind it is, and
 * what is said when it is none. */
#include "core/policy.h"

#include "core/policy_internal.h"
#include "wire/yaml.h"

#include <string.h>

const char *const stage_words[] = { "build", "deploy", "run", NULL };
const char *const policy_mode_words[] = { "audit", "warn", "enforce", NULL };
const char *const policy_unknown_words[] = { "deny", "warn", "allow", NULL };
const char *const policy_kind_words[] = { "Policy", "ValidatingAdmissionPolicy", "ValidatingPolicy", NULL };
const char *const policy_result_words[] = { "skip", "pass", "fail", "error", "unknown", NULL };

enum { COMPLAINTS_MAX = 50, YAML_DEPTH = 64, YAML_VALUES = 100000 };

/* Which apiVersion goes with a kind; `versions` are separated by spaces. */
static const struct known_kind { const char *kind, *group, *versions; enum policy_kind is; bool is_binding; } kinds[] = {
    { "Policy", "keep", " v1 ", POLICY_KEEP, false },
    { "ValidatingAdmissionPolicy", "admissionregistration.k8s.io", " v1 v1beta1 v1alpha1 ", POLICY_VAP, false },
    { "ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io", " v1 v1beta1 v1alpha1 ", POLICY_VAP, true },
    { "ValidatingPolicy", "policies.kyverno.io", " v1alpha1 v1beta1 v1 ", POLICY_KYVERNO, false },
    { "NamespacedValidatingPolicy", "policies.kyverno.io", " v1alpha1 v1beta1 v1 ", POLICY_KYVERNO, false },
};

static bool has_version(const struct known_kind *k, const char *api_version)
{
    const char *slash = strchr(api_version, '/');
    size_t n = strlen(k->group);

    if (slash == NULL || (size_t)(slash - api_version) != n || memcmp(api_version, k->group, n) != 0)
        return false;
    const char *version = slash + 1;
    size_t len = strlen(version);
    for (const char *v = k->versions + 1; *v != '\0'; v += strcspn(v, " ") + 1) {
        if (strcspn(v, " ") == len && memcmp(v, version, len) == 0)
            return true;
    }
    return false;
}

static const struct known_kind *kind_of(struct compiler *c, const struct json *doc)
{
    const char *kind = json_get_str(doc, "kind", ""), *api_version = json_get_str(doc, "apiVersion", "");

    c->doc = doc;
    for (size_t i = 0; i < N_ITEMS(kinds); i++) {
        if (!str_eq(kinds[i].kind, kind))
            continue;
        if (has_version(&kinds[i], api_version))
            return &kinds[i];
        policy_wrong(c, "$.apiVersion", arena_printf(c->arena, "expected %s/%.*s for kind %s", kinds[i].group,
                                                     (int)strcspn(kinds[i].versions + 1, " "), kinds[i].versions + 1, kind));
        return NULL;
    }
    policy_wrong(c, "$.kind", "expected Policy (keep/v1), ValidatingAdmissionPolicy (admissionregistration.k8s.io/v1) or "
                              "ValidatingPolicy (policies.kyverno.io/v1alpha1)");
    return NULL;
}

/* Bindings belong to a policy of Kubernetes; of everything else there is one. */
static int compile_docs(struct compiler *c, const struct json *docs, size_t n)
{
    const struct known_kind *main_kind = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct known_kind *k = kind_of(c, &docs[i]);
        if (k == NULL)
            return 0;
        if (k->is_binding)
            continue;
        if (main_kind != NULL) {
            policy_wrong(c, "$", "a second policy: one at a time, with its bindings");
            return 0;
        }
        main_kind = k;
    }
    if (main_kind == NULL) {
        policy_wrong(c, "$", "a binding without its policy: both belong into one text");
        return 0;
    }
    c->policy->info.kind = main_kind->is;
    if (main_kind->is == POLICY_VAP)
        return policy_compile_vap(c, docs, n);
    if (n > 1) {
        policy_wrong(c, "$", "more than one document");
        return 0;
    }
    return main_kind->is == POLICY_KEEP ? policy_compile_keep(c) : policy_compile_kyverno(c);
}

/* Documents that are empty (a text that begins or ends with "---") do not count. */
static size_t without_empty(struct arena *arena, const struct json **docs, size_t n)
{
    struct json *kept = arena_array(arena, n, sizeof *kept);
    size_t n_kept = 0;

    if (kept == NULL)
        return n;
    for (size_t i = 0; i < n; i++) {
        if ((*docs)[i].type != JSON_NULL)
            kept[n_kept++] = (*docs)[i];
    }
    *docs = kept;
    return n_kept;
}

static int report(struct compiler *c, struct complaints *complaints, struct err *err)
{
    if (c->failed)
        return err_nomem(err);
    if (c->found.n == 0)
        return 0;
    const struct complaint *first = c->found.first;
    if (first == NULL)
        return err_nomem(err);
    err_set(err, ERR_INVALID, "%s: %s", first->path, first->message);
    for (const struct complaint *w = first; w != NULL && complaints != NULL; w = w->next)
        complain(complaints, w->offset, w->path, "%s", w->message);
    return -1;
}

int policy_compile(const void *text, size_t len, struct arena *arena, struct complaints *complaints,
                   struct policy **out, struct err *err)
{
    static const struct json_opts opts = { .max_depth = YAML_DEPTH, .max_values = YAML_VALUES };
    struct policy *p = arena_alloc(arena, sizeof *p);
    struct compiler c = { .arena = arena, .policy = p, .text = text, .len = len,
                          .found = { .arena = arena, .max = COMPLAINTS_MAX } };
    const struct json *docs;
    size_t n;

    if (p == NULL)
        return err_nomem(err);
    if (len > POLICY_TEXT_MAX)
        return err_set(err, ERR_TOO_LARGE, "a policy has at most %d bytes", POLICY_TEXT_MAX);
    if (yaml_parse_all(arena, text, len, &opts, POLICY_DOCS_MAX, &docs, &n, err) != 0)
        return -1;
    n = without_empty(arena, &docs, n);
    if (n == 0)
        return err_set(err, ERR_INVALID, "the text holds no document");
    if (compile_docs(&c, docs, n) != 0)
        c.failed = true;
    if (report(&c, complaints, err) != 0)
        return -1;
    *out = p;
    return 0;
}

const struct policy_info *policy_info(const struct policy *p)
{
    return &p->info;
}
