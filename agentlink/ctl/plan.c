/* plan.c - see plan.h. */
#include "ctl/plan.h"

#include "client/url.h"
#include "core/policy.h"
#include "ctl/compare.h"
#include "wire/jsonw.h"
#include "wire/msg/allowance.h"
#include "wire/msg/exception.h"
#include "wire/msg/fleet.h"
#include "wire/msg/signer.h"
#include "wire/yaml.h"

#include <string.h>

enum { KEYS = 8, BODY_MAX = 1024 * 1024 };

/* What a change of something that is there means. */
enum on_change { CHANGE_REFUSED = 0, CHANGE_POST, CHANGE_ADD_THEN_END, CHANGE_END_THEN_ADD };

/* Things that live in a list. */
struct kind {
    const char *name, *collection;
    const char *name_key;                /* of the spec: metadata.name when it is absent; NULL: none */
    const char *identity[KEYS];          /* equal: the same thing */
    const char *compared[KEYS];          /* different: a change */
    const char *id_key;                  /* of an item, for DELETE; NULL: it cannot be deleted */
    const char *dead[KEYS];              /* states in which an item is no longer there */
    enum on_change on_change;
    const struct shape *shape;           /* of the body */
};

static const struct kind kinds[] = {
    { "Signer", "/v1/signers", "name", { "name" }, { "public_key", "repositories", "statements", "not_after" }, "id",
      { "revoked" }, CHANGE_REFUSED, &signer_new_shape },
    { "Exception", "/v1/exceptions", NULL, { "vulnerability", "rule", "repository", "digest", "package", "namespace" },
      { "reason", "owner", "expires_at" }, "id", { "revoked", "expired" }, CHANGE_ADD_THEN_END, &exception_new_shape },
    { "UnsignedAllowance", "/v1/unsigned-allowances", "pattern", { "pattern" }, { "reason", "expires_at" }, "pattern",
      { "expired" }, CHANGE_END_THEN_ADD, &allowance_new_shape },
    { "Repository", "/v1/repositories", "name", { "name" }, { "team" }, NULL, { NULL }, CHANGE_POST, &repository_in_shape },
};

const char *plan_word(enum plan_action action)
{
    static const char *const words[] = {
        [PLAN_SAME] = "unchanged", [PLAN_CREATE] = "created", [PLAN_UPDATE] = "changed", [PLAN_DELETE] = "deleted",
        [PLAN_ABSENT] = "not there", [PLAN_REFUSED] = "refused",
    };

    return words[action];
}

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < N_ITEMS(kinds); i++) {
        if (str_eq(kinds[i].name, name))
            return &kinds[i];
    }
    return NULL;
}

static int at_document(struct ctl *c, const struct document *d, const char *fmt, const char *what)
{
    return ctl_wrong(c, NULL, "%s:%u: %s%s", d->file, d->line, fmt, what);
}

/* ---- policies ------------------------------------------------------------------------------- */

