/* ingest_scan.c - POST /v1/scans: a scanner's report in, a verdict out.
 *
 *~ The heart of Keep.  `ingest_scan_prepare` runs on a worker and reads: verify the
 *~ signature over the bytes, decode, bind to the image, look up what is known.
 *~ `ingest_scan` runs on the writer and writes: image, evidence, scan, inventory,
 *~ findings, verdict, audit; one transaction, one answer. */
#include "service/scans.h"

#include "base/time.h"
#include "db/ballast.h"
#include "service/audit_change.h"
#include "service/intake.h"
#include "service/judge_image.h"
#include "service/policies.h"
#include "service/views.h"
#include "store/image.h"
#include "store/package.h"
#include "store/posture.h"
#include "wire/msg/scan.h"
#include "wire/msg/words.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_SIGNATURE, HEADER_SUBJECT };
const char *const ingest_scan_headers[] = { "Keep-Signature", "Keep-Subject", NULL };

/* Refused while there is still room to say so: a full disk can neither delete nor
 * checkpoint, and reads and verdicts must go on. */
static int check_room(struct call *c, struct err *err)
{
    enum { SPARE = 32 << 20 };
    int64_t free_bytes = c->app->data_dir != NULL ? disk_free_bytes(c->app->data_dir) : -1;

    if (free_bytes < 0 || free_bytes > 2 * (int64_t)c->body.len + SPARE)
        return 0;
    c->retry_after_s = 60;
    return err_set(err, ERR_STORAGE_FULL, "the server's disk is nearly full (%lld MiB free); nothing was stored", (long long)(free_bytes >> 20));
}

int ingest_scan_prepare(struct call *c, const void *ignored, void *also_ignored, struct err *err)
{
    const struct scan_upload_query *q = c->query;
    struct claim claim;
    struct intake *intake;

    (void)ignored, (void)also_ignored;
    if (check_room(c, err) != 0 || evidence_open(c, c->body, c->headers[HEADER_SIGNATURE], c->headers[HEADER_SUBJECT], &claim, err) != 0 ||
        intake_prepare(c, &claim, q->image, q->team, q->pipeline, q->db_built_ms, &intake, err) != 0)
        return -1;
    c->prepared = intake;
    return 0;
}

/* ---- writing ------------------------------------------------------------------------- */

struct writing {
    struct call *c;
    struct intake *in;
    int64_t image_id, repository_id, scanner_id;
    bool is_newest;                    /* of its scanner */
    bool is_first;                     /* the scanner's first of this image */
};

/* The image may live elsewhere than the uploader says: who may not speak of that
 * place does not learn its name. */
static int check_place(struct call *c, const struct intake *in, const char *repository, struct err *err)
{
    if (str_eq(repository, in->repository))
        return 0;
    if (!may_see(c, repository))
        return err_set(err, ERR_FORBIDDEN, "image %s is known from a repository that token %s may not upload for", in->claim.subject,
                       c->caller->name);
    return intake_check_repository(c, &in->claim, repository, err);
}

static int write_image(struct writing *w, struct err *err)
{
    struct call *c = w->c;
    struct intake *in = w->in;
    const struct freshness_limits limits = app_limits(c->app);
    struct image image;

    if (repository_upsert(c->db, in->repository, in->team, in->row.effective_ms, &w->repository_id, err) != 0)
        return -1;
    int rc = image_find(c->db, in->claim.subject, &limits, c->now_ms, c->arena, &image, err);
    if (rc < 0)
        return -1;
    if (rc == 1) {
        w->image_id = image.id;
        return check_place(c, in, image.repository, err);
    }
    return image_insert(c->db, in->claim.subject, w->repository_id, c->now_ms, &w->image_id, err) != 0 ||
           trend_add_image(c->db, in->row.effective_ms, w->repository_id, err) != 0 ? -1 : 0;
}

static int write_names(struct writing *w, struct err *err)
{
    struct call *c = w->c;
    const struct report_image *m = &w->in->scan.image;
    /* "The same image under another digest" lets that digest pass with this one's
     * verdict: only somebody who signed may say so. */
    bool trusted = w->in->claim.signer != NULL;

    for (size_t i = 0; trusted && i < m->n_digests; i++) {
        if (image_add_alias(c->db, w->image_id, m->digests[i], "report", err) != 0)
            return -1;
    }
    if (trusted && m->config_digest != NULL && image_add_alias(c->db, w->image_id, m->config_digest, "config", err) != 0)
        return -1;
    if (w->in->tag != NULL && w->is_newest &&
        image_add_tag(c->db, w->image_id, w->repository_id, w->in->tag, w->in->row.effective_ms, err) != 0)
        return -1;
    return image_describe(c->db, w->image_id, w->is_newest ? w->in->tag : NULL, m->os_family, m->os_version, m->arch,
                          m->base_image, c->now_ms, err);
}

