/* attest.c - see attest.h. */
#include "ctl/attest.h"

#include "base/time.h"
#include "ctl/file.h"
#include "wire/bundle.h"
#include "wire/detached.h"
#include "wire/report.h"
#include "wire/statement.h"

#include <string.h>

/* What a report is as a predicate; what is not here becomes a scan's result. */
static const struct { enum report_format format; const char *type; } own_types[] = {
    { REPORT_CYCLONEDX, "https://cyclonedx.org/bom" }, { REPORT_SPDX, "https://spdx.dev/Document" },
    { REPORT_SYFT, "https://syft.dev/bom" }, { REPORT_COSIGN_VULN, COSIGN_VULN_TYPE },
    { REPORT_INTOTO_VULNS, "https://in-toto.io/attestation/vulns/v0.1" },
};

static const char *own_type(enum report_format format)
{
    for (size_t i = 0; i < N_ITEMS(own_types); i++) {
        if (own_types[i].format == format)
            return own_types[i].type;
    }
    return NULL;
}

int trivy_version_db(struct arena *arena, struct bytes text, int64_t *built_ms, struct err *err)
{
    struct json doc;

    if (json_parse(arena, text.ptr, text.len, NULL, &doc, err) != 0)
        return -1;
    const char *at = json_str(json_path(&doc, "VulnerabilityDB.UpdatedAt"), NULL);
    int64_t ms;
    if (at == NULL || !time_parse(at, &ms) || ms == TIME_UNKNOWN)
        return err_set(err, ERR_INVALID, "no VulnerabilityDB.UpdatedAt: expected what `trivy version --format json` prints");
    *built_ms = ms;
    return 0;
}

int key_load(struct arena *arena, const char *path, struct privkey **out, struct err *err)
{
    struct bytes pem;

    if (file_read(arena, path, PEM_MAX, &pem, err) != 0)
        return -1;
    int rc = privkey_from_pem((const char *)pem.ptr, pem.len, out, err);
    crypto_wipe((void *)(uintptr_t)pem.ptr, pem.len);
    return rc == 0 ? 0 : err_prefix(err, "%s", path);
}

/* A signed document, parsed no further than that. */
static bool is_signed(struct arena *arena, struct bytes b)
{
    struct err ignored = { 0 };
    struct json doc;

    if (memmem(b.ptr, b.len, "\"payloadType\"", 13) == NULL && memmem(b.ptr, b.len, "\"dsseEnvelope\"", 14) == NULL)
        return false;
    return json_parse(arena, b.ptr, b.len, NULL, &doc, &ignored) == 0 && bundle_detect(&doc) != BUNDLE_NONE;
}

/* --digest, else what --image ends with, else the one the report names. */
static const char *choose_digest(const struct attest_spec *spec, const struct imageref *ref, const struct scan *scan)
{
    if (spec->digest != NULL)
        return spec->digest;
    if (ref->digest != NULL)
        return ref->digest;
    return scan != NULL && scan->image.n_digests == 1 ? scan->image.digests[0] : NULL;
}

static int read_image(struct arena *arena, const struct attest_spec *spec, struct imageref *ref, struct attested *out, struct err *err)
{
    if (spec->digest != NULL && !digest_is_valid(spec->digest))
        return err_set(err, ERR_INVALID, "--digest: expected sha256: and 64 lower-case hex digits, got '%.80s'", spec->digest);
    if (spec->image == NULL)
        return 0;
    if (imageref_parse(arena, spec->image, ref, err) != 0)
        return err_prefix(err, "--image");
    if (ref->digest != NULL && spec->digest != NULL && !str_eq(ref->digest, spec->digest))
        return err_set(err, ERR_INVALID, "--image and --digest name different digests");
    out->image = ref->is_id ? NULL : imageref_canonical(arena, ref);
    return 0;
}