static const char *policy_target(struct ctl *c, const struct document *d)
{
    struct buf b;

    buf_init(&b, 4096);
    url_path(&b, "/v1/policies/{}", &d->name, 1);
    char *text = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

static int check_policy(struct ctl *c, const struct document *d)
{
    struct complaints all = { .arena = &c->arena };
    struct policy *policy = NULL;
    struct err err = { 0 };

    if (policy_compile(d->text.ptr, d->text.len, &c->arena, &all, &policy, &err) == 0)
        return d->name[0] != '\0' ? 0 : at_document(c, d, "no metadata.name", "");
    at_document(c, d, "the policy has errors: ", err.msg);
    ctl_say(c, "try: keepctl policy lint %s", d->file);
    return CODE_LOCAL;
}

static int compare_policy(struct ctl *c, const struct document *d, const struct json *there, struct plan *out)
{
    const char *old = json_get_str(there, "document", "");
    struct json before = { .type = JSON_NULL };
    struct err ignored = { 0 };
    struct buf b;

    if (yaml_parse(&c->arena, old, strlen(old), NULL, &before, &ignored) != 0)
        before.type = JSON_NULL;
    buf_init(&b, BODY_MAX);
    size_t n = compare_values(&before, &d->value, "$", &b);
    out->action = n > 0 ? PLAN_UPDATE : PLAN_SAME;
    out->detail = n > 0 ? arena_strndup(&c->arena, b.ptr, b.len) : "";
    buf_free(&b);
    return out->detail != NULL ? 0 : ctl_wrong(c, NULL, "out of memory");
}

static int apply_policy(struct ctl *c, const struct document *d, struct plan *out)
{
    const char *target = policy_target(c, d);
    struct json there;

    if (check_policy(c, d) != 0 || target == NULL)
        return CODE_LOCAL;
    out->action = PLAN_CREATE;
    int rc = c->curl ? 0 : ctl_try(c, target, ERR_NOT_FOUND, &there);
    if (rc == 0 && !c->curl)
        rc = compare_policy(c, d, &there, out);
    if (rc != 0 && rc != CODE_PENDING)
        return rc;
    if (out->action != PLAN_SAME)
        out->steps[out->n_steps++] = (struct client_request){ .method = "PUT", .target = target, .body = d->text, .content_type = "text/yaml" };
    return 0;
}

static int delete_policy(struct ctl *c, const struct document *d, struct plan *out)
{
    const char *target = policy_target(c, d);
    struct json there;

    int rc = target == NULL ? CODE_LOCAL : c->curl ? 0 : ctl_try(c, target, ERR_NOT_FOUND, &there);
    out->action = rc == CODE_PENDING ? PLAN_ABSENT : PLAN_DELETE;
    if (rc == 0)
        out->steps[out->n_steps++] = (struct client_request){ .method = "DELETE", .target = target };
    return rc == CODE_PENDING ? 0 : rc;
}

/* ---- things in lists ---------------------------------------------------------------------------- */

static int put_body(struct ctl *c, const struct kind *k, const struct document *d, struct json *value, struct bytes *text)
{
    const struct json *spec = json_get(&d->value, "spec");
    struct err err = { 0 };
    struct jsonw w;
    struct buf b;

    if (!json_is(spec, JSON_OBJECT))
        return at_document(c, d, "no spec in this ", k->name);
    buf_init(&b, BODY_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    if (k->name_key != NULL && json_get(spec, k->name_key) == NULL && d->name[0] != '\0')
        jsonw_kstr(&w, k->name_key, d->name);
    for (uint32_t i = 0; i < spec->n; i++) {
        jsonw_key(&w, spec->members[i].key);
        jsonw_value(&w, &spec->members[i].value);
    }
    jsonw_object_end(&w);
    char *copy = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    *text = (struct bytes){ (const unsigned char *)copy, b.len };
    buf_free(&b);
    if (copy == NULL || json_parse(&c->arena, copy, text->len, NULL, value, &err) != 0)
        return at_document(c, d, "too large or deep: ", k->name);
    return 0;
}

/* As the server would: every complaint, before anything is sent. */
static int check_body(struct ctl *c, const struct kind *k, const struct document *d, const struct json *body)
{
    struct complaints all = { .arena = &c->arena };
    struct err err = { 0 };
    void *message = arena_alloc(&c->arena, k->shape->size);

    if (message == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    shape_init(k->shape, message);
    if (shape_decode(k->shape, body, &c->arena, message, &all, &err) == 0)
        return 0;
    for (const struct complaint *one = all.first; one != NULL; one = one->next)
        ctl_wrong(c, NULL, "%s:%u: %s: spec%s: %s", d->file, d->line, k->name, one->path + (one->path[0] == '$'), one->message);
    return all.first != NULL ? CODE_LOCAL : ctl_fail(c, &err, NULL);
}

static bool is_dead(const struct kind *k, const struct json *item)
{
    for (size_t i = 0; i < KEYS && k->dead[i] != NULL; i++) {
        if (str_eq(json_get_str(item, "state", ""), k->dead[i]))
            return true;
    }
    return false;
}

/* Names of repositories are normalised by the server. */
static bool same_key(struct ctl *c, const struct kind *k, const char *key, const struct json *a, const struct json *b)
{
    bool pattern = str_eq(key, "pattern") || str_eq(key, "repository") || (str_eq(key, "name") && str_eq(k->name, "Repository"));
    const struct json *x = json_get(a, key), *y = json_get(b, key);

    return compare_same(x, y) || (pattern && compare_pattern(&c->arena, json_str(x, NULL), json_str(y, NULL)));
}

static bool is_it(struct ctl *c, const struct kind *k, const struct json *item, const struct json *body)
{
    for (size_t i = 0; i < KEYS && k->identity[i] != NULL; i++) {
        if (!same_key(c, k, k->identity[i], item, body))
            return false;
    }
    return !is_dead(k, item);
}

/* *there is NULL when there is none. */
static int find_item(struct ctl *c, const struct kind *k, const struct json *body, const struct json **there)
{
    struct json *answer = arena_alloc(&c->arena, sizeof *answer);
    bool more;

    *there = NULL;
    if (c->curl)
        return 0;
    int rc = answer != NULL ? ctl_list(c, k->collection, 0, answer, &more) : ctl_wrong(c, NULL, "out of memory");
    const struct json *items = rc == 0 ? json_get(answer, "items") : NULL;
    for (uint32_t i = 0; i < json_len(items) && *there == NULL; i++) {
        if (is_it(c, k, json_at(items, i), body))
            *there = json_at(items, i);
    }
    return rc;
}

static const char *item_target(struct ctl *c, const struct kind *k, const struct json *item)
{
    const char *id = json_get_str(item, k->id_key, "");
    struct buf b;

    buf_init(&b, 8192);
    buf_puts(&b, k->collection);
    /* A path segment cannot hold a pattern's slashes. */
    url_path(&b, str_eq(k->id_key, "pattern") ? "/-" : "/{}", &id, 1);
    url_query(&b, "pattern", str_eq(k->id_key, "pattern") ? id : NULL);
    char *text = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

static int note_changes(struct ctl *c, const struct kind *k, const struct json *there, const struct json *body, struct plan *out)
{
    struct buf b;
    size_t n = 0;

    buf_init(&b, BODY_MAX);
    for (size_t i = 0; i < KEYS && k->compared[i] != NULL; i++) {
        char path[64];
        bool relative = str_eq(k->compared[i], "expires_at") && json_get(body, "expires_at") == NULL;
        snprintf(path, sizeof path, "$.spec.%s", k->compared[i]);
        if (!relative && !same_key(c, k, k->compared[i], there, body))
            n += compare_values(json_get(there, k->compared[i]), json_get(body, k->compared[i]), path, &b);
    }
    out->action = n == 0 ? PLAN_SAME : k->on_change == CHANGE_REFUSED ? PLAN_REFUSED : PLAN_UPDATE;
    out->detail = n > 0 ? arena_strndup(&c->arena, b.ptr, b.len) : "";
    buf_free(&b);
    return out->detail != NULL ? 0 : ctl_wrong(c, NULL, "out of memory");
}

static int apply_item(struct ctl *c, const struct kind *k, const struct document *d, struct plan *out)
{
    const struct json *there;
    struct json body;
    struct bytes text;

    int rc = put_body(c, k, d, &body, &text);
    if (rc == 0)
        rc = check_body(c, k, d, &body);
    if (rc == 0)
        rc = find_item(c, k, &body, &there);
    if (rc != 0)
        return rc;
    out->action = PLAN_CREATE;
    if (there != NULL && (rc = note_changes(c, k, there, &body, out)) != 0)
        return rc;
    if (out->action != PLAN_CREATE && out->action != PLAN_UPDATE)
        return 0;
    struct client_request add = { .method = "POST", .target = k->collection, .body = text, .content_type = "application/json" };
    struct client_request end = { .method = "DELETE", .target = there != NULL && k->id_key != NULL ? item_target(c, k, there) : NULL };
    bool ends = out->action == PLAN_UPDATE && k->on_change != CHANGE_POST;
    if (ends && k->on_change == CHANGE_END_THEN_ADD)
        out->steps[out->n_steps++] = end;
    out->steps[out->n_steps++] = add;
    if (ends && k->on_change == CHANGE_ADD_THEN_END)
        out->steps[out->n_steps++] = end;
    return ends && end.target == NULL ? ctl_wrong(c, NULL, "out of memory") : 0;
}

static int delete_item(struct ctl *c, const struct kind *k, const struct document *d, struct plan *out)
{
    const struct json *there;
    struct json body;
    struct bytes text;

    if (k->id_key == NULL) {
        out->action = PLAN_REFUSED;
        out->detail = "    it goes away with its images\n";
        return 0;
    }
    int rc = put_body(c, k, d, &body, &text);
    if (rc == 0)
        rc = find_item(c, k, &body, &there);
    if (rc != 0)
        return rc;
    out->action = there != NULL ? PLAN_DELETE : PLAN_ABSENT;
    if (there == NULL)
        return 0;
    out->steps[out->n_steps++] = (struct client_request){ .method = "DELETE", .target = item_target(c, k, there) };
    return out->steps[0].target != NULL ? 0 : ctl_wrong(c, NULL, "out of memory");
}

/* ---- both --------------------------------------------------------------------------------------- */

static int check_document(struct ctl *c, const struct document *d)
{
    if (!str_eq(json_get_str(&d->value, "apiVersion", ""), "keep/v1"))
        return at_document(c, d, "apiVersion: expected keep/v1, got ", json_get_str(&d->value, "apiVersion", "nothing"));
    if (!str_eq(d->kind, "Policy") && find_kind(d->kind) == NULL)
        return at_document(c, d, "kind: expected Policy, Signer, Exception, UnsignedAllowance or Repository, got ", d->kind);
    return 0;
}

int plan_apply(struct ctl *c, const struct document *d, struct plan *out)
{
    *out = (struct plan){ .doc = d, .detail = "" };
    if (check_document(c, d) != 0)
        return CODE_LOCAL;
    return str_eq(d->kind, "Policy") ? apply_policy(c, d, out) : apply_item(c, find_kind(d->kind), d, out);
}

int plan_delete(struct ctl *c, const struct document *d, struct plan *out)
{
    *out = (struct plan){ .doc = d, .detail = "" };
    if (check_document(c, d) != 0)
        return CODE_LOCAL;
    return str_eq(d->kind, "Policy") ? delete_policy(c, d, out) : delete_item(c, find_kind(d->kind), d, out);
}
