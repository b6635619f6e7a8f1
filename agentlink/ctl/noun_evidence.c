/* noun_evidence.c - evidence: verify it without a server, fetch it from one. */
#include "base/time.h"
#include "ctl/attest.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/nouns.h"
#include "wire/bundle.h"
#include "wire/detached.h"
#include "wire/imageref.h"
#include "wire/jsonw.h"
#include "wire/statement.h"

#include <string.h>

enum { KEYS_MAX = 16 };

struct keyring {
    struct pubkey keys[KEYS_MAX];
    const struct pubkey *list[KEYS_MAX];
    const char *files[KEYS_MAX];
    size_t n;
};

static int load_keys(struct ctl *c, struct keyring *ring)
{
    struct err err = { 0 };

    for (size_t i = 0; command_get_nth(c->cl, "key", i) != NULL; i++) {
        const char *path = command_get_nth(c->cl, "key", i);
        struct bytes pem;
        if (i == KEYS_MAX)
            return ctl_wrong(c, NULL, "--key: at most %d times", KEYS_MAX);
        if (file_read(&c->arena, path, PEM_MAX, &pem, &err) != 0)
            return ctl_fail(c, &err, NULL);
        if (pubkey_from_pem((const char *)pem.ptr, pem.len, &ring->keys[i], &err) != 0) {
            err_prefix(&err, "%s (a public key is needed)", path);
            return ctl_fail(c, &err, NULL);
        }
        ring->list[i] = &ring->keys[i];
        ring->files[i] = path;
        ring->n = i + 1;
    }
    return ring->n > 0 ? 0 : ctl_wrong(c, "keepctl evidence verify FILE --key PUBLIC.pem", "whose signature? no --key was given");
}

static void say_statement(struct jsonw *w, const struct statement *st, struct arena *arena)
{
    jsonw_kstr(w, "predicate_type", st->predicate_type);
    jsonw_kstr(w, "predicate", predicate_word(st->kind));
    jsonw_key(w, "subjects");
    jsonw_array(w);
    for (size_t i = 0; i < st->n_subjects; i++) {
        const struct subject *s = &st->subjects[i];
        jsonw_str(w, arena_printf(arena, "%s%s%s%s", s->name, s->name[0] != '\0' ? "@" : "",
                                  s->sha256 != NULL ? "sha256:" : "sha512:", s->sha256 != NULL ? s->sha256 : s->sha512));
    }
    jsonw_array_end(w);
    if (st->finished_ms != TIME_UNKNOWN)
        jsonw_ktime(w, "scanned_at", st->finished_ms);
    if (st->db_updated_ms != TIME_UNKNOWN)
        jsonw_ktime(w, "db_built_at", st->db_updated_ms);
}

static const struct column verified_columns[] = {
    { "VERIFIED", "verified", COLUMN_FLAG }, { "KIND", "kind", COLUMN_TEXT }, { "SIGNED BY", "signed_by", COLUMN_TEXTS }, { "KEY FILES", "key_files", COLUMN_TEXTS },
    { "PAYLOAD TYPE", "payload_type", COLUMN_TEXT }, { "PREDICATE", "predicate_type", COLUMN_TEXT }, { "SUBJECTS", "subjects", COLUMN_TEXTS },
    { "SCANNED", "scanned_at", COLUMN_TIME }, { "DATABASE BUILT", "db_built_at", COLUMN_TIME },
};

