/* cosign.c - attestations, detached signatures and bundles: the signature layer. */
#include "base/crypto.h"
#include "tests/conformance/set/set.h"
#include "wire/bundle.h"
#include "wire/statement.h"

/* The line in a one-line file, NULL when there is no such file. */
static const char *line_in(struct set *s, const char *folder, const char *name)
{
    struct bytes b = set_read_in(s, folder, name);

    if (b.ptr == NULL)
        return NULL;
    return arena_strndup(&s->arena, (const char *)b.ptr, strcspn((const char *)b.ptr, "\r\n"));
}

/* As a service would: verify, then type, then statement, then what was asked for. */
static int judge_statement(struct set *s, const struct bundle *b, const struct pubkey *key, const char *folder,
                           struct err *err)
{
    const char *type = line_in(s, folder, "predicate_type"), *subject = line_in(s, folder, "subject.sha256");
    struct statement st;
    struct signers who;

    if (bundle_verify_envelope(b, &key, 1, &who, err) != 0 ||
        statement_parse(&s->arena, b->envelope.payload_type, b->envelope.payload, &st, err) != 0)
        return -1;
    if (type != NULL && !str_eq(type, st.predicate_type))
        return err_set(err, ERR_UNPROCESSABLE, "predicate type is %s", st.predicate_type);
    if (subject != NULL && !statement_matches(&st, arena_printf(&s->arena, "sha256:%s", subject)))
        return err_set(err, ERR_UNPROCESSABLE, "no subject is %s", subject);
    return 0;
}

static int judge_bundle(struct set *s, struct bytes text, const char *folder, const struct pubkey *given, struct err *err)
{
    struct bytes artifact = set_read_in(s, folder, "artifact");
    struct pubkey from_certificate = { 0 };
    struct signers who;
    struct bundle b;

    if (bundle_parse(&s->arena, text.ptr, text.len, &b, err) != 0)
        return -1;
    if (given->alg == KEY_NONE && b.certificate.len > 0 &&
        pubkey_from_certificate(b.certificate.ptr, b.certificate.len, &from_certificate, err) != 0)
        return -1;
    const struct pubkey *key = given->alg == KEY_NONE ? &from_certificate : given;
    int rc = b.has_envelope ? judge_statement(s, &b, key, folder, err)
                            : bundle_verify_artifact(&b, artifact, &key, 1, &who, err);
    pubkey_clear(&from_certificate);
    return rc;
}

static int judge_detached(struct set *s, struct bytes sig, const char *folder, const struct pubkey *key, struct err *err)
{
    struct bytes artifact = set_read_in(s, folder, "artifact");

    if (artifact.ptr == NULL)
        return err_set(err, ERR_INTERNAL, "nothing to judge");
    return pubkey_verify(key, artifact.ptr, artifact.len, sig.ptr, sig.len)
               ? 0 : err_set(err, ERR_UNPROCESSABLE, "the signature over the artifact is wrong");
}

static int judge(struct set *s, const char *folder, struct err *err)
{
    static const char *const names[] = { "envelope.json", "bundle.sigstore.json", "bundle.json" };
    struct bytes pem = set_read_in(s, folder, "key.pub"), sig = set_read_in(s, folder, "sig.bin");
    struct pubkey key = { 0 };
    struct bytes text = { 0 };

    if (pem.ptr != NULL && pubkey_from_pem((const char *)pem.ptr, pem.len, &key, err) != 0)
        return -1;
    for (size_t i = 0; i < N_ITEMS(names) && text.ptr == NULL; i++)
        text = set_read_in(s, folder, names[i]);
    int rc = text.ptr != NULL ? judge_bundle(s, text, folder, &key, err) : judge_detached(s, sig, folder, &key, err);
    pubkey_clear(&key);
    return rc;
}

static void run_row(struct set *s, const char *path, const char *expected, const char *what)
{
    struct err err = { .msg = "signed" };

    (void)what;
    if (str_eq(expected, "accept") || str_eq(expected, "reject"))
        set_check(s, path, expected, set_verdict(judge(s, path, &err) == 0), err.msg);
}

int main(int argc, char **argv)
{
    struct set s;
    struct err err = { 0 };

    if (crypto_init(&err) != 0)
        return fprintf(stderr, "%s\n", err.msg), 1;
    set_open(&s, argc, argv, "cosign");
    set_each_row(&s, run_row);
    return set_close(&s);
}
