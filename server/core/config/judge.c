/* judge.c - every reason why a configuration may not run, with its line. */
#include "core/config/rules.h"

#include "core/workload.h"
#include "model/severity.h"

#include <stdlib.h>
#include <string.h>

/* ---- reasons -------------------------------------------------------------------------- */

struct check_reason *found_add(struct found *f, uint32_t at, struct check_reason one)
{
    if (f->n == CONFIG_REASONS_MAX)
        f->truncated = true;
    if (f->failed || f->truncated)
        return NULL;
    if (f->n == f->cap) {
        size_t cap = f->cap == 0 ? 32 : f->cap * 2;
        struct check_reason *more = arena_array(f->arena, cap, sizeof *more);
        if (more == NULL) {
            f->failed = true;
            return NULL;
        }
        if (f->n > 0)
            memcpy(more, f->items, f->n * sizeof *more);
        f->items = more;
        f->cap = cap;
    }
    struct place p = config_place(f->config, at);
    one.at = at;
    one.file = p.file;
    one.line = p.line;
    one.column = p.column;
    f->failed |= one.message == NULL || one.path == NULL;
    f->items[f->n] = one;
    return &f->items[f->n++];
}

/* Where it begins with the same text: a step of the path, seen from the document. */
static const char *document_path(struct found *f, const struct config_object *o, const char *path)
{
    return str_eq(o->root, "$") ? path : arena_printf(f->arena, "%s%s", o->root, path + 1);
}

/* ---- Pod Security Standards ---------------------------------------------------------------- */

static int judge_pod_security(struct found *f, const struct config_object *o, const struct config_judge *how, int minor, struct err *err)
{
    const char *version = how->pss_version != NULL ? how->pss_version : "latest";
    struct pss_violation *strict, *loose;
    size_t n_strict, n_loose;

    if (pss_check(o->object, how->fail_at, minor, f->arena, &loose, &n_loose, err) != 0 ||
        pss_check(o->object, how->warn_at, minor, f->arena, &strict, &n_strict, err) != 0)
        return -1;
    for (size_t i = 0; i < n_loose + n_strict && !f->failed; i++) {
        bool fails = i < n_loose;
        const struct pss_violation *v = fails ? &loose[i] : &strict[i - n_loose];
        bool said = false;
        for (size_t k = 0; k < n_loose && !fails; k++)
            said |= str_eq(loose[k].id, v->id);
        if (said)
            continue;
        const char *level = pss_level_words[fails ? how->fail_at : how->warn_at];
        const char *message = arena_printf(f->arena, "violates %s:%s: %s%s%s%s", level, version, v->reason, *v->detail != '\0' ? " (" : "", v->detail,
                                           *v->detail != '\0' ? ")" : "");
        for (size_t k = 0; k < v->n_places || k == 0; k++) {
            const struct pss_place *p = k < v->n_places ? &v->places[k] : NULL;
            found_add(f, p != NULL && p->at != NULL ? p->at->offset : o->at, (struct check_reason){
                .object = o->name, .policy = "pod-security", .rule = v->id, .severity = fails ? SEVERITY_HIGH : SEVERITY_MEDIUM,
                .effect = fails ? DECISION_FAIL : DECISION_WARN, .message = message,
                .path = p != NULL ? document_path(f, o, p->path) : o->root, .remediation = NULL });
        }
    }
    return 0;
}

/* ---- order ---------------------------------------------------------------------------------- */

static int weight_of(int effect)
{
    static const int weight[DECISION_N] = { [DECISION_FAIL] = 0, [DECISION_UNKNOWN] = 1, [DECISION_WARN] = 2, [DECISION_PASS] = 3 };

    return weight[effect];
}

/* ---- policies ---------------------------------------------------------------------------------- */

static const struct json *container_named(const struct json *spec, const char *where)
{
    struct container_walk walk = { 0 };

    while (container_next(spec, &walk)) {
        const char *name = json_get_str(walk.container, "name", NULL);
        size_t len = name != NULL ? strlen(name) : 0;
        if (len > 0 && strncmp(where, "container ", 10) == 0 && strncmp(where + 10, name, len) == 0 && where[10 + len] == ' ')
            return json_get(walk.container, "image");
    }
    return NULL;
}

/* What Keep's own policies say of a container's settings, the native rules say, too. */
static bool is_covered(const char *policy)
{
    static const char *const names[] = {
        "privileged-host-access", "container-engine-socket", "mutable-tags",
        "unpinned-images", "resource-limits", "secrets-in-environment", "automounted-tokens",
    };

    for (size_t i = 0; i < N_ITEMS(names); i++) {
        if (str_eq(names[i], policy))
            return true;
    }
    return false;
}

/* Said already, of the same place, at least as strictly: from reason `from` on. */
static bool is_said(const struct found *f, size_t from, const struct config_object *o, const struct reason *reason, uint32_t at)
{
    if (o->box == NULL)
        return false;
    /* Kubernetes' standards forbid every bind mount and published port, which is how Compose works. */
    if (str_starts(reason->policy, "pod-security-"))
        return true;
    if (!is_covered(reason->policy))
        return false;
    for (size_t i = from; i < f->n; i++) {
        if (f->items[i].at == at && str_eq(f->items[i].policy, "configuration") && weight_of(f->items[i].effect) <= weight_of(reason->effect))
            return true;
    }
    return false;
}