static int print_verified(struct ctl *c, const char *kind, const struct keyring *ring, const struct signers *who,
                          const char *payload_type, const struct statement *st)
{
    struct err err = { 0 };
    struct json doc;
    struct jsonw w;
    struct buf b;

    buf_init(&b, 4 * 1024 * 1024);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kbool(&w, "verified", true);
    jsonw_kstr(&w, "kind", kind);
    jsonw_key(&w, "signed_by");
    jsonw_array(&w);
    for (size_t i = 0; i < who->n; i++)
        jsonw_str(&w, ring->keys[who->key[i]].fingerprint);
    jsonw_array_end(&w);
    jsonw_key(&w, "key_files");
    jsonw_array(&w);
    for (size_t i = 0; i < who->n; i++)
        jsonw_str(&w, ring->files[who->key[i]]);
    jsonw_array_end(&w);
    if (payload_type != NULL)
        jsonw_kstr(&w, "payload_type", payload_type);
    if (st != NULL)
        say_statement(&w, st, &c->arena);
    jsonw_object_end(&w);
    int rc = b.failed || json_parse(&c->arena, b.ptr, b.len, NULL, &doc, &err) != 0 ? ctl_wrong(c, NULL, "too much to show") : 0;
    buf_free(&b);
    const struct listing l = { verified_columns, N_ITEMS(verified_columns), &doc, &doc };
    return rc == 0 ? out_list(c, &l) : rc;
}

/* The answer is no. */
static int refuse(struct ctl *c, const char *path, const struct err *err)
{
    ctl_wrong(c, NULL, "%s: NOT verified: %s", path, err->msg);
    return CODE_POLICY;
}

/* The digest asked for, or NULL: any will do. */
static int wanted_digest(struct ctl *c, const char **digest)
{
    const char *image = ctl_option(c, "image");
    struct imageref ref = { 0 };
    struct err err = { 0 };

    *digest = ctl_option(c, "digest");
    if (*digest != NULL && !digest_is_valid(*digest))
        return ctl_wrong(c, NULL, "--digest: expected sha256: and 64 lower-case hex digits");
    if (image == NULL || *digest != NULL)
        return 0;
    if (imageref_parse(&c->arena, image, &ref, &err) != 0)
        return ctl_fail(c, &err, NULL);
    *digest = ref.digest;
    return ref.digest != NULL ? 0 : ctl_wrong(c, "--image REPOSITORY@sha256:...", "--image: a tag proves nothing; a digest is needed");
}

static int verify_envelope(struct ctl *c, const char *path, const struct bundle *bundle, const struct keyring *ring, const char *digest)
{
    const struct envelope *env = &bundle->envelope;
    struct statement st = { 0 };
    struct signers who;
    struct err err = { 0 };

    if (bundle_verify_envelope(bundle, ring->list, ring->n, &who, &err) != 0)
        return refuse(c, path, &err);
    bool states = statement_type_is_ours(env->payload_type);
    if (states && statement_parse(&c->arena, env->payload_type, env->payload, &st, &err) != 0)
        return refuse(c, path, &err);
    if (digest != NULL && (!states || !statement_matches(&st, digest))) {
        err_set(&err, ERR_UNPROCESSABLE, "the signature holds, but the statement is not about %s", digest);
        return refuse(c, path, &err);
    }
    return print_verified(c, bundle->form == BUNDLE_BARE ? "DSSE envelope" : "Sigstore bundle", ring, &who, env->payload_type, states ? &st : NULL);
}

