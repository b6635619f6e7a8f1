/* admission.c - reading reviews; see admission.h. */
#include "core/admission.h"

#include "base/str.h"
#include "wire/json_util.h"
#include "wire/msg/fields.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 << 10, NAMED_CONTAINERS = 3 };

const char *const admission_skip_words[] = {
    "judged", "operation", "subresource", "excluded namespace", "no pods", "containers unchanged", NULL,
};

/* ---- the envelope: what Kubernetes declares, nothing of what objects are made of ---- */

struct kind_doc { const char *group, *version, *kind, *resource; };
struct user_doc { const char *username; };
struct request_doc {
    const char *uid, *sub_resource, *name, *namespace, *operation;
    const struct kind_doc *kind, *resource;
    const struct user_doc *user;
    const struct json *object, *old_object;
    bool dry_run;
};
struct review_doc { const char *kind, *api_version; const struct request_doc *request; };

#define LONG_TEXT(k, T, member, text) { .key = k, .type = FIELD_TEXT, .off = offsetof(T, member), .max = TEXT_MAX, .doc = text }
#define OPEN_SHAPE(variable, label, T, table) \
    const struct shape variable = { .name = label, .size = sizeof(T), .fields = table, .n_fields = N_OF(table), .open = true }
#define ANY_F(k, T, member, text) { .key = k, .type = FIELD_ANY, .off = offsetof(T, member), .doc = text }

static const struct field kind_fields[] = {
    LONG_TEXT("group", struct kind_doc, group, "API group."),
    LONG_TEXT("version", struct kind_doc, version, "Its version."),
    LONG_TEXT("kind", struct kind_doc, kind, "Of a kind."),
    LONG_TEXT("resource", struct kind_doc, resource, "Of a resource."),
};
static OPEN_SHAPE(kind_shape, "admission_kind", struct kind_doc, kind_fields);
static const struct field user_fields[] = { LONG_TEXT("username", struct user_doc, username, "Who asks.") };
static OPEN_SHAPE(user_shape, "admission_user", struct user_doc, user_fields);
static const struct field request_fields[] = {
    LONG_TEXT("uid", struct request_doc, uid, "Echoed."),
    OBJECT_F("kind", struct request_doc, kind, kind_shape, "Of the object."),
    OBJECT_F("resource", struct request_doc, resource, kind_shape, "That is changed."),
    LONG_TEXT("subResource", struct request_doc, sub_resource, "Of the resource."),
    LONG_TEXT("name", struct request_doc, name, "Of the object; empty when it will be generated."),
    LONG_TEXT("namespace", struct request_doc, namespace, "Of the object."),
    LONG_TEXT("operation", struct request_doc, operation, "CREATE, UPDATE, DELETE, CONNECT."),
    OBJECT_F("userInfo", struct request_doc, user, user_shape, "Who asks."),
    ANY_F("object", struct request_doc, object, "As it would be."),
    ANY_F("oldObject", struct request_doc, old_object, "As it is."),
    BOOL_F("dryRun", struct request_doc, dry_run, "Nothing will be stored."),
};
static OPEN_SHAPE(request_shape, "admission_request", struct request_doc, request_fields);
static const struct field review_fields[] = {
    { .key = "kind", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct review_doc, kind), .doc = "AdmissionReview" },
    { .key = "apiVersion", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct review_doc, api_version), .doc = "admission.k8s.io/v1" },
    { .key = "request", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .off = offsetof(struct review_doc, request), .inner = &request_shape, .doc = "What is asked." },
};
static OPEN_SHAPE(review_shape, "admission_review", struct review_doc, review_fields);

static const char *text_or(const char *s, const char *otherwise)
{
    return s != NULL && *s != '\0' ? s : otherwise;
}

/* ---- is it judged? ------------------------------------------------------------------ */

static bool is_one_of(const char *const *list, const char *text)
{
    for (; *list != NULL; list++) {
        if (str_eq(*list, text))
            return true;
    }
    return false;
}

static bool is_excluded(const struct admission_scope *scope, const char *namespace)
{
    for (size_t i = 0; scope != NULL && i < scope->n_excluded; i++) {
        if (*namespace != '\0' && str_match(scope->excluded[i], namespace))
            return true;
    }
    return false;
}

static bool same(const struct json *a, const struct json *b)
{
    return a == NULL || b == NULL ? a == b : json_same(a, b);
}

/* Of a Pod hardly anything else can change, and what can (tolerations, a deadline)
 * must stay possible; a template may become privileged with the same containers. */
