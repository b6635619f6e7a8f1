/* tally.c - see tally.h.  Findings arrive sorted by vulnerability; those of one
 * vulnerability are sorted here by what they are in, so that duplicates are
 * neighbours: a report with one vulnerability in very many packages costs no more
 * than another. */
#include "core/tally.h"

#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/imageref.h"
#include "wire/purl.h"

#include <stdlib.h>
#include <string.h>

static bool in_force(const struct exception *e, int64_t now_ms)
{
    return e->revoked_ms == TIME_UNKNOWN && now_ms < e->expires_ms;
}

static bool speaks_of_image(const struct exception *e, const struct image_facts *facts, const char *namespace)
{
    if (e->namespace != NULL && !str_eq(e->namespace, namespace))
        return false;
    if (facts == NULL)
        return e->digest == NULL && e->repository == NULL;
    return (e->digest == NULL || str_eq(e->digest, facts->image.digest)) &&
           (e->repository == NULL || imageref_name_match(e->repository, facts->image.repository));
}

static bool names_vulnerability(const struct exception *e, const struct image_finding *f)
{
    if (str_eq(e->vulnerability, f->vulnerability))
        return true;
    /* aliases are ", "-joined */
    size_t n = strlen(e->vulnerability);
    for (const char *at = f->aliases; at != NULL && (at = strstr(at, e->vulnerability)) != NULL; at += n) {
        bool starts = at == f->aliases || at[-1] == ' ', ends = at[n] == '\0' || at[n] == ',';
        if (starts && ends)
            return true;
    }
    return false;
}

/* A package URL speaks of its own ecosystem only. */
static bool matches_purl(const char *wanted, const char *purl)
{
    enum { ROOM = 64 << 10 };
    struct arena arena;
    struct purl a, b;
    struct err ignored = { 0 };

    arena_init(&arena, ROOM);
    bool same = purl != NULL && purl_parse(&arena, wanted, &a, &ignored) == 0 && purl_parse(&arena, purl, &b, &ignored) == 0 &&
                purl_match(&a, &b);
    arena_clear(&arena);
    return same;
}

/* "name", "name@version" or a purl. */
static bool names_package(const char *wanted, const struct image_finding *f)
{
    if (f->package == NULL)
        return false;
    if (str_starts(wanted, "pkg:"))
        return matches_purl(wanted, f->purl);
    const char *at = strrchr(wanted, '@');
    if (at == wanted)
        at = NULL;                      /* an npm scope, not a version */
    size_t n = at != NULL ? (size_t)(at - wanted) : strlen(wanted), m = strlen(f->package);
    bool same = m == n && memcmp(wanted, f->package, n) == 0;
    /* Maven's artifact or a scoped name's last part */
    bool last = m > n && memcmp(f->package + m - n, wanted, n) == 0 && strchr(":/", f->package[m - n - 1]) != NULL;
    return (same || last) && (at == NULL || str_eq(at + 1, f->version));
}

bool exception_covers(const struct exception *e, const struct image_facts *facts, const struct image_finding *f,
                      const char *namespace, int64_t now_ms)
{
    if (!in_force(e, now_ms) || !speaks_of_image(e, facts, namespace))
        return false;
    if (f == NULL)
        return true;
    return e->vulnerability != NULL && names_vulnerability(e, f) && (e->package == NULL || names_package(e->package, f));
}

const struct exception *exception_for_rule(const struct exception *all, size_t n, const struct image_facts *facts,
                                           const char *policy, const char *rule, const char *namespace, int64_t now_ms)
{
    size_t len = strlen(policy);

    for (size_t i = 0; i < n; i++) {
        const char *r = all[i].rule;
        if (r == NULL || !exception_covers(&all[i], facts, NULL, namespace, now_ms))
            continue;
        if (str_eq(r, policy) || (strncmp(r, policy, len) == 0 && r[len] == '/' && str_eq(r + len + 1, rule)))
            return &all[i];
    }
    return NULL;
}

static bool is_suppressed(const struct image_finding *f)
{
    return f->suppressed != NULL || f->status == STATUS_NOT_AFFECTED;
}

