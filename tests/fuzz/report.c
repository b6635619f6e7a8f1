/* report.c - any text as a report and as a VEX document.
 *
 * Oracle: decoding twice gives equal counts; every index is in range, every
 * digest valid, every text valid UTF-8, every URL http(s); nothing of a secret
 * is kept; counts add up; what is written as OpenVEX reads back the same. */
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/report.h"
#include "wire/vex.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA = 256 * 1024 * 1024 };

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void text(const char *s)
{
    need(s == NULL || str_is_utf8(s, strlen(s)));
}

static void check_package(const struct package *p)
{
    const char *const texts[] = { p->purl, p->ecosystem, p->name, p->version, p->arch, p->source_name,
                                  p->source_version, p->path, p->licences, p->not_evaluable };

    for (size_t i = 0; i < N_ITEMS(texts); i++)
        text(texts[i]);
    need(p->is_evaluable == (p->not_evaluable == NULL));
    need(!p->is_evaluable || (p->name != NULL && p->version != NULL && p->ecosystem != NULL));
}

static void check_finding(const struct scan *s, const struct finding *f)
{
    const char *const texts[] = { f->id, f->package_name, f->package_version, f->severity_source, f->severity_word,
                                  f->fixed_version, f->status_word, f->title, f->url, f->path, f->suppressed };

    need(f->id != NULL && *f->id != '\0');
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        text(texts[i]);
    for (size_t i = 0; i < f->n_aliases; i++) {
        text(f->aliases[i]);
        need(strcmp(f->aliases[i], f->id) != 0);
    }
    need(f->package == NO_PACKAGE || f->package < s->n_packages);
    need(f->severity < SEVERITY_N && f->status < STATUS_N);
    need(f->n_cvss <= CVSS_MAX);
    for (size_t i = 0; i < f->n_cvss; i++) {
        text(f->cvss[i].vector);
        need(f->cvss[i].claimed >= -1 && f->cvss[i].claimed <= 100 && f->cvss[i].score == -1);
    }
    need(f->url == NULL || strncmp(f->url, "http", 4) == 0);
    need(f->epss >= -1 && f->epss <= 1);
}

static void check_issue(const struct issue *i)
{
    need(i->id != NULL && i->kind < ISSUE_KIND_N && i->severity < SEVERITY_N);
    text(i->title);
    text(i->message);
    text(i->resolution);
    text(i->file);
    need(i->kind != ISSUE_SECRET || i->message == NULL || str_starts(i->message, "masked ("));
}

static void check_scan(const struct scan *s)
{
    for (size_t i = 0; i < s->n_packages; i++)
        check_package(&s->packages[i]);
    for (size_t i = 0; i < s->n_findings; i++)
        check_finding(s, &s->findings[i]);
    for (size_t i = 0; i < s->n_issues; i++)
        check_issue(&s->issues[i]);
    for (size_t i = 0; i < s->image.n_digests; i++)
        need(digest_is_valid(s->image.digests[i]));
    need(s->image.config_digest == NULL || digest_is_valid(s->image.config_digest));
    for (size_t i = 0; i < s->image.n_tags; i++)
        text(s->image.tags[i]);
    text(s->image.reference);
    text(s->image.os_family);
    text(s->image.os_version);
    text(s->scanner);
    text(s->scanner_version);
    text(s->format_version);
}

static void check_report(const void *data, size_t size)
{
    struct arena a, b;
    struct scan first, second;
    struct report_counts x, y;
    struct err err;

    arena_init(&a, ARENA);
    arena_init(&b, ARENA);
    int rc = report_parse(data, size, &a, &first, &err);
    if (rc != 0)
        need(err.msg[0] != '\0' && str_is_utf8(err.msg, strlen(err.msg)));
    need(report_parse(data, size, &b, &second, &err) == rc);
    if (rc == 0) {
        check_scan(&first);
        need(report_count(&first, &a, &x, &err) == 0 && report_count(&second, &b, &y, &err) == 0);
        need(memcmp(&x, &y, sizeof x) == 0);
        need(x.all.n == first.n_findings && x.active.n + first.n_suppressed == x.all.n);
        need(x.all.unique_ids <= x.all.n && x.evaluable <= x.packages && x.with_purl <= x.packages);
    }
    arena_clear(&a);
    arena_clear(&b);
}

static void check_same(const struct vex *x, const struct vex *y)
{
    need(x->n_statements == y->n_statements && strcmp(x->id, y->id) == 0);
    for (size_t i = 0; i < x->n_statements; i++) {
        const struct vex_statement *s = &x->statements[i], *t = &y->statements[i];
        need(strcmp(s->vulnerability, t->vulnerability) == 0 && s->status == t->status);
        need(s->n_products == t->n_products && s->n_aliases == t->n_aliases);
        for (size_t k = 0; k < s->n_products; k++)
            need(s->products[k].n_subcomponents == t->products[k].n_subcomponents);
    }
}

static void check_vex(const void *data, size_t size)
{
    struct arena a;
    struct vex x, y;
    struct err err;
    struct buf out;

    arena_init(&a, ARENA);
    buf_init(&out, ARENA);
    if (vex_parse(data, size, &a, &x, &err) == 0) {
        for (size_t i = 0; i < x.n_statements; i++) {
            need(x.statements[i].vulnerability != NULL && x.statements[i].status < VEX_STATUS_N);
            text(x.statements[i].vulnerability);
            for (size_t k = 0; k < x.statements[i].n_products; k++) {
                const struct vex_product *p = &x.statements[i].products[k];
                text(p->id);
                text(p->purl);
                for (size_t n = 0; n < p->n_digests; n++)
                    need(digest_is_valid(p->digests[n]));
            }
        }
        if (vex_encode(&x, &out, &err) == 0) {
            need(vex_parse(out.ptr, out.len, &a, &y, &err) == 0);
            check_same(&x, &y);
        }
    }
    buf_free(&out);
    arena_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_report(data, size);
    check_vex(data, size);
    return 0;
}