static bool is_unchanged(const struct workload *now, const struct json *old_object)
{
    struct workload old;

    if (!json_is(old_object, JSON_OBJECT) || !workload_read(old_object, &old) || !str_eq(old.kind, now->kind) || now->spec == NULL)
        return false;
    if (!now->is_pod)
        return same(now->spec, old.spec);
    for (int i = 0; i < CONTAINER_TYPE_N; i++) {
        if (!same(json_get(now->spec, container_lists[i]), json_get(old.spec, container_lists[i])))
            return false;
    }
    return true;
}

static enum admission_skip skip_of(struct admission_review *r, const struct admission_scope *scope)
{
    static const char *const ignored[] = { "exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status", NULL };

    if (!str_eq(r->operation, "CREATE") && !str_eq(r->operation, "UPDATE"))
        return ADMISSION_OPERATION;
    if (is_one_of(ignored, r->sub_resource))
        return ADMISSION_SUBRESOURCE;
    if (is_excluded(scope, r->namespace))
        return ADMISSION_NAMESPACE;
    if (!workload_read(r->object, &r->workload))
        return ADMISSION_NO_PODS;
    if (str_eq(r->operation, "UPDATE") && is_unchanged(&r->workload, r->old_object))
        return ADMISSION_UNCHANGED;
    return ADMISSION_JUDGED;
}

/* ---- reading -------------------------------------------------------------------------- */

static const char *name_of(const struct request_doc *d)
{
    const struct json *metadata = json_get(d->object, "metadata");
    const char *name = text_or(d->name, json_get_str(metadata, "name", ""));

    return text_or(name, json_get_str(metadata, "generateName", ""));
}

int admission_read(const struct json *doc, const struct admission_scope *scope, struct arena *arena,
                   struct complaints *all, struct admission_review *out, struct err *err)
{
    static const char *const versions[] = { "admission.k8s.io/v1", "admission.k8s.io/v1beta1" };
    struct review_doc d = { 0 };
    struct admission_review r = { .kind = "AdmissionReview" };

    if (shape_decode(&review_shape, doc, arena, &d, all, err) != 0)
        return -1;
    if (!str_eq(d.kind, "AdmissionReview"))
        return err_set(err, ERR_INVALID, "$.kind: expected AdmissionReview, found %.80s", d.kind);
    for (size_t i = 0; i < N_ITEMS(versions); i++)
        r.api_version = str_eq(d.api_version, versions[i]) ? versions[i] : r.api_version;
    if (r.api_version == NULL)
        return err_set(err, ERR_INVALID, "$.apiVersion: expected admission.k8s.io/v1 or admission.k8s.io/v1beta1, found %.80s", d.api_version);
    const struct request_doc *q = d.request;
    r.uid = text_or(q->uid, "");
    r.operation = text_or(q->operation, "");
    r.sub_resource = text_or(q->sub_resource, "");
    r.namespace = text_or(q->namespace, "");
    r.username = q->user != NULL ? text_or(q->user->username, "") : "";
    r.object_kind = text_or(q->kind != NULL ? q->kind->kind : NULL, json_get_str(q->object, "kind", ""));
    r.name = name_of(q);
    r.dry_run = q->dry_run;
    r.request = json_get(doc, "request");
    r.object = json_is(q->object, JSON_OBJECT) ? q->object : NULL;
    r.old_object = json_is(q->old_object, JSON_OBJECT) ? q->old_object : NULL;
    r.skip = skip_of(&r, scope);
    *out = r;
    return 0;
}

struct image_spec_doc { const char *namespace; const struct json *containers, *annotations; };
struct image_review_doc { const char *kind, *api_version; const struct image_spec_doc *spec; };
static const struct field image_spec_fields[] = {
    LONG_TEXT("namespace", struct image_spec_doc, namespace, "Of the pod."),
    ANY_F("containers", struct image_spec_doc, containers, "With an image each."),
    ANY_F("annotations", struct image_spec_doc, annotations, "Those meant for us."),
};
static OPEN_SHAPE(image_spec_shape, "image_review_spec", struct image_spec_doc, image_spec_fields);
static const struct field image_review_fields[] = {
    { .key = "kind", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct image_review_doc, kind), .doc = "ImageReview" },
    { .key = "apiVersion", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct image_review_doc, api_version), .doc = "imagepolicy.k8s.io/v1alpha1" },
    { .key = "spec", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .off = offsetof(struct image_review_doc, spec), .inner = &image_spec_shape, .doc = "What is asked." },
};
static OPEN_SHAPE(image_review_shape, "image_review", struct image_review_doc, image_review_fields);

