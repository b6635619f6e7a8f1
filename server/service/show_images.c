/* show_images.c - images: pages, details, verdicts, findings, packages. */
#include "service/images.h"

#include "base/time.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/judge_image.h"
#include "service/policies.h"
#include "service/views.h"
#include "core/tally.h"
#include "store/image.h"
#include "store/posture.h"
#include "wire/imageref.h"
#include "wire/msg/image.h"

#include <stdlib.h>
#include <string.h>

/* The image of the path, by any of its digests; hidden ones are not found. */
static int find(struct call *c, struct image *out, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);

    if (!digest_is_valid(c->path[0]))
        return err_set(err, ERR_INVALID, "image: expected sha256: and 64 lower-case hex digits");
    int rc = image_find(c->db, c->path[0], &limits, c->now_ms, c->arena, out, err);
    if (rc < 0)
        return -1;
    if (rc == 0 || !may_see(c, out->repository))
        return err_set(err, ERR_NOT_FOUND, "no image has the digest %s; see: keepctl image list", c->path[0]);
    return 0;
}

int image_page(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct image_query *q = c->query;
    struct image_list_answer *out = out_;
    const struct freshness_limits limits = app_limits(c->app);
    const char *pattern = NULL;
    struct image *items;

    (void)in;
    if (q->repository != NULL && imageref_pattern_parse(c->arena, q->repository, &pattern, err) != 0)
        return err_prefix(err, "repository");
    struct image_filter f = {
        .scanned_until_ms = q->age_min > 0 ? c->now_ms - q->age_min * MS_DAY : TIME_UNKNOWN,
        .scanned_after_ms = q->age_max > 0 ? c->now_ms - q->age_max * MS_DAY : TIME_UNKNOWN,
        .freshness = q->freshness, .stale = q->stale, .verdict = q->verdict, .team = q->team, .prefix = q->q, .cluster = q->cluster,
        .vulnerability = q->cve, .package = q->package, .repository = pattern, .allowed = c->caller->repositories,
        .n_allowed = c->caller->n_repositories, .running = q->running, .is_unsigned = q->is_unsigned, .sort = (enum image_sort)q->sort,
        .cursor = q->page.cursor, .limit = page_limit(&q->page) - 1,
    };
    if (image_list(c->db, &f, &limits, c->now_ms, c->arena, &items, &out->n_items, &out->next, &out->total, err) != 0)
        return -1;
    out->items = items;
    return 0;
}

static int places(struct call *c, int64_t image_id, struct image_detail *out, struct err *err)
{
    struct running *rows;
    size_t n;

    if (running_of_image(c->db, image_id, c->arena, &rows, &n, err) != 0)
        return -1;
    struct place_answer *list = arena_array(c->arena, n, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct place_answer){ rows[i].cluster, rows[i].namespace, rows[i].workload, rows[i].container, rows[i].replicas };
    out->running = list;
    out->n_running = n;
    return 0;
}

static int aliases(struct call *c, int64_t image_id, struct image_detail *out, struct err *err)
{
    struct image_alias *rows;
    size_t n;

    if (image_aliases(c->db, image_id, c->arena, &rows, &n, err) != 0)
        return -1;
    struct alias_answer *list = arena_array(c->arena, n, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct alias_answer){ rows[i].digest, rows[i].kind };
    out->aliases = list;
    out->n_aliases = n;
    return 0;
}

int image_show(struct call *c, const void *in, void *out_, struct err *err)
{
    struct image_detail *out = out_;
    const char **tags;

    (void)in;
    if (find(c, &out->image, err) != 0)
        return -1;
    int64_t id = out->image.id;
    if (places(c, id, out, err) != 0 || aliases(c, id, out, err) != 0 ||
        image_tags(c->db, id, c->arena, &tags, &out->n_tags, err) != 0)
        return -1;
    out->tags = tags;
    if (out->image.os_family != NULL) {
        struct os_answer *os = arena_alloc(c->arena, sizeof *os);
        if (os == NULL)
            return err_nomem(err);
        *os = (struct os_answer){ out->image.os_family, out->image.os_version };
        out->os = os;
    }
    return 0;
}