/* A reason says where by a path, or by the container; else the object is meant. */
static void add_policy_reason(struct found *f, size_t from, const struct config_object *o, const struct reason *reason, const struct workload *w)
{
    const struct json *at = NULL;
    const char *path = o->root;

    if (reason->where != NULL && *reason->where == '$') {
        at = path_walk(o->object, reason->where);
        path = o->box == NULL ? document_path(f, o, reason->where) : o->root;
    } else if (reason->where != NULL) {
        at = container_named(w->spec, reason->where);
    }
    uint32_t place = at != NULL ? at->offset : o->at;
    if (is_said(f, from, o, reason, place))
        return;
    found_add(f, place, (struct check_reason){
        .object = o->name, .policy = reason->policy, .rule = reason->rule, .severity = reason->severity, .effect = reason->effect,
        .message = reason->where != NULL && *reason->where != '$' ? arena_printf(f->arena, "%s: %s", reason->where, reason->message) : reason->message,
        .path = path, .remediation = reason->remediation });
}

static int judge_policies(struct found *f, size_t from, const struct config_object *o, const struct config_judge *how, struct err *err)
{
    struct policy_image *images = arena_array(f->arena, o->n_images, sizeof *images);
    struct workload w;
    struct verdict v;

    if (images == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < o->n_images; i++) {
        const struct config_image *m = &o->images[i];
        images[i] = (struct policy_image){ .container = m->container, .reference = m->reference,
                                           .facts = m->is_known && how->facts != NULL ? how->facts(how->data, m->reference) : NULL };
    }
    if (!workload_read(o->object, &w))
        return 0;
    struct policy_input in = {
        .stage = STAGE_DEPLOY, .images = images, .n_images = o->n_images, .object = o->object, .cluster = how->cluster,
        .namespace = w.namespace != NULL ? w.namespace : how->namespace, .labels = w.labels, .exceptions = how->exceptions,
        .n_exceptions = how->n_exceptions, .now_ms = how->now_ms,
    };
    if (verdict_decide(how->policies, &in, f->arena, &v, err) != 0)
        return -1;
    for (size_t i = 0; i < v.n_reasons && !f->failed && !f->truncated; i++)
        add_policy_reason(f, from, o, &v.reasons[i], &w);
    return 0;
}

/* ---- all ------------------------------------------------------------------------------------------- */

void box_judge(const struct box *b, const char *object, struct found *f)
{
    struct judging_box j = { b, object, f };

    judge_host(&j);
    judge_capabilities(&j);
    judge_walls(&j);
    judge_running(&j);
    judge_environment(&j);
}

static int by_weight(const void *a, const void *b)
{
    const struct check_reason *x = a, *y = b;

    if (x->effect != y->effect)
        return weight_of(x->effect) - weight_of(y->effect);
    if (x->severity != y->severity)
        return y->severity - x->severity;
    int order = (x->at > y->at) - (x->at < y->at);
    if (order == 0)
        order = strcmp(x->rule != NULL ? x->rule : "", y->rule != NULL ? y->rule : "");
    return order != 0 ? order : strcmp(x->path, y->path);
}

static int judge_object(struct found *f, const struct config_object *o, const struct config_judge *how, int minor, struct err *err)
{
    size_t from = f->n;

    if (o->box != NULL)
        box_judge(o->box, o->name, f);
    else if (!how->no_pod_security && judge_pod_security(f, o, how, minor, err) != 0)
        return -1;
    return how->policies != NULL && judge_policies(f, from, o, how, err) != 0 ? -1 : 0;
}

int config_judge(const struct config *c, const struct config_judge *how, struct arena *arena, struct check_answer *out, struct err *err)
{
    struct found f = { .arena = arena, .config = c };
    int minor = PSS_LATEST;

    if (how->pss_version != NULL && !pss_version_from_text(how->pss_version, &minor))
        return err_set(err, ERR_INVALID, "%.40s is no version of Kubernetes: latest, or like 1.30", how->pss_version);
    for (size_t i = 0; i < c->n_gaps; i++)
        rule_gap(&f, &c->gaps[i]);
    for (size_t i = 0; i < c->n_objects && !f.failed; i++) {
        if (judge_object(&f, &c->objects[i], how, minor, err) != 0)
            return -1;
    }
    if (f.failed)
        return err_nomem(err);
    if (f.n > 0)
        qsort(f.items, f.n, sizeof *f.items, by_weight);
    *out = (struct check_answer){ .decision = f.n > 0 ? f.items[0].effect : DECISION_PASS, .reasons = f.items, .n_reasons = f.n,
                                   .is_truncated = f.truncated,
                                   .objects = (int64_t)c->n_objects, .passed_over = (int64_t)c->n_other,
                                   .policy_version = how->policies != NULL ? how->policies->version : 0 };
    return 0;
}
