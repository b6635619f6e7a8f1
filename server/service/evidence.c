/* evidence.c - see evidence.h. */
#include "service/evidence.h"

#include "base/crypto.h"
#include "base/time.h"
#include "store/signer.h"
#include "wire/bundle.h"
#include "wire/detached.h"
#include "wire/imageref.h"
#include "wire/report.h"

#include <string.h>

/* The signers whose keys count at this moment, with keys read. */
struct trusted {
    const struct signer *signers[TRUSTED_MAX];
    const struct pubkey *keys[TRUSTED_MAX];
    struct pubkey owned[TRUSTED_MAX];
    size_t n;
};

static void trusted_clear(struct trusted *t)
{
    for (size_t i = 0; i < t->n; i++)
        pubkey_clear(&t->owned[i]);
}

static bool in_window(const struct signer *s, int64_t now_ms)
{
    return s->revoked_ms == TIME_UNKNOWN && s->not_before_ms <= now_ms && (s->not_after_ms == TIME_UNKNOWN || now_ms < s->not_after_ms);
}

/* With more signers than can be tried, those that a key id hints at come first:
 * the hint only orders, it never decides. */
static int trusted_load(struct call *c, const char *hint, struct trusted *t, struct err *err)
{
    struct signer *all;
    size_t n;
    struct err ignored = { 0 };

    if (signer_list_usable(c->db, c->arena, &all, &n, err) != 0)
        return -1;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < n && t->n < TRUSTED_MAX; i++) {
            bool hinted = hint != NULL && *hint != '\0' && strstr(hint, all[i].id) != NULL;
            if (hinted != (round == 0) || !in_window(&all[i], c->now_ms))
                continue;
            if (pubkey_from_pem(all[i].public_key, strlen(all[i].public_key), &t->owned[t->n], &ignored) != 0)
                continue;               /* was checked when it was registered */
            t->keys[t->n] = &t->owned[t->n];
            t->signers[t->n++] = &all[i];
        }
    }
    if (t->n == 0)
        return err_set(err, ERR_UNPROCESSABLE, "signature: no signer is registered whose key is valid now; "
                                               "register one with: keepctl signer add NAME --key FILE");
    return 0;
}

static int refuse(struct err *err)
{
    if (err->kind == ERR_UNPROCESSABLE)
        return err_set(err, ERR_UNPROCESSABLE, "signature: no registered signer's key verifies these bytes; "
                                               "see: keepctl signer list");
    return err_prefix(err, "signature");
}

/* What kind of statement a signer may be limited to. */
static const char *statement_word(const struct statement *st)
{
    return st == NULL ? "report" : predicate_word(st->kind);
}

static bool says_so(const struct signer *s, const char *word)
{
    static const struct { const char *group, *word; } groups[] = {
        { "vulnerability", "cosign-vuln" }, { "vulnerability", "in-toto-vulns" }, { "vulnerability", "report" },
        { "vulnerability", "other" }, { "sbom", "cyclonedx" }, { "sbom", "spdx" }, { "sbom", "syft" }, { "vex", "openvex" },
        { "report", "report" }, { "report", "other" },
    };

    for (size_t i = 0; i < s->n_statements; i++) {
        if (str_eq(s->statements[i], word))
            return true;
        for (size_t k = 0; k < N_ITEMS(groups); k++) {
            if (str_eq(groups[k].group, s->statements[i]) && str_eq(groups[k].word, word))
                return true;
        }
    }
    return s->n_statements == 0;
}

static int check_statement(const struct signer *s, const struct statement *st, struct err *err)
{
    if (says_so(s, statement_word(st)))
        return 0;
    return err_set(err, ERR_FORBIDDEN, "signer %s may not sign statements of type %s", s->name,
                   st != NULL ? st->predicate_type : "report");
}

int signer_check_repository(const struct signer *s, const char *repository, struct err *err)
{
    for (size_t i = 0; i < s->n_repositories; i++) {
        if (imageref_name_match(s->repositories[i], repository))
            return 0;
    }
    if (s->n_repositories == 0)
        return 0;
    return err_set(err, ERR_FORBIDDEN, "signer %s may not speak of repository %s", s->name, repository);
}

