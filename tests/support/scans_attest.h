/* scans_attest.h - of the conformance program scans: envelopes, bundles and
 * statements, and the reports inside them. */
#ifndef KEEP_TESTS_SCANS_ATTEST_H
#define KEEP_TESTS_SCANS_ATTEST_H

#include "tests/support/scans_rows.h"
#include "wire/bundle.h"
#include "wire/statement.h"
#include "wire/vex.h"

static inline bool is_digest_refusal(const struct err *err)
{
    return strstr(err->msg, "digest") != NULL || strstr(err->msg, "sha256") != NULL;
}

static inline bool is_time_refusal(const struct err *err)
{
    return strstr(err->msg, "scanStartedOn") != NULL || strstr(err->msg, "scanFinishedOn") != NULL ||
           strstr(err->msg, "lastUpdate") != NULL;
}

static inline void inside(struct row *r, const struct json *predicate)
{
    struct scan s;
    struct vex x;
    struct err err;
    enum report_format format = predicate != NULL ? report_detect(predicate) : REPORT_UNKNOWN;

    if (format == REPORT_OPENVEX && vex_decode(predicate, r->arena, &x, &err) == 0)
        printf("scans: %s: inside: openvex, %zu statements\n", r->col[C_FILE], x.n_statements);
    else if (report_format_is_scan(format) && report_decode(predicate, r->arena, &s, &err) == 0)
        printf("scans: %s: inside: %s, %zu packages, %zu findings\n", r->col[C_FILE], report_format_word(format),
               s.n_packages, s.n_findings);
    else if (report_format_is_scan(format))
        differ(r, "a report inside", report_format_word(format), err.msg);
}

static inline void check_statement(struct row *r, const char *type, struct bytes payload, size_t n_sigs)
{
    struct statement st;
    struct err err;
    const char *note = r->col[C_NOTE];
    bool announced = strstr(note, "payload:") != NULL;

    if (statement_parse(r->arena, type, payload, &st, &err) != 0) {
        if (announced)
            printf("scans: %s: refused as announced: %s\n", r->col[C_FILE], err.msg);
        else if (is_digest_refusal(&err))
            rule_uses[RULE_SUBJECT_DIGEST]++;
        else if (is_time_refusal(&err))
            rule_uses[RULE_TIMES]++;
        else if (strstr(note, "subjects=") == NULL)
            rule_uses[RULE_NO_ENVELOPE]++;
        else
            differ(r, "a statement", note, err.msg);
        return;
    }
    if (announced)
        differ(r, "a refusal", note, "a statement");
    long subjects = note_number(note, "subjects="), sigs = note_number(note, "sigs=");
    if (subjects >= 0 && subjects != (long)st.n_subjects)
        differ_n(r, "subjects", subjects, st.n_subjects);
    if (sigs >= 0 && sigs != (long)n_sigs)
        differ_n(r, "signatures", sigs, n_sigs);
    if (strstr(note, st.predicate_type) == NULL)
        differ(r, "predicate type in", note, st.predicate_type);
    inside(r, st.predicate);
}

static inline void check_attestation(struct row *r)
{
    struct bundle b;
    struct err err;
    enum bundle_form form = r->has_doc ? bundle_detect(&r->doc) : BUNDLE_NONE;
    const char *got = form == BUNDLE_NONE ? "in-toto-statement" : form == BUNDLE_BARE ? "dsse" : "sigstore-bundle";

    if (strcmp(got, r->col[C_FORMAT]) != 0) {
        differ(r, "form", r->col[C_FORMAT], got);
        return;
    }
    if (form == BUNDLE_NONE) {
        check_statement(r, STATEMENT_PAYLOAD_TYPE, (struct bytes){ (const unsigned char *)r->text, r->len }, 0);
        return;
    }
    bool is_stated = strstr(r->col[C_NOTE], "subjects=") != NULL;
    if (bundle_parse(r->arena, r->text, r->len, &b, &err) != 0) {
        if (!is_stated)
            rule_uses[RULE_NO_ENVELOPE]++;
        else if (form == BUNDLE_V03 && note_number(r->col[C_NOTE], "sigs=") != 1)
            rule_uses[RULE_ONE_SIGNATURE]++;
        else
            differ(r, "evidence", r->col[C_FORMAT], err.msg);
        return;
    }
    if (b.has_envelope)
        check_statement(r, b.envelope.payload_type, b.envelope.payload, b.envelope.n_sigs);
    else if (is_stated)
        differ(r, "a statement", r->col[C_NOTE], "a message signature");
    else
        rule_uses[RULE_NO_ENVELOPE]++;
}

#endif
