/* statement.c - see statement.h. */
#include "wire/statement.h"
#include "base/time.h"
#include "wire/jsonw.h"

#include <string.h>

#define FUTURE_TOLERANCE (5 * MS_MINUTE)

static const char *const words[PREDICATE_N] = {
    [PREDICATE_OTHER] = "other",
    [PREDICATE_COSIGN_VULN] = "cosign-vuln",
    [PREDICATE_INTOTO_VULNS] = "in-toto-vulns",
    [PREDICATE_CYCLONEDX] = "cyclonedx",
    [PREDICATE_SPDX] = "spdx",
    [PREDICATE_SYFT] = "syft",
    [PREDICATE_OPENVEX] = "openvex",
    [PREDICATE_COSIGN_CUSTOM] = "cosign-custom",
    [PREDICATE_SLSA_PROVENANCE] = "slsa-provenance",
    [PREDICATE_SLSA_VSA] = "slsa-vsa",
};

#define INTOTO_VULNS_V02 "https://in-toto.io/attestation/vulns/v0.2"

static const struct {
    const char *uri;
    enum predicate kind;
} types[] = {
    { COSIGN_VULN_TYPE, PREDICATE_COSIGN_VULN },
    { "cosign.sigstore.dev/attestation/vuln/v1", PREDICATE_COSIGN_VULN },    /* older cosign */
    { "https://in-toto.io/attestation/vulns/v0.1", PREDICATE_INTOTO_VULNS },
    { INTOTO_VULNS_V02, PREDICATE_INTOTO_VULNS },
    { "https://cyclonedx.org/bom", PREDICATE_CYCLONEDX },
    { "https://spdx.dev/Document", PREDICATE_SPDX },
    { "https://spdx.dev/Document/v2.2", PREDICATE_SPDX },
    { "https://spdx.dev/Document/v2.3", PREDICATE_SPDX },
    { "https://syft.dev/bom", PREDICATE_SYFT },
    { "https://openvex.dev/ns", PREDICATE_OPENVEX },
    { "https://openvex.dev/ns/v0.0.1", PREDICATE_OPENVEX },
    { "https://openvex.dev/ns/v0.2.0", PREDICATE_OPENVEX },
    { "https://cosign.sigstore.dev/attestation/v1", PREDICATE_COSIGN_CUSTOM },
    { "cosign.sigstore.dev/attestation/v1", PREDICATE_COSIGN_CUSTOM },
    { "https://slsa.dev/provenance/v0.1", PREDICATE_SLSA_PROVENANCE },
    { "https://slsa.dev/provenance/v0.2", PREDICATE_SLSA_PROVENANCE },
    { "https://slsa.dev/provenance/v1", PREDICATE_SLSA_PROVENANCE },
    { "https://slsa.dev/verification_summary/v0.1", PREDICATE_SLSA_VSA },
    { "https://slsa.dev/verification_summary/v0.2", PREDICATE_SLSA_VSA },
    { "https://slsa.dev/verification_summary/v1", PREDICATE_SLSA_VSA },
};

const char *predicate_word(enum predicate kind)
{
    return words[(unsigned)kind < PREDICATE_N ? kind : PREDICATE_OTHER];
}

enum predicate predicate_from_type(const char *type_uri)
{
    for (size_t i = 0; i < N_ITEMS(types); i++) {
        if (str_eq(type_uri, types[i].uri))
            return types[i].kind;
    }
    return PREDICATE_OTHER;
}