/* ---- an image that was never scanned ----------------------------------------------------- */

static int register_new(struct call *c, const struct image_new *in, const struct imageref *ref, const char *digest, int64_t *id,
                        struct err *err)
{
    struct verdict verdict;
    int64_t repository;

    const char *name = imageref_name(c->arena, ref);
    if (name == NULL)
        return err_nomem(err);
    if (!may_see(c, name))
        return err_set(err, ERR_FORBIDDEN, "%s may not register images of %s", c->caller->name, name);
    if (repository_upsert(c->db, name, in->team, c->now_ms, &repository, err) != 0 ||
        image_insert(c->db, digest, repository, c->now_ms, id, err) != 0 ||
        trend_add_image(c->db, c->now_ms, repository, err) != 0)
        return -1;
    if (ref->tag != NULL && !ref->tag_implied &&
        (image_add_tag(c->db, *id, repository, ref->tag, c->now_ms, err) != 0 ||
         image_describe(c->db, *id, ref->tag, NULL, NULL, NULL, NULL, c->now_ms, err) != 0))
        return -1;
    return image_judge(c->app, c->db, *id, "registered", c->now_ms, c->now_ms, c->arena, &verdict, err);
}

int image_register(struct call *c, const void *in_, void *out_, struct err *err)
{
    const struct image_new *in = in_;
    const struct freshness_limits limits = app_limits(c->app);
    struct image *out = out_;
    struct imageref ref;
    int64_t id;

    /* An alias passes with the image's verdict: signed evidence names them, or an administrator. */
    if (in->n_aliases > 0 && (c->caller->role != ROLE_ADMIN || c->caller->n_repositories > 0))
        return err_set(err, ERR_FORBIDDEN, "$.aliases: only an administrator may name other digests of an image; signed reports do so by themselves");
    if (imageref_parse(c->arena, in->image, &ref, err) != 0)
        return err_prefix(err, "$.image");
    const char *digest = in->digest != NULL ? in->digest : ref.digest;
    if (ref.is_id || digest == NULL || !digest_is_valid(digest) || (ref.digest != NULL && !str_eq(ref.digest, digest)))
        return err_set(err, ERR_INVALID, "$.image: expected REPOSITORY[:TAG]@sha256:..., or the digest in $.digest");
    int rc = image_find(c->db, digest, &limits, c->now_ms, c->arena, out, err);
    if (rc < 0)
        return -1;
    bool is_new = rc == 0;
    if (!is_new && !may_see(c, out->repository))
        return err_set(err, ERR_FORBIDDEN, "%s may not speak of images of %s", c->caller->name, out->repository);
    id = out->id;
    if (is_new && register_new(c, in, &ref, digest, &id, err) != 0)
        return -1;
    for (size_t i = 0; i < in->n_aliases; i++) {
        const char *kind = in->aliases[i].kind != NULL ? in->aliases[i].kind : "alias";
        if (image_add_alias(c->db, id, in->aliases[i].digest, kind, err) != 0)
            return -1;
    }
    rc = image_get(c->db, id, &limits, c->now_ms, c->arena, out, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_INTERNAL, "image %s cannot be read back", digest);
    c->status = is_new ? 201 : 200;
    return audit_change(c, is_new ? "create" : "update", "image", digest, &image_shape, NULL, out, err);
}

/* ---- verdicts ---------------------------------------------------------------------------------- */

int image_verdict(struct call *c, const void *in, void *out, struct err *err)
{
    struct image_facts facts;
    struct image image;

    (void)in;
    return find(c, &image, err) != 0 ||
           image_decide(c->app, c->db, image.id, STAGE_BUILD, c->now_ms, c->arena, &facts, out, err) != 0 ? -1 : 0;
}

