/* scan.h - uploads: the evidence as it came, and the scan it proves. */
#ifndef KEEP_STORE_SCAN_H
#define KEEP_STORE_SCAN_H

#include "base/arena.h"
#include "db/db.h"

#include <stdbool.h>

extern const struct db_queries scan_queries;

struct evidence {
    const char *id;                      /* sha256 of the bytes as they came, hex */
    const char *kind;                    /* dsse, bundle, detached, unsigned */
    const char *signer_id, *signature, *subject;
    int64_t length;                      /* bytes before compression */
    struct bytes content;                /* zstd */
    int64_t received_ms;
};
int evidence_insert(struct db *db, const struct evidence *e, struct err *err);   /* a second time changes nothing */
int evidence_get(struct db *db, const char *id, struct arena *arena, struct evidence *out, struct err *err);
/* Ids of the scans it proves. */
int evidence_scans(struct db *db, const char *id, struct arena *arena, const char ***items, size_t *n, struct err *err);

struct scan_row {
    const char *id, *image, *repository, *evidence, *signer_id, *signer, *format, *scanner, *scanner_version, *db_version;
    const char *pipeline, *uploaded_by;
    int64_t image_id, scanner_id;
    int64_t db_built_ms, scanned_ms, effective_ms, received_ms;
    bool has_inventory, has_findings, is_current;
    int64_t packages, evaluable, findings, issues, unmapped;
};
int scan_insert(struct db *db, const struct scan_row *s, struct err *err);
int scan_get(struct db *db, const char *id, struct arena *arena, struct scan_row *out, struct err *err);
/* The current scan of an image by a scanner: 1, 0, -1.  Vulnerability results and what
 * has none (a list of packages) stand beside each other: one does not replace the other. */
int scan_current(struct db *db, int64_t image_id, int64_t scanner_id, bool has_findings, struct arena *arena, struct scan_row *out, struct err *err);
/* 1 when somebody who is still trusted signed a current list of packages of the image, 0, -1. */
int scan_has_signed_inventory(struct db *db, int64_t image_id, struct err *err);
int scan_retire(struct db *db, const char *id, struct err *err);          /* no longer current */

/* Newest first.  image NULL: of all images; before: cursor (received_ms, id). */
int scan_list(struct db *db, const char *image, const char *scanner, int64_t before_ms, const char *before_id, int64_t limit,
              struct arena *arena, struct scan_row **items, size_t *n, struct err *err);

/* What the current scans of an image say together.  Times: newest result;
 * is_signed: every current scan with findings is signed. */
struct scan_clocks {
    int64_t scanned_ms, db_built_ms;
    int64_t n, n_signed;
};
int scan_clocks(struct db *db, int64_t image_id, struct scan_clocks *out, struct err *err);
int scan_signers(struct db *db, int64_t image_id, struct arena *arena, const char ***names, size_t *n, struct err *err);

/* Drops superseded scans beyond `keep` per image and scanner, at most `limit`, and
 * evidence that then proves nothing any more.  Looks at a slice of the images behind
 * *after_image and moves it on; 0 again after the last. */
int scan_retain(struct db *db, int64_t keep, int64_t limit, int64_t *after_image, int64_t *dropped, struct err *err);

#endif
