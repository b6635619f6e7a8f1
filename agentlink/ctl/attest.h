/* attest.h - from a scanner's report and a key to the evidence that is uploaded.
 *
 * A vulnerability report becomes the result of a cosign vulnerability predicate,
 * an SBOM a predicate of its own type, in an in-toto Statement v1 about one image
 * digest, in a DSSE envelope.  What is signed already is left alone; what is not
 * JSON (SPDX tag-value) is signed beside its bytes.  Without a key the report goes
 * as it is. */
#ifndef KEEP_CTL_ATTEST_H
#define KEEP_CTL_ATTEST_H

#include "base/crypto.h"
#include "base/str.h"
#include "model/scan.h"
#include "wire/imageref.h"

enum { REPORT_FILE_MAX = 32 * 1024 * 1024 };

struct attest_spec {
    struct bytes report;
    const char *image;               /* --image; NULL */
    const char *digest;              /* --digest; NULL */
    const struct privkey *key;       /* NULL: unsigned */
    int64_t db_built_ms;             /* counts only when the report is silent; TIME_UNKNOWN */
    int64_t scanned_ms;              /* the same */
};

struct attested {
    struct bytes body;
    const char *subject;             /* digest, for Keep-Subject; NULL when the body says it */
    const char *signature;           /* for Keep-Signature; NULL */
    const char *image;               /* canonical reference for ?image=; NULL */
    const char *how;                 /* "signed here", "already signed", "not signed" */
    const char *format;              /* of the report */
    bool is_signed;
    int64_t db_built_ms;             /* for ?db_built=; TIME_UNKNOWN */
};

/* Everything lives in the arena.  ERR_INVALID, ERR_UNPROCESSABLE: says which
 * option is missing or what is wrong with the report. */
int attest(struct arena *arena, const struct attest_spec *spec, struct attested *out, struct err *err);

/* VulnerabilityDB.UpdatedAt of `trivy version --format json`. */
int trivy_version_db(struct arena *arena, struct bytes text, int64_t *built_ms, struct err *err);

/* A private key from a PEM file. */
int key_load(struct arena *arena, const char *path, struct privkey **out, struct err *err);

#endif
