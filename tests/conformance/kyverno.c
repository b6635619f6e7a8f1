/* kyverno.c - Kyverno's ValidatingPolicy against its authors' own tests:
 * `kyverno FOLDER` reads every .kyverno-test/kyverno-test.yaml below
 * FOLDER/kyverno.  A policy that is refused because it needs a cluster or a
 * registry is named, and its results are not counted. */
#include "core/policy.h"
#include "tests/conformance/set/set.h"
#include "wire/yaml.h"

#include <ftw.h>

enum { MAX_TESTS = 5000, MAX_POLICIES = 50, MAX_RESOURCES = 5000, DOCS = 5000 };

struct tested_policy {
    const char *name;
    struct policy *policy;             /* NULL: refused */
    const char *refusal;
};
struct test {
    struct set *set;
    const char *folder;                /* relative to the set */
    const struct json *doc, *values, *user;
    struct tested_policy policies[MAX_POLICIES]; size_t n_policies;
    const struct json *resources[MAX_RESOURCES]; size_t n_resources;
};

static struct { char *paths[MAX_TESTS]; size_t n; size_t root_len; } found;
static unsigned n_unsupported;

static int note_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)ftw;
    if (type == FTW_F && str_ends(path, "/.kyverno-test/kyverno-test.yaml") && found.n < MAX_TESTS)
        found.paths[found.n++] = strdup(path + found.root_len + 1);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t read_docs(struct test *t, const char *relative, const struct json **docs)
{
    char path[500];
    struct err err = { 0 };
    size_t n = 0;

    snprintf(path, sizeof path, "%s/%s", t->folder, relative);
    struct bytes text = set_read(t->set, path);
    if (text.ptr == NULL || yaml_parse_all(&t->set->arena, text.ptr, text.len, NULL, DOCS, docs, &n, &err) != 0) {
        printf("kyverno: %s: unreadable: %s\n", path, text.ptr == NULL ? "no such file" : err.msg);
        return 0;
    }
    return n;
}

/* A file may hold several policies: each is compiled for itself. */
static void read_policy(struct test *t, const struct json *doc)
{
    struct buf text;
    struct err err = { 0 };
    struct tested_policy *p = &t->policies[t->n_policies];

    if (t->n_policies == MAX_POLICIES || strstr(json_get_str(doc, "kind", ""), "ValidatingPolicy") == NULL)
        return;
    buf_init(&text, 1 << 20);
    yaml_print(doc, &text);
    p->name = json_str(json_path(doc, "metadata.name"), "?");
    if (policy_compile(text.ptr, text.len, &t->set->arena, NULL, &p->policy, &err) != 0) {
        p->policy = NULL;
        p->refusal = arena_strdup(&t->set->arena, err.msg);
    }
    buf_free(&text);
    t->n_policies++;
}

static void read_resource(struct test *t, const struct json *doc)
{
    if (str_eq(json_get_str(doc, "kind", ""), "List")) {
        for (uint32_t i = 0; i < json_len(json_get(doc, "items")); i++)
            read_resource(t, json_at(json_get(doc, "items"), i));
    } else if (doc->type == JSON_OBJECT && t->n_resources < MAX_RESOURCES) {
        t->resources[t->n_resources++] = doc;
    }
}

static void read_files(struct test *t, const char *key, void (*read)(struct test *, const struct json *))
{
    const struct json *list = json_get(t->doc, key), *docs;

    for (uint32_t i = 0; i < json_len(list); i++) {
        size_t n = read_docs(t, json_str(json_at(list, i), ""), &docs);
        for (size_t k = 0; k < n; k++)
            read(t, &docs[k]);
    }
}

static const struct json *read_one(struct test *t, const char *key)
{
    const struct json *docs;
    const char *file = json_get_str(t->doc, key, NULL);

    return file != NULL && read_docs(t, file, &docs) > 0 ? &docs[0] : NULL;
}

/* ---- one result --------------------------------------------------------------------- */

static const struct json *namespace_of(const struct test *t, const char *name)
{
    const struct json *list = json_get(t->values, "namespaces");

    for (uint32_t i = 0; i < json_len(list); i++) {
        if (str_eq(json_str(json_path(json_at(list, i), "metadata.name"), ""), name))
            return json_at(list, i);
    }
    return NULL;
}

static const char *value_in(const struct json *values, const char *key)
{
    return json_str(json_get(values, key), NULL);
}

