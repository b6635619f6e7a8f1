/* views.c - see views.h. */
#include "service/views.h"

#include "model/exception.h"
#include "service/call.h"
#include "service/policies.h"
#include "wire/imageref.h"

#include <math.h>
#include <string.h>

int scan_view(const struct scan_row *r, struct arena *arena, struct scan_answer *out, struct err *err)
{
    struct signer_brief *signer = NULL;

    if (r->signer_id != NULL) {
        if ((signer = arena_alloc(arena, sizeof *signer)) == NULL)
            return err_nomem(err);
        *signer = (struct signer_brief){ r->signer_id, r->signer };
    }
    *out = (struct scan_answer){
        .id = r->id, .image = r->image, .repository = r->repository, .format = r->format, .scanner = r->scanner,
        .scanner_version = r->scanner_version, .db_version = r->db_version, .pipeline = r->pipeline, .uploaded_by = r->uploaded_by,
        .evidence = r->evidence, .db_built_ms = r->db_built_ms, .scanned_ms = r->scanned_ms, .received_ms = r->received_ms,
        .signer = signer, .has_inventory = r->has_inventory, .has_findings = r->has_findings, .is_current = r->is_current,
        .packages = r->packages, .evaluable = r->evaluable, .findings = r->findings, .issues = r->issues, .unmapped = r->unmapped,
    };
    return 0;
}

/* ", "-joined -> list */
static int split_aliases(const char *joined, struct arena *arena, struct finding_answer *out, struct err *err)
{
    size_t n = 1, i = 0;

    if (joined == NULL)
        return 0;
    for (const char *s = joined; (s = strstr(s, ", ")) != NULL; s += 2)
        n++;
    const char **list = arena_array(arena, n, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (const char *s = joined; s != NULL; ) {
        const char *end = strstr(s, ", ");
        list[i] = end != NULL ? arena_strndup(arena, s, (size_t)(end - s)) : s;
        if (list[i++] == NULL)
            return err_nomem(err);
        s = end != NULL ? end + 2 : NULL;
    }
    out->aliases = list;
    out->n_aliases = n;
    return 0;
}

int finding_view(const struct image_finding *f, struct arena *arena, struct finding_answer *out, struct err *err)
{
    struct exception_brief *brief = NULL;

    if (f->exception != NULL) {
        if ((brief = arena_alloc(arena, sizeof *brief)) == NULL)
            return err_nomem(err);
        *brief = (struct exception_brief){ f->exception->id, f->exception->reason, f->exception->expires_ms };
    }
    *out = (struct finding_answer){
        .vulnerability = f->vulnerability, .package = f->package, .version = f->version, .fixed_version = f->fixed_version,
        .severity = f->severity, .status = f->status, .scanner = f->scanner, .severity_source = f->severity_source, .title = f->title,
        .url = f->url, .vector = f->vector, .suppressed = f->suppressed, .since_ms = f->since_ms,
        .cvss = f->cvss >= 0 ? (double)f->cvss / 10 : (double)NAN, .epss = f->epss >= 0 ? (double)f->epss / 1e6 : (double)NAN,
        .is_kev = f->is_kev, .exception = brief,
    };
    return split_aliases(f->aliases, arena, out, err);
}

int brief_view(const struct call *c, const struct image *m, struct image_brief *out, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    const char *reference = m->tag == NULL ? m->repository : arena_printf(c->arena, "%s:%s", m->repository, m->tag);

    if (reference == NULL)
        return err_nomem(err);
    *out = (struct image_brief){ m->digest, reference, m->team, m->running, m->verdict, (int)freshness_decide(m, &limits, c->now_ms) };
    return 0;
}

bool may_see(const struct call *c, const char *repository)
{
    for (size_t i = 0; i < c->caller->n_repositories; i++) {
        if (imageref_name_match(c->caller->repositories[i], repository))
            return true;
    }
    return c->caller->n_repositories == 0;
}