int image_verdicts(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct page_query *q = c->query;
    struct verdict_list_answer *out = out_;
    struct verdict_row *rows;
    struct image image;
    int64_t before = INT64_MAX;
    size_t n;

    (void)in;
    if (q->cursor != NULL && !str_to_i64(q->cursor, 0, INT64_MAX, &before))
        return err_set(err, ERR_INVALID, "cursor: not one of ours; start without one");
    int64_t limit = page_limit(q);
    if (find(c, &image, err) != 0 || verdict_list(c->db, image.id, before, limit, c->arena, &rows, &n, err) != 0)
        return -1;
    bool more = n == (size_t)limit;
    n -= more;
    struct verdict_answer *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        items[i] = (struct verdict_answer){ rows[i].at_ms, rows[i].decision, rows[i].cause, rows[i].reasons };
    *out = (struct verdict_list_answer){ items, n, more ? arena_printf(c->arena, "%lld", (long long)rows[n - 1].at_ms) : NULL };
    return 0;
}

/* ---- findings -------------------------------------------------------------------------------------- */

static int worst_first(const void *a, const void *b)
{
    const struct image_finding *x = a, *y = b;

    if (finding_is_open(x) != finding_is_open(y))
        return finding_is_open(x) ? -1 : 1;
    if (x->is_kev != y->is_kev)
        return x->is_kev ? -1 : 1;
    if (x->severity != y->severity)
        return y->severity - x->severity;
    if (x->cvss != y->cvss)
        return x->cvss > y->cvss ? -1 : 1;
    int order = strcmp(x->vulnerability, y->vulnerability);
    return order != 0 ? order : x->package_id != y->package_id ? (x->package_id < y->package_id ? -1 : 1)
                                                               : x->scanner_id < y->scanner_id ? -1 : 1;
}

static bool is_wanted(const struct finding_query *q, const struct image_finding *f)
{
    return (q->severity == 0 || f->severity == q->severity - 1) && (!q->fixable || f->fixed_version != NULL) &&
           (!q->open || finding_is_open(f));
}

