/* manage_policy.c - policies as documents with versions.
 *
 * A document that is no policy is refused before it is stored; which rules it
 * makes is compiled elsewhere, from what is stored. */
#include "base/crypto.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/judge.h"
#include "service/manage.h"
#include "service/policy_facts.h"
#include "store/policy_doc.h"
#include "wire/msg/policy_doc.h"

#include <inttypes.h>
#include <string.h>

/* Facts and digest; the document itself stays only when it was asked for. */
static int describe(struct call *c, struct policy_doc *p, bool with_document, struct err *err)
{
    char digest[DIGEST_LEN + 1];

    if (policy_facts(p, c->arena, NULL, err) != 0) {
        /* Stored by an older version that read it otherwise: still to be shown. */
        if (err->kind != ERR_INVALID)
            return -1;
        p->title = p->name;
    }
    sha256_digest(p->document, strlen(p->document), digest);
    p->document_digest = arena_strdup(c->arena, digest);
    if (!with_document)
        p->document = NULL;
    return p->document_digest == NULL ? err_nomem(err) : 0;
}

static void policy_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = 0;
    *id = ((const struct policy_doc *)items)[i].name;
}

int policy_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *q = c->query;
    struct policy_doc *list;
    const char *after;
    int64_t unused;
    size_t n;

    (void)in;
    if (page_start(q, c->arena, &unused, &after, err) != 0 ||
        policy_doc_list(c->db, after, page_limit(q), c->arena, &list, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (describe(c, &list[i], false, err) != 0)
            return -1;
    return page_fill(q, c->arena, list, n, policy_key, out, err);
}

static int policy_read(struct call *c, bool with_document, struct policy_doc *out, struct err *err)
{
    struct policy_doc p;

    if (policy_doc_get(c->db, c->path[0], c->arena, &p, err) != 0 || describe(c, &p, with_document, err) != 0)
        return -1;
    *out = p;
    return 0;
}

int policy_show(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in;
    return policy_read(c, true, out, err);
}

static int judge_policy(struct call *c, const struct policy_doc *p, struct err *err)
{
    const char *cause = arena_printf(c->arena, "policy %s version %" PRId64, p->name, p->version);

    return cause == NULL ? err_nomem(err) : judge_affected(c, cause, NULL, err);
}

static int check_policy_name(const char *name, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = strlen(name);

    if (len == 0 || len > 63 || name[strspn(name, allowed)] != '\0' || name[0] == '-' || name[len - 1] == '-')
        return err_set(err, ERR_INVALID, "policy name: 1 to 63 of a-z, 0-9 and -, not - at an end");
    return 0;
}

static int document_of(struct call *c, const char **out, struct err *err)
{
    if (c->body.len == 0)
        return err_set(err, ERR_INVALID, "a policy document is expected");
    if (c->body.len > POLICY_DOCUMENT_MAX)
        return err_set(err, ERR_TOO_LARGE, "a policy has at most %d bytes", POLICY_DOCUMENT_MAX);
    if (!str_is_utf8((const char *)c->body.ptr, c->body.len))
        return err_set(err, ERR_INVALID, "the policy document is not UTF-8");
    *out = arena_strndup(c->arena, (const char *)c->body.ptr, c->body.len);
    return *out == NULL ? err_nomem(err) : 0;
}

/* On a worker: reading and compiling a document may take its time. */
int policy_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    struct policy_doc *p = arena_alloc(c->arena, sizeof *p);

    (void)in, (void)out;
    if (p == NULL)
        return err_nomem(err);
    p->name = c->path[0];
    if (check_policy_name(p->name, err) != 0 || document_of(c, &p->document, err) != 0 ||
        policy_facts(p, c->arena, &c->complaints, err) != 0)
        return -1;
    c->prepared = p;
    return 0;
}

/* An edited policy stays on or off as it was; a new one is on. */
int policy_write(struct call *c, const void *in, void *out, struct err *err)
{
    struct policy_doc before, p = *(const struct policy_doc *)c->prepared;
    bool is_new = false;

    (void)in;
    p.enabled = true;
    if (policy_read(c, false, &before, err) != 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        is_new = true;
    } else {
        p.enabled = before.enabled;
        p.shipped = before.shipped;
    }
    p.updated_ms = c->now_ms;
    p.updated_by = c->caller->name;
    if (policy_doc_put(c->db, &p, err) != 0 || describe(c, &p, false, err) != 0 || judge_policy(c, &p, err) != 0)
        return -1;
    c->status = is_new ? 201 : 200;
    *(struct policy_doc *)out = p;
    return audit_change(c, is_new ? "create" : "update", "policy", p.name, &policy_doc_shape,
                        is_new ? NULL : &before, &p, err);
}

int policy_remove(struct call *c, const void *in, void *out, struct err *err)
{
    struct policy_doc before;

    (void)in, (void)out;
    if (policy_read(c, false, &before, err) != 0 || policy_doc_delete(c->db, before.name, err) != 0 ||
        judge_policy(c, &before, err) != 0)
        return -1;
    c->status = 204;
    return audit_change(c, "delete", "policy", before.name, &policy_doc_shape, &before, NULL, err);
}

static int set_enabled(struct call *c, bool enabled, void *out, struct err *err)
{
    struct policy_doc before, after;

    if (policy_read(c, false, &before, err) != 0 ||
        policy_doc_set_enabled(c->db, before.name, enabled, c->now_ms, c->caller->name, err) != 0 ||
        policy_read(c, false, &after, err) != 0 || judge_policy(c, &after, err) != 0)
        return -1;
    *(struct policy_doc *)out = after;
    return audit_change(c, enabled ? "enable" : "disable", "policy", after.name, &policy_doc_shape,
                        &before, &after, err);
}

int policy_enable(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in;
    return set_enabled(c, true, out, err);
}

int policy_disable(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in;
    return set_enabled(c, false, out, err);
}

static void version_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = ((const struct policy_version *)items)[i].version;
    *id = "";
}

int policy_history(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *q = c->query;
    struct policy_version *list;
    const char *unused;
    int64_t before;
    size_t n;

    (void)in;
    if (page_start(q, c->arena, &before, &unused, err) != 0 ||
        policy_doc_versions(c->db, c->path[0], before, page_limit(q), c->arena, &list, &n, err) != 0)
        return -1;
    if (n == 0 && (q == NULL || q->cursor == NULL))
        return err_set(err, ERR_NOT_FOUND, "no such policy");
    return page_fill(q, c->arena, list, n, version_key, out, err);
}