static int by_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/* Scanners name ecosystems differently: the same name and version is the same thing. */
static int compare_things(const struct image_finding *a, const struct image_finding *b)
{
    int order = by_text(a->package, b->package);

    if (order == 0)
        order = by_text(a->version, b->version);
    return order != 0 ? order : is_suppressed(a) - is_suppressed(b);
}

/* Of one thing: the one that counts, then the others. */
static int by_thing(const void *a, const void *b)
{
    const struct image_finding *x = a, *y = b;
    int order = compare_things(x, y);

    if (order != 0)
        return order;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (x->since_ms != y->since_ms)
        return x->since_ms < y->since_ms ? -1 : 1;
    if (x->package_id != y->package_id)
        return x->package_id < y->package_id ? -1 : 1;
    return x->scanner_id < y->scanner_id ? -1 : x->scanner_id > y->scanner_id;
}

static void mark_duplicates(struct image_finding *items, size_t n)
{
    for (size_t start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && items[end].vulnerability_id == items[start].vulnerability_id; end++)
            continue;
        if (end - start > 1)
            qsort(items + start, end - start, sizeof *items, by_thing);
        items[start].is_duplicate = false;
        for (size_t i = start + 1; i < end; i++)
            items[i].is_duplicate = compare_things(&items[i - 1], &items[i]) == 0;
    }
}

bool finding_is_open(const struct image_finding *f)
{
    return f->exception == NULL && !f->is_duplicate && !is_suppressed(f);
}

static void count_finding(struct image_counts *n, const struct image_finding *f)
{
    int64_t *by_severity[SEVERITY_N] = {
        [SEVERITY_UNKNOWN] = &n->other, [SEVERITY_NONE] = &n->other, [SEVERITY_NEGLIGIBLE] = &n->other,
        [SEVERITY_LOW] = &n->low, [SEVERITY_MEDIUM] = &n->medium, [SEVERITY_HIGH] = &n->high, [SEVERITY_CRITICAL] = &n->critical,
    };

    if (f->exception != NULL && !f->is_duplicate && !is_suppressed(f))
        n->excepted++;
    if (!finding_is_open(f))
        return;
    ++*by_severity[f->severity >= 0 && f->severity < SEVERITY_N ? f->severity : SEVERITY_UNKNOWN];
    n->fixable += f->severity >= SEVERITY_HIGH && f->fixed_version != NULL;
    n->kev += f->is_kev;
}

static void count_issue(struct image_counts *n, const struct image_issue *u)
{
    switch ((enum issue_kind)u->kind) {
    case ISSUE_MISCONFIG: n->misconfigurations += u->status == NULL || str_eq(u->status, "FAIL"); break;
    case ISSUE_SECRET:    n->secrets++; break;
    case ISSUE_MALWARE:   n->malware++; break;
    case ISSUE_LICENCE:
    case ISSUE_KIND_N:    break;
    }
}

void facts_tally(struct image_facts *facts, const struct exception *exceptions, size_t n_exceptions, const char *namespace,
                 int64_t now_ms)
{
    struct image_counts *n = &facts->image.counts;

    *n = (struct image_counts){ 0 };
    mark_duplicates(facts->findings, facts->n_findings);
    for (size_t i = 0; i < facts->n_findings; i++) {
        struct image_finding *f = &facts->findings[i];
        f->exception = NULL;
        for (size_t j = 0; j < n_exceptions && f->exception == NULL; j++) {
            if (exceptions[j].vulnerability != NULL && exception_covers(&exceptions[j], facts, f, namespace, now_ms))
                f->exception = &exceptions[j];
        }
        count_finding(n, f);
    }
    for (size_t i = 0; i < facts->n_issues; i++)
        count_issue(n, &facts->issues[i]);
}

int64_t exceptions_next_end(const struct exception *all, size_t n, const struct image_facts *facts, int64_t now_ms)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < n; i++) {
        if (in_force(&all[i], now_ms) && (facts == NULL || speaks_of_image(&all[i], facts, all[i].namespace)) && all[i].expires_ms < next)
            next = all[i].expires_ms;
    }
    return next;
}
