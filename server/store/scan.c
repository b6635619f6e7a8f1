/* scan.c - see scan.h. */
#include "store/scan.h"

#include "base/time.h"
#include "store/list.h"
#include "store/rows.h"

#include <string.h>

#define SCAN_COLS \
    "s.id, i.digest, r.name, s.evidence_id, s.signer_id, g.name, s.format, c.name, s.scanner_version, s.db_version, s.pipeline, " \
    "s.uploaded_by, s.image_id, s.scanner_id, s.db_built_ms, s.scanned_ms, s.effective_ms, s.received_ms, s.has_inventory, " \
    "s.has_findings, s.is_current, s.n_packages, s.n_evaluable, s.n_findings, s.n_issues, s.n_unmapped"
#define SCAN_OUT "ttttttttttttiiiiiiiiiiiiii"
#define SCAN_FROM \
    " FROM scans s JOIN images i ON i.id = s.image_id JOIN repositories r ON r.id = i.repository_id " \
    "JOIN scanners c ON c.id = s.scanner_id LEFT JOIN signers g ON g.id = s.signer_id "

enum {
    Q_EVIDENCE_ADD, Q_EVIDENCE_GET, Q_EVIDENCE_SCANS, Q_ADD, Q_GET, Q_CURRENT, Q_INVENTORY, Q_RETIRE, Q_LIST, Q_LIST_IMAGE, Q_CLOCKS,
    Q_SIGNERS, Q_OLD, Q_DROP, Q_ORPHAN, Q_LAST_IMAGE, Q_N
};

static const struct db_query Q[Q_N] = {
    [Q_EVIDENCE_ADD] = { "evidence.add", "tttttibi", "",
        "INSERT INTO evidence (id, kind, signer_id, signature, subject, length, content, received_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING" },
    [Q_EVIDENCE_GET] = { "evidence.get", "t", "tttttibi",
        "SELECT id, kind, signer_id, signature, subject, length, content, received_ms FROM evidence WHERE id = $1" },
    [Q_EVIDENCE_SCANS] = { "evidence.scans", "t", "t", "SELECT id FROM scans WHERE evidence_id = $1 ORDER BY id" },
    [Q_ADD] = { "scan.add", "titttittiiiittiiiiiiii", "",
        "INSERT INTO scans (id, image_id, evidence_id, signer_id, format, scanner_id, scanner_version, db_version, db_built_ms, "
        "scanned_ms, effective_ms, received_ms, pipeline, uploaded_by, has_inventory, has_findings, is_current, n_packages, "
        "n_evaluable, n_findings, n_issues, n_unmapped) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)" },
    [Q_GET] = { "scan.get", "t", SCAN_OUT, "SELECT " SCAN_COLS SCAN_FROM "WHERE s.id = $1" },
    [Q_CURRENT] = { "scan.current", "iii", SCAN_OUT,
        "SELECT " SCAN_COLS SCAN_FROM "WHERE s.image_id = $1 AND s.scanner_id = $2 AND s.has_findings = $3 AND s.is_current = 1" },
    [Q_INVENTORY] = { "scan.signed_inventory", "i", "i",
        "SELECT COUNT(*) FROM scans s JOIN signers g ON g.id = s.signer_id "
        "WHERE s.image_id = $1 AND s.is_current = 1 AND s.has_inventory = 1 AND g.revoked_ms IS NULL" },
    [Q_RETIRE] = { "scan.retire", "t", "", "UPDATE scans SET is_current = 0 WHERE id = $1" },
    [Q_LIST] = { "scan.list", "titi", SCAN_OUT,
        "SELECT " SCAN_COLS SCAN_FROM "WHERE ($1 IS NULL OR c.name = $1) AND (s.received_ms, s.id) < ($2, $3) "
        "ORDER BY s.received_ms DESC, s.id DESC LIMIT $4" },
    [Q_LIST_IMAGE] = { "scan.list_image", "ttiti", SCAN_OUT,
        "SELECT " SCAN_COLS SCAN_FROM "WHERE s.image_id = (SELECT image_id FROM digest_aliases WHERE digest = $1) "
        "AND ($2 IS NULL OR c.name = $2) AND (s.effective_ms, s.id) < ($3, $4) "
        "ORDER BY s.effective_ms DESC, s.id DESC LIMIT $5" },
    [Q_CLOCKS] = { "scan.clocks", "i", "iiii",
        "SELECT MAX(s.scanned_ms), MAX(s.db_built_ms), COUNT(*), COUNT(g.id) FROM scans s "
        "LEFT JOIN signers g ON g.id = s.signer_id AND g.revoked_ms IS NULL "
        "WHERE s.image_id = $1 AND s.is_current = 1 AND s.has_findings = 1" },
    [Q_SIGNERS] = { "scan.signers", "i", "t",
        "SELECT DISTINCT g.name FROM scans s JOIN signers g ON g.id = s.signer_id "
        "WHERE s.image_id = $1 AND s.is_current = 1 AND g.revoked_ms IS NULL ORDER BY g.name" },
    [Q_OLD] = { "scan.old", "iiii", "tt",
        "SELECT s.id, s.evidence_id FROM scans s WHERE s.image_id > $1 AND s.image_id <= $2 AND s.is_current = 0 AND "
        "(SELECT COUNT(*) FROM scans t WHERE t.image_id = s.image_id AND t.scanner_id = s.scanner_id "
        "AND (t.effective_ms, t.id) > (s.effective_ms, s.id)) > $3 LIMIT $4" },
    [Q_DROP] = { "scan.drop", "t", "", "DELETE FROM scans WHERE id = $1" },
    [Q_ORPHAN] = { "evidence.orphan", "t", "",
        "DELETE FROM evidence WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM scans s WHERE s.evidence_id = $1)" },
    [Q_LAST_IMAGE] = { "scan.last_image", "", "i", "SELECT COALESCE(MAX(image_id), 0) FROM scans" },
};

