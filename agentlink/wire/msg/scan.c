/* scan.c - see scan.h. */
#include "wire/msg/scan.h"

#include "wire/msg/image.h"
#include "wire/msg/fields.h"

static const struct field signer_fields[] = {
    TEXT_F("id", struct signer_brief, id, "Fingerprint of the key."),
    TEXT_F("name", struct signer_brief, name, "Who."),
};
static SHAPE(signer_brief_shape, "signer_brief", struct signer_brief, signer_fields);

static const struct field scan_fields[] = {
    TEXT_F("id", struct scan_answer, id, "The same upload has the same id."),
    DIGEST_F("image", struct scan_answer, image, "Image."),
    TEXT_F("repository", struct scan_answer, repository, "Its repository."),
    TEXT_F("format", struct scan_answer, format, "Format of the report."),
    TEXT_F("scanner", struct scan_answer, scanner, "Who scanned."),
    TEXT_F("scanner_version", struct scan_answer, scanner_version, "Its version."),
    TEXT_F("db_version", struct scan_answer, db_version, "Version of the vulnerability database."),
    TIME_F("db_built_at", struct scan_answer, db_built_ms, "When that was built."),
    TIME_F("scanned_at", struct scan_answer, scanned_ms, "When the scan was made; absent: the report does not say."),
    TIME_F("received_at", struct scan_answer, received_ms, "When it was uploaded."),
    OBJECT_F("signer", struct scan_answer, signer, signer_brief_shape, "Who signed it; absent: nobody."),
    TEXT_F("pipeline", struct scan_answer, pipeline, "What the uploader calls its run."),
    TEXT_F("uploaded_by", struct scan_answer, uploaded_by, "Token or user."),
    BOOL_F("has_inventory", struct scan_answer, has_inventory, "Lists the image's packages."),
    BOOL_F("has_findings", struct scan_answer, has_findings, "Is a vulnerability result."),
    BOOL_F("is_current", struct scan_answer, is_current, "Newest of its scanner."),
    INT_F("packages", struct scan_answer, packages, "Packages in the report."),
    INT_F("evaluable", struct scan_answer, evaluable, "Of these, those that can be matched."),
    INT_F("findings", struct scan_answer, findings, "Findings in the report."),
    INT_F("issues", struct scan_answer, issues, "Misconfigurations, secrets, licences, malware."),
    INT_F("unmapped", struct scan_answer, unmapped, "Elements kept only in the evidence."),
    TEXT_F("evidence", struct scan_answer, evidence, "Id of the bytes as they came."),
};
SHAPE(scan_shape, "scan", struct scan_answer, scan_fields);

static const struct field query_fields[] = {
    PAGE_OF(struct scan_query),
    DIGEST_F("image", struct scan_query, image, "Only of this image (any of its digests)."),
    TEXT_F("scanner", struct scan_query, scanner, "Only by this scanner."),
};
SHAPE(scan_query_shape, "scan_query", struct scan_query, query_fields);
static const struct field list_fields[] = {
    LIST_F("items", struct scan_list_answer, items, n_items, scan_shape, "Newest first."),
    NEXT_FIELD(struct scan_list_answer),
};
SHAPE(scan_list_shape, "scan_list", struct scan_list_answer, list_fields);

static const struct field upload_fields[] = {
    { .key = "image", .type = FIELD_TEXT, .off = offsetof(struct scan_upload_query, image), .min = 1, .max = 512,
      .doc = "Reference of the image, when the evidence names no repository." },
    { .key = "team", .type = FIELD_TEXT, .off = offsetof(struct scan_upload_query, team), .max = 64, .doc = "Who owns the repository." },
    { .key = "pipeline", .type = FIELD_TEXT, .off = offsetof(struct scan_upload_query, pipeline), .max = 256, .doc = "Name or address of the CI run." },
    TIME_F("db_built", struct scan_upload_query, db_built_ms, "When the scanner's database was built, if its report is silent."),
};
SHAPE(scan_upload_query_shape, "scan_upload_query", struct scan_upload_query, upload_fields);

static const struct field result_fields[] = {
    INLINE_F("scan", struct scan_result, scan, scan_shape, "What was stored."),
    INLINE_F("image", struct scan_result, image, image_shape, "The image now."),
    INLINE_F("verdict", struct scan_result, verdict, verdict_shape, "May it pass?"),
    BOOL_F("is_new", struct scan_result, is_new, "False: the same upload was here before."),
    BOOL_F("superseded", struct scan_result, is_superseded, "A newer scan is already known; this one replaces nothing."),
};
SHAPE(scan_result_shape, "scan_result", struct scan_result, result_fields);

static const struct field evidence_fields[] = {
    TEXT_F("id", struct evidence_answer, id, "Hash of the bytes (and of a detached signature), hex."),
    TEXT_F("kind", struct evidence_answer, kind, "dsse, bundle, detached, unsigned"),
    INT_F("length", struct evidence_answer, length, "Bytes."),
    OBJECT_F("signer", struct evidence_answer, signer, signer_brief_shape, "Who signed it."),
    TEXT_F("subject", struct evidence_answer, subject, "Detached or unsigned: the digest it is about."),
    TEXT_F("signature", struct evidence_answer, signature, "Detached: the signature header."),
    TIME_F("received_at", struct evidence_answer, received_ms, "When."),
    TEXTS_F("scans", struct evidence_answer, scans, n_scans, "Scans it proves."),
};
SHAPE(evidence_shape, "evidence", struct evidence_answer, evidence_fields);
