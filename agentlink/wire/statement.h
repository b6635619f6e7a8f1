/* statement.h - in-toto Statements v0.1 and v1: what a payload claims, about what.
 *
 * Read only after the envelope's signature was verified.  Subjects are matched
 * by digest and by nothing else; type URIs are compared byte for byte.  Every
 * subject must carry a well-formed sha256 or sha512 digest (lower-case hex);
 * other algorithms are ignored, so a subject with only those is refused. */
#ifndef KEEP_WIRE_STATEMENT_H
#define KEEP_WIRE_STATEMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stdint.h>

#define STATEMENT_PAYLOAD_TYPE "application/vnd.in-toto+json"

enum { SUBJECTS_MAX = 1024, DIGESTS_MAX = 32 };

enum predicate {
    PREDICATE_OTHER = 0,
    PREDICATE_COSIGN_VULN,      /* cosign.sigstore.dev/attestation/vuln/v1: the scanner's own report inside */
    PREDICATE_INTOTO_VULNS,     /* in-toto.io/attestation/vulns/v0.1, v0.2 */
    PREDICATE_CYCLONEDX,
    PREDICATE_SPDX,
    PREDICATE_SYFT,
    PREDICATE_OPENVEX,
    PREDICATE_COSIGN_CUSTOM,    /* cosign.sigstore.dev/attestation/v1: Data and Timestamp */
    PREDICATE_SLSA_PROVENANCE,
    PREDICATE_SLSA_VSA,
    PREDICATE_N
};

struct subject {
    const char *name;           /* "" when not given; display only */
    const char *sha256;         /* 64 hex digits or NULL */
    const char *sha512;         /* 128 hex digits or NULL; one of the two is there */
};

struct statement {
    bool is_v1;
    const struct subject *subjects;
    size_t n_subjects;          /* 1..SUBJECTS_MAX */
    const char *predicate_type;
    enum predicate kind;
    const struct json *predicate;   /* object or string; NULL when absent or null */
    /* TIME_UNKNOWN where the predicate has none or Go's zero time. */
    int64_t started_ms, finished_ms, db_updated_ms;
};

const char *predicate_word(enum predicate kind);          /* "cosign-vuln" ...; never NULL */
enum predicate predicate_from_type(const char *type_uri); /* exact */

/* application/vnd.in-toto+json, or application/vnd.in-toto.<word>+json. */
bool statement_type_is_ours(const char *payload_type);

/* Scans must carry their times (RFC 3339): started and finished; in-toto
 * vulns/v0.2 also the database's and a list of results.  Numbers beyond int64
 * and NUL inside a scanner's strings are tolerated, duplicate members are not.
 * Everything lives in the arena.  ERR_INVALID, ERR_TOO_LARGE;
 * ERR_UNPROCESSABLE for a payload type that is not a statement's. */
int statement_parse(struct arena *arena, const char *payload_type, struct bytes payload, struct statement *out,
                    struct err *err);

/* Times out of order, or later than now by more than five minutes: ERR_UNPROCESSABLE. */
int statement_check_times(const struct statement *st, int64_t now_ms, struct err *err);

/* One subject has this digest ("sha256:..." or "sha512:..."). */
bool statement_matches(const struct statement *st, const char *digest);

/* ---- writing --------------------------------------------------------------- */

struct statement_spec {
    const char *subject_name;        /* NULL: none */
    const char *subject_digest;      /* "sha256:..." */
    const char *predicate_type;
    struct bytes predicate;          /* JSON; a byte order mark in front is dropped */
};

/* Appends a Statement v1 that statement_parse accepts; the arena is for
 * checking the predicate.  ERR_INVALID says what is wrong with it. */
int statement_build(struct arena *arena, const struct statement_spec *spec, struct buf *out, struct err *err);

struct scan_spec {
    const char *scanner_uri, *scanner_version;   /* NULL: "" */
    const char *db_uri, *db_version;             /* NULL: "" */
    int64_t db_updated_ms;                       /* TIME_UNKNOWN: left out */
    int64_t started_ms, finished_ms;
    struct bytes report;                         /* the scanner's own JSON */
};

/* Appends a predicate of type COSIGN_VULN_TYPE around a scanner's report.  The
 * database's time goes where vulns/v0.2 has it: scanner.db.lastUpdate. */
#define COSIGN_VULN_TYPE "https://cosign.sigstore.dev/attestation/vuln/v1"
int statement_scan_predicate(struct arena *arena, const struct scan_spec *spec, struct buf *out, struct err *err);

#endif
