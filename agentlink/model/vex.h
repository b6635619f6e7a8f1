/* vex.h - statements about vulnerabilities in products: who says what of which.
 *
 * Read from OpenVEX, CSAF 2 and CycloneDX VEX; written as OpenVEX.  Plain
 * structs in an arena; text is NUL-terminated UTF-8 or NULL when not known;
 * times are int64 ms or TIME_UNKNOWN. */
#ifndef KEEP_MODEL_VEX_H
#define KEEP_MODEL_VEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vex_format { VEX_UNKNOWN_FORMAT = 0, VEX_OPENVEX, VEX_CSAF, VEX_CYCLONEDX };

enum vex_status {
    VEX_STATUS_UNKNOWN = 0,      /* no statement: never takes a finding away */
    VEX_AFFECTED,
    VEX_UNDER_INVESTIGATION,
    VEX_NOT_AFFECTED,
    VEX_FIXED,
    VEX_STATUS_N
};

struct vex_product {
    const char *id;              /* "@id", CSAF's product id, CycloneDX's ref: as written */
    const char *purl;            /* where one is given (or the id is one) */
    const char *cpe;
    const char *name;            /* for people; NULL not known */
    const char **digests;        /* "sha256:...", valid and unique */
    size_t n_digests;
    const char **subcomponents;  /* purls or ids; none: the whole product */
    size_t n_subcomponents;
};

struct vex_statement {
    const char *id;              /* of the statement, NULL not given */
    const char *vulnerability;   /* CVE-..., GHSA-... */
    const char **aliases;
    size_t n_aliases;
    struct vex_product *products;
    size_t n_products;           /* 0: the statement names none and matches nothing */
    enum vex_status status;
    const char *status_word;     /* as written: "known_not_affected", "exploitable" */
    const char *justification;   /* OpenVEX's word where it is one */
    const char *impact;          /* impact_statement: why it is not affected */
    const char *action;          /* action_statement: what to do */
    int64_t timestamp_ms;        /* the document's when the statement has none */
    int64_t last_updated_ms;
};

struct vex {
    enum vex_format format;
    const char *format_version;  /* "0.2.0", "2.0", "1.5" */
    const char *id;              /* the document's */
    const char *author, *role, *tooling;
    int64_t version;             /* of the document; 0 not known */
    int64_t timestamp_ms, last_updated_ms;
    struct vex_statement *statements;
    size_t n_statements;
    size_t n_vulnerabilities;    /* entries of the document (CSAF: each is several statements) */
    size_t n_unmapped;           /* elements that have no place here */
};

#endif