static int put_statement(struct arena *arena, const struct attest_spec *spec, const struct scan *scan, const char *name,
                         const char *digest, struct buf *predicate, struct buf *statement, struct err *err)
{
    const char *type = own_type(scan->format);
    struct statement_spec st = { .subject_name = name, .subject_digest = digest, .predicate_type = type, .predicate = spec->report };
    int64_t at = scan->scanned_ms != TIME_UNKNOWN ? scan->scanned_ms : spec->scanned_ms;
    struct scan_spec result = {
        .scanner_uri = scan->scanner, .scanner_version = scan->scanner_version, .db_version = scan->db_version,
        .db_updated_ms = scan->db_built_ms != TIME_UNKNOWN ? scan->db_built_ms : spec->db_built_ms,
        .started_ms = at, .finished_ms = at, .report = spec->report,
    };

    if (type == NULL) {
        if (statement_scan_predicate(arena, &result, predicate, err) != 0)
            return -1;
        st.predicate_type = COSIGN_VULN_TYPE;
        st.predicate = (struct bytes){ (const unsigned char *)predicate->ptr, predicate->len };
    }
    return statement_build(arena, &st, statement, err);
}

static int sign_statement(struct arena *arena, const struct attest_spec *spec, const struct scan *scan, const char *name,
                          const char *digest, struct attested *out, struct err *err)
{
    struct buf predicate, statement, envelope;
    const struct privkey *keys[] = { spec->key };

    buf_init(&predicate, ENVELOPE_PAYLOAD_MAX);
    buf_init(&statement, ENVELOPE_PAYLOAD_MAX);
    buf_init(&envelope, ENVELOPE_MAX);
    int rc = put_statement(arena, spec, scan, name, digest, &predicate, &statement, err);
    if (rc == 0)
        rc = envelope_sign(arena, STATEMENT_PAYLOAD_TYPE, (struct bytes){ (const unsigned char *)statement.ptr, statement.len },
                           keys, 1, &envelope, err);
    char *copy = rc == 0 ? arena_strndup(arena, envelope.ptr, envelope.len) : NULL;
    if (rc == 0 && copy == NULL)
        rc = err_nomem(err);
    if (rc == 0)
        out->body = (struct bytes){ (const unsigned char *)copy, envelope.len };
    buf_free(&predicate);
    buf_free(&statement);
    buf_free(&envelope);
    return rc;
}

static int sign_beside(struct arena *arena, const struct attest_spec *spec, const char *digest, struct attested *out, struct err *err)
{
    struct buf header;

    buf_init(&header, 4096);
    int rc = detached_sign(arena, digest, spec->report, spec->key, &header, err);
    if (rc == 0) {
        out->body = spec->report;
        out->subject = digest;
        out->signature = arena_strndup(arena, header.ptr, header.len);
        rc = out->signature != NULL ? 0 : err_nomem(err);
    }
    buf_free(&header);
    return rc;
}

static bool is_json(struct bytes b)
{
    size_t i = b.len >= 3 && memcmp(b.ptr, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    while (i < b.len && strchr(" \t\r\n", b.ptr[i]) != NULL)
        i++;
    return i < b.len && (b.ptr[i] == '{' || b.ptr[i] == '[');
}

int attest(struct arena *arena, const struct attest_spec *spec, struct attested *out, struct err *err)
{
    struct attested a = { .body = spec->report, .how = "not signed", .db_built_ms = TIME_UNKNOWN, .format = "signed" };
    struct imageref ref = { 0 };
    struct scan scan;

    if (read_image(arena, spec, &ref, &a, err) != 0)
        return -1;
    if (is_signed(arena, spec->report)) {
        a.is_signed = true;
        a.how = "already signed";
        a.subject = choose_digest(spec, &ref, NULL);
        a.db_built_ms = spec->db_built_ms;
        *out = a;
        return 0;
    }
    if (report_parse(spec->report.ptr, spec->report.len, arena, &scan, err) != 0)
        return -1;
    a.format = report_format_word(scan.format);
    const char *digest = choose_digest(spec, &ref, &scan);
    if (digest == NULL)
        return err_set(err, ERR_INVALID, "which image is it? the report names %zu digests; give --image REPOSITORY@sha256:... or --digest sha256:...",
                       scan.image.n_digests);
    a.subject = digest;
    a.db_built_ms = scan.db_built_ms == TIME_UNKNOWN ? spec->db_built_ms : TIME_UNKNOWN;
    if (spec->key != NULL) {
        const char *name = ref.repository != NULL ? imageref_name(arena, &ref) : NULL;
        int rc = is_json(spec->report) ? sign_statement(arena, spec, &scan, name, digest, &a, err)
                                       : sign_beside(arena, spec, digest, &a, err);
        if (rc != 0)
            return -1;
        a.is_signed = true;
        a.how = "signed here";
    }
    *out = a;
    return 0;
}
