/* intake.c - see intake.h. */
#include "service/intake.h"

#include "base/compress.h"
#include "base/crypto.h"
#include "base/time.h"
#include "core/cvss.h"
#include "service/app.h"
#include "service/views.h"
#include "store/allowance.h"
#include "store/package.h"
#include "wire/imageref.h"
#include "wire/report.h"
#include "wire/severity.h"

#include <stdlib.h>
#include <string.h>

enum { EVIDENCE_LEVEL = 3 };

/* ---- the report ------------------------------------------------------------------- */

static int decode_report(struct call *c, const struct claim *claim, struct scan *scan, struct err *err)
{
    int rc = claim->predicate != NULL ? report_decode(claim->predicate, c->arena, scan, err)
                                      : report_parse(claim->report.ptr, claim->report.len, c->arena, scan, err);
    if (rc != 0)
        return err_prefix(err, "report");
    if (!report_format_is_scan(scan->format))
        return err_set(err, ERR_UNPROCESSABLE, "report: a VEX document is no scan; upload it with: keepctl vex upload FILE");
    return 0;
}

static bool among(const char *const *list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(list[i], text))
            return true;
    }
    return false;
}

/* An uploader who names a digest means that image: one that is neither the subject nor
 * another digest of it in the report is a mistake, or somebody's try. */
static int check_meant(struct call *c, const struct intake *in, const char *image, struct err *err)
{
    const struct report_image *m = &in->scan.image;
    struct imageref ref;

    if (image == NULL)
        return 0;
    if (imageref_parse(c->arena, image, &ref, err) != 0)
        return err_prefix(err, "image");
    if (ref.digest == NULL || str_eq(ref.digest, in->claim.subject) || among(m->digests, m->n_digests, ref.digest) ||
        str_eq(m->config_digest, ref.digest))
        return 0;
    return err_set(err, ERR_UNPROCESSABLE, "image: the report is about %s, not about %s", in->claim.subject, ref.digest);
}

/* The report's own digests must include the one that was signed; a bare report
 * names the image itself. */
static int bind_subject(struct call *c, struct intake *in, const char *image, struct err *err)
{
    const struct report_image *m = &in->scan.image;
    struct imageref ref;

    if (in->claim.subject == NULL && image != NULL) {
        if (imageref_parse(c->arena, image, &ref, err) != 0)
            return err_prefix(err, "image");
        in->claim.subject = ref.digest;
    }
    if (in->claim.subject == NULL && m->n_digests == 1)
        in->claim.subject = m->digests[0];
    if (in->claim.subject == NULL && m->n_digests == 0)
        in->claim.subject = m->config_digest;
    if (in->claim.subject == NULL)
        return err_set(err, ERR_INVALID, "which image? %s; give ?image=REPOSITORY@sha256:... or the header Keep-Subject",
                       m->n_digests == 0 ? "the report names no digest" : "the report names several digests");
    if (!digest_is_valid(in->claim.subject))
        return err_set(err, ERR_INVALID, "image: its digest must be sha256");
    bool named = m->n_digests > 0 || m->config_digest != NULL;
    if (named && !among(m->digests, m->n_digests, in->claim.subject) && !str_eq(m->config_digest, in->claim.subject))
        return err_set(err, ERR_UNPROCESSABLE, "the report is about %s, not about the subject %s",
                       m->n_digests > 0 ? m->digests[0] : m->config_digest, in->claim.subject);
    return check_meant(c, in, image, err);
}

/* The repository, from the most explicit to the least: what the uploader says,
 * the statement's subject, the report. */
static int name_image(struct call *c, struct intake *in, const char *image, struct err *err)
{
    const struct report_image *m = &in->scan.image;
    const char *names[] = { image, in->claim.subject_name, m->n_tags > 0 ? m->tags[0] : NULL, m->reference };
    struct err ignored = { 0 };
    struct imageref ref;

    for (size_t i = 0; i < N_ITEMS(names); i++) {
        if (names[i] == NULL)
            continue;
        if (imageref_parse(c->arena, names[i], &ref, i == 0 ? err : &ignored) != 0) {
            if (i == 0)
                return err_prefix(err, "image");
            continue;
        }
        if (ref.is_id)
            continue;
        in->repository = imageref_name(c->arena, &ref);
        in->tag = ref.tag_implied ? NULL : ref.tag;
        return in->repository != NULL ? 0 : err_nomem(err);
    }
    return err_set(err, ERR_INVALID, "which repository? neither the statement nor the report names one; "
                                     "give ?image=REPOSITORY[:TAG]");
}