const struct db_queries scan_queries = { Q, Q_N };

int evidence_insert(struct db *db, const struct evidence *e, struct err *err)
{
    return db_exec(db, &Q[Q_EVIDENCE_ADD], DB_IN(db_t(e->id), db_t(e->kind), db_t(e->signer_id), db_t(e->signature),
                                                 db_t(e->subject), db_i(e->length), db_b(e->content.ptr, e->content.len),
                                                 db_i(e->received_ms)), NULL, err);
}

int evidence_get(struct db *db, const char *id, struct arena *arena, struct evidence *out, struct err *err)
{
    struct db_rows rows = { 0 };
    bool failed = false;
    struct evidence e = { 0 };

    int rc = db_row(db, &Q[Q_EVIDENCE_GET], DB_IN(db_t(id)), &rows, err);
    if (rc != 1)
        return rc;
    const char **texts[] = { &e.id, &e.kind, &e.signer_id, &e.signature, &e.subject };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(&rows, (int)i, arena, &failed);
    e.length = db_col_i(&rows, 5);
    struct bytes content = db_col_b(&rows, 6);
    char *copy = arena_strndup(arena, (const char *)content.ptr, content.len);
    e.content = (struct bytes){ (const unsigned char *)copy, content.len };
    e.received_ms = db_col_i(&rows, 7);
    db_rows_close(&rows);
    if (failed || copy == NULL)
        return err_nomem(err);
    *out = e;
    return 1;
}

static void texts_of_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    const char **text = out;

    *text = db_col_text(rows, 0, arena, failed);
}

static int texts_of(struct db *db, int query, struct db_value in, struct arena *arena, const char ***items, size_t *n,
                    struct err *err)
{
    return rows_all(db, &Q[query], &in, 1, arena, texts_of_row, sizeof(const char *), (void **)items, n, err);
}

int evidence_scans(struct db *db, const char *id, struct arena *arena, const char ***items, size_t *n, struct err *err)
{
    return texts_of(db, Q_EVIDENCE_SCANS, db_t(id), arena, items, n, err);
}

int scan_insert(struct db *db, const struct scan_row *s, struct err *err)
{
    return db_exec(db, &Q[Q_ADD],
                   DB_IN(db_t(s->id), db_i(s->image_id), db_t(s->evidence), db_t(s->signer_id), db_t(s->format),
                         db_i(s->scanner_id), db_t(s->scanner_version), db_t(s->db_version), db_time(s->db_built_ms),
                         db_time(s->scanned_ms), db_i(s->effective_ms), db_i(s->received_ms), db_t(s->pipeline),
                         db_t(s->uploaded_by), db_i(s->has_inventory), db_i(s->has_findings), db_i(s->is_current),
                         db_i(s->packages), db_i(s->evaluable), db_i(s->findings), db_i(s->issues), db_i(s->unmapped)),
                   NULL, err);
}

static void scan_from_row(const struct db_rows *rows, struct arena *arena, struct scan_row *s, bool *failed)
{
    int c = 0;
    const char **texts[] = { &s->id, &s->image, &s->repository, &s->evidence, &s->signer_id, &s->signer, &s->format, &s->scanner,
                             &s->scanner_version, &s->db_version, &s->pipeline, &s->uploaded_by };
    int64_t *numbers[] = { &s->packages, &s->evaluable, &s->findings, &s->issues, &s->unmapped };

    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(rows, c++, arena, failed);
    s->image_id = db_col_i(rows, c++);
    s->scanner_id = db_col_i(rows, c++);
    s->db_built_ms = db_col_time(rows, c++);
    s->scanned_ms = db_col_time(rows, c++);
    s->effective_ms = db_col_i(rows, c++);
    s->received_ms = db_col_i(rows, c++);
    s->has_inventory = db_col_i(rows, c++) != 0;
    s->has_findings = db_col_i(rows, c++) != 0;
    s->is_current = db_col_i(rows, c++) != 0;
    for (size_t i = 0; i < N_ITEMS(numbers); i++)
        *numbers[i] = db_col_i(rows, c++);
}

static int one_scan(struct db *db, int query, const struct db_value *in, size_t n_in, struct arena *arena,
                    struct scan_row *out, struct err *err)
{
    struct db_rows rows = { 0 };
    bool failed = false;
    struct scan_row s;

