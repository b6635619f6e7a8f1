/* show_scans.c - scans, and the evidence behind them, byte for byte. */
#include "service/scans.h"

#include "base/buf.h"
#include "base/compress.h"
#include "service/check.h"
#include "service/views.h"
#include "store/signer.h"

#include <string.h>

static int not_found(struct err *err, const char *what, const char *id)
{
    return err_set(err, ERR_NOT_FOUND, "no %s %s", what, id);
}

int scan_show(struct call *c, const void *in, void *out, struct err *err)
{
    struct scan_row row;

    (void)in;
    int rc = scan_get(c->db, c->path[0], c->arena, &row, err);
    if (rc < 0)
        return -1;
    if (rc == 0 || !may_see(c, row.repository))
        return not_found(err, "scan", c->path[0]);
    return scan_view(&row, c->arena, out, err);
}

static void row_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    const struct scan_row *rows = items;

    *at_ms = rows[i].received_ms;
    *id = rows[i].id;
}

static void row_key_of_image(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    const struct scan_row *rows = items;

    *at_ms = rows[i].effective_ms;
    *id = rows[i].id;
}

int scan_page(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct scan_query *q = c->query;
    struct scan_list_answer *out = out_;
    struct scan_row *rows;
    struct page page;
    const char *before;
    int64_t before_ms;
    size_t n, shown = 0;

    (void)in;
    if (page_start(&q->page, c->arena, &before_ms, &before, err) != 0 ||
        scan_list(c->db, q->image, q->scanner, before_ms, before, page_limit(&q->page), c->arena, &rows, &n, err) != 0 ||
        page_fill(&q->page, c->arena, rows, n, q->image != NULL ? row_key_of_image : row_key, &page, err) != 0)
        return -1;
    struct scan_answer *items = arena_array(c->arena, page.n_items, sizeof *items);
    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < page.n_items; i++) {
        if (!may_see(c, rows[i].repository))
            continue;
        if (scan_view(&rows[i], c->arena, &items[shown++], err) != 0)
            return -1;
    }
    *out = (struct scan_list_answer){ items, shown, page.next };
    return 0;
}

/* Evidence is as visible as the scans it proves. */
static int find_evidence(struct call *c, struct evidence *e, const char ***scans, size_t *n, struct err *err)
{
    struct scan_row row;
    bool visible = c->caller->n_repositories == 0;

    int rc = evidence_get(c->db, c->path[0], c->arena, e, err);
    if (rc < 0 || (rc == 1 && evidence_scans(c->db, e->id, c->arena, scans, n, err) != 0))
        return -1;
    for (size_t i = 0; rc == 1 && i < *n && !visible; i++) {
        int got = scan_get(c->db, (*scans)[i], c->arena, &row, err);
        if (got < 0)
            return -1;
        visible = got == 1 && may_see(c, row.repository);
    }
    return rc == 0 || !visible ? not_found(err, "evidence", c->path[0]) : 0;
}

int evidence_download(struct call *c, const void *in, void *out, struct err *err)
{
    struct evidence e;
    const char **scans;
    size_t n;
    struct buf b;

    (void)in, (void)out;
    if (find_evidence(c, &e, &scans, &n, err) != 0)
        return -1;
    buf_init(&b, (size_t)e.length);
    struct inflate_bounds bounds = { .max_bytes = (size_t)e.length, .max_ratio = 1 << 20 };
    int rc = zstd_inflate(e.content.ptr, e.content.len, bounds, &b, err);
    char *copy = rc == 0 ? arena_strndup(c->arena, b.ptr, b.len) : NULL;
    c->answer = (struct bytes){ (const unsigned char *)copy, b.len };
    buf_free(&b);
    if (rc != 0)
        return err_prefix(err, "evidence %s", e.id);
    c->answer_type = "application/octet-stream";
    c->file_name = arena_printf(c->arena, "evidence-%.12s.json", e.id);
    c->answer_etag = arena_printf(c->arena, "\"%s\"", e.id);
    return copy == NULL || c->file_name == NULL ? err_nomem(err) : 0;
}

int evidence_show(struct call *c, const void *in, void *out_, struct err *err)
{
    struct evidence_answer *out = out_;
    struct evidence e;
    struct signer signer;
    const char **scans;
    size_t n;

    (void)in;
    if (find_evidence(c, &e, &scans, &n, err) != 0)
        return -1;
    *out = (struct evidence_answer){ .id = e.id, .kind = e.kind, .subject = e.subject, .signature = e.signature, .length = e.length,
                                     .received_ms = e.received_ms, .scans = scans, .n_scans = n };
    if (e.signer_id == NULL)
        return 0;
    int rc = signer_get(c->db, e.signer_id, c->arena, &signer, err);
    struct signer_brief *brief = arena_alloc(c->arena, sizeof *brief);
    if (rc < 0 || brief == NULL)
        return rc < 0 ? -1 : err_nomem(err);
    *brief = (struct signer_brief){ e.signer_id, rc == 1 ? signer.name : NULL };
    out->signer = brief;
    return 0;
}