static const char *subject_digest(struct call *c, const struct subject *s)
{
    return s->sha256 != NULL ? arena_printf(c->arena, "sha256:%s", s->sha256) : NULL;
}

/* Keep-Subject picks one of several subjects; without it there must be one image. */
static int pick_subject(struct call *c, const struct statement *st, const char *wanted, struct claim *out, struct err *err)
{
    const struct subject *found = NULL;

    for (size_t i = 0; i < st->n_subjects; i++) {
        const char *digest = subject_digest(c, &st->subjects[i]);
        if (digest == NULL || (wanted != NULL && !str_eq(digest, wanted)))
            continue;
        if (found != NULL && !str_eq(out->subject, digest))
            return err_set(err, ERR_INVALID, "statement: it has several subjects; name one in the header Keep-Subject");
        found = &st->subjects[i];
        out->subject = digest;
    }
    if (found == NULL)
        return err_set(err, ERR_UNPROCESSABLE, wanted != NULL ? "statement: Keep-Subject is none of its subjects"
                                                              : "statement: no subject has a sha256 digest");
    out->subject_name = found->name[0] != '\0' && !str_eq(found->name, "_") ? found->name : NULL;
    return 0;
}

/* What is around signed bytes - white space, another signature by the same key - is
 * anybody's to change: a report must not become a new one by that. */
static const char *signed_id(struct call *c, const struct signer *s, const char *subject, struct bytes what)
{
    struct sha256 h;
    uint8_t hash[SHA256_LEN];
    char *text = arena_bytes(c->arena, 2 * SHA256_LEN + 1);

    sha256_init(&h);
    sha256_add(&h, s->id, strlen(s->id) + 1);
    sha256_add(&h, subject, strlen(subject) + 1);
    sha256_add(&h, what.ptr, what.len);
    sha256_done(&h, hash);
    if (text != NULL)
        hex_encode(hash, sizeof hash, text);
    return text;
}

static int open_statement(struct call *c, const struct envelope *env, const char *wanted, struct claim *out, struct err *err)
{
    struct statement *st = arena_alloc(c->arena, sizeof *st);

    if (st == NULL)
        return err_nomem(err);
    if (statement_parse(c->arena, env->payload_type, env->payload, st, err) != 0)
        return err_prefix(err, "statement");
    if (check_statement(out->signer, st, err) != 0 || statement_check_times(st, c->now_ms, err) != 0 ||
        pick_subject(c, st, wanted, out, err) != 0)
        return -1;
    if (st->predicate == NULL)
        return err_set(err, ERR_UNPROCESSABLE, "statement: it has no predicate, so it says nothing of a scan");
    out->statement = st;
    out->predicate = st->predicate;
    return 0;
}

static int open_signed(struct call *c, const struct bundle *bundle, const char *wanted, struct claim *out, struct err *err)
{
    struct trusted trusted = { .n = 0 };
    struct signers who;

    if (!bundle->has_envelope)
        return err_set(err, ERR_UNPROCESSABLE, "bundle: it signs a file, not a statement about an image");
    const char *hint = bundle->envelope.n_sigs > 0 ? bundle->envelope.sigs[0].keyid : NULL;
    int rc = trusted_load(c, hint, &trusted, err);
    if (rc == 0 && (rc = bundle_verify_envelope(bundle, trusted.keys, trusted.n, &who, err)) != 0)
        refuse(err);
    if (rc == 0) {
        out->signer = trusted.signers[who.key[0]];
        out->kind = bundle->form == BUNDLE_BARE ? "dsse" : "bundle";
        out->signed_id = signed_id(c, out->signer, "", bundle->envelope.pae);
        rc = out->signed_id == NULL ? err_nomem(err) : open_statement(c, &bundle->envelope, wanted, out, err);
    }
    trusted_clear(&trusted);
    return rc;
}