    int rc = db_row(db, &Q[query], in, n_in, &rows, err);
    if (rc != 1)
        return rc;
    scan_from_row(&rows, arena, &s, &failed);
    db_rows_close(&rows);
    if (failed)
        return err_nomem(err);
    *out = s;
    return 1;
}

int scan_get(struct db *db, const char *id, struct arena *arena, struct scan_row *out, struct err *err)
{
    return one_scan(db, Q_GET, DB_IN(db_t(id)), arena, out, err);
}

int scan_current(struct db *db, int64_t image_id, int64_t scanner_id, bool has_findings, struct arena *arena,
                 struct scan_row *out, struct err *err)
{
    return one_scan(db, Q_CURRENT, DB_IN(db_i(image_id), db_i(scanner_id), db_i(has_findings)), arena, out, err);
}

int scan_has_signed_inventory(struct db *db, int64_t image_id, struct err *err)
{
    int64_t n;

    return db_int(db, &Q[Q_INVENTORY], DB_IN(db_i(image_id)), 0, &n, err) != 0 ? -1 : n > 0;
}

int scan_retire(struct db *db, const char *id, struct err *err)
{
    return db_exec(db, &Q[Q_RETIRE], DB_IN(db_t(id)), NULL, err);
}

static void scan_list_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct scan_row *s = out;

    scan_from_row(rows, arena, s, failed);
}

int scan_list(struct db *db, const char *image, const char *scanner, int64_t before_ms, const char *before_id, int64_t limit,
              struct arena *arena, struct scan_row **items, size_t *n, struct err *err)
{
    if (image != NULL)
        return rows_all(db, &Q[Q_LIST_IMAGE], DB_IN(db_t(image), db_t(scanner), db_i(before_ms), db_t(before_id), db_i(limit)),
                        arena, scan_list_row, sizeof(struct scan_row), (void **)items, n, err);
    return rows_all(db, &Q[Q_LIST], DB_IN(db_t(scanner), db_i(before_ms), db_t(before_id), db_i(limit)), arena, scan_list_row,
                    sizeof(struct scan_row), (void **)items, n, err);
}

int scan_clocks(struct db *db, int64_t image_id, struct scan_clocks *out, struct err *err)
{
    struct db_rows rows = { 0 };

    int rc = db_row(db, &Q[Q_CLOCKS], DB_IN(db_i(image_id)), &rows, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_INTERNAL, "an aggregate without a row");
    *out = (struct scan_clocks){ db_col_time(&rows, 0), db_col_time(&rows, 1), db_col_i(&rows, 2), db_col_i(&rows, 3) };
    db_rows_close(&rows);
    return 0;
}

int scan_signers(struct db *db, int64_t image_id, struct arena *arena, const char ***names, size_t *n, struct err *err)
{
    return texts_of(db, Q_SIGNERS, db_i(image_id), arena, names, n, err);
}

struct old_scan { const char *id, *evidence; };

static int old_scans(struct db *db, int64_t after, int64_t last, int64_t keep, int64_t limit, struct arena *arena,
                     struct old_scan **items, size_t *n, struct err *err)
{
    struct list list = LIST_OF(struct old_scan, arena);
    struct db_rows rows = { 0 };
    int rc;

    if (db_rows_open(db, &Q[Q_OLD], DB_IN(db_i(after), db_i(last), db_i(keep), db_i(limit)), &rows, err) != 0)
        return -1;
    while ((rc = db_rows_next(&rows, err)) == 1) {
        struct old_scan *s = list_add(&list);
        if (s == NULL)
            break;
        s->id = db_col_text(&rows, 0, arena, &list.failed);
        s->evidence = db_col_text(&rows, 1, arena, &list.failed);
    }
    db_rows_close(&rows);
    return list_done(&list, rc, (void **)items, n, err);
}

int scan_retain(struct db *db, int64_t keep, int64_t limit, int64_t *after_image, int64_t *dropped, struct err *err)
{
    enum { IMAGES_AT_ONCE = 1000 };
    struct arena arena;
    struct old_scan *old;
    size_t n = 0;
    int64_t last;

    arena_init(&arena, 1 << 20);
    int rc = db_int(db, &Q[Q_LAST_IMAGE], DB_NONE, 0, &last, err);
    if (rc == 0)
        rc = old_scans(db, *after_image, *after_image + IMAGES_AT_ONCE, keep, limit, &arena, &old, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = db_exec(db, &Q[Q_DROP], DB_IN(db_t(old[i].id)), NULL, err);
        if (rc == 0)
            rc = db_exec(db, &Q[Q_ORPHAN], DB_IN(db_t(old[i].evidence)), NULL, err);
    }
    if (rc == 0) {
        *dropped = (int64_t)n;
        if ((int64_t)n < limit)
            *after_image = *after_image + IMAGES_AT_ONCE >= last ? 0 : *after_image + IMAGES_AT_ONCE;
    }
    arena_clear(&arena);
    return rc;
}
