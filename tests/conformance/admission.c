/* admission.c - samples of reviews: every one is answered, by Kubernetes' rules.
 *
 * What a file is, it says itself (kind, apiVersion).  Samples of the three kinds
 * that carry a question must be answered, and the answer must hold what the API
 * server checks; a file that is anything else must be refused as no review. */
#include "tests/conformance/set/set.h"
#include "tests/support/admission_pure.h"

#include <dirent.h>

static bool is_review(const struct json *doc)
{
    const char *kind = json_get_str(doc, "kind", ""), *version = json_get_str(doc, "apiVersion", "");

    if (str_eq(kind, "ImageReview"))
        return str_eq(version, "imagepolicy.k8s.io/v1alpha1") && json_is(json_get(doc, "spec"), JSON_OBJECT);
    return str_eq(kind, "AdmissionReview") && json_is(json_get(doc, "request"), JSON_OBJECT) &&
           (str_eq(version, "admission.k8s.io/v1") || str_eq(version, "admission.k8s.io/v1beta1"));
}

static void run(struct set *s, struct pure *p, const char *name)
{
    struct bytes text = set_read(s, name);
    struct json doc;
    struct err err = { 0 };

    bool parsed = text.ptr != NULL && json_parse(&s->arena, text.ptr, text.len, &pure_opts, &doc, &err) == 0;
    bool expected = parsed && is_review(&doc), images = parsed && str_eq(json_get_str(&doc, "kind", ""), "ImageReview");
    int rc = text.ptr != NULL ? pure_review(p, text.ptr, text.len, images) : -1;
    set_check(s, name, expected ? "answered" : "refused", rc == 0 ? "answered" : rc == 1 ? "refused" : "failed", p->err.msg);
    if (rc != 0)
        return;
    const char *wrong = rules_check(&p->doc, &p->said);
    set_check(s, name, "by the rules", wrong == NULL ? "by the rules" : wrong, "the answer");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    struct set s;
    struct pure p;
    char *names[4096];
    size_t n = 0;

    set_open(&s, argc, argv, "admission");
    pure_init(&p);
    pure_shipped(&p);
    DIR *dir = opendir(s.root);
    for (struct dirent *e; dir != NULL && n < N_ITEMS(names) && (e = readdir(dir)) != NULL;) {
        if (str_ends(e->d_name, ".json"))
            names[n++] = arena_strdup(&s.arena, e->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++)
        run(&s, &p, names[i]);
    pure_clear(&p);
    return set_close(&s);
}