/* An older scan never replaces a newer one of the same scanner and kind, and what nobody
 * signed never replaces what somebody did: else an allowance would undo signatures. */
static int write_scan(struct writing *w, struct err *err)
{
    struct call *c = w->c;
    struct scan_row *row = &w->in->row, current;

    if (scanner_intern(c->db, row->scanner, &w->scanner_id, err) != 0)
        return -1;
    int rc = scan_current(c->db, w->image_id, w->scanner_id, row->has_findings, c->arena, &current, err);
    if (rc < 0)
        return -1;
    w->is_first = rc == 0;
    w->is_newest = rc == 0 || (row->effective_ms >= current.effective_ms && (row->signer_id != NULL || current.signer_id == NULL));
    if (rc == 1 && w->is_newest && scan_retire(c->db, current.id, err) != 0)
        return -1;
    row->image_id = w->image_id;
    row->scanner_id = w->scanner_id;
    row->is_current = w->is_newest;
    return evidence_insert(c->db, &w->in->evidence, err) != 0 || scan_insert(c->db, row, err) != 0 ? -1 : 0;
}

static int intern_package(struct writing *w, size_t i, int64_t *id, struct err *err)
{
    struct intake *in = w->in;

    if (in->package_ids[i] == 0 && package_intern(w->c->db, &in->packages[i], &in->package_ids[i], err) != 0)
        return -1;
    *id = in->package_ids[i];
    return 0;
}

/* A list of packages replaces an older one, but an unsigned one none that is signed; what merely matched something (Grype)
 * stands in only as long as there is no list. */
static int write_inventory(struct writing *w, struct err *err)
{
    struct call *c = w->c;
    struct intake *in = w->in;
    unsigned char hash[32];
    int64_t inventory_ms, id;
    bool has_hash;

    if (in->n_packages == 0 && !in->scan.has_inventory)
        return 0;
    int kept = in->claim.signer == NULL ? scan_has_signed_inventory(c->db, w->image_id, err) : 0;
    if (kept != 0)
        return kept < 0 ? -1 : 0;
    if (image_inventory(c->db, w->image_id, &inventory_ms, hash, &has_hash, err) != 0)
        return -1;
    if (inventory_ms != TIME_UNKNOWN && (!in->scan.has_inventory || inventory_ms > in->row.effective_ms))
        return 0;
    bool same = has_hash && memcmp(hash, in->inventory_hash, sizeof hash) == 0;
    if (!same && image_packages_clear(c->db, w->image_id, err) != 0)
        return -1;
    size_t n = in->scan.has_inventory ? in->scan.n_packages : in->n_packages;
    for (size_t i = 0; !same && i < n; i++) {
        if (intern_package(w, i, &id, err) != 0 || image_packages_add(c->db, w->image_id, id, in->packages[i].path, err) != 0)
            return -1;
    }
    return image_set_inventory(c->db, w->image_id, in->scan.has_inventory ? in->row.effective_ms : TIME_UNKNOWN, in->inventory_hash,
                               sizeof in->inventory_hash, in->row.packages, in->row.evaluable, err);
}

/* ---- findings: what is there against what was there ------------------------------------ */

/* A vulnerability is the same for the whole fleet: what is known of it is not for an
 * unsigned report of somebody who may only speak of his own repositories to change. */
static bool may_teach(const struct writing *w)
{
    return w->in->claim.signer != NULL || w->c->caller->n_repositories == 0;
}

static int resolve_findings(struct writing *w, struct err *err)
{
    bool teaches = may_teach(w);

    for (size_t i = 0; i < w->in->n_findings; i++) {
        struct intake_finding *f = &w->in->findings[i];
        if (!f->vulnerability_known && (teaches || f->row.vulnerability_id == 0) &&
            vulnerability_upsert(w->c->db, &f->vulnerability, &f->row.vulnerability_id, err) != 0)
            return -1;
        if (f->package != NO_PACKAGE && intern_package(w, f->package, &f->row.package_id, err) != 0)
            return -1;
        f->row.scanner_id = w->scanner_id;
    }
    return 0;
}

static int compare(const struct image_finding *a, const struct image_finding *b)
{
    if (a->vulnerability_id != b->vulnerability_id)
        return a->vulnerability_id < b->vulnerability_id ? -1 : 1;
    return a->package_id == b->package_id ? 0 : a->package_id < b->package_id ? -1 : 1;
}