bool statement_type_is_ours(const char *payload_type)
{
    static const char stem[] = "application/vnd.in-toto";

    if (str_eq(payload_type, STATEMENT_PAYLOAD_TYPE))
        return true;
    if (!str_starts(payload_type, stem) || !str_ends(payload_type, "+json"))
        return false;
    const char *word = payload_type + sizeof stem - 1;
    size_t n = strspn(word + (*word == '.'), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    return *word == '.' && n > 0 && str_eq(word + 1 + n, "+json");
}

/* What scanners write inside a predicate; duplicate members stay refused. */
static const struct json_opts lenient = { .nul_as_replacement = true, .big_numbers = true };

/* ---- subjects -------------------------------------------------------------- */

static bool is_hex(const char *s, size_t bytes)
{
    unsigned char ignored[64];

    return s != NULL && bytes <= sizeof ignored && hex_decode(s, ignored, bytes);
}

static int parse_subject(const struct json *v, uint32_t i, struct subject *out, struct err *err)
{
    const struct json *digest = json_get(v, "digest"), *name = json_get(v, "name");
    uint32_t n = json_n_members(digest);
    struct subject s = { .name = "" };

    if (!json_is(digest, JSON_OBJECT) || n == 0 || n > DIGESTS_MAX)
        return err_set(err, ERR_INVALID, "statement: subject[%u].digest is not an object of 1 to %d digests", i, DIGESTS_MAX);
    if (name != NULL && name->type != JSON_STRING && name->type != JSON_NULL)
        return err_set(err, ERR_INVALID, "statement: subject[%u].name is not a string", i);
    for (uint32_t k = 0; k < n; k++) {
        if (digest->members[k].value.type != JSON_STRING)
            return err_set(err, ERR_INVALID, "statement: subject[%u].digest.%.40s is not a string", i,
                           digest->members[k].key);
    }
    s.name = json_str(name, "");
    s.sha256 = json_get_str(digest, "sha256", NULL);
    s.sha512 = json_get_str(digest, "sha512", NULL);
    if (s.sha256 != NULL && !is_hex(s.sha256, 32))
        return err_set(err, ERR_INVALID, "statement: subject[%u].digest.sha256 is not 64 lower-case hex digits", i);
    if (s.sha512 != NULL && !is_hex(s.sha512, 64))
        return err_set(err, ERR_INVALID, "statement: subject[%u].digest.sha512 is not 128 lower-case hex digits", i);
    if (s.sha256 == NULL && s.sha512 == NULL)
        return err_set(err, ERR_INVALID, "statement: subject[%u] has neither a sha256 nor a sha512 digest", i);
    *out = s;
    return 0;
}

static int parse_subjects(struct arena *arena, const struct json *list, struct statement *st, struct err *err)
{
    uint32_t n = json_len(list);

    if (!json_is(list, JSON_ARRAY) || n == 0)
        return err_set(err, ERR_INVALID, "statement: \"subject\" is not a list with at least one entry");
    if (n > SUBJECTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "statement: %u subjects, at most %d expected", n, SUBJECTS_MAX);
    struct subject *subjects = arena_array(arena, n, sizeof *subjects);
    if (subjects == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < n; i++) {
        if (parse_subject(json_at(list, i), i, &subjects[i], err) != 0)
            return -1;
    }
    st->subjects = subjects;
    st->n_subjects = n;
    return 0;
}

/* ---- times ----------------------------------------------------------------- */

static int parse_time(const struct json *predicate, const char *path, bool is_required, int64_t *at_ms,
                      struct err *err)
{
    const struct json *v = json_path(predicate, path);

    if (v == NULL || v->type == JSON_NULL)
        return is_required ? err_set(err, ERR_INVALID, "statement: predicate.%s is missing", path) : 0;
    if (v->type != JSON_STRING || !time_parse(v->string, at_ms))
        return err_set(err, ERR_INVALID, "statement: predicate.%s is not an RFC 3339 time", path);
    return 0;
}

static int parse_scan(struct statement *st, struct err *err)
{
    bool is_v02 = str_eq(st->predicate_type, INTOTO_VULNS_V02);

    if (!json_is(st->predicate, JSON_OBJECT))
        return err_set(err, ERR_INVALID, "statement: the predicate of a scan is not an object");
    if (parse_time(st->predicate, "metadata.scanStartedOn", true, &st->started_ms, err) != 0 ||
        parse_time(st->predicate, "metadata.scanFinishedOn", true, &st->finished_ms, err) != 0 ||
        parse_time(st->predicate, "scanner.db.lastUpdate", is_v02, &st->db_updated_ms, err) != 0)
        return -1;
    /* No list must never read as "nothing found". */
    if (is_v02 && !json_is(json_path(st->predicate, "scanner.result"), JSON_ARRAY))
        return err_set(err, ERR_INVALID, "statement: predicate.scanner.result is not a list");
    return 0;
}

static int parse_predicate(const struct json *doc, struct statement *st, struct err *err)
{
    const struct json *type = json_get(doc, "predicateType"), *p = json_get(doc, "predicate");

    if (!json_is(type, JSON_STRING) || type->n == 0)
        return err_set(err, ERR_INVALID, "statement: \"predicateType\" is missing or not a string");
    if (p != NULL && p->type != JSON_OBJECT && p->type != JSON_STRING && p->type != JSON_NULL)
        return err_set(err, ERR_INVALID, "statement: \"predicate\" is neither an object nor a string");
    st->predicate_type = type->string;
    st->kind = predicate_from_type(type->string);
    st->predicate = p != NULL && p->type != JSON_NULL ? p : NULL;
    if (st->kind == PREDICATE_COSIGN_VULN || st->kind == PREDICATE_INTOTO_VULNS)
        return parse_scan(st, err);
    if (st->kind == PREDICATE_COSIGN_CUSTOM && json_is(st->predicate, JSON_OBJECT))
        return parse_time(st->predicate, "Timestamp", false, &st->finished_ms, err);
    return 0;
}

int statement_parse(struct arena *arena, const char *payload_type, struct bytes payload, struct statement *out,
                    struct err *err)
{
    struct statement st = { .started_ms = TIME_UNKNOWN, .finished_ms = TIME_UNKNOWN, .db_updated_ms = TIME_UNKNOWN };

    if (!statement_type_is_ours(payload_type))
        return err_set(err, ERR_UNPROCESSABLE, "statement: payload type \"%.100s\" is not %s", payload_type,
                       STATEMENT_PAYLOAD_TYPE);
    struct json *doc = arena_alloc(arena, sizeof *doc);
    if (doc == NULL)
        return err_nomem(err);
    if (json_parse(arena, payload.ptr, payload.len, &lenient, doc, err) != 0)
        return err_prefix(err, "statement");
    const char *type = json_get_str(doc, "_type", "");
    st.is_v1 = str_eq(type, "https://in-toto.io/Statement/v1");
    if (!st.is_v1 && !str_eq(type, "https://in-toto.io/Statement/v0.1"))
        return err_set(err, ERR_INVALID, "statement: \"_type\" is \"%.100s\"", type);
    if (parse_subjects(arena, json_get(doc, "subject"), &st, err) != 0 || parse_predicate(doc, &st, err) != 0)
        return -1;
    *out = st;
    return 0;
}

int statement_check_times(const struct statement *st, int64_t now_ms, struct err *err)
{
    int64_t latest = now_ms + FUTURE_TOLERANCE;

    if (st->started_ms != TIME_UNKNOWN && st->finished_ms != TIME_UNKNOWN && st->finished_ms < st->started_ms)
        return err_set(err, ERR_UNPROCESSABLE, "statement: the scan finished before it started");
    if (st->started_ms > latest || st->finished_ms > latest)
        return err_set(err, ERR_UNPROCESSABLE, "statement: the scan's time lies in the future");
    if (st->db_updated_ms > latest)
        return err_set(err, ERR_UNPROCESSABLE, "statement: the scanner database's time lies in the future");
    return 0;
}

bool statement_matches(const struct statement *st, const char *digest)
{
    bool is_512 = str_starts(digest, "sha512:");

    if (!is_512 && !str_starts(digest, "sha256:"))
        return false;
    for (size_t i = 0; i < st->n_subjects; i++) {
        const char *hex = is_512 ? st->subjects[i].sha512 : st->subjects[i].sha256;
        if (hex != NULL && str_eq(hex, digest + 7))
            return true;
    }
    return false;
}

/* ---- writing --------------------------------------------------------------- */

static struct bytes without_bom(struct bytes b)
{
    if (b.len >= 3 && memcmp(b.ptr, "\xef\xbb\xbf", 3) == 0)
        return (struct bytes){ b.ptr + 3, b.len - 3 };
    return b;
}

static void put_raw(struct jsonw *w, const char *key, struct bytes b)
{
    jsonw_key(w, key);
    jsonw_raw(w, (const char *)b.ptr, b.len);
}

static void put_statement(const struct statement_spec *spec, struct buf *out)
{
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_kstr(&w, "_type", "https://in-toto.io/Statement/v1");
    jsonw_key(&w, "subject");
    jsonw_array(&w);
    jsonw_object(&w);
    if (spec->subject_name != NULL)
        jsonw_kstr(&w, "name", spec->subject_name);
    jsonw_key(&w, "digest");
    jsonw_object(&w);
    jsonw_kstr(&w, "sha256", spec->subject_digest + 7);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_array_end(&w);
    jsonw_kstr(&w, "predicateType", spec->predicate_type);
    put_raw(&w, "predicate", without_bom(spec->predicate));
    jsonw_object_end(&w);
}

/* Exactly one JSON value: text put in as it is must not end the object around it. */
static int check_value(struct arena *arena, struct bytes b, const char *what, struct err *err)
{
    struct bytes text = without_bom(b);
    struct json ignored;

    return json_parse(arena, text.ptr, text.len, &lenient, &ignored, err) == 0 ? 0 : err_prefix(err, "%s", what);
}

int statement_build(struct arena *arena, const struct statement_spec *spec, struct buf *out, struct err *err)
{
    size_t start = out->len;
    struct statement check;

    if (!digest_is_valid(spec->subject_digest))
        return err_set(err, ERR_INVALID, "statement: the subject's digest is not sha256: and 64 lower-case hex digits");
    if (check_value(arena, spec->predicate, "predicate", err) != 0)
        return -1;
    put_statement(spec, out);
    if (out->failed)
        return err_nomem(err);
    struct bytes text = { (const unsigned char *)out->ptr + start, out->len - start };
    if (statement_parse(arena, STATEMENT_PAYLOAD_TYPE, text, &check, err) == 0)
        return 0;
    out->len = start;
    out->ptr[start] = '\0';
    return -1;
}

int statement_scan_predicate(struct arena *arena, const struct scan_spec *spec, struct buf *out, struct err *err)
{
    struct jsonw w;

    if (spec->started_ms == TIME_UNKNOWN || spec->finished_ms == TIME_UNKNOWN)
        return err_set(err, ERR_INVALID, "statement: a scan needs the times it started and finished");
    if (check_value(arena, spec->report, "report", err) != 0)
        return -1;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_key(&w, "invocation");       /* part of the format; nothing is claimed in it */
    jsonw_object(&w);
    jsonw_object_end(&w);
    jsonw_key(&w, "scanner");
    jsonw_object(&w);
    jsonw_kstr(&w, "uri", spec->scanner_uri != NULL ? spec->scanner_uri : "");
    jsonw_kstr(&w, "version", spec->scanner_version != NULL ? spec->scanner_version : "");
    jsonw_key(&w, "db");
    jsonw_object(&w);
    jsonw_kstr(&w, "uri", spec->db_uri != NULL ? spec->db_uri : "");
    jsonw_kstr(&w, "version", spec->db_version != NULL ? spec->db_version : "");
    if (spec->db_updated_ms != TIME_UNKNOWN)
        jsonw_ktime(&w, "lastUpdate", spec->db_updated_ms);
    jsonw_object_end(&w);
    put_raw(&w, "result", without_bom(spec->report));
    jsonw_object_end(&w);
    jsonw_key(&w, "metadata");
    jsonw_object(&w);
    jsonw_ktime(&w, "scanStartedOn", spec->started_ms);
    jsonw_ktime(&w, "scanFinishedOn", spec->finished_ms);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    return out->failed ? err_nomem(err) : 0;
}
