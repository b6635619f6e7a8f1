/* evidence.h - reports of our own making (in Trivy's format) and the ways to sign
 * and wrap them, for tests. */
#ifndef KEEP_TESTS_EVIDENCE_H
#define KEEP_TESTS_EVIDENCE_H

#include "base/buf.h"
#include "base/crypto.h"
#include "base/str.h"

#include <stdint.h>

struct report_spec {
    const char *repository;        /* "shop.example/app" */
    const char *tag;               /* NULL: none */
    int image;                     /* its digest is made of this number: image_digest */
    int packages, findings;        /* finding i is in package i % packages */
    int variant;                   /* another number: another set of versions */
    int64_t scanned_ms, db_built_ms;   /* db_built_ms TIME_UNKNOWN: not said */
    size_t padding;                /* bytes of description, spread over the findings */
    bool harmless;                 /* all findings low, no fix */
    const char *scanner;           /* of the statement; NULL: trivy */
};

void image_digest(int image, char out[72]);

/* Appends the report. */
void report_make(const struct report_spec *s, struct buf *out);

/* Appends a cosign-vuln statement around a report about an image. */
void statement_make(const struct report_spec *s, struct buf *out);

/* Appends a DSSE envelope around the statement; with_bundle: a Sigstore bundle 0.3. */
void envelope_make(const struct report_spec *s, const struct privkey *key, bool with_bundle, struct buf *out);

/* Appends an envelope around any payload. */
void envelope_around(const char *type, struct bytes payload, const struct privkey *key, struct buf *out);

#endif