static int by_identity(const void *a, const void *b)
{
    const struct intake_finding *x = a, *y = b;
    int order = compare(&x->row, &y->row);

    return order != 0 ? order : y->row.severity - x->row.severity;    /* of the same twice, the worst first */
}

static int note(struct writing *w, const struct image_finding *f, const char *change, const char *detail, struct err *err)
{
    const char *cause = arena_printf(w->c->arena, "scan %s", w->in->row.id);
    struct finding_change n = { .at_ms = w->in->row.effective_ms, .vulnerability_id = f->vulnerability_id,
        .package_id = f->package_id, .scanner_id = f->scanner_id, .change = change, .cause = cause, .detail = detail };

    if (cause == NULL || detail == NULL)
        return err_nomem(err);
    return finding_change_insert(w->c->db, w->image_id, &n, err);
}

static int open_finding(struct writing *w, const struct image_finding *f, struct err *err)
{
    if (finding_insert(w->c->db, w->image_id, f, err) != 0)
        return -1;
    /* The first scan opens everything: the findings' own `since` says so. */
    return w->is_first ? 0 : note(w, f, "opened", severity_words[f->severity], err);
}

static int close_finding(struct writing *w, const struct image_finding *f, struct err *err)
{
    char since[TIME_TEXT];

    time_format(f->since_ms, since);
    return finding_delete(w->c->db, w->image_id, f, err) != 0 ||
           note(w, f, "closed", arena_printf(w->c->arena, "%s, open since %s", severity_words[f->severity], since), err) != 0 ? -1 : 0;
}

static const char *or_none(const char *s)
{
    return s != NULL ? s : "none";
}

static int keep_finding(struct writing *w, const struct image_finding *was, struct image_finding *is, struct err *err)
{
    struct arena *a = w->c->arena;

    is->since_ms = was->since_ms;
    if (was->severity == is->severity && was->status == is->status && str_eq(was->fixed_version, is->fixed_version) &&
        str_eq(was->severity_source, is->severity_source) && str_eq(was->suppressed, is->suppressed))
        return 0;
    if (was->severity != is->severity &&
        note(w, is, "severity", arena_printf(a, "%s -> %s", severity_words[was->severity], severity_words[is->severity]), err) != 0)
        return -1;
    if (!str_eq(was->fixed_version, is->fixed_version) &&
        note(w, is, "fix", arena_printf(a, "%s -> %s", or_none(was->fixed_version), or_none(is->fixed_version)), err) != 0)
        return -1;
    if (was->status != is->status &&
        note(w, is, "status", arena_printf(a, "%s -> %s", status_words[was->status], status_words[is->status]), err) != 0)
        return -1;
    return finding_update(w->c->db, w->image_id, is, err);
}