static int verify_artifact(struct ctl *c, const char *path, const struct bundle *bundle, const struct keyring *ring)
{
    const char *artifact = ctl_option(c, "artifact");
    struct signers who;
    struct bytes text;
    struct err err = { 0 };

    if (artifact == NULL)
        return ctl_wrong(c, "--artifact FILE", "%s signs a file, not a statement; which file?", path);
    if (file_read(&c->arena, artifact, REPORT_FILE_MAX, &text, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (bundle_verify_artifact(bundle, text, ring->list, ring->n, &who, &err) != 0)
        return refuse(c, path, &err);
    return print_verified(c, "Sigstore bundle of a file", ring, &who, NULL, NULL);
}

static int verify_detached(struct ctl *c, const char *path, struct bytes body, const struct keyring *ring, const char *digest)
{
    struct signers who;
    struct err err = { 0 };

    if (digest == NULL)
        return ctl_wrong(c, "--digest sha256:...", "a signature beside a report is about one image; which?");
    if (detached_verify(&c->arena, ctl_option(c, "signature"), digest, body, ring->list, ring->n, &who, &err) != 0)
        return refuse(c, path, &err);
    return print_verified(c, "report with a signature beside it", ring, &who, NULL, NULL);
}

static int verify_file(struct ctl *c, const char *path, const struct keyring *ring)
{
    struct bundle bundle;
    struct bytes text;
    struct err err = { 0 };
    const char *digest;

    int rc = wanted_digest(c, &digest);
    if (rc != 0)
        return rc;
    if (file_read(&c->arena, path, ENVELOPE_MAX, &text, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (ctl_option(c, "signature") != NULL)
        return verify_detached(c, path, text, ring, digest);
    if (bundle_parse(&c->arena, text.ptr, text.len, &bundle, &err) != 0) {
        err_prefix(&err, "%s is no signed evidence", path);
        return ctl_fail(c, &err, NULL);
    }
    return bundle.has_envelope ? verify_envelope(c, path, &bundle, ring, digest) : verify_artifact(c, path, &bundle, ring);
}

static int evidence_verify(struct ctl *c)
{
    struct keyring ring = { .n = 0 };

    int rc = load_keys(c, &ring);
    if (rc == 0)
        rc = verify_file(c, ctl_arg(c, 0), &ring);
    for (size_t i = 0; i < KEYS_MAX; i++)
        pubkey_clear(&ring.keys[i]);
    return rc;
}

/* The bytes as they came, or their hash would not be the id. */
static int evidence_get(struct ctl *c)
{
    struct client_request r = { .method = "GET", .target = call_target(c) };
    struct client_answer answer = { 0 };
    const char *save = ctl_option(c, "save");
    struct err err = { 0 };

    int rc = r.target != NULL ? ctl_send(c, &r, NULL, &answer) : ctl_wrong(c, NULL, "out of memory");
    if (rc != 0)
        return rc;
    if (save != NULL)
        return file_write(save, answer.body, 0644, true, &err) == 0 ? 0 : ctl_fail(c, &err, NULL);
    return fwrite(answer.body.ptr, 1, answer.body.len, stdout) == answer.body.len ? 0 : CODE_LOCAL;
}

static const struct column info_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "KIND", "kind", COLUMN_TEXT }, { "LENGTH", "length", COLUMN_NUMBER }, { "SIGNER", "signer.name", COLUMN_TEXT },
    { "SIGNER ID", "signer.id", COLUMN_TEXT }, { "SUBJECT", "subject", COLUMN_TEXT }, { "SIGNATURE", "signature", COLUMN_TEXT },
    { "RECEIVED", "received_at", COLUMN_TIME }, { "SCANS", "scans", COLUMN_TEXTS },
};
static const struct command_option verify_options[] = {
    { "key", "FILE", "Public key (PEM) that must have signed; may be repeated: one of them.", true },
    { "image", "REF", "It must be about this image (with digest).", false }, { "digest", "DIGEST", "It must be about this digest.", false },
    { "artifact", "FILE", "For a bundle that signs a file: the file.", false },
    { "signature", "TEXT", "For a bare report: the value of its Keep-Signature header.", false },
};
static const struct command_option get_options[] = { { "save", "FILE", "Write it to this file instead of standard output.", false } };
static const struct api_call show = { .method = "GET", .target = "/v1/evidence/{}/info", .columns = info_columns, .n_columns = N_ITEMS(info_columns) };
static const struct api_call get = { .method = "POST", .target = "/v1/evidence/{}" };      /* no query: options stay here */

static const struct ctl_command rows[] = {
    { ROW("evidence verify", "FILE", 1, 1, "Verify signed evidence offline: who signed what, about which image.", verify_options,
          "FILE is a DSSE envelope, a Sigstore bundle, or a report with --signature. No server is asked. Exit 0: verified, 2: not."),
      evidence_verify, NULL },
    { PLAIN("evidence show", "ID", 1, 1, "Show who signed uploaded evidence and which scans it proves."), call_show, &show },
    { ROW("evidence get", "ID", 1, 1, "Fetch uploaded evidence, byte for byte.", get_options, NULL), evidence_get, &get },
};
const struct ctl_commands evidence_commands = { rows, N_ITEMS(rows) };