int image_review_read(const struct json *doc, const struct admission_scope *scope, struct arena *arena,
                      struct complaints *all, struct admission_review *out, struct err *err)
{
    static const char version[] = "imagepolicy.k8s.io/v1alpha1";
    struct image_review_doc d = { 0 };

    if (shape_decode(&image_review_shape, doc, arena, &d, all, err) != 0)
        return -1;
    if (!str_eq(d.kind, "ImageReview"))
        return err_set(err, ERR_INVALID, "$.kind: expected ImageReview, found %.80s", d.kind);
    if (!str_eq(d.api_version, version))
        return err_set(err, ERR_INVALID, "$.apiVersion: expected %s, found %.80s", version, d.api_version);
    const char *namespace = text_or(d.spec->namespace, "");
    *out = (struct admission_review){
        .kind = "ImageReview", .api_version = version, .uid = "", .operation = "CREATE", .object_kind = "Pod", .name = "",
        .namespace = namespace, .username = "", .sub_resource = "",
        .skip = is_excluded(scope, namespace) ? ADMISSION_NAMESPACE : ADMISSION_JUDGED,
        .workload = { .kind = "Pod", .group = "", .namespace = namespace, .spec_path = "$.spec", .is_pod = true },
        .image_spec = json_get(doc, "spec"),
    };
    return 0;
}

/* ---- images --------------------------------------------------------------------------- */

struct use { const char *container, *reference; size_t order; };

static int by_reference(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    int order = strcmp(x->reference, y->reference);

    return order != 0 ? order : x->order < y->order ? -1 : x->order > y->order;
}

static size_t gather(const struct admission_review *r, struct use *uses)
{
    const struct json *spec = r->image_spec != NULL ? r->image_spec : r->workload.spec;
    struct container_walk walk = { 0 };
    size_t n = 0;

    while (container_next(spec, &walk)) {
        if (uses != NULL)
            uses[n] = (struct use){ json_get_str(walk.container, "name", ""), json_get_str(walk.container, "image", ""), n };
        n++;
    }
    return n;
}

/* The names of the containers of one image, the first few written out. */
static const char *containers_text(const struct use *uses, size_t n, struct arena *arena)
{
    const char *text = uses[0].container;

    for (size_t i = 1; i < n && i < NAMED_CONTAINERS && text != NULL; i++)
        text = arena_printf(arena, "%s, %s", text, uses[i].container);
    if (n > NAMED_CONTAINERS && text != NULL)
        text = arena_printf(arena, "%s and %zu more", text, n - NAMED_CONTAINERS);
    return text;
}

struct placed { struct admission_image image; size_t order; };

static int by_order(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    return x->order < y->order ? -1 : x->order > y->order;
}

int admission_images(const struct admission_review *review, struct arena *arena, struct admission_image **out, size_t *n,
                     struct err *err)
{
    size_t n_uses = gather(review, NULL), count = 0;
    struct use *uses = arena_array(arena, n_uses, sizeof *uses);
    struct placed *placed = arena_array(arena, n_uses, sizeof *placed);
    struct admission_image *images = arena_array(arena, n_uses, sizeof *images);

    if (uses == NULL || placed == NULL || images == NULL)
        return err_nomem(err);
    gather(review, uses);
    if (n_uses > 1)
        qsort(uses, n_uses, sizeof *uses, by_reference);
    for (size_t i = 0, next; i < n_uses; i = next) {
        for (next = i + 1; next < n_uses && strcmp(uses[next].reference, uses[i].reference) == 0;)
            next++;
        const char *text = containers_text(&uses[i], next - i, arena);
        if (text == NULL)
            return err_nomem(err);
        placed[count++] = (struct placed){ { .container = text, .reference = uses[i].reference }, uses[i].order };
    }
    if (count > 1)
        qsort(placed, count, sizeof *placed, by_order);
    for (size_t i = 0; i < count; i++)
        images[i] = placed[i].image;
    *out = images;
    *n = count;
    return 0;
}

const char *admission_break_glass(const struct admission_review *r)
{
    const char *reason = r->image_spec != NULL
        ? json_get_str(json_get(r->image_spec, "annotations"), ADMISSION_BREAK_GLASS_IMAGE, NULL)
        : json_get_str(r->workload.object_annotations, ADMISSION_BREAK_GLASS, json_get_str(r->workload.annotations, ADMISSION_BREAK_GLASS, NULL));

    return reason != NULL && reason[strspn(reason, " \t\r\n")] != '\0' ? reason : NULL;
}
