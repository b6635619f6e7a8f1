/* fleet_find.c - who has CVE-X, who has package < V. */
#include "service/fleet.h"

#include "base/time.h"
#include "core/freshness.h"
#include "core/version/version.h"
#include "service/check.h"
#include "service/policies.h"
#include "service/views.h"
#include "wire/msg/fleet.h"

#include <math.h>
#include <string.h>

/* ---- who has a vulnerability ------------------------------------------------------- */

static int holder_view(struct call *c, const struct finding_holder *h, struct holder_answer *out, struct err *err)
{
    return brief_view(c, &h->image, &out->image, err) != 0 ||
           finding_view(&h->finding, c->arena, &out->finding, err) != 0 ? -1 : 0;
}

int finding_page(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct holder_query *q = c->query;
    struct holder_list_answer *out = out_;
    struct finding_holder *rows;
    int64_t vulnerability, after[3], limit = page_limit(&q->page);
    size_t n, shown = 0;

    (void)in;
    if (cursor_numbers(q->page.cursor, after, 3, c->arena, err) != 0 ||
        vulnerability_find(c->db, q->vulnerability, &vulnerability, err) != 0)
        return -1;
    if (vulnerability == 0) {
        *out = (struct holder_list_answer){ 0 };     /* nobody has it: no error, an empty list */
        return 0;
    }
    if (finding_holders(c->db, vulnerability, q->team, q->running, q->fixable, after, limit, c->arena, &rows, &n, err) != 0)
        return -1;
    const char *next = NULL;
    if (n == (size_t)limit) {
        const struct finding_holder *last = &rows[--n - 1];
        next = arena_printf(c->arena, "%lld.%lld.%lld", (long long)last->image.id, (long long)last->finding.package_id,
                            (long long)last->finding.scanner_id);
        if (next == NULL)
            return err_nomem(err);
    }
    struct holder_answer *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (may_see(c, rows[i].image.repository) && holder_view(c, &rows[i], &items[shown++], err) != 0)
            return -1;
    }
    *out = (struct holder_list_answer){ items, shown, next };
    return 0;
}