/* values: of the policy and the resource, else of all. */
static const char *operation_of(const struct test *t, const char *policy, const char *resource)
{
    const struct json *policies = json_get(t->values, "policies");
    const char *all = value_in(json_get(t->values, "globalValues"), "request.operation");

    for (uint32_t i = 0; i < json_len(policies); i++) {
        const struct json *p = json_at(policies, i), *list = json_get(p, "resources");
        for (uint32_t k = 0; str_eq(json_get_str(p, "name", ""), policy) && k < json_len(list); k++) {
            const char *own = value_in(json_get(json_at(list, k), "values"), "request.operation");
            if (own != NULL && str_eq(json_get_str(json_at(list, k), "name", ""), resource))
                return own;
        }
    }
    return all != NULL ? all : "CREATE";
}

static struct json_member *with_member(struct arena *a, const struct json *object, const char *key, struct json value, struct json *out)
{
    uint32_t n = json_n_members(object);
    struct json_member *m = arena_array(a, n + 1, sizeof *m);

    for (uint32_t i = 0; i < n; i++)
        m[i] = object->members[i];
    m[n] = (struct json_member){ .key = key, .key_len = (uint32_t)strlen(key), .value = value };
    *out = (struct json){ .type = JSON_OBJECT, .n = n + 1, .members = m };
    return m;
}

/* The request as the server would send it: with the user the test names. */
static const struct json *request_json(const struct test *t, const struct policy_request *r)
{
    struct arena *a = &t->set->arena;
    struct json *out = arena_alloc(a, sizeof *out);
    struct buf b;
    struct err err = { 0 };
    struct jsonw w;

    buf_init(&b, 1 << 20);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    for (int i = 0; i < 2; i++) {
        jsonw_key(&w, i == 0 ? "kind" : "resource");
        jsonw_object(&w);
        jsonw_kstr(&w, "group", r->group);
        jsonw_kstr(&w, "version", r->version);
        jsonw_kstr(&w, i == 0 ? "kind" : "resource", i == 0 ? r->kind : r->resource);
        jsonw_object_end(&w);
    }
    jsonw_kstr(&w, "operation", r->operation);
    jsonw_kstr(&w, "name", r->name);
    if (r->namespace[0] != '\0')
        jsonw_kstr(&w, "namespace", r->namespace);
    jsonw_object_end(&w);
    if (b.failed || json_parse(a, b.ptr, b.len, NULL, out, &err) != 0)
        abort();
    buf_free(&b);
    const struct json *user = json_get(t->user, "userInfo");
    struct json with_user;
    with_member(a, out, "userInfo", user != NULL ? *user : (struct json){ .type = JSON_OBJECT }, &with_user);
    *out = with_user;
    return out;
}

/* Kubernetes puts a namespace into every object that can have one. */
static const struct json *in_namespace(struct test *t, const struct json *object, const char *namespace)
{
    const struct json *metadata = json_get(object, "metadata");
    struct json *out = arena_alloc(&t->set->arena, sizeof *out), inner;

    if (namespace[0] == '\0' || json_get(metadata, "namespace") != NULL || metadata == NULL)
        return object;
    with_member(&t->set->arena, metadata, "namespace",
                (struct json){ .type = JSON_STRING, .n = (uint32_t)strlen(namespace), .string = namespace }, &inner);
    struct json_member *m = arena_array(&t->set->arena, object->n, sizeof *m);
    memcpy(m, object->members, object->n * sizeof *m);
    for (uint32_t i = 0; i < object->n; i++) {
        if (str_eq(m[i].key, "metadata"))
            m[i].value = inner;
    }
    *out = *object;
    out->members = m;
    return out;
}

static void judge(struct test *t, const struct tested_policy *p, const struct json *object, const char *expected)
{
    const struct policy *items[] = { p->policy };
    const struct policy_set set = { .items = items, .n = 1 };
    struct policy_request request;
    struct policy_explanation why;
    struct err err = { 0 };
    char where[512];
    const char *name = json_str(json_path(object, "metadata.name"), "");

    if (policy_request_of(object, operation_of(t, p->name, name), &t->set->arena, &request, &err) != 0)
        abort();
    object = in_namespace(t, object, request.namespace);
    bool deletes = str_eq(request.operation, "DELETE"), updates = str_eq(request.operation, "UPDATE");
    const struct policy_input in = { .stage = STAGE_DEPLOY, .object = deletes ? NULL : object,
        .old_object = deletes || updates ? object : NULL, .request = request_json(t, &request), .target = &request,
        .namespace = request.namespace, .namespace_object = namespace_of(t, request.namespace), .namespace_labels_known = true };
    if (policy_explain(&set, &in, &t->set->arena, &why, &err) != 0)
        abort();
    snprintf(where, sizeof where, "%s: %s %s/%s", t->folder, p->name, request.kind, name);
    set_check(t->set, where, expected, policy_result_words[why.results[0]], why.n > 0 ? why.items[0].text : "");
}