int intake_check_repository(struct call *c, const struct claim *claim, const char *repository, struct err *err)
{
    struct allowance *allowances;
    size_t n;

    if (!may_see(c, repository))
        return err_set(err, ERR_FORBIDDEN, "token %s may not upload for repository %s", c->caller->name, repository);
    if (claim->signer != NULL)
        return signer_check_repository(claim->signer, repository, err);
    if (allowance_list_active(c->db, c->now_ms, c->arena, &allowances, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (imageref_name_match(allowances[i].pattern, repository))
            return 0;
    }
    return err_set(err, ERR_UNPROCESSABLE, "the report is not signed, and unsigned reports are not allowed for %s; sign it "
                                           "(keepctl scan upload FILE --key KEY), or ask an administrator", repository);
}

/* ---- the clocks ---------------------------------------------------------------------- */

static int set_clocks(struct call *c, struct intake *in, int64_t db_built_ms, struct err *err)
{
    const struct statement *st = in->claim.statement;
    struct scan *s = &in->scan;
    int64_t latest = c->now_ms + c->app->settings.clock_skew_ms;

    if (st != NULL && st->finished_ms != TIME_UNKNOWN)
        s->scanned_ms = st->finished_ms;
    if (st != NULL && st->db_updated_ms != TIME_UNKNOWN)
        s->db_built_ms = st->db_updated_ms;
    if (s->db_built_ms == TIME_UNKNOWN)
        s->db_built_ms = db_built_ms;
    if (s->scanned_ms != TIME_UNKNOWN && s->scanned_ms > latest)
        return err_set(err, ERR_UNPROCESSABLE, "the scan is dated in the future; check the clock of the machine that scanned");
    if (s->db_built_ms != TIME_UNKNOWN && s->db_built_ms > latest)
        return err_set(err, ERR_UNPROCESSABLE, "the vulnerability database is dated in the future; check the scanner's clock");
    /* Predicates have a field for the time: an empty one is an unknown time.  Other
     * formats may simply have none (Syft): then the upload is what we know. */
    bool has_field = s->format == REPORT_COSIGN_VULN || s->format == REPORT_INTOTO_VULNS;
    in->row.scanned_ms = s->scanned_ms == TIME_UNKNOWN && !has_field ? c->now_ms : s->scanned_ms;
    in->row.effective_ms = in->row.scanned_ms != TIME_UNKNOWN ? in->row.scanned_ms : c->now_ms;
    return 0;
}

/* ---- packages --------------------------------------------------------------------------- */

static bool same_package(const struct package *a, const struct package *b)
{
    return str_eq(a->name, b->name) && str_eq(a->version, b->version) && str_eq(a->ecosystem, b->ecosystem) && str_eq(a->path, b->path);
}

/* A finding of a package that the report does not list brings it along: the row in
 * in->packages, the one before it when several findings speak of the same. */
static size_t package_of_finding(struct intake *in, const struct finding *f)
{
    struct package p = { .name = f->package_name, .version = f->package_version, .not_evaluable = "not listed by the report" };

    if (f->package != NO_PACKAGE || f->package_name == NULL)
        return f->package;
    if (f->matched != NULL)
        p = *f->matched;
    enum { LOOK_BACK = 32 };           /* findings of one package are neighbours; a miss is only a row twice */
    for (size_t i = in->n_packages; i > in->scan.n_packages && in->n_packages - i < LOOK_BACK; i--) {
        if (same_package(&in->packages[i - 1], &p))
            return i - 1;
    }
    in->packages[in->n_packages] = p;
    return in->n_packages++;
}

static int gather_packages(struct call *c, struct intake *in, struct err *err)
{
    struct scan *s = &in->scan;

    in->packages = arena_array(c->arena, s->n_packages + s->n_findings, sizeof *in->packages);
    if (in->packages == NULL)
        return err_nomem(err);
    if (s->n_packages > 0)
        memcpy(in->packages, s->packages, s->n_packages * sizeof *in->packages);
    in->n_packages = s->n_packages;
    for (size_t i = 0; i < s->n_findings; i++)
        s->findings[i].package = package_of_finding(in, &s->findings[i]);
    return 0;
}

static int look_up_packages(struct call *c, struct intake *in, struct err *err)
{
    if (gather_packages(c, in, err) != 0)
        return -1;
    in->package_ids = arena_array(c->arena, in->n_packages, sizeof *in->package_ids);
    if (in->package_ids == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < in->n_packages; i++) {
        struct package *p = &in->packages[i];
        if (p->name == NULL)
            p->name = p->purl != NULL ? p->purl : "";
        if (package_find(c->db, p, &in->package_ids[i], err) != 0)
            return -1;
    }
    return 0;
}

static void hash_text(struct sha256 *h, const char *s)
{
    sha256_add(h, s != NULL ? s : "", s != NULL ? strlen(s) : 0);
    sha256_add(h, "", 1);
}

/* The same list in the same order: nothing to write. */
static void hash_inventory(struct intake *in)
{
    struct sha256 h;

    sha256_init(&h);
    for (size_t i = 0; i < in->n_packages; i++) {
        const struct package *p = &in->packages[i];
        const char *parts[] = { p->name, p->ecosystem, p->version, p->arch, p->path };
        for (size_t k = 0; k < N_ITEMS(parts); k++)
            hash_text(&h, parts[k]);
    }
    sha256_done(&h, in->inventory_hash);
}

/* ---- findings ------------------------------------------------------------------------------ */

/* The name a vulnerability goes by: the CVE where the report knows one. */
static const char *canonical_name(const struct finding *f)
{
    if (str_starts(f->id, "CVE-"))
        return f->id;
    for (size_t i = 0; i < f->n_aliases; i++) {
        if (str_starts(f->aliases[i], "CVE-"))
            return f->aliases[i];
    }
    return f->id;
}

static int gather_aliases(struct call *c, const struct finding *f, struct vulnerability *v, struct err *err)
{
    const char **list = arena_array(c->arena, f->n_aliases + 1, sizeof *list);
    size_t n = 0;

    if (list == NULL)
        return err_nomem(err);
    if (!str_eq(f->id, v->name))
        list[n++] = f->id;
    for (size_t i = 0; i < f->n_aliases; i++) {
        /* Another CVE is another vulnerability, whatever the advisory bundles. */
        if (!str_eq(f->aliases[i], v->name) && !str_starts(f->aliases[i], "CVE-"))
            list[n++] = f->aliases[i];
    }
    v->aliases = list;
    v->n_aliases = n;
    return 0;
}

/* The best vector: the newest version that is valid; scores are ours. */
static void score(struct finding *f, struct vulnerability *v)
{
    struct err ignored = { 0 };
    int best = -1;

    for (size_t i = 0; i < f->n_cvss; i++) {
        struct cvss_score s;
        f->cvss[i].score = -1;
        if (f->cvss[i].vector == NULL || cvss_from_vector(f->cvss[i].vector, &s, &ignored) != 0)
            continue;
        f->cvss[i].score = s.score;
        if (s.version > best) {
            best = s.version;
            v->vector = f->cvss[i].vector;
            v->cvss = s.score;
        }
    }
}

static int intake_one(struct call *c, struct intake *in, struct finding *f, struct intake_finding *out, struct err *err)
{
    struct vulnerability *v = &out->vulnerability;

    *v = (struct vulnerability){ .name = canonical_name(f), .title = f->title, .url = f->url, .cvss = -1,
        .epss = f->epss >= 0 && f->epss <= 1 ? (int64_t)(f->epss * 1e6 + 0.5) : -1, .is_kev = f->is_kev, .published_ms = f->published_ms };
    if (gather_aliases(c, f, v, err) != 0)
        return -1;
    score(f, v);
    if (vulnerability_find(c->db, v->name, &v->id, err) != 0)
        return -1;
    out->package = f->package;
    out->row = (struct image_finding){ .vulnerability_id = v->id, .fixed_version = f->fixed_version,
        .severity = (int)f->severity, .status = (int)f->status, .severity_source = f->severity_source, .suppressed = f->suppressed,
        .since_ms = in->row.effective_ms, .scanner = in->row.scanner };
    if (out->row.severity == SEVERITY_UNKNOWN && v->cvss >= 0)
        out->row.severity = (int)severity_from_score((int)v->cvss);
    return 0;
}

/* What is stored already and says the same need not be written again. */
static int compare_known(struct call *c, struct intake_finding *f, struct err *err)
{
    struct vulnerability known;

    if (f->vulnerability.id == 0)
        return 0;
    if (vulnerability_get(c->db, f->vulnerability.id, c->arena, &known, err) < 0)
        return -1;
    const struct vulnerability *v = &f->vulnerability;
    bool same = (v->title == NULL || str_eq(v->title, known.title)) && (v->url == NULL || str_eq(v->url, known.url)) &&
                (v->vector == NULL || str_eq(v->vector, known.vector)) && (v->epss < 0 || v->epss == known.epss) &&
                (!v->is_kev || known.is_kev) && (v->published_ms == TIME_UNKNOWN || v->published_ms == known.published_ms);
    for (size_t i = 0; i < v->n_aliases && same; i++)
        same = among(known.aliases, known.n_aliases, v->aliases[i]);
    f->vulnerability_known = same;
    return 0;
}

static int intake_findings(struct call *c, struct intake *in, struct err *err)
{
    struct scan *s = &in->scan;

    in->findings = arena_array(c->arena, s->n_findings, sizeof *in->findings);
    if (in->findings == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < s->n_findings; i++) {
        if (s->findings[i].id == NULL || s->findings[i].id[0] == '\0')
            continue;
        struct intake_finding *f = &in->findings[in->n_findings];
        if (intake_one(c, in, &s->findings[i], f, err) != 0 || compare_known(c, f, err) != 0)
            return -1;
        in->n_findings++;
    }
    return 0;
}

/* ---- the rows --------------------------------------------------------------------------------- */

static int compress_evidence(struct call *c, struct intake *in, struct bytes body, struct err *err)
{
    struct buf b;

    buf_init(&b, body.len + body.len / 8 + 4096);
    int rc = zstd_deflate(body.ptr, body.len, EVIDENCE_LEVEL, &b, err);
    char *copy = rc == 0 ? arena_strndup(c->arena, b.ptr, b.len) : NULL;
    in->evidence = (struct evidence){ .id = in->claim.evidence_id, .kind = in->claim.kind,
        .signer_id = in->claim.signer != NULL ? in->claim.signer->id : NULL, .signature = in->claim.signature,
        .subject = in->claim.statement == NULL ? in->claim.subject : NULL, .length = (int64_t)body.len,
        .content = { (const unsigned char *)copy, b.len }, .received_ms = c->now_ms };
    buf_free(&b);
    return rc != 0 ? -1 : copy == NULL ? err_nomem(err) : 0;
}

static int scan_id(struct call *c, struct intake *in, struct err *err)
{
    char digest[72];
    const char *text = arena_printf(c->arena, "%s %s", in->claim.subject,
                                    in->claim.signed_id != NULL ? in->claim.signed_id : in->claim.evidence_id);

    if (text == NULL)
        return err_nomem(err);
    sha256_digest(text, strlen(text), digest);
    in->row.id = arena_strndup(c->arena, digest + 7, 32);
    return in->row.id != NULL ? 0 : err_nomem(err);
}

static void fill_row(struct call *c, struct intake *in, const char *pipeline)
{
    const struct scan *s = &in->scan;
    struct scan_row *r = &in->row;

    r->image = in->claim.subject;
    r->repository = in->repository;
    r->evidence = in->claim.evidence_id;
    r->signer_id = in->claim.signer != NULL ? in->claim.signer->id : NULL;
    r->signer = in->claim.signer != NULL ? in->claim.signer->name : NULL;
    r->format = report_format_word(s->format);
    r->scanner = s->scanner != NULL ? s->scanner : r->format;
    r->scanner_version = s->scanner_version;
    r->db_version = s->db_version;
    r->db_built_ms = s->db_built_ms;
    r->received_ms = c->now_ms;
    r->pipeline = pipeline;
    r->uploaded_by = c->caller->name;
    r->has_inventory = s->has_inventory;
    r->has_findings = s->has_findings;
    r->packages = (int64_t)s->n_packages;
    r->findings = (int64_t)s->n_findings;
    r->issues = (int64_t)s->n_issues;
    r->unmapped = (int64_t)s->n_unmapped;
    for (size_t i = 0; i < s->n_packages; i++)
        r->evaluable += s->packages[i].is_evaluable;
}

int intake_prepare(struct call *c, const struct claim *claim, const char *image, const char *team, const char *pipeline,
                   int64_t db_built_ms, struct intake **out, struct err *err)
{
    struct intake *in = arena_alloc(c->arena, sizeof *in);

    if (in == NULL)
        return err_nomem(err);
    in->claim = *claim;
    in->team = team;
    if (decode_report(c, &in->claim, &in->scan, err) != 0 || bind_subject(c, in, image, err) != 0 ||
        name_image(c, in, image, err) != 0 || intake_check_repository(c, &in->claim, in->repository, err) != 0 || set_clocks(c, in, db_built_ms, err) != 0 ||
        scan_id(c, in, err) != 0)
        return -1;
    fill_row(c, in, pipeline);
    if (compress_evidence(c, in, c->body, err) != 0 || look_up_packages(c, in, err) != 0 || intake_findings(c, in, err) != 0)
        return -1;
    hash_inventory(in);
    *out = in;
    return 0;
}