int evidence_signer(struct call *c, const struct envelope *env, const char *word, const struct signer **out, struct err *err)
{
    struct trusted trusted = { .n = 0 };
    struct signers who;

    int rc = trusted_load(c, env->n_sigs > 0 ? env->sigs[0].keyid : NULL, &trusted, err);
    if (rc == 0 && (rc = envelope_verify(env, trusted.keys, trusted.n, 1, &who, err)) != 0)
        refuse(err);
    if (rc == 0 && !says_so(trusted.signers[who.key[0]], word))
        rc = err_set(err, ERR_FORBIDDEN, "signer %s may not sign statements of type %s", trusted.signers[who.key[0]]->name, word);
    if (rc == 0)
        *out = trusted.signers[who.key[0]];
    trusted_clear(&trusted);
    return rc;
}

static int open_detached(struct call *c, struct bytes body, const char *signature, const char *subject, struct claim *out,
                         struct err *err)
{
    struct trusted trusted = { .n = 0 };
    struct signers who;

    if (subject == NULL)
        return err_set(err, ERR_INVALID, "Keep-Subject: a detached signature needs the image's digest in this header");
    int rc = trusted_load(c, signature, &trusted, err);
    if (rc == 0 && (rc = detached_verify(c->arena, signature, subject, body, trusted.keys, trusted.n, &who, err)) != 0)
        refuse(err);
    if (rc == 0) {
        out->signer = trusted.signers[who.key[0]];
        out->kind = "detached";
        out->signature = signature;
        out->report = body;
        out->signed_id = signed_id(c, out->signer, subject, body);
        rc = out->signed_id == NULL ? err_nomem(err) : check_statement(out->signer, NULL, err);
    }
    trusted_clear(&trusted);
    return rc;
}

/* Only what looks like an envelope is parsed before its signature is checked, and
 * then only the envelope. */
static bool looks_signed(struct bytes body)
{
    const unsigned char *at = body.ptr, *end = body.ptr + body.len;

    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at < end && *at == '{' &&
           (memmem(body.ptr, body.len, "\"payloadType\"", 13) != NULL || memmem(body.ptr, body.len, "\"dsseEnvelope\"", 14) != NULL);
}

/* SHA-256 of the bytes; of a detached signature, subject and bytes together, so that
 * a signature for bytes that came without one before is evidence of its own. */
static const char *evidence_id(struct call *c, struct bytes body, const char *signature, const char *subject)
{
    struct sha256 h;
    uint8_t hash[SHA256_LEN];
    char *text = arena_bytes(c->arena, 2 * SHA256_LEN + 1);

    sha256_init(&h);
    if (signature != NULL) {
        sha256_add(&h, signature, strlen(signature) + 1);
        sha256_add(&h, subject != NULL ? subject : "", subject != NULL ? strlen(subject) + 1 : 1);
    }
    sha256_add(&h, body.ptr, body.len);
    sha256_done(&h, hash);
    if (text != NULL)
        hex_encode(hash, sizeof hash, text);
    return text;
}

int evidence_open(struct call *c, struct bytes body, const char *signature, const char *subject, struct claim *out,
                  struct err *err)
{
    struct claim claim = { .kind = "unsigned", .report = body };
    struct json doc;
    struct bundle *bundle = arena_alloc(c->arena, sizeof *bundle);

    if (body.len == 0)
        return err_set(err, ERR_INVALID, "the body is empty: expected a DSSE envelope, a Sigstore bundle or a scanner's report");
    if (subject != NULL && !digest_is_valid(subject))
        return err_set(err, ERR_INVALID, "Keep-Subject: expected sha256: and 64 lower-case hex digits");
    claim.evidence_id = evidence_id(c, body, signature, subject);
    if (bundle == NULL || claim.evidence_id == NULL)
        return err_nomem(err);
    if (signature != NULL && open_detached(c, body, signature, subject, &claim, err) != 0)
        return -1;
    if (signature == NULL && looks_signed(body)) {
        if (json_parse(c->arena, body.ptr, body.len, NULL, &doc, err) != 0)
            return -1;
        if (bundle_detect(&doc) != BUNDLE_NONE) {
            if (bundle_from_json(c->arena, &doc, bundle, err) != 0)
                return err_prefix(err, "envelope");
            if (open_signed(c, bundle, subject, &claim, err) != 0)
                return -1;
            claim.report = (struct bytes){ NULL, 0 };
        }
    }
    if (claim.subject == NULL)
        claim.subject = subject;
    *out = claim;
    return 0;
}