static bool is_named(const struct json *object, const char *wanted)
{
    const struct json *metadata = json_get(object, "metadata");
    const char *slash = strchr(wanted, '/'), *name = json_get_str(metadata, "name", ""), *ns = json_get_str(metadata, "namespace", "default");

    if (slash == NULL)
        return str_eq(name, wanted);
    return str_eq(name, slash + 1) && strlen(ns) == (size_t)(slash - wanted) && memcmp(ns, wanted, strlen(ns)) == 0;
}

static void run_named(struct test *t, const struct tested_policy *p, const struct json *result, const char *wanted)
{
    const char *expected = json_get_str(result, "result", "?"), *kind = json_get_str(result, "kind", NULL);
    bool any = false;

    for (size_t i = 0; i < t->n_resources; i++) {
        if ((kind != NULL && !str_eq(json_get_str(t->resources[i], "kind", ""), kind)) || (wanted != NULL && !is_named(t->resources[i], wanted)))
            continue;
        judge(t, p, t->resources[i], expected);
        any = true;
    }
    if (!any)
        printf("kyverno: %s: %s: no resource %s %s, nothing compared\n", t->folder, p->name, kind, wanted != NULL ? wanted : "");
}

static void run_result(struct test *t, const struct json *result)
{
    const char *policy = json_get_str(result, "policy", "");
    const struct json *resources = json_get(result, "resources");
    const struct tested_policy *p = NULL;

    for (size_t i = 0; i < t->n_policies && p == NULL; i++) {
        /* "namespace/name" names a namespaced policy */
        const char *slash = strrchr(policy, '/');
        if (str_eq(t->policies[i].name, slash != NULL ? slash + 1 : policy))
            p = &t->policies[i];
    }
    if (p == NULL || p->policy == NULL) {
        n_unsupported += p != NULL && json_len(resources) > 0 ? json_len(resources) : 1;
        return;
    }
    for (uint32_t i = 0; i < json_len(resources); i++)
        run_named(t, p, result, json_str(json_at(resources, i), ""));
    if (json_len(resources) == 0)
        run_named(t, p, result, json_get_str(result, "resource", NULL));
}

static void run_test(struct set *s, const char *path)
{
    struct test *t = calloc(1, sizeof *t);
    const struct json *docs;
    size_t n = strlen(path) - strlen("/kyverno-test.yaml");

    if (t == NULL)
        abort();
    t->set = s;
    t->folder = arena_strndup(&s->arena, path, n);
    if (read_docs(t, "kyverno-test.yaml", &docs) > 0) {
        t->doc = &docs[0];
        t->values = read_one(t, "variables");
        t->user = read_one(t, "userinfo");
        read_files(t, "policies", read_policy);
        read_files(t, "resources", read_resource);
        for (size_t i = 0; i < t->n_policies; i++) {
            if (t->policies[i].policy == NULL)
                printf("kyverno: %s: unsupported: %s: %s\n", t->folder, t->policies[i].name, t->policies[i].refusal);
        }
        for (uint32_t i = 0; i < json_len(json_get(t->doc, "results")); i++)
            run_result(t, json_at(json_get(t->doc, "results"), i));
    }
    free(t);
}

int main(int argc, char **argv)
{
    struct set s;

    set_open(&s, argc, argv, "kyverno");
    found.root_len = strlen(s.root);
    if (nftw(s.root, note_file, 16, FTW_PHYS) != 0)
        return set_close(&s);
    qsort(found.paths, found.n, sizeof found.paths[0], by_name);
    for (size_t i = 0; i < found.n; i++) {
        run_test(&s, found.paths[i]);
        free(found.paths[i]);
    }
    if (n_unsupported > 0)
        printf("kyverno: %u results of unsupported policies were not compared\n", n_unsupported);
    return set_close(&s);
}