int vulnerability_page(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct vulnerability_query *q = c->query;
    struct vulnerability_list_answer *out = out_;
    struct vulnerability_row *rows;
    size_t n;

    (void)in;
    if (vulnerability_list(c->db, q->q, q->kev, q->severity, q->limit > 0 ? q->limit : PAGE_DEFAULT, c->arena, &rows, &n, err) != 0)
        return -1;
    struct vulnerability_answer *items = arena_array(c->arena, n, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        items[i] = (struct vulnerability_answer){
            .name = rows[i].name, .title = rows[i].title, .url = rows[i].url, .severity = (int)rows[i].severity,
            .cvss = rows[i].cvss >= 0 ? (double)rows[i].cvss / 10 : (double)NAN,
            .epss = rows[i].epss >= 0 ? (double)rows[i].epss / 1e6 : (double)NAN, .is_kev = rows[i].is_kev,
            .images = rows[i].images, .running = rows[i].running, .fixable = rows[i].fixable,
        };
    *out = (struct vulnerability_list_answer){ items, n };
    return 0;
}

/* ---- who has a package --------------------------------------------------------------- */

static int in_range(const struct package_find_query *q, const struct package_version *v, bool *inside, struct err *err)
{
    *inside = q->version == NULL;
    if (*inside || v->version[0] == '\0')
        return 0;
    if (version_in_range(version_scheme_of(v->ecosystem), v->version, q->version, inside, err) != 0)
        return err_prefix(err, "version");
    return 0;
}

/* The first images, and how many there are: for who may not see all, of those he may see. */
static int found_view(struct call *c, const struct package_version *v, struct package_found *out, struct err *err)
{
    enum { FIRST = 20, PORTION = 500 };
    bool all = c->caller->n_repositories == 0;
    int64_t after = 0, seen = 0, portion = all ? FIRST : PORTION;
    struct package_holder *rows;
    size_t n, shown = 0;

    struct image_brief *list = arena_array(c->arena, FIRST, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    do {
        if (package_holders(c->db, v->id, after, portion, c->arena, &rows, &n, err) != 0)
            return -1;
        for (size_t i = 0; i < n; i++) {
            after = rows[i].image.id;
            if (!may_see(c, rows[i].image.repository))
                continue;
            seen++;
            if (shown < FIRST && brief_view(c, &rows[i].image, &list[shown++], err) != 0)
                return -1;
        }
    } while (!all && (int64_t)n == portion);
    *out = (struct package_found){ v->name, v->version, v->ecosystem, v->arch, v->purl, all ? v->images : seen, list, shown };
    return 0;
}

int package_find_page(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct package_find_query *q = c->query;
    struct package_find_answer *out = out_;
    struct package_version *rows;
    int64_t after = 0, last = 0, limit = page_limit(&q->page) - 1, images = 0;
    size_t n, shown = 0;
    bool more = false;

    (void)in;
    if (q->page.cursor != NULL && !str_to_i64(q->page.cursor, 0, INT64_MAX, &after))
        return err_set(err, ERR_INVALID, "cursor: not one of ours; start without one");
    if (package_versions(c->db, q->name, q->ecosystem, c->arena, &rows, &n, err) != 0)
        return -1;
    struct package_found *items = arena_array(c->arena, (size_t)limit, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n && !more; i++) {
        bool inside;
        if (rows[i].id <= after)
            continue;
        if (in_range(q, &rows[i], &inside, err) != 0)
            return -1;
        if (!inside)
            continue;
        more = shown == (size_t)limit;
        if (more)
            break;
        if (found_view(c, &rows[i], &items[shown], err) != 0)
            return -1;
        last = rows[i].id;
        images += items[shown].images;
        shown += items[shown].images > 0;
    }
    *out = (struct package_find_answer){ items, shown, images, more ? arena_printf(c->arena, "%lld", (long long)last) : NULL };
    return 0;
}

/* Cursor: "PACKAGE.IMAGE": the package version in turn, and the last image shown. */
static int holder_cursor(const char *cursor, struct arena *arena, int64_t *package, int64_t *image, struct err *err)
{
    const char *dot = cursor != NULL ? strchr(cursor, '.') : NULL;
    const char *first = dot != NULL ? arena_strndup(arena, cursor, (size_t)(dot - cursor)) : NULL;

    *package = *image = 0;
    if (cursor == NULL)
        return 0;
    if (first == NULL || !str_to_i64(first, 0, INT64_MAX, package) || !str_to_i64(dot + 1, 0, INT64_MAX, image))
        return err_set(err, ERR_INVALID, "cursor: not one of ours; start without one");
    return 0;
}

/* Adds the holders of one package version, past those that the caller may not see. */
static int add_holders(struct call *c, const struct package_version *v, int64_t after, size_t limit, struct package_holder_answer *items,
                       size_t *shown, int64_t *last, bool *more, struct err *err)
{
    struct package_holder *rows;
    size_t n, portion = limit + 1;

    *last = after;
    do {
        if (package_holders(c->db, v->id, *last, (int64_t)portion, c->arena, &rows, &n, err) != 0)
            return -1;
        for (size_t i = 0; i < n; i++) {
            bool hidden = !may_see(c, rows[i].image.repository);
            if (!hidden && *shown == limit) {
                *more = true;
                return 0;
            }
            *last = rows[i].image.id;
            if (hidden)
                continue;
            struct package_holder_answer *a = &items[(*shown)++];
            a->name = v->name, a->version = v->version, a->ecosystem = v->ecosystem, a->path = rows[i].path;
            if (brief_view(c, &rows[i].image, &a->image, err) != 0)
                return -1;
        }
    } while (n == portion);
    return 0;
}

int package_holder_page(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct package_holder_query *q = c->query;
    struct package_holder_list *out = out_;
    struct package_version *rows;
    int64_t package, image;
    size_t n, shown = 0, limit = (size_t)page_limit(&q->page) - 1;
    bool more = false;

    (void)in;
    if (holder_cursor(q->page.cursor, c->arena, &package, &image, err) != 0 ||
        package_versions(c->db, q->name, q->ecosystem, c->arena, &rows, &n, err) != 0)
        return -1;
    struct package_holder_answer *items = arena_array(c->arena, limit, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n && !more; i++) {
        if (rows[i].id < package || (q->version != NULL && !str_eq(rows[i].version, q->version)))
            continue;
        int64_t after = rows[i].id == package ? image : 0, last = after;
        if (add_holders(c, &rows[i], after, limit, items, &shown, &last, &more, err) != 0)
            return -1;
        package = rows[i].id;
        image = last;
    }
    *out = (struct package_holder_list){ items, shown, more ? arena_printf(c->arena, "%lld.%lld", (long long)package, (long long)image) : NULL };
    return 0;
}