/* Both lists are sorted by identity: one walk opens, keeps and closes. */
static int write_findings(struct writing *w, struct err *err)
{
    struct image_finding *was;
    size_t n_was, i = 0, j = 0;
    struct intake_finding *is = w->in->findings;

    if (resolve_findings(w, err) != 0 || finding_list(w->c->db, w->image_id, w->scanner_id, w->c->arena, &was, &n_was, err) != 0)
        return -1;
    if (w->in->n_findings > 1)
        qsort(is, w->in->n_findings, sizeof *is, by_identity);
    while (i < n_was || j < w->in->n_findings) {
        if (j > 0 && j < w->in->n_findings && compare(&is[j].row, &is[j - 1].row) == 0) {
            j++;                       /* the report says it twice */
            continue;
        }
        int order = i == n_was ? 1 : j == w->in->n_findings ? -1 : compare(&was[i], &is[j].row);
        int rc = order < 0 ? close_finding(w, &was[i], err) : order > 0 ? open_finding(w, &is[j].row, err)
                                                                        : keep_finding(w, &was[i], &is[j].row, err);
        if (rc != 0)
            return -1;
        i += order <= 0;
        j += order >= 0;
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct image_issue *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind - y->kind;
    if (x->start_line != y->start_line)
        return x->start_line < y->start_line ? -1 : 1;
    int order = strcmp(x->rule, y->rule);
    if (order == 0)
        order = strcmp(x->file != NULL ? x->file : "", y->file != NULL ? y->file : "");
    return order != 0 ? order : strcmp(x->scanner, y->scanner);
}

/* An issue that was there before is as old as it was. */
static int64_t open_since(const struct image_issue *was, size_t n, struct image_issue *is, const struct writing *w)
{
    is->scanner = w->in->row.scanner;
    const struct image_issue *known = n > 0 ? bsearch(is, was, n, sizeof *was, by_place) : NULL;
    return known != NULL && known->since_ms < is->since_ms ? known->since_ms : is->since_ms;
}

static int write_issues(struct writing *w, struct err *err)
{
    const struct scan *s = &w->in->scan;
    struct image_issue *was;
    size_t n_was;

    if (s->n_issues == 0 && !s->has_findings)
        return 0;                      /* a list of packages: nobody looked for issues */
    if (issue_list(w->c->db, w->image_id, w->c->arena, &was, &n_was, err) != 0)
        return -1;
    if (n_was > 1)
        qsort(was, n_was, sizeof *was, by_place);
    if (issue_clear(w->c->db, w->image_id, w->scanner_id, err) != 0)
        return -1;
    for (size_t i = 0; i < s->n_issues; i++) {
        const struct issue *u = &s->issues[i];
        struct image_issue row = { .kind = (int)u->kind, .severity = (int)u->severity, .rule = u->id != NULL ? u->id : "", .status = u->status,
            .title = u->title, .message = u->message, .resolution = u->resolution, .file = u->file, .start_line = u->start_line,
            .since_ms = w->in->row.effective_ms };
        row.since_ms = open_since(was, n_was, &row, w);
        if (issue_insert(w->c->db, w->image_id, w->scanner_id, (int64_t)i, &row, err) != 0)
            return -1;
    }
    return 0;
}

static int write_clocks(struct writing *w, struct err *err)
{
    struct scan_clocks clocks;

    if (scan_clocks(w->c->db, w->image_id, &clocks, err) != 0)
        return -1;
    if (clocks.n == 0)
        return 0;                      /* only inventories so far: never scanned */
    return image_set_clocks(w->c->db, w->image_id, clocks.scanned_ms, clocks.db_built_ms, clocks.n_signed == clocks.n, err);
}

static int write_all(struct writing *w, struct err *err)
{
    if (write_image(w, err) != 0 || write_scan(w, err) != 0 || write_names(w, err) != 0)
        return -1;
    if (!w->is_newest)
        return 0;
    if (write_inventory(w, err) != 0 || (w->in->scan.has_findings && write_findings(w, err) != 0))
        return -1;
    return write_issues(w, err) != 0 || write_clocks(w, err) != 0 ? -1 : 0;
}

/* ---- the use case ---------------------------------------------------------------------------- */

static int answer(struct call *c, const char *scan_id, int64_t image_id, struct scan_result *out, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct scan_row row;

    int rc = scan_get(c->db, scan_id, c->arena, &row, err);
    if (rc == 1)
        rc = image_get(c->db, image_id, &limits, c->now_ms, c->arena, &out->image, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_INTERNAL, "scan %s cannot be read back", scan_id);
    return scan_view(&row, c->arena, &out->scan, err);
}

/* What a newer scan replaced already changes nothing, and is the cause of nothing. */
static int judge(struct writing *w, const char *cause, struct scan_result *out, struct err *err)
{
    struct call *c = w->c;
    struct image_facts facts;

    return w->is_newest ? image_judge(c->app, c->db, w->image_id, cause, w->in->row.effective_ms, c->now_ms, c->arena, &out->verdict, err)
                        : image_decide(c->app, c->db, w->image_id, STAGE_BUILD, c->now_ms, c->arena, &facts, &out->verdict, err);
}

int ingest_scan(struct call *c, const void *ignored, void *out_, struct err *err)
{
    struct writing w = { .c = c, .in = c->prepared };
    struct scan_result *out = out_;
    struct image_facts facts;
    struct scan_row known;

    (void)ignored;
    int rc = scan_get(c->db, w.in->row.id, c->arena, &known, err);
    if (rc < 0)
        return -1;
    if (rc == 1) {                     /* the same upload again: the same scan, and a verdict of today */
        out->is_superseded = !known.is_current;
        return check_place(c, w.in, known.repository, err) != 0 ||
               image_decide(c->app, c->db, known.image_id, STAGE_BUILD, c->now_ms, c->arena, &facts, &out->verdict, err) != 0 ||
               answer(c, known.id, known.image_id, out, err) != 0 ? -1 : 0;
    }
    const char *cause = arena_printf(c->arena, "scan %s", w.in->row.id);
    if (cause == NULL)
        return err_nomem(err);
    if (write_all(&w, err) != 0 || judge(&w, cause, out, err) != 0 ||
        answer(c, w.in->row.id, w.image_id, out, err) != 0)
        return -1;
    out->is_new = true;
    out->is_superseded = !w.is_newest;
    c->status = 201;
    c->location = arena_printf(c->arena, "/v1/scans/%s", w.in->row.id);
    return audit_change(c, "upload", "scan", w.in->row.id, &scan_shape, NULL, &out->scan, err);
}