int image_findings(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct finding_query *q = c->query;
    struct finding_list_answer *out = out_;
    struct image_facts facts;
    struct verdict verdict;
    struct image image;
    int64_t skip = 0, limit = page_limit(&q->page) - 1;
    size_t shown = 0, wanted = 0;

    (void)in;
    if (q->page.cursor != NULL && !str_to_i64(q->page.cursor, 0, 1000000, &skip))
        return err_set(err, ERR_INVALID, "cursor: not one of ours; start without one");
    /* Deciding marks what exceptions cover. */
    if (find(c, &image, err) != 0 ||
        image_decide(c->app, c->db, image.id, STAGE_BUILD, c->now_ms, c->arena, &facts, &verdict, err) != 0)
        return -1;
    struct finding_answer *items = arena_array(c->arena, (size_t)limit, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    if (facts.n_findings > 1)
        qsort(facts.findings, facts.n_findings, sizeof *facts.findings, worst_first);
    for (size_t i = 0; i < facts.n_findings; i++) {
        struct image_finding *f = &facts.findings[i];
        if (!is_wanted(q, f) || (int64_t)wanted++ < skip || shown == (size_t)limit)
            continue;
        struct vulnerability v;
        if (vulnerability_get(c->db, f->vulnerability_id, c->arena, &v, err) < 0 ||
            finding_view(f, c->arena, &items[shown], err) != 0)
            return -1;
        items[shown].aliases = v.aliases;
        items[shown++].n_aliases = v.n_aliases;
    }
    int64_t end = skip + (int64_t)shown;
    *out = (struct finding_list_answer){ items, shown, end < (int64_t)wanted ? arena_printf(c->arena, "%lld", (long long)end) : NULL,
                                         (int64_t)wanted };
    return 0;
}

/* ---- packages, issues, changes ------------------------------------------------------------------------ */

/* The cursor of packages is the id and path of the last one shown: "ID:PATH", its
 * name is found by looking the page before it up again. */
static int package_cursor(struct call *c, const char *cursor, const char **name, int64_t *id, const char **path, struct err *err)
{
    *name = "", *path = "", *id = 0;
    char *text;
    if (cursor == NULL)
        return 0;
    if (cursor_text(cursor, c->arena, &text, err) != 0)
        return -1;
    const char *a = strchr(text, ':'), *b = a != NULL ? strchr(a + 1, ':') : NULL;
    const char *number = b != NULL ? arena_strndup(c->arena, text, (size_t)(a - text)) : NULL;
    int64_t len;
    const char *length = b != NULL ? arena_strndup(c->arena, a + 1, (size_t)(b - a - 1)) : NULL;
    if (number == NULL || length == NULL || !str_to_i64(number, 0, INT64_MAX, id) ||
        !str_to_i64(length, 0, (int64_t)strlen(b + 1), &len))
        return err_set(err, ERR_INVALID, "cursor: not one of ours; start without one");
    *name = arena_strndup(c->arena, b + 1, (size_t)len);
    *path = b + 1 + len;
    return *name != NULL ? 0 : err_nomem(err);
}

int image_packages(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct package_query *q = c->query;
    struct package_list_answer *out = out_;
    struct image_package *rows;
    struct image image;
    const char *name, *path;
    int64_t id, limit = page_limit(&q->page);
    size_t n;

    (void)in;
    if (find(c, &image, err) != 0 || package_cursor(c, q->page.cursor, &name, &id, &path, err) != 0 ||
        image_packages_list(c->db, image.id, q->q, name, id, path, limit, c->arena, &rows, &n, err) != 0)
        return -1;
    bool more = n == (size_t)limit;
    n -= more;
    struct package_answer *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct package *p = &rows[i].package;
        items[i] = (struct package_answer){ p->name, p->version, p->ecosystem, p->purl, p->arch, p->source_name, p->source_version,
                                            p->path, p->licences, p->not_evaluable };
    }
    const char *next = NULL;
    if (more) {
        const struct package *p = &rows[n - 1].package;
        next = cursor_of(c->arena, arena_printf(c->arena, "%lld:%zu:%s%s", (long long)rows[n - 1].id, strlen(p->name), p->name, p->path));
        if (next == NULL)
            return err_nomem(err);
    }
    *out = (struct package_list_answer){ items, n, next };
    return 0;
}

int image_issues(struct call *c, const void *in, void *out_, struct err *err)
{
    struct issue_list_answer *out = out_;
    struct image_issue *rows;
    struct image image;
    size_t n;

    (void)in;
    if (find(c, &image, err) != 0 || issue_list(c->db, image.id, c->arena, &rows, &n, err) != 0)
        return -1;
    struct issue_answer *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct image_issue *u = &rows[i];
        items[i] = (struct issue_answer){ u->kind, u->severity, u->rule, u->status, u->title, u->message, u->resolution, u->file,
                                          u->scanner, u->start_line, u->since_ms };
    }
    *out = (struct issue_list_answer){ items, n };
    return 0;
}

int image_changes(struct call *c, const void *in, void *out_, struct err *err)
{
    enum { MOST = 500 };
    struct change_list_answer *out = out_;
    struct finding_change *rows;
    struct image image;
    size_t n;

    (void)in;
    if (find(c, &image, err) != 0 || finding_change_list(c->db, image.id, MOST, c->arena, &rows, &n, err) != 0)
        return -1;
    struct change_answer *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        items[i] = (struct change_answer){ rows[i].at_ms, rows[i].vulnerability, rows[i].package, rows[i].change, rows[i].cause,
                                           rows[i].detail, rows[i].scanner };
    *out = (struct change_list_answer){ items, n };
    return 0;
}
