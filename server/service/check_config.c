/* check_config.c - POST /v1/check: one file against the policies in force and what
 * is known of the images it names.  Nothing is stored. */
#include "service/check_config.h"

#include "base/time.h"
#include "core/config/config.h"
#include "service/judge_image.h"
#include "service/policies.h"
#include "core/shipped.h"
#include "service/views.h"
#include "store/exception.h"
#include "store/image.h"
#include "wire/imageref.h"
#include "wire/msg/check.h"

#include <string.h>

enum { LOOKUPS_MAX = 200 };

/* What was looked up already: a manifest names the same image many times. */
struct lookup { const char *reference; struct image_facts *facts; };

struct looking {
    struct call *c;
    const struct policy_set *set;
    struct lookup known[LOOKUPS_MAX];
    size_t n;
    struct err err;
    bool failed;
};

/* By digest, else by tag: 1, 0, -1. */
static int find_image(struct looking *l, const struct imageref *ref, int64_t *id)
{
    struct call *c = l->c;
    struct image image;

    if (ref->digest != NULL) {
        if (!digest_is_valid(ref->digest))
            return 0;
        int rc = image_find(c->db, ref->digest, &l->set->limits, c->now_ms, c->arena, &image, &l->err);
        *id = image.id;
        return rc;
    }
    const char *name = imageref_name(c->arena, ref);
    if (name == NULL)
        return err_nomem(&l->err);
    return ref->tag != NULL ? image_find_by_tag(c->db, name, ref->tag, id, &l->err) : 0;
}

static struct image_facts *load(struct looking *l, const char *reference)
{
    struct image_facts *facts = arena_alloc(l->c->arena, sizeof *facts);
    struct err ignored = { 0 };
    struct imageref ref;
    int64_t id = 0;

    if (facts == NULL) {
        l->failed = true;
        err_nomem(&l->err);
        return NULL;
    }
    if (imageref_parse(l->c->arena, reference, &ref, &ignored) != 0)
        return NULL;
    int rc = find_image(l, &ref, &id);
    if (rc == 1)
        rc = facts_load(l->c->db, id, &l->set->limits, l->c->now_ms, true, l->c->arena, facts, &l->err) == 0 ? 1 : -1;
    l->failed |= rc < 0;
    return rc == 1 && may_see(l->c, facts->image.repository) ? facts : NULL;
}

static struct image_facts *facts_of(void *data, const char *reference)
{
    struct looking *l = data;

    if (reference == NULL || l->failed)
        return NULL;
    for (size_t i = 0; i < l->n; i++) {
        if (str_eq(l->known[i].reference, reference))
            return l->known[i].facts;
    }
    struct image_facts *facts = load(l, reference);
    if (l->n < LOOKUPS_MAX)
        l->known[l->n++] = (struct lookup){ reference, facts };
    return facts;
}

/* Pod Security Standards come as policies, which a person may change or switch off;
 * only where none is shipped does the check ask them itself. */
static bool policies_do_pod_security(void)
{
    for (size_t i = 0; i < n_shipped_policies; i++) {
        if (str_starts(shipped_policies[i].name, "pod-security"))
            return true;
    }
    return false;
}

/* What was borrowed from policies must outlive them. */
static int check_keep(struct check_answer *a, struct arena *arena, struct err *err)
{
    struct check_reason *reasons = arena_array(arena, a->n_reasons, sizeof *reasons);

    for (size_t i = 0; reasons != NULL && i < a->n_reasons; i++) {
        reasons[i] = a->reasons[i];
        const char **texts[] = { &reasons[i].policy, &reasons[i].rule, &reasons[i].message, &reasons[i].remediation };
        for (size_t k = 0; k < N_ITEMS(texts); k++) {
            if (*texts[k] != NULL && (*texts[k] = arena_strdup(arena, *texts[k])) == NULL)
                return err_nomem(err);
        }
    }
    if (reasons == NULL)
        return err_nomem(err);
    a->reasons = reasons;
    return 0;
}

/* The arena grows with the body allowed: who fills it asks for too much, and trying again is no help. */
static int too_much(struct err *err)
{
    return err->kind == ERR_UNAVAILABLE ? err_set(err, ERR_TOO_LARGE, "too much for one check; split the file") : -1;
}

static int judge(struct call *c, const struct config *config, const struct check_query *q, struct check_answer *out, struct err *err)
{
    struct looking *l = arena_alloc(c->arena, sizeof *l);
    struct config_judge how = { .facts = facts_of, .fail_at = PSS_BASELINE, .warn_at = PSS_RESTRICTED, .pss_version = q->kubernetes,
                                .cluster = q->cluster, .namespace = q->namespace, .now_ms = c->now_ms,
                                .no_pod_security = policies_do_pod_security() };
    struct exception *exceptions;
    const struct policy_set *set;

    if (l == NULL)
        return err_nomem(err);
    if (exception_list_active(c->db, c->now_ms, c->arena, &exceptions, &how.n_exceptions, err) != 0 ||
        policies_hold(c->app, c->db, &set, err) != 0)
        return -1;
    *l = (struct looking){ .c = c, .set = set };
    how.exceptions = exceptions;
    how.policies = set;
    how.data = l;
    int rc = config_judge(config, &how, c->arena, out, err);
    if (rc != 0 && !l->failed)
        rc = too_much(err);
    if (l->failed) {
        *err = l->err;
        rc = -1;
    }
    if (rc == 0)
        rc = check_keep(out, c->arena, err);
    policies_release(c->app, set);
    return rc;
}

int check_config(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct check_query *q = c->query;
    struct config_file file = { .name = q->name != NULL ? q->name : "body", .text = (const char *)c->body.ptr, .len = c->body.len };
    struct config_input input = { .kind = (enum config_kind)q->kind, .files = &file, .n_files = 1 };
    struct config config;

    (void)in;
    if (file.len == 0)
        return err_set(err, ERR_INVALID, "the body is empty: expected YAML or JSON");
    if (config_read(&input, c->arena, &config, err) != 0)
        return too_much(err);
    return judge(c, &config, q, out_, err);
}
